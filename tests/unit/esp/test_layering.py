"""GRE and IP in IP in transport mode, octet by octet from RFC 2784 and RFC 2003."""

from __future__ import annotations

import struct

import pytest

from ipsecbench.errors import MalformedError
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.layering import gre_decapsulated, gre_encapsulated
from ipsecbench.esp.mode import Mode
from tests.unit.esp.esp_pair import Pair, opened, sa_of
from tests.unit.esp.inner_packets import checksum, udp_packet

PACKET = udp_packet(4, 60)


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_inside_esp(version: int) -> None:
    packet = udp_packet(version, 100)
    ethertype = {4: 0x0800, 6: 0x86DD}[version]
    gre = Pair(sa_of(mode=Mode.TRANSPORT, layering=Layering.GRE))
    assert opened(gre.sa, gre.sealed(packet)[0].content) == (struct.pack("!HH", 0, ethertype) + packet, 47)
    ipip = Pair(sa_of(mode=Mode.TRANSPORT, layering=Layering.IPIP))
    assert opened(ipip.sa, ipip.sealed(packet)[0].content) == (packet, {4: 4, 6: 41}[version])


def test_ip_in_ip_in_transport_mode_is_tunnel_mode_on_the_wire() -> None:
    # RFC 3884: the two ends need not even agree on which it is.
    first, second = Pair(sa_of(mode=Mode.TRANSPORT, layering=Layering.IPIP)), Pair(sa_of())
    (one,), (other,) = first.on_the_wire(PACKET), second.on_the_wire(PACKET)
    assert one[20:] == other[20:]
    assert first.deliver(other).inside == second.deliver(one).inside == [PACKET]


def test_gre_of_other_ends() -> None:
    head = struct.pack("!HH", 0x8000, 0x0800)
    value = checksum(head + bytes(4) + PACKET)
    with_checksum = head + struct.pack("!HH", value, 0) + PACKET
    assert gre_decapsulated(with_checksum) == (PACKET, 4)
    assert gre_decapsulated(gre_encapsulated(PACKET, 4)) == (PACKET, 4)
    # RFC 2784 section 2.3: reserved bits 6 to 12 are ignored.
    assert gre_decapsulated(struct.pack("!HH", 0x03F8, 0x0800) + PACKET) == (PACKET, 4)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\0\x08",
        struct.pack("!HH", 0x2000, 0x0800) + PACKET,  # a key
        struct.pack("!HH", 0x1000, 0x0800) + PACKET,  # a sequence number
        struct.pack("!HH", 0x4000, 0x0800) + PACKET,  # routing
        struct.pack("!HH", 0x0400, 0x0800) + PACKET,  # recursion
        struct.pack("!HH", 0x0001, 0x0800) + PACKET,  # PPTP
        struct.pack("!HH", 0, 0x6558) + PACKET,  # Ethernet
        struct.pack("!HH", 0x8000, 0x0800),
        struct.pack("!HHHH", 0x8000, 0x0800, 0x1234, 0) + PACKET,
    ],
)
def test_gre_that_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedError):
        gre_decapsulated(octets)
    pair = Pair(sa_of(mode=Mode.TRANSPORT, layering=Layering.GRE))
    assert pair.sent(octets, 47).inside == []
    assert pair.second.dropped == {"XfrmInStateModeError": 1}
