"""Makes capture files, octet by octet, as their specifications have them; nothing of the reader is used."""

from __future__ import annotations

import struct
from collections.abc import Sequence

ETHERNET, RAW, COOKED, COOKED2, NULL, PPP = 1, 101, 113, 276, 0, 9

PCAPS = [("<", 0xA1B2C3D4), (">", 0xA1B2C3D4), ("<", 0xA1B23C4D), (">", 0xA1B23C4D)]
"""Byte order and magic number: microseconds and nanoseconds."""


def ipv4(length: int) -> bytes:
    """An IPv4 packet of a total length, with UDP in it."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 1, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    udp = struct.pack("!HHHH", 1000, 2000, max(8, length - 20), 0)
    return (head + udp + bytes(length))[: max(length, 20)]


def ipv6(length: int) -> bytes:
    """An IPv6 packet of a total length, with UDP in it."""
    head = struct.pack("!IHBB16s16s", 6 << 28, length - 40, 17, 64, b"\xfd" + bytes(15), b"\xfd" + bytes(14) + b"\1")
    udp = struct.pack("!HHHH", 1000, 2000, length - 40, 0)
    return (head + udp + bytes(length))[:length]


def framed(packet: bytes, link: int = ETHERNET, vlans: Sequence[int] = (), pppoe: bool = False) -> bytes:
    """A packet behind the header of its link."""
    v6 = packet[0] >> 4 == 6
    kind = 0x86DD if v6 else 0x0800
    if pppoe:
        packet = struct.pack("!BBHHH", 0x11, 0, 7, len(packet) + 2, 0x0057 if v6 else 0x0021) + packet
        kind = 0x8864
    for tag in reversed(vlans):
        packet = struct.pack("!HH", 5, kind) + packet
        kind = tag
    if link == ETHERNET:
        # A short frame is padded to 60 octets: the frame says nothing about the packet.
        return (bytes(12) + struct.pack("!H", kind) + packet).ljust(60, b"\0")
    if link == COOKED:
        return struct.pack("!HHH8sH", 0, 1, 6, bytes(8), kind) + packet
    if link == COOKED2:
        return struct.pack("!HHIHBB8s", kind, 0, 2, 1, 0, 6, bytes(8)) + packet
    if link == NULL:
        return struct.pack("<I", 10 if v6 else 2) + packet
    if link == PPP:
        return b"\xff\x03" + struct.pack("!H", 0x0057 if v6 else 0x0021) + packet
    return packet


def pcap(frames: Sequence[bytes], link: int = ETHERNET, kind: tuple[str, int] = PCAPS[0], snap: int = 65_535) -> bytes:
    """A classic capture file."""
    order, magic = kind
    content = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for number, frame in enumerate(frames):
        content += struct.pack(f"{order}IIII", number, 0, min(snap, len(frame)), len(frame)) + frame[:snap]
    return content


def block(order: str, kind: int, body: bytes) -> bytes:
    """A block of a pcapng file."""
    body = body.ljust((len(body) + 3) // 4 * 4, b"\0")
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str, links: Sequence[int], frames: Sequence[tuple[int, bytes]], *, simple: bool = False) -> bytes:
    """A section of a pcapng file: its interfaces, then packets with the number of theirs."""
    content = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    content += block(order, 4, struct.pack(f"{order}HH", 0, 0))  # name resolution: passed over
    for link in links:
        content += block(order, 1, struct.pack(f"{order}HHI", link, 0, 0))
    for interface, frame in frames:
        if simple:
            content += block(order, 3, struct.pack(f"{order}I", len(frame)) + frame)
        else:
            times = struct.pack(f"{order}IIIII", interface, 0, 0, len(frame), len(frame))
            content += block(order, 6, times + frame + b"\0" * (-len(frame) % 4) + struct.pack(f"{order}HH", 0, 0))
    return content
