"""Many files at once: which there are below folders, what each gives, and what its datasets are called.

One bad file never stops the others: what was wrong with it is a part of the result.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import DatasetVerdict
from ipsecbench.errors import DatasetError, UsageError
from ipsecbench.importers.formats import Format, import_text, likely_formats, named_format
from ipsecbench.importers.text import Text, read_text

MOST_FILES = 100_000
"""Files that one order may name, folders included."""
_DEEPEST = 32
_LONGEST_STEM = 80
_NOT_IN_NAMES = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Read:
    """What one text gave: datasets, or the reason why none."""

    format: str | None
    """Name of its format; None where it has none that is known."""
    datasets: tuple[Dataset, ...] = ()
    """What was read."""
    reason: str | None = None
    """Why there is no dataset."""
    sha256: str | None = None
    """Digest of the text; None where it could not be read as text."""


def read_file(path: Path, format_name: str | None = None) -> Read:
    """What a file gives; never an error of what is in it.

    Raises:
        UsageError: there is no format of that name.
    """
    if os.path.isdir(path):
        return Read(format_name, reason=_why_nothing(path))
    try:
        text = read_text(path)
    except DatasetError as error:
        return Read(format_name, reason=str(error).removeprefix(f"{path}: "))
    return read_one(text, format_name)


def _why_nothing(folder: Path) -> str:
    try:
        os.scandir(folder).close()
    except OSError as error:
        return error.strerror or "cannot be read"
    return "a folder without a file; links and hidden files are not taken from folders, name them"


def read_one(text: Text, format_name: str | None = None) -> Read:
    """What a text gives; never an error of what is in it.

    Raises:
        UsageError: there is no format of that name.
    """
    name = format_name
    if not text.content.strip():
        return Read(name, reason="empty", sha256=text.sha256)
    try:
        likely = likely_formats(text) if name is None else (named_format(name),)
        name = likely[0].name
        return Read(name, _with_word_of(text, import_text(text, name), likely[1:]), sha256=text.sha256)
    except DatasetError as error:
        return Read(name, reason=str(error), sha256=text.sha256)
    except UsageError:
        raise
    except Exception as error:  # a mistake in one reader must not cost the other 999 files
        kind = type(error).__name__
        return Read(name, reason=f"a mistake in the reader of {name}, please report it: {kind}: {error}")


def _with_word_of(text: Text, found: tuple[Dataset, ...], others: Iterable[Format]) -> tuple[Dataset, ...]:
    """The datasets, with a verdict that tells of figures of other formats on lines that none of them has."""
    lines = _lines(found)
    if not lines:
        return found
    said = []
    for other in others:
        try:
            left = _lines(other.read(text)) - lines
        except Exception:  # noqa: S112 - what cannot read the text has no figures in it
            continue
        if left:
            said.append(f"{other.title} from line {min(left)} on: --format {other.name}")
    verdicts = (DatasetVerdict("mixed-text", "; ".join(said)),) if said else ()
    return tuple(replace(dataset, verdicts=dataset.verdicts + verdicts) for dataset in found)


def _lines(datasets: Iterable[Dataset]) -> set[int]:
    rows = (row for dataset in datasets for row in dataset.measurements)
    taken = {one.line for row in rows for one in row.published if one.line is not None}
    return taken | {one.line for dataset in datasets if dataset.source for one in dataset.source.unread}


def files_of(paths: Iterable[Path], apart_from: Path | None = None) -> Iterator[Path]:
    """The files that are named, and those below folders that are: sorted, without hidden ones, links not followed.

    Args:
        paths: files and folders; what is not there is given back as it is, so that reading it says so.
        apart_from: a folder that is left out where it lies below another one, such as the one that is written to.

    Raises:
        DatasetError: there are more than :data:`MOST_FILES`.
    """
    left_out = None if apart_from is None else os.path.realpath(apart_from)
    seen: dict[str, None] = {}
    for path in paths:
        # What cannot be looked at is no folder for isdir: reading it says why.
        found = _in_folder(path, left_out) if os.path.isdir(path) else iter((path,))
        for one in found:
            if str(one) not in seen:
                seen[str(one)] = None
                yield one
            if len(seen) > MOST_FILES:
                raise DatasetError(f"more than {MOST_FILES} files: name fewer folders at once")


def _in_folder(folder: Path, left_out: str | None) -> Iterator[Path]:
    """The files below a folder, or the folder itself where there are none: reading it says so."""
    is_empty = True
    for path in _below(folder, left_out, _DEEPEST):
        is_empty = False
        yield path
    if is_empty:
        yield folder


def _below(folder: Path, left_out: str | None, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda one: one.name)
    except OSError:
        yield folder  # reading it says why
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if depth > 0 and os.path.realpath(entry.path) != left_out:
                yield from _below(folder / entry.name, left_out, depth - 1)
        elif entry.is_file(follow_symlinks=False):
            yield folder / entry.name


def stem_of(dataset: Dataset, is_one_of_several: bool, otherwise: str) -> str:
    """What the file of a dataset is called, without its ending: from its label, safe on any system.

    Args:
        dataset: the dataset.
        is_one_of_several: its text gave more than one, so that the part's name belongs to it.
        otherwise: the name of the text, where the dataset has no label.
    """
    name = dataset.label or otherwise
    part = None if dataset.source is None else dataset.source.part
    if is_one_of_several and part and part not in name:
        name = f"{name[: _LONGEST_STEM * 2]} {part}"
    return safe_stem(name)


def safe_stem(name: str) -> str:
    """A name as that of a file, without an ending: ASCII, short, no folder, not hidden, never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    stem = _NOT_IN_NAMES.sub("-", plain)[:_LONGEST_STEM].strip("-._")
    return re.sub(r"-{2,}", "-", stem) or "box"
