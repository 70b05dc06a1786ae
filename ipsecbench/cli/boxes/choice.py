"""Which boxes a command holds against each other, and which of them is the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli.boxes.options import prices_of
from ipsecbench.cli.boxes.places import read_places

if TYPE_CHECKING:
    from ipsecbench.comparison.model import Box
    from ipsecbench.library.reading import Library

Baseline = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="NAME|FILE",
        help="What the others are held against: one of them by name, label or number, or another file.  "
        "[default: the first with a figure]",
    ),
]


def boxes_and_baseline(library: Library, baseline: str | None, prices: Sequence[str]) -> tuple[tuple[Box, ...], int]:
    """The boxes and the place of the baseline, which may be a file of its own.

    Raises:
        DatasetError: only one of those that were named could be read.
        UsageError: no box is called so, or a price is none.
    """
    from ipsecbench.comparison.boxes import priced
    from ipsecbench.comparison.participants import boxes_of, is_named, named
    from ipsecbench.errors import DatasetError

    if len(library.entries) == 1 and library.unreadable and baseline is None:
        raise DatasetError(f"a comparison needs two datasets, and only {library.entries[0].path} could be read")
    boxes = boxes_of(library.entries)
    if baseline is not None and not is_named(boxes, baseline) and Path(baseline).is_file():
        boxes = boxes_of([*read_places([Path(baseline)]).entries, *library.entries])
        return priced(boxes, prices_of(prices)), 0
    return priced(boxes, prices_of(prices)), _first_measured(boxes) if baseline is None else named(boxes, baseline)


def _first_measured(boxes: Sequence[Box]) -> int:
    """The first with a figure: a folder may begin with what only describes a box."""
    places = (place for place, box in enumerate(boxes) if any(row.usable for row in box.dataset.measurements))
    return next(places, 0)
