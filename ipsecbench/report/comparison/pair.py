"""Before and after: two datasets of one box, row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ipsecbench.bench.measurement import Estimate, Workload
from ipsecbench.comparison.model import BoxComparison, Outcome, Ratio
from ipsecbench.report.box.figures import NARROW, WIDE, Figure, draw
from ipsecbench.report.box.validity import TIER_TITLES
from ipsecbench.report.comparison.ratio_curve import draw_ratio_curve
from ipsecbench.report.comparison.rows import (
    Figures,
    Kind,
    View,
    column_of,
    figure_of,
    kind_of,
    shown_size,
    size_of,
    verdict_kind,
    view_of,
)
from ipsecbench.report.comparison.verdict import by_kind
from ipsecbench.report.drawing.dot_plot import DotPlot, Row
from ipsecbench.report.drawing.plan import Plan
from ipsecbench.report.drawing.svg import Shape
from ipsecbench.report.formats import duration, listing, rate, ratio, ratio_interval, ratio_tick, shorten
from ipsecbench.report.tables import MISSING, Cell, Column, Line, Table

MOST_EXTREMES = 6
"""How many of the worst and of the best are named."""
_MOST_ROWS = 1800
"""Rows of the table; what is beyond is in the data."""
_MOST_PLOTTED = 48
_FEWEST_PLOTTED = 2
_DIRECTIONS = (
    ("outbound", "inbound"),
    ("encrypt", "decrypt"),
    ("authenticate", "verify"),
    ("generate", "agree"),
    ("sign", "verify"),
)
OUTCOME_KINDS = tuple(
    outcome.value for outcome in (Outcome.SLOWER, Outcome.FASTER, Outcome.NO_DIFFERENCE, Outcome.WITHIN_NOISE)
)
"""What the table of rows can be filtered by."""


@dataclass(frozen=True, slots=True)
class Curve:
    """All ratios of one kind in order, drawn."""

    kind: Kind
    """What they are of."""
    wide: Markup
    """Drawing for screens and paper."""
    narrow: Markup
    """The same for telephones."""


def extremes_table(box: BoxComparison, outcome: Outcome) -> Table:
    """The rows that became slowest or fastest, one for each algorithm, library and tier."""
    groups: dict[tuple[str, ...], list[Ratio]] = defaultdict(list)
    for one in box.ratios:
        if one.outcome is outcome:
            work = one.workload
            groups[work.tier, work.provider, work.algorithm].append(one)
    slower = outcome is Outcome.SLOWER
    picked = [(min if slower else max)(group, key=lambda one: one.speed.median) for group in groups.values()]
    picked.sort(key=lambda one: one.speed.median, reverse=not slower)
    counts = {
        one.workload: len(groups[one.workload.tier, one.workload.provider, one.workload.algorithm]) for one in picked
    }
    lines = tuple(
        Line(
            (
                Cell(one.workload.algorithm, note=row_words(one.workload)),
                ratio_cell(one.speed),
                Cell(f"{counts[one.workload]:,}"),
            )
        )
        for one in picked[:MOST_EXTREMES]
    )
    word = "slower" if slower else "faster"
    left = len(picked) - len(lines)
    more = f"; {left} more algorithms are in the table of all rows" if left > 0 else ""
    columns = (Column("Algorithm", code=True), Column("Ratio", numeric=True), Column(f"Rows {word}", numeric=True))
    return Table(
        f"The {word} ones: the row that changed most of each algorithm, with its 95% interval{more}", columns, lines
    )


def row_words(workload: Workload) -> str:
    """What a row is besides its algorithm: ``outbound, IMIX 7:4:1, packet loop, libcrypto``."""
    size = size_of(workload)
    parts = [workload.operation, *([shown_size(size)] if size is not None else []), TIER_TITLES[workload.tier].lower()]
    parts.append(workload.provider)
    if workload.cores > 1:
        parts.append(f"{workload.cores} cores")
    return shorten(", ".join(parts), 120)


def ratio_cell(speed: Estimate) -> Cell:
    """A ratio with its interval."""
    return Cell(ratio(speed.median), sort=round(speed.median, 5), note=ratio_interval(speed))


def kind_table(box: BoxComparison) -> Table:
    """The outcomes of each kind of row."""
    lines = tuple(
        Line(
            (
                Cell(kind.title),
                *(Cell(f"{found.outcomes[outcome]:,}") for outcome in Outcome),
                Cell(f"{found.refused:,}"),
                Cell(found.span),
            )
        )
        for kind, found in by_kind(box).items()
    )
    counted = (*(outcome.value.capitalize() for outcome in Outcome), "Refused")
    columns = (Column("Rows"), *(Column(name, numeric=True) for name in counted), Column("Ratios", numeric=True))
    return Table("Outcomes by kind of row", columns, lines)


def row_table(box: BoxComparison, base_name: str, name: str, room: float = 1.0) -> Table:
    """Every ratio, to be sorted and filtered; where there is no room for all, those that changed most."""
    most = int(_MOST_ROWS * room)
    kept = set(sorted(range(len(box.ratios)), key=lambda place: -_change(box.ratios[place]))[:most])
    lines = tuple(_row_line(one) for place, one in enumerate(box.ratios) if place in kept)
    left = len(box.ratios) - len(lines)
    caption = f"Every row of both; ratio is the rate of {name} over that of {base_name}, with its 95% interval"
    columns = (
        Column("Algorithm", code=True),
        Column("Operation"),
        Column("Size", numeric=True),
        Column("Tier"),
        Column("Library"),
        Column(base_name, numeric=True),
        Column(name, numeric=True),
        Column("Ratio", numeric=True),
        Column("Verdict"),
        Column("Doubts"),
    )
    more = f"; {left:,} more rows are in the data" if left > 0 else ""
    return Table(caption + more, columns, lines, interactive=True, kinds=OUTCOME_KINDS)


def _change(one: Ratio) -> float:
    return max(one.speed.median, 1 / one.speed.median)


def _row_line(one: Ratio) -> Line:
    work = one.workload
    size = size_of(work)
    doubts = [verdict_kind(code).title for code in one.doubts[:4]]
    cells = (
        Cell(shorten(work.algorithm, 60)),
        Cell(shorten(work.operation, 40) + (f", {work.cores} cores" if work.cores > 1 else "")),
        MISSING if size is None else Cell(shown_size(size), sort=work.mean_bytes),
        Cell(TIER_TITLES[work.tier].lower()),
        Cell(shorten(work.provider, 40)),
        _figure_cell(work, one.base_ns),
        _figure_cell(work, one.other_ns),
        ratio_cell(one.speed),
        Cell(one.outcome.value),
        Cell("; ".join(doubts)),
    )
    return Line(cells, kind=one.outcome.value)


def _figure_cell(workload: Workload, ns: Estimate) -> Cell:
    shown = figure_of(workload, ns).median
    text = rate(shown) if kind_of(workload).sized else duration(ns.median)
    return Cell(text, sort=round(ns.median, 3))


def refused_table(boxes: Sequence[tuple[str, BoxComparison]]) -> Table | None:
    """Rows that look alike and are not held against each other, by reason; None where there are none."""
    groups: dict[tuple[str, str], list[Workload]] = defaultdict(list)
    for name, box in boxes:
        for one in box.refused:
            groups[name, one.reason].append(one.workload)
    if not groups:
        return None
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    lines = tuple(
        Line((Cell(name), Cell(f"{len(works):,}"), Cell(shorten(reason, 300)), Cell(_examples(works))))
        for (name, reason), works in ordered[:200]
    )
    columns = (Column("Box"), Column("Rows", numeric=True), Column("Why no ratio is drawn"), Column("Such as"))
    return Table("Rows that look alike and are not held against each other", columns, lines)


def _examples(works: Sequence[Workload]) -> str:
    names = list(dict.fromkeys(f"{work.algorithm} {work.operation}" for work in works))
    return shorten(", ".join(names[:3]) + (", …" if len(names) > 3 else ""), 160)


def curves(box: BoxComparison, name: str, noise: float) -> tuple[Curve, ...]:
    """All ratios of each kind in order."""
    found = []
    for kind in dict.fromkeys(kind_of(one.workload) for one in box.ratios):
        some = [(one.speed, one.outcome) for one in box.ratios if kind_of(one.workload) == kind]
        if len(some) < _FEWEST_PLOTTED:
            continue
        title = f"{kind.title}: all ratios in order"
        words = f"{len(some)} ratios of {name} to the baseline from the smallest to the largest, with their intervals."
        drawn = [
            draw_ratio_curve(some, noise, f"curve-{kind.identifier}-{form}", title, words, width, f"chart {form}")
            for form, width in (("wide", WIDE), ("narrow", NARROW))
        ]
        found.append(Curve(kind, drawn[0], drawn[1]))
    return tuple(found)


def ratio_figures(figures: Figures, box: BoxComparison, noise: float) -> tuple[Figure, ...]:
    """For each kind, the ratios of its first view at one size, one row for each algorithm."""
    drawn = []
    for kind, views in figures.views.items():
        plan = _ratio_plan(figures, box, kind, views, noise)
        if plan is not None:
            drawn.append(draw(plan))
    return tuple(drawn)


def _ratio_plan(figures: Figures, box: BoxComparison, kind: Kind, views: Sequence[View], noise: float) -> Plan | None:
    compared = {one.workload for one in box.ratios}
    first = next((view for view in views if any(work in compared for work in figures.of_view(view).values())), None)
    if first is None:
        return None
    size = figures.best_size(first)
    shown = [
        one
        for one in box.ratios
        if (view := view_of(one.workload)).kind == kind
        and (view.provider, view.cores) == (first.provider, first.cores)
        and size_of(one.workload) == size
    ]
    present = list(dict.fromkeys(one.workload.operation for one in shown))
    pair = next((list(two) for two in _DIRECTIONS if kind.sized and set(two) <= set(present)), present[:1])
    series = pair if kind.sized else ["operation"]
    rows = _ratio_rows(shown, series, kind.sized)
    if len(rows) < _FEWEST_PLOTTED:
        return None
    shapes = (Shape.RIGHT, Shape.LEFT) if len(series) == 2 else (Shape.CIRCLE,)
    at = f" at {shown_size(size)}" if size is not None else ""
    left = len(rows) - _MOST_PLOTTED
    note = f"The {_MOST_PLOTTED} that changed most of {len(rows)}." if left > 0 else ""
    rows = _most_changed(rows) if left > 0 else rows
    provider = shorten(first.provider, 40)
    lead = (
        f"{kind.title} by {provider}{at}{', ' + listing(series) if kind.sized else ''}: "
        "left of the line slower than the baseline, right of it faster."
    )
    plot = DotPlot(
        tuple(zip(series if kind.sized else ("time of one operation",), shapes, strict=False)),
        tuple(rows),
        "rate, box : baseline",
        ratio_tick,
        ratio,
        dodged=len(series) == 2,
        noise=noise,
    )
    columns = (Column("Algorithm", code=True), *(Column(name.capitalize(), numeric=True) for name in series))
    lines = tuple(
        Line((Cell(row.name), *(MISSING if one is None else ratio_cell(one) for one in row.estimates))) for row in rows
    )
    whiskers = "The grey band is noise: what two runs on one box differ by. Whiskers are 95% intervals."
    table = Table(f"Ratios of {kind.title.lower()} by {provider}{at}, with 95% intervals", columns, lines)
    return Plan(f"ratios-{kind.identifier}", kind.title, lead, plot, table, f"{note} {whiskers}".strip())


def _ratio_rows(shown: Sequence[Ratio], series: Sequence[str], sized: bool) -> list[Row]:
    found: dict[str, dict[str, Estimate]] = defaultdict(dict)
    for one in shown:
        found[column_of(one.workload)][one.workload.operation if sized else series[0]] = one.speed
    rows = [
        Row(shorten(name, 44), tuple(by_series.get(each) for each in series))
        for name, by_series in found.items()
        if any(each in by_series for each in series)
    ]
    return sorted(rows, key=_smallest)


def _smallest(row: Row) -> float:
    return min(one.median for one in row.estimates if one is not None)


def _most_changed(rows: list[Row]) -> list[Row]:
    def change(row: Row) -> float:
        return max(max(one.median, 1 / one.median) for one in row.estimates if one is not None)

    kept = sorted(rows, key=change, reverse=True)[:_MOST_PLOTTED]
    return [row for row in rows if row in kept]
