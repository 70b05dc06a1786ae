"""Keys of drawings: each series' mark beside its name, laid out in as many lines as the width needs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ipsecbench.report.drawing.svg import Shape, label, line, mark, text_width

LINE_HEIGHT = 20.0
"""Height of one line of a key."""


def series_class(index: int, prefix: str) -> str:
    """Style class of a series: ``mark s2`` or ``line s2``; the style sheet has eight series."""
    return f"{prefix} s{index % 8}"


def legend(
    entries: Sequence[tuple[str, Shape]], left: float, top: float, right: float, lines: bool = False
) -> tuple[list[Markup], float]:
    """The key of the series, in order.

    Args:
        entries: name and shape of each series.
        left: where the key starts.
        top: its upper edge.
        right: where it must end.
        lines: whether each mark sits on a piece of its series' line.

    Returns:
        The marks and names, and the height that they take.
    """
    swatch = 30.0 if lines else 16.0
    parts: list[Markup] = []
    x, y = left, top + LINE_HEIGHT / 2
    for index, (name, shape) in enumerate(entries):
        width = swatch + text_width(name) + 16
        if x > left and x + width > right:
            x, y = left, y + LINE_HEIGHT
        if lines:
            parts.append(line(x, y, x + swatch - 6, y, series_class(index, "line")))
        # A star is what is recommended, in whatever series.
        class_ = "star" if shape is Shape.STAR else series_class(index, "mark")
        parts.append(mark(x + (swatch - 6) / 2, y, shape, class_))
        parts.append(label(x + swatch, y + 4, name, "key"))
        x += width
    return parts, y + LINE_HEIGHT / 2 - top if entries else 0.0
