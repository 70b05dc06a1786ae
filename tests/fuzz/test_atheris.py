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

SECONDS = max(1, round(float(os.environ.get("IPSECBENCH_FUZZ_SECONDS", "2"))))
ROOT = Path(__file__).parents[2]
NAMES = tuple(target.name for target in TARGETS)
MISSING = importlib.util.find_spec("atheris") is None

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]


def test_the_fuzzer_is_there() -> None:
    """It has no wheel for every version of Python; where all tests have to run, its absence is a failure."""
    if not MISSING:
        return
    reason = f"atheris has no wheel for Python {sys.version.split()[0]} here: its fuzz targets DO NOT RUN"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the output of every target, after all have run."""
    folder = Path(os.environ.get("IPSECBENCH_FUZZ_ARTIFACTS") or tmp_path_factory.mktemp("atheris"))
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run_atheris", folder, f"{SECONDS}", *NAMES],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120 + len(NAMES) * (SECONDS + 60),
        check=False,
    )
    return folder


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(MISSING, reason="atheris is not installed")
def test_nothing_is_found(name: str, logs: Path) -> None:
    text = (logs / f"{name}.log").read_text(errors="replace")
    assert "ERROR" not in text, text[-4000:]
    assert "DONE" in text, text[-4000:]
