"""Addresses, NATs and sizes: RFC 7296 section 2.23, RFC 3948 and RFC 7383 between two endpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.esp.mode import Mode
from ipsecbench.ike.events import IkeSaFailed, PathChanged
from ipsecbench.ike.nat_traversal import KEEPALIVE, NON_ESP_MARKER
from ipsecbench.ike.path import Address
from ipsecbench.ike.v2.message import parse_message
from ipsecbench.ike.v2.payloads import EncryptedFragment
from tests.exchanges.network import Conditions, Nat, Network, Node
from tests.exchanges.scenes import A, B, assert_agreement, both, child, connection, established, mirrored, pair

INSIDE, OUTSIDE = "10.0.0.1", "198.51.100.1"


def behind_nat(*children: Any, seed: int = 0, **settings: Any) -> tuple[Network, Node, Node, Nat]:
    """A is behind a NAT, and B waits for anybody."""
    children = children or (child(),)
    mine = replace(connection(A, B, *children, **settings), local_addresses=(INSIDE,))
    peers = replace(connection(B, A, *map(mirrored, children), **settings), remote_addresses=())
    nat = Nat(OUTSIDE, frozenset({INSIDE}))
    return *pair(mine, peers, seed=seed, nats=[nat]), nat


def rekey_child(network: Network, node: Node, spi: bytes) -> None:
    node.order(node.sa, lambda sa: sa.rekey_child_sa(spi, network.now))


def test_a_nat_is_found_and_both_go_to_the_other_port() -> None:
    network, a, b, _ = behind_nat()
    a.initiate()
    # IKE_SA_INIT on port 500: each end learns from the hashes that A is behind a NAT.
    network.deliver()
    network.deliver()
    # IKE_AUTH comes from and goes to port 4500, after four zero octets.
    flight = network.under_way[0]
    assert flight.destination == Address(B, 4500)
    assert flight.data.startswith(NON_ESP_MARKER)
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sa.info is not None
    assert b.sa.info is not None
    assert (a.sa.info.nat_local, a.sa.info.nat_remote) == (True, False)
    assert (b.sa.info.nat_local, b.sa.info.nat_remote) == (False, True)
    assert a.child_sa.udp_encapsulation
    assert b.child_sa.udp_encapsulation
    assert b.child_sa.path.remote == flight.source
    assert a.child_sa.path.local == Address(INSIDE, 4500)


def test_without_a_nat_nothing_of_this_happens() -> None:
    _, a, b = established()
    assert a.sa.path.local.port == b.sa.path.local.port == 500
    assert not a.child_sa.udp_encapsulation


@pytest.mark.parametrize("who", ["A", "B", "both"])
def test_an_end_may_pretend_to_be_behind_a_nat(who: str) -> None:
    mine, peers = both()
    network, a, b = pair(
        replace(mine, force_encapsulation=who in ("A", "both")),
        replace(peers, force_encapsulation=who in ("B", "both")),
    )
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    assert a.child_sa.udp_encapsulation
    assert a.sa.path.local.port == a.sa.path.remote.port == 4500
    assert a.sa.info is not None
    assert (a.sa.info.nat_local, a.sa.info.nat_remote) == (who != "B", who != "A")


def test_keepalives_keep_the_mapping() -> None:
    network, a, _, _ = behind_nat()
    a.initiate()
    network.run(0.1)
    before = len(network.trace)
    network.run(65.0)
    assert [line.partition(" ")[2] for line in network.trace[before:]] == [f"A: {len(KEEPALIVE)} octets"] * 3
    # Another message is as good.
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    network.run(19.0)
    # Question and answer, and no other packet.
    assert len(network.trace) == before + 5


def test_the_nat_forgets_and_the_next_message_shows_the_new_address() -> None:
    network, a, b, nat = behind_nat()
    a.initiate()
    network.deliver_all()
    old = b.sa.path.remote
    nat.rebind()
    # A repeats an old message: that is authentic, but no sign of where A is now.
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    question = network.deliver()
    assert b.sa.path.remote != old
    (changed,) = b.of(PathChanged)
    assert changed.path.remote == question.source
    assert b.child_sa.path.remote == question.source
    network.deliver_all()
    # The same octets from somewhere else move nothing: they are not new.
    moved = replace(question, source=Address("203.0.113.9", 4500))
    network.deliver(moved)
    assert len(b.of(PathChanged)) == 1
    # The answer goes to where they came from, all the same.
    assert network.under_way[0].destination == moved.source
    network.under_way.clear()
    # B can ask A again.
    b.order(b.sa, lambda sa: sa.check_liveness(network.now))
    assert len(network.deliver_all()) == 2


def test_a_forged_message_moves_nothing() -> None:
    network, a, b, _ = behind_nat()
    a.initiate()
    network.deliver_all()
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    question = network.under_way.popleft()
    forged = replace(
        question, source=Address("203.0.113.9", 4500), data=question.data[:-1] + bytes([question.data[-1] ^ 1])
    )
    network.deliver(forged)
    assert not b.of(PathChanged)
    assert b.causes() == ["bad-icv"]


def test_an_end_without_a_nat_does_not_move() -> None:
    network, a, b = established()
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    question = network.under_way.popleft()
    network.deliver(replace(question, source=Address("203.0.113.9", 500)))
    assert b.sa.path.remote == Address(A, 500)
    assert not b.of(PathChanged)


def test_transport_mode_through_a_nat() -> None:
    network, a, b, _ = behind_nat(child("", "", mode=Mode.TRANSPORT))
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    # Each end has its own view of the addresses (RFC 7296 section 2.23.1).
    assert a.child_sa.local_ts[0].text == f"{INSIDE}/32"
    assert a.child_sa.remote_ts[0].text == f"{B}/32"
    assert b.child_sa.remote_ts[0].text == f"{OUTSIDE}/32"
    spi = a.child_sa.inbound_spi
    a.order(a.sa, lambda sa: sa.rekey_child_sa(spi, network.now))
    network.deliver_all()
    assert_agreement(a, b)
    assert len(a.child_sas) == 1


# Fragments.


def test_large_messages_are_in_fragments_and_small_ones_are_not() -> None:
    network, a, b = pair(*both(fragment_bytes=250))
    a.initiate()
    names = network.deliver_all()
    assert names.count("A: IKE_AUTH request 1") > 1
    assert names.count("B: IKE_AUTH response 1") > 1
    assert_agreement(a, b)
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    assert len(network.deliver_all()) == 2


def test_every_fragment_fits_the_size_and_order_does_not_matter() -> None:
    for seed in range(5):
        mine, peers = both(fragment_bytes=200, proposals="aes128gcm16-prfsha256-x25519-ke1_mlkem1024")
        network, a, b = pair(
            mine, peers, seed=seed, conditions=Conditions(latency=(0.001, 0.5), duplication=0.3, mtu=1280)
        )
        a.initiate()
        network.run(0.6)
        # IKE_SA_INIT cannot be in fragments; all that follows fits 200 octets, whatever the order.
        network.set_conditions(mtu=500)
        network.run(60.0)
        assert_agreement(a, b)
        assert a.sas
        network.set_conditions(mtu=200)
        network.run(10.0)
        spi = a.child_sa.inbound_spi
        rekey_child(network, a, spi)
        network.run(60.0)
        assert_agreement(a, b)
        assert a.child_sa.inbound_spi != spi


def test_only_the_first_fragment_of_a_repeated_request_is_answered() -> None:
    network, a, b = pair(*both(fragment_bytes=250))
    a.initiate()
    network.deliver()
    network.deliver()
    fragments = list(network.under_way)
    assert len(fragments) > 1
    for flight in fragments:
        network.deliver(flight)
    answer = list(network.under_way)
    network.under_way.clear()
    for flight in reversed(fragments):
        network.deliver(flight)
    assert [flight.data for flight in network.under_way] == [flight.data for flight in answer]
    network.deliver_all()
    assert_agreement(a, b)


def test_without_fragmentation_on_both_ends_messages_are_whole() -> None:
    mine, peers = both(fragment_bytes=250)
    network, a, b = pair(mine, replace(peers, fragmentation=False))
    a.initiate()
    assert len(network.deliver_all()) == 4
    assert_agreement(a, b)


def test_what_never_fits_fails_cleanly() -> None:
    mine, peers = both(fragmentation=False, proposals="aes128-sha256-x25519-ke1_mlkem1024")
    network, a, b = pair(mine, peers, conditions=Conditions(mtu=1280))
    a.initiate()
    network.run(200.0)
    assert len(a.of(IkeSaFailed)) == 1
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


def test_fragments_that_were_not_agreed_on_are_not_collected() -> None:
    mine, peers = both(fragment_bytes=250)
    network, a, b = pair(mine, replace(peers, fragmentation=False))
    a.initiate()
    network.deliver_all()
    # A begins to send fragments nevertheless.
    a.sa.channel.peer_takes_fragments = True  # type: ignore[attr-defined]
    spi = a.child_sa.inbound_spi
    a.order(a.sa, lambda sa: sa.rekey_child_sa(spi, network.now))
    assert isinstance(parse_message(network.under_way[0].data).encrypted, EncryptedFragment)
    network.deliver_all()
    assert set(b.causes()) == {"unwanted-fragment"}
