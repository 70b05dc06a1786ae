"""Lives against figures worked elsewhere, and properties that hold whatever the box and the peer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.limits import SEQUENCE_NUMBER_PACKETS, key_budget, packets_advantage
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.recommend.keys.lifetimes import SaRate, child_lifetime, ike_lifetime, seconds_per_key
from ipsecbench.recommend.keys.lives import Effect, LifeConditions, Lifetime, Unit
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.policies.records import Setting
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.traffic import Traffic

MODERN = load_policy("modern")


def at(mbit_per_second: float, size_bytes: int) -> SaRate:
    packets = mbit_per_second * 1e6 / 8 / size_bytes
    return SaRate(mbit_per_second, packets, max(packets, mbit_per_second * 1e6 / 8 / 64))


def life_of(
    suite: str, size_bytes: int, mbit_per_second: float, *, esn: bool = True, conditions: LifeConditions | None = None
) -> Lifetime:
    rate = at(mbit_per_second, size_bytes)
    traffic = Traffic(size_bytes=size_bytes)
    return child_lifetime(MODERN, esp_suites()[suite], traffic, rate, esn=esn, conditions=conditions)


def test_the_ike_sa_lives_as_strongswans_does() -> None:
    # swanctl: rekey_time 4 h, over_time 10%: a rekey between 216 and 240 minutes, the end after 264.
    life = ike_lifetime(MODERN)
    assert (life.soft_seconds, life.hard_seconds) == (14_400, 15_840)
    assert (life.jitter.earliest_seconds, life.jitter.latest_seconds) == (216 * 60, 240 * 60)
    assert life.soft_bytes is life.hard_packets is None
    assert any("rfc4308" in reason.sources for reason in life.reasons)
    assert life.binding == "policy's rekey time"
    assert not life.negotiated


def test_a_child_sa_with_gcm_has_time_and_octets() -> None:
    life = life_of("aes256gcm16", 1448, 1000)
    # swanctl: rekey_time 1 h, life_time 1.1 times that, rand_time the difference: between 54 and 60 minutes.
    assert (life.soft_seconds, life.hard_seconds) == (3600, 3960)
    assert (life.jitter.earliest_seconds, life.jitter.rand_seconds) == (54 * 60, 6 * 60)
    assert life.hard_bytes is not None
    assert life.soft_bytes is not None
    # 12.2 TB for packets of exactly this size; the life holds for any sizes, for which it gives a little away.
    assert 11.9 < life.hard_bytes / 1e12 < 12.2
    assert life.soft_bytes * 1.1 == pytest.approx(life.hard_bytes, rel=1e-6)
    assert life.expected_seconds == 3600


def test_without_esn_the_sequence_number_bounds_the_packets() -> None:
    life = life_of("chacha20poly1305", 64, 1000, esn=False)
    assert life.hard_packets == 2**32 - 1
    assert life.hard_bytes is None
    # 2^32 packets of 64 octets at 1 Gbit/s take 2199 s, which come before the hour.
    assert life.binding == "sequence numbers"
    assert life.soft_seconds == 3600
    assert life.expected_seconds == pytest.approx(2**32 / 1.1 * 64 * 8 / 1e9, rel=1e-6)
    # What counts seconds only has to be told to be quicker.
    assert life.uncounted_soft_seconds == int(2**32 * 64 * 8 / 1e9) * 10 // 11
    assert life_of("chacha20poly1305", 64, 1).hard_packets is None


def test_3des_at_a_gigabit_lasts_67_milliseconds() -> None:
    lasts = seconds_per_key(esp_suites()["3des-sha1"], Traffic(size_bytes=1024), 1000)
    assert lasts == pytest.approx(0.0671, abs=1e-3)
    life = life_of("3des-sha1", 1024, 1000)
    assert life.hard_bytes is not None
    assert life.hard_bytes <= 8 * 2**20
    assert life.expected_seconds < 0.07
    assert life.binding == "64-bit blocks"
    # Seconds do not go below the policy's shortest rekey: octets are what is counted here.
    assert life.uncounted_hard_seconds == MODERN.number("shortest_rekey_seconds")
    assert seconds_per_key(esp_suites()["chacha20poly1305"], Traffic(size_bytes=1024), 1000) is None


def test_a_fast_box_uses_the_ciphers_cap_up_before_the_policys_time() -> None:
    # 12 TB at 100 Gbit/s last 16 minutes.
    life = life_of("aes128gcm16", 1448, 100_000)
    assert life.binding == "cipher"
    assert life.expected_seconds == pytest.approx(12.0e12 / 1.1 * 8 / 100e9, rel=0.01)
    assert life.uncounted_hard_seconds == pytest.approx(12.0e12 * 8 / 100e9, rel=0.01)
    assert (life.soft_seconds, life.hard_seconds) == (3600, 3960)
    assert any("not the policy's rekey time" in reason.text for reason in life.reasons)


def test_ikev1_takes_the_smaller_life_and_ikev2_keeps_its_own() -> None:
    peer = Peer("old", ike_seconds=3600, child_seconds=1100)
    old, new = (
        life_of("aes128-sha1", 1400, 100, conditions=LifeConditions(ike_version=version, peer=peer))
        for version in (1, 2)
    )
    assert (old.soft_seconds, old.hard_seconds, old.binding, old.negotiated) == (1000, 1100, "peer's life", True)
    assert (new.soft_seconds, new.hard_seconds, new.negotiated) == (3600, 3960, False)
    assert any("old ends its keys" in reason.text for reason in new.jitter.reasons)
    assert [each.effect for each in new.limits if each.name == "peer's life"] == [Effect.REPORTED]
    assert ike_lifetime(MODERN, LifeConditions(ike_version=1, peer=peer)).hard_seconds == 3600
    doubtful = LifeConditions(peer=replace(peer, uncertain=frozenset({"child_seconds"})))
    assert any(
        "do not confirm" in each.reason.text for each in life_of("aes128-sha1", 1400, 100, conditions=doubtful).limits
    )


def test_the_article_gets_the_lives_that_it_sets_and_what_they_run_into() -> None:
    article = load_policy("article")
    old = LifeConditions(ike_version=1)
    ike = ike_lifetime(article, old)
    child = child_lifetime(
        article, esp_suites()["aes128-md5"], Traffic(size_bytes=512), at(1000, 512), esn=False, conditions=old
    )
    # What IKEv1 offers is the hard life; the rekey comes before it.
    assert (ike.hard_seconds, child.hard_seconds) == (86_400, 43_200)
    assert (ike.soft_seconds, child.soft_seconds) == (86_400 * 10 // 11, 43_200 * 10 // 11)
    # They stand as they are set, whatever rekeying costs.
    busy = LifeConditions(ike_version=1, least_seconds=1e6)
    assert ike_lifetime(article, busy).soft_seconds == ike.soft_seconds
    # At 1 Gbit/s of 512 octets the 32-bit sequence numbers end before half of that.
    assert child.binding == "sequence numbers"
    assert child.expected_seconds < 43_200 / 2


def test_what_rekeying_costs_makes_lives_longer_within_the_policy() -> None:
    longer = life_of("aes128gcm16", 1400, 100, conditions=LifeConditions(least_seconds=7199.5))
    assert (longer.soft_seconds, longer.binding) == (7200, "cost of rekeying")
    # 8 hours is the policy's maximum, whatever rekeying costs.
    most = life_of("aes128gcm16", 1400, 100, conditions=LifeConditions(least_seconds=1e6))
    assert (most.hard_seconds, most.binding) == (28_800, "policy's maximum")


def test_the_policys_octets_bound_the_life() -> None:
    setting = Setting(10**9, Reason("Ours, for the test.", ("nist77",)))
    policy = replace(MODERN, settings={**MODERN.settings, "child_maximum_bytes": setting})
    suite = esp_suites()["chacha20poly1305"]
    life = child_lifetime(policy, suite, Traffic(size_bytes=1000), at(8000, 1000), esn=True)
    assert life.hard_bytes == 10**9
    assert life.binding == "policy's octets"
    assert life.expected_seconds == pytest.approx(1 / 1.1, rel=1e-6)


SUITES = st.sampled_from(
    ["aes128gcm16", "aes256-sha256", "aes128ccm16", "chacha20poly1305", "3des-sha1", "aes128ctr-sha1"]
)
SIZES = st.integers(min_value=40, max_value=9000)
RATES = st.floats(min_value=0.1, max_value=400_000)


@given(SUITES, SIZES, RATES, st.booleans(), st.sampled_from([1, 2]), st.integers(60, 100_000), st.floats(0, 1e5))
def test_a_life_exceeds_no_limit(
    suite: str, size: int, rate: float, esn: bool, version: int, peer_seconds: int, least: float
) -> None:
    peer = Peer("peer", child_seconds=peer_seconds)
    conditions = LifeConditions(ike_version=version, peer=peer, least_seconds=least)
    life = life_of(suite, size, rate, esn=esn, conditions=conditions)
    shortest = MODERN.number("shortest_rekey_seconds")
    assert 0 < life.soft_seconds <= life.hard_seconds
    assert 0 < life.uncounted_soft_seconds <= life.uncounted_hard_seconds <= life.hard_seconds
    assert 0 < life.jitter.earliest_seconds <= life.soft_seconds
    for each in life.limits:
        if each.effect is not Effect.AT_MOST:
            continue
        if each.unit is Unit.BYTES:
            assert life.soft_bytes is not None
            assert life.hard_bytes is not None
            assert life.soft_bytes <= life.hard_bytes <= each.value
        elif each.unit is Unit.PACKETS:
            assert life.soft_packets is not None
            assert life.hard_packets is not None
            assert life.soft_packets <= life.hard_packets <= each.value
        elif each.name != "policy's rekey time":
            assert life.hard_seconds <= each.value
        assert each.reached_after_seconds is not None
        if each.unit in (Unit.BYTES, Unit.PACKETS):
            assert life.uncounted_hard_seconds <= max(shortest, each.reached_after_seconds)
    if not esn:
        assert life.hard_packets is not None
        assert life.hard_packets < SEQUENCE_NUMBER_PACKETS
    assert life.expected_seconds <= life.soft_seconds
    assert any(each.name == life.binding for each in life.limits)


@given(SUITES, SIZES, RATES, st.floats(1.0, 100.0), st.booleans())
def test_a_faster_box_never_has_longer_lives(suite: str, size: int, rate: float, factor: float, esn: bool) -> None:
    slow, fast = (life_of(suite, size, mbit, esn=esn) for mbit in (rate, rate * factor))
    assert fast.soft_seconds <= slow.soft_seconds
    assert fast.hard_seconds <= slow.hard_seconds
    assert fast.uncounted_soft_seconds <= slow.uncounted_soft_seconds
    assert fast.uncounted_hard_seconds <= slow.uncounted_hard_seconds
    assert fast.expected_seconds <= slow.expected_seconds
    assert (fast.hard_bytes, fast.hard_packets) == (slow.hard_bytes, slow.hard_packets)


@given(
    st.sampled_from(["aes128gcm16", "aes256ctr-sha256", "aes256-sha256"]), SIZES,
    st.lists(st.integers(40, 9000), min_size=1, max_size=4),
)  # fmt: skip
def test_octets_and_packets_together_hold_whatever_sizes_come(suite: str, size: int, actual: list[int]) -> None:
    # The limits are set for one size, and then packets of other sizes come, until octets or packets are used up.
    life = life_of(suite, size, 1000)
    assert life.hard_bytes is not None
    assert life.hard_packets is not None
    transform = esp_suites()[suite].encryption
    for each in actual:
        packets = min(life.hard_packets, life.hard_bytes // each)
        # What is encrypted: the packet and the trailer, padded to the alignment; CBC sends an IV of one block with it.
        align = transform.pad_align_bytes
        payload = -(-(each + 2) // align) * align + (16 if transform.mode == "cbc" else 0)
        gained = packets_advantage(transform, payload, packets)
        assert gained is not None
        assert gained <= 2**-50 * (1 + 1e-9)


def test_the_budget_of_a_64_bit_block_is_two_to_the_twenty_blocks() -> None:
    budget = key_budget(esp_suites()["3des-sha1"].encryption)
    assert budget is not None
    packets = budget.packets(1024)
    # IV of 8 octets, 1024 octets and the trailer padded to 1032: 130 blocks.
    assert packets * 130 <= 2**20 < (packets + 200) * 130
    assert budget.spent(packets * 1024, packets) <= 2**20
