"""The text of the probe script, in its parts.

Lines of the script itself begin with ``=``, everything that it copied from the box with ``|``, so that no content can
be taken for the beginning or end of a part. What has several lines ends with ``=end``, the whole with ``=complete``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ipsecbench.errors import DatasetError
from ipsecbench.importers.text import Text

VERSION = 1
"""Newest version of the script whose text is understood."""
MARK = "=ipsecbench-probe "
_ON_ONE_LINE = frozenset({"ipsecbench-probe", "date", "phase", "module", "busybox", "skipped", "xfrm", "complete"})
_FOLLOWED = "value"
"""The kind of part that has one line of content and no end."""
_BEGINNINGS = ("=file /", "=value /", "=run ")
_MOST_PARTS = 20_000
"""A box with 1,024 processors has about 10,000."""


@dataclass(slots=True)
class Part:
    """One thing that the script looked at."""

    kind: str
    """``file``, ``value`` (first line of a file), ``names``, ``run``, ``library``, ``phase``, ``skipped``, …"""
    about: str
    """The path or the command."""
    line: int
    """Number of its first line."""
    lines: list[str] = field(default_factory=list)
    """Its content; line ``n`` of it is line ``line + 1 + n`` of the text."""
    is_whole: bool = False
    """Whether its end is in the text."""

    @property
    def output(self) -> list[str]:
        """What a command printed, without the line of its exit code."""
        lines = self.lines[:-1] if self.exit_code is not None else self.lines
        return lines[:-1] if lines and not lines[-1] else lines

    @property
    def exit_code(self) -> int | None:
        """The exit code of a command; None where the text is cut."""
        last = self.lines[-1] if self.lines and self.is_whole else ""
        code = last.removeprefix("(exit ").removesuffix(")")
        return int(code) if last.startswith("(exit ") and code.isascii() and code.isdigit() and len(code) < 4 else None


@dataclass(slots=True)
class ProbeText:
    """What the script printed."""

    parts: list[Part]
    has_beginning: bool
    """Whether the script's first line is there."""
    is_complete: bool
    """Whether its last line is."""
    strange: list[int]
    """Lines between its parts that the script cannot have printed."""

    def of(self, kind: str) -> Iterator[Part]:
        """The parts of a kind, in their order."""
        return (part for part in self.parts if part.kind == kind)

    def first(self, kind: str) -> Part | None:
        """The first part of a kind."""
        return next(self.of(kind), None)


def is_probe(text: Text) -> bool:
    """Whether a text is of the script: its first line is there, or lines of its form are."""
    if any(line.startswith(MARK) for line in text.lines[:50]):
        return True
    begun = sum(line.startswith(_BEGINNINGS) for line in text.lines[:2000])
    return begun > 1 and any(line == "=end" for line in text.lines[:2000])


def parse(text: Text) -> ProbeText:
    """The parts of a text; what stands before the script's first line and behind its last is passed over.

    Raises:
        DatasetError: nothing in it is of the script, or it is of a newer version.
    """
    start = next((at for at, line in enumerate(text.lines) if line.startswith(MARK)), None)
    found = ProbeText([], start is not None, False, [])
    if start is None:
        start = next((at for at, line in enumerate(text.lines) if line.startswith(_BEGINNINGS)), None)
        if start is None:
            raise DatasetError("nothing in it that the probe script prints")
    else:
        version = text.lines[start].removeprefix(MARK).strip()
        if version != str(VERSION):
            raise DatasetError(f"of version {version[:20]!r} of the probe script, which this ipsecbench does not know")
    # What has no line end is cut within the line.
    ends_whole = text.content.endswith("\n")
    last = len(text.lines) if ends_whole else len(text.lines) - 1
    current: Part | None = None
    for number, line in enumerate(text.lines[start:last], start + 1):
        current = _take(found, current, line, number)
        if found.is_complete or len(found.parts) > _MOST_PARTS:
            break
    return found


def _take(found: ProbeText, current: Part | None, line: str, number: int) -> Part | None:
    """Take one line; gives the part that is open afterwards."""
    if line.startswith("|"):
        if current is None:
            found.strange.append(number)
            return None
        current.lines.append(line[1:])
        if current.kind == _FOLLOWED:
            current.is_whole = True
            return None
        return current
    if line == "=end":
        if current is not None:
            current.is_whole = True
        return None
    if not line.startswith("="):
        if line.strip():
            found.strange.append(number)
        return current
    kind, _, about = line[1:].partition(" ")
    part = Part(kind, about.strip(), number)
    part.is_whole = kind in _ON_ONE_LINE
    found.parts.append(part)
    found.is_complete = kind == "complete"
    return None if part.is_whole else part
