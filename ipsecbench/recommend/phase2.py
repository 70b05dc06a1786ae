"""Phase 2: the ESP suite, chosen for performance among what the policy allows.

Without a goal: the most secure one among the fastest and its ties. With a goal: the strongest one whose lower bound
reaches it. Where none reaches it, the choice is as without a goal and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.arithmetic import product
from ipsecbench.recommend.constraints import Rules, Verdict, exclusion, suite_verdict
from ipsecbench.recommend.cost_model import REFERENCE_TRAFFIC, TIER_RANK, CostModel
from ipsecbench.recommend.formats import rate, rate_interval
from ipsecbench.recommend.model import Goal, GoalVerdict
from ipsecbench.recommend.predictions import Candidate, Prediction
from ipsecbench.recommend.ranking import Option, choose_fastest, choose_strongest, fastest_first, tied
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.standing import level, next_step_bits, security_order


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a suite carries with the tunnels that were asked for."""

    mbit_per_second: Estimate
    """Predicted rate."""
    cores: int
    """Cores that it is for."""
    assumed: bool
    """Whether the scaling to several cores is another suite's."""


@dataclass(frozen=True, slots=True)
class SuiteChoice:
    """The outcome of the comparison."""

    chosen: Candidate
    """The winner."""
    candidates: tuple[Candidate, ...]
    """Everything that could have been chosen, fastest first."""
    exclusions: tuple[Exclusion, ...]
    """Everything else that is known, each with one reason."""
    capacity: Capacity
    """Of the winner."""
    goal: Goal | None
    """How the winner stands to the goal."""
    stronger: Candidate | None
    """The fastest of the next higher strength."""


def choose_suite(rules: Rules, costs: CostModel) -> SuiteChoice:
    """Choose the ESP suite.

    Raises:
        PolicyError: no suite that the policy allows has a figure; the message says why and what to do.
    """
    traffic = rules.requirements.traffic
    predictions = {name: costs.predict(suite, traffic) for name, suite in esp_suites().items()}
    verdicts: dict[str, Verdict] = {}
    usable: dict[str, Prediction] = {}
    for name, prediction in predictions.items():
        verdict = suite_verdict(name, rules, costs, prediction)
        if verdict is not None:
            verdicts[name] = verdict
        elif prediction is not None:
            usable[name] = prediction
    if not usable:
        raise PolicyError(_nothing_usable(rules, verdicts))
    _exclude_lower_tiers(usable, verdicts)
    capacities = _capacities(usable, costs, rules.requirements.tunnels)
    options = [_option(name, capacity.mbit_per_second) for name, capacity in capacities.items()]
    contest = _contest(options, rules)
    winner = contest.winner
    ties = {option.name for option in tied(options)}
    candidates = {
        option.name: _candidate(option.name, usable[option.name], costs, rules, option.name in ties, option.score)
        for option in fastest_first(options)
    }
    for option in options:
        if option.name != winner.name:
            verdicts[option.name] = _lost(option, contest, rules)
    exclusions = sorted(
        (
            exclusion(Role.ESP_SUITE, name, verdicts[name], rate_estimate=_headline(predictions[name]))
            for name in esp_suites()
            if name != winner.name
        ),
        key=_measured_and_fastest_first,
    )
    return SuiteChoice(
        candidates[winner.name],
        tuple(candidates.values()),
        tuple(exclusions),
        capacities[winner.name],
        _goal(rules, capacities[winner.name]),
        _next_stronger(candidates[winner.name], candidates),
    )


def _measured_and_fastest_first(item: Exclusion) -> tuple[float, str]:
    return (-item.mbit_per_second.median if item.mbit_per_second is not None else 0.0, item.name)


def _headline(prediction: Prediction | None) -> Estimate | None:
    return None if prediction is None else prediction.one_way_mbit_per_second


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


def _exclude_lower_tiers(usable: dict[str, Prediction], verdicts: dict[str, Verdict]) -> None:
    """Leave only the best tier: sums of cipher calls would look faster than whole packets that were measured."""
    best = max(usable.values(), key=lambda prediction: TIER_RANK[prediction.tier]).tier
    for name, prediction in list(usable.items()):
        if prediction.tier is not best:
            text = f"only measured as {prediction.tier}, the others as {best}: such figures are not compared"
            verdicts[name] = (ExclusionKind.OTHER_TIER, Reason(text))
            del usable[name]


def _capacities(usable: Mapping[str, Prediction], costs: CostModel, tunnels: int) -> dict[str, Capacity]:
    """Rate with several tunnels. A suite whose scaling was not measured gets the worst that was."""
    scalings = {name: costs.multi_core_scaling(name, tunnels) for name in usable}
    known = [scaling for scaling in scalings.values() if scaling is not None]
    worst = min(known, key=lambda scaling: (scaling[1].median, scaling[0]), default=None)
    found: dict[str, Capacity] = {}
    for name, prediction in usable.items():
        single = prediction.one_way_mbit_per_second
        scaling = scalings[name] or worst
        if scaling is None:
            found[name] = Capacity(single, 1, assumed=False)
        else:
            found[name] = Capacity(product(single, scaling[1]), scaling[0], assumed=scalings[name] is None)
    return found


def _option(name: str, score: Estimate) -> Option:
    strength = esp_suites()[name].strength_bits
    return Option(name, score, strength, security_order(Role.ESP_SUITE, name))


@dataclass(frozen=True, slots=True)
class _Contest:
    """How the comparison went."""

    winner: Option
    """The chosen one."""
    fastest: Option
    """The fastest of those that were compared to the end."""
    goal_reached: bool
    """Whether there was a goal and the winner reaches it."""


def _contest(options: list[Option], rules: Rules) -> _Contest:
    goal = rules.requirements.goal_mbit_per_second
    if goal is not None:
        winner = choose_strongest(options, lambda option: option.score.lower >= goal)
        if winner is not None:
            finalists = [o for o in options if o.score.lower >= goal and o.strength_bits == winner.strength_bits]
            return _Contest(winner, fastest_first(finalists)[0], goal_reached=True)
    winner = choose_fastest(options)
    if winner is None:
        raise PolicyError("no ESP suite is left to choose from: use another policy")
    return _Contest(winner, fastest_first(options)[0], goal_reached=False)


def _candidate(
    name: str, headline: Prediction, costs: CostModel, rules: Rules, in_tie: bool, capacity: Estimate
) -> Candidate:
    suite = esp_suites()[name]
    wanted = rules.requirements.traffic
    shown = (*REFERENCE_TRAFFIC, *([wanted] if wanted not in REFERENCE_TRAFFIC else []))
    predictions = [costs.predict(suite, traffic) for traffic in shown]
    goal = rules.requirements.goal_mbit_per_second
    return Candidate(
        name=name,
        strength_bits=suite.strength_bits,
        level=level(Role.ESP_SUITE, name)[0],
        headline=headline,
        predictions=tuple(p for p in predictions if p is not None and p.tier is headline.tier),
        tied=in_tie,
        meets_goal=None if goal is None else capacity.lower >= goal,
    )


def _lost(option: Option, contest: _Contest, rules: Rules) -> Verdict:
    """Why a suite that could have been chosen was not."""
    winner, fastest = contest.winner, contest.fastest
    goal = rules.requirements.goal_mbit_per_second
    mine = rate_interval(option.score)
    if goal is not None and contest.goal_reached:
        if option.score.lower < goal:
            return ExclusionKind.BELOW_GOAL, Reason(
                f"below the goal: {mine}, whose lower end has to reach {rate(goal)}"
            )
        if option.strength_bits < winner.strength_bits:
            bits = f"{option.strength_bits} bits against {winner.strength_bits}"
            return ExclusionKind.WEAKER, Reason(
                f"weaker than {winner.name}, which reaches the goal too: {bits}", ("nist57",)
            )
    if not option.score.overlaps(fastest.score):
        share = 1 - option.score.median / fastest.score.median
        text = f"slower than {fastest.name}: {mine} against {rate_interval(fastest.score)}, {share:.0%} less"
        return ExclusionKind.SLOWER, Reason(text)
    start = f"a tie ({mine}, {winner.name} {rate_interval(winner.score)}), broken by security: "
    (my_level, source), (best_level, _) = (level(Role.ESP_SUITE, each.name) for each in (option, winner))
    if option.strength_bits < winner.strength_bits:
        text = f"{start}{option.strength_bits} bits against {winner.strength_bits}"
        return ExclusionKind.WEAKER, Reason(text, ("nist57",))
    if my_level != best_level:
        return ExclusionKind.WEAKER, Reason(f"{start}{my_level} against {best_level}", (source or "rfc8221",))
    return ExclusionKind.WEAKER, Reason(
        f"{start}equal in strength and RFC level; {winner.name} is simpler or first by name"
    )


def _goal(rules: Rules, capacity: Capacity) -> Goal | None:
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
    elif capacity.assumed:
        text += "; the scaling is the worst that was measured of another suite"
    return Goal(wanted, predicted, capacity.cores, verdict, headroom, text)


def _next_stronger(chosen: Candidate, candidates: Mapping[str, Candidate]) -> Candidate | None:
    """The fastest suite of the next step of strength or above."""
    step = next_step_bits(chosen.strength_bits)
    options = [c for c in candidates.values() if step is not None and c.strength_bits >= step]
    return min(options, key=lambda c: (-c.headline.one_way_mbit_per_second.median, c.name), default=None)
