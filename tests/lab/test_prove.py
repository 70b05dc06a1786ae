"""``ipsecbench recommend --prove`` for real: negotiated as recommended, measured, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.dataset.store import read_dataset, write_dataset
from ipsecbench.export.connection import End
from ipsecbench.hardware import detect
from ipsecbench.lab.trials.own_bed import CONNECTION
from ipsecbench.lab.trials.proof_bed import ProofBed
from ipsecbench.proof import judgement
from ipsecbench.proof.endpoints import endpoint_files
from tests.lab import rootless
from tests.lab.leftovers import marked
from tests.unit.export.connections import a_connection

pytestmark = [pytest.mark.root, pytest.mark.agent, pytest.mark.slow]

LABORATORY = rootless.ROOT / "datasets/lab.ipsecbench.json"
"""A dataset with rows of the laboratory."""


@pytest.fixture(scope="module")
def box() -> Iterator[Path]:
    """That dataset, as if this box had been measured: what is compared are its figures with this box's."""
    folder = Path(tempfile.mkdtemp(prefix="ipsecbench-tests-"))
    folder.chmod(0o755)
    dataset = read_dataset(LABORATORY)
    path = folder / "box.ipsecbench.json"
    hardware = detect(Path("/")).to_dict()
    write_dataset(path, replace(dataset, environment={**dataset.environment, "hardware": hardware}))
    path.chmod(0o644)
    yield path
    shutil.rmtree(folder)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ipsecbench", "recommend", *arguments]


def test_both_sets_are_negotiated_as_recommended_and_measured(nothing_left: None, box: Path) -> None:
    done = subprocess.run(
        command(str(box), "--profile", "1400", "--prove", "--quick", "--json"),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    # Whether the figures of another moment hold here and now is not this test's business.
    assert done.returncode in (0, 4), done.stderr
    assert done.stderr == ""
    document = json.loads(done.stdout)
    proof = document["proof"]
    assert proof["exit_code"] == done.returncode
    assert proof["dataplane"] == "agent"
    first, second = proof["sets"]
    assert (first["name"], second["name"]) == ("recommended", "runner-up")
    assert first["ike_proposal"] == document["phase1"]["proposal"]
    assert first["esp_proposal"] == document["phase2"]["proposal"]
    assert second["suite"] == document["runner_up"]["suite"]
    for each in (first, second):
        assert each["authentication"] == "ecdsa-256"
        assert each["negotiated_exactly"] is True
        assert each["differences"] == []
        assert f"({each['esp_proposal'].split('-')[1]}): perfect forward secrecy" in each["pfs"]
        assert 0.5 < each["set_up"]["measured_ms"]["median"] < 5000
        assert [one["direction"] for one in each["directions"]] == ["outbound", "inbound"]
        for one in each["directions"]:
            assert one["error"] == pytest.approx(one["measured"]["median"] / one["predicted"]["median"] - 1)
            # One core seals or opens between 1400 packets a second and ten million.
            assert 15 < one["measured"]["median"] < 112_000
            assert one["as_negotiated"]["median"] < one["measured"]["median"] * 2
    headline = document["phase2"]["candidate"]["headline"]
    for one in first["directions"]:
        assert one["predicted"] == headline[f"{one['direction']}_mbit_per_second"]
    assert (first["encapsulation"], first["compared_encapsulation"]) == ("none", "udp")


def test_the_article_is_what_it_says_without_root(nothing_left: None, box: Path) -> None:
    arguments = ("recommend", str(box), "--policy", "article", "--nat-t", "--goal", "900G", "--prove", "--quick")
    whole = rootless.missing_prerequisite() is None
    done = (
        rootless.run(*arguments, timeout=120)
        if whole
        else subprocess.run(command(*arguments[1:]), capture_output=True, text=True, timeout=120, check=False)
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    words = " ".join(done.stdout.partition("\nPROOF ")[2].split())
    assert "IKEv1 aes256-sha1-modp1024, auth psk; ESP aes128-md5, tunnel mode" in words
    assert "exactly, at both ends; rekeyed without a key exchange, as recommended: no perfect forward secrecy" in words
    assert "outbound predicted" in words
    assert "inbound predicted" in words
    # ESP is in UDP in the set and in the dataset's rows: there is one figure.
    assert "itself" not in words
    assert "VERDICT GOAL MISSED: one core carries" in words
    assert "Proves not" in words
    if whole and os.geteuid() == 0:
        assert "! the data planes had no real-time priority" in words


def test_nothing_is_left_after_an_interruption(nothing_left: None, box: Path) -> None:
    mark = f"IPSECBENCH_TEST={os.environ['IPSECBENCH_TEST']}"
    with subprocess.Popen(
        command(str(box), "--prove"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while len(planes(mark)) < 2 and time.monotonic() < deadline:
                assert process.poll() is None
                time.sleep(0.05)
            # Ctrl-C reaches the whole group of processes.
            os.killpg(process.pid, signal.SIGINT)
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert out == ""


def planes(mark: str) -> list[int]:
    """Processes that are data planes."""
    found = []
    for each in marked(mark):
        try:
            if b"\0esp\0" in Path(f"/proc/{each}/cmdline").read_bytes():
                found.append(each)
        except OSError:
            continue
    return found


def test_two_boxes_cannot_be_proven_on_one(nothing_left: None, box: Path) -> None:
    done = subprocess.run(
        command(str(box), "--prove", "--peer-dataset", str(LABORATORY)),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == ("ipsecbench: --prove: both ends of the laboratory are this box; leave --peer-dataset out\n")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, set()),
        ({"replay_window_packets": 64}, {"anti-replay window"}),
        ({"child_life": replace(a_connection().child_life, hard_bytes=12 * 10**11)}, {"Child SA's last octet"}),
    ],
)
def test_an_end_that_was_configured_otherwise_is_found_out(root: None, changes: dict[str, Any], what: set[str]) -> None:
    local, peer = (End(f"192.0.2.{number}", (f"10.{number}.0.0/16",), f"192.0.2.{number}") for number in (1, 2))
    # With certificates two calls make ends that trust each other.
    wanted = a_connection(name=CONNECTION, local=local, peer=peer, authentication="ed25519")
    files = endpoint_files(wanted, 1)[0], endpoint_files(replace(wanted, **changes), 1)[1]
    with ProofBed("aes256gcm16", files, core=min(os.sched_getaffinity(0))) as bed:
        here, there = bed.held()
        bed.rekey()
        again = bed.held()
    assert judgement.differences(wanted, here, rekeyed=False) == ()
    assert {each.what for each in judgement.differences(wanted.mirrored(), there, rekeyed=False)} == what
    assert judgement.differences(wanted, again[0], rekeyed=True) == ()
    assert {each.end for each in judgement.differences(wanted.mirrored(), again[1], rekeyed=True)} <= {"peer"}
