"""Tables of the report as data: the template turns every one into the same accessible markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecbench.bench.measurement import Estimate
from ipsecbench.report.formats import significant


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell."""

    text: str
    """What it says."""
    sort: float | str | None = None
    """What it is sorted by; None: its text."""
    note: str = ""
    """Small text after it, such as an interval."""
    sources: tuple[str, ...] = ()
    """Keys of the sources that it rests on."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    """Its heading."""
    numeric: bool = False
    """Whether its cells are figures, which stand at the right."""
    code: bool = False
    """Whether its cells are names of algorithms."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row; its first cell is its heading."""

    cells: tuple[Cell, ...]
    """Its cells."""
    chosen: bool = False
    """Whether it is about what is recommended."""
    kind: str = ""
    """What a filter can select it by."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    caption: str
    """What it holds; read out before the table."""
    columns: tuple[Column, ...]
    """Its columns."""
    lines: tuple[Line, ...]
    """Its rows."""
    interactive: bool = False
    """Whether it can be sorted and filtered where scripts run."""
    kinds: tuple[str, ...] = ()
    """What it can be filtered by."""
    hint: str = ""
    """What can be written into its filter, where that is no name of an algorithm."""


MISSING = Cell("–", sort=-1.0)
"""Stands where there is no figure; sorts below every figure."""


def estimate_cell(estimate: Estimate | None, factor: float = 1.0) -> Cell:
    """A median with its interval, divided by ``factor``."""
    if estimate is None:
        return MISSING
    note = f"{significant(estimate.lower / factor)}–{significant(estimate.upper / factor)}"
    return Cell(significant(estimate.median / factor), sort=estimate.median / factor, note=note)


def median_cell(estimate: Estimate | None, factor: float = 1.0) -> Cell:
    """A median alone."""
    if estimate is None:
        return MISSING
    return Cell(significant(estimate.median / factor), sort=estimate.median / factor)


def text_cells(values: Sequence[str]) -> tuple[Cell, ...]:
    """Cells of plain text."""
    return tuple(Cell(value) for value in values)
