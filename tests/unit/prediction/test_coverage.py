"""The 90% interval of a prediction against the laboratory: a real box's rows, and boxes whose error is known."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from tests.bench.prediction_coverage import HeldBack, coverage, held_back

LABORATORY = Path(__file__).parents[3] / "datasets" / "lab.ipsecbench.json"


@pytest.fixture(scope="module")
def real() -> list[HeldBack]:
    return list(held_back(read_dataset(LABORATORY)))


def test_the_interval_holds_what_the_laboratory_measured(real: list[HeldBack]) -> None:
    assert len(real) > 350
    assert coverage(real) >= 0.85
    for direction in ("outbound", "inbound"):
        assert coverage([row for row in real if row.row.workload.operation == direction]) >= 0.8


def test_the_interval_holds_on_another_machine_that_was_quiet() -> None:
    rows = list(held_back(read_dataset(LABORATORY.with_name("epyc.ipsecbench.json"))))
    assert len(rows) > 350
    assert coverage(rows) >= 0.85
    assert statistics.median(row.error for row in rows) < 0.03
    assert statistics.median(row.width_factor for row in rows) < 1.2


def test_the_interval_is_no_wider_than_it_has_to_be(real: list[HeldBack]) -> None:
    # The rows themselves are only known to ±12% on this machine.
    assert statistics.median(row.width_factor for row in real) < 1.6
    assert statistics.median(row.error for row in real) < 0.08
    # One of three quarters the width would not do.
    narrower = [abs(row.measured / row.predicted.median - 1) < 0.375 * (row.width_factor - 1) for row in real]
    assert statistics.fmean(narrower) < 0.9


def test_a_box_that_obeys_the_model_has_narrow_intervals(make_dataset: Callable[..., Dataset]) -> None:
    rows = list(held_back(make_dataset(lab={}, half_width=0.004)))
    assert len(rows) > 100
    assert coverage(rows) >= 0.9
    assert statistics.median(row.width_factor for row in rows) < 1.06


def test_a_box_that_does_not_has_wide_ones(make_dataset: Callable[..., Dataset]) -> None:
    # Every other suite costs the plane 300 ns that no suite without encryption shows.
    suites = ("aes128gcm16", "aes192gcm16", "aes256gcm16", "chacha20poly1305", "aes128ccm16", "aes128-sha1")
    rows = list(held_back(make_dataset(lab=dict.fromkeys(suites, 300.0), half_width=0.004)))
    assert statistics.median(row.width_factor for row in rows) > 1.2
    # The error of a suite is not seen by its own interval: it is wide because of the others'.
    alone = list(held_back(make_dataset(lab={"aes128gcm16": 3000.0}, half_width=0.004)))
    assert all(not row.inside for row in alone if row.row.workload.algorithm == "aes128gcm16")


def test_of_another_day(make_dataset: Callable[..., Dataset]) -> None:
    first, later = make_dataset(lab={}), make_dataset(lab={}, scale=1.01)
    assert coverage(list(held_back(first, later))) >= 0.85
    assert coverage(list(held_back(first, make_dataset(lab={}, scale=2.0)))) == 0.0
