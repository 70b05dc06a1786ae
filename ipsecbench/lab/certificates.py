"""A public key infrastructure for the laboratory: root, intermediate authority and certificates for both ends.

Made when it is needed and valid from yesterday to tomorrow, so that nothing that expires lies about. Its keys protect
nothing outside the laboratory.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_PUBLIC_EXPONENT = 65537
_ONE_HOUR, _ONE_DAY = timedelta(hours=1), timedelta(days=1)


def _rsa(bits: int) -> Callable[[], CertificateIssuerPrivateKeyTypes]:
    return lambda: rsa.generate_private_key(_PUBLIC_EXPONENT, bits)


def _ecdsa(curve: ec.EllipticCurve) -> Callable[[], CertificateIssuerPrivateKeyTypes]:
    return lambda: ec.generate_private_key(curve)


_GENERATORS: Mapping[str, tuple[Callable[[], CertificateIssuerPrivateKeyTypes], hashes.HashAlgorithm | None]] = (
    MappingProxyType(
        {
            "rsa-2048": (_rsa(2048), hashes.SHA256()),
            "rsa-3072": (_rsa(3072), hashes.SHA384()),
            "rsa-4096": (_rsa(4096), hashes.SHA512()),
            "ecdsa-256": (_ecdsa(ec.SECP256R1()), hashes.SHA256()),
            "ecdsa-384": (_ecdsa(ec.SECP384R1()), hashes.SHA384()),
            "ecdsa-521": (_ecdsa(ec.SECP521R1()), hashes.SHA512()),
            "ed25519": (ed25519.Ed25519PrivateKey.generate, None),
            "ed448": (ed448.Ed448PrivateKey.generate, None),
        }
    )
)
KEY_KINDS = tuple(_GENERATORS)
"""Kinds of keys that certificates are made for."""


@dataclass(frozen=True)
class Credential:
    """What one end needs to authenticate by signature."""

    certificate: bytes
    """Its certificate, DER."""
    intermediates: tuple[bytes, ...]
    """Certificates between it and the root, DER."""
    root: bytes
    """The trust anchor, DER."""
    private_key: bytes
    """PKCS #8, DER, not encrypted."""
    subject: str
    """Its distinguished name, as a configuration writes it."""


@dataclass(frozen=True)
class Authority:
    """A root and an intermediate authority below it."""

    kind: str
    name: str
    root: bytes
    intermediate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    def issue(self, *identities: str, common_name: str, expired: bool = False) -> Credential:
        """A certificate for an end, with a new key of the authority's kind.

        Args:
            identities: alternative names: IP addresses, domain names and mail addresses; with none there is no such
                extension and the subject alone identifies.
            common_name: of the subject.
            expired: whether it has ended an hour ago.
        """
        key = _generate(self.kind)
        names = [_general_name(identity) for identity in identities]
        end = -_ONE_HOUR if expired else _ONE_DAY
        builder = _builder(_name(common_name), self.intermediate.subject, key, end)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Credential(
            certificate=_sign(builder, self.kind, self.key),
            intermediates=(self.intermediate.public_bytes(Encoding.DER),),
            root=self.root,
            private_key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            subject=f"C=CH, O=Laboratory, CN={common_name}",
        )


def authority(kind: str, name: str = "lab") -> Authority:
    """The authority of a kind of key; made once per process. Another name makes another that trusts nothing of it."""
    return _authority(kind, name)


@functools.cache
def _authority(kind: str, name: str) -> Authority:
    root_key, key = _generate(kind), _generate(kind)
    root_name = _name(f"{name} root")
    builder = _builder(root_name, root_name, root_key, _ONE_DAY)
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    root = _sign(builder.add_extension(_key_usage(authority=True), critical=True), kind, root_key)
    builder = _builder(_name(f"{name} authority"), root_name, key, _ONE_DAY)
    builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
    intermediate = _sign(builder.add_extension(_key_usage(authority=True), critical=True), kind, root_key)
    return Authority(kind, name, root, x509.load_der_x509_certificate(intermediate), key)


def _generate(kind: str) -> CertificateIssuerPrivateKeyTypes:
    return _GENERATORS[kind][0]()


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Laboratory"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _general_name(identity: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(identity))
    except ValueError:
        return x509.RFC822Name(identity) if "@" in identity else x509.DNSName(identity)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificateIssuerPrivateKeyTypes, end: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _ONE_DAY)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, kind: str, key: CertificateIssuerPrivateKeyTypes) -> bytes:
    digest = _GENERATORS[kind][1]
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    # The hashes above are all among those that certificates may be signed with.
    return builder.sign(key, digest).public_bytes(Encoding.DER)  # type: ignore[arg-type]
