"""Key exchange methods of IKE (IKEv2 transform type 4; "Diffie-Hellman group" before RFC 9370).

ML-KEM (35 to 37) follows draft-ietf-ipsecme-ikev2-mlkem-08, which was not yet an RFC when these facts were collected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class KeyExchangeMethod:
    """One key exchange method."""

    name: str
    """strongSwan's proposal token, such as ``modp2048`` or ``x25519``."""
    iana_name: str
    """The registry's spelling."""
    ikev2_id: int
    """Number in the IKEv2 registry, the same as the IKEv1 group number where both have it."""
    kind: str
    """``ffdh``, ``ffdh-subgroup``, ``ecdh``, ``ecdh-montgomery`` or ``kem``."""
    initiator_bytes: int
    """Octets of key exchange data that the initiator sends (the payload has 8 more)."""
    responder_bytes: int
    """Octets of key exchange data that the responder sends."""
    strength_bits: int
    """Estimated classical strength (NIST SP 800-57; for 4096 bits and above the GNFS estimate)."""
    quantum_strength_bits: int
    """Estimated strength against a quantum computer: 0 for all but ML-KEM."""
    exponent_bits: int | None
    """Private exponent that strongSwan's table holds for MODP groups; None for the others."""

    @property
    def kem(self) -> bool:
        """Whether the method is a key encapsulation (encapsulate and decapsulate instead of agree)."""
        return self.name.startswith("mlkem")


_COLUMNS = (
    # name, IANA name, IKEv2, kind, initiator octets, responder octets, strength, quantum strength, exponent bits
    ("modp768", "768-bit MODP", 1, "ffdh", 96, 96, 60, 0, 256),
    ("modp1024", "1024-bit MODP", 2, "ffdh", 128, 128, 80, 0, 256),
    ("modp1536", "1536-bit MODP", 5, "ffdh", 192, 192, 90, 0, 256),
    ("modp2048", "2048-bit MODP", 14, "ffdh", 256, 256, 112, 0, 384),
    ("modp3072", "3072-bit MODP", 15, "ffdh", 384, 384, 128, 0, 384),
    ("modp4096", "4096-bit MODP", 16, "ffdh", 512, 512, 152, 0, 512),
    ("modp6144", "6144-bit MODP", 17, "ffdh", 768, 768, 176, 0, 512),
    ("modp8192", "8192-bit MODP", 18, "ffdh", 1024, 1024, 200, 0, 512),
    ("ecp192", "192-bit random ECP", 25, "ecdh", 48, 48, 96, 0, None),
    ("ecp224", "224-bit random ECP", 26, "ecdh", 56, 56, 112, 0, None),
    ("ecp256", "256-bit random ECP", 19, "ecdh", 64, 64, 128, 0, None),
    ("ecp384", "384-bit random ECP", 20, "ecdh", 96, 96, 192, 0, None),
    ("ecp521", "521-bit random ECP", 21, "ecdh", 132, 132, 256, 0, None),
    (
        "modp1024s160",
        "1024-bit MODP Group with 160-bit Prime Order Subgroup",
        22,
        "ffdh-subgroup",
        128,
        128,
        80,
        0,
        160,
    ),
    (
        "modp2048s224",
        "2048-bit MODP Group with 224-bit Prime Order Subgroup",
        23,
        "ffdh-subgroup",
        256,
        256,
        112,
        0,
        224,
    ),
    (
        "modp2048s256",
        "2048-bit MODP Group with 256-bit Prime Order Subgroup",
        24,
        "ffdh-subgroup",
        256,
        256,
        112,
        0,
        256,
    ),
    ("ecp224bp", "brainpoolP224r1", 27, "ecdh", 56, 56, 112, 0, None),
    ("ecp256bp", "brainpoolP256r1", 28, "ecdh", 64, 64, 128, 0, None),
    ("ecp384bp", "brainpoolP384r1", 29, "ecdh", 96, 96, 192, 0, None),
    ("ecp512bp", "brainpoolP512r1", 30, "ecdh", 128, 128, 256, 0, None),
    ("x25519", "Curve25519", 31, "ecdh-montgomery", 32, 32, 128, 0, None),
    ("x448", "Curve448", 32, "ecdh-montgomery", 56, 56, 224, 0, None),
    ("mlkem512", "ml-kem-512", 35, "kem", 800, 768, 128, 128, None),
    ("mlkem768", "ml-kem-768", 36, "kem", 1184, 1088, 192, 192, None),
    ("mlkem1024", "ml-kem-1024", 37, "kem", 1568, 1568, 256, 256, None),
)

KEY_EXCHANGE: Mapping[str, KeyExchangeMethod] = MappingProxyType({row[0]: KeyExchangeMethod(*row) for row in _COLUMNS})
"""Every key exchange method that can be measured, by name."""
