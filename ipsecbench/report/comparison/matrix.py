"""The matrix of algorithm and box: each figure, its ratio to the baseline, and the verdicts on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ipsecbench.bench.measurement import Measurement, Workload
from ipsecbench.comparison.model import Outcome
from ipsecbench.dataset.model import is_unfit
from ipsecbench.dataset.source import Worth
from ipsecbench.report.comparison.rows import Figures, Kind, Size, View, figure_of, verdict_kind
from ipsecbench.report.formats import ratio, ratio_interval, shorten, significant

BOXES_DOWN_FROM = 6
"""From so many boxes on, boxes are rows and algorithms are columns."""
_MOST_CELLS = 2400
"""Cells of the first matrix at most, so that a page of many boxes stays small."""
_MOST_CELLS_LATER = 900
"""The same for each of the others."""
_MOST_COLUMNS = 40
_FEWEST_COLUMNS = 5
CLASSES: Mapping[Outcome, str] = {
    Outcome.FASTER: "up",
    Outcome.SLOWER: "down",
    Outcome.NO_DIFFERENCE: "even",
    Outcome.WITHIN_NOISE: "even",
}
"""Style class of each outcome."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict's short sign in tables, and what it stands for."""

    letter: str
    """Its sign."""
    code: str
    """Its code."""
    worth: str
    """``doubt`` or ``unfit``."""
    title: str
    """What it says."""
    figures: int
    """How many figures of the page have it."""


class Marks:
    """Signs for the verdicts that are more than notes, the most frequent first."""

    def __init__(self, figures: Figures) -> None:
        count = Counter(code for row in figures.rows.values() for one in row.values() for code in one.flags)
        codes = [code for code, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))]
        codes = [code for code in codes if verdict_kind(code).worth is not Worth.NOTE]
        self.listed = tuple(
            Mark(
                _letter(place), shorten(code, 60), verdict_kind(code).worth.value, verdict_kind(code).title, count[code]
            )
            for place, code in enumerate(codes)
        )
        self._by_code = dict(zip(codes, self.listed, strict=True))

    def of(self, row: Measurement) -> str:
        """The badge of a figure, such as ``doubt a c``; empty where there is none."""
        marks = [self._by_code[code] for code in row.flags if code in self._by_code]
        worth = "unfit" if any(mark.worth == "unfit" for mark in marks) else "doubt"
        return f"{worth} {' '.join(mark.letter for mark in marks)}" if marks else ""

    def letters(self) -> Mapping[str, str]:
        """Letter by code."""
        return {code: mark.letter for code, mark in self._by_code.items()}


def _letter(place: int) -> str:
    first, second = divmod(place, 26)
    return (chr(96 + first) if first else "") + chr(97 + second)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One figure."""

    text: str = "–"
    """The figure; a dash where there is none."""
    sort: float | None = None
    """The figure as a number."""
    against: str = ""
    """Ratio, interval and verdict, or why there is none."""
    class_: str = ""
    """Style class of the verdict."""
    badge: str = ""
    """Verdicts on the figure."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The figures of one view at one size."""

    kind: Kind
    """What they are."""
    views: tuple[View, ...]
    """The views that the reader can choose; the first is shown."""
    size: Size | None
    """The size shown."""
    boxes: tuple[int, ...]
    """Numbers of the boxes that have figures of this kind."""
    shown: tuple[int, ...]
    """Those of them that have a figure that is shown."""
    columns: tuple[str, ...]
    """The algorithms shown."""
    cells: Mapping[tuple[int, str], MatrixCell] = field(repr=False)
    """By box and algorithm."""
    left_out: int = 0
    """Algorithms that have no column for want of room."""

    @property
    def identifier(self) -> str:
        """Id within the page."""
        return f"matrix-{self.kind.identifier}"


def most_columns(boxes: int, place: int, room: float) -> int:
    """How many algorithms a matrix of so many boxes has room for.

    Args:
        boxes: how many.
        place: which of the page's matrices it is; the first has more room.
        room: share of the usual room.
    """
    cells = (_MOST_CELLS_LATER if place else _MOST_CELLS) * room
    return max(_FEWEST_COLUMNS, min(_MOST_COLUMNS, int(cells) // max(boxes, 1)))


def matrices(figures: Figures, marks: Marks, room: float = 1.0) -> tuple[Matrix, ...]:
    """One matrix for each kind of which two boxes have figures; of the kinds that one box alone has there is none."""
    found: list[Matrix] = []
    for kind, views in figures.views.items():
        having = {number for view in views for work in figures.of_view(view).values() for number in figures.rows[work]}
        if len(having) > 1:
            most = most_columns(len(having), len(found), room)
            found.append(_matrix(figures, kind, views, tuple(sorted(having)), marks, most))
    return tuple(found)


def _matrix(
    figures: Figures, kind: Kind, views: tuple[View, ...], boxes: tuple[int, ...], marks: Marks, most: int
) -> Matrix:
    view = views[0]
    size = figures.best_size(view)
    rows = figures.of_view(view)
    columns = figures.columns(view, most)
    everything = len({column for column, _ in rows})
    cells = {}
    for column in columns:
        workload = rows.get((column, size))
        if workload is None:
            continue
        for number in boxes:
            row = figures.rows[workload].get(number)
            if row is not None:
                cells[number, column] = _cell(figures, number, workload, row, marks)
    having = {number for number, _ in cells}
    shown = tuple(number for number in boxes if number in having)
    return Matrix(kind, views, size, boxes, shown, columns, cells, everything - len(columns))


def _cell(figures: Figures, number: int, workload: Workload, row: Measurement, marks: Marks) -> MatrixCell:
    ns = row.ns_per_operation
    if ns is None:
        return MatrixCell()
    shown = figure_of(workload, ns).median
    against, class_ = _against(figures, number, workload, row)
    return MatrixCell(significant(shown), float(f"{shown:.6g}"), against, class_, marks.of(row))


def _against(figures: Figures, number: int, workload: Workload, row: Measurement) -> tuple[str, str]:
    """What stands below a figure, and its class."""
    if number == 0:
        return ("not compared", "even") if is_unfit(row) else ("baseline", "even")
    one = figures.ratios.get((number, workload))
    if one is not None:
        speed = one.speed
        words = f"{ratio(speed.median)} ({ratio_interval(speed)}) {one.outcome}"
        return words, CLASSES[one.outcome]
    return ("refused", "even") if (number, workload) in figures.refused else ("no baseline", "even")
