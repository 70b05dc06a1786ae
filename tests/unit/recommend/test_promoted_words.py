"""What a promoted proposal for old peers took the place of is the peer's lack, not the policy's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.reasons import ExclusionKind
from ipsecbench.recommend.requirements.records import Requirements


@pytest.mark.parametrize("name", ["nist", "legacy-interop"])
def test_what_the_policy_lists_is_never_said_to_be_missing_in_it(
    make_dataset: Callable[..., Dataset], name: str
) -> None:
    policy, peer = load_policy(name), load_peer("cisco-asa")
    found = recommend(make_dataset(), policy, Requirements(peer=peer))
    listed = [each for each in found.exclusions if policy.line(each.role, each.name) is not None]
    assert any(each.kind is ExclusionKind.PEER and each.name == "aes128gcm16" for each in listed)
    assert not [each.name for each in listed if "not in policy" in each.reason.text]
    # What it does not list, or does not recommend, keeps the policy's own reason.
    others = [each for each in found.exclusions if each.kind is ExclusionKind.NOT_IN_POLICY]
    assert others
    lines = [policy.line(each.role, each.name) for each in others]
    assert not [line.name for line in lines if line is not None and line.recommended]


def test_an_unverified_version_is_named_as_one(make_dataset: Callable[..., Dataset]) -> None:
    found = recommend(make_dataset(), load_policy("anssi"))
    unverified = [each.text for each in found.warnings if each.text.startswith("Unverified")]
    assert any("could not be read for IKEv2, " in text for text in unverified)
    assert not any(" for 2," in text for text in unverified)
