"""The packets that are to be carried: one size, a named mix, or a user's own distribution of sizes."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.bench.measurement import MIXES, SIMPLE_IMIX
from ipsecbench.errors import UsageError

SMALLEST_PACKET_BYTES = 20
"""An IPv4 header without anything behind it."""
LARGEST_PACKET_BYTES = 65_535
MOST_SIZES = 65_536
"""More sizes than there are cannot be in a distribution."""
_MOST_PACKETS = 1e18


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
        self._check_distribution()
        for size, _ in self.parts:
            if not SMALLEST_PACKET_BYTES <= size <= LARGEST_PACKET_BYTES:
                raise UsageError(
                    f"profile {size}: a packet has {SMALLEST_PACKET_BYTES} to {LARGEST_PACKET_BYTES} octets"
                )

    def _check_distribution(self) -> None:
        if self.distribution is None:
            return
        if not 1 <= len(self.distribution) <= MOST_SIZES:
            raise UsageError(f"profile: {len(self.distribution)} sizes of packets: give 1 to {MOST_SIZES}")
        sizes = [size for size, _ in self.distribution]
        if sizes != sorted(set(sizes)):
            raise UsageError("profile: each size stands once, the smallest first")
        for size, weight in self.distribution:
            if not 0 < weight < _MOST_PACKETS:
                raise UsageError(f"profile: {weight:g} packets of {size} octets: the count is a positive number")

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
    """The traffic that a name, a size, or sizes with counts stand for: ``imix``, ``1400``, ``64:7,570:4,1518:1``.

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
    if ":" in plain:
        return Traffic(distribution=_parse_sizes(text))
    raise UsageError(
        f"profile {text!r} is not known; there are imix, {', '.join(MIXES)}, a packet size such as 1400, sizes with "
        "counts such as 64:7,570:4,1518:1, or a file with a capture or a histogram"
    )


def _parse_sizes(text: str) -> tuple[tuple[int, float], ...]:
    found: dict[int, float] = {}
    for part in text.split(","):
        size, _, weight = part.strip().partition(":")
        try:
            if not size.isascii() or not weight.isascii():
                raise ValueError
            found[int(size)] = found.get(int(size), 0.0) + float(weight)
        except ValueError:
            raise UsageError(f"profile: {part.strip()!r} is no size with its count, such as 64:7") from None
    return tuple(sorted(found.items()))


def traffic_text(traffic: Traffic) -> str | int:
    """What :func:`parse_traffic` reads as these packets, but for the name of a distribution."""
    if traffic.size_bytes is not None:
        return traffic.size_bytes
    if traffic.mix is not None:
        return traffic.mix
    return ",".join(f"{size}:{weight!r}" for size, weight in traffic.distribution or ())
