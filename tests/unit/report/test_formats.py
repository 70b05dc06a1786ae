"""Figures as words, and foreign text made harmless."""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.bench.measurement import Estimate
from ipsecbench.report import formats


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_three_significant_digits_are_those_of_decimal_arithmetic(value: float) -> None:
    text = formats.significant(value)
    expected = Context(prec=3, rounding=ROUND_HALF_EVEN).create_decimal(Decimal(value))
    shown = Decimal(text.replace(",", ""))
    # Binary fractions may fall on the other side of a half: one unit in the last place is the same figure.
    assert abs(shown - expected) <= Decimal((0, (1,), expected.adjusted() - 2))
    assert len(text.replace(",", "").replace(".", "").lstrip("0").rstrip("0")) <= 3


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (8312.4, "8,310"), (9.996, "10.0"), (0.0412, "0.0412"), (999.6, "1,000"), (-12.34, "-12.3")],
)
def test_significant(value: float, text: str) -> None:
    assert formats.significant(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_unknown(value: float) -> None:
    assert formats.significant(value) == "unknown"


@pytest.mark.parametrize(
    ("mbit", "text", "tick"),
    [
        (0.5, "0.500 Mbit/s", "0.5 M"),
        (512, "512 Mbit/s", "512 M"),
        (999.6, "1.00 Gbit/s", "1 G"),
        (8312, "8.31 Gbit/s", "8.31 G"),
        (26000, "26.0 Gbit/s", "26 G"),
        (1e6, "1.00 Tbit/s", "1 T"),
    ],
)
def test_rates(mbit: float, text: str, tick: str) -> None:
    assert formats.rate(mbit) == text
    assert formats.rate_tick(mbit) == tick


def test_intervals_keep_the_unit_of_their_median() -> None:
    assert formats.rate_interval(Estimate(1000, 950, 1050)) == "0.950–1.05 Gbit/s"
    assert formats.duration_interval(Estimate(1500, 900, 2100)) == "0.900–2.10 µs"


@pytest.mark.parametrize(
    ("nanoseconds", "text", "tick"),
    [(412, "412 ns", "412 ns"), (1500, "1.50 µs", "1.5 µs"), (2e6, "2.00 ms", "2 ms"), (3e9, "3.00 s", "3 s")],
)
def test_durations(nanoseconds: float, text: str, tick: str) -> None:
    assert formats.duration(nanoseconds) == text
    assert formats.duration_tick(nanoseconds) == tick


def test_an_axis_starts_at_a_bare_zero() -> None:
    assert formats.rate_tick(0) == formats.duration_tick(0) == "0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (5400, "1 h 30 min"), (14400, "4 h"), (86400, "24 h"), (90061, "1 d 1 h 1 min 1 s")],
)
def test_span(seconds: float, text: str) -> None:
    assert formats.span(seconds) == text


def test_signs_are_typographic() -> None:
    assert formats.signed_percent(-0.023) == "−2.3%"
    assert formats.signed_percent(0.1, 0) == "+10%"


def test_sizes_and_mixes() -> None:
    assert formats.size_title(1400, None) == "1,400 B"
    assert formats.size_title(None, "imix-simple") == "IMIX 7:4:1"
    assert formats.size_title(None, None) == "any size"


def test_sentences_start_with_a_capital_but_names_stay() -> None:
    assert formats.sentence("the box") == "The box"
    assert formats.sentence("aes128gcm16 is fast") == "aes128gcm16 is fast"
    assert formats.sentence("strongSwan does") == "strongSwan does"


@given(st.text(alphabet=st.characters(), max_size=300))
def test_clean_text_can_be_stored_and_does_not_reorder_or_control(text: str) -> None:
    cleaned = formats.clean(text)
    cleaned.encode("utf-8")
    assert len(cleaned) == len(text)
    for character in cleaned:
        assert unicodedata.category(character) != "Cc" or character in "\t\n"
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )


@given(st.text(max_size=400), st.integers(min_value=1, max_value=200))
def test_shortened_text_is_short(text: str, limit: int) -> None:
    assert len(formats.shorten(text, limit)) <= limit


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=50),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
        max_leaves=20,
    )
)
def test_anything_in_an_environment_becomes_bounded_words(value: object) -> None:
    words = formats.words(value, 100)
    assert words
    assert len(words) <= 100


def test_what_is_missing_is_unknown_and_what_is_empty_is_none() -> None:
    assert formats.words(None) == formats.words("") == "unknown"
    assert formats.words([]) == formats.words({}) == "none"
