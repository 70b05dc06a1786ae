"""The second choices: what would be chosen were the first not there."""

from __future__ import annotations

from collections.abc import Callable

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]


def test_it_is_what_a_box_without_the_first_choice_gets(make_dataset: MakeDataset) -> None:
    modern = load_policy("modern")
    for wanted in (Requirements(), Requirements(goal_mbit_per_second=500)):
        found = recommend(make_dataset(), modern, wanted)
        without_suite = recommend(make_dataset(without=[found.phase2.suite]), modern, wanted)
        without_exchange = recommend(make_dataset(without=[found.phase1.key_exchange]), modern, wanted)
        assert found.runner_up.suite == without_suite.phase2.suite
        assert found.runner_up.ike_proposal == without_exchange.phase1.proposal
        chance = next(c.chance for c in found.candidates if c.name == found.runner_up.suite)
        assert found.runner_up.suite_chance == chance


def test_a_policy_with_one_line_has_none(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), load_policy("article"))
    assert found.runner_up.suite is None
    assert found.runner_up.ike_proposal is None


def test_for_an_old_peer_it_is_the_next_proposal_of_the_policy(make_dataset: MakeDataset) -> None:
    old = Peer("old", ike_encryption=frozenset({"aes128", "3des"}), esp_suites=frozenset({"aes128-sha1", "3des-sha1"}))
    found = recommend(make_dataset(), load_policy("legacy-interop"), Requirements(peer=old))
    assert (found.phase2.suite, found.phase1.proposal) == ("aes128-sha1", "aes128-sha1-modp2048")
    assert (found.runner_up.suite, found.runner_up.ike_proposal) == ("3des-sha1", "3des-sha1-modp2048")
