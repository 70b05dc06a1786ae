"""Which of these boxes carries the traffic: ranked by the chance that each reaches the goal.

Each box gets the suite that it would be given among those that the policy allows, and the rate that is predicted for
it (docs/prediction.md). Predictions are compared only on the same ground: unless every box has its data plane measured
in the same tier, the stated default stands for the data plane of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws, estimate_draws
from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.comparison.model import Box
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import IpsecbenchError, PolicyError, UsageError
from ipsecbench.lab.plane_cost import LABORATORY_TIERS
from ipsecbench.recommend.choice.constraints import suite_verdict
from ipsecbench.recommend.choice.ends import End
from ipsecbench.recommend.choice.suite_ranking import rank_suites
from ipsecbench.recommend.ike_version import choose_ike_version
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.prediction.arithmetic import scaled, total
from ipsecbench.recommend.prediction.capacity import tunnel_rates
from ipsecbench.recommend.prediction.core_scaling import wanted_scaling
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE, Prediction
from ipsecbench.recommend.prediction.stated_default import clock_hz
from ipsecbench.recommend.reasons import Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.recommend.rules import Rules

CLOCK_UNKNOWN = "clock-unknown"
"""Code of the verdict on a prediction from cycles of a clock that is not known."""


class Ground(StrEnum):
    """What the predicted rates of the boxes have in common."""

    MEASURED = "measured"
    """Every box's data plane was measured, in the same tier."""
    STATED = "stated default"
    """The stated default stands for every box's data plane."""
    OWN = "own"
    """Each box with the best evidence that it has: asked for, and not the same for all."""


@dataclass(frozen=True, slots=True)
class BoxAnswer:
    """What one box carries."""

    box: Box
    """The box."""
    suite: str | None = None
    """The ESP suite that it would be given; None where nothing can be said."""
    mbit_per_second: Estimate | None = None
    """Rate of the tunnels that were asked for, 10^6 bit/s of inner packets, with its 90% interval."""
    goal_probability: float | None = None
    """The chance that it reaches the goal, from 0 to 1; None without a goal."""
    cores: int | None = None
    """Cores that the rate is of; None where a whole box was measured."""
    tier: Tier | None = None
    """Tier of the evidence of the ciphers, or of the whole where a tunnel was measured."""
    plane: str = ""
    """The data plane that the rate is for."""
    basis: str = ""
    """Where the figure comes from, in a few words."""
    doubts: tuple[str, ...] = ()
    """Codes of verdicts on the rows that it comes from."""
    reason: str | None = None
    """Why nothing can be said of the box."""
    price_per_mbit: float | None = None
    """Price of the box over the middle of its rate, in the user's currency per Mbit/s."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The boxes, best first: by the chance to reach the goal, then by rate; those without an answer last."""

    answers: tuple[BoxAnswer, ...]
    """One for each box."""
    policy: str
    """Name of the policy."""
    requirements: Requirements
    """What was asked for, the goal included."""
    ground: Ground
    """What the rates have in common."""


def rank_boxes(
    boxes: Sequence[Box], policy: Policy, requirements: Requirements, *, own_planes: bool = False
) -> Ranking:
    """Rank boxes.

    Args:
        boxes: the candidates, with their prices where they have one.
        policy: what is allowed.
        requirements: traffic, tunnels, cores, and the goal.
        own_planes: take each box's best evidence of its data plane, though they are not the same for all.
    """
    ground = Ground.OWN if own_planes else _common_ground(boxes)
    rules = Rules(policy, requirements, choose_ike_version(policy, requirements))
    answers = [_answer(box, rules, ground) for box in boxes]
    return Ranking(tuple(sorted(answers, key=_order)), policy.name, requirements, ground)


def _order(answer: BoxAnswer) -> tuple[float, float, str]:
    rate = 0.0 if answer.mbit_per_second is None else answer.mbit_per_second.median
    return -(answer.goal_probability or 0.0), -rate, answer.box.name


def _common_ground(boxes: Sequence[Box]) -> Ground:
    tiers = {_laboratory_tier(box.dataset) for box in boxes if not _tunnels(box.dataset)}
    return Ground.MEASURED if len(tiers) == 1 and None not in tiers else Ground.STATED


def _laboratory_tier(dataset: Dataset) -> Tier | None:
    found = {row.workload.tier for row in dataset.measurements if row.usable}
    return next((tier for tier in LABORATORY_TIERS if tier in found), None)


def _tunnels(dataset: Dataset) -> bool:
    return any(row.usable and row.workload.tier is Tier.ON_WIRE for row in dataset.measurements)


def _answer(box: Box, rules: Rules, ground: Ground) -> BoxAnswer:
    dataset = box.dataset
    try:
        found = _from_tunnels(box, rules) if _tunnels(dataset) else None
        if found is None:
            stated = ground is Ground.STATED
            found = _predicted(replace(box, dataset=without_laboratory(dataset)) if stated else box, rules)
    except IpsecbenchError as error:
        return BoxAnswer(box, reason=str(error))
    return replace(found, box=box, price_per_mbit=_price(box, found))


def _price(box: Box, answer: BoxAnswer) -> float | None:
    if box.price is None or answer.mbit_per_second is None:
        return None
    return box.price / answer.mbit_per_second.median


def without_laboratory(dataset: Dataset) -> Dataset:
    """The dataset without what was measured of its data plane, so that the stated default stands for it."""
    rows = tuple(row for row in dataset.measurements if row.workload.tier not in LABORATORY_TIERS)
    return replace(
        dataset, measurements=rows, fits=tuple(fit for fit in dataset.fits if fit.tier not in LABORATORY_TIERS)
    )


def _predicted(box: Box, rules: Rules) -> BoxAnswer:
    """From the box's cryptography and a data plane."""
    end = End(box.name, box.dataset)
    ranking = rank_suites(rules, (end,))
    suite = ranking.contest.winner.name
    wanted = rules.requirements
    rates = tunnel_rates(end.costs, suite, wanted, wanted_scaling(end.costs, suite, wanted))
    if rates is None:
        raise PolicyError(f"nothing supports a figure for {suite}")
    prediction, carried = ranking.headline(suite), ranking.capacities[suite]
    return BoxAnswer(
        box,
        suite,
        carried.mbit_per_second,
        _chance(rates, wanted),
        carried.cores,
        prediction.tier,
        prediction.fixed.plane,
        f"{prediction.provider}, {prediction.basis}",
        _of_clock(end.costs, prediction) + _doubts(end.costs, suite, prediction.provider),
    )


def _of_clock(costs: CostModel, prediction: Prediction) -> tuple[str, ...]:
    """The stated default is in cycles: without the box's clock its time is a wide guess, which must be said."""
    is_guessed = prediction.fixed.tier is None and clock_hz(costs.dataset.environment) is None
    return (CLOCK_UNKNOWN,) if is_guessed else ()


def _chance(rates: Draws, wanted: Requirements) -> float | None:
    goal = wanted.goal_mbit_per_second
    return None if goal is None else 1.0 - rates.chance_below(Draws.exactly(goal))


def _doubts(costs: CostModel, suite: str, provider: str) -> tuple[str, ...]:
    names = (suite, *suite.split("-"))
    rows = (row for name in names for row in costs.rows(name) if row.workload.provider == provider)
    return tuple(dict.fromkeys(flag for row in rows for flag in row.flags))


def _from_tunnels(box: Box, rules: Rules) -> BoxAnswer | None:
    """From tunnels that somebody measured on the box; None where none of them has a suite that the policy allows."""
    costs, wanted = CostModel(box.dataset), rules.requirements
    found: dict[str, tuple[Estimate, str]] = {}
    for name in (line.name for line in rules.policy.lines[Role.ESP_SUITE] if line.name in esp_suites()):
        timed = _tunnel_ns(costs, name, wanted.traffic)
        if timed is None:
            continue
        rate = _rate(timed[0], wanted.traffic)
        if suite_verdict(name, rules, costs, rate) is None:
            found[name] = rate, timed[1]
    if not found:
        return None
    suite, (rate, provider) = max(found.items(), key=lambda one: (one[1][0].median, one[0]))
    draws = estimate_draws(rate, f"{suite} tunnel")
    return BoxAnswer(
        box,
        suite,
        draws.estimate(PREDICTION_CONFIDENCE),
        _chance(draws, wanted),
        None,
        Tier.ON_WIRE,
        "the tunnel that was measured",
        f"{provider}, a published tunnel",
        _doubts(costs, suite, provider),
    )


def _tunnel_ns(costs: CostModel, suite: str, traffic: Traffic) -> tuple[Estimate, str] | None:
    """Nanoseconds for a packet in a measured tunnel, of the slower direction, and who measured."""
    kinds = {
        (row.workload.provider, row.workload.operation)
        for row in costs.rows(suite)
        if row.usable and row.workload.tier is Tier.ON_WIRE
    }
    times: list[tuple[Estimate, str]] = []
    for provider, operation in sorted(kinds):
        parts = [
            (costs.time_ns(Tier.ON_WIRE, provider, operation, suite, Traffic(size_bytes=size)), share)
            for size, share in traffic.parts
        ]
        times.append((total([scaled(part[0], share) for part, share in parts if part is not None]), provider))
    return max(times, key=lambda one: one[0].median, default=None)


def _rate(time: Estimate, traffic: Traffic) -> Estimate:
    bits = traffic.mean_bytes * 8e3
    return Estimate(bits / time.median, bits / time.upper, bits / time.lower)


def priced(boxes: Sequence[Box], prices: Mapping[str, float]) -> tuple[Box, ...]:
    """The boxes with their prices.

    Args:
        boxes: any.
        prices: by the box's name, or by its dataset's label.

    Raises:
        UsageError: a price names no box.
    """
    names = {name for box in boxes for name in (box.name, box.dataset.label) if name}
    for name in prices:
        if name not in names:
            raise UsageError(f"--price: there is no box {name!r}; there are {', '.join(sorted(names))}")
    return tuple(
        replace(box, price=prices.get(box.name, prices.get(box.dataset.label or "", box.price))) for box in boxes
    )
