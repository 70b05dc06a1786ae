"""What the tests of whole data planes need; without it they are skipped aloud, or fail where CI=true."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def root() -> None:
    """The right to make network namespaces, and TUN."""
    require(namespaces.missing_prerequisite())
    require(None if Path("/dev/net/tun").exists() else "no /dev/net/tun")


@pytest.fixture
def strongswan_peer(root: None) -> None:
    """A strongSwan that can run here."""
    require(strongswan.missing_prerequisite())


@pytest.fixture
def hosts(root: None) -> Iterator[Hosts]:
    """Two hosts side by side."""
    with two_hosts() as made:
        yield made
