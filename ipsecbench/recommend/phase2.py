"""Phase 2: the ESP suite, chosen by the objective among what the policy allows; for speed where nothing is said.

Without a goal: the most secure one among the best and its ties. With a goal: the strongest one whose lower bound
reaches it, or the best by the objective among those that do. Where none reaches it, the choice is as without a goal
and the verdict says so. What each objective compares stands in :mod:`ipsecbench.recommend.objectives`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.capacity import tunnel_rates
from ipsecbench.recommend.constraints import Rules, Verdict, exclusion
from ipsecbench.recommend.core_scaling import ScalingBasis, wanted_scaling
from ipsecbench.recommend.cost_model import REFERENCE_TRAFFIC
from ipsecbench.recommend.end_verdicts import suite_at_ends, unlisted_suite
from ipsecbench.recommend.ends import End, Ends
from ipsecbench.recommend.formats import rate, rate_interval
from ipsecbench.recommend.measured_costs import TIER_RANK
from ipsecbench.recommend.model import Goal, GoalVerdict
from ipsecbench.recommend.objectives import packet_cost
from ipsecbench.recommend.predictions import PREDICTION_CONFIDENCE, Candidate, Prediction
from ipsecbench.recommend.ranking import (
    SURE,
    Option,
    chance_of,
    cheapest_first,
    choose_cheapest,
    choose_strongest,
    tied,
)
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements import Objective, Requirements
from ipsecbench.recommend.standing import level, next_step_bits, security_order
from ipsecbench.recommend.traffic import Traffic


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

    def headline(self, name: str) -> Prediction:
        """Of the end that carries the least."""
        return slowest(self.predictions[name])


@dataclass(frozen=True, slots=True)
class SuiteChoice:
    """The outcome of the comparison."""

    chosen: Candidate
    """The winner."""
    candidates: tuple[Candidate, ...]
    """Everything that could have been chosen, best first by the objective."""
    exclusions: tuple[Exclusion, ...]
    """Everything else that is known, each with one reason."""
    capacity: Carried
    """Of the winner."""
    goal: Goal | None
    """How the winner stands to the goal."""
    stronger: Candidate | None
    """The fastest of the next higher strength."""


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
            packet_cost(rules.requirements, ends, predictions, name) * (1 / capacities[name].scaling),
            esp_suites()[name].strength_bits,
            security_order(Role.ESP_SUITE, name),
        )
        for name, predictions in usable.items()
    )
    return SuiteRanking(rules, options, usable, capacities, verdicts, _contest(options, capacities, rules))


def with_goal(ranking: SuiteRanking, mbit_per_second: float) -> SuiteRanking:
    """The same comparison held against another goal."""
    rules = ranking.rules
    rules = replace(rules, requirements=replace(rules.requirements, goal_mbit_per_second=mbit_per_second))
    return replace(ranking, rules=rules, contest=_contest(ranking.options, ranking.capacities, rules))


def choose_suite(ranking: SuiteRanking, ends: Ends) -> SuiteChoice:
    """What the comparison means: the candidates with their figures, and why the others were not chosen."""
    rules, contest = ranking.rules, ranking.contest
    winner = contest.winner
    ties = {option.name for option in tied(ranking.options)}
    candidates = {option.name: _candidate(option, ranking, ends, option.name in ties) for option in ranking.options}
    verdicts = {**_verdicts_of_unlisted(ranking, ends), **ranking.verdicts}
    chances: dict[str, float] = {}
    for option in ranking.options:
        if option.name != winner.name:
            verdicts[option.name] = _lost(option, ranking)
            chances[option.name] = chance_of(winner, option)
    exclusions = sorted(
        (
            exclusion(
                Role.ESP_SUITE, name, verdicts[name], rate_estimate=_rate(name, rules, ends), chance=chances.get(name)
            )
            for name in esp_suites()
            if name != winner.name
        ),
        key=_measured_and_fastest_first,
    )
    return SuiteChoice(
        candidates[winner.name],
        tuple(candidates.values()),
        tuple(exclusions),
        ranking.capacities[winner.name],
        _goal(rules, ranking.capacities[winner.name]),
        _next_stronger(candidates[winner.name], candidates),
    )


def _verdicts_of_unlisted(ranking: SuiteRanking, ends: Ends) -> dict[str, Verdict]:
    """The main reason against each suite that the policy does not list."""
    rules, found = ranking.rules, {}
    for name in esp_suites():
        if name not in ranking.verdicts and name not in ranking.predictions:
            found[name] = unlisted_suite(name, rules, ends)
    return found


def _measured_and_fastest_first(item: Exclusion) -> tuple[float, str]:
    return (-item.mbit_per_second.median if item.mbit_per_second is not None else 0.0, item.name)


def _rate(name: str, rules: Rules, ends: Ends) -> Estimate | None:
    found = [end.headline(name, rules.requirements.traffic) for end in ends]
    known = [rate for rate in found if rate is not None]
    return min(known, key=lambda rate: rate.median) if len(known) == len(ends) else None


def _nothing_usable(rules: Rules, verdicts: Mapping[str, Verdict]) -> str:
    allowed = [line.name for line in rules.policy.lines[Role.ESP_SUITE]]
    reasons = {name: verdicts[name] for name in allowed if name in verdicts}
    unmeasured = [name for name, verdict in reasons.items() if verdict[0] is ExclusionKind.NOT_MEASURED]
    if unmeasured:
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


def _candidate(option: Option, ranking: SuiteRanking, ends: Ends, in_tie: bool) -> Candidate:
    name, wanted = option.name, ranking.rules.requirements.traffic
    headline = ranking.headline(name)
    shown = (*REFERENCE_TRAFFIC, *([wanted] if wanted not in REFERENCE_TRAFFIC else []))
    predictions = [_at_slowest_end(name, traffic, ends, headline) for traffic in shown]
    goal = ranking.rules.requirements.goal_mbit_per_second
    winner = ranking.contest.winner
    return Candidate(
        name=name,
        strength_bits=option.strength_bits,
        level=level(Role.ESP_SUITE, name)[0],
        headline=headline,
        predictions=tuple(p for p in predictions if p is not None and p.tier is headline.tier),
        tied=in_tie,
        meets_goal=None if goal is None else ranking.capacities[name].mbit_per_second.lower >= goal,
        chance=None if option is winner else chance_of(winner, option),
    )


def _at_slowest_end(name: str, traffic: Traffic, ends: Ends, headline: Prediction) -> Prediction | None:
    if traffic == headline.traffic:
        return headline
    found = [prediction for end in ends if (prediction := end.predict(name, traffic)) is not None]
    return slowest(tuple(found)) if len(found) == len(ends) else None


def _lost(option: Option, ranking: SuiteRanking) -> Verdict:
    """Why a suite that could have been chosen was not."""
    contest, rules = ranking.contest, ranking.rules
    winner, best = contest.winner, contest.best
    goal = rules.requirements.goal_mbit_per_second
    mine = rate_interval(ranking.capacities[option.name].mbit_per_second)
    if goal is not None and contest.goal_reached and not _reaches(option, ranking, goal):
        return ExclusionKind.BELOW_GOAL, Reason(f"below the goal: {mine}, whose lower end has to reach {rate(goal)}")
    if contest.by_strength and option.strength_bits < winner.strength_bits:
        which = ", which reaches the goal too" if goal is not None else ""
        bits = f"{option.strength_bits} bits against {winner.strength_bits}"
        return ExclusionKind.WEAKER, Reason(f"weaker than {winner.name}{which}: {bits}", ("nist57",))
    if chance_of(best, option) >= SURE:
        return ExclusionKind.SLOWER, Reason(_slower(option, best, ranking))
    return ExclusionKind.WEAKER, _tie_lost(option, ranking)


def _reaches(option: Option, ranking: SuiteRanking, goal: float) -> bool:
    return ranking.capacities[option.name].mbit_per_second.lower >= goal


def _slower(option: Option, best: Option, ranking: SuiteRanking) -> str:
    objective = ranking.rules.requirements.objective
    if objective in (Objective.CPU, Objective.LATENCY):
        what = "takes more processor time" if objective is Objective.CPU else "takes longer for a packet"
        more = option.cost.value / best.cost.value - 1
        return f"{what} than {best.name}: {_nanoseconds(option)} against {_nanoseconds(best)}, {more:.0%} more"
    mine, other = (ranking.capacities[each.name].mbit_per_second for each in (option, best))
    share = 1 - best.cost.value / option.cost.value
    return f"slower than {best.name}: {rate_interval(mine)} against {rate_interval(other)}, {share:.0%} less"


def _nanoseconds(option: Option) -> str:
    return f"{option.cost.value:.0f} ns"


def _tie_lost(option: Option, ranking: SuiteRanking) -> Reason:
    winner, best = ranking.contest.winner, ranking.contest.best
    if ranking.rules.requirements.objective in (Objective.CPU, Objective.LATENCY):
        mine, other = _nanoseconds(option), _nanoseconds(winner)
    else:
        mine, other = (rate_interval(ranking.capacities[each.name].mbit_per_second) for each in (option, winner))
    start = f"a tie ({mine}, {winner.name} {other}; {_chance_words(option, best)}), broken by security: "
    (my_level, source), (best_level, _) = (level(Role.ESP_SUITE, each.name) for each in (option, winner))
    if option.strength_bits < winner.strength_bits:
        return Reason(f"{start}{option.strength_bits} bits against {winner.strength_bits}", ("nist57",))
    if my_level != best_level:
        return Reason(f"{start}{my_level} against {best_level}", (source or "rfc8221",))
    return Reason(f"{start}equal in strength and RFC level; {winner.name} is simpler or first by name")


def _chance_words(option: Option, best: Option) -> str:
    if option is best:
        return "it is the fastest, not surely so"
    return f"{best.name} is ahead with a chance of {chance_of(best, option):.0%}"


def _goal(rules: Rules, capacity: Carried) -> Goal | None:
    wanted = rules.requirements.goal_mbit_per_second
    if wanted is None:
        return None
    predicted = capacity.mbit_per_second
    if predicted.lower >= wanted:
        verdict = GoalVerdict.MET
    elif predicted.upper >= wanted:
        verdict = GoalVerdict.UNCERTAIN
    else:
        verdict = GoalVerdict.MISSED
    headroom = Estimate(*((value / wanted - 1) * 100 for value in (predicted.median, predicted.lower, predicted.upper)))
    cores = "one core" if capacity.cores == 1 else f"{capacity.cores} cores"
    text = f"{verdict}: {rate_interval(predicted)} of {rules.requirements.traffic} on {cores} against {rate(wanted)}"
    if rules.requirements.tunnels > 1 and capacity.cores == 1:
        text += f"; {rules.requirements.tunnels} tunnels on several cores were not measured (bench --cores)"
    elif capacity.basis is ScalingBasis.OTHER_SUITE:
        text += "; the scaling is the worst that was measured of another suite"
    return Goal(wanted, predicted, capacity.cores, verdict, headroom, text)


def _next_stronger(chosen: Candidate, candidates: Mapping[str, Candidate]) -> Candidate | None:
    """The fastest suite of the next step of strength or above."""
    step = next_step_bits(chosen.strength_bits)
    options = [c for c in candidates.values() if step is not None and c.strength_bits >= step]
    return min(options, key=lambda c: (-c.headline.one_way_mbit_per_second.median, c.name), default=None)
