"""The whole answer as plain text, for a screen that can be scrolled: ``ipsecbench recommend --full``."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ipsecbench.algorithms.sources import Source
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report.answer.sections import Block, Verbatim, answer_sections, answer_title, cited
from ipsecbench.report.formats import clean
from ipsecbench.report.tables import Cell, Column, Table

_GAP = "  "
_LEAST_TEXT = 24
"""Columns that a column of text keeps; a table that has less room is written as a list."""


def full_text(
    answer: Recommendation, width: int = 100, policy: str | None = None, peer_dataset: str | None = None
) -> str:
    """The whole answer.

    Args:
        answer: the recommendation.
        width: columns to wrap at; a name that is longer stays whole.
        policy: name or path by which the policy was asked for.
        peer_dataset: path of the other end's dataset.
    """
    sections = answer_sections(answer, policy, peer_dataset)
    lines = _wrapped(answer_title(answer), width)
    for section in sections:
        lines += ["", "", section.title.upper()]
        for block in section.blocks:
            lines += ["", *_block(block, width)]
    known = cited(sections)
    if known:
        lines += ["", "", "SOURCES", ""]
        lines += [line for key, source in known.items() for line in _wrapped(_source(key, source), width, "  ")]
    return "\n".join(line.rstrip() for line in lines)


def _block(block: Block, width: int) -> list[str]:
    if isinstance(block, Table):
        return [*_wrapped(f"{block.caption}:", width), *_table(block, width)]
    if isinstance(block, Verbatim):
        return [f"  {clean(line)}" for line in block.text.rstrip("\n").split("\n")]
    return [line for each in block.reasons for line in _wrapped(f"- {_cited(each.text, each.sources)}", width, "  ")]


def _source(key: str, source: Source | None) -> str:
    if source is None:
        return key
    doubt = " (not verified)" if source.unverified else ""
    return f"{key}: {source.title}{doubt}" + (f", {source.location}" if source.location else "")


def _cited(text: str, keys: tuple[str, ...]) -> str:
    return f"{text} [{', '.join(keys)}]" if keys else text


def _table(table: Table, width: int) -> list[str]:
    rows = [[_cell(*pair) for pair in zip(line.cells, table.columns, strict=True)] for line in table.lines]
    marks = ["*" if line.chosen else " " for line in table.lines]
    titles = [column.title for column in table.columns]
    # Headings may take several lines; only their longest word counts.
    words = [max(title.split(), key=len) for title in titles]
    widths = [max(map(len, column)) for column in zip(words, *rows, strict=True)]
    over = 2 + sum(widths) + len(_GAP) * (len(widths) - 1) - width
    if over > 0:
        widest = max(range(len(widths)), key=lambda index: (not table.columns[index].numeric, widths[index]))
        widths[widest] -= over
        if widths[widest] < _LEAST_TEXT:
            return _list(rows, marks, titles, width)
    lines = _lines(" ", titles, widths, table.columns)
    for mark, row in zip(marks, rows, strict=True):
        lines += _lines(mark, row, widths, table.columns)
    return lines


def _lines(mark: str, row: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> list[str]:
    """One row, whose cells may take several lines."""
    cells = [_wrapped(text, size) or [""] for text, size in zip(row, widths, strict=True)]
    found = []
    for index in range(max(map(len, cells))):
        parts = []
        for cell, size, column in zip(cells, widths, columns, strict=True):
            text = cell[index] if index < len(cell) else ""
            parts.append(text.rjust(size) if column.numeric else text.ljust(size))
        found.append((f"{mark} " if index == 0 else "  ") + _GAP.join(parts))
    return found


def _list(rows: Sequence[Sequence[str]], marks: Sequence[str], titles: Sequence[str], width: int) -> list[str]:
    """A table that has no room side by side: each row as its name and what is said of it."""
    found = []
    for mark, row in zip(marks, rows, strict=True):
        found += _wrapped(f"{mark} {row[0]}", width, "  ")
        for title, text in zip(titles[1:], row[1:], strict=True):
            found += _wrapped(f"    {title}: {text}", width, "      ")
    return found


def _cell(cell: Cell, column: Column) -> str:
    note = "" if not cell.note else f" [{cell.note}]" if column.numeric else f" ({cell.note})"
    return _cited(f"{' '.join(clean(cell.text).split())}{note}", cell.sources)


def _wrapped(text: str, width: int, more: str = "") -> list[str]:
    # Control characters go first: what is left of them must not become a line break again.
    return textwrap.wrap(clean(text), width, subsequent_indent=more, break_long_words=False, break_on_hyphens=False)
