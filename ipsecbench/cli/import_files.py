"""``ipsecbench import``: what other tools measured, from their text to datasets."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from ipsecbench.dataset.model import Dataset
    from ipsecbench.importers.batch import Read

STANDARD_INPUT = "-"
_LONGEST_LABEL = 200
_WRITERS = 8
_MOST_WAITING = 32
"""Files that may be read before those before them are written."""
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
    writing: Future[None] | None = None
    """The writing of its file, which may not be over yet."""


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


def import_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FORMAT] FILE...",
            help="Texts of other tools, datasets, folders of these; - reads standard input. The format is guessed.",
        ),
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Format of all files; --list-formats names them.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Folder for the datasets (default: this one).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where the only dataset goes; - prints it.")
    ] = None,
    label: option.Label = None,
    force: option.Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and say everything, write nothing.")] = False,
    list_formats: Annotated[bool, typer.Option("--list-formats", help="Show which formats there are.")] = False,
    json_output: option.Json = False,
) -> None:
    """Import what other tools measured as datasets; each says what its figures are worth.

    A file that cannot be read is named with the reason, the others are imported, and the exit code is 1.
    """
    from concurrent.futures import ThreadPoolExecutor

    from ipsecbench.errors import UsageError

    if list_formats:
        _show_formats(json_output)
        return
    names, format_name = _split(words or [], format_name)
    if not names:
        raise UsageError("name a file, a folder, or - for standard input")
    if output is not None and into is not None:
        raise UsageError("--output names one file and --into a folder: one of them")
    if label is not None and len(label) > _LONGEST_LABEL:
        raise UsageError(f"--label: longer than {_LONGEST_LABEL} characters")
    results = []
    with ThreadPoolExecutor(_WRITERS) as writers:
        place = _Place(into or Path(), force, dry_run or output is not None, writers)
        for result in _written(_results(names, format_name, label, place)):
            results.append(result)
            if output is None and not json_output:
                _show(result)
    if output is not None:
        _write_only(results, output, force, dry_run)
    if json_output:
        typer.echo(json.dumps(_document(results), allow_nan=False))
    else:
        _show_summary(results, dry_run)
    if any(result.status == "refused" for result in results):
        raise typer.Exit(1)


def _split(words: Sequence[str], format_name: str | None) -> tuple[list[str], str | None]:
    """The files and the format; the first word is a format if it names one and no file.

    Raises:
        UsageError: there is no such format.
    """
    from ipsecbench.importers.formats import MODULES, named_format

    names = list(words)
    if format_name is None and names and names[0] in MODULES and not os.path.lexists(names[0]):
        format_name = names.pop(0)
    if format_name is not None:
        named_format(format_name)
    return names, format_name


@dataclass(slots=True)
class _Place:
    """The folder that datasets are written to, and which names in it are taken by this order."""

    folder: Path
    force: bool
    writes_nothing: bool
    writers: ThreadPoolExecutor
    """Files are written while the next ones are read: most of the time of writing is spent waiting for the disk."""
    _taken: set[str] = field(default_factory=set)
    _is_ready: bool = False

    def store(self, dataset: Dataset, stem: str) -> Imported:
        """Write a dataset under a name that nobody has; one that lies there already, octet for octet, stays.

        Raises:
            DatasetError: it cannot be written.
        """
        from ipsecbench.dataset.store import SUFFIX, encoded, write_atomically

        content = b"" if self.writes_nothing else encoded(dataset)
        number = 1
        while True:
            path = self.folder / f"{stem}{'' if number == 1 else f'-{number}'}{SUFFIX}"
            number += 1
            if path.name.casefold() in self._taken:
                continue
            if self.writes_nothing or not os.path.lexists(path) or self.force:
                break
            # Nothing that this order writes can be meant: its names are taken.
            if _holds(path, content):
                self._taken.add(path.name.casefold())
                return Imported(dataset, path, was_there=True)
        self._taken.add(path.name.casefold())
        if self.writes_nothing:
            return Imported(dataset, None)
        self._make_ready()
        return Imported(dataset, path, writing=self.writers.submit(write_atomically, path, content))

    def _make_ready(self) -> None:
        from ipsecbench.errors import DatasetError

        if self._is_ready:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatasetError(f"cannot make the folder {self.folder}: {error.strerror}") from error
        self._is_ready = True


def _written(results: Iterable[FileResult]) -> Iterator[FileResult]:
    """The results in their order, each once its files are on the disk.

    Raises:
        DatasetError: one could not be written.
    """
    waiting: deque[FileResult] = deque()

    def settled() -> FileResult:
        result = waiting.popleft()
        for one in result.datasets:
            if one.writing is not None:
                one.writing.result()
        return result

    for result in results:
        waiting.append(result)
        while len(waiting) > _MOST_WAITING:
            yield settled()
    while waiting:
        yield settled()


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _results(names: list[str], format_name: str | None, label: str | None, place: _Place) -> Iterator[FileResult]:
    """What becomes of each file, one after the other.

    Raises:
        DatasetError: a dataset cannot be written, which the others could not either.
        UsageError: a label for more than one file.
    """
    from ipsecbench.errors import UsageError
    from ipsecbench.importers.batch import files_of, stem_of

    seen: dict[tuple[str, str | None], str] = {}
    files = [
        one
        for name in names
        for one in ([name] if name == STANDARD_INPUT else map(str, files_of([Path(name)], place.folder)))
    ]
    if label is not None and len(files) > 1:
        raise UsageError(f"--label names one box, and there are {len(files)} files")
    for name in dict.fromkeys(files):
        read = _read(name, format_name)
        result = FileResult(name, read.format, reason=read.reason)
        first = seen.setdefault((read.sha256, read.format), name) if read.sha256 is not None else name
        if first != name and read.datasets:
            result.same_as = first
            yield result
            continue
        several = len(read.datasets) > 1
        for dataset in read.datasets:
            named = dataset if label is None else replace(dataset, label=label)
            stem = stem_of(named, several, "box" if name == STANDARD_INPUT else Path(name).name.split(".")[0])
            result.datasets.append(place.store(named, stem))
        yield result


def _read(name: str, format_name: str | None) -> Read:
    from ipsecbench.errors import DatasetError
    from ipsecbench.importers.batch import Read, read_file, read_one
    from ipsecbench.importers.text import LARGEST_FILE_BYTES, text_of

    if name != STANDARD_INPUT:
        return read_file(Path(name), format_name)
    try:
        return read_one(text_of(sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)), format_name)
    except DatasetError as error:
        return Read(format_name, reason=str(error))


def _write_only(results: list[FileResult], output: Path, force: bool, dry_run: bool) -> None:
    """Put the only dataset where ``--output`` says.

    Raises:
        DatasetError: there is not exactly one, or its place is taken or cannot be written.
    """
    from ipsecbench.dataset.store import encoded, write_atomically
    from ipsecbench.errors import DatasetError

    found = [one for result in results for one in result.datasets]
    if len(found) != 1:
        reasons = "; ".join(f"{result.name}: {result.reason}" for result in results if result.reason)
        raise DatasetError(
            f"{len(found)} datasets were read, and --output is for one"
            + (
                f"; use --into DIR ({reasons})"
                if found and reasons
                else f" ({reasons})"
                if reasons
                else "; use --into DIR"
            )
        )
    content = encoded(found[0].dataset)
    if str(output) == STANDARD_INPUT:
        if not dry_run:
            typer.echo(content.decode(), nl=False)
        return
    if os.path.lexists(output) and not force and not dry_run and not _holds(output, content):
        raise DatasetError(f"{output} exists; choose another --output, or replace it with --force")
    if not dry_run:
        write_atomically(output, content)
        found[0].path = output


def _show_formats(json_output: bool) -> None:
    from ipsecbench.importers.formats import MODULES, named_format

    titles = {name: named_format(name).title for name in MODULES}
    if json_output:
        typer.echo(json.dumps(titles))
        return
    width = max(map(len, titles), default=0)
    for name, title in titles.items():
        typer.echo(f"{name:<{width}}  {title}")


def _show(result: FileResult) -> None:
    """One file on the screen: what it is, where it went, what it is worth."""
    from ipsecbench.cli.text_blocks import plain, wrapped

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
    from ipsecbench.cli.text_blocks import plain, wrapped
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


def _show_summary(results: list[FileResult], dry_run: bool) -> None:
    from ipsecbench.cli.measure import say
    from ipsecbench.cli.text_blocks import plain

    counts = _counts(results)
    if len(results) > 1:
        parts = [
            _count(counts["files"], "file"),
            f"{_count(counts['datasets'], 'dataset')}",
            _count(counts["figures"], "figure"),
        ]
        parts += [f"{counts[key]} {word}" for key, word in (("duplicates", "with the text of another"),) if counts[key]]
        say(", ".join(parts) + (" (nothing written)" if dry_run else ""))
    refused = [result for result in results if result.status == "refused"]
    if refused and len(results) > _ONE_SCREEN:
        say(f"{len(refused)} gave nothing:")
        for result in refused:
            say(plain(f"  {result.name}: {result.reason}"))


def _counts(results: list[FileResult]) -> dict[str, int]:
    datasets = [one.dataset for result in results for one in result.datasets]
    return {
        "files": len(results),
        "datasets": len(datasets),
        "figures": sum(len(dataset.measurements) for dataset in datasets),
        "duplicates": sum(result.status == "duplicate" for result in results),
        "refused": sum(result.status == "refused" for result in results),
    }


def _document(results: list[FileResult]) -> dict[str, Any]:
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
