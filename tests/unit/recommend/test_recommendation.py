"""The whole recommendation: the right answer on known boxes, and what must not change it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.errors import PolicyError, UsageError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import GoalVerdict, Recommendation
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.prediction.predictions import Basis
from ipsecbench.recommend.reasons import ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")
LEGACY = load_policy("legacy-interop")
KNOWN: Mapping[Role, set[str]] = {
    Role.ESP_SUITE: set(esp_suites()),
    Role.KEY_EXCHANGE: set(KEY_EXCHANGE),
    Role.PRF: set(PRF),
    Role.IKE_ENCRYPTION: set(ENCRYPTION),
    Role.AUTHENTICATION: set(AUTHENTICATION),
}
fixture_reuse = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def chosen(found: Recommendation) -> dict[Role, str]:
    return {
        Role.ESP_SUITE: found.phase2.suite,
        Role.KEY_EXCHANGE: found.phase1.key_exchange,
        Role.PRF: found.phase1.prf,
        Role.IKE_ENCRYPTION: found.phase1.encryption,
        Role.AUTHENTICATION: found.phase1.authentication,
    }


def kinds(found: Recommendation, role: Role = Role.ESP_SUITE) -> dict[str, ExclusionKind]:
    return {exclusion.name: exclusion.kind for exclusion in found.excluded(role)}


def with_times(dataset: Dataset, factors: Mapping[str, float]) -> Dataset:
    """The dataset with the packet-loop times of some suites multiplied."""

    def changed(row: Measurement) -> Measurement:
        factor = factors.get(row.workload.algorithm)
        time = row.ns_per_operation
        if factor is None or time is None or row.workload.tier is not Tier.PACKET_LOOP:
            return row
        return replace(row, ns_per_operation=Estimate(time.median * factor, time.lower * factor, time.upper * factor))

    return replace(dataset, measurements=tuple(changed(row) for row in dataset.measurements))


@pytest.mark.parametrize(
    ("box", "phase1", "phase2"),
    [
        ("x86-aes", "aes128gcm16-prfsha256-ecp256", "aes128gcm16-ecp256-esn"),
        ("arm-no-aes", "chacha20poly1305-prfsha256-ecp256", "chacha20poly1305-ecp256-esn"),
        ("mips-no-aes", "chacha20poly1305-prfsha256-ecp256", "chacha20poly1305-ecp256-esn"),
    ],
)
def test_the_answer_is_right_for_the_box(make_dataset: MakeDataset, box: str, phase1: str, phase2: str) -> None:
    for policy in (MODERN, LEGACY):
        found = recommend(make_dataset(box), policy)
        assert (found.phase1.proposal, found.phase2.proposal) == (phase1, phase2)
        assert found.evidence.tier is Tier.PACKET_LOOP


@pytest.mark.parametrize("policy", [MODERN, LEGACY], ids=lambda policy: policy.name)
@pytest.mark.parametrize("box", ["x86-aes", "mips-no-aes"])
@pytest.mark.parametrize(
    "requirements",
    [
        Requirements(),
        Requirements(min_strength_bits=192),
        Requirements(goal_mbit_per_second=50),
        Requirements(goal_mbit_per_second=1e6, authentication="psk"),
    ],
    ids=["default", "192 bits", "goal", "goal missed"],
)
def test_everything_known_is_chosen_offered_or_excluded_and_only_one_of_them(
    make_dataset: MakeDataset, policy: Any, box: str, requirements: Requirements
) -> None:
    found = recommend(make_dataset(box), policy, requirements)
    for role, names in KNOWN.items():
        parts = [chosen(found)[role]]
        parts += [offered.name for offered in found.offered if offered.role is role]
        parts += [exclusion.name for exclusion in found.excluded(role)]
        assert len(parts) == len(set(parts)), role
        assert set(parts) == names, role
    assert all(exclusion.reason.text for exclusion in found.exclusions)


@pytest.mark.parametrize(
    ("name", "kind", "text", "source"),
    [
        ("des-md5", ExclusionKind.FORBIDDEN, "RFC 8221 (ESP) on des: MUST NOT", "rfc8221"),
        ("aes128-md5", ExclusionKind.FORBIDDEN, "MUST NOT", "rfc8221"),
        ("cast128-sha256", ExclusionKind.FORBIDDEN, "RFC 9395 on cast128: deprecated", "rfc9395"),
        ("twofish256-sha256", ExclusionKind.NO_NUMBER, "no transform number", "rfc8221"),
        ("null-sha256", ExclusionKind.NO_ENCRYPTION, "hides nothing", "rfc8221"),
        ("aes128gmac", ExclusionKind.NO_ENCRYPTION, "hides nothing", "rfc8221"),
        ("3des-sha1", ExclusionKind.DATA_LIMIT, "64-bit block: 8 MiB per key, i.e. a rekey every", "sweet32"),
        ("aes128-aesxcbc", ExclusionKind.TOO_WEAK, "below 128 bits", "nist131"),
        ("aes128gcm8", ExclusionKind.NOT_IN_POLICY, "short ICV", "rfc4106"),
        ("aes256-sha256", ExclusionKind.NOT_IN_POLICY, "combined-mode", "rfc8221"),
    ],
)
def test_exclusions_give_the_main_reason_and_its_source(
    make_dataset: MakeDataset, name: str, kind: ExclusionKind, text: str, source: str
) -> None:
    found = next(e for e in recommend(make_dataset(), MODERN).excluded(Role.ESP_SUITE) if e.name == name)
    assert found.kind is kind
    assert text in found.reason.text
    assert source in found.reason.sources


def test_the_rekey_interval_of_3des_is_that_of_the_predicted_rate(make_dataset: MakeDataset) -> None:
    found = next(e for e in recommend(make_dataset(), MODERN).excluded(Role.ESP_SUITE) if e.name == "3des-sha1")
    assert found.mbit_per_second is not None
    interval = 8 * 2**20 * 8 / (found.mbit_per_second.median * 1e6)
    assert f"every {interval:.3g} s" in found.reason.text


def test_a_slower_suite_is_excluded_with_both_figures(make_dataset: MakeDataset) -> None:
    found = {e.name: e for e in recommend(make_dataset(), MODERN).excluded(Role.ESP_SUITE)}
    assert found["aes256gcm16"].kind is ExclusionKind.SLOWER
    assert "slower than aes128gcm16" in found["aes256gcm16"].reason.text
    assert found["aes256gcm16"].mbit_per_second is not None


def test_what_the_library_lacks_is_not_measured_with_its_own_words(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(unsupported={"chacha20poly1305": "libcrypto 1.0.2 has no 'chacha20-poly1305'"})
    found = recommend(dataset, MODERN)
    lost = next(e for e in found.excluded(Role.ESP_SUITE) if e.name == "chacha20poly1305")
    assert lost.kind is ExclusionKind.NOT_MEASURED
    assert "libcrypto 1.0.2 has no" in lost.reason.text
    assert any("chacha20poly1305" in reason.text for reason in found.what_would_change_this)


def test_a_wrong_answer_excludes_loudly_even_the_fastest(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(failed=["aes128gcm16"]), MODERN)
    assert found.phase2.suite == "aes256gcm16"
    lost = next(e for e in found.excluded(Role.ESP_SUITE) if e.name == "aes128gcm16")
    assert lost.kind is ExclusionKind.INCORRECT
    assert "FAILED ITS CHECK" in lost.reason.text


def test_a_failed_transform_excludes_every_suite_that_uses_it(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    broken = Measurement(
        Workload(Tier.PRIMITIVE, "libcrypto", "authenticate", "sha1", 64), Status.FAILED, message="wrong MAC"
    )
    found = recommend(replace(dataset, measurements=(*dataset.measurements, broken)), LEGACY)
    assert kinds(found)["aes128-sha1"] is ExclusionKind.INCORRECT
    assert all("sha1" not in proposal for proposal in found.phase2.fallback_proposals)


def test_what_is_not_surely_slower_is_a_tie_that_strength_breaks(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(half_width=0.2), MODERN)
    assert found.phase2.suite == "aes256gcm16"
    assert kinds(found)["aes128gcm16"] is ExclusionKind.WEAKER
    assert {c.name for c in found.candidates if c.tied} == {"aes128gcm16", "aes256gcm16"}
    chances = {c.name: c.chance for c in found.candidates}
    assert chances["aes256gcm16"] is None
    # The winner is the slower one: the chance that it is ahead all the same is small, and not below 5%.
    assert chances["aes128gcm16"] is not None
    assert 0.05 < chances["aes128gcm16"] < 0.2
    assert chances["chacha20poly1305"] == 1.0
    lost = next(e for e in found.excluded(Role.ESP_SUITE) if e.name == "aes128gcm16")
    assert lost.chance == chances["aes128gcm16"]
    # AES-256 asks for the PRF that every published suite pairs it with.
    assert found.phase1.proposal == "aes256gcm16-prfsha384-ecp256"
    assert any("bounds the tunnel at about 128 bits" in reason.text for reason in found.phase2.reasons)


def test_equal_strength_is_broken_by_the_rfc_level(make_dataset: MakeDataset) -> None:
    dataset = with_times(make_dataset(half_width=0.05), {"chacha20poly1305": 0.55, "aes128gcm16": 1.0})
    found = recommend(dataset, MODERN, Requirements(min_strength_bits=256))
    assert {c.name for c in found.candidates if c.tied} == {"aes256gcm16", "chacha20poly1305"}
    assert found.phase2.suite == "aes256gcm16"
    reason = next(e for e in found.excluded(Role.ESP_SUITE) if e.name == "chacha20poly1305").reason
    assert "SHOULD against MUST" in reason.text
    assert "rfc8221" in reason.sources


def test_with_a_goal_the_strongest_that_reaches_it_is_chosen(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    easy = recommend(dataset, MODERN, Requirements(goal_mbit_per_second=200))
    assert easy.phase2.suite == "aes256gcm16"
    assert easy.goal is not None
    assert easy.goal.verdict is GoalVerdict.MET
    assert kinds(easy)["aes128gcm16"] is ExclusionKind.WEAKER
    # Only AES-128 reaches this one.
    least = {c.name: c.headline.one_way_mbit_per_second.lower for c in easy.candidates}
    between = (least["aes128gcm16"] + least["aes256gcm16"]) / 2
    hard = recommend(dataset, MODERN, Requirements(goal_mbit_per_second=between))
    assert hard.phase2.suite == "aes128gcm16"
    assert kinds(hard)["aes256gcm16"] is ExclusionKind.BELOW_GOAL


def test_a_goal_that_none_is_sure_to_reach_is_said_so(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    missed = recommend(dataset, MODERN, Requirements(goal_mbit_per_second=100_000))
    assert missed.goal is not None
    assert missed.goal.verdict is GoalVerdict.MISSED
    assert missed.phase2.suite == "aes128gcm16"
    assert missed.goal.headroom_percent.upper < 0
    headline = missed.phase2.candidate.headline.one_way_mbit_per_second
    unsure = recommend(dataset, MODERN, Requirements(goal_mbit_per_second=(headline.median + headline.upper) / 2))
    assert unsure.goal is not None
    assert unsure.goal.verdict is GoalVerdict.UNCERTAIN


def test_more_strength_is_asked_of_every_part(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), MODERN, Requirements(min_strength_bits=192))
    assert found.target_strength_bits == 192
    assert found.phase1.strength_bits >= 192
    assert found.phase2.strength_bits >= 192
    # x448 is the cheapest of those above 192 bits on this box: 240 µs against 320 and 800.
    assert found.phase1.key_exchange == "x448"
    assert kinds(found, Role.KEY_EXCHANGE)["ecp384"] is ExclusionKind.SLOWER
    top = recommend(make_dataset(), MODERN, Requirements(min_strength_bits=256))
    assert (top.phase1.key_exchange, top.phase1.prf, top.phase1.authentication) == ("ecp521", "prfsha512", "ecdsa-521")


def test_the_policys_minimum_is_not_lowered_by_the_user(make_dataset: MakeDataset) -> None:
    assert recommend(make_dataset(), MODERN, Requirements(min_strength_bits=64)).target_strength_bits == 128


def test_a_tie_of_key_exchanges_is_broken_by_security(make_dataset: MakeDataset) -> None:
    # x25519 takes 64 µs and ecp256 57; both have 128 bits, and RFC 8247 says SHOULD of ecp256 only.
    found = recommend(make_dataset(half_width=0.4), MODERN)
    assert found.phase1.key_exchange == "ecp256"
    assert kinds(found, Role.KEY_EXCHANGE)["x25519"] is ExclusionKind.WEAKER


def test_the_price_of_more_security_is_given(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), MODERN)
    price = next(p for p in found.prices if p.role is Role.ESP_SUITE)
    mine = found.phase2.candidate.headline.one_way_mbit_per_second
    other = next(e for e in found.excluded(Role.ESP_SUITE) if e.name == "aes256gcm16").mbit_per_second
    assert other is not None
    assert (price.chosen, price.stronger) == ("aes128gcm16", "aes256gcm16")
    assert price.cost_percent.median == pytest.approx(100 * (1 - other.median / mine.median))
    assert price.cost_percent.lower < price.cost_percent.median < price.cost_percent.upper
    exchange = next(p for p in found.prices if p.role is Role.KEY_EXCHANGE)
    assert exchange.stronger == "x448"
    assert exchange.cost_percent.median == pytest.approx(100 * (240 / 57 - 1))


def test_authentication_as_wanted_and_a_pre_shared_key_with_its_warning(make_dataset: MakeDataset) -> None:
    rsa = recommend(make_dataset(), MODERN, Requirements(authentication="rsa-3072"))
    assert rsa.phase1.authentication == "rsa-3072"
    psk = recommend(make_dataset(), MODERN, Requirements(authentication="psk"))
    assert psk.phase1.authentication == "psk"
    assert any("128 random bits" in warning.text for warning in psk.warnings)
    with pytest.raises(PolicyError, match="below 128 bits"):
        recommend(make_dataset(), MODERN, Requirements(authentication="rsa-2048"))
    # Without any signature measured, a pre-shared key is what is left.
    signatures = [name for name in AUTHENTICATION if name != "psk"]
    assert recommend(make_dataset(without=signatures), MODERN).phase1.authentication == "psk"


def test_legacy_interop_offers_the_rest_in_order_and_says_what_is_wrong_with_it(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), LEGACY)
    assert found.phase2.proposal == "aes128gcm16-ecp256-esn"
    assert found.phase2.fallback_proposals == (
        "aes256-sha256-modp2048",
        "aes128-sha1-modp2048",
        "3des-sha1-modp2048",
    )
    assert found.phase1.fallback_proposals == found.phase2.fallback_proposals
    offered = {(part.role, part.name) for part in found.offered}
    assert (Role.KEY_EXCHANGE, "modp2048") in offered
    assert (Role.ESP_SUITE, "3des-sha1") in offered
    texts = [warning.text for warning in found.warnings]
    assert any("Sweet32" in text and "a rekey every" in text for text in texts)
    assert any("IKEv1" in text for text in texts)
    assert all(warning.sources for warning in found.warnings)


def test_a_fallback_is_offered_only_if_it_was_measured_and_is_strong_enough(make_dataset: MakeDataset) -> None:
    without = recommend(make_dataset(without=["3des-sha1", "3des-sha256", "3des"]), LEGACY)
    assert without.phase2.fallback_proposals == ("aes256-sha256-modp2048", "aes128-sha1-modp2048")
    strong = recommend(make_dataset(), LEGACY, Requirements(min_strength_bits=128))
    assert strong.phase2.fallback_proposals == ()
    assert recommend(make_dataset(without=["modp2048"]), LEGACY).phase1.fallback_proposals == ()


def test_what_the_peer_lacks_is_excluded(make_dataset: MakeDataset) -> None:
    peer = Peer(
        "old gateway", key_exchange=frozenset({"modp3072"}), esp_suites=frozenset({"aes256gcm16", "aes128-sha1"})
    )
    found = recommend(make_dataset(), MODERN, Requirements(peer=peer))
    assert (found.phase1.key_exchange, found.phase2.suite) == ("modp3072", "aes256gcm16")
    assert kinds(found)["aes128gcm16"] is ExclusionKind.PEER


def test_mtu_and_mss_follow_the_link(make_dataset: MakeDataset) -> None:
    plain = recommend(make_dataset(), MODERN).phase2
    assert (plain.inner_mtu_bytes, plain.mss_ipv4_bytes, plain.mss_ipv6_bytes) == (1446, 1406, 1386)
    pppoe = recommend(make_dataset(), MODERN, Requirements(link_mtu_bytes=1492, nat_traversal=True)).phase2
    assert pppoe.inner_mtu_bytes == 1430
    assert recommend(make_dataset(), MODERN, Requirements(outer="ipv6")).phase2.inner_mtu_bytes == 1426


def test_several_tunnels_count_as_several_cores_only_if_that_was_measured(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    one = recommend(dataset, MODERN).phase2.candidate.headline.one_way_mbit_per_second
    wanted = Requirements(goal_mbit_per_second=one.lower * 1.5, tunnels=2)
    alone = recommend(dataset, MODERN, wanted)
    assert alone.goal is not None
    assert (alone.goal.verdict, alone.goal.cores) == (GoalVerdict.UNCERTAIN, 1)
    assert "not measured" in alone.goal.text
    single = dataset.get(Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", mix="imix-simple"))
    assert single is not None
    assert single.ns_per_operation is not None
    time = single.ns_per_operation.median / 1.9
    both = Measurement(
        replace(single.workload, cores=2), Status.OK, ns_per_operation=Estimate(time, time * 0.99, time * 1.01)
    )
    pair = recommend(replace(dataset, measurements=(*dataset.measurements, both)), MODERN, wanted)
    assert pair.goal is not None
    assert (pair.goal.verdict, pair.goal.cores) == (GoalVerdict.MET, 2)


def test_python_measurements_are_recommended_from_with_their_tier_and_a_warning(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(python_only=True), MODERN)
    assert (found.evidence.tier, found.evidence.rank, found.evidence.provider) == (Tier.PRIMITIVE, 1, "cryptography")
    assert found.evidence.basis is Basis.COMPOSED
    assert any("Python" in warning.text for warning in found.evidence.warnings)


def test_a_suite_of_a_lower_tier_is_not_compared(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(
        row
        for row in dataset.measurements
        if not (row.workload.tier is Tier.PACKET_LOOP and row.workload.algorithm == "aes128gcm16")
    )
    fits = tuple(f for f in dataset.fits if not (f.tier is Tier.PACKET_LOOP and f.algorithm == "aes128gcm16"))
    found = recommend(replace(dataset, measurements=rows, fits=fits), MODERN)
    assert found.phase2.suite == "aes256gcm16"
    assert kinds(found)["aes128gcm16"] is ExclusionKind.OTHER_TIER


def test_doubts_of_the_dataset_are_passed_on(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(
        settings={"mask": ["aes", "vaes"]},
        ended="interrupted",
        unstable=["ecp256"],
        warnings=(RunWarning("steal", "the hypervisor took 4% of the processor time"),),
        mixes=(),
    )
    found = recommend(dataset, MODERN, Requirements())
    text = " ".join(warning.text for warning in found.evidence.warnings)
    for word in (
        "no aes, vaes",
        "interrupted",
        "Less precise than asked for: ecp256",
        "hypervisor took 4%",
        "line through",
    ):
        assert word in text
    assert "not measured on this box: kernel IPsec on x86" in text


def test_what_was_not_measured_is_never_proposed(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(without=["ecp256", "aes128gcm16", "prfsha256", "sha256", "ecdsa-256"])
    found = recommend(dataset, MODERN)
    assert found.phase1.key_exchange == "x25519"
    assert found.phase2.suite == "aes256gcm16"
    assert found.phase1.prf == "prfsha384"
    assert found.phase1.authentication == "ed25519"


@pytest.mark.parametrize(
    ("without", "word"),
    [
        (["aes128gcm16", "aes256gcm16", "chacha20poly1305"], "ESP suite"),
        (["x25519", "x448", "ecp256", "ecp384", "ecp521", "modp3072", "modp4096"], "key exchange"),
        (["prfsha256", "prfsha384", "prfsha512", "sha256", "sha384", "sha512"], "prf"),
    ],
)
def test_nothing_to_recommend_is_one_line_that_says_what_to_do(
    make_dataset: MakeDataset, without: list[str], word: str
) -> None:
    with pytest.raises(PolicyError, match=word) as caught:
        recommend(make_dataset(without=without), MODERN)
    assert "measure one of them" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_dataset_and_an_impossible_strength_are_policy_errors(make_dataset: MakeDataset) -> None:
    with pytest.raises(PolicyError):
        recommend(replace(make_dataset(), measurements=(), fits=()), MODERN)
    peer = Peer("nobody", esp_suites=frozenset())
    with pytest.raises(PolicyError, match="take the policy legacy-interop"):
        recommend(make_dataset(), MODERN, Requirements(peer=peer))


def test_a_jumbo_packet_on_a_small_link_is_still_a_recommendation(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), MODERN, Requirements(traffic=Traffic(size_bytes=9000), link_mtu_bytes=576))
    assert found.phase2.inner_mtu_bytes < 576
    with pytest.raises(UsageError):
        Requirements(link_mtu_bytes=100)


def test_it_is_json_and_every_source_exists(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(label="edge"), LEGACY, Requirements(goal_mbit_per_second=100, tunnels=4))
    text = json.dumps(found.to_dict(), allow_nan=False)
    back = json.loads(text)
    assert back["phase2"]["candidate"]["headline"]["tier"] == "packet-loop"
    assert back["requirements"]["traffic"] == {
        "size_bytes": None,
        "mix": "imix-simple",
        "distribution": None,
        "name": None,
    }
    assert back["goal"]["verdict"] == "meets the goal"
    assert found.box.startswith("edge · Synthetic")

    def reasons(value: object) -> list[Reason]:
        if isinstance(value, Reason):
            return [value]
        if isinstance(value, tuple):
            return [reason for item in value for reason in reasons(item)]
        fields = getattr(value, "__dataclass_fields__", {})
        return [reason for name in fields for reason in reasons(getattr(value, name))]

    everything = reasons(found)
    assert len(everything) > 200
    assert {source for reason in everything for source in reason.sources} <= set(sources())
    assert all("\n" not in reason.text for reason in everything)


@pytest.mark.slow
@fixture_reuse
@given(seed=st.integers(0, 2**32), box=st.sampled_from(["x86-aes", "arm-no-aes"]), wide=st.sampled_from([0.008, 0.06]))
def test_the_order_of_rows_does_not_matter(make_dataset: MakeDataset, seed: int, box: str, wide: float) -> None:
    dataset = make_dataset(box, half_width=wide)
    rows, fits = list(dataset.measurements), list(dataset.fits)
    order = random.Random(seed)
    order.shuffle(rows)
    order.shuffle(fits)
    shuffled = replace(dataset, measurements=tuple(rows), fits=tuple(fits))
    assert recommend(shuffled, LEGACY) == recommend(dataset, LEGACY)


@pytest.mark.slow
@fixture_reuse
@given(scale=st.floats(0.02, 50), wide=st.sampled_from([0.008, 0.03, 0.06]))
def test_a_box_that_is_faster_in_all_gets_the_same_sets(make_dataset: MakeDataset, scale: float, wide: float) -> None:
    slow, fast = (recommend(make_dataset(half_width=wide, scale=factor), MODERN) for factor in (1.0, scale))
    assert chosen(slow) == chosen(fast)
    assert [candidate.name for candidate in slow.candidates] == [candidate.name for candidate in fast.candidates]


@pytest.mark.slow
@fixture_reuse
@given(
    factor=st.floats(1.0, 40.0),
    suite=st.sampled_from(["aes256gcm16", "chacha20poly1305", "aes128-sha256", "3des-sha1", "null-sha256"]),
)
def test_a_suite_that_gets_worse_never_takes_the_place_of_the_winner(
    make_dataset: MakeDataset, factor: float, suite: str
) -> None:
    before = recommend(make_dataset(), MODERN)
    after = recommend(with_times(make_dataset(), {suite: factor}), MODERN)
    assert after.phase2.suite == before.phase2.suite
    assert recommend(make_dataset(without=[suite]), MODERN).phase2.suite == before.phase2.suite


def test_same_inputs_same_answer(make_dataset: MakeDataset) -> None:
    assert recommend(make_dataset(), LEGACY, Requirements()) == recommend(make_dataset(), LEGACY)
