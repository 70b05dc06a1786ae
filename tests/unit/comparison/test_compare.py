"""Ratios and what is said of them, against sums done by hand and against runs of real boxes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache
from math import erf, exp, log, sqrt
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Sample, Status, Tier, Workload
from ipsecbench.bench.published import Published, Unit
from ipsecbench.bench.statistics import median_estimate
from ipsecbench.comparison.compare import SAME_SAMPLES, compare, expected_by_chance, outcome_of
from ipsecbench.comparison.joining import LIMITED
from ipsecbench.comparison.model import Box, BoxComparison, Outcome, Ratio
from ipsecbench.comparison.summaries import by_group, summarised
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import Source
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import UsageError

EXAMPLE = Path(__file__).parents[3] / "datasets" / "example.ipsecbench.json"
GCM = Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 64)
CBC = Workload(Tier.PRIMITIVE, "libcrypto", "encrypt", "aes128", 1024)


def measured(work: Workload, times: list[float], **changes: Any) -> Measurement:
    samples = tuple(Sample(number, 1000, round(time * 1000), 1) for number, time in enumerate(times))
    return replace(Measurement(work, Status.OK, samples, median_estimate(times)), **changes)


def published(work: Workload, ns: float, share: float = 0.05, **changes: Any) -> Measurement:
    time = Estimate(ns, ns * (1 - share), ns * (1 + share))
    figure = Published(ns, Unit.NANOSECONDS)
    return replace(Measurement(work, Status.OK, (), time, published=(figure,)), **changes)


def box(name: str, *rows: Measurement, **changes: Any) -> Box:
    source = Source("probe", None, "0" * 64)
    dataset = Dataset("2026-01-02T00:00:00+00:00", "0.1.0", name, "finished", {}, {}, rows, source=source)
    return Box(name, name, replace(dataset, **changes))


def against(base: Box, other: Box, **options: Any) -> BoxComparison:
    return compare([base, other], **options).boxes[0]


@cache
def example() -> Dataset:
    return read_dataset(EXAMPLE)


STEADY = [100.0, 100.1, 100.2, 100.3, 100.4, 100.5, 100.6]


@pytest.mark.parametrize(
    ("factor", "outcome"),
    [
        (1.0, Outcome.NO_DIFFERENCE),
        (0.5, Outcome.FASTER),
        (2.0, Outcome.SLOWER),
        (0.99, Outcome.WITHIN_NOISE),
        (1.012, Outcome.WITHIN_NOISE),
    ],
)
def test_a_row_is_faster_slower_noise_or_nothing(factor: float, outcome: Outcome) -> None:
    found = against(box("a", measured(GCM, STEADY)), box("b", measured(GCM, [factor * time for time in STEADY])))
    (ratio,) = found.ratios
    assert ratio.speed.median == pytest.approx(1 / factor)
    assert ratio.base_ns.median == pytest.approx(100.3)
    assert ratio.other_ns.median == pytest.approx(100.3 * factor)
    assert ratio.outcome is outcome
    assert (SAME_SAMPLES in ratio.doubts) is (factor == 1.0)


@pytest.mark.parametrize(
    ("lower", "upper", "outcome"),
    [
        (0.99, 1.2, Outcome.NO_DIFFERENCE),
        (1.0, 1.0, Outcome.NO_DIFFERENCE),
        (1.001, 1.3, Outcome.WITHIN_NOISE),
        (1.021, 1.3, Outcome.FASTER),
        (0.7, 0.979, Outcome.SLOWER),
        (0.7, 0.981, Outcome.WITHIN_NOISE),
    ],
)
def test_outcomes_are_those_of_criterion(lower: float, upper: float, outcome: Outcome) -> None:
    """Its rule: no change unless the interval leaves 1 out; a change only beyond the noise threshold."""
    assert outcome_of(Estimate(sqrt(lower * upper), lower, upper)) is outcome
    back = {Outcome.FASTER: Outcome.SLOWER, Outcome.SLOWER: Outcome.FASTER}
    assert outcome_of(Estimate(1.0, 1 / upper, 1 / lower)) is back.get(outcome, outcome)


def test_published_figures_are_compared_by_their_intervals() -> None:
    found = against(box("a", published(CBC, 1000)), box("b", published(CBC, 500)))
    (ratio,) = found.ratios
    assert ratio.speed.median == pytest.approx(2.0)
    assert ratio.speed.lower == pytest.approx(2 * exp(-sqrt(log(1 / 0.95) ** 2 + log(1.05) ** 2)))
    assert ratio.outcome is Outcome.FASTER


def test_a_dataset_does_not_differ_from_itself() -> None:
    found = against(Box("a", "a", example()), Box("b", "b", example()))
    assert len(found.ratios) == sum(row.usable for row in example().measurements)
    assert {ratio.outcome for ratio in found.ratios} == {Outcome.NO_DIFFERENCE}
    assert {ratio.speed.median for ratio in found.ratios} == {1.0}
    assert all(SAME_SAMPLES in ratio.doubts for ratio in found.ratios)
    assert not found.refused
    assert not found.differences


def halved(dataset: Dataset, fewest: int) -> tuple[Dataset, Dataset]:
    """Two runs out of one: the samples of every row in a random order, every second one to the other."""
    shuffle = random.Random(1)
    halves: tuple[list[Measurement], list[Measurement]] = [], []
    for row in dataset.measurements:
        if len(row.samples) >= 2 * fewest:
            samples = list(row.samples)
            shuffle.shuffle(samples)
            for half, some in zip(halves, (samples[::2], samples[1::2]), strict=True):
                time = median_estimate([sample.ns_per_operation for sample in some])
                half.append(replace(row, samples=tuple(some), ns_per_operation=time))
    return replace(dataset, measurements=tuple(halves[0])), replace(dataset, measurements=tuple(halves[1]))


def test_halves_of_the_samples_of_a_real_run_differ_as_rarely_as_they_should() -> None:
    one, two = halved(example(), 8)
    found = against(Box("a", "a", one), Box("b", "b", two))
    assert len(found.ratios) > 300
    held = sum(ratio.speed.lower <= 1 <= ratio.speed.upper for ratio in found.ratios) / len(found.ratios)
    assert 0.92 < held <= 1.0
    changed = Counter(ratio.outcome for ratio in found.ratios)
    wrongly = changed[Outcome.FASTER] + changed[Outcome.SLOWER]
    chance = expected_by_chance(found.ratios)
    assert wrongly <= chance.faster_or_slower + 3 * sqrt(chance.faster_or_slower + 1)
    assert wrongly <= chance.differing == pytest.approx(0.05 * len(found.ratios))


def test_boxes_the_other_way_round_give_the_reciprocal() -> None:
    rows = []
    for row in example().measurements[:200]:
        samples = tuple(replace(one, wall_ns=round(one.wall_ns * 1.1)) for one in row.samples)
        time = median_estimate([one.ns_per_operation for one in samples])
        rows.append(replace(row, samples=samples, ns_per_operation=time))
    slower = replace(example(), measurements=tuple(rows))
    boxes = [Box("a", "a", example()), Box("b", "b", slower)]
    there, back = compare(boxes, 0).boxes[0], compare(boxes, 1).boxes[0]
    assert back.box.name == "a"
    swapped = {ratio.workload: ratio for ratio in back.ratios}
    assert len(there.ratios) == len(swapped) == 200
    for ratio in there.ratios:
        assert ratio.speed.median == pytest.approx(1 / 1.1, rel=1e-4)
        other = swapped[ratio.workload].speed
        assert (other.median, other.lower, other.upper) == pytest.approx(
            (1 / ratio.speed.median, 1 / ratio.speed.upper, 1 / ratio.speed.lower)
        )
    assert (there.only_base, there.only_other) == (back.only_other, back.only_base) == (1322, 0)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("calls-fail",), "not what it seems"),
        (("gcm-stream",), "endless stream"),
        (("tag-not-checked",), "nothing such"),
    ],
)
def test_rows_of_different_meaning_are_refused(flags: tuple[str, ...], says: str) -> None:
    plain, marked = published(CBC, 100), published(CBC, 100, flags=flags)
    for pair in ((plain, marked), (marked, plain)):
        found = against(box("a", pair[0]), box("b", pair[1]))
        assert not found.ratios
        assert says in found.refused[0].reason
        assert (found.only_base, found.only_other) == (0, 0)


def test_rows_of_the_same_meaning_are_compared_and_doubts_are_shown() -> None:
    flags = ("gcm-stream", "spread-assumed", "few-samples")
    found = against(box("a", published(CBC, 100, flags=flags)), box("b", published(CBC, 100, flags=flags)))
    assert found.ratios[0].doubts == ("gcm-stream", "few-samples")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tier": Tier.TUN_LAB}, "another tier: packet-loop in the baseline, tun-lab here"),
        ({"provider": "openssl-speed"}, "libcrypto in the baseline, openssl-speed here"),
        ({"cores": 4}, "another number of cores: 1 in the baseline, 4 here"),
    ],
)
def test_rows_that_only_look_alike_are_refused_with_the_reason(change: dict[str, Any], says: str) -> None:
    found = against(box("a", measured(GCM, STEADY)), box("b", measured(replace(GCM, **change), STEADY)))
    assert not found.ratios
    assert [refused.workload for refused in found.refused] == [GCM]
    assert says in found.refused[0].reason
    assert (found.only_base, found.only_other) == (0, 0)


def test_a_library_that_only_one_has_is_no_mistake_of_the_other() -> None:
    ours = [measured(replace(GCM, provider=name), STEADY) for name in ("libcrypto", "libipsec-mb")]
    found = against(box("a", *ours), box("b", ours[0]))
    assert len(found.ratios) == 1
    assert not found.refused
    assert (found.only_base, found.only_other) == (1, 0)


def test_rows_of_different_packets_are_refused() -> None:
    work = replace(GCM, tier=Tier.TUN_LAB, provider="agent")
    rows = [measured(work, STEADY, detail={"encapsulation": name}) for name in ("udp", "none")]
    found = against(box("a", rows[0]), box("b", rows[1]))
    assert "ESP is carried: udp there, none here" in found.refused[0].reason
    limited = measured(work, STEADY, detail={"encapsulation": "udp", "limited_by": "generator"})
    assert LIMITED in against(box("a", rows[0]), box("b", limited)).ratios[0].doubts


@pytest.mark.parametrize("ns", [1e-300, 1e-9, 1e17, 1e300])
def test_times_that_nothing_takes_are_refused(ns: float) -> None:
    for one, two in ((ns, 100.0), (100.0, ns), (ns, 1 / ns)):
        found = against(box("a", published(CBC, one)), box("b", published(CBC, two)))
        assert not found.ratios
        assert "no time that an operation takes" in found.refused[0].reason


def test_intervals_without_end_stay_numbers() -> None:
    wide = replace(published(CBC, 100.0), ns_per_operation=Estimate(100.0, 1e-300, 1e308))
    (ratio,) = against(box("a", wide), box("b", wide)).ratios
    assert 0 < ratio.speed.lower < 1 < ratio.speed.upper < float("inf")
    assert ratio.outcome is Outcome.NO_DIFFERENCE
    assert expected_by_chance([ratio]).faster_or_slower == pytest.approx(0.05, abs=0.001)


def test_rows_without_a_figure_are_rows_of_the_other_alone() -> None:
    lost = Measurement(GCM, Status.UNSUPPORTED, message="no such algorithm")
    found = against(box("a", measured(GCM, STEADY)), box("b", lost))
    assert (found.ratios, found.refused, found.only_base, found.only_other) == ((), (), 1, 0)


def test_what_else_differs_is_named() -> None:
    def environment(**hardware: Any) -> dict[str, Any]:
        libraries = [{"provider": "libcrypto", "status": "loaded", "version": hardware.pop("version")}]
        clock = {"before": [{"core": 0, "hz": hardware.pop("hz")}], "after": []}
        return {"hardware": hardware, "libraries": libraries, "clock": clock}

    one = environment(
        version="OpenSSL 3.0.1", hz=2.00e9, cpu={"model": "X", "processors": 4},
        platform={"kernel_release": "6.1", "virtualisation": {"virtual_machine": "absent"}},
        condition={"governors": ["powersave", "powersave"]},
    )  # fmt: skip
    two = environment(
        version="OpenSSL 3.5.0", hz=2.01e9, cpu={"model": "X", "processors": 8},
        platform={"kernel_release": "6.12", "virtualisation": {"virtual_machine": "present", "hypervisor": "KVM"}},
        condition={"governors": ["performance"]},
    )  # fmt: skip
    row = measured(GCM, STEADY)
    found = against(box("a", row, environment=one), box("b", row, environment=two, settings={"mask": ["aes"]}))
    assert {(each.name, each.base, each.other) for each in found.differences} == {
        ("processors", "4", "8"),
        ("kernel", "6.1", "6.12"),
        ("virtual machine", "no", "yes (KVM)"),
        ("libcrypto", "OpenSSL 3.0.1", "OpenSSL 3.5.0"),
        ("governor", "powersave", "performance"),
        ("mask", "none", "aes"),
    }
    faster = {**two, "clock": {"before": [{"core": 0, "hz": 3e9}]}}
    names = [
        each.name for each in against(box("a", row, environment=two), box("b", row, environment=faster)).differences
    ]
    assert names == ["measured clock"]


@pytest.mark.parametrize("hostile", [None, [], "x", {"cpu": "x"}, {"cpu": {"model": ["<b>"], "core_types": [3]}}])
def test_any_environment_can_be_held_against_any_other(hostile: Any) -> None:
    row = measured(GCM, STEADY)
    environment = {"hardware": hostile, "libraries": hostile, "clock": hostile, "agent": hostile}
    found = against(box("a", row, environment=environment), box("b", row, environment={}))
    assert len(found.ratios) == 1


def test_what_cannot_be_compared_is_a_mistake() -> None:
    one = box("a", measured(GCM, STEADY))
    with pytest.raises(UsageError, match="two datasets"):
        compare([one])
    with pytest.raises(UsageError, match="no box 3"):
        compare([one, one], 2)


def test_a_summary_is_a_geometric_mean_and_claims_no_more_than_its_rows() -> None:
    ratios = [_ratio(GCM, 2.0, 1.9, 2.2), _ratio(CBC, 0.5, 0.4, 0.52)]
    found = summarised("all", ratios)
    assert found.speed.median == pytest.approx(1.0)
    assert (found.speed.lower, found.speed.upper) == pytest.approx((sqrt(1.9 * 0.4), sqrt(2.2 * 0.52)))
    assert (found.lowest, found.highest, found.rows) == (0.5, 2.0, 2)
    assert found.outcomes == {Outcome.FASTER: 1, Outcome.SLOWER: 1}
    assert found.outcome is Outcome.NO_DIFFERENCE


def test_groups_leave_out_what_has_no_such_property() -> None:
    sizes = [_ratio(replace(GCM, size_bytes=size), 1.0, 0.9, 1.1) for size in (1400, 64, 576)]
    mix = _ratio(replace(GCM, size_bytes=None, mix="imix-simple"), 1.0, 0.9, 1.1)
    exchange = _ratio(Workload(Tier.PRIMITIVE, "libcrypto", "agree", "x25519"), 1.0, 0.9, 1.1)
    ratios = [*sizes, mix, exchange, _ratio(CBC, 1.0, 0.9, 1.1)]
    names = {key: [group.name for group in by_group(ratios, key)] for key in ("suite", "size", "group", "scope")}
    assert names == {
        "suite": ["aes128gcm16"],
        "size": ["64", "576", "1024", "1400", "imix-simple"],
        "group": ["x25519"],
        "scope": ["esp", "kex", "cipher"],
    }


def _ratio(work: Workload, middle: float, lower: float, upper: float) -> Ratio:
    speed = Estimate(middle, lower, upper)
    time = Estimate(1.0, 1.0, 1.0)
    return Ratio(work, time, time, speed, outcome_of(speed))


def test_what_chance_would_give_is_that_of_a_normal_distribution() -> None:
    """By hand: an interval of ±10% is 1.96 standard deviations of ln 1.1 / 1.96; noise takes ln 1.02 more."""
    wide, narrow = _ratio(GCM, 1.0, 1 / 1.1, 1.1), _ratio(GCM, 1.0, 1.0, 1.0)
    deviations = (log(1.1) + log(1.02)) / (log(1.1) / 1.959964)
    assert expected_by_chance([wide, narrow]).faster_or_slower == pytest.approx(1 - erf(deviations / sqrt(2)), rel=1e-6)
    assert expected_by_chance([wide] * 100).differing == pytest.approx(5.0, rel=1e-5)
    assert expected_by_chance([]).faster_or_slower == 0.0


def test_filters_choose_what_takes_part() -> None:
    rows = [measured(GCM, STEADY), measured(CBC, STEADY)]
    found = against(box("a", *rows), box("b", *rows), wanted=lambda work: work.algorithm == "aes128")
    assert [ratio.workload for ratio in found.ratios] == [CBC]
    assert median(STEADY) == found.ratios[0].base_ns.median
