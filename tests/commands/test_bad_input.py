"""Bad input: one clear line, the documented exit code, no traceback, nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.agent.find import agent_path
from ipsecbench.dataset.store import read_dataset

pytestmark = pytest.mark.agent

Run = Callable[..., Any]
"""The fixtures of conftest.py."""

SHORT = ("bench", "--only", "aes128gcm16", "--providers", "libcrypto", "--sizes", "64", "--budget", "1", "--cores", "1")


def test_missing_libcrypto(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench(*SHORT, environment={"IPSECBENCH_LIBCRYPTO": os.fspath(tmp_path / "libcrypto.so.3")})
    assert "no usable libcrypto" in outcome.one_line_error(1)
    assert list(tmp_path.iterdir()) == []


def test_a_libcrypto_that_is_no_library(ipsecbench: Run, tmp_path: Path) -> None:
    library = tmp_path / "libcrypto.so.3"
    library.write_text("not a library")
    outcome = ipsecbench(*SHORT, environment={"IPSECBENCH_LIBCRYPTO": os.fspath(library)})
    assert "no usable libcrypto" in outcome.one_line_error(1)


def test_a_library_without_the_legacy_provider(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench(
        "bench", "--only", "blowfish128-sha1", "--providers", "libcrypto", "--budget", "1",
        environment={"OPENSSL_MODULES": os.fspath(tmp_path)},
    )  # fmt: skip
    assert "legacy" in outcome.one_line_error(2)


def test_no_agent(ipsecbench: Run, tmp_path: Path) -> None:
    outcome = ipsecbench(*SHORT, environment={"IPSECBENCH_AGENT": os.fspath(tmp_path / "missing")})
    assert "not an executable" in outcome.one_line_error(1)


def test_an_agent_that_dies(ipsecbench: Run) -> None:
    outcome = ipsecbench(*SHORT, environment={"IPSECBENCH_AGENT": "/bin/false"})
    assert "the agent ended with status 1" in outcome.one_line_error(1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sizes", "0"), "--sizes: 0 is outside"),
        (("--sizes", "-1"), "--sizes: '-1'"),
        (("--sizes", "1000000000"), "--sizes: "),
        (("--sizes", "64,many"), "--sizes: 'many'"),
        (("--only", "aes512"), "'aes512' matches no algorithm"),
        (("--providers", "openssl"), "--providers: 'openssl'"),
        (("--cores", "0"), "--cores"),
        (("--cores", "100000"), "--cores"),
        (("--mask", "magic"), "--mask: 'magic'"),
        (("--budget", "0"), "--budget"),
        (("--budget", "nan"), "--budget"),
        (("--precision", "0"), "--precision"),
        (("--label", "x" * 300), "--label"),
    ],
)
def test_nonsense_options(ipsecbench: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in ipsecbench("bench", *arguments).one_line_error(2)
    assert said in ipsecbench("run", *arguments).one_line_error(2)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--policy", "wishful"), 2),
        (("--goal", "fast"), 2),
        (("--goal", "-1M"), 2),
        (("--min-bits", "-5"), 2),
        (("--profile", "imix-none"), 2),
        (("--mtu", "10"), 2),
    ],
)
def test_nonsense_requirements(ipsecbench: Run, arguments: tuple[str, ...], code: int) -> None:
    ipsecbench("run", "--budget", "1", *arguments).one_line_error(code)


def test_a_place_that_cannot_be_written(ipsecbench: Run, tmp_path: Path) -> None:
    assert "cannot write into" in ipsecbench(*SHORT, "--output", "/proc/a.ipsecbench.json").one_line_error(1)
    assert "cannot write into" in ipsecbench(*SHORT, "--output", tmp_path / "no" / "a.json").one_line_error(1)
    assert "is a directory" in ipsecbench(*SHORT, "--output", tmp_path).one_line_error(1)


def test_an_existing_file_is_not_replaced_unless_told(ipsecbench: Run, tmp_path: Path) -> None:
    path = tmp_path / "old.ipsecbench.json"
    path.write_text("precious")
    assert "exists" in ipsecbench(*SHORT, "--output", path).one_line_error(1)
    assert path.read_text() == "precious"
    assert ipsecbench(*SHORT, "--output", path, "--force").code == 0
    assert path.read_text() != "precious"


def test_a_full_disk_keeps_the_old_file_and_saves_elsewhere(ipsecbench: Run, tmp_path: Path) -> None:
    path = tmp_path / "old.ipsecbench.json"
    path.write_text("precious")
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    # A file-size limit of zero blocks stands for the full disk: every write beyond it fails.
    limited = ("sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$@"', "sh")
    outcome = ipsecbench(*SHORT, "--output", path, "--force", prefix=limited, environment={"TMPDIR": os.fspath(refuge)})
    assert "cannot write" in outcome.one_line_error(1)
    assert path.read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == [path.name]


def test_an_empty_proc(ipsecbench: Run, tmp_path: Path) -> None:
    (tmp_path / "box" / "proc").mkdir(parents=True)
    assert "cpuinfo" in ipsecbench("detect", "--root", tmp_path / "box").one_line_error(1)
    (tmp_path / "box" / "proc" / "cpuinfo").touch()
    assert "cpuinfo" in ipsecbench("detect", "--root", tmp_path / "box").one_line_error(1)
    ipsecbench("detect", "--root", tmp_path / "nowhere").one_line_error(2)


def test_a_cpuinfo_that_is_not_utf_8(ipsecbench: Run, tmp_path: Path) -> None:
    proc = tmp_path / "box" / "proc"
    proc.mkdir(parents=True)
    (proc / "cpuinfo").write_bytes(
        b"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: \xff\xfe CPU\nflags\t: fpu aes\n"
    )
    outcome = ipsecbench("detect", "--root", tmp_path / "box", "--json")
    assert outcome.code == 0
    (proc / "cpuinfo").write_bytes(bytes(range(256)) * 50)
    outcome = ipsecbench("detect", "--root", tmp_path / "box")
    assert "Traceback" not in outcome.err
    assert outcome.code in (0, 1)


@pytest.mark.parametrize("command", ["recommend", "report"])
def test_what_is_not_a_dataset(ipsecbench: Run, tmp_path: Path, command: str) -> None:
    bad = tmp_path / "bad.ipsecbench.json"
    bad.write_text('{"format": "ipsecbench dataset", "schema": 99}')
    assert "'schema': version 99 is newer" in ipsecbench(command, bad).one_line_error(1)
    bad.write_bytes(os.urandom(100))
    assert "not JSON" in ipsecbench(command, bad).one_line_error(1)
    assert "No such file" in ipsecbench(command, tmp_path / "none").one_line_error(1)


def test_an_agent_that_dies_half_way_leaves_what_was_measured(ipsecbench: Run, tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.write_text(
        "#!/bin/sh\ncount=0\n"
        f'while [ $count -lt 60 ] && read -r line; do echo "$line"; count=$((count + 1)); done | {agent_path()}\n'
        "exit 3\n"
    )
    agent.chmod(0o755)
    outcome = ipsecbench(
        *("bench", "--quick", "--budget", "5", "--providers", "libcrypto", "--only", "aes128gcm16", "-o", "x.json"),
        environment={"IPSECBENCH_AGENT": str(agent)},
    )
    error = outcome.one_line_error(1)
    assert "the agent ended with status 3; what was measured before, " in error
    dataset = read_dataset(tmp_path / "x.json")
    measured = [row for row in dataset.measurements if row.usable]
    assert f"{len(measured)} of {len(dataset.measurements)} rows, is in x.json" in error
    assert dataset.ended == "interrupted"
    assert measured
