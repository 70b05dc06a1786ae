"""Every row of the matrix: this project's endpoint with strongSwan."""

from __future__ import annotations

from collections import Counter

import pytest

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
WITH_KERNEL_ESP = [scenario for scenario in TRIED if scenario.kernel]


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
@pytest.mark.kernel_esp
@pytest.mark.parametrize("scenario", WITH_KERNEL_ESP, ids=lambda scenario: scenario.name)
def test_row_with_the_kernels_esp(laboratory: Laboratory, scenario: Scenario) -> None:
    run_row(laboratory, scenario)
