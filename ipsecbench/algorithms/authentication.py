"""Authentication methods of the IKE SA: pre-shared key and digital signatures.

Names of the signature algorithms are those of strongSwan's ``auth`` constraints without the hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Authentication:
    """One way for a peer to prove its identity in IKE_AUTH."""

    name: str
    """``psk``, or the signature algorithm with its key size, such as ``ecdsa-256``."""
    title: str
    """For people."""
    strength_bits: int | None
    """Estimated classical strength of the key; None for a pre-shared key, which is as strong as its entropy."""
    hash_name: str | None
    """Hash that is signed; None where the algorithm hashes itself, or for a pre-shared key."""
    level: str
    """RFC 8247 section 4.1 on the method, with the key size where the RFC names it."""


_ROWS = (
    Authentication("psk", "Pre-shared key", None, None, "MUST"),
    Authentication("rsa-2048", "RSA 2048, SHA2-256", 112, "sha256", "MUST"),
    Authentication("rsa-3072", "RSA 3072, SHA2-256", 128, "sha256", "SHOULD"),
    Authentication("rsa-4096", "RSA 4096, SHA2-256", 152, "sha256", "SHOULD"),
    Authentication("ecdsa-256", "ECDSA P-256, SHA2-256", 128, "sha256", "SHOULD"),
    Authentication("ecdsa-384", "ECDSA P-384, SHA2-384", 192, "sha384", "SHOULD"),
    Authentication("ecdsa-521", "ECDSA P-521, SHA2-512", 256, "sha512", "SHOULD"),
    Authentication("ed25519", "Ed25519 (RFC 8420)", 128, None, "MAY (not listed)"),
    Authentication("ed448", "Ed448 (RFC 8420)", 224, None, "MAY (not listed)"),
)

AUTHENTICATION: Mapping[str, Authentication] = MappingProxyType({row.name: row for row in _ROWS})
"""Every authentication method that can be measured, by name."""

SIGNATURES: tuple[str, ...] = tuple(row.name for row in _ROWS if row.strength_bits is not None)
"""The methods that sign and verify."""
