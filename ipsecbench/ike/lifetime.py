"""Lives of SAs: soft limits, at which an SA is rekeyed, and hard ones, at which it is deleted.

The soft limit is drawn at random below ``rekey``, so that both ends do not rekey at once (RFC 7296 section 2.8).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One kind of life: seconds, bytes or packets."""

    rekey: float
    """Rekey when so much is used up, less a random part of ``rand``."""
    life: float
    """Delete when so much is used up."""
    rand: float = 0.0
    """The most by which the rekeying comes earlier."""

    def soft(self, fraction: float) -> float:
        """The soft limit of one SA.

        Args:
            fraction: random, from 0 up to 1.
        """
        return self.rekey - self.rand * fraction


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The lives of an SA; None where a kind has no limit."""

    seconds: Limit | None = None
    """Since it was set up."""
    bytes: Limit | None = None
    """Octets of traffic, the larger direction."""
    packets: Limit | None = None
    """Packets of traffic, the larger direction."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """The limits of one SA, its random parts drawn."""

    soft_at: float | None
    """Time at which it is rekeyed."""
    hard_at: float | None
    """Time at which it is deleted."""
    soft_bytes: float | None = None
    """Octets after which it is rekeyed."""
    hard_bytes: float | None = None
    """Octets after which it is deleted."""
    soft_packets: float | None = None
    """Packets after which it is rekeyed."""
    hard_packets: float | None = None
    """Packets after which it is deleted."""

    def soft_reached(self, octets: int, packets: int) -> bool:
        """Whether traffic has used up a soft limit."""
        return _reached(self.soft_bytes, octets) or _reached(self.soft_packets, packets)

    def hard_reached(self, octets: int, packets: int) -> bool:
        """Whether traffic has used up a hard limit."""
        return _reached(self.hard_bytes, octets) or _reached(self.hard_packets, packets)


def _reached(limit: float | None, used: int) -> bool:
    return limit is not None and used >= limit


def draw(lifetime: Lifetime, now: float, random_octets: bytes) -> Expiry:
    """The limits of an SA that begins now.

    Args:
        lifetime: what was configured.
        now: seconds.
        random_octets: 4 octets, for the random parts.
    """
    fraction = int.from_bytes(random_octets[:4]) / 2**32
    seconds, octets, packets = lifetime.seconds, lifetime.bytes, lifetime.packets
    return Expiry(
        soft_at=None if seconds is None else now + seconds.soft(fraction),
        hard_at=None if seconds is None else now + seconds.life,
        soft_bytes=None if octets is None else octets.soft(fraction),
        hard_bytes=None if octets is None else octets.life,
        soft_packets=None if packets is None else packets.soft(fraction),
        hard_packets=None if packets is None else packets.life,
    )
