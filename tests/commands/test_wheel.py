"""The package as it is distributed: a wheel for this platform that holds the agent and the data files."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.agent
def test_the_wheel_holds_a_working_agent_and_all_data_files(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT],
        check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("ipsecbench-*.whl")
    assert "-py3-none-linux_" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path)
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "ipsecbench"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(tracked) <= names
    agent = tmp_path / "ipsecbench" / "agent" / "bin" / "ipsecbench-agent"
    agent.chmod(0o755)
    done = subprocess.run([agent], input='{"id": 1, "command": "info"}\n', capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["protocol"] == 1
