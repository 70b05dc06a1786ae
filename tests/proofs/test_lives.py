"""SAs that run out are replaced in time, paths that change are followed, and a peer that was away is found again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipsecbench.dataplane import agent
from ipsecbench.dataplane.agent import AgentPlane
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import SaConfiguration
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.own_peer import OwnPeer
from tests.bench.iperf_flows import FlowReceiver, run_udp
from tests.dataplane.ends import Case, end, ends, ping
from tests.lab.conftest import require
from tests.proofs.full_queues import dropped_by_full_queues

pytestmark = [pytest.mark.root, pytest.mark.agent]

TUNNEL = Case(esp="aes128gcm16", encap=True)
AGENTS = ("agent", "agent")


def wait_for(what: Callable[[], bool], seconds: float = 8.0) -> None:
    """Return when something is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


def spis(peer: OwnPeer) -> set[int]:
    """Inbound SPIs of its Child SAs."""
    return {int.from_bytes(child.inbound_spi, "big") for child in peer.child_sas}


@pytest.fixture
def natted() -> Iterator[Hosts]:
    require(namespaces.missing_prerequisite())
    with two_hosts(nat=True) as made:
        yield made


LIVES = {
    "packets": Lifetime(packets=Limit(1000, 100_000)),
    "bytes": Lifetime(bytes=Limit(1_000_000, 100_000_000)),
    "seconds": Lifetime(seconds=Limit(1.0, 30.0)),
}


@pytest.mark.parametrize(("kind", "version"), [("packets", 1), ("bytes", 2), ("seconds", 1), ("seconds", 2)])
def test_a_soft_limit_leads_to_rekeying_without_loss(hosts: Hosts, iperf3: None, kind: str, version: int) -> None:
    case = TUNNEL.changed(version=version, child={"lifetime": LIVES[kind]})
    with ends(hosts, case, AGENTS) as (local, peer), FlowReceiver(hosts.peer, hosts.peer.inner_ipv4) as receiver:
        local.initiate()
        peer.wait_for_child()
        first = spis(peer)
        # 1000 packets of 1100 octets a second.
        flow = run_udp(hosts.local, hosts.local.inner_ipv4, receiver, 3, 1000 * 1072 * 8, 1072)
        # IKEv1 lets the old one be until its life is over.
        assert spis(peer) - first
        assert flow.sent > 2700
        assert flow.lost == 0 or dropped_by_full_queues(hosts) > 0
        for each in (local, peer):
            assert {name: count for name, count in each.statistics().dropped.items() if count} == {}


def test_an_sa_without_numbers_left_is_replaced(hosts: Hosts, iperf3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    almost = 2**32 - 1 - 1500
    numbered: list[int] = []
    plain = agent.sa_order

    def order(sa: SaConfiguration) -> dict[str, Any]:
        """The first SA in each direction begins just before the last number."""
        fields = plain(sa)
        if len(numbered) < 4:
            numbered.append(sa.spi)
            fields["sequence"] = almost
        return fields

    monkeypatch.setattr(agent, "sa_order", order)
    with ends(hosts, TUNNEL, AGENTS) as (local, peer), FlowReceiver(hosts.peer, hosts.peer.inner_ipv4) as receiver:
        local.initiate()
        peer.wait_for_child()
        assert spis(peer) <= set(numbered)
        flow = run_udp(hosts.local, hosts.local.inner_ipv4, receiver, 4, 1000 * 500 * 8, 500)
        assert not spis(peer) & set(numbered)
        # The number cycles in no case (RFC 4303 section 3.3.3): what cannot be sent is dropped, and counted as that.
        refused = local.statistics().dropped.get("XfrmOutStateSeqError", 0)
        assert flow.lost <= refused or dropped_by_full_queues(hosts) > 0
        assert flow.lost < flow.sent / 2
        assert {name: count for name, count in peer.statistics().dropped.items() if count} == {}
        assert ping(hosts.local, hosts.local.inner_ipv4, hosts.peer.inner_ipv4) == 0


@pytest.mark.parametrize("version", [1, 2])
def test_a_nat_that_forgets_is_followed(natted: Hosts, version: int) -> None:
    assert natted.nat is not None
    forget_after(natted.nat, 1)
    with ends(natted, TUNNEL.changed(version=version, encap=False), AGENTS) as (local, peer):
        local.initiate()
        peer.wait_for_child()
        here, there = natted.local.inner_ipv4, natted.peer.inner_ipv4
        assert ping(natted.local, here, there) == 0
        before, ports = spis(peer), peer_ports(peer)
        # Nothing is said for longer than the NAT remembers: it chooses another port for what comes then.
        time.sleep(2.1)
        forget_after(natted.nat, 60)
        ping(natted.local, here, there, count=1)
        wait_for(lambda: peer_ports(peer) != ports)
        # With the same SAs both directions work again, the peer's own packets too.
        assert ping(natted.peer, there, here, count=5) == 0
        assert spis(peer) == before
        assert {name: count for name, count in peer.statistics().dropped.items() if count} == {}


def forget_after(nat: Host, seconds: int) -> None:
    """How long a NAT remembers a mapping in silence."""
    for kind in ("", "_stream"):
        setting = f"net.netfilter.nf_conntrack_udp_timeout{kind}={seconds}"
        if nat.run("sysctl", "-q", "-w", setting).returncode:
            pytest.skip("this kernel's NAT cannot be told when to forget")


def peer_ports(peer: OwnPeer) -> set[int]:
    """UDP ports that an end has last sent its ESP packets to."""
    return {int(child.path.remote.port) for child in peer.child_sas}


def test_a_restarted_peer_gets_its_traffic_back(hosts: Hosts) -> None:
    here, there = hosts.local.inner_ipv4, hosts.peer.inner_ipv4
    with end(hosts, TUNNEL, "agent", True) as local:
        with end(hosts, TUNNEL, "agent", False) as peer:
            local.initiate()
            peer.wait_for_child()
            assert ping(hosts.local, here, there) == 0
            old = spis(local)
            peer.kill()
        # It knows nothing of the old SAs, and says so itself (INITIAL_CONTACT): the other end drops them.
        with end(hosts, TUNNEL, "agent", False) as peer:
            assert ping(hosts.local, here, there, count=1) == 1
            assert peer.statistics().dropped.get("XfrmInNoStates", 0) >= 1
            peer.initiate()
            wait_for(lambda: bool(spis(local)) and not spis(local) & old)
            assert ping(hosts.local, here, there) == 0
            assert ping(hosts.peer, there, here) == 0
            assert len(spis(local)) == len(spis(peer)) == 1


def test_an_agent_that_is_killed_takes_nothing_with_it_and_leaves_nothing(hosts: Hosts) -> None:
    with ends(hosts, TUNNEL, AGENTS) as (local, peer):
        local.initiate()
        peer.wait_for_child()
        assert isinstance(local.plane, AgentPlane)
        os.kill(local.plane.pid, signal.SIGKILL)
        driver = local.driver
        wait_for(lambda: driver.failure is not None)
        assert isinstance(driver.failure, DataPlaneError)
        assert "\n" not in str(driver.failure)
        # The peer is told, the device and the routes into it are gone, and nothing goes out in clear meanwhile.
        wait_for(lambda: not peer.child_sas)
    links = hosts.local.run("ip", "-o", "link").stdout + hosts.peer.run("ip", "-o", "link").stdout
    assert "ipsec0" not in links
    inside = subprocess.run(["ip", "netns", "pids", hosts.local.name], capture_output=True, check=True)
    assert inside.stdout == b""
