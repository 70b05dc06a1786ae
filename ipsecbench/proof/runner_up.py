"""The runner-up as a whole recommendation, with lives, window and predictions of its own."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ipsecbench.algorithms.proposals import parse_ike
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.policies.records import Line, Policy
from ipsecbench.recommend.reasons import Role


def runner_up_of(first: Recommendation, dataset: Dataset, policy: Policy) -> Recommendation | str:
    """What would be recommended if only the second choices were allowed.

    Args:
        first: the recommendation.
        dataset: what it was made from.
        policy: under which.

    Returns:
        The second recommendation, or why there is none.
    """
    second = first.runner_up
    exchange = None if second.ike_proposal is None else parse_ike(second.ike_proposal).key_exchange[0]
    lines: dict[Role, tuple[Line, ...]] = dict(policy.lines)
    changed = []
    for role, name in ((Role.ESP_SUITE, second.suite), (Role.KEY_EXCHANGE, exchange)):
        line = None if name is None else policy.line(role, name)
        if line is not None:
            lines[role] = (line,)
            changed.append(name)
    if not changed:
        return f"policy {policy.name} leaves no second choice for this box but proposals for old peers"
    try:
        found = recommend(dataset, replace(policy, lines=MappingProxyType(lines)), first.requirements)
    except PolicyError as error:
        return str(error)
    if (found.phase1.proposal, found.phase2.proposal) == (first.phase1.proposal, first.phase2.proposal):
        return f"policy {policy.name} leaves no second choice for this box"
    return found
