"""Every target writes a connection or refuses it, line by line; nothing in between."""

from __future__ import annotations

import itertools
import re

import pytest

from ipsecbench.errors import RefusedError
from ipsecbench.export.connection import Connection
from ipsecbench.export.rules import common_refusals
from ipsecbench.export.target import Target, find_target, target_names
from tests.unit.export.many_connections import mixtures, one_at_a_time, sensible

pytestmark = pytest.mark.slow

CONNECTIONS = tuple(one_at_a_time())
MIXTURES = tuple(mixtures(150))
SENSIBLE = tuple(sensible(60))


@pytest.mark.parametrize("name", target_names())
def test_it_is_written_or_refused_with_reasons(name: str) -> None:
    target = find_target(name)
    written = 0
    for connection in (*CONNECTIONS, *MIXTURES, *SENSIBLE):
        for version in target.versions:
            written += written_or_refused(target, connection, version)
    assert written > 0


def written_or_refused(target: Target, view: Connection, version: str) -> bool:
    """Whether it was written. Both ends are of one mind."""
    reasons = target.refusals(view, version, accept_legacy=True)
    assert reasons == target.refusals(view.mirrored(), version, accept_legacy=True)
    for reason in reasons:
        assert reason.strip()
        assert "\n" not in reason
    if reasons:
        with pytest.raises(RefusedError):
            target.files(view, version, accept_legacy=True)
        return False
    files = target.files(view, version, accept_legacy=True)
    assert files
    assert files == target.files(view, version, accept_legacy=True)
    assert len({file.name for file in files}) == len(files)
    for file in files:
        assert file.text.endswith("\n")
        assert not file.name.startswith("/")
        assert ".." not in file.name
        assert file.mode in (0o600, 0o644, 0o755)
        # Windows calls it that, where there is no perfect forward secrecy.
        assert "None" not in file.text or target.name.startswith("windows")
        secrets = set(re.findall(r"[0-9a-fA-F]{32,}", file.text)) - {view.provenance.dataset_sha256}
        assert not secrets, (file.name, secrets)
    return True


@pytest.mark.parametrize("name", target_names())
def test_what_no_target_may_write_none_does(name: str) -> None:
    target = find_target(name)
    refused = [view for view in MIXTURES if common_refusals(view, accept_legacy=True)]
    assert len(refused) > 80
    for view, version in itertools.product(refused, target.versions):
        assert target.refusals(view, version, accept_legacy=True)


@pytest.mark.parametrize("name", target_names())
def test_files_that_a_secret_belongs_into_are_the_owners_only(name: str) -> None:
    target = find_target(name)
    for view, version in itertools.product(SENSIBLE, target.versions):
        if target.refusals(view, version):
            continue
        for file in target.files(view, version):
            # What the other end must be set to is a table for people, not a file that a secret is put into.
            if "REPLACE-WITH" in file.text and not file.name.endswith("-other-end.txt"):
                assert file.mode == 0o600, file.name
