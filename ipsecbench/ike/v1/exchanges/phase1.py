"""What main mode and aggressive mode share: the offer, the keys, NAT detection, identities and their proof.

RFC 2409 section 5, RFC 3947 section 3. Nothing that has not proven its origin ends an exchange: it is dropped, and its
reason kept for the report at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.ikev1 import PHASE1_PROOF_PRF
from ipsecbench.errors import AuthenticationError, NegotiationError, ProtocolError, ProviderError
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.path import Path
from ipsecbench.ike.v1 import credentials
from ipsecbench.ike.v1.authentication import Phase1Transcript, check_hash
from ipsecbench.ike.v1.exchange import NO_ANSWER, OWN_NONCE_BYTES, Exchange, nonce_of, required
from ipsecbench.ike.v1.identifiers import VENDOR_OCTETS, NotifyType, PayloadType, Protocol, Vendor, vendor
from ipsecbench.ike.v1.iv_chain import PhaseKeys, phase1_iv
from ipsecbench.ike.v1.keymat import Prf, derive, encryption_key, skeyid_psk, skeyid_signature
from ipsecbench.ike.v1.message import AnyPayload, Message
from ipsecbench.ike.v1.payloads import CertificatePayload, IdPayload, NotificationPayload, OctetsPayload
from ipsecbench.ike.v1.phase1_negotiation import Phase1Choice, Phase1Suite, check_answer, choose, offer, suites
from ipsecbench.ike.v1.proposals import SaPayload
from ipsecbench.ike.v1.security import Security
from ipsecbench.ike.v1.transitions import ExchangeState
from ipsecbench.providers.interface import KeyPair
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

_OFFERED_VENDORS = (Vendor.DPD, Vendor.NAT_T, Vendor.NAT_T_03, Vendor.NAT_T_02_NEWLINE, Vendor.NAT_T_02)


class Phase1(Exchange):
    """A phase 1 exchange of either role.

    Args:
        sa: the ISAKMP SA.
        initiator: whether this end begins.
        candidates: connections that may be meant; an initiator has one.
    """

    def __init__(self, sa: IsakmpSa, initiator: bool, candidates: Sequence[ConnectionConfiguration]) -> None:
        super().__init__(sa, 0, None, initiator)
        self.candidates = tuple(candidates)
        self.arrival = sa.path
        """The way by which the message in hand came."""
        self.offered: tuple[Phase1Suite, ...] = ()
        self.sa_i_body = b""
        self.life_seconds: int | None = None
        self.initial_contact = False
        self._choice: Phase1Choice | None = None
        self._key_pair: KeyPair | None = None
        self._nonce = b""
        self._peer_nonce = b""
        self._peer_public = b""
        self._certificate_wanted = False

    @property
    def choice(self) -> Phase1Choice:
        """The agreed transform, which every state but the first has."""
        if self._choice is None:
            raise ProtocolError("no transform is agreed on yet")
        return self._choice

    @property
    def method(self) -> int:
        """The agreed Authentication Method."""
        return self.choice.suite.authentication

    def receive(self, header: IkeHeader, octets: bytes, path: Path, now: float) -> bool:
        """See :meth:`Exchange.receive`."""
        self.arrival = path
        return super().receive(header, octets, path, now)

    # The SA payload.

    def make_offer(self, one_group: bool) -> SaPayload:
        """The initiator's SA payload.

        Args:
            one_group: only suites with the first one's group, because its public value goes with them.

        Raises:
            NegotiationError: nothing of the configuration can be said in IKEv1, or carried out here.
        """
        connection = self.sa.connection
        method = credentials.authentication_method(connection)
        cryptography = self.sa.host.environment.cryptography
        found = () if method is None else suites(connection.proposals, method, cryptography)
        if not found:
            raise NegotiationError(
                f"connection {connection.name!r} has no proposal and authentication that IKEv1 can name",
                NotifyType.NO_PROPOSAL_CHOSEN,
            )
        if one_group:
            found = tuple(suite for suite in found if suite.key_exchange == found[0].key_exchange)
        self.offered = found
        seconds = connection.lifetime.seconds
        payload = offer(found, None if seconds is None else int(seconds.life))
        self.sa_i_body = payload.encode()
        return payload

    def take_choice(self, message: Message) -> None:
        """The initiator reads the responder's SA payload."""
        payload = required(message, PayloadType.SA).payload
        if isinstance(payload, SaPayload):
            self._choice = check_answer(payload, self.offered)
        self.life_seconds = self.choice.life_seconds

    def choose_transform(self, message: Message, candidates: Sequence[ConnectionConfiguration]) -> SaPayload:
        """The responder's choice: of the first connection with a suite that is offered.

        Raises:
            NegotiationError: there is none.
        """
        received = required(message, PayloadType.SA)
        cryptography = self.sa.host.environment.cryptography
        for connection in candidates:
            method = credentials.authentication_method(connection)
            if method is None or not isinstance(received.payload, SaPayload):
                continue
            choice = choose(received.payload, suites(connection.proposals, method, cryptography))
            if choice is not None:
                self.sa.connection = connection
                self._choice = choice
                self.life_seconds = choice.life_seconds
                self.sa_i_body = received.body
                return choice.answer()
        raise NegotiationError("no proposal of the peer is acceptable", NotifyType.NO_PROPOSAL_CHOSEN)

    # Vendor IDs, NAT detection.

    def vendor_payloads(self) -> list[OctetsPayload]:
        """What this end announces."""
        offered = [*_OFFERED_VENDORS]
        if self.sa.connection.fragmentation:
            offered.append(Vendor.FRAGMENTATION)
        return [OctetsPayload(PayloadType.VENDOR_ID, VENDOR_OCTETS[each]) for each in offered]

    def note_vendors(self, message: Message) -> None:
        """What the peer announces."""
        for each in message.payloads:
            meaning = vendor(each.body) if each.payload_type == PayloadType.VENDOR_ID else None
            if meaning is not None:
                self.sa.peer.vendors.add(meaning)

    def nat_payloads(self) -> list[OctetsPayload]:
        """NAT-D for the way that the next message goes."""
        name = self.choice.suite.hash.name
        pretended = self.sa.host.environment.random(64) if self.sa.connection.force_encapsulation else None
        return self.sa.peer.nat_d_payloads((self.sa.spi_i, self.sa.spi_r), self.sa.path, name, pretended)

    def note_nat(self, message: Message, spi_r: bytes) -> None:
        """Whether there is a NAT, by the peer's NAT-D payloads."""
        kinds = (PayloadType.NAT_D, PayloadType.NAT_D_DRAFT)
        hashes = [each.body for each in message.payloads if each.payload_type in kinds]
        cookies = (self.sa.spi_i, spi_r)
        self.sa.peer.note_nat(hashes, cookies, self.arrival, self.choice.suite.hash.name)
        if self.sa.connection.force_encapsulation and self.sa.peer.nat_traversal is not None:
            self.sa.peer.nat_local = True

    # Keys.

    def key_payloads(self) -> list[OctetsPayload]:
        """This end's public value and nonce.

        Raises:
            ProviderError: the library failed.
        """
        group = self.choice.suite.key_exchange if self._choice is not None else self.offered[0].key_exchange
        if self._key_pair is None:
            self._key_pair = self.sa.host.environment.cryptography.key_exchange(group).generate()
            self._nonce = self.sa.host.environment.random(OWN_NONCE_BYTES)
        return [OctetsPayload(PayloadType.KE, self._key_pair.public), OctetsPayload(PayloadType.NONCE, self._nonce)]

    def take_keys(self, message: Message, spi_r: bytes) -> Security:
        """The peer's public value and nonce, and the keys that follow.

        Raises:
            RejectedError: the public value fails the checks of RFC 6989.
            ProtocolError: a payload is missing.
        """
        self.key_payloads()
        public = required(message, PayloadType.KE).body
        nonce = nonce_of(message)
        if self._key_pair is None:
            raise ProtocolError("there is no key pair")
        shared = Secret(self._key_pair.agree(public))
        self._peer_public, self._peer_nonce = public, nonce
        suite = self.choice.suite
        cryptography = self.sa.host.environment.cryptography

        def prf(key: bytes, seed: bytes) -> bytes:
            return cryptography.prf(suite.hash.prf, key).compute(seed)

        nonces = self._in_order(self._nonce, nonce)
        psk = self.sa.connection.psk
        if self.method == credentials.PSK_METHOD and psk is not None:
            skeyid = skeyid_psk(prf, psk, *nonces)
        else:
            skeyid = skeyid_signature(prf, shared, *nonces)
        family = derive(prf, skeyid, shared, self.sa.spi_i + spi_r)
        key = encryption_key(prf, family.skeyid_e, suite.encryption)
        publics = self._in_order(self._key_pair.public, public)
        first_iv = phase1_iv(suite.hash.name, *publics, ENCRYPTION[suite.encryption].block_bytes)
        cipher = cryptography.cipher(suite.encryption, key.reveal())
        return Security(suite, prf, family, PhaseKeys(cipher, key, suite.hash.name, first_iv))

    def use(self, security: Security) -> None:
        """From now on there are keys."""
        self.sa.security = security
        self.chain = security.phase.phase1
        self.sa.keys_derived()

    def _in_order(self, own: bytes, peer: bytes) -> tuple[bytes, bytes]:
        return (own, peer) if self.initiator else (peer, own)

    # Identities and their proof.

    def own_id(self) -> IdPayload:
        """This end's identity."""
        identity = credentials.local_identity(self.sa.connection, self.sa.path)
        return IdPayload(identity.id_type, identity.data)

    def _digest(self, security: Security, spi_r: bytes, of_initiator: bool, id_body: bytes) -> bytes:
        own = b"" if self._key_pair is None else self._key_pair.public
        public_i, public_r = self._in_order(own, self._peer_public)
        transcript = Phase1Transcript(public_i, public_r, self.sa.spi_i, spi_r, self.sa_i_body)
        make = transcript.hash_i if of_initiator else transcript.hash_r
        return make(self._proof_prf(security), security.family.skeyid, id_body)

    def _proof_prf(self, security: Security) -> Prf:
        """The PRF of HASH_I and HASH_R: that of the signature's hash where the method fixes it."""
        name = PHASE1_PROOF_PRF.get(self.method)
        if name is None:
            return security.prf
        cryptography = self.sa.host.environment.cryptography
        return lambda key, seed: cryptography.prf(name, key).compute(seed)

    def own_proof(self, security: Security) -> list[AnyPayload]:
        """Certificates and SIG, or HASH.

        Raises:
            ProviderError: signing failed.
        """
        digest = self._digest(security, self.sa.spi_r, self.initiator, self.own_id().encode())
        if self.method == credentials.PSK_METHOD:
            return [OctetsPayload(PayloadType.HASH, digest)]
        connection = self.sa.connection
        signature = OctetsPayload(PayloadType.SIG, credentials.sign(connection, self.method, digest))
        wanted = self._certificate_wanted or connection.send_certificate
        return [*(credentials.certificate_payloads(connection) if wanted else ()), signature]

    def check_proof(self, message: Message, security: Security, spi_r: bytes, id_payload: IdPayload) -> None:
        """The peer's identity, its proof, and that the connection is for it.

        Raises:
            AuthenticationError: the proof is not valid, or the identity is another's.
        """
        identity = id_payload.identity
        digest = self._digest(security, spi_r, not self.initiator, id_payload.encode())
        environment = self.sa.host.environment
        if self.method == credentials.PSK_METHOD:
            check_hash("the peer's HASH", digest, required(message, PayloadType.HASH).body)
        connection = self.connection_for(id_payload)
        if self.method != credentials.PSK_METHOD:
            received = [each for each in message.all(CertificatePayload) if each.payload_type == PayloadType.CERT]
            signature = required(message, PayloadType.SIG).body
            credentials.verify(connection, environment, self.method, identity, received, digest, signature)
        self.sa.connection = connection
        self.sa.peer.identity = identity
        self.authenticated = True

    def connection_for(self, id_payload: IdPayload) -> ConnectionConfiguration:
        """The connection for a peer of this identity, with the pre-shared key that is in use already.

        Raises:
            AuthenticationError: there is none.
        """
        current = self.sa.connection
        environment = self.sa.host.environment
        for connection in (current, *self.candidates):
            same = connection is current or (
                credentials.authentication_method(connection) == self.method
                and (self.method != credentials.PSK_METHOD or connection.psk == current.psk)
            )
            if same and credentials.identity_allowed(connection, id_payload.identity, environment):
                return connection
        raise AuthenticationError(f"no connection is for {id_payload.identity}", NotifyType.AUTHENTICATION_FAILED)

    def requests(self) -> list[CertificatePayload]:
        """Certificate requests, where the peer is to sign."""
        if self.method == credentials.PSK_METHOD:
            return []
        return credentials.certificate_requests(self.sa.connection)

    def note_requests(self, message: Message) -> None:
        """Whether the peer asks for a certificate."""
        if PayloadType.CR in message.types:
            self._certificate_wanted = True

    def contact_payloads(self) -> list[NotificationPayload]:
        """INITIAL-CONTACT, where this end knows of no other SA with the peer (RFC 2407 section 4.6.3.3)."""
        if not self.sa.is_first_contact():
            return []
        spi = self.sa.spi_i + self.sa.spi_r
        return [NotificationPayload(Protocol.PROTO_ISAKMP, spi, NotifyType.INITIAL_CONTACT)]

    def note_contact(self, message: Message) -> None:
        """Whether the peer says INITIAL-CONTACT, in a message that was authenticated."""
        kinds = {each.notify_type for each in message.all(NotificationPayload)}
        self.initial_contact = NotifyType.INITIAL_CONTACT in kinds

    # Ends.

    def refused(self, error: ProtocolError | ProviderError, notify: int | None, now: float) -> None:
        """See :meth:`Exchange.refused`. A responder says once why nothing can come of a first message."""
        super().refused(error, notify, now)
        begun = self.state is not ExchangeState.START
        if notify is not None and (isinstance(error, AuthenticationError) or not begun):
            self._report_refusal(notify, now)
        if begun:
            self.sa.hint(str(error), notify, now)
        else:
            self.fail(str(error), notify, now)

    def _report_refusal(self, notify: int, now: float) -> None:
        """Tell the peer, whose IVs have moved on with its message, though the message does not count here."""
        if self.chain is None:
            self.sa.sender.notify(notify, b"", now)
            return
        counting = self.chain.iv
        if self.encrypted_body:
            self.chain.accept(self.encrypted_body)
        self.sa.sender.notify(notify, b"", now)
        self.chain.iv = counting

    def unreadable(self, error: ProtocolError | ProviderError, encrypted: bool, now: float) -> None:
        """See :meth:`Exchange.unreadable`."""
        super().unreadable(error, encrypted, now)
        if encrypted and self.chain is not None:
            self.sa.hint("a message does not decrypt: the peer may have another pre-shared key", None, now)

    def fail(self, reason: str, notify: int | None, now: float) -> None:
        """See :meth:`Exchange.fail`."""
        if reason == NO_ANSWER and self.state is ExchangeState.PROOF_SENT:
            reason = f"{NO_ANSWER} to the proof: the peer may have another pre-shared key, or not know this identity"
        self.end()
        self.sa.phase1_failed(reason, notify, now)

    def complete(self, now: float) -> None:
        """See :meth:`Exchange.complete`."""
        self.sa.phase1_complete(self.life_seconds, self.initial_contact, now)
