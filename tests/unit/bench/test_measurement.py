"""Arithmetic of measurements."""

from __future__ import annotations

import pytest

from ipsecbench.bench.measurement import (
    Estimate,
    Fit,
    Measurement,
    Sample,
    SampleColumns,
    Status,
    Tier,
    Workload,
    mix_mean_bytes,
)
from ipsecbench.bench.runner import _merge
from ipsecbench.bench.stability import row_flags, run_warnings


def test_mean_of_the_mixes_is_that_of_the_definitions() -> None:
    assert mix_mean_bytes("imix-simple") == pytest.approx((7 * 64 + 4 * 570 + 1518) / 12)
    assert mix_mean_bytes("imix-csit") == pytest.approx((28 * 64 + 16 * 570 + 4 * 1518) / 48)


def test_throughput_turns_the_interval_around() -> None:
    work = Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 1000)
    row = Measurement(work, Status.OK, ns_per_operation=Estimate(1000, 900, 1250))
    rate = row.megabits_per_second
    assert rate is not None
    assert (rate.median, rate.lower, rate.upper) == pytest.approx((8000, 6400, 8888.889), rel=1e-6)


def test_key_exchange_has_no_throughput() -> None:
    work = Workload(Tier.PRIMITIVE, "libcrypto", "agree", "x25519")
    assert Measurement(work, Status.OK, ns_per_operation=Estimate(1, 1, 1)).megabits_per_second is None


def test_intervals_that_share_a_value_overlap() -> None:
    assert Estimate(10, 9, 11).overlaps(Estimate(12, 11, 13))
    assert not Estimate(10, 9, 11).overlaps(Estimate(13, 12, 14))


def test_rates_of_several_cores_add_up() -> None:
    def worker(core: int, iterations: int, wall_ns: int) -> dict[str, int]:
        return {"core": core, "iterations": iterations, "wall_ns": wall_ns, "cpu_ns": wall_ns, "cycles": 5,
                "involuntary_switches": 1}  # fmt: skip

    sample = _merge([worker(0, 1000, 1_000_000), worker(1, 1000, 2_000_000)], {})
    assert sample.iterations / sample.wall_ns == pytest.approx(1000 / 1e6 + 1000 / 2e6, rel=1e-6)
    assert (sample.cpu_ns, sample.cycles, sample.involuntary_switches) == (3_000_000, 10, 2)


def test_fit_predicts_along_its_line() -> None:
    fit = Fit(Tier.PACKET_LOOP, "p", "outbound", "a", Estimate(100, 99, 101), Estimate(0.5, 0.4, 0.6), (64, 128), 0.0)
    assert fit.predict_ns(1000) == 600


def sample(wall: int, cpu: int, switches: int = 0) -> Sample:
    return Sample(0, 10, wall, cpu, None, switches)


def test_flags_name_what_disturbed_a_row() -> None:
    work = Workload(Tier.PRIMITIVE, "libcrypto", "encrypt", "aes128", 64)
    assert row_flags(work, [sample(1000, 1000)] * 5) == ()
    assert row_flags(work, [sample(1000, 900)] * 5) == ("cpu-clock-disagrees",)
    assert row_flags(work, [sample(1000, 1000, 1)] * 5) == ()
    assert row_flags(work, [sample(1000, 1000, 2)] * 5) == ("involuntary-switches",)
    assert row_flags(work, [sample(1000, 1000)] * 4) == ("few-samples",)
    two = Workload(Tier.PRIMITIVE, "libcrypto", "encrypt", "aes128", 64, cores=2)
    assert row_flags(two, [sample(1000, 2000)] * 5) == ()


def test_run_warnings_need_a_reason() -> None:
    assert run_warnings({0: 3e9}, {0: 3.01e9}, 0.0) == []
    codes = [code for code, _ in run_warnings({0: 3e9}, {0: 2.4e9}, 0.05)]
    assert codes == ["clock-drift", "steal"]
    assert run_warnings({}, {}, None) == []


def test_columns_of_samples_are_the_same_as_the_samples() -> None:
    samples = tuple(Sample(number, 10, 3000 + number, 2900, 7000, number) for number in range(4))
    names = ("round", "iterations", "wall_ns", "cpu_ns", "cycles", "involuntary_switches")
    columns = SampleColumns({name: [getattr(sample, name) for sample in samples] for name in names})
    assert columns == samples
    assert samples == columns
    assert columns != samples[:3]
    assert columns[1:3] == samples[1:3]
    assert columns[-1] == samples[-1]
    assert len(columns) == 4
    assert columns.times_ns == [sample.ns_per_operation for sample in samples]
    work = Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 64)
    assert Measurement(work, Status.OK, columns) == Measurement(work, Status.OK, samples)
    assert Measurement(work, Status.OK, columns).times_ns == Measurement(work, Status.OK, samples).times_ns


def test_columns_of_samples_keep_what_they_were_made_of() -> None:
    stored = {name: [1] for name in ("round", "iterations", "wall_ns", "cpu_ns", "involuntary_switches")}
    columns = SampleColumns({**stored, "cycles": None})
    stored["round"].append(2)
    assert tuple(columns) == (Sample(1, 1, 1, 1, None, 1),)
