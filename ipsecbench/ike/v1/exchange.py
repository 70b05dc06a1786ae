"""What every exchange of several messages has: state, the last message sent, a timer, answers to repeated messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ipsecbench.errors import MalformedError, ProtocolError, ProviderError
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.path import Path
from ipsecbench.ike.v1.identifiers import Flag, NotifyType, PayloadType
from ipsecbench.ike.v1.iv_chain import IvChain
from ipsecbench.ike.v1.message import AnyPayload, Message, Received, body_of, decode_payloads
from ipsecbench.ike.v1.payloads import NONCE_BYTES
from ipsecbench.ike.v1.transitions import ExchangeState, ExchangeTable, Sends, Transition, Trigger

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

NO_ANSWER = "no answer"
"""Reason of an exchange whose messages were sent again in vain."""
OWN_NONCE_BYTES = 32
"""Octets of a nonce that is made here."""


class Exchange:
    """One exchange under one Message ID.

    Args:
        sa: the ISAKMP SA.
        message_id: Message ID; 0 in phase 1.
        chain: the IVs; None until there are keys.
        initiator: whether this end begins it.
    """

    TABLE: ClassVar[ExchangeTable]
    """The state machine."""
    NAME: ClassVar[str]
    """For logs."""
    EXCHANGE_TYPE: ClassVar[int]
    """Exchange Type of its messages."""

    def __init__(self, sa: IsakmpSa, message_id: int, chain: IvChain | None, initiator: bool) -> None:
        self.sa = sa
        self.message_id = message_id
        self.chain = chain
        self.initiator = initiator
        self.state = ExchangeState.START
        self.retransmit_at: float | None = None
        self.authenticated = False
        """Whether the message in hand has proven that it is the peer's: only then its errors end the exchange."""
        self.encrypted_body = b""
        """Body of the message in hand; empty where it came in the clear."""
        self._sent = b""
        self._sent_again = 0
        self._accepted = b""

    @property
    def begun(self) -> bool:
        """Whether a message was sent or taken."""
        return self.state is not ExchangeState.START

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come but repeats."""
        return self.state in (ExchangeState.DONE, ExchangeState.FAILED)

    def begin(self, now: float) -> None:
        """Send the first message."""
        self._step(Trigger.INITIATE, None, b"", now)

    def receive(self, header: IkeHeader, octets: bytes, path: Path, now: float) -> bool:
        """A message of this exchange.

        Returns:
            Whether it was taken: it is new, fits the state, and no check refused it.
        """
        if octets == self._accepted:
            self._repeat(path, now)
            return False
        body = body_of(octets)
        encrypted = bool(header.flags & Flag.ENCRYPTION)
        try:
            message = self._decode(header, body, encrypted)
            trigger = self.classify(message, encrypted)
        except (ProtocolError, ProviderError) as error:
            self.unreadable(error, encrypted, now)
            return False
        if trigger is None:
            self.sa.log("unexpected-message", f"{self.NAME}: payloads {list(message.types)} are no message of it")
            return False
        if not self._step(trigger, message, body if encrypted else b"", now, path):
            return False
        self._accepted = octets
        return True

    def _decode(self, header: IkeHeader, body: bytes, encrypted: bool) -> Message:
        if not encrypted:
            return decode_payloads(header, body, padded=False)
        if self.chain is None:
            raise ProtocolError(f"{self.NAME}: an encrypted message before there are keys")
        return decode_payloads(header, self.chain.decrypt(body), padded=True)

    def classify(self, message: Message, encrypted: bool) -> Trigger | None:
        """What a message triggers; None for a message that does not belong into the exchange."""
        types = message.types
        if PayloadType.SA in types:
            return Trigger.SA
        if PayloadType.KE in types:
            return Trigger.KE
        return Trigger.PROOF if PayloadType.HASH in types or PayloadType.SIG in types else None

    def _step(
        self, trigger: Trigger, message: Message | None, encrypted: bytes, now: float, path: Path | None = None
    ) -> bool:
        """One transition: the action, the next IV, the state, the message. False where nothing happened."""
        transition = self.TABLE.get((self.state, trigger))
        if transition is None:
            self.sa.log("unexpected-message", f"{self.NAME}: {trigger.value} in state {self.state.value!r}")
            return False
        self.authenticated = message is None
        self.encrypted_body = encrypted
        action = getattr(self, transition.action)
        try:
            payloads: Sequence[AnyPayload] = action(now) if message is None else action(message, now)
        except (ProtocolError, ProviderError) as error:
            self._refuse_read(error, message is not None, encrypted, now)
            return False
        if encrypted and self.chain is not None:
            self.chain.accept(encrypted)
        if path is not None:
            self.sa.heard(path, self.authenticated, now)
        self._enter(transition.state)
        self._answer(transition, payloads, now)
        if transition.state is ExchangeState.DONE:
            self.complete(now)
        return True

    def _enter(self, state: ExchangeState) -> None:
        """The one place that assigns the state."""
        self.state = state

    def _answer(self, transition: Transition, payloads: Sequence[AnyPayload], now: float) -> None:
        self.retransmit_at = None
        self._sent_again = 0
        if transition.sends is Sends.NOTHING:
            self._sent = b""
            return
        chain = self.chain if transition.sends is Sends.ENCRYPTED else None
        self._sent = self.sa.sender.build(self.EXCHANGE_TYPE, self.message_id, payloads, chain)
        self.sa.sender.transmit(self._sent, now)
        if transition.awaits:
            self.retransmit_at = now + self.sa.connection.retransmission.delay(0)

    def _repeat(self, path: Path, now: float) -> None:
        """A message came again: its answer goes out again, unless that is sent by timer anyway."""
        if self._sent and (self.retransmit_at is None or not self.initiator):
            self.sa.sender.transmit(self._sent, now, path)
        else:
            self.sa.log("repeated-message", f"{self.NAME}: a message came twice")

    def repeat_answer(self, now: float) -> None:
        """The peer is behind: it may not have got the last message."""
        if self._sent and self.retransmit_at is None:
            self.sa.sender.transmit(self._sent, now)

    @property
    def sent_last(self) -> bool:
        """Whether the last message was sent here."""
        return bool(self._sent)

    def hurry(self, at: float) -> None:
        """Send again earlier than usual, once, if no answer has come by then."""
        if self.retransmit_at is not None:
            self.retransmit_at = min(self.retransmit_at, at)

    def handle_timeout(self, now: float) -> None:
        """Send again what was not answered, or give up."""
        if self.retransmit_at is None or now < self.retransmit_at:
            return
        schedule = self.sa.connection.retransmission
        if self._sent_again >= schedule.tries:
            self.fail(NO_ANSWER, None, now)
            return
        self._sent_again += 1
        self.sa.sender.transmit(self._sent, now)
        self.retransmit_at = now + schedule.delay(self._sent_again)

    def _refuse_read(self, error: ProtocolError | ProviderError, received: bool, encrypted: bytes, now: float) -> None:
        """Refuse a message that could be read. For its sender its last block is the one that the IV of what we have to
        say about it begins from; our own chain stays where it was, for the right message may still come."""
        if not encrypted or self.chain is None:
            self._refuse(error, received, now)
            return
        before = self.chain.iv
        self.chain.accept(encrypted)
        try:
            self._refuse(error, received, now)
        finally:
            self.chain.iv = before

    def _refuse(self, error: ProtocolError | ProviderError, received: bool, now: float) -> None:
        notify = error.notify if isinstance(error, ProtocolError) else None
        if self.authenticated:
            if notify is not None and received:
                self.report(notify, now)
            self.fail(str(error), notify, now)
        else:
            self.refused(error, notify, now)

    def end(self) -> None:
        """No more messages; the state stays failed."""
        self.retransmit_at = None
        self._sent = b""
        self._enter(ExchangeState.FAILED)

    # What the exchanges add.

    def refused(self, error: ProtocolError | ProviderError, notify: int | None, now: float) -> None:
        """A message that has proven nothing was refused: it changes nothing."""
        self.sa.log("refused-message", f"{self.NAME}: {error}")

    def unreadable(self, error: ProtocolError | ProviderError, encrypted: bool, now: float) -> None:
        """A message does not parse, or does so only with another key."""
        cause = "undecryptable-message" if encrypted else "malformed-message"
        self.sa.log(cause, f"{self.NAME}: {error}")

    def report(self, notify: int, now: float) -> None:
        """Tell the peer what was wrong."""
        self.sa.sender.notify(notify, b"", now)

    def fail(self, reason: str, notify: int | None, now: float) -> None:
        """The exchange has no result."""
        raise NotImplementedError

    def complete(self, now: float) -> None:
        """The last transition was made."""
        raise NotImplementedError


def required(message: Message, payload_type: int) -> Received:
    """The one payload of a type that a message must have.

    Raises:
        MalformedError: there is none, or more than one.
    """
    found = [each for each in message.payloads if each.payload_type == payload_type]
    if len(found) != 1:
        raise MalformedError(f"{len(found)} payloads of type {payload_type}, not one", NotifyType.PAYLOAD_MALFORMED)
    return found[0]


def nonce_of(message: Message) -> bytes:
    """The nonce of a message.

    Raises:
        MalformedError: it is missing, or has not 8 to 256 octets (RFC 2409 section 5).
    """
    nonce = required(message, PayloadType.NONCE).body
    if len(nonce) not in NONCE_BYTES:
        raise MalformedError(f"a nonce of {len(nonce)} octets", NotifyType.PAYLOAD_MALFORMED)
    return nonce
