"""Tests marked ``kernel_esp`` run here where this kernel has ESP, and else in the virtual machine: all in one boot.

The first of them that pytest comes to starts the machine with all that were selected; the others find their results.
Where several workers run tests, one of them does it for all.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipsecbench.dataplane.kernel_esp import kernel_esp_available
from tests.virtual_machine import machine
from tests.virtual_machine.guest import MARK

MARKER = "kernel_esp"
REPOSITORY = Path(__file__).parents[2]
PATIENCE = 10
"""How many times longer than here something may take in there."""
_TIMEOUT_SECONDS = 900
_REPORT = re.compile(rf"^{MARK}(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a test in there."""

    outcome: str
    text: str
    seconds: float


@functools.cache
def missing_here() -> bool:
    """Whether this kernel has no ESP, or cannot be asked."""
    return kernel_esp_available().available is not True


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """pytest asks how to run a test. Those that need the kernel's ESP are run in the machine where there is none."""
    if item.get_closest_marker(MARKER) is None or not missing_here():
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    result = _result(item)
    for when, outcome in (("setup", "passed"), ("call", result.outcome), ("teardown", "passed")):
        text: str | tuple[str, int, str] | None = None
        if when == "call" and outcome == "skipped":
            text = (str(item.path), item.location[1] or 0, result.text)
        elif when == "call" and outcome == "failed":
            text = f"in the virtual machine:\n{result.text}"
        seconds = result.seconds if when == "call" else 0.0
        report = pytest.TestReport(
            *(item.nodeid, item.location, {name: 1 for name in item.keywords}, outcome, text, when),  # type: ignore[arg-type]
            duration=seconds,
        )
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    # The test before this one has left what it shares with this one; pytest expects that it does not outlive this one.
    item.session._setupstate.teardown_exact(nextitem)
    return True


def _result(item: pytest.Item) -> Result:
    if reason := machine.missing_prerequisite():
        outcome = "failed" if os.environ.get("CI") == "true" else "skipped"
        return Result(outcome, f"this kernel has no ESP, and there is no virtual machine: {reason}", 0.0)
    if "results" not in _FOUND:
        _FOUND["results"] = _all_results(item.session)
    return _FOUND["results"].get(item.nodeid) or Result("failed", _FOUND["results"][""].text, 0.0)


_FOUND: dict[str, dict[str, Result]] = {}


def _all_results(session: pytest.Session) -> dict[str, Result]:
    """Results by node id; that of the empty id is the end of what the machine printed."""
    # The folder of one worker lies in one that all share.
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "virtual-machine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = shared / "virtual-machine.json"
        if not kept.exists():
            tests = [item.nodeid for item in session.items if item.get_closest_marker(MARKER) is not None]
            kept.write_text(json.dumps(_run(tests, factory.mktemp("virtual-machine"))), encoding="utf-8")
        rows = json.loads(kept.read_text(encoding="utf-8"))
    return {row["test"]: Result(row["outcome"], row["text"], row["seconds"]) for row in rows}


def _run(tests: list[str], scratch: Path) -> list[dict[str, object]]:
    listed = scratch / "tests.json"
    listed.write_text(json.dumps(tests), encoding="utf-8")
    command = [
        *("env", f"IPSECBENCH_PATIENCE={PATIENCE}", "CI=true", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1"),
        *(sys.executable, "-m", "tests.virtual_machine.guest", str(listed)),
    ]
    printed = machine.run(command, REPOSITORY, scratch, _TIMEOUT_SECONDS)
    rows: list[dict[str, object]] = [json.loads(line) for line in _REPORT.findall(printed)]
    end = "" if machine.END in printed else f" It did not come to its end within {_TIMEOUT_SECONDS} s."
    rest = _REPORT.sub("", printed)[-8000:]
    return [*rows, {"test": "", "outcome": "failed", "text": f"not reached.{end}\n{rest}", "seconds": 0.0}]
