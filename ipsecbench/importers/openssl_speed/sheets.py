"""Runs to datasets: figures of one box with one version under the same circumstances belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.importers.openssl_speed import verdicts
from ipsecbench.importers.openssl_speed.runs import Run
from ipsecbench.importers.openssl_speed.verdicts import MESSAGES, Box
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "openssl-speed"
"""``provider`` of every figure."""
Place = Callable[[str | None], tuple[Sheet, int | None]]
"""For what stands in brackets behind a row: the sheet that it belongs to, and how many cores ran; None for what the
run says."""


@dataclass
class _Part:
    """What becomes one dataset."""

    sheet: Sheet
    version: str | None
    box: str | None
    circumstances: dict[Workload, tuple[object, ...]] = field(default_factory=dict)
    """Of each figure, what it was measured under."""
    headings: dict[str, None] = field(default_factory=dict)


def datasets(text: Text, runs: Sequence[Run], box: Box, hardware: dict[str, Any]) -> tuple[Dataset, ...]:
    """The datasets of the runs of a text.

    A run joins the first part that has its box and version, unless it measured something there anew under other
    circumstances.
    """
    parts: list[_Part] = []
    for run in runs:
        part = next((one for one in parts if _fits(one, run)), None)
        if part is None:
            sheet = Sheet(text, PROVIDER, hardware=hardware)
            part = _Part(sheet, None if run.version is None else run.version.text, run.box)
            parts.append(part)
        if run.heading is not None:
            part.headings.setdefault(run.heading)
        fill(run, box, lambda _, sheet=part.sheet: (sheet, None))  # type: ignore[misc]
        for workload in workloads(run):
            part.circumstances[workload] = _circumstances(run)
        _describe(part.sheet, run)
    kept = [part for part in parts if part.sheet.workloads]
    for number, part in enumerate(kept, start=1):
        _name(part, number, len(kept))
    _keep_unread(parts, kept)
    return tuple(part.sheet.dataset() for part in kept)


def workloads(run: Run, cores: int | None = None) -> tuple[Workload, ...]:
    """What a run measured."""
    return tuple(workload for workload, *_ in _ciphers(run, cores)) + tuple(
        _workload(key.operation, key.algorithm, None, cores or run.cores or 1) for key in run.keys
    )


def fill(run: Run, box: Box, place: Place) -> None:
    """Put a run's figures, verdicts and unread lines on sheets."""
    common = tuple(verdicts.run_verdicts(run))
    for figure in run.figures:
        sheet, cores = place(figure.note)
        operation, known = verdicts.workload_parts(run, figure)
        workload = _workload(operation, known.algorithm, figure.size, cores or run.cores or 1)
        before = len(sheet.figures(workload))
        detail: dict[str, Any] = {"name": printable(figure.name, 60)}
        if figure.note is not None:
            detail["note"] = printable(figure.note, 60)
        sheet.figure(workload, figure.value, figure.unit, figure.line, detail=detail)
        if len(sheet.figures(workload)) > before:
            _say(sheet, run, workload, (*common, *verdicts.figure_verdicts(run, figure, box)))
    for key in run.keys:
        sheet, cores = place(None)
        workload = _workload(key.operation, key.algorithm, None, cores or run.cores or 1)
        before = len(sheet.figures(workload))
        sheet.figure(workload, key.value, key.unit, key.line)
        if len(sheet.figures(workload)) > before:
            codes = (*common, *verdicts.key_verdicts(run, key))
            _say(sheet, run, workload, codes)
    for line, reason in run.unread:
        place(None)[0].unread(line, reason)


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


def _ciphers(run: Run, cores: int | None) -> list[tuple[Workload, str]]:
    made = []
    for figure in run.figures:
        operation, known = verdicts.workload_parts(run, figure)
        made.append((_workload(operation, known.algorithm, figure.size, cores or run.cores or 1), figure.name))
    return made


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


def _fits(part: _Part, run: Run) -> bool:
    version = None if run.version is None else run.version.text
    if part.box != run.box or part.version != version:
        return False
    mine = _circumstances(run)
    return all(part.circumstances.get(workload, mine) == mine for workload in workloads(run))


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
    if not kept:
        return
    for part in parts:
        if not part.sheet.workloads:
            for one in part.sheet.unread_so_far:
                kept[0].sheet.unread(one.line, one.reason)
