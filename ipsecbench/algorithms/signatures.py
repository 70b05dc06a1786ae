"""Signature schemes of IKE: what is signed with which padding and hash, and how the AUTH payload names it.

IKEv2 names a scheme by an ASN.1 AlgorithmIdentifier beside the signature (RFC 7427 section 3, RFC 8420) and announces
hashes by number (SIGNATURE_HASH_ALGORITHMS). Before that, and in IKEv1, the number of the authentication method alone
fixed the scheme: RSA with PKCS #1 v1.5, over SHA-1 in IKEv2 and without a DigestInfo in IKEv1 (RFC 7296 section 2.15,
RFC 2409 section 5.1), and ECDSA with a signature of fixed length (RFC 4754), over the hash of its curve in IKEv2 and
over HASH_I or HASH_R itself in IKEv1, as RFC 2409 section 5.1 has it for signatures and as strongSwan does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

IKEV2_HASH_IDS: Mapping[str, int] = MappingProxyType({"sha1": 1, "sha256": 2, "sha384": 3, "sha512": 4, "identity": 5})
"""Numbers of the registry "IKEv2 Hash Algorithms" (RFC 7427 section 7, RFC 8420 section 2)."""


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """One way to sign the octets that IKE authenticates."""

    name: str
    """Name in this project, such as ``rsa-pss-sha256``."""
    key_type: str
    """``rsa``, ``ecdsa`` (any curve), one curve such as ``ecdsa-256``, ``ed25519`` or ``ed448``."""
    padding: str
    """``pkcs1`` (RFC 8017 section 9.2), ``pkcs1-raw`` (the same without a DigestInfo), ``pss`` (section 9.1, a salt as
    long as the hash, MGF1 with the same hash), ``der`` (Ecdsa-Sig-Value), ``concatenated`` (r and s, each as long as
    the order of the curve), or ``none``."""
    hash_name: str | None
    """Hash that is applied to the message; None where the message is signed as it is."""
    algorithm_identifier: bytes
    """AlgorithmIdentifier in DER as it is sent; empty where RFC 7427 cannot name the scheme."""
    ikev2_hash_id: int | None
    """Number that a peer must have announced before it is sent this scheme; None where RFC 7427 cannot name it."""

    def fits(self, key_type: str) -> bool:
        """Whether a key of a type such as ``rsa`` or ``ecdsa-256`` can make such a signature."""
        return key_type == self.key_type or key_type.startswith(f"{self.key_type}-")


_HASHES = (
    # hash, octets, last arc of its object identifier, of PKCS #1 with it, and of ECDSA with it
    ("sha256", 32, 1, 11, 2),
    ("sha384", 48, 2, 12, 3),
    ("sha512", 64, 3, 13, 4),
)
_RSA_WITH_SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
_ECDSA_WITH_SHA1 = bytes.fromhex("300906072a8648ce3d0401")


def _sequence(*elements: bytes) -> bytes:
    content = b"".join(elements)
    return bytes([0x30, len(content)]) + content


def _explicit(number: int, content: bytes) -> bytes:
    return bytes([0xA0 | number, len(content)]) + content


def _hash_identifier(arc: int, null: bool) -> bytes:
    # 2.16.840.1.101.3.4.2.arc; whether NULL or nothing is its parameter, RFC 4055 section 2.1 leaves open.
    return _sequence(bytes.fromhex("0609608648016503040200")[:-1] + bytes([arc]), b"\x05\x00" if null else b"")


def _pss_identifier(arc: int, salt_bytes: int, null: bool = True, trailer: bool = True) -> bytes:
    """RSASSA-PSS with explicit parameters (RFC 4055 section 3.1, RFC 7427 appendix A.4)."""
    digest = _hash_identifier(arc, null)
    mask = _sequence(bytes.fromhex("06092a864886f70d010108"), digest)
    parameters = _sequence(
        _explicit(0, digest),
        _explicit(1, mask),
        _explicit(2, bytes([2, 1, salt_bytes])),
        _explicit(3, b"\x02\x01\x01") if trailer else b"",
    )
    return _sequence(bytes.fromhex("06092a864886f70d01010a"), parameters)


def _rows() -> list[SignatureScheme]:
    rows = [SignatureScheme("rsa-pkcs1-sha1", "rsa", "pkcs1", "sha1", _RSA_WITH_SHA1, IKEV2_HASH_IDS["sha1"])]
    for name, salt_bytes, arc, rsa_arc, _ in _HASHES:
        identifier = _RSA_WITH_SHA1[:-3] + bytes([rsa_arc]) + _RSA_WITH_SHA1[-2:]
        number = IKEV2_HASH_IDS[name]
        rows.append(SignatureScheme(f"rsa-pkcs1-{name}", "rsa", "pkcs1", name, identifier, number))
        rows.append(SignatureScheme(f"rsa-pss-{name}", "rsa", "pss", name, _pss_identifier(arc, salt_bytes), number))
    rows.append(SignatureScheme("ecdsa-sha1", "ecdsa", "der", "sha1", _ECDSA_WITH_SHA1, IKEV2_HASH_IDS["sha1"]))
    for name, _, _, _, arc in _HASHES:
        identifier = bytes.fromhex("300a06082a8648ce3d0403") + bytes([arc])
        rows.append(SignatureScheme(f"ecdsa-{name}", "ecdsa", "der", name, identifier, IKEV2_HASH_IDS[name]))
    identity = IKEV2_HASH_IDS["identity"]
    return [
        *rows,
        SignatureScheme("ed25519", "ed25519", "none", None, bytes.fromhex("300506032b6570"), identity),
        SignatureScheme("ed448", "ed448", "none", None, bytes.fromhex("300506032b6571"), identity),
        SignatureScheme("rsa-pkcs1-raw", "rsa", "pkcs1-raw", None, b"", None),
        SignatureScheme("ecdsa-p256-sha256", "ecdsa-256", "concatenated", "sha256", b"", None),
        SignatureScheme("ecdsa-p384-sha384", "ecdsa-384", "concatenated", "sha384", b"", None),
        SignatureScheme("ecdsa-p521-sha512", "ecdsa-521", "concatenated", "sha512", b"", None),
        SignatureScheme("ecdsa-p256-raw", "ecdsa-256", "concatenated", None, b"", None),
        SignatureScheme("ecdsa-p384-raw", "ecdsa-384", "concatenated", None, b"", None),
        SignatureScheme("ecdsa-p521-raw", "ecdsa-521", "concatenated", None, b"", None),
    ]


SIGNATURE_SCHEMES: Mapping[str, SignatureScheme] = MappingProxyType({row.name: row for row in _rows()})
"""Every signature scheme by name."""

_ECDSA_METHODS = {9: "ecdsa-p256-sha256", 10: "ecdsa-p384-sha384", 11: "ecdsa-p521-sha512"}

IKEV2_METHOD_SCHEMES: Mapping[int, str] = MappingProxyType({1: "rsa-pkcs1-sha1"} | _ECDSA_METHODS)
"""IKEv2 Auth Method to the scheme that it fixes: RSA Digital Signature and the three of RFC 4754. Digital Signature
(14) names its scheme itself."""

IKEV2_DIGITAL_SIGNATURE = 14
"""Auth Method "Digital Signature" (RFC 7427)."""

IKEV1_METHOD_SCHEMES: Mapping[int, str] = MappingProxyType(
    {3: "rsa-pkcs1-raw", 9: "ecdsa-p256-raw", 10: "ecdsa-p384-raw", 11: "ecdsa-p521-raw"}
)
"""IKEv1 Authentication Method to the scheme that it fixes: RSA signatures (RFC 2409), ECDSA (RFC 4754)."""


def _received() -> dict[bytes, SignatureScheme]:
    found = {row.algorithm_identifier: row for row in SIGNATURE_SCHEMES.values() if row.algorithm_identifier}
    for name, salt_bytes, arc, _, _ in _HASHES:
        # Three peers, three encodings of the same parameters: the default trailer may be left out, and the NULL too.
        for null in (True, False):
            for trailer in (True, False):
                found[_pss_identifier(arc, salt_bytes, null, trailer)] = SIGNATURE_SCHEMES[f"rsa-pss-{name}"]
    for row in SIGNATURE_SCHEMES.values():
        # RFC 4055 section 5: without the NULL as well.
        if row.padding == "pkcs1":
            found[_sequence(row.algorithm_identifier[2:-2])] = row
    return found


_BY_IDENTIFIER: Mapping[bytes, SignatureScheme] = MappingProxyType(_received())


def scheme_of_identifier(algorithm_identifier: bytes) -> SignatureScheme | None:
    """The scheme that a received AlgorithmIdentifier names; None for any other, odd parameters of PSS among them."""
    return _BY_IDENTIFIER.get(algorithm_identifier)


_PREFERENCE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rsa": tuple(
            f"rsa-{padding}-{name}" for padding in ("pss", "pkcs1") for name in ("sha256", "sha384", "sha512")
        ),
        "ecdsa-256": ("ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512"),
        "ecdsa-384": ("ecdsa-sha384", "ecdsa-sha512", "ecdsa-sha256"),
        "ecdsa-521": ("ecdsa-sha512", "ecdsa-sha384", "ecdsa-sha256"),
        "ed25519": ("ed25519",),
        "ed448": ("ed448",),
    }
)


def schemes_for_key(key_type: str) -> tuple[SignatureScheme, ...]:
    """The schemes of RFC 7427 that a key can sign with, the best first; without SHA-1, which RFC 8247 section 4.2
    forbids to sign with."""
    return tuple(SIGNATURE_SCHEMES[name] for name in _PREFERENCE.get(key_type, ()))
