"""Blocks of prose and tables: what a screen and Markdown are both made from."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.cli.screen.text_table import TextCell, TextColumn


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; its text may come from outside."""

    text: str
    """What it says."""
    label: str = ""
    """A word before it."""
    colour: str = ""
    """Its colour where there is some."""


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table."""

    title: str
    """What it holds."""
    columns: tuple[TextColumn, ...]
    """Its columns."""
    rows: tuple[tuple[TextCell, ...], ...]
    """Its rows."""


Block = Prose | TableBlock
