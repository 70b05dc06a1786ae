"""Aggressive mode (RFC 2409 section 5; with NAT detection RFC 3947 section 3.2).

::

    initiator                              responder
    HDR, SA, KE, Ni, IDii, VID…      -->
                                     <--   HDR, SA, KE, Nr, IDir, [CERT,] HASH or SIG, VID…, [NAT-D, NAT-D]
    HDR*, [CERT,] HASH or SIG, [NAT-D, NAT-D]  -->

The third message is sent encrypted, which RFC 2409 allows, and accepted in both ways.
"""

from __future__ import annotations

from ipsecbench.errors import AuthenticationError, NegotiationError, ProtocolError
from ipsecbench.ike.v1 import credentials
from ipsecbench.ike.v1.exchange import required
from ipsecbench.ike.v1.exchanges.phase1 import Phase1
from ipsecbench.ike.v1.identifiers import ExchangeType, NotifyType, PayloadType
from ipsecbench.ike.v1.message import AnyPayload, Message
from ipsecbench.ike.v1.payloads import IdPayload
from ipsecbench.ike.v1.transitions import AGGRESSIVE_MODE, Trigger


class AggressiveMode(Phase1):
    """One aggressive mode of either role."""

    TABLE = AGGRESSIVE_MODE
    NAME = "aggressive mode"
    EXCHANGE_TYPE = ExchangeType.AGGRESSIVE

    _initiator_id: IdPayload | None = None

    def classify(self, message: Message, encrypted: bool) -> Trigger | None:
        """See :meth:`Exchange.classify`. The first two messages have SA and KE and come in the clear."""
        trigger = super().classify(message, encrypted)
        return None if trigger is Trigger.KE or (trigger is Trigger.SA and encrypted) else trigger

    def offer(self, now: float) -> list[AnyPayload]:
        """The first message."""
        payload = self.make_offer(one_group=True)
        method = self.offered[0].authentication
        requests = [] if method == credentials.PSK_METHOD else credentials.certificate_requests(self.sa.connection)
        return [payload, *self.key_payloads(), self.own_id(), *requests, *self.vendor_payloads()]

    def choose_and_prove(self, message: Message, now: float) -> list[AnyPayload]:
        """The first message has come: the second one."""
        id_payload = _id_of(message)
        environment = self.sa.host.environment
        candidates = [
            connection
            for connection in self.candidates
            if connection.aggressive and credentials.identity_allowed(connection, id_payload.identity, environment)
        ]
        if not candidates and any(connection.aggressive for connection in self.candidates):
            raise AuthenticationError(f"no connection is for {id_payload.identity}", NotifyType.AUTHENTICATION_FAILED)
        answer = self.choose_transform(message, candidates)
        self.note_vendors(message)
        self.note_requests(message)
        security = self.take_keys(message, self.sa.spi_r)
        proof = self.own_proof(security)
        self.use(security)
        self._initiator_id = id_payload
        return [
            answer,
            *self.key_payloads(),
            self.own_id(),
            *proof,
            *self.requests(),
            *self.vendor_payloads(),
            *self.nat_payloads(),
        ]

    def verify_and_prove(self, message: Message, now: float) -> list[AnyPayload]:
        """The second message has come: the initiator believes the responder, and proves itself."""
        spi_r = message.header.spi_r
        self.take_choice(message)
        if self.choice.suite.key_exchange != self.offered[0].key_exchange:
            raise NegotiationError("the responder chose another group", NotifyType.INVALID_KEY_INFORMATION)
        security = self.take_keys(message, spi_r)
        self.check_proof(message, security, spi_r, _id_of(message))
        self.sa.learn_cookie(spi_r)
        self.note_vendors(message)
        self.note_requests(message)
        self.note_nat(message, spi_r)
        if self.sa.peer.nat:
            self.sa.float_ports()
        proof = self.own_proof(security)
        self.use(security)
        return [*proof, *self.nat_payloads(), *self.contact_payloads()]

    def verify(self, message: Message, now: float) -> list[AnyPayload]:
        """The third message has come: the responder believes the initiator."""
        if self.sa.security is None or self._initiator_id is None:
            raise ProtocolError("there are no keys yet")
        self.check_proof(message, self.sa.security, self.sa.spi_r, self._initiator_id)
        self.note_nat(message, self.sa.spi_r)
        self.note_contact(message)
        return []


def _id_of(message: Message) -> IdPayload:
    payload = required(message, PayloadType.ID).payload
    if not isinstance(payload, IdPayload):
        raise ProtocolError("the ID payload is no ID payload")
    return payload
