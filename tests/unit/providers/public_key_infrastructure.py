"""Makes certificates for the tests, good ones and odd ones, with the builder of ``cryptography``."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from cryptography.x509.oid import NameOID

from ipsecbench.providers.known_answers import signing_key

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NOW_SECONDS = NOW.timestamp()


def key(kind: str) -> Any:
    """A published key, such as that of ``rsa-2048``; it protects nothing."""
    return load_der_private_key(signing_key(kind), None)


def name(text: str) -> x509.Name:
    """A name with a country, an organization and a common name; without any of them where the text is empty."""
    if not text:
        return x509.Name([])
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def usage(*names: str) -> x509.KeyUsage:
    """A keyUsage with these bits."""
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{each: each in names for each in every})


@dataclass
class Template:
    """What a certificate is to say; the defaults make a good leaf."""

    subject: str
    key: Any
    issuer: str = ""
    signer: Any = None
    authority: bool | None = False
    path_length: int | None = None
    days: tuple[int, int] = (-30, 365)
    key_usage: tuple[str, ...] | None = ()
    purposes: tuple[str, ...] = ()
    alternative_names: tuple[x509.GeneralName, ...] = ()
    extensions: list[tuple[x509.ExtensionType, bool]] = field(default_factory=list)
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None
    pss: bool = False

    def der(self) -> bytes:
        """The certificate."""
        signer = self.signer or self.key
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(self.subject))
            .issuer_name(name(self.issuer or self.subject))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=self.days[0]))
            .not_valid_after(NOW + timedelta(days=self.days[1]))
        )
        if self.authority is not None:
            builder = builder.add_extension(x509.BasicConstraints(self.authority, self.path_length), True)
        bits = self.key_usage
        if bits == ():
            bits = ("key_cert_sign", "crl_sign") if self.authority else ("digital_signature",)
        if bits is not None:
            builder = builder.add_extension(usage(*bits), True)
        if self.purposes:
            purposes = [x509.ObjectIdentifier(each) for each in self.purposes]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
        if self.alternative_names:
            builder = builder.add_extension(x509.SubjectAlternativeName(self.alternative_names), False)
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical)
        digest = self.digest or hashes.SHA256()
        plain = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size) if self.pss else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            signed = builder.sign(signer, None if plain else digest, rsa_padding=pss)
        return signed.public_bytes(Encoding.DER)


def authority(subject: str, own: Any, **changes: Any) -> bytes:
    """A certificate of an authority, signed by itself unless the changes name a signer."""
    fields: dict[str, Any] = {"authority": True} | changes
    return Template(subject, own, **fields).der()


FAST_KEYS = [ec.derive_private_key(7919 + number, ec.SECP256R1()) for number in range(12)]
"""Keys for paths whose keys do not matter."""
