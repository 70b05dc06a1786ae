"""The recommendation: a pure function of (dataset, policy, requirements).

Same inputs, same answer. No clock, no randomness, no reading of files; rows may come in any order.
"""

from __future__ import annotations

from dataclasses import replace

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.esp.overhead import Encapsulation, goodput_ratio, inner_mtu_bytes, overhead_bytes, tcp_mss_bytes
from ipsecbench.recommend.choice.decision import Decision, Phase1Choices, decide
from ipsecbench.recommend.choice.ends import End
from ipsecbench.recommend.choice.evidence import box_name, weigh
from ipsecbench.recommend.choice.explanation import prices, strength_note, suite_reasons, what_would_change
from ipsecbench.recommend.choice.fallbacks import Fallbacks, usable_fallbacks
from ipsecbench.recommend.choice.front import pareto_front
from ipsecbench.recommend.choice.objectives import rule
from ipsecbench.recommend.choice.pair_choice import describe_pair
from ipsecbench.recommend.choice.peer_warnings import peer_warnings
from ipsecbench.recommend.choice.phase2 import SuiteChoice, choose_suite
from ipsecbench.recommend.choice.policy_warnings import chosen_parts, policy_warnings
from ipsecbench.recommend.choice.runner_up import runner_up
from ipsecbench.recommend.choice.sensitivity import sensitivity
from ipsecbench.recommend.keys.handshake_cost import HandshakeCost
from ipsecbench.recommend.keys.handshake_stack import stack_cost, stack_reason
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.keying import Keying, keying
from ipsecbench.recommend.model import Phase1, Phase2, Recommendation
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.prediction.capacity import capacity
from ipsecbench.recommend.proposals import esp_proposal, ike_proposal
from ipsecbench.recommend.reasons import Exclusion, Role
from ipsecbench.recommend.requirements.records import Requirements


def recommend(
    dataset: Dataset,
    policy: Policy,
    requirements: Requirements | None = None,
    *,
    peer_dataset: Dataset | None = None,
) -> Recommendation:
    """Recommend phase 1 and phase 2 parameters for the box that a dataset is of.

    Args:
        dataset: what was measured on the box.
        policy: what is allowed.
        requirements: what is wanted; the defaults if None.
        peer_dataset: what was measured on the other end; the choice is then for the pair, by the worse of both.

    Raises:
        PolicyError: nothing can be recommended; the message says why and what to do.
        UsageError: the link is too small for the chosen suite.
    """
    wanted = requirements or Requirements()
    box = End(box_name(dataset), dataset)
    other = [] if peer_dataset is None else [End(box_name(peer_dataset), peer_dataset, remote=True)]
    ends, costs, handshakes = (box, *other), box.costs, box.handshakes
    known: Phase1Choices = {}
    decision = decide(ends, policy, wanted, known)
    rules, phase1 = decision.rules, decision.phase1
    suites = choose_suite(decision.ranking, ends)
    parameters = _parameters(decision)
    handshake = handshakes.cost(parameters)
    if handshake is None:
        raise PolicyError(
            f"the handshake with {phase1.key_exchange}, {phase1.prf} and {phase1.authentication} has no cost in this "
            "dataset: measure again without --only"
        )
    handshake = replace(handshake, stack=stack_cost(dataset, parameters))
    keys = keying(rules, dataset, handshakes, parameters, suites.chosen)
    fallbacks = usable_fallbacks(rules, costs, handshakes, suites, phase1, decision.promoted)
    exclusions = _remaining((*suites.exclusions, *phase1.exclusions), fallbacks)
    price_list = prices(suites, decision.ranking, ends, phase1, handshakes)
    changes = sensitivity(ends, decision, policy, wanted, known)
    phase1_set = _phase1(decision, handshake, fallbacks, keys)
    parts = chosen_parts(phase1_set, suites.chosen.name)
    carried = capacity(costs, suites.chosen.name, wanted)
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
        phase2=_phase2(decision, suites, fallbacks, keys),
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
        capacity=carried,
        evidence=weigh(dataset, costs, suites.chosen, phase1, nat_traversal=wanted.nat_traversal),
        runner_up=runner_up(ends, decision, policy, wanted, fallbacks),
        front=pareto_front(ends, decision),
        sensitivity=changes,
        pair=describe_pair(ends, decision, policy, wanted),
        what_would_change_this=what_would_change(
            suites, exclusions, changes, other_end_measured=peer_dataset is not None
        ),
        warnings=(
            *policy_warnings(rules.policy, parts),
            *peer_warnings(wanted.peer, parts, keys.pfs.key_exchange),
            *phase1.warnings,
            *([] if carried is None else carried.warnings),
            *keys.warnings,
            *fallbacks.warnings,
            *policy.notes,
        ),
    )


def _remaining(exclusions: tuple[Exclusion, ...], fallbacks: Fallbacks) -> tuple[Exclusion, ...]:
    """What is neither chosen nor offered to old peers."""
    offered = {(part.role, part.name) for part in fallbacks.offered}
    return tuple(exclusion for exclusion in exclusions if (exclusion.role, exclusion.name) not in offered)


def _parameters(decision: Decision) -> IkeParameters:
    choice, rules = decision.phase1, decision.rules
    return IkeParameters(
        encryption=choice.encryption,
        integrity=choice.integrity,
        prf=choice.prf,
        key_exchange=choice.key_exchange,
        authentication=choice.authentication,
        suite=decision.suite,
        additional_key_exchanges=choice.additional.names,
        ike_version=rules.ike_version,
        certificate_chain=rules.requirements.certificate_chain,
        exchange_mode=rules.policy.word("ikev1_exchange_mode"),
    )


def _phase1(decision: Decision, handshake: HandshakeCost, fallbacks: Fallbacks, keys: Keying) -> Phase1:
    choice, rules, additional = decision.phase1, decision.rules, decision.phase1.additional.names
    version = rules.policy.line(Role.IKE_VERSION, str(rules.ike_version))
    why_version = (
        [] if version is None else [replace(version.reason, text=f"IKEv{version.name}: {version.reason.text}")]
    )
    return Phase1(
        ike_version=rules.ike_version,
        exchange_mode=decision.mode,
        encryption=choice.encryption,
        integrity=choice.integrity,
        prf=choice.prf,
        key_exchange=choice.key_exchange,
        authentication=choice.authentication,
        proposal=ike_proposal(choice.encryption, choice.integrity, choice.prf, choice.key_exchange, additional),
        additional_key_exchanges=additional,
        fallback_proposals=fallbacks.ike,
        strength_bits=choice.strength_bits,
        handshake=handshake,
        lifetime=keys.ike_lifetime,
        reasons=(
            *decision.promotion_reasons,
            *choice.reasons,
            *why_version,
            *([] if handshake.stack is None else [stack_reason(handshake.stack)]),
        ),
    )


def _phase2(decision: Decision, choice: SuiteChoice, fallbacks: Fallbacks, keys: Keying) -> Phase2:
    policy, wanted, chosen = decision.rules.policy, decision.rules.requirements, choice.chosen
    suite = esp_suites()[chosen.name]
    outside = Encapsulation.carrying(wanted.mode, wanted.outer, wanted.nat_traversal)
    mtu = inner_mtu_bytes(suite, wanted.link_mtu_bytes, outside)
    esn, exchange = keys.esn.esn, keys.pfs.key_exchange
    additional = () if exchange is None else decision.phase1.additional.names
    note = strength_note(chosen.strength_bits, decision.phase1)
    return Phase2(
        suite=chosen.name,
        key_exchange=exchange,
        esn=esn,
        mode=wanted.mode,
        replay_window_packets=keys.window.packets,
        proposal=esp_proposal(chosen.name, exchange, esn, additional),
        additional_key_exchanges=additional,
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
