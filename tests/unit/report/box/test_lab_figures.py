"""The laboratory in the report: predictions beside what was measured, and every trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.bench.measurement import Estimate, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.trial import LabTrial, TrialKind
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.box.lab_figures import agreement, agreements, trial_table
from ipsecbench.report.box.page import render_page
from ipsecbench.report.drawing.dot_plot import DotPlot
from ipsecbench.report.drawing.plan import Absent, Plan

Answer = Callable[..., tuple[Dataset, Recommendation]]


def test_predicted_and_measured_stand_side_by_side(make_answer: Answer) -> None:
    dataset, answer = make_answer(
        lab={"aes128-sha1": 5000.0}, requirements=Requirements(traffic=Traffic(size_bytes=64))
    )
    planned = agreement(dataset, answer)
    assert isinstance(planned, Plan)
    assert isinstance(planned.plot, DotPlot)
    rows = {(row.group, row.name): row.estimates for row in planned.plot.rows}
    predicted, measured = rows["outbound", "aes128gcm16"]
    assert predicted is not None
    assert measured is not None
    # 230 + 0.22 n in the packet loop, 400 + 0.2 n of the plane.
    truth = 64 * 8e3 / (230 + 400 + 0.42 * 64)
    assert predicted.median == pytest.approx(truth, rel=0.01)
    assert measured.median == pytest.approx(truth, rel=0.01)
    predicted, measured = rows["inbound", "aes128-sha1"]
    assert predicted is not None
    assert measured is not None
    assert predicted.median > 3 * measured.median
    assert ("outbound", "null-sha256") not in rows
    assert "null-sha256" in planned.note
    errors = {
        (line.cells[0].text, line.cells[2].text, line.cells[3].text): line.cells[-1].sort
        for line in planned.table.lines
    }
    assert errors["aes128-sha1", "inbound", "64 B"] == pytest.approx(
        (980 * 1.04 + 1.85 * 1.04 * 64 + 400 + 0.2 * 64 + 5000) / (980 * 1.04 + 1.85 * 1.04 * 64 + 400 + 0.2 * 64) - 1,
        rel=0.01,
    )


def test_the_sentence_counts_what_the_table_shows(make_answer: Answer) -> None:
    dataset, answer = make_answer(lab={})
    planned = agreement(dataset, answer)
    assert isinstance(planned, Plan)
    (found,) = agreements(dataset)
    assert f"Over all {len(planned.table.lines)} rows" in planned.lead
    assert "100% within 10%" in planned.lead
    assert "none in the wrong order" in planned.lead
    assert found.pairs > 100
    shuffled, answer = make_answer(lab={"aes128gcm16": 9000.0})
    planned = agreement(shuffled, answer)
    assert isinstance(planned, Plan)
    (found,) = agreements(shuffled)
    assert found.inversions
    assert f"{len(found.inversions)} in the wrong order" in planned.lead


def test_a_size_that_was_not_measured_is_shown_by_its_neighbour(make_answer: Answer) -> None:
    dataset, answer = make_answer(lab={}, requirements=Requirements(traffic=Traffic(size_bytes=1300)))
    planned = agreement(dataset, answer)
    assert isinstance(planned, Plan)
    assert "1,400 B" in planned.lead


def test_without_a_laboratory_the_report_says_how_to_get_one(make_answer: Answer) -> None:
    planned = agreement(*make_answer())
    assert isinstance(planned, Absent)
    assert "ipsecbench lab run" in planned.reason


def trials() -> tuple[LabTrial, ...]:
    common: dict[str, Any] = {"tier": Tier.TUN_LAB, "provider": "agent", "algorithm": "aes128gcm16"}
    return (
        LabTrial(
            TrialKind.THROUGHPUT,
            **common,
            peer="agent",
            direction="outbound",
            size_bytes=64,
            limited_by="generator",
            values={"ndr_pps": Estimate(650_000, 650_000, 655_000), "pdr_pps": Estimate(700_000, 700_000, 700_000)},
            raw={"offered_pps": (1.0,), "sent": (1.0,)},
        ),
        LabTrial(
            TrialKind.LATENCY, **common, direction="both", mix="imix-simple", values={"p99_us": Estimate(41, 40, 44)}
        ),
        LabTrial(TrialKind.TCP_STREAM, **common, status=Status.FAILED, message="<b>iperf3 died</b>"),
    )


def test_every_value_of_a_trial_is_a_line(make_answer: Answer, read_page: Callable[[str], Any]) -> None:
    dataset, answer = make_answer(lab={})
    dataset = replace(dataset, trials=trials())
    table = trial_table(dataset)
    assert table is not None
    texts = [[cell.text for cell in line.cells] for line in table.lines]
    assert texts == [
        ["rate without loss", "aes128gcm16", "agent", "64 B, outbound", "ndr, packets/s", "650,000", "generator"],
        ["rate without loss", "aes128gcm16", "agent", "64 B, outbound", "pdr, packets/s", "700,000", "generator"],
        ["latency", "aes128gcm16", "agent", "IMIX 7:4:1, both", "p99, µs", "41.0", ""],
        ["one TCP connection", "aes128gcm16", "agent", "–", "<b>iperf3 died</b>", "–", ""],
    ]
    page = read_page(render_page(dataset, answer, "box.ipsecbench.json"))
    assert not page.faults
    assert len(page.by_id("trial-table").all("tr")) == 1 + len(texts)
    assert page.by_id("agreement-wide")
    assert "<b>iperf3" not in page.html


def test_a_dataset_without_trials_has_no_table(make_answer: Answer, make_page: Callable[..., Any]) -> None:
    assert trial_table(make_answer()[0]) is None
    assert not [node for node in make_page().all("table") if node.attributes.get("id") == "trial-table"]


def test_the_laboratory_replaces_the_stated_default(make_answer: Answer) -> None:
    _, without = make_answer(requirements=Requirements(traffic=Traffic(size_bytes=1400)))
    assert any("not measured on this box" in reason.text for reason in without.evidence.warnings)
    dataset, answer = make_answer(lab={}, requirements=Requirements(traffic=Traffic(size_bytes=1400)))
    texts = [reason.text for reason in answer.evidence.warnings]
    assert not any("not measured on this box" in text for text in texts)
    (text,) = (text for text in texts if "In the laboratory" in text)
    row = dataset.get(Workload(Tier.TUN_LAB, "agent", "inbound", answer.phase2.suite, 1400))
    assert row is not None
    assert row.megabits_per_second is not None
    assert f"{row.megabits_per_second.median / 1e3:.2f} [" in text
    assert "tier tun-lab, data plane agent" in text
    assert "packet-loop alone says" in text
    # The ranking still rests on what every suite has.
    assert answer.phase2.suite == without.phase2.suite
    assert answer.evidence.tier is Tier.PACKET_LOOP
