"""What the agent says, and how it measures: docs/agent-protocol.md."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.agent

SPEED = {"command": "speed", "provider": "libcrypto"}
GCM = {**SPEED, "tier": "packet-loop", "algorithm": "aes128gcm16"}


def test_info(agent: Any) -> None:
    (answer,) = agent.ask([{"command": "info"}])
    assert set(answer) == {
        "id", "type", "protocol", "version", "compiler", "machine", "libraries", "cycle_counter", "hwcap", "hwcap2",
        "cores",
    }  # fmt: skip
    assert answer["type"] == "info"
    assert answer["protocol"] == 1
    assert answer["machine"] == os.uname().machine
    assert answer["cores"] == sorted(os.sched_getaffinity(0))
    libraries = {library["provider"]: library for library in answer["libraries"]}
    assert {"libcrypto", "libgcrypt"} <= set(libraries)
    for library in libraries.values():
        assert set(library) == {"provider", "status", "path", "version", "modules", "cpu_settings", "note"}
        if library["status"] == "loaded":
            assert Path(library["path"]).is_absolute()
            assert Path(library["path"]).exists()
            assert library["version"]
    counter = answer["cycle_counter"]
    assert counter["kind"] in {"core", "reference", "none"}
    if counter["kind"] == "reference" and counter["name"] == "tsc":
        assert 100e6 < counter["hz"] < 10e9


def test_clock(agent: Any) -> None:
    core = min(os.sched_getaffinity(0))
    answers = agent.ask(
        [
            {"command": "clock", "core": core, "milliseconds": 5},
            {"command": "clock", "core": None, "milliseconds": 5},
            {"command": "clock"},
        ]
    )
    assert [answer["core"] for answer in answers] == [core, None, None]
    for answer in answers:
        assert 50e6 < answer["hz"] < 10e9


def test_list(agent: Any) -> None:
    (answer,) = agent.ask([{"command": "list"}])
    names = [(row["provider"], row["tier"], row["algorithm"]) for row in answer["rows"]]
    assert len(set(names)) == len(names)
    for row in answer["rows"]:
        assert set(row) == {"provider", "tier", "algorithm", "operations", "reason"}
        assert bool(row["operations"]) == (row["reason"] is None), row
    rows = dict(zip(names, answer["rows"], strict=True))
    assert rows["libcrypto", "primitive", "aes128"]["operations"] == ["encrypt", "decrypt"]
    assert rows["libcrypto", "primitive", "aes128gmac"]["operations"] == ["authenticate", "verify"]
    assert rows["libcrypto", "primitive", "twofish128"]["reason"] == "libcrypto has no Twofish"
    operations = rows["libcrypto", "packet-loop", "aes128gcm16"]["operations"]
    assert operations == ["outbound", "inbound", "key-setup"]


def test_a_sample_says_what_was_run(agent: Any) -> None:
    order = {**GCM, "operation": "outbound", "size_bytes": 576, "iterations": 200, "warmup": 10}
    (answer,) = agent.ask([order])
    assert answer["type"] == "sample"
    (worker,) = answer["workers"]
    assert worker["core"] is None
    assert worker["iterations"] == 200
    assert worker["wall_ns"] > 0
    assert worker["cpu_ns"] > 0
    assert set(worker) == {
        "core", "iterations", "wall_ns", "cpu_ns", "cycles", "involuntary_switches", "minor_faults",
    }  # fmt: skip
    # SPI and sequence number, IV, 576 octets with 2 of padding and 2 of trailer, ICV; an IPv4 header of 20 around it.
    assert answer["detail"]["esp_bytes"] == 8 + 8 + 580 + 16
    assert answer["detail"]["wire_bytes"] == answer["detail"]["esp_bytes"] + 20
    assert answer["detail"]["ring_packets"] >= 16


@pytest.mark.parametrize("provider", ["libcrypto", "libgcrypt"])
def test_every_symmetric_row_can_be_measured(agent: Any, rows: Any, provider: str) -> None:
    orders: list[dict[str, Any]] = []
    for (name, tier, algorithm), row in rows.items():
        for operation in row["operations"]:
            if name == provider and (tier == "packet-loop" or operation in {"encrypt", "decrypt", "authenticate"}):
                order = {"provider": provider, "tier": tier, "algorithm": algorithm, "operation": operation}
                if operation != "key-setup":
                    order["size_bytes"] = 96
                orders.append({**order, "command": "speed", "iterations": 40, "esn": len(orders) % 2 == 1})
    assert len(orders) > 300
    for order, answer in zip(orders, agent.ask(orders), strict=True):
        assert answer["type"] == "sample", (order, answer)
        assert answer["workers"][0]["iterations"] == 40


@pytest.mark.parametrize("size_bytes", [1, 64, 1500, 9000, 65535])
@pytest.mark.parametrize("operation", ["outbound", "inbound"])
def test_packet_sizes_and_turns_of_the_ring(agent: Any, operation: str, size_bytes: int) -> None:
    """More packets than the ring holds, so that it turns, with the largest and smallest window and ESN."""
    base = {**SPEED, "tier": "packet-loop", "operation": operation, "size_bytes": size_bytes, "iterations": 1500}
    orders = [
        {**base, "algorithm": algorithm, "esn": esn, "replay_window": window}
        for algorithm in ("aes128gcm16", "aes128-sha1", "null-md5", "aes128gmac")
        for esn in (False, True)
        for window in (1, 64, 65536)
    ]
    for answer in agent.ask(orders):
        assert answer["type"] == "sample", answer


def test_mixes_are_whole_cycles(agent: Any) -> None:
    simple, csit = agent.ask(
        [
            {**GCM, "operation": "inbound", "mix": "imix-simple", "iterations": 13, "warmup": 1},
            {**GCM, "operation": "outbound", "mix": "imix-csit", "iterations": 1000},
        ]
    )
    assert simple["workers"][0]["iterations"] == 24
    assert csit["workers"][0]["iterations"] == 1008
    assert simple["detail"]["cycle_packets"] == 12
    assert simple["detail"]["cycle_inner_bytes"] == 7 * 64 + 4 * 570 + 1518
    assert csit["detail"]["cycle_packets"] == 48
    assert csit["detail"]["cycle_inner_bytes"] == 28 * 64 + 16 * 570 + 4 * 1518


def test_one_worker_for_each_core(agent: Any) -> None:
    cores = sorted(os.sched_getaffinity(0))
    (answer,) = agent.ask([{**GCM, "operation": "outbound", "size_bytes": 64, "iterations": 500, "cores": cores}])
    assert [worker["core"] for worker in answer["workers"]] == cores
    assert all(worker["iterations"] == 500 for worker in answer["workers"])


def test_a_processor_that_is_not_there(agent: Any) -> None:
    order = {**GCM, "operation": "outbound", "size_bytes": 64, "iterations": 5, "cores": [0, 8191]}
    answers = agent.ask([order, {"command": "clock", "core": 8191}, {"command": "clock", "milliseconds": 1}])
    assert [answer.get("code") for answer in answers] == ["usage", "usage", None]
    assert "8191" in answers[0]["message"]


def test_pinning_ends_with_the_order(agent: Any) -> None:
    core = min(os.sched_getaffinity(0))
    order = {**GCM, "operation": "outbound", "size_bytes": 64, "iterations": 5, "cores": [core]}
    _, _, info = agent.ask([order, {"command": "clock", "core": core, "milliseconds": 1}, {"command": "info"}])
    assert info["cores"] == sorted(os.sched_getaffinity(0))


def test_more_work_takes_longer(normal_agent: Any) -> None:
    """A loop that did nothing, or stopped at once, would not."""
    order = {**GCM, "operation": "outbound", "size_bytes": 1400}
    few, many = normal_agent.ask([{**order, "iterations": 500}, {**order, "iterations": 50_000}])
    assert many["workers"][0]["wall_ns"] > 20 * few["workers"][0]["wall_ns"]


def test_narrowed_check(agent: Any) -> None:
    answers = agent.ask(
        [
            {"command": "check", "provider": "libcrypto", "algorithm": "aes128gcm16"},
            {"command": "check", "provider": "nobody"},
        ]
    )
    assert [(answer["passed"], answer["failed"]) for answer in answers] == [(2, 0), (0, 0)]


def test_identifiers_are_echoed(agent: Any) -> None:
    identifiers = [0, -1, 1.5, 10**20, "", "a", 'q"\\\n\u00e9\U0001f600']
    lines = [json.dumps({"id": identifier, "command": "nothing"}).encode() for identifier in identifiers]
    assert [answer["id"] for answer in agent.ask_lines(lines)] == identifiers


def test_version_and_help(agent: Any) -> None:
    version = subprocess.run([agent.path, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("ipsecbench-agent ")
    usage = subprocess.run([agent.path, "--help"], capture_output=True, text=True, check=True)
    assert "Usage:" in usage.stdout
    wrong = subprocess.run([agent.path, "--nonsense"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_the_last_line_needs_no_end(agent: Any) -> None:
    result = agent.run(b'{"id": 1, "command": "clock", "milliseconds": 1}')
    assert json.loads(result.stdout)["type"] == "clock"
    assert result.returncode == 0
    assert agent.run(b"").stdout == b""


def test_answers_come_as_soon_as_they_are_made(agent: Any) -> None:
    with subprocess.Popen([agent.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for identifier in range(3):
            process.stdin.write(json.dumps({"id": identifier, "command": "clock", "milliseconds": 1}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == identifier


def test_nobody_reads(agent: Any) -> None:
    """A closed pipe ends the agent with one line and no signal; so does a full disk."""
    with subprocess.Popen(
        [agent.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b'{"id": 1, "command": "clock", "milliseconds": 1}\n' * 3)
        process.stdin.close()
        message = process.stderr.read()
        assert process.wait(10) == 1
        assert message.count(b"\n") == 1
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run([agent.path], input=b"{}\n", stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 1
    assert b"No space left" in result.stderr


def test_it_ends_on_a_signal(agent: Any) -> None:
    with subprocess.Popen([agent.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM


def test_a_library_that_is_not_there(agent: Any) -> None:
    info, listed, check, speed, compute = agent.ask(
        [
            {"command": "info"},
            {"command": "list"},
            {"command": "check"},
            {**GCM, "operation": "outbound", "size_bytes": 64, "iterations": 5},
            {"command": "compute", "provider": "libgcrypt", "tier": "primitive", "operation": "authenticate",
             "algorithm": "sha1"},
        ],
        {"IPSECBENCH_LIBCRYPTO": "/nowhere/libcrypto.so.3", "IPSECBENCH_LIBGCRYPT": "/nowhere/libgcrypt.so.20"},
    )  # fmt: skip
    for library in info["libraries"]:
        if library["provider"] in {"libcrypto", "libgcrypt"}:
            assert library["status"] == "missing"
            assert "/nowhere" in library["note"]
            assert library["path"] is None
    for row in listed["rows"]:
        if row["provider"] in {"libcrypto", "libgcrypt"}:
            assert row["operations"] == []
            assert "/nowhere" in row["reason"]
    assert check["failed"] == 0
    assert speed["code"] == "library"
    assert compute["code"] == "library"
    assert "/nowhere" in speed["message"]


def test_a_file_that_is_no_libcrypto(agent: Any, tmp_path: Path) -> None:
    text = tmp_path / "libcrypto.so.3"
    text.write_text("not a library")
    (info,) = agent.ask([{"command": "info"}], {"IPSECBENCH_LIBCRYPTO": str(text)})
    assert info["libraries"][0]["status"] == "missing"
    (info,) = agent.ask([{"command": "info"}], {"IPSECBENCH_LIBCRYPTO": "libc.so.6"})
    assert info["libraries"][0]["status"] == "unusable"
    assert "has no function" in info["libraries"][0]["note"]
