"""Intervals and lines, against numpy's own fit, known distributions and hand-made data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.bench.statistics import RESAMPLES, fit_line, median_estimate, resampled_quantiles
from ipsecbench.errors import MeasurementError

positive = st.floats(min_value=1.0, max_value=1e9)


@given(st.lists(positive, min_size=5, max_size=60))
def test_median_lies_in_its_interval_and_the_interval_in_the_range(values: list[float]) -> None:
    estimate = median_estimate(values)
    assert min(values) <= estimate.lower <= estimate.median <= estimate.upper <= max(values)


@given(st.lists(positive, min_size=5, max_size=40))
def test_same_samples_give_the_same_interval(values: list[float]) -> None:
    assert median_estimate(values) == median_estimate(list(values))


def test_interval_covers_the_true_median_about_as_often_as_it_claims() -> None:
    generator = np.random.default_rng(1)
    trials = 400
    covered = 0
    for _ in range(trials):
        # Log-normal: skewed to the right, as timings are; its median is exactly 100.
        estimate = median_estimate(list(100 * generator.lognormal(0, 0.05, size=25)))
        covered += estimate.lower <= 100 <= estimate.upper
    assert 0.90 <= covered / trials <= 0.99


def test_few_samples_give_more_than_their_range() -> None:
    estimate = median_estimate([4.0, 1.0, 2.0])
    assert (estimate.median, estimate.lower, estimate.upper) == (2.0, 0.75, 5.0)
    assert median_estimate([100.0]).relative_half_width == 0.25


def test_no_sample_is_an_error() -> None:
    with pytest.raises(MeasurementError, match="no sample"):
        median_estimate([])


@given(st.floats(1, 1e4), st.floats(0.01, 10))
def test_an_exact_line_is_found_exactly(fixed: float, slope: float) -> None:
    sizes = (64, 576, 1400)
    a, b, residual = fit_line({size: [fixed + slope * size] * 6 for size in sizes})
    assert a.median == pytest.approx(fixed, rel=1e-6, abs=1e-6)
    assert b.median == pytest.approx(slope, rel=1e-6)
    assert residual < 1e-6


def test_noisy_line_agrees_with_numpy_and_its_interval_holds_the_truth() -> None:
    generator = np.random.default_rng(7)
    sizes = (64, 128, 576, 1400, 9000)
    samples = {size: list((200 + 0.5 * size) * generator.lognormal(0, 0.02, size=41)) for size in sizes}
    a, b, residual = fit_line(samples)
    medians = np.asarray([np.median(samples[size]) for size in sizes])
    slope, fixed = np.polyfit(np.asarray(sizes, dtype=float), medians, 1, w=1 / medians)
    assert a.median == pytest.approx(fixed, rel=1e-9)
    assert b.median == pytest.approx(slope, rel=1e-9)
    assert a.lower <= 200 <= a.upper
    assert b.lower <= 0.5 <= b.upper
    assert residual < 0.05


def test_a_step_shows_in_the_residual() -> None:
    samples = {64: [100.0] * 6, 128: [100.0] * 6, 192: [200.0] * 6}
    assert fit_line(samples)[2] > 0.1


def test_one_size_is_no_line() -> None:
    with pytest.raises(MeasurementError, match="two sizes"):
        fit_line({64: [1.0, 2.0]})


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=30), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]))
def test_resampled_quantiles_are_those_of_resamples(values: list[float], quantile: float) -> None:
    found = resampled_quantiles(values, quantile)
    assert len(found) == RESAMPLES
    assert found.min() >= min(values) * (1 - 1e-12)
    assert found.max() <= max(values) * (1 + 1e-12)
    assert list(found) == list(resampled_quantiles(values, quantile))


def test_a_resampled_quantile_lies_around_the_quantile() -> None:
    values = [float(value) for value in range(1, 102)]
    assert float(np.median(resampled_quantiles(values, 0.25))) == pytest.approx(np.quantile(values, 0.25), rel=0.1)
