"""Two ends of ours with every pair of data planes: they negotiate, and real packets go both ways."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.dataplane.child_traffic import ChildTraffic
from ipsecbench.dataplane.interface import PlaneStatistics
from ipsecbench.errors import UsageError
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.namespaces import Hosts, two_hosts
from ipsecbench.lab.own_peer import OwnPeer
from tests.dataplane.ends import Case, ends, inner, ping, transfer

pytestmark = pytest.mark.root

TUNNEL, TRANSPORT = Case(), Case(mode=Mode.TRANSPORT)
CASES = {
    "tunnel": TUNNEL,
    "tunnel, in UDP": TUNNEL.changed(encap=True),
    "tunnel, IPv6 inside": TUNNEL.changed(inner=6, encap=True),
    "tunnel over IPv6": TUNNEL.changed(outer=6, esp="aes256-sha512", plane={"mtu_bytes": 1360}),
    "tunnel, IPv6 in IPv6 in UDP": TUNNEL.changed(inner=6, outer=6, encap=True, esp="aes256ctr-aesxcbc"),
    "transport": TRANSPORT,
    "transport, in UDP": TRANSPORT.changed(encap=True, esp="aes128-sha1"),
    "transport over IPv6": TRANSPORT.changed(outer=6),
    "transport over IPv6, in UDP": TRANSPORT.changed(outer=6, encap=True),
    "GRE": TRANSPORT.changed(traffic=ChildTraffic(Layering.GRE)),
    "GRE with IPv6 inside, over IPv6": TRANSPORT.changed(traffic=ChildTraffic(Layering.GRE), inner=6, outer=6),
    "IP in IP": TRANSPORT.changed(traffic=ChildTraffic(Layering.IPIP), encap=True),
}
BOTH_WAYS = [("agent", "reference"), ("agent", "agent")]
"""Pairs that are tried with every case; packets go both ways in each."""
ROWS = [(name, *planes) for planes in BOTH_WAYS for name in CASES]
ROWS += [("tunnel", "reference", "reference"), ("tunnel, in UDP", "reference", "agent"), ("GRE", "reference", "agent")]


@pytest.fixture
def natted(root: None) -> Iterator[Hosts]:
    with two_hosts(nat=True) as hosts:
        yield hosts


def assert_traffic(hosts: Hosts, case: Case) -> None:
    """Pings of all sizes and a TCP stream, both ways, without any loss."""
    here, there = inner(hosts.local, case), inner(hosts.peer, case)
    # What is larger than the TUN device comes in fragments, which transport mode does not take (RFC 4301 section 4.1).
    fragments = case.mode is Mode.TUNNEL or case.traffic is not None
    for size in (56, 1300, 4000) if fragments else (56, 1300):
        assert ping(hosts.local, here, there, size=size) == 0
        assert ping(hosts.peer, there, here, size=size) == 0
    assert transfer(hosts.local, hosts.peer, there, 400_000) == 400_000
    assert transfer(hosts.peer, hosts.local, here, 400_000) == 400_000


def settled(peer: OwnPeer) -> PlaneStatistics:
    """What a data plane has counted once nothing comes any more: the last acknowledgements of TCP are under way."""
    for _ in range(50):
        before = peer.statistics()
        time.sleep(0.1)
        after = peer.statistics()
        if (before.inbound_packets, before.outbound_packets) == (after.inbound_packets, after.outbound_packets):
            return after
    raise AssertionError("packets go on and on")


@pytest.mark.parametrize(("name", "first", "second"), ROWS)
def test_packets_go_both_ways(hosts: Hosts, name: str, first: str, second: str) -> None:
    # Every other case is negotiated by IKEv1, whichever the planes are.
    case = CASES[name].changed(version=1 + ROWS.index((name, first, second)) % 2)
    with ends(hosts, case, (first, second)) as (a, b):
        (child,) = a.initiate()
        b.wait_for_child()
        assert child.udp_encapsulation == case.encap
        assert_traffic(hosts, case)
        for peer in (a, b):
            statistics = settled(peer)
            # Everything went through here, and nothing was dropped but what no policy admits.
            assert statistics.outbound_bytes > 400_000
            assert statistics.inbound_bytes > 400_000
            assert not {name: count for name, count in statistics.dropped.items() if count}
            ((_, inbound, outbound),) = peer.traffic()
            assert inbound.packets == statistics.inbound_packets
            assert outbound.packets == statistics.outbound_packets
            assert (inbound.replayed, inbound.forged) == (0, 0)


@pytest.mark.parametrize(
    ("name", "first", "second", "version"),
    [("tunnel", "agent", "agent", 1), ("tunnel", "agent", "reference", 2), ("IP in IP", "reference", "agent", 1)],
)
def test_a_nat_between_makes_no_difference(natted: Hosts, name: str, first: str, second: str, version: int) -> None:
    case = CASES[name].changed(version=version)
    with ends(natted, case, (first, second)) as (a, b):
        (child,) = a.initiate()
        b.wait_for_child()
        assert child.udp_encapsulation
        assert_traffic(natted, case)


@pytest.mark.parametrize("plane", ["reference", "agent"])
def test_transport_mode_through_a_nat(natted: Hosts, plane: str) -> None:
    # Checksums of TCP are over addresses that the NAT has changed: the receiver mends them (RFC 3948 section 3.1.2).
    case = CASES["transport"]
    with ends(natted, case, (plane, plane)) as (a, b):
        a.initiate()
        b.wait_for_child()
        assert ping(natted.local, natted.local.ipv4, natted.peer.ipv4) == 0
        assert transfer(natted.local, natted.peer, natted.peer.ipv4, 100_000) == 100_000


@pytest.mark.parametrize("plane", ["reference", "agent"])
def test_nothing_is_left_afterwards_and_nothing_goes_in_clear_before(hosts: Hosts, plane: str) -> None:
    def state() -> list[str]:
        looks = (("ip", "-o", "link"), ("ip", "rule"), ("ip", "-6", "rule"), ("ip", "route", "show", "table", "all"))
        lines = [line for words in looks for line in hosts.local.run(*words).stdout.splitlines()]
        # The link-local address of the veth comes when it likes.
        return [line for line in lines if "fe80:" not in line]

    before = state()
    with ends(hosts, TUNNEL, (plane, plane)) as (a, b):
        assert state() != before
        # No SA yet: the packets end in the data plane.
        assert ping(hosts.local, "10.1.0.1", "10.2.0.1", count=1) == 1
        assert "10.2.0.0/16" in hosts.local.run("ip", "route", "show", "table", "all").stdout
        a.initiate()
        b.wait_for_child()
        assert ping(hosts.local, "10.1.0.1", "10.2.0.1", count=1) == 0
        a.stop()
        assert not b.child_sas
    assert state() == before
    assert not [row for row in json.loads(hosts.peer.run("ip", "-j", "link").stdout) if row["ifname"] == "ipsec0"]


def test_a_running_daemon_keeps_its_port(hosts: Hosts) -> None:
    with (
        ends(hosts, TUNNEL, ("reference", "reference")) as (a, _b),
        pytest.raises(UsageError, match=r"cannot use UDP .*: it is in use"),
    ):
        OwnPeer(hosts.local, a.configuration, None).start()


def test_the_package_is_found_from_here() -> None:
    """The process that keeps the routes imports this very checkout."""
    import ipsecbench

    assert Path(ipsecbench.__file__).is_relative_to(Path(__file__).resolve().parents[2])
