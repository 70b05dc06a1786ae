"""Boxes against one baseline, row by row: the ratio of what both did in the same time, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import erfc, log, sqrt

from ipsecbench.bench.measurement import Estimate, Measurement, Workload
from ipsecbench.bench.median_ratio import Side, median_ratios
from ipsecbench.comparison.environment import differences
from ipsecbench.comparison.joining import Joined, doubts_of, join, usable_rows
from ipsecbench.comparison.model import NOISE, Box, BoxComparison, Comparison, Outcome, Ratio
from ipsecbench.errors import UsageError

_NORMAL_95 = 1.959964
"""Standard deviations from the middle of a normal distribution to the end of its 95% interval."""
SAME_SAMPLES = "same-samples"
"""Mark of a ratio of which both sides are one measurement, such as one that was copied into another dataset."""
_ALL: Callable[[Workload], bool] = lambda _: True  # noqa: E731 - a default


def compare(
    boxes: Sequence[Box], baseline: int = 0, *, wanted: Callable[[Workload], bool] = _ALL, noise: float = NOISE
) -> Comparison:
    """Hold boxes against one of them.

    Args:
        boxes: at least two.
        baseline: place of the one that the others are held against.
        wanted: which rows take part.
        noise: a ratio nearer to 1 than this, such as 0.02, is called noise.

    Raises:
        UsageError: there are fewer than two boxes, or the baseline is none of them.
    """
    if len(boxes) < 2:
        raise UsageError("a comparison needs two datasets: name another one, or a folder of them")
    if not 0 <= baseline < len(boxes):
        raise UsageError(f"there is no box {baseline + 1}; there are {len(boxes)}")
    base = boxes[baseline]
    base_rows = _Rows(_wanted(base, wanted))
    others = (box for place, box in enumerate(boxes) if place != baseline)
    return Comparison(base, tuple(_compared(base, base_rows, box, wanted, noise) for box in others))


@dataclass(slots=True)
class _Rows:
    """The baseline's rows, with the samples of those that were asked for."""

    rows: Mapping[Workload, Measurement]
    _sides: dict[Workload, Side] = field(default_factory=dict)

    def side(self, row: Measurement) -> Side:
        found = self._sides.get(row.workload)
        if found is None:
            found = self._sides[row.workload] = _side(row)
        return found


def _wanted(box: Box, wanted: Callable[[Workload], bool]) -> Mapping[Workload, Measurement]:
    rows = usable_rows(box.dataset)
    return rows if wanted is _ALL else {work: row for work, row in rows.items() if wanted(work)}


def _compared(base: Box, base_rows: _Rows, box: Box, wanted: Callable[[Workload], bool], noise: float) -> BoxComparison:
    joined = join(base_rows.rows, _wanted(box, wanted))
    return BoxComparison(
        box,
        _ratios(joined, base_rows, noise),
        joined.refused,
        differences(base.dataset, box.dataset),
        joined.only_base,
        joined.only_other,
    )


def _ratios(joined: Joined, base_rows: _Rows, noise: float) -> tuple[Ratio, ...]:
    sides = [(base_rows.side(base), _side(other)) for base, other in joined.pairs]
    return tuple(
        Ratio(
            base.workload,
            one.estimate,
            two.estimate,
            speed,
            outcome_of(speed, noise),
            doubts_of(base, other) + ((SAME_SAMPLES,) if _is_copied(base, other) else ()),
        )
        for (base, other), (one, two), speed in zip(joined.pairs, sides, median_ratios(sides), strict=True)
    )


def _is_copied(base: Measurement, other: Measurement) -> bool:
    """Whether two rows are one measurement: the same samples, or the same figures of the same lines of a text."""
    if base.published:
        return base.published == other.published and all(one.line is not None for one in base.published)
    return bool(len(base.samples)) and _side(base).samples == _side(other).samples


def _side(row: Measurement) -> Side:
    return Side(_figure(row), row.times_ns if len(row.samples) else ())


def _figure(row: Measurement) -> Estimate:
    if row.ns_per_operation is None:
        raise ValueError("a row without a figure was joined")  # usable_rows leaves these out
    return row.ns_per_operation


def outcome_of(speed: Estimate, noise: float = NOISE) -> Outcome:
    """What is to be said of a ratio of rates.

    As criterion.rs does: no difference where the interval has 1 in it; a change where all of it lies beyond the noise;
    noise in between. The lower bound of the noise is the reciprocal of the upper one, so that the ratio the other way
    round has the opposite outcome.
    """
    if speed.lower <= 1.0 <= speed.upper:
        return Outcome.NO_DIFFERENCE
    if speed.lower > 1.0 + noise:
        return Outcome.FASTER
    if speed.upper < 1.0 / (1.0 + noise):
        return Outcome.SLOWER
    return Outcome.WITHIN_NOISE


@dataclass(frozen=True, slots=True)
class ByChance:
    """What chance alone would give, if nothing differed."""

    differing: float
    """Ratios whose interval would not have 1 in it."""
    faster_or_slower: float
    """Ratios that would be called faster or slower: fewer, since noise is let pass."""


def expected_by_chance(ratios: Sequence[Ratio], noise: float = NOISE) -> ByChance:
    """How many of the ratios would be taken for differences if there were none, by the width of their intervals.

    It holds whether the errors of the rows depend on each other or not. Only what samples scatter is in it, not what
    two runs of the same box differ by.
    """
    if not ratios:
        return ByChance(0.0, 0.0)
    wrongly = sum(_chance_beyond(ratio.speed, noise) for ratio in ratios)
    return ByChance(len(ratios) * 2 * _tail(_NORMAL_95), wrongly)


def _chance_beyond(speed: Estimate, noise: float) -> float:
    half_width = (log(speed.upper) - log(speed.lower)) / 2
    if half_width <= 0.0:
        return 0.0
    return 2 * _tail(_NORMAL_95 * (half_width + log(1 + noise)) / half_width)


def _tail(deviations: float) -> float:
    """The chance of a normal distribution to be so many standard deviations above its middle, or more."""
    return erfc(deviations / sqrt(2)) / 2
