"""Figures and foreign text as readers see them. All output is the same on every machine: no locale is consulted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ipsecbench.bench.measurement import Estimate

UNKNOWN = "unknown"
"""Shown where the dataset does not say."""

# Control characters break lines out of their place; the directional ones (UAX #9) reorder the text around them.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text from outside; control characters, direction overrides and lone surrogates become U+FFFD."""
    return _SURROGATES.sub("\ufffd", _UNSAFE.sub("\ufffd", text))


def shorten(text: str, limit: int = 120) -> str:
    """Cleaned text of at most ``limit`` characters, with an ellipsis where something was cut."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def words(value: object, limit: int = 200) -> str:
    """Anything found in a dataset's environment as short text; None is ``unknown``, an empty list is ``none``."""
    if value is None or value == "":
        return UNKNOWN
    if value in ([], {}, ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return significant(value, 4)
    if isinstance(value, list | tuple | set | frozenset):
        return shorten(", ".join(words(item, limit) for item in value), limit)
    if isinstance(value, dict):
        return shorten("; ".join(f"{key}: {words(item, limit)}" for key, item in value.items()), limit)
    return shorten(str(value), limit)


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, thousands separated by commas: 8312.4 is ``8,310``."""
    if not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if not -9 <= magnitude <= 15:
        return f"{value:.{digits - 1}e}"
    rounded = round(value, digits - 1 - magnitude)
    # Rounding may carry into the next decade (9.996 becomes 10.0), which takes one decimal less.
    magnitude = math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(0, digits - 1 - magnitude)}f}"


def _rate_unit(mbit_per_second: float) -> tuple[float, str]:
    if mbit_per_second >= 999_500:
        return 1e6, "Tbit/s"
    return (1e3, "Gbit/s") if mbit_per_second >= 999.5 else (1.0, "Mbit/s")


def rate(mbit_per_second: float) -> str:
    """Throughput in the unit that keeps it short: ``512 Mbit/s``, ``8.31 Gbit/s``."""
    factor, unit = _rate_unit(mbit_per_second)
    return f"{significant(mbit_per_second / factor)} {unit}"


def rate_interval(estimate: Estimate) -> str:
    """The interval of a throughput in one unit: ``8.25–8.39 Gbit/s``."""
    factor, unit = _rate_unit(estimate.median)
    return f"{significant(estimate.lower / factor)}–{significant(estimate.upper / factor)} {unit}"


_TIME_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))


def duration(nanoseconds: float) -> str:
    """A time in the unit that keeps it short: ``412 ns``, ``17.0 µs``, ``1.20 ms``."""
    for factor, unit in _TIME_UNITS:
        if abs(nanoseconds) >= 0.9995 * factor:
            return f"{significant(nanoseconds / factor)} {unit}"
    return f"{significant(nanoseconds)} ns"


def duration_interval(estimate: Estimate) -> str:
    """The interval of a time in the unit of its median."""
    for factor, unit in (*_TIME_UNITS, (1.0, "ns")):
        if abs(estimate.median) >= 0.9995 * factor or factor == 1.0:
            return f"{significant(estimate.lower / factor)}–{significant(estimate.upper / factor)} {unit}"
    return UNKNOWN


def frequency(hz: float) -> str:
    """A clock rate: ``2.60 GHz``."""
    return f"{hz / 1e9:.2f} GHz" if hz >= 1e9 else f"{hz / 1e6:.0f} MHz"


_TRAILING_ZEROS = re.compile(r"(\.\d*?)0+(?=\D|$)")


def trim(text: str) -> str:
    """A number's text without zeros at the end of its decimals: ``1.50 µs`` is ``1.5 µs``."""
    return _TRAILING_ZEROS.sub(lambda found: found[1] if found[1] != "." else "", text)


def rate_tick(mbit_per_second: float) -> str:
    """Throughput beside an axis whose title says bit/s: ``500 M``, ``2 G``."""
    return trim(rate(mbit_per_second)).removesuffix("bit/s") if mbit_per_second else "0"


def duration_tick(nanoseconds: float) -> str:
    """A time beside an axis: ``500 ns``, ``1.5 µs``."""
    return trim(duration(nanoseconds)) if nanoseconds else "0"


def percent(fraction: float, digits: int = 1) -> str:
    """A share: 0.023 is ``2.3%``."""
    return f"{fraction * 100:.{digits}f}%"


def _ratio_decimals(value: float) -> int:
    """Three significant digits, and three decimals near 1, where the third decides."""
    if 0.9 <= value < 1.1 or not (value > 0 and math.isfinite(value)):
        return 3
    return min(max(2 - math.floor(math.log10(value)), 0), 9)


def ratio(value: float) -> str:
    """How many times as much: ``0.951``, ``1.42``, ``12.3``."""
    return f"{value:,.{_ratio_decimals(value)}f}"


def ratio_interval(estimate: Estimate) -> str:
    """The interval of a ratio with the decimals of its median: ``1.38–1.46``."""
    decimals = _ratio_decimals(estimate.median)
    return f"{estimate.lower:,.{decimals}f}–{estimate.upper:,.{decimals}f}"


def ratio_tick(value: float) -> str:
    """A ratio beside an axis: ``0.95``, ``1``, ``2``."""
    return trim(ratio(value))


def signed_percent(fraction: float, digits: int = 1) -> str:
    """A change: -0.023 is ``−2.3%``."""
    return f"{fraction * 100:+.{digits}f}%".replace("-", "−")


def span(seconds: float) -> str:
    """A life in the largest units that say it exactly: 43200 is ``12 h``, 5400 is ``1 h 30 min``."""
    left = round(seconds)
    parts = []
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    # A life of one day is spoken of in hours.
    return "24 h" if parts == ["1 d"] else " ".join(parts) or "0 s"


_MIX_TITLES = {"imix-simple": "IMIX 7:4:1", "imix-csit": "IMIX 28:16:4"}


def size_title(size_bytes: int | None, mix: str | None) -> str:
    """A packet size or mix for people: ``1,400 B``, ``IMIX 7:4:1``."""
    if mix is not None:
        return _MIX_TITLES.get(mix, shorten(mix, 24))
    return f"{size_bytes:,} B" if size_bytes is not None else "any size"


def sentence(text: str) -> str:
    """Text with a capital first letter where its first word is a plain word, not a name such as ``aes128``."""
    word = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if word.isalpha() and word.islower() else text


def listing(items: Iterable[str], word: str = "and", empty: str = "none") -> str:
    """Words joined as in a sentence: ``a, b and c``."""
    parts = list(items)
    if len(parts) < 2:
        return parts[0] if parts else empty
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
