"""Runs to datasets: figures of one box with one version under the same circumstances belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Published
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.readers.openssl_speed import verdicts
from ipsecbench.importers.readers.openssl_speed.runs import Run
from ipsecbench.importers.readers.openssl_speed.verdicts import MESSAGES, Box
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

_CORES_UNKNOWN = "how many processes ran at once is not stated"
_SAME_WITHIN = 1.5
"""Figures of one thing that differ by more are no repetitions, but of two boxes that nothing tells apart."""
PROVIDER = "openssl-speed"
"""``provider`` of every figure."""
Place = Callable[[str | None], tuple[Sheet, int | None]]
"""For what stands in brackets behind a row: the sheet that it belongs to, and how many cores ran; None for what the
run says."""


@dataclass
class _Part:
    """What becomes one dataset."""

    sheet: Sheet
    box: str | None
    measured: dict[Workload, tuple[float, tuple[object, ...]]] = field(default_factory=dict)
    """What it has: nanoseconds of one operation, and the circumstances."""
    headings: dict[str, None] = field(default_factory=dict)


def datasets(text: Text, runs: Sequence[Run], box: Box, hardware: dict[str, Any]) -> tuple[Dataset, ...]:
    """The datasets of the runs of a text.

    A run joins the first part that has its box and version, unless it measured something there anew under other
    circumstances.

    Raises:
        DatasetError: there is no figure; says why.
    """
    parts: list[_Part] = []
    by_box: dict[tuple[str | None, str | None], list[_Part]] = {}
    for run in runs:
        same_box = by_box.setdefault((run.box, None if run.version is None else run.version.text), [])
        measured = _measured(run)
        part = next((one for one in same_box if _fits(one, run, measured)), None)
        if part is None:
            part = _Part(Sheet(text, PROVIDER, hardware=hardware), run.box)
            parts.append(part)
            same_box.append(part)
        if run.heading is not None:
            part.headings.setdefault(run.heading)
        fill(run, box, partial(_into, part.sheet))
        circumstances = _circumstances(run)
        for workload, time in measured.items():
            part.measured.setdefault(workload, (time, circumstances))
        _describe(part.sheet, run)
    kept = [part for part in parts if part.sheet.workloads]
    if not kept:
        unread = [one for part in parts for one in part.sheet.unread_so_far]
        if not unread:
            raise DatasetError("nothing in it that openssl speed prints")
        raise DatasetError(f"no figure of openssl speed; line {unread[0].line}: {unread[0].reason}")
    for number, part in enumerate(kept, start=1):
        _name(part, number, len(kept))
    _keep_unread(parts, kept)
    return tuple(part.sheet.dataset() for part in kept)


def fill(run: Run, box: Box, place: Place) -> None:
    """Put a run's figures, verdicts and unread lines on sheets."""
    common = tuple(verdicts.run_verdicts(run))
    for figure in run.figures:
        sheet, cores = _counted(place(figure.note), run)
        operation, known = verdicts.workload_parts(run, figure)
        if cores is None:
            sheet.unread(figure.line, _CORES_UNKNOWN)
            continue
        workload = _workload(operation, known.algorithm, figure.size, cores)
        detail: dict[str, Any] = {"name": printable(figure.name, 60)}
        if figure.note is not None:
            detail["note"] = printable(figure.note, 60)
        if sheet.figure(workload, figure.value, figure.unit, figure.line, detail=detail):
            _say(sheet, run, workload, (*common, *verdicts.figure_verdicts(run, figure, box, cores)))
    for key in run.keys:
        sheet, cores = _counted(place(None), run)
        if cores is None:
            sheet.unread(key.line, _CORES_UNKNOWN)
            continue
        workload = _workload(key.operation, key.algorithm, None, cores)
        if sheet.figure(workload, key.value, key.unit, key.line):
            _say(sheet, run, workload, (*common, *verdicts.key_verdicts(run, key)))
    for line, reason in run.unread:
        place(None)[0].unread(line, reason)


def _counted(placed: tuple[Sheet, int | None], run: Run) -> tuple[Sheet, int | None]:
    """The sheet and how many cores ran; None where nothing tells how many."""
    return placed[0], run.cores if placed[1] is None else placed[1]


def library(run: Run) -> dict[str, Any]:
    """An entry of ``environment.libraries``."""
    return {
        "provider": PROVIDER,
        "status": "loaded",
        "path": None,
        "version": None if run.version is None else run.version.text,
        "modules": [],
        "cpu_settings": run.cpu_settings,
        "note": None if run.engine is None else f"engine {printable(run.engine, 60)}",
    }


def _say(sheet: Sheet, run: Run, workload: Workload, codes: tuple[str, ...]) -> None:
    for code in codes:
        if code == "engine-cpu-time":
            message = verdicts.divisor_message(run)
        elif code == "instructions-ignored":
            message = verdicts.instructions_message(run)
        else:
            message = MESSAGES[code]
        sheet.verdict(code, message, workload)


def _workload(operation: str, algorithm: str, size: int | None, cores: int) -> Workload:
    return Workload(Tier.PRIMITIVE, PROVIDER, operation, algorithm, size, None, cores)


def _into(sheet: Sheet, _: str | None) -> tuple[Sheet, int | None]:
    return sheet, None


def _measured(run: Run) -> dict[Workload, float]:
    """What a run measured, and how long one operation took by its first figure."""
    found: dict[Workload, float] = {}
    for figure in run.figures:
        operation, known = verdicts.workload_parts(run, figure)
        if figure.value > 0:
            workload = _workload(operation, known.algorithm, figure.size, run.cores or 1)
            found.setdefault(workload, Published(figure.value, figure.unit).ns_per_operation(figure.size))
    for key in run.keys:
        if key.value > 0:
            workload = _workload(key.operation, key.algorithm, None, run.cores or 1)
            found.setdefault(workload, Published(key.value, key.unit).ns_per_operation(None))
    return found


def _circumstances(run: Run) -> tuple[object, ...]:
    """What must be the same for figures of one workload to be repetitions of each other."""
    command = run.command
    return (
        run.heading,
        run.engine,
        run.is_elapsed,
        verdicts.has_aes_masked(run.cpu_settings),
        command is not None and command.is_aead,
        tuple(sorted({figure.name.strip().count(" ") > 0 for figure in run.figures})),
    )


def _fits(part: _Part, run: Run, measured: Mapping[Workload, float]) -> bool:
    """Whether all that the run has in common with a part are repetitions."""
    mine = _circumstances(run)
    for workload, time in measured.items():
        if workload not in part.measured:
            continue
        before, circumstances = part.measured[workload]
        if circumstances != mine or not 1 / _SAME_WITHIN <= time / before <= _SAME_WITHIN:
            return False
    return True


def _describe(sheet: Sheet, run: Run) -> None:
    entry = library(run)
    if not sheet.libraries:
        sheet.libraries.append(entry)
    elif sheet.libraries[0]["cpu_settings"] is None:
        sheet.libraries[0]["cpu_settings"] = entry["cpu_settings"]


def _name(part: _Part, number: int, count: int) -> None:
    """Say which part of the text this is, and warn of what is not stated."""
    sheet = part.sheet
    if count > 1:
        said = [one for one in (part.box, *part.headings) if one]
        sheet.part = printable(f"{number} of {count}" + (f": {'; '.join(dict.fromkeys(said))}" if said else ""), 400)
    device = sheet.text.header.get("device") or part.box
    if device is not None:
        sheet.device = printable(device, 400)
        sheet.label = printable(f"{device} ({sheet.part})" if sheet.part else device)
    elif not sheet.hardware:
        sheet.verdict("device-unknown", "the text does not say which box it was")
    if "excerpt" in sheet.text.header.get("source", "").lower():
        sheet.verdict("cut-short", "the text calls itself an excerpt")


def _keep_unread(parts: Sequence[_Part], kept: Sequence[_Part]) -> None:
    """Lines that gave nothing stay with the first dataset if their own part has no figure."""
    for part in parts:
        if not part.sheet.workloads:
            for one in part.sheet.unread_so_far:
                kept[0].sheet.unread(one.line, one.reason)
