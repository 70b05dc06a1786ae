"""What comes out when a claim is held against a box."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.explain.box import Box, Comparison, Figure

SURE = 0.95
"""Chance from which a comparison is decided; between it and its complement there is a tie."""


class Verdict(StrEnum):
    """Whether a claim holds."""

    HOLDS = "holds"
    """On this box, with these figures."""
    FAILS = "does not hold"
    """On this box, or nowhere."""
    DEPENDS = "depends"
    """On what the answer says: the packets, the peer, or a difference too small to be seen."""
    UNKNOWN = "cannot be told from this dataset"
    """A figure is missing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with its figures."""

    verdict: Verdict
    """Whether it holds."""
    answer: str
    """Why, in a few sentences, the decision first."""
    figures: tuple[Figure, ...] = ()
    """What it rests on."""
    tiers: tuple[str, ...] = ()
    """Tiers of the evidence of comparisons, as far as figures do not say it themselves."""


def unknown(what: str) -> Outcome:
    """A figure is missing."""
    return Outcome(Verdict.UNKNOWN, f"{what}: 'ipsecbench bench' measures it.")


def by_chance(chance: float) -> Verdict:
    """The verdict on "the first is faster"."""
    if chance >= SURE:
        return Verdict.HOLDS
    return Verdict.FAILS if chance <= 1 - SURE else Verdict.DEPENDS


def rates(box: Box, *suites: str) -> tuple[Figure, ...]:
    """The predicted rates of suites."""
    return tuple(figure for suite in suites if (figure := box.rate(suite)) is not None)


def ratio_figure(found: Comparison) -> Figure:
    """How many times as long the second takes."""
    return Figure(f"time of {found.other} over that of {found.one}", found.ratio, "times", found.tier)
