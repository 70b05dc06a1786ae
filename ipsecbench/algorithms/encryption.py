"""Encryption transforms of IKE and ESP (IKEv2 transform type 1, "ENCR").

Numbers are those of the IANA registries "IKEv2 Transform Type 1" and of the closed IKEv1 registries; sizes are from
the RFC that defines each transform. Names are strongSwan's proposal tokens. Twofish and Serpent have no number:
implementations use private numbers that differ from vendor to vendor (RFC 8221 section 5 says so of Twofish).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Encryption:
    """One encryption transform with one key length."""

    name: str
    """strongSwan's proposal token, such as ``aes128gcm16``."""
    iana_name: str
    """The registry's spelling, such as ``ENCR_AES_GCM_16``."""
    ikev2_id: int | None
    """Number in the IKEv2 registry; None where it has none."""
    ikev1_phase1_id: int | None
    """Number in the IKEv1 phase 1 registry (RFC 2409 appendix A)."""
    ikev1_esp_id: int | None
    """Number in the IKEv1 ESP registry (RFC 2407 section 4.4.4)."""
    mode: str
    """``cbc``, ``ctr``, ``gcm``, ``ccm``, ``chacha20-poly1305``, ``gmac`` or ``null``."""
    key_bits: int
    """Length of the key without salt; 3DES counts its 168 key bits."""
    salt_bytes: int
    """Octets of KEYMAT after the key that complete the nonce (RFC 4106 section 8.1)."""
    block_bytes: int
    """Block size of the cipher."""
    iv_bytes: int
    """Octets of IV carried in each packet."""
    icv_bytes: int
    """Octets of ICV of a combined-mode transform; 0 where integrity is a transform of its own."""
    pad_align_bytes: int
    """Payload, padding, pad length and Next Header together are a multiple of this (RFC 4303 section 2.4)."""
    strength_bits: int
    """Estimated classical strength against key recovery (NIST SP 800-57; 112 for 3DES)."""

    @property
    def aead(self) -> bool:
        """Whether the transform protects integrity itself and takes no integrity transform beside it."""
        return self.icv_bytes > 0

    @property
    def keymat_bytes(self) -> int:
        """Octets of KEYMAT that one direction takes, salt included; 3DES takes 24."""
        return (24 if self.name == "3des" else (self.key_bits + 7) // 8 if self.name != "des" else 8) + self.salt_bytes


_COLUMNS = (
    # name, IANA name, IKEv2, IKEv1 phase 1, IKEv1 ESP, mode, key, salt, block, IV, ICV, alignment, strength
    ("aes128", "ENCR_AES_CBC", 12, 7, 12, "cbc", 128, 0, 16, 16, 0, 16, 128),
    ("aes192", "ENCR_AES_CBC", 12, 7, 12, "cbc", 192, 0, 16, 16, 0, 16, 192),
    ("aes256", "ENCR_AES_CBC", 12, 7, 12, "cbc", 256, 0, 16, 16, 0, 16, 256),
    ("aes128gcm8", "ENCR_AES_GCM_8", 18, None, 18, "gcm", 128, 4, 16, 8, 8, 4, 128),
    ("aes128gcm12", "ENCR_AES_GCM_12", 19, None, 19, "gcm", 128, 4, 16, 8, 12, 4, 128),
    ("aes128gcm16", "ENCR_AES_GCM_16", 20, None, 20, "gcm", 128, 4, 16, 8, 16, 4, 128),
    ("aes192gcm8", "ENCR_AES_GCM_8", 18, None, 18, "gcm", 192, 4, 16, 8, 8, 4, 192),
    ("aes192gcm12", "ENCR_AES_GCM_12", 19, None, 19, "gcm", 192, 4, 16, 8, 12, 4, 192),
    ("aes192gcm16", "ENCR_AES_GCM_16", 20, None, 20, "gcm", 192, 4, 16, 8, 16, 4, 192),
    ("aes256gcm8", "ENCR_AES_GCM_8", 18, None, 18, "gcm", 256, 4, 16, 8, 8, 4, 256),
    ("aes256gcm12", "ENCR_AES_GCM_12", 19, None, 19, "gcm", 256, 4, 16, 8, 12, 4, 256),
    ("aes256gcm16", "ENCR_AES_GCM_16", 20, None, 20, "gcm", 256, 4, 16, 8, 16, 4, 256),
    ("aes128ccm8", "ENCR_AES_CCM_8", 14, None, 14, "ccm", 128, 3, 16, 8, 8, 4, 128),
    ("aes128ccm12", "ENCR_AES_CCM_12", 15, None, 15, "ccm", 128, 3, 16, 8, 12, 4, 128),
    ("aes128ccm16", "ENCR_AES_CCM_16", 16, None, 16, "ccm", 128, 3, 16, 8, 16, 4, 128),
    ("aes192ccm8", "ENCR_AES_CCM_8", 14, None, 14, "ccm", 192, 3, 16, 8, 8, 4, 192),
    ("aes192ccm12", "ENCR_AES_CCM_12", 15, None, 15, "ccm", 192, 3, 16, 8, 12, 4, 192),
    ("aes192ccm16", "ENCR_AES_CCM_16", 16, None, 16, "ccm", 192, 3, 16, 8, 16, 4, 192),
    ("aes256ccm8", "ENCR_AES_CCM_8", 14, None, 14, "ccm", 256, 3, 16, 8, 8, 4, 256),
    ("aes256ccm12", "ENCR_AES_CCM_12", 15, None, 15, "ccm", 256, 3, 16, 8, 12, 4, 256),
    ("aes256ccm16", "ENCR_AES_CCM_16", 16, None, 16, "ccm", 256, 3, 16, 8, 16, 4, 256),
    ("aes128ctr", "ENCR_AES_CTR", 13, None, 13, "ctr", 128, 4, 16, 8, 0, 4, 128),
    ("aes192ctr", "ENCR_AES_CTR", 13, None, 13, "ctr", 192, 4, 16, 8, 0, 4, 192),
    ("aes256ctr", "ENCR_AES_CTR", 13, None, 13, "ctr", 256, 4, 16, 8, 0, 4, 256),
    ("aes128gmac", "ENCR_NULL_AUTH_AES_GMAC", 21, None, 23, "gmac", 128, 4, 16, 8, 16, 4, 128),
    ("aes192gmac", "ENCR_NULL_AUTH_AES_GMAC", 21, None, 23, "gmac", 192, 4, 16, 8, 16, 4, 192),
    ("aes256gmac", "ENCR_NULL_AUTH_AES_GMAC", 21, None, 23, "gmac", 256, 4, 16, 8, 16, 4, 256),
    (
        "chacha20poly1305",
        "ENCR_CHACHA20_POLY1305",
        28,
        None,
        None,
        "chacha20-poly1305",
        256,
        4,
        64,
        8,
        16,
        4,
        256,
    ),
    ("camellia128", "ENCR_CAMELLIA_CBC", 23, 8, 22, "cbc", 128, 0, 16, 16, 0, 16, 128),
    ("camellia192", "ENCR_CAMELLIA_CBC", 23, 8, 22, "cbc", 192, 0, 16, 16, 0, 16, 192),
    ("camellia256", "ENCR_CAMELLIA_CBC", 23, 8, 22, "cbc", 256, 0, 16, 16, 0, 16, 256),
    ("des", "ENCR_DES", 2, 1, 2, "cbc", 56, 0, 8, 8, 0, 8, 56),
    ("3des", "ENCR_3DES", 3, 5, 3, "cbc", 168, 0, 8, 8, 0, 8, 112),
    ("cast128", "ENCR_CAST", 6, 6, 6, "cbc", 128, 0, 8, 8, 0, 8, 128),
    ("blowfish128", "ENCR_BLOWFISH", 7, 3, 7, "cbc", 128, 0, 8, 8, 0, 8, 128),
    ("blowfish192", "ENCR_BLOWFISH", 7, 3, 7, "cbc", 192, 0, 8, 8, 0, 8, 192),
    ("blowfish256", "ENCR_BLOWFISH", 7, 3, 7, "cbc", 256, 0, 8, 8, 0, 8, 256),
    ("null", "ENCR_NULL", 11, None, 11, "null", 0, 0, 1, 0, 0, 4, 0),
    ("twofish128", "(private) Twofish-CBC", None, None, None, "cbc", 128, 0, 16, 16, 0, 16, 128),
    ("serpent128", "(private) Serpent-CBC", None, None, None, "cbc", 128, 0, 16, 16, 0, 16, 128),
    ("twofish192", "(private) Twofish-CBC", None, None, None, "cbc", 192, 0, 16, 16, 0, 16, 192),
    ("serpent192", "(private) Serpent-CBC", None, None, None, "cbc", 192, 0, 16, 16, 0, 16, 192),
    ("twofish256", "(private) Twofish-CBC", None, None, None, "cbc", 256, 0, 16, 16, 0, 16, 256),
    ("serpent256", "(private) Serpent-CBC", None, None, None, "cbc", 256, 0, 16, 16, 0, 16, 256),
)

ENCRYPTION: Mapping[str, Encryption] = MappingProxyType({row[0]: Encryption(*row) for row in _COLUMNS})
"""Every encryption transform that can be measured, by name."""
