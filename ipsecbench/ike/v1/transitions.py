"""The state machines of IKEv1 as data: what each exchange does on which message, and the life of an ISAKMP SA.

A pair that is missing here is a message that is dropped and logged. Actions are names of methods of the exchange; they
return the payloads to send, and a message that they refuse does not change the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Sends(Enum):
    """How an action's payloads go out."""

    NOTHING = "nothing"
    """There are none."""
    PLAIN = "plain"
    """In the clear."""
    ENCRYPTED = "encrypted"
    """Encrypted with the next IV of the exchange."""


class Trigger(Enum):
    """What drives an exchange on."""

    INITIATE = "initiate"
    """This end begins."""
    SA = "SA"
    """A message with an SA payload."""
    KE = "KE"
    """A message with a KE payload and no SA payload."""
    PROOF = "proof"
    """A message with HASH or SIG and neither SA nor KE payload."""


class ExchangeState(Enum):
    """Where an exchange of main, aggressive or quick mode stands."""

    START = "start"
    """Nothing was sent or received."""
    SA_SENT = "SA sent"
    """Initiator: waits for the responder's choice."""
    KE_SENT = "KE sent"
    """Initiator of main mode: waits for the responder's public value."""
    PROOF_SENT = "proof sent"
    """Initiator of main mode: waits for the responder's proof."""
    SA_ANSWERED = "SA answered"
    """Responder: waits for what follows its choice."""
    KE_ANSWERED = "KE answered"
    """Responder of main mode: waits for the initiator's proof."""
    DONE = "done"
    """Complete; repeated messages are answered with the stored answer."""
    FAILED = "failed"
    """Ended without a result."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What happens on a trigger."""

    state: ExchangeState
    """State afterwards."""
    action: str
    """Method of the exchange."""
    sends: Sends
    """How its payloads are sent."""
    awaits: bool = False
    """Whether an answer is awaited, so that the message is sent again by timer."""


ExchangeTable = Mapping[tuple[ExchangeState, Trigger], Transition]
"""One exchange."""

_S = ExchangeState

MAIN_MODE: ExchangeTable = MappingProxyType(
    {
        (_S.START, Trigger.INITIATE): Transition(_S.SA_SENT, "offer", Sends.PLAIN, awaits=True),
        (_S.SA_SENT, Trigger.SA): Transition(_S.KE_SENT, "exchange_keys", Sends.PLAIN, awaits=True),
        (_S.KE_SENT, Trigger.KE): Transition(_S.PROOF_SENT, "prove", Sends.ENCRYPTED, awaits=True),
        (_S.PROOF_SENT, Trigger.PROOF): Transition(_S.DONE, "verify", Sends.NOTHING),
        (_S.START, Trigger.SA): Transition(_S.SA_ANSWERED, "choose", Sends.PLAIN),
        (_S.SA_ANSWERED, Trigger.KE): Transition(_S.KE_ANSWERED, "answer_keys", Sends.PLAIN),
        (_S.KE_ANSWERED, Trigger.PROOF): Transition(_S.DONE, "verify_and_prove", Sends.ENCRYPTED),
    }
)
"""Main mode (RFC 2409 section 5.4). The responder never sends by timer: before the initiator has shown that it receives
what is sent to it, each of its messages causes one answer at most."""

AGGRESSIVE_MODE: ExchangeTable = MappingProxyType(
    {
        (_S.START, Trigger.INITIATE): Transition(_S.SA_SENT, "offer", Sends.PLAIN, awaits=True),
        (_S.SA_SENT, Trigger.SA): Transition(_S.DONE, "verify_and_prove", Sends.ENCRYPTED),
        (_S.START, Trigger.SA): Transition(_S.SA_ANSWERED, "choose_and_prove", Sends.PLAIN),
        (_S.SA_ANSWERED, Trigger.PROOF): Transition(_S.DONE, "verify", Sends.NOTHING),
    }
)
"""Aggressive mode (RFC 2409 section 5.4)."""

QUICK_MODE: ExchangeTable = MappingProxyType(
    {
        (_S.START, Trigger.INITIATE): Transition(_S.SA_SENT, "offer", Sends.ENCRYPTED, awaits=True),
        (_S.SA_SENT, Trigger.SA): Transition(_S.DONE, "accept", Sends.ENCRYPTED),
        (_S.START, Trigger.SA): Transition(_S.SA_ANSWERED, "choose", Sends.ENCRYPTED, awaits=True),
        (_S.SA_ANSWERED, Trigger.PROOF): Transition(_S.DONE, "confirm", Sends.NOTHING),
    }
)
"""Quick mode (RFC 2409 section 5.5). Its responder does send again by timer: the initiator is authenticated."""


class SaState(Enum):
    """The life of an ISAKMP SA."""

    NEGOTIATING = "negotiating"
    """Phase 1 goes on."""
    ESTABLISHED = "established"
    """Both ends are authenticated."""
    REPLACED = "replaced"
    """A newer ISAKMP SA has its place and its phase 2 SAs; it is deleted soon."""
    DELETED = "deleted"
    """Deleted here; the Delete payload is repeated, because nobody acknowledges it."""
    FINISHED = "finished"
    """Can be forgotten."""


class SaTrigger(Enum):
    """What changes the life of an ISAKMP SA."""

    AUTHENTICATED = "authenticated"
    """Phase 1 is complete."""
    SUCCEEDED = "succeeded"
    """A newer ISAKMP SA takes its place."""
    RESUMED = "resumed"
    """The newer one is gone already: this one has its place again."""
    DELETE = "delete"
    """This end deletes it."""
    END = "end"
    """The peer deleted it, it failed, or it was abandoned."""


LIFE: Mapping[tuple[SaState, SaTrigger], SaState] = MappingProxyType(
    {
        (SaState.NEGOTIATING, SaTrigger.AUTHENTICATED): SaState.ESTABLISHED,
        (SaState.NEGOTIATING, SaTrigger.END): SaState.FINISHED,
        (SaState.ESTABLISHED, SaTrigger.SUCCEEDED): SaState.REPLACED,
        (SaState.ESTABLISHED, SaTrigger.DELETE): SaState.DELETED,
        (SaState.ESTABLISHED, SaTrigger.END): SaState.FINISHED,
        (SaState.REPLACED, SaTrigger.RESUMED): SaState.ESTABLISHED,
        (SaState.REPLACED, SaTrigger.DELETE): SaState.DELETED,
        (SaState.REPLACED, SaTrigger.END): SaState.FINISHED,
        (SaState.DELETED, SaTrigger.END): SaState.FINISHED,
    }
)
"""Life of an ISAKMP SA. Authenticating anew makes another one."""


class Notice(Enum):
    """What an informational message is about, payload by payload."""

    DELETE_ISAKMP = "delete ISAKMP SA"
    DELETE_IPSEC = "delete IPsec SA"
    INITIAL_CONTACT = "INITIAL-CONTACT"
    R_U_THERE = "R-U-THERE"
    R_U_THERE_ACK = "R-U-THERE-ACK"
    RESPONDER_LIFETIME = "RESPONDER-LIFETIME"
    ERROR = "error"


_ALIVE = (SaState.ESTABLISHED, SaState.REPLACED)

INFORMATIONAL: Mapping[tuple[SaState, Notice], str] = MappingProxyType(
    {
        # Nobody is authenticated yet: whatever it says is a hint at most.
        (SaState.NEGOTIATING, Notice.ERROR): "hint",
        (SaState.NEGOTIATING, Notice.DELETE_ISAKMP): "hint",
        **{(state, Notice.DELETE_ISAKMP): "delete_isakmp" for state in _ALIVE},
        **{(state, Notice.DELETE_IPSEC): "delete_ipsec" for state in _ALIVE},
        **{(state, Notice.R_U_THERE): "answer_liveness" for state in _ALIVE},
        **{(state, Notice.R_U_THERE_ACK): "note_liveness" for state in _ALIVE},
        **{(state, Notice.ERROR): "fail_exchange" for state in _ALIVE},
        (SaState.ESTABLISHED, Notice.INITIAL_CONTACT): "initial_contact",
        (SaState.ESTABLISHED, Notice.RESPONDER_LIFETIME): "shorten_life",
        # The peer has not got the Delete: say it again.
        (SaState.DELETED, Notice.R_U_THERE): "repeat_delete",
        (SaState.DELETED, Notice.DELETE_ISAKMP): "delete_isakmp",
    }
)
"""Informational exchange (RFC 2409 section 5.7): the action of :class:`..exchanges.informational.Informational` for a
notice whose HASH(1) is valid. A notice without a valid hash is the hint of a negotiation that goes on, or nothing."""
