"""SPD and SAD (RFC 4301 sections 4.4, 5, 7): selectors, their order, and what becomes of each packet."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Action, Direction, Layering, PolicyConfiguration, SelectorPair
from ipsecbench.esp.databases import PolicyDatabase, flow_of, selects
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.processing import EspProcessing, Output
from ipsecbench.esp.traffic_selector import TrafficSelector, parse_traffic_selector, subnet
from ipsecbench.wire.ip import parse_ip
from tests.unit.esp.esp_pair import ANYTHING, NETS, Pair, cryptography, sa_of
from tests.unit.esp.inner_packets import ADDRESSES, ipv4, ipv6, tcp, udp_packet

OPAQUE = (65535, 0)


def pair_of(source: str, destination: str) -> SelectorPair:
    """A pair in swanctl's spelling."""
    return SelectorPair(parse_traffic_selector(source), parse_traffic_selector(destination))


def is_selected(source: str, destination: str, packet: bytes) -> bool:
    """Whether one pair is for a packet."""
    return selects((pair_of(source, destination),), flow_of(parse_ip(packet)))


TELNET = ipv4("10.1.0.1", "10.2.0.2", tcp("10.1.0.1", "10.2.0.2", b"", (40000, 23)), 6)
LATER_FRAGMENT = ipv4("10.1.0.1", "10.2.0.2", bytes(64), 6, flags=100)
FIRST_FRAGMENT = ipv4("10.1.0.1", "10.2.0.2", tcp("10.1.0.1", "10.2.0.2", b"", (40000, 23)), 6, flags=0x2000)
ECHO = ipv4("10.1.0.1", "10.2.0.2", b"\x08\0" + bytes(30), 1)


@pytest.mark.parametrize(
    ("source", "destination", "packet", "expected"),
    [
        ("10.1.0.0/16", "10.2.0.0/16", TELNET, True),
        ("10.1.0.1-10.1.0.1", "10.2.0.2/32", TELNET, True),
        ("10.1.0.2-10.1.0.9", "10.2.0.0/16", TELNET, False),
        ("10.1.0.0/16", "10.3.0.0/16", TELNET, False),
        ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/23]", TELNET, True),
        ("10.1.0.0/16[tcp/23]", "10.2.0.0/16[tcp]", TELNET, False),
        ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/24-80]", TELNET, False),
        ("10.1.0.0/16[udp]", "10.2.0.0/16[udp]", TELNET, False),
        ("10.1.0.0/16[tcp/1024-65535]", "10.2.0.0/16", TELNET, True),
        ("::/0", "::/0", TELNET, False),
        # A fragment that is not the first shows no port: a port is not known to fit.
        ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/23]", FIRST_FRAGMENT, True),
        ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/23]", LATER_FRAGMENT, False),
        ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp]", LATER_FRAGMENT, True),
        # ICMP type and code as one number (RFC 7296 section 3.13.1): 8 and 0 are 2048.
        ("10.1.0.0/16[icmp/2048]", "10.2.0.0/16[icmp/2048]", ECHO, True),
        ("10.1.0.0/16[icmp/0-255]", "10.2.0.0/16[icmp/0-255]", ECHO, False),
        ("10.1.0.0/16[icmp]", "10.2.0.0/16", ECHO, True),
    ],
)
def test_selectors(source: str, destination: str, packet: bytes, expected: bool) -> None:
    assert is_selected(source, destination, packet) is expected


def test_opaque_is_for_packets_that_show_no_port() -> None:
    opaque = replace(subnet("10.1.0.0/16"), protocol=6, start_port=OPAQUE[0], end_port=OPAQUE[1])
    pair = SelectorPair(opaque, replace(opaque, start=0, end=2**32 - 1))
    assert selects((pair,), flow_of(parse_ip(LATER_FRAGMENT)))
    assert not selects((pair,), flow_of(parse_ip(TELNET)))
    # Of a protocol without ports, and of one that is cut off.
    any_protocol = replace(opaque, protocol=0)
    for packet in (ipv4("10.1.0.1", "10.1.0.2", b"", 47), ipv4("10.1.0.1", "10.1.0.2", b"\0", 6)):
        assert selects((SelectorPair(any_protocol, any_protocol),), flow_of(parse_ip(packet)))


def test_the_flow_of_a_packet_with_extension_headers() -> None:
    options = b"\x06\0" + bytes(6)
    packet = ipv6(*ADDRESSES[6], options + tcp(*ADDRESSES[6], b"", (40000, 23)), 60)
    flow = flow_of(parse_ip(packet))
    assert (flow.protocol, flow.source_port, flow.destination_port) == (6, 40000, 23)
    later = b"\x06\0" + struct.pack("!HI", 1208, 5)
    flow = flow_of(parse_ip(ipv6(*ADDRESSES[6], later + tcp(*ADDRESSES[6], b""), 44)))
    assert (flow.protocol, flow.source_port) == (6, None)


def policy(
    action: Action, priority: int, *pairs: SelectorPair, direction: Direction = Direction.OUTBOUND
) -> PolicyConfiguration:
    """A policy with reqid 1."""
    return PolicyConfiguration(direction, pairs or ANYTHING, action, 1, priority)


def test_the_lowest_number_goes_first_and_then_the_oldest() -> None:
    database = PolicyDatabase()
    late, early = policy(Action.DISCARD, 1000), policy(Action.BYPASS, 1000, *ANYTHING[:1])
    database.add(late)
    database.add(early)
    flow = flow_of(parse_ip(TELNET))
    assert database.find(Direction.OUTBOUND, flow) is late
    first = policy(Action.PROTECT, 10)
    database.add(first)
    assert database.find(Direction.OUTBOUND, flow) is first
    database.remove(first)
    database.remove(first)
    database.remove(late)
    assert database.find(Direction.OUTBOUND, flow) is early
    assert database.find(Direction.INBOUND, flow) is None
    with pytest.raises(DataPlaneError, match="is there already"):
        database.add(policy(Action.BYPASS, 1000, *ANYTHING[:1]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=12), st.integers(0, 4))
def test_order_against_a_sorted_list(rows: list[tuple[int, int]], wanted: int) -> None:
    database, reference = PolicyDatabase(), []
    for number, (priority, net) in enumerate(rows):
        selector = subnet(f"10.{net}.0.0/16")
        entry = PolicyConfiguration(
            Direction.INBOUND, (SelectorPair(selector, selector),), Action.PROTECT, number, priority
        )
        database.add(entry)
        reference.append((priority, number, net))
    expected = min((row for row in reference if row[2] == wanted), default=None)
    found = database.find(
        Direction.INBOUND, flow_of(parse_ip(udp_packet(4, 60, (f"10.{wanted}.0.1", f"10.{wanted}.0.2"))))
    )
    assert (found and found.reqid) == (expected and expected[1])


def fresh() -> EspProcessing:
    """An end without SAs and policies."""
    return EspProcessing(cryptography(), random.Random("fresh").randbytes)


@pytest.mark.parametrize("version", [4, 6])
def test_protect_bypass_and_discard_outbound(version: int) -> None:
    end, packet = fresh(), udp_packet(version, 100)
    assert end.protect(packet, 1.0) == end.protect(packet, 1.0) == Output()
    assert end.dropped == {"XfrmOutPolBlock": 2}  # what no policy is for, is dropped
    protect, discard, bypass = policy(Action.PROTECT, 30), policy(Action.DISCARD, 20), policy(Action.BYPASS, 10)
    end.add_policy(protect)
    end.protect(packet, 1.0)
    assert end.dropped == {"XfrmOutPolBlock": 2, "XfrmOutNoStates": 1}
    end.add_sa(sa_of(), 1.0)
    assert len(end.protect(packet, 1.0).outside) == 1
    end.add_policy(discard)
    assert end.protect(packet, 1.0).outside == []
    assert end.dropped == {"XfrmOutPolBlock": 3, "XfrmOutNoStates": 1}
    end.add_policy(bypass)
    output = end.protect(packet, 1.0)
    assert (output.bypassed, output.outside) == ([packet], [])
    end.remove_policy(bypass)
    end.remove_policy(discard)
    assert len(end.protect(packet, 1.0).outside) == 1


def inbound_policy(action: Action, reqid: int = 1) -> PolicyConfiguration:
    """A policy of received packets."""
    return PolicyConfiguration(Direction.INBOUND, ANYTHING, action, reqid, 1)


@pytest.mark.parametrize(
    ("policies", "counter"),
    [
        ([], "XfrmInNoPols"),
        ([inbound_policy(Action.DISCARD)], "XfrmInPolBlock"),
        ([inbound_policy(Action.BYPASS)], "XfrmInTmplMismatch"),
        ([inbound_policy(Action.PROTECT, 2)], "XfrmInTmplMismatch"),
        ([inbound_policy(Action.PROTECT)], None),
    ],
)
def test_what_came_by_an_sa_must_have_come_by_it(policies: list[PolicyConfiguration], counter: str | None) -> None:
    pair = Pair(sa_of())
    pair.second.remove_policy(PolicyConfiguration(Direction.INBOUND, ANYTHING, Action.PROTECT, 1))
    for each in policies:
        pair.second.add_policy(each)
    packet = udp_packet(4, 100)
    assert pair.carried(packet) == ([packet] if counter is None else [])
    assert pair.second.dropped == ({} if counter is None else {counter: 1})


@pytest.mark.parametrize(
    ("policies", "counter"),
    [
        ([], "XfrmInNoPols"),
        ([inbound_policy(Action.DISCARD)], "XfrmInPolBlock"),
        ([inbound_policy(Action.PROTECT)], "XfrmInTmplMismatch"),
        ([inbound_policy(Action.BYPASS)], None),
    ],
)
def test_what_came_in_clear_needs_a_bypass(policies: list[PolicyConfiguration], counter: str | None) -> None:
    end, packet = fresh(), udp_packet(4, 100)
    for each in policies:
        end.add_policy(each)
    assert end.receive_clear(packet).inside == ([packet] if counter is None else [])
    assert end.dropped == ({} if counter is None else {counter: 1})
    end.receive_clear(packet[:-1])
    assert end.dropped["XfrmInHdrError"] == 1


@pytest.mark.parametrize(
    ("mode", "layering"),
    [(Mode.TUNNEL, Layering.NONE), (Mode.TRANSPORT, Layering.GRE), (Mode.TRANSPORT, Layering.IPIP)],
)
def test_the_selectors_of_an_sa(mode: Mode, layering: Layering) -> None:
    nets = tuple(pair_of(*NETS[version]) for version in (4, 6))
    pair = Pair(sa_of(mode=mode, layering=layering), {"selectors": nets})
    for version in (4, 6):
        packet = udp_packet(version, 100)
        assert pair.carried(packet) == [packet]
        wrong = udp_packet(version, 100, ADDRESSES[version][::-1])
        assert pair.carried(wrong) == []
    assert pair.second.dropped == {"XfrmInStateMismatch": 2}
    assert pair.second.inbound_packets == 2
    # The SA has carried all four: they were authentic.
    assert pair.second.sa_statistics(Direction.INBOUND, pair.sa.spi, 1.0).packets == 4


def test_the_newest_outbound_sa_is_used() -> None:
    end, packet = fresh(), udp_packet(4, 100)
    end.add_policy(policy(Action.PROTECT, 1))

    def spi() -> int:
        return int.from_bytes(end.protect(packet, 1.0).outside[0].content[:4])

    for number in (0x1001, 0x1002, 0x1003):
        end.add_sa(sa_of(spi=number), 1.0)
        assert spi() == number
    end.remove_sa(Direction.OUTBOUND, 0x1002)
    assert spi() == 0x1003
    end.remove_sa(Direction.OUTBOUND, 0x1003)
    end.remove_sa(Direction.OUTBOUND, 0x1003)
    assert spi() == 0x1001
    end.add_sa(sa_of(spi=0x2001, reqid=2), 1.0)
    assert spi() == 0x1001
    end.remove_sa(Direction.OUTBOUND, 0x1001)
    assert end.protect(packet, 1.0).outside == []


def test_inbound_sas_live_side_by_side() -> None:
    pair = Pair(sa_of())
    old, _ = pair.sealed(udp_packet(4, 100)), None
    pair.second.add_sa(replace(pair.inbound, spi=0x5555), 1.0)
    pair.first.add_sa(replace(pair.sa, spi=0x5555), 1.0)
    new = pair.sealed(udp_packet(4, 101))
    for outer in (*new, *old):
        assert len(pair.second.receive(outer, 1.0).inside) == 1
    pair.second.remove_sa(Direction.INBOUND, pair.sa.spi)
    assert pair.second.receive(old[0], 1.0).inside == []
    assert pair.second.dropped == {"XfrmInNoStates": 1}


@pytest.mark.parametrize("direction", list(Direction))
def test_nonsense_is_refused_in_one_line(direction: Direction) -> None:
    end = fresh()
    good = sa_of(direction=direction)
    end.add_sa(good, 1.0)
    refused: list[dict[str, object]] = [
        {},
        {"spi": 0},
        {"spi": 255},
        {"spi": 2**32},
        {"spi": 0x9999, "source": "2001:db8::1"},
        {"spi": 0x9999, "source": "moon"},
        {"spi": 0x9999, "layering": Layering.GRE},
        {"spi": 0x9999, "encryption_key": sa_of("aes256gcm16").encryption_key},
        {"spi": 0x9999, "suite": sa_of("aes128-sha256").suite},
        {"spi": 0x9999, "suite": sa_of("aes128-sha256").suite, "encryption_key": sa_of("aes128-sha1").encryption_key},
        {"spi": 0x9999, "path_mtu_bytes": 100},
        {"spi": 0x9999, "path_mtu_bytes": 70000},
    ]
    if direction is Direction.INBOUND:
        refused += [{"spi": 0x9999, "replay_window_packets": width} for width in (-1, 2**31)]
    for changes in refused:
        with pytest.raises(DataPlaneError) as caught:
            end.add_sa(replace(good, **changes), 1.0)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    for call in (
        lambda: end.sa_statistics(direction, 0x9999, 1.0),
        lambda: end.move_sa(direction, 0x9999, "1.1.1.1", "2.2.2.2", None),
        lambda: end.move_sa(direction, good.spi, "1.1.1.1", "::2", None),
    ):
        with pytest.raises(DataPlaneError):
            call()
    assert end.sa_statistics(direction, good.spi, 1.0).packets == 0


def test_secrets_do_not_show() -> None:
    end = fresh()
    end.add_sa(sa_of("aes128-sha256"), 1.0)
    shown = repr(sa_of("aes128-sha256")) + repr(end) + repr(end._sas.newest_outbound(1))
    for secret in (sa_of("aes128-sha256").encryption_key, sa_of("aes128-sha256").integrity_key):
        assert secret is not None
        assert secret.reveal().hex() not in shown
        assert repr(secret.reveal())[2:-1] not in shown


def test_a_selector_pair_takes_one_version() -> None:
    four, six = TrafficSelector(4, 0, 2**32 - 1), TrafficSelector(6, 0, 2**128 - 1)
    assert not selects((SelectorPair(four, six),), flow_of(parse_ip(TELNET)))
