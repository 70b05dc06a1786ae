"""Intervals of ratios of medians, against resampling done plainly, sums done by hand, and simulated runs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import exp, log, sqrt
from statistics import median

import numpy as np
import pytest

from ipsecbench.bench.measurement import Estimate
from ipsecbench.bench.median_ratio import Side, median_ratios
from ipsecbench.bench.statistics import median_estimate

_SEED = 20261127


def side(values: list[float]) -> Side:
    return Side(median_estimate(values), values)


def test_every_resample_of_three_and_five_by_enumeration() -> None:
    """The weights of the values, from all 5^5 resamples: no formula at all."""
    ones, others = [10.0, 11.0, 12.5, 13.0, 20.0], [5.0, 5.1, 5.2, 5.9, 6.0]
    medians = [[sorted(draw)[2] for draw in product(values, repeat=5)] for values in (ones, others)]
    shares = [{value: found.count(value) / 5**5 for value in values}
              for found, values in zip(medians, (ones, others), strict=True)]  # fmt: skip
    ratios = sorted((a / b, p * q) for (a, p), (b, q) in product(shares[0].items(), shares[1].items()))
    lower = next(ratio for place, (ratio, _) in enumerate(ratios) if sum(p for _, p in ratios[: place + 1]) > 0.025)
    upper = next(
        ratios[place][0] for place in reversed(range(len(ratios))) if sum(p for _, p in ratios[place:]) > 0.025
    )
    (found,) = median_ratios([(side(ones), side(others))])
    assert found.median == pytest.approx(12.5 / 5.2)
    assert (found.lower, found.upper) == pytest.approx((lower, upper))


@pytest.mark.parametrize(("first", "second"), [(7, 7), (9, 30), (31, 31), (187, 60)])
def test_resampling_done_plainly_gives_nearly_the_same(first: int, second: int) -> None:
    random = np.random.default_rng(_SEED)
    ones, others = (np.exp(0.05 * random.standard_normal(count)) * 300 for count in (first, second))
    (found,) = median_ratios([(side(list(ones)), side(list(others)))])
    drawn = [np.median(random.choice(values, (40_000, len(values))), axis=1) for values in (ones, others)]
    ratios = drawn[0] / drawn[1]
    for end, share in ((found.lower, 0.025), (found.upper, 0.975)):
        # The few values that a median of resamples can take are steps: the end is the one on which the share falls.
        assert np.mean(ratios < end * (1 - 1e-9)) < share + 0.004
        assert np.mean(ratios <= end * (1 + 1e-9)) > share - 0.004


def test_intervals_alone_are_combined_as_by_hand() -> None:
    one, other = Estimate(200.0, 190.0, 220.0), Estimate(100.0, 96.0, 103.0)
    (found,) = median_ratios([(Side(one), Side(other))])
    assert found.median == 2.0
    assert found.lower == pytest.approx(2 * exp(-sqrt(log(200 / 190) ** 2 + log(103 / 100) ** 2)))
    assert found.upper == pytest.approx(2 * exp(sqrt(log(220 / 200) ** 2 + log(100 / 96) ** 2)))


def test_samples_beside_an_interval_are_an_interval_too() -> None:
    values = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0]
    published = Estimate(100.0, 95.0, 105.0)
    (mixed,), (plain,) = (
        median_ratios([(one, Side(published))]) for one in (side(values), Side(median_estimate(values)))
    )
    assert mixed == plain


def test_few_samples_count_by_their_widened_interval() -> None:
    (found,) = median_ratios([(side([100.0, 100.0, 100.0]), side([100.0, 100.0, 100.0, 100.0]))])
    assert found.lower < 0.75
    assert found.upper > 1 / 0.75


def test_the_other_way_round_is_the_reciprocal() -> None:
    random = np.random.default_rng(_SEED)
    pairs = []
    for first, second in ((7, 7), (7, 31), (8, 12), (30, 200), (3, 7)):
        ones, others = (list(np.exp(0.1 * random.standard_normal(count))) for count in (first, second))
        pairs.append((side(ones), side(others)))
    for found, back in zip(median_ratios(pairs), median_ratios([pair[::-1] for pair in pairs]), strict=True):
        assert back.median == pytest.approx(1 / found.median)
        assert back.lower == pytest.approx(1 / found.upper)
        assert back.upper == pytest.approx(1 / found.lower)


def test_ends_of_nothing_are_no_rates_without_end() -> None:
    (found,) = median_ratios([(Side(Estimate(100.0, 0.0, 150.0)), Side(Estimate(100.0, -5.0, 300.0)))])
    assert 0 < found.lower < 1 < found.upper < 1000
    assert median_ratios([]) == []


def test_more_samples_than_are_looked_at_count_by_their_interval() -> None:
    values = [100.0 + (number % 10) for number in range(1001)]
    (found,) = median_ratios([(side(values), side(values))])
    assert found.lower <= 1 <= found.upper
    assert median(values) == 104.0


def _skewed(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return np.asarray(1 + 0.02 * np.exp(random.standard_normal(shape)))


def _two_speeds(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    slow = random.random(shape) < 0.3
    return np.asarray(np.where(slow, 1.1, 1.0) * np.exp(0.003 * random.standard_normal(shape)))


def _bell(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return np.asarray(np.exp(0.02 * random.standard_normal(shape)))


@pytest.mark.parametrize("shape_of", [_bell, _skewed, _two_speeds])
@pytest.mark.parametrize(("first", "second"), [(5, 5), (7, 7), (7, 30), (12, 12)])
def test_the_interval_holds_the_truth_in_95_of_100_simulated_pairs(
    shape_of: Callable[[np.random.Generator, tuple[int, int]], np.ndarray], first: int, second: int
) -> None:
    random = np.random.default_rng(_SEED)
    runs = 1500
    ones, others = shape_of(random, (runs, first)), shape_of(random, (runs, second))
    pairs = [
        (Side(Estimate(m, m, m), list(a)), Side(Estimate(n, n, n), list(b)))
        for a, b, m, n in zip(ones, others, np.median(ones, axis=1), np.median(others, axis=1), strict=True)
    ]
    held = sum(found.lower <= 1 <= found.upper for found in median_ratios(pairs)) / runs
    # Three standard errors of a share of 95% in 1,500 are 1.7%; more than 95% is claimed less, which is no fault.
    assert 0.933 < held < 0.995
