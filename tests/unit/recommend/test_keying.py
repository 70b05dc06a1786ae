"""PFS, ESN, the replay window, hybrids and the answer about 24 hours, decided and priced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.formats import small_percent
from ipsecbench.recommend.keys.esn import choose_esn
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.keying import Keying, keying, sa_rate
from ipsecbench.recommend.keys.lifetimes import SaRate
from ipsecbench.recommend.keys.pfs import PfsMethod, child_method, decide_pfs
from ipsecbench.recommend.keys.replay_window import choose_window
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.policies.records import Policy, Setting
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.recommendation import recommend
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.rules import Rules

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")
PARAMETERS = IkeParameters("aes128gcm16", None, "prfsha256", "x25519", "ecdsa-256", "aes128gcm16", certificate_chain=1)


def with_setting(name: str, value: str | int) -> Policy:
    settings = {**MODERN.settings, name: Setting(value, Reason("For the test.", ("nist77",)))}
    return replace(MODERN, settings=settings)


def answer(dataset: Dataset, policy: Policy = MODERN, **wanted: Any) -> Recommendation:
    return recommend(dataset, policy, Requirements(**wanted))


def keys(dataset: Dataset, policy: Policy = MODERN, parameters: IkeParameters = PARAMETERS, **wanted: Any) -> Keying:
    candidate = answer(dataset).phase2.candidate
    operations = IkeOperations(CostModel(dataset))
    return keying(Rules(policy, Requirements(**wanted)), dataset, operations, parameters, candidate)


def at(packets_per_second: float) -> SaRate:
    return SaRate(packets_per_second * 8e-3, packets_per_second, packets_per_second * 2)


# Perfect forward secrecy


@pytest.mark.parametrize(
    ("setting", "objective", "extra_share", "on"),
    [
        ("required", Objective.CPU, 0.5, True),
        ("off", Objective.SECURITY, 0.0, False),
        ("prefer", Objective.BALANCED, 0.5, True),
        ("prefer", Objective.SECURITY, 0.5, True),
        ("prefer", Objective.CPU, 0.009, True),
        ("prefer", Objective.CPU, 0.011, False),
        ("prefer", Objective.THROUGHPUT, 0.011, False),
        ("prefer", Objective.LATENCY, 0.011, False),
    ],
)
def test_pfs_is_decided_by_policy_then_objective(
    setting: str, objective: Objective, extra_share: float, on: bool
) -> None:
    rules = Rules(with_setting("perfect_forward_secrecy", setting), Requirements(objective=objective))
    method = PfsMethod("x25519", Reason("The same."))
    decision = decide_pfs(rules, method, extra_share)
    assert decision.on is on
    assert decision.reasons[0].text == "For the test."


def test_the_method_is_phase_1s_unless_the_peer_has_another(make_dataset: MakeDataset) -> None:
    operations = IkeOperations(CostModel(make_dataset()))

    def method(policy: Policy, child: frozenset[str] | None) -> str | None:
        rules = Rules(policy, Requirements(peer=Peer("the peer", child_key_exchange=child)))
        return child_method(rules, operations, "ecp256").name

    assert method(MODERN, None) == "ecp256"
    assert method(MODERN, frozenset({"ecp256", "x25519"})) == "ecp256"
    # No weaker than phase 1's 128 bits: 2048 bits of MODP are 112; of the others the cheapest one.
    assert method(MODERN, frozenset({"modp2048", "modp3072", "ecp384", "x25519"})) == "x25519"
    assert method(MODERN, frozenset({"modp2048"})) is None
    # Strong enough, and not in the policy.
    assert method(MODERN, frozenset({"ecp256bp"})) is None
    assert method(with_setting("child_key_exchange", "same"), frozenset({"x25519"})) is None


def test_what_the_policy_requires_and_the_peer_lacks_is_an_error(make_dataset: MakeDataset) -> None:
    peer = Peer("old box", child_key_exchange=frozenset())
    with pytest.raises(PolicyError, match="requires perfect forward secrecy: old box has no method"):
        keys(make_dataset(), peer=peer)
    found = keys(make_dataset(), with_setting("perfect_forward_secrecy", "prefer"), peer=peer)
    assert (found.pfs.on, found.pfs.key_exchange) == (False, None)
    assert any("old box has no method" in reason.text for reason in found.pfs.reasons)


def test_the_price_of_pfs_by_hand(make_dataset: MakeDataset) -> None:
    name = "ikev2:aes128gcm16-prfsha256-x25519:ecdsa-256"
    found = keys(make_dataset(stack={name: 1.0}), tunnels=1000).pfs
    # x25519 takes 64 µs; KEYMAT of two keys of 20 octets 2 blocks of 0.95 µs; two of four messages 734 / 2 µs.
    with_pfs, without = (each.responder.cpu_us.median for each in (found.with_pfs, found.without_pfs))
    assert without == pytest.approx(2 * 0.95 + 734 / 2)
    assert with_pfs - without == pytest.approx(64)
    assert found.share_with.median == pytest.approx(with_pfs / 1e6 * 1000 / 3360)
    # One Child SA's 66 minutes against 4.4 hours of the IKE SA, at the upper end of the predicted rate.
    assert found.opened_without_bytes / found.opened_with_bytes == pytest.approx(4.0)


# Extended sequence numbers


def test_esn_is_needed_from_half_of_the_numbers_on() -> None:
    # 2^31 packets in 3960 s are 542,291 packets a second.
    slow, fast = (choose_esn(MODERN, None, 2, at(rate), 3960) for rate in (542_000, 543_000))
    assert (slow.esn, slow.needed) == (True, False)
    assert (fast.esn, fast.needed) == (True, True)
    assert any("small packets alone would" in reason.text for reason in slow.reasons)


def test_policy_peer_and_version_decide_about_esn() -> None:
    off, required = (with_setting("extended_sequence_numbers", value) for value in ("off", "required"))
    lacks, has = Peer("old box", esn=False), Peer("new box", esn=True)
    assert not choose_esn(off, has, 2, at(1e6), 3960).esn
    assert choose_esn(off, has, 2, at(1e6), 3960).warnings
    assert not choose_esn(off, has, 2, at(1e3), 3960).warnings
    assert not choose_esn(MODERN, lacks, 2, at(1e6), 3960).esn
    # IKEv1 has an attribute that few know.
    assert not choose_esn(MODERN, None, 1, at(1e6), 3960).esn
    assert choose_esn(MODERN, has, 1, at(1e6), 3960).esn
    assert choose_esn(required, None, 2, at(1.0), 3960).esn
    with pytest.raises(PolicyError, match="old box does not have them"):
        choose_esn(required, lacks, 2, at(1e6), 3960)


def test_without_esn_the_warning_and_the_packets_are_in_the_answer(make_dataset: MakeDataset) -> None:
    # 26,000 s of any box that is not slow: more than 82,600 packets a second.
    found = answer(make_dataset(), with_setting("child_rekey_seconds", 26_000), peer=Peer("old box", esn=False))
    assert not found.phase2.esn
    assert found.phase2.lifetime.hard_packets == 2**32 - 1
    assert found.esn.needed == (found.esn.packets_in_life > 2**31)
    assert found.esn.needed
    assert any("half used up after" in reason.text for reason in found.warnings)


# Replay window


@pytest.mark.parametrize(
    ("policy_packets", "rate", "reordering_ms", "cores", "window"),
    [
        (32, 1e6, 0.0, None, 64),  # RFC 4303: 64 is the default
        (128, 1e6, 0.0, None, 128),
        (32, 1e6, 0.1, None, 128),  # 100 packets overtake one that is 0.1 ms late
        (32, 1e6, 0.1, 2, 256),  # and 64 of another core's batch: 164
        (32, 1e6, 0.0, 4, 256),  # three other cores: 192
        (32, 100.0, 5.0, None, 64),
        (32, 1e6, 10.0, None, 16_384),
    ],
)
def test_the_window_holds_what_overtakes(
    policy_packets: int, rate: float, reordering_ms: float, cores: int | None, window: int
) -> None:
    policy = with_setting("replay_window_packets", policy_packets)
    found = choose_window(policy, Requirements(reordering_ms=reordering_ms, cores=cores), at(rate))
    assert found.packets == window
    assert found.memory_bytes == window // 8
    assert bool(found.warnings) == (window > 2040)
    assert found.packets >= found.path_packets + found.queue_packets


# Set-up load as a whole


def test_the_load_is_in_the_answer(make_dataset: MakeDataset) -> None:
    found = answer(make_dataset(), tunnels=500, certificate_chain=2, round_trip_ms=100.0).setup
    assert found.certificate_chain == 2
    assert found.setup.wall_ms.lower > 200
    assert found.setups_per_second.median == pytest.approx(1e6 / found.setup.responder.cpu_us.median)
    assert found.cryptography_setups_per_second.median > found.setups_per_second.median
    assert (found.rekeying.tunnels, found.recovery.tunnels) == (500, 500)
    assert [each.name for each in found.other_setups] == ["main mode, quick mode", "aggressive mode, quick mode"]
    assert any("250 µs for one message" in reason.text for reason in found.reasons)
    assert any("verifies 3 signatures" in reason.text for reason in found.reasons)
    assert answer(make_dataset(), authentication="psk").setup.certificate_chain == 0


def test_the_answer_holds_what_was_decided(make_dataset: MakeDataset) -> None:
    found = answer(make_dataset())
    assert found.phase2.key_exchange == found.pfs.key_exchange == found.phase1.key_exchange
    assert found.phase2.esn is found.esn.esn is True
    assert found.phase2.replay_window_packets == found.replay_window.packets == 128
    plain = found.to_dict()
    assert plain["setup"]["protocol_basis"].startswith("not measured")
    assert plain["phase2"]["lifetime"]["limits"][0]["effect"] == "at most"


def test_ikev1_is_priced_by_main_and_quick_mode(make_dataset: MakeDataset) -> None:
    old = IkeParameters("aes128", "sha256", "prfsha256", "ecp256", "psk", "aes128-sha256", ike_version=1)
    found = keys(make_dataset(), parameters=old, peer=Peer("old box", child_seconds=1800, ike_seconds=28_800))
    assert found.setup.setup.name == "main mode, quick mode"
    assert found.setup.child_rekey.name == "quick mode with PFS"
    assert found.setup.ike_rekey.name == "main mode"
    assert [each.name for each in found.setup.other_setups] == ["IKE_SA_INIT, IKE_AUTH", "aggressive mode, quick mode"]
    assert found.setup.hybrids == ()
    assert found.setup.messages == ()
    assert (found.child_lifetime.hard_seconds, found.child_lifetime.negotiated) == (1800, True)
    assert not found.esn.esn


def test_more_rekeying_than_the_bound_is_a_warning(make_dataset: MakeDataset) -> None:
    found = keys(make_dataset(box="mips-no-aes"), tunnels=1_000_000)
    assert found.child_lifetime.binding == "policy's maximum"
    assert found.setup.rekeying.cpu_share.median > 0.1
    (text,) = (reason.text for reason in found.warnings if "use more cores for IKE" in reason.text)
    assert text.startswith("Rekeying 1000000 Child SAs and 1000000 IKE SAs")
    assert not any("use more cores" in reason.text for reason in keys(make_dataset(), tunnels=1000).warnings)


# Hybrids


def test_hybrids_are_priced_or_said_to_be_unmeasured(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(
        Measurement(
            Workload(Tier.PRIMITIVE, "cryptography", operation, "mlkem768"),
            Status.OK,
            ns_per_operation=Estimate(cost * 1e3, cost * 990, cost * 1010),
        )
        for operation, cost in (("generate", 30), ("encapsulate", 25), ("decapsulate", 40))
    )
    measured, unmeasured = keys(replace(dataset, measurements=(*dataset.measurements, *rows))).setup.hybrids
    assert (measured.method, unmeasured.method) == ("mlkem768", "mlkem1024")
    assert not measured.chosen
    assert measured.initiator_us is not None
    assert measured.responder_us is not None
    assert [measured.initiator_us.median, measured.responder_us.median] == pytest.approx([70, 25])
    assert "1249 and 1153 octets, no fragments" in measured.reason.text
    assert unmeasured.initiator_us is None
    assert "is not measured on this box" in unmeasured.reason.text
    assert "up to 2 fragments" in unmeasured.reason.text


def test_a_chosen_hybrid_is_in_every_figure(make_dataset: MakeDataset) -> None:
    hybrid = replace(PARAMETERS, additional_key_exchanges=("mlkem1024",))
    found = keys(make_dataset(), parameters=hybrid).setup
    assert [each.method for each in found.hybrids if each.chosen] == ["mlkem1024"]
    assert found.setup.round_trips == 3
    assert not found.setup.measured
    assert any("left out of the sums" in reason.text for reason in found.reasons)
    assert [message.fragments for message in found.messages] == [1, 1, 2, 2]


# Why 24 hours


def test_the_answer_about_24_hours_has_this_boxs_figures(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    found = keys(dataset, tunnels=40)
    fastest = sa_rate(answer(dataset).phase2.candidate)
    day = found.day_long_lives
    assert day.opened_without_pfs_bytes == pytest.approx(fastest.mbit_per_second * 1e6 / 8 * 86_400)
    assert day.opened_recommended_bytes == found.pfs.opened_with_bytes < day.opened_without_pfs_bytes / 20
    once, hourly = day.daily_rekey_core_seconds_per_day.median, day.hourly_rekey_core_seconds_per_day.median
    assert hourly == pytest.approx(24 * once)
    assert once == pytest.approx(40 * found.pfs.with_pfs.responder.cpu_us.median / 1e6)
    assert day.sequence_numbers_last_seconds == pytest.approx(2**32 / fastest.packets_per_second)
    assert "RFC 4308" in day.text
    assert "no reason for 24 hours" in day.text
    assert "without ESN the numbers" in day.text
    assert {"rfc4308", "nist77", "aead"} <= set(day.sources)


def test_a_slow_box_without_pfs_is_told_what_it_leaves_open(make_dataset: MakeDataset) -> None:
    policy = with_setting("perfect_forward_secrecy", "off")
    found = keys(make_dataset(box="mips-no-aes"), policy, tunnels=1000)
    assert not found.pfs.on
    assert found.day_long_lives.opened_recommended_bytes == found.pfs.opened_without_bytes
    assert "(no PFS)" in found.day_long_lives.text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (3.8e-05, "0.0038%"),
        (0.0099, "0.99%"),
        (0.051, "5.1%"),
        (0.5, "50%"),
        (2.5, "250%"),
        (1e-9, "0.00000010%"),
    ],
)
def test_small_shares_keep_two_digits(share: float, text: str) -> None:
    assert small_percent(share) == text
