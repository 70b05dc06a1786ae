"""Predicted against measured: what a suite should cost in a data plane, and what it did cost in the laboratory.

::

    predicted(suite, size) = fixed(size) + packet loop(suite, size)

The fixed cost is that of :mod:`ipsecbench.lab.plane_cost`.

Nothing that the laboratory measured of a suite enters its own prediction. Everything here is a pure function of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ipsecbench.bench.measurement import Estimate, Measurement
from ipsecbench.bench.statistics import CONFIDENCE
from ipsecbench.lab.plane_cost import PlaneCosts

CLOSE = 0.10
"""Predictions within 10% are close; pairs of suites that differ by more must come in the right order."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One suite, direction and size: predicted and measured."""

    suite: str
    """ESP suite."""
    direction: str
    """``outbound`` or ``inbound``."""
    size_bytes: int | None
    """Octets of the inner packets; None for a mix."""
    mix: str | None
    """Mix of sizes instead."""
    base: str
    """The suite without encryption that the fixed cost comes from."""
    fixed_ns: Estimate
    """What the plane does with any packet of that size."""
    transform_ns: Estimate
    """The packet loop of the suite."""
    predicted_ns: Estimate
    """Their sum."""
    measured_ns: Estimate
    """What the laboratory measured."""
    mean_bytes: float
    """Mean octets of the inner packets."""

    @property
    def error(self) -> float:
        """How much the prediction is above what was measured, relative to it: 0.05 is 5% too slow."""
        return self.predicted_ns.median / self.measured_ns.median - 1

    @property
    def within_noise(self) -> bool:
        """Whether the intervals of both share a value."""
        return self.predicted_ns.overlaps(self.measured_ns)

    @property
    def traffic(self) -> str:
        """For people: ``64 B`` or the name of the mix."""
        return self.mix or f"{self.size_bytes} B"

    def mbit_per_second(self, time: Estimate) -> Estimate:
        """A time per packet as a rate of inner octets."""
        bits = self.mean_bytes * 8e3
        return Estimate(bits / time.median, bits / time.upper, bits / time.lower)


@dataclass(frozen=True, slots=True)
class Inversion:
    """Two suites of which the one that is measurably faster was predicted to be slower."""

    faster: Comparison
    slower: Comparison


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a box's predictions agree with its laboratory."""

    comparisons: tuple[Comparison, ...]
    """Every row with both figures, without those of the base, which agree by construction."""
    base: str
    """The suite without encryption that stands in where a suite has none of its own."""
    provider: str
    """Whose data plane was measured."""
    median_error: float
    """Median of the absolute errors; 0.05 is 5%."""
    percentile_95_error: float
    """Absolute error that 95% of the rows do not exceed."""
    close_share: float
    """Share of the rows that are within 10%."""
    pairs: int
    """Pairs of suites, at one size and in one direction, whose measured costs differ by more than 10%. Where their
    intervals overlap nobody knows which one is faster, and they count as a tie."""
    inversions: tuple[Inversion, ...]
    """Those of them that were predicted in the wrong order."""


def compare(rows: Sequence[Measurement], provider: str) -> Agreement | None:
    """Hold every laboratory row of a data plane against its prediction.

    Args:
        rows: rows of one dataset: packet loops and the laboratory's.
        provider: whose data plane, such as ``agent``.

    Returns:
        None where there is no suite without encryption to take the fixed cost from, or nothing to compare.
    """
    costs = PlaneCosts(rows, provider)
    if costs.stand_in is None:
        return None
    found = [one for row in costs.laboratory if (one := _comparison(costs, row)) is not None]
    return summarise(found, costs.stand_in, provider) if found else None


def _comparison(costs: PlaneCosts, row: Measurement) -> Comparison | None:
    """One row of the laboratory against its prediction; None where there is no prediction but itself."""
    work = row.workload
    base = costs.base_of(work)
    fixed = None if base is None else costs.fixed_of(base, work)
    loop, measured, mean = costs.loop(work), costs.measured(work), work.mean_bytes
    if base is None or fixed is None or loop is None or measured is None or mean is None:
        return None
    return Comparison(
        work.algorithm,
        work.operation,
        work.size_bytes,
        work.mix,
        base,
        fixed_ns=fixed.estimate(CONFIDENCE),
        transform_ns=loop.estimate(CONFIDENCE),
        predicted_ns=(fixed + loop).estimate(CONFIDENCE),
        measured_ns=measured.estimate(CONFIDENCE),
        mean_bytes=mean,
    )


def summarise(comparisons: Sequence[Comparison], base: str, provider: str) -> Agreement:
    """The agreement of a number of comparisons; there must be at least one."""
    import numpy as np

    errors = np.asarray([abs(row.error) for row in comparisons])
    pairs, inversions = _order(comparisons)
    return Agreement(
        tuple(comparisons),
        base,
        provider,
        median_error=float(np.median(errors)),
        percentile_95_error=float(np.quantile(errors, 0.95)),
        close_share=float(np.mean(errors < CLOSE)),
        pairs=pairs,
        inversions=inversions,
    )


def _order(comparisons: Sequence[Comparison]) -> tuple[int, tuple[Inversion, ...]]:
    groups: dict[tuple[str, int | None, str | None], list[Comparison]] = {}
    for row in comparisons:
        groups.setdefault((row.direction, row.size_bytes, row.mix), []).append(row)
    pairs = 0
    inversions: list[Inversion] = []
    for rows in groups.values():
        for pair in combinations(rows, 2):
            faster, slower = sorted(pair, key=lambda row: row.measured_ns.median)
            apart = slower.measured_ns.median > faster.measured_ns.median * (1 + CLOSE)
            if apart and not slower.measured_ns.overlaps(faster.measured_ns):
                pairs += 1
                if slower.predicted_ns.median < faster.predicted_ns.median:
                    inversions.append(Inversion(faster, slower))
    return pairs, tuple(inversions)
