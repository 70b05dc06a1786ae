"""The one rule by which lives go into the settings that a product has."""

from dataclasses import replace

import pytest

from ipsecbench.export.connection import Life
from ipsecbench.export.life_settings import KILOBYTE, LifeSettings, Setting, fit_life

SECONDS = Setting(120, 86_400)
SETTINGS = LifeSettings("Box", "Child SA", SECONDS, Setting(10, 4_194_303, KILOBYTE), Setting(1000, 10**12))
TIME_ONLY = LifeSettings("Box", "Child SA", SECONDS)
LIFE = Life(
    *(3600, 3960, 10**9, 11 * 10**8, 10**8, 11 * 10**7),
    expected_seconds=5000.0,
    uncounted_soft_seconds=3600,
    uncounted_hard_seconds=3960,
)


def test_hard_limits_are_set_where_the_product_ends_the_key_at_them() -> None:
    fitted = fit_life(LIFE, SETTINGS)
    assert (fitted.seconds, fitted.octets, fitted.packets) == (3960, 11 * 10**8 // 1024, 11 * 10**7)
    assert (fitted.notes, fitted.refusals) == ((), ())


def test_soft_limits_are_set_where_the_product_renews_the_key_at_them() -> None:
    soft = LifeSettings(
        "Box", "Child SA", replace(SECONDS, hard=False), Setting(1, 10**12, hard=False), Setting(1, 10**12, hard=False)
    )
    fitted = fit_life(LIFE, soft)
    assert (fitted.seconds, fitted.octets, fitted.packets) == (3600, 10**9, 10**8)
    assert (fitted.soft_seconds, fitted.hard_seconds) == (3600, 3960)


def test_steps_are_rounded_down() -> None:
    assert fit_life(Life(100, 179), LifeSettings("Box", "IKE SA", Setting(1, 100, 60))).seconds == 2


@pytest.mark.parametrize(
    ("life", "value"),
    [(Life(90_000, 99_000), "86400 s instead of 99000 s"), (Life(86_400, 86_400), None), (Life(86_400, 86_401), "s")],
)
def test_a_life_above_the_range_becomes_the_largest_and_is_said(life: Life, value: str | None) -> None:
    fitted = fit_life(life, TIME_ONLY)
    assert (fitted.seconds, fitted.refusals) == (86_400, ())
    assert len(fitted.notes) == (value is not None)
    assert value is None or value.split()[0] in fitted.notes[0]


@pytest.mark.parametrize("hard", [119, 60])
def test_a_life_below_the_range_is_refused(hard: int) -> None:
    assert fit_life(Life(50, hard), TIME_ONLY).refusals == (
        f"Box sets no life of the Child SA below 120 s; {hard} s are the most that is safe here",
    )
    assert fit_life(Life(50, 120), TIME_ONLY).refusals == ()


def test_octets_below_the_range_are_refused() -> None:
    few = LifeSettings("Box", "Child SA", SECONDS, Setting(20_480, 2**31 - 1, KILOBYTE))
    (line,) = fit_life(Life(3600, 3960, 7 * 2**20, 2**23), few).refusals
    assert line.startswith("Box sets no life of the Child SA below 20971520 octets; 8388608 octets")


def test_a_limit_without_a_setting_is_left_out_where_the_time_ends_first() -> None:
    fitted = fit_life(LIFE, TIME_ONLY)
    assert (fitted.seconds, fitted.octets, fitted.packets, fitted.refusals) == (3960, None, None, ())
    assert fitted.notes[0].startswith(
        "Box has no setting for the Child SA's limit of 1100000000 octets and 110000000 packets"
    )
    assert "left out" in fitted.notes[0]


def test_time_and_a_limit_that_end_together_need_nothing_shorter() -> None:
    fitted = fit_life(replace(LIFE, expected_seconds=3600.0), TIME_ONLY)
    assert (fitted.seconds, len(fitted.notes)) == (3960, 1)
    assert "left out" in fitted.notes[0]


def test_the_time_is_shortened_where_a_limit_without_a_setting_comes_first() -> None:
    fast = replace(LIFE, expected_seconds=1000.0, uncounted_soft_seconds=1000, uncounted_hard_seconds=1100)
    fitted = fit_life(fast, TIME_ONLY)
    assert (fitted.seconds, fitted.soft_seconds, fitted.refusals) == (1100, 1000, ())
    assert "shortened from 3960 s to 1100 s" in fitted.notes[0]


def test_it_is_refused_where_the_policys_shortest_life_is_too_long() -> None:
    fast = replace(LIFE, expected_seconds=10.0, uncounted_soft_seconds=272, uncounted_hard_seconds=300)
    (line,) = fit_life(fast, TIME_ONLY).refusals
    assert "reached in 11 s" in line
    assert "300 s" in line


def test_it_is_refused_where_no_rate_is_known() -> None:
    (line,) = fit_life(Life(3600, 3960, 10**9, 11 * 10**8), TIME_ONLY).refusals
    assert "the predicted rate is not known" in line


def test_octets_that_are_counted_stand_in_for_packets_of_twenty_octets() -> None:
    counted = LifeSettings("Box", "Child SA", SECONDS, Setting(1, 2**40))
    guarded = Life(3600, 3960, 10**9, 2 * 10**9, 9 * 10**7, 10**8)
    fitted = fit_life(guarded, counted)
    assert (fitted.octets, fitted.packets, fitted.refusals) == (2 * 10**9, None, ())
    assert "ends the life before it" in fitted.notes[0]
    assert fit_life(replace(guarded, hard_packets=10**8 - 1), counted).refusals


def test_every_life_of_a_matrix_is_safe_and_close() -> None:
    for hard in range(1, 2000, 7):
        for minimum, maximum, step in ((1, 100, 1), (10, 20, 60), (3, 65_535, 16)):
            fitted = fit_life(Life(1, hard), LifeSettings("Box", "IKE SA", Setting(minimum, maximum, step)))
            if fitted.refusals:
                assert hard < minimum * step
                continue
            assert fitted.seconds * step <= hard
            assert fitted.seconds * step > hard - step or fitted.seconds == maximum
