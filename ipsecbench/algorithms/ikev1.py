"""Numbers of IKEv1 that name the same algorithms as IKEv2's (registries closed by RFC 9395).

Sources: RFC 2409 appendix A (phase 1 attributes), RFC 2407 section 4.5 (phase 2 attributes), RFC 4868, RFC 4754.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Phase1Hash:
    """One hash of phase 1; the PRF is its HMAC (RFC 2409 section 4)."""

    name: str
    """Name of the hash, as in :mod:`hashlib`."""
    number: int
    """Hash Algorithm attribute (RFC 2409 appendix A, RFC 4868 section 4)."""
    prf: str
    """Token of the PRF."""
    integrity: str
    """Token that asks for the hash in a proposal string."""
    output_bytes: int
    """Octets of output."""


_HASHES = (
    Phase1Hash("md5", 1, "prfmd5", "md5", 16),
    Phase1Hash("sha1", 2, "prfsha1", "sha1", 20),
    Phase1Hash("sha256", 4, "prfsha256", "sha256", 32),
    Phase1Hash("sha384", 5, "prfsha384", "sha384", 48),
    Phase1Hash("sha512", 6, "prfsha512", "sha512", 64),
)

PHASE1_HASHES: Mapping[str, Phase1Hash] = MappingProxyType({row.integrity: row for row in _HASHES})
"""Hashes of phase 1 by the token of a proposal string."""

PHASE1_AUTHENTICATION: Mapping[str, int] = MappingProxyType(
    {"psk": 1, "rsa": 3, "ecdsa-256": 9, "ecdsa-384": 10, "ecdsa-521": 11}
)
"""Authentication Method attribute: pre-shared key, RSA signatures (RFC 2409), ECDSA (RFC 4754)."""

PHASE1_PROOF_PRF: Mapping[int, str] = MappingProxyType({9: "prfsha256", 10: "prfsha384", 11: "prfsha512"})
"""PRF of HASH_I and HASH_R under an Authentication Method whose signature fixes the hash (RFC 4754 section 4, in the
sense of RFC 2409 section 5.1; so does strongSwan); under the others it is the negotiated one."""

ESP_PRIVATE: Mapping[str, int] = MappingProxyType(
    {f"{cipher}{bits}": number for cipher, number in (("serpent", 252), ("twofish", 253)) for bits in (128, 192, 256)}
)
"""ESP transform numbers of the private range that implementations agree on, though no registry does."""
