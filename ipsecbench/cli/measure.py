"""What ``bench`` and ``run`` share: from options to a stored dataset."""

from __future__ import annotations

import re
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipsecbench.cli.screen.progress import ProgressLine, format_duration
from ipsecbench.errors import (
    AgentError,
    CorrectnessError,
    DatasetError,
    MeasurementError,
    RemoteError,
    UnstableError,
    UsageError,
)

if TYPE_CHECKING:
    from ipsecbench.bench.measurement import Workload
    from ipsecbench.bench.place import Place
    from ipsecbench.bench.plan import Request
    from ipsecbench.bench.scheduler import Pace
    from ipsecbench.bench.session import RunResult, Session
    from ipsecbench.dataset.model import Dataset

QUICK_BUDGET_SECONDS = 42.0
DEFAULT_BUDGET_SECONDS = 240.0
QUICK_PRECISION = 0.03
DEFAULT_PRECISION = 0.01
_LONGEST_BUDGET_SECONDS = 7 * 86400.0
_LONGEST_LABEL = 200
MAX_PROCESSORS = 8192
"""Most that Linux supports."""


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """The options of a measuring command, as the user gave them."""

    quick: bool = False
    only: tuple[str, ...] = ()
    sizes: str | None = None
    providers: str | None = None
    cores: str = "all"
    mask: str | None = None
    budget: float | None = None
    precision: float | None = None
    seed: int = 0
    label: str | None = None
    redact: bool = False
    output: Path | None = None
    force: bool = False
    quiet: bool = False
    strict: bool = False
    box: str | None = None
    """Name of the box that is measured; None: this machine."""

    def pace(self) -> Pace:
        """How long and how precisely to measure.

        Raises:
            UsageError: a figure is out of range.
        """
        from ipsecbench.bench.scheduler import Pace

        budget = self.budget if self.budget is not None else (QUICK_BUDGET_SECONDS if self.quick else None)
        budget = DEFAULT_BUDGET_SECONDS if budget is None else budget
        if not 1 <= budget <= _LONGEST_BUDGET_SECONDS:
            raise UsageError(f"--budget: {budget:g} is outside 1 to {_LONGEST_BUDGET_SECONDS:g} seconds")
        precision = QUICK_PRECISION if self.quick else DEFAULT_PRECISION
        if self.precision is not None:
            if not 0.05 <= self.precision <= 50:
                raise UsageError(f"--precision: {self.precision:g} is outside 0.05 to 50 percent")
            precision = self.precision / 100
        return Pace(precision, budget, minimum_rounds=5 if self.quick else 7, seed=self.seed)

    def request(self) -> Request:
        """Which workloads to measure.

        Raises:
            UsageError: a size or a provider is nonsense.
        """
        from ipsecbench.bench.plan import Request, parse_sizes

        return Request(
            quick=self.quick,
            only=self.only,
            sizes_bytes=parse_sizes(self.sizes) if self.sizes is not None else (),
            providers=self._providers(),
            cores=_parse_cores(self.cores, _own_cores() if self.box is None else MAX_PROCESSORS),
        )

    def _providers(self) -> tuple[str, ...]:
        from ipsecbench.bench.plan import AGENT_PROVIDERS, DEFAULT_PROVIDERS, KERNEL_PROVIDERS, parse_providers

        if self.providers is None:
            return DEFAULT_PROVIDERS if self.box is None else AGENT_PROVIDERS
        names = parse_providers(self.providers)
        for name in names:
            if self.box is not None and name not in (*AGENT_PROVIDERS, *KERNEL_PROVIDERS):
                raise UsageError(
                    f"--providers: {name!r} is measured on this machine only; on another one there are "
                    f"{', '.join((*AGENT_PROVIDERS, *KERNEL_PROVIDERS))}"
                )
        return names

    def check_for_box(self) -> None:
        """Find out what is wrong with the options for another box.

        Raises:
            UsageError: an option is nonsense.
        """
        from ipsecbench.bench.place import ThisMachine

        replace(self, box="box").session(ThisMachine())

    def session(self, place: Place | None = None) -> Session:
        """A session, not yet entered.

        Args:
            place: the box; None: this machine.

        Raises:
            UsageError: an option is nonsense.
        """
        from ipsecbench.agent.mask import parse_mask
        from ipsecbench.bench.place import ThisMachine
        from ipsecbench.bench.session import Session

        if self.label is not None and len(self.label) > _LONGEST_LABEL:
            raise UsageError(f"--label: longer than {_LONGEST_LABEL} characters")
        mask = parse_mask(self.mask) if self.mask is not None else ()
        return Session(self.request(), self.pace(), mask, ThisMachine() if place is None else place)


def _own_cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _parse_cores(text: str, available: int) -> int:
    """More than another box has are as many as it has: that is found out there."""
    if text == "all":
        return available
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= available:
        raise UsageError(
            f"--cores: {text!r} is not 'all' or a number from 1 to {available}"
            + (", which this process may use" if available < MAX_PROCESSORS else "")
        )
    return int(text)


def describe_plan(plan: Sequence[Workload], options: MeasureOptions) -> str:
    """What would be measured and how long it would take, for ``--dry-run``."""
    counts: dict[tuple[str, str, str], int] = {}
    for workload in plan:
        key = (workload.tier.value, workload.provider, workload.operation)
        counts[key] = counts.get(key, 0) + 1
    pace = options.pace()
    lines = [
        f"{count:5d}  {tier:<11}  {provider:<12}  {operation}" for (tier, provider, operation), count in counts.items()
    ]
    least = len(plan) * (pace.minimum_rounds + 3) * pace.sample_ns(len(plan)) / 1e9
    lines.append(
        f"{len(plan):5d}  rows in all: about {format_duration(least)} at the least, "
        f"{format_duration(pace.budget_seconds)} at the most, until every row is within ±{pace.precision:.1%}"
    )
    return "\n".join(lines)


def output_path(options: MeasureOptions) -> Path:
    """Where the dataset will go, found out before the long run.

    Raises:
        DatasetError: the place cannot be written, or holds a file and ``--force`` was not given.
    """
    from ipsecbench.dataset.store import check_writable, unused_path

    if options.output is None:
        stem = options.label
        if stem is None:
            stem = "box" if options.redact else options.box or socket.gethostname()
        path = unused_path(Path(), re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:80] or "box")
    else:
        path = options.output
        try:
            taken = path.exists() and not path.is_dir()
        except OSError as error:
            raise DatasetError(f"{path}: {error.strerror}; choose another --output") from error
        if taken and not options.force:
            raise DatasetError(f"{path} exists; choose another --output, or replace it with --force")
    check_writable(path)
    return path


def measure_and_store(session: Session, plan: Sequence[Workload], path: Path, options: MeasureOptions) -> Dataset:
    """Measure a plan and store its dataset.

    Raises:
        MeasurementError: no row at all could be measured; nothing is stored.
        AgentError, RemoteError: the agent was lost; what was measured before is stored, and the message says where.
        DatasetError: the dataset could not be written at its place; where it was saved instead is said.
    """
    progress = ProgressLine(options.quiet)
    rescued: list[RunResult] = []
    try:
        result = session.measure(plan, progress, rescue=rescued.append)
    except (AgentError, RemoteError) as error:
        progress.close()
        if not rescued:
            raise
        _store(path, _dataset(rescued[0], session.request, options))
        kept = sum(row.usable for row in rescued[0].measurements)
        raise type(error)(f"{error}; what was measured before, {kept} of {len(plan)} rows, is in {path}") from error
    finally:
        progress.close()
    if not any(row.usable for row in result.measurements):
        reason = next((row.message for row in result.measurements if row.message), "the run was interrupted")
        raise MeasurementError(f"nothing could be measured: {reason}")
    dataset = _dataset(result, session.request, options)
    return replace(dataset, sha256=_store(path, dataset))


def _dataset(result: RunResult, request: Request, options: MeasureOptions) -> Dataset:
    from ipsecbench import __version__
    from ipsecbench.agent.mask import parse_mask
    from ipsecbench.dataset.model import Dataset, RunWarning
    from ipsecbench.dataset.redaction import redact

    pace = options.pace()
    dataset = Dataset(
        created=result.created,
        tool_version=__version__,
        label=options.label,
        ended=result.ended,
        settings={
            "mode": "quick" if options.quick else "default",
            "precision": pace.precision,
            "budget_seconds": pace.budget_seconds,
            "minimum_rounds": pace.minimum_rounds,
            "only": list(request.only),
            "sizes_bytes": list(request.sizes_bytes),
            "providers": list(request.providers),
            "cores": request.cores,
            "mask": list(parse_mask(options.mask or "")),
            "seed": pace.seed,
        },
        environment=result.environment,
        measurements=result.measurements,
        fits=result.fits,
        warnings=tuple(RunWarning(code, message) for code, message in result.warnings),
    )
    if options.redact:
        names = (socket.gethostname(), socket.getfqdn()) if options.box is None else (options.box,)
        return redact(dataset, {*names, *(name.split(".")[0] for name in names)})
    return dataset


def _store(path: Path, dataset: Dataset) -> str:
    """Write the dataset; where that fails, save it elsewhere rather than lose the measurement."""
    from ipsecbench.dataset.store import SUFFIX, unused_path, write_dataset

    try:
        return write_dataset(path, dataset)
    except DatasetError as error:
        try:
            refuge = unused_path(Path(tempfile.gettempdir()), path.name.removesuffix(SUFFIX))
            write_dataset(refuge, dataset)
        except (DatasetError, OSError):
            raise error from None
        raise DatasetError(f"{error}; the measurement was saved as {refuge} instead") from error


def judge(dataset: Dataset, strict: bool) -> None:
    """End with the documented exit code where the figures are wrong or, if strict, not precise enough.

    Raises:
        CorrectnessError: an implementation failed its known answers or an operation failed.
        UnstableError: strict, and a row is less precise than asked for.
    """
    from ipsecbench.bench.measurement import Status

    failed = [row for row in dataset.measurements if row.status is Status.FAILED]
    if failed:
        raise CorrectnessError(
            f"{len(failed)} of {len(dataset.measurements)} rows failed and were not counted, "
            f"first {failed[0].workload}: {failed[0].message}"
        )
    loose = [row for row in dataset.measurements if row.status in (Status.UNSTABLE, Status.SKIPPED)]
    if strict and loose:
        raise UnstableError(
            f"{len(loose)} of {len(dataset.measurements)} rows are not within "
            f"±{dataset.settings['precision']:.1%}; give more --budget, or quieten the box"
        )


def say(line: str) -> None:
    """A line for people that is not the result."""
    print(line, file=sys.stderr)
