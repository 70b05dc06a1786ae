"""The header outside a tunnel: RFC 6040, RFC 4301 section 5.1.2, and what comes back inside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecbench.errors import MalformedError
from ipsecbench.esp.configuration import DontFragment, Layering, SaConfiguration
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import parse_outer
from ipsecbench.wire.ip import parse_ip
from tests.unit.esp.esp_pair import Pair, sa_of
from tests.unit.esp.inner_packets import ipv4, udp_packet

NOT_ECT, ECT_1, ECT_0, CE = 0, 1, 2, 3
DROP = None

# RFC 6040 figure 4, row by row: arriving inner header, then what goes on for an arriving outer header of
# Not-ECT, ECT(0), ECT(1), CE.
FIGURE_4 = {
    NOT_ECT: (NOT_ECT, NOT_ECT, NOT_ECT, DROP),
    ECT_0: (ECT_0, ECT_0, ECT_1, CE),
    ECT_1: (ECT_1, ECT_1, ECT_1, CE),
    CE: (CE, CE, CE, CE),
}
COLUMNS = (NOT_ECT, ECT_0, ECT_1, CE)
ROWS = [(inner, outer, FIGURE_4[inner][at]) for inner in FIGURE_4 for at, outer in enumerate(COLUMNS)]
TUNNELS = [(Mode.TUNNEL, Layering.NONE), (Mode.TRANSPORT, Layering.GRE), (Mode.TRANSPORT, Layering.IPIP)]


@pytest.mark.parametrize(("mode", "layering"), TUNNELS)
@pytest.mark.parametrize("inner_version", [4, 6])
@pytest.mark.parametrize("outer_version", [4, 6])
def test_every_row_of_rfc_6040(mode: Mode, layering: Layering, inner_version: int, outer_version: int) -> None:
    pair = Pair(sa_of(version=outer_version, mode=mode, layering=layering))
    for inner, outer, expected in ROWS:
        dscp = 0x2E << 2
        packet = udp_packet(inner_version, 100, traffic_class=dscp | inner)
        (sealed,) = pair.sealed(packet)
        # Encapsulation in normal mode (section 4.1): outside as inside.
        assert sealed.header.traffic_class == dscp | inner
        # A router outside changes ECN, and somebody DSCP too.
        on_the_way = replace(sealed, header=replace(sealed.header, traffic_class=0x0A << 2 | outer))
        drops = pair.second.dropped.get("XfrmInStateModeError", 0)
        inside = pair.second.receive(on_the_way, 1.0).inside
        if expected is DROP:
            assert inside == []
            assert pair.second.dropped["XfrmInStateModeError"] == drops + 1
        else:
            assert inside == [udp_packet(inner_version, 100, traffic_class=dscp | expected)]


@pytest.mark.parametrize("outer_version", [4, 6])
def test_transport_mode_hands_on_what_routers_wrote(outer_version: int) -> None:
    pair = Pair(sa_of(version=outer_version, mode=Mode.TRANSPORT))
    packet = udp_packet(outer_version, 100, (pair.sa.source, pair.sa.destination), traffic_class=ECT_0)
    (sealed,) = pair.sealed(packet)
    on_the_way = replace(sealed, header=replace(sealed.header, traffic_class=CE, hop_limit=3))
    (inside,) = pair.second.receive(on_the_way, 1.0).inside
    assert (parse_ip(inside).header.traffic_class, parse_ip(inside).header.hop_limit) == (CE, 3)


@pytest.mark.parametrize(("copies", "expected"), [(True, 0xB8 | ECT_0), (False, ECT_0)])
def test_dscp_goes_outside_or_not_but_ecn_always(copies: bool, expected: int) -> None:
    for version in (4, 6):
        pair = Pair(sa_of(version=version, copy_dscp=copies))
        (octets,) = pair.on_the_wire(udp_packet(4, 100, traffic_class=0xB8 | ECT_0))
        assert parse_ip(octets).header.traffic_class == expected
        # Inside DSCP is what the sender wrote, whatever stood outside.
        (inside,) = pair.deliver(octets).inside
        assert parse_ip(inside).header.traffic_class == 0xB8 | ECT_0


@pytest.mark.parametrize(
    ("choice", "inner_version", "flags", "expected"),
    [
        (DontFragment.COPY, 4, 0x4000, True),
        (DontFragment.COPY, 4, 0, False),
        (DontFragment.COPY, 6, 0, True),
        (DontFragment.SET, 4, 0, True),
        (DontFragment.SET, 4, 0x4000, True),
        (DontFragment.CLEAR, 4, 0x4000, False),
        (DontFragment.CLEAR, 6, 0, False),
    ],
)
def test_df(choice: DontFragment, inner_version: int, flags: int, expected: bool) -> None:
    pair = Pair(sa_of(dont_fragment=choice))
    header = parse_ip(pair.on_the_wire(udp_packet(inner_version, 100, flags=flags))[0]).header
    assert header.dont_fragment is expected
    # RFC 6864: what may be fragmented has an Identification of its own, what may not needs none.
    others = {
        parse_ip(pair.on_the_wire(udp_packet(inner_version, 100, flags=flags))[0]).header.identification
        for _ in range(100)
    }
    assert len(others) == (1 if expected else 100)


@pytest.mark.parametrize("version", [4, 6])
def test_addresses_hop_limit_and_flow_label(version: int) -> None:
    sa: SaConfiguration = sa_of(version=version)
    outer = parse_outer(Pair(sa).on_the_wire(udp_packet(6, 100))[0])
    assert outer.header.hop_limit == 64
    assert outer.header.flow_label == 0
    assert outer.header.protocol == 50
    assert outer.header.options == b""


def test_what_is_neither_esp_nor_udp_is_no_outer_packet() -> None:
    with pytest.raises(MalformedError, match="neither ESP nor UDP"):
        parse_outer(ipv4("192.0.2.1", "198.51.100.2", bytes(40), 51))
