"""The spread of rekeying by the formulas that strongSwan, libreswan and pfSense document."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.recommend.keys.jitter import both_at_once, jitter, mean_rekey_seconds
from ipsecbench.recommend.keys.lives import LifeConditions
from ipsecbench.recommend.peers.peer import Peer

HERE = LifeConditions()


@pytest.mark.parametrize(
    ("soft_minutes", "hard_minutes", "earliest_minutes"),
    [
        # swanctl.conf: Child SA 1 h and IKE SA 4 h with their defaults.
        (60, 66, 54),
        (240, 264, 216),
        # ipsec.conf: a lifetime of 1 h, margintime 9 min, rekeyfuzz 100%: between 42 and 51 minutes.
        (51, 60, 42),
    ],
)
def test_the_documented_defaults(soft_minutes: int, hard_minutes: int, earliest_minutes: int) -> None:
    spread = jitter(soft_minutes * 60, hard_minutes * 60, HERE, None)
    assert spread.latest_seconds == soft_minutes * 60
    assert spread.earliest_seconds == earliest_minutes * 60
    # rekeytime = lifetime - (margintime + random(0, margintime · rekeyfuzz))
    assert hard_minutes * 60 - spread.margin_seconds == spread.latest_seconds
    assert hard_minutes * 60 - spread.margin_seconds * (1 + spread.fuzz_percent / 100) == spread.earliest_seconds


@given(st.integers(2, 10**6), st.integers(0, 10**6))
def test_a_rekey_starts_before_the_end_and_after_the_beginning(soft: int, more: int) -> None:
    spread = jitter(soft, soft + more, HERE, None)
    assert 0 < spread.earliest_seconds <= spread.latest_seconds <= soft + spread.margin_seconds
    assert 0 < mean_rekey_seconds(spread, 2) <= mean_rekey_seconds(spread, 1) <= soft
    assert 0 < spread.both_at_once <= 1


def test_octets_and_packets_are_spread_as_seconds_are() -> None:
    spread = jitter(3600, 3960, HERE, None, octets=(10**9, 11 * 10**8), packets=(10**6, 11 * 10**5))
    assert (spread.rand_bytes, spread.rand_packets) == (10**8, 10**5)
    assert jitter(3600, 3960, HERE, None).rand_bytes is None


def test_the_chance_of_both_ends_at_once_is_that_of_two_draws() -> None:
    # 6 minutes, and a round trip of 18 s so that a simulation has something to count: 2 · 0.05 - 0.05².
    assert both_at_once(360, 18) == pytest.approx(0.0975)
    chance = random.Random(5)
    draws = 20_000
    close = sum(abs(chance.uniform(0, 360) - chance.uniform(0, 360)) < 18 for _ in range(draws))
    assert close / draws == pytest.approx(0.0975, abs=0.01)
    assert both_at_once(0, 0.02) == 1.0
    assert both_at_once(10, 20) == 1.0


def test_the_first_of_two_draws_comes_after_a_third_of_the_span() -> None:
    spread = jitter(3600, 3960, HERE, None)
    chance = random.Random(6)
    first = [min(chance.uniform(3240, 3600), chance.uniform(3240, 3600)) for _ in range(20_000)]
    assert mean_rekey_seconds(spread, 2) == pytest.approx(sum(first) / len(first), rel=1e-3) == 3360
    assert mean_rekey_seconds(spread) == 3420


def test_a_peer_with_a_shorter_life_rekeys_first() -> None:
    there = LifeConditions(peer=Peer("a cloud"))
    assert any(
        "a cloud ends its keys after 50 min" in reason.text for reason in jitter(3600, 3960, there, 3000).reasons
    )
    assert not any("ends its keys" in reason.text for reason in jitter(3600, 3960, there, 28_800).reasons)
