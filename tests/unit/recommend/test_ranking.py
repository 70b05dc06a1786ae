"""Ranking by draws: order, worse options and units must not matter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.bench.draws import Draws, estimate_draws
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.choice.ranking import (
    SURE,
    Option,
    chance_of,
    cheapest_first,
    choose_cheapest,
    choose_strongest,
    tied,
)


def option(name: str, cost: float, half_width: float = 1.0, strength: int = 128, level: int = 0) -> Option:
    drawn = estimate_draws(Estimate(cost, cost - half_width, cost + half_width), name)
    return Option(name, drawn, strength, (-strength, level, name))


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


def name(found: Option | None) -> str:
    assert found is not None
    return found.name


def test_a_clear_winner_wins_however_weak() -> None:
    fast, strong = option("fast", 90), option("strong", 100, strength=256)
    assert choose_cheapest([strong, fast]) is fast


def test_a_tie_is_broken_by_strength_then_level_then_name() -> None:
    assert name(choose_cheapest([option("a", 99), option("b", 99.5, strength=256)])) == "b"
    assert name(choose_cheapest([option("a", 99, level=2), option("b", 99.5, level=1)])) == "b"
    assert name(choose_cheapest([option("b", 99), option("a", 99.5)])) == "a"


@pytest.mark.parametrize(("apart", "is_tie"), [(0.5, True), (1.0, True), (1.4, False), (3.0, False)])
def test_the_line_between_tie_and_not_is_at_a_chance_of_95_percent(apart: float, is_tie: bool) -> None:
    """Two normal figures with a 95% interval of ±1 each: P(A < B) is the normal distribution's own, independently."""
    deviation = math.sqrt(2) / 1.959964
    exact = 0.5 * (1 + math.erf(apart / deviation / math.sqrt(2)))
    pair = [option("a", 100), option("b", 100 + apart)]
    assert chance_of(*pair) == pytest.approx(exact, abs=0.03)
    assert (exact < SURE) == is_tie
    assert (len(tied(pair)) == 2) == is_tie


def test_a_figure_shared_by_both_cancels() -> None:
    """What every suite of a data plane costs alike, however uncertain, decides nothing between two suites."""
    shared = estimate_draws(Estimate(500, 300, 700), "the data plane")
    near = [Option(each.name, each.cost + shared, 128, each.security) for each in (option("a", 100), option("b", 103))]
    assert chance_of(*near) > 0.99
    apart = estimate_draws(Estimate(500, 300, 700), "another data plane")
    alone = [near[0], Option("b", option("b", 103).cost + apart, 128, (0, "b"))]
    assert 0.4 < chance_of(*alone) < 0.6


def test_ties_are_with_the_best_and_do_not_chain() -> None:
    # b is a tie with a, c with b, but c not with a.
    chain = [option("a", 100), option("b", 101), option("c", 102)]
    assert [each.name for each in tied(chain)] == ["a", "b"]
    assert [each.name for each in tied(chain[1:])] == ["b", "c"]


def test_equal_figures_are_a_tie() -> None:
    exact = [Option(n, Draws.exactly(5.0), 128, (n,)) for n in "ba"]
    assert chance_of(*exact) == 0.5
    assert name(choose_cheapest(exact)) == "a"


def test_the_strongest_that_suffices_wins_and_of_equals_the_cheapest() -> None:
    field = [
        option("a", 10),
        option("b", 60, strength=256),
        option("c", 50, strength=256),
        option("d", 90, strength=256),
    ]
    assert name(choose_strongest(field, lambda each: each.cost.value <= 70)) == "c"
    assert choose_strongest(field, lambda each: each.cost.value <= 5) is None
    assert choose_cheapest([]) is None


@given(options, st.randoms())
def test_the_order_of_the_options_does_not_matter(field: list[Option], random: object) -> None:
    shuffled = list(field)
    getattr(random, "shuffle")(shuffled)  # noqa: B009
    assert choose_cheapest(shuffled) is choose_cheapest(field)
    assert cheapest_first(shuffled) == cheapest_first(field)


@given(options, st.integers(-3, 3))
def test_the_unit_of_the_cost_does_not_matter(field: list[Option], power: int) -> None:
    rescaled = [Option(each.name, each.cost * 2.0**power, each.strength_bits, each.security) for each in field]
    assert name(choose_cheapest(rescaled)) == name(choose_cheapest(field))


@given(options, st.floats(1.0, 10.0))
def test_a_dearer_option_that_is_no_more_secure_never_changes_the_winner(field: list[Option], factor: float) -> None:
    winner = choose_cheapest(field)
    dearest = max(each.cost.value for each in field)
    worse = option("zz", dearest * factor, 0.5, strength=128, level=9)
    assert choose_cheapest([*field, worse]) is winner


@given(options)
def test_nothing_in_the_tie_is_more_secure_than_the_winner(field: list[Option]) -> None:
    winner = choose_cheapest(field)
    assert winner is not None
    assert all(winner.security <= each.security for each in tied(field))
    best = cheapest_first(field)[0]
    assert winner is best or chance_of(best, winner) < SURE
