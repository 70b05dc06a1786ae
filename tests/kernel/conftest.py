"""Two hosts for the tests with the kernel's ESP."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import Hosts
from tests.kernel.ends import route


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    """Two hosts whose inner networks are routed to each other."""
    if reason := namespaces.missing_prerequisite():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with namespaces.two_hosts() as made:
        route(made)
        yield made
