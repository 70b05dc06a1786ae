"""Settings of a graphical interface as a table: which page, which field, which value, and the product's key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field to fill in."""

    label: str
    """What the page calls it."""
    value: str
    """What the page shows when it is set."""
    key: str
    """Where the product keeps it, with the value that it has there, as ``key=value``; empty for none."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, or one part of it."""

    title: str
    """Its place in the menus."""
    fields: tuple[Field, ...]
    """What to fill in, from the top."""


def table(pages: Iterable[Page]) -> str:
    """The pages as text, one field a line, columns parted by bars."""
    written = list(pages)
    fields = [field for page in written for field in page.fields]
    label = max(len(field.label) for field in fields)
    value = max(len(field.value) for field in fields)
    text = ""
    for page in written:
        text += f"[{page.title}]\n"
        for field in page.fields:
            text += f"{field.label:<{label}} | {field.value:<{value}} | {field.key}".rstrip() + "\n"
        text += "\n"
    return text.rstrip("\n") + "\n"
