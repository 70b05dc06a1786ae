"""Dot plots: one row per thing, one mark per series, a whisker for the confidence interval of each mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ipsecbench.bench.measurement import Estimate
from ipsecbench.report.drawing.legend import legend, series_class
from ipsecbench.report.drawing.scales import Scale, linear_scale, logarithmic_scale, ratio_scale
from ipsecbench.report.drawing.svg import NARROWEST_WHISKER, Shape, box, drawing, label, line, mark, text_width, whisker

ROW_HEIGHT = 25.0
"""Height of a row whose name stands beside it."""
NARROW_ROW_HEIGHT = 40.0
"""Height of a row whose name stands above it."""
_GOAL_CLEARANCE = 26.0
_DODGE = 4.5


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a dot plot."""

    name: str
    """What the row is about."""
    estimates: tuple[Estimate | None, ...]
    """One per series; None where nothing was measured."""
    highlighted: bool = False
    """Whether the row is the recommended one."""
    group: str | None = None
    """Heading above the row, where it differs from the row before."""


@dataclass(frozen=True, slots=True)
class DotPlot:
    """What a dot plot shows, apart from its size."""

    series: tuple[tuple[str, Shape], ...]
    """Name and shape of each series."""
    rows: tuple[Row, ...]
    """The rows from top to bottom."""
    axis: str
    """What the axis shows, with its unit."""
    tick: Callable[[float], str]
    """Words for a value of the axis."""
    value: Callable[[float], str]
    """The same in full, for a pointer that rests on a mark."""
    logarithmic: bool = False
    """Whether the axis is logarithmic."""
    dodged: bool = False
    """Whether the marks of a row stand a little below each other, so that overlapping whiskers can be told apart."""
    joined: bool = False
    """Whether the marks of a row are joined by a line, which shows the distance between them."""
    goal: float | None = None
    """Value to mark across all rows."""
    goal_label: str = ""
    """What the value is."""
    noise: float | None = None
    """Where the values are ratios: those nearer to 1 than this lie in a band of noise, and the axis has 1 in it."""

    def values(self) -> list[float]:
        """Every value that the axis must hold."""
        ends = [
            value
            for row in self.rows
            for estimate in row.estimates
            if estimate is not None
            for value in (estimate.lower, estimate.upper)
        ]
        return ends if self.goal is None else [*ends, self.goal]


def draw_dot_plot(plot: DotPlot, identifier: str, title: str, description: str, width: float, class_: str) -> Markup:
    """The plot as a drawing.

    Args:
        plot: what to show.
        identifier: the drawing's id.
        title: its title for screen readers.
        description: what it shows, in a sentence or two.
        width: its width; below 500 the names of the rows stand above them.
        class_: style class of the drawing.
    """
    narrow = width < 500
    names = max((text_width(row.name) + (18 if row.highlighted else 0) for row in plot.rows), default=0)
    left = 10.0 if narrow else min(max(names + 16, 90.0), 250.0)
    right = width - 22.0
    scale = _scale(plot, left, right, narrow)
    key, key_height = legend(plot.series, 2.0 if narrow else left, 0.0, width - 4)
    top = key_height + (50 if plot.goal is not None else 36)
    heights = _row_tops(plot.rows, top, narrow)
    bottom = heights[-1]
    body = [*key, *_noise(plot, scale, top, bottom), *_axis(plot, scale, top, bottom, width, narrow)]
    for row, y in zip(plot.rows, heights, strict=False):
        body.extend(_row(plot, row, y, scale, width, narrow))
    body.extend(_group_titles(plot.rows, heights, narrow))
    return drawing(identifier, width, bottom + 8, title, description, body, class_)


def _scale(plot: DotPlot, left: float, right: float, narrow: bool) -> Scale:
    if plot.noise is not None:
        return ratio_scale(plot.values(), left, right, 1 + 2 * plot.noise, 5 if narrow else 9)
    return (logarithmic_scale if plot.logarithmic else linear_scale)(plot.values(), left, right)


def _noise(plot: DotPlot, scale: Scale, top: float, bottom: float) -> list[Markup]:
    """The band of noise around 1, and the line at 1."""
    if plot.noise is None:
        return []
    low, high = scale(1 / (1 + plot.noise)), scale(1 + plot.noise)
    return [box(low, top - 4, high - low, bottom - top + 4, "noise"), line(scale(1), top - 4, scale(1), bottom, "one")]


def _row_tops(rows: Sequence[Row], top: float, narrow: bool) -> list[float]:
    """Upper edge of each row, and the lower edge of the last."""
    tops, y, group = [], top, None
    for row in rows:
        if row.group is not None and row.group != group:
            y += 24
            group = row.group
        tops.append(y)
        y += NARROW_ROW_HEIGHT if narrow else ROW_HEIGHT
    return [*tops, y]


def _group_titles(rows: Sequence[Row], tops: Sequence[float], narrow: bool) -> list[Markup]:
    parts: list[Markup] = []
    group = None
    for row, y in zip(rows, tops, strict=False):
        if row.group is not None and row.group != group:
            parts.append(label(2.0, y - 7, row.group, "group"))
            group = row.group
    return parts


def _axis(plot: DotPlot, scale: Scale, top: float, bottom: float, width: float, narrow: bool) -> list[Markup]:
    ticks = scale.ticks(4 if narrow else 8)
    parts = [line(scale(value), top - 4, scale(value), bottom, "grid") for value in ticks]
    heading = top - (36 if plot.goal is not None else 22)
    parts.append(label(2.0 if narrow else scale.start, heading, plot.axis, "axis"))
    for value in ticks:
        if plot.goal is not None and abs(scale(value) - scale(plot.goal)) < _GOAL_CLEARANCE:
            continue
        parts.append(_tick_label(scale(value), top - 8, plot.tick(value), width))
    if plot.goal is not None:
        x = scale(plot.goal)
        parts.append(line(x, top - 24, x, bottom, "goal"))
        anchor = "end" if x > (scale.start + scale.end) / 2 else None
        parts.append(label(x - 4 if anchor else x + 4, top - 22, plot.goal_label, "goal-label", anchor))
    return parts


def _tick_label(x: float, baseline: float, text: str, width: float) -> Markup:
    """Words over a tick, moved inwards where they would leave the drawing."""
    half = text_width(text, 11) / 2
    if x + half > width:
        return label(width - 1, baseline, text, "tick", "end")
    return label(1.0, baseline, text, "tick") if x - half < 0 else label(x, baseline, text, "tick", "middle")


def _row(plot: DotPlot, row: Row, top: float, scale: Scale, width: float, narrow: bool) -> list[Markup]:
    height = NARROW_ROW_HEIGHT if narrow else ROW_HEIGHT
    y = top + (27 if narrow else ROW_HEIGHT / 2)
    parts: list[Markup] = []
    if row.highlighted:
        parts.append(box(0.0, top + 1, width, height - 2, "highlight"))
    parts.append(line(scale.start, y, scale.end, y, "rule"))
    name_x, baseline = (20.0 if row.highlighted else 2.0, top + 14) if narrow else (scale.start - 12, y + 4)
    parts.append(
        label(name_x, baseline, row.name, "name chosen" if row.highlighted else "name", None if narrow else "end")
    )
    if row.highlighted:
        star_x = 9.0 if narrow else 12.0
        parts.append(mark(star_x, baseline - 4, Shape.STAR, "star"))
    known = [estimate for estimate in row.estimates if estimate is not None]
    if not known:
        parts.append(label(scale.start + 6, y + 4, "not measured", "tick"))
        return parts
    if plot.joined and len(known) > 1:
        medians = [scale(estimate.median) for estimate in known]
        parts.append(line(min(medians), y, max(medians), y, "join"))
    for index, estimate in enumerate(row.estimates):
        if estimate is not None:
            place = y + (index - (len(row.estimates) - 1) / 2) * 2 * _DODGE if plot.dodged else y
            parts.extend(_whisker(scale, estimate, place))
            name, shape = plot.series[index]
            words = f"{row.name}, {name}: {plot.value(estimate.median)}"
            parts.append(mark(scale(estimate.median), place, shape, series_class(index, "mark"), words))
    return parts


def _whisker(scale: Scale, estimate: Estimate, y: float) -> list[Markup]:
    low, high = scale(estimate.lower), scale(estimate.upper)
    # Narrower than its mark it would only blur the mark's edge; the table has the figures.
    if high - low < NARROWEST_WHISKER:
        return []
    return [whisker((low, y), (high, y))]
