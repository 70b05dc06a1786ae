"""The search for rates, against systems whose true capacity is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import MeasurementError
from ipsecbench.lab.trials.rate_search import NDR, PDR, LimitedBy, LossGoal, RateSearch, RateTrial, loss_steps

MINIMUM = 1_000.0
MAXIMUM = 2_000_000.0
SECONDS = 0.5


def system(
    capacity_pps: float,
    *,
    drop: float = 0.0,
    hiccup: float = 0.0,
    generator_pps: float = math.inf,
    collapse: float = 0.0,
    seed: int = 1,
) -> Callable[[float], RateTrial]:
    """A system with a knee.

    Args:
        capacity_pps: beyond it packets are lost.
        drop: share of packets that is lost at any rate.
        hiccup: chance that a trial loses one packet for no reason.
        generator_pps: what the generator can send.
        collapse: how much of its capacity it loses per part of overload.
        seed: of the noise.
    """
    random = Random(seed)

    def offer(pps: float) -> RateTrial:
        sent = min(pps, generator_pps) * SECONDS
        overload = max(0.0, pps / capacity_pps - 1)
        passed = min(sent, capacity_pps * SECONDS / (1 + collapse * overload)) * (1 - drop)
        lost = 1 if random.random() < hiccup else 0
        return RateTrial(pps, SECONDS, math.floor(sent), max(0, math.floor(passed + 1e-6) - lost))

    return offer


def search(offer: Callable[[float], RateTrial], *goals: LossGoal) -> RateSearch:
    return RateSearch(offer, MINIMUM, MAXIMUM, goals or (NDR, PDR), most_trials=200)


@settings(max_examples=200, deadline=None)
@given(capacity=st.floats(2_000, 1_900_000), collapse=st.floats(0, 3))
def test_the_knee_of_a_quiet_system_is_within_the_bounds(capacity: float, collapse: float) -> None:
    run = search(system(capacity, collapse=collapse))
    ndr, pdr = run.run()
    assert ndr.settled
    assert pdr.settled
    assert ndr.pps is not None
    assert ndr.upper_pps is not None
    # One packet of a trial is what rounding may hide.
    grain = 1 / SECONDS
    assert ndr.pps <= capacity + 2 * grain
    assert ndr.upper_pps >= capacity - 2 * grain
    assert ndr.upper_pps - ndr.pps <= NDR.relative_width * ndr.upper_pps
    assert ndr.limited_by is LimitedBy.PLANE
    assert pdr.pps is not None
    assert pdr.pps >= ndr.pps
    assert len(run.trials) <= 60


@settings(max_examples=100, deadline=None)
@given(capacity=st.floats(5_000, 1_900_000), seed=st.integers(0, 10_000))
def test_trials_that_lose_a_packet_now_and_then_do_not_hide_the_knee(capacity: float, seed: int) -> None:
    goal = LossGoal("ndr", 0.0, relative_width=0.02, trials=15)
    run = RateSearch(system(capacity, hiccup=0.1, seed=seed), MINIMUM, MAXIMUM, (goal,), most_trials=1000)
    (ndr,) = run.run()
    assert ndr.pps is not None
    assert 0.9 * capacity <= ndr.pps <= capacity * 1.001 + 4


def test_single_trials_are_fooled_where_repeated_ones_are_not() -> None:
    def misses(trials: int) -> int:
        """Searches of 60 that end more than 1% below the knee."""
        goal = LossGoal("ndr", 0.0, relative_width=0.005, trials=trials)
        found = [
            RateSearch(system(500_000, hiccup=0.3, seed=seed), MINIMUM, MAXIMUM, (goal,), most_trials=2000).run()[0]
            for seed in range(60)
        ]
        return sum(result.pps is None or result.pps < 0.99 * 500_000 for result in found)

    assert misses(1) >= 4
    assert misses(15) == 0


def test_a_system_that_always_drops_a_little_has_a_partial_rate_and_no_clean_one() -> None:
    ndr, pdr = search(system(400_000, drop=0.003)).run()
    assert ndr.pps is None
    assert ndr.upper_pps == pytest.approx(MINIMUM)
    assert ndr.settled
    assert pdr.pps is not None
    assert pdr.pps == pytest.approx(400_000, rel=0.02)


def test_a_slow_generator_is_named() -> None:
    ndr, pdr = search(system(1_500_000, generator_pps=300_000)).run()
    for result in (ndr, pdr):
        assert result.limited_by is LimitedBy.GENERATOR
        assert result.pps == pytest.approx(300_000, rel=0.02)


def test_a_system_without_a_limit_gives_the_highest_rate_as_a_lower_bound() -> None:
    ndr, _ = search(system(10 * MAXIMUM)).run()
    assert ndr.pps == MAXIMUM
    assert ndr.upper_pps is None
    assert ndr.limited_by is LimitedBy.GENERATOR
    assert ndr.settled


@settings(max_examples=100, deadline=None)
@given(
    capacity=st.floats(100, 5_000_000),
    drop=st.floats(0, 0.2),
    hiccup=st.floats(0, 1),
    generator=st.floats(500, 3_000_000),
    most=st.integers(1, 100),
    seed=st.integers(0, 100),
)
def test_any_system_ends_within_its_trials_and_rates(
    capacity: float, drop: float, hiccup: float, generator: float, most: int, seed: int
) -> None:
    offered: list[float] = []
    inner = system(capacity, drop=drop, hiccup=hiccup, generator_pps=generator, seed=seed)

    def offer(pps: float) -> RateTrial:
        offered.append(pps)
        return inner(pps)

    run = RateSearch(offer, MINIMUM, MAXIMUM, most_trials=most)
    results = run.run()
    assert len(offered) == len(run.trials) <= most
    assert all(MINIMUM <= pps <= MAXIMUM for pps in offered)
    for result in results:
        if result.pps is not None and result.upper_pps is not None:
            assert result.pps < result.upper_pps


def test_the_goal_of_less_loss_never_gets_the_higher_rate() -> None:
    for seed in range(30):
        ndr, pdr = search(system(700_000, hiccup=0.3, seed=seed)).run()
        assert pdr.pps is not None
        assert (ndr.pps or 0) <= pdr.pps


def test_rates_that_make_no_sense_are_refused() -> None:
    with pytest.raises(MeasurementError):
        RateSearch(system(1000), 10, 10)


def test_loss_steps_end_after_two_clean_trials() -> None:
    trials = loss_steps(system(550_000), 1_000_000)
    assert [round(trial.offered_pps) for trial in trials] == [
        1_000_000,
        900_000,
        800_000,
        700_000,
        600_000,
        500_000,
        400_000,
    ]
    assert [trial.loss_ratio > 0 for trial in trials] == [True] * 5 + [False] * 2


def test_loss_steps_are_bounded_where_everything_is_lost() -> None:
    trials = loss_steps(system(10, drop=1.0), 1_000_000)
    assert len(trials) == 10
    assert all(trial.loss_ratio == 1.0 for trial in trials)
