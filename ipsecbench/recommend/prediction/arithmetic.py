"""Arithmetic of medians with intervals. Ends of intervals are combined as if all were wrong the same way (cautious)."""

from __future__ import annotations

from collections.abc import Iterable

from ipsecbench.bench.measurement import Estimate

ZERO = Estimate(0.0, 0.0, 0.0)


def total(parts: Iterable[Estimate]) -> Estimate:
    """The sum."""
    median = lower = upper = 0.0
    for part in parts:
        median, lower, upper = median + part.median, lower + part.lower, upper + part.upper
    return Estimate(median, lower, upper)


def scaled(value: Estimate, factor: float) -> Estimate:
    """The value times a positive factor."""
    return Estimate(value.median * factor, value.lower * factor, value.upper * factor)


def inverse(value: Estimate, numerator: float) -> Estimate:
    """A numerator over the value, which must be positive."""
    return Estimate(numerator / value.median, numerator / value.upper, numerator / value.lower)


def ratio(one: Estimate, other: Estimate) -> Estimate:
    """One value over another, both positive."""
    return Estimate(one.median / other.median, one.lower / other.upper, one.upper / other.lower)


def product(one: Estimate, other: Estimate) -> Estimate:
    """One value times another, both positive."""
    return Estimate(one.median * other.median, one.lower * other.lower, one.upper * other.upper)


def smaller(one: Estimate, other: Estimate) -> Estimate:
    """The smaller of two, end by end."""
    return Estimate(min(one.median, other.median), min(one.lower, other.lower), min(one.upper, other.upper))


def larger(one: Estimate, other: Estimate) -> Estimate:
    """The larger of two, end by end."""
    return Estimate(max(one.median, other.median), max(one.lower, other.lower), max(one.upper, other.upper))


def negated(value: Estimate) -> Estimate:
    """The value with its sign turned, so that the least cost becomes the greatest score."""
    return Estimate(-value.median, -value.upper, -value.lower)


def percent_change(new: Estimate, old: Estimate) -> Estimate:
    """By how many percent the new value differs from the old one."""
    quotient = ratio(new, old)
    return Estimate((quotient.median - 1) * 100, (quotient.lower - 1) * 100, (quotient.upper - 1) * 100)
