"""What importers share: numbers as people print them, the facts of a box as ``environment.hardware``, libraries."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from ipsecbench.importers.text import Text

_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_PLAIN = re.compile(r"^\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?$")
_LONGEST_NUMBER = 40


def number(text: str) -> float | None:
    """A number as it is printed: ``1,234.5``, ``1234.5``, or ``1162,2`` where the comma is the decimal sign.

    A comma before exactly three digits parts thousands; None where the text is no number, or one beyond every measure.
    """
    text = text.strip()
    if len(text) > _LONGEST_NUMBER:
        return None
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    value = float(text.replace(",", ".")) if _PLAIN.match(text) else math.inf
    return value if math.isfinite(value) else None


def decimal(text: str) -> float | None:
    """A number whose comma, if it has one, is the decimal sign whatever follows it, such as ``1162,2`` MiB/s."""
    return number(text.strip().replace(",", "."))


def box(
    *,
    model: str | None = None,
    architecture: str | None = None,
    cores: int | None = None,
    device: str | None = None,
    kernel: str | None = None,
    operating_system: str | None = None,
) -> dict[str, Any]:
    """What a text says of its box, with the keys of docs/hardware.md; what it does not say is left out."""
    cpu: dict[str, Any] = {"model": model, "architecture": architecture, "cores": cores}
    platform: dict[str, Any] = {"device_model": device, "kernel_release": kernel, "operating_system": operating_system}
    parts = {"cpu": cpu, "platform": platform}
    known = {name: {key: value for key, value in part.items() if value} for name, part in parts.items()}
    return {name: part for name, part in known.items() if part}


def library(
    provider: str, version: str | None, *, cpu_settings: str | None = None, note: str | None = None
) -> dict[str, Any]:
    """An entry of ``environment.libraries`` for what a text says of the library that was measured."""
    return {
        "provider": provider,
        "status": "loaded",
        "path": None,
        "version": version,
        "modules": [],
        "cpu_settings": cpu_settings,
        "note": note,
    }


MOST_RUNS = 10_000
"""Runs of a tool in one text."""
LONGEST_TOOL_LINE = 600
"""Characters of a line that a tool prints; what is longer was not printed by one, and only its beginning is read."""


def tool_lines(text: Text, first: int = 1, last: int | None = None) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, bounded, so that no pattern is tried on a line without end."""
    end = len(text.lines) if last is None else last
    for place in range(first, end + 1):
        yield place, text.lines[place - 1][:LONGEST_TOOL_LINE]
