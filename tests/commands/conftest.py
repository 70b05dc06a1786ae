"""Runs the installed program as a user would: a process, its output, its exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = shutil.which("ipsecbench", path=os.fspath(Path(sys.executable).parent))


@dataclass(frozen=True)
class Outcome:
    """What a process said and how it ended."""

    code: int
    out: str
    err: str

    def one_line_error(self, code: int) -> str:
        """The single line of an expected failure; anything else fails the test."""
        assert self.code == code, (self.code, self.out, self.err)
        assert "Traceback" not in self.err + self.out
        lines = [line for line in self.err.splitlines() if line.startswith("ipsecbench: ")]
        assert len(lines) == 1, self.err
        return lines[0]


Run = Callable[..., Outcome]


@pytest.fixture
def ipsecbench(tmp_path: Path) -> Run:
    """Run ``ipsecbench`` in an empty directory."""
    assert PROGRAM is not None, "the package is not installed beside this Python: run 'make test'"
    program = PROGRAM

    def run(
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path = tmp_path,
        prefix: Sequence[str] = (),
        timeout: float = 120,
    ) -> Outcome:
        done = subprocess.run(
            [*prefix, program, *(os.fspath(argument) for argument in arguments)],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start_ipsecbench(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``ipsecbench`` in an empty directory and go on; what still runs in the end is killed."""
    assert PROGRAM is not None, "the package is not installed beside this Python: run 'make test'"
    program = PROGRAM
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [program, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()
