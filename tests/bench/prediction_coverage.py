"""How often the 90% interval of a prediction holds what the laboratory measured, and how wide it is.

``python -m tests.bench.prediction_coverage DATASET [LATER]``. Each suite's laboratory rows are taken out of the dataset
before that suite is predicted, so that nothing the laboratory measured of it enters its prediction or its interval.
With a second dataset of the same box the predictions are of the first and the measurements of the second. It measures
nothing itself.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Measurement
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.lab.plane_cost import DIRECTIONS, LABORATORY_TIERS
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE
from ipsecbench.recommend.requirements.traffic import Traffic


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A row of the laboratory, and what was predicted without it. Nanoseconds a packet."""

    row: Measurement
    predicted: Estimate

    @property
    def measured(self) -> float:
        """The row's median."""
        assert self.row.ns_per_operation is not None
        return self.row.ns_per_operation.median

    @property
    def inside(self) -> bool:
        """Whether the interval holds it."""
        return self.predicted.lower <= self.measured <= self.predicted.upper

    @property
    def error(self) -> float:
        """How far the prediction is off, relative to what was measured."""
        return abs(self.predicted.median / self.measured - 1)

    @property
    def width_factor(self) -> float:
        """The interval's upper end over its lower one: 1.2 is about plus or minus 10%."""
        return self.predicted.upper / self.predicted.lower


def _is_laboratory(row: Measurement) -> bool:
    work = row.workload
    return row.usable and work.tier in LABORATORY_TIERS and work.operation in DIRECTIONS and work.cores == 1


def held_back(dataset: Dataset, later: Dataset | None = None) -> Iterator[HeldBack]:
    """Every row of the laboratory, predicted from a dataset without the laboratory's rows of its suite.

    Args:
        dataset: what predictions are made from.
        later: what they are held against; the same if None.
    """
    rows = [row for row in (later or dataset).measurements if _is_laboratory(row)]
    for name in sorted({row.workload.algorithm for row in rows}):
        kept = tuple(
            row for row in dataset.measurements if not (_is_laboratory(row) and row.workload.algorithm == name)
        )
        costs = CostModel(replace(dataset, measurements=kept))
        if costs.plane.tier is None:
            continue
        for row in rows:
            work = row.workload
            if work.algorithm == name:
                traffic = Traffic(size_bytes=work.size_bytes, mix=work.mix)
                time = costs.time_draws(esp_suites()[name], traffic, work.operation)
                if time is not None:
                    yield HeldBack(row, time.estimate(PREDICTION_CONFIDENCE))


def coverage(rows: list[HeldBack]) -> float:
    """The share of the rows that their intervals hold."""
    return sum(row.inside for row in rows) / len(rows)


def _line(title: str, rows: list[HeldBack]) -> str:
    error = statistics.median(row.error for row in rows)
    widths = statistics.median(row.width_factor for row in rows)
    return f"{title:<28} {len(rows):5} {coverage(rows):9.1%} {error:13.1%} {widths:15.2f}"


def main() -> int:
    """Print the coverage, over all rows and for each direction and size."""
    if not 2 <= len(sys.argv) <= 3:
        print(__doc__)
        return 2
    datasets = [read_dataset(Path(name)) for name in sys.argv[1:]]
    rows = list(held_back(*datasets))
    if not rows:
        print("no laboratory rows beside a suite without encryption")
        return 1
    print(f"{'held back':<28} {'rows':>5} {'in 90%':>9} {'median error':>13} {'width, factor':>15}")
    print(_line("all", rows))
    for direction in DIRECTIONS:
        print(_line(direction, [row for row in rows if row.row.workload.operation == direction]))
    for traffic in dict.fromkeys((row.row.workload.size_bytes, row.row.workload.mix) for row in rows):
        here = [row for row in rows if (row.row.workload.size_bytes, row.row.workload.mix) == traffic]
        print(_line(traffic[1] or f"{traffic[0]} octets", here))
    return 0


if __name__ == "__main__":
    sys.exit(main())
