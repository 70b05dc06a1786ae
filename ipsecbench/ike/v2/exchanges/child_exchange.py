"""CREATE_CHILD_SA for a Child SA, new or instead of another one: what both have in common (RFC 7296 section 1.3).

The initiator tries again with the key exchange method that the responder wants (INVALID_KE_PAYLOAD), and later where it
is busy (TEMPORARY_FAILURE). Additional key exchanges follow in IKE_FOLLOWUP_KE (RFC 9370).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE, KeyExchangeMethod
from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE
from ipsecbench.errors import IpsecbenchError, NegotiationError
from ipsecbench.ike.configuration import ChildConfiguration
from ipsecbench.ike.events import ChildSaFailed
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2 import removal
from ipsecbench.ike.v2.child_sa import ChildSa
from ipsecbench.ike.v2.exchanges import ike_followup_ke
from ipsecbench.ike.v2.exchanges.child_negotiation import (
    ChildAgreement,
    ChildOffer,
    answer_child,
    make_child,
    offer_child,
)
from ipsecbench.ike.v2.exchanges.ike_followup_ke import AdditionalExchanges, Followup
from ipsecbench.ike.v2.exchanges.informational import DeleteRefusedChildSa
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.key_agreement import KeyAgreement, respond_key_exchange
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import KeyExchange, Nonce, Notify, Payload
from ipsecbench.ike.v2.rekey_collision import Nonces
from ipsecbench.ike.v2.tasks import Request, Task, put_off
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

NONCE_BYTES = 32
"""Octets of nonces made here."""
MAX_METHOD_RETRIES = 3
"""How often INVALID_KE_PAYLOAD is followed in one exchange."""
MAX_DELETED_EARLY = 64
"""More Child SAs that a peer deletes before they are known here are not remembered."""
RETRIED_LATER = frozenset({NotifyType.TEMPORARY_FAILURE, NotifyType.STATE_NOT_FOUND})
"""Errors after which the exchange is begun anew after a while (RFC 7296 section 2.25, RFC 9370 section 2.2.4)."""


@dataclass(eq=False)
class ChildExchange(Task):
    """The initiator's side."""

    configuration: ChildConfiguration
    offer: ChildOffer | None = field(default=None, init=False)
    nonce: bytes = field(default=b"", init=False)
    agreement: KeyAgreement | None = field(default=None, init=False)
    agreed: ChildAgreement | None = field(default=None, init=False)
    nonces: Nonces | None = field(default=None, init=False)
    exchanges: AdditionalExchanges | None = field(default=None, init=False)
    method_retries: int = field(default=0, init=False)

    deleted_early: set[bytes] = field(default_factory=set, init=False)
    """What the peer deleted while its answer was on its way: it may be the Child SA of this exchange."""

    def __post_init__(self) -> None:
        self.makes_child_sas = True

    # What the two kinds differ in.

    def extra_payloads(self) -> list[Payload]:
        """Notifications before the SA payload."""
        return []

    def created(self, sa: IkeSa, secrets: Sequence[Secret], now: float) -> None:
        """The peer has agreed to everything: make the Child SA."""
        raise NotImplementedError

    def refused(self, sa: IkeSa, reason: str, notify: int | None, now: float) -> None:
        """There will be no Child SA of this exchange."""
        sa.host.emit(ChildSaFailed(sa.unique_id, self.configuration.name, reason, notify))

    # What they share.

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        return self.first_request(sa, first_method(self.configuration))

    def first_request(self, sa: IkeSa, method: KeyExchangeMethod | None) -> Request:
        """CREATE_CHILD_SA, with a key exchange method or without."""
        if self.offer is None:
            self.offer = offer_child(sa, self.configuration, with_key_exchange=True)
        self.nonce = sa.host.environment.random(NONCE_BYTES)
        self.agreement = None if method is None else KeyAgreement(sa.host.environment.cryptography, method)
        self.agreed = self.nonces = self.exchanges = None
        self.deleted_early.clear()
        head, tail = self.offer.payloads()
        key_exchange = [] if self.agreement is None else [self.agreement.payload]
        payloads = [*self.extra_payloads(), *head, Nonce(self.nonce), *key_exchange, *tail]
        return Request(ExchangeType.CREATE_CHILD_SA, payloads)

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`."""
        error = ike_followup_ke.refusal(response)
        if error is not None:
            return self.process_error(sa, error, now)
        try:
            if response.header.exchange_type == ExchangeType.CREATE_CHILD_SA:
                self._accept(sa, response)
            # With its last answer the peer has made the SA: it is too late to stop then.
            if self.exchanges is None or (self.exchanges.methods and self.stops(sa)):
                self.release(sa)
                return None
            self.exchanges.take(response)
            following = self.exchanges.next_request(sa, response)
            if following is not None:
                return following
        except IpsecbenchError as problem:
            # The peer has, or may have, made an SA that is of no use here.
            sa.log("bad-child-response", str(problem))
            self._give_back(sa, now)
            self.refused(sa, f"the answer is not acceptable: {problem}", getattr(problem, "notify", None), now)
            return None
        self.created(sa, self.exchanges.secrets, now)
        self.offer = None
        agreed = self.agreed
        made = None if agreed is None else sa.children.by_inbound(agreed.inbound_spi)
        if made is not None and made.info.outbound_spi in self.deleted_early:
            removal.remove_child(sa, made, "deleted by the peer")
        return None

    def note_deletion(self, outbound_spi: bytes) -> None:
        """The peer deletes a Child SA that is not known here."""
        if len(self.deleted_early) < MAX_DELETED_EARLY:
            self.deleted_early.add(outbound_spi)

    def stops(self, sa: IkeSa) -> bool:
        """Whether there is no use in going on before the Child SA is made."""
        return False

    def _accept(self, sa: IkeSa, response: Message) -> None:
        """Take what CREATE_CHILD_SA agrees on.

        Raises:
            ProtocolError: it is not acceptable.
        """
        if self.offer is None:
            return
        self.agreed = self.offer.accept(sa, response)
        self.nonces = Nonces(self.nonce, response.one(Nonce).data)
        wanted, agreement = self.agreed.suite.key_exchange, self.agreement
        if wanted is None:
            agreement = None
        elif agreement is None or agreement.method is not wanted:
            raise NegotiationError(f"{wanted.name} was chosen without key exchange data", NotifyType.INVALID_SYNTAX)
        self.exchanges = AdditionalExchanges([], self.agreed.suite.additional, agreement)

    def process_error(self, sa: IkeSa, error: Notify, now: float) -> Request | None:
        """The peer refuses."""
        if error.message_type == NotifyType.INVALID_KE_PAYLOAD and self.method_retries < MAX_METHOD_RETRIES:
            method = other_method(self.configuration, int.from_bytes(error.data))
            if method is not None:
                self.method_retries += 1
                return self.first_request(sa, method)
        self.release(sa)
        if error.message_type in RETRIED_LATER and put_off(sa, self, now):
            sa.log("put-off", f"{type(self).__name__}: {error.name}")
            return None
        self.refused(sa, f"the peer refuses with {error.name}", error.message_type, now)
        return None

    def dropped(self, sa: IkeSa, reason: str, now: float) -> None:
        """See :meth:`Task.dropped`."""
        self.release(sa)

    def release(self, sa: IkeSa) -> None:
        """The SPI of the offer is not used."""
        if self.offer is not None:
            sa.host.release_child_spi(self.offer.spi)
            self.offer = None

    def _give_back(self, sa: IkeSa, now: float) -> None:
        if self.offer is not None:
            sa.tasks.waiting.appendleft(DeleteRefusedChildSa(self.offer.spi))
            self.offer = None


def first_method(configuration: ChildConfiguration) -> KeyExchangeMethod | None:
    """The method whose key exchange data is sent first; None without perfect forward secrecy."""
    for proposal in configuration.proposals:
        for name in proposal.key_exchange:
            if name != NO_KEY_EXCHANGE:
                return KEY_EXCHANGE[name]
    return None


def other_method(configuration: ChildConfiguration, number: int) -> KeyExchangeMethod | None:
    """The method of a number, where it was offered."""
    names = {name for proposal in configuration.proposals for name in proposal.key_exchange} - {NO_KEY_EXCHANGE}
    return next((KEY_EXCHANGE[name] for name in names if KEY_EXCHANGE[name].ikev2_id == number), None)


Made = Callable[[ChildSa], None]


def respond_child(
    sa: IkeSa,
    request: Message,
    path: Path,
    configurations: Sequence[ChildConfiguration],
    now: float,
    *,
    replaced: bytes | None = None,
    made: Made | None = None,
) -> Nonces:
    """The responder's side: agree on a Child SA, and make it when all its key exchanges are done.

    Args:
        sa: the IKE SA.
        request: CREATE_CHILD_SA.
        path: where it came from.
        configurations: what may be made, in the order of preference.
        now: seconds.
        replaced: inbound SPI of the Child SA that it replaces.
        made: called with it.

    Returns:
        The nonces of the exchange.

    Raises:
        NegotiationError: nothing fits, or another method is wanted (INVALID_KE_PAYLOAD).
        MalformedError: the key exchange data is not valid.
    """
    environment = sa.host.environment
    offered = request.first(KeyExchange)
    chosen = answer_child(
        sa,
        request,
        configurations,
        with_key_exchange=True,
        offered_method=None if offered is None else offered.method,
    )
    agreement, secrets = chosen.agreement, []
    nonces = Nonces(request.one(Nonce).data, environment.random(NONCE_BYTES))
    head, tail = chosen.payloads()
    payloads = [*head, Nonce(nonces.responder)]
    wanted = agreement.suite.key_exchange
    try:
        if wanted is not None:
            if offered is None or offered.method != wanted.ikev2_id:
                raise NegotiationError(
                    f"{wanted.name} is wanted", NotifyType.INVALID_KE_PAYLOAD, wanted.ikev2_id.to_bytes(2)
                )
            key_exchange, secret = respond_key_exchange(environment.cryptography, wanted, offered)
            payloads.append(key_exchange)
            secrets.append(secret)
    except IpsecbenchError:
        sa.host.release_child_spi(agreement.inbound_spi)
        raise
    payloads += tail
    finish = partial(_finish, sa, agreement, nonces, replaced, made)
    if not agreement.suite.additional:
        sa.respond(request, path, payloads, now)
        finish(secrets, now)
        return nonces
    release = partial(sa.host.release_child_spi, agreement.inbound_spi)
    followup = Followup(b"", agreement.suite.additional, secrets, finish, release)
    payloads.append(ike_followup_ke.expect(sa, followup, now))
    sa.respond(request, path, payloads, now)
    return nonces


def _finish(
    sa: IkeSa,
    agreement: ChildAgreement,
    nonces: Nonces,
    replaced: bytes | None,
    made: Made | None,
    secrets: Sequence[Secret],
    now: float,
) -> None:
    child = make_child(sa, agreement, nonces, secrets, now, is_initiator=False, replaced=replaced)
    if made is not None:
        made(child)
