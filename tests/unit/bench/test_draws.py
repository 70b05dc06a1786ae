"""Draws of rows and intervals: what they are around, how wide they are, and what must not change them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from ipsecbench.bench.draws import Draws, estimate_draws, larger, row_draws
from ipsecbench.bench.measurement import Estimate, Measurement, Sample, Status, Tier, Workload
from ipsecbench.bench.statistics import RESAMPLES, median_estimate

WORKLOAD = Workload(Tier.PRIMITIVE, "libcrypto", "agree", "x25519")


def row(times: list[float], scale: float = 1.0) -> Measurement:
    samples = tuple(Sample(n, 1000, round(t * scale * 1000), 1) for n, t in enumerate(times))
    return Measurement(WORKLOAD, Status.OK, samples, median_estimate([s.ns_per_operation for s in samples]))


def drawn(measurement: Measurement) -> Draws:
    found = row_draws(measurement)
    assert found is not None
    return found


def noisy(count: int, seed: int = 1) -> list[float]:
    source = random.Random(seed)
    return [source.gauss(40_000, 400) for _ in range(count)]


@pytest.mark.parametrize("count", [5, 6, 31, 200])
def test_a_row_is_drawn_around_its_median_as_wide_as_its_interval(count: int) -> None:
    measured = row(noisy(count))
    found = drawn(measured)
    assert measured.ns_per_operation is not None
    assert found.value == measured.ns_per_operation.median
    assert len(found.drawn) == RESAMPLES
    # The interval in the dataset is of other draws of the same bootstrap: its ends agree within a draw's coarseness.
    mine, theirs = found.estimate(0.95), measured.ns_per_operation
    assert mine.lower == pytest.approx(theirs.lower, rel=0.004)
    assert mine.upper == pytest.approx(theirs.upper, rel=0.004)


def test_the_bootstrap_of_the_median_has_the_width_that_theory_gives() -> None:
    """The standard error of the median of n normal samples is about 1.2533 times that of their mean."""
    spreads = [np.std(drawn(row(noisy(201, seed))).drawn) for seed in range(30)]
    assert float(np.mean(spreads)) == pytest.approx(1.2533 * 400 / 201**0.5, rel=0.15)


def test_scaling_a_row_scales_its_draws_and_the_order_of_samples_does_not_matter() -> None:
    times = noisy(31)
    assert drawn(row(times, 7.0)).drawn == pytest.approx(drawn(row(times)).drawn * 7, rel=1e-6)
    shuffled = list(times)
    random.Random(3).shuffle(shuffled)
    assert np.array_equal(drawn(row(shuffled)).drawn, drawn(row(times)).drawn)


def test_rows_of_other_workloads_are_drawn_apart() -> None:
    other = replace(row(noisy(31)), workload=replace(WORKLOAD, algorithm="x448"))
    assert not np.array_equal(drawn(other).drawn, drawn(row(noisy(31))).drawn)


def test_a_row_with_few_samples_is_drawn_from_its_interval_and_one_without_a_figure_not_at_all() -> None:
    few = row(noisy(4))
    assert few.ns_per_operation is not None
    assert drawn(few).estimate(0.95).relative_half_width == pytest.approx(
        few.ns_per_operation.relative_half_width, rel=0.1
    )
    assert row_draws(Measurement(WORKLOAD, Status.UNSUPPORTED)) is None


def test_an_interval_that_leans_to_one_side_is_drawn_so() -> None:
    found = estimate_draws(Estimate(100, 99, 110), "lopsided").estimate(0.95)
    assert found.median == 100
    assert found.lower == pytest.approx(99, abs=0.15)
    assert found.upper == pytest.approx(110, abs=1.0)


def test_a_time_is_never_drawn_as_nothing() -> None:
    assert float(np.min(estimate_draws(Estimate(1.0, 0.01, 1.5), "wide").drawn)) > 0


def test_the_larger_of_two_is_taken_draw_by_draw() -> None:
    one, other = estimate_draws(Estimate(10, 9, 11), "one"), estimate_draws(Estimate(10, 9, 11), "other")
    both = larger(one, other)
    assert both.value == 10
    assert np.array_equal(both.drawn, np.maximum(one.drawn, other.drawn))
    assert both.chance_below(one) < 0.5
