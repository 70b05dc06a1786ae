"""Proving one's own identity and judging the peer's: keys, certificates, identities (RFC 7296 sections 2.15, 3.6, 4).

Every failure is an ``AuthenticationError`` with the same notification: a peer does not learn what was wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench.errors import AuthenticationError, RejectedError
from ipsecbench.ike.configuration import AuthMethod, ConnectionConfiguration
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.v2.authentication import psk_payload, sign, signed_octets, verify_psk, verify_signature
from ipsecbench.ike.v2.identifiers import CertificateEncoding, NotifyType
from ipsecbench.ike.v2.key_installation import prf_under
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import (
    Authentication,
    Certificate,
    IdentificationInitiator,
    IdentificationPayload,
    IdentificationResponder,
    Payload,
)
from ipsecbench.ike.v2.setup import Setup
from ipsecbench.providers import interface
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

MAX_CERTIFICATES = 16
"""More CERT payloads of one message are not looked at."""


def failed(reason: str) -> AuthenticationError:
    """The one error of this module."""
    return AuthenticationError(reason, NotifyType.AUTHENTICATION_FAILED)


def identification(identity: Identity, is_initiator: bool) -> IdentificationPayload:
    """The ID payload of an end."""
    kind = IdentificationInitiator if is_initiator else IdentificationResponder
    return kind(identity.id_type, identity.data)


def _octets(sa: IkeSa, setup: Setup, of_initiator: bool, sk_p: Secret, identification_body: bytes, mid: int) -> bytes:
    message, nonce = (setup.message_i, setup.nonce_r) if of_initiator else (setup.message_r, setup.nonce_i)
    return signed_octets(message, nonce, prf_under(sa, sk_p), identification_body, setup.intermediate.octets(mid))


def prove(sa: IkeSa, setup: Setup, own_id: IdentificationPayload, sk_p: Secret, message_id: int) -> Authentication:
    """The AUTH payload of this end.

    Args:
        sa: the IKE SA, whose connection says how.
        setup: what is signed.
        own_id: this end's ID payload.
        sk_p: SK_pi or SK_pr of this end.
        message_id: Message ID of the IKE_AUTH request.

    Raises:
        AuthenticationError: this end has no key, or none that the peer would take.
    """
    octets = _octets(sa, setup, sa.is_initiator, sk_p, own_id.encode(), message_id)
    connection = sa.connection
    local = connection.local
    if local.method is AuthMethod.PSK:
        if connection.psk is None or sa.suite is None:
            raise failed("there is no pre-shared key for this connection")
        return psk_payload(sa.host.environment.cryptography, sa.suite.prf.name, connection.psk, octets)
    if local.private_key is None:
        raise failed("there is no private key for this connection")
    return sign(local.private_key, octets, setup.peer_hashes, local.signature_schemes)


def own_certificates(connection: ConnectionConfiguration, wanted: bool) -> list[Payload]:
    """CERT payloads of this end, the one whose key signs first."""
    local = connection.local
    if local.method is not AuthMethod.PUBKEY or not (wanted or connection.send_certificate):
        return []
    return [
        Certificate(CertificateEncoding.X509_CERTIFICATE_SIGNATURE, certificate.der)
        for certificate in local.certificates
    ]


def judge(
    sa: IkeSa,
    setup: Setup,
    connection: ConnectionConfiguration,
    message: Message,
    peer_id: IdentificationPayload,
    authentication: Authentication,
    sk_p: Secret,
) -> None:
    """Accept the AUTH payload of the peer.

    Args:
        sa: the IKE SA.
        setup: what is signed.
        connection: what the peer has to prove.
        message: its IKE_AUTH message.
        peer_id: its ID payload.
        authentication: its AUTH payload.
        sk_p: SK_pi or SK_pr of the peer.

    Raises:
        AuthenticationError: it is not accepted.
    """
    body = message.body(peer_id)
    octets = _octets(sa, setup, not sa.is_initiator, sk_p, body, message.header.message_id)
    if connection.remote.method is AuthMethod.PSK:
        if connection.psk is None or sa.suite is None:
            raise failed("there is no pre-shared key for this peer")
        verify_psk(sa.host.environment.cryptography, sa.suite.prf.name, connection.psk, octets, authentication)
        return
    problem = failed("the peer has sent no certificate and none is configured for it")
    for certificate in _leaves(sa, connection, message):
        try:
            _judge_certificate(sa, connection, message, certificate, peer_id)
            verify_signature(certificate.public_key, octets, authentication, allow_sha1=connection.remote.allow_sha1)
        except AuthenticationError as error:
            problem = error
        else:
            return
    raise problem


def _received(sa: IkeSa, message: Message) -> list[interface.Certificate]:
    found = []
    for payload in message.all(Certificate)[:MAX_CERTIFICATES]:
        if payload.encoding == CertificateEncoding.X509_CERTIFICATE_SIGNATURE:
            try:
                found.append(sa.host.environment.certificates.load_certificate(payload.data))
            except RejectedError as error:
                sa.log("bad-certificate", str(error))
    return found


def _leaves(sa: IkeSa, connection: ConnectionConfiguration, message: Message) -> list[interface.Certificate]:
    """The certificate that the peer signs with: the first that it sends (section 3.6), or one that is known here."""
    received = _received(sa, message)
    return received[:1] if received else list(connection.remote.certificates)


def _judge_certificate(
    sa: IkeSa,
    connection: ConnectionConfiguration,
    message: Message,
    leaf: interface.Certificate,
    peer_id: IdentificationPayload,
) -> None:
    if not leaf.matches(peer_id.id_type, peer_id.data):
        raise failed("the certificate is not one of the identity that the peer names")
    environment, remote = sa.host.environment, connection.remote
    try:
        environment.certificates.verify_chain(
            leaf, _received(sa, message)[1:], (*remote.authorities, *remote.certificates), environment.unix_time()
        )
    except RejectedError as error:
        raise failed(f"the certificate is not trusted: {error}") from error
