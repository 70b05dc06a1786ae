"""Sockets for ESP: beside IKE on the NAT-T port, and for IP protocol 50.

On the NAT-T port IKE and ESP come in together (RFC 3948 section 2). One SO_REUSEPORT group holds IKE's socket and those
of the data plane, and a filter in the kernel tells which one a datagram is for: nothing is handed on in userspace.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import socket
import struct
from collections.abc import Sequence

from ipsecbench.errors import DataPlaneError

OWN_MARK = 0x45535000
"""SO_MARK of every packet that IKE and the data plane send themselves: it goes around the TUN device."""
BUFFER_BYTES = 8 << 20
"""Wanted buffer of a socket in each direction: 40 ms of 1.6 Gbit/s."""
_ESP = 50
_SO_ATTACH_REUSEPORT_CBPF = 51
_SO_ATTACH_FILTER = 26
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_IPV6_V6ONLY = 26

# Classic BPF (linux/filter.h): code, jump if true, jump if false, operand.
_LOAD_WORD = 0x20
_LOAD_WORD_AT_X = 0x40
_LOAD_X_HEADER_LENGTH = 0xB1
_JUMP_IF_EQUAL = 0x15
_MODULO = 0x94
_ADD = 0x04
_RETURN = 0x06
_RETURN_A = 0x16
_Instruction = tuple[int, int, int, int]


def mark(sock: socket.socket) -> None:
    """Let what a socket sends go around the TUN device (:mod:`ipsecbench.dataplane.routes`).

    Raises:
        DataPlaneError: no right to do so.
    """
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, OWN_MARK)
    except OSError as error:
        raise DataPlaneError(f"cannot mark packets of this host: {_needs_root(error)}") from error


def open_shared_udp(ike: socket.socket, number: int) -> list[socket.socket]:
    """Sockets for ESP in UDP, at the address and port of IKE's.

    Datagrams for IKE, and those that are too short for anything, go on to IKE's socket; ESP packets go to these, by
    SPI, so that packets of one SA stay in order.

    Args:
        ike: IKE's socket on the NAT-T port, opened with SO_REUSEPORT before it was bound, and alone there.
        number: how many.

    Raises:
        DataPlaneError: they cannot be had.
    """
    address = ike.getsockname()
    sockets: list[socket.socket] = []
    try:
        for _ in range(number):
            sock = socket.socket(ike.family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
            sockets.append(sock)
            if ike.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            _enlarge(sock)
            mark(sock)
            sock.bind(address)
        # A datagram that has no first word ends the program with 0: IKE's socket.
        _attach(
            ike,
            _SO_ATTACH_REUSEPORT_CBPF,
            [
                (_LOAD_WORD, 0, 0, 0),
                (_JUMP_IF_EQUAL, 0, 1, 0),
                (_RETURN, 0, 0, 0),
                (_MODULO, 0, 0, number),
                (_ADD, 0, 0, 1),
                (_RETURN_A, 0, 0, 0),
            ],
        )
    except OSError as error:
        _close(sockets)
        raise DataPlaneError(f"cannot share UDP port {address[1]} with IKE: {error.strerror}") from error
    except DataPlaneError:
        _close(sockets)
        raise
    return sockets


def open_raw_esp(host: str, number: int) -> list[socket.socket]:
    """Raw sockets for IP protocol 50 at an address of this host; each gets a part of the SPIs.

    Raises:
        DataPlaneError: they cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sockets: list[socket.socket] = []
    try:
        for index in range(number):
            sock = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, _ESP)
            sockets.append(sock)
            if number > 1:
                # Every raw socket is given every packet: all but one leave it.
                _attach(sock, _SO_ATTACH_FILTER, _share_of_spis(family, number, index))
            _enlarge(sock)
            mark(sock)
            sock.bind((host, 0))
    except OSError as error:
        _close(sockets)
        raise DataPlaneError(f"cannot use IP protocol 50 at {host}: {_needs_root(error)}") from error
    except DataPlaneError:
        _close(sockets)
        raise
    return sockets


def _share_of_spis(family: int, number: int, index: int) -> list[_Instruction]:
    """A filter for the SPIs whose remainder is the index. With IPv4 the packet begins with the IP header, else not."""
    spi = [(_LOAD_X_HEADER_LENGTH, 0, 0, 0), (_LOAD_WORD_AT_X, 0, 0, 0)]
    return [
        *(spi if family == socket.AF_INET else [(_LOAD_WORD, 0, 0, 0)]),
        (_MODULO, 0, 0, number),
        (_JUMP_IF_EQUAL, 0, 1, index),
        (_RETURN, 0, 0, 0xFFFFFFFF),
        (_RETURN, 0, 0, 0),
    ]


def _attach(sock: socket.socket, option: int, program: Sequence[_Instruction]) -> None:
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    memory = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(program), ctypes.addressof(memory)))


def _enlarge(sock: socket.socket) -> None:
    """A larger buffer than the system's limit where that is allowed, else as large as may be."""
    for force, plain in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, force, BUFFER_BYTES)
        except OSError:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)


def _needs_root(error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES):
        return "it needs root, or CAP_NET_ADMIN and CAP_NET_RAW"
    if error.errno == errno.EADDRNOTAVAIL:
        return "the address is not this machine's"
    return error.strerror or str(error)


def _close(sockets: Sequence[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
