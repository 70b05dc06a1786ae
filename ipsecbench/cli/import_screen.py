"""What ``ipsecbench import`` says of each file: on the screen and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ipsecbench.dataset.model import Dataset

_MOST_CODES = 8
_ONE_SCREEN = 20
"""Files beyond which those that gave nothing are named once more at the end."""


@dataclass(slots=True)
class Imported:
    """What became of one dataset of a file."""

    dataset: Dataset
    path: Path | None
    """Where it is; None where nothing was to be written."""
    was_there: bool = False
    """Whether the same file lay there already."""
    writing: Future[tuple[Path, bool]] | None = None
    """The writing of its file, which may not be over yet: where it is then, and whether it lay there already."""

    def settle(self) -> None:
        """Wait until it is written.

        Raises:
            DatasetError: it could not be.
        """
        if self.writing is not None:
            self.path, self.was_there = self.writing.result()


@dataclass(slots=True)
class FileResult:
    """What became of one file."""

    name: str
    format: str | None
    datasets: list[Imported] = field(default_factory=list)
    reason: str | None = None
    """Why it gave nothing."""
    same_as: str | None = None
    """The file before it that has the same text."""

    @property
    def status(self) -> str:
        """In one word."""
        if self.same_as is not None:
            return "duplicate"
        return "imported" if self.datasets else "refused"


def show_formats(json_output: bool) -> None:
    """List the formats that can be imported."""
    from ipsecbench.importers.formats import MODULES, named_format

    titles = {name: named_format(name).title for name in MODULES}
    if json_output:
        typer.echo(json.dumps(titles))
        return
    width = max(map(len, titles), default=0)
    for name, title in titles.items():
        typer.echo(f"{name:<{width}}  {title}")


def show(result: FileResult) -> None:
    """One file on the screen: what it is, where it went, what it is worth."""
    from ipsecbench.cli.screen.text_blocks import plain, wrapped

    if result.same_as is not None:
        typer.echo(plain(f"{result.name}: the same text as {result.same_as}"))
        return
    if not result.datasets:
        lines = wrapped(plain(result.reason or "nothing in it"), f"! {plain(result.name)}: ", "    ")
        typer.echo("\n".join(lines))
        return
    for one in result.datasets:
        for line in _dataset_lines(result, one):
            typer.echo(line)


def _dataset_lines(result: FileResult, one: Imported) -> Iterator[str]:
    from ipsecbench.cli.screen.text_blocks import plain, wrapped
    from ipsecbench.dataset.source import Worth

    dataset = one.dataset
    unread = 0 if dataset.source is None else dataset.source.unread_lines
    figures = _count(len(dataset.measurements), "figure") if dataset.measurements else "a description, no figure"
    part = None if dataset.source is None else dataset.source.part
    facts = [
        box_of(dataset),
        *([part] if part else []),
        figures,
        *([f"{_count(unread, 'line')} unread"] if unread else []),
    ]
    yield from wrapped(plain(f"{result.format} · {' · '.join(facts)}"), f"{plain(result.name)}: ", "    ")
    if one.path is not None:
        yield f"  {'already there' if one.was_there else 'saved'}: {plain(str(one.path))}"
    for worth in (Worth.UNFIT, Worth.DOUBT):
        for verdict in dataset.verdicts:
            if verdict.kind.worth is worth:
                text = plain(f"{verdict.kind.title}: {verdict.message}")
                yield from wrapped(text, f"  {'! unfit' if worth is Worth.UNFIT else '! doubt'}: ", "      ")
    notes = [verdict.kind.title for verdict in dataset.verdicts if verdict.kind.worth is Worth.NOTE]
    if notes:
        yield from wrapped(plain("; ".join(notes)), "  note: ", "      ")
    for line in () if dataset.source is None else dataset.source.unread[:3]:
        yield from wrapped(plain(f"{line.reason}: {line.text[:60]}"), f"  unread, line {line.line}: ", "      ")


def box_of(dataset: Dataset) -> str:
    """What box a dataset is of, as far as it says."""
    device = None if dataset.source is None else dataset.source.device
    hardware = dataset.environment.get("hardware")
    cpu = hardware.get("cpu") if isinstance(hardware, Mapping) else None
    model = cpu.get("model") if isinstance(cpu, Mapping) else None
    names = dict.fromkeys(str(name) for name in (device or dataset.label, model) if name)
    return ", ".join(names) or "box unknown"


def show_summary(results: list[FileResult], dry_run: bool) -> None:
    """Say what became of all the files together."""
    from ipsecbench.cli.measure import say
    from ipsecbench.cli.screen.text_blocks import plain

    counts = _counts(results)
    if len(results) > 1:
        parts = [
            _count(counts["files"], "file"),
            f"{_count(counts['datasets'], 'dataset')}",
            _count(counts["figures"], "figure"),
        ]
        parts += [f"{counts[key]} {word}" for key, word in (("duplicates", "with the text of another"),) if counts[key]]
        say(", ".join(parts) + (" (nothing written)" if dry_run else ""))
        for worth, counted in _verdict_counts(results).items():
            if counted:
                named = ", ".join(f"{code} {number}" for code, number in counted.most_common(_MOST_CODES))
                say(plain(f"{worth}, in so many datasets: {named}"))
    refused = [result for result in results if result.status == "refused"]
    if refused and len(results) > _ONE_SCREEN:
        say(f"{len(refused)} gave nothing:")
        for result in refused:
            say(plain(f"  {result.name}: {result.reason}"))


def _verdict_counts(results: list[FileResult]) -> dict[str, Counter[str]]:
    """In how many datasets each verdict is that lowers what figures are worth."""
    from ipsecbench.dataset.source import Worth

    found = {Worth.UNFIT.value: Counter[str](), Worth.DOUBT.value: Counter[str]()}
    for result in results:
        for one in result.datasets:
            for verdict in one.dataset.verdicts:
                if verdict.kind.worth.value in found:
                    found[verdict.kind.worth.value][verdict.code] += 1
    return found


def _counts(results: list[FileResult]) -> dict[str, int]:
    datasets = [one.dataset for result in results for one in result.datasets]
    return {
        "files": len(results),
        "datasets": len(datasets),
        "figures": sum(len(dataset.measurements) for dataset in datasets),
        "duplicates": sum(result.status == "duplicate" for result in results),
        "refused": sum(result.status == "refused" for result in results),
    }


def document(results: list[FileResult]) -> dict[str, Any]:
    """What became of each file, as ``--json`` gives it."""
    return {
        "files": [
            {
                "file": result.name,
                "format": result.format,
                "status": result.status,
                "reason": result.reason,
                "same_as": result.same_as,
                "datasets": [_dataset_object(one) for one in result.datasets],
            }
            for result in results
        ],
        "summary": _counts(results),
    }


def _dataset_object(one: Imported) -> dict[str, Any]:
    dataset = one.dataset
    source = dataset.source
    return {
        "path": None if one.path is None else str(one.path),
        "label": dataset.label,
        "box": box_of(dataset),
        "part": None if source is None else source.part,
        "figures": len(dataset.measurements),
        "unread_lines": 0 if source is None else source.unread_lines,
        "verdicts": [
            {"code": one.code, "worth": one.kind.worth.value, "message": one.message} for one in dataset.verdicts
        ],
    }


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
