"""Which of several measured options is best: by score within what the intervals support, then by security.

No ranking without a spread: options whose interval overlaps with the best one's are ties, and security breaks them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ipsecbench.bench.measurement import Estimate


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose from."""

    name: str
    """Its name; the last word in every order."""
    score: Estimate
    """More is better: a rate, or a cost with its sign turned."""
    strength_bits: int
    """Estimated strength."""
    security: tuple[Any, ...]
    """Sort key; the least is the most secure. It ends with the name, so that no two are equal."""


def fastest_first(options: Iterable[Option]) -> tuple[Option, ...]:
    """By the median of the score, best first."""
    return tuple(sorted(options, key=lambda option: (-option.score.median, option.security)))


def tied(options: Sequence[Option]) -> tuple[Option, ...]:
    """The options whose interval overlaps with that of the best median, itself included; fastest first."""
    ordered = fastest_first(options)
    return tuple(option for option in ordered if option.score.overlaps(ordered[0].score)) if ordered else ()


def choose_fastest(options: Sequence[Option]) -> Option | None:
    """The most secure one among the fastest and its ties."""
    return min(tied(options), key=lambda option: option.security, default=None)


def choose_strongest(options: Sequence[Option], suffices: Callable[[Option], bool]) -> Option | None:
    """Among the strongest that suffice, the fastest (ties by security); None where none suffices."""
    enough = [option for option in options if suffices(option)]
    strongest = max((option.strength_bits for option in enough), default=None)
    return choose_fastest([option for option in enough if option.strength_bits == strongest])
