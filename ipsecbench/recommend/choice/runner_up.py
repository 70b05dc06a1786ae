"""What would be chosen if the chosen one were not there: the next ESP suite, and the next IKE proposal."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from ipsecbench.errors import PolicyError
from ipsecbench.recommend.alternatives import RunnerUp
from ipsecbench.recommend.choice.decision import Decision, decide
from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.fallbacks import Fallbacks
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.proposals import ike_proposal, parse_esp_proposal
from ipsecbench.recommend.reasons import Role
from ipsecbench.recommend.requirements.records import Requirements


def runner_up(ends: Ends, decision: Decision, policy: Policy, wanted: Requirements, fallbacks: Fallbacks) -> RunnerUp:
    """The second choices.

    Args:
        ends: the boxes.
        decision: the first choice.
        policy: the policy as it is written.
        wanted: what was asked for.
        fallbacks: proposals for old peers that are offered after the first choice.
    """
    suite = _without(Role.ESP_SUITE, decision.suite, ends, policy, wanted)
    name = None if suite is None else suite.suite
    if name in (None, decision.suite):
        name = parse_esp_proposal(fallbacks.esp[0]).esp_suite if fallbacks.esp else None
    exchange = _without(Role.KEY_EXCHANGE, decision.phase1.key_exchange, ends, policy, wanted)
    proposal = None if exchange is None else _proposal(exchange)
    if proposal in (None, _proposal(decision)):
        proposal = fallbacks.ike[0] if fallbacks.ike else None
    return RunnerUp(name, None if name is None else decision.ranking.chance(name), proposal)


def _without(role: Role, name: str, ends: Ends, policy: Policy, wanted: Requirements) -> Decision | None:
    """The decision under the policy without one of its lines; None where nothing is left."""
    lines = tuple(line for line in policy.lines[role] if line.name != name)
    if not lines:
        return None
    try:
        return decide(ends, replace(policy, lines=MappingProxyType({**policy.lines, role: lines})), wanted)
    except PolicyError:
        return None


def _proposal(decision: Decision) -> str:
    choice = decision.phase1
    return ike_proposal(choice.encryption, choice.integrity, choice.prf, choice.key_exchange, choice.additional.names)
