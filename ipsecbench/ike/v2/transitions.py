"""States of an IKE SA, and what each does with which message, as data (RFC 7296 sections 1.2 to 1.5, 2.25).

Retransmissions, Message IDs and Child SAs are no part of this: they have machines of their own. A pair that is not in
:data:`TRANSITIONS` is dropped and logged, whoever sent it: before IKE_AUTH there is nobody to trust, and afterwards a
peer that breaks the protocol is not worth an answer that could end the IKE SA.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from ipsecbench.ike.v2.identifiers import ExchangeType


class State(Enum):
    """Where an IKE SA is between its first message and its end."""

    CREATED = "created"
    """Initiator that has sent nothing yet."""
    INIT_SENT = "IKE_SA_INIT sent"
    """Initiator that waits for the response to IKE_SA_INIT."""
    INTERMEDIATE_SENT = "IKE_INTERMEDIATE sent"
    """Initiator that waits for the response to IKE_INTERMEDIATE."""
    AUTH_SENT = "IKE_AUTH sent"
    """Initiator that waits for the response to IKE_AUTH."""
    INIT_ANSWERED = "IKE_SA_INIT answered"
    """Responder whose peer has not authenticated itself."""
    ESTABLISHED = "established"
    """Both ends are authenticated."""
    REKEYED = "rekeyed"
    """Another IKE SA has taken over the Child SAs; it waits to be deleted."""
    DELETING = "deleting"
    """The peer was asked to delete it."""
    DELETED = "deleted"
    """Gone, but for the repetition of its last response."""


class Handler(Enum):
    """What is done with a message."""

    INIT_RESPONSE = "process the response to IKE_SA_INIT"
    INTERMEDIATE_REQUEST = "answer IKE_INTERMEDIATE"
    INTERMEDIATE_RESPONSE = "process the response to IKE_INTERMEDIATE"
    AUTH_REQUEST = "answer IKE_AUTH"
    AUTH_RESPONSE = "process the response to IKE_AUTH"
    CREATE_CHILD_SA_REQUEST = "answer CREATE_CHILD_SA"
    FOLLOWUP_KE_REQUEST = "answer IKE_FOLLOWUP_KE"
    INFORMATIONAL_REQUEST = "answer INFORMATIONAL"
    TASK_RESPONSE = "process the response to the request of the task at work"
    REFUSE_TEMPORARILY = "answer with TEMPORARY_FAILURE"


class Direction(Enum):
    """Which half of an exchange a message is."""

    REQUEST = "request"
    RESPONSE = "response"


Trigger = tuple[State, int, Direction]
"""State, Exchange Type, half of the exchange."""

_REQUEST, _RESPONSE = Direction.REQUEST, Direction.RESPONSE

TRANSITIONS: Mapping[Trigger, Handler] = MappingProxyType(
    {
        (State.INIT_SENT, ExchangeType.IKE_SA_INIT, _RESPONSE): Handler.INIT_RESPONSE,
        (State.INTERMEDIATE_SENT, ExchangeType.IKE_INTERMEDIATE, _RESPONSE): Handler.INTERMEDIATE_RESPONSE,
        (State.AUTH_SENT, ExchangeType.IKE_AUTH, _RESPONSE): Handler.AUTH_RESPONSE,
        (State.INIT_ANSWERED, ExchangeType.IKE_INTERMEDIATE, _REQUEST): Handler.INTERMEDIATE_REQUEST,
        (State.INIT_ANSWERED, ExchangeType.IKE_AUTH, _REQUEST): Handler.AUTH_REQUEST,
        (State.ESTABLISHED, ExchangeType.CREATE_CHILD_SA, _REQUEST): Handler.CREATE_CHILD_SA_REQUEST,
        (State.ESTABLISHED, ExchangeType.CREATE_CHILD_SA, _RESPONSE): Handler.TASK_RESPONSE,
        (State.ESTABLISHED, ExchangeType.IKE_FOLLOWUP_KE, _REQUEST): Handler.FOLLOWUP_KE_REQUEST,
        (State.ESTABLISHED, ExchangeType.IKE_FOLLOWUP_KE, _RESPONSE): Handler.TASK_RESPONSE,
        (State.ESTABLISHED, ExchangeType.INFORMATIONAL, _REQUEST): Handler.INFORMATIONAL_REQUEST,
        (State.ESTABLISHED, ExchangeType.INFORMATIONAL, _RESPONSE): Handler.TASK_RESPONSE,
        # RFC 7296 section 2.25.2: an IKE SA that was rekeyed or is being closed makes no more SAs.
        (State.REKEYED, ExchangeType.CREATE_CHILD_SA, _REQUEST): Handler.REFUSE_TEMPORARILY,
        (State.REKEYED, ExchangeType.IKE_FOLLOWUP_KE, _REQUEST): Handler.REFUSE_TEMPORARILY,
        # The answer to the rekeying of this end may come after the peer has used what it made itself.
        (State.REKEYED, ExchangeType.CREATE_CHILD_SA, _RESPONSE): Handler.TASK_RESPONSE,
        (State.REKEYED, ExchangeType.IKE_FOLLOWUP_KE, _RESPONSE): Handler.TASK_RESPONSE,
        (State.REKEYED, ExchangeType.INFORMATIONAL, _REQUEST): Handler.INFORMATIONAL_REQUEST,
        (State.REKEYED, ExchangeType.INFORMATIONAL, _RESPONSE): Handler.TASK_RESPONSE,
        (State.DELETING, ExchangeType.CREATE_CHILD_SA, _REQUEST): Handler.REFUSE_TEMPORARILY,
        (State.DELETING, ExchangeType.IKE_FOLLOWUP_KE, _REQUEST): Handler.REFUSE_TEMPORARILY,
        (State.DELETING, ExchangeType.INFORMATIONAL, _REQUEST): Handler.INFORMATIONAL_REQUEST,
        (State.DELETING, ExchangeType.INFORMATIONAL, _RESPONSE): Handler.TASK_RESPONSE,
    }
)
"""What is done with a message. An initial IKE_SA_INIT request is none of these: it makes the IKE SA."""

MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.CREATED: frozenset({State.INIT_SENT, State.INIT_ANSWERED, State.ESTABLISHED, State.DELETED}),
        State.INIT_SENT: frozenset({State.INTERMEDIATE_SENT, State.AUTH_SENT, State.DELETED}),
        State.INTERMEDIATE_SENT: frozenset({State.AUTH_SENT, State.DELETED}),
        State.AUTH_SENT: frozenset({State.ESTABLISHED, State.DELETING, State.DELETED}),
        State.INIT_ANSWERED: frozenset({State.ESTABLISHED, State.DELETED}),
        State.ESTABLISHED: frozenset({State.REKEYED, State.DELETING, State.DELETED}),
        State.REKEYED: frozenset({State.DELETING, State.DELETED}),
        State.DELETING: frozenset({State.DELETED}),
        State.DELETED: frozenset(),
    }
)
"""Which state may follow which; an IKE SA that is made by rekeying begins as established."""

UNAUTHENTICATED = frozenset(
    {State.CREATED, State.INIT_SENT, State.INTERMEDIATE_SENT, State.AUTH_SENT, State.INIT_ANSWERED}
)
"""States in which the peer has not proven its identity."""


def handler_of(state: State, exchange_type: int, is_response: bool) -> Handler | None:
    """What a state does with a message; None: it is dropped and logged."""
    return TRANSITIONS.get((state, exchange_type, _RESPONSE if is_response else _REQUEST))
