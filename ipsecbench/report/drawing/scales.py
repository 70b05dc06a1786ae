"""Axes: from values to positions, and where the ticks are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis between two positions of the drawing."""

    low: float
    """Value at ``start``."""
    high: float
    """Value at ``end``."""
    start: float
    """Position of ``low``, in units of the drawing."""
    end: float
    """Position of ``high``."""
    logarithmic: bool = False
    """Whether equal distances are equal ratios."""
    labelled: tuple[float, ...] = ()
    """Values to label instead of what the axis would choose."""

    def __call__(self, value: float) -> float:
        """Position of a value; one outside the axis is drawn at its end."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 7) -> list[float]:
        """Round values to label, at most about ``most`` of them."""
        if self.labelled:
            return list(self.labelled)
        return _decade_ticks(self.low, self.high, most) if self.logarithmic else _even_ticks(self.low, self.high, most)


def linear_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """A linear axis from zero to a round value that holds all values."""
    high = max((value for value in values if math.isfinite(value)), default=1.0)
    high = high if high > 0 else 1.0
    step = _step(high, 6)
    return Scale(0.0, math.ceil(high * 1.0001 / step) * step, start, end)


def logarithmic_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """A logarithmic axis that holds all positive values, from and to 1, 2 or 5 times a power of ten."""
    usable = [value for value in values if value > 0 and math.isfinite(value)]
    low, high = (min(usable), max(usable)) if usable else (1.0, 10.0)
    low, high = _round_down(low / 1.05), _round_up(high * 1.05)
    # Less than a decade looks like a linear axis and misleads.
    while high / low < 9.9:
        low, high = _round_down(low * 0.99), _round_up(high * 1.01)
    return Scale(low, high, start, end, logarithmic=True)


_RATIO_STEPS = (
    (0.98, 0.99, 1.0, 1.01, 1.02),
    (0.96, 0.98, 1.0, 1.02, 1.04),
    (0.9, 0.95, 1.0, 1.05, 1.1),
    (0.8, 0.9, 1.0, 1.1, 1.25),
    (0.67, 0.8, 1.0, 1.25, 1.5),
    (0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0),
    (0.25, 0.5, 1.0, 2.0, 4.0),
    (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0),
    (0.01, 0.1, 1.0, 10.0, 100.0),
    (1e-4, 1e-2, 1.0, 1e2, 1e4),
    (1e-8, 1e-4, 1.0, 1e4, 1e8),
)


def ratio_scale(values: Iterable[float], start: float, end: float, least: float = 1.05, most: int = 7) -> Scale:
    """A logarithmic axis of ratios that has 1 in it.

    Args:
        values: what it must hold.
        start: position of its low end.
        end: position of its high end.
        least: how far it reaches at least to both sides of 1, so that noise does not look like a difference.
        most: at most so many values are labelled.
    """
    usable = [value for value in values if value > 0 and math.isfinite(value)]
    low = min([1 / least, *(value / 1.02 for value in usable)])
    high = max([least, *(value * 1.02 for value in usable)])
    inside = ([step for step in steps if low <= step <= high] for steps in _RATIO_STEPS)
    # The finest steps of which there are not too many; those that have more than 1 alone, if any do.
    fitting = [steps for steps in inside if len(steps) <= most] or [[1.0]]
    widest = max(fitting, key=lambda steps: (steps[-1] / steps[0], len(steps)))
    return Scale(low, high, start, end, logarithmic=True, labelled=tuple(widest))


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return max((step * power for step in (1, 2, 5) if step * power <= value), default=power)


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return min(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _step(width: float, most: int) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that needs at most ``most`` steps."""
    power = 10.0 ** math.floor(math.log10(width / most))
    return next(step * power for step in (1, 2, 5, 10) if width / (step * power) <= most)


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    step = _step(high - low, most)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _decade_ticks(low: float, high: float, most: int) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        values = [step * 10.0**exponent for exponent in exponents for step in steps]
        inside = [value for value in values if low * 0.999 <= value <= high * 1.001]
        if len(inside) <= most:
            return inside
    every = math.ceil(len(inside) / most)
    return inside[::every]
