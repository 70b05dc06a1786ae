"""Two endpoints with data planes exchange packets in virtual time while SAs are replaced: none is lost.

The planes are models (``recording.py``): a packet is lost where the receiver has no SA with its SPI and its keys, or no
policy, when it arrives, as long after it was sealed as an IKE message needs.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from ipsecbench.esp.configuration import Direction
from ipsecbench.ike.lifetime import Lifetime, Limit
from tests.exchanges.network import Conditions, Node
from tests.exchanges.scenes import A, B, both, child, endpoint
from tests.unit.dataplane.recording import TrafficNetwork

pytestmark = pytest.mark.slow

NOTHING = {"A": 0, "B": 0}


def established(
    seed: int = 0, conditions: Conditions | None = None, **settings: Any
) -> tuple[TrafficNetwork, Node, Node]:
    network = TrafficNetwork(seed, conditions or Conditions())
    first, second = both(**settings)
    a, b = network.add("A", endpoint(A, first)), network.add("B", endpoint(B, second))
    a.initiate()
    network.run(5.0)
    assert a.child_sas
    assert b.child_sas
    return network, a, b


def lost(network: TrafficNetwork) -> dict[str, int]:
    assert all(each.sent for each in network.losses.values())
    return {name: each.lost for name, each in network.losses.items()}


def rekey_child(network: TrafficNetwork, node: Node) -> None:
    newest = node.child_sas[-1]
    for sa in node.sas:
        if newest in sa.child_sas:
            node.order(sa, lambda each: each.rekey_child_sa(newest.inbound_spi, network.now))
            return


def rekey_ike(network: TrafficNetwork, node: Node) -> None:
    node.order(node.sas[-1], lambda each: each.rekey(network.now))


def assert_one_pair_is_left(network: TrafficNetwork) -> None:
    network.carry(15.0, each=0.05)
    for plane in network.planes.values():
        assert len(plane.spis(Direction.INBOUND)) == len(plane.spis(Direction.OUTBOUND)) == 1
        assert len(plane.policies) == 2


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("who", ["A", "B", "both", "both, one later"])
@pytest.mark.parametrize("proposals", ["aes128-sha256", "aes128gcm16-x25519"])
def test_child_sas_are_rekeyed_in_full_traffic(version: int, who: str, proposals: str) -> None:
    network, a, b = established(version=version, children=(child(proposals=proposals),))
    for _ in range(3):
        network.carry(0.5)
        if who != "B":
            rekey_child(network, a)
        if who == "both, one later":
            network.carry(0.004)
        if who != "A":
            rekey_child(network, b)
        network.carry(7.0)
    assert lost(network) == NOTHING
    assert_one_pair_is_left(network)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("who", ["A", "B", "both"])
def test_ike_sas_are_rekeyed_in_full_traffic(version: int, who: str) -> None:
    network, a, b = established(version=version)
    before = [list(plane.calls) for plane in network.planes.values()]
    for _ in range(2):
        for node in (a, b) if who == "both" else (a,) if who == "A" else (b,):
            rekey_ike(network, node)
        network.carry(8.0, each=0.01)
    assert lost(network) == NOTHING
    # The data planes have heard nothing of it.
    assert [plane.calls for plane in network.planes.values()] == before
    rekey_child(network, b)
    network.carry(8.0)
    assert lost(network) == NOTHING
    assert_one_pair_is_left(network)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("seed", range(12))
def test_everything_at_once(version: int, seed: int) -> None:
    """Short lives, so that rekeyings of both kinds and both ends cross in all ways; nothing is lost on the network."""
    chance = random.Random(seed)
    short = Lifetime(seconds=Limit(rekey=8.0, life=30.0, rand=2.0))
    network, a, b = established(
        seed,
        Conditions(latency=(0.005, 0.015)),
        version=version,
        children=(child(lifetime=short),),
        lifetime=Lifetime(seconds=Limit(rekey=21.0, life=60.0, rand=8.0)),
    )
    for _ in range(12):
        for node in (a, b):
            if chance.random() < 0.4:
                chance.choice((rekey_child, rekey_ike))(network, node)
                network.carry(chance.choice((0.0, 0.006, 0.012, 0.5)), each=0.004, latency=0.015)
        network.carry(chance.choice((0.5, 3.0, 6.0)), each=0.004, latency=0.015)
    assert lost(network) == NOTHING


@pytest.mark.parametrize("seed", range(8))
def test_ikev2_replaces_child_sas_without_loss_where_its_own_messages_get_lost(seed: int) -> None:
    network, a, b = established(seed, version=2)
    network.set_conditions(loss=0.4)
    for _ in range(3):
        rekey_child(network, random.Random(seed).choice((a, b)))
        network.carry(20.0, each=0.01)
    assert lost(network) == NOTHING


def test_without_waiting_packets_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model notices what it is there for: an end that uses a new Child SA before the peer has it."""
    monkeypatch.setattr("ipsecbench.dataplane.child_sas.SWITCH_SECONDS", 0.0)
    monkeypatch.setattr("ipsecbench.dataplane.child_sas.LATEST_SWITCH_SECONDS", 0.0)
    network, _a, b = established(version=2)
    # The responder's new Child SA is known to the initiator only when the answer has come.
    network.set_conditions(latency=(0.1, 0.1))
    rekey_child(network, _a)
    network.carry(7.0)
    assert network.losses["B"].lost > 0
    assert b.child_sas
