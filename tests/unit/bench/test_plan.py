"""What is measured for what was asked."""

from __future__ import annotations

import pytest

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.plan import DECISION_SUITES, Request, build_plan, is_decisive, parse_providers, parse_sizes
from ipsecbench.bench.runner import Offer
from ipsecbench.errors import UsageError

LOOP = ("outbound", "inbound", "key-setup")


def offers() -> list[Offer]:
    rows = [Offer("libcrypto", Tier.PACKET_LOOP, suite, LOOP, None) for suite in DECISION_SUITES]
    rows += [
        Offer("libcrypto", Tier.PACKET_LOOP, "blowfish128-sha1", (), "the legacy provider was not found"),
        Offer("libcrypto", Tier.PRIMITIVE, "aes128", ("encrypt", "decrypt"), None),
        Offer("libcrypto", Tier.PRIMITIVE, "aes128gcm16", ("encrypt", "decrypt"), None),
        Offer("libcrypto", Tier.PRIMITIVE, "x25519", ("generate", "agree"), None),
        Offer("libcrypto", Tier.PRIMITIVE, "ecdsa-256", ("sign", "verify"), None),
        Offer("libcrypto", Tier.PRIMITIVE, "prfsha256", ("prf", "prf-plus"), None),
        Offer("cryptography", Tier.PRIMITIVE, "aes128gcm16", ("encrypt", "decrypt"), None),
    ]
    return rows


def test_the_quick_plan_has_every_decision_suite_in_both_directions_and_the_mix() -> None:
    plan = set(build_plan(offers(), Request(quick=True)))
    for suite in DECISION_SUITES:
        for direction in ("outbound", "inbound"):
            for size in (64, 576, 1400):
                assert Workload(Tier.PACKET_LOOP, "libcrypto", direction, suite, size) in plan
            assert Workload(Tier.PACKET_LOOP, "libcrypto", direction, suite, mix="imix-simple") in plan


def test_no_workload_is_planned_twice() -> None:
    plan = build_plan(offers(), Request(cores=2))
    assert len(plan) == len(set(plan))


def test_key_exchange_signatures_and_key_setup_have_no_size() -> None:
    plan = build_plan(offers(), Request())
    without = {(row.algorithm, row.operation) for row in plan if row.size_bytes is None and row.mix is None}
    assert ("x25519", "agree") in without
    assert ("ecdsa-256", "verify") in without
    assert ("aes128gcm16", "key-setup") in without
    assert not any(operation in ("encrypt", "outbound", "prf") for _, operation in without)


def test_only_takes_parts_of_suites_and_patterns() -> None:
    assert {row.algorithm for row in build_plan(offers(), Request(only=("sha384",)))} == {"aes256-sha384"}
    assert {row.algorithm for row in build_plan(offers(), Request(only=("chacha*",)))} == {"chacha20poly1305"}


def test_sizes_apply_to_packets_and_block_modes_round_up_to_blocks() -> None:
    plan = build_plan(offers(), Request(only=("aes128", "aes128gcm16"), sizes_bytes=(100,)))
    sizes = {(row.tier, row.algorithm, row.size_bytes) for row in plan if row.operation != "key-setup"}
    assert (Tier.PRIMITIVE, "aes128", 112) in sizes
    assert (Tier.PRIMITIVE, "aes128gcm16", 100) in sizes
    assert (Tier.PACKET_LOOP, "aes128gcm16", 100) in sizes
    assert not any(row.mix for row in plan)


def test_several_cores_are_doubled_up_to_the_last() -> None:
    plan = build_plan(offers(), Request(cores=6))
    assert {row.cores for row in plan} == {1, 2, 4, 6}


def test_an_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'rot13' matches no algorithm"):
        build_plan(offers(), Request(only=("rot13",)))


def test_a_known_name_that_cannot_be_measured_says_why() -> None:
    with pytest.raises(UsageError, match="legacy provider was not found"):
        build_plan(offers(), Request(only=("blowfish128",)))


@pytest.mark.parametrize(
    "text", ["0", "-1", "1000000000", "65536", "abc", "", "64,,576", "1.5", "1e3", "６４", "64;576"]
)
def test_nonsense_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sizes"):
        parse_sizes(text)


def test_sizes_are_sorted_and_unique() -> None:
    assert parse_sizes("1400, 64,576,64") == (64, 576, 1400)


@pytest.mark.parametrize("text", ["", "openssl", "libcrypto,quantum"])
def test_nonsense_providers_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--providers"):
        parse_providers(text)


def test_the_kernels_ciphers_are_measured_by_name_only_and_by_size() -> None:
    kernel = [
        Offer("kernel", Tier.PRIMITIVE, "aes128gcm16", ("encrypt", "decrypt"), None),
        Offer("kernel", Tier.PRIMITIVE, "aes128", ("encrypt", "decrypt"), None),
        Offer("kernel-batched", Tier.PRIMITIVE, "aes128gcm16", ("encrypt", "decrypt"), None),
    ]
    for request in (Request(), Request(quick=True), Request(only=("aes128gcm16",))):
        assert {row.provider for row in build_plan([*offers(), *kernel], request)} == {"libcrypto", "cryptography"}
    plan = build_plan([*offers(), *kernel], Request(providers=parse_providers("kernel,kernel-batched")))
    assert {row.provider for row in plan} == {"kernel", "kernel-batched"}
    assert {row.size_bytes for row in plan if row.algorithm == "aes128gcm16"} == {64, 256, 576, 1408, 8192}
    assert not any(is_decisive(row) for row in plan)


def test_what_a_recommendation_needs_comes_first() -> None:
    plan = build_plan(reversed(offers()), Request(cores=2))
    decisive = [is_decisive(row) for row in plan]
    assert decisive == sorted(decisive, reverse=True)
    assert plan[0].tier is Tier.PACKET_LOOP
    assert Workload(Tier.PRIMITIVE, "libcrypto", "agree", "x25519") in plan[: sum(decisive)]
    providers = [row.provider for row in plan]
    assert providers.index("cryptography") > max(i for i, name in enumerate(providers) if name == "libcrypto")
