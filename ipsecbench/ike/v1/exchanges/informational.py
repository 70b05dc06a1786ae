"""Informational exchange: notifications and deletions (RFC 2409 section 5.7, RFC 2408 section 4.8, RFC 3706).

::

    HDR*, HASH(1), N/D   -->

Nothing is processed before HASH(1) is verified. What comes without a valid hash is at most a hint for a negotiation
that goes on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ipsecbench.errors import MalformedError, ProtocolError, ProviderError
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.path import Path
from ipsecbench.ike.v1.attributes import decode_attributes
from ipsecbench.ike.v1.authentication import check_hash, message_hash
from ipsecbench.ike.v1.identifiers import (
    FIRST_STATUS_TYPE,
    ExchangeType,
    Flag,
    NotifyType,
    PayloadType,
    Protocol,
    notify_name,
)
from ipsecbench.ike.v1.message import AnyPayload, Message, body_of, decode_payloads, encode_payloads
from ipsecbench.ike.v1.payloads import DeletePayload, NotificationPayload, OctetsPayload
from ipsecbench.ike.v1.phase2_negotiation import read_lives
from ipsecbench.ike.v1.security import Security
from ipsecbench.ike.v1.transitions import INFORMATIONAL, Notice, SaState

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

REMEMBERED = 256
"""Message IDs that are remembered, so that a repeated message is not processed twice."""

_NOTICES = {
    NotifyType.INITIAL_CONTACT: Notice.INITIAL_CONTACT,
    NotifyType.R_U_THERE: Notice.R_U_THERE,
    NotifyType.R_U_THERE_ACK: Notice.R_U_THERE_ACK,
    NotifyType.RESPONDER_LIFETIME: Notice.RESPONDER_LIFETIME,
}


class Informational:
    """Informational messages of one ISAKMP SA, sent and received.

    Args:
        sa: the ISAKMP SA.
    """

    EXCHANGE_TYPE = ExchangeType.INFORMATIONAL

    def __init__(self, sa: IsakmpSa) -> None:
        self.sa = sa
        self._seen: deque[int] = deque(maxlen=REMEMBERED)

    # Sending.

    def build(self, payloads: list[AnyPayload]) -> bytes:
        """A message, protected as soon as there are keys."""
        sa = self.sa
        message_id = sa.fresh_message_id()
        security = sa.security
        if security is None:
            return sa.sender.build(self.EXCHANGE_TYPE, message_id, payloads, None)
        digest = message_hash(security.prf, security.family.skeyid_a, message_id, encode_payloads(payloads))
        protected = [OctetsPayload(PayloadType.HASH, digest), *payloads]
        return sa.sender.build(self.EXCHANGE_TYPE, message_id, protected, security.phase.exchange(message_id))

    # Receiving.

    def receive(self, header: IkeHeader, octets: bytes, path: Path, now: float) -> None:
        """A message of the exchange; never raises for what the peer sent."""
        security = self.sa.security
        if not header.flags & Flag.ENCRYPTION or security is None:
            self._unprotected(header, octets, now)
            return
        if header.message_id == 0 or header.message_id in self._seen:
            self.sa.log("repeated-message", "informational: a message came twice")
            return
        try:
            message = self._verified(header, octets, security)
        except (ProtocolError, ProviderError) as error:
            self.sa.log("bad-informational", str(error))
            return
        self._seen.append(header.message_id)
        self.sa.heard(path, self.sa.state is not SaState.NEGOTIATING, now)
        for each in message.payloads[1:]:
            # A Delete of the ISAKMP SA ends it: what stands behind it in the message is not looked at.
            if self.sa.state is SaState.FINISHED:
                return
            if isinstance(each.payload, NotificationPayload | DeletePayload):
                self._process(each.payload, now)

    def _verified(self, header: IkeHeader, octets: bytes, security: Security) -> Message:
        body = body_of(octets)
        chain = security.phase.exchange(header.message_id)
        message = decode_payloads(header, chain.decrypt(body), padded=True)
        if message.types[0] != PayloadType.HASH:
            raise MalformedError("informational: the first payload is not HASH")
        rest = message.octets_after_first()
        digest = message_hash(security.prf, security.family.skeyid_a, header.message_id, rest)
        check_hash("informational: HASH(1)", digest, message.payloads[0].body)
        return message

    def _unprotected(self, header: IkeHeader, octets: bytes, now: float) -> None:
        """Anybody can have sent it: nothing is deleted, and nothing but a negotiation takes note."""
        if header.flags & Flag.ENCRYPTION:
            self.sa.log("undecryptable-message", "informational: there are no keys yet")
            return
        try:
            message = decode_payloads(header, body_of(octets), padded=False)
        except ProtocolError as error:
            self.sa.log("malformed-message", f"informational: {error}")
            return
        self.sa.log("unprotected-informational", f"payloads {list(message.types)}")
        if self.sa.state is SaState.NEGOTIATING:
            for each in message.all(NotificationPayload):
                if each.notify_type < FIRST_STATUS_TYPE:
                    self.hint(each, now)

    def _process(self, payload: NotificationPayload | DeletePayload, now: float) -> None:
        notice = _notice(payload)
        if notice is None:
            self.sa.log("ignored-notify", _describe(payload))
            return
        action = INFORMATIONAL.get((self.sa.state, notice))
        if action is None:
            self.sa.log("unexpected-message", f"informational: {notice.value} in state {self.sa.state.value!r}")
            return
        getattr(self, action)(payload, now)

    # The actions of the table.

    def hint(self, payload: NotificationPayload | DeletePayload, now: float) -> None:
        """The peer, or somebody else, says that the negotiation will come to nothing."""
        if isinstance(payload, NotificationPayload):
            self.sa.hint(f"the peer says {notify_name(payload.notify_type)}", payload.notify_type, now)
        else:
            self.sa.hint("the peer has deleted the SA", None, now)

    def delete_isakmp(self, payload: DeletePayload, now: float) -> None:
        """The peer has deleted the ISAKMP SA."""
        if self.sa.spi_i + self.sa.spi_r not in payload.spis:
            self.sa.log("ignored-delete", "informational: delete of another ISAKMP SA")
            return
        self.sa.deleted_by_peer(now)

    def delete_ipsec(self, payload: DeletePayload, now: float) -> None:
        """The peer has deleted phase 2 SAs; it names those by which it was reached."""
        for spi in payload.spis:
            if not self.sa.phase2_deleted_by_peer(spi):
                self.sa.log("ignored-delete", f"informational: no phase 2 SA with outbound SPI {spi.hex()}")

    def answer_liveness(self, payload: NotificationPayload, now: float) -> None:
        """R-U-THERE is answered with the same sequence number, once (RFC 3706 section 5.5)."""
        sequence = self._sequence(payload)
        if sequence is None or not self.sa.liveness.fresh(sequence):
            self.sa.log("bad-liveness", "R-U-THERE of another SA, or with an old sequence number")
            return
        self.sa.sender.notify(NotifyType.R_U_THERE_ACK, payload.data, now)

    def note_liveness(self, payload: NotificationPayload, now: float) -> None:
        """R-U-THERE-ACK."""
        sequence = self._sequence(payload)
        self.sa.acknowledged(sequence, now)

    def _sequence(self, payload: NotificationPayload) -> int | None:
        if payload.spi != self.sa.spi_i + self.sa.spi_r or len(payload.data) != 4:
            return None
        return int.from_bytes(payload.data)

    def initial_contact(self, payload: NotificationPayload, now: float) -> None:
        """The peer has no other SA with this end (RFC 2407 section 4.6.3.3)."""
        self.sa.replace_others(now)

    def shorten_life(self, payload: NotificationPayload, now: float) -> None:
        """RESPONDER-LIFETIME for the ISAKMP SA (RFC 2407 section 4.6.3.1); for phase 2 it stands in quick mode."""
        if payload.protocol != Protocol.PROTO_ISAKMP:
            return
        try:
            lives = read_lives(decode_attributes(payload.data))
        except ProtocolError as error:
            self.sa.log("malformed-message", f"RESPONDER-LIFETIME: {error}")
            return
        if lives.seconds is not None:
            self.sa.deadlines.begin_life(lives.seconds, now)

    def fail_exchange(self, payload: NotificationPayload, now: float) -> None:
        """The peer reports an error: that of a quick mode, or of an SA that it could not install."""
        self.sa.phase2_refused(payload.spi, payload.notify_type, now)

    def repeat_delete(self, payload: NotificationPayload, now: float) -> None:
        """The peer asks for an SA that is deleted here."""
        self.sa.sender.repeat_farewell(now)


def _notice(payload: NotificationPayload | DeletePayload) -> Notice | None:
    """What a payload is about; None for a status that has no meaning here."""
    if isinstance(payload, DeletePayload):
        if payload.protocol == Protocol.PROTO_ISAKMP:
            return Notice.DELETE_ISAKMP
        return Notice.DELETE_IPSEC if payload.protocol == Protocol.PROTO_IPSEC_ESP else None
    if payload.notify_type < FIRST_STATUS_TYPE:
        return Notice.ERROR
    return _NOTICES.get(NotifyType(payload.notify_type)) if payload.notify_type in set(NotifyType) else None


def _describe(payload: NotificationPayload | DeletePayload) -> str:
    if isinstance(payload, DeletePayload):
        return f"delete of protocol {payload.protocol}"
    return notify_name(payload.notify_type)
