"""IP headers: IPv4 (RFC 791) with options, IPv6 (RFC 8200) with extension headers, read within bounds and written.

The checksum of an IPv4 header is written and never checked: whoever routes the packet does that.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from ipaddress import ip_address

from ipsecbench.errors import MalformedError

IPV4_HEADER_BYTES = 20
"""Octets of an IPv4 header without options."""
IPV6_HEADER_BYTES = 40
"""Octets of an IPv6 header without extension headers."""
FRAGMENT_HEADER_BYTES = 8
LARGEST_PACKET_BYTES = 0xFFFF
"""What the length fields of both versions can say, jumbograms aside (of IPv6 40 more; nobody sends them)."""
DEFAULT_HOP_LIMIT = 64
MOST_EXTENSIONS = 16
"""Extension headers that are followed in one packet; more are refused."""

_IPV4 = struct.Struct(">BBHHHBBH4s4s")
_IPV6 = struct.Struct(">IHBB16s16s")
_DONT_FRAGMENT, _MORE_FRAGMENTS, _OFFSET_MASK = 0x4000, 0x2000, 0x1FFF
_IPV4_CHECKSUM_AT = 10


class Protocol(IntEnum):
    """Assigned Internet Protocol Numbers that mean something here."""

    HOP_BY_HOP = 0
    ICMP = 1
    IPV4 = 4
    TCP = 6
    UDP = 17
    DCCP = 33
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    ESP = 50
    ICMPV6 = 58
    NO_NEXT_HEADER = 59
    DESTINATION_OPTIONS = 60
    SCTP = 132
    UDP_LITE = 136


_EXTENSIONS = (Protocol.HOP_BY_HOP, Protocol.ROUTING, Protocol.FRAGMENT, Protocol.DESTINATION_OPTIONS)


@dataclass(frozen=True, slots=True)
class Extension:
    """One IPv6 extension header."""

    number: int
    """Its own protocol number."""
    octets: bytes
    """The whole header; its Next Header field is written anew when the packet is."""


@dataclass(frozen=True, slots=True)
class IpHeader:
    """An IP header of either version with its options or extension headers."""

    source: bytes
    """Address, 4 octets (IPv4) or 16 (IPv6), which tells the version."""
    destination: bytes
    """Address of the same version."""
    protocol: int
    """What follows the header and all extension headers."""
    traffic_class: int = 0
    """DSCP and ECN (RFC 2474, RFC 3168): Type of Service, Traffic Class."""
    hop_limit: int = DEFAULT_HOP_LIMIT
    """Time to Live, Hop Limit."""
    identification: int = 0
    """Of fragments."""
    dont_fragment: bool = False
    """IPv4: the DF bit."""
    more_fragments: bool = False
    """A fragment that is not the last."""
    fragment_offset_bytes: int = 0
    """Where a fragment begins in its packet."""
    flow_label: int = 0
    """IPv6."""
    options: bytes = b""
    """IPv4: options, padded to 4 octets."""
    extensions: tuple[Extension, ...] = ()
    """IPv6: extension headers. A Fragment header among them is written as it stands here."""

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.source) == 4 else 6

    @property
    def is_fragment(self) -> bool:
        """Whether the packet is a part of another."""
        return self.more_fragments or self.fragment_offset_bytes > 0

    @property
    def header_bytes(self) -> int:
        """Octets of the header with options or extension headers."""
        if self.version == 4:
            return IPV4_HEADER_BYTES + len(self.options)
        return IPV6_HEADER_BYTES + sum(len(extension.octets) for extension in self.extensions)

    def encode(self, payload: bytes) -> bytes:
        """The packet with this header and a payload; lengths and checksum are written.

        Raises:
            MalformedError: it is longer than an IP packet can be.
        """
        return self._encode_ipv4(payload) if self.version == 4 else self._encode_ipv6(payload)

    def _encode_ipv4(self, payload: bytes) -> bytes:
        header_bytes = IPV4_HEADER_BYTES + len(self.options)
        total = header_bytes + len(payload)
        if max(total, self.fragment_offset_bytes) > LARGEST_PACKET_BYTES:
            raise MalformedError(f"IPv4: {total} octets at {self.fragment_offset_bytes} do not fit an IP packet")
        flags = (_DONT_FRAGMENT if self.dont_fragment else 0) | (_MORE_FRAGMENTS if self.more_fragments else 0)
        fixed = _IPV4.pack(
            0x40 | header_bytes // 4,
            self.traffic_class,
            total,
            self.identification & 0xFFFF,
            flags | self.fragment_offset_bytes // 8,
            self.hop_limit,
            self.protocol,
            0,
            self.source,
            self.destination,
        )
        checksum = internet_checksum(fixed + self.options).to_bytes(2)
        head, tail = fixed[:_IPV4_CHECKSUM_AT], fixed[_IPV4_CHECKSUM_AT + 2 :]
        return head + checksum + tail + self.options + payload

    def _encode_ipv6(self, payload: bytes) -> bytes:
        first, chain = chained(self.extensions, self.protocol)
        length = len(chain) + len(payload)
        if length > LARGEST_PACKET_BYTES:
            raise MalformedError(f"IPv6: a payload of {length} octets does not fit its length field")
        word = 6 << 28 | self.traffic_class << 20 | self.flow_label
        return _IPV6.pack(word, length, first, self.hop_limit, self.source, self.destination) + chain + payload


@dataclass(frozen=True, slots=True)
class IpPacket:
    """An IP packet, taken apart."""

    header: IpHeader
    payload: bytes
    """What follows header and extension headers, without what lies beyond the packet's own length."""

    @property
    def total_bytes(self) -> int:
        """Octets of the whole packet."""
        return self.header.header_bytes + len(self.payload)

    def encode(self) -> bytes:
        """The octets."""
        return self.header.encode(self.payload)


def chained(extensions: tuple[Extension, ...], protocol: int) -> tuple[int, bytes]:
    """The Next Header that announces a row of extension headers, and the row, which announces the protocol."""
    following = [*(extension.number for extension in extensions[1:]), protocol]
    octets = (
        b"".join(bytes((after,)) + extension.octets[1:] for extension, after in zip(extensions, following, strict=True))
        if extensions
        else b""
    )
    return (extensions[0].number if extensions else protocol), octets


def parse_ip(octets: bytes) -> IpPacket:
    """Take an IP packet apart; octets after its end are left out.

    Raises:
        MalformedError: a length contradicts another, or the version is neither 4 nor 6.
    """
    version = octets[0] >> 4 if octets else 0
    if version == 4:
        return _parse_ipv4(octets)
    if version == 6:
        return _parse_ipv6(octets)
    raise MalformedError(f"an IP packet of version {version}")


def _parse_ipv4(octets: bytes) -> IpPacket:
    if len(octets) < IPV4_HEADER_BYTES:
        raise MalformedError(f"IPv4: {len(octets)} octets are less than a header")
    first, traffic_class, total, identification, fragment, hop_limit, protocol, _, source, destination = (
        _IPV4.unpack_from(octets)
    )
    header_bytes = (first & 15) * 4
    if not IPV4_HEADER_BYTES <= header_bytes <= total <= len(octets):
        raise MalformedError(f"IPv4: header of {header_bytes}, packet of {total}, {len(octets)} octets there")
    header = IpHeader(
        source,
        destination,
        protocol,
        traffic_class,
        hop_limit,
        identification,
        dont_fragment=bool(fragment & _DONT_FRAGMENT),
        more_fragments=bool(fragment & _MORE_FRAGMENTS),
        fragment_offset_bytes=(fragment & _OFFSET_MASK) * 8,
        options=octets[IPV4_HEADER_BYTES:header_bytes],
    )
    return IpPacket(header, octets[header_bytes:total])


def _parse_ipv6(octets: bytes) -> IpPacket:
    if len(octets) < IPV6_HEADER_BYTES:
        raise MalformedError(f"IPv6: {len(octets)} octets are less than a header")
    word, length, protocol, hop_limit, source, destination = _IPV6.unpack_from(octets)
    end = IPV6_HEADER_BYTES + length
    if end > len(octets):
        raise MalformedError(f"IPv6: packet of {end}, {len(octets)} octets there")
    position, offset, more, identification = IPV6_HEADER_BYTES, 0, False, 0
    extensions: list[Extension] = []
    # Of a fragment that is not the first, nothing after the Fragment header is a header.
    while protocol in _EXTENSIONS and offset == 0:
        if len(extensions) == MOST_EXTENSIONS:
            raise MalformedError(f"IPv6: more than {MOST_EXTENSIONS} extension headers")
        extension = _extension(protocol, octets, position, end)
        extensions.append(extension)
        if protocol == Protocol.FRAGMENT:
            _, bits, identification = struct.unpack(">HHI", extension.octets)
            offset, more = bits & 0xFFF8, bool(bits & 1)
        protocol = extension.octets[0]
        position += len(extension.octets)
    header = IpHeader(
        source,
        destination,
        protocol,
        word >> 20 & 0xFF,
        hop_limit,
        identification,
        more_fragments=more,
        fragment_offset_bytes=offset,
        flow_label=word & 0xFFFFF,
        extensions=tuple(extensions),
    )
    return IpPacket(header, octets[position:end])


def _extension(number: int, octets: bytes, position: int, end: int) -> Extension:
    if position + 8 > end:
        raise MalformedError(f"IPv6: extension header {number} is cut off")
    length = FRAGMENT_HEADER_BYTES if number == Protocol.FRAGMENT else (octets[position + 1] + 1) * 8
    if position + length > end:
        raise MalformedError(f"IPv6: extension header {number} of {length} octets goes beyond the packet")
    return Extension(number, octets[position : position + length])


def split_for_transport(packet: IpPacket) -> tuple[IpHeader, int, bytes]:
    """Header, Next Header and content of ESP in transport mode (RFC 4303 section 3.1.1).

    Options of IPv4 stay outside, and so do extension headers of IPv6 that routers on the way need; Destination Options
    that follow all of those are for the end itself and go inside.

    Returns:
        The header that stays outside, its protocol still that of the packet; what ESP's Next Header says; the content.
    """
    header = packet.header
    outside = len(header.extensions)
    while outside and header.extensions[outside - 1].number == Protocol.DESTINATION_OPTIONS:
        outside -= 1
    if outside == len(header.extensions):
        return header, header.protocol, packet.payload
    first, chain = chained(header.extensions[outside:], header.protocol)
    return replace(header, extensions=header.extensions[:outside]), first, chain + packet.payload


def with_traffic_class(octets: bytes, traffic_class: int) -> bytes:
    """The packet with another Traffic Class; a wrong IPv4 checksum stays wrong (RFC 1624 equation 3).

    Args:
        octets: a packet that :func:`parse_ip` takes.
        traffic_class: DSCP and ECN.
    """
    if octets[0] >> 4 == 6:
        word = int.from_bytes(octets[:4]) & ~(0xFF << 20) | traffic_class << 20
        return word.to_bytes(4) + octets[4:]
    old = int.from_bytes(octets[_IPV4_CHECKSUM_AT : _IPV4_CHECKSUM_AT + 2])
    total = (old ^ 0xFFFF) + (octets[1] ^ 0xFFFF) + traffic_class
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    checksum = (total ^ 0xFFFF).to_bytes(2)
    head, tail = octets[2:_IPV4_CHECKSUM_AT], octets[_IPV4_CHECKSUM_AT + 2 :]
    return octets[:1] + bytes((traffic_class,)) + head + checksum + tail


@lru_cache(maxsize=4096)
def address_octets(text: str) -> bytes:
    """The octets of an IP address of either version.

    Raises:
        ValueError: the text is no address.
    """
    return ip_address(text).packed


def internet_checksum(octets: bytes) -> int:
    """The checksum of RFC 1071, as it stands in headers; 0 for octets that contain their own right checksum."""
    value = int.from_bytes(octets + b"\0" if len(octets) % 2 else octets)
    # 2^16 is 1 modulo 2^16 - 1: the remainder of the whole number is the one's complement sum of its 16-bit words.
    total = value % 0xFFFF
    return (0xFFFF if total == 0 and value else total) ^ 0xFFFF


def pseudo_header(source: bytes, destination: bytes, protocol: int, length_bytes: int) -> bytes:
    """What TCP, UDP and ICMPv6 sum before their own octets (RFC 768, RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    if len(source) == 4:
        return source + destination + struct.pack(">BBH", 0, protocol, length_bytes)
    return source + destination + struct.pack(">II", length_bytes, protocol)
