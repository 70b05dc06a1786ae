"""Throughput by packet size, one small drawing for each box, all with the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ipsecbench.bench.measurement import Estimate
from ipsecbench.report.drawing.legend import series_class
from ipsecbench.report.drawing.scales import Scale, logarithmic_scale
from ipsecbench.report.drawing.svg import SHAPES, drawing, element, label, line, marks_path, number, polyline
from ipsecbench.report.formats import rate_tick

WIDTH, HEIGHT = 250.0, 150.0
"""Of one drawing."""
MOST_SERIES = 3
"""Lines of a drawing."""
_NARROWEST = 5.0
_TOP, _BOTTOM, _LEFT, _RIGHT = 8.0, 20.0, 40.0, 8.0


@dataclass(frozen=True, slots=True)
class Axes:
    """What all drawings of a group share."""

    x: Scale
    """Octets."""
    y: Scale
    """10^6 bit/s."""
    sizes: tuple[int, ...]
    """Octets to label."""
    goal: float | None
    """10^6 bit/s that are wanted."""


Lines = Sequence[Mapping[int, Estimate]]
"""For each series the throughput by size."""


def shared_axes(boxes: Sequence[Lines], goal: float | None) -> Axes | None:
    """Axes that hold every line of every box; None where there is nothing to draw."""
    sizes = sorted({size for lines in boxes for one in lines for size in one})
    if len(sizes) < 2:
        return None
    values = [end for lines in boxes for one in lines for rate in one.values() for end in (rate.lower, rate.upper)]
    bottom = HEIGHT - _BOTTOM
    y = logarithmic_scale(values if goal is None else [*values, goal], bottom, _TOP)
    x = Scale(sizes[0] / 1.15, sizes[-1] * 1.15, _LEFT, WIDTH - _RIGHT, logarithmic=True)
    return Axes(x, y, _labelled(sizes, x), goal)


def _labelled(sizes: Sequence[int], x: Scale) -> tuple[int, ...]:
    """As many of the sizes as have room for their labels, both ends among them."""
    kept = [sizes[0]]
    for size in sizes[1:-1]:
        if x(size) - x(kept[-1]) > 34 and x(sizes[-1]) - x(size) > 34:
            kept.append(size)
    return (*kept, sizes[-1])


def draw_multiple(lines: Lines, reference: Lines, axes: Axes, identifier: str, title: str, description: str) -> Markup:
    """One box's drawing.

    Args:
        lines: its lines, in the order of the series.
        reference: the first line of the baseline, drawn in grey behind them; empty for none.
        axes: what all drawings share.
        identifier: the drawing's id.
        title: its title for screen readers.
        description: what it shows.
    """
    body = [*_axes(axes)]
    if reference:
        body.append(element("path", d=_path(reference[0], axes), class_="reference"))
    for index, one in reversed(list(enumerate(lines))):
        if one:
            body += _series(index, one, axes)
    return drawing(identifier, WIDTH, HEIGHT, title, description, body, "chart multiple")


def _path(rates: Mapping[int, Estimate], axes: Axes) -> str:
    points = [(axes.x(size), axes.y(rates[size].median)) for size in sorted(rates)]
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) if points else "M0 0"


def _axes(axes: Axes) -> list[Markup]:
    x, y = axes.x, axes.y
    parts: list[Markup] = []
    for value in y.ticks(4):
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(label(x.start - 5, y(value) + 4, rate_tick(value), "tick", "end"))
    for size in axes.sizes:
        at_end = size == axes.sizes[-1]
        parts.append(
            label(x.end if at_end else x(size), y.start + 15, f"{size:,}", "tick", "end" if at_end else "middle")
        )
    if axes.goal is not None:
        parts.append(line(x.start, y(axes.goal), x.end, y(axes.goal), "goal"))
    return parts


def _series(index: int, rates: Mapping[int, Estimate], axes: Axes) -> list[Markup]:
    points = [(axes.x(size), axes.y(rates[size].median)) for size in sorted(rates)]
    parts = [polyline(points, series_class(index, "line"))] if len(points) > 1 else []
    whiskers = "".join(
        f"M{number(axes.x(size))} {number(low)}V{number(high)}"
        for size in sorted(rates)
        if (low := axes.y(rates[size].lower)) - (high := axes.y(rates[size].upper)) > _NARROWEST
    )
    if whiskers:
        parts.append(element("path", d=whiskers, class_="whisker"))
    parts.append(marks_path(points, SHAPES[index], series_class(index, "mark")))
    return parts
