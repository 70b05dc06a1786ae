"""Segmentation and coalescing as a filter."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ipsecbench.lab import namespaces
from ipsecbench.lab.traffic import TrafficAgent
from tests.agent_traffic.packet_filter import PacketFilter

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def packet_filter() -> PacketFilter:
    """Built with the sanitizers, by the agent's own makefile; mostly it is there already (make agent)."""
    target = "build/tests/packet_filter"
    command: Sequence[str] = ["make", "-s", "-C", str(ROOT / "agent"), target]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return PacketFilter(ROOT / "agent" / target)


@pytest.fixture(scope="session")
def root() -> None:
    """The right to make network namespaces."""
    reason = namespaces.missing_prerequisite()
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(params=["ipsecbench-agent", "ipsecbench-agent-sanitize"], ids=["normal", "sanitized"])
def traffic(request: pytest.FixtureRequest) -> Iterator[TrafficAgent]:
    """An agent with test traffic, without privileges of its own; each of the two binaries in turn."""
    path = ROOT / "agent" / "build" / str(request.param)
    if not path.exists():
        pytest.skip(f"{path.name} is not built: make agent")
    with TrafficAgent(path=path) as agent:
        yield agent
