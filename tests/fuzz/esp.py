"""Fuzz targets of ESP: parsers of IP, UDP, GRE and ICMP, and packets into a whole end from outside and inside.

An end must not raise, whatever it is given: it hands a packet of the peer on, or counts it as dropped, once, or takes
it as a dummy or a keep-alive.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from dataclasses import replace

from ipsecbench.esp.configuration import Layering, SaConfiguration
from ipsecbench.esp.databases import flow_of
from ipsecbench.esp.layering import gre_decapsulated, gre_encapsulated
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import OuterPacket, parse_outer
from ipsecbench.esp.packet import padded, unpadded
from ipsecbench.esp.path_mtu import parse_too_big, too_big_message
from ipsecbench.esp.processing import Output
from ipsecbench.esp.udp_encapsulation import KEEPALIVE, kind_of, with_checksum_after_nat
from ipsecbench.wire.fragments import fragments_of
from ipsecbench.wire.ip import MOST_EXTENSIONS, IpHeader, IpPacket, parse_ip, split_for_transport, with_traffic_class
from ipsecbench.wire.reassembly import Reassembly
from tests.fuzz import seeds
from tests.fuzz.budget import PARSER_ERRORS
from tests.fuzz.target import Target, check
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, keys_of, sa_of, transform_of
from tests.unit.esp.inner_packets import ipv4, ipv6, tcp, udp_packet
from tests.unit.esp.test_path_mtu import icmp_about

_ADDRESS = {4: bytes(4), 6: bytes(16)}


def _sas() -> tuple[SaConfiguration, ...]:
    return (
        sa_of("aes128gcm16", spi=0x1001),
        sa_of("aes128-sha256", spi=0x1002, version=6, encapsulation=PORTS, esn=True),
        sa_of("null-sha256", spi=0x1003, mode=Mode.TRANSPORT, encapsulation=PORTS),
        sa_of("chacha20poly1305", spi=0x1004, mode=Mode.TRANSPORT, version=6),
        sa_of("aes128gmac", spi=0x1005, mode=Mode.TRANSPORT, layering=Layering.GRE),
        sa_of("aes128ctr-sha1", spi=0x1006, mode=Mode.TRANSPORT, layering=Layering.IPIP, version=6),
    )


@functools.cache
def _pairs() -> tuple[Pair, ...]:
    return tuple(Pair(replace(sa, path_mtu_bytes=1280)) for sa in _sas())


# Parsers.


def ip(data: bytes) -> None:
    """An IP packet, taken apart, changed, written again, and cut into fragments."""
    try:
        packet = parse_ip(data)
    except PARSER_ERRORS:
        return
    check(packet.total_bytes <= len(data), "longer than what came")
    check(parse_ip(packet.encode()) == packet, "it does not come back as it was")
    check(parse_ip(with_traffic_class(data, 0xB9)).header.traffic_class == 0xB9, "another Traffic Class")
    flow_of(packet)
    outside, next_header, content = split_for_transport(packet)
    whole = replace(outside, protocol=next_header).encode(content)
    check(parse_ip(whole) == packet, "header and content of transport mode are another packet")
    too_big_message(packet, data, 1280)
    with_checksum_after_nat(packet)
    if len(packet.header.extensions) == MOST_EXTENSIONS:
        return  # with a Fragment header there would be one too many to be read again
    try:
        pieces = fragments_of(packet, 1280)
    except PARSER_ERRORS:
        return
    check(all(len(piece) <= 1280 for piece in pieces), "a fragment is too long")
    check(sum(parse_ip(piece).total_bytes for piece in pieces) >= packet.total_bytes, "octets are lost")


def fragments(data: bytes) -> None:
    """Fragments of one packet, each with an octet of offset, one of flags and one of length before its octets."""
    reassembly, position, count = Reassembly(), 0, 0
    while position + 3 <= len(data):
        offset, flags, length = data[position : position + 3]
        octets = data[position + 3 : position + 3 + length]
        position += 3 + length
        header = IpHeader(bytes(4), bytes(4), 17, more_fragments=bool(flags & 1), fragment_offset_bytes=8 * offset)
        if not header.is_fragment:
            continue
        count += 1
        packet = reassembly.add(IpPacket(header, octets), float(flags >> 1))
        check(packet is None or packet.total_bytes <= len(data) + 20, "octets come from nowhere")
        check(packet is None or not packet.header.is_fragment, "a fragment came out")
    check(reassembly.lost <= count, "more was lost than came")
    check(len(reassembly) <= 1, "one packet is more than one")


def outer(data: bytes) -> None:
    """What comes from the outside, before any key is looked for."""
    kind_of(data)
    try:
        parsed = parse_outer(data)
    except PARSER_ERRORS:
        return
    check(parse_outer(parsed.packet().encode()).content == parsed.content, "the content does not come back")


def gre(data: bytes) -> None:
    """GRE."""
    try:
        packet, version = gre_decapsulated(data)
    except PARSER_ERRORS:
        return
    check(gre_decapsulated(gre_encapsulated(packet, version)) == (packet, version), "GRE does not come back")


def icmp(data: bytes) -> None:
    """ICMP from the outside about a path."""
    try:
        parse_too_big(data)
    except PARSER_ERRORS:
        return


def trailer(data: bytes) -> None:
    """Padding, pad length and Next Header."""
    try:
        payload, next_header = unpadded(data)
    except PARSER_ERRORS:
        return
    check(unpadded(padded(payload, next_header, 16)) == (payload, next_header), "the trailer does not come back")


# Whole ends.


def _received(pair: Pair, packet: OuterPacket) -> Output:
    end = pair.second
    before, dummies = sum(end.dropped.values()), end.dummy_packets
    output = end.receive(packet, 1.0)
    dropped, dummies = sum(end.dropped.values()) - before, end.dummy_packets - dummies
    keepalive = packet.encapsulation is not None and packet.content == KEEPALIVE
    check(dropped + dummies + len(output.inside) + len(output.ike) + keepalive == 1, "not one fate for one packet")
    check(not output.outside, "something was sent")
    return output


def from_outside(data: bytes) -> None:
    """A packet from a stranger: nothing comes inside."""
    for pair in _pairs():
        try:
            packet = parse_outer(data)
        except PARSER_ERRORS:
            packet = OuterPacket(IpHeader(_ADDRESS[4], _ADDRESS[4], 50), data, pair.sa.encapsulation)
        output = _received(pair, packet)
        check(not output.inside, "a forged packet came inside")
        pair.second.receive_clear(data)
        pair.first.receive_icmp(data, 1.0)


def _sequence(pair: Pair) -> int:
    inbound = pair.second._sas.inbound[pair.sa.spi]
    return inbound.highest + 1


def authentic(data: bytes) -> None:
    """The first octet is the Next Header, the rest the payload that a peer with the keys sends."""
    for pair in _pairs():
        sa = pair.sa
        align = sa.suite.encryption.pad_align_bytes
        plaintext = padded(data[1:], data[0] if data else 59, align)
        content = transform_of(sa).seal(sa.spi, _sequence(pair), plaintext)
        version = 6 if ":" in sa.source else 4
        header = IpHeader(*(parse_ip(udp_packet(version, 80, ENDS[version])).header.source,) * 2, 50)
        packet = OuterPacket(header, content, sa.encapsulation)
        output = _received(pair, packet)
        for inside in output.inside:
            check(parse_ip(inside).total_bytes == len(inside), "a packet with octets behind it came inside")


def authentic_plaintext(data: bytes) -> None:
    """A whole plaintext, trailer and all, that a peer with the keys sends."""
    for pair in _pairs():
        sa = pair.sa
        plaintext = data + bytes(-len(data) % 16)
        content = transform_of(sa).seal(sa.spi, _sequence(pair), plaintext or bytes(16))
        packet = OuterPacket(IpHeader(*(_ADDRESS[6 if ":" in sa.source else 4],) * 2, 50), content, sa.encapsulation)
        _received(pair, packet)


def from_inside(data: bytes) -> None:
    """A packet that a program inside sends: each ESP packet fits the path, and the other end takes it."""
    for pair in _pairs():
        output = pair.first.protect(data, 1.0)
        for sealed in output.outside:
            check(all(len(octets) <= 1280 for octets in sealed.packets()), "a packet does not fit the path")


# Seeds.


def _inner() -> Iterator[bytes]:
    for version in (4, 6):
        yield udp_packet(version, 100)
        yield udp_packet(version, 100, ENDS[version])
        yield udp_packet(version, 1400)
        yield udp_packet(version, 3000)
    yield ipv4("10.1.0.1", "10.2.0.2", tcp("10.1.0.1", "10.2.0.2", b"seed"), 6, options=bytes.fromhex("94040000"))
    yield ipv4("10.1.0.1", "10.2.0.2", bytes(64), flags=0x2000 | 8)
    yield ipv4("10.1.0.1", "10.2.0.2", bytes(1300), flags=8191)
    yield ipv6("fd01::1", "fd02::2", b"\x2b\0" + bytes(6) + b"\x3c\0" + bytes(6) + b"\x11\0" + bytes(14), 0)
    yield ipv6("fd01::1", "fd02::2", b"\x11\0\0\1" + bytes(4) + bytes(64), 44)
    yield ipv6("fd01::1", "fd02::2", b"\x80\0" + bytes(62), 58)


def _outer() -> Iterator[bytes]:
    for sa in _sas():
        version = 6 if ":" in sa.source else 4
        plain = sa.mode is Mode.TRANSPORT and sa.layering is Layering.NONE
        # With other keys than those of the ends: what a stranger can send.
        encryption_key, integrity_key = keys_of(sa.suite, "a stranger")
        stranger = replace(sa, encryption_key=encryption_key, integrity_key=integrity_key)
        yield from Pair(stranger).on_the_wire(udp_packet(version, 100, ENDS[version] if plain else None))
    yield from seeds.datagrams()[:8]


def _icmp() -> Iterator[bytes]:
    for octets in _outer():
        if octets[0] >> 4 in (4, 6):
            yield icmp_about(octets, 1200, 60)


def _gre() -> Iterator[bytes]:
    for octets in _inner():
        yield gre_encapsulated(octets, 4 if octets[0] >> 4 == 4 else 6)
    yield bytes.fromhex("8000080000000000") + udp_packet(4, 60)


def _payloads() -> Iterator[bytes]:
    for octets in _inner():
        yield bytes((4 if octets[0] >> 4 == 4 else 41,)) + octets
        yield bytes((17,)) + octets[20:]
    for octets in _gre():
        yield bytes((47,)) + octets
    yield bytes((59,)) + random.Random(1).randbytes(40)
    yield bytes((60,)) + b"\x11\0" + bytes(30)
    yield bytes((44,)) + b"\x11\0" + bytes(30)


def _fragments() -> Iterator[bytes]:
    yield b"\0\1\x10" + bytes(16) + b"\2\0\4" + bytes(4)
    yield b"\2\0\4" + bytes(4) + b"\0\1\x10" + bytes(16)
    yield b"\0\1\x10" + bytes(16) + b"\1\1\x10" + bytes(16)
    yield b"\0\1\x08" + bytes(8) + b"\0\1\x08" + bytes(8) + b"\1\x80\x08" + bytes(8)


def _plaintexts() -> Iterator[bytes]:
    for octets in _payloads():
        yield padded(octets[1:], octets[0], 16)


ESP: tuple[Target, ...] = (
    Target("ip_packet", ip, _inner),
    Target("ip_fragments", fragments, _fragments),
    Target("esp_outer_packet", outer, _outer),
    Target("esp_gre", gre, _gre),
    Target("esp_icmp", icmp, _icmp),
    Target("esp_trailer", trailer, _plaintexts),
    Target("esp_from_outside", from_outside, _outer),
    Target("esp_authentic_payload", authentic, _payloads),
    Target("esp_authentic_plaintext", authentic_plaintext, _plaintexts),
    Target("esp_from_inside", from_inside, _inner),
)
"""Targets of ESP."""
