"""What holds of every answer, whatever policy and wish it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.sources import sources
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import POLICIES, load_policy
from ipsecbench.recommend.policies.records import Permission
from ipsecbench.recommend.reasons import Role
from ipsecbench.recommend.requirements.records import Requirements

WISHES = (
    Requirements(goal_mbit_per_second=300.0, tunnels=40, cores=2),
    Requirements(peer=load_peer("cisco-asa"), nat_traversal=True),
    Requirements(min_strength_bits=192, mode="gre", outer="ipv6"),
)


@pytest.fixture(scope="module")
def example_dataset() -> Dataset:
    return read_dataset(Path(__file__).parents[3] / "datasets" / "example.ipsecbench.json")


def nodes(value: Any) -> Iterator[Any]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(each)


def parts(answer: Recommendation) -> set[tuple[Role, str | None]]:
    """Everything that is configured and that a policy speaks of."""
    phase1, phase2 = answer.phase1, answer.phase2
    found = {
        (Role.IKE_VERSION, str(phase1.ike_version)),
        (Role.IKE_ENCRYPTION, phase1.encryption),
        (Role.IKE_INTEGRITY, phase1.integrity),
        (Role.PRF, phase1.prf),
        (Role.KEY_EXCHANGE, phase1.key_exchange),
        (Role.AUTHENTICATION, phase1.authentication),
        (Role.ESP_SUITE, phase2.suite),
        (Role.KEY_EXCHANGE, phase2.key_exchange),
    }
    return found | {(Role.ADDITIONAL_KEY_EXCHANGE, name) for name in phase1.additional_key_exchanges}


@pytest.mark.parametrize("name", POLICIES)
def test_of_every_policy(example_dataset: Dataset, name: str) -> None:
    policy, known = load_policy(name), set(sources())
    for wanted in WISHES:
        try:
            answer = recommend(example_dataset, policy, wanted)
        except PolicyError:
            continue
        said = {warning.text for warning in answer.warnings}
        for role, part in parts(answer):
            permission = None if part is None else policy.permission(role, part)
            assert permission is not Permission.REFUSED, (role, part)
            assert permission is not Permission.ACCEPTED or any(str(part) in text for text in said), (role, part)
        against = [(exclusion.role, exclusion.name) for exclusion in answer.exclusions]
        assert len(against) == len(set(against))
        assert not parts(answer) & (set(against) - {(Role.KEY_EXCHANGE, answer.phase2.key_exchange)})
        assert answer.capacity is not None
        (lengths,) = (each for each in answer.capacity.packet_lengths if each.wanted)
        assert lengths.inner_mtu_bytes == answer.phase2.inner_mtu_bytes
        for node in nodes(answer.to_dict()):
            if isinstance(node, dict) and node.keys() == {"median", "lower", "upper"}:
                assert node["lower"] <= node["median"] <= node["upper"]
            if isinstance(node, dict) and node.keys() == {"text", "sources"}:
                assert node["text"].strip()
                assert set(node["sources"]) <= known
