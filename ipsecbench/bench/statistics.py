"""Medians with bootstrap intervals, and lines through sizes.

Hundreds of samples a row at most, so everything is resampled directly; numpy does the sorting. The random generator is
seeded from the data itself, so that the same samples always give the same interval.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import MeasurementError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 1000
"""Bootstrap resamples: enough for the second digit of a 95% interval."""
CONFIDENCE = 0.95
FEWEST_FOR_INTERVAL = 5
"""Fewer samples support no 95% interval: even their whole range misses the median with a chance of 2^(1-n)."""
FEW_SAMPLES_MARGIN = 0.25
"""With fewer samples their range is widened by this share on both sides, so that no ranking rests on them."""


def _generator(values: Sequence[float]) -> np.random.Generator:
    import numpy as np

    seed = zlib.crc32(np.asarray(values, dtype="<f8").tobytes())
    return np.random.default_rng(seed)


def resampled_quantiles(values: Sequence[float], quantile: float) -> NDArray[np.float64]:
    """A quantile of :data:`RESAMPLES` bootstrap resamples; the same values always give the same ones."""
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    picks = _generator(values).integers(0, len(data), size=(RESAMPLES, len(data)))
    ordered = np.sort(data[picks], axis=1)
    place = (len(data) - 1) * quantile
    below = int(place)
    above = min(below + 1, len(data) - 1)
    share = place - below
    quantiles: NDArray[np.float64] = ordered[:, below] * (1 - share) + ordered[:, above] * share
    return quantiles


def _resampled_medians(values: Sequence[float]) -> NDArray[np.float64]:
    return resampled_quantiles(values, 0.5)


def median_estimate(values: Sequence[float]) -> Estimate:
    """The median of the values with its 95% interval (percentile bootstrap).

    With fewer than five values the interval is their range, widened by a quarter on both sides.

    Raises:
        MeasurementError: there is no value.
    """
    import numpy as np

    if not values:
        raise MeasurementError("there is no sample to take a median of")
    median = float(np.median(np.asarray(values, dtype=np.float64)))
    if len(values) < FEWEST_FOR_INTERVAL:
        return Estimate(median, min(values) * (1 - FEW_SAMPLES_MARGIN), max(values) * (1 + FEW_SAMPLES_MARGIN))
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.quantile(_resampled_medians(values), [tail, 1 - tail])
    return Estimate(median, float(lower), float(upper))


def fit_line(samples: Mapping[int, Sequence[float]]) -> tuple[Estimate, Estimate, float]:
    """The line ``t(n) = a + b·n`` through the medians of several sizes, with 95% intervals of both.

    Relative errors are minimised, since a nanosecond matters more at 64 octets than at 9000. The intervals come from
    resampling the samples of each size; they hold the noise of the samples, not the error of taking a staircase for a
    line, which the residual shows.

    Args:
        samples: nanoseconds per operation by size in octets; at least two sizes.

    Returns:
        a in ns, b in ns per octet, and the largest relative residual of a median.

    Raises:
        MeasurementError: there are fewer than two sizes.
    """
    import numpy as np

    if len(samples) < 2:
        raise MeasurementError("a line needs at least two sizes")
    sizes = np.asarray(sorted(samples), dtype=np.float64)
    medians = np.asarray([np.median(np.asarray(samples[int(size)])) for size in sizes])
    resampled = np.stack([_resampled_medians(samples[int(size)]) for size in sizes], axis=1)

    def solve(times: NDArray[np.float64]) -> NDArray[np.float64]:
        # Weighted least squares in closed form for every row at once; the weight is 1/t².
        weight = 1 / times**2
        total = weight.sum(-1)
        mean_size = (weight * sizes).sum(-1) / total
        mean_time = (weight * times).sum(-1) / total
        spread = (weight * (sizes - mean_size[..., None]) ** 2).sum(-1)
        slope = (weight * (sizes - mean_size[..., None]) * times).sum(-1) / spread
        solved: NDArray[np.float64] = np.stack([mean_time - slope * mean_size, slope], axis=-1)
        return solved

    fixed, slope = solve(medians)
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.quantile(solve(resampled), [tail, 1 - tail], axis=0)
    residual = float(np.max(np.abs(fixed + slope * sizes - medians) / medians))
    return (
        Estimate(float(fixed), float(lower[0]), float(upper[0])),
        Estimate(float(slope), float(lower[1]), float(upper[1])),
        residual,
    )
