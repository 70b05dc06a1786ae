"""The ratio of two medians with its 95% interval, for many pairs at once.

Where both sides have samples the interval is that of the bootstrap, and no random number is drawn for it: the
distribution of the median of resamples is known exactly. The k-th smallest of n values drawn from n ordered ones is at
most the i-th of these with the chance that k or more of n draws fall on the first i (Efron, "The jackknife, the
bootstrap and other resampling plans", SIAM 1982, section 10.2), so that every value has its weight; of an even number
of samples one of the two middle ones is taken, each in half of the cases. The ratio is every value of one side over
every value of the other, with the product of their weights. So the same samples always give the same interval, and the
ratio the other way round has exactly the reciprocal one.

Where only intervals are known the two are combined as if both errors were independent, end by end (Zou and Donner,
"Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008), in logarithms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ipsecbench.bench.measurement import Estimate
from ipsecbench.bench.statistics import CONFIDENCE, FEWEST_FOR_INTERVAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SAMPLES = 1000
"""Beyond as many samples of one side the intervals say the same as these would."""
_LEAST_WEIGHT = 1e-7
"""What resamples hit more rarely than this is left out."""
_MOST_AT_ONCE = 2_000_000
"""Ratios of single values that are held in memory together."""
_WIDEST_LOG = 600.0
"""Ends of an interval are not taken to be further: beyond, a number is none any more."""
_LEAST_SHARE = 0.01
"""Of a median: an end of an interval is not taken to be lower, since a time of nothing would be a rate without end."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two figures: a positive median."""

    estimate: Estimate
    """With its 95% interval."""
    samples: Sequence[float] = ()
    """What it is the median of; none where only the interval is known."""

    @property
    def _is_sampled(self) -> bool:
        return FEWEST_FOR_INTERVAL <= len(self.samples) <= MOST_SAMPLES


def median_ratios(pairs: Sequence[tuple[Side, Side]]) -> list[Estimate]:
    """The first of each pair over the second, with its 95% interval."""
    import numpy as np

    if not pairs:
        return []
    sides = np.array([(*_three(one.estimate), *_three(other.estimate)) for one, other in pairs])
    middle, lower, upper = _from_intervals(sides)
    for (first, second), places in _by_counts(pairs).items():
        room = max(1, _MOST_AT_ONCE // (_support(first)[0].size * _support(second)[0].size))
        for start in range(0, len(places), room):
            some = places[start : start + room]
            ones = np.array([pairs[place][0].samples for place in some])
            others = np.array([pairs[place][1].samples for place in some])
            lower[some], upper[some] = _from_samples(ones, others)
    # A median is within its own interval; the ends of a bootstrap need not know that.
    lower = np.exp(np.maximum(np.minimum(lower, middle), -_WIDEST_LOG))
    upper = np.exp(np.minimum(np.maximum(upper, middle), _WIDEST_LOG))
    return list(map(Estimate, (sides[:, 0] / sides[:, 3]).tolist(), lower.tolist(), upper.tolist()))


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.median, estimate.lower, estimate.upper


def _by_counts(pairs: Sequence[tuple[Side, Side]]) -> Mapping[tuple[int, int], list[int]]:
    """Places of the pairs that have samples on both sides, by how many."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, (one, other) in enumerate(pairs):
        if one._is_sampled and other._is_sampled:
            found[len(one.samples), len(other.samples)].append(place)
    return found


def _from_intervals(sides: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms of ratio, lower and upper end; columns are median, lower and upper of the one, then of the other."""
    import numpy as np

    floor = sides[:, [0, 0, 0, 3, 3, 3]] * _LEAST_SHARE
    one, one_low, one_high, other, other_low, other_high = np.log(np.maximum(sides, floor)).T
    middle = one - other
    lower = middle - np.hypot(one - one_low, other_high - other)
    upper = middle + np.hypot(one_high - one, other - other_low)
    return middle, lower, upper


def _from_samples(
    ones: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms of both ends of the bootstrap's interval; a row for each pair."""
    import numpy as np

    first, second = _support(ones.shape[1]), _support(others.shape[1])
    logs = np.log(np.sort(ones, axis=1))[:, first[0]], np.log(np.sort(others, axis=1))[:, second[0]]
    ratios = (logs[0][:, :, None] - logs[1][:, None, :]).reshape(len(ones), -1)
    weights = np.outer(first[1], second[1]).ravel()
    order = np.argsort(ratios, axis=1)
    ratios = np.take_along_axis(ratios, order, axis=1)
    rows, tail = np.arange(len(ones)), (1 - CONFIDENCE) / 2
    ordered = weights[order]
    below = (np.cumsum(ordered, axis=1) <= tail).sum(axis=1)
    above = (np.cumsum(ordered[:, ::-1], axis=1) <= tail).sum(axis=1)
    return ratios[rows, below], ratios[:, ::-1][rows, above]


@lru_cache(maxsize=256)
def _support(count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Places of ordered values that the median of resamples can be, and how often it is each."""
    import numpy as np

    middles = [(count + 1) // 2] if count % 2 else [count // 2, count // 2 + 1]
    weights = np.mean([np.diff(_chance_at_most(count, middle)) for middle in middles], axis=0)
    (places,) = np.nonzero(weights > _LEAST_WEIGHT)
    return places, weights[places] / weights[places].sum()


def _chance_at_most(count: int, middle: int) -> NDArray[np.float64]:
    """The chance that the ``middle``-th smallest of as many draws is at most the i-th value, for i from 0 to all."""
    import numpy as np

    draws = np.arange(1, count + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(draws))])
    number = np.arange(middle, count + 1)
    log_choices = log_factorial[count] - log_factorial[number] - log_factorial[count - number]
    inner = np.arange(1, count) / count
    log_chances = log_choices + np.outer(np.log(inner), number) + np.outer(np.log1p(-inner), count - number)
    chances: NDArray[np.float64] = np.concatenate([[0.0], np.exp(log_chances).sum(axis=1), [1.0]])
    return chances
