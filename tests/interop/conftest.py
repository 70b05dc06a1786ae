"""The laboratory of the matrix, and the table of its results."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="session")
def results(laboratory: Laboratory) -> Iterator[dict[str, str]]:
    """Name of a row → its result. Once every row was tried the table is written, if it says something new."""
    found: dict[str, str] = {}
    yield found
    if not any(scenario.name not in found for scenario in MATRIX if not scenario.peer_cannot):
        version = str(laboratory.get(Scenario("", "", 2, "", "", ""))[1].vici.request("version")["version"])
        text = table.render(MATRIX, found, version)
        if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
            DOCUMENT.write_text(text, encoding="utf-8")
