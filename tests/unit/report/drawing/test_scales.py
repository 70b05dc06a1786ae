"""Axes hold their values, keep their order, and are labelled with round ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.report.drawing.scales import Scale, linear_scale, logarithmic_scale

POSITIVE = st.floats(min_value=1e-3, max_value=1e9)


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_a_logarithmic_axis_holds_all_values_and_is_at_least_a_decade(values: list[float]) -> None:
    scale = logarithmic_scale(values, 100, 700)
    assert scale.low <= min(values)
    assert scale.high >= max(values)
    assert scale.high / scale.low >= 9.9


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_a_linear_axis_starts_at_zero_and_is_not_more_than_twice_too_long(values: list[float]) -> None:
    scale = linear_scale(values, 0, 100)
    assert scale.low == 0
    assert max(values) <= scale.high <= 2.6 * max(values)


@given(POSITIVE, POSITIVE, st.booleans())
def test_positions_keep_the_order_of_values(one: float, other: float, logarithmic: bool) -> None:
    scale = (logarithmic_scale if logarithmic else linear_scale)([one, other], 10, 90)
    assert 10 <= scale(one) <= 90
    assert (one < other) <= (scale(one) <= scale(other))


@given(st.lists(POSITIVE, min_size=1, max_size=20), st.integers(min_value=3, max_value=10), st.booleans())
def test_ticks_are_few_round_and_within_the_axis(values: list[float], most: int, logarithmic: bool) -> None:
    scale = (logarithmic_scale if logarithmic else linear_scale)(values, 0, 100)
    ticks = scale.ticks(most)
    assert 1 <= len(ticks) <= most + 1
    assert ticks == sorted(set(ticks))
    for tick in ticks:
        assert scale.low * 0.998 <= tick <= scale.high * 1.002
        if tick:
            mantissa = tick / 10 ** math.floor(math.log10(tick) + 1e-9)
            assert mantissa == pytest.approx(round(mantissa, 1), rel=1e-6)


def test_equal_ratios_are_equal_distances_on_a_logarithmic_axis() -> None:
    scale = Scale(1, 100, 0, 200, logarithmic=True)
    assert scale(10) == pytest.approx(100)


def test_an_axis_without_values_can_still_be_drawn() -> None:
    assert linear_scale([], 0, 10).ticks()
    assert logarithmic_scale([], 0, 10).ticks()


def test_values_outside_are_drawn_at_the_end() -> None:
    assert Scale(0, 10, 0, 100)(20) == 100
    assert Scale(1, 10, 0, 100, logarithmic=True)(0) == 0
