"""``ipsecbench import``: what other tools measured, from their text to datasets."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.exit_codes import EXIT_ERROR
from ipsecbench.cli.import_screen import FileResult, Imported, document, show, show_formats, show_summary

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from ipsecbench.dataset.model import Dataset
    from ipsecbench.importers.batch import Read

STANDARD_INPUT = "-"
_LONGEST_LABEL = 200
_WRITERS = 8
_MOST_WAITING = 32
"""Files that may be read before those before them are written."""


def import_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FORMAT] FILE",
            help="Texts of other tools, datasets, folders of these; - reads standard input. The format is guessed.",
        ),
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Format of all files; --list-formats names them.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Folder for the datasets (default: this one).")
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
        show_formats(json_output)
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
                show(result)
    if output is not None:
        _write_only(results, output, force, dry_run)
    if json_output:
        typer.echo(json.dumps(document(results), allow_nan=False))
    else:
        show_summary(results, dry_run)
    if any(result.status == "refused" for result in results):
        raise typer.Exit(EXIT_ERROR)


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
    _lock: Lock = field(default_factory=Lock)
    _is_ready: bool = False

    def store(self, dataset: Dataset, stem: str) -> Imported:
        """Write a dataset under a name that nobody has; one that lies there already, octet for octet, stays.

        Raises:
            DatasetError: it cannot be written.
        """
        from ipsecbench.dataset.store import encoded

        content = b"" if self.writes_nothing else encoded(dataset)
        path, was_there = self._named(stem, content)
        if self.writes_nothing:
            return Imported(dataset, None)
        if was_there:
            return Imported(dataset, path, was_there=True)
        self._make_ready()
        return Imported(dataset, path, writing=self.writers.submit(self._write, path, stem, content))

    def _named(self, stem: str, content: bytes) -> tuple[Path, bool]:
        """A path for a dataset that is this order's from now on, and whether the dataset lies there already."""
        from ipsecbench.dataset.store import SUFFIX

        with self._lock:
            number = 1
            while True:
                path = self.folder / f"{stem}{'' if number == 1 else f'-{number}'}{SUFFIX}"
                number += 1
                if path.name.casefold() in self._taken:
                    continue
                # Nothing that this order writes can be meant: its names are taken.
                is_free = self.writes_nothing or self.force or not os.path.lexists(path)
                if is_free or _holds(path, content):
                    self._taken.add(path.name.casefold())
                    return path, not is_free

    def _write(self, path: Path, stem: str, content: bytes) -> tuple[Path, bool]:
        """Write a dataset; where another order took the name meanwhile, under the next one."""
        from ipsecbench.dataset.store import write_atomically, write_new

        if self.force:
            write_atomically(path, content)
            return path, False
        while not write_new(path, content):
            if _holds(path, content):
                return path, True
            path, was_there = self._named(stem, content)
            if was_there:
                return path, True
        return path, False

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
            one.settle()
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
    from ipsecbench.importers.batch import files_of

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
        result.datasets = [place.store(*one) for one in _named(read, name, label)]
        yield result


def _named(read: Read, name: str, label: str | None) -> Iterator[tuple[Dataset, str]]:
    """The datasets of a file, with the user's label where there is one, and what their files are called."""
    from ipsecbench.dataset.store import PACKED_SUFFIX, SUFFIX
    from ipsecbench.importers.batch import stem_of

    several = len(read.datasets) > 1
    file = Path(name).name
    for dataset in read.datasets:
        part = None if dataset.source is None else dataset.source.part
        if label is not None:
            named = f"{label}, {part}"[:_LONGEST_LABEL] if several and part else label
            dataset = replace(dataset, label=named)
        is_own = read.format == "dataset" and file.endswith((SUFFIX, PACKED_SUFFIX)) and label is None
        own = file.removesuffix(".gz").removesuffix(SUFFIX)
        yield dataset, own if is_own and own else stem_of(dataset, several, file.split(".")[0] or "box")


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
                f"; use --into FOLDER ({reasons})"
                if found and reasons
                else f" ({reasons})"
                if reasons
                else "; use --into FOLDER"
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
