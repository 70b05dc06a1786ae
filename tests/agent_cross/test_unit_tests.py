"""The C unit tests of the agent, built for each machine and emulated: ESP, replay windows, checksums, JSON, segments.

They need no device, so that they show what a data plane does with octets on a machine of either byte order.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.agent_cross.machines import Machine

pytestmark = pytest.mark.cross

TESTS = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "agent" / "tests").glob("test_*.c"))
NEEDS_LIBCRYPTO = {"test_esp_transform", "test_libcrypto_paths"}


def test_every_unit_test_passes_on_every_machine(machine: Machine) -> None:
    assert len(TESTS) >= 9
    for name in TESTS:
        if name in NEEDS_LIBCRYPTO and not machine.providers:
            continue
        done = subprocess.run(machine.command(name), capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        match = re.search(r": (\d+) checks, 0 failed", done.stdout)
        assert match is not None, done.stdout
        assert int(match[1]) > 10
