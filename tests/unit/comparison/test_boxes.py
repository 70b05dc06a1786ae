"""Boxes are ranked on the same ground, published figures included, against sums done by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.comparison.boxes import Ground, Ranking, priced, rank_boxes
from ipsecbench.comparison.model import Box
from ipsecbench.comparison.security_cost import security_costs
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import UsageError
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import text_of
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.published_rows import predictable
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

DATASETS = Path(__file__).parents[3] / "datasets"
SIZES = (16, 64, 256, 1024, 8192, 16384)
MT7621: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("encrypt", "aes128"): (8950.43, 11220.22, 11977.74, 12163.83, 12247.18, 12225.40),
    ("encrypt", "aes256"): (7277.51, 8692.73, 9139.20, 9258.87, 9286.08, 9275.19),
    ("encrypt", "aes128gcm16"): (5283.58, 5875.26, 6053.68, 6086.85, 6109.98, 6096.37),
    ("digest", "sha256"): (2370.33, 6735.03, 14230.03, 19805.38, 22330.68, 22480.37),
}
"""``openssl speed`` of a MediaTek MT7621AT at 880 MHz, thousands of octets per second (chromabox/openssl_perf, MIT)."""


def board(
    figures: Mapping[tuple[str, str], tuple[float, ...]], *, cores: int = 1, flags: tuple[str, ...] = ()
) -> Dataset:
    sheet = Sheet(text_of(b"", "mt7621.txt"), "openssl-speed", label="MT7621")
    sheet.hardware = {"cpu": {"architecture": "mips", "model": "MT7621AT at 880 MHz", "cores": 2}}
    for (operation, algorithm), speeds in figures.items():
        for size, speed in zip(SIZES, speeds, strict=True):
            work = Workload(Tier.PRIMITIVE, "openssl-speed", operation, algorithm, size, cores=cores)
            sheet.figure(work, speed, Unit.KILOBYTES, flags=flags)
    return sheet.dataset()


def tunnel(mbit: float, size: int, algorithm: str = "aes128-sha256") -> Dataset:
    sheet = Sheet(text_of(b"", "t.csv"), "tunnel-table", label="tunnel")
    sheet.figure(Workload(Tier.ON_WIRE, "tunnel-table", "both", algorithm, size), mbit, Unit.MEGABITS)
    return sheet.dataset()


def box(dataset: Dataset, name: str = "box") -> Box:
    return Box(name, name, dataset)


def rank(boxes: list[Box], **wanted: object) -> Ranking:
    return rank_boxes(boxes, load_policy("nist"), Requirements(**wanted))  # type: ignore[arg-type]


def test_what_mt7621_carries_is_what_its_owners_measured() -> None:
    """Published: 50.9 Mbit/s with AES-256-CBC and SHA-256 at full size on this processor, software only."""
    costs = CostModel(board(MT7621))
    found = costs.predict(esp_suites()["aes256-sha256"], Traffic(size_bytes=1400))
    assert found is not None
    assert found.provider == "openssl-speed"
    assert found.one_way_mbit_per_second.lower < 50.9 < found.one_way_mbit_per_second.upper


def test_an_hmac_is_the_bare_hash_and_one_more_block() -> None:
    rows = {row.workload: row for row in predictable(board(MT7621)).measurements}
    made = rows[Workload(Tier.PRIMITIVE, "openssl-speed", "authenticate", "sha256", 1024)]
    assert made.ns_per_operation is not None
    assert made.ns_per_operation.median == pytest.approx(1024 / 19805.38e-6 + 64 / 6735.03e-6)
    assert made.detail["derived"] == "the bare hash and one more block"


def test_of_several_processes_one_alone_is_as_fast_or_faster() -> None:
    rows = {row.workload: row for row in predictable(board(MT7621, cores=4)).measurements}
    made = rows[Workload(Tier.PRIMITIVE, "openssl-speed", "encrypt", "aes128", 1024)].ns_per_operation
    assert made is not None
    assert made.median == pytest.approx(4 * 1024 / 12163.83e-6)
    assert made.lower < 0.6 * made.median
    assert made.upper == pytest.approx(1.05 * made.median)


def test_short_calls_are_derived_where_only_long_ones_were_published() -> None:
    """Held against the short figures that this text has and that are kept from the derivation."""
    whole = board(MT7621)
    long = replace(
        whole, measurements=tuple(row for row in whole.measurements if (row.workload.size_bytes or 0) > 4096)
    )
    made = {row.workload: row.ns_per_operation for row in predictable(long).measurements}
    for operation, algorithm in MT7621:
        for size in (64, 256, 1024):
            work = Workload(Tier.PRIMITIVE, "openssl-speed", operation, algorithm, size)
            known, derived = whole.get(work), made[work]
            assert known is not None
            assert known.ns_per_operation is not None
            assert derived is not None
            assert derived.lower < known.ns_per_operation.median < derived.upper, work


def test_the_key_of_each_record_is_taken_out_as_far_as_is_known() -> None:
    """300 ns beside 0.5 ns an octet: half of the 300 in the middle, and never more than was published."""
    speeds = tuple(size / (300 + 0.5 * size) * 1e6 for size in SIZES)
    made = predictable(board({("encrypt", "aes128gcm16"): speeds}, flags=("key-per-record",)))
    row = made.get(Workload(Tier.PRIMITIVE, "openssl-speed", "encrypt", "aes128gcm16", 1024))
    assert row is not None
    assert row.ns_per_operation is not None
    assert row.ns_per_operation.median == pytest.approx(512 + 150)
    assert row.ns_per_operation.lower == pytest.approx(512 + 45)
    assert row.ns_per_operation.upper == pytest.approx(512 + 300)


@pytest.mark.parametrize(
    ("said", "x86"),
    [
        ("Intel Core i7-13700, 5.2 GHz", True),
        ("AMD EPYC 7543P", True),
        ("Raspberry Pi 4, Cortex-A72", False),
        ("Apple M1, compared with an Intel Mac", False),
        ("a box", False),
    ],
)
def test_the_kind_of_processor_is_taken_from_the_words_of_the_text(said: str, x86: bool) -> None:
    dataset = board(MT7621)
    assert dataset.source is not None
    bare = replace(
        dataset, label=None, source=replace(dataset.source, device=said), environment={"hardware": {}, "libraries": []}
    )
    assert ("x86" in CostModel(bare).plane.name) is x86


@pytest.mark.parametrize("flag", ["engine-cpu-time", "instructions-ignored", "calls-fail"])
def test_figures_of_something_else_are_never_predicted_from(flag: str) -> None:
    assert predictable(board(MT7621, flags=(flag,))).measurements == ()
    (answer,) = rank([box(board(MT7621, flags=(flag,)))]).answers
    assert answer.suite is None
    assert answer.reason is not None


def test_what_was_measured_here_is_not_touched() -> None:
    own = read_dataset(DATASETS / "example.ipsecbench.json")
    assert predictable(own) is own


def test_the_chance_follows_the_goal_and_orders_the_boxes() -> None:
    own = box(read_dataset(DATASETS / "example.ipsecbench.json"), "xeon")
    slow = box(board(MT7621), "mt7621")
    high = rank([slow, own], goal_mbit_per_second=500.0)
    assert [answer.box.name for answer in high.answers] == ["xeon", "mt7621"]
    assert high.ground is Ground.STATED
    chances = [answer.goal_probability for answer in high.answers]
    assert chances[0] is not None
    assert chances[0] > 0.5
    assert chances[1] == 0.0
    low = rank([slow, own], goal_mbit_per_second=5.0)
    assert [answer.goal_probability for answer in low.answers] == [1.0, 1.0]


def test_boxes_whose_data_plane_was_measured_alike_are_ranked_by_it() -> None:
    lab = read_dataset(DATASETS / "lab.ipsecbench.json")
    one, other = box(lab, "one"), box(replace(lab, label="again"), "other")
    measured = rank([one, other])
    assert measured.ground is Ground.MEASURED
    assert {answer.plane for answer in measured.answers} != {""}
    mixed = rank([one, box(board(MT7621), "mt7621")])
    assert mixed.ground is Ground.STATED
    assert all("stated default" in answer.plane for answer in mixed.answers)


def test_a_published_tunnel_says_itself_what_it_carries() -> None:
    ranked = rank([box(tunnel(100.0, 1400))], goal_mbit_per_second=90.0, traffic=Traffic(size_bytes=1400))
    (answer,) = ranked.answers
    assert (answer.suite, answer.tier, answer.cores) == ("aes128-sha256", Tier.ON_WIRE, None)
    assert answer.mbit_per_second is not None
    assert answer.mbit_per_second.median == pytest.approx(100.0)
    assert answer.goal_probability is not None
    assert answer.goal_probability > 0.99
    # A quarter of the size: between as many packets per second and as many octets per second.
    (small,) = rank([box(tunnel(100.0, 1400))], traffic=Traffic(size_bytes=350)).answers
    assert small.mbit_per_second is not None
    assert 24 < small.mbit_per_second.lower < 30
    assert 90 < small.mbit_per_second.upper < 110


def test_prices_are_per_rate_and_must_name_a_box() -> None:
    boxes = priced([box(tunnel(100.0, 1400), "cheap")], {"cheap": 50.0})
    (answer,) = rank(list(boxes), traffic=Traffic(size_bytes=1400)).answers
    assert answer.price_per_mbit == pytest.approx(0.5)
    with pytest.raises(UsageError, match="no box 'dear'"):
        priced(boxes, {"dear": 1.0})


def test_the_cost_of_security_is_the_ratio_of_what_is_predicted() -> None:
    (cost,) = security_costs([box(board(MT7621))], Traffic(size_bytes=1400))
    steps = {step.step.title: step for step in cost.traffic}
    longer = steps["256-bit keys, CBC"]
    assert longer.factor is not None
    assert longer.before is not None
    assert longer.after is not None
    assert longer.factor.median == pytest.approx(longer.after / longer.before)
    # The transform's own time: cipher and MAC at 1024 to 8192 octets; the plane's fixed cost makes the loss less.
    cipher_128, cipher_256, mac = 1 / 12163.83, 1 / 9258.87, 1 / 19805.38
    assert (cipher_128 + mac) / (cipher_256 + mac) < longer.factor.median < 1
    assert steps["ChaCha20 instead of AES"].factor is None
    assert all(step.factor is None for step in cost.exchanges)


def test_a_clock_that_nobody_tells_is_a_doubt() -> None:
    policy, wanted = load_policy("modern"), Requirements(goal_mbit_per_second=100.0)
    known = board(MT7621)
    hardware = {"cpu": {"architecture": "mips", "model": "MT7621AT", "cores": 2}}
    unknown = replace(known, environment={**known.environment, "hardware": hardware})
    named = replace(unknown, label="MT7621 at 0.88 GHz", environment={**known.environment, "hardware": {}})
    answers = {answer.box.name: answer for answer in rank_boxes(
        [box(known, "known"), box(unknown, "unknown"), box(named, "named")], policy, wanted).answers}  # fmt: skip
    assert [name for name, answer in answers.items() if "clock-unknown" in answer.doubts] == ["unknown"]
