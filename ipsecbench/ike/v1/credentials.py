"""Proving and checking identities by certificates and signatures in phase 1 (RFC 2409 section 5.1, RFC 4945)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipsecbench.algorithms.ikev1 import PHASE1_AUTHENTICATION
from ipsecbench.algorithms.signatures import IKEV1_METHOD_SCHEMES
from ipsecbench.errors import AuthenticationError, ProviderError, RejectedError
from ipsecbench.ike.configuration import AuthMethod, ConnectionConfiguration
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.identification import Identity, IdType, address_identity
from ipsecbench.ike.path import Path
from ipsecbench.ike.v1.identifiers import CertificateEncoding, NotifyType, PayloadType
from ipsecbench.ike.v1.payloads import CertificatePayload
from ipsecbench.providers.interface import Certificate

MAX_CERTIFICATES = 8
"""Certificates of a peer that are looked at; the others are passed over."""
PSK_METHOD = PHASE1_AUTHENTICATION["psk"]
"""Authentication Method of pre-shared keys."""


def authentication_method(connection: ConnectionConfiguration) -> int | None:
    """The Authentication Method attribute of a connection; None where IKEv1 has none for it.

    Both ends use the same method in IKEv1, so a pre-shared key on one side only, and EdDSA, cannot be had.
    """
    if connection.local.method != connection.remote.method:
        return None
    if connection.local.method is AuthMethod.PSK:
        return PSK_METHOD if connection.psk is not None else None
    key = connection.local.private_key
    return None if key is None else PHASE1_AUTHENTICATION.get(key.key_type)


def local_identity(connection: ConnectionConfiguration, path: Path) -> Identity:
    """The identity that this end sends."""
    if connection.local.identity is not None:
        return connection.local.identity
    if connection.local.method is AuthMethod.PUBKEY and connection.local.certificates:
        return Identity(IdType.ID_DER_ASN1_DN, connection.local.certificates[0].subject)
    return address_identity(path.local.host)


def identity_allowed(connection: ConnectionConfiguration, identity: Identity, environment: Environment) -> bool:
    """Whether a connection is for a peer of this identity."""
    wanted = connection.remote.identity
    if wanted is None or wanted == identity:
        return True
    if wanted.id_type == identity.id_type == IdType.ID_DER_ASN1_DN:
        return environment.certificates.names_equal(wanted.data, identity.data)
    return False


def certificate_payloads(connection: ConnectionConfiguration) -> list[CertificatePayload]:
    """This end's certificate and the intermediate ones."""
    return [
        CertificatePayload(PayloadType.CERT, CertificateEncoding.X509_SIGNATURE, certificate.der)
        for certificate in connection.local.certificates
    ]


def certificate_requests(connection: ConnectionConfiguration) -> list[CertificatePayload]:
    """A request for each authority that is trusted; one for any where a peer's own certificate is known."""
    names: Iterable[bytes] = [authority.subject for authority in connection.remote.authorities] or [b""]
    return [CertificatePayload(PayloadType.CR, CertificateEncoding.X509_SIGNATURE, name) for name in names]


def sign(connection: ConnectionConfiguration, method: int, digest: bytes) -> bytes:
    """The SIG payload over HASH_I or HASH_R.

    Raises:
        ProviderError: there is no key for the method, or the library failed.
    """
    key = connection.local.private_key
    if key is None:
        raise ProviderError(f"connection {connection.name!r} has no private key")
    return key.sign(IKEV1_METHOD_SCHEMES[method], digest)


def verify(
    connection: ConnectionConfiguration,
    environment: Environment,
    method: int,
    identity: Identity,
    received: Sequence[CertificatePayload],
    digest: bytes,
    signature: bytes,
) -> None:
    """Accept a peer's SIG payload.

    Args:
        connection: whose authorities and certificates are trusted.
        environment: certificates and time.
        method: the negotiated Authentication Method.
        identity: what the peer's ID payload says.
        received: the peer's certificate payloads.
        digest: HASH_I or HASH_R.
        signature: the SIG payload.

    Raises:
        AuthenticationError: no trusted certificate of this identity made the signature.
    """
    certificates = _load(environment, received)
    reason = f"no certificate of {identity} was sent or is known"
    for leaf in (*certificates, *connection.remote.certificates):
        if not leaf.matches(identity.id_type, identity.data):
            continue
        try:
            environment.certificates.verify_chain(
                leaf,
                certificates,
                (*connection.remote.authorities, *connection.remote.certificates),
                environment.unix_time(),
            )
            leaf.public_key.verify(IKEV1_METHOD_SCHEMES[method], digest, signature)
        except RejectedError as error:
            reason = str(error)
        else:
            return
    raise AuthenticationError(reason, NotifyType.AUTHENTICATION_FAILED)


def _load(environment: Environment, received: Sequence[CertificatePayload]) -> list[Certificate]:
    """The certificates that can be read; the others may be meant for another purpose."""
    found: list[Certificate] = []
    for payload in received[:MAX_CERTIFICATES]:
        if payload.encoding != CertificateEncoding.X509_SIGNATURE:
            continue
        try:
            found.append(environment.certificates.load_certificate(payload.data))
        except RejectedError:
            continue
    return found
