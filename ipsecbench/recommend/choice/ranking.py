"""Which of several measured options is best: by cost as far as the draws support it, then by security.

No ranking without a spread: an option that the cheapest one beats with a chance below :data:`SURE` is a tie, and
security breaks ties: strength, standing in the RFCs, simplicity, and last the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ipsecbench.bench.draws import Draws

SURE = 0.95
"""Chance from which on one option counts as better than another; below it, the two are a tie."""


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """Something to choose from."""

    name: str
    """Its name; the last word in every order."""
    cost: Draws
    """Less is better: a time, or a share of a processor."""
    strength_bits: int
    """Estimated strength."""
    security: tuple[Any, ...]
    """Sort key; the least is the most secure. It ends with the name, so that no two are equal."""


def chance_of(one: Option, other: Option) -> float:
    """The chance that one option is cheaper than another."""
    return one.cost.chance_below(other.cost)


def cheapest_first(options: Iterable[Option]) -> tuple[Option, ...]:
    """By the figure itself, best first; equal ones by security."""
    return tuple(sorted(options, key=lambda option: (option.cost.value, option.security)))


def tied(options: Sequence[Option]) -> tuple[Option, ...]:
    """The cheapest option, and those that it is not sure to beat; cheapest first.

    Ties do not chain: each is a tie with the cheapest, not with its neighbour.
    """
    ordered = cheapest_first(options)
    return tuple(o for o in ordered if o is ordered[0] or chance_of(ordered[0], o) < SURE)


def choose_cheapest(options: Sequence[Option]) -> Option | None:
    """The most secure one among the cheapest and its ties; None where there is none."""
    return min(tied(options), key=lambda option: option.security, default=None)


def choose_strongest(options: Sequence[Option], suffices: Callable[[Option], bool]) -> Option | None:
    """Among the strongest that suffice, the cheapest (ties by security); None where none suffices."""
    enough = [option for option in options if suffices(option)]
    strongest = max((option.strength_bits for option in enough), default=None)
    return choose_cheapest([option for option in enough if option.strength_bits == strongest])
