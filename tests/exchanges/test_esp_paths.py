"""An authentic ESP packet says that the NAT in front of the peer has another mapping (RFC 7296 section 2.23)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecbench.ike.events import PathChanged
from ipsecbench.ike.path import Address
from tests.exchanges.network import Nat, Network, Node
from tests.exchanges.scenes import A, B, both, established

OUTSIDE, INSIDE = "198.51.100.1", "10.0.0.2"
ELSEWHERE = Address(OUTSIDE, 33333)


def behind_a_nat(version: int) -> tuple[Network, Node, Node]:
    """A is behind a NAT, B is not."""
    mine, peers = both(version=version)
    mine = replace(mine, local_addresses=(INSIDE,))
    peers = replace(peers, remote_addresses=())
    return established(mine, peers, nats=[Nat(OUTSIDE, frozenset({INSIDE}))])


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_sent_follows_an_end_behind_a_nat(version: int) -> None:
    network, _a, b = behind_a_nat(version)
    inbound = b.child_sa.inbound_spi
    b.endpoint.report_path(inbound, ELSEWHERE, network.now)
    network.settle(b)
    (changed,) = b.of(PathChanged)
    assert changed.path.remote == ELSEWHERE
    assert changed.path.local == Address(B, 4500)
    assert b.child_sa.path == changed.path
    assert b.sa.path == changed.path
    # The same again is nothing new.
    b.endpoint.report_path(inbound, ELSEWHERE, network.now)
    network.settle(b)
    assert len(b.of(PathChanged)) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_an_end_behind_a_nat_stays_with_its_peers_address(version: int) -> None:
    network, a, _b = behind_a_nat(version)
    a.endpoint.report_path(a.child_sa.inbound_spi, Address("203.0.113.9", 4500), network.now)
    network.settle(a)
    assert not a.of(PathChanged)
    assert a.sa.path.remote.host == B


@pytest.mark.parametrize("version", [1, 2])
def test_without_a_nat_nothing_moves_and_an_unknown_spi_is_nothing(version: int) -> None:
    network, a, b = established(*both(version=version))
    for node in (a, b):
        node.endpoint.report_path(node.child_sa.inbound_spi, ELSEWHERE, network.now)
        node.endpoint.report_path(b"none", ELSEWHERE, network.now)
        network.settle(node)
        assert not node.of(PathChanged)
    assert b.sa.path.remote.host == A
