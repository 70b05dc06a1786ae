"""What the proofs need; without it they are skipped aloud, or fail where CI=true."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.namespaces import Hosts, two_hosts


def require(reason: str | None) -> None:
    """Skip, or fail where CI=true, for a missing prerequisite."""
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    """Two hosts side by side, where strongSwan can run."""
    require(namespaces.missing_prerequisite() or strongswan.missing_prerequisite())
    with two_hosts() as made:
        yield made
