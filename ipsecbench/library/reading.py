"""Many datasets at once: files and folders of them, where one bad file in a thousand is named and stops nothing."""

from __future__ import annotations

import contextlib
import gc
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import PACKED_SUFFIX, SUFFIX, read_dataset
from ipsecbench.errors import DatasetError

MOST_FILES = 100_000
"""Datasets that are looked for in one folder."""
DEEPEST_FOLDER = 16
"""Folders within folders that are looked into."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A dataset of a library."""

    path: Path
    """Where it was read from."""
    name: str
    """The file's name without what all names of datasets end with; with its folders where two are called the same."""
    dataset: Dataset
    """What was read."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that gave no dataset."""

    path: Path
    """What was tried."""
    reason: str
    """Why, in one line that does not name the path."""


@dataclass(frozen=True, slots=True)
class Library:
    """What was read, in the order it was named; within a folder by path."""

    entries: tuple[Entry, ...]
    """The datasets."""
    unreadable: tuple[Unreadable, ...] = ()
    """What gave none."""


def read_library(paths: Iterable[Path]) -> Library:
    """Read files and folders of datasets.

    In a folder everything counts whose name ends as names of datasets do, packed or not, in whatever folder of it;
    links are followed to files that lie below it too, and to nothing else. A file that is named is read whatever it is
    called, and twice if it is named twice; one that a folder gives is not read again.
    """
    with _no_collection():
        return _read(paths)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Let nobody look for circles among the millions of objects of a library while they are made: there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(paths: Iterable[Path]) -> Library:
    found: list[tuple[Path, Dataset]] = []
    unreadable: list[Unreadable] = []
    seen: set[str] = set()
    for path in paths:
        is_folder = os.path.isdir(path)  # False also for what cannot be looked at: reading it says why
        for file in _files_in(path, unreadable) if is_folder else (path,):
            real = os.path.realpath(file)
            if is_folder and real in seen:
                continue
            seen.add(real)
            try:
                found.append((file, read_dataset(file)))
            except DatasetError as error:
                unreadable.append(Unreadable(file, str(error).removeprefix(f"{file}: ")))
    names = unique_names([path for path, _ in found])
    entries = (Entry(path, name, dataset) for name, (path, dataset) in zip(names, found, strict=True))
    return Library(tuple(entries), tuple(unreadable))


def is_dataset_name(name: str) -> bool:
    """Whether a file's name ends as names of datasets do."""
    return name.endswith((SUFFIX, PACKED_SUFFIX))


def stem(path: Path) -> str:
    """The name of a dataset's file without its ending."""
    for suffix in (PACKED_SUFFIX, SUFFIX, ".json.gz", ".json"):
        if path.name.endswith(suffix) and path.name != suffix:
            return path.name.removesuffix(suffix)
    return path.name


def unique_names(paths: Sequence[Path]) -> list[str]:
    """A name for each path: its stem, before it as many of its folders as tell it from the others, or a number."""
    names = {path: stem(path) for path in paths}
    for depth in range(1, DEEPEST_FOLDER + 1):
        shared = _shared(list(names.values()))
        if not shared:
            break
        for path, name in names.items():
            if name in shared:
                folders = [part for part in path.parent.parts if part not in ("/", ".", "..")]
                names[path] = "/".join([*folders[-depth:], stem(path)])
    taken: set[str] = set()
    found = []
    for path in paths:
        name, number = names[path], 1
        while name in taken:
            number += 1
            name = f"{names[path]} ({number})"
        taken.add(name)
        found.append(name)
    return found


def _shared(names: Sequence[str]) -> set[str]:
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


def _files_in(folder: Path, unreadable: list[Unreadable]) -> Iterator[Path]:
    """Files below a folder that are called as datasets are, by path; what is wrong with it goes to ``unreadable``."""
    root = os.path.realpath(folder)
    count = 0
    for file in _called_so(folder, unreadable):
        if count == MOST_FILES:
            unreadable.append(Unreadable(folder, f"more than {MOST_FILES} datasets; the others were not read"))
            return
        count += 1
        real = os.path.realpath(file)
        if os.path.commonpath([real, root]) != root:
            unreadable.append(Unreadable(file, "a link that leads out of the folder; name the file itself"))
        elif not _is_file(real):
            unreadable.append(Unreadable(file, "no file"))
        else:
            yield file
    if not count:
        unreadable.append(Unreadable(folder, f"a folder without a file whose name ends in {SUFFIX} or {PACKED_SUFFIX}"))


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _called_so(folder: Path, unreadable: list[Unreadable], depth: int = 0) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        unreadable.append(Unreadable(folder, error.strerror or "cannot be read"))
        return
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            if depth == DEEPEST_FOLDER:
                unreadable.append(Unreadable(path, f"deeper than {DEEPEST_FOLDER} folders; not looked into"))
            else:
                yield from _called_so(path, unreadable, depth + 1)
        elif is_dataset_name(entry.name):
            yield path
