"""Figures as text."""

from __future__ import annotations

from math import floor, log10

from ipsecbench.bench.measurement import Estimate


def rate(mbit_per_second: float) -> str:
    """A rate, such as ``64.0 kbit/s``, ``688 Mbit/s`` or ``3.21 Gbit/s``."""
    if mbit_per_second >= 1e6:
        return f"{significant(mbit_per_second / 1e6)} Tbit/s"
    if mbit_per_second < 0.001:
        return f"{significant(mbit_per_second * 1e6)} bit/s"
    if mbit_per_second < 0.1:
        return f"{significant(mbit_per_second * 1e3)} kbit/s"
    if mbit_per_second >= 10_000:
        return f"{mbit_per_second / 1e3:.1f} Gbit/s"
    if mbit_per_second >= 1000:
        return f"{mbit_per_second / 1e3:.2f} Gbit/s"
    return f"{significant(mbit_per_second)} Mbit/s"


def rate_interval(value: Estimate) -> str:
    """A rate with its interval, such as ``688 [676–699] Mbit/s``."""
    if value.median >= 1000:
        return f"{value.median / 1e3:.2f} [{value.lower / 1e3:.2f}–{value.upper / 1e3:.2f}] Gbit/s"
    return f"{significant(value.median)} [{significant(value.lower)}–{significant(value.upper)}] Mbit/s"


def microseconds(value: Estimate) -> str:
    """A time with its interval, such as ``64 [63–65] µs`` or ``1.2 [1.1–1.3] ms``."""
    if value.median >= 1000:
        low, mid, high = (significant(part / 1e3) for part in (value.lower, value.median, value.upper))
        return f"{mid} [{low}–{high}] ms"
    return f"{significant(value.median)} [{significant(value.lower)}–{significant(value.upper)}] µs"


def milliseconds(value: Estimate) -> str:
    """A time in milliseconds without its unit and interval, such as ``1.92``."""
    return significant(value.median / 1e3)


def percent(value: Estimate) -> str:
    """A percentage with its interval, such as ``11% [9–13]``."""
    digits = 1 if abs(value.median) < 10 else 0
    return f"{value.median:.{digits}f}% [{value.lower:.{digits}f} to {value.upper:.{digits}f}]"


def chance(share: float) -> str:
    """A chance from draws, which never say that something is certain: ``55%``, ``>99%``, ``<1%``."""
    if share > 0.995:
        return ">99%"
    return "<1%" if share < 0.005 else f"{share:.0%}"


def small_percent(share: float) -> str:
    """A share as a percentage with two digits, however small, such as ``0.0041%`` or ``12%``."""
    value = share * 100
    if value >= 10:
        return f"{value:.0f}%"
    if value <= 0:
        return "0%"
    return f"{value:.{max(0, 1 - floor(log10(value)))}f}%"


def significant(value: float) -> str:
    """Three significant digits without an exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def seconds(value: float) -> str:
    """A duration, such as ``0.067 s``, ``42 min`` or ``13 days``."""
    for limit, divisor, unit in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172_800.0, 3600.0, "hours")):
        if value < limit:
            return f"{value / divisor:.3g} {unit}"
    return f"{value / 86400:.0f} days" if value < 86400 * 3650 else "more than 10 years"


def octets(value: float) -> str:
    """An amount of data in powers of 10, such as ``12.2 TB``."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} bytes"
