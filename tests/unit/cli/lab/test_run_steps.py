"""How datasets grow in the steps of ``lab run``: rows merge, trials replace each other, another box is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Tier, Workload
from ipsecbench.bench.session import RunResult, Session
from ipsecbench.cli.lab.run_options import RunOptions
from ipsecbench.cli.lab.run_steps import LabSteps, merged, same_box
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset, write_dataset
from ipsecbench.dataset.trial import LabTrial, TrialKind
from ipsecbench.errors import LaboratoryError, UsageError
from ipsecbench.lab.trials.capacity import CapacityRequest
from ipsecbench.lab.trials.plan import Size

Make = Callable[..., Dataset]


def options(**changes: Any) -> RunOptions:
    plain: dict[str, Any] = {
        "quick": True, "suites": (), "sizes": (), "library": "libcrypto", "raw": False, "budget": None, "seed": 0,
        "label": "box", "redact": False, "output": None, "force": False, "quiet": True, "known": None,
        "strongswan": False,
    }  # fmt: skip
    return RunOptions(**{**plain, **changes})


def result(rows: tuple[Measurement, ...], ended: str = "finished") -> RunResult:
    environment: dict[str, Any] = {"hardware": {}, "libraries": []}
    return RunResult("2026-11-27T10:00:00+00:00", ended, environment, rows, (), (("steal", "some"),))


WANTED = CapacityRequest(("null-sha256", "aes128gcm16"), (Size(64), Size(mix="imix-simple")))


def lab_rows(dataset: Dataset) -> tuple[Measurement, ...]:
    return tuple(
        replace(row, detail={"limited_by": "plane"})
        for row in dataset.measurements
        if row.workload.tier is Tier.TUN_LAB
    )


def test_rows_of_the_laboratory_join_the_packet_loops(make_dataset: Make, tmp_path: Path) -> None:
    known = make_dataset()
    rows = lab_rows(make_dataset(lab={}))
    dataset = merged(known, result(rows), options(known=Path("x")), WANTED, "none", known)
    assert len(dataset.measurements) == len(known.measurements) + len(rows)
    assert dataset.measurements[: len(known.measurements)] == known.measurements
    assert all(
        row.detail["encapsulation"] == "none" for row in dataset.measurements if row.workload.tier is Tier.TUN_LAB
    )
    assert dataset.settings["packet_loops"] == known.sha256
    assert dataset.settings["sizes_bytes"] == [64]
    # What is merged is a dataset like any other.
    path = tmp_path / "a.ipsecbench.json"
    write_dataset(path, dataset)
    assert read_dataset(path) == dataset
    # Measured again, a row takes the place of the older one.
    again = merged(dataset, result(rows[:1], "interrupted"), options(), WANTED, "udp", None)
    assert len(again.measurements) == len(dataset.measurements)
    assert again.measurements[-1].detail["encapsulation"] == "udp"
    assert again.ended == "interrupted"
    assert again.settings["packet_loops"] is None


def test_trials_are_stored_one_by_one_and_replace_older_ones(make_dataset: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.ipsecbench.json"
    steps = LabSteps(options(), make_dataset(lab={}), path)
    trial = LabTrial(
        TrialKind.TCP_STREAM, Tier.TUN_LAB, "agent", "aes128gcm16", values={"mbit_per_second": Estimate(1, 1, 1)}
    )
    stored: list[int] = []

    def trials(say: Callable[[str], None]) -> Any:
        say("one TCP connection")
        yield trial
        stored.append(len(read_dataset(path).trials))
        yield replace(trial, algorithm="3des-sha1")
        yield replace(trial, values={"mbit_per_second": Estimate(2, 2, 2)})
        raise KeyboardInterrupt

    steps._try(trials)
    assert stored == [1]
    dataset = read_dataset(path)
    assert dataset.ended == "interrupted"
    assert [found.algorithm for found in dataset.trials] == ["3des-sha1", "aes128gcm16"]
    assert dataset.trials[1].values["mbit_per_second"].median == 2
    assert steps.dataset.sha256 == dataset.sha256
    # After an interruption nothing more is tried.
    steps._try(lambda say: iter([replace(trial, algorithm="aes256gcm16")]))
    assert len(read_dataset(path).trials) == 2


def test_without_a_measurement_there_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(LaboratoryError, match="nothing was measured"):
        _ = LabSteps(options(), None, tmp_path / "a.json").dataset


def test_packet_loops_of_another_box_are_refused(make_dataset: Make) -> None:
    dataset = make_dataset()
    hardware = dataset.environment["hardware"]
    same_box(cast(Session, SimpleNamespace(hardware=hardware)), dataset)
    same_box(cast(Session, SimpleNamespace(hardware={})), None)
    with pytest.raises(UsageError, match="another box"):
        same_box(cast(Session, SimpleNamespace(hardware={"cpu": {"model": "Other"}})), dataset)


def test_the_pace_is_bounded() -> None:
    assert options().pace().budget_seconds < options(quick=False).pace().budget_seconds
    for budget in (0.5, 1e6):
        with pytest.raises(UsageError, match="--budget"):
            options(budget=budget).pace()


def test_workloads_of_rows_are_unique(make_dataset: Make) -> None:
    rows = lab_rows(make_dataset(lab={}))
    dataset = merged(make_dataset(lab={}), result(rows), options(), WANTED, "udp", None)
    workloads: list[Workload] = [row.workload for row in dataset.measurements]
    assert len(workloads) == len(set(workloads))
