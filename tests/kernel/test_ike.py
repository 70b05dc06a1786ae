"""Our IKE over the kernel's ESP at one end or both: real packets, rekeying under traffic, a NAT, and iperf3."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from ipsecbench.dataplane.child_traffic import ChildTraffic
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.namespaces import Hosts, two_hosts
from tests.dataplane.ends import Case, UdpFlow, ends, inner, ping, transfer
from tests.kernel.ends import PATIENCE_SECONDS, kernel_throughput

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.kernel_esp, pytest.mark.agent]
TUNNEL, TRANSPORT = Case(), Case(mode=Mode.TRANSPORT)
RUNS = {
    "tunnel, IKEv1": (1, TUNNEL, "kernel", "kernel"),
    "in UDP": (2, TUNNEL.changed(encap=True, esp="aes128-sha256-esn"), "kernel", "agent"),
    "in UDP, IKEv1": (1, TUNNEL.changed(encap=True, esp="aes128-sha1"), "agent", "kernel"),
    "IPv6 in IPv6": (2, TUNNEL.changed(inner=6, outer=6, esp="chacha20poly1305"), "kernel", "agent"),
    "transport": (2, TRANSPORT, "agent", "kernel"),
    "transport, in UDP": (2, TRANSPORT.changed(encap=True), "kernel", "kernel"),
    "IP in IP": (2, TRANSPORT.changed(traffic=ChildTraffic(Layering.IPIP)), "agent", "kernel"),
    "the readable ESP": (2, TUNNEL.changed(esp="aes128ccm16"), "reference", "kernel"),
}


@pytest.mark.parametrize("name", RUNS)
def test_packets_go_both_ways(hosts: Hosts, name: str) -> None:
    version, case, first, second = RUNS[name]
    with ends(hosts, case.changed(version=version), (first, second)) as (a, b):
        (child,) = a.initiate(timeout=10 * PATIENCE_SECONDS)
        b.wait_for_child(timeout=10 * PATIENCE_SECONDS)
        assert child.udp_encapsulation == case.encap
        here, there = inner(hosts.local, case), inner(hosts.peer, case)
        for size in (56, 1200):
            assert ping(hosts.local, here, there, size=size) == 0
            assert ping(hosts.peer, there, here, size=size) == 0
        assert transfer(hosts.local, hosts.peer, there, 200_000) == 200_000
        assert transfer(hosts.peer, hosts.local, here, 200_000) == 200_000
        time.sleep(0.3)
        for peer in (a, b):
            statistics = peer.statistics()
            assert not {key: count for key, count in statistics.dropped.items() if count}
            ((_, inbound, outbound),) = peer.traffic()
            assert inbound.bytes > 200_000
            assert outbound.bytes > 200_000
            assert (inbound.replayed, inbound.forged) == (0, 0)
    for host in (hosts.local, hosts.peer):
        assert host.run("ip", "xfrm", "state").stdout == ""
        assert host.run("ip", "xfrm", "policy").stdout == ""


@pytest.mark.parametrize(
    ("version", "planes"),
    [(1, ("kernel", "kernel")), (2, ("kernel", "kernel")), (2, ("kernel", "agent"))],
    ids=["IKEv1", "IKEv2", "IKEv2, with the agent"],
)
def test_rekeying_under_traffic_loses_nothing(hosts: Hosts, version: int, planes: tuple[str, str]) -> None:
    case = TUNNEL.changed(version=version)
    with ends(hosts, case, planes) as (a, b):
        a.initiate(timeout=10 * PATIENCE_SECONDS)
        b.wait_for_child(timeout=10 * PATIENCE_SECONDS)
        here, there = inner(hosts.local, case), inner(hosts.peer, case)
        assert ping(hosts.local, here, there) == 0
        flows = [
            UdpFlow(hosts.local, hosts.peer, here, there, per_second=100),
            UdpFlow(hosts.peer, hosts.local, there, here, per_second=100),
        ]
        try:
            for peer in (a, b):
                before = peer.child_sas[0].inbound_spi
                assert peer.rekey_child(timeout=10 * PATIENCE_SECONDS).inbound_spi != before
            a.rekey_ike(timeout=10 * PATIENCE_SECONDS)
            time.sleep(1)
        finally:
            counts = [flow.stop() for flow in flows]
        for sent, lost in counts:
            assert sent > 10
            assert lost == 0


@pytest.fixture
def natted() -> Iterator[Hosts]:
    with two_hosts(nat=True) as hosts:
        hosts.local.run("ip", "route", "add", "10.2.0.0/16", "via", "198.51.100.1", "src", "10.1.0.1")
        hosts.peer.run("ip", "route", "add", "10.1.0.0/16", "via", "192.0.2.1", "src", "10.2.0.1")
        yield hosts


@pytest.mark.parametrize("version", [1, 2])
def test_through_a_nat(natted: Hosts, version: int) -> None:
    case = TUNNEL.changed(version=version)
    with ends(natted, case, ("kernel", "kernel")) as (a, b):
        (child,) = a.initiate(timeout=10 * PATIENCE_SECONDS)
        b.wait_for_child(timeout=10 * PATIENCE_SECONDS)
        assert child.udp_encapsulation
        here, there = inner(natted.local, case), inner(natted.peer, case)
        assert ping(natted.local, here, there) == 0
        assert ping(natted.peer, there, here) == 0
        assert transfer(natted.local, natted.peer, there, 100_000) == 100_000
        assert transfer(natted.peer, natted.local, here, 100_000) == 100_000
        statistics = b.statistics()
        assert not {key: count for key, count in statistics.dropped.items() if count}


def test_iperf3_goes_through(hosts: Hosts) -> None:
    """Function, not speed: an emulated processor says nothing about a real one."""
    case = TUNNEL
    with ends(hosts, case, ("kernel", "kernel")) as (a, b):
        a.initiate(timeout=10 * PATIENCE_SECONDS)
        b.wait_for_child(timeout=10 * PATIENCE_SECONDS)
        measured = kernel_throughput(hosts, inner(hosts.local, case), inner(hosts.peer, case), seconds=2)
        print(json.dumps(measured))
        assert measured["received_bytes"] > 100_000
        ((_, inbound, _),) = b.traffic()
        assert inbound.bytes > measured["received_bytes"]
        statistics = b.statistics()
        assert not {key: count for key, count in statistics.dropped.items() if count}
