"""Lives against figures worked elsewhere."""

from __future__ import annotations

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.lifetimes import child_lifetime, ike_lifetime, seconds_per_key
from ipsecbench.recommend.policy import load_policy
from ipsecbench.recommend.traffic import Traffic

MODERN = load_policy("modern")


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def test_the_ike_sa_lives_as_strongswans_does() -> None:
    # swanctl: rekey_time 4 h, over_time 10%.
    life = ike_lifetime(MODERN)
    assert (life.soft_seconds, life.hard_seconds) == (14_400, 15_840)
    assert life.soft_bytes is life.hard_packets is None
    assert any("rfc4308" in reason.sources for reason in life.reasons)


def test_a_child_sa_with_gcm_has_time_and_octets() -> None:
    life = child_lifetime(MODERN, esp_suites()["aes256gcm16"], Traffic(size_bytes=1448), exactly(1000), 1e6, True)
    # swanctl: rekey_time 1 h, life_time 1.1 times that.
    assert (life.soft_seconds, life.hard_seconds) == (3600, 3960)
    assert life.hard_bytes is not None
    assert life.soft_bytes is not None
    assert life.hard_bytes / 1e12 == pytest.approx(12.2, abs=0.1)
    assert life.soft_bytes * 1.1 == pytest.approx(life.hard_bytes, rel=1e-6)
    assert life.expected_seconds == 3600


def test_without_esn_the_sequence_number_bounds_the_packets() -> None:
    life = child_lifetime(MODERN, esp_suites()["chacha20poly1305"], Traffic(size_bytes=64), exactly(1000), 1e6, False)
    assert life.hard_packets == 2**32 - 1
    assert life.hard_bytes is None
    # 2^32 / 1.1 packets of 64 octets at 1 Gbit/s come before the hour.
    assert life.expected_seconds == pytest.approx(2**32 / 1.1 * 64 * 8 / 1e9, rel=1e-6)
    with_esn = child_lifetime(MODERN, esp_suites()["chacha20poly1305"], Traffic(size_bytes=64), exactly(1), 1e6, True)
    assert with_esn.hard_packets is None


def test_3des_at_a_gigabit_lasts_67_milliseconds() -> None:
    suite = esp_suites()["3des-sha1"]
    lasts = seconds_per_key(suite, Traffic(size_bytes=1024), 1000)
    assert lasts == pytest.approx(0.0671, abs=1e-3)
    life = child_lifetime(MODERN, suite, Traffic(size_bytes=1024), exactly(1000), 1e6, True)
    assert life.hard_bytes is not None
    assert life.hard_bytes <= 8 * 2**20
    assert life.expected_seconds < 0.07
    assert seconds_per_key(esp_suites()["chacha20poly1305"], Traffic(size_bytes=1024), 1000) is None
