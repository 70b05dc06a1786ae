"""Verdicts follow the data: each claim on boxes where the truth is known, both ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Fit, Measurement, Sample
from ipsecbench.dataset.model import Dataset
from ipsecbench.explain.box import Box
from ipsecbench.explain.claims import Finding, all_claims, claim_named, find_claim, judge
from ipsecbench.explain.verdicts import Verdict

Make = Callable[..., Dataset]
HOLDS, FAILS, DEPENDS, UNKNOWN = (each.value for each in Verdict)


def _times(estimate: Estimate, factor: float) -> Estimate:
    return Estimate(estimate.median * factor, estimate.lower * factor, estimate.upper * factor)


def scaled(dataset: Dataset, names: Iterable[str], factor: float) -> Dataset:
    """The box with some algorithms or suites faster or slower by a factor on their time."""
    wanted = set(names)

    def row(one: Measurement) -> Measurement:
        if one.workload.algorithm not in wanted or one.ns_per_operation is None:
            return one
        samples = tuple(
            Sample(each.round, each.iterations, max(1, round(each.wall_ns * factor)), each.cpu_ns, each.cycles)
            for each in one.samples
        )
        return replace(one, samples=samples, ns_per_operation=_times(one.ns_per_operation, factor))

    def fit(one: Fit) -> Fit:
        if one.algorithm not in wanted:
            return one
        return replace(one, fixed_ns=_times(one.fixed_ns, factor), ns_per_byte=_times(one.ns_per_byte, factor))

    return replace(
        dataset,
        measurements=tuple(row(one) for one in dataset.measurements),
        fits=tuple(fit(one) for one in dataset.fits),
    )


def verdict(name: str, dataset: Dataset | None) -> str:
    """The verdict on a claim."""
    return found(name, dataset).verdict


def found(name: str, dataset: Dataset | None) -> Finding:
    """The finding on a claim."""
    return judge(claim_named(name), None if dataset is None else Box(dataset))


def test_3des_against_aes(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("3des-beats-aes", box) == FAILS
    assert verdict("3des-beats-aes", scaled(box, ["3des-sha1", "3des-sha256"], 0.01)) == HOLDS
    # A mean packet of 354 octets: what AES takes for it over what 3DES does, so that the two are a tie.
    tie = scaled(box, ["3des-sha1"], (980 + 1.85 * 354.3) / (1500 + 32.0 * 354.3))
    assert verdict("3des-beats-aes", tie) == DEPENDS
    assert verdict("3des-beats-aes", make_dataset(without=["3des-sha1", "3des-sha256"])) == UNKNOWN


def test_md5_against_sha1(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("md5-beats-sha1", scaled(box, ["aes128-md5"], 0.5)) == HOLDS
    assert verdict("md5-beats-sha1", scaled(box, ["aes128-md5"], 2.0)) == FAILS
    assert "MUST NOT" in found("md5-beats-sha1", scaled(box, ["aes128-md5"], 0.5)).answer


def test_sha512_against_sha256(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("sha512-is-slower", scaled(box, ["aes256-sha512"], 3.0)) == HOLDS
    assert verdict("sha512-is-slower", scaled(box, ["aes256-sha512"], 0.3)) == FAILS


def test_des_and_blowfish(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("des-is-fastest", box) == FAILS
    assert verdict("des-is-fastest", scaled(box, ["des-md5"], 0.05)) == HOLDS
    assert verdict("blowfish-is-light", box) == FAILS
    assert verdict("blowfish-is-light", scaled(box, ["blowfish128-sha1"], 0.05)) == HOLDS


def test_aes256_halves(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("aes256-halves", box) == FAILS
    slow = scaled(box, ["aes256gcm16", "aes256-sha256"], 6.0)
    assert verdict("aes256-halves", slow) == HOLDS
    assert verdict("aes256-halves", scaled(box, ["aes256gcm16"], 6.0)) == DEPENDS


def test_gcm_always_wins(make_dataset: Make) -> None:
    assert verdict("gcm-always-wins", make_dataset(lab={})) == HOLDS
    arm = found("gcm-always-wins", make_dataset("arm-no-aes", lab={}))
    assert arm.verdict == FAILS
    assert "chacha20poly1305" in arm.answer


def test_hardware_aes(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("hardware-aes", box) == FAILS
    assert verdict("hardware-aes", make_dataset("arm-no-aes", lab={})) == UNKNOWN
    others = {row.workload.algorithm for row in box.measurements} - {"aes128gcm16", "aes192gcm16", "aes256gcm16"}
    assert verdict("hardware-aes", make_dataset(lab={}, without=[*others])) == HOLDS
    masked = replace(box, settings={**box.settings, "mask": ["aes"]})
    assert verdict("hardware-aes", masked) == UNKNOWN


def test_chacha_is_for_boxes_without_aes(make_dataset: Make) -> None:
    box, arm = make_dataset(lab={}), make_dataset("arm-no-aes", lab={})
    assert verdict("chacha20", box) == HOLDS
    assert verdict("chacha20", scaled(box, ["chacha20poly1305"], 0.05)) == FAILS
    assert verdict("chacha20", arm) == HOLDS
    assert verdict("chacha20", scaled(arm, ["chacha20poly1305"], 50.0)) == FAILS


def test_no_integrity_is_never_right(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    cheap = found("none-is-fastest", scaled(box, ["aes128"], 0.1))
    dear = found("none-is-fastest", scaled(box, ["aes128"], 10.0))
    assert cheap.verdict == dear.verdict == FAILS
    assert "would save" in cheap.answer
    assert "not even faster" in dear.answer


def test_group_2(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert "saves nothing" in found("group-2-is-fine", box).answer
    assert "saves nothing" not in found("group-2-is-fine", scaled(box, ["modp1024"], 0.01)).answer
    assert verdict("group-2-is-fine", scaled(box, ["modp1024"], 0.01)) == FAILS
    assert verdict("group-2-is-fine", None) == FAILS


def test_bigger_groups(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    answer = found("bigger-group", box).answer
    assert "group 21 (ecp521, 256 bits) is" in answer
    assert "group 20 (ecp384" in answer
    assert "(ecp521, 256 bits) is" not in found("bigger-group", scaled(box, ["ecp521"], 20.0)).answer


def test_groups_add_nothing_to_packets(make_dataset: Make) -> None:
    assert verdict("group-slows-traffic", make_dataset(lab={})) == FAILS
    assert "modp4096" in found("group-slows-traffic", make_dataset(lab={})).answer


def test_phase_1_strong(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("strong-phase-1", box) == HOLDS
    # 36 s of an hour: a key exchange of 40 s is no longer next to nothing.
    assert verdict("strong-phase-1", scaled(box, ["modp4096"], 40e6 / 3010)) == DEPENDS


def test_pfs_and_lives(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("disable-pfs", box) == FAILS
    assert verdict("24-hour-lives", box) == FAILS
    every = ["x25519", "x448", "ecp256", "ecp384", "ecp521", "ecp256bp", "modp1024", "modp2048", "modp3072", "modp4096"]
    slow = scaled(box, every, 4e6)
    assert verdict("disable-pfs", slow) == DEPENDS
    assert verdict("24-hour-lives", slow) == DEPENDS


def test_signatures(make_dataset: Make) -> None:
    box = make_dataset(lab={})
    assert verdict("ecdsa-beats-rsa", box) == DEPENDS
    assert verdict("ecdsa-beats-rsa", scaled(box, ["ecdsa-256"], 0.1)) == HOLDS
    assert verdict("ecdsa-beats-rsa", scaled(box, ["ecdsa-256"], 1000.0)) == FAILS
    assert verdict("ecdsa-beats-rsa", make_dataset(without=["rsa-3072"])) == UNKNOWN


def test_set_up_of_ikev2_against_ikev1(make_dataset: Make) -> None:
    """Four messages against nine: two round trips of 20 ms less, unless the cryptography takes seconds."""
    box = make_dataset(lab={}, stack={"ikev2:psk": 1.0})
    finding = found("ikev2-is-faster", box)
    assert finding.verdict == HOLDS
    new, old = finding.figures
    assert 35e3 < old.value.median - new.value.median < 60e3
    every = ["x25519", "x448", "ecp256", "ecp384", "ecp521", "ecp256bp", "modp1024", "modp2048", "modp3072", "modp4096"]
    assert verdict("ikev2-is-faster", scaled(box, every, 1e6)) == DEPENDS


def test_cores_and_esn_are_no_matter_of_a_box(make_dataset: Make) -> None:
    assert verdict("more-cores", make_dataset(lab={})) == verdict("more-cores", None) == FAILS
    assert verdict("esn-costs", make_dataset(lab={})) == verdict("esn-costs", None) == FAILS


def test_facts_need_no_box() -> None:
    assert verdict("aes-512", None) == FAILS
    assert verdict("mtu-1400", None) == FAILS
    assert verdict("aggressive-is-faster", None) == FAILS
    assert verdict("tunnel-costs", None) == DEPENDS
    # 20 octets of IPv4 in a frame of 64 + 20 + 34 octets and Ethernet's 38: docs of ESP overhead.
    small = next(figure for figure in found("tunnel-costs", None).figures if "64-byte" in figure.label)
    assert 10 < small.value.median < 20


def test_every_claim_has_an_answer_on_every_box(make_dataset: Make) -> None:
    boxes: list[Dataset | None] = [None, make_dataset(), make_dataset("mips-no-aes"), make_dataset(python_only=True)]
    for dataset in boxes:
        box = None if dataset is None else Box(dataset)
        for claim in all_claims():
            finding = judge(claim, box)
            assert finding.verdict in (HOLDS, FAILS, DEPENDS, UNKNOWN)
            assert finding.answer.endswith("."), claim.name
            json.dumps(finding.to_dict())
            for figure in finding.figures:
                assert figure.value.lower <= figure.value.median <= figure.value.upper, (claim.name, figure)
                assert figure.tier


def test_an_empty_dataset_says_what_is_missing(make_dataset: Make) -> None:
    empty = replace(make_dataset(), measurements=(), fits=())
    for claim in all_claims():
        assert judge(claim, Box(empty)).verdict in (UNKNOWN, FAILS, DEPENDS)
    assert verdict("3des-beats-aes", empty) == UNKNOWN


def test_the_same_dataset_gives_the_same_findings(make_dataset: Make) -> None:
    one, other = ([judge(claim, Box(make_dataset(lab={}))).to_dict() for claim in all_claims()] for _ in range(2))
    assert json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize(
    "said", ["disable PFS for speed", "GROUP 2 IS FINE", "3DES is faster than AES.", "24-hour lives"]
)
def test_claims_are_found_by_what_people_say(said: str) -> None:
    assert find_claim(said) is not None
