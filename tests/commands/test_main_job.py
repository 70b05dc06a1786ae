"""The main job and the measuring command, run as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.bench.measurement import Status, Tier
from ipsecbench.dataset.store import read_dataset

pytestmark = pytest.mark.agent

Run = Callable[..., Any]
"""The fixtures of conftest.py."""


def measured_suites(path: Path) -> set[str]:
    return {row.workload.algorithm for row in read_dataset(path).rows(tier=Tier.PACKET_LOOP)}


@pytest.mark.slow
def test_the_main_job_ends_with_an_answer_a_dataset_and_a_report(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench("run", "--quick", "--budget", "25", "--label", "test box", "--goal", "10M")
    assert outcome.code == 0, outcome.err
    data = read_dataset(tmp_path / "test-box.ipsecbench.json")
    assert not [row for row in data.measurements if row.status is Status.FAILED]
    report = (tmp_path / "test-box.html").read_text()
    # The recommended phase 2 suite is one that was measured, and is the same on the screen and in the report.
    lines = outcome.out.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 110
    chosen = [suite for suite in measured_suites(tmp_path / "test-box.ipsecbench.json") if suite in outcome.out]
    assert chosen
    again = ipsecbench("recommend", "test-box.ipsecbench.json", "--goal", "10M", "--json")
    assert again.code == 0, again.err
    recommendation = json.loads(again.out)
    for proposal in (recommendation["phase1"]["proposal"], recommendation["phase2"]["proposal"]):
        assert proposal in outcome.out
        assert proposal in report
    # Whole set-ups were measured, and stand beside the cost of the cryptography.
    stack = recommendation["phase1"]["handshake"]["stack"]
    assert {row.workload.algorithm[:5] for row in data.rows(tier=Tier.HANDSHAKE)} == {"ikev1", "ikev2"}
    assert stack["initiator_us"]["median"] > stack["initiator_other_us"]["median"] > 0
    assert stack["measured_set"] in report


def test_whole_set_ups_alone_need_no_agent(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench(
        "bench", "--quick", "--providers", "ipsecbench", "--only", "ikev2:*", "--budget", "4", "-o", "a.json"
    )
    assert outcome.code == 0, outcome.err
    data = read_dataset(tmp_path / "a.json")
    assert all(row.usable for row in data.measurements)
    assert {row.workload.tier for row in data.measurements} == {Tier.HANDSHAKE}
    assert [entry["provider"] for entry in data.environment["libraries"]] == ["ipsecbench"]
    assert "ikev2:aes128-sha256-x25519:psk protocol-responder" in outcome.out


def test_bench_writes_what_was_asked_for(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench(
        "bench", "--only", "aes128gcm16", "--only", "x25519", "--sizes", "64,1400", "--budget", "3", "--cores", "1",
        "--precision", "50", "--redact", "--output", "a.ipsecbench.json",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    data = read_dataset(tmp_path / "a.ipsecbench.json")
    assert {row.workload.algorithm for row in data.measurements} == {"aes128gcm16", "x25519"}
    assert {row.workload.size_bytes for row in data.rows(operation="outbound")} == {64, 1400}
    assert data.redacted
    assert data.settings["sizes_bytes"] == [64, 1400]
    assert "aes128gcm16" in outcome.out


def test_json_is_the_dataset(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench(
        "bench", "--only", "null-sha256", "--sizes", "64", "--budget", "1", "--cores", "1", "--json", "-o", "a.json"
    )
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out) == json.loads((tmp_path / "a.json").read_text())


def test_a_dry_run_measures_and_writes_nothing(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench("run", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "rows in all" in outcome.out
    assert list(tmp_path.iterdir()) == []


def test_a_masked_box_is_slower_at_what_was_masked(ipsecbench: Run, tmp_path: Path) -> None:
    if os.uname().machine != "x86_64" or " aes " not in Path("/proc/cpuinfo").read_text():
        pytest.skip("needs an x86 with AES instructions")
    medians = []
    for name, options in (("plain", ()), ("masked", ("--mask", "aes,clmul"))):
        outcome = ipsecbench(
            "bench", "--only", "aes128gcm16", "--providers", "libcrypto", "--sizes", "1400", "--budget", "2",
            "--cores", "1", "-o", f"{name}.json", *options,
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        (row,) = read_dataset(tmp_path / f"{name}.json").rows(operation="outbound")
        assert row.ns_per_operation is not None
        medians.append(row.ns_per_operation.median)
    assert read_dataset(tmp_path / "masked.json").masked == ("aes", "clmul")
    # AES-NI with carry-less multiplication is at least several times faster; a mask without effect would give 1.
    assert medians[1] > 2 * medians[0]


def test_strict_ends_with_4_when_precision_was_not_reached(ipsecbench: Run) -> None:
    outcome = ipsecbench(
        "bench", "--only", "aes128*", "--budget", "1", "--precision", "0.05", "--strict", "--providers", "libcrypto"
    )
    assert "rows are not within" in outcome.one_line_error(4)


def agent_at_work(process: subprocess.Popen[str], seconds: float) -> list[int]:
    """Process IDs of the program's children, once the agent among them has used so much processor time."""
    tick = os.sysconf("SC_CLK_TCK")
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        children = [
            int(word)
            for word in subprocess.run(
                ["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True, check=False
            ).stdout.split()
        ]
        for child in children:
            with suppress(OSError):
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                if (int(fields[11]) + int(fields[12])) / tick >= seconds:
                    return children
        time.sleep(0.1)
    raise AssertionError("the agent has not begun to measure")


def test_ctrl_c_leaves_a_valid_partial_dataset(start_ipsecbench: Run, tmp_path: Path) -> None:
    process = start_ipsecbench("bench", "--budget", "100", "-o", "partial.ipsecbench.json")
    agent_at_work(process, 4.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    data = read_dataset(tmp_path / "partial.ipsecbench.json")
    assert data.ended == "interrupted"
    assert not data.complete
    assert any(row.usable for row in data.measurements)
    assert any(row.status is Status.SKIPPED for row in data.measurements)


def test_a_kill_leaves_neither_a_half_dataset_nor_an_agent(start_ipsecbench: Run, tmp_path: Path) -> None:
    process = start_ipsecbench("bench", "--budget", "100", "-o", "killed.ipsecbench.json")
    children = [Path("/proc", str(child)) for child in agent_at_work(process, 1.0)]
    process.kill()
    process.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while any(child.exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if child.exists()]
    assert not (tmp_path / "killed.ipsecbench.json").exists()
