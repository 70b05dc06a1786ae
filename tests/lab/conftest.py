"""What the laboratory's tests need; without it they are skipped aloud, or fail where CI=true."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.lab import capture, namespaces, strongswan
from ipsecbench.lab.namespaces import Hosts, two_hosts
from tests.lab.leftovers import marked


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


@pytest.fixture
def nothing_left(root: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No process that the test started is there afterwards, nor one that those started; namespaces go with them."""
    mark = f"IPSECBENCH_TEST={uuid.uuid4()}"
    monkeypatch.setenv(*mark.split("="))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    yield
    deadline = time.monotonic() + 10
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


@pytest.fixture
def folder_of_everybody() -> Iterator[Path]:
    """Not below pytest's own, into which nobody else may look."""
    folder = Path(tempfile.mkdtemp(prefix="ipsecbench-tests-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)
