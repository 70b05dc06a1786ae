"""Path MTU: ICMP to the inner sender, fragmentation before and after ESP, and what the outside says (RFC 4301 8)."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.esp.configuration import DontFragment, Fragmentation, Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import parse_outer
from ipsecbench.esp.overhead import Encapsulation, inner_mtu_bytes
from ipsecbench.esp.path_mtu import FORGET_SECONDS, MESSAGES_PER_SECOND
from ipsecbench.wire.fragments import fragments_of
from ipsecbench.wire.ip import IpPacket, parse_ip
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, available_suites, sa_of
from tests.unit.esp.inner_packets import ADDRESSES, checksum, ipv4, ipv6, pseudo, udp_packet
from tests.unit.wire.test_ip import put_together

DF = 0x4000


def told_mtu(octets: bytes, packet: bytes) -> int:
    """What an ICMP message says fits, after everything else about it was looked at."""
    message = parse_ip(octets)
    original = parse_ip(packet)
    assert message.header.destination == original.header.source
    assert message.header.source == original.header.destination
    if message.header.version == 4:
        assert message.header.protocol == 1
        kind, code, _, unused, mtu = struct.unpack("!BBHHH", message.payload[:8])
        assert (kind, code, unused) == (3, 4, 0)
        assert checksum(message.payload) == 0
        assert len(octets) <= 576
    else:
        assert message.header.protocol == 58
        kind, code, _, mtu = struct.unpack("!BBHI", message.payload[:8])
        assert (kind, code) == (2, 0)
        source, destination = ADDRESSES[6][1], ADDRESSES[6][0]
        if original.header.source != parse_ip(udp_packet(6, 80)).header.source:
            source, destination = ENDS[6][1], ENDS[6][0]
        assert checksum(pseudo(source, destination, 58, len(message.payload)) + message.payload) == 0
        assert len(octets) <= 1280
    assert packet.startswith(message.payload[8:])
    assert len(message.payload) >= 8 + 48
    return int(mtu)


@given(
    st.sampled_from(available_suites()),
    st.sampled_from([4, 6]),
    st.sampled_from([4, 6]),
    st.booleans(),
    st.integers(1400, 9000),
)
@settings(deadline=None)
def test_tunnel_mode_tells_the_largest_packet_that_fits(
    name: str, outer: int, inner: int, encapsulated: bool, path_mtu: int
) -> None:
    sa = sa_of(name, version=outer, path_mtu_bytes=path_mtu, encapsulation=PORTS if encapsulated else None)
    fits = inner_mtu_bytes(esp_suites()[name], path_mtu, Encapsulation("tunnel", f"ipv{outer}", encapsulated))
    pair = Pair(sa)
    packet = udp_packet(inner, max(fits, 1280 if inner == 6 else 0) + 1, flags=DF)
    output = pair.first.protect(packet, 1.0)
    assert output.outside == []
    assert pair.first.dropped == {"XfrmOutStateModeError": 1}
    (message,) = output.inside
    mtu = told_mtu(message, packet)
    assert mtu == (max(fits, 1280) if inner == 6 else fits)
    # A packet as large as the message says passes.
    (octets, *further) = pair.on_the_wire(udp_packet(inner, mtu, flags=DF))
    assert len(octets) <= path_mtu
    assert not further or mtu > fits


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("encapsulated", [False, True])
def test_transport_mode_tells_it_to_the_own_host(version: int, encapsulated: bool) -> None:
    sa = sa_of("aes128-sha256", version=version, mode=Mode.TRANSPORT, encapsulation=PORTS if encapsulated else None)
    fits = inner_mtu_bytes(
        esp_suites()["aes128-sha256"], 1500, Encapsulation("transport", f"ipv{version}", encapsulated)
    )
    pair = Pair(sa)
    packet = udp_packet(version, fits + 1, ENDS[version], flags=DF)
    output = pair.first.protect(packet, 1.0)
    assert told_mtu(output.inside[0], packet) == fits
    packet = udp_packet(version, fits, ENDS[version], flags=DF)
    (octets,) = pair.on_the_wire(packet)
    assert len(octets) <= 1500
    assert pair.deliver(octets).inside == [packet]


@pytest.mark.parametrize("layering", [Layering.GRE, Layering.IPIP])
def test_a_layering_takes_its_octets(layering: Layering) -> None:
    pair = Pair(sa_of(mode=Mode.TRANSPORT, layering=layering))
    packet = udp_packet(4, 1500, flags=DF)
    mtu = told_mtu(pair.first.protect(packet, 1.0).inside[0], packet)
    # 1500 - 20 - 8 - 8 - 16 = 1448, less the trailer 1446, less GRE.
    assert mtu == (1442 if layering is Layering.GRE else 1446)
    packet = udp_packet(4, mtu, flags=DF)
    assert pair.carried(packet) == [packet]


@pytest.mark.parametrize("outer", [4, 6])
@pytest.mark.parametrize("encapsulated", [False, True])
@pytest.mark.parametrize("choice", list(DontFragment))
@pytest.mark.parametrize("when", list(Fragmentation))
def test_a_packet_that_may_be_fragmented_arrives(
    when: Fragmentation, choice: DontFragment, encapsulated: bool, outer: int
) -> None:
    sa = sa_of(
        version=outer,
        fragmentation=when,
        dont_fragment=choice,
        path_mtu_bytes=1300,
        encapsulation=PORTS if encapsulated else None,
    )
    pair = Pair(sa)
    packet = udp_packet(4, 4000)
    wire = pair.on_the_wire(packet)
    assert len(wire) > 1
    assert all(len(octets) <= 1300 for octets in wire)
    outer_headers = [parse_ip(octets).header for octets in wire]
    if when is Fragmentation.BEFORE or choice is DontFragment.SET:
        # Every outer packet is whole; what comes out inside is the fragments.
        assert not any(header.is_fragment for header in outer_headers)
        inside = [inner for octets in wire for inner in pair.deliver(octets).inside]
        assert len(inside) == len(wire)
        assert put_together(inside) == parse_ip(packet).payload
        # All but the last are filled as far as the path and the cipher allow.
        assert all(len(octets) > 1300 - 16 for octets in wire[:-1])
    else:
        assert all(header.is_fragment for header in outer_headers)
        assert len({header.identification for header in outer_headers}) == 1
        # The other end's IP puts the outer packet together.
        header = replace(outer_headers[0], more_fragments=False, extensions=())
        whole = IpPacket(header, put_together(wire)).encode()
        assert pair.deliver(whole).inside == [packet]


def test_transport_mode_is_fragmented_after_esp_only() -> None:
    pair = Pair(sa_of(mode=Mode.TRANSPORT, path_mtu_bytes=1000))
    packet = udp_packet(4, 2500, ENDS[4])
    wire = pair.on_the_wire(packet)
    assert len(wire) == 3
    header = replace(parse_ip(wire[0]).header, more_fragments=False)
    assert pair.deliver(IpPacket(header, put_together(wire)).encode()).inside == [packet]


@pytest.mark.parametrize("version", [4, 6])
def test_transport_mode_is_for_whole_packets(version: int) -> None:
    """RFC 4303 section 3.1.1: what the host has fragmented is put together first."""
    pair = Pair(sa_of(version=version, mode=Mode.TRANSPORT, path_mtu_bytes=1500))
    packet = udp_packet(version, 1400, ENDS[version])
    pieces = fragments_of(parse_ip(packet), 700, 77)
    assert len(pieces) > 2
    outputs = [pair.first.protect(piece, 1.0) for piece in reversed(pieces)]
    assert [len(output.outside) for output in outputs] == [0] * (len(pieces) - 1) + [1]
    (octets,) = outputs[-1].outside[0].packets()
    assert pair.deliver(octets).inside == [packet]
    assert pair.first.dropped == {}
    # What is never whole is dropped, and counted then.
    pair.first.protect(pieces[0], 2.0)
    assert pair.first.dropped == {}
    assert pair.first.next_timeout() == 32.0
    assert pair.first.handle_timeout(32.0).outside == []
    assert pair.first.dropped == {"XfrmOutError": 1}
    assert pair.first.next_timeout() is None


@pytest.mark.parametrize("outer", [4, 6])
def test_an_ipv6_packet_of_1280_octets_always_passes(outer: int) -> None:
    pair = Pair(sa_of(version=outer, path_mtu_bytes=1280))
    packet = udp_packet(6, 1280)
    wire = pair.on_the_wire(packet)
    assert [len(octets) <= 1280 for octets in wire] == [True, True]
    assert not any(parse_ip(octets).header.dont_fragment for octets in wire)
    header = replace(parse_ip(wire[0]).header, more_fragments=False, extensions=())
    assert pair.deliver(IpPacket(header, put_together(wire)).encode()).inside == [packet]
    too_long = udp_packet(6, 1281)
    assert told_mtu(pair.first.protect(too_long, 1.0).inside[0], too_long) == 1280


def test_df_clear_outside_lets_routers_fragment_what_the_sender_did_not_allow() -> None:
    pair = Pair(sa_of(dont_fragment=DontFragment.CLEAR))
    packet = udp_packet(4, 2000, flags=DF)
    wire = pair.on_the_wire(packet)
    assert len(wire) == 2
    header = replace(parse_ip(wire[0]).header, more_fragments=False)
    assert pair.deliver(IpPacket(header, put_together(wire)).encode()).inside == [packet]


@pytest.mark.parametrize(
    "packet",
    [
        udp_packet(4, 2000, ("10.1.0.1", "224.0.0.9"), flags=DF),
        udp_packet(4, 2000, ("0.0.0.0", "10.2.0.2"), flags=DF),  # noqa: S104
        udp_packet(4, 2000, ("10.1.0.1", "255.255.255.255"), flags=DF),
        ipv4("10.1.0.1", "10.2.0.2", bytes(1900), flags=DF | 100),
        ipv4("10.1.0.1", "10.2.0.2", b"\x03\x04" + bytes(1900), 1, flags=DF),
        udp_packet(6, 2000, ("fd01::1", "ff02::5")),
        udp_packet(6, 2000, ("::", "fd02::2")),
        ipv6("fd01::1", "fd02::2", b"\x02\x00" + bytes(1900), 58),
    ],
)
def test_nobody_is_told_who_must_not_be(packet: bytes) -> None:
    pair = Pair(sa_of())
    assert pair.first.protect(packet, 1.0).inside == []
    assert pair.first.dropped == {"XfrmOutStateModeError": 1}


def test_a_ping_that_is_too_large_is_told() -> None:
    pair = Pair(sa_of())
    for packet in (
        ipv4("10.1.0.1", "10.2.0.2", b"\x08\x00" + bytes(1900), 1, flags=DF),
        ipv6("fd01::1", "fd02::2", b"\x80\x00" + bytes(1900), 58),
    ):
        assert len(pair.first.protect(packet, 1.0).inside) == 1


def test_messages_are_limited() -> None:
    pair = Pair(sa_of())
    packet = udp_packet(4, 2000, flags=DF)
    told = sum(len(pair.first.protect(packet, 1.0).inside) for _ in range(1000))
    assert told == MESSAGES_PER_SECOND
    assert pair.first.dropped["XfrmOutStateModeError"] == 1000
    assert sum(len(pair.first.protect(packet, 1.1).inside) for _ in range(1000)) == MESSAGES_PER_SECOND // 10


def icmp_about(octets: bytes, mtu: int, quoted: int = 28) -> bytes:
    """What a router outside says about a packet that it could not pass on."""
    if octets[0] >> 4 == 4:
        message = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + octets[:quoted]
        message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        return ipv4("203.0.113.9", ENDS[4][0], message, 1)
    message = struct.pack("!BBHI", 2, 0, 0, mtu) + octets[: quoted + 20]
    source = "2001:db8:9::9"
    value = checksum(pseudo(source, ENDS[6][0], 58, len(message)) + message)
    return ipv6(source, ENDS[6][0], message[:2] + struct.pack("!H", value) + message[4:], 58)


@pytest.mark.parametrize("encapsulated", [False, True])
@pytest.mark.parametrize("version", [4, 6])
def test_a_smaller_path_is_learned_and_forgotten(version: int, encapsulated: bool) -> None:
    pair = Pair(sa_of(version=version, encapsulation=PORTS if encapsulated else None))
    large, now = udp_packet(4, 1400, flags=DF), 5.0
    (octets,) = pair.on_the_wire(large, now)
    pair.first.receive_icmp(icmp_about(octets, 1300), now)
    output = pair.first.protect(large, now)
    assert output.outside == []
    mtu = told_mtu(output.inside[0], large)
    assert mtu == inner_mtu_bytes(pair.sa.suite, 1300, Encapsulation("tunnel", f"ipv{version}", encapsulated))
    # It never becomes larger by being told, and not smaller than every path of the version is.
    pair.first.receive_icmp(icmp_about(octets, 1499), now)
    assert pair.first.protect(large, now).outside == []
    pair.first.receive_icmp(icmp_about(octets, 100), now)
    lowest = inner_mtu_bytes(
        pair.sa.suite, {4: 576, 6: 1280}[version], Encapsulation("tunnel", f"ipv{version}", encapsulated)
    )
    assert pair.carried(udp_packet(4, lowest, flags=DF), now)
    assert pair.first.protect(udp_packet(4, lowest + 1, flags=DF), now).outside == []
    assert pair.carried(large, now + FORGET_SECONDS) == [large]
    assert set(pair.first.dropped) == {"XfrmOutStateModeError"}


def test_the_error_queue_says_the_same() -> None:
    pair = Pair(sa_of())
    pair.first.learn_path_mtu(pair.sa.spi, 1200, 1.0)
    pair.first.learn_path_mtu(0x12345678, 600, 1.0)
    assert pair.first.protect(udp_packet(4, 1200, flags=DF), 1.0).outside == []
    assert pair.carried(udp_packet(4, 1100, flags=DF))


def test_lies_about_the_path_are_not_believed() -> None:
    pair = Pair(sa_of())
    (octets,) = pair.on_the_wire(udp_packet(4, 1400, flags=DF))
    outer = parse_outer(octets)

    def changed(content: bytes) -> bytes:
        return replace(outer, content=content).packets()[0]

    lies = [
        changed(b"\0\0\1\1" + outer.content[4:]),  # another SPI
        changed(outer.content[:4] + struct.pack("!I", 2) + outer.content[8:]),  # a number that was not sent yet
        changed(outer.content[:4] + struct.pack("!I", 0) + outer.content[8:]),
        replace(outer, header=replace(outer.header, destination=b"\1\2\3\4")).packets()[0],
        replace(outer, encapsulation=PORTS).packets()[0],
        udp_packet(4, 100),
    ]
    # Something else that was sent from here, and UDP of which not even the ports are quoted.
    lies += [ipv4(*ENDS[4], bytes(60), 6)]
    pair.first.receive_icmp(icmp_about(udp_packet(4, 100, ENDS[4]), 600, 24), 1.0)
    for lie in lies:
        pair.first.receive_icmp(icmp_about(lie, 600), 1.0)
    assert pair.first.dropped == {}
    good = icmp_about(octets, 600)
    damaged = [
        good[:-1] + bytes((good[-1] ^ 1,)),
        icmp_about(octets, 600, 8),
        icmp_about(octets, 600, 0),
        ipv4("203.0.113.9", ENDS[4][0], b"\x03\x04", 1),
        b"",
        b"\x45" + bytes(30),
    ]
    for octets in damaged:
        pair.first.receive_icmp(octets, 1.0)
    assert pair.first.dropped == {"XfrmInHdrError": len(damaged)}
    # Other ICMP is nothing to us.
    pair.first.receive_icmp(ipv4("203.0.113.9", ENDS[4][0], b"\x08\x00" + bytes(20), 1), 1.0)
    pair.first.receive_icmp(ipv6("2001:db8::9", ENDS[6][0], b"\x01\x00" + bytes(60), 58), 1.0)
    assert pair.carried(udp_packet(4, 1400, flags=DF))
