"""Kinds of algorithms: which interface an algorithm has, and which operations of it are measured.

Operations have the names of docs/agent-protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from ipsecbench.algorithms.authentication import SIGNATURES
from ipsecbench.algorithms.encryption import ENCRYPTION, Encryption
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.errors import ProviderError, UsageError


class Kind(StrEnum):
    """Which interface of :mod:`ipsecbench.providers.interface` an algorithm has."""

    AEAD = "aead"
    """``Aead``."""
    CIPHER = "cipher"
    """``Cipher``."""
    NONCE_MAC = "nonce-mac"
    """``NonceMac``."""
    MAC = "mac"
    """``Mac``."""
    PRF = "prf"
    """``Prf``."""
    KEY_EXCHANGE = "key-exchange"
    """``KeyExchange``."""
    KEY_ENCAPSULATION = "key-encapsulation"
    """``KeyEncapsulation``."""
    SIGNATURE = "signature"
    """``Signer`` and ``Verifier``."""


OPERATIONS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.AEAD: ("encrypt", "decrypt"),
        Kind.CIPHER: ("encrypt", "decrypt"),
        Kind.NONCE_MAC: ("authenticate", "verify"),
        Kind.MAC: ("authenticate", "verify"),
        Kind.PRF: ("prf", "prf-plus"),
        Kind.KEY_EXCHANGE: ("generate", "agree"),
        Kind.KEY_ENCAPSULATION: ("generate", "encapsulate", "decapsulate"),
        Kind.SIGNATURE: ("sign", "verify"),
    }
)
"""Operations of tier ``primitive`` by kind."""


def _encryption_kind(row: Encryption) -> Kind:
    if row.mode == "gmac":
        return Kind.NONCE_MAC
    return Kind.AEAD if row.aead else Kind.CIPHER


KINDS: Mapping[str, Kind] = MappingProxyType(
    {name: _encryption_kind(row) for name, row in ENCRYPTION.items()}
    | dict.fromkeys(INTEGRITY, Kind.MAC)
    | dict.fromkeys(PRF, Kind.PRF)
    | {name: Kind.KEY_ENCAPSULATION if row.kem else Kind.KEY_EXCHANGE for name, row in KEY_EXCHANGE.items()}
    | dict.fromkeys(SIGNATURES, Kind.SIGNATURE)
)
"""Every algorithm that can be measured, by name."""


def require_kind(algorithm: str, *kinds: Kind) -> None:
    """Refuse an algorithm that is of another kind.

    Raises:
        UsageError: there is no such algorithm, or it is of another kind.
    """
    kind = KINDS.get(algorithm)
    if kind is None:
        raise UsageError(f"{algorithm!r} is no algorithm known here; see 'ipsecbench bench --list'")
    if kind not in kinds:
        raise UsageError(f"{algorithm!r} is of kind {kind}, not {' or '.join(kinds)}")


def encryption_key_bytes(row: Encryption) -> int:
    """Octets of the key of an encryption transform, without the salt."""
    return row.keymat_bytes - row.salt_bytes


def require_encryption(algorithm: str, key: bytes, *kinds: Kind) -> Encryption:
    """The facts about an encryption transform, when its kind and the length of its key are right.

    Raises:
        UsageError: there is no such algorithm, or it is of another kind.
        ProviderError: the key has the wrong length.
    """
    require_kind(algorithm, *kinds)
    row = ENCRYPTION[algorithm]
    if len(key) != encryption_key_bytes(row):
        raise ProviderError(
            f"{algorithm} takes a key of {encryption_key_bytes(row)} octets without salt, not {len(key)}"
        )
    return row
