"""A figure with the draws that say how uncertain it is, and arithmetic that keeps them together.

Two figures that share a part (the fixed cost of one data plane, say) share that part's draws, so that what is uncertain
about both cancels where they are compared. An :class:`~ipsecbench.bench.measurement.Estimate` cannot do that: it has
forgotten which of its ends belong together. Draws are made from the data's own seed, so that the same data always give
the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecbench.bench.measurement import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

        tail = (1 - confidence) / 2
        lower, upper = (float(end) for end in np.quantile(self.drawn, [tail, 1 - tail]))
        return Estimate(self.value, min(lower, self.value), max(upper, self.value))
