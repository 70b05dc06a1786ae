"""The bare comparison of the ESP suites, by the objective, among what the policy allows.

Without a goal: the most secure one among the best and its ties. With a goal: the strongest one whose lower bound
reaches it, or the best by the objective among those that do. Where none reaches it, the choice is as without a goal.
What each objective compares stands in :mod:`ipsecbench.recommend.choice.objectives`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.choice.end_verdicts import suite_at_ends, way_out_for_peers
from ipsecbench.recommend.choice.ends import End, Ends
from ipsecbench.recommend.choice.objectives import exchange_shown, forced_rekeys_ns, packet_cost
from ipsecbench.recommend.choice.ranking import (
    Option,
    chance_of,
    cheapest_first,
    choose_cheapest,
    choose_strongest,
)
from ipsecbench.recommend.prediction.capacity import tunnel_rates
from ipsecbench.recommend.prediction.core_scaling import ScalingBasis, wanted_scaling
from ipsecbench.recommend.prediction.measured_costs import TIER_RANK
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE, Prediction
from ipsecbench.recommend.reasons import ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import security_order


@dataclass(frozen=True, slots=True)
class Carried:
    """What a suite carries with the tunnels that were asked for."""

    mbit_per_second: Estimate
    """Predicted rate."""
    cores: int
    """Cores that it is for."""
    basis: ScalingBasis
    """How the rate of several cores came about."""
    scaling: float
    """Rate of these cores over that of one."""
    end: str
    """The box that it is of: the one that carries less, where there are two."""


@dataclass(frozen=True, slots=True)
class Contest:
    """How the comparison of the suites went."""

    winner: Option
    """The chosen one."""
    best: Option
    """The cheapest of those that were compared to the end."""
    by_strength: bool
    """Whether the strongest that suffices was looked for, and found."""
    goal_reached: bool
    """Whether there was a goal and the winner reaches it."""


@dataclass(frozen=True, slots=True)
class SuiteRanking:
    """The bare comparison: what can be done again under other requirements at little cost."""

    rules: Rules
    """Policy and requirements."""
    options: tuple[Option, ...]
    """Everything that could have been chosen, best first."""
    predictions: Mapping[str, tuple[Prediction, ...]]
    """What each end carries with each option."""
    capacities: Mapping[str, Carried]
    """What each option carries with the tunnels that were asked for."""
    verdicts: Mapping[str, Verdict]
    """Why the rest of what the policy lists was out before the comparison."""
    contest: Contest
    """Its outcome."""

    def chance(self, name: str) -> float | None:
        """The chance that the winner costs less than another option; None where it is none, or the winner."""
        found = next((option for option in self.options if option.name == name), None)
        return None if found in (None, self.contest.winner) else chance_of(self.contest.winner, found)

    def traffic_lost_percent(self, ends: Ends, new: str, old: str) -> Estimate:
        """How much less is carried with one option than with another; what both share cancels, draw by draw."""
        if new == old:
            return Estimate(0.0, 0.0, 0.0)
        wanted = replace(self.rules.requirements, objective=Objective.THROUGHPUT)
        slower, faster = (packet_cost(wanted, ends, self.predictions[name], name) for name in (new, old))
        kept = faster * slower.under(100.0 * self.capacities[new].scaling / self.capacities[old].scaling)
        return (Draws.exactly(100.0) - kept).estimate(PREDICTION_CONFIDENCE)

    @property
    def tier(self) -> Tier:
        """Tier of what was compared, at the end that carries the least."""
        return self.headline(self.contest.winner.name).tier

    def headline(self, name: str) -> Prediction:
        """Of the end that carries the least."""
        return slowest(self.predictions[name])


def slowest(predictions: tuple[Prediction, ...]) -> Prediction:
    """The prediction of the end that carries the least."""
    return min(predictions, key=lambda prediction: prediction.one_way_mbit_per_second.median)


def rank_suites(rules: Rules, ends: Ends) -> SuiteRanking:
    """Compare the ESP suites.

    Raises:
        PolicyError: no suite that the policy allows has a figure; the message says why and what to do.
    """
    verdicts: dict[str, Verdict] = {}
    usable: dict[str, tuple[Prediction, ...]] = {}
    listed = {line.name for line in rules.policy.lines[Role.ESP_SUITE]}
    for name in (each for each in esp_suites() if each in listed):
        found = tuple(end.predict(name, rules.requirements.traffic) for end in ends)
        predictions, verdict = suite_at_ends(name, rules, ends, found)
        if verdict is not None:
            verdicts[name] = verdict
        else:
            usable[name] = predictions
    if not usable:
        raise PolicyError(_nothing_usable(rules, verdicts))
    _exclude_lower_tiers(usable, verdicts)
    if not usable:
        raise PolicyError(_nothing_usable(rules, verdicts))
    capacities = _capacities(usable, ends, rules.requirements)
    options = cheapest_first(
        Option(
            name,
            (packet_cost(rules.requirements, ends, predictions, name) + _rekeys(name, rules, ends))
            * (1 / capacities[name].scaling),
            esp_suites()[name].strength_bits,
            security_order(Role.ESP_SUITE, name),
        )
        for name, predictions in usable.items()
    )
    return SuiteRanking(rules, options, usable, capacities, verdicts, _contest(options, capacities, rules))


def _rekeys(name: str, rules: Rules, ends: Ends) -> Draws:
    """What forced rekeys add to a packet, where processor time is the objective."""
    wanted = rules.requirements
    if wanted.objective is not Objective.CPU:
        return Draws.exactly(0.0)
    lines = rules.policy.lines[Role.KEY_EXCHANGE]
    usable = [line.name for line in lines if rules.not_at_peer(Role.KEY_EXCHANGE, line.name) is None]
    # Which one phase 1 takes is the same for every suite; where none has a figure, phase 1 says so.
    shown = [each.median for line in usable if (each := exchange_shown(wanted, ends, line)) is not None]
    esn = rules.policy.word("extended_sequence_numbers") != "off" and (
        wanted.peer is None or wanted.peer.esn is not False
    )
    return Draws.exactly(
        forced_rekeys_ns(name, wanted.traffic, min(shown, default=0.0), esn=esn, outbound_share=wanted.outbound_share)
    )


def with_goal(ranking: SuiteRanking, mbit_per_second: float) -> SuiteRanking:
    """The same comparison held against another goal."""
    rules = ranking.rules
    rules = replace(rules, requirements=replace(rules.requirements, goal_mbit_per_second=mbit_per_second))
    return replace(ranking, rules=rules, contest=_contest(ranking.options, ranking.capacities, rules))


def _nothing_usable(rules: Rules, verdicts: Mapping[str, Verdict]) -> str:
    allowed = [line.name for line in rules.policy.lines[Role.ESP_SUITE]]
    reasons = {name: verdicts[name] for name in allowed if name in verdicts}
    unmeasured = [name for name, verdict in reasons.items() if verdict[0] is ExclusionKind.NOT_MEASURED]
    if reasons and all(verdict[0] is ExclusionKind.PEER for verdict in reasons.values()):
        what = way_out_for_peers(rules.policy)
    elif unmeasured:
        what = f"measure one of them, such as 'ipsecbench bench --only {unmeasured[0]}'"
    elif any(verdict[0] is ExclusionKind.TOO_WEAK for verdict in reasons.values()):
        what = "ask for fewer bits or use another policy"
    else:
        what = "use another policy"
    detail = "; ".join(f"{name}: {verdict[1].text}" for name, verdict in list(reasons.items())[:3])
    return f"no ESP suite of policy {rules.policy.label} can be recommended ({detail}): {what}"


def _exclude_lower_tiers(usable: dict[str, tuple[Prediction, ...]], verdicts: dict[str, Verdict]) -> None:
    """Leave only the best tier: sums of cipher calls would look faster than whole packets that were measured."""
    best = [max((each[end].tier for each in usable.values()), key=TIER_RANK.__getitem__) for end in _places(usable)]
    for name, predictions in list(usable.items()):
        lower = [(p.tier, tier) for p, tier in zip(predictions, best, strict=True) if p.tier is not tier]
        if lower:
            text = f"only measured as {lower[0][0]}, the others as {lower[0][1]}: such figures are not compared"
            verdicts[name] = (ExclusionKind.OTHER_TIER, Reason(text))
            del usable[name]


def _places(usable: Mapping[str, tuple[Prediction, ...]]) -> range:
    return range(len(next(iter(usable.values()))))


def _capacities(usable: Mapping[str, tuple[Prediction, ...]], ends: Ends, wanted: Requirements) -> dict[str, Carried]:
    """Rate with several tunnels, of the end that carries the least."""
    found: dict[str, Carried] = {}
    for end in ends:
        for name in usable:
            carried = _carried_at(end, name, wanted)
            if name not in found or carried.mbit_per_second.median < found[name].mbit_per_second.median:
                found[name] = carried
    return found


def _carried_at(end: End, name: str, wanted: Requirements) -> Carried:
    """Rate of one end."""
    if end.remote and wanted.outbound_share is not None:
        # What leaves here arrives there.
        wanted = replace(wanted, outbound_share=1 - wanted.outbound_share)
    scaling = wanted_scaling(end.costs, name, wanted)
    rates = tunnel_rates(end.costs, name, wanted, scaling)
    if rates is None:
        raise KeyError(f"{name}: {wanted.traffic}")
    mbit = rates.estimate(PREDICTION_CONFIDENCE)
    return Carried(mbit, scaling.cores, scaling.basis, scaling.factor.median, end.name)


def _contest(options: tuple[Option, ...], capacities: Mapping[str, Carried], rules: Rules) -> Contest:
    goal, objective = rules.requirements.goal_mbit_per_second, rules.requirements.objective
    enough = [o for o in options if goal is not None and capacities[o.name].mbit_per_second.lower >= goal]
    field = enough or list(options)
    by_strength = objective is Objective.SECURITY and (goal is None or bool(enough))
    by_strength = by_strength or (objective is Objective.BALANCED and bool(enough))
    if by_strength:
        winner = choose_strongest(field, lambda _: True)
        field = [option for option in field if winner is not None and option.strength_bits == winner.strength_bits]
    else:
        # The most traffic is wanted there, whatever the goal; it only decides what the verdict is.
        field = list(options) if objective is Objective.THROUGHPUT else field
        winner = choose_cheapest(field)
    if winner is None:
        raise PolicyError("no ESP suite is left to choose from: use another policy")
    return Contest(winner, cheapest_first(field)[0], by_strength, winner in enough)
