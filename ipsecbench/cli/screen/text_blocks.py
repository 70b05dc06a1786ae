"""Lines of text behind labels, and the room that they share on a screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from ipsecbench.report.formats import clean

LABEL_WIDTH = 9
"""Columns of the labels at the left."""
WARNING = "!"
"""The label of warnings, which is narrower and stands before each of them."""
_CLAUSE_END = re.compile(r"[.;] ")
_LONGEST_SENTENCE = 190
"""Columns that a sentence may take, all its lines together."""


def plain(text: str) -> str:
    """Text that may come from outside as one line that cannot move the cursor or reorder what stands beside it."""
    return clean(text.replace("\n", " ").replace("\t", " "))


def cut(line: str, width: int) -> str:
    """A line of names or figures of at most so many columns."""
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def wrapped(text: str, first: str, rest: str | None = None, width: int = 100) -> list[str]:
    """Text wrapped behind the beginning of its first line, further lines below it or behind a beginning of theirs.

    Words are never broken, even where the beginning is longer than a line, as the path of a file may be.
    """
    below = " " * len(first) if rest is None else rest
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first.rstrip()]


def labelled(label: str, text: str, width: int) -> list[str]:
    """Text wrapped behind its label; a name is never broken, even where it is longer than a line."""
    columns = len(WARNING) + 1 if label == WARNING else LABEL_WIDTH
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent=label.ljust(columns),
        subsequent_indent=" " * columns,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def shortened(label: str, text: str, width: int, most_lines: int) -> list[str] | None:
    """The same in at most so many lines: whole, or up to the end of a clause; None where not even one clause fits."""
    lines = labelled(label, text, width)
    ends = [found.start() for found in _CLAUSE_END.finditer(text)]
    while len(lines) > most_lines:
        if not ends:
            return None
        lines = labelled(label, f"{text[: ends.pop()]}.", width)
    return lines


@dataclass(slots=True)
class Room:
    """What is left of a screen: blocks are added by importance, and come out in that order, the reserved one last."""

    left: int
    """Lines that are still free."""
    width: int
    """Columns."""
    _blocks: dict[str, list[str]] = field(default_factory=dict)
    _reserved: tuple[str, list[str], int] | None = None

    def reserve(self, label: str, texts: Iterable[str], most_lines: int) -> None:
        """Keep so many lines, or fewer where less suffices, for what comes last; what is left over goes there too."""
        texts = list(texts)
        needed = sum(len(labelled(label, text, self.width)) for text in texts)
        kept = max(0, min(most_lines, needed))
        self._reserved = label, texts, kept
        self.left -= kept + (1 if texts else 0)

    def add(self, label: str, texts: Iterable[str], most: int) -> None:
        """Add the first of the texts that fit, at most so many."""
        block = self._blocks.setdefault(label, [])
        for text in texts:
            if most <= 0 or self.left <= 0:
                return
            first = label if not block else ""
            lines = shortened(first, text, self.width, min(self.left, -(-_LONGEST_SENTENCE // self.width)))
            if lines is not None:
                block += lines
                self.left -= len(lines)
                most -= 1

    def lines(self) -> list[str]:
        """Everything."""
        found = [line for block in self._blocks.values() for line in block]
        return found if self._reserved is None or not self._reserved[1] else [*found, "", *self._last(*self._reserved)]

    def _last(self, label: str, texts: list[str], kept: int) -> list[str]:
        room = kept + max(0, self.left)
        found: list[str] = []
        shown = 0
        for index, text in enumerate(texts):
            # The line that counts what is left out takes room too, once something is.
            left = room - len(found) - (1 if index < len(texts) - 1 or shown < index else 0)
            lines = shortened(label, text, self.width, max(left, 0)) if left > 0 else None
            if lines is not None:
                found += lines
                shown += 1
        more = len(texts) - shown
        if more:
            found.append(f"{label} {more} more: --full shows {'it' if more == 1 else 'them'}")
        return found
