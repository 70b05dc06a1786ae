"""Tables and counts of signatures, key agreement and encapsulation."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ipsecbench.bench.published import Unit
from ipsecbench.importers import names
from ipsecbench.importers.readers.openssl_speed.lines import KeyCount, Line

_TIME = re.compile(r"^-?(?:\d{1,9}\.\d{1,9}|inf|nan)s$")
_RATE = re.compile(r"^-?(?:\d{1,12}\.\d{1,9}|inf|nan)$")
_RSA = re.compile(r"^(rsa|dsa)\s+(\d+) bits?$", re.IGNORECASE)
_CURVE = re.compile(r"^(\d+) bits? (ecdsa|ecdh|EdDSA|SM2|EC|ffdh)(?: \(([\w.-]+)\))?$", re.IGNORECASE)
_NAME = re.compile(r"^[\w./-]+$")
_HEADING = re.compile(r"^(?:sign|op|keygen)\s+\S")
_NIST_SINGLE = {160: "secp160r1", 192: "nistp192", 224: "nistp224", 521: "nistp521", 253: "X25519", 448: "X448"}
"""Curves that the number of bits alone names in every version."""
_NIST_BEFORE_BRAINPOOL = {256: "nistp256", 384: "nistp384"}
"""Those that it names until OpenSSL 1.1.0, which had no Brainpool curves yet."""


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """How often a key is used in a second, or how long it takes."""

    line: int
    operation: str
    algorithm: str
    value: float
    unit: Unit
    is_consistent: bool = True
    """Whether time and rate of the row agree."""
    is_coarse: bool = False
    """Whether it is printed with fewer than three digits."""
    is_total_of: int = 0
    """Of how many children it is the sum that this reader made; 0 where ``speed`` printed it."""


def is_heading(text: str) -> bool:
    """Whether a line is the heading of such a table."""
    return _HEADING.match(text) is not None and ("/s" in text or "keygen" in text)


def row_figures(line: Line, heading: str | None) -> tuple[KeyFigure, ...]:
    """The figures of a row, one for each operation; empty for any other line.

    Args:
        line: the line.
        heading: the heading above it: of algorithms that have nothing but a name, it alone says what their columns are.
    """
    words = line.text.split()
    rates = _trailing(words, _RATE)
    seconds = _trailing(words[: len(words) - len(rates)], _TIME)
    label = " ".join(words[: len(words) - len(rates) - len(seconds)])
    if not rates or len(seconds) != len(rates):
        return ()
    named = _operations(label, heading)
    if named is None or len(rates) > len(named[0]):
        return ()
    return tuple(
        _figure(line.number, operation, named[1], time.removesuffix("s"), rate)
        for operation, time, rate in zip(named[0], seconds, rates, strict=False)
    )


def count_figure(count: KeyCount) -> KeyFigure | None:
    """The figure of a count; None where the count does not say which curve it is about."""
    what = count.what.lower()
    words = what.split()
    named = _counted(count, words)
    if named is None or count.count <= 0 or count.seconds <= 0:
        return None
    return KeyFigure(count.line, *named, count.count / count.seconds, Unit.OPERATIONS)


def curve_of(index: int, bits: int) -> str | None:
    """Name of the curve that ``-mr`` names by its place and size only; builds without binary curves have other
    places."""
    for layout in _LAYOUTS:
        if index < len(layout) and layout[index][1] == bits:
            return layout[index][0]
    return None


_PRIME = (
    ("secp160r1", 160),
    ("nistp192", 192),
    ("nistp224", 224),
    ("nistp256", 256),
    ("nistp384", 384),
    ("nistp521", 521),
)
_BINARY = tuple((f"nist{kind}{bits}", bits) for kind in "kb" for bits in (163, 233, 283, 409, 571))
_BRAINPOOL = tuple((f"brainpoolP{bits}{kind}", bits) for bits in (256, 384, 512) for kind in ("r1", "t1"))
_MONTGOMERY = (("X25519", 253), ("X448", 448))
_NEWEST = (("Ed25519", 253), ("Ed448", 456), ("X25519", 253), ("X448", 448), ("SM2", 256), ("curveSM2", 256))
_LAYOUTS = (
    (*_PRIME, *_BINARY, *_BRAINPOOL, *_MONTGOMERY),
    (*_PRIME, *_BINARY, *_MONTGOMERY),
    (*_PRIME, *_BRAINPOOL, *_MONTGOMERY),
    (*_PRIME, *_BINARY, *_BRAINPOOL, *_NEWEST),
    (*_PRIME, *_BRAINPOOL, *_NEWEST),
)
"""OpenSSL 1.1.1 to 3.6, until 1.1.0, without binary curves, 4.0, and 4.0 without them."""


def _trailing(words: list[str], pattern: re.Pattern[str]) -> list[str]:
    """The words at the end that all are of one kind."""
    begin = len(words)
    while begin and pattern.match(words[begin - 1]):
        begin -= 1
    return words[begin:]


def _operations(label: str, heading: str | None) -> tuple[tuple[str, ...], str] | None:
    """What the columns of a row are, and the algorithm."""
    match = _RSA.match(label)
    if match is not None:
        return ("sign", "verify", "encrypt", "decrypt"), f"{match[1].lower()}-{match[2]}"
    match = _CURVE.match(label)
    if match is not None:
        bits, kind, curve = match[1], match[2].lower(), match[3]
        if kind == "ffdh":
            return ("agree",), f"modp{bits}"
        if curve is None:
            return None
        return (
            (("agree",), names.key_exchange(curve)) if kind == "ecdh" else (("sign", "verify"), names.signature(curve))
        )
    if heading is None or not heading.startswith("keygen") or _NAME.match(label) is None:
        return None
    if "encaps" in heading:
        return ("generate", "encapsulate", "decapsulate"), names.encapsulation(label)
    return ("generate", "sign", "verify"), names.normal_name(label)


def _figure(line: int, operation: str, algorithm: str, time: str, rate: str) -> KeyFigure:
    """The more exact of time and rate: rates have one digit after the point, times four or six."""
    agree = _agree(float(time), _places(time), float(rate), _places(rate))
    if _digits(time) > _digits(rate):
        return KeyFigure(line, operation, algorithm, float(time), Unit.SECONDS, agree)
    return KeyFigure(line, operation, algorithm, float(rate), Unit.OPERATIONS, agree)


def _agree(time: float, time_places: int, rate: float, rate_places: int) -> bool:
    if not (math.isfinite(time) and math.isfinite(rate)):
        return True
    half_time, half_rate = 0.51 * 10.0**-time_places, 0.51 * 10.0**-rate_places
    return (time - half_time) * (rate - half_rate) <= 1.0 <= (time + half_time) * (rate + half_rate)


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def _digits(text: str) -> int:
    """Significant digits."""
    return len(text.replace(".", "").lstrip("-0"))


def _counted(count: KeyCount, words: list[str]) -> tuple[str, str] | None:
    """Operation and algorithm of a count."""
    bits = count.bits
    if bits is None:
        return _counted_by_name(words)
    if "rsa" in words:
        step = "encrypt" if "encrypt" in words else "decrypt" if "decrypt" in words else None
        return step or ("sign" if "private" in words else "verify"), f"rsa-{bits}"
    if "dsa" in words:
        return ("sign" if "sign" in words else "verify"), f"dsa-{bits}"
    if "ffdh" in words:
        return "agree", f"modp{bits}"
    signs = "sign" in words or "verify" in words
    curve: str | None = words[-1]
    if curve in ("ecdsa", "ecdh", "op"):
        curve = _NIST_SINGLE.get(bits) or (None if count.says_bits else _NIST_BEFORE_BRAINPOOL.get(bits))
    if curve is None:
        return None
    if not signs:
        return "agree", names.key_exchange(curve)
    return ("sign" if "sign" in words else "verify"), names.signature(curve)


def _counted_by_name(words: list[str]) -> tuple[str, str] | None:
    """``ML-KEM-768 encaps`` and ``ML-DSA-65 signs``; a key generation is of either kind."""
    if len(words) != 2:
        return None
    step = {
        "encaps": "encapsulate",
        "decaps": "decapsulate",
        "keygen": "generate",
        "signs": "sign",
        "verify": "verify",
    }.get(words[1])
    return None if step is None else (step, names.encapsulation(words[0]))
