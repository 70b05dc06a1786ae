"""IP headers against packets written out by hand, and against what must not be read."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.errors import MalformedError
from ipsecbench.wire.fragments import fragments_of
from ipsecbench.wire.ip import (
    Extension,
    IpHeader,
    IpPacket,
    internet_checksum,
    parse_ip,
    split_for_transport,
    with_traffic_class,
)
from ipsecbench.wire.udp import UdpDatagram, encode_udp, parse_udp, with_transport_checksum
from tests.unit.esp.inner_packets import checksum, ipv4, ipv6, pseudo, tcp, udp, udp_packet

# RFC 1071 section 3 example: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
RFC_1071 = bytes.fromhex("0001f203f4f5f6f7")


def test_checksum_of_rfc_1071() -> None:
    assert internet_checksum(RFC_1071) == 0xDDF2 ^ 0xFFFF
    assert internet_checksum(b"") == 0xFFFF
    assert internet_checksum(bytes(10)) == 0xFFFF
    assert internet_checksum(b"\xff" * 10) == 0


@given(st.binary(max_size=300))
def test_checksum_word_by_word(octets: bytes) -> None:
    assert internet_checksum(octets) == checksum(octets)


def test_ipv4_with_options() -> None:
    options = bytes.fromhex("0101011f86044142")
    octets = ipv4("10.1.0.1", "10.2.0.2", b"payload", 6, tos=0xB9, flags=0x4000, options=options)
    packet = parse_ip(octets + b"trailing")
    header = packet.header
    assert (header.version, header.header_bytes, header.protocol, packet.payload) == (4, 28, 6, b"payload")
    assert (header.traffic_class, header.hop_limit, header.identification) == (0xB9, 61, 7)
    assert header.dont_fragment
    assert not header.is_fragment
    assert header.options == options
    assert packet.encode() == octets


def test_ipv6_with_extension_headers() -> None:
    hop_by_hop = b"\x2b\0" + bytes.fromhex("050200000100")
    routing = b"\x3c\x02" + bytes.fromhex("0301") + bytes(20)
    options = b"\x11\0" + bytes.fromhex("010400000000")
    octets = ipv6("fd01::1", "fd02::2", hop_by_hop + routing + options + b"\0" * 8, 0, traffic_class=0x2E, flow=0xABCDE)
    packet = parse_ip(octets)
    header = packet.header
    assert [extension.number for extension in header.extensions] == [0, 43, 60]
    assert (header.protocol, header.header_bytes, packet.payload) == (17, 40 + 8 + 24 + 8, bytes(8))
    assert (header.traffic_class, header.flow_label, header.hop_limit) == (0x2E, 0xABCDE, 62)
    assert packet.encode() == octets
    outside, next_header, content = split_for_transport(packet)
    # Hop-by-Hop and Routing stay outside; Destination Options behind them go inside (RFC 4303 section 3.1.1).
    assert [extension.number for extension in outside.extensions] == [0, 43]
    assert (next_header, content) == (60, options + bytes(8))


def test_destination_options_before_a_routing_header_stay_outside() -> None:
    options, routing = b"\x2b\0" + bytes(6), b"\x11\0" + bytes(6)
    packet = parse_ip(ipv6("fd01::1", "fd02::2", options + routing + bytes(8), 60))
    outside, next_header, content = split_for_transport(packet)
    assert [extension.number for extension in outside.extensions] == [60, 43]
    assert (next_header, content) == (17, bytes(8))


def test_fragments_have_no_headers_behind_the_first() -> None:
    first = b"\x3c\0" + struct.pack("!HI", 0 | 1, 99)
    later = b"\x3c\0" + struct.pack("!HI", 1208 | 1, 99)
    options = b"\x11\0" + bytes(6)
    packet = parse_ip(ipv6("fd01::1", "fd02::2", first + options + bytes(8), 44))
    assert (packet.header.protocol, packet.header.more_fragments, packet.header.fragment_offset_bytes) == (17, True, 0)
    packet = parse_ip(ipv6("fd01::1", "fd02::2", later + options + bytes(8), 44))
    assert (packet.header.protocol, packet.header.fragment_offset_bytes, packet.payload) == (
        60,
        1208,
        options + bytes(8),
    )
    assert packet.header.identification == 99
    packet = parse_ip(ipv4("10.1.0.1", "10.2.0.2", bytes(8), flags=0x2000 | 151))
    assert (packet.header.more_fragments, packet.header.fragment_offset_bytes) == (True, 1208)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x45",
        bytes(20),
        b"\x55" + bytes(39),
        b"\x44" + ipv4("1.2.3.4", "5.6.7.8", b"")[1:],
        b"\x4f" + ipv4("1.2.3.4", "5.6.7.8", b"")[1:],
        ipv4("1.2.3.4", "5.6.7.8", b"abc")[:-1],
        ipv4("1.2.3.4", "5.6.7.8", b"")[:2] + b"\0\0" + ipv4("1.2.3.4", "5.6.7.8", b"")[4:],
        ipv4("1.2.3.4", "5.6.7.8", b"")[:2] + b"\0\x13" + ipv4("1.2.3.4", "5.6.7.8", b"")[4:],
        ipv6("::1", "::2", b"")[:39],
        ipv6("::1", "::2", b"abc")[:-1],
        ipv6("::1", "::2", b"\x11", 0),
        ipv6("::1", "::2", b"\x11\x01" + bytes(6), 0),
        ipv6("::1", "::2", b"\x11\xff" + bytes(100), 43),
        ipv6("::1", "::2", b"\x11\x00" + bytes(5), 44),
        ipv6("::1", "::2", b"\x3c\x00" + bytes(6) + (b"\x3c\x00" + bytes(6)) * 20, 60),
    ],
)
def test_what_does_not_parse(octets: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_ip(octets)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=120))
def test_any_octets_parse_or_are_malformed(octets: bytes) -> None:
    for first in (0x45, 0x46, 0x60, octets[0] if octets else 0):
        changed = bytes((first,)) + octets[1:]
        try:
            packet = parse_ip(changed)
        except MalformedError:
            continue
        assert packet.total_bytes <= len(changed)
        # Written again it reads the same: only reserved bits and the checksum may differ.
        assert parse_ip(packet.encode()) == packet


def test_longer_than_ip_can_be() -> None:
    for header in (IpHeader(bytes(4), bytes(4), 17), IpHeader(bytes(16), bytes(16), 17)):
        with pytest.raises(MalformedError):
            header.encode(bytes(65536))


@pytest.mark.parametrize("version", [4, 6])
@given(old=st.integers(0, 255), new=st.integers(0, 255))
def test_another_traffic_class(version: int, old: int, new: int) -> None:
    octets = udp_packet(version, 80, traffic_class=old)
    changed = with_traffic_class(octets, new)
    assert parse_ip(changed).header.traffic_class == new
    if version == 4:
        assert checksum(changed[:20]) == 0
        wrong = octets[:10] + bytes((octets[10] ^ 0x55,)) + octets[11:]
        assert checksum(with_traffic_class(wrong, new)[:20]) != 0
    assert parse_ip(with_traffic_class(changed, old)) == parse_ip(octets)


@pytest.mark.parametrize(("source", "destination"), [("10.1.0.1", "10.2.0.2"), ("fd01::1", "fd02::2")])
@given(data=st.binary(max_size=64))
def test_transport_checksums(source: str, destination: str, data: bytes) -> None:
    make = ipv4 if ":" not in source else ipv6
    for protocol, octets in ((17, udp(source, destination, data)), (6, tcp(source, destination, data))):
        header = parse_ip(make(source, destination, octets, protocol)).header
        at = 6 if protocol == 17 else 16
        damaged = octets[:at] + b"\x12\x34" + octets[at + 2 :]
        assert with_transport_checksum(header, protocol, damaged) == octets
        assert checksum(pseudo(source, destination, protocol, len(octets)) + octets) == 0
    header = parse_ip(make(source, destination, b"", 17)).header
    datagram = UdpDatagram(1000, 2000, data)
    assert encode_udp(header, datagram, checksum=True) == udp(source, destination, data)
    assert encode_udp(header, datagram, checksum=False)[6:8] == b"\0\0"
    assert parse_udp(encode_udp(header, datagram, checksum=True) + b"trailing") == datagram


def test_a_udp_checksum_is_never_zero_and_a_datagram_never_too_long() -> None:
    source, destination = "10.1.0.1", "10.2.0.2"
    header = parse_ip(ipv4(source, destination, b"")).header
    # Data that makes the sum come out as zero, which is written as all ones (RFC 768).
    rest = udp(source, destination, b"\0\0")
    data = rest[6:8]
    assert encode_udp(header, UdpDatagram(1000, 2000, data), checksum=True)[6:8] == b"\xff\xff"
    with pytest.raises(MalformedError):
        encode_udp(header, UdpDatagram(1000, 2000, bytes(65528)), checksum=False)


def test_what_has_no_checksum_stays_as_it_is() -> None:
    header = parse_ip(ipv4("10.1.0.1", "10.2.0.2", b"")).header
    assert with_transport_checksum(header, 47, b"GRE") == b"GRE"
    assert with_transport_checksum(header, 6, b"short") == b"short"


@pytest.mark.parametrize("octets", [b"", bytes(7), struct.pack("!HHHH", 1, 2, 7, 0), struct.pack("!HHHH", 1, 2, 9, 0)])
def test_udp_that_does_not_parse(octets: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_udp(octets)


def put_together(fragments: list[bytes]) -> bytes:
    """The payload of fragments, laid at their offsets; every octet exactly once."""
    parts: dict[int, bytes] = {}
    for octets in fragments:
        packet = parse_ip(octets)
        parts[packet.header.fragment_offset_bytes] = packet.payload
        last = packet.header.fragment_offset_bytes + len(packet.payload)
        assert packet.header.more_fragments is (octets is not fragments[-1])
    whole = b""
    for offset in sorted(parts):
        assert offset == len(whole)
        whole += parts[offset]
    assert last == len(whole)
    return whole


@given(st.sampled_from([4, 6]), st.integers(48, 9000), st.integers(68, 1600))
def test_fragments_are_the_packet_in_pieces_that_fit(version: int, size: int, mtu: int) -> None:
    mtu = max(mtu, 68 if version == 4 else 88)
    octets = udp_packet(version, size)
    packet = parse_ip(octets)
    fragments = fragments_of(packet, mtu, 1234)
    assert all(len(fragment) <= mtu for fragment in fragments)
    if size <= mtu:
        assert fragments == [octets]
        return
    assert put_together(fragments) == packet.payload
    headers = [parse_ip(fragment).header for fragment in fragments]
    assert {header.protocol for header in headers} == {17}
    assert {header.identification for header in headers} == {7 if version == 4 else 1234}
    assert {(header.source, header.destination) for header in headers} == {
        (packet.header.source, packet.header.destination)
    }


def test_only_copied_options_are_in_later_fragments() -> None:
    # NOP, Record Route (not copied), Loose Source Route (copied), End of Options.
    options = bytes.fromhex("0107030483030400")
    first, second = fragments_of(parse_ip(ipv4("1.1.1.1", "2.2.2.2", bytes(90), options=options)), 100)
    assert parse_ip(first).header.options == options
    assert parse_ip(second).header.options == bytes.fromhex("83030400")
    for damaged in (b"\x83\0\0\0", b"\x83\x09\0\0", b"\x01\x01\x01\x83"):
        pieces = fragments_of(parse_ip(ipv4("1.1.1.1", "2.2.2.2", bytes(90), options=damaged)), 100)
        assert parse_ip(pieces[1]).header.options == b""


def test_a_fragment_is_fragmented_again_in_ipv4_only() -> None:
    packet = parse_ip(ipv4("1.1.1.1", "2.2.2.2", bytes(range(200)), flags=0x2000 | 10))
    headers = [parse_ip(octets).header for octets in fragments_of(packet, 100)]
    assert [header.fragment_offset_bytes for header in headers] == [80, 160, 240]
    assert all(header.more_fragments for header in headers)
    six = parse_ip(ipv6("fd01::1", "fd02::2", b"\x11\0" + struct.pack("!HI", 1, 9) + bytes(200), 44))
    with pytest.raises(MalformedError):
        fragments_of(six, 150)
    with pytest.raises(MalformedError, match="too small"):
        fragments_of(parse_ip(ipv4("1.1.1.1", "2.2.2.2", bytes(200))), 27)
    at_the_end = parse_ip(ipv4("1.1.1.1", "2.2.2.2", bytes(200), flags=8191))
    with pytest.raises(MalformedError):
        fragments_of(at_the_end, 100)


def test_all_headers_are_in_the_first_ipv6_fragment_or_there_is_none() -> None:
    header = IpHeader(bytes(15) + b"\1", bytes(15) + b"\2", 17, extensions=(Extension(60, b"\0\x20" + bytes(262)),))
    with pytest.raises(MalformedError, match="7112"):
        fragments_of(IpPacket(header, bytes(200)), 150)


def test_headers_that_routers_read_are_in_every_ipv6_fragment() -> None:
    header = IpHeader(
        bytes(15) + b"\1",
        bytes(15) + b"\2",
        17,
        extensions=(Extension(0, bytes(8)), Extension(43, bytes(8)), Extension(60, bytes(8))),
    )
    pieces = [parse_ip(octets) for octets in fragments_of(IpPacket(header, bytes(200)), 150, 5)]
    assert [[each.number for each in piece.header.extensions] for piece in pieces] == [
        [0, 43, 44, 60],
        [0, 43, 44],
        [0, 43, 44],
    ]
