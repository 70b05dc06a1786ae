"""Fragmentation of IP packets: making fragments (RFC 791 section 2.3, RFC 8200 section 4.5)."""

from __future__ import annotations

import struct
from dataclasses import replace

from ipsecbench.errors import MalformedError
from ipsecbench.wire.ip import FRAGMENT_HEADER_BYTES, Extension, IpHeader, IpPacket, Protocol, chained

SMALLEST_IPV4_MTU_BYTES = 68
"""Every link takes packets of so many octets (RFC 791 section 3.2)."""
SMALLEST_IPV6_MTU_BYTES = 1280
"""Every link takes packets of so many octets (RFC 8200 section 5)."""

_UNIT_BYTES = 8
_COPIED_FLAG = 0x80
_END_OF_OPTIONS, _NO_OPERATION = 0, 1


def fragments_of(packet: IpPacket, mtu_bytes: int, identification: int | None = None) -> list[bytes]:
    """The packet as it is sent over a link: itself where it fits, else its fragments. DF is not looked at.

    Args:
        packet: the packet; IPv4 may be a fragment itself.
        mtu_bytes: octets of the largest packet of the link.
        identification: of an IPv6 packet's fragments; those of IPv4 have the packet's own.

    Raises:
        MalformedError: the link is too small for any fragment, or for the headers of IPv6; an IPv6 packet is a fragment
            already.
    """
    if packet.total_bytes <= mtu_bytes:
        return [packet.encode()]
    if packet.header.version == 4:
        return _ipv4_fragments(packet, mtu_bytes)
    return _ipv6_fragments(
        packet, mtu_bytes, packet.header.identification if identification is None else identification
    )


def _pieces(payload: bytes, first_bytes: int, further_bytes: int) -> list[tuple[int, bytes]]:
    if min(first_bytes, further_bytes) < _UNIT_BYTES:
        raise MalformedError("the link is too small for a fragment")
    first, further = (count // _UNIT_BYTES * _UNIT_BYTES for count in (first_bytes, further_bytes))
    starts = [0, *range(first, len(payload), further)]
    ends = [*starts[1:], len(payload)]
    return [(start, payload[start:end]) for start, end in zip(starts, ends, strict=True)]


def _ipv4_fragments(packet: IpPacket, mtu_bytes: int) -> list[bytes]:
    header = packet.header
    later = replace(header, options=_copied_options(header.options))
    pieces = _pieces(packet.payload, mtu_bytes - header.header_bytes, mtu_bytes - later.header_bytes)
    fragments = []
    for number, (start, piece) in enumerate(pieces):
        fragment = replace(
            later if number else header,
            more_fragments=header.more_fragments or number < len(pieces) - 1,
            fragment_offset_bytes=header.fragment_offset_bytes + start,
        )
        fragments.append(fragment.encode(piece))
    return fragments


def _copied_options(options: bytes) -> bytes:
    """The options that every fragment has (RFC 791 section 3.1: the copied flag), padded."""
    position, kept = 0, b""
    while position < len(options) and options[position] != _END_OF_OPTIONS:
        if options[position] == _NO_OPERATION:
            position += 1
            continue
        length = options[position + 1] if position + 1 < len(options) else 0
        if length < 2 or position + length > len(options):
            break
        if options[position] & _COPIED_FLAG:
            kept += options[position : position + length]
        position += length
    return kept + bytes(-len(kept) % 4)


def _ipv6_fragments(packet: IpPacket, mtu_bytes: int, identification: int) -> list[bytes]:
    header = packet.header
    if header.is_fragment or any(extension.number == Protocol.FRAGMENT for extension in header.extensions):
        raise MalformedError("IPv6: a fragment is not fragmented again")
    # The per-fragment headers are those up to the last that routers look at (RFC 8200 section 4.5).
    outside = max(
        (
            number + 1
            for number, extension in enumerate(header.extensions)
            if extension.number in (Protocol.HOP_BY_HOP, Protocol.ROUTING)
        ),
        default=0,
    )
    first, chain = chained(header.extensions[outside:], header.protocol)
    common = replace(header, extensions=header.extensions[:outside], protocol=first)
    room = mtu_bytes - common.header_bytes - FRAGMENT_HEADER_BYTES
    if len(chain) > room // _UNIT_BYTES * _UNIT_BYTES:
        raise MalformedError("IPv6: the first fragment has no room for all headers (RFC 7112)")
    pieces = _pieces(chain + packet.payload, room, room)
    fragments = []
    for number, (start, piece) in enumerate(pieces):
        bits = start | (number < len(pieces) - 1)
        extension = Extension(Protocol.FRAGMENT, struct.pack(">BBHI", 0, 0, bits, identification & 0xFFFFFFFF))
        fragments.append(_with_extension(common, extension).encode(piece))
    return fragments


def _with_extension(header: IpHeader, extension: Extension) -> IpHeader:
    return replace(header, extensions=(*header.extensions, extension))
