"""What ``openssl speed`` prints, in every version and form: text, ``-mr``, children of ``-multi``; whole, cut, or
pasted into a forum.

LibreSSL's ``openssl speed`` is the same program. :func:`read_tables` reads such tables within the texts of other tools.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipsecbench.dataset.model import Dataset
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.openssl_speed.box import box_of, hardware_of
from ipsecbench.importers.readers.openssl_speed.box_table import find_table, read_table
from ipsecbench.importers.readers.openssl_speed.lines import Line, clean_lines, command_of
from ipsecbench.importers.readers.openssl_speed.reader import Reader
from ipsecbench.importers.readers.openssl_speed.runs import Run
from ipsecbench.importers.readers.openssl_speed.sheets import Place, datasets, fill
from ipsecbench.importers.readers.openssl_speed.verdicts import Box
from ipsecbench.importers.readers.openssl_speed.versions import version_of
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import Text

__all__ = ["FORMAT", "Box", "read_tables"]

# Every repetition is bounded: a text is searched from each of its places, and may be anything.
_SURE = re.compile(
    r"in 1000s of bytes per second|^Doing [^\n]{1,120} (?:size blocks|for \d{1,6}s):"
    r"|^type(?:[ \t]{1,40}\d{1,9} bytes)+[ \t]*$"
    r"|^[ \t]{0,80}(?:Got: )?\+(?:F\d{0,2}|R\d{0,2}|DT):"
    r"|sign/s[ \t]{1,20}verify/s|encaps/s[ \t]{1,20}decaps/s|\bopenssl\S{0,40}[ \t]{1,20}speed\b",
    re.MULTILINE,
)
_ROWS = re.compile(
    r"^\W{0,4}[A-Za-z][\w()/.+-]{0,80}(?: [a-z]\w{0,40})?(?:\s{1,80}-?\d{1,15}\.\d\dk){2,}", re.MULTILINE
)
_OWN_COMMAND = re.compile(r"^#\s*['\"]?openssl speed\b")
_OTHERS = re.compile(r"\bsbc-bench v\d")
"""Texts of other tools that hold such tables among other things."""


def _confidence(text: Text) -> int:
    head = text.content[:2_000_000].replace("&nbsp;", " ").replace("|", " ")
    if _OTHERS.search(head[:4000]) is not None:
        return 20
    if _ROWS.search(head) is not None:
        return 90
    if _SURE.search(head) is not None:
        return 80
    return 40 if "|" in text.content and find_table(text.lines) is not None else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    lines = clean_lines(text.lines)
    body, default = _below_header(lines)
    runs = Reader(default).read(body)
    if not any(run.figures or run.keys for run in runs):
        table = find_table(text.lines)
        if table is not None:
            return read_table(text, table)
    return datasets(text, runs, box_of(text, runs), hardware_of(text))


def read_tables(
    place: Sheet | Place,
    lines: Sequence[str],
    first_line: int,
    *,
    version: str | None = None,
    is_elapsed: bool | None = None,
    command: str | None = None,
    cpu_settings: str | None = None,
    box: Box | None = None,
) -> None:
    """Read the tables of ``openssl speed`` in lines of another tool's text into its sheets, with all verdicts.

    Args:
        place: the sheet; or what gives sheet and number of cores for the words in brackets behind a row (None where
        there are none),
            for tools that put several cores or kinds of core into one table.
        lines: the lines; those of other kinds are passed over.
        first_line: number of the first of them in the text.
        version: what the library is, such as ``OpenSSL 1.1.1n``, where these lines do not say it.
        is_elapsed: whether ``-elapsed`` was given; None where that is unknown, or where the command says it.
        command: the command line, such as ``openssl speed -mr -elapsed -evp aes-128-gcm``, where it is known.
        cpu_settings: ``OPENSSL_ia32cap=…`` and the like, where they were set.
        box: what is known of the processor.
    """
    default = Run(version=None if version is None else version_of(version), cpu_settings=cpu_settings)
    asked = None if command is None else command_of(Line(first_line, command))
    if asked is not None:
        default.command, default.engine = asked, asked.engine
        default.is_elapsed = asked.is_elapsed
    if is_elapsed is not None:
        default.is_elapsed = is_elapsed
    target: Place = (lambda _: (place, None)) if isinstance(place, Sheet) else place
    for run in Reader(default).read(clean_lines(lines, first_line)):
        fill(run, box or Box(), target)


def _below_header(lines: list[Line]) -> tuple[list[Line], Run]:
    """The text without the lines at its top that say where it comes from; a command in them holds where nothing else
    is said."""
    end = next((at for at, line in enumerate(lines) if not line.text.startswith("#")), len(lines))
    default = Run()
    for line in lines[:end]:
        command = command_of(line) if _OWN_COMMAND.match(line.text) else None
        if command is not None:
            default.command = command
            default.is_elapsed = command.is_elapsed
            default.engine = command.engine
    return lines[end:], default


FORMAT = Format("openssl-speed", "output of openssl speed", _confidence, _read)
