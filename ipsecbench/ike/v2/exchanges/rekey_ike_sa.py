"""Rekeying of the IKE SA, and both ends doing it at once (RFC 7296 sections 1.3.2, 2.8, 2.8.2, 2.18, 2.25.2).

The new IKE SA takes over all Child SAs and all tasks that wait. In a collision there are two new IKE SAs for a while;
Child SAs move to the one that survives, once this end knows which one that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE, KeyExchangeMethod
from ipsecbench.algorithms.proposals import IkeProposal
from ipsecbench.errors import NegotiationError, ProtocolError
from ipsecbench.ike.events import IkeSaRekeyed
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2 import limits
from ipsecbench.ike.v2.exchanges import ike_followup_ke
from ipsecbench.ike.v2.exchanges.child_exchange import MAX_METHOD_RETRIES, NONCE_BYTES, RETRIED_LATER
from ipsecbench.ike.v2.exchanges.ike_followup_ke import AdditionalExchanges, Followup
from ipsecbench.ike.v2.exchanges.informational import DeleteIkeSa
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.key_agreement import KeyAgreement, respond_key_exchange
from ipsecbench.ike.v2.key_installation import install_keys, runnable_proposals
from ipsecbench.ike.v2.keymat import ike_keys, rekeyed_skeyseed
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.negotiation import check_ike_answer, select_ike
from ipsecbench.ike.v2.payloads import KeyExchange, Nonce, Notify, SecurityAssociation
from ipsecbench.ike.v2.proposals import IkeSuite, ike_offer
from ipsecbench.ike.v2.rekey_collision import Nonces, loses
from ipsecbench.ike.v2.tasks import Request, Task, put_off
from ipsecbench.ike.v2.timers import Timer
from ipsecbench.ike.v2.transforms import Proposal
from ipsecbench.ike.v2.transitions import State
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

REPLACED_SECONDS = 60.0
"""How long an IKE SA that was replaced, or lost a collision, waits for the peer to delete it."""


@dataclass(eq=False, slots=True)
class PassiveRekey:
    """The rekeying that the peer asked for."""

    nonces: Nonces
    """Of its exchange."""
    successor: IkeSa | None = None
    """The new IKE SA; None until all key exchanges are done."""

    @property
    def pending(self) -> bool:
        """Whether the peer has to go on with additional key exchanges."""
        return self.successor is None

    @property
    def usable(self) -> bool:
        """Whether there is a new IKE SA."""
        return self.successor is not None and self.successor.state is State.ESTABLISHED

    def adopt(self, sa: IkeSa, now: float) -> None:
        """It counts: the new IKE SA takes over."""
        if self.successor is not None:
            take_over(sa, self.successor, now)


@dataclass(eq=False)
class RekeyIkeSa(Task):
    """Replace the IKE SA, and delete it then."""

    proposals: tuple[IkeProposal, ...] = field(default=(), init=False)
    offer: tuple[Proposal, ...] = field(default=(), init=False)
    spi: bytes = field(default=b"", init=False)
    nonce: bytes = field(default=b"", init=False)
    nonces: Nonces | None = field(default=None, init=False)
    agreement: KeyAgreement | None = field(default=None, init=False)
    suite: IkeSuite | None = field(default=None, init=False)
    spi_r: bytes = field(default=b"", init=False)
    exchanges: AdditionalExchanges | None = field(default=None, init=False)
    method_retries: int = field(default=0, init=False)

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        if sa.state is not State.ESTABLISHED:
            return None
        self.proposals = runnable_proposals(sa.host, sa.connection)
        if not self.proposals:
            sa.log("rekey-refused", "no proposal can be carried out here")
            return None
        self.spi = sa.host.allocate_ike_spi()
        self.offer = ike_offer(self.proposals, self.spi)
        # The method in use is the one that the peer takes, whatever the first one is.
        current = sa.suite.key_exchange if sa.suite is not None else None
        offered = [name for proposal in self.proposals for name in proposal.key_exchange]
        name = current.name if current is not None and current.name in offered else offered[0]
        return self._request(sa, KEY_EXCHANGE[name])

    def _request(self, sa: IkeSa, method: KeyExchangeMethod) -> Request:
        self.nonce = sa.host.environment.random(NONCE_BYTES)
        self.agreement = KeyAgreement(sa.host.environment.cryptography, method)
        self.nonces = self.exchanges = self.suite = None
        payloads = [SecurityAssociation(self.offer), Nonce(self.nonce), self.agreement.payload]
        return Request(ExchangeType.CREATE_CHILD_SA, payloads)

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`."""
        error = ike_followup_ke.refusal(response)
        if error is not None:
            return self._process_error(sa, error, now)
        if response.header.exchange_type == ExchangeType.CREATE_CHILD_SA:
            self._accept(response)
        exchanges, suite, nonces = self.exchanges, self.suite, self.nonces
        if exchanges is None or suite is None or nonces is None:
            raise ProtocolError(f"{response.name}: not what was asked for")
        if exchanges.methods and (self._lost(sa) or sa.state is not State.ESTABLISHED):
            # The peer goes on with its own exchange; this one needs no more key exchanges.
            if sa.followup is not None:
                sa.followup.preferred = True
            return None
        exchanges.take(response)
        following = exchanges.next_request(sa, response)
        if following is None:
            self._conclude(sa, suite, nonces, exchanges.secrets, now)
        return following

    def _accept(self, response: Message) -> None:
        choice = check_ike_answer(self.offer, response.one(SecurityAssociation).proposals)
        if self.agreement is None or choice.suite.key_exchange is not self.agreement.method:
            raise NegotiationError(f"{choice.suite.key_exchange.name} was chosen without key exchange data")
        self.suite, self.spi_r = choice.suite, choice.proposal.spi
        self.nonces = Nonces(self.nonce, response.one(Nonce).data)
        self.exchanges = AdditionalExchanges([], choice.suite.additional, self.agreement)

    def _lost(self, sa: IkeSa) -> bool:
        peers = sa.peers_rekey
        return peers is not None and self.nonces is not None and loses(self.nonces, peers.nonces)

    def _conclude(self, sa: IkeSa, suite: IkeSuite, nonces: Nonces, secrets: Sequence[Secret], now: float) -> None:
        successor = sa.successor(is_initiator=True, spi_i=self.spi, spi_r=self.spi_r)
        _install(sa, successor, suite, nonces, secrets)
        peers = sa.peers_rekey
        if sa.state is not State.ESTABLISHED or self._lost(sa):
            # The peer's counts, or has been used already: this end deletes its own (section 2.8.2).
            sa.log("rekey-collision", "the peer's rekeying of the IKE SA counts")
            successor.enqueue(DeleteIkeSa("redundant"), now)
            sa.host.register(successor)
            if peers is not None and peers.usable and sa.state is State.ESTABLISHED:
                peers.adopt(sa, now)
            return
        if peers is not None and peers.successor is not None:
            # The peer deletes its own, as soon as it knows.
            peers.successor.predecessor = None
            peers.successor.timers.set(Timer.REPLACED, now + REPLACED_SECONDS)
            sa.host.register(peers.successor)
        take_over(sa, successor, now)
        sa.tasks.waiting.append(DeleteIkeSa("replaced by rekeying"))

    def _process_error(self, sa: IkeSa, error: Notify, now: float) -> Request | None:
        if sa.state is not State.ESTABLISHED:
            return None
        peers = sa.peers_rekey
        if peers is not None and (peers.usable or peers.pending):
            # Whatever the peer did not like, it has rekeyed the IKE SA itself, or is about to.
            if peers.usable:
                peers.adopt(sa, now)
            return None
        if error.message_type == NotifyType.INVALID_KE_PAYLOAD and self.method_retries < MAX_METHOD_RETRIES:
            number = int.from_bytes(error.data)
            offered = {name for proposal in self.proposals for name in proposal.key_exchange}
            method = next((KEY_EXCHANGE[name] for name in offered if KEY_EXCHANGE[name].ikev2_id == number), None)
            if method is not None:
                self.method_retries += 1
                return self._request(sa, method)
        if error.message_type in RETRIED_LATER and put_off(sa, self, now):
            sa.log("put-off", f"{type(self).__name__}: {error.name}")
        else:
            sa.log("rekey-refused", f"the peer refuses with {error.name}")
        return None


def answer(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer a request to rekey the IKE SA.

    Raises:
        NegotiationError: it is refused.
        MalformedError: its key exchange data is not valid.
    """
    active, peers = sa.tasks.active, sa.peers_rekey
    if (active is not None and active.makes_child_sas) or (peers is not None and peers.usable):
        raise NegotiationError("a Child SA is being made or deleted", NotifyType.TEMPORARY_FAILURE)
    environment = sa.host.environment
    offered = request.one(KeyExchange)
    choice = select_ike(
        runnable_proposals(sa.host, sa.connection),
        request.one(SecurityAssociation).proposals,
        rekey=True,
        offered_method=offered.method,
    )
    suite = choice.suite
    if suite.key_exchange.ikev2_id != offered.method:
        raise NegotiationError(
            f"{suite.key_exchange.name} is wanted",
            NotifyType.INVALID_KE_PAYLOAD,
            suite.key_exchange.ikev2_id.to_bytes(2),
        )
    key_exchange, secret = respond_key_exchange(environment.cryptography, suite.key_exchange, offered)
    nonces = Nonces(request.one(Nonce).data, environment.random(NONCE_BYTES))
    spi_r = sa.host.allocate_ike_spi()
    payloads = [SecurityAssociation(choice.answer(spi_r)), Nonce(nonces.responder), key_exchange]
    rekey = sa.peers_rekey = PassiveRekey(nonces)
    finish = partial(_finish, sa, rekey, suite, choice.proposal.spi, spi_r)
    if not suite.additional:
        sa.respond(request, path, payloads, now)
        finish([secret], now)
        return

    def release() -> None:
        if sa.peers_rekey is rekey:
            sa.peers_rekey = None

    followup = Followup(b"", suite.additional, [secret], finish, release)
    sa.respond(request, path, [*payloads, ike_followup_ke.expect(sa, followup, now)], now)


def _finish(
    sa: IkeSa,
    rekey: PassiveRekey,
    suite: IkeSuite,
    spi_i: bytes,
    spi_r: bytes,
    secrets: Sequence[Secret],
    now: float,
) -> None:
    successor = sa.successor(is_initiator=False, spi_i=spi_i, spi_r=spi_r)
    _install(sa, successor, suite, rekey.nonces, secrets)
    rekey.successor = successor
    if isinstance(sa.tasks.active, RekeyIkeSa):
        # Both ends at once: which one counts is known when the answer to this end's own request is there.
        successor.predecessor = sa
        sa.host.register(successor)
    else:
        rekey.adopt(sa, now)


def _install(sa: IkeSa, successor: IkeSa, suite: IkeSuite, nonces: Nonces, secrets: Sequence[Secret]) -> None:
    if sa.sk_d is None:
        raise ProtocolError("an IKE SA without keys cannot be rekeyed")
    skeyseed = rekeyed_skeyseed(sa.sk_d, secrets, nonces.initiator, nonces.responder)
    keys = ike_keys(
        sa.host.environment.cryptography,
        suite,
        skeyseed,
        nonces.initiator,
        nonces.responder,
        successor.spi_i,
        successor.spi_r,
    )
    install_keys(successor, suite, keys)


def peer_uses(successor: IkeSa, now: float) -> None:
    """The peer has come to a decision: it uses an IKE SA out of a collision, so that one counts."""
    predecessor, successor.predecessor = successor.predecessor, None
    if predecessor is not None and predecessor.state is State.ESTABLISHED:
        take_over(predecessor, successor, now)
        predecessor.host.register(predecessor)


def take_over(sa: IkeSa, successor: IkeSa, now: float) -> None:
    """The new IKE SA inherits everything (section 2.8); the old one waits for its deletion."""
    successor.predecessor = None
    for child in sa.children:
        sa.children.remove(child)
        child.moved(successor.unique_id)
        successor.children.add(child)
    waiting = [task for task in sa.tasks.take_all() if not isinstance(task, RekeyIkeSa)]
    successor.tasks.waiting.extend(waiting)
    sa.announced, successor.announced = False, True
    sa.enter(State.REKEYED)
    sa.timers.clear()
    sa.timers.set(Timer.REPLACED, now + REPLACED_SECONDS)
    if sa.followup is not None:
        sa.followup.forget(sa)
        sa.followup = None
    limits.begin(successor, now)
    successor.host.emit(IkeSaRekeyed(sa.unique_id, successor.describe()))
    successor.pump(now)
    successor.host.register(successor)
