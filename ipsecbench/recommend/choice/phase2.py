"""Phase 2: the ESP suite that the comparison chose, its rivals with their figures, and why each other one is not it.

Without a goal it is chosen for speed, where the objective says nothing else; see
:mod:`ipsecbench.recommend.choice.suite_ranking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.choice.constraints import exclusion
from ipsecbench.recommend.choice.end_verdicts import unlisted_suite
from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.ranking import (
    SURE,
    Option,
    chance_of,
    tied,
)
from ipsecbench.recommend.choice.suite_ranking import Carried, SuiteRanking, slowest
from ipsecbench.recommend.formats import rate, rate_interval
from ipsecbench.recommend.model import Goal, GoalVerdict
from ipsecbench.recommend.prediction.core_scaling import ScalingBasis
from ipsecbench.recommend.prediction.cost_model import REFERENCE_TRAFFIC
from ipsecbench.recommend.prediction.predictions import Candidate, Prediction
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Objective
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import level, next_step_bits


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
                Role.ESP_SUITE, name, verdicts[name], rate_estimate=_rate(name, ranking, ends), chance=chances.get(name)
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
            found[name] = unlisted_suite(name, rules, ends, ranking.tier)
    return found


def _measured_and_fastest_first(item: Exclusion) -> tuple[float, str]:
    return (-item.mbit_per_second.median if item.mbit_per_second is not None else 0.0, item.name)


def _rate(name: str, ranking: SuiteRanking, ends: Ends) -> Estimate | None:
    found = [end.headline(name, ranking.rules.requirements.traffic, ranking.tier) for end in ends]
    known = [rate for rate in found if rate is not None]
    return min(known, key=lambda rate: rate.median) if len(known) == len(ends) else None


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
    sas = rules.requirements.tunnels * rules.requirements.sas_per_tunnel
    if sas > 1 and capacity.cores == 1 and rules.requirements.cores is None:
        text += f"; {sas} SAs on several cores were not measured (bench --cores)"
    elif capacity.basis is ScalingBasis.OTHER_SUITE:
        text += "; the scaling is the worst that was measured of another suite"
    return Goal(wanted, predicted, capacity.cores, verdict, headroom, text)


def _next_stronger(chosen: Candidate, candidates: Mapping[str, Candidate]) -> Candidate | None:
    """The fastest suite of the next step of strength or above."""
    step = next_step_bits(chosen.strength_bits)
    options = [c for c in candidates.values() if step is not None and c.strength_bits >= step]
    return min(options, key=lambda c: (-c.headline.one_way_mbit_per_second.median, c.name), default=None)
