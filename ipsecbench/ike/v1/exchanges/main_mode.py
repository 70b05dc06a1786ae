"""Main mode (RFC 2409 section 5; with NAT detection RFC 3947 section 3.2).

::

    initiator                              responder
    HDR, SA, VID…                    -->
                                     <--   HDR, SA, VID…
    HDR, KE, Ni, [NAT-D, NAT-D]      -->
                                     <--   HDR, KE, Nr, [CR,] [NAT-D, NAT-D]
    HDR*, IDii, [CERT,] HASH or SIG  -->
                                     <--   HDR*, IDir, [CERT,] HASH or SIG
"""

from __future__ import annotations

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.v1.exchange import required
from ipsecbench.ike.v1.exchanges.phase1 import Phase1
from ipsecbench.ike.v1.identifiers import ExchangeType, PayloadType
from ipsecbench.ike.v1.message import AnyPayload, Message
from ipsecbench.ike.v1.payloads import IdPayload
from ipsecbench.ike.v1.security import Security
from ipsecbench.ike.v1.transitions import MAIN_MODE, Trigger


class MainMode(Phase1):
    """One main mode of either role."""

    TABLE = MAIN_MODE
    NAME = "main mode"
    EXCHANGE_TYPE = ExchangeType.IDENTITY_PROTECTION

    def classify(self, message: Message, encrypted: bool) -> Trigger | None:
        """See :meth:`Exchange.classify`. Identities and their proofs come encrypted, everything else does not."""
        trigger = super().classify(message, encrypted)
        return trigger if encrypted == (trigger is Trigger.PROOF) else None

    def offer(self, now: float) -> list[AnyPayload]:
        """The first message."""
        return [self.make_offer(one_group=False), *self.vendor_payloads()]

    def choose(self, message: Message, now: float) -> list[AnyPayload]:
        """The first message has come: the second one."""
        candidates = [connection for connection in self.candidates if not connection.aggressive]
        answer = self.choose_transform(message, candidates)
        self.note_vendors(message)
        return [answer, *self.vendor_payloads()]

    def exchange_keys(self, message: Message, now: float) -> list[AnyPayload]:
        """The second message has come: the third one."""
        self.take_choice(message)
        self.sa.learn_cookie(message.header.spi_r)
        self.note_vendors(message)
        self.note_requests(message)
        return [*self.key_payloads(), *self.nat_payloads()]

    def answer_keys(self, message: Message, now: float) -> list[AnyPayload]:
        """The third message has come: the fourth one, and the keys."""
        security = self.take_keys(message, self.sa.spi_r)
        self.note_requests(message)
        self.note_nat(message, self.sa.spi_r)
        self.use(security)
        return [*self.key_payloads(), *self.requests(), *self.nat_payloads()]

    def prove(self, message: Message, now: float) -> list[AnyPayload]:
        """The fourth message has come: keys, and the fifth message, on the NAT-T port where there is a NAT."""
        security = self.take_keys(message, self.sa.spi_r)
        self.note_requests(message)
        self.note_nat(message, self.sa.spi_r)
        if self.sa.peer.nat:
            self.sa.float_ports()
        proof = self.own_proof(security)
        self.use(security)
        return [self.own_id(), *proof, *self.requests(), *self.contact_payloads()]

    def verify_and_prove(self, message: Message, now: float) -> list[AnyPayload]:
        """The fifth message has come: the responder believes the initiator, and proves itself."""
        self._check(message)
        return [self.own_id(), *self.own_proof(self._security())]

    def verify(self, message: Message, now: float) -> list[AnyPayload]:
        """The sixth message has come: the initiator believes the responder."""
        self._check(message)
        return []

    def _check(self, message: Message) -> None:
        payload = required(message, PayloadType.ID).payload
        if isinstance(payload, IdPayload):
            self.note_requests(message)
            self.check_proof(message, self._security(), self.sa.spi_r, payload)
            self.note_contact(message)

    def _security(self) -> Security:
        if self.sa.security is None:
            raise ProtocolError("there are no keys yet")
        return self.sa.security
