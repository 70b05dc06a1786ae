"""What ``lab run`` prints: predicted beside measured, a summary that counts the same, and the trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Status, Tier
from ipsecbench.cli.lab.run_screen import agreement_document, render
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.trial import CLEARTEXT, PLAIN_VETH, LabTrial, TrialKind

Make = Callable[..., Dataset]


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def test_every_suite_has_a_line_for_each_direction(make_dataset: Make) -> None:
    lines = render(make_dataset(lab={})).splitlines()
    gcm = [line for line in lines if line.startswith("aes128gcm16 ")]
    assert [line.split()[1] for line in gcm] == ["outbound", "inbound"]
    # 64 B, the mix, 1400 B: predicted, measured, how far off.
    words = gcm[0].split()[2:]
    assert len(words) == 9
    for predicted, measured, off in zip(words[::3], words[1::3], words[2::3], strict=True):
        assert float(predicted) / float(measured) - 1 == pytest.approx(float(off.rstrip("%")) / 100, abs=0.01)
    assert float(words[1]) == pytest.approx(64 * 8e3 / (230 + 400 + 0.42 * 64), rel=0.02)
    assert max(len(line) for line in lines) <= 120
    assert any("median error" in line and "100% within 10%" in line for line in lines)
    assert any("none is predicted in the wrong order" in line for line in lines)


def test_wrong_orders_are_named(make_dataset: Make) -> None:
    text = render(make_dataset(lab={"aes128gcm16": 9000.0}))
    assert "predicted in the wrong order" in text
    assert "! " in text
    assert "predicted the other way round" in text


def test_without_figures_it_says_why(make_dataset: Make) -> None:
    assert "Nothing to hold against a prediction" in render(make_dataset())


def trials() -> tuple[LabTrial, ...]:
    clear = LabTrial(TrialKind.THROUGHPUT, Tier.TUN_LAB, PLAIN_VETH, CLEARTEXT, direction="both", size_bytes=64)
    esp = replace(clear, provider="agent", algorithm="aes128gcm16")
    return (
        replace(clear, values={"ndr_pps": exactly(900_000)}, limited_by="generator"),
        replace(esp, values={"ndr_pps": exactly(250_000)}, limited_by="plane"),
        replace(esp, kind=TrialKind.LATENCY, values={"p99_us": exactly(45.0)}),
        replace(esp, kind=TrialKind.TCP_STREAM, size_bytes=None, values={"mbit_per_second": exactly(5200.0)}),
        replace(
            esp, kind=TrialKind.FIRST_PACKET, size_bytes=None, status=Status.FAILED, message="no packet came through"
        ),
    )


def test_trials_follow(make_dataset: Make) -> None:
    text = render(replace(make_dataset(lab={}), trials=trials()))
    assert "in clear at least 900 kpps; aes128gcm16 250 kpps, p99 45.0 µs" in text
    assert "aes128gcm16 5.20 Gbit/s" in text
    assert "! first-packet of aes128gcm16: no packet came through" in text


def test_rows_with_few_samples_are_named(make_dataset: Make) -> None:
    dataset = make_dataset(lab={})
    assert "fewer than five samples" not in render(dataset)
    rows = tuple(
        replace(row, flags=("few-samples",)) if row.workload.tier is Tier.TUN_LAB else row
        for row in dataset.measurements
    )
    assert "! 152 of 152 rows have fewer than five samples" in render(replace(dataset, measurements=rows))


def test_json_says_the_same(make_dataset: Make) -> None:
    dataset = replace(make_dataset(lab={}), trials=trials())
    document = json.loads(json.dumps(agreement_document(dataset)))
    (agreement,) = document["agreements"]
    assert agreement["close_share"] == 1.0
    assert agreement["inversions"] == []
    assert len(document["trials"]) == len(trials())
    row = next(
        row
        for row in agreement["rows"]
        if (row["suite"], row["direction"], row["size_bytes"]) == ("aes128gcm16", "outbound", 1400)
    )
    assert row["measured_ns"]["median"] == pytest.approx(230 + 400 + 0.42 * 1400, rel=0.02)
    assert row["error"] == pytest.approx(row["predicted_ns"]["median"] / row["measured_ns"]["median"] - 1)
