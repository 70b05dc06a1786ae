"""Where the data plane's fixed cost comes from, and what it does with sizes, mixes and noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws, at_least, spread_draws
from ipsecbench.bench.measurement import Measurement, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.lab.plane_cost import PlaneCosts
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.data_plane import UNCHECKED_ERROR, data_plane
from ipsecbench.recommend.prediction.stated_default import TRANSFORM_FACTOR, X86_KERNEL
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
GCM = esp_suites()["aes128gcm16"]
CHACHA = esp_suites()["chacha20poly1305"]
PACKETS = Traffic(size_bytes=576)


def with_rows(dataset: Dataset, rows: Iterable[Measurement]) -> Dataset:
    return replace(dataset, measurements=tuple(rows))


def as_kernel(dataset: Dataset, slower: float) -> Dataset:
    """The laboratory's rows once more as the kernel's, that much slower."""
    rows = []
    for row in dataset.measurements:
        if row.workload.tier is Tier.TUN_LAB and row.ns_per_operation is not None:
            samples = tuple(replace(sample, wall_ns=round(sample.wall_ns * slower)) for sample in row.samples)
            work = replace(row.workload, tier=Tier.KERNEL, provider="kernel")
            rows.append(replace(row, workload=work, samples=samples))
    return with_rows(dataset, (*dataset.measurements, *rows))


def test_the_kernel_goes_before_the_laboratory_and_that_before_the_default(make_dataset: MakeDataset) -> None:
    laboratory = make_dataset(lab={})
    kernel = as_kernel(laboratory, 2.0)
    found = [CostModel(dataset).predict(GCM, PACKETS) for dataset in (kernel, laboratory, make_dataset())]
    tiers, planes = [], []
    for prediction in found:
        assert prediction is not None
        tiers.append(prediction.fixed.tier)
        planes.append(prediction.fixed.plane)
    assert tiers == [Tier.KERNEL, Tier.TUN_LAB, None]
    assert planes == ["the kernel (kernel)", "agent", "kernel IPsec on x86 (stated default)"]
    # Without a suite without encryption, and in the right direction, there is nothing to take it from.
    coded = with_rows(laboratory, (row for row in laboratory.measurements if "null" not in row.workload.algorithm))
    assert data_plane(coded).tier is None
    one_way = with_rows(
        laboratory,
        (
            row
            for row in laboratory.measurements
            if (row.workload.tier, row.workload.operation) != (Tier.TUN_LAB, "inbound")
        ),
    )
    half = CostModel(one_way).predict(GCM, PACKETS)
    assert half is not None
    assert half.fixed.outbound_ns.median < 1000 < half.fixed.inbound_ns.median


def test_a_size_between_two_is_interpolated_and_one_beyond_extrapolated(make_dataset: MakeDataset) -> None:
    costs = PlaneCosts(make_dataset(lab={}, half_width=0.001).measurements, "agent")
    for size in (100, 576, 1000, 3000):
        found = costs.fixed_ns("chacha20poly1305", "outbound", size)
        assert found is not None
        base, fixed = found
        assert base == "null-sha256"
        # 400 ns and a fifth of one for each octet.
        assert fixed.value == pytest.approx(400 + 0.2 * size, rel=0.02)


def test_mixed_sizes_cost_more_than_their_mean_where_a_mix_did(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(lab={})
    dear = with_rows(
        dataset,
        (
            replace(row, samples=tuple(replace(one, wall_ns=one.wall_ns + one.iterations * 500) for one in row.samples))
            if row.workload.tier is Tier.TUN_LAB and row.workload.mix
            else row
            for row in dataset.measurements
        ),
    )
    csit = Traffic(mix="imix-csit")
    mine = Traffic(distribution=((64, 7.0), (570, 4.0), (1518, 1.0)))
    measured = data_plane(dear).share(CHACHA, Traffic(mix="imix-simple"), "outbound")
    assert measured is not None
    assert measured.fixed.value == pytest.approx(400 + 0.2 * csit.mean_bytes + 500, rel=0.02)
    for traffic in (csit, mine):
        share = data_plane(dear).share(CHACHA, traffic, "outbound")
        assert share is not None
        assert share.fixed.value == pytest.approx(measured.fixed.value, rel=0.02)
    # One size is no mix.
    alone = data_plane(dear).share(CHACHA, Traffic(distribution=((576, 1.0),)), "outbound")
    assert alone is not None
    assert alone.fixed.value == pytest.approx(400 + 0.2 * 576, rel=0.02)


def test_a_kernel_of_which_only_null_suites_are_known_has_ciphers_of_its_own(make_dataset: MakeDataset) -> None:
    dataset = as_kernel(make_dataset(lab={}), 2.0)
    bare = with_rows(
        dataset,
        (
            row
            for row in dataset.measurements
            if row.workload.tier not in (Tier.KERNEL, Tier.TUN_LAB) or row.workload.algorithm.startswith("null")
        ),
    )
    share = data_plane(bare).share(GCM, PACKETS, "outbound")
    assert share is not None
    assert share.base == "null-sha256"
    assert share.factor is not None
    assert share.factor.value == TRANSFORM_FACTOR
    assert share.error_sigma == UNCHECKED_ERROR
    # With the other suites' rows the error is theirs: they take twice as long there.
    known = data_plane(dataset).share(GCM, PACKETS, "outbound")
    assert known is not None
    assert known.factor is None
    assert known.error_sigma > UNCHECKED_ERROR


def test_suites_share_the_plane_and_those_of_one_cipher_the_error(make_dataset: MakeDataset) -> None:
    costs = CostModel(make_dataset())
    one, other = (costs.time_draws(esp_suites()[name], PACKETS, "outbound") for name in ("aes128gcm16", "aes256gcm16"))
    assert one is not None
    assert other is not None
    # A few per cent apart with intervals of a factor of four: the order is sure all the same.
    assert one.estimate(0.9).upper > 3 * one.estimate(0.9).lower
    assert one.chance_below(other) > 0.99
    assert np.corrcoef(one.drawn, other.drawn)[0, 1] > 0.99


def test_a_fixed_cost_is_never_less_than_nothing() -> None:
    noisy = Draws(-5.0, np.asarray([-30.0, 10.0]))
    assert at_least(noisy, 0.0).value == 0.0
    assert at_least(noisy, 0.0).drawn.tolist() == [0.0, 10.0]


def test_a_factor_has_the_spread_that_it_is_given() -> None:
    drawn = spread_draws(0.2, "any")
    assert drawn.value == 1.0
    assert float(np.std(np.log(drawn.drawn))) == pytest.approx(0.2, rel=0.1)
    assert spread_draws(0.2, "any").drawn.tolist() == drawn.drawn.tolist()
    assert spread_draws(0.2, "other").drawn.tolist() != drawn.drawn.tolist()


def test_the_middle_of_a_class_is_between_its_ends() -> None:
    assert X86_KERNEL.cycles == pytest.approx(12247, rel=1e-3)
    assert X86_KERNEL.lower_cycles == pytest.approx(X86_KERNEL.cycles * np.exp(-1.645 * X86_KERNEL.sigma))


def test_a_headline_is_what_a_prediction_says_without_its_draws(make_dataset: MakeDataset) -> None:
    for dataset in (make_dataset(), make_dataset(lab={}), make_dataset(python_only=True)):
        costs = CostModel(dataset)
        for suite in (GCM, CHACHA, esp_suites()["3des-sha256"]):
            quick, full = costs.headline(suite, PACKETS), costs.predict(suite, PACKETS)
            if full is None:
                assert quick is None
                continue
            assert quick is not None
            whole = full.one_way_mbit_per_second
            assert quick.median == pytest.approx(whole.median)
            assert quick.lower == pytest.approx(whole.lower, rel=0.15)
            assert quick.upper == pytest.approx(whole.upper, rel=0.2)
