"""Network interfaces and their ESP offload.

/sys names interfaces and drivers, but not their offload features: those come from the ethtool ioctl (Linux
`include/uapi/linux/ethtool.h`, ETHTOOL_GFEATURES), which any user may call and only the running system can answer.
Below another root the features are unknown.
"""

from __future__ import annotations

import array
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipsecbench.hardware.source import Source, printable

ESP_FEATURES: Final[Mapping[str, str]] = {
    "esp-hw-offload": "encryption and integrity in the NIC",
    "esp-tx-csum-hw-offload": "checksums of packets that the NIC encrypts",
    "tx-esp-segmentation": "segmentation of packets that the NIC encrypts",
}
"""Feature names as ethtool shows them, and what they mean."""

MAX_INTERFACES = 64

_SIOCETHTOOL = 0x8946
_GSTRINGS, _GSSET_INFO, _GFEATURES = 0x1B, 0x37, 0x3A
_STRING_SET_FEATURES = 4
_STRING_BYTES = 32
_MAX_FEATURES = 512


@dataclass(frozen=True, slots=True)
class Nic:
    """One network interface. Its address is not read."""

    name: str
    driver: str | None
    speed_mbit_per_second: int | None
    is_virtual: bool
    """No device is behind it (bridge, tunnel, loopback)."""
    esp_features: Mapping[str, str]
    """For each of `ESP_FEATURES`: `on`, `off` (can be switched on), `absent` or `unknown`."""


def read_nics(source: Source) -> tuple[Nic, ...] | None:
    """The interfaces of a box but loopback; `None` when /sys does not say."""
    if not source.exists("sys/class/net"):
        return None
    found = []
    for name in source.names("sys/class/net")[:MAX_INTERFACES]:
        directory = f"sys/class/net/{name}"
        if name == "lo" or source.read_line(f"{directory}/type") == "772":  # ARPHRD_LOOPBACK
            continue
        speed = source.read_integer(f"{directory}/speed")
        is_real = source.exists(f"{directory}/device") or source.link_name(f"{directory}/device") is not None
        found.append(
            Nic(
                name=name,
                driver=_driver(source, f"{directory}/device"),
                speed_mbit_per_second=speed if speed and speed > 0 else None,
                is_virtual=not is_real,
                esp_features=_esp_features(name) if source.is_live else dict.fromkeys(ESP_FEATURES, "unknown"),
            )
        )
    return tuple(found)


def _driver(source: Source, device: str) -> str | None:
    for line in (source.read_text(f"{device}/uevent") or "").split("\n"):
        if line.startswith("DRIVER="):
            return printable(line[7:]) or None
    return printable(source.link_name(f"{device}/driver") or "") or None


def _esp_features(interface: str) -> dict[str, str]:
    states = dict.fromkeys(ESP_FEATURES, "unknown")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            names = _feature_names(channel, interface)
            blocks = (len(names) + 31) // 32
            answer = _ethtool(channel, interface, struct.pack("=II", _GFEATURES, blocks) + bytes(16 * blocks))
    except (OSError, ImportError, struct.error):
        return states
    return {**states, **{feature: "absent" for feature in states if names}, **decode_features(names, answer[8:])}


def decode_features(names: list[str], blocks: bytes) -> dict[str, str]:
    """The states of the ESP features in an ETHTOOL_GFEATURES answer.

    Args:
        names: the names of all features, in the order of their bits.
        blocks: blocks of four 32-bit words: available, requested, active, never changed.
    """
    states = {}
    for bit, name in enumerate(names):
        if name not in ESP_FEATURES or (bit // 32 + 1) * 16 > len(blocks):
            continue
        available, _, active, never_changed = struct.unpack_from("=4I", blocks, bit // 32 * 16)
        mask = 1 << bit % 32
        if active & mask:
            states[name] = "on"
        else:
            states[name] = "off" if available & ~never_changed & mask else "absent"
    return states


def _feature_names(channel: socket.socket, interface: str) -> list[str]:
    answer = _ethtool(channel, interface, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _STRING_SET_FEATURES, 0))
    _, _, mask, count = struct.unpack_from("=IIQI", answer)
    if not mask or not 0 < count <= _MAX_FEATURES:
        return []
    # Room for twice as many: the kernel writes what it has, whatever was asked.
    request = struct.pack("=III", _GSTRINGS, _STRING_SET_FEATURES, count) + bytes(2 * count * _STRING_BYTES)
    answer = _ethtool(channel, interface, request)
    fields = (answer[12 + i * _STRING_BYTES : 12 + (i + 1) * _STRING_BYTES] for i in range(count))
    return [field.partition(b"\0")[0].decode("ascii", "replace") for field in fields]


def _ethtool(channel: socket.socket, interface: str, request: bytes) -> bytes:
    """One SIOCETHTOOL call: the kernel answers in the buffer that `struct ifreq` points to."""
    import fcntl  # not everywhere: only Linux gets here

    buffer = array.array("B", request)
    address, _ = buffer.buffer_info()
    fcntl.ioctl(channel, _SIOCETHTOOL, struct.pack("16sP16x", interface.encode()[:15], address))
    return buffer.tobytes()
