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
