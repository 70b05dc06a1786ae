"""What the laboratory's tests need; without it they are skipped aloud, or fail where CI=true."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ipsecbench.lab import capture, namespaces, strongswan
from ipsecbench.lab.namespaces import Hosts, two_hosts


def require(reason: str | None) -> None:
    """Skip, or fail where CI=true, for a missing prerequisite."""
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def root() -> None:
    """The right to make network namespaces."""
    require(namespaces.missing_prerequisite())


@pytest.fixture
def strongswan_peer(root: None) -> None:
    """A strongSwan that can run here."""
    require(strongswan.missing_prerequisite())


@pytest.fixture
def tshark() -> None:
    """A tshark."""
    require(capture.missing_prerequisite())


@pytest.fixture
def hosts(root: None) -> Iterator[Hosts]:
    """Two hosts side by side."""
    with two_hosts() as made:
        yield made
