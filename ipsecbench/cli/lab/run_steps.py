"""The steps of ``ipsecbench lab run``; the dataset is stored after each, and after every round of the first."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipsecbench import __version__
from ipsecbench.bench.measurement import Tier
from ipsecbench.bench.plan import Request, is_decisive
from ipsecbench.bench.scheduler import INTERRUPTED
from ipsecbench.bench.session import RunResult, Session
from ipsecbench.cli.screen.progress import ProgressLine, StepLine
from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.dataset.redaction import redact
from ipsecbench.dataset.store import write_dataset
from ipsecbench.dataset.trial import LabTrial
from ipsecbench.errors import LaboratoryError, UsageError
from ipsecbench.hardware.same_box import other_processor
from ipsecbench.lab import strongswan
from ipsecbench.lab.trials import strongswan_bed
from ipsecbench.lab.trials.burst import BurstRunner
from ipsecbench.lab.trials.capacity import CapacityRequest, measure_capacity
from ipsecbench.lab.trials.further import FurtherRequest, further_trials, strongswan_trials
from ipsecbench.lab.trials.own_bed import OwnBed
from ipsecbench.lab.trials.plan import DEFAULT_SIZES, QUICK_SIZES, choose_suites, parse_sizes
from ipsecbench.lab.trials.strongswan_bed import StrongSwanBed
from ipsecbench.lab.trials.whole_path import many_sas

if TYPE_CHECKING:
    from ipsecbench.cli.lab.run_options import RunOptions

MANY = (1, 1000, 10_000)
"""Other SAs beside the one that carries packets."""
NO_PRIORITY = RunWarning(
    "no-priority",
    "the data planes had no real-time priority, which root may give: whatever else ran took time from them",
)
_COMPARISON_SHARE = 0.3
"""Of the budget, for strongSwan's data plane."""
_LIBCRYPTO = "libcrypto"


class LabSteps:
    """One run.

    Args:
        options: as the user gave them, already checked.
        known: dataset to take packet loops from.
        path: where the dataset goes.
    """

    def __init__(self, options: RunOptions, known: Dataset | None, path: Path) -> None:
        self._options = options
        self._known = known
        self._path = path
        self._dataset: Dataset | None = known
        self._doubts: list[RunWarning] = []

    def run(self) -> Dataset:
        """Measure, and give what was stored.

        Raises:
            IpsecbenchError: something cannot be had, or died; what was measured until then is stored.
        """
        options = self._options
        if options.strongswan and (reason := strongswan.missing_prerequisite()):
            raise LaboratoryError(f"no strongSwan: {reason}")
        with Session(Request(options.quick, providers=(options.library,)), options.pace()) as session:
            same_box(session, self._known)
            if not session.cores:
                raise LaboratoryError("no processor to measure on")
            suites = choose_suites(session.offers(), options.suites, options.quick, options.library)
            sizes = parse_sizes(options.sizes or (QUICK_SIZES if options.quick else DEFAULT_SIZES))
            loops = frozenset(row.workload for row in self._known.measurements if row.usable) if self._known else None
            # Phase 1 is not in the laboratory, but a recommendation needs it.
            phase1 = (work for work in session.plan() if is_decisive(work) and work.tier is Tier.PRIMITIVE)
            wanted = CapacityRequest(suites, sizes, options.library, loops or frozenset(), beside=tuple(phase1))
            further = FurtherRequest(
                suites, sizes, session.cores[0], options.library, encapsulated=not options.raw, quick=options.quick
            )
            self._capacity(session, wanted)
            if options.strongswan and not self._interrupted():
                self._compare(session, wanted)
        self._try(lambda line: further_trials(further, line))
        if options.strongswan:
            self._try(lambda line: strongswan_trials(further, line))
        return self.dataset

    @property
    def dataset(self) -> Dataset:
        """What is stored.

        Raises:
            LaboratoryError: nothing yet.
        """
        if self._dataset is None:
            raise LaboratoryError("nothing was measured")
        return self._dataset

    def _interrupted(self) -> bool:
        return self._dataset is not None and self._dataset.ended == INTERRUPTED

    def _keep(self, dataset: Dataset) -> None:
        self._dataset = replace(dataset, sha256=write_dataset(self._path, dataset))

    def _capacity(self, session: Session, wanted: CapacityRequest) -> None:
        """The agent's data plane, and the packet loops beside it."""
        core, options = session.cores[0], self._options
        with OwnBed(
            wanted.suites,
            cores=(core, core),
            preferred=True,
            encapsulated=not options.raw,
            split_cpu=True,
            library=options.library,
        ) as bed:
            if not bed.preferred:
                self._doubts.append(NO_PRIORITY)
            self._rounds(session, bed, wanted, bed.encapsulation)
            if not self._interrupted() and not options.quick:
                runner = BurstRunner(bed.provider, bed.sender, bed.receiver, bed.flows, options.library)
                self._add(many_sas(bed, runner, wanted.suites[-1], MANY, rounds=9))

    def _compare(self, session: Session, wanted: CapacityRequest) -> None:
        """strongSwan's data plane, against the same packet loops."""
        core = session.cores[0]
        session.pace = replace(session.pace, budget_seconds=session.pace.budget_seconds * _COMPARISON_SHARE)
        with StrongSwanBed(wanted.suites, cores=(core, core), preferred=True) as bed:
            there = frozenset(row.workload for row in self.dataset.measurements if row.usable)
            request = replace(
                wanted,
                suites=tuple(bed.flows),
                library=_LIBCRYPTO,
                known_loops=there,
                burst_packets=strongswan_bed.BURST_PACKETS,
                beside=(),
            )
            self._rounds(session, bed, request, bed.encapsulation)

    def _rounds(
        self, session: Session, bed: OwnBed | StrongSwanBed, request: CapacityRequest, encapsulation: str
    ) -> None:
        base = self._dataset
        progress = ProgressLine(self._options.quiet)

        def keep(result: RunResult) -> None:
            dataset = merged(base, result, self._options, request, encapsulation, self._known)
            self._keep(replace(dataset, warnings=(*dataset.warnings, *self._doubts)))

        try:
            keep(measure_capacity(session, bed, request, progress, checkpoint=keep))
        finally:
            progress.close()

    def _add(self, trials: Sequence[LabTrial]) -> None:
        """Newer trials take the place of older ones about the same."""
        keys = {trial.key for trial in trials}
        kept = tuple(trial for trial in self.dataset.trials if trial.key not in keys)
        self._keep(replace(self.dataset, trials=(*kept, *trials)))

    def _try(self, trials: Callable[[Callable[[str], None]], Iterator[LabTrial]]) -> None:
        """Trials one after another; Ctrl-C ends them and keeps what there is."""
        if self._interrupted():
            return
        line = StepLine(self._options.quiet)
        try:
            for trial in trials(line):
                self._add([trial])
        except KeyboardInterrupt:
            self._keep(replace(self.dataset, ended=INTERRUPTED))
        finally:
            line.close()


def same_box(session: Session, known: Dataset | None) -> None:
    """Refuse packet loops of another processor.

    Raises:
        UsageError: the dataset is of another box.
    """
    if known is None:
        return

    other = other_processor(known.environment.get("hardware"), session.hardware)
    if other is not None:
        raise UsageError(f"--dataset: it was measured on another box ({other[0]}, this is {other[1]})")


def merged(
    base: Dataset | None,
    result: RunResult,
    options: RunOptions,
    wanted: CapacityRequest,
    encapsulation: str,
    known: Dataset | None,
) -> Dataset:
    """A dataset with the rows of a result, and those of the one before that it does not have.

    Args:
        base: what there was before.
        result: what was measured.
        options: of the run.
        wanted: what was to be measured.
        encapsulation: how ESP travelled.
        known: where packet loops were taken from.
    """
    rows = tuple(
        replace(row, detail={**row.detail, "encapsulation": encapsulation}) if "limited_by" in row.detail else row
        for row in result.measurements
    )
    fresh = {row.workload for row in rows}
    older = tuple(row for row in base.measurements if row.workload not in fresh) if base else ()
    fits = {(fit.tier, fit.provider, fit.operation, fit.algorithm): fit for fit in (base.fits if base else ())}
    fits |= {(fit.tier, fit.provider, fit.operation, fit.algorithm): fit for fit in result.fits}
    pace = options.pace()
    dataset = Dataset(
        created=result.created,
        tool_version=__version__,
        label=options.label,
        ended=result.ended,
        settings={
            "mode": "lab-quick" if options.quick else "lab",
            "precision": pace.precision,
            "budget_seconds": pace.budget_seconds,
            "minimum_rounds": pace.minimum_rounds,
            "only": list(wanted.suites),
            "sizes_bytes": [size.size_bytes for size in wanted.sizes if size.size_bytes is not None],
            "providers": [options.library, "agent", *(["strongswan"] if options.strongswan else [])],
            "cores": 1,
            "mask": [],
            "seed": pace.seed,
            "packet_loops": None if known is None else known.sha256,
        },
        environment=result.environment,
        measurements=(*older, *rows),
        fits=tuple(fits.values()),
        warnings=tuple(RunWarning(code, message) for code, message in result.warnings),
        trials=base.trials if base else (),
    )
    if options.redact:
        return redact(dataset, {socket.gethostname(), socket.getfqdn(), socket.gethostname().split(".")[0]})
    return dataset
