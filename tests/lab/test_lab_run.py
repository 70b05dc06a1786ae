"""``ipsecbench lab run`` for real: negotiated, measured, stored whole, nothing left behind, errors in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ipsecbench.bench.measurement import Status, Tier
from ipsecbench.dataset.store import read_dataset
from tests.lab import rootless
from tests.lab.conftest import require
from tests.lab.leftovers import marked

pytestmark = [pytest.mark.root, pytest.mark.agent, pytest.mark.slow]

ARGUMENTS = (
    "lab", "run", "--quick", "--suites", "aes128gcm16,3des-sha1", "--sizes", "64,1400,imix-simple", "--budget", "12",
)  # fmt: skip


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ipsecbench", *arguments]


def test_predicted_and_measured_are_printed_and_stored(nothing_left: None, tmp_path: Path) -> None:
    path = tmp_path / "lab.ipsecbench.json"
    done = subprocess.run(
        command(*ARGUMENTS, "-o", str(path), "--json"), capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    (agreement,) = document["agreements"]
    assert agreement["provider"] == "agent"
    rows = {(row["suite"], row["direction"], row["size_bytes"]): row for row in agreement["rows"]}
    # null-sha256 stands in where a suite has no base of its own, and is held against nothing.
    assert {suite for suite, _, _ in rows} == {"aes128gmac", "null-sha1", "aes128gcm16", "3des-sha1"}
    assert len(rows) == 4 * 2 * 3
    # Whatever else runs on the machine: an order of magnitude between these two is seen, and predicted.
    fast, slow = rows["aes128gcm16", "inbound", 1400], rows["3des-sha1", "inbound", 1400]
    assert slow["measured_ns"]["median"] > 5 * fast["measured_ns"]["median"]
    assert slow["predicted_ns"]["median"] > 5 * fast["predicted_ns"]["median"]
    assert slow["base"] == "null-sha1"
    assert not [pair for pair in agreement["inversions"] if pair["faster"] == "3des-sha1"]
    dataset = read_dataset(path)
    assert dataset.sha256 == document["dataset_sha256"]
    lab = [row for row in dataset.measurements if row.workload.tier is Tier.TUN_LAB]
    assert len(lab) == 5 * 2 * 3
    for row in lab:
        assert row.status in (Status.OK, Status.UNSTABLE)
        assert row.workload.provider == "agent"
        assert row.detail["limited_by"] == "plane"
        assert row.detail["encapsulation"] == "udp"
        assert set(row.detail["ns_per_packet"]) == {"tun", "crypto", "socket"}
        assert all(sample.iterations > 1000 for sample in row.samples)
    # It is a dataset like any other: a recommendation and a report come out of it, and name the laboratory.
    done = subprocess.run(
        command("recommend", str(path), "--profile", "1400", "--json"), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "In the laboratory (tier tun-lab, data plane agent)" in done.stdout
    # A second run takes the packet loops from the first, and keeps its rows.
    again = tmp_path / "again.ipsecbench.json"
    done = subprocess.run(
        command("lab", "run", "--quick", "--suites", "aes128gcm16", "--sizes", "64", "--budget", "4",
                "--dataset", str(path), "-o", str(again)),
        capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Predicted against measured over all" in done.stdout
    merged = read_dataset(again)
    loops = [row for row in merged.measurements if row.workload.tier is Tier.PACKET_LOOP]
    assert loops == [row for row in dataset.measurements if row.workload.tier is Tier.PACKET_LOOP]
    assert merged.settings["packet_loops"] == dataset.sha256


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_measured_survives_an_end_before_time(nothing_left: None, tmp_path: Path, number: int) -> None:
    path = tmp_path / "lab.ipsecbench.json"
    arguments = [*ARGUMENTS[:-1], "100", "-o", str(path)]
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not path.exists() and time.monotonic() < deadline:
                assert process.poll() is None
                time.sleep(0.1)
            # Ctrl-C reaches the whole group of processes.
            (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "Traceback" not in error
    dataset = read_dataset(path)
    assert dataset.ended == "interrupted"
    assert any(row.usable and row.workload.tier is Tier.TUN_LAB for row in dataset.measurements)


def test_a_data_plane_that_is_killed_is_one_line(nothing_left: None, tmp_path: Path) -> None:
    path = tmp_path / "lab.ipsecbench.json"
    arguments = [*ARGUMENTS[:-1], "100", "-o", str(path)]
    mark = f"IPSECBENCH_TEST={os.environ['IPSECBENCH_TEST']}"
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not path.exists() and time.monotonic() < deadline:
                assert process.poll() is None
                time.sleep(0.1)
            planes = [each for each in marked(mark) if b"\0esp\0" in Path(f"/proc/{each}/cmdline").read_bytes()]
            assert len(planes) == 2
            os.kill(planes[0], signal.SIGKILL)
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert "Traceback" not in error
    (line,) = [line for line in error.splitlines() if line.startswith("ipsecbench: ")]
    assert "gone" in line or "signal 9" in line
    dataset = read_dataset(path)
    assert dataset.ended == "interrupted"
    assert any(row.usable and row.workload.tier is Tier.TUN_LAB for row in dataset.measurements)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--suites", "aes512"), 2, "aes512"),
        (("--suites", "twofish128-sha1"), 2, "twofish128-sha1 cannot be had here"),
        (("--sizes", "12"), 2, "--sizes: 12 is outside"),
        (("--budget", "0"), 2, "--budget"),
        (("--library", "openssl"), 2, "--library"),
        (("--peer", "libreswan"), 2, "--peer"),
        (("--dataset", "/nowhere.json"), 1, "/nowhere.json"),
        (("-o", "/nowhere/x.json"), 1, "/nowhere"),
    ],
)
def test_bad_input_is_one_line(
    nothing_left: None, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = subprocess.run(
        command("lab", "run", *arguments), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ipsecbench: ")]
    assert words in line
    assert list(tmp_path.iterdir()) == []


def test_strongswan_is_compared_with(nothing_left: None, strongswan_peer: None, tmp_path: Path) -> None:
    path = tmp_path / "lab.ipsecbench.json"
    done = subprocess.run(
        command("lab", "run", "--quick", "--suites", "aes128gcm16", "--sizes", "64", "--budget", "6",
                "--peer", "strongswan", "-o", str(path)),
        capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    dataset = read_dataset(path)
    rows = {
        (row.workload.provider, row.workload.operation): row
        for row in dataset.measurements
        if row.workload.tier is Tier.TUN_LAB and row.workload.algorithm == "aes128gcm16" and row.usable
    }
    assert set(rows) == {(name, way) for name in ("agent", "strongswan") for way in ("outbound", "inbound")}
    for way in ("outbound", "inbound"):
        ours, theirs = rows["agent", way].ns_per_operation, rows["strongswan", way].ns_per_operation
        assert ours is not None
        assert theirs is not None
        assert 3 * ours.median < theirs.median
    assert {"agent", "strongswan", "veth"} <= {trial.provider for trial in dataset.trials if trial.usable}


def test_it_needs_no_root(nothing_left: None, folder_of_everybody: Path) -> None:
    require(rootless.missing_prerequisite())
    path = folder_of_everybody / "lab.ipsecbench.json"
    done = rootless.run(
        "lab", "run", "--quick", "--suites", "aes128gcm16", "--sizes", "64", "--budget", "4", "-o", str(path),
        timeout=170,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Predicted against measured over all" in done.stdout
    dataset = read_dataset(path)
    assert any(row.usable and row.workload.tier is Tier.TUN_LAB for row in dataset.measurements)
    if os.geteuid() == 0:
        # As nobody it may give no priority, and says so.
        assert "no-priority" in [warning.code for warning in dataset.warnings]
        assert "! the data planes had no real-time priority" in done.stdout
        folder_of_everybody.chmod(0o700)
        refused = rootless.run("lab", "run", "-o", str(path), timeout=30)
        assert refused.returncode == 1
        assert refused.stderr == f"ipsecbench: {path}: Permission denied; choose another --output\n"
