"""What the proofs need; without it they are skipped aloud, or fail where CI=true."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.namespaces import Hosts, two_hosts
from tests.bench import iperf_flows
from tests.lab.conftest import require


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Two hosts side by side."""
    require(namespaces.missing_prerequisite())
    with two_hosts() as made:
        yield made


@pytest.fixture
def iperf3() -> None:
    """An iperf3."""
    require(iperf_flows.missing_prerequisite())


@pytest.fixture
def strongswan_peer() -> None:
    """A strongSwan that can run here."""
    require(strongswan.missing_prerequisite())
