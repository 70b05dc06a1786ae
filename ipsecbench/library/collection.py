"""What a fleet brought: its files read, judged, and added to a library.

Nothing that was brought is changed or moved. One bad file stops nothing: it is a part of the result.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.packed import is_packed, unpacked
from ipsecbench.dataset.source import UNKNOWN_DATE, Worth
from ipsecbench.dataset.store import LARGEST_FILE_BYTES, SUFFIX, dataset_of, encoded, write_new
from ipsecbench.errors import DatasetError, UsageError
from ipsecbench.importers.batch import files_of, read_one, safe_stem
from ipsecbench.importers.formats import guessed_format
from ipsecbench.importers.text import text_of
from ipsecbench.library import failure_notes
from ipsecbench.library.facts import device, processor
from ipsecbench.library.failure_notes import FailureNote, moment, read_note
from ipsecbench.library.reading import read_library, stem, unique_names

OWN_FORMAT = "dataset"
"""The format whose octets are kept as they are."""
_INTERRUPTED = "interrupted"
_FLEET_NAME = re.compile(r"(.+)-\d{4}-\d{2}-\d{2}-\d{6}(?:\.partial)?")
"""Names that the Ansible role gives: host, day and time."""
_ENDINGS = (failure_notes.SUFFIX, ".probe", ".txt", ".log", ".html", ".json")
"""What files of texts end with, and no host is called."""
_NOT_IN_HOSTS = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Brought:
    """A dataset that was brought."""

    file: Path
    """The file that it was read from."""
    format: str
    """Which format that has."""
    sha256: str
    """Digest of the dataset's octets."""
    measured: datetime | None
    """When the measurement began; None where nobody says."""
    box: str
    """Device and processor, as far as known."""
    rows: int
    """Rows with a figure."""
    planned: int
    """All rows."""
    warnings: tuple[str, ...]
    """Codes of the doubts about the run."""
    verdicts: tuple[tuple[str, Worth], ...]
    """What imported figures are worth."""
    is_whole: bool
    """Whether the run was not interrupted."""
    path: Path | None = None
    """Where it is in the library; None without a library, and for a copy of one that was brought."""
    was_known: bool = False
    """Whether the library, or a file before it, has the same dataset."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that gave nothing; it stays where it is."""

    file: Path
    """The file."""
    reason: str
    """Why, in one line."""


@dataclass(slots=True)
class Host:
    """What was brought of one box."""

    name: str
    """What the fleet calls it."""
    datasets: list[Brought] = field(default_factory=list)
    """In the order of their files."""
    notes: list[tuple[Path, FailureNote]] = field(default_factory=list)
    """Why it was not measured at other times."""
    refused: list[Refused] = field(default_factory=list)
    """Files that could not be read."""

    @property
    def newest(self) -> Brought | None:
        """The newest whole dataset, or the newest of all where none is whole; undated ones are the oldest."""
        return max(
            self.datasets,
            key=lambda one: (one.is_whole, one.measured is not None, one.measured.timestamp() if one.measured else 0.0),
            default=None,
        )

    def is_mended(self, note: FailureNote) -> bool:
        """Whether a whole measurement began after what a note says."""
        return any(one.is_whole and one.measured is not None and one.measured >= note.when for one in self.datasets)

    @property
    def open_notes(self) -> list[tuple[Path, FailureNote]]:
        """Notes after which nothing was measured, the newest last."""
        found = [(path, note) for path, note in self.notes if not self.is_mended(note)]
        return sorted(found, key=lambda one: one[1].when)

    @property
    def status(self) -> str:
        """``failed``, ``partial``, ``skipped`` or ``ok``."""
        open_notes = self.open_notes
        if self.refused or (open_notes and open_notes[-1][1].outcome == "failed"):
            return "failed"
        if not any(one.is_whole for one in self.datasets):
            return "partial" if self.datasets else "skipped"
        return "skipped" if open_notes else "ok"


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that a folder held."""

    hosts: tuple[Host, ...]
    """By name."""

    def count(self, status: str) -> int:
        """How many hosts have a status."""
        return sum(host.status == status for host in self.hosts)

    @property
    def added(self) -> int:
        """Datasets that are new in the library."""
        return sum(one.path is not None and not one.was_known for host in self.hosts for one in host.datasets)


def collect(folder: Path, into: Path | None = None) -> Collection:
    """Read everything below a folder, and add its datasets to a library.

    Args:
        folder: what the fleet brought; hidden files are passed over, and links are not followed.
        into: the library; made where it is not there. None: everything is read, nothing is written.

    Raises:
        UsageError: both are the same folder.
        DatasetError: the folder is none, holds too many files, or the library cannot be written.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: {'no folder' if folder.exists() else 'there is no such folder'}")
    if into is not None and os.path.realpath(into) == os.path.realpath(folder):
        raise UsageError("--into names the folder that is read; without --into it is checked where it is")
    shelf = None if into is None else _Shelf(into)
    seen: dict[Key, Path | None] = {}
    hosts: dict[str, Host] = {}
    files = list(files_of([folder], into))
    for file, name in zip(files, unique_names(files), strict=True):
        _take(file, _without_ending(name), shelf, seen, hosts)
    return Collection(tuple(sorted(hosts.values(), key=lambda host: host.name)))


Key = str | tuple[str, str | None]
"""What makes two datasets the same: the digest of their octets, or of the text that both were imported from."""


def keys_of(dataset: Dataset, *digests: str | None) -> set[Key]:
    """All by which a dataset can be known."""
    keys: set[Key] = {digest for digest in (dataset.sha256, *digests) if digest}
    if dataset.source is not None:
        keys.add((dataset.source.sha256, dataset.source.part))
    return keys


class _Shelf:
    """The library that is added to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.known: dict[Key, Path] = {}
        if folder.exists():
            for entry in read_library([folder]).entries:
                for key in keys_of(entry.dataset):
                    self.known.setdefault(key, entry.path)

    def add(self, content: bytes, name: str) -> Path:
        """Store a dataset under a name that nothing has."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatasetError(f"cannot make the folder {self._folder}: {error.strerror}") from error
        number = 1
        while True:
            path = self._folder / f"{name}{'' if number == 1 else f'-{number}'}{SUFFIX}"
            if write_new(path, content):
                return path
            number += 1


def _take(file: Path, called: str, shelf: _Shelf | None, seen: dict[Key, Path | None], hosts: dict[str, Host]) -> None:
    name = host_of(file)
    try:
        content = _octets(file)
        if file.name.endswith(failure_notes.SUFFIX):
            note = read_note(content)
            _host(hosts, note.host).notes.append((file, note))
            return
        format_name, found = _datasets(content, file.name)
    except DatasetError as error:
        _host(hosts, name or called).refused.append(Refused(file, str(error)))
        return
    several = len(found) > 1
    for dataset, octets in found:
        # What an importer calls a box is its model, of which a fleet has many.
        host = name or (dataset.label if dataset.source is None else None) or called
        base = stem(file) if name else _stem(dataset, host, several)
        brought = _stored(dataset, octets, base, shelf, seen, file, format_name)
        _host(hosts, host).datasets.append(brought)


def _host(hosts: dict[str, Host], name: str) -> Host:
    key = _NOT_IN_HOSTS.sub("-", name).strip("-.") or name
    return hosts.setdefault(key, Host(name))


def _without_ending(name: str) -> str:
    base = name.removesuffix(".gz")
    return next((base.removesuffix(ending) for ending in _ENDINGS if base.endswith(ending)), base)


def host_of(file: Path) -> str | None:
    """The host that a file's name says it is of; None where it is not called as the role calls its files."""
    base = file.name.removesuffix(failure_notes.SUFFIX) if file.name.endswith(failure_notes.SUFFIX) else stem(file)
    found = _FLEET_NAME.fullmatch(base)
    return None if found is None else found[1]


def _stem(dataset: Dataset, host: str, several: bool) -> str:
    part = None if dataset.source is None or not several else dataset.source.part
    return "-".join(word for word in (host, part, dataset.measured_on) if word)


def _octets(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise DatasetError(error.strerror or "cannot be read") from error
    if len(content) <= LARGEST_FILE_BYTES and is_packed(content):
        content = unpacked(content, LARGEST_FILE_BYTES)
    if len(content) > LARGEST_FILE_BYTES:
        raise DatasetError(f"larger than {LARGEST_FILE_BYTES // 2**20} MiB, which nothing that a box says is")
    return content


def _datasets(content: bytes, name: str) -> tuple[str, Sequence[tuple[Dataset, bytes]]]:
    """The format of a text, and its datasets with the octets that the library keeps of each."""
    if not content.strip():
        raise DatasetError("empty")
    text = text_of(content, name.removesuffix(".gz"))
    format_name = guessed_format(text).name
    if format_name == OWN_FORMAT:
        return format_name, [(dataset_of(content), content)]
    read = read_one(text, format_name)
    if not read.datasets:
        raise DatasetError(read.reason or "no dataset")
    return format_name, [(dataset, encoded(dataset)) for dataset in read.datasets]


def _stored(
    dataset: Dataset,
    content: bytes,
    base: str,
    shelf: _Shelf | None,
    seen: dict[Key, Path | None],
    file: Path,
    format_name: str,
) -> Brought:
    digest = hashlib.sha256(content).hexdigest()
    keys = keys_of(dataset, digest)
    known = _first(keys, seen) or (None if shelf is None else _first(keys, shelf.known))
    path = None if known is None else known[0]
    if known is None and shelf is not None:
        path = shelf.add(content, safe_stem(base))
    for key in keys:
        seen.setdefault(key, path)
    return _described(dataset, digest, path, known is not None, file, format_name)


def _first(keys: Iterable[Key], known: dict[Key, Path | None] | dict[Key, Path]) -> tuple[Path | None] | None:
    return next(((known[key],) for key in keys if key in known), None)


def _described(
    dataset: Dataset, digest: str, path: Path | None, was_known: bool, file: Path, format_name: str
) -> Brought:
    names = dict.fromkeys(name for name in (device(dataset), processor(dataset)) if name)
    verdicts = {verdict.code: verdict.kind.worth for verdict in dataset.verdicts}
    return Brought(
        file,
        format_name,
        digest,
        None if dataset.created == UNKNOWN_DATE else moment(dataset.created),
        ", ".join(names) or "box unknown",
        sum(row.usable for row in dataset.measurements),
        len(dataset.measurements),
        tuple(dict.fromkeys(warning.code for warning in dataset.warnings)),
        tuple(verdicts.items()),
        dataset.ended != _INTERRUPTED,
        path,
        was_known,
    )
