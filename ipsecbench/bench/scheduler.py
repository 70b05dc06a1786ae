"""Interleaved rounds: every workload once a round, in an order shuffled anew, until precise enough or out of time.

A slow minute of the box then falls on all workloads alike instead of on one. A row leaves the rounds when its interval
is as narrow as asked for. After every planned row had its minimum of samples, the time that is left goes first to the
rows that decide, then to the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from ipsecbench.bench.calibration import calibrate
from ipsecbench.bench.measurement import Measurement, Sample, Status, Workload
from ipsecbench.bench.runner import RawSample, Runner
from ipsecbench.bench.stability import row_flags
from ipsecbench.bench.statistics import FEWEST_FOR_INTERVAL, median_estimate
from ipsecbench.errors import (
    AgentError,
    CorrectnessError,
    MeasurementError,
    ProviderError,
    RemoteError,
    UnsupportedError,
)

FINISHED = "finished"
BUDGET_SPENT = "budget-spent"
INTERRUPTED = "interrupted"

CALIBRATING = "calibrating"
MEASURING = "measuring"

_SHORTEST_SAMPLE_NS = 1_000_000
_LONGEST_SAMPLE_NS = 10_000_000
_SHARE_FOR_MINIMUM = 0.6
"""Share of the budget that the minimum of rounds may take; the rest is for rows that need more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how precisely to measure."""

    precision: float = 0.01
    """Wanted half width of the 95% interval, relative to the median."""
    budget_seconds: float = 240.0
    """Longest time for all rows together."""
    minimum_rounds: int = 7
    """Samples that every row gets before any row gets more."""
    maximum_rounds: int = 200
    """Samples after which a row is left as it is."""
    seed: int = 0
    """Seed of the order within each round."""
    longest_sample_ns: int = _LONGEST_SAMPLE_NS
    """Longest sample, even where the budget would allow more."""

    def sample_ns(self, rows: int) -> int:
        """Length of one sample, so that the minimum of rounds fits into the budget."""
        share = self.budget_seconds * 1e9 * _SHARE_FOR_MINIMUM / max(1, rows) / (self.minimum_rounds + 3)
        return round(min(self.longest_sample_ns, max(_SHORTEST_SAMPLE_NS, share)))


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for a screen."""

    phase: str
    """:data:`CALIBRATING` (the first round) or :data:`MEASURING`."""
    workload: Workload
    """What is being measured."""
    done: int
    """Rows done in this round."""
    total: int
    """Rows of this round."""
    round: int
    """Round, from 0."""
    settled: int
    """Rows that are precise enough."""
    elapsed_seconds: float
    """Since the start of the run."""
    remaining_seconds: float
    """At most, by the budget."""


@dataclass(slots=True)
class _Row:
    workload: Workload
    decisive: bool
    iterations: int = 0
    samples: list[Sample] = field(default_factory=list)
    detail: Mapping[str, object] = field(default_factory=dict)
    status: Status | None = None
    message: str | None = None
    settled: bool = False


class Scheduler:
    """Measures a list of workloads.

    Args:
        runners: by provider.
        pace: how long and how precisely.
        progress: called before every sample; may raise KeyboardInterrupt like any other code.
        clock: seconds that only grow; injected by tests.
        checkpoint: given the rows as they stand after each round, so that nothing is lost whatever happens next.
        rescue: given the rows as they stand when the agent is lost, before that is raised.
    """

    def __init__(
        self,
        runners: Mapping[str, Runner],
        pace: Pace,
        progress: Callable[[Progress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        checkpoint: Callable[[tuple[Measurement, ...]], None] | None = None,
        rescue: Callable[[tuple[Measurement, ...]], None] | None = None,
    ) -> None:
        self._runners = runners
        self._pace = pace
        self._progress = progress
        self._clock = clock
        self._checkpoint = checkpoint
        self._rescue = rescue

    def measure(
        self, workloads: Sequence[Workload], decisive: Collection[Workload] = frozenset()
    ) -> tuple[tuple[Measurement, ...], str]:
        """Measure the workloads.

        Args:
            workloads: what to measure, in the order of the first round.
            decisive: those that get the time that is left after the minimum of rounds, as long as they need it.

        Returns:
            One row per workload in the given order, and how the run ended: :data:`FINISHED`, :data:`BUDGET_SPENT` (some
            rows are less precise than asked for, or have no sample) or :data:`INTERRUPTED`. Ctrl-C ends the run early
            and loses no sample.

        Raises:
            AgentError: the agent died.
            RemoteError: the box that is measured is out of reach.
        """
        rows = [_Row(workload, workload in decisive) for workload in workloads]
        self._start = self._clock()
        self._sample_ns = self._pace.sample_ns(len(rows))
        try:
            self._rounds(rows)
            ended = BUDGET_SPENT if any(row.status is None and not row.settled for row in rows) else FINISHED
        except KeyboardInterrupt:
            ended = INTERRUPTED
        except (AgentError, RemoteError):
            if self._rescue is not None:
                self._rescue(tuple(self._conclude(row, INTERRUPTED) for row in rows))
            raise
        return tuple(self._conclude(row, ended) for row in rows), ended

    def _elapsed(self) -> float:
        return self._clock() - self._start

    def _out_of_time(self) -> bool:
        return self._elapsed() >= self._pace.budget_seconds

    def _report(self, phase: str, row: _Row, done: int, total: int, number: int, settled: int) -> None:
        if self._progress is not None:
            elapsed = self._elapsed()
            remaining = max(0.0, self._pace.budget_seconds - elapsed)
            self._progress(Progress(phase, row.workload, done, total, number, settled, elapsed, remaining))

    def _take(self, row: _Row, iterations: int) -> RawSample:
        return self._runners[row.workload.provider].sample(row.workload, iterations)

    def _rounds(self, rows: Sequence[_Row]) -> None:
        """The first round, which also calibrates, goes by the plan: what matters most is measured if all ends early."""
        random = Random(self._pace.seed)  # noqa: S311  an order, not a secret
        for number in range(self._pace.maximum_rounds):
            active = [row for row in rows if row.status is None and not row.settled]
            if number >= self._pace.minimum_rounds:
                active = [row for row in active if row.decisive] or active
            if not active:
                return
            if number:
                random.shuffle(active)
            settled = sum(row.settled for row in rows)
            phase = MEASURING if number else CALIBRATING
            for index, row in enumerate(active):
                if self._out_of_time():
                    return
                self._report(phase, row, index, len(active), number, settled)
                self._attempt(row, number)
            if self._checkpoint is not None:
                self._checkpoint(tuple(self._conclude(row, INTERRUPTED) for row in rows))

    def _attempt(self, row: _Row, number: int) -> None:
        """Take one sample; a failure ends the row, and what it measured before counts for nothing."""
        try:
            if not row.iterations:
                row.iterations, trial = calibrate(
                    lambda count: self._take(row, count), self._sample_ns, row.workload.cores
                )
                row.detail = trial.detail
            self._sample(row, number)
        except UnsupportedError as error:
            row.status, row.message = Status.UNSUPPORTED, str(error)
        except (CorrectnessError, MeasurementError, ProviderError) as error:
            row.status, row.message = Status.FAILED, str(error)
            row.samples.clear()

    def _sample(self, row: _Row, number: int) -> None:
        raw = self._take(row, row.iterations)
        row.samples.append(
            Sample(number, raw.iterations, raw.wall_ns, raw.cpu_ns, raw.cycles, raw.involuntary_switches)
        )
        if len(row.samples) >= max(self._pace.minimum_rounds, FEWEST_FOR_INTERVAL):
            estimate = median_estimate([sample.ns_per_operation for sample in row.samples])
            row.settled = estimate.relative_half_width <= self._pace.precision

    def _conclude(self, row: _Row, ended: str) -> Measurement:
        if row.status is not None:
            return Measurement(row.workload, row.status, message=row.message)
        if not row.samples:
            why = "the run was interrupted first" if ended == INTERRUPTED else "the time budget was spent first"
            return Measurement(row.workload, Status.SKIPPED, message=why)
        estimate = median_estimate([sample.ns_per_operation for sample in row.samples])
        status, message = Status.OK, None
        if not row.settled:
            status = Status.UNSTABLE
            message = (
                f"±{estimate.relative_half_width:.1%} after {len(row.samples)} samples; "
                f"±{self._pace.precision:.1%} was asked for"
            )
        cycles = [sample.cycles / sample.iterations for sample in row.samples if sample.cycles is not None]
        return Measurement(
            row.workload,
            status,
            tuple(row.samples),
            estimate,
            median_estimate(cycles).median if cycles else None,
            message,
            row_flags(row.workload, row.samples),
            row.detail,
        )
