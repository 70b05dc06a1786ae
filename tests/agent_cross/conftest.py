"""Agents of other machines, emulated; what is missing for them skips their tests, or fails where CI=true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.conftest import AgentBinary
from tests.agent_cross.machines import BY_NAME, MACHINES, WITH_LIBCRYPTO, Machine, in_ci


def require(reason: str | None) -> None:
    """Skip, or fail where CI=true, for a missing prerequisite."""
    if reason is not None:
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def machine_named() -> Callable[[str], Machine]:
    """A function that gives the machine of a name."""

    def named(name: str) -> Machine:
        require(BY_NAME[name].missing())
        return BY_NAME[name]

    return named


@pytest.fixture(params=MACHINES, ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest) -> Machine:
    """Each machine in turn."""
    chosen: Machine = request.param
    require(chosen.missing())
    return chosen


@pytest.fixture
def emulated(machine: Machine, tmp_path: Path) -> AgentBinary:
    """The agent of each machine in turn."""
    return machine.agent(tmp_path)


@pytest.fixture(params=WITH_LIBCRYPTO, ids=lambda machine: machine.name)
def with_libcrypto(request: pytest.FixtureRequest, tmp_path: Path) -> AgentBinary:
    """The agent of each emulated machine that has a libcrypto."""
    chosen: Machine = request.param
    require(chosen.missing())
    return chosen.agent(tmp_path)
