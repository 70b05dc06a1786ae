"""Integrity transforms of IKE and ESP (IKEv2 transform type 3, "INTEG").

Names are strongSwan's proposal tokens; ``sha256`` is AUTH_HMAC_SHA2_256_128 with its 128-bit ICV (RFC 4868), not the
96-bit truncation of early kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Integrity:
    """One integrity transform."""

    name: str
    """strongSwan's proposal token, such as ``sha256``."""
    iana_name: str
    """The registry's spelling, such as ``AUTH_HMAC_SHA2_256_128``."""
    ikev2_id: int
    """Number in the IKEv2 registry."""
    ikev1_esp_id: int | None
    """Authentication Algorithm attribute of IKEv1 (RFC 2407 section 4.5); None where it has none."""
    key_bytes: int
    """Octets of KEYMAT."""
    output_bytes: int
    """Octets of the untruncated MAC."""
    icv_bytes: int
    """Octets of ICV in each packet."""
    strength_bits: int
    """Estimated strength against forgery with unlimited trials (at most the key length)."""


_COLUMNS = (
    # name, IANA name, IKEv2, IKEv1 ESP, key octets, output octets, ICV octets, strength
    ("md5", "AUTH_HMAC_MD5_96", 1, 1, 16, 16, 12, 128),
    ("sha1", "AUTH_HMAC_SHA1_96", 2, 2, 20, 20, 12, 128),
    ("aesxcbc", "AUTH_AES_XCBC_96", 5, 9, 16, 16, 12, 96),
    ("aescmac", "AUTH_AES_CMAC_96", 8, None, 16, 16, 12, 96),
    ("sha256", "AUTH_HMAC_SHA2_256_128", 12, 5, 32, 32, 16, 256),
    ("sha384", "AUTH_HMAC_SHA2_384_192", 13, 6, 48, 48, 24, 256),
    ("sha512", "AUTH_HMAC_SHA2_512_256", 14, 7, 64, 64, 32, 256),
)

INTEGRITY: Mapping[str, Integrity] = MappingProxyType({row[0]: Integrity(*row) for row in _COLUMNS})
"""Every integrity transform that can be measured, by name."""
