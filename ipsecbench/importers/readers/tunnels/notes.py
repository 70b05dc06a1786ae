"""What the note beside a tunnel's figure says: by direction, a range, the median of how many, whose figure it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ipsecbench.importers.figures import number
from ipsecbench.importers.sheet import printable

_NUMBER = r"(\d{1,7}(?:\.\d{1,6})?)"
_DIRECTIONS = re.compile(rf"{_NUMBER}\s*/\s*{_NUMBER}\s*(?:Mbit/s|Mbps|Mb/s)?\s*by direction", re.I)
_MEDIAN = re.compile(rf"median of (\d{{1,4}}),?\s*min {_NUMBER},?\s*max {_NUMBER}", re.I)
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|–|to|\.\.)\s*{_NUMBER}")
_MIDPOINT = re.compile(r"mid-?point entered", re.I)
_AVERAGE = re.compile(r"average of (\d{1,4})", re.I)
_BEST = re.compile(r"(?:highest|best) of (\d{1,4})|\bup to\b", re.I)
_ENGINE = re.compile(r"hardware acceleration|\bengine\b|\boffload", re.I)
_NOT_USED = re.compile(r"(?:acceleration|engine|offload)\w* (?:is )?(?:not in use|not used|disabled|off)", re.I)
_VENDOR = re.compile(r"vendor(?:'s)?(?: own)? figure|data ?sheet", re.I)
_TOOL = re.compile(r"\b(iperf3|iperf2?|ntttcp|netperf|pkt-gen|trex|nuttcp)\b", re.I)
_WITHOUT = re.compile(rf"{_NUMBER}\s*(?:Mbit/s|Mbps) without encryption", re.I)
_DELAY = re.compile(rf"{_NUMBER} ms latency", re.I)
_INNER = re.compile(r"(\d{2,5}) B packet\b")
_FRAME = re.compile(r"(\d{2,5}) B (?:clear )?frame\b")
_FREEBSD = re.compile(r"FreeBSD (?:fbsd)?(\d[\w.-]*|[\w.-]+)", re.I)
_NIC = re.compile(r"\bNIC ([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Note:
    """What a note says."""

    others: tuple[float, ...] = ()
    """Figures in Mbit/s beside the row's own: both directions, the ends of a range, the least and the greatest."""
    is_instead: bool = False
    """Whether these are what was measured, and the row's own figure is one of them or their middle."""
    is_engine: bool = False
    """Whether an engine beside the processor did the work."""
    operating_system: str | None = None
    """Such as ``FreeBSD 11.0``."""
    detail: dict[str, Any] = field(default_factory=dict)
    """Facts for the row."""
    verdicts: tuple[tuple[str, str], ...] = ()
    """Codes and messages."""


def read_note(text: str) -> Note:
    """What a note says; anything at all is accepted."""
    note = printable(text, 500)
    if not note:
        return Note()
    detail: dict[str, Any] = {"note": note}
    verdicts: list[tuple[str, str]] = []
    others, is_instead = _others(note, detail, verdicts)
    for name, pattern in (("tool", _TOOL), ("nic", _NIC)):
        if (found := pattern.search(note)) is not None:
            detail[name] = found[1]
    facts = (
        ("without_encryption_mbps", _WITHOUT),
        ("latency_ms", _DELAY),
        ("packet_bytes", _INNER),
        ("frame_bytes", _FRAME),
    )
    for name, pattern in facts:
        if (found := pattern.search(note)) is not None:
            detail[name] = float(found[1])
    if (mean := _AVERAGE.search(note)) is not None:
        detail["average_of"] = int(mean[1])
    if _BEST.search(note):
        verdicts.append(("best-of-runs", f"its note says: {note[:100]}"))
    if _VENDOR.search(note):
        verdicts.append(("vendor-figure", "the vendor's own figure"))
    system = _FREEBSD.search(note)
    return Note(
        others,
        is_instead,
        bool(_ENGINE.search(note)) and not _NOT_USED.search(note),
        None if system is None else f"FreeBSD {system[1]}",
        detail,
        tuple(verdicts),
    )


def _others(note: str, detail: dict[str, Any], verdicts: list[tuple[str, str]]) -> tuple[tuple[float, ...], bool]:
    by_direction, spread, ends = _DIRECTIONS.search(note), _MEDIAN.search(note), _RANGE.search(note)
    if by_direction is not None:
        pair = _pair(by_direction[1], by_direction[2])
        detail["by_direction_mbps"] = list(pair)
        return pair, True
    if spread is not None:
        detail["median_of"] = int(spread[1])
        return _pair(spread[2], spread[3]), False
    if _MIDPOINT.search(note) and ends is not None:
        verdicts.append(("range-midpoint", "a range was published; its ends are taken as two figures"))
        return _pair(ends[1], ends[2]), True
    return (), False


def _pair(first: str, second: str) -> tuple[float, float]:
    return number(first) or 0.0, number(second) or 0.0
