"""Not one packet is lost while SAs are rekeyed under load: both versions of IKE, both ends, ours and strongSwan's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from _pytest.mark import ParameterSet

from ipsecbench.lab.namespaces import Host, Hosts
from tests.bench.iperf_flows import FlowReceiver, UdpFlow, run_udp
from tests.dataplane.ends import Case
from tests.proofs.full_queues import dropped_by_full_queues
from tests.proofs.protected_pair import OURS, STRONGSWAN, OwnEnd, ProtectedEnd, protected_pair

pytestmark = [pytest.mark.root, pytest.mark.agent]

SECONDS = 2
PAYLOAD_BYTES = 1200
PACKETS_PER_SECOND = {OURS: 8000, STRONGSWAN: 1500}
"""What one direction carries; strongSwan's own ESP is slow, and drops packets of its own accord above that."""


def loaded(hosts: Hosts, per_second: int, meanwhile: Callable[[], None]) -> tuple[UdpFlow, UdpFlow]:
    """A flow in each direction, and something that happens while they go on."""
    flows: dict[int, UdpFlow] = {}

    def run(number: int, sender: Host, receiver: FlowReceiver) -> None:
        rate = per_second * PAYLOAD_BYTES * 8
        flows[number] = run_udp(sender, sender.inner_ipv4, receiver, SECONDS, rate, PAYLOAD_BYTES)

    with (
        FlowReceiver(hosts.peer, hosts.peer.inner_ipv4) as there,
        FlowReceiver(hosts.local, hosts.local.inner_ipv4) as back,
    ):
        threads = [
            threading.Thread(target=run, args=(0, hosts.local, there)),
            threading.Thread(target=run, args=(1, hosts.peer, back)),
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # both have connected and send
        meanwhile()
        alive = [thread.is_alive() for thread in threads]
        for thread in threads:
            thread.join()
    assert all(alive), "the flows ended before everything was done"
    return flows[0], flows[1]


def rows() -> list[ParameterSet]:
    """Both ends' kinds, version, and which end rekeys."""
    found = []
    for kinds, version, by in product(
        [(OURS, OURS), (OURS, STRONGSWAN), (STRONGSWAN, OURS)], [1, 2], ["initiator", "responder"]
    ):
        # Who set the IKE SA up matters little when ours rekeys: the second of the rows is left out.
        if kinds != (STRONGSWAN, OURS) or by == "initiator":
            found.append(pytest.param(*kinds, version, by, id=f"{'-'.join(kinds)}-v{version}-{by}"))
    return found


@pytest.mark.parametrize(("initiator", "responder", "version", "by"), rows())
def test_rekeying_under_load_loses_nothing(
    hosts: Hosts, iperf3: None, strongswan_peer: None, initiator: str, responder: str, version: int, by: str
) -> None:
    case = Case(version=version, esp="aes128gcm16", encap=True)
    with protected_pair(hosts, initiator, responder, case) as ends:
        acting: ProtectedEnd = ends[0 if by == "initiator" else 1]

        def rekey() -> None:
            for order in (acting.rekey_child, acting.rekey_ike, acting.rekey_child):
                order()
                time.sleep(0.1)

        slowest = STRONGSWAN if STRONGSWAN in (initiator, responder) else OURS
        flows = loaded(hosts, PACKETS_PER_SECOND[slowest], rekey)
        for end in ends:
            if isinstance(end, OwnEnd):
                assert {name: count for name, count in end.peer.statistics().dropped.items() if count} == {}
        # A burst of packets that finds a socket full counts as one.
        assert sum(flow.lost for flow in flows) == 0 or dropped_by_full_queues(hosts) > 0
    assert min(flow.sent for flow in flows) > 0.9 * SECONDS * PACKETS_PER_SECOND[slowest]


def test_both_ends_that_rekey_at_once_lose_nothing(hosts: Hosts, iperf3: None) -> None:
    """The nonces decide which of the two new SAs stays (RFC 7296 section 2.8.1); IKEv1 has no such rule."""
    with protected_pair(hosts, OURS, OURS, Case(esp="aes128gcm16", encap=True)) as ends:

        def collide() -> None:
            for name in ("rekey_child", "rekey_ike", "rekey_child"):
                with ThreadPoolExecutor(2) as both:
                    for order in [both.submit(getattr(each, name)) for each in ends]:
                        order.result()
                time.sleep(0.1)

        flows = loaded(hosts, PACKETS_PER_SECOND[OURS], collide)
        for end in ends:
            assert isinstance(end, OwnEnd)
            assert {name: count for name, count in end.peer.statistics().dropped.items() if count} == {}
        assert sum(flow.lost for flow in flows) == 0 or dropped_by_full_queues(hosts) > 0
