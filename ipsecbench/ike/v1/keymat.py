"""Keys of IKEv1: SKEYID and its family, the phase 1 encryption key, KEYMAT of quick mode (RFC 2409 section 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.ike.events import SaKeys
from ipsecbench.secret import Secret

Prf = Callable[[bytes, bytes], bytes]
"""``prf(key, message)``."""

_DES_KEY_BYTES = 8

_WEAK_DES_KEYS = frozenset(
    bytes.fromhex(key)
    for key in (
        *("0101010101010101", "1f1f1f1f0e0e0e0e", "e0e0e0e0f1f1f1f1", "fefefefefefefefe"),
        *("01fe01fe01fe01fe", "fe01fe01fe01fe01", "1fe01fe00ef10ef1", "e01fe01ff10ef10e"),
        *("01e001e001f101f1", "e001e001f101f101", "1ffe1ffe0efe0efe", "fe1ffe1ffe0efe0e"),
        *("011f011f010e010e", "1f011f010e010e01", "e0fee0fef1fef1fe", "fee0fee0fef1fef1"),
    )
)
"""Weak and semi-weak keys with odd parity (RFC 2409 appendix A)."""


@dataclass(frozen=True, slots=True)
class SkeyidFamily:
    """SKEYID and what is derived from it (RFC 2409 section 5)."""

    skeyid: Secret
    """Authenticates the exchange (HASH_I, HASH_R)."""
    skeyid_d: Secret
    """Keys of phase 2 come from it."""
    skeyid_a: Secret
    """Authenticates messages of phase 2."""
    skeyid_e: Secret
    """The encryption key comes from it."""


def skeyid_psk(prf: Prf, pre_shared_key: Secret, nonce_i: bytes, nonce_r: bytes) -> Secret:
    """SKEYID for pre-shared keys: ``prf(pre-shared-key, Ni_b | Nr_b)``."""
    return Secret(prf(pre_shared_key.reveal(), nonce_i + nonce_r))


def skeyid_signature(prf: Prf, shared_secret: Secret, nonce_i: bytes, nonce_r: bytes) -> Secret:
    """SKEYID for signatures: ``prf(Ni_b | Nr_b, g^xy)``."""
    return Secret(prf(nonce_i + nonce_r, shared_secret.reveal()))


def derive(prf: Prf, skeyid: Secret, shared_secret: Secret, cookies: bytes) -> SkeyidFamily:
    """SKEYID_d, SKEYID_a and SKEYID_e.

    Args:
        prf: the negotiated PRF.
        skeyid: SKEYID.
        shared_secret: g^xy.
        cookies: CKY-I | CKY-R.
    """
    key, seed = skeyid.reveal(), shared_secret.reveal() + cookies
    skeyid_d = prf(key, seed + b"\x00")
    skeyid_a = prf(key, skeyid_d + seed + b"\x01")
    skeyid_e = prf(key, skeyid_a + seed + b"\x02")
    return SkeyidFamily(skeyid, Secret(skeyid_d), Secret(skeyid_a), Secret(skeyid_e))


def expand_encryption_key(prf: Prf, skeyid_e: Secret, length_bytes: int) -> bytes:
    """The key Ka of a cipher that wants more than SKEYID_e has (RFC 2409 appendix B): ``K1 = prf(SKEYID_e, 0)``,
    ``Kn = prf(SKEYID_e, Kn-1)``; otherwise the first octets of SKEYID_e."""
    key = skeyid_e.reveal()
    if len(key) >= length_bytes:
        return key[:length_bytes]
    block = prf(key, b"\x00")
    expanded = block
    while len(expanded) < length_bytes:
        block = prf(key, block)
        expanded += block
    return expanded[:length_bytes]


def encryption_key(prf: Prf, skeyid_e: Secret, encryption: str) -> Secret:
    """The phase 1 encryption key of a transform, weak DES keys passed over (RFC 2409 appendix B)."""
    length = ENCRYPTION[encryption].keymat_bytes
    if encryption != "des":
        return Secret(expand_encryption_key(prf, skeyid_e, length))
    blocks = 2
    while True:
        octets = expand_encryption_key(prf, skeyid_e, blocks * _DES_KEY_BYTES)[-2 * _DES_KEY_BYTES :]
        for start in (0, _DES_KEY_BYTES):
            key = octets[start : start + _DES_KEY_BYTES]
            if not is_weak_des_key(key):
                return Secret(key)
        blocks += 2


def is_weak_des_key(key: bytes) -> bool:
    """Whether a DES key is weak or semi-weak, whatever its parity bits are."""
    return bytes((octet & 0xFE) | (bin(octet & 0xFE).count("1") + 1) % 2 for octet in key) in _WEAK_DES_KEYS


def keymat(prf: Prf, skeyid_d: Secret, seed: bytes, length_bytes: int) -> bytes:
    """KEYMAT of one direction (RFC 2409 section 5.5): ``K1 = prf(SKEYID_d, seed)``, ``Kn = prf(SKEYID_d, Kn-1 | seed)``
    one after the other.

    Args:
        prf: the negotiated PRF.
        skeyid_d: SKEYID_d.
        seed: ``[g(qm)^xy |] protocol | SPI | Ni_b | Nr_b``.
        length_bytes: octets wanted.
    """
    key = skeyid_d.reveal()
    block = b""
    expanded = b""
    while len(expanded) < length_bytes:
        block = prf(key, block + seed)
        expanded += block
    return expanded[:length_bytes]


def keymat_seed(shared_secret: Secret | None, protocol: int, spi: bytes, nonce_i: bytes, nonce_r: bytes) -> bytes:
    """The seed of one direction's KEYMAT.

    Args:
        shared_secret: g(qm)^xy; None without perfect forward secrecy.
        protocol: Protocol-ID.
        spi: SPI of the direction, chosen by its receiver.
        nonce_i: initiator's nonce of the quick mode.
        nonce_r: responder's nonce.
    """
    secret = b"" if shared_secret is None else shared_secret.reveal()
    return secret + bytes([protocol]) + spi + nonce_i + nonce_r


def child_keys(prf: Prf, skeyid_d: Secret, seed: bytes, encryption: str, integrity: str | None) -> SaKeys:
    """Keys of one ESP SA: first the encryption key with its salt, then the integrity key (RFC 2409 appendix B)."""
    encryption_bytes = ENCRYPTION[encryption].keymat_bytes
    integrity_bytes = 0 if integrity is None else INTEGRITY[integrity].key_bytes
    octets = keymat(prf, skeyid_d, seed, encryption_bytes + integrity_bytes)
    return SaKeys(
        encryption=Secret(octets[:encryption_bytes]),
        integrity=None if integrity is None else Secret(octets[encryption_bytes:]),
    )
