"""Runs tests inside the virtual machine: ``python -m tests.virtual_machine.guest FILE``, FILE a JSON list of node ids.

Prints one line for each report of pytest, which :mod:`tests.virtual_machine.forwarding` reads outside.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

MARK = "guest-report "
"""How such a line begins."""
_LONGEST = 20_000


class Reporter:
    """A plugin of pytest that prints what became of each test."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr or "")
        row = {
            "test": report.nodeid,
            "outcome": report.outcome,
            "text": (reason + "".join(f"\n-- {title}\n{text}" for title, text in report.sections))[-_LONGEST:],
            "seconds": round(report.duration, 2),
        }
        print(f"\n{MARK}{json.dumps(row)}", flush=True)


def main() -> int:
    tests = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    options = ["-p", "no:cacheprovider", "-p", "no:terminalreporter", "--tb=short", "--basetemp=/run/pytest"]
    return pytest.main([*options, *tests], plugins=[Reporter()])


if __name__ == "__main__":
    sys.exit(main())
