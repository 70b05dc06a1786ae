"""What the relay decides for a frame follows the shares that are wished for."""

from __future__ import annotations

import random

import pytest

from ipsecbench.errors import UsageError
from ipsecbench.lab.impairment import Impairment
from ipsecbench.lab.relay import arguments, decide

MANY = 20_000


def test_shares_and_delays() -> None:
    impairment = Impairment(loss_percent=10, delay_ms=5, reorder_percent=20, duplicate_percent=30)
    chance = random.Random(1)
    fates = [decide(impairment, chance) for _ in range(MANY)]
    living = [fate for fate in fates if fate.copies]
    assert 1 - len(living) / MANY == pytest.approx(0.1, abs=0.01)
    assert sum(fate.copies == 2 for fate in living) / len(living) == pytest.approx(0.3, abs=0.015)
    assert sum(fate.delay_seconds == 0 for fate in living) / len(living) == pytest.approx(0.2, abs=0.015)
    assert {fate.delay_seconds for fate in living} == {0.0, 0.005}


def test_nothing_happens_where_nothing_is_wished() -> None:
    chance = random.Random(2)
    assert {(fate.copies, fate.delay_seconds) for fate in (decide(Impairment(), chance) for _ in range(1000))} == {
        (1, 0.0)
    }


def test_the_command_line_carries_every_wish() -> None:
    words = arguments(Impairment(loss_percent=1, delay_ms=2, reorder_percent=3, duplicate_percent=4), seed=5)
    assert " ".join(words).endswith("--seed 5 --loss-percent 1 --delay-ms 2 --reorder-percent 3 --duplicate-percent 4")


@pytest.mark.parametrize(
    "wishes", [{"loss_percent": -1}, {"delay_ms": 20_000}, {"rate_mbit": -1}, {"reorder_percent": 1}]
)
def test_nonsense_is_refused(wishes: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Impairment(**wishes)
