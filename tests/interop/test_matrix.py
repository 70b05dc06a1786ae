"""Every row of the matrix: this project's endpoint with strongSwan."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.interop import virtual_machine
from tests.interop.actions import ACTIONS
from tests.interop.laboratory import Laboratory
from tests.interop.matrix import MATRIX
from tests.interop.matrix_hybrid import ROWS
from tests.interop.outcomes import REFUSALS
from tests.interop.run import run_row
from tests.interop.scenario import UP, Scenario
from tests.interop.table import OK

TRIED = [scenario for scenario in MATRIX if not scenario.peer_cannot]
HERE = [scenario for scenario in TRIED if not scenario.kernel]
IN_GUEST = [scenario for scenario in TRIED if scenario.kernel]
REPOSITORY = Path(__file__).parents[2]

_LINE = re.compile(r"^row ([^ :]+): (.*)$", re.MULTILINE)


def test_the_rows_are_well_formed() -> None:
    for rows in (MATRIX, ROWS):
        assert [name for name, count in Counter(scenario.name for scenario in rows).items() if count > 1] == []
    assert {row.outcome for row in ROWS} <= {UP, *REFUSALS}
    assert {action for row in ROWS for action in row.actions} <= set(ACTIONS)
    assert {scenario.outcome for scenario in MATRIX} == {UP, *REFUSALS}
    assert {action for scenario in MATRIX for action in scenario.actions} == set(ACTIONS)


@pytest.mark.root
@pytest.mark.interop
@pytest.mark.parametrize("scenario", HERE, ids=lambda scenario: scenario.name)
def test_row(laboratory: Laboratory, results: dict[str, str], scenario: Scenario) -> None:
    results[scenario.name] = "FAILED"
    run_row(laboratory, scenario)
    results[scenario.name] = OK


@pytest.mark.root
@pytest.mark.interop
@pytest.mark.slow
def test_rows_with_the_kernels_esp(laboratory: Laboratory, results: dict[str, str], tmp_path: Path) -> None:
    if reason := virtual_machine.missing_prerequisite():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(f"no rows with the kernel's ESP: {reason}")
    command = ["env", "IPSECBENCH_PATIENCE=10", sys.executable, "-m", "tests.interop.guest"]
    printed = virtual_machine.run(command, REPOSITORY, tmp_path, timeout_seconds=600)
    found = dict(_LINE.findall(printed))
    results.update({scenario.name: "ok" if found.get(scenario.name) == OK else "FAILED" for scenario in IN_GUEST})
    failed = {scenario.name: found.get(scenario.name, "not reached") for scenario in IN_GUEST}
    assert not {name: result for name, result in failed.items() if result != OK}, printed[-8000:]
