"""The agent, the Python libraries, and who has what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ipsecbench.agent.client import AgentClient
from ipsecbench.providers.catalogue import PROVIDERS, default_catalogue
from ipsecbench.providers.interface import Provider

Compute = Callable[..., bytes]


@pytest.fixture(scope="session")
def agent() -> Iterator[AgentClient]:
    """One agent for all comparisons."""
    with AgentClient() as client:
        yield client


@pytest.fixture(scope="session")
def offers(agent: AgentClient) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Tier and algorithm to the agent's providers that have it."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in agent.request("list")["rows"]:
        if row["operations"]:
            key = row["tier"], row["algorithm"]
            found[key] = (*found.get(key, ()), row["provider"])
    return found


@pytest.fixture(scope="session")
def libraries() -> Mapping[str, tuple[Provider, ...]]:
    """Algorithm to the Python libraries that have it."""
    catalogue = default_catalogue()
    found: dict[str, tuple[Provider, ...]] = {}
    for name in PROVIDERS:
        for row in catalogue.operations(name):
            if row.operations:
                found[row.algorithm] = (*found.get(row.algorithm, ()), catalogue.provider(name))
    return found


@pytest.fixture(scope="session")
def compute(agent: AgentClient) -> Compute:
    """Ask the agent for one result; octets go in and come out as octets."""

    def ask(provider: str, operation: str, algorithm: str, *, tier: str = "primitive", **fields: Any) -> bytes:
        encoded: dict[str, Any] = {n: value.hex() if isinstance(value, bytes) else value for n, value in fields.items()}
        answer = agent.request(
            "compute", provider=provider, tier=tier, operation=operation, algorithm=algorithm, **encoded
        )
        return bytes.fromhex(answer["output"])

    return ask
