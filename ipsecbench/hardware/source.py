"""A small, bounded view of a file system below a root.

Everything that this package knows comes from text files, so that the files of one box can be examined on another.
The files may come from anywhere: they are treated as hostile. Reading never blocks, never follows a link out of the
root, never reads more than a bound, and never raises: what cannot be read is `None`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ipsecbench import foreign_text

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Longest text that is read; /proc/cpuinfo of 1024 processors is about 2 MB."""

MAX_DIRECTORY_ENTRIES = 8192
"""Most names read from one directory; Linux supports 8192 processors at most."""

MAX_VALUE_CHARACTERS = 16384
"""Longest one-line value that is kept; the longest line of flags that a kernel prints today has about 3,000."""

_MAX_LINKS = 40


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of one file."""

    text: str
    """Decoded as UTF-8; bytes that are not UTF-8 became U+FFFD."""
    is_truncated: bool
    """The file was longer than the bound."""
    is_utf8: bool
    """Every byte was valid UTF-8."""


def printable(value: str) -> str:
    """Make a value from a file safe to show: one line, no control or formatting characters, bounded length."""
    return foreign_text.printable(value, MAX_VALUE_CHARACTERS)


class Source:
    """The files below one root directory. Paths are relative to it, such as `proc/cpuinfo`."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.abspath(root)

    @property
    def is_live(self) -> bool:
        """True when the root is `/`: the running system can be asked too."""
        return self._root == "/"

    @property
    def root(self) -> str:
        """The absolute root, as text that can always be printed."""
        return printable(os.fsencode(self._root).decode("utf-8", "replace"))

    def read_bytes(self, path: str, limit_bytes: int = MAX_TEXT_BYTES) -> bytes | None:
        """Read at most `limit_bytes + 1` bytes of a regular file; `None` when it cannot be read."""
        located = self.locate(path)
        if located is None:
            return None
        try:
            descriptor = os.open(located, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except (OSError, ValueError):
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            pieces: list[bytes] = []
            missing = limit_bytes + 1
            while missing > 0:
                piece = os.read(descriptor, min(missing, 1 << 20))
                if not piece:
                    break
                pieces.append(piece)
                missing -= len(piece)
            return b"".join(pieces)
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def read(self, path: str) -> FileText | None:
        """Read a text file of at most 4 MB; a longer one is cut after its last whole line."""
        data = self.read_bytes(path)
        if data is None:
            return None
        is_truncated = len(data) > MAX_TEXT_BYTES
        if is_truncated:
            data = data[: data.rfind(b"\n", 0, MAX_TEXT_BYTES) + 1] or data[:MAX_TEXT_BYTES]
        try:
            return FileText(data.decode("utf-8"), is_truncated, is_utf8=True)
        except UnicodeDecodeError:
            return FileText(data.decode("utf-8", "replace"), is_truncated, is_utf8=False)

    def read_text(self, path: str) -> str | None:
        """The text of a file, or `None`."""
        found = self.read(path)
        return None if found is None else found.text

    def read_line(self, path: str) -> str | None:
        """The first line of a file, printable; `None` when it is missing or empty."""
        data = self.read_bytes(path, MAX_VALUE_CHARACTERS)
        if data is None:
            return None
        return printable(data.decode("utf-8", "replace").lstrip().partition("\n")[0]) or None

    def read_integer(self, path: str) -> int | None:
        """The decimal integer that a file holds, or `None`."""
        return parse_integer(self.read_line(path))

    def names(self, directory: str) -> tuple[str, ...]:
        """The sorted names in a directory; empty when it cannot be read. Names that are not UTF-8 are left out."""
        located = self.locate(directory)
        if located is None:
            return ()
        try:
            with os.scandir(located) as entries:
                names = [entry.name for entry in islice(entries, MAX_DIRECTORY_ENTRIES)]
        except (OSError, ValueError):
            return ()
        return tuple(sorted(name for name in names if name.isprintable()))

    def exists(self, path: str) -> bool:
        """Whether a path exists, links followed inside the root."""
        located = self.locate(path)
        return located is not None and os.path.exists(located)

    def link_name(self, path: str) -> str | None:
        """The last name in the target of a link, whether or not the target is there; `None` for anything else."""
        directory, _, name = path.rpartition("/")
        parts = self._walk(directory)
        try:
            return None if parts is None else os.path.basename(os.readlink(os.path.join(self._root, *parts, name)))
        except (OSError, ValueError):
            return None

    def real_path(self, path: str) -> str | None:
        """The path with every link followed inside the root, relative to the root."""
        parts = self._walk(path)
        return None if parts is None else "/".join(parts)

    def locate(self, path: str) -> str | None:
        """Where a path of the root is on this machine, with links followed but never out of the root."""
        if self.is_live:
            return "/" + path
        parts = self._walk(path)
        return None if parts is None else os.path.join(self._root, *parts)

    def _walk(self, path: str) -> list[str] | None:
        pending = path.split("/")[::-1]
        done: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                del done[-1:]
                continue
            try:
                target = os.readlink(os.path.join(self._root, *done, part))
            except (OSError, ValueError):
                done.append(part)  # not a link, or not there: opening it says so
                continue
            links += 1
            if links > _MAX_LINKS:
                return None
            if target.startswith("/"):
                done = []
            pending.extend(target.split("/")[::-1])
        return done


def parse_integer(value: str | None) -> int | None:
    """A decimal integer of at most 20 digits, or `None`."""
    if value is None:
        return None
    value = value.strip()
    digits = value[1:] if value[:1] in "+-" else value
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None


def parse_processor_list(value: str | None) -> tuple[int, ...]:
    """The processors of a kernel list such as `0-3,8`; nonsense gives an empty tuple."""
    processors: list[int] = []
    for part in (value or "").strip().split(","):
        first, _, last = part.partition("-")
        start, end = parse_integer(first), parse_integer(last or first)
        if start is None or end is None or not 0 <= start <= end < MAX_DIRECTORY_ENTRIES:
            return ()
        processors.extend(range(start, end + 1))
        if len(processors) > MAX_DIRECTORY_ENTRIES:
            return ()
    return tuple(dict.fromkeys(processors))
