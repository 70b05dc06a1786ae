"""A figure with the draws that say how uncertain it is, and arithmetic that keeps them together.

Two figures that share a part (the fixed cost of one data plane, say) share that part's draws, so that what is uncertain
about both cancels where they are compared. An :class:`~ipsecbench.bench.measurement.Estimate` cannot do that: it has
forgotten which of its ends belong together. Draws are made from the data's own seed, so that the same data always give
the same ones.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecbench.bench.measurement import Estimate, Measurement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NORMAL_95 = 1.959964
"""Standard deviations from the middle of a normal distribution to the end of its 95% interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """A positive or signed figure with :data:`~ipsecbench.bench.statistics.RESAMPLES` draws of what it may be."""

    value: float
    """The figure itself, such as a median."""
    drawn: NDArray[np.float64]
    """What it may be, one for each draw; the same place of two figures of one dataset is the same draw."""

    @classmethod
    def exactly(cls, value: float) -> Draws:
        """A figure that is known."""
        import numpy as np

        from ipsecbench.bench.statistics import RESAMPLES

        return cls(value, np.full(RESAMPLES, value))

    def __add__(self, other: Draws) -> Draws:
        """The sum, draw by draw."""
        return Draws(self.value + other.value, self.drawn + other.drawn)

    def __sub__(self, other: Draws) -> Draws:
        """The difference, draw by draw."""
        return Draws(self.value - other.value, self.drawn - other.drawn)

    def __mul__(self, other: Draws | float) -> Draws:
        """The product, draw by draw."""
        if isinstance(other, Draws):
            return Draws(self.value * other.value, self.drawn * other.drawn)
        return Draws(self.value * other, self.drawn * other)

    def under(self, numerator: float) -> Draws:
        """A numerator over the figure, which must be positive in every draw."""
        return Draws(numerator / self.value, numerator / self.drawn)

    def chance_below(self, other: Draws) -> float:
        """The share of draws in which this figure is below the other; equal ones count half."""
        import numpy as np

        below = np.count_nonzero(self.drawn < other.drawn)
        equal = np.count_nonzero(self.drawn == other.drawn)
        return float(below + equal / 2) / len(self.drawn)

    def estimate(self, confidence: float) -> Estimate:
        """The figure with the interval that holds this share of the draws, such as 0.90."""
        import numpy as np

        # What numpy's quantile does, without what it takes to do it for any array.
        ordered = np.sort(self.drawn)
        ends = []
        for share in ((1 - confidence) / 2, (1 + confidence) / 2):
            place = share * (len(ordered) - 1)
            below = min(int(place), len(ordered) - 2)
            ends.append(float(ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)))
        lower, upper = ends
        return Estimate(self.value, min(lower, self.value), max(upper, self.value))


def row_draws(row: Measurement) -> Draws | None:
    """Nanoseconds per operation of a row; None where it has no figure.

    The median of resampled samples where there are enough of them, or what its interval says. Rows are drawn apart,
    though they were measured in interleaved rounds: what slowed both alike does not cancel, so that a difference is
    rather doubted than overstated. The seed is the row's workload and not its values: a box that is faster in
    everything gets the same draws, scaled.
    """
    import numpy as np

    from ipsecbench.bench.statistics import FEWEST_FOR_INTERVAL, RESAMPLES

    estimate = row.ns_per_operation
    if estimate is None:
        return None
    if len(row.samples) < FEWEST_FOR_INTERVAL:
        return estimate_draws(estimate, str(row.workload))
    values = np.sort(np.asarray(row.times_ns, dtype=np.float64))
    count = len(values)
    picks = _generator(str(row.workload)).integers(0, count, size=(RESAMPLES, count))
    picks.sort(axis=1)
    # The values are in order, so that the middle of the places is the place of the middle.
    medians = (values[picks[:, (count - 1) // 2]] + values[picks[:, count // 2]]) / 2
    middle = (values[(count - 1) // 2] + values[count // 2]) / 2
    return Draws(estimate.median, medians * (estimate.median / middle))


def estimate_draws(estimate: Estimate, key: str) -> Draws:
    """A positive figure of which only the 95% interval is known: each side as wide as its end says, normal in shape.

    Args:
        estimate: the figure.
        key: what it is of; figures of one key share their draws.
    """
    import numpy as np

    from ipsecbench.bench.statistics import RESAMPLES

    drawn = _generator(key).standard_normal(RESAMPLES)
    below, above = estimate.median - estimate.lower, estimate.upper - estimate.median
    values = estimate.median + np.where(drawn < 0, below, above) / _NORMAL_95 * drawn
    # A time of nothing would be a rate without end.
    return Draws(estimate.median, np.maximum(values, estimate.median / 100))


def larger(one: Draws, other: Draws) -> Draws:
    """The larger of two, draw by draw."""
    import numpy as np

    return Draws(max(one.value, other.value), np.maximum(one.drawn, other.drawn))


def smaller(one: Draws, other: Draws) -> Draws:
    """The smaller of two, draw by draw."""
    import numpy as np

    return Draws(min(one.value, other.value), np.minimum(one.drawn, other.drawn))


def at_least(figure: Draws, least: float) -> Draws:
    """A figure that cannot be less, whatever the noise of what it was subtracted from."""
    import numpy as np

    return Draws(max(figure.value, least), np.maximum(figure.drawn, least))


def spread_draws(sigma: float, key: str) -> Draws:
    """A factor around 1 whose logarithm is normal.

    Args:
        sigma: standard deviation of its logarithm; about its relative error where that is small.
        key: what it is of; figures of one key share their draws.
    """
    import numpy as np

    from ipsecbench.bench.statistics import RESAMPLES

    return Draws(1.0, np.exp(sigma * _generator(key).standard_normal(RESAMPLES)))


def _generator(key: str) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(zlib.crc32(key.encode()))
