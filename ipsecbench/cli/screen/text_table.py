"""Tables of a screen: aligned columns, as narrow as the terminal, in colour where it has some."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from ipsecbench.cli.screen.text_blocks import plain

USUAL_WIDTH = 100
"""Columns where there is no terminal."""
WIDEST = 160
"""Columns that are used at most."""
NARROWEST = 40
"""Columns below which nothing is made narrower."""
GREEN, RED, GREY, BOLD, PLAIN = "\033[32m", "\033[31m", "\033[90m", "\033[1m", "\033[0m"
_GAP = 2
_MOST_LEFT = 8
_LEAST_TEXT = 8
"""Columns that a column of text keeps when it is cut."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of a table."""

    title: str
    """Its heading."""
    is_number: bool = False
    """Whether it is aligned at the right, and never cut."""
    weight: int = 0
    """Columns of the least weight are left out first where there is no room; those of 0 never are."""
    is_name: bool = False
    """Whether it holds names that differ: where there is no room they are cut so that they still do."""
    is_whole: bool = False
    """Whether it is never cut, though it is text."""
    is_counted: bool = False
    """Whether a line below the table names such columns where they were left out."""


@dataclass(frozen=True, slots=True)
class TextCell:
    """A cell of a table; its text may come from outside."""

    text: str
    """What it says."""
    colour: str = ""
    """An escape sequence that is put around it where there is colour."""


def has_colour() -> bool:
    """Whether standard output is a terminal that is to be coloured."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int:
    """Columns to write for."""
    if not sys.stdout.isatty():
        return USUAL_WIDTH
    return max(NARROWEST, min(shutil.get_terminal_size((USUAL_WIDTH, 40)).columns, WIDEST))


def columns_of(text: str) -> int:
    """Columns that a text takes on a terminal: none for marks that combine, two for wide characters."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def cut_to(text: str, width: int) -> str:
    """A text of at most so many columns."""
    if columns_of(text) <= width:
        return text
    kept = text[: max(0, width - 1)]
    while columns_of(kept) > width - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def cut_within(text: str, width: int) -> str:
    """A name of at most so many columns, cut in its middle: names of one kind of box differ at their ends."""
    if columns_of(text) <= width or width < _LEAST_TEXT:
        return cut_to(text, width)
    tail = text[-((width - 1) // 3) :]
    while columns_of(tail) > (width - 1) // 3:
        tail = tail[1:]
    return cut_to(text, width - columns_of(tail)) + tail


def distinct(names: Iterable[str], width: int) -> dict[str, str]:
    """Names of at most so many columns each, cut so that two that differ still do: where they do, or numbered."""
    every = list(dict.fromkeys(names))
    found = {name: cut_within(name, width) for name in every}
    counts = Counter(found.values())
    alike = [name for name in every if counts[found[name]] > 1]
    taken = {short for short, times in counts.items() if times == 1}
    for name in alike:
        tail = cut_to(f"{name[:3]}…{name[4 - width :]}", width) if width > _LEAST_TEXT else ""
        found[name] = tail if tail and tail not in taken else _numbered(found[name], width, taken)
        taken.add(found[name])
    return found


def _numbered(short: str, width: int, taken: Container[str]) -> str:
    numbers = (f"#{number}" for number in count(2))
    return next(one for end in numbers if (one := cut_to(short, width - len(end)) + end) not in taken)


def text_table(
    columns: Sequence[TextColumn], rows: Sequence[Sequence[TextCell]], width: int, coloured: bool = False
) -> list[str]:
    """The lines of a table, its heading first; empty columns are left out."""
    cells = [[(plain(cell.text), cell.colour) for cell in row] for row in rows]
    kept = [place for place in range(len(columns)) if any(row[place][0] for row in cells)]
    widths = {
        place: max(columns_of(columns[place].title), *(columns_of(row[place][0]) for row in cells)) for place in kept
    }
    kept = _fitting(columns, kept, widths, width)
    _narrow(columns, kept, widths, width)
    title = [(columns[place].title, BOLD) for place in range(len(columns))]
    short = {place: distinct(dict.fromkeys(row[place][0] for row in cells), widths[place]) for place in kept
             if columns[place].is_name}  # fmt: skip
    lines = [_line(columns, kept, widths, row, coloured) for row in (title, *_with_names(cells, short))]
    left = [column.title for place, column in enumerate(columns) if column.is_counted and place not in kept]
    if left:
        named = ", ".join(left[:_MOST_LEFT]) + (" …" if len(left) > _MOST_LEFT else "")
        lines += textwrap.wrap(f"No room for {len(left)} more (--csv and --json have all): {plain(named)}", width)
    return lines


def _with_names(
    rows: Sequence[Sequence[tuple[str, str]]], short: Mapping[int, Mapping[str, str]]
) -> Iterator[Sequence[tuple[str, str]]]:
    for row in rows:
        yield [(short[place][text] if place in short else text, colour) for place, (text, colour) in enumerate(row)]


def _fitting(columns: Sequence[TextColumn], kept: list[int], widths: dict[int, int], width: int) -> list[int]:
    """The columns that there is room for, texts cut as far as they may be."""
    while True:
        least = sum(
            widths[place] if _is_fixed(columns[place]) else min(widths[place], _LEAST_TEXT * 2) for place in kept
        )
        droppable = [place for place in kept if columns[place].weight]
        if least + _GAP * (len(kept) - 1) <= width or not droppable:
            return kept
        dropped = min(droppable, key=lambda place: (columns[place].weight, -place))
        kept = [place for place in kept if place != dropped]


def _is_fixed(column: TextColumn) -> bool:
    return column.is_number or column.is_whole


def _narrow(columns: Sequence[TextColumn], kept: Sequence[int], widths: dict[int, int], width: int) -> None:
    """Take columns from the widest text until all fit."""
    texts = [place for place in kept if not _is_fixed(columns[place])]
    while sum(widths[place] for place in kept) + _GAP * (len(kept) - 1) > width:
        widest = max(texts, key=lambda place: widths[place], default=None)
        if widest is None or widths[widest] <= _LEAST_TEXT:
            return
        widths[widest] -= 1


def _line(
    columns: Sequence[TextColumn],
    kept: Sequence[int],
    widths: dict[int, int],
    row: Sequence[tuple[str, str]],
    coloured: bool,
) -> str:
    parts = []
    for place in kept:
        text, colour = row[place]
        text = cut_to(text, widths[place])
        space = " " * (widths[place] - columns_of(text))
        shown = f"{colour}{text}{PLAIN}" if coloured and colour and text else text
        parts.append(space + shown if columns[place].is_number else shown + space)
    return (" " * _GAP).join(parts).rstrip()
