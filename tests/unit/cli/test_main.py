"""What every command does with an error: one line, its exit code, and nothing that steers the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from ipsecbench.cli import main


def test_names_of_others_do_not_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "box\x1b]0;owned\x07\x1b[31m\u202e\x9b\n é.json"
    monkeypatch.setattr("sys.argv", ["ipsecbench", "recommend", name])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    line = capsys.readouterr().err
    assert line == ("ipsecbench: box\\x1b]0;owned\\x07\\x1b[31m\\u202e\\x9b é.json: No such file or directory\n")


def run(*arguments: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ipsecbench", *arguments], stderr=subprocess.PIPE, timeout=60, check=False, **how
    )


def test_a_full_disk_behind_standard_output_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        ended = run("policy", "list", stdout=full)
    assert (ended.returncode, ended.stderr) == (1, b"ipsecbench: cannot write the output: No space left on device\n")


def test_a_closed_standard_output_is_no_mistake() -> None:
    ended = run("policy", "list", preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, b"")
