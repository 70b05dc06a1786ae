"""All ratios at once, in order: where the curve leaves the band of noise, something differs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ipsecbench.bench.measurement import Estimate
from ipsecbench.comparison.model import Outcome
from ipsecbench.report.drawing.scales import Scale, ratio_scale
from ipsecbench.report.drawing.svg import box, drawing, element, label, line, number, text_width
from ipsecbench.report.formats import ratio_tick

HEIGHT = 170.0
"""Height of the plot's own area."""
CLASSES = {
    Outcome.FASTER: "faster",
    Outcome.SLOWER: "slower",
    Outcome.NO_DIFFERENCE: "same",
    Outcome.WITHIN_NOISE: "same",
}
"""Style class of each outcome."""


def draw_ratio_curve(
    ratios: Sequence[tuple[Estimate, Outcome]],
    noise: float,
    identifier: str,
    title: str,
    description: str,
    width: float,
    class_: str,
) -> Markup:
    """The ratios from the smallest to the largest, each with its interval.

    Args:
        ratios: in any order.
        noise: half the width of the band around 1.
        identifier: the drawing's id.
        title: its title for screen readers.
        description: what it shows.
        width: its width.
        class_: style class of the drawing.
    """
    ordered = sorted(ratios, key=lambda one: one[0].median)
    ends = [end for speed, _ in ordered for end in (speed.lower, speed.upper)]
    top, bottom = 22.0, 22.0 + HEIGHT
    y = ratio_scale(ends, bottom, top, 1 + 2 * noise)
    left = 14.0 + max(text_width(ratio_tick(value), 11) for value in y.ticks())
    right = width - 8.0
    body = [
        box(left, y(1 + noise), right - left, y(1 / (1 + noise)) - y(1 + noise), "noise"),
        *_axis(y, left, right),
        *_marks(ordered, y, left, right),
        label(2.0, 12.0, "box : baseline", "axis"),
        label(left, bottom + 16, "slowest", "tick"),
        label(right, bottom + 16, "fastest", "tick", "end"),
        label((left + right) / 2, bottom + 16, f"{len(ordered):,} rows in order", "axis", "middle"),
    ]
    return drawing(identifier, width, bottom + 24, title, description, body, class_)


def _axis(y: Scale, left: float, right: float) -> list[Markup]:
    parts: list[Markup] = []
    for value in y.ticks():
        parts.append(line(left, y(value), right, y(value), "one" if value == 1 else "grid"))
        parts.append(label(left - 6, y(value) + 4, ratio_tick(value), "tick", "end"))
    return parts


def _marks(ordered: Sequence[tuple[Estimate, Outcome]], y: Scale, left: float, right: float) -> list[Markup]:
    """One path for the intervals and one for the medians of each class: thousands of rows stay small."""
    step = (right - left) / max(len(ordered), 1)
    half = min(step * 0.4, 4.0)
    whiskers: dict[str, list[str]] = {}
    medians: dict[str, list[str]] = {}
    for index, (speed, outcome) in enumerate(ordered):
        x = left + (index + 0.5) * step
        name = CLASSES[outcome]
        low, high = y(speed.lower), y(speed.upper)
        whiskers.setdefault(name, []).append(f"M{number(x)} {number(low)}V{number(high)}")
        medians.setdefault(name, []).append(f"M{number(x - half)} {number(y(speed.median))}h{2 * half:.2f}")
    return [
        element("path", d="".join(parts), class_=f"{kind} {name}")
        for kind, group in (("spread", whiskers), ("middle", medians))
        for name, parts in group.items()
    ]
