"""The laboratory of the matrix, and the table of its results."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.lab import namespaces, strongswan
from tests.interop import table
from tests.interop.laboratory import Laboratory
from tests.interop.matrix import MATRIX
from tests.interop.scenario import Scenario

DOCUMENT = Path(__file__).parents[2] / "docs" / "interop.md"


@pytest.fixture(scope="session")
def laboratory() -> Iterator[Laboratory]:
    """Hosts and daemons. Where there can be none the rows are skipped aloud, or fail where CI=true."""
    for reason in (namespaces.missing_prerequisite(), strongswan.missing_prerequisite()):
        if reason and os.environ.get("CI") == "true":
            pytest.fail(reason)
        if reason:
            pytest.skip(f"no interoperability tests: {reason}")
    with Laboratory() as made:
        yield made


_FOUND: dict[str, str] = {}
_WITH_KERNEL_ESP = re.compile(r"test_row_with_the_kernels_esp\[(.*)\]$")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Rows with the kernel's ESP may run in a virtual machine: only pytest hears what became of them."""
    row = _WITH_KERNEL_ESP.search(report.nodeid)
    if row and report.when == "call":
        _FOUND[row[1]] = table.OK if report.outcome == "passed" else "FAILED"


@pytest.fixture(scope="session")
def results(laboratory: Laboratory) -> Iterator[dict[str, str]]:
    """Name of a row → its result. Once every row was tried the table is written, if it says something new."""
    found = _FOUND
    yield found
    if not any(scenario.name not in found for scenario in MATRIX if not scenario.peer_cannot):
        version = str(laboratory.get(Scenario("", "", 2, "", "", ""))[1].vici.request("version")["version"])
        text = table.render(MATRIX, found, version)
        if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
            DOCUMENT.write_text(text, encoding="utf-8")
