"""The highest rate at which a system loses no more than a goal allows: repeated short trials, after MLRsearch.

RFC 2544 section 26.1 bisects with single trials of 60 s. One packet that the operating system of a busy box drops for
reasons of its own then decides. MLRsearch (draft-ietf-bmwg-mlrsearch) repeats short trials instead: a rate is
too high when more than a share of its trials (the exceed ratio) lost too much. Several goals, such as no loss (NDR)
and 0.5% (PDR), share their trials.

Everything here is a pure function over a callback, so that it is tested against simulated systems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ipsecbench.errors import MeasurementError

_UNSENT_TOLERANCE = 0.005
"""A generator that sent at least all but this share of what was asked for kept its rate."""


@dataclass(frozen=True, slots=True)
class RateTrial:
    """What one trial at one rate brought."""

    offered_pps: float
    """Packets per second that were asked for."""
    seconds: float
    """How long they were to be offered."""
    sent: int
    """Packets that the generator sent."""
    received: int
    """Packets that arrived."""

    @property
    def intended(self) -> float:
        """Packets that were to be sent."""
        return self.offered_pps * self.seconds

    @property
    def loss_ratio(self) -> float:
        """Share of the sent packets that did not arrive."""
        return 1.0 if self.sent <= 0 else max(0.0, 1.0 - self.received / self.sent)

    @property
    def unsent_ratio(self) -> float:
        """Share of the intended packets that the generator did not send; small shortfalls count as none."""
        ratio = max(0.0, 1.0 - self.sent / self.intended)
        return 0.0 if ratio <= _UNSENT_TOLERANCE else ratio

    @property
    def forwarded_pps(self) -> float:
        """Packets per second that arrived."""
        return self.received / self.seconds


class LimitedBy(StrEnum):
    """What kept a result from being higher."""

    PLANE = "plane"
    """Packets were lost on their way."""
    GENERATOR = "generator"
    """Not more could be offered, and what was offered arrived: the result is a lower bound."""


@dataclass(frozen=True, slots=True)
class LossGoal:
    """What counts as the result of a search."""

    name: str
    """Such as ``ndr``."""
    loss_ratio: float
    """Share of packets that a trial may lose; 0 is none at all."""
    relative_width: float = 0.01
    """The search ends when the bounds are so close, relative to the upper one."""
    trials: int = 3
    """Trials of a rate that decide about it."""
    exceed_ratio: float = 0.5
    """Share of these that may lose too much."""


NDR = LossGoal("ndr", 0.0)
"""No drop rate: the throughput of RFC 2544."""
PDR = LossGoal("pdr", 0.005)
"""Partial drop rate: 0.5% lost."""


@dataclass(frozen=True, slots=True)
class GoalResult:
    """The outcome for one goal."""

    goal: LossGoal
    """Which."""
    pps: float | None
    """Highest rate that kept to the goal; None where not even the lowest one did."""
    upper_pps: float | None
    """Lowest rate above it that did not; None where the highest that could be offered did."""
    limited_by: LimitedBy
    """What kept it from being higher."""
    settled: bool
    """Whether the bounds are as close as the goal wants."""


@dataclass(slots=True)
class _Rate:
    """All trials of one rate."""

    pps: float
    trials: list[RateTrial] = field(default_factory=list)

    def bad(self, goal: LossGoal) -> int:
        return sum(trial.loss_ratio > goal.loss_ratio or trial.unsent_ratio > 0 for trial in self.trials)

    def verdict(self, goal: LossGoal) -> bool | None:
        """True: keeps to the goal. False: does not. None: more trials are needed.

        Decided as soon as the outcome of the missing trials cannot change it.
        """
        bad, done = self.bad(goal), len(self.trials)
        wanted = max(goal.trials, done)
        allowed = goal.exceed_ratio * wanted
        if bad > allowed:
            return False
        return True if bad + (wanted - done) <= allowed else None

    def held_back(self, goal: LossGoal) -> bool:
        """Whether the trials that were bad were so only because the generator could not send."""
        bad = [trial for trial in self.trials if trial.loss_ratio > goal.loss_ratio or trial.unsent_ratio > 0]
        return bool(bad) and all(trial.loss_ratio <= goal.loss_ratio for trial in bad)


Offer = Callable[[float], RateTrial]
"""Performs one trial at a rate in packets per second."""


class RateSearch:
    """One search.

    Args:
        offer: performs one trial.
        minimum_pps: lowest rate that is offered.
        maximum_pps: highest rate that is offered.
        goals: what to find; each gets a result.
        most_trials: the search ends after so many trials, settled or not.
    """

    def __init__(
        self,
        offer: Offer,
        minimum_pps: float,
        maximum_pps: float,
        goals: Sequence[LossGoal] = (NDR, PDR),
        most_trials: int = 80,
    ) -> None:
        if not 0 < minimum_pps < maximum_pps:
            raise MeasurementError(f"no rates between {minimum_pps:g} and {maximum_pps:g} packets per second")
        self._offer = offer
        self._minimum = minimum_pps
        self._maximum = maximum_pps
        self._goals = tuple(goals)
        self._left = most_trials
        self._rates: dict[float, _Rate] = {}
        self.trials: list[RateTrial] = []
        """Every trial, in the order in which they were performed."""

    def run(self) -> tuple[GoalResult, ...]:
        """Search for every goal, the one that allows most loss first, since its bounds help the others."""
        first = self._try(self._maximum)
        for estimate in (first.forwarded_pps, first.sent / first.seconds):
            # Where a system forwards what it can when it is overloaded, the first trial already says how much.
            if self._left > 0 and self._minimum < estimate < self._maximum:
                self._try(estimate)
        order = sorted(range(len(self._goals)), key=lambda index: -self._goals[index].loss_ratio)
        found = {index: self._search(self._goals[index]) for index in order}
        return tuple(found[index] for index in range(len(self._goals)))

    def _try(self, pps: float) -> RateTrial:
        pps = min(self._maximum, max(self._minimum, pps))
        trial = self._offer(pps)
        self._left -= 1
        self.trials.append(trial)
        self._rates.setdefault(pps, _Rate(pps)).trials.append(trial)
        return trial

    def _bounds(self, goal: LossGoal) -> tuple[_Rate | None, _Rate | None]:
        """The highest rate that keeps to the goal below the lowest that does not, and that one."""
        refused = [rate for rate in self._rates.values() if rate.verdict(goal) is False]
        upper = min(refused, key=lambda rate: rate.pps, default=None)
        kept = [
            rate
            for rate in self._rates.values()
            if rate.verdict(goal) is True and (upper is None or rate.pps < upper.pps)
        ]
        return max(kept, key=lambda rate: rate.pps, default=None), upper

    def _search(self, goal: LossGoal) -> GoalResult:
        while self._left > 0:
            wanted = self._next(goal)
            if wanted is None:
                return self._result(goal, settled=True)
            self._try(wanted)
        return self._result(goal, settled=self._next(goal) is None)

    def _next(self, goal: LossGoal) -> float | None:
        """The rate of the next trial; None where the result stands."""
        lower, upper = self._bounds(goal)
        floor, ceiling = lower.pps if lower else None, upper.pps if upper else None
        undecided = [
            rate
            for rate in self._rates.values()
            if rate.verdict(goal) is None
            and (floor is None or rate.pps > floor)
            and (ceiling is None or rate.pps < ceiling)
        ]
        if undecided:
            # Whichever halves the interval best. A rate that was begun is finished first: its trials are half paid for.
            middle = ((floor or self._minimum) + (ceiling or self._maximum)) / 2
            return min(undecided, key=lambda rate: abs(rate.pps - middle)).pps
        if ceiling is None:
            return None if floor == self._maximum else self._maximum
        if floor is None:
            return None if ceiling <= self._minimum else self._below(ceiling, goal)
        if ceiling - floor <= goal.relative_width * ceiling:
            return None
        return (floor + ceiling) / 2

    def _below(self, ceiling: float, goal: LossGoal) -> float:
        """Steps down that widen: the first estimate is usually close, and where it is not few steps must do."""
        refused = sum(rate.verdict(goal) is False for rate in self._rates.values())
        step = goal.relative_width * 2.0 ** min(refused - 1, 20)
        return max(self._minimum, ceiling * (1 - min(0.5, step)))

    def _result(self, goal: LossGoal, settled: bool) -> GoalResult:
        lower, upper = self._bounds(goal)
        at_top = lower is not None and upper is None
        generator = at_top or (upper is not None and upper.held_back(goal))
        return GoalResult(
            goal,
            lower.pps if lower else None,
            upper.pps if upper else None,
            LimitedBy.GENERATOR if generator else LimitedBy.PLANE,
            settled,
        )


def loss_steps(offer: Offer, from_pps: float, step: float = 0.1, clean_trials: int = 2) -> tuple[RateTrial, ...]:
    """The frame loss curve of RFC 2544 section 26.3: from a rate downwards until trials lose nothing.

    Args:
        offer: performs one trial.
        from_pps: the first rate.
        step: each rate is lower than the one before by this share of the first.
        clean_trials: ends after so many trials in a row without loss.
    """
    trials: list[RateTrial] = []
    clean = 0
    for number in range(int(1 / step + 1e-9)):
        trial = offer(from_pps * (1 - number * step))
        trials.append(trial)
        clean = clean + 1 if trial.received >= trial.sent else 0
        if clean >= clean_trials:
            break
    return tuple(trials)
