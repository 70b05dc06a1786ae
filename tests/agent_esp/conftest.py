"""Two namespaces with a data plane each; without the rights for it tests are skipped aloud, or fail where CI=true."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import Hosts, two_hosts
from tests.agent_esp.planes import Pair, plane_pair

BUILD = Path(__file__).resolve().parents[2] / "agent" / "build"
NORMAL, SANITIZED = BUILD / "ipsecbench-agent", BUILD / "ipsecbench-agent-sanitize"


def require(reason: str | None) -> None:
    """Skip, or fail where CI=true, for a missing prerequisite."""
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(params=[NORMAL, SANITIZED], ids=["normal", "sanitized"])
def agent_path(request: pytest.FixtureRequest) -> Path:
    """Each of the two binaries in turn."""
    path: Path = request.param
    require(None if path.exists() else f"{path.name} is not built: make agent")
    return path


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Two hosts side by side."""
    require(namespaces.missing_prerequisite())
    require(None if Path("/dev/net/tun").exists() else "no /dev/net/tun")
    with two_hosts() as made:
        yield made


@pytest.fixture
def pair(hosts: Hosts, agent_path: Path) -> Iterator[Pair]:
    """A data plane in each, without SAs."""
    with plane_pair(hosts, path=agent_path) as made:
        yield made


@pytest.fixture
def normal_pair(hosts: Hosts) -> Iterator[Pair]:
    """The same with the binary that users have."""
    require(None if NORMAL.exists() else f"{NORMAL.name} is not built: make agent")
    with plane_pair(hosts, path=NORMAL) as made:
        yield made


@pytest.fixture
def sanitized_pair(hosts: Hosts) -> Iterator[Pair]:
    """The same with AddressSanitizer and UndefinedBehaviorSanitizer."""
    require(None if SANITIZED.exists() else f"{SANITIZED.name} is not built: make -C agent sanitize")
    with plane_pair(hosts, path=SANITIZED) as made:
        yield made
