"""The packets that are to be carried: one size, a named mix, or a user's own distribution of sizes."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.bench.measurement import MIXES, SIMPLE_IMIX
from ipsecbench.errors import UsageError

SMALLEST_PACKET_BYTES = 20
"""An IPv4 header without anything behind it."""
LARGEST_PACKET_BYTES = 65_535


@dataclass(frozen=True, slots=True)
class Traffic:
    """The packets that are to be carried: exactly one of a size, a named mix and a distribution."""

    size_bytes: int | None = None
    """Octets of the inner IP packet."""
    mix: str | None = None
    """Key of :data:`ipsecbench.bench.measurement.MIXES`, instead of a size."""
    distribution: tuple[tuple[int, float], ...] | None = None
    """A user's own: (octets of the inner IP packet, its weight in packets), by size, each size once."""
    name: str | None = None
    """What the distribution is called, such as the name of its file."""

    def __post_init__(self) -> None:
        """Refuse nonsense.

        Raises:
            UsageError: none or several of the three are given, or a value is out of range; the message names it.
        """
        if sum(part is not None for part in (self.size_bytes, self.mix, self.distribution)) != 1:
            raise UsageError("traffic: give a packet size, a mix or a distribution, and one of them only")
        if self.mix is not None and self.mix not in MIXES:
            raise UsageError(f"profile {self.mix!r} is not known; there are {', '.join(MIXES)}, or a size")
        for size, _ in self.parts:
            if not SMALLEST_PACKET_BYTES <= size <= LARGEST_PACKET_BYTES:
                raise UsageError(
                    f"profile {size}: a packet has {SMALLEST_PACKET_BYTES} to {LARGEST_PACKET_BYTES} octets"
                )

    @property
    def parts(self) -> tuple[tuple[int, float], ...]:
        """(octets, share of the packets) for each size; the shares add up to 1."""
        if self.size_bytes is not None:
            return ((self.size_bytes, 1.0),)
        weighted = MIXES[self.mix] if self.mix is not None else self.distribution or ()
        whole = sum(weight for _, weight in weighted)
        return tuple((size, weight / whole) for size, weight in weighted)

    @property
    def mean_bytes(self) -> float:
        """Mean octets of the inner packets."""
        return sum(size * share for size, share in self.parts)

    def __str__(self) -> str:
        """For people, such as ``1400-byte packets`` or ``imix-simple``."""
        if self.size_bytes is not None:
            return f"{self.size_bytes}-byte packets"
        return self.mix or self.name or f"{self.mean_bytes:.0f}-byte packets on average"


IMIX = Traffic(mix=SIMPLE_IMIX)
"""What is meant where nothing is said."""


def parse_traffic(text: str) -> Traffic:
    """The traffic that a name or a size stands for: ``imix``, ``imix-csit``, ``1400``.

    Raises:
        UsageError: the text names no mix and is no packet size.
    """
    plain = text.strip().lower()
    if plain == "imix":
        return IMIX
    if plain in MIXES:
        return Traffic(mix=plain)
    if plain.isascii() and plain.isdigit() and len(plain) <= 6:
        return Traffic(size_bytes=int(plain))
    raise UsageError(
        f"profile {text!r} is not known; there are imix, {', '.join(MIXES)}, or a packet size such as 1400"
    )
