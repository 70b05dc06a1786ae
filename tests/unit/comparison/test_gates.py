"""Gates fail by what was measured and never by noise, and one that nothing was held against is a mistake."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.bench.published import Published, Unit
from ipsecbench.comparison.compare import compare, outcome_of
from ipsecbench.comparison.gates import judge, parse_gate, refuse_vacuous
from ipsecbench.comparison.model import Box, BoxComparison, Ratio
from ipsecbench.comparison.scopes import Scope, scope_of
from ipsecbench.comparison.selectors import parse_selector
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import UsageError

ESP = Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", None, "imix-simple")
NANOSECOND = Estimate(1.0, 1.0, 1.0)


def dataset(*rows: Measurement) -> Dataset:
    return Dataset("2026-01-02T00:00:00+00:00", "0.1.0", None, "finished", {}, {}, rows)


def ratio(lower: float, upper: float, work: Workload = ESP) -> Ratio:
    speed = Estimate(sqrt(lower * upper), lower, upper)
    return Ratio(work, NANOSECOND, NANOSECOND, speed, outcome_of(speed))


@pytest.mark.parametrize(
    ("lower", "upper", "proven", "strict"),
    [
        (0.90, 0.94, True, True),
        (0.90, 0.96, False, True),
        (0.80, 1.20, False, True),
        (0.951, 0.97, False, False),
        (1.10, 1.20, False, False),
    ],
)
def test_a_plain_gate_fails_by_proof_and_a_strict_one_without(
    lower: float, upper: float, proven: bool, strict: bool
) -> None:
    assert parse_gate("esp.aes128gcm16@imix:-5%").fails(ratio(lower, upper)) is proven
    assert parse_gate("esp.aes128gcm16@imix:-5%!").fails(ratio(lower, upper)) is strict


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("esp.aes128gcm16@imix", True),
        ("esp.aes*@imix-simple/outbound", True),
        ("aes128gcm16", True),
        ("*", True),
        ("esp.*@imix-csit", False),
        ("esp.*@64", False),
        ("esp.*/inbound", False),
        ("cipher.aes128gcm16", False),
        ("esp.AES128GCM16", False),
    ],
)
def test_a_selector_means_what_it_says(text: str, matches: bool) -> None:
    assert parse_selector(text, "--only").matches(ESP) is matches


def test_keys_made_ready_are_no_packets_unless_they_are_named() -> None:
    setup = replace(ESP, operation="key-setup", mix=None)
    assert not parse_selector("esp.*", "--only").matches(setup)
    assert parse_selector("esp.*/key-setup", "--only").matches(setup)
    assert parse_selector("aes*", "--only").matches(setup)


@pytest.mark.parametrize(
    ("operation", "algorithm", "tier", "scope"),
    [
        ("decrypt", "aes128", Tier.PRIMITIVE, Scope.CIPHER),
        ("digest", "sha256", Tier.PRIMITIVE, Scope.MAC),
        ("prf-plus", "prfsha256", Tier.PRIMITIVE, Scope.PRF),
        ("generate", "x25519", Tier.PRIMITIVE, Scope.KEX),
        ("generate", "rsa-2048", Tier.PRIMITIVE, Scope.SIG),
        ("generate", "ecp256", Tier.PRIMITIVE, Scope.KEX),
        ("generate", "ed25519", Tier.PRIMITIVE, Scope.SIG),
        ("verify", "ecdsa-256", Tier.PRIMITIVE, Scope.SIG),
        ("verify", "aes128gmac", Tier.PRIMITIVE, Scope.MAC),
        ("setup-responder", "ikev2:aes128-sha256-x25519:psk", Tier.HANDSHAKE, Scope.IKE),
        ("both", "aes128gcm16", Tier.ON_WIRE, Scope.ESP),
        ("hash-and-dance", "x", Tier.PRIMITIVE, Scope.OTHER),
    ],
)
def test_rows_have_a_scope(operation: str, algorithm: str, tier: Tier, scope: Scope) -> None:
    assert scope_of(Workload(tier, "x", operation, algorithm)) is scope


def test_sets_with_colons_can_be_named() -> None:
    gate = parse_gate("ike.ikev2:aes128-*:psk/setup-responder:-12.5%!")
    assert gate.least == pytest.approx(0.875)
    assert gate.is_strict
    assert gate.selector.matches(Workload(Tier.HANDSHAKE, "ipsecbench", "setup-responder", "ikev2:aes128-x:psk"))


@pytest.mark.parametrize(
    "text",
    ["", "esp", "esp.aes128gcm16", "esp.aes128gcm16@imix", "esp.aes128gcm16:5", "esp.aes128gcm16:5%", "esp.aes:+5%",
     "esp.aes:-100%", "esp.aes:-5%?", "esp.aes:-1e3%", "esp.aes@:-5%", "esp.aes@imix/:-5%", "esp.a b:-5%",
     "wire.aes128gcm16:-5%", ".aes:-5%:", "esp.aes:-5 %"],
)  # fmt: skip
def test_what_is_no_gate_is_a_mistake(text: str) -> None:
    with pytest.raises(UsageError, match="--fail-if"):
        parse_gate(text)


def compared(base: Dataset, other: Dataset) -> tuple[Box, BoxComparison]:
    boxes = Box("old", "old", base), Box("new", "new", other)
    return boxes[0], compare(boxes).boxes[0]


def row(work: Workload, ns: float) -> Measurement:
    return Measurement(work, Status.OK, (), Estimate(ns, ns * 0.99, ns * 1.01))


def test_a_gate_holds_every_row_that_it_means() -> None:
    inbound, small = replace(ESP, operation="inbound"), replace(ESP, mix=None, size_bytes=64)
    base, found = compared(
        dataset(row(ESP, 100), row(inbound, 100), row(small, 100)),
        dataset(row(ESP, 150), row(inbound, 120), row(small, 900)),
    )
    result = judge(parse_gate("esp.aes128gcm16@imix:-5%"), base, found)
    assert [each.workload for each in result.failing] == [ESP, inbound]
    assert result.failed
    refuse_vacuous([result])
    passed = judge(parse_gate("esp.aes128gcm16@imix:-40%"), base, found)
    assert not passed.failed
    assert len(passed.held) == 2


def test_a_box_that_lost_an_algorithm_fails() -> None:
    gone = Measurement(ESP, Status.UNSUPPORTED, message="no such algorithm in OpenSSL 4")
    base, found = compared(dataset(row(ESP, 100)), dataset(gone))
    result = judge(parse_gate("esp.*:-5%"), base, found)
    assert result.failed
    assert result.lost == (gone,)
    refuse_vacuous([result])


def test_what_was_not_measured_is_counted() -> None:
    small = replace(ESP, mix=None, size_bytes=64)
    skipped = Measurement(small, Status.SKIPPED, message="the time was spent")
    base, found = compared(dataset(row(ESP, 100), row(small, 100)), dataset(row(ESP, 100), skipped))
    result = judge(parse_gate("esp.*:-5%"), base, found)
    assert not result.failed
    assert result.missing == 1


def test_a_gate_that_nothing_was_held_against_is_a_mistake() -> None:
    base, found = compared(dataset(row(ESP, 100)), dataset(row(ESP, 100)))
    with pytest.raises(UsageError, match="it matches no row of the baseline"):
        refuse_vacuous([judge(parse_gate("esp.aes128gcm61@imix:-5%"), base, found)])
    base, found = compared(dataset(row(ESP, 100)), dataset(row(replace(ESP, tier=Tier.KERNEL), 100)))
    with pytest.raises(UsageError, match="new has nothing to hold against them"):
        refuse_vacuous([judge(parse_gate("esp.aes128gcm16@imix:-5%"), base, found)])


def test_a_measurement_held_against_itself_is_a_mistake() -> None:
    published = tuple(Published(100.0, Unit.MEGABYTES, line) for line in (3, 4))
    copied = replace(row(ESP, 100), published=published)
    base, found = compared(dataset(copied), dataset(copied))
    with pytest.raises(UsageError, match="new and the baseline are the same measurement"):
        refuse_vacuous([judge(parse_gate("esp.*:-5%"), base, found)])
    other = replace(copied, published=(published[0], Published(100.0, Unit.MEGABYTES, 5)))
    base, found = compared(dataset(copied), dataset(other))
    refuse_vacuous([judge(parse_gate("esp.*:-5%"), base, found)])
