"""What a comparison says; plain records that a table, JSON and a page are made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.bench.measurement import Estimate, Workload
from ipsecbench.dataset.model import Dataset

NOISE = 0.02
"""A ratio nearer to 1 than this is called noise although the intervals do not touch: runs of one box differ by that."""


class Outcome(StrEnum):
    """What is to be said of a ratio."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference"
    """The interval of the ratio has 1 in it: none was found."""
    WITHIN_NOISE = "within noise"
    """A difference was found, but it is smaller than what two runs on one box differ by."""


@dataclass(frozen=True, slots=True)
class Box:
    """A dataset that takes part."""

    name: str
    """Short and unlike the others': the label, the file's name, or both."""
    title: str
    """Processor or device, for people."""
    dataset: Dataset
    """The dataset."""
    file: str | None = None
    """Where it was read from."""
    price: float | None = None
    """What the box costs, in the currency of the user."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One row of a box against the same row of the baseline."""

    workload: Workload
    """What both measured."""
    base_ns: Estimate
    """Nanoseconds per operation of the baseline."""
    other_ns: Estimate
    """The same of the box."""
    speed: Estimate
    """Rate of the box over the baseline's: 1.05 is 5% faster; with its 95% interval."""
    outcome: Outcome
    """What is to be said of it."""
    doubts: tuple[str, ...] = ()
    """Codes of verdicts and flags of either row that bear on the ratio."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows of both that must not be held against each other."""

    workload: Workload
    """What they seem to have in common."""
    reason: str
    """Why no ratio is drawn."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something of the environment that is not the same, and may explain a ratio."""

    name: str
    """Such as ``kernel``, ``libcrypto``, ``governor``, ``processor``."""
    base: str
    """What the baseline has."""
    other: str
    """What the box has."""


@dataclass(frozen=True, slots=True)
class BoxComparison:
    """A box against the baseline."""

    box: Box
    """The box."""
    ratios: tuple[Ratio, ...]
    """Rows that both have."""
    refused: tuple[Refused, ...] = ()
    """Rows that look alike and are not."""
    differences: tuple[Difference, ...] = ()
    """What else is not the same."""
    only_base: int = 0
    """Usable rows that only the baseline has."""
    only_other: int = 0
    """Usable rows that only the box has."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Boxes against one baseline."""

    baseline: Box
    """What the others are held against."""
    boxes: tuple[BoxComparison, ...]
    """The others, in the order given."""
