"""Lengths of the IP packets in a capture file: pcap and pcapng, of any byte order and clock.

Only headers are looked at, up to the length field of the IP header; what the packets carry is never read. The formats
are those of draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Why this is not a library: dpkt (last release 2022)
takes every packet of a pcapng file to be of the first interface's link type, and one hostile block length makes it read
the whole file at once; scapy is GPL and large.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, NoReturn

from ipsecbench.errors import UsageError

MOST_PACKETS: Final = 5_000_000
"""More are not read: half a minute's work, and the mean no longer moves."""
PCAPNG_MAGIC: Final = b"\x0a\x0d\x0d\x0a"
PCAP_MAGICS: Final[Mapping[bytes, tuple[str, int]]] = MappingProxyType(
    {
        struct.pack(f"{order}I", magic): (order, header)
        for order in "<>"
        # Microseconds, nanoseconds, and Kuznetzov's form, whose packet headers are longer.
        for magic, header in ((0xA1B2C3D4, 16), (0xA1B23C4D, 16), (0xA1B2CD34, 24))
    }
)
"""Byte order and octets of a packet header, by the first four octets of a file."""

_HEADERS = 96
"""Octets of a packet that are read: link header, VLAN tags, PPPoE and the start of IP fit."""
_LARGEST_BLOCK = 1 << 24
_VLAN = (0x8100, 0x88A8, 0x9100)
_IPV4, _IPV6, _PPPOE, _PPP_IPV4, _PPP_IPV6 = 0x0800, 0x86DD, 0x8864, 0x0021, 0x0057
_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6


def read_capture(path: Path) -> Counter[int]:
    """How many IP packets of each length a capture holds.

    Args:
        path: a pcap or pcapng file; only its first :data:`MOST_PACKETS` packets count.

    Returns:
        Packets by total length in octets, as the IP header gives it. What is not IP does not count, nor does a packet
        whose header was not captured, nor one whose length field is 0, as segmentation offload leaves it.

    Raises:
        UsageError: it cannot be read, is damaged or cut short, or holds no IP packet; one line.
    """
    found: Counter[int] = Counter()
    packets = 0
    links: set[int] = set()
    try:
        with path.open("rb") as file:
            for link, head in _frames(file, path):
                packets += 1
                links.add(link)
                length = _ip_length(link, head)
                if length is not None:
                    found[length] += 1
                if packets >= MOST_PACKETS:
                    break
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror or error}") from None
    if not found:
        kinds = ", ".join(map(str, sorted(links))) or "none"
        raise UsageError(f"{path}: no IP packet in {packets} packets (link types {kinds}; see docs/requirements.md)")
    return found


def is_capture(magic: bytes) -> bool:
    """Whether a file that begins with these four octets is a capture."""
    return magic == PCAPNG_MAGIC or magic in PCAP_MAGICS


def _frames(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """Link type and first octets of each packet."""
    magic = file.read(4)
    file.seek(0)
    if magic == PCAPNG_MAGIC:
        return _Pcapng(file, path).frames()
    if magic in PCAP_MAGICS:
        return _pcap_frames(file, path, *PCAP_MAGICS[magic])
    raise UsageError(f"{path}: neither pcap nor pcapng")


def _cut(path: Path, where: str) -> NoReturn:
    raise UsageError(f"{path}: cut short or damaged in {where}; 'editcap IN OUT' of Wireshark keeps what is whole")


def _pcap_frames(file: BinaryIO, path: Path, order: str, header_bytes: int) -> Iterator[tuple[int, bytes]]:
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(24)
    if len(start) < 24:
        _cut(path, "the file header")
    # The upper half of the field says whether there is a frame check sequence.
    link = struct.unpack(f"{order}I", start[20:24])[0] & 0xFFFF
    lengths = struct.Struct(f"{order}8xI")
    number, position = 0, 24
    while position < size:
        number += 1
        header = file.read(header_bytes)
        if len(header) < header_bytes:
            _cut(path, f"the header of packet {number}")
        (captured,) = lengths.unpack_from(header)
        position += header_bytes + captured
        if position > size:
            _cut(path, f"packet {number}")
        yield link, file.read(min(captured, _HEADERS))
        if captured > _HEADERS:
            file.seek(position)


class _Pcapng:
    """Reads one pcapng file. Each section has its own byte order and its own interfaces."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._order = "<"
        self._links: list[int] = []
        self._number = 0

    def frames(self) -> Iterator[tuple[int, bytes]]:
        size = self._file.seek(0, 2)
        position = 0
        while position < size:
            self._number += 1
            self._file.seek(position)
            kind, length = self._block_header()
            if position + length > size:
                self._damaged()
            body = self._file.read(min(length - 12, _HEADERS + 20))
            self._file.seek(position + length - 4)
            if self._unpack("I", self._file.read(4)) != (length,):
                self._damaged()
            if kind == _INTERFACE:
                self._links.append(self._unpack("H", body)[0])
            elif kind in _PACKET_BLOCKS:
                yield self._packet(kind, body, length - 12)
            position += length

    def _damaged(self) -> NoReturn:
        _cut(self._path, f"block {self._number}")

    def _unpack(self, fields: str, octets: bytes) -> tuple[int, ...]:
        wanted = struct.Struct(self._order + fields)
        if len(octets) < wanted.size:
            self._damaged()
        return wanted.unpack_from(octets)

    def _block_header(self) -> tuple[int, int]:
        header = self._file.read(8)
        if header[:4] == PCAPNG_MAGIC:
            mark = self._file.read(4)
            orders = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
            if mark not in orders:
                self._damaged()
            self._order, self._links = orders[mark], []
            self._file.seek(-4, 1)
        kind, length = self._unpack("II", header)
        if length < 12 or length % 4 or length > _LARGEST_BLOCK:
            self._damaged()
        return kind, length

    def _packet(self, kind: int, body: bytes, room: int) -> tuple[int, bytes]:
        read = _PACKET_BLOCKS[kind]
        start, fields = read
        interface, captured = 0, room - start
        if kind != _SIMPLE:
            values = self._unpack(fields, body)
            interface, captured = values[0], values[-1]
        if captured > room - start or room < start or interface >= len(self._links):
            self._damaged()
        return self._links[interface], body[start : start + min(captured, _HEADERS)]


_PACKET_BLOCKS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {_PACKET: (20, "H10xI"), _SIMPLE: (4, ""), _ENHANCED: (20, "I8xI")}
)
"""Where the packet begins in a block's body, and the fields with the interface first and the captured octets last."""


def _ip_length(link: int, head: bytes) -> int | None:
    """Total length that the IP header gives; None where there is none."""
    ip = _IP_HEADER.get(link, _no_ip)(head)
    if len(ip) < 6:
        return None
    version = ip[0] >> 4
    if version == 4:
        length = int.from_bytes(ip[2:4], "big")
        return length if length >= 20 else None
    if version == 6:
        payload = int.from_bytes(ip[4:6], "big")
        # 0 is a jumbogram (RFC 2675), whose length stands elsewhere.
        return payload + 40 if 0 < payload <= 65_495 else None
    return None


def _no_ip(head: bytes) -> bytes:
    return b""


def _after(head: bytes, ethertype_at: int, ip_at: int) -> bytes:
    """What follows an EtherType if it is IP, VLAN tags and PPPoE passed over."""
    kind = int.from_bytes(head[ethertype_at : ethertype_at + 2], "big")
    while kind in _VLAN and len(head) >= ip_at + 4:
        kind = int.from_bytes(head[ip_at + 2 : ip_at + 4], "big")
        ip_at += 4
    if kind == _PPPOE:
        kind = {_PPP_IPV4: _IPV4, _PPP_IPV6: _IPV6}.get(int.from_bytes(head[ip_at + 6 : ip_at + 8], "big"), 0)
        ip_at += 8
    return head[ip_at:] if kind in (_IPV4, _IPV6) else b""


def _ppp(head: bytes) -> bytes:
    at = 2 if head[:2] == b"\xff\x03" else 0
    return head[at + 2 :] if int.from_bytes(head[at : at + 2], "big") in (_PPP_IPV4, _PPP_IPV6) else b""


_IP_HEADER: Mapping[int, Callable[[bytes], bytes]] = MappingProxyType(
    {
        0: lambda head: head[4:],  # BSD loopback: a family in the byte order of the host; IP tells itself
        1: lambda head: _after(head, 12, 14),  # Ethernet
        9: _ppp,
        12: lambda head: head,  # raw IP, as some systems number it
        14: lambda head: head,
        101: lambda head: head,  # raw IP
        108: lambda head: head[4:],  # OpenBSD loopback
        113: lambda head: _after(head, 14, 16),  # Linux cooked capture
        228: lambda head: head,  # raw IPv4
        229: lambda head: head,  # raw IPv6
        276: lambda head: _after(head, 0, 20),  # Linux cooked capture, version 2
    }
)
"""The IP header in the first octets of a packet, by link type."""
