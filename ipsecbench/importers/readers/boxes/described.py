"""Datasets that only describe a box: no figure, but what it is."""

from __future__ import annotations

import re

from ipsecbench.hardware.detection import Hardware
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

_EXCERPT = re.compile(r"\b(?:excerpt|one CPU|first CPU|cut after|identical)\b", re.IGNORECASE)
_HEADER_LINES = 12


def name_of(text: Text) -> str:
    """What stands for the root of a box's files that came as a text."""
    return printable(text.name or "text")


def described(text: Text, format_name: str, hardware: Hardware, is_cut: bool) -> Sheet:
    """A sheet with the description of a box and nothing else.

    Args:
        text: what was read.
        format_name: its format.
        hardware: the box.
        is_cut: the text itself shows that a part is missing.
    """
    sheet = Sheet(text, format_name, hardware=hardware.to_dict())
    sheet.device = text.header.get("device") or hardware.platform.device_model or hardware.cpu.system
    if sheet.device is None:
        sheet.verdict("device-unknown", "the text does not say which box it is of")
    mark_excerpt(sheet, is_cut)
    return sheet


def mark_excerpt(sheet: Sheet, is_cut: bool) -> None:
    """Say that the text is an excerpt, where it shows it or whoever kept it says so in its header."""
    header = " ".join(line for line in sheet.text.lines[:_HEADER_LINES] if line.startswith("#"))
    said = _EXCERPT.search(header)
    if is_cut:
        sheet.verdict("cut-short", "a part of the text is missing: processors or lines")
    elif said is not None:
        sheet.verdict("cut-short", f"its header says {said[0]!r}")
