"""``ipsecbench collect``: what a fleet brought, checked and added to a library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.exit_codes import EXIT_ERROR

if TYPE_CHECKING:
    from ipsecbench.library.collection import Brought, Collection, Host


def collect_command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="What was brought: datasets, probe texts, reports, failure notes."),
    ],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="LIBRARY", help="Folder of datasets to add the good ones to.")
    ] = None,
    json_output: option.Json = False,
) -> None:
    """Read what a fleet brought, say what became of each box, and add its datasets to a library.

    Files stay as they are. Nothing in the library is replaced, and what it has is not added again. Exit code 1 if a box
    failed or a file could not be read. See docs/fleet.md.
    """
    from ipsecbench.cli.measure import say
    from ipsecbench.cli.screen.text_blocks import plain
    from ipsecbench.library.collection import collect

    collection = collect(folder, into)
    if json_output:
        typer.echo(json.dumps(_document(collection, folder, into), allow_nan=False))
    else:
        for host in collection.hosts:
            typer.echo(plain(_line(host)))
        say(_summary(collection, into))
    if collection.count("failed"):
        raise typer.Exit(EXIT_ERROR)


def _line(host: Host) -> str:
    facts = [host.status]
    newest = host.newest
    if newest is not None:
        facts += _facts(newest)
    if len(host.datasets) > 1:
        facts.append(f"{len(host.datasets)} datasets")
    facts += [
        f"{note.outcome} {note.when:%Y-%m-%d %H:%M} UTC ({note.stage}): {note.reason}" for _, note in host.open_notes
    ]
    mended = len(host.notes) - len(host.open_notes)
    if mended:
        facts.append(f"{_count(mended, 'note')} of before")
    facts += [f"not read: {one.file}: {one.reason}" for one in host.refused]
    return f"{host.name}: {' · '.join(facts)}"


def _facts(one: Brought) -> Iterator[str]:
    from ipsecbench.dataset.source import Worth

    yield one.box
    if one.planned:
        rows = f"{one.rows:,}" if one.rows == one.planned else f"{one.rows:,} of {one.planned:,}"
        yield f"{rows} row{'' if rows == '1' else 's'}{'' if one.is_whole else ' (interrupted)'}"
    else:
        yield "a description, no figure"
    if one.warnings:
        yield f"{_count(len(one.warnings), 'warning')}: {', '.join(one.warnings)}"
    for worth in (Worth.UNFIT, Worth.DOUBT):
        codes = [code for code, found in one.verdicts if found is worth]
        if codes:
            yield f"{worth.value}: {', '.join(codes)}"
    if one.path is not None:
        yield f"{'there already' if one.was_known else 'added'} as {one.path.name}"


def _summary(collection: Collection, into: Path | None) -> str:
    counts = {status: collection.count(status) for status in ("ok", "partial", "skipped", "failed")}
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    added = "" if into is None else f"; {_count(collection.added, 'dataset')} added to {into}"
    return f"{_count(len(collection.hosts), 'host')}{': ' if parts else ''}{', '.join(parts)}{added}"


def _document(collection: Collection, folder: Path, into: Path | None) -> dict[str, Any]:
    return {
        "format": "ipsecbench collection",
        "version": 1,
        "folder": str(folder),
        "library": None if into is None else str(into),
        "hosts": [_host_object(host) for host in collection.hosts],
        "added": collection.added,
        "failed": collection.count("failed"),
    }


def _host_object(host: Host) -> dict[str, Any]:
    return {
        "host": host.name,
        "status": host.status,
        "datasets": [_dataset_object(one) for one in host.datasets],
        "failures": [
            {
                "file": str(path),
                "when": note.when.isoformat(timespec="seconds"),
                "outcome": note.outcome,
                "stage": note.stage,
                "reason": note.reason,
                "measured_since": host.is_mended(note),
            }
            for path, note in host.notes
        ],
        "unreadable": [{"file": str(one.file), "reason": one.reason} for one in host.refused],
    }


def _dataset_object(one: Brought) -> dict[str, Any]:
    return {
        "file": str(one.file),
        "format": one.format,
        "sha256": one.sha256,
        "measured": None if one.measured is None else one.measured.isoformat(timespec="seconds"),
        "box": one.box,
        "rows": one.rows,
        "planned": one.planned,
        "warnings": list(one.warnings),
        "verdicts": [{"code": code, "worth": worth.value} for code, worth in one.verdicts],
        "is_whole": one.is_whole,
        "path": None if one.path is None else str(one.path),
        "was_known": one.was_known,
    }


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
