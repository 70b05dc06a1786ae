"""TUN devices: where a userspace data plane takes packets from the kernel and gives them back.

A device lives as long as one of its descriptors is open: it needs no removal, whatever ends the process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ipsecbench.errors import DataPlaneError

DEVICE = Path("/dev/net/tun")
TUN_NAME = "ipsec0"
"""Name of the device where none is asked for."""
TUN_MTU_BYTES = 1400
"""MTU where none is asked for: with any suite, over IPv4 and in UDP, a packet fits a link of 1500 octets."""
SMALLEST_MTU_BYTES = 68
"""Every link for IPv4 carries so much (RFC 791)."""
SMALLEST_IPV6_MTU_BYTES = 1280
"""Every link for IPv6 carries so much (RFC 8200 section 5)."""
LARGEST_MTU_BYTES = 65535
MAX_QUEUES = 64
QUEUE_PACKETS = 10_000
"""Packets (large ones count once) that wait for the data plane before the kernel drops more."""

_IFF_TUN = 0x0001
_IFF_NO_PI = 0x1000
_IFF_MULTI_QUEUE = 0x0100
_IFF_VNET_HDR = 0x4000
_IFF_TUN_EXCL = 0x8000
_IFF_UP = 0x1
_OFFLOADS = (
    # Checksums, TCP segmentation with and without ECN over both versions, UDP segmentation (Linux 6.2).
    0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40,
    0x01 | 0x02 | 0x04 | 0x08,
    0x01 | 0x02 | 0x04,
    0x01,
    0x00,
)
"""What the device may leave to the data plane, the most first."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFMTU, _SIOCSIFTXQLEN = 0x8913, 0x8914, 0x8922, 0x8943
_NAME_BYTES = 16
_IFREQ_BYTES = 40
_COMMAND_SECONDS = 10.0


def _write_request(number: int) -> int:
    """The number of an ioctl ``_IOW('T', number, int)``, which has its direction elsewhere on a few architectures."""
    odd = platform.machine().startswith(("mips", "ppc", "powerpc", "sparc", "alpha"))
    direction = 4 << 29 if odd else 1 << 30
    return direction | 4 << 16 | ord("T") << 8 | number


_TUNSETIFF, _TUNSETOFFLOAD = _write_request(202), _write_request(208)


def open_tun(
    name: str = TUN_NAME, queues: int = 1, mtu_bytes: int = TUN_MTU_BYTES, vnet_header: bool = True
) -> list[int]:
    """Make a TUN device and put it into operation.

    Args:
        name: of the device; it must not exist yet.
        queues: how many descriptors it has; the kernel spreads flows over them.
        mtu_bytes: largest IP packet.
        vnet_header: put a ``struct virtio_net_hdr`` of 10 octets before each packet, and leave segmentation of TCP and
            UDP and checksums to the reader, as far as the kernel knows them.

    Returns:
        The queues' descriptors, non-blocking and closed by exec; the device is gone when the last is closed.

    Raises:
        DataPlaneError: there is no TUN here, no right to use it, the name is taken, or the MTU is out of range.
    """
    _check(name, queues, mtu_bytes)
    flags = _IFF_TUN | _IFF_NO_PI | (_IFF_VNET_HDR if vnet_header else 0) | (_IFF_MULTI_QUEUE if queues > 1 else 0)
    descriptors: list[int] = []
    try:
        for number in range(queues):
            descriptors.append(_open_device())
            _attach(descriptors[-1], name, flags | (0 if number else _IFF_TUN_EXCL))
        if vnet_header:
            _set_offloads(descriptors[0])
        _configure(name, mtu_bytes)
    except BaseException:
        close_all(descriptors)
        raise
    return descriptors


def close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors; those that are closed already do not matter."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def check_mtu(mtu_bytes: int, largest_inner_bytes: int, *, ipv6_inside: bool, what: str) -> None:
    """Refuse an MTU that cannot work.

    Args:
        mtu_bytes: of the TUN device.
        largest_inner_bytes: largest inner packet whose outer one still fits the path
            (:func:`ipsecbench.esp.overhead.inner_mtu_bytes`); a larger MTU means fragments, and is no error.
        ipv6_inside: whether IPv6 goes through.
        what: the suite and the way, for the message.

    Raises:
        DataPlaneError: IPv6 needs 1280 octets, or the path leaves less than 68 for a packet.
    """
    if ipv6_inside and mtu_bytes < SMALLEST_IPV6_MTU_BYTES:
        raise DataPlaneError(
            f"an MTU of {mtu_bytes} is too small for IPv6: set mtu = {SMALLEST_IPV6_MTU_BYTES} or more"
        )
    if largest_inner_bytes < SMALLEST_MTU_BYTES:
        raise DataPlaneError(
            f"{what}: the path is too narrow: it leaves {max(0, largest_inner_bytes)} octets for a packet, "
            f"at least {SMALLEST_MTU_BYTES} are needed"
        )


def _check(name: str, queues: int, mtu_bytes: int) -> None:
    octets = name.encode()
    if not 0 < len(octets) < _NAME_BYTES or "/" in name or name in (".", "..") or any(c.isspace() for c in name):
        raise DataPlaneError(f"{name!r} cannot be the name of a device: at most 15 octets, no blanks, no '/'")
    if not 1 <= queues <= MAX_QUEUES:
        raise DataPlaneError(f"a TUN device has 1 to {MAX_QUEUES} queues, not {queues}")
    if not SMALLEST_MTU_BYTES <= mtu_bytes <= LARGEST_MTU_BYTES:
        raise DataPlaneError(
            f"an MTU of {mtu_bytes} is not possible; choose {SMALLEST_MTU_BYTES} to {LARGEST_MTU_BYTES}"
        )


def _open_device() -> int:
    try:
        return os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reasons = {
            errno.ENOENT: "it is not there; load the module with 'modprobe tun', or pass the device into the container",
            errno.ENODEV: "the kernel has no TUN; load the module with 'modprobe tun'",
            errno.ENXIO: "the kernel has no TUN; load the module with 'modprobe tun'",
            errno.EACCES: "it needs root or CAP_NET_ADMIN",
            errno.EPERM: "it needs root or CAP_NET_ADMIN, and a container that allows the device",
        }
        raise DataPlaneError(f"cannot open {DEVICE}: {reasons.get(error.errno or 0, error.strerror)}") from error


def _attach(descriptor: int, name: str, flags: int) -> None:
    request = struct.pack(f"{_NAME_BYTES}sH", name.encode(), flags).ljust(_IFREQ_BYTES, b"\0")
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
    except OSError as error:
        reasons = {
            errno.EBUSY: "there is a device of that name already; stop what uses it or choose another name",
            errno.EEXIST: "there is a device of that name already; stop what uses it or choose another name",
            errno.EINVAL: "the kernel does not know what is asked for, or a device of another kind has the name",
            errno.EPERM: "it needs root or CAP_NET_ADMIN",
        }
        reason = reasons.get(error.errno or 0, error.strerror)
        raise DataPlaneError(f"cannot make the TUN device {name}: {reason}") from error


def _set_offloads(descriptor: int) -> None:
    for offloads in _OFFLOADS:
        with contextlib.suppress(OSError):
            fcntl.ioctl(descriptor, _TUNSETOFFLOAD, offloads)
            return


def _set_number(control: socket.socket, request: int, name: bytes, value: int) -> None:
    packed = struct.pack(f"{_NAME_BYTES}si", name, value)
    fcntl.ioctl(control, request, packed.ljust(_IFREQ_BYTES, b"\0"))


def _configure(name: str, mtu_bytes: int) -> None:
    """MTU, length of the queue, up. No link-local address: the kernel would send router solicitations into the SPD."""
    octets = name.encode()
    with contextlib.suppress(OSError):
        # 1: none; an old kernel, or one without IPv6, does not have it.
        Path(f"/proc/sys/net/ipv6/conf/{name}/addr_gen_mode").write_text("1")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
            _set_number(control, _SIOCSIFMTU, octets, mtu_bytes)
            try:
                _set_number(control, _SIOCSIFTXQLEN, octets, QUEUE_PACKETS)
            except PermissionError:
                # Root of a user namespace may do it by netlink only. Without it the device works all the same.
                with contextlib.suppress(OSError, subprocess.SubprocessError):
                    words = ["ip", "link", "set", "dev", name, "txqueuelen", str(QUEUE_PACKETS)]
                    subprocess.run(words, capture_output=True, timeout=_COMMAND_SECONDS, check=False)
            empty = struct.pack(f"{_NAME_BYTES}sH", octets, 0).ljust(_IFREQ_BYTES, b"\0")
            (flags,) = struct.unpack_from("H", fcntl.ioctl(control, _SIOCGIFFLAGS, empty), _NAME_BYTES)
            packed = struct.pack(f"{_NAME_BYTES}sH", octets, flags | _IFF_UP).ljust(_IFREQ_BYTES, b"\0")
            fcntl.ioctl(control, _SIOCSIFFLAGS, packed)
    except OSError as error:
        raise DataPlaneError(
            f"cannot put the TUN device {name} into operation with an MTU of {mtu_bytes}: {error.strerror}"
        ) from error
