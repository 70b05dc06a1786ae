"""Both ends at once (RFC 7296 sections 2.8.1, 2.8.2 and 2.25), message by message, and in every order of delivery.

What a complete stack has to stand is known from others: rekeying against rekeying, against deletion, against an IKE SA
that is rekeyed or deleted; with answers and requests delayed or lost, wrong methods first, and several key exchanges.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest

from ipsecbench.ike.association import Association
from ipsecbench.ike.events import ChildSaDeleted, ChildSaFailed, ChildSaRekeyed, IkeSaRekeyed, PeerAlive
from tests.exchanges.network import Conditions, Network, Node
from tests.exchanges.scenes import A, B, assert_agreement, both, child, connection, established, mirrored

PFS = "aes128-sha256-x25519"
HYBRID = "aes128-sha256-x25519-ke1_mlkem512"

Action = Callable[[Node, float], Callable[[Association], None]]


def rekey_child(node: Node, now: float) -> Callable[[Association], None]:
    spi = node.child_sa.inbound_spi
    return lambda sa: sa.rekey_child_sa(spi, now)


def delete_child(node: Node, now: float) -> Callable[[Association], None]:
    spi = node.child_sa.inbound_spi
    return lambda sa: sa.delete_child_sa(spi, now)


def create_child(_: Node, now: float) -> Callable[[Association], None]:
    return lambda sa: sa.create_child_sa("net", now)


def rekey_ike(_: Node, now: float) -> Callable[[Association], None]:
    return lambda sa: sa.rekey(now)


def delete_ike(_: Node, now: float) -> Callable[[Association], None]:
    return lambda sa: sa.delete(now)


def check(_: Node, now: float) -> Callable[[Association], None]:
    return lambda sa: sa.check_liveness(now)


def order(network: Network, node: Node, action: Action) -> None:
    node.order(node.sa, action(node, network.now))


def only(network: Network, sender: str) -> None:
    """Deliver what one end has sent until now."""
    for flight in [flight for flight in network.under_way if flight.sender == sender]:
        network.deliver(flight)


def outcome(network: Network, a: Node, b: Node) -> None:
    """Everything is delivered, retries are done, and both ends agree and have nothing left over."""
    network.run(300.0)
    assert_agreement(a, b)
    for node in (a, b):
        assert len(node.endpoint.associations()) == len(node.sas) <= 1


# Two rekeyings of a Child SA.


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("proposals", ["aes128-sha256", PFS, HYBRID])
def test_both_rekey_the_child_sa(seed: int, proposals: str) -> None:
    network, a, b = established(*both(children=(child(proposals=proposals),)), seed=seed)
    order(network, a, rekey_child)
    order(network, b, rekey_child)
    # Both requests cross, then both answers; both ends know all four nonces and come to the same decision.
    network.deliver_all()
    assert_agreement(a, b)
    assert len(a.child_sas) == 1
    # One end has deleted the old Child SA, the other the one that it made in vain.
    deleted = [event.reason for event in a.of(ChildSaDeleted)]
    if proposals == HYBRID:
        assert len(deleted) == 1
    else:
        assert sorted(deleted) == ["deleted by the peer", "deleted by this end"]
    assert not a.of(ChildSaFailed)
    assert not b.of(ChildSaFailed)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("proposals", ["aes128-sha256", HYBRID])
def test_an_answer_is_delayed_until_the_peer_has_finished(seed: int, proposals: str) -> None:
    network, a, b = established(*both(children=(child(proposals=proposals),)), seed=seed)
    order(network, a, rekey_child)
    order(network, b, rekey_child)
    network.deliver()
    network.deliver()
    # B's answer to A is under way for long; B goes on as far as it can.
    delayed = next(flight for flight in network.under_way if flight.sender == "B")
    network.under_way.remove(delayed)
    network.deliver_all()
    network.under_way.append(delayed)
    network.deliver_all()
    assert_agreement(a, b)
    assert len(a.child_sas) == 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("proposals", ["aes128-sha256", HYBRID])
def test_a_request_is_delayed_until_the_peer_has_finished(seed: int, proposals: str) -> None:
    network, a, b = established(*both(children=(child(proposals=proposals),)), seed=seed)
    order(network, a, rekey_child)
    order(network, b, rekey_child)
    # A's request is under way for long. A answers B's, B is satisfied and deletes the old Child SA.
    delayed = network.under_way.popleft()
    network.deliver_all()
    # B has never heard of A's rekeying: the Child SA that it names is gone, or about to be.
    network.under_way.append(delayed)
    network.deliver_all()
    outcome(network, a, b)
    assert len(a.child_sas) == 1
    assert not a.of(ChildSaFailed)


@pytest.mark.parametrize("seed", range(4))
def test_a_request_is_delayed_until_the_old_child_sa_is_about_to_be_deleted(seed: int) -> None:
    network, a, b = established(seed=seed)
    order(network, a, rekey_child)
    order(network, b, rekey_child)
    delayed = network.under_way.popleft()
    # B -> A: rekey request, A -> B: answer, and B's Delete is on its way when A's request comes: TEMPORARY_FAILURE.
    network.deliver()
    network.deliver()
    assert network.names() == ["B: INFORMATIONAL request 1"]
    network.deliver(delayed)
    assert "refused-request" in b.causes()
    network.deliver_all()
    outcome(network, a, b)
    assert len(a.child_sas) == 1
    assert not a.of(ChildSaFailed)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("wrong", ["A", "B", "both"])
def test_both_rekey_the_child_sa_with_the_wrong_method_first(seed: int, wrong: str) -> None:
    first = "aes128-sha256-modp2048-ecp256" if wrong in ("A", "both") else "aes128-sha256-ecp256"
    second = "aes128-sha256-modp3072-ecp256" if wrong in ("B", "both") else "aes128-sha256-ecp256"
    network, a, b = established(
        connection(A, B, child(proposals=first)), connection(B, A, mirrored(child(proposals=second))), seed=seed
    )
    order(network, a, rekey_child)
    order(network, b, rekey_child)
    network.deliver_all()
    outcome(network, a, b)
    assert len(a.child_sas) == 1
    assert a.of(ChildSaRekeyed)


# Two rekeyings of the IKE SA.


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("proposals", ["aes128-sha256-x25519", "aes128-sha256-x25519-ke1_mlkem512"])
def test_both_rekey_the_ike_sa(seed: int, proposals: str) -> None:
    network, a, b = established(*both(proposals=proposals), seed=seed)
    order(network, a, rekey_ike)
    order(network, b, rekey_ike)
    network.deliver_all()
    assert len(a.child_sas) == 1
    assert len(a.of(IkeSaRekeyed)) == len(b.of(IkeSaRekeyed)) == 1
    outcome(network, a, b)
    assert len(a.child_sas) == 1
    order(network, a, check)
    assert len(network.deliver_all()) == 2


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("proposals", ["aes128-sha256-x25519", "aes128-sha256-x25519-ke1_mlkem512"])
def test_an_answer_about_the_ike_sa_is_delayed(seed: int, proposals: str) -> None:
    network, a, b = established(*both(proposals=proposals), seed=seed)
    order(network, a, rekey_ike)
    order(network, b, rekey_ike)
    network.deliver()
    network.deliver()
    delayed = next(flight for flight in network.under_way if flight.sender == "B")
    network.under_way.remove(delayed)
    network.deliver_all()
    network.under_way.append(delayed)
    network.deliver_all()
    outcome(network, a, b)
    assert len(a.child_sas) == 1
    assert len(a.of(IkeSaRekeyed)) == len(b.of(IkeSaRekeyed)) == 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("proposals", ["aes128-sha256-x25519", "aes128-sha256-x25519-ke1_mlkem512"])
def test_a_request_about_the_ike_sa_is_delayed_or_lost(seed: int, dropped: bool, proposals: str) -> None:
    network, a, b = established(*both(proposals=proposals), seed=seed)
    order(network, a, rekey_ike)
    order(network, b, rekey_ike)
    delayed = network.under_way.popleft()
    # B finishes its rekeying before it knows of A's, and asks for the deletion of the old IKE SA.
    network.deliver_all()
    if not dropped:
        network.under_way.append(delayed)
        network.deliver_all()
    outcome(network, a, b)
    assert len(a.child_sas) == 1
    assert len(a.of(IkeSaRekeyed)) == len(b.of(IkeSaRekeyed)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_both_rekey_the_ike_sa_with_the_wrong_method_first(seed: int) -> None:
    first = ["aes128-sha256-ecp256-x25519"]
    network, a, b = established(
        connection(A, B, child(), proposals=first),
        connection(B, A, mirrored(child()), proposals=["aes128-sha256-x25519"]),
        seed=seed,
    )
    # Let A forget which method worked.
    order(network, a, rekey_ike)
    order(network, b, rekey_ike)
    network.deliver_all()
    outcome(network, a, b)
    assert len(a.child_sas) == 1


# One thing against another, in all orders.

ACTIONS: dict[str, Action] = {
    "rekey child": rekey_child,
    "delete child": delete_child,
    "create child": create_child,
    "rekey IKE": rekey_ike,
    "delete IKE": delete_ike,
    "check": check,
}


def schedules() -> Sequence[str]:
    """Who delivers next, eight times; then all that is left."""
    return ["".join(choice) for choice in itertools.product("AB", repeat=5)]


@pytest.mark.parametrize("theirs", ACTIONS)
@pytest.mark.parametrize("ours", ACTIONS)
def test_anything_against_anything(ours: str, theirs: str) -> None:
    for number, schedule in enumerate(schedules()):
        network, a, b = established(seed=number)
        order(network, a, ACTIONS[ours])
        order(network, b, ACTIONS[theirs])
        for sender in schedule:
            flight = next((flight for flight in network.under_way if flight.sender == sender), None)
            if flight is not None:
                network.deliver(flight)
        outcome(network, a, b)
        deleted = "delete IKE" in (ours, theirs)
        assert bool(a.sas) is not deleted, (ours, theirs, schedule)
        if not deleted:
            # A Child SA is there unless one was deleted and none made; a creation makes one more.
            wanted = 1 + [ours, theirs].count("create child") - ("delete child" in (ours, theirs))
            assert len(a.child_sas) == wanted, (ours, theirs, schedule)


@pytest.mark.parametrize("theirs", ACTIONS)
@pytest.mark.parametrize("ours", ACTIONS)
def test_anything_against_anything_on_a_bad_network(ours: str, theirs: str) -> None:
    for seed in range(6):
        network, a, b = established(*both(children=(child(proposals=PFS),)), seed=seed)
        network.set_conditions(latency=(0.001, 1.5), loss=0.25, duplication=0.3)
        order(network, a, ACTIONS[ours])
        order(network, b, ACTIONS[theirs])
        network.run(60.0)
        network.conditions = Conditions()
        outcome(network, a, b)


def test_a_child_sa_is_not_made_while_the_ike_sa_is_rekeyed() -> None:
    network, a, b = established()
    order(network, a, rekey_ike)
    order(network, b, create_child)
    # A -> B: B is making a Child SA. B -> A: A is rekeying. Both say TEMPORARY_FAILURE, and try again later.
    network.deliver()
    network.deliver()
    assert a.causes() == b.causes() == ["refused-request"]
    network.deliver_all()
    assert a.causes() == b.causes() == ["refused-request", "put-off"]
    outcome(network, a, b)
    assert len(a.child_sas) == 2
    assert len(a.of(IkeSaRekeyed)) == 1


@pytest.mark.parametrize("action", [rekey_child, rekey_ike])
def test_who_gives_way_with_several_key_exchanges_sends_nothing_until_the_peer_goes_on(action: Action) -> None:
    # strongSwan 6 waits for IKE_FOLLOWUP_KE until it knows of the collision, and takes any other request for a failure.
    gave_way = 0
    for seed in range(8):
        network, a, b = established(
            *both(proposals="aes128-sha256-x25519-ke1_mlkem512", children=(child(proposals=HYBRID),)), seed=seed
        )
        order(network, a, action)
        order(network, b, action)
        order(network, a, check)
        # Both requests cross; A's answer is under way for long.
        network.deliver()
        network.deliver()
        delayed = next(flight for flight in network.under_way if flight.sender == "A")
        network.under_way.remove(delayed)
        network.deliver()
        if any("IKE_FOLLOWUP_KE" in flight for flight in network.names()):
            continue
        gave_way += 1
        assert network.names() == []
        network.deliver(delayed)
        assert network.names()[0].startswith("B: IKE_FOLLOWUP_KE request")
        network.deliver_all()
        assert len(a.of(PeerAlive)) == 1
        outcome(network, a, b)
        assert len(a.child_sas) == 1
    assert gave_way


@pytest.mark.parametrize("action", [rekey_child, rekey_ike])
def test_who_gives_way_does_not_wait_for_ever(action: Action) -> None:
    gave_way = 0
    for seed in range(8):
        network, a, b = established(
            *both(proposals="aes128-sha256-x25519-ke1_mlkem512", children=(child(proposals=HYBRID),)), seed=seed
        )
        for node in (a, b):
            order(network, node, action)
        order(network, a, check)
        for _ in range(2):
            network.deliver()
        # Of A's answer and of all that follows B hears nothing.
        network.under_way.remove(next(flight for flight in network.under_way if flight.sender == "A"))
        network.deliver()
        if network.names():
            continue
        gave_way += 1
        network.pass_time(29.0)
        assert not [name for name in network.names() if name.startswith("A")]
        network.pass_time(2.0)
        assert next(name for name in network.names() if name.startswith("A")).startswith("A: INFORMATIONAL request")
        assert "followup-missing" in a.causes()
    assert gave_way


def test_a_task_that_is_put_off_when_the_ike_sa_is_to_be_deleted_is_forgotten() -> None:
    network, a, b = established()
    order(network, a, create_child)
    a.order(a.sa, delete_ike(a, network.now))
    order(network, b, rekey_ike)
    # A -> B: CREATE_CHILD_SA, which B puts off. The deletion was ordered behind it, and its request is lost for long.
    while "A: INFORMATIONAL request 3" not in network.names():
        network.deliver()
    network.under_way.clear()
    network.pass_time(15.0)
    network.run(30.0)
    assert not a.sas
    assert not b.sas
