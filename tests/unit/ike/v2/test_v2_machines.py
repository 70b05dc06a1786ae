"""The machines of an IKE SA that know no messages: states, Message IDs, rekey collisions, times, tasks that wait."""

from __future__ import annotations

import itertools

import pytest

from ipsecbench.ike.configuration import Retransmission
from ipsecbench.ike.v2.identifiers import ExchangeType
from ipsecbench.ike.v2.message_window import RequestWindow, ResponseWindow, Verdict
from ipsecbench.ike.v2.rekey_collision import Nonces, loses
from ipsecbench.ike.v2.timers import Timer, Timers
from ipsecbench.ike.v2.transitions import (
    MOVES,
    TRANSITIONS,
    UNAUTHENTICATED,
    Direction,
    Handler,
    State,
    handler_of,
)

EXCHANGES = [*ExchangeType, 0, 240, 255]


@pytest.mark.parametrize(("state", "exchange"), list(itertools.product(State, EXCHANGES)))
def test_every_state_does_with_a_message_what_its_exchange_allows(state: State, exchange: int) -> None:
    request, response = handler_of(state, exchange, False), handler_of(state, exchange, True)
    established = {ExchangeType.CREATE_CHILD_SA, ExchangeType.INFORMATIONAL, ExchangeType.IKE_FOLLOWUP_KE}
    if state in UNAUTHENTICATED:
        # Nothing that could make, change or end an SA is taken from a peer that has not proven who it is.
        assert exchange not in established or (request is None and response is None)
    if state in (State.CREATED, State.DELETED):
        assert request is None
        assert response is None
    if state in (State.ESTABLISHED, State.REKEYED, State.DELETING):
        assert (request is not None) == (exchange in established)
    # An initiator that has asked waits for an answer only, and a responder that waits is asked only.
    if state in (State.INIT_SENT, State.INTERMEDIATE_SENT, State.AUTH_SENT):
        assert request is None
    if state is State.INIT_ANSWERED:
        assert response is None


def test_what_replaces_or_is_deleted_makes_no_new_sas() -> None:
    for state in (State.REKEYED, State.DELETING):
        for exchange in (ExchangeType.CREATE_CHILD_SA, ExchangeType.IKE_FOLLOWUP_KE):
            assert TRANSITIONS[state, exchange, Direction.REQUEST] is Handler.REFUSE_TEMPORARILY


def test_states_lead_to_the_end_and_never_back() -> None:
    for state, following in MOVES.items():
        assert state not in following
        assert state is State.DELETED or State.DELETED in following
    seen: set[State] = set()
    todo = [State.CREATED]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo += MOVES[state]
    assert seen == set(State)
    assert not any(state in MOVES[other] for state in UNAUTHENTICATED for other in set(State) - UNAUTHENTICATED)


def test_a_request_is_sent_again_with_growing_waits_and_then_given_up() -> None:
    window = RequestWindow(Retransmission(first_seconds=4.0, base=1.8, tries=5))
    window.sent(ExchangeType.INFORMATIONAL, [b"one", b"two"], 100.0)
    times = []
    datagrams: tuple[bytes, ...] | None = ()
    while datagrams is not None:
        due = window.due or 0.0
        assert window.retransmit(due - 0.001) == ()
        datagrams = window.retransmit(due)
        assert datagrams in ((b"one", b"two"), None)
        times.append(due - 100.0)
    # The schedule of strongSwan's documentation: 4, 11, 24, 47, 89 and 165 seconds.
    assert [round(when) for when in times] == [4, 11, 24, 47, 89, 165]


def test_only_the_outstanding_request_is_answered() -> None:
    window = RequestWindow(Retransmission())
    assert not window.expects(0, ExchangeType.IKE_SA_INIT)
    window.sent(ExchangeType.IKE_SA_INIT, [b"x"], 0.0)
    assert window.expects(0, ExchangeType.IKE_SA_INIT)
    assert not window.expects(1, ExchangeType.IKE_SA_INIT)
    assert not window.expects(0, ExchangeType.IKE_AUTH)
    window.answered()
    assert window.next_message_id == 1
    assert window.due is None
    assert window.retransmit(1000.0) == ()


def test_a_request_that_is_replaced_keeps_its_message_id() -> None:
    window = RequestWindow(Retransmission())
    window.sent(ExchangeType.IKE_SA_INIT, [b"x"], 0.0)
    window.withdrawn()
    assert not window.expects(0, ExchangeType.IKE_SA_INIT)
    assert window.next_message_id == 0


def test_requests_are_new_repeated_or_outside_of_the_window() -> None:
    window = ResponseWindow()
    assert [window.judge(number) for number in (0, 1, 2)] == [Verdict.NEW, Verdict.OUTSIDE, Verdict.OUTSIDE]
    window.answered([b"request"], [b"first", b"second"])
    verdicts = [window.judge(number) for number in (0, 1, 2, 0xFFFFFFFF)]
    assert verdicts == [Verdict.REPEATED, Verdict.NEW, Verdict.OUTSIDE, Verdict.OUTSIDE]
    assert window.responses == (b"first", b"second")
    assert window.same_octets(b"request")
    assert not window.same_octets(b"another")


@pytest.mark.parametrize(
    ("own", "peers", "lost"),
    [
        ((b"\x05", b"\x06"), (b"\x01", b"\x09"), False),
        ((b"\x05", b"\x01"), (b"\x02", b"\x09"), True),
        ((b"\x02\x00", b"\xff"), (b"\x02", b"\xff"), False),
        ((b"\x7f", b"\xff"), (b"\x80", b"\xff"), True),
    ],
)
def test_the_exchange_with_the_lowest_nonce_loses(
    own: tuple[bytes, bytes], peers: tuple[bytes, bytes], lost: bool
) -> None:
    assert loses(Nonces(*own), Nonces(*peers)) is lost
    assert loses(Nonces(*peers), Nonces(*own)) is not lost


def test_times_come_in_their_order_and_once() -> None:
    timers = Timers()
    assert [timers.next] == [None]
    timers.set(Timer.SOFT, 20.0)
    timers.set(Timer.HARD, 30.0)
    timers.set(Timer.LIVENESS, 10.0)
    timers.set(Timer.END, 5.0)
    timers.set(Timer.END, None)
    assert [timers.next] == [10.0]
    assert timers.take_due(9.0) == ()
    assert timers.take_due(25.0) == (Timer.LIVENESS, Timer.SOFT)
    assert [timers.next] == [30.0]
    timers.clear()
    assert timers.get(Timer.HARD) is None
