"""Predicted against measured, over boxes whose costs are known because they are made up."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Sample, Status, Tier, Workload
from ipsecbench.bench.statistics import median_estimate
from ipsecbench.lab.plane_cost import PlaneCosts, own_base, providers
from ipsecbench.lab.prediction import compare, summarise

LOOPS = {"null-sha256": 400.0, "aes128gcm16": 300.0, "aes128-sha256": 700.0, "3des-sha1": 5000.0}
SIZES = (64, 1400)


def measured(tier: Tier, provider: str, direction: str, suite: str, size: int, ns: float, noise: float) -> Measurement:
    """A row whose samples lie around a time."""
    random = Random(f"{tier}{provider}{direction}{suite}{size}")
    samples = tuple(
        Sample(number, 1000, round(1000 * ns * (1 + random.uniform(-noise, noise))), round(1000 * ns))
        for number in range(9)
    )
    estimate = median_estimate([sample.ns_per_operation for sample in samples])
    return Measurement(Workload(tier, provider, direction, suite, size), Status.OK, samples, estimate)


def box(
    fixed_ns: float = 900.0, noise: float = 0.002, surcharge: dict[str, float] | None = None, provider: str = "agent"
) -> list[Measurement]:
    """Rows of a box: the packet loop costs more with the size, the plane adds its fixed cost and a surcharge."""
    rows = []
    for suite, loop in LOOPS.items():
        for size in SIZES:
            for direction in ("outbound", "inbound"):
                transform = loop * (1 + size / 700)
                rows.append(measured(Tier.PACKET_LOOP, "libcrypto", direction, suite, size, transform, noise))
                total = transform + fixed_ns + size / 10 + (surcharge or {}).get(suite, 0.0)
                rows.append(measured(Tier.TUN_LAB, provider, direction, suite, size, total, noise))
    return rows


def test_costs_that_add_up_are_predicted() -> None:
    agreement = compare(box(), "agent")
    assert agreement is not None
    assert agreement.base == "null-sha256"
    assert agreement.provider == "agent"
    # Three suites besides the base, two sizes, two directions.
    assert len(agreement.comparisons) == 12
    assert agreement.median_error < 0.005
    assert agreement.percentile_95_error < 0.01
    assert agreement.close_share == 1.0
    assert agreement.inversions == ()
    # At each size and in each direction the three suites differ by more than 10% from each other.
    assert agreement.pairs == 12
    row = next(r for r in agreement.comparisons if (r.suite, r.direction, r.size_bytes) == ("3des-sha1", "inbound", 64))
    assert row.fixed_ns.median == pytest.approx(906.4, rel=0.02)
    assert row.predicted_ns.median == pytest.approx(row.fixed_ns.median + row.transform_ns.median)
    assert row.predicted_ns.lower <= row.measured_ns.upper
    assert row.measured_ns.lower <= row.predicted_ns.upper
    assert row.within_noise


def test_the_suite_own_laboratory_figure_does_not_enter_its_prediction() -> None:
    plain, dear = compare(box(), "agent"), compare(box(surcharge={"aes128gcm16": 5000.0}), "agent")
    assert plain is not None
    assert dear is not None
    for one, other in zip(plain.comparisons, dear.comparisons, strict=True):
        assert one.predicted_ns == other.predicted_ns
        if one.suite == "aes128gcm16":
            assert other.error < -0.5
            assert not other.within_noise


def test_a_wrong_order_is_named() -> None:
    # In this box GCM has a cost in the plane that its packet loop does not show.
    agreement = compare(box(surcharge={"aes128gcm16": 2000.0}), "agent")
    assert agreement is not None
    assert agreement.close_share == pytest.approx(8 / 12)
    wrong = {(pair.faster.suite, pair.slower.suite) for pair in agreement.inversions}
    assert wrong == {("aes128-sha256", "aes128gcm16")}
    assert len(agreement.inversions) == 4
    assert agreement.percentile_95_error > 0.4


def test_the_interval_of_a_prediction_holds_the_noise_of_all_its_rows() -> None:
    quiet, loud = compare(box(noise=0.001), "agent"), compare(box(noise=0.05), "agent")
    assert quiet is not None
    assert loud is not None
    for one, other in zip(quiet.comparisons, loud.comparisons, strict=True):
        assert one.predicted_ns.relative_half_width < 0.005 < other.predicted_ns.relative_half_width


def test_a_hash_that_is_dearer_in_the_plane_than_in_the_loop_is_known_from_its_own_null_run() -> None:
    # Code and tables of SHA-1 cost 300 ns more where the kernel has been in between, encrypted or not.
    dear = {"3des-sha1": 300.0}
    without = compare(box(surcharge=dear), "agent")
    assert without is not None
    rows = box(surcharge=dear)
    for size in SIZES:
        for direction in ("outbound", "inbound"):
            loop = 350.0 * (1 + size / 700)
            rows.append(measured(Tier.PACKET_LOOP, "libcrypto", direction, "null-sha1", size, loop, 0.002))
            total = loop + 900 + size / 10 + 300
            rows.append(measured(Tier.TUN_LAB, "agent", direction, "null-sha1", size, total, 0.002))
    found = compare(rows, "agent")
    assert found is not None
    for row in found.comparisons:
        if row.suite == "3des-sha1":
            assert row.base == "null-sha1"
            assert abs(row.error) < 0.01
        elif row.suite == "null-sha1":
            # It is held against the other base, which knows nothing of it.
            assert row.base == "null-sha256"
            assert row.error < -0.1
    before = [row.error for row in without.comparisons if row.suite == "3des-sha1" and row.size_bytes == 64]
    assert all(error < -0.03 for error in before)


def test_suites_whose_intervals_overlap_are_a_tie() -> None:
    agreement = compare(box(), "agent")
    assert agreement is not None
    unsure = [
        replace(row, measured_ns=Estimate(row.measured_ns.median, 1.0, 1e9)) if row.suite == "3des-sha1" else row
        for row in agreement.comparisons
    ]
    again = summarise(unsure, agreement.base, agreement.provider)
    # At each size and in each direction two of the three pairs are with 3DES.
    assert (agreement.pairs, again.pairs) == (12, 4)


@pytest.mark.parametrize(
    ("suite", "base"),
    [
        ("aes128-sha256", "null-sha256"),
        ("3des-md5", "null-md5"),
        ("aes256gcm12", "aes256gmac"),
        ("chacha20poly1305", None),
        ("aes128ccm16", None),
        ("null-sha1", None),
        ("aes128gmac", None),
        ("imaginary", None),
    ],
)
def test_the_suite_that_does_the_same_but_encrypt(suite: str, base: str | None) -> None:
    assert own_base(suite) == base


def test_what_disturbs_some_samples_disturbs_no_prediction() -> None:
    rows = []
    for row in box(noise=0.0):
        # In four of nine samples something else ran.
        samples = tuple(
            replace(sample, wall_ns=sample.wall_ns * (3 if sample.round % 2 else 1)) for sample in row.samples
        )
        rows.append(replace(row, samples=samples))
    agreement = compare(rows, "agent")
    assert agreement is not None
    assert agreement.percentile_95_error < 0.001


def test_without_a_suite_without_encryption_nothing_is_predicted() -> None:
    rows = [row for row in box() if not row.workload.algorithm.startswith("null")]
    assert PlaneCosts(rows, "agent").stand_in is None
    assert compare(rows, "agent") is None


def test_another_plane_is_another_agreement() -> None:
    rows = box(provider="strongswan", fixed_ns=20_000.0)
    assert providers(rows) == ("strongswan",)
    assert compare(rows, "agent") is None
    agreement = compare(rows, "strongswan")
    assert agreement is not None
    assert agreement.median_error < 0.01


def test_rows_without_their_packet_loop_are_left_out() -> None:
    rows = [
        row for row in box() if not (row.workload.tier is Tier.PACKET_LOOP and row.workload.algorithm == "aes128gcm16")
    ]
    agreement = compare(rows, "agent")
    assert agreement is not None
    assert {row.suite for row in agreement.comparisons} == {"aes128-sha256", "3des-sha1"}
