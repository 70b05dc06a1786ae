"""How long keys live, as data."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.recommend.reasons import Reason


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a key is replaced (soft) and when it is thrown away at the latest (hard)."""

    soft_seconds: int
    """Rekey after this time."""
    hard_seconds: int
    """Delete after this time."""
    soft_bytes: int | None
    """Rekey after this many octets; None without a limit on octets."""
    hard_bytes: int | None
    """Delete after this many octets."""
    soft_packets: int | None
    """Rekey after this many packets; None without a limit on packets."""
    hard_packets: int | None
    """Delete after this many packets."""
    expected_seconds: float
    """When the first soft limit is reached at the predicted rate."""
    reasons: tuple[Reason, ...]
    """Why."""
