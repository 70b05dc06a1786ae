"""Certificates for the two ends of a measured set-up: a root and an end's certificate under it, for one kind of key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from ipsecbench.errors import UnsupportedError

UNIX_TIME = 1_767_225_600.0
"""When the set-ups take place: the start of 2026, so that the clock of the box does not matter."""
_VALIDITY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class EndCredentials:
    """What one end proves itself with."""

    certificate: bytes
    """Its certificate, DER."""
    private_key: bytes
    """Its private key, PKCS #8 in DER."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a set-up with signatures needs."""

    root: bytes
    """The trust anchor of both ends, DER."""
    initiator: EndCredentials
    """The initiator's."""
    responder: EndCredentials
    """The responder's."""


@cache
def credentials(algorithm: str, initiator: str, responder: str) -> Credentials:
    """Certificates for two domain names; made once per process.

    Args:
        algorithm: kind of all keys, such as ``ecdsa-256``.
        initiator: domain name of the initiator.
        responder: domain name of the responder.

    Raises:
        UnsupportedError: no certificates are made for this kind of key, or the library is missing.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    except ImportError as error:
        raise UnsupportedError(f"no certificates can be made: {error}") from error
    curves: dict[str, type[ec.EllipticCurve]] = {"ecdsa-256": ec.SECP256R1, "ecdsa-384": ec.SECP384R1}
    if algorithm not in curves:
        raise UnsupportedError(f"no certificates are made for {algorithm} here")
    curve, digest = curves[algorithm], hashes.SHA384() if algorithm == "ecdsa-384" else hashes.SHA256()
    start = datetime.fromtimestamp(UNIX_TIME, UTC) - _VALIDITY
    root_key = ec.generate_private_key(curve())
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ipsecbench root")])

    def sign(name: x509.Name, key: ec.EllipticCurvePrivateKey, alternative: str | None) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + 2 * _VALIDITY)
            .add_extension(x509.BasicConstraints(alternative is None, None), critical=True)
        )
        if alternative is not None:
            names = x509.SubjectAlternativeName([x509.DNSName(alternative)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(root_key, digest).public_bytes(Encoding.DER)

    def end(domain: str) -> EndCredentials:
        key = ec.generate_private_key(curve())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, domain)])
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return EndCredentials(sign(name, key, domain), private)

    return Credentials(sign(root_name, root_key, None), end(initiator), end(responder))
