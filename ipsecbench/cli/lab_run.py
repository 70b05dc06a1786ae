"""``ipsecbench lab run``: real ESP in the laboratory, measured and held against its prediction."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option

if TYPE_CHECKING:
    from ipsecbench.bench.scheduler import Pace
    from ipsecbench.bench.session import RunResult, Session
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.dataset.trial import LabTrial
    from ipsecbench.lab.trials.capacity import CapacityRequest
    from ipsecbench.lab.trials.further import FurtherRequest

QUICK_BUDGET_SECONDS = 35.0
DEFAULT_BUDGET_SECONDS = 200.0
MANY = (1, 1000, 10_000)
"""Other SAs beside the one that carries packets."""
_PRECISION = 0.02
_LONGEST_BUDGET_SECONDS = 86400.0

Suites = Annotated[
    str | None,
    typer.Option(
        "--suites", metavar="NAME,…", help="ESP suites or patterns, or 'all' (default: those to decide between)."
    ),
]
Sizes = Annotated[
    str | None, typer.Option("--sizes", metavar="N,N,…", help="Octets of inner packets, or imix-simple, imix-csit.")
]
Known = Annotated[
    Path | None,
    typer.Option(
        "--dataset", metavar="FILE", help="Take packet loops from this dataset of the same box, and keep its rows."
    ),
]
Library = Annotated[
    str, typer.Option("--library", metavar="NAME", help="Library of the data plane: libcrypto, libgcrypt, libipsec-mb.")
]
Raw = Annotated[bool, typer.Option("--raw", help="IP protocol 50 instead of ESP in UDP.")]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options, as the user gave them."""

    quick: bool
    suites: tuple[str, ...]
    sizes: tuple[str, ...]
    library: str
    raw: bool
    budget: float | None
    seed: int
    label: str | None
    redact: bool
    output: Path | None
    force: bool
    quiet: bool
    known: Path | None

    def pace(self) -> Pace:
        """How long and how precisely to measure.

        Raises:
            UsageError: the budget is out of range.
        """
        from ipsecbench.bench.scheduler import Pace
        from ipsecbench.errors import UsageError

        budget = (
            self.budget if self.budget is not None else QUICK_BUDGET_SECONDS if self.quick else DEFAULT_BUDGET_SECONDS
        )
        if not 1 <= budget <= _LONGEST_BUDGET_SECONDS:
            raise UsageError(f"--budget: {budget:g} is outside 1 to {_LONGEST_BUDGET_SECONDS:g} seconds")
        return Pace(_PRECISION, budget, minimum_rounds=5 if self.quick else 9, maximum_rounds=40, seed=self.seed)


def lab_run(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute instead of a few.")] = False,
    suites: Suites = None,
    sizes: Sizes = None,
    library: Library = "libcrypto",
    raw: Raw = False,
    dataset: Known = None,
    budget: option.Budget = None,
    seed: option.Seed = 0,
    label: option.Label = None,
    redact: option.Redact = False,
    output: option.Output = None,
    force: option.Force = False,
    quiet: option.Quiet = False,
    json_output: option.Json = False,
) -> None:
    """Negotiate, measure, and print predicted against measured."""
    from ipsecbench.cli.lab_run_screen import agreement_document, render
    from ipsecbench.cli.measure import say
    from ipsecbench.lab import enclosure

    options = RunOptions(
        quick, _words(suites), _words(sizes), library, raw, budget, seed, label, redact, output, force, quiet, dataset
    )
    known, path = _checked(options)
    enclosure.enter()
    result = _measure(options, known, path)
    if json_output:
        typer.echo(json.dumps(agreement_document(result)))
    else:
        typer.echo(render(result))
    say(f"Saved {path} ({len(result.measurements)} rows, {len(result.trials)} trials, {result.ended})")
    _judge(result)


def _words(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(text.split(","))


def _checked(options: RunOptions) -> tuple[Dataset | None, Path]:
    """Whatever the user can get wrong is found out before anything is made.

    Raises:
        UsageError: an option is wrong.
        DatasetError: a dataset cannot be read, or the place cannot be written.
    """
    from ipsecbench.bench.plan import AGENT_PROVIDERS
    from ipsecbench.cli.measure import MeasureOptions, output_path
    from ipsecbench.dataset.store import read_dataset
    from ipsecbench.errors import UsageError
    from ipsecbench.lab.trials.plan import parse_sizes

    options.pace()
    if options.library not in AGENT_PROVIDERS:
        raise UsageError(f"--library: {options.library!r} is none of {', '.join(AGENT_PROVIDERS)}")
    if options.sizes:
        parse_sizes(options.sizes)
    if options.label is not None and len(options.label) > 200:
        raise UsageError("--label: longer than 200 characters")
    known = read_dataset(options.known) if options.known is not None else None
    measure = MeasureOptions(
        label=options.label or f"{socket.gethostname()}-lab", output=options.output, force=options.force
    )
    return known, output_path(measure)


def _measure(options: RunOptions, known: Dataset | None, path: Path) -> Dataset:
    from ipsecbench.bench.plan import Request
    from ipsecbench.bench.scheduler import INTERRUPTED
    from ipsecbench.bench.session import Session
    from ipsecbench.cli.progress import ProgressLine
    from ipsecbench.dataset.store import write_dataset
    from ipsecbench.errors import LaboratoryError
    from ipsecbench.lab.trials.burst import BurstRunner
    from ipsecbench.lab.trials.capacity import CapacityRequest, measure_capacity
    from ipsecbench.lab.trials.further import FurtherRequest
    from ipsecbench.lab.trials.own_bed import OwnBed
    from ipsecbench.lab.trials.plan import DEFAULT_SIZES, QUICK_SIZES, choose_suites, parse_sizes
    from ipsecbench.lab.trials.whole_path import many_sas

    request = Request(options.quick, providers=(options.library,))
    with Session(request, options.pace()) as session:
        _same_box(session, known)
        chosen = choose_suites(session.offers(), options.suites, options.quick, options.library)
        sizes = parse_sizes(options.sizes or (QUICK_SIZES if options.quick else DEFAULT_SIZES))
        loops = frozenset(row.workload for row in known.measurements if row.usable) if known else frozenset()
        wanted = CapacityRequest(chosen, sizes, options.library, loops)

        def store(result: RunResult) -> Dataset:
            dataset = _dataset(result, options, wanted, known)
            return replace(dataset, sha256=write_dataset(path, dataset))

        def keep(result: RunResult) -> None:
            store(result)

        if not session.cores:
            raise LaboratoryError("no processor to measure on")
        progress = ProgressLine(options.quiet)
        try:
            with OwnBed(
                chosen,
                cores=(session.cores[0], session.cores[0]),
                preferred=True,
                encapsulated=not options.raw,
                split_cpu=True,
                library=options.library,
            ) as bed:
                dataset = store(measure_capacity(session, bed, wanted, progress, checkpoint=keep))
                if dataset.ended != INTERRUPTED and not options.quick:
                    runner = BurstRunner(bed.provider, bed.sender, bed.receiver, bed.flows, options.library)
                    dataset = _added(dataset, many_sas(bed, runner, chosen[-1], MANY, rounds=9), path)
            further = FurtherRequest(
                chosen, sizes, session.cores[0], options.library, encapsulated=not options.raw, quick=options.quick
            )
            return _try_further(dataset, further, path, options)
        finally:
            progress.close()


def _added(dataset: Dataset, trials: Sequence[LabTrial], path: Path) -> Dataset:
    """The dataset with trials more, stored; newer ones take the place of older ones about the same."""
    from ipsecbench.dataset.store import write_dataset

    keys = {trial.key for trial in trials}
    kept = tuple(trial for trial in dataset.trials if trial.key not in keys)
    dataset = replace(dataset, trials=(*kept, *trials))
    return replace(dataset, sha256=write_dataset(path, dataset))


def _try_further(dataset: Dataset, further: FurtherRequest, path: Path, options: RunOptions) -> Dataset:
    """What is tried beside the capacity; Ctrl-C ends it and keeps what there is."""
    from ipsecbench.bench.scheduler import INTERRUPTED
    from ipsecbench.cli.progress import StepLine
    from ipsecbench.lab.trials.further import further_trials

    if dataset.ended == INTERRUPTED:
        return dataset
    line = StepLine(options.quiet)
    try:
        for trial in further_trials(further, line):
            dataset = _added(dataset, [trial], path)
    except KeyboardInterrupt:
        dataset = _added(replace(dataset, ended=INTERRUPTED), [], path)
    finally:
        line.close()
    return dataset


def _same_box(session: Session, known: Dataset | None) -> None:
    from ipsecbench.errors import UsageError

    if known is None:
        return

    def model(hardware: Any) -> Any:
        cpu = hardware.get("cpu", {}) if isinstance(hardware, dict) else {}
        return cpu.get("model"), cpu.get("architecture")

    there, here = model(known.environment.get("hardware")), model(session.hardware)
    if there != here:
        raise UsageError(f"--dataset: it was measured on another box ({there[0]}, this is {here[0]})")


def _dataset(result: RunResult, options: RunOptions, wanted: CapacityRequest, known: Dataset | None) -> Dataset:
    from ipsecbench import __version__
    from ipsecbench.dataset.model import Dataset, RunWarning
    from ipsecbench.dataset.redaction import redact

    encapsulation = "none" if options.raw else "udp"
    rows = tuple(
        replace(row, detail={**row.detail, "encapsulation": encapsulation}) if "limited_by" in row.detail else row
        for row in result.measurements
    )
    fresh = {row.workload for row in rows}
    older = tuple(row for row in known.measurements if row.workload not in fresh) if known else ()
    fits = {(fit.tier, fit.provider, fit.operation, fit.algorithm): fit for fit in (known.fits if known else ())}
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
            "providers": [wanted.library, "agent"],
            "cores": 1,
            "mask": [],
            "seed": pace.seed,
            "encapsulation": encapsulation,
            "packet_loops": None if known is None else {"created": known.created, "sha256": known.sha256},
        },
        environment=result.environment,
        measurements=(*older, *rows),
        fits=tuple(fits.values()),
        warnings=tuple(RunWarning(code, message) for code, message in result.warnings),
        trials=known.trials if known else (),
    )
    if options.redact:
        return redact(dataset, {socket.gethostname(), socket.getfqdn(), socket.gethostname().split(".")[0]})
    return dataset


def _judge(dataset: Dataset) -> None:
    """End with the documented exit code where figures are wrong.

    Raises:
        MeasurementError: the laboratory measured nothing.
        CorrectnessError: an implementation failed its known answers, or packets were lost.
    """
    from ipsecbench.bench.measurement import Status, Tier
    from ipsecbench.errors import CorrectnessError, MeasurementError

    failed = [row for row in dataset.measurements if row.status is Status.FAILED]
    if failed:
        raise CorrectnessError(f"{len(failed)} rows failed, first {failed[0].workload}: {failed[0].message}")
    if not any(row.usable and row.workload.tier is Tier.TUN_LAB for row in dataset.measurements):
        raise MeasurementError("the laboratory measured nothing: give it more --budget")
