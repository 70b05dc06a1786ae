"""Predictions from rows, lines and sums, against the costs that the synthetic boxes were made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.bench.plan import KERNEL_PROVIDERS
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.predictions import Basis, Prediction
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
GCM = esp_suites()["aes128gcm16"]
# The synthetic x86 box: outbound 230 ns + 0.22 ns per octet, inbound 4% dearer.
OUTBOUND = (230.0, 0.22)


def predict(dataset: Dataset, suite: str, traffic: Traffic) -> Prediction:
    found = CostModel(dataset).predict(esp_suites()[suite], traffic)
    assert found is not None
    return found


def test_a_measured_row_is_taken_as_it_is(make_dataset: MakeDataset) -> None:
    found = predict(make_dataset(lab={}), "aes128gcm16", Traffic(size_bytes=1400))
    nanoseconds = OUTBOUND[0] + OUTBOUND[1] * 1400
    assert found.basis is Basis.MEASURED
    assert found.transform_mbit_per_second.median == pytest.approx(1400 * 8e3 / nanoseconds / 1.04)
    # What the laboratory's plane does with any packet comes on top: 400 ns and a fifth of one for each octet.
    plane = 400 + 0.2 * 1400
    assert found.fixed.tier is Tier.TUN_LAB
    assert found.fixed.outbound_ns.median == pytest.approx(plane, rel=0.02)
    assert found.outbound_mbit_per_second.median == pytest.approx(1400 * 8e3 / (nanoseconds + plane), rel=0.01)
    # The headline is the slower direction; both ways share one core.
    assert found.one_way_mbit_per_second.median == found.inbound_mbit_per_second.median
    assert found.both_ways_mbit_per_second.median == pytest.approx(
        2 * 1400 * 8e3 / (nanoseconds * 2.04 + 2 * plane), rel=0.01
    )
    assert found.packets_per_second.median == pytest.approx(1e9 / (nanoseconds * 1.04 + plane), rel=0.01)


def test_the_slower_direction_is_the_headline_whichever_it_is(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(
        replace(row, ns_per_operation=Estimate(9e6, 8.9e6, 9.1e6))
        if row.workload.operation == "outbound" and row.workload.algorithm == "aes128gcm16"
        else row
        for row in dataset.measurements
    )
    found = predict(replace(dataset, measurements=rows), "aes128gcm16", Traffic(size_bytes=64))
    assert found.one_way_mbit_per_second.median == found.outbound_mbit_per_second.median
    assert found.one_way_mbit_per_second.median < found.inbound_mbit_per_second.median


def test_an_unmeasured_size_comes_from_the_line_with_its_residual(make_dataset: MakeDataset) -> None:
    found = predict(make_dataset(), "aes128gcm16", Traffic(size_bytes=1000))
    nanoseconds = (OUTBOUND[0] + OUTBOUND[1] * 1000) * 1.04
    assert found.basis is Basis.FIT
    assert found.transform_mbit_per_second.median == pytest.approx(8e6 / nanoseconds)
    # 0.8% of the interval and 2% of the worst residual are 95%; what is predicted has 90%.
    assert found.transform_mbit_per_second.relative_half_width == pytest.approx(0.028 * 1.645 / 1.96, rel=0.15)


def test_an_unmeasured_mix_is_the_mean_of_its_sizes(make_dataset: MakeDataset) -> None:
    traffic = Traffic(mix="imix-simple")
    measured = predict(make_dataset(), "aes128gcm16", traffic)
    fitted = predict(make_dataset(mixes=()), "aes128gcm16", traffic)
    assert (measured.basis, fitted.basis) == (Basis.MEASURED, Basis.FIT)
    assert fitted.one_way_mbit_per_second.median == pytest.approx(measured.one_way_mbit_per_second.median, rel=1e-9)


def test_two_sizes_make_a_line_and_one_size_makes_bounds(make_dataset: MakeDataset) -> None:
    truth = predict(make_dataset(sizes=(576, 800, 1400)), "aes128gcm16", Traffic(size_bytes=800))
    two = predict(make_dataset(sizes=(576, 1400), mixes=()), "aes128gcm16", Traffic(size_bytes=800))
    one = predict(make_dataset(sizes=(1400,), mixes=()), "aes128gcm16", Traffic(size_bytes=800))
    assert (two.basis, one.basis) == (Basis.FIT, Basis.BOUND)
    assert two.one_way_mbit_per_second.median == pytest.approx(truth.one_way_mbit_per_second.median, rel=1e-6)
    bounds = one.one_way_mbit_per_second
    assert bounds.lower < truth.one_way_mbit_per_second.median < bounds.upper


def test_cipher_calls_are_summed_only_where_no_packet_loop_was_measured(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    packet_loop = predict(dataset, "aes256-sha256", Traffic(size_bytes=576))
    assert packet_loop.tier is Tier.PACKET_LOOP
    rows = tuple(row for row in dataset.measurements if row.workload.tier is Tier.PRIMITIVE)
    bare = replace(dataset, measurements=rows, fits=tuple(f for f in dataset.fits if f.tier is Tier.PRIMITIVE))
    composed = predict(bare, "aes256-sha256", Traffic(size_bytes=576))
    assert (composed.tier, composed.basis) == (Tier.PRIMITIVE, Basis.COMPOSED)
    # 576 + 2 octets make 592 with padding; the MAC covers 8 of header and 16 of IV more.
    nanoseconds = 95 + 0.75 * 592 + 480 + 2.4 * (592 + 24)
    assert composed.transform_mbit_per_second.median == pytest.approx(576 * 8e3 / nanoseconds)


def test_the_multi_buffer_library_is_a_ceiling_and_never_a_prediction(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(row for row in dataset.measurements if row.workload.provider == "libipsec-mb")
    fits = tuple(fit for fit in dataset.fits if fit.provider == "libipsec-mb")
    only = CostModel(replace(dataset, measurements=rows, fits=fits))
    assert only.predict(GCM, Traffic(size_bytes=1400)) is None
    ceilings = only.ceilings(Traffic(size_bytes=1400))
    assert [ceiling.suite for ceiling in ceilings] == ["aes128gcm16", "aes256gcm16"]
    assert ceilings[0].mbit_per_second.median == pytest.approx(1400 * 8e3 / (95 + 0.17 * 1400))


def test_the_kernels_ciphers_are_never_a_prediction(make_dataset: MakeDataset) -> None:
    """Two system calls a request are no part of the kernel's own ESP, and userspace ESP does not make them."""
    dataset = make_dataset()
    calls = [row for row in dataset.measurements if row.workload.tier is Tier.PRIMITIVE]
    for name in KERNEL_PROVIDERS:
        rows = tuple(replace(row, workload=replace(row.workload, provider=name)) for row in calls)
        fits = tuple(replace(fit, provider=name) for fit in dataset.fits if fit.tier is Tier.PRIMITIVE)
        only = CostModel(replace(dataset, measurements=rows, fits=fits))
        assert only.predict(GCM, Traffic(size_bytes=1400)) is None
        assert only.ceilings(Traffic(size_bytes=1400)) == ()
        both = CostModel(replace(dataset, measurements=(*rows, *dataset.measurements), fits=(*fits, *dataset.fits)))
        for traffic in (Traffic(size_bytes=64), Traffic(size_bytes=1400)):
            assert both.predict(GCM, traffic) == CostModel(dataset).predict(GCM, traffic)


def test_libcrypto_is_preferred_whatever_the_order_of_the_rows(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    slow = tuple(
        replace(row, workload=replace(row.workload, provider="pycryptodome"), ns_per_operation=Estimate(9e9, 9e9, 9e9))
        for row in dataset.measurements
    )
    both = replace(dataset, measurements=(*slow, *dataset.measurements))
    assert predict(both, "aes128gcm16", Traffic(size_bytes=64)).provider == "libcrypto"


def test_what_was_measured_one_way_only_is_no_prediction(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(
        r for r in dataset.measurements if r.workload.operation != "inbound" and r.workload.tier is not Tier.PRIMITIVE
    )
    fits = tuple(fit for fit in dataset.fits if fit.operation == "outbound")
    assert CostModel(replace(dataset, measurements=rows, fits=fits)).predict(GCM, Traffic(size_bytes=64)) is None


def test_scaling_to_several_cores_is_the_measured_one(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    alone = dataset.get(Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 1400))
    assert alone is not None
    assert alone.ns_per_operation is not None
    time = alone.ns_per_operation.median
    rows = tuple(
        Measurement(
            Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 1400, cores=cores),
            Status.OK,
            ns_per_operation=Estimate(time / rate, time / rate * 0.99, time / rate * 1.01),
        )
        for cores, rate in ((2, 1.9), (4, 3.4), (16, 17.0))
    )
    costs = CostModel(replace(dataset, measurements=(*dataset.measurements, *rows)))
    for tunnels, cores, rate in ((2, 2, 1.9), (3, 2, 1.9), (8, 4, 3.4), (16, 16, 16.0)):
        found = costs.multi_core_scaling("aes128gcm16", tunnels)
        assert found is not None
        assert found[0] == cores
        assert found[1].median == pytest.approx(rate)
    assert costs.multi_core_scaling("aes128gcm16", 1) is None
    assert costs.multi_core_scaling("aes256gcm16", 8) is None


def test_why_there_is_no_figure_is_the_datasets_own_message(make_dataset: MakeDataset) -> None:
    costs = CostModel(make_dataset(unsupported={"aes128ctr-sha256": "libcrypto 3.0.19 has no 'AES-128-CTR'"}))
    assert costs.why_not("aes128ctr-sha256") == "libcrypto 3.0.19 has no 'AES-128-CTR'"
    assert "did not include" in costs.why_not("serpent128-sha256")
