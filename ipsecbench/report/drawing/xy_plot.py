"""Plots of one quantity against another: lines with marks at what was measured, or marks alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from markupsafe import Markup

from ipsecbench.bench.measurement import Estimate
from ipsecbench.report.drawing.legend import legend, series_class
from ipsecbench.report.drawing.scales import Scale, linear_scale, logarithmic_scale
from ipsecbench.report.drawing.svg import (
    NARROWEST_WHISKER,
    Shape,
    band,
    drawing,
    label,
    line,
    mark,
    polyline,
    text_width,
    whisker,
)

PLOT_HEIGHT = 290.0
"""Height of the plot's own area."""


def exact(value: float) -> Estimate:
    """A value that is known, not measured: its interval has no width."""
    return Estimate(value, value, value)


@dataclass(frozen=True, slots=True)
class Point:
    """One measured point."""

    x: Estimate
    """Horizontal value."""
    y: Estimate
    """Vertical value."""
    title: str
    """Words for a pointer that rests on it."""
    tag: str | None = None
    """Text beside the mark."""
    chosen: bool = False
    """Whether it is the recommended one."""


@dataclass(frozen=True, slots=True)
class Series:
    """Marks of one kind, with or without a line."""

    name: str
    """What it is."""
    shape: Shape
    """Shape of its marks."""
    points: tuple[Point, ...]
    """Its points."""
    path: tuple[tuple[float, float], ...] = ()
    """The line that belongs to it, as values; none where empty."""
    band: tuple[tuple[float, float, float], ...] = ()
    """The interval of the line: horizontal value, lower end, upper end."""


@dataclass(frozen=True, slots=True)
class XyPlot:
    """What such a plot shows, apart from its size."""

    series: tuple[Series, ...]
    """The series."""
    x_axis: str
    """What the horizontal axis shows, with its unit."""
    y_axis: str
    """What the vertical axis shows, with its unit."""
    x_tick: Callable[[float], str]
    """Words for a horizontal value."""
    y_tick: Callable[[float], str]
    """Words for a vertical value."""
    x_ticks: tuple[float, ...] = ()
    """Horizontal values to label; none lets the axis choose."""
    y_ticks: tuple[float, ...] = ()
    """Vertical values to label; none lets the axis choose."""
    x_logarithmic: bool = False
    """Whether the horizontal axis is logarithmic."""
    guide: tuple[tuple[float, float], ...] = ()
    """A dashed line for comparison."""
    guide_label: str = ""
    """What the guide is; stands at its last point."""
    goal: float | None = None
    """Horizontal value to mark."""
    goal_label: str = ""
    """What that value is."""
    height: float = PLOT_HEIGHT
    """Height of the plot's own area."""


def draw_xy_plot(plot: XyPlot, identifier: str, title: str, description: str, width: float, class_: str) -> Markup:
    """The plot as a drawing; arguments as of :func:`ipsecbench.report.drawing.dot_plot.draw_dot_plot`."""
    narrow = width < 500
    lines = any(series.path for series in plot.series)
    entries = [(series.name, series.shape) for series in plot.series]
    key, top = legend(entries, 2.0, 0.0, width - 4, lines=lines)
    top += 34
    bottom = top + plot.height
    y_scale = linear_scale(_y_values(plot), bottom, top)
    y_ticks = list(plot.y_ticks) or y_scale.ticks(6)
    left = 12.0 + max(text_width(plot.y_tick(value), 11) for value in y_ticks)
    scale = logarithmic_scale if plot.x_logarithmic else linear_scale
    x_scale = scale(_x_values(plot), left, width - 20.0)
    body = [*key, *_horizontal_axis(plot, x_scale, y_scale, narrow, width)]
    body.extend(_vertical_axis(plot, x_scale, y_scale, y_ticks))
    tags = _Tags(left=left, right=width - 2)
    if plot.guide:
        points = [(x_scale(x), y_scale(y)) for x, y in plot.guide]
        body.append(polyline(points, "guide"))
    if plot.guide and plot.guide_label:
        body.append(label(points[-1][0] - 6, points[-1][1] - 8, plot.guide_label, "tick", "end"))
    for index, series in enumerate(plot.series):
        if series.band:
            area = [(x_scale(x), y_scale(lower), y_scale(upper)) for x, lower, upper in series.band]
            body.append(band(area, series_class(index, "band")))
    # The first series is drawn last, on top of the others.
    for index, series in reversed(list(enumerate(plot.series))):
        if series.path:
            body.append(polyline([(x_scale(x), y_scale(y)) for x, y in series.path], series_class(index, "line")))
    for index, series in reversed(list(enumerate(plot.series))):
        for point in series.points:
            body.extend(_mark(index, series, point, x_scale, y_scale))
            low, x, high = (x_scale(value) for value in (point.x.lower, point.x.median, point.x.upper))
            tags.occupy(low, x, high, y_scale(point.y.median))
    for series in plot.series:
        for point in series.points:
            if point.tag:
                body.append(tags.place(x_scale(point.x.median), y_scale(point.y.median), point.tag, point.chosen))
    return drawing(identifier, width, bottom + 44, title, description, body, class_)


def _x_values(plot: XyPlot) -> list[float]:
    values = [end for series in plot.series for point in series.points for end in (point.x.lower, point.x.upper)]
    values += [x for series in plot.series for x, _ in series.path]
    values += [x for x, _ in plot.guide]
    return values if plot.goal is None else [*values, plot.goal]


def _y_values(plot: XyPlot) -> list[float]:
    values = [point.y.upper for series in plot.series for point in series.points]
    values += [y for series in plot.series for _, y in series.path]
    values += [upper for series in plot.series for _, _, upper in series.band]
    return [*values, *(y for _, y in plot.guide), *plot.y_ticks]


def _vertical_axis(plot: XyPlot, x_scale: Scale, y_scale: Scale, ticks: list[float]) -> list[Markup]:
    parts: list[Markup] = []
    for value in ticks:
        y = y_scale(value)
        parts.append(line(x_scale.start, y, x_scale.end, y, "grid"))
        parts.append(label(x_scale.start - 6, y + 4, plot.y_tick(value), "tick", "end"))
    parts.append(label(2.0, y_scale.end - 14, plot.y_axis, "axis"))
    return parts


def _horizontal_axis(plot: XyPlot, x_scale: Scale, y_scale: Scale, narrow: bool, width: float) -> list[Markup]:
    top, bottom = y_scale.end, y_scale.start
    parts: list[Markup] = []
    for value in plot.x_ticks or x_scale.ticks(4 if narrow else 8):
        x = x_scale(value)
        parts.append(line(x, top, x, bottom, "grid"))
        at_end = x > width - 36
        parts.append(
            label(width - 2 if at_end else x, bottom + 16, plot.x_tick(value), "tick", "end" if at_end else "middle")
        )
    parts.append(line(x_scale.start, bottom, x_scale.end, bottom, "base"))
    parts.append(label(x_scale.end, bottom + 36, plot.x_axis, "axis", "end"))
    if plot.goal is not None:
        x = x_scale(plot.goal)
        parts.append(line(x, top - 4, x, bottom, "goal"))
        anchor = "end" if x > (x_scale.start + x_scale.end) / 2 else None
        parts.append(label(x - 4 if anchor else x + 4, bottom - 8, plot.goal_label, "goal-label", anchor))
    return parts


def _mark(index: int, series: Series, point: Point, x_scale: Scale, y_scale: Scale) -> list[Markup]:
    x, y = x_scale(point.x.median), y_scale(point.y.median)
    parts: list[Markup] = []
    low, high = x_scale(point.x.lower), x_scale(point.x.upper)
    if high - low >= NARROWEST_WHISKER:
        parts.append(whisker((low, y), (high, y)))
    low, high = y_scale(point.y.lower), y_scale(point.y.upper)
    if low - high >= NARROWEST_WHISKER:
        parts.append(whisker((x, low), (x, high)))
    if point.chosen:
        parts.append(mark(x, y, Shape.STAR, "star", point.title))
    else:
        parts.append(mark(x, y, series.shape, series_class(index, "mark"), point.title))
    return parts


@dataclass(slots=True)
class _Tags:
    """Puts names beside marks where they cover no other mark or name."""

    left: float
    right: float
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def occupy(self, low: float, x: float, high: float, y: float) -> None:
        """Keeps names off a mark and its horizontal whisker."""
        self.taken.append((min(low, x - 5), y - 5, max(high, x + 5), y + 5))

    def place(self, x: float, y: float, text: str, strong: bool) -> Markup:
        """The name of a mark at the first free place around it; right of it where none is free."""
        width = text_width(text, 11)
        places: list[tuple[float, float, str | None]] = [
            (x + 9, y + 4, None),
            (x - 9, y + 4, "end"),
            (x, y - 10, "middle"),
            (x, y + 18, "middle"),
            (x + 7, y - 10, None),
            (x - 7, y - 10, "end"),
            (x + 7, y + 18, None),
            (x - 7, y + 18, "end"),
            (x, y - 24, "middle"),
            (x, y + 32, "middle"),
        ]
        for at, baseline, anchor in places:
            start = at - (width if anchor == "end" else width / 2 if anchor == "middle" else 0)
            area = (start, baseline - 10, start + width, baseline + 3)
            if (
                start >= self.left
                and start + width <= self.right
                and not any(map(lambda other: _overlap(area, other), self.taken))
            ):
                break
        else:
            at, baseline, anchor = places[0]
            area = (at, baseline - 10, at + width, baseline + 3)
        self.taken.append(area)
        return label(at, baseline, text, "tag chosen" if strong else "tag", anchor)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
