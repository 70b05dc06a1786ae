"""The parts of a comparison's page: names, views, verdicts in words, the front, axes of ratios."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.bench.measurement import Estimate
from ipsecbench.comparison.boxes import BoxAnswer
from ipsecbench.comparison.model import Box, Difference, Outcome
from ipsecbench.report.comparison.ranking import unbeaten
from ipsecbench.report.comparison.rows import LONGEST_NAME, short_names
from ipsecbench.report.comparison.verdict import Tally, counts_text, differing, headline
from ipsecbench.report.drawing.scales import ratio_scale
from ipsecbench.report.formats import ratio, ratio_interval, ratio_tick

NOTHING = cast(Any, SimpleNamespace())


def _box(name: str, price: float | None = None) -> Box:
    return Box(name, "", NOTHING, None, price)


@given(st.lists(st.text(max_size=90), min_size=1, max_size=40))
def test_short_names_are_short_clean_and_unlike(names: list[str]) -> None:
    short = short_names([_box(name) for name in names])
    assert len(set(short)) == len(names)
    assert all(0 < len(name) <= LONGEST_NAME for name in short)
    assert all(name == "".join(char for char in name if char not in "\x00\x1b\u202e") for name in short)


def _tally(faster: int, slower: int, same: int = 0, noise: int = 0) -> Tally:
    outcomes = Counter(
        {
            Outcome.FASTER: faster,
            Outcome.SLOWER: slower,
            Outcome.NO_DIFFERENCE: same,
            Outcome.WITHIN_NOISE: noise,
        }
    )
    return Tally(outcomes, 0.5, 2.0)


@pytest.mark.parametrize(
    ("tally", "words", "state"),
    [
        (_tally(0, 0), "Nothing to compare", "fair"),
        (_tally(0, 0, 5, 2), "No difference beyond noise", "good"),
        (_tally(3, 0), "Faster, and nowhere slower", "good"),
        (_tally(0, 3), "Slower, and nowhere faster", "bad"),
        (_tally(41, 3), "Mostly faster, slower here and there", "fair"),
        (_tally(3, 41), "Mostly slower, faster here and there", "bad"),
        (_tally(9, 1), "Faster here, slower there", "fair"),
    ],
)
def test_the_verdict_in_a_few_words(tally: Tally, words: str, state: str) -> None:
    assert headline(tally) == (words, state)


def test_counts_in_words() -> None:
    assert counts_text(_tally(41, 3, 120)) == "3 rows slower, 41 faster, 120 without a difference"
    assert counts_text(_tally(1, 0)) == "1 row faster"
    assert counts_text(_tally(1200, 0, 0, 1)) == "1,200 rows faster, 1 within noise"
    assert counts_text(_tally(0, 0)) == "no row can be held against the baseline"


def test_what_differs_names_what_weighs_most() -> None:
    def found(*names: str) -> str:
        return differing(Difference(name, "a", "b") for name in names)

    assert found() == "the environment is the same as far as is known"
    assert found("kernel") == "kernel differs"
    assert found("date", "libcrypto", "kernel") == "kernel, libcrypto and 1 other differ"
    assert found("kernel", "libcrypto") == "kernel and libcrypto differ"
    assert found("date") == "date differs"


rates = st.floats(1, 1e5)


@given(st.lists(st.tuples(st.floats(1, 1e4), rates), min_size=1, max_size=12, unique_by=lambda one: one[0]))
def test_the_front_is_what_nothing_beats(boxes: list[tuple[float, float]]) -> None:
    answers = [
        BoxAnswer(_box(str(place), price), "aes128gcm16", Estimate(rate, rate, rate))
        for place, (price, rate) in enumerate(boxes)
    ]
    front = {answer.box.name for answer in unbeaten(answers)}
    for place, (price, rate) in enumerate(boxes):
        beaten = any(p < price and r >= rate for p, r in boxes)
        assert (str(place) in front) == (not beaten)


@pytest.mark.parametrize(
    ("value", "text", "tick"),
    [
        (0.9514, "0.951", "0.951"),
        (1.0, "1.000", "1"),
        (1.424, "1.42", "1.42"),
        (16.68, "16.7", "16.7"),
        (0.05884, "0.0588", "0.0588"),
        (2400.0, "2,400", "2,400"),
        (0.5, "0.500", "0.5"),
    ],
)
def test_ratios_in_words(value: float, text: str, tick: str) -> None:
    assert ratio(value) == text
    assert ratio_tick(value) == tick


def test_an_interval_has_the_decimals_of_its_median() -> None:
    assert ratio_interval(Estimate(1.14, 1.0934, 1.17)) == "1.09–1.17"
    assert ratio_interval(Estimate(0.966, 0.9, 1.2)) == "0.900–1.200"


@given(st.lists(st.floats(1e-6, 1e6), max_size=20))
def test_an_axis_of_ratios_holds_them_all_and_one(values: list[float]) -> None:
    scale = ratio_scale(values, 0, 100)
    assert scale.low <= min([1.0, *values])
    assert scale.high >= max([1.0, *values])
    assert 1.0 in scale.ticks()
    assert len(scale.ticks()) <= 7
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks())
