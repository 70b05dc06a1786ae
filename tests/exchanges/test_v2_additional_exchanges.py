"""What becomes of several key exchanges, and of Child SAs, when the peer does not know what this end knows.

Seen with strongSwan 6.0.6 on a network that loses messages.
"""

from __future__ import annotations

import pytest

from ipsecbench.ike.events import ChildSaFailed, ChildSaRekeyed, IkeSaDeleted, IkeSaRekeyed
from tests.exchanges.scenes import assert_agreement, both, child, established
from tests.exchanges.test_v2_bad_answers import HYBRID, PFS, answer_with, only, order_rekey, order_rekey_child
from tests.exchanges.test_v2_hostile import ike


@pytest.mark.parametrize("of_ike", [False, True])
def test_an_empty_answer_to_a_followup_key_exchange_is_a_refusal(of_ike: bool) -> None:
    # strongSwan forgets what it waits for once its own rekeying counts, and answers with no payload at all.
    proposals = "aes128-sha256-x25519-ke1_mlkem512"
    network, a, b = established(*both(proposals=proposals, children=(child(proposals=HYBRID),)))
    (order_rekey if of_ike else order_rekey_child)(network, a)
    network.deliver()
    network.deliver()
    assert network.names()[0].startswith("A: IKE_FOLLOWUP_KE request")
    followup = ike(b.sa).followup
    assert followup is not None
    followup.forget(ike(b.sa))
    ike(b.sa).followup = None
    answer_with(network, b, only())
    assert a.causes()[-1] == "put-off"
    assert_agreement(a, b)
    network.run(60.0)
    assert_agreement(a, b)
    assert len(a.child_sas) == 1
    assert not a.of(ChildSaFailed)
    assert len(a.of(IkeSaRekeyed if of_ike else ChildSaRekeyed)) == 1
    assert not a.of(IkeSaDeleted)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("proposals", [PFS, HYBRID])
def test_a_child_sa_is_rekeyed_before_the_peer_knows_that_it_has_it(proposals: str, late: bool) -> None:
    # B has not yet got the answer that makes the Child SA which A wants to rekey: it says CHILD_SA_NOT_FOUND.
    network, a, b = established(*both(children=(child(proposals=proposals),)))
    order_rekey_child(network, b)
    while not a.of(ChildSaRekeyed):
        network.deliver()
    (answer,) = network.under_way
    network.under_way.clear()
    spi = a.of(ChildSaRekeyed)[0].sa.inbound_spi
    a.order(a.sa, lambda sa: sa.rekey_child_sa(spi, network.now))
    # This project's own responder would know better.
    ike(b.sa).tasks.active, waiting = None, ike(b.sa).tasks.active
    network.deliver()
    ike(b.sa).tasks.active = waiting
    refusal = network.under_way.popleft()
    for flight in (answer, refusal) if late else (refusal, answer):
        network.deliver(flight)
        network.deliver_all()
    assert "put-off" in a.causes()
    network.run(60.0)
    assert_agreement(a, b)
    assert len(a.child_sas) == 1
    assert len(a.of(ChildSaRekeyed)) == 2
    assert not a.of(ChildSaFailed)


def test_a_child_sa_is_not_rekeyed_while_the_peer_has_key_exchanges_to_do_for_it() -> None:
    network, a, b = established(*both(children=(child(proposals=HYBRID),)))
    order_rekey_child(network, b)
    network.deliver()
    order_rekey_child(network, a)
    # A has agreed to B's rekeying, which B does not know yet.
    assert network.names() == ["A: CREATE_CHILD_SA response 0"]
    assert a.causes() == ["put-off"]
    network.deliver_all()
    assert_agreement(a, b)
    network.run(60.0)
    assert_agreement(a, b)
    assert len(a.child_sas) == len(a.of(ChildSaRekeyed)) == 1


def test_a_child_sa_is_rekeyed_when_the_peer_gives_its_key_exchanges_up() -> None:
    network, a, b = established(*both(children=(child(proposals=HYBRID),)))
    order_rekey_child(network, b)
    network.deliver()
    order_rekey_child(network, a)
    task = ike(b.sa).tasks.active
    assert task is not None
    network.under_way.clear()
    task.dropped(ike(b.sa), "lost interest", network.now)
    ike(b.sa).tasks.active = None
    ike(b.sa).channel.requests.answered()
    network.run(100.0)
    assert_agreement(a, b)
    assert len(a.child_sas) == len(a.of(ChildSaRekeyed)) == 1
