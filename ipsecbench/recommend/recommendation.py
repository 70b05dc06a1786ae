"""The recommendation: a pure function of (dataset, policy, requirements).

Same inputs, same answer. No clock, no randomness, no reading of files; rows may come in any order.
"""

from __future__ import annotations

from dataclasses import replace

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.esp.overhead import Encapsulation, goodput_ratio, inner_mtu_bytes, overhead_bytes, tcp_mss_bytes
from ipsecbench.recommend.constraints import Rules
from ipsecbench.recommend.ends import End
from ipsecbench.recommend.evidence import box_name, weigh
from ipsecbench.recommend.explanation import prices, strength_note, suite_reasons, what_would_change
from ipsecbench.recommend.fallbacks import Fallbacks, usable_fallbacks
from ipsecbench.recommend.handshake_cost import HandshakeCost
from ipsecbench.recommend.handshake_stack import stack_cost, stack_reason
from ipsecbench.recommend.ike_parameters import IkeParameters
from ipsecbench.recommend.keying import Keying, keying
from ipsecbench.recommend.model import Phase1, Phase2, Recommendation
from ipsecbench.recommend.objectives import rule
from ipsecbench.recommend.phase1 import Phase1Choice, choose_phase1
from ipsecbench.recommend.phase2 import SuiteChoice, choose_suite, rank_suites
from ipsecbench.recommend.policy import Policy
from ipsecbench.recommend.policy_warnings import chosen_parts, policy_warnings
from ipsecbench.recommend.proposals import esp_proposal, ike_proposal
from ipsecbench.recommend.reasons import Exclusion
from ipsecbench.recommend.requirements import Requirements


def recommend(dataset: Dataset, policy: Policy, requirements: Requirements | None = None) -> Recommendation:
    """Recommend phase 1 and phase 2 parameters for the box that a dataset is of.

    Args:
        dataset: what was measured on the box.
        policy: what is allowed.
        requirements: what is wanted; the defaults if None.

    Raises:
        PolicyError: nothing can be recommended; the message says why and what to do.
        UsageError: the link is too small for the chosen suite.
    """
    wanted = requirements or Requirements()
    rules = Rules(policy, wanted)
    box = End(box_name(dataset), dataset)
    ends, costs, handshakes = (box,), box.costs, box.handshakes
    ranking = rank_suites(rules, ends)
    suites = choose_suite(ranking, ends)
    phase1 = choose_phase1(rules, ends, suites.chosen.name, suites.chosen.strength_bits)
    handshake = handshakes.cost(
        phase1.encryption, phase1.integrity, phase1.prf, phase1.key_exchange, phase1.authentication, suites.chosen.name
    )
    if handshake is None:
        raise PolicyError(
            f"the handshake with {phase1.key_exchange}, {phase1.prf} and {phase1.authentication} has no cost in this "
            "dataset: measure again without --only"
        )
    parameters = _parameters(rules, phase1, suites.chosen.name)
    handshake = replace(handshake, stack=stack_cost(dataset, parameters))
    keys = keying(rules, dataset, handshakes, parameters, suites.chosen)
    fallbacks = usable_fallbacks(rules, costs, handshakes, suites, phase1)
    exclusions = _remaining((*suites.exclusions, *phase1.exclusions), fallbacks)
    price_list = prices(suites, phase1, handshakes)
    phase1_set = _phase1(parameters.ike_version, phase1, handshake, fallbacks, keys)
    return Recommendation(
        policy=policy.name,
        policy_version=policy.version,
        policy_title=policy.title,
        requirements=wanted,
        target_strength_bits=rules.target_strength_bits,
        box=box.name,
        dataset_created=dataset.created,
        dataset_sha256=dataset.sha256,
        phase1=phase1_set,
        phase2=_phase2(rules, suites, phase1, fallbacks, keys),
        setup=keys.setup,
        pfs=keys.pfs,
        esn=keys.esn,
        replay_window=keys.window,
        day_long_lives=keys.day_long_lives,
        chosen_by=rule(wanted.objective),
        candidates=suites.candidates,
        offered=fallbacks.offered,
        exclusions=exclusions,
        prices=price_list,
        ceilings=costs.ceilings(wanted.traffic),
        goal=suites.goal,
        evidence=weigh(dataset, costs, suites.chosen, phase1),
        what_would_change_this=what_would_change(suites, wanted, exclusions, price_list),
        warnings=(
            *policy_warnings(policy, chosen_parts(phase1_set, suites.chosen.name)),
            *phase1.warnings,
            *keys.warnings,
            *fallbacks.warnings,
            *policy.notes,
        ),
    )


def _remaining(exclusions: tuple[Exclusion, ...], fallbacks: Fallbacks) -> tuple[Exclusion, ...]:
    """What is neither chosen nor offered to old peers."""
    offered = {(part.role, part.name) for part in fallbacks.offered}
    return tuple(exclusion for exclusion in exclusions if (exclusion.role, exclusion.name) not in offered)


def _parameters(rules: Rules, choice: Phase1Choice, suite: str) -> IkeParameters:
    return IkeParameters(
        encryption=choice.encryption,
        integrity=choice.integrity,
        prf=choice.prf,
        key_exchange=choice.key_exchange,
        authentication=choice.authentication,
        suite=suite,
        ike_version=rules.requirements.ike_version or int(rules.policy.ike_versions[0].name),
        certificate_chain=rules.requirements.certificate_chain,
        exchange_mode=rules.policy.word("ikev1_exchange_mode"),
    )


def _phase1(
    ike_version: int, choice: Phase1Choice, handshake: HandshakeCost, fallbacks: Fallbacks, keys: Keying
) -> Phase1:
    return Phase1(
        ike_version=ike_version,
        encryption=choice.encryption,
        integrity=choice.integrity,
        prf=choice.prf,
        key_exchange=choice.key_exchange,
        authentication=choice.authentication,
        proposal=ike_proposal(choice.encryption, choice.integrity, choice.prf, choice.key_exchange),
        fallback_proposals=fallbacks.ike,
        strength_bits=choice.strength_bits,
        handshake=handshake,
        lifetime=keys.ike_lifetime,
        reasons=(*choice.reasons, *([] if handshake.stack is None else [stack_reason(handshake.stack)])),
    )


def _phase2(rules: Rules, choice: SuiteChoice, phase1: Phase1Choice, fallbacks: Fallbacks, keys: Keying) -> Phase2:
    policy, wanted, chosen = rules.policy, rules.requirements, choice.chosen
    suite = esp_suites()[chosen.name]
    outside = Encapsulation("tunnel", wanted.outer, wanted.nat_traversal)
    mtu = inner_mtu_bytes(suite, wanted.link_mtu_bytes, outside)
    esn, exchange = keys.esn.esn, keys.pfs.key_exchange
    note = strength_note(chosen.strength_bits, phase1)
    return Phase2(
        suite=chosen.name,
        key_exchange=exchange,
        esn=esn,
        mode=outside.mode,
        replay_window_packets=keys.window.packets,
        proposal=esp_proposal(chosen.name, exchange, esn),
        fallback_proposals=fallbacks.esp,
        strength_bits=chosen.strength_bits,
        candidate=chosen,
        inner_mtu_bytes=mtu,
        mss_ipv4_bytes=tcp_mss_bytes(mtu, "ipv4"),
        mss_ipv6_bytes=tcp_mss_bytes(mtu, "ipv6"),
        goodput_ratio=goodput_ratio(suite, wanted.link_mtu_bytes, outside),
        overhead_bytes=overhead_bytes(suite, mtu, outside),
        lifetime=keys.child_lifetime,
        reasons=(
            *suite_reasons(choice, wanted, policy),
            *([note] if note is not None else []),
            *keys.pfs.reasons,
            *keys.esn.reasons,
            *keys.window.reasons,
        ),
    )
