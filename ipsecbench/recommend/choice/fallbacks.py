"""What is offered to old peers after the best proposal: whole proposals of the policy, each with its warning.

A fallback is offered only if every part of it was measured on this box, passed its check, and is as strong as the
user asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.recommend.choice.constraints import data_limit_verdict
from ipsecbench.recommend.choice.phase1 import Phase1Choice
from ipsecbench.recommend.choice.phase1_transforms import measured_anywhere
from ipsecbench.recommend.choice.phase2 import SuiteChoice
from ipsecbench.recommend.keys.handshake import HandshakeModel
from ipsecbench.recommend.policies.records import Fallback, fallback_parts
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.proposals import esp_proposal, ike_proposal
from ipsecbench.recommend.reasons import Offered, Reason, Role
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import strength_bits


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """What old peers are offered."""

    ike: tuple[str, ...]
    """IKE proposals, in order of preference."""
    esp: tuple[str, ...]
    """ESP proposals, in order of preference."""
    offered: tuple[Offered, ...]
    """Their parts that are not part of the first choice."""
    warnings: tuple[Reason, ...]
    """What is wrong with them."""


def usable_fallbacks(
    rules: Rules,
    costs: CostModel,
    handshakes: HandshakeModel,
    suites: SuiteChoice,
    phase1: Phase1Choice,
    without: tuple[str, ...] = (),
) -> Fallbacks:
    """The policy's fallbacks that this box supports and the user's requirements admit, without some."""
    chosen = {
        (Role.ESP_SUITE, suites.chosen.name),
        (Role.IKE_ENCRYPTION, phase1.encryption),
        (Role.PRF, phase1.prf),
        (Role.KEY_EXCHANGE, phase1.key_exchange),
    }
    ike: list[str] = []
    esp: list[str] = []
    offered: dict[tuple[Role, str], Offered] = {}
    warnings: list[Reason] = []
    for fallback, for_ike in _in_order(rules):
        parts = fallback_parts(fallback.proposal, for_ike)
        wanted = not fallback.last_resort and fallback.text not in without
        if not wanted or not all(available(role, name, rules, costs, handshakes) for role, name in parts):
            continue
        (ike if for_ike else esp).append(_spelling(fallback, for_ike))
        warning = _warning(fallback, for_ike, rules, costs)
        if warning is not None:
            warnings.append(warning)
        for part in parts:
            if part[0] is not Role.IKE_INTEGRITY and part not in chosen and part not in offered:
                offered[part] = Offered(*part, warning or fallback.reason)
    return Fallbacks(tuple(ike), tuple(esp), tuple(offered.values()), tuple(warnings))


def _in_order(rules: Rules) -> list[tuple[Fallback, bool]]:
    ike = [(fallback, True) for fallback in rules.policy.ike_fallbacks]
    return ike + [(fallback, False) for fallback in rules.policy.esp_fallbacks]


def _spelling(fallback: Fallback, for_ike: bool) -> str:
    parts = fallback.proposal
    if for_ike:
        return ike_proposal(parts.encryption, parts.integrity, parts.prf or "", parts.key_exchange or "")
    return esp_proposal(parts.esp_suite, parts.key_exchange, bool(parts.esn))


def part_at_peer(role: Role, name: str, rules: Rules) -> Verdict | None:
    """That something cannot be used with the peer, or with the version of IKE."""
    return rules.not_in_version(role, name) or rules.not_at_peer(role, name)


def available(role: Role, name: str, rules: Rules, costs: CostModel, handshakes: HandshakeModel) -> bool:
    """Whether a part of a proposal for old peers was measured, passed its check, and is what peer and user admit."""
    bits = strength_bits(role, name)
    wanted = rules.requirements.min_strength_bits
    if wanted is not None and bits is not None and bits < wanted:
        return False
    if part_at_peer(role, name, rules) is not None or costs.failed(name) is not None:
        return False
    if role is Role.ESP_SUITE:
        suite = esp_suites()[name]
        return costs.incorrect(suite) is None and costs.predict(suite, rules.requirements.traffic) is not None
    if role is Role.KEY_EXCHANGE:
        return handshakes.key_exchange(name) is not None
    if role is Role.PRF:
        return handshakes.prf_us(name) is not None
    return measured_anywhere(costs, name)


def _warning(fallback: Fallback, for_ike: bool, rules: Rules, costs: CostModel) -> Reason | None:
    """The policy's warning, with the data limit at the rate of this box where there is one."""
    if fallback.warning is None:
        return None
    text = f"{fallback.text}: {fallback.warning.text}"
    if not for_ike:
        name = fallback.proposal.esp_suite
        prediction = costs.predict(esp_suites()[name], rules.requirements.traffic)
        predicted = None if prediction is None else prediction.one_way_mbit_per_second
        limit = data_limit_verdict(name, rules, predicted)
        if limit is not None:
            text = f"{text} On this box: {limit[1].text}."
    return Reason(text, fallback.warning.sources)
