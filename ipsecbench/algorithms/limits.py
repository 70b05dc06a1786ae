"""How much one key may protect before it must be replaced.

Sources: draft-irtf-cfrg-aead-limits for the bounds, NIST SP 800-67r2 for 64-bit blocks (2^20 blocks), RFC 4303
section 3.3.3 for the sequence number. All limits are per SA and direction.
"""

from __future__ import annotations

from math import isqrt

from ipsecbench.algorithms.encryption import Encryption

SEQUENCE_NUMBER_PACKETS = 2**32
"""Packets before a 32-bit sequence number would cycle, which RFC 4303 section 3.3.3 forbids."""

BLOCK_64_BYTES = 8 * 2**20
"""Octets under one key of a 64-bit block cipher: 2^20 blocks (NIST SP 800-67r2), collision chance 2^-25."""

ADVANTAGE_EXPONENT = 50
"""Distinguishing advantage of at most 2^-50 is the bound that the caps below are computed for."""


def packets_per_key(encryption: Encryption, payload_bytes: int) -> int | None:
    """Packets of one size that one key may protect at an advantage of at most 2^-50.

    Args:
        encryption: the transform.
        payload_bytes: octets that are encrypted in each packet.

    Returns:
        The cap, or None where the transform has no cap on its own (NULL, and ChaCha20-Poly1305, whose
        confidentiality does not degrade with the number of packets).
    """
    blocks = -(-payload_bytes // 16)
    if encryption.mode in ("null", "chacha20-poly1305"):
        return None
    if encryption.block_bytes == 8:
        return BLOCK_64_BYTES // payload_bytes
    if encryption.mode == "cbc":
        return isqrt(2 ** (129 - ADVANTAGE_EXPONENT)) // blocks
    if encryption.mode == "ccm":
        # CTR and CBC-MAC share the key, so each block counts twice (draft-irtf-cfrg-aead-limits, CCM).
        return isqrt(2 ** (126 - ADVANTAGE_EXPONENT)) // (2 * blocks + 1)
    return isqrt(2 ** (129 - ADVANTAGE_EXPONENT)) // (blocks + 1)


def bytes_per_key(encryption: Encryption, payload_bytes: int) -> int | None:
    """The cap of :func:`packets_per_key` in octets of payload."""
    packets = packets_per_key(encryption, payload_bytes)
    return None if packets is None else packets * payload_bytes
