"""What is exported passes the program's own gate: `policy check` under the policy that it was recommended by."""

from __future__ import annotations

import pytest

from ipsecbench.audit.configuration import Configuration, Format
from ipsecbench.audit.findings import Grade
from ipsecbench.audit.recognition import read
from ipsecbench.audit.verdict import judge
from ipsecbench.dataset.model import Dataset
from ipsecbench.export.connection import Connection, placeholder_ends
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import find_target
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import POLICIES, load_policy
from ipsecbench.recommend.requirements.records import Requirements

TARGETS = {"swanctl": Format.SWANCTL, "strongswan-ipsec": Format.STRONGSWAN, "libreswan": Format.LIBRESWAN}


CANNOT = {(policy, "libreswan") for policy in ("cnsa2", "bsi", "post-quantum")}
"""What no version of the program has: these policies want ML-KEM beside the classical exchange."""


def version_for(target: str, connection: Connection) -> str | None:
    """A version of the program that can express it."""
    found = find_target(target)
    return next((version for version in found.versions if not found.refusals(connection, version)), None)


def exported(target: str, connection: Connection) -> Configuration:
    """The configuration file of a target, recognised by its content and read."""
    for file in find_target(target).files(connection, version_for(target, connection) or ""):
        if file.name.endswith(("swanctl.conf", "ipsec.conf", ".conf")) and "secrets" not in file.name:
            return read(file.text)
    raise AssertionError(f"{target} writes no configuration file")


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "article"])
def test_what_is_recommended_and_exported_passes(example_dataset: Dataset, policy: str) -> None:
    rules = load_policy(policy)
    connection = connection_of(recommend(example_dataset, rules, Requirements()), *placeholder_ends())
    for target, kind in TARGETS.items():
        if version_for(target, connection) is None:
            assert (policy, target) in CANNOT
            continue
        configuration = exported(target, connection)
        assert configuration.format is kind
        verdict = judge(configuration, rules)
        bad = {(f.about, f.subject) for f in verdict.findings if f.grade in (Grade.WARN, Grade.FAIL)}
        # CNSA 2.0 wants ML-DSA, which is warned of with every answer.
        assert bad == ({("authentication", "ecdsa-384")} & bad if policy == "cnsa2" else set()), (target, bad)
        (read_back,) = configuration.connections
        assert read_back.ike_versions == (str(connection.ike_version),)
        assert [offer.key_exchange for offer in read_back.offers] == [(connection.ike.key_exchange,)]
        assert [offer.encryption for offer in read_back.children[0].offers] == [(connection.esp.encryption,)]
        assert 0 < (read_back.life.seconds or 0) <= connection.ike_life.hard_seconds
        assert 0 < (read_back.children[0].life.seconds or 0) <= connection.child_life.hard_seconds
