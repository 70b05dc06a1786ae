"""What ``bench`` and ``run`` share: from options to a stored dataset."""

from __future__ import annotations

import re
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipsecbench.cli.measure_options import MeasureOptions
from ipsecbench.cli.screen.progress import ProgressLine, format_duration
from ipsecbench.errors import (
    AgentError,
    CorrectnessError,
    DatasetError,
    MeasurementError,
    RemoteError,
    UnstableError,
)

if TYPE_CHECKING:
    from ipsecbench.bench.measurement import Workload
    from ipsecbench.bench.plan import Request
    from ipsecbench.bench.session import RunResult, Session
    from ipsecbench.dataset.model import Dataset


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
