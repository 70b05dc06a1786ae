"""The inner packets of the trials: UDP in IPv4, of a given length, with right checksums."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence

from ipsecbench.bench.measurement import MIXES
from ipsecbench.errors import UsageError

IP_UDP_HEADER_BYTES = 28
DISCARD_PORT = 9
"""RFC 863."""
_SOURCE_PORT = 50_000
_UDP = 17


def _checksum(octets: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_packet(source: str, destination: str, size_bytes: int) -> bytes:
    """A UDP packet to the discard port.

    Args:
        source: IPv4 address.
        destination: IPv4 address.
        size_bytes: length of the whole IP packet.

    Raises:
        UsageError: it is too short for its headers, or longer than IPv4 allows.
    """
    if not IP_UDP_HEADER_BYTES <= size_bytes <= 65535:
        raise UsageError(f"no UDP packet has {size_bytes} octets: {IP_UDP_HEADER_BYTES} to 65535 are possible")
    addresses = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    # DF set and identification 0, as Linux sends what needs no fragmentation (RFC 6864).
    header = struct.pack("!BBHHHBBH", 0x45, 0, size_bytes, 0, 0x4000, 64, _UDP, 0) + addresses
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    length = size_bytes - 20
    payload = bytes(index & 0xFF for index in range(length - 8))
    udp = struct.pack("!HHHH", _SOURCE_PORT, DISCARD_PORT, length, 0)
    pseudo = addresses + struct.pack("!BBH", 0, _UDP, length)
    # A checksum of 0 would say that there is none (RFC 768).
    checksum = _checksum(pseudo + udp + payload) or 0xFFFF
    return header + udp[:6] + struct.pack("!H", checksum) + payload


def mix_cycle(mix: str) -> tuple[int, ...]:
    """Sizes of one cycle of a mix, evenly interleaved: each size is spread over the whole cycle.

    Raises:
        KeyError: there is no such mix.
    """
    return interleaved(MIXES[mix])


def interleaved(parts: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Sizes of packets, each as often as it is said, and spread over all of them.

    Args:
        parts: (octets, how many).
    """
    total = sum(count for _, count in parts)
    sent = [0] * len(parts)
    cycle: list[int] = []
    for number in range(1, total + 1):
        # Whichever is furthest behind its share.
        index = max(range(len(parts)), key=lambda i: number * parts[i][1] / total - sent[i])
        sent[index] += 1
        cycle.append(parts[index][0])
    return tuple(cycle)
