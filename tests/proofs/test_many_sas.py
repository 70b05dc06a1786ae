"""A thousand SA pairs at once, each with packets of its own; and several threads that share one."""

from __future__ import annotations

import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Direction
from ipsecbench.lab.namespaces import Hosts
from tests.bench.iperf_flows import FlowReceiver, run_tcp
from tests.bench.manual_sas import add_sa_pair, remove_sa_pair, spi_of
from tests.bench.plane_ends import INNER_NETWORKS, agent_end, agent_ends
from tests.proofs.full_queues import dropped_by_full_queues

pytestmark = [pytest.mark.root, pytest.mark.agent]

PAIRS = 1000
WIDEST_WINDOW = 65_536
"""What the agent has at most: REPLAY_WINDOW_MAXIMUM of agent/src/operation.h."""
ANY = "0.0.0.0"  # noqa: S104  inside a namespace


def address(number: int) -> str:
    """Address behind the second host that SA pair ``number`` is for."""
    return f"10.2.{100 + number // 250}.{1 + number % 250}"


def test_every_sa_of_a_thousand_carries_its_own_packet(hosts: Hosts) -> None:
    with agent_ends(hosts) as (local, peer):
        for number in range(PAIRS):
            add_sa_pair(
                local, peer, "aes128gcm16", number, local_network="10.1.0.1/32", peer_network=f"{address(number)}/32"
            )
        with hosts.local.udp_socket(0, "10.1.0.1") as sender, hosts.peer.udp_socket(9, ANY) as sink:
            sink.settimeout(2.0)
            for number in range(PAIRS):
                sender.sendto(number.to_bytes(4, "big"), (address(number), 9))
                assert sink.recv(100) == number.to_bytes(4, "big")
            for end, direction in ((local, Direction.OUTBOUND), (peer, Direction.INBOUND)):
                carried = [
                    end.plane.sa_statistics(direction, spi_of(number, to_peer=True)).packets for number in range(PAIRS)
                ]
                assert carried == [1] * PAIRS
            assert local.plane.statistics().outbound_packets == peer.plane.statistics().inbound_packets == PAIRS
            remove_sa_pair(local, peer, 500)
            check_gone(sender, sink)
            with pytest.raises(DataPlaneError):
                peer.plane.sa_statistics(Direction.INBOUND, spi_of(500, to_peer=True))
        assert local.plane.statistics().dropped == {"XfrmOutNoStates": 1}
        assert not {name for name, count in peer.plane.statistics().dropped.items() if count}


def check_gone(sender: socket.socket, sink: socket.socket) -> None:
    """Packets for SA pair 500 go nowhere; those for its neighbours do."""
    for number in (500, 499, 501):
        sender.sendto(number.to_bytes(4, "big"), (address(number), 9))
    assert [int.from_bytes(sink.recv(100), "big") for _ in range(2)] == [499, 501]


def test_threads_that_share_an_sa_never_look_like_replays(hosts: Hosts, iperf3: None) -> None:
    address = hosts.peer.inner_ipv4
    with contextlib.ExitStack() as stack:
        local = stack.enter_context(agent_end(hosts.local, INNER_NETWORKS[1], queues=3))
        peer = stack.enter_context(agent_end(hosts.peer, INNER_NETWORKS[0], queues=3))
        # A thread that loses its processor between numbering a burst and sending it is late by all that the others send
        # meanwhile, which no narrow window holds.
        add_sa_pair(local, peer, "aes128gcm16", replay_window_packets=WIDEST_WINDOW)
        receivers = [stack.enter_context(FlowReceiver(hosts.peer, address, port)) for port in range(5201, 5207)]
        # The kernel spreads flows over the queues; all of them are sealed with one SA.
        with ThreadPoolExecutor(len(receivers)) as pool:
            flows = list(pool.map(lambda each: run_tcp(hosts.local, hosts.local.inner_ipv4, each, 1), receivers))
        assert min(flow.bytes_received for flow in flows) > 0
        sealed = local.plane.sa_statistics(Direction.OUTBOUND, spi_of(0, to_peer=True))
        opened = peer.plane.sa_statistics(Direction.INBOUND, spi_of(0, to_peer=True))
        assert sealed.packets - dropped_by_full_queues(hosts) * 64 <= opened.packets <= sealed.packets
        assert (opened.replayed, opened.forged) == (0, 0)
        assert {name: count for name, count in peer.plane.statistics().dropped.items() if count} == {}
