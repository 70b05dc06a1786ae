"""How much one key may protect before it must be replaced.

Sources: draft-irtf-cfrg-aead-limits for the bounds, NIST SP 800-67r2 for 64-bit blocks (2^20 blocks), RFC 4303
section 3.3.3 for the sequence number. All limits are per SA and direction.

In the draft's letters: ``q`` packets are protected, ``v`` forgeries are tried, a packet has at most ``L`` blocks, and
``p`` is the advantage that an attacker may gain. For a packet of one size the bounds are exact; for lives, which meet
whatever sizes come, :func:`key_budget` bounds the sum over all packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from ipsecbench.algorithms.encryption import Encryption

SEQUENCE_NUMBER_PACKETS = 2**32
"""Packets before a 32-bit sequence number would cycle, which RFC 4303 section 3.3.3 forbids."""

BLOCK_64_BYTES = 8 * 2**20
"""Octets under one key of a 64-bit block cipher: 2^20 blocks (NIST SP 800-67r2), collision chance 2^-25."""

ADVANTAGE_EXPONENT = 50
"""Distinguishing advantage of at most 2^-50 is the bound that the caps below are computed for."""

_MODE_BLOCK_BYTES = 16
"""What the draft counts in, also for ChaCha20-Poly1305, whose authenticator takes 16 octets at a time."""
_ESP_TRAILER_BYTES = 2
_ASSOCIATED_BLOCKS = 1
"""SPI and sequence number, 8 octets or with ESN 12: one block of associated data (RFC 4106 section 5)."""


def blocks_of(payload_bytes: int) -> int:
    """Blocks of 16 octets that hold a payload: the draft's L."""
    return -(-payload_bytes // _MODE_BLOCK_BYTES)


def collision_blocks(block_bytes: int, exponent: int) -> int:
    """Blocks after which two ciphertext blocks are equal with a chance of 2^-exponent: p = n² / 2^(bits + 1)."""
    return isqrt(2 ** (8 * block_bytes + 1 - exponent))


def collision_chance(block_bytes: int, blocks: int) -> float:
    """The birthday bound n² / 2^(bits + 1), at most 1; half is the point where a collision is as likely as not."""
    return min(1.0, float(Fraction(blocks**2, 2 ** (8 * block_bytes + 1))))


def packets_per_key(encryption: Encryption, payload_bytes: int, exponent: int = ADVANTAGE_EXPONENT) -> int | None:
    """Packets of one size that one key may protect at an advantage of at most 2^-exponent.

    Args:
        encryption: the transform.
        payload_bytes: octets that are encrypted in each packet.
        exponent: of the advantage. A 64-bit block has the cap of SP 800-67r2 whatever it is.

    Returns:
        The cap, or None where the transform has no cap on its own (NULL, and ChaCha20-Poly1305, whose
        confidentiality does not degrade with the number of packets).
    """
    blocks = blocks_of(payload_bytes)
    if encryption.mode in ("null", "chacha20-poly1305"):
        return None
    if encryption.block_bytes == 8:
        return BLOCK_64_BYTES // payload_bytes
    if encryption.mode == "cbc":
        return collision_blocks(encryption.block_bytes, exponent) // blocks
    if encryption.mode == "ccm":
        # CTR and CBC-MAC share the key: q + v <= sqrt(p) · 2^63 / L, half of which is left to forgeries.
        return isqrt(2 ** (126 - exponent)) // (2 * blocks)
    # GCM, GMAC and CTR: q <= (sqrt(p) · 2^64.5 - 1) / (L + 1).
    return (collision_blocks(_MODE_BLOCK_BYTES, exponent) - 1) // (blocks + 1)


def bytes_per_key(encryption: Encryption, payload_bytes: int, exponent: int = ADVANTAGE_EXPONENT) -> int | None:
    """The cap of :func:`packets_per_key` in octets of payload."""
    packets = packets_per_key(encryption, payload_bytes, exponent)
    return None if packets is None else packets * payload_bytes


def packets_advantage(encryption: Encryption, payload_bytes: int, packets: int) -> float | None:
    """Distinguishing advantage after so many packets of one size; None where it does not grow with their number."""
    blocks = blocks_of(payload_bytes)
    if encryption.mode in ("null", "chacha20-poly1305"):
        return None
    if encryption.mode == "cbc":
        return collision_chance(encryption.block_bytes, packets * -(-payload_bytes // encryption.block_bytes))
    if encryption.mode == "ccm":
        return min(1.0, float(Fraction((2 * blocks * packets) ** 2, 2**128)))
    return collision_chance(_MODE_BLOCK_BYTES, packets * (blocks + 1) + 1)


def forgeries_per_key(
    encryption: Encryption, icv_bytes: int, payload_bytes: int, exponent: int = ADVANTAGE_EXPONENT
) -> int | None:
    """Forged packets that one key may refuse before one is accepted with a chance of 2^-exponent.

    Args:
        encryption: the transform.
        icv_bytes: octets of ICV, of the transform itself or of the integrity transform beside it.
        payload_bytes: octets that are encrypted in each packet.
        exponent: of the chance.

    Returns:
        The cap; 0 where a single attempt has a better chance; None without any integrity.
    """
    blocks, tag_bits = blocks_of(payload_bytes), 8 * icv_bytes
    if tag_bits == 0:
        return None
    if encryption.mode in ("gcm", "gmac"):
        # v <= p · 2^127 / (L + 1) with whole tags; a tag that was cut short is guessed the sooner.
        return _power(tag_bits - 1 - exponent) // (blocks + 1)
    if encryption.mode == "chacha20-poly1305":
        return _power(103 - exponent) // (blocks + 1)
    if encryption.mode == "ccm":
        # v / 2^tag + (2 L (q + v))² / 2^128 <= p: half of p for the first term, half of q + v for forgeries.
        return min(_power(tag_bits - 1 - exponent), isqrt(2 ** (126 - exponent)) // (2 * blocks))
    return _power(tag_bits - exponent)


def _power(exponent: int) -> int:
    return 2**exponent if exponent >= 0 else 0


@dataclass(frozen=True, slots=True)
class KeyBudget:
    """What one key may spend on packets of any sizes: octets / block + packets · per packet stays below ``blocks``."""

    blocks: int
    """Blocks that may be spent."""
    block_bytes: int
    """Octets of inner packets that one block carries."""
    per_packet: Fraction
    """Blocks that a packet costs at most beyond its octets: trailer, padding, IV or counter, associated data."""

    def spent(self, octets: int, packets: int) -> Fraction:
        """Blocks that traffic spends at most."""
        return Fraction(octets, self.block_bytes) + packets * self.per_packet

    def packets(self, mean_bytes: float) -> int:
        """Packets of a mean size that can be paid for."""
        return int(self.blocks / (Fraction(mean_bytes) / self.block_bytes + self.per_packet))


def key_budget(encryption: Encryption, exponent: int = ADVANTAGE_EXPONENT) -> KeyBudget | None:
    """The budget of one key of a transform, whatever the sizes of the packets; None where there is no cap.

    A packet of n octets is padded to the transform's alignment with a trailer of two octets, so that it fills at most
    ``n / block + (2 + alignment - 1 + block - 1) / block`` blocks, and costs one block more for CBC's IV, or two for a
    counter mode's first block and its associated data.
    """
    if encryption.mode in ("null", "chacha20-poly1305"):
        return None
    block = 8 if encryption.block_bytes == 8 else _MODE_BLOCK_BYTES
    slack = Fraction(_ESP_TRAILER_BYTES + encryption.pad_align_bytes - 1, block)
    if encryption.mode == "cbc":
        # Padding to whole blocks is the alignment itself.
        blocks = BLOCK_64_BYTES // 8 if block == 8 else collision_blocks(block, exponent)
        return KeyBudget(blocks, block, slack + 1)
    slack += Fraction(block - 1, block)
    if encryption.mode == "ccm":
        return KeyBudget(isqrt(2 ** (126 - exponent)) // 2, block, slack + _ASSOCIATED_BLOCKS)
    return KeyBudget(collision_blocks(block, exponent) - 1, block, slack + _ASSOCIATED_BLOCKS + 1)
