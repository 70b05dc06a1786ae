"""Every target under a fuzzer that follows the coverage, for a bounded time and with a fixed seed.

``IPSECBENCH_FUZZ_SECONDS`` is how long each target runs; a finding is kept in ``IPSECBENCH_FUZZ_ARTIFACTS``.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

SECONDS = float(os.environ.get("IPSECBENCH_FUZZ_SECONDS", "2"))
ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]


def test_the_fuzzer_is_there() -> None:
    """It has no wheel for every version of Python; where all tests have to run, its absence is a failure."""
    if importlib.util.find_spec("atheris") is not None:
        return
    reason = f"atheris has no wheel for Python {sys.version.split()[0]} here: its fuzz targets DO NOT RUN"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize("name", [target.name for target in TARGETS])
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_nothing_is_found(name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("IPSECBENCH_FUZZ_ARTIFACTS", tmp_path))
    command = [sys.executable, "-m", "tests.fuzz.run_atheris", name, f"{max(1, round(SECONDS))}"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={folder}/{name}-"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert "DONE" in done.stderr, done.stderr[-4000:]
