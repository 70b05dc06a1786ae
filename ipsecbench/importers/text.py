"""The text of a file that somebody else wrote: bounded, unpacked, decoded, in lines."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ipsecbench.dataset.packed import is_packed, unpacked
from ipsecbench.errors import DatasetError

LARGEST_FILE_BYTES = 64 * 2**20
"""Nobody's measurement of a box is larger, unpacked."""
MOST_LINES = 1_000_000
"""Nobody's measurement has more; the longest public text has some thousands. Millions would fill the memory."""
LONGEST_LINE = 65536
"""Characters of a line that are looked at."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_HEADER = re.compile(r"^#\s*([A-Za-z][A-Za-z -]{0,30}?)\s*:\s*(\S.*)$")
_LONGEST_HEADER_LINES = 40


@dataclass(frozen=True)
class Text:
    """A text with its lines; line 1 is ``lines[0]``."""

    content: str
    """All of it, line ends as ``\\n``."""
    sha256: str
    """Digest of the octets it was decoded from, unpacked."""
    name: str | None = None
    """Name of the file, without its folder."""
    is_utf8: bool = True
    """Whether every octet was valid; what was not became U+FFFD."""
    cut_lines: tuple[int, ...] = field(default=())
    """Numbers of the lines that are longer than :data:`LONGEST_LINE`: :attr:`lines` has only their beginnings."""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends, and without what is beyond :data:`LONGEST_LINE`."""
        lines = self.content.split("\n")
        return tuple(line[:LONGEST_LINE] for line in lines) if self.cut_lines else tuple(lines)

    @cached_property
    def header(self) -> Mapping[str, str]:
        """``# key: value`` lines at the top, such as ``source``, ``device`` and ``licence``; keys in lower case."""
        found: dict[str, str] = {}
        for line in self.lines[:_LONGEST_HEADER_LINES]:
            if line.strip() and not line.startswith("#"):
                break
            match = _HEADER.match(line)
            if match is not None:
                found.setdefault(match[1].lower(), match[2].strip())
        return found


def read_text(path: Path) -> Text:
    """Read a file, gzip unpacked.

    Raises:
        DatasetError: it cannot be read, is too large (packed or unpacked), damaged, or no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    try:
        return text_of(content, path.name)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error


def text_of(content: bytes, name: str | None = None) -> Text:
    """The text of octets, gzip unpacked.

    Raises:
        DatasetError: too large, damaged, or no text.
    """
    if is_packed(content):
        content = unpacked(content, LARGEST_FILE_BYTES)
        name = None if name is None else name.removesuffix(".gz")
    if len(content) > LARGEST_FILE_BYTES:
        raise DatasetError(f"larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no measurement of a box is")
    decoded, is_utf8 = _decoded(content)
    plain = decoded.replace("\r\n", "\n").replace("\r", "\n")
    if plain.count("\n") > MOST_LINES:
        raise DatasetError(f"more than {MOST_LINES:,} lines, which no measurement of a box has")
    lines = plain.split("\n")
    cut = tuple(number for number, line in enumerate(lines, start=1) if len(line) > LONGEST_LINE)
    return Text(plain, hashlib.sha256(content).hexdigest(), name, is_utf8, cut)


def _decoded(content: bytes) -> tuple[str, bool]:
    mark, encoding = next((one for one in _MARKS if content.startswith(one[0])), (b"", "utf-8"))
    body = content[len(mark) :]
    if encoding == "utf-8" and b"\0" in body[: io.DEFAULT_BUFFER_SIZE]:
        raise DatasetError("not a text: it has octets of value 0")
    try:
        return body.decode(encoding), True
    except UnicodeDecodeError:
        return body.decode(encoding, "replace"), False
