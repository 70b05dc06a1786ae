"""ESP in UDP (RFC 3948): what shares the port, checksums, an end that moves, and NAT in transport mode."""

from __future__ import annotations

import ipaddress
import random
import struct
from dataclasses import replace

import pytest

from ipsecbench.esp.configuration import Action, Direction, PolicyConfiguration, UdpEncapsulation
from ipsecbench.esp.events import PlaneEvent, PlaneEventKind
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import OuterPacket, parse_outer
from ipsecbench.esp.processing import EspProcessing, Output
from ipsecbench.esp.udp_encapsulation import DatagramKind, kind_of
from ipsecbench.wire.ip import IpHeader, parse_ip
from tests.unit.esp.esp_pair import ANYTHING, ENDS, PORTS, Pair, cryptography, sa_of
from tests.unit.esp.inner_packets import checksum, ipv4, pseudo, tcp, udp, udp_packet


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"\xff", DatagramKind.KEEPALIVE),
        (b"", DatagramKind.MALFORMED),
        (b"\xfe", DatagramKind.MALFORMED),
        (b"\xff\xff", DatagramKind.MALFORMED),
        (bytes(3), DatagramKind.MALFORMED),
        (bytes(4), DatagramKind.IKE),
        (bytes(4) + b"IKE", DatagramKind.IKE),
        (b"\0\0\1\0" + bytes(3), DatagramKind.MALFORMED),
        (b"\0\0\1\0" + bytes(4), DatagramKind.ESP),
    ],
)
def test_what_shares_the_port(payload: bytes, kind: DatagramKind) -> None:
    assert kind_of(payload) is kind
    pair = Pair(sa_of(encapsulation=PORTS))
    packet = ipv4(*ENDS[4], udp(*ENDS[4], payload, (4500, 4500)))
    output = pair.deliver(packet)
    assert (output.outside, output.inside, output.bypassed) == ([], [], [])
    assert [each.content for each in output.ike] == ([payload] if kind is DatagramKind.IKE else [])
    expected = {DatagramKind.MALFORMED: {"XfrmInHdrError": 1}, DatagramKind.ESP: {"XfrmInNoStates": 1}}
    assert pair.second.dropped == expected.get(kind, {})


@pytest.mark.parametrize("version", [4, 6])
def test_the_udp_header(version: int) -> None:
    pair = Pair(sa_of(version=version, encapsulation=UdpEncapsulation(4500, 61234)))
    (octets,) = pair.on_the_wire(udp_packet(4, 100))
    packet = parse_ip(octets)
    source, destination, length, value = struct.unpack("!HHHH", packet.payload[:8])
    assert (source, destination, length) == (4500, 61234, len(packet.payload))
    assert packet.header.protocol == 17
    if version == 4:
        assert value == 0  # RFC 3948 section 2.1
    else:
        assert value != 0
        assert checksum(pseudo(*ENDS[6], 17, length) + packet.payload) == 0


def test_an_sa_is_in_udp_or_it_is_not() -> None:
    packet = udp_packet(4, 100)
    in_udp, plain = Pair(sa_of(encapsulation=PORTS)), Pair(sa_of())
    (with_udp,), (without,) = in_udp.sealed(packet), plain.sealed(packet)
    assert in_udp.second.receive(replace(with_udp, encapsulation=None), 1.0).inside == []
    assert in_udp.second.dropped == {"XfrmInStateMismatch": 1}
    assert plain.second.receive(replace(without, encapsulation=PORTS), 1.0).inside == []
    assert plain.second.dropped == {"XfrmInStateMismatch": 1}
    # The packet was not marked as seen by that.
    assert plain.second.receive(without, 1.0).inside == [packet]


def moved(outer: OuterPacket, address: str, port: int) -> OuterPacket:
    """The packet as it comes after a NAT."""
    header = replace(outer.header, source=ipaddress.ip_address(address).packed)
    return replace(outer, header=header, encapsulation=UdpEncapsulation(port, 4500))


def test_an_end_behind_a_nat_moves() -> None:
    pair = Pair(sa_of(encapsulation=PORTS))
    packets = [pair.sealed(udp_packet(4, 100))[0] for _ in range(8)]
    spi = pair.sa.spi

    def arrives(outer: OuterPacket) -> list[tuple[str, int]]:
        pair.second.receive(outer, 1.0)
        events = pair.second.take_events()
        assert all(
            (event.kind, event.direction, event.spi) == (PlaneEventKind.PATH_CHANGED, Direction.INBOUND, spi)
            for event in events
        )
        return [(event.source, event.source_port) for event in events]

    assert arrives(packets[0]) == []
    assert arrives(moved(packets[1], "192.0.2.77", 1024)) == [("192.0.2.77", 1024)]
    assert arrives(moved(packets[3], "192.0.2.77", 1024)) == []
    # A packet that was overtaken says nothing new (RFC 7296 section 2.23), nor does a replay or a forgery.
    assert arrives(packets[2]) == []
    assert arrives(moved(packets[3], "192.0.2.66", 1)) == []
    forged = replace(packets[4], content=packets[4].content[:-1] + b"\0")
    assert arrives(moved(forged, "192.0.2.66", 1)) == []
    assert arrives(moved(packets[5], "192.0.2.77", 1025)) == [("192.0.2.77", 1025)]
    pair.second.move_sa(Direction.INBOUND, spi, "192.0.2.77", ENDS[4][1], UdpEncapsulation(1025, 4500))
    assert arrives(moved(packets[6], "192.0.2.77", 1025)) == []
    assert arrives(packets[7]) == [(ENDS[4][0], 4500)]
    assert pair.second.sa_statistics(Direction.INBOUND, spi, 1.0).packets == 7


def test_without_udp_nobody_moves() -> None:
    pair = Pair(sa_of())
    (outer,) = pair.sealed(udp_packet(4, 100))
    header = replace(outer.header, source=b"\1\2\3\4")
    assert len(pair.second.receive(replace(outer, header=header), 1.0).inside) == 1
    assert pair.second.take_events() == list[PlaneEvent]()


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [6, 17])
def test_transport_mode_behind_a_nat_gets_a_checksum_that_fits(version: int, protocol: int) -> None:
    here, there = ENDS[version]
    pair = Pair(sa_of(version=version, mode=Mode.TRANSPORT, encapsulation=PORTS))
    octets = (tcp if protocol == 6 else udp)(here, there, b"data behind a NAT")
    header = IpHeader(ipaddress.ip_address(here).packed, ipaddress.ip_address(there).packed, protocol)
    outside = {4: "203.0.113.5", 6: "2001:db8:5::5"}[version]
    (outer,) = pair.sealed(header.encode(octets))
    (inside,) = pair.second.receive(moved(outer, outside, 2000), 1.0).inside
    packet = parse_ip(inside)
    assert packet.header.source == ipaddress.ip_address(outside).packed
    assert packet.payload == (tcp if protocol == 6 else udp)(outside, there, b"data behind a NAT")


def test_udp_without_a_checksum_stays_without() -> None:
    here, there = ENDS[4]
    pair = Pair(sa_of(mode=Mode.TRANSPORT, encapsulation=PORTS))
    datagram = udp(here, there, b"none")
    datagram = datagram[:6] + b"\0\0" + datagram[8:]
    (outer,) = pair.sealed(ipv4(here, there, datagram))
    (inside,) = pair.second.receive(moved(outer, "203.0.113.5", 2000), 1.0).inside
    assert parse_ip(inside).payload == datagram


def test_what_has_no_checksum_over_addresses_passes_unchanged() -> None:
    pair = Pair(sa_of(mode=Mode.TRANSPORT, encapsulation=PORTS))
    for protocol in (1, 47, 132):
        (outer,) = pair.sealed(ipv4(*ENDS[4], bytes(range(40)), protocol))
        (inside,) = pair.second.receive(moved(outer, "203.0.113.5", 2000), 1.0).inside
        assert parse_ip(inside).payload == bytes(range(40))


def test_an_outbound_sa_goes_on_to_a_new_address() -> None:
    pair = Pair(sa_of(encapsulation=PORTS))
    pair.sealed(udp_packet(4, 100))
    pair.first.move_sa(Direction.OUTBOUND, pair.sa.spi, "192.0.2.9", "198.51.100.9", UdpEncapsulation(4500, 7777))
    outer = parse_outer(pair.on_the_wire(udp_packet(4, 100))[0])
    assert outer.encapsulation == UdpEncapsulation(4500, 7777)
    assert outer.header.source == ipaddress.ip_address("192.0.2.9").packed
    assert outer.header.destination == ipaddress.ip_address("198.51.100.9").packed
    # The sequence number goes on: no IV is used twice.
    assert outer.content[4:8] == b"\0\0\0\2"


def test_keepalives_of_silent_paths() -> None:
    end = EspProcessing(cryptography(), random.Random("NAT").randbytes, keepalive_seconds=20.0)
    end.add_policy(PolicyConfiguration(Direction.OUTBOUND, ANYTHING, Action.PROTECT, 1))
    assert end.next_timeout() is None
    for spi, encapsulation in (
        (0x1001, PORTS),
        (0x1002, PORTS),
        (0x1003, UdpEncapsulation(4500, 1025)),
        (0x1004, None),
    ):
        end.add_sa(sa_of(spi=spi, encapsulation=encapsulation), 100.0)
    assert end.next_timeout() == 120.0
    assert end.handle_timeout(119.9).outside == []
    sent = end.handle_timeout(120.0).outside
    # One for each path, not for each SA, and none where there is no UDP.
    assert sorted(str(outer.encapsulation) for outer in sent) == sorted([str(PORTS), str(UdpEncapsulation(4500, 1025))])
    (octets,) = sent[0].packets()
    assert parse_ip(octets).payload[8:] == b"\xff"
    assert parse_outer(octets).header.source == ipaddress.ip_address(ENDS[4][0]).packed
    assert end.handle_timeout(120.0).outside == []
    assert end.next_timeout() == 140.0
    # Traffic of any SA of a path makes its keep-alive superfluous.
    end.remove_sa(Direction.OUTBOUND, 0x1004)
    end.remove_sa(Direction.OUTBOUND, 0x1003)
    assert len(end.protect(udp_packet(4, 100), 130.0).outside) == 1
    assert end.next_timeout() == 150.0
    assert end.handle_timeout(149.0).outside == []
    assert len(end.handle_timeout(150.0).outside) == 1
    for spi in (0x1001, 0x1002):
        end.remove_sa(Direction.OUTBOUND, spi)
    assert end.handle_timeout(1000.0).outside == []
    assert end.next_timeout() is None
    # The other end takes no notice.
    pair = Pair(sa_of(encapsulation=PORTS))
    assert pair.second.receive(sent[0], 1.0) == Output()
    assert pair.second.dropped == {}


def test_without_being_told_to_nobody_sends_keepalives() -> None:
    pair = Pair(sa_of(encapsulation=PORTS))
    assert pair.first.next_timeout() is None
    assert pair.first.handle_timeout(1e6).outside == []
