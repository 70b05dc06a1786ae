"""What a row is about, in the words that filters, groups and gates use."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from ipsecbench.algorithms.authentication import SIGNATURES
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Tier, Workload


class Scope(StrEnum):
    """Kinds of rows."""

    ESP = "esp"
    """Whole ESP packets, whatever the tier."""
    CIPHER = "cipher"
    """Calls of a cipher, with its own integrity or without."""
    MAC = "mac"
    """Calls of a MAC or a hash."""
    PRF = "prf"
    """Calls of a pseudorandom function of IKE."""
    KEX = "kex"
    """Steps of a key exchange."""
    SIG = "sig"
    """Steps of a signature."""
    IKE = "ike"
    """Whole set-ups of an IKE SA."""
    OTHER = "other"
    """What other tools measured besides."""


_BY_OPERATION = {
    "encrypt": Scope.CIPHER,
    "decrypt": Scope.CIPHER,
    "authenticate": Scope.MAC,
    "digest": Scope.MAC,
    "prf": Scope.PRF,
    "prf-plus": Scope.PRF,
    "agree": Scope.KEX,
    "encapsulate": Scope.KEX,
    "decapsulate": Scope.KEX,
    "sign": Scope.SIG,
}
_BY_SIGNATURE = {"generate": Scope.KEX, "verify": Scope.MAC}
"""Operations that are a signature's where the algorithm is one, and else of this scope."""
_SIGNATURE_KEYS = ("rsa", "dsa", "ecdsa", "ed25519", "ed448", "mldsa", "slhdsa", *SIGNATURES)
KEY_SETUP = "key-setup"
"""The operation that is no packet: making the keys of an SA ready."""


def scope_of(workload: Workload) -> Scope:
    """What a row is about."""
    if workload.tier is Tier.HANDSHAKE:
        return Scope.IKE
    if workload.tier is not Tier.PRIMITIVE:
        return Scope.ESP
    by_algorithm = _BY_SIGNATURE.get(workload.operation)
    if by_algorithm is not None:
        return Scope.SIG if workload.algorithm.startswith(_SIGNATURE_KEYS) else by_algorithm
    return _BY_OPERATION.get(workload.operation, Scope.OTHER)


@lru_cache(maxsize=1)
def _suites() -> frozenset[str]:
    return frozenset(esp_suites())


def suite_of(workload: Workload) -> str | None:
    """The ESP suite whose packets a row is about; None where it is about something else."""
    is_packet = scope_of(workload) is Scope.ESP and workload.operation != KEY_SETUP
    return workload.algorithm if is_packet and workload.algorithm in _suites() else None


def group_of(workload: Workload) -> str | None:
    """The key exchange method that a row is about."""
    return workload.algorithm if scope_of(workload) is Scope.KEX else None


def size_of(workload: Workload) -> str | None:
    """The size or the mix of a row; None where size has no meaning."""
    if workload.mix is not None:
        return workload.mix
    return None if workload.size_bytes is None else str(workload.size_bytes)
