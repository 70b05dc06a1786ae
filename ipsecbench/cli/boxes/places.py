"""Datasets that a command takes many of: read all, name those that could not be read."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ipsecbench.library.reading import Library

MOST_NAMED = 20
"""Files named that could not be read; of the others only their number."""

Places = Annotated[
    list[Path], typer.Argument(metavar="DATASET", help="Datasets (*.ipsecbench.json, also .gz) and folders of them.")
]


def read_places(places: Sequence[Path]) -> Library:
    """Read datasets and folders; what could not be read is named on standard error.

    Raises:
        DatasetError: nothing could be read.
    """
    from ipsecbench.errors import DatasetError
    from ipsecbench.library.reading import read_library

    library = read_library(places)
    gc.freeze()  # what was read stays until the end: nobody need go through it again and again
    bad = library.unreadable
    if not library.entries:
        if len(bad) == 1:
            raise DatasetError(f"{bad[0].path}: {bad[0].reason}")
        _name(library)
        raise DatasetError(f"none of {len(bad)} files and folders could be read")
    _name(library)
    return library


def _name(library: Library) -> None:
    from ipsecbench.cli.screen.text_blocks import plain

    bad = library.unreadable
    for one in bad[:MOST_NAMED]:
        typer.echo(f"not read: {plain(f'{one.path}: {one.reason}')}", err=True)
    if len(bad) > MOST_NAMED:
        typer.echo(f"not read: {len(bad) - MOST_NAMED} more", err=True)
