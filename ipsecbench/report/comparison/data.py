"""The data within a comparison's page: every figure that fits, compact, from which the browser forms ratios anew.

See docs/comparison-page.md for the form. Figures have five significant digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ipsecbench.bench.measurement import MIXES, Estimate, Measurement, Workload, mix_mean_bytes
from ipsecbench.comparison.boxes import Ranking
from ipsecbench.comparison.joining import why_not
from ipsecbench.dataset.model import is_unfit
from ipsecbench.report.comparison.boxes import MOST_NAMED
from ipsecbench.report.comparison.matrix import Marks, Matrix
from ipsecbench.report.comparison.rows import Figures, View, column_of, shown_size, verdict_kind, view_of
from ipsecbench.report.comparison.verdict import WEIGHTY
from ipsecbench.report.embedded import script_safe
from ipsecbench.report.formats import shorten

FORMAT = "ipsecbench comparison"
"""Value of the field ``format``."""
SCHEMA_VERSION = 1
"""Version of the form."""
_DIGITS = 5
_LONGEST_FACT = 120
_MOST_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class PageData:
    """JSON for the page's data element."""

    json: Markup
    """The text."""
    note: str
    """What it holds and what was left out."""


def page_data(
    figures: Figures, shown: Sequence[Matrix], marks: Marks, ranking: Ranking | None, noise: float, budget_bytes: int
) -> PageData:
    """As many rows as the budget allows: those that the page shows first, then those that most boxes have.

    Args:
        figures: the boxes.
        shown: the matrices of the page.
        marks: signs of the verdicts.
        ranking: the answer to the question, where one was asked.
        noise: what is called noise.
        budget_bytes: most octets of JSON.
    """
    flags = _Numbered()
    rows = sorted(figures.rows, key=lambda work: _importance(figures, work, shown))
    head = _head(figures, shown, marks, ranking, noise)
    left = budget_bytes - len(_with_line_breaks(head)) - 2048
    kept: list[list[Any]] = []
    for workload in rows:
        entry = _row(workload, figures.rows[workload], flags)
        left -= len(script_safe(entry)) + 2
        if left < 0:
            break
        kept.append(entry)
    while True:
        left_out = {"rows_left_out": len(rows) - len(kept)}
        text = _with_line_breaks(head | {"flags": flags.listed, "rows": kept} | left_out)
        if len(text) <= budget_bytes or not kept:
            break
        kept = kept[: len(kept) * 9 // 10]
    return PageData(text, _note(len(rows), len(kept)))


def _with_line_breaks(document: Mapping[str, Any]) -> Markup:
    """One line for each row, so that people can read it."""
    parts = [
        Markup("%s:%s") % (script_safe(key), script_safe(value, 1 if key in ("rows", "boxes") else 0))
        for key, value in document.items()
    ]
    return Markup("{") + Markup(",\n").join(parts) + Markup("}")


def _note(rows: int, kept: int) -> str:
    what = "medians and intervals of every row of every box, without raw samples"
    if kept == rows:
        return what
    return (
        f"medians and intervals of {kept:,} of {rows:,} rows, without raw samples; the others did not fit and are in "
        "the datasets"
    )


class _Numbered:
    """Sets of verdicts, each stored once."""

    def __init__(self) -> None:
        self.listed: list[list[str]] = [[]]
        self._numbers: dict[tuple[str, ...], int] = {(): 0}

    def number(self, codes: tuple[str, ...]) -> int:
        if codes not in self._numbers:
            self._numbers[codes] = len(self.listed)
            self.listed.append([shorten(code, 60) for code in codes])
        return self._numbers[codes]


def _importance(figures: Figures, workload: Workload, shown: Sequence[Matrix]) -> tuple[object, ...]:
    """Sorts what the page shows first to the front."""
    view = view_of(workload)
    place = next((number for number, matrix in enumerate(shown) if view in matrix.views), len(shown))
    rank = shown[place].views.index(view) if place < len(shown) else 0
    column = column_of(workload)
    first = place < len(shown) and rank == 0 and column in shown[place].columns
    return not first, -len(figures.rows[workload]), rank, place, column, workload.size_bytes or 0, str(workload)


def _row(workload: Workload, having: Mapping[int, Measurement], flags: _Numbered) -> list[Any]:
    figures = []
    first_of_class: list[Measurement] = []
    for number, row in sorted(having.items()):
        ns = row.ns_per_operation
        if ns is None:
            continue
        unfit = is_unfit(row)
        # Rows of one class may be held against each other.
        class_ = next((place for place, one in enumerate(first_of_class) if why_not(one, row) is None), None)
        if class_ is None:
            class_ = len(first_of_class)
            first_of_class.append(row)
        entry = [number, *map(_short, (ns.median, ns.lower, ns.upper)), flags.number(row.flags), class_]
        if unfit:
            entry.append(1)
        while entry[-1] == 0 and len(entry) > 4:
            entry.pop()
        figures.append(entry)
    name = [workload.tier.value, workload.provider, workload.operation, workload.algorithm]
    return [*name, workload.mix or workload.size_bytes, workload.cores, figures]


def _short(value: float) -> float | int:
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _head(
    figures: Figures, shown: Sequence[Matrix], marks: Marks, ranking: Ranking | None, noise: float
) -> dict[str, Any]:
    codes = {code for row in figures.rows.values() for one in row.values() for code in one.flags}
    return {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "noise": noise,
        "mixes": {name: mix_mean_bytes(name) for name in MIXES},
        "weighty": list(WEIGHTY),
        "most_named": MOST_NAMED,
        "boxes": [_box(figures, number) for number in range(len(figures.boxes))],
        "facts": _facts(figures),
        "verdicts": {
            shorten(code, 60): [verdict_kind(code).worth.value, verdict_kind(code).title, marks.letters().get(code, "")]
            for code in sorted(codes)
        },
        "matrices": [_matrix(figures, matrix) for matrix in shown],
        "ranking": None if ranking is None else _ranking(figures, ranking),
    }


def _box(figures: Figures, number: int) -> dict[str, Any]:
    box = figures.boxes[number]
    dataset, source = box.dataset, box.dataset.source
    return {
        "name": figures.names[number],
        "title": shorten(" ".join(box.title.split()), 60),
        "file": shorten(box.file.rsplit("/", 1)[-1], 120) if box.file else None,
        "sha256": dataset.sha256,
        "created": dataset.measured_on,
        "tool": shorten(dataset.tool_version, 40),
        "source": None
        if source is None
        else {
            "format": shorten(source.format, 60),
            "file": shorten(source.file or "", 120),
            "url": shorten(source.url or "", 400),
            "licence": shorten(source.licence or "", 120),
            "sha256": source.sha256,
        },
        "price": box.price,
    }


def _facts(figures: Figures) -> dict[str, dict[str, list[Any]]]:
    """What differs between any two boxes: by name every value once, and for each box which of them it has."""
    base = {each.name: each.base for one in figures.comparison.boxes for each in one.differences}
    boxes = [base, *(base | {each.name: each.other for each in one.differences} for one in figures.comparison.boxes)]
    found: dict[str, dict[str, list[Any]]] = {}
    for name in base:
        having = [shorten(facts[name], _LONGEST_FACT) for facts in boxes]
        values = list(dict.fromkeys(having))
        places = {value: place for place, value in enumerate(values)}
        found[shorten(name, 40)] = {"values": values, "boxes": [places[value] for value in having]}
    return found


def _matrix(figures: Figures, matrix: Matrix) -> dict[str, Any]:
    return {
        "id": matrix.identifier,
        "unit": matrix.kind.unit,
        "boxes": list(matrix.boxes),
        "size": matrix.size,
        "views": [_view(figures, matrix, view) for view in matrix.views],
    }


def _view(figures: Figures, matrix: Matrix, view: View) -> dict[str, Any]:
    sizes = figures.sizes(view)
    return {
        "title": view.title,
        "key": [view.kind.tier.value, view.provider, view.operation, view.cores],
        "columns": list(matrix.columns if view == matrix.views[0] else figures.columns(view, _MOST_COLUMNS)),
        "sizes": [[size, shown_size(size)] for size in sizes],
        "size": figures.best_size(view),
    }


def _ranking(figures: Figures, ranking: Ranking) -> dict[str, Any]:
    places = {id(box): number for number, box in enumerate(figures.boxes)}

    def estimate(one: Estimate | None) -> list[float | int] | None:
        return None if one is None else [_short(one.median), _short(one.lower), _short(one.upper)]

    return {
        "policy": shorten(ranking.policy, 60),
        "goal_mbit_per_second": ranking.requirements.goal_mbit_per_second,
        "ground": ranking.ground.value,
        "answers": [
            {
                "box": places.get(id(one.box)),
                "suite": one.suite,
                "mbit_per_second": estimate(one.mbit_per_second),
                "goal_probability": one.goal_probability,
                "tier": None if one.tier is None else one.tier.value,
                "basis": shorten(one.basis, 160),
                "plane": shorten(one.plane, 160),
                "reason": None if one.reason is None else shorten(one.reason, 240),
                "price_per_mbit": one.price_per_mbit,
            }
            for one in ranking.answers
        ],
    }
