"""Much traffic at once: TCP and UDP both ways, SAs replaced under it, several queues, an agent that dies."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Direction, Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.namespaces import Host, Hosts
from tests.agent_esp.conftest import NORMAL, SANITIZED, require
from tests.agent_esp.planes import Pair, both_ends, connect, plane_pair, policy, sa

pytestmark = [pytest.mark.agent, pytest.mark.root]


def iperf(pair: Pair, *options: str, target: str = "10.2.0.1", seconds: int = 1) -> dict[str, Any]:
    """A run of iperf3 from the local host to the peer; its own report."""
    require(None if shutil.which("iperf3") else "no iperf3: apt install iperf3")
    server = pair.peer.host.start("iperf3", "-s", "-1")
    try:
        deadline = time.monotonic() + 10
        while True:
            done = pair.local.host.run("iperf3", "-J", "-c", target, "-t", str(seconds), *options)
            report: dict[str, Any] = json.loads(done.stdout)
            if "refused" not in report.get("error", "") or time.monotonic() > deadline:
                break
            time.sleep(0.1)
    finally:
        server.kill()
        server.wait()
    assert "error" not in report, report["error"]
    return report


def test_tcp_both_ways(pair: Pair) -> None:
    connect(pair)
    for target in ("10.2.0.1", "2001:db8:2::1"):
        for options in ((), ("-R",)):
            report = iperf(pair, *options, target=target)
            assert report["end"]["sum_received"]["bytes"] > 1_000_000
    assert pair.local.drops() == pair.peer.drops() == {}
    counts = pair.local.plane.counts()
    # Large packets go in and out: far fewer calls than packets.
    assert counts["calls"]["sends"] * 4 < counts["outbound_packets"]
    assert counts["calls"]["tun_writes"] * 2 < counts["inbound_packets"]


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "protocol-50"])
@pytest.mark.parametrize("suite", ["aes128-sha256", "chacha20poly1305", "null-sha1"])
def test_tcp_with_other_suites(normal_pair: Pair, suite: str, udp: bool) -> None:
    connect(normal_pair, suite, udp=udp)
    assert iperf(normal_pair)["end"]["sum_received"]["bytes"] > 1_000_000
    assert normal_pair.local.drops() == normal_pair.peer.drops() == {}


def test_tcp_without_offloads(hosts: Hosts) -> None:
    with plane_pair(hosts, path=NORMAL, vnet_header=False) as pair:
        connect(pair, mode=Mode.TRANSPORT, layering=Layering.GRE)
        assert iperf(pair)["end"]["sum_received"]["bytes"] > 1_000_000
        assert pair.local.drops() == pair.peer.drops() == {}


def test_udp_arrives_as_it_was_sent(pair: Pair) -> None:
    connect(pair)
    report = iperf(pair, "-u", "-b", "20M", "-l", "1000")
    assert report["end"]["sum"]["packets"] > 1000
    sealed = pair.local.plane.statistics().outbound_packets
    assert pair.peer.plane.statistics().inbound_packets == sealed
    assert pair.local.drops() == pair.peer.drops() == {}


@pytest.mark.parametrize("binary", [NORMAL, SANITIZED], ids=["normal", "sanitized"])
def test_several_queues_share_one_sa(hosts: Hosts, binary: Path) -> None:
    with plane_pair(hosts, path=binary, queues=2) as pair:
        connect(pair, "aes128-sha1", replay_window_packets=4096)
        for options in (("-P", "12"), ("-P", "12", "-R")):
            assert iperf(pair, *options)["end"]["sum_received"]["bytes"] > 1_000_000
        for side in (pair.local, pair.peer):
            counts = side.plane.counts()
            assert all(thread["outbound_packets"] > 0 for thread in counts["threads"])
            # Packets of two threads may overtake each other, but none has a number that another has.
            assert set(side.drops()) <= {"XfrmInStateSeqError"}
        received = pair.peer.plane.statistics().inbound_packets
        assert received <= pair.local.plane.statistics().outbound_packets


class Stream:
    """Numbered datagrams from the local host to the peer's network, one each time they are asked for."""

    def __init__(self, pair: Pair, target: str = "10.2.0.1") -> None:
        self.receiver = pair.peer.host.udp_socket(9000, target)
        self.sender = pair.local.host.udp_socket(9000, "10.1.0.1")
        self.receiver.settimeout(5)
        self.receiver.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        self.target = target
        self.number = self.arrived = 0

    def send(self, count: int) -> None:
        """So many more."""
        for _ in range(count):
            self.sender.sendto(b"%d" % self.number, (self.target, 9000))
            self.number += 1

    def all_arrived(self) -> bool:
        """Whether each that was sent since the last call came once, in order."""
        expected = list(range(self.arrived, self.number))
        self.arrived = self.number
        return [int(self.receiver.recv(100)) for _ in expected] == expected

    def close(self) -> None:
        """Close both sockets."""
        self.receiver.close()
        self.sender.close()


@pytest.fixture
def stream(pair: Pair) -> Iterator[Stream]:
    """Numbered datagrams over a connected pair."""
    connect(pair, replay_window_packets=1024)
    with contextlib.closing(Stream(pair)) as made:
        yield made


def test_sas_are_replaced_under_traffic(pair: Pair, stream: Stream) -> None:
    out = sa()
    for generation in range(1, 40):
        stream.send(5)
        new, into = both_ends(replace(out, spi=0x1001 + 16 * generation))
        pair.peer.plane.add_sa(into)
        stream.send(5)
        pair.local.plane.add_sa(new)
        stream.send(5)
        pair.local.plane.remove_sa(Direction.OUTBOUND, new.spi - 16)
        stream.send(5)
        # Nothing of the old SA is on its way any more when all has arrived.
        assert stream.all_arrived()
        pair.peer.plane.remove_sa(Direction.INBOUND, new.spi - 16)
    assert pair.local.drops() == pair.peer.drops() == {}


def test_many_policies_and_sas(normal_pair: Pair) -> None:
    pair = normal_pair
    connect(pair)
    for number in range(500):
        there = f"10.{{}}.{8 + number // 250}.{number % 250}/32"
        pair.local.plane.add_policy(policy(1, Direction.OUTBOUND, (there,), priority=500, reqid=1000 + number))
        pair.local.plane.add_sa(replace(sa(), spi=0x10000 + number, reqid=1000 + number))
    assert pair.local.plane.counts()["sas"] == 502
    assert pair.ping() == 3
    with contextlib.closing(pair.local.host.udp_socket(9000, "10.1.0.1")) as sender:
        sender.sendto(b"to a policy of its own", ("10.2.8.3", 9000))
        deadline = time.monotonic() + 5
        while not pair.peer.drops().get("XfrmInNoStates") and time.monotonic() < deadline:
            time.sleep(0.01)
    # That policy is for 10.1.8.3 only: the packet went by the general one, and the peer has no host to take it.
    assert pair.local.plane.sa_statistics(Direction.OUTBOUND, 0x10003).packets == 0
    assert pair.local.plane.sa_statistics(Direction.OUTBOUND, 0x1001).packets >= 4


def interface_is_there(host: Host) -> bool:
    """Whether the TUN device exists."""
    return host.run("ip", "link", "show", "ipsec0").returncode == 0


def test_an_agent_killed_in_mid_flow(pair: Pair, stream: Stream) -> None:
    stream.send(100)
    os.kill(pair.local.plane.pid, signal.SIGKILL)
    with pytest.raises(DataPlaneError, match="signal 9") as refusal:
        pair.local.plane.statistics()
    assert "\n" not in str(refusal.value)
    deadline = time.monotonic() + 5
    while interface_is_there(pair.local.host) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not interface_is_there(pair.local.host)
    pair.local.plane.close()
    pair.local.plane.close()
    with pytest.raises(DataPlaneError, match="closed"):
        pair.local.plane.add_sa(sa())


def test_descriptors_of_nothing_are_refused(agent_path: Path) -> None:
    from ipsecbench.dataplane.agent import AgentPlane

    left, right = socket.socketpair()
    with pytest.raises(DataPlaneError, match="at least one"):
        AgentPlane(tun_fds=[], path=agent_path)
    with pytest.raises(DataPlaneError, match="name one for each"):
        AgentPlane(tun_fds=[left.fileno()], cores=[0, 1], path=agent_path)
    with pytest.raises(DataPlaneError, match="does not start"):
        AgentPlane(tun_fds=[left.detach()], path=Path("/nonexistent/agent"))
    right.close()
