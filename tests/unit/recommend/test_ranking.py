"""Ranking by intervals: order, worse options and units must not matter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.ranking import Option, choose_fastest, choose_strongest, fastest_first, tied


def option(name: str, median: float, half_width: float = 1.0, strength: int = 128, level: int = 0) -> Option:
    score = Estimate(median, median - half_width, median + half_width)
    return Option(name, score, strength, (-strength, level, name))


options = st.lists(
    st.builds(
        option,
        st.text("abcdefgh", min_size=1, max_size=4),
        st.integers(10, 1000).map(float),
        st.integers(0, 9).map(float),
        st.sampled_from([128, 192, 256]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda each: each.name,
)


def test_a_clear_winner_wins_however_weak() -> None:
    fast, strong = option("fast", 100), option("strong", 90, strength=256)
    assert choose_fastest([strong, fast]) == fast


def test_a_tie_is_broken_by_strength_then_level_then_name() -> None:
    assert choose_fastest([option("a", 100), option("b", 99, strength=256)]) == option("b", 99, strength=256)
    assert choose_fastest([option("a", 100, level=2), option("b", 99, level=1)]) == option("b", 99, level=1)
    assert choose_fastest([option("b", 100), option("a", 99)]) == option("a", 99)


def test_ties_are_with_the_best_and_do_not_chain() -> None:
    # b overlaps with a, c with b, but c not with a.
    chain = [option("a", 100), option("b", 98.5), option("c", 97)]
    assert [each.name for each in tied(chain)] == ["a", "b"]


def test_intervals_that_touch_are_a_tie() -> None:
    assert [each.name for each in tied([option("a", 100), option("b", 98)])] == ["a", "b"]


def test_the_strongest_that_suffices_wins_and_of_equals_the_fastest() -> None:
    field = [
        option("a", 100),
        option("b", 60, strength=256),
        option("c", 70, strength=256),
        option("d", 30, strength=256),
    ]
    found = choose_strongest(field, lambda each: each.score.lower >= 50)
    assert found is not None
    assert found.name == "c"
    assert choose_strongest(field, lambda each: each.score.lower >= 500) is None
    assert choose_fastest([]) is None


@given(options, st.randoms())
def test_the_order_of_the_options_does_not_matter(field: list[Option], random: object) -> None:
    shuffled = list(field)
    getattr(random, "shuffle")(shuffled)  # noqa: B009
    assert choose_fastest(shuffled) == choose_fastest(field)
    assert fastest_first(shuffled) == fastest_first(field)


@given(options, st.integers(-3, 3))
def test_the_unit_of_the_score_does_not_matter(field: list[Option], power: int) -> None:
    factor = 2.0**power
    rescaled = [
        Option(
            each.name,
            Estimate(each.score.median * factor, each.score.lower * factor, each.score.upper * factor),
            each.strength_bits,
            each.security,
        )
        for each in field
    ]
    first, second = choose_fastest(field), choose_fastest(rescaled)
    assert first is not None
    assert second is not None
    assert first.name == second.name


@given(options, st.floats(0.1, 1.0))
def test_a_worse_option_never_changes_the_winner(field: list[Option], share: float) -> None:
    winner = choose_fastest(field)
    assert winner is not None
    slowest = min(each.score.median for each in field)
    worse = option("zz", slowest * share, 0.5, strength=128, level=9)
    assert choose_fastest([*field, worse]) == winner


@given(options)
def test_nothing_in_the_tie_is_more_secure_than_the_winner(field: list[Option]) -> None:
    winner = choose_fastest(field)
    assert winner is not None
    assert all(winner.security <= each.security for each in tied(field))
    best = max(each.score.median for each in field)
    assert winner.score.upper >= min(each.score.lower for each in field if each.score.median == best)
