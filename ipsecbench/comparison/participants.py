"""The boxes of a comparison from the datasets of a library, and the one that is meant by a name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipsecbench.comparison.model import Box
from ipsecbench.errors import UsageError
from ipsecbench.library.facts import device, processor
from ipsecbench.library.reading import Entry

LONGEST_NAME = 28
"""Characters of a label that is short enough to be a name."""
_MOST_NAMED = 12


def boxes_of(entries: Sequence[Entry]) -> tuple[Box, ...]:
    """A box for each dataset: called by its label where that is short and nobody else's, else by its file."""
    labels = [" ".join((entry.dataset.label or "").split()) for entry in entries]
    files = {entry.name for entry in entries}
    return tuple(
        Box(
            label if _is_name(label) and labels.count(label) == 1 and label not in files else entry.name,
            title(entry),
            entry.dataset,
            str(entry.path),
        )
        for entry, label in zip(entries, labels, strict=True)
    )


def _is_name(label: str) -> bool:
    return 0 < len(label) <= LONGEST_NAME


def title(entry: Entry) -> str:
    """Device or processor, for people."""
    found = device(entry.dataset) or processor(entry.dataset) or entry.dataset.label
    return found or "box unknown"


def named(boxes: Sequence[Box], name: str) -> int:
    """The place of the box that is meant: by its name, the label or the file of its dataset, or its number from 1.

    Raises:
        UsageError: none or several are.
    """
    for kind in (_by_name, _by_label, _by_file):
        places = [place for place, box in enumerate(boxes) if kind(box, name)]
        if len(places) > 1:
            raise UsageError(f"{name!r} is the name of {len(places)} boxes; name its file")
        if places:
            return places[0]
    if name.isdigit() and 1 <= int(name) <= len(boxes):
        return int(name) - 1
    some = ", ".join(box.name for box in boxes[:_MOST_NAMED]) + (", …" if len(boxes) > _MOST_NAMED else "")
    raise UsageError(f"there is no box {name!r}; there are {some}")


def is_named(boxes: Sequence[Box], name: str) -> bool:
    """Whether exactly one box is meant by a name."""
    try:
        named(boxes, name)
    except UsageError:
        return False
    return True


def _by_name(box: Box, name: str) -> bool:
    return box.name == name


def _by_label(box: Box, name: str) -> bool:
    return box.dataset.label == name


def _by_file(box: Box, name: str) -> bool:
    return box.file is not None and Path(box.file).resolve() == Path(name).resolve()
