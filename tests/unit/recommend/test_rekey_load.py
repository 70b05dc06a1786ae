"""The load of rekeying and the time until tunnels are back, worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.keys.lifetimes import REKEY_SHARE, SaRate, child_lifetime, ike_lifetime
from ipsecbench.recommend.keys.lives import LifeConditions, Lifetime
from ipsecbench.recommend.keys.recovery import COOKIE_THRESHOLD, recovery
from ipsecbench.recommend.keys.rekey_load import Tunnels, child_rekeys_per_second, rekey_load, shortest_life_seconds
from ipsecbench.recommend.keys.setup_load import EndCost, ExchangeCost
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.traffic import Traffic

MODERN = load_policy("modern")
GCM = esp_suites()["aes128gcm16"]


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def exchange(
    initiator_us: float, responder_us: float, round_trips: int = 1, round_trip_ms: float = 20.0
) -> ExchangeCost:
    """An exchange half of whose work is cryptography."""
    ends = []
    for cost in (initiator_us, responder_us):
        half = exactly(cost / 2)
        ends.append(EndCost(half, exactly(0), exactly(0), half, half, exactly(cost)))
    wall = (initiator_us + responder_us) / 1e3 + round_trips * round_trip_ms
    return ExchangeCost("made up", 2 * round_trips, round_trips, ends[0], ends[1], exactly(wall), True)


def hour(least_seconds: float = 0.0) -> Lifetime:
    rate = SaRate(100.0, 100e6 / 8 / 1000, 2e5)
    conditions = LifeConditions(least_seconds=least_seconds)
    return child_lifetime(MODERN, GCM, Traffic(size_bytes=1000), rate, esn=True, conditions=conditions)


def test_rekeys_of_a_thousand_tunnels() -> None:
    tunnels = Tunnels(1000, 2)
    child, ike = hour(), ike_lifetime(MODERN)
    load = rekey_load(tunnels, exchange(400, 500), exchange(900, 800), child, ike)
    # Each end draws a moment of the last 6 minutes, and the first counts: 56 of 60 minutes on average; 224 of 240.
    assert load.child_rekeys_per_second == pytest.approx(2000 / (56 * 60))
    assert load.ike_rekeys_per_second == pytest.approx(1000 / (224 * 60))
    share = (2000 / 3360 * 500 + 1000 / 13_440 * 900) / 1e6
    assert load.cpu_share.median == pytest.approx(share)
    assert load.cryptography_share.median == pytest.approx(share / 2)
    assert load.core_seconds_per_day.median == pytest.approx(share * 86_400)
    assert (load.tunnels, load.child_sas) == (1000, 2000)


def test_keys_that_are_used_up_are_counted_by_data() -> None:
    # 3DES at 1 Gbit/s: a key each 61 ms of what one core carries, whatever the number of tunnels.
    rate = SaRate(1000.0, 1e9 / 8 / 1000, 2e6)
    life = child_lifetime(MODERN, esp_suites()["3des-sha1"], Traffic(size_bytes=1000), rate, esn=True)
    assert life.expected_seconds < 0.07
    assert child_rekeys_per_second(Tunnels(100), life) == pytest.approx(1 / life.expected_seconds)
    assert child_rekeys_per_second(Tunnels(100, cores=4), life) == pytest.approx(4 / life.expected_seconds)
    assert child_rekeys_per_second(Tunnels(1, cores=4), life) == pytest.approx(1 / life.expected_seconds)


@given(st.integers(1, 1_000_000), st.integers(1, 4), st.integers(1, 64), st.floats(1, 1e5))
def test_at_the_shortest_life_rekeying_takes_the_share_that_is_allowed(
    count: int, sas: int, cores: int, cost_us: float
) -> None:
    tunnels = Tunnels(count, sas, cores)
    cost = exchange(cost_us, cost_us / 2)
    least = shortest_life_seconds(cost, tunnels.child_sas, cores)
    # 56 of 60 minutes, as above.
    taken = tunnels.child_sas * cost_us / 1e6 / (least * 56 / 60)
    assert taken == pytest.approx(REKEY_SHARE * cores)


def test_a_million_tunnels_get_longer_lives() -> None:
    cost = exchange(500, 500)
    least = shortest_life_seconds(cost, 1_000_000, 1)
    life = hour(least)
    assert life.binding == "cost of rekeying"
    share = rekey_load(Tunnels(1_000_000), cost, exchange(0.001, 0.001), life, ike_lifetime(MODERN)).cpu_share.median
    assert share == pytest.approx(REKEY_SHARE, rel=0.01)


def test_tunnels_are_back_after_the_queue_and_one_set_up() -> None:
    setup, child = exchange(1500, 2000, 2), exchange(300, 400)
    found = recovery(Tunnels(101, 3, 2), setup, child, 20.0, 2)
    # One by one: 43.5 ms and two further Child SAs of 20.7 ms each.
    wall = 43.5 + 2 * 20.7
    assert found.one_by_one_seconds.median == pytest.approx(101 * wall / 1e3)
    # Answering 100 others takes 2000 + 2 · 400 µs each on two cores; cookies cost a round trip.
    assert found.as_responder_seconds.median == pytest.approx(100 * 2800e-6 / 2 + wall / 1e3 + 0.02)
    assert found.one_core_seconds.median == pytest.approx(100 * 2800e-6 + wall / 1e3 + 0.02)
    assert found.as_initiator_seconds.median == pytest.approx(100 * 2100e-6 / 2 + wall / 1e3)
    assert (found.half_open, found.cookies) == (101, True)
    assert any("cookies" in reason.text for reason in found.reasons)


def test_few_tunnels_and_ikev1_have_no_cookies() -> None:
    setup, child = exchange(1500, 2000, 4), exchange(300, 400)
    assert not recovery(Tunnels(COOKIE_THRESHOLD), setup, child, 20.0, 2).cookies
    old = recovery(Tunnels(COOKIE_THRESHOLD + 1), setup, child, 20.0, 1)
    assert not old.cookies
    assert any("IKEv1 has no cookies" in reason.text for reason in old.reasons)
    one = recovery(Tunnels(1), setup, child, 20.0, 2)
    assert one.as_responder_seconds == one.one_by_one_seconds == one.as_initiator_seconds


@given(st.integers(1, 10_000), st.integers(1, 8))
def test_more_tunnels_take_longer_and_more_cores_do_not(count: int, cores: int) -> None:
    setup, child = exchange(1500, 2000, 2), exchange(300, 400)
    fewer, more, wider = (
        recovery(tunnels, setup, child, 20.0, 2).as_responder_seconds.median
        for tunnels in (Tunnels(count, 1, cores), Tunnels(count + 1, 1, cores), Tunnels(count, 1, cores + 1))
    )
    assert fewer < more
    assert wider <= fewer
