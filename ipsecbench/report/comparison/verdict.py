"""What a comparison comes to, in counts and in one sentence; never in one score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipsecbench.comparison.model import BoxComparison, Difference, Outcome, Ratio
from ipsecbench.report.comparison.rows import Kind, kind_of
from ipsecbench.report.formats import listing, ratio

WEIGHTY = (
    "device",
    "processor",
    "kernel",
    "libcrypto",
    "openssl-speed",
    "crypto instructions",
    "mask",
    "governor",
    "boost",
    "measured clock",
    "microcode",
    "mitigations",
)
"""Differences that a sentence names first, as they explain most."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows had which outcome."""

    outcomes: Counter[Outcome]
    """Rows by outcome."""
    lowest: float | None
    """The smallest ratio; None without rows."""
    highest: float | None
    """The largest ratio."""
    refused: int = 0
    """Rows that were not held against each other."""

    @property
    def rows(self) -> int:
        """How many ratios."""
        return self.outcomes.total()

    @property
    def span(self) -> str:
        """The smallest and the largest ratio."""
        if self.lowest is None or self.highest is None:
            return "–"
        low, high = ratio(self.lowest), ratio(self.highest)
        return low if low == high else f"{low} to {high}"


def tally(ratios: Sequence[Ratio], refused: int = 0) -> Tally:
    """The outcomes of some ratios, counted."""
    medians = [one.speed.median for one in ratios]
    return Tally(
        Counter(one.outcome for one in ratios), min(medians, default=None), max(medians, default=None), refused
    )


def by_kind(box: BoxComparison) -> dict[Kind, Tally]:
    """The same for each kind of row, in order of first appearance."""
    works = [*(one.workload for one in box.ratios), *(one.workload for one in box.refused)]
    kinds = sorted(dict.fromkeys(map(kind_of, works)), key=lambda kind: kind.rank)
    return {
        kind: tally(
            [one for one in box.ratios if kind_of(one.workload) == kind],
            sum(kind_of(one.workload) == kind for one in box.refused),
        )
        for kind in kinds
    }


def counts_text(found: Tally) -> str:
    """Such as ``41 rows faster, 3 slower, 120 without a difference``."""
    if not found.rows:
        return "no row can be held against the baseline"
    names = (
        (Outcome.SLOWER, "slower"),
        (Outcome.FASTER, "faster"),
        (Outcome.NO_DIFFERENCE, "without a difference"),
        (Outcome.WITHIN_NOISE, "within noise"),
    )
    parts = [f"{found.outcomes[outcome]:,} {words}" for outcome, words in names if found.outcomes[outcome]]
    first, *others = parts
    number, _, words = first.partition(" ")
    unit = "row" if number == "1" else "rows"
    return ", ".join([f"{number} {unit} {words}", *others])


def headline(found: Tally) -> tuple[str, str]:
    """The verdict in a few words, and whether it is ``good``, ``fair`` or ``bad``."""
    faster, slower = found.outcomes[Outcome.FASTER], found.outcomes[Outcome.SLOWER]
    if not found.rows:
        return "Nothing to compare", "fair"
    if not faster and not slower:
        return "No difference beyond noise", "good"
    if not slower:
        return "Faster, and nowhere slower", "good"
    if not faster:
        return "Slower, and nowhere faster", "bad"
    if slower * 10 <= faster:
        return "Mostly faster, slower here and there", "fair"
    if faster * 10 <= slower:
        return "Mostly slower, faster here and there", "bad"
    return "Faster here, slower there", "fair"


def differing(differences: Iterable[Difference]) -> str:
    """Which circumstances differ, the weightiest named: ``kernel and libcrypto differ``."""
    names = [one.name for one in differences]
    if not names:
        return "the environment is the same as far as is known"
    weighty = [name for name in WEIGHTY if name in names] or names
    named = weighty[:_MOST_NAMED]
    left = len(names) - len(named)
    others = f" and {left} other{'s' if left > 1 else ''}" if left else ""
    if others:
        return f"{', '.join(named)}{others} differ"
    return f"{listing(named)} {'differs' if len(named) == 1 else 'differ'}"


def weighty(differences: Sequence[Difference]) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """The differences that explain most, and the others."""
    first = tuple(one for one in differences if one.name in WEIGHTY)
    return first, tuple(one for one in differences if one not in first)


def pair_sentence(box: BoxComparison) -> str:
    """The verdict on two runs in one sentence."""
    return f"{counts_text(tally(box.ratios))}; {differing(box.differences)}."
