"""IKE_FOLLOWUP_KE: the additional key exchanges of CREATE_CHILD_SA (RFC 9370 section 2.2.4).

The responder of CREATE_CHILD_SA keeps what was agreed on under a value of its own, the link, which the initiator
repeats. The SA is made when the last key exchange is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecbench.algorithms.key_exchange import KeyExchangeMethod
from ipsecbench.errors import MalformedError
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.key_agreement import KeyAgreement, respond_key_exchange
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import KeyExchange, Notify, Payload, SecurityAssociation
from ipsecbench.ike.v2.tasks import Request
from ipsecbench.ike.v2.timers import Timer
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.child_sa import ChildSa
    from ipsecbench.ike.v2.ike_sa import IkeSa

LINK_BYTES = 16
"""Octets of the links made here."""


@dataclass(eq=False, slots=True)
class AdditionalExchanges:
    """The initiator's side: its key exchanges of one CREATE_CHILD_SA, the first included."""

    secrets: list[Secret]
    """Shared secrets so far, in their order."""
    methods: tuple[KeyExchangeMethod, ...]
    """Methods that are still to be used."""
    agreement: KeyAgreement | None = None
    """This end's half of the one at work."""

    def take(self, response: Message) -> None:
        """Finish the key exchange at work.

        Raises:
            MalformedError: the response does not answer it.
        """
        if self.agreement is not None:
            self.secrets.append(self.agreement.complete(response.one(KeyExchange)))
            self.agreement = None

    def next_request(self, sa: IkeSa, response: Message) -> Request | None:
        """The next request; None when all is done.

        Raises:
            MalformedError: the response has no link, so that there is nothing to go on with.
        """
        if not self.methods:
            return None
        link = response.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE)
        if link is None:
            raise MalformedError(f"{response.name}: no ADDITIONAL_KEY_EXCHANGE")
        self.agreement = KeyAgreement(sa.host.environment.cryptography, self.methods[0])
        self.methods = self.methods[1:]
        again = Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, link.data)
        return Request(ExchangeType.IKE_FOLLOWUP_KE, [self.agreement.payload, again])


@dataclass(eq=False, slots=True)
class Followup:
    """The responder's side: what was agreed on in CREATE_CHILD_SA and waits for the last key exchange."""

    link: bytes
    """What the initiator has to repeat."""
    methods: tuple[KeyExchangeMethod, ...]
    """Methods that are still to be used."""
    secrets: list[Secret]
    """Shared secrets so far, in their order."""
    finish: Callable[[list[Secret], float], None]
    """Makes the SA."""
    release: Callable[[], None]
    """Gives back what the SA would have used."""
    replaces: ChildSa | None = None
    """The Child SA that the peer is rekeying with it."""
    preferred: bool = False
    """Whether this end has given up an exchange of its own for it, after the peer had answered the first request.

    The peer may not know of the collision yet, and wait for the key exchange that will never come. strongSwan 6 takes
    any other request for a failure then, and ends the IKE SA.
    """

    def forget(self, sa: IkeSa) -> None:
        """It will not be finished."""
        sa.timers.set(Timer.FOLLOWUP, None)
        self.release()


def refusal(response: Message) -> Notify | None:
    """The error of a response to CREATE_CHILD_SA or IKE_FOLLOWUP_KE that agrees on nothing; None where it does.

    A response to IKE_FOLLOWUP_KE without key exchange data and without a reason is taken for STATE_NOT_FOUND.
    """
    if response.first(SecurityAssociation) is not None or response.first(KeyExchange) is not None:
        return None
    if response.error is None and response.header.exchange_type == ExchangeType.IKE_FOLLOWUP_KE:
        return Notify(NotifyType.STATE_NOT_FOUND)
    return response.error


def expect(sa: IkeSa, followup: Followup, now: float) -> Notify:
    """Wait for the initiator to go on; an older wait is given up.

    Returns:
        The notification that tells the initiator the link.
    """
    if sa.followup is not None and sa.followup is not followup:
        sa.followup.forget(sa)
    sa.followup = followup
    followup.link = sa.host.environment.random(LINK_BYTES)
    sa.timers.set(Timer.FOLLOWUP, now + sa.host.configuration.half_open_seconds)
    return Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, followup.link)


def answer(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer one additional key exchange.

    Raises:
        MalformedError: its key exchange data is not valid.
    """
    followup, link = sa.followup, request.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE)
    if followup is None or link is None or link.data != followup.link:
        sa.respond(request, path, [Notify(NotifyType.STATE_NOT_FOUND)], now)
        return
    offer, method = request.one(KeyExchange), followup.methods[0]
    if offer.method != method.ikev2_id:
        raise MalformedError(f"{request.name}: method {offer.method}, not {method.name}", NotifyType.INVALID_SYNTAX)
    key_exchange, secret = respond_key_exchange(sa.host.environment.cryptography, method, offer)
    followup.secrets.append(secret)
    followup.methods = followup.methods[1:]
    payloads: list[Payload] = [key_exchange]
    if followup.methods:
        sa.respond(request, path, [*payloads, expect(sa, followup, now)], now)
        return
    sa.followup = None
    sa.timers.set(Timer.FOLLOWUP, None)
    sa.respond(request, path, payloads, now)
    followup.finish(followup.secrets, now)
