"""Pseudo-random functions of IKEv2 (transform type 2, "PRF")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Prf:
    """One pseudo-random function."""

    name: str
    """strongSwan's proposal token, such as ``prfsha256``."""
    iana_name: str
    """The registry's spelling, such as ``PRF_HMAC_SHA2_256``."""
    ikev2_id: int
    """Number in the IKEv2 registry."""
    output_bytes: int
    """Octets of output, which is also the length of SK_d, SK_pi and SK_pr (RFC 7296 section 2.14)."""
    strength_bits: int
    """Estimated strength; 0 where none is claimed."""


_COLUMNS = (
    # name, IANA name, IKEv2, output octets, strength
    ("prfmd5", "PRF_HMAC_MD5", 1, 16, 0),
    ("prfsha1", "PRF_HMAC_SHA1", 2, 20, 128),
    ("prfaesxcbc", "PRF_AES128_XCBC", 4, 16, 128),
    ("prfsha256", "PRF_HMAC_SHA2_256", 5, 32, 256),
    ("prfsha384", "PRF_HMAC_SHA2_384", 6, 48, 256),
    ("prfsha512", "PRF_HMAC_SHA2_512", 7, 64, 256),
    ("prfaescmac", "PRF_AES128_CMAC", 8, 16, 128),
)

PRF: Mapping[str, Prf] = MappingProxyType({row[0]: Prf(*row) for row in _COLUMNS})
"""Every pseudo-random function that can be measured, by name."""
