"""SVG elements as text. Every attribute and every text goes through :func:`element`, which escapes it.

No element carries a ``style`` attribute, which the page's Content-Security-Policy would refuse: looks are classes of
the page's style sheet, so that a drawing follows the light or dark theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from markupsafe import Markup, escape

from ipsecbench.report.formats import clean


class Shape(StrEnum):
    """Shape of a mark, so that series differ by more than colour."""

    CIRCLE = "circle"
    SQUARE = "square"
    TRIANGLE = "triangle"
    DIAMOND = "diamond"
    RIGHT = "right"
    LEFT = "left"
    CROSS = "cross"
    STAR = "star"


SHAPES = (Shape.CIRCLE, Shape.SQUARE, Shape.TRIANGLE, Shape.DIAMOND, Shape.CROSS, Shape.RIGHT, Shape.LEFT)
"""Shapes in the order in which series take them."""

NARROWEST_WHISKER = 12.0
"""A shorter whisker would only blur the edge of its mark."""

_OUTLINES = {
    Shape.CIRCLE: "m-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0z",
    Shape.SQUARE: "m-3.8-3.8h7.6v7.6h-7.6z",
    Shape.TRIANGLE: "m0-5l4.8 8.6h-9.6z",
    Shape.DIAMOND: "m0-5.4l5.4 5.4l-5.4 5.4l-5.4-5.4z",
    Shape.RIGHT: "m5.2 0l-8.8 4.8v-9.6z",
    Shape.LEFT: "m-5.2 0l8.8 4.8v-9.6z",
    Shape.CROSS: "m-1.6-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z",
    Shape.STAR: "m0-8.5l2.3 5.4l5.8.5l-4.4 3.8l1.3 5.7l-5-3l-5 3l1.3-5.7l-4.4-3.8l5.8-.5z",
}


def number(value: float) -> str:
    """A coordinate with at most one decimal, never ``-0``."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(name: str, *children: str, **attributes: object) -> Markup:
    """One element.

    Args:
        name: the element's name, such as ``line``.
        *children: content; what is not Markup is text and is escaped.
        **attributes: ``class_`` gives ``class``, other underscores become hyphens, floats become
            coordinates, None is left out.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None:
            continue
        text = number(value) if isinstance(value, float) else clean(str(value))
        parts.append(f' {key.rstrip("_").replace("_", "-")}="{escape(text)}"')
    content = "".join(child if isinstance(child, Markup) else str(escape(clean(child))) for child in children)
    parts.append(f">{content}</{name}>" if content else "/>")
    # Everything above was escaped or built by this function.
    return Markup("".join(parts))  # noqa: S704


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return element("path", d=f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", class_=class_)


def whisker(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    """The line of an interval, across or upright, with a short stroke at either end."""
    (x1, y1), (x2, y2) = start, end
    across, upright = (0.0, 4.0) if y1 == y2 else (4.0, 0.0)
    strokes = [
        (x1, y1, x2, y2),
        *((x - across, y - upright, x + across, y + upright) for x, y in (start, end)),
    ]
    path = "".join(f"M{number(a)} {number(b)}L{number(c)} {number(d)}" for a, b, c, d in strokes)
    return element("path", d=path, class_="whisker")


def polyline(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through points."""
    return element("path", d="M" + "L".join(f"{number(x)} {number(y)}" for x, y in points), class_=class_)


def band(points: Sequence[tuple[float, float, float]], class_: str) -> Markup:
    """The area between two lines: points of x, one y and the other y."""
    outline = [(x, one) for x, one, _ in points] + [(x, other) for x, _, other in reversed(points)]
    return element("path", d="M" + "L".join(f"{number(x)} {number(y)}" for x, y in outline) + "z", class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A rectangle."""
    return element("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), class_=class_)


def label(x: float, y: float, text: str, class_: str, anchor: str | None = None) -> Markup:
    """Text whose base line starts at the point, or ends (``end``) or has its middle (``middle``) there."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def mark(x: float, y: float, shape: Shape, class_: str, title: str | None = None) -> Markup:
    """A mark with the words that a pointer resting on it shows."""
    tooltip = () if title is None else (element("title", title),)
    return element("path", *tooltip, d=f"M{number(x)} {number(y)}{_OUTLINES[shape]}", class_=class_)


def marks_path(points: Sequence[tuple[float, float]], shape: Shape, class_: str) -> Markup:
    """Marks of one shape as one element, without words of their own: for drawings that must be small."""
    return element("path", d="".join(f"M{number(x)} {number(y)}{_OUTLINES[shape]}" for x, y in points), class_=class_)


def text_width(text: str, size: float = 12.0) -> float:
    """About how wide a text is: fonts are the reader's own, so this errs on the wide side."""
    return len(text) * size * 0.6


def drawing(
    identifier: str, width: float, height: float, title: str, description: str, body: Sequence[Markup], class_: str
) -> Markup:
    """A whole drawing that a screen reader announces by its title and description."""
    return element(
        "svg",
        element("title", title, id=f"{identifier}-title"),
        element("desc", description, id=f"{identifier}-desc"),
        *body,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"{identifier}-title",
        aria_describedby=f"{identifier}-desc",
        class_=class_,
        id=identifier,
    )
