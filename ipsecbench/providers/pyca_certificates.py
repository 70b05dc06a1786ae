"""X.509 certificates with the library ``cryptography``: reading them, and the identities that they are of.

Everything that the library parses only when it is asked for is asked for when the certificate is loaded, so that a
malformed certificate is refused there and nowhere else. What IKE compares octet by octet (names, the key) is cut out
of the certificate as it came, because the library would encode it anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha1
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from ipsecbench.errors import RejectedError
from ipsecbench.providers.der import DerError, element, elements
from ipsecbench.providers.distinguished_name import is_empty, name_text, names_equal
from ipsecbench.providers.pyca_keys import PycaPublicKey

_LONGEST_CERTIFICATE_BYTES = 32768
_SEQUENCE, _VERSION = 0x30, 0xA0

ID_IPV4_ADDR, ID_FQDN, ID_RFC822_ADDR, ID_IPV6_ADDR, ID_DER_ASN1_DN = 1, 2, 3, 5, 9
"""ID types that a certificate can prove (RFC 4945 section 3.1); the numbers are the same in both versions of IKE."""

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_SIGNATURES = {
    SignatureAlgorithmOID.RSA_WITH_SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512,
    SignatureAlgorithmOID.RSASSA_PSS,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    SignatureAlgorithmOID.ED25519,
    SignatureAlgorithmOID.ED448,
}


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


class _SubjectAltNames:
    """The names of subjectAltName that IKE has an ID type for."""

    __slots__ = ("addresses", "dns_names", "mailboxes")

    def __init__(self, extension: x509.SubjectAlternativeName | None) -> None:
        names: Sequence[Any] = () if extension is None else tuple(extension)
        self.dns_names = {name.value.lower() for name in names if isinstance(name, x509.DNSName)}
        self.mailboxes = {_mailbox(name.value) for name in names if isinstance(name, x509.RFC822Name)}
        addresses = [name.value for name in names if isinstance(name, x509.IPAddress)]
        # A network, which belongs into name constraints only, has no packed form.
        self.addresses = {address.packed for address in addresses if hasattr(address, "packed")}


def _mailbox(text: str) -> str:
    """The domain without regard to case; what is before it counts as it is (RFC 5280 section 7.5)."""
    local, at, domain = text.rpartition("@")
    return local + at + domain.lower()


class PycaCertificate:
    """See :class:`ipsecbench.providers.interface.Certificate`, and what the verification of a path asks for.

    Args:
        der: the certificate.

    Raises:
        RejectedError: the octets are no certificate, or its key cannot be used here.
    """

    __slots__ = (
        "_alternative_names",
        "_library",
        "authority",
        "critical_extensions",
        "der",
        "extended_key_usage",
        "issuer",
        "key_usage",
        "name_constraints",
        "not_after",
        "not_before",
        "path_length",
        "public_key",
        "serial",
        "sha1_key_identifier",
        "subject",
        "weakness",
    )

    def __init__(self, der: bytes) -> None:
        if len(der) > _LONGEST_CERTIFICATE_BYTES:
            raise RejectedError(f"a certificate of {len(der)} octets is longer than is read here")
        try:
            with warnings.catch_warnings():
                # The library warns of oddities in what a peer sent; nobody here could do anything about them.
                warnings.simplefilter("ignore")
                self._read(der)
        except RejectedError:
            raise
        except Exception as error:
            # The library raises many classes for malformed input, not all of them documented.
            raise RejectedError(f"the certificate cannot be read: {_first_line(error)}") from error

    def __repr__(self) -> str:
        return f"PycaCertificate({name_text(self.subject)!r})"

    def _read(self, der: bytes) -> None:
        library = x509.load_der_x509_certificate(der)
        self.der = der
        self._library = library
        fields = [field for field in elements(_to_be_signed(der)) if field.tag != _VERSION]
        self.issuer, self.subject, spki = fields[2].der, fields[4].der, fields[5].der
        for name in (self.issuer, self.subject):
            element(name, _SEQUENCE)
        self.serial = library.serial_number
        self.not_before: datetime = library.not_valid_before_utc
        self.not_after: datetime = library.not_valid_after_utc
        self.public_key = PycaPublicKey(spki)
        self.sha1_key_identifier = sha1(spki, usedforsecurity=False).digest()
        self.weakness = _weakness(library)
        self._read_extensions(library.extensions)

    def _read_extensions(self, extensions: x509.Extensions) -> None:
        found: dict[x509.ObjectIdentifier, Any] = {each.oid: each.value for each in extensions}
        self.critical_extensions = frozenset(each.oid.dotted_string for each in extensions if each.critical)
        constraints = found.get(ExtensionOID.BASIC_CONSTRAINTS)
        self.authority: bool = constraints is not None and constraints.ca
        self.path_length: int | None = None if constraints is None else constraints.path_length
        self.name_constraints = ExtensionOID.NAME_CONSTRAINTS in found
        usage = found.get(ExtensionOID.KEY_USAGE)
        self.key_usage: frozenset[str] | None = None
        if usage is not None:
            names = ("digital_signature", "content_commitment", "key_cert_sign")
            self.key_usage = frozenset(name for name in names if getattr(usage, name))
        purposes = found.get(ExtensionOID.EXTENDED_KEY_USAGE)
        self.extended_key_usage = None if purposes is None else frozenset(each.dotted_string for each in purposes)
        self._alternative_names = _SubjectAltNames(found.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME))

    def matches(self, id_type: int, id_data: bytes) -> bool:
        """See :meth:`ipsecbench.providers.interface.Certificate.matches`."""
        names = self._alternative_names
        if id_type == ID_DER_ASN1_DN:
            return not is_empty(self.subject) and names_equal(self.subject, id_data)
        if id_type in (ID_IPV4_ADDR, ID_IPV6_ADDR):
            return len(id_data) == (4 if id_type == ID_IPV4_ADDR else 16) and id_data in names.addresses
        try:
            text = id_data.decode("ascii")
        except UnicodeDecodeError:
            return False
        if id_type == ID_FQDN:
            return text.lower() in names.dns_names
        return id_type == ID_RFC822_ADDR and _mailbox(text) in names.mailboxes

    def verify_issued_by(self, issuer: PycaCertificate) -> None:
        """Accept the signature of an authority under this certificate.

        Raises:
            RejectedError: it is not valid, or made in a way that is not accepted.
        """
        if self.weakness is not None:
            raise RejectedError(self.weakness)
        try:
            self._library.verify_directly_issued_by(issuer._library)
        except Exception as error:
            # InvalidSignature, and what the library raises when names, kinds of keys or parameters do not fit.
            raise RejectedError("the signature under the certificate is not valid") from error


def _to_be_signed(der: bytes) -> bytes:
    try:
        fields = elements(element(der, _SEQUENCE).content)
        return element(fields[0].der, _SEQUENCE).content
    except (DerError, IndexError) as error:
        raise RejectedError(f"the certificate cannot be read: {error}") from error


def _weakness(library: x509.Certificate) -> str | None:
    """Why the signature under a certificate is not accepted whatever its key; None when nothing is wrong.

    A trust anchor is trusted for what it is, so that the signature under it does not count.
    """
    oid = library.signature_algorithm_oid
    if oid not in _SIGNATURES:
        return f"the certificate is signed with {getattr(oid, '_name', 'an unknown algorithm')}, which is not accepted"
    if oid == SignatureAlgorithmOID.RSASSA_PSS:
        parameters = library.signature_algorithm_parameters
        digest = library.signature_hash_algorithm
        mask = getattr(parameters, "_mgf", None)
        if not isinstance(digest, _HASHES) or not isinstance(parameters, padding.PSS):
            return "the certificate is signed with RSASSA-PSS and a hash that is not accepted"
        if not isinstance(getattr(mask, "_algorithm", None), type(digest)):
            return "the certificate is signed with RSASSA-PSS and two different hashes"
    return None
