"""Wiki tables with a box in each row and a cipher in each column, filled in from ``openssl speed`` by many people.

Such a table is read if it says of which size its figures are, as the benchmark page of OpenWrt's old wiki does. Others
are not: which column of ``speed`` was copied decides what a figure means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.readers.openssl_speed.lines import Line, command_of
from ipsecbench.importers.readers.openssl_speed.public_key import KeyFigure
from ipsecbench.importers.readers.openssl_speed.runs import Figure, Run
from ipsecbench.importers.readers.openssl_speed.sheets import PROVIDER, fill, library
from ipsecbench.importers.readers.openssl_speed.verdicts import Box
from ipsecbench.importers.readers.openssl_speed.versions import Version, version_of
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

_CELL_STYLE = re.compile(r"<[^<>]{0,200}>|'{2,}")
_LINK = re.compile(r"\[\S{1,400} ([^\]]{0,200})\]")
_COLUMNS = {
    "md5": "md5",
    "sha-1": "sha1",
    "sha1": "sha1",
    "sha-256": "sha256",
    "sha256": "sha256",
    "sha-512": "sha512",
    "sha512": "sha512",
    "des": "des cbc",
    "3des": "des ede3",
    "aes-128": "aes-128 cbc",
    "aes128": "aes-128 cbc",
    "aes-192": "aes-192 cbc",
    "aes192": "aes-192 cbc",
    "aes-256": "aes-256 cbc",
    "aes256": "aes-256 cbc",
}
_KEYS = {"rsa sign", "rsa verify", "dsa sign", "dsa verify"}
_FEWEST_COLUMNS = 4
_SIZE = re.compile(r"\b(\d{2,6})[- ]byte blocks\b")
_KEY_BITS = re.compile(r"\b(\d{3,5})[- ]bit keys\b")
_RATE = re.compile(r"^(\d+(?:\.\d+)?)k$")
_KEY_RATE = re.compile(r"^(\d+(?:\.\d+)?)$")
_MOST_OF_DES = 0.6
"""3DES is three times DES: more than this share of its speed cannot be."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table's columns, and the rows below them."""

    columns: list[str]
    rows: list[tuple[int, list[str]]]


def find_table(lines: Sequence[str]) -> _Table | None:
    """The table of boxes in a text; None where there is none."""
    found: _Table | None = None
    for number, text in enumerate(lines, start=1):
        if "|" not in text or len(text) > 10_000:
            continue
        cells = _cells(text)
        names = [cell.lower() for cell in cells]
        known = sum(part in _COLUMNS for name in names for part in (name, *name.split()))
        if known >= _FEWEST_COLUMNS:
            found = found or _Table(names, [])
        elif found is not None:
            found.rows.append((number, cells))
    return found


def read_table(text: Text, table: _Table) -> tuple[Dataset, ...]:
    """A dataset for each box of a table.

    Raises:
        DatasetError: the text does not say of which size the figures are, or no row has a figure.
    """
    size, bits = _SIZE.search(text.content), _KEY_BITS.search(text.content)
    if size is None:
        raise DatasetError("a table of boxes that does not say of which size its figures of openssl speed are")
    commands = (command_of(Line(number, line)) for number, line in enumerate(text.lines, start=1))
    command = next((one for one in commands if one is not None), None)
    made = []
    for number, cells in table.rows:
        if len(cells) != len(table.columns):
            continue
        run = _run(
            number, dict(zip(table.columns, cells, strict=True)), int(size[1]), None if bits is None else bits[1]
        )
        run = replace(run, command=command, is_elapsed=None if command is None else command.is_elapsed)
        made.append(_dataset(text, run, dict(zip(table.columns, cells, strict=True))))
    if not made:
        raise DatasetError("a table of boxes without a row that has as many cells as its heading")
    return tuple(made)


def _cells(text: str) -> list[str]:
    """The cells of a row, without markup; cells that a MoinMoin table leaves empty count."""
    mark = "||" if "||" in text else "|"
    plain = _LINK.sub(r"\1", _CELL_STYLE.sub("", text)).strip().removeprefix(mark).removesuffix(mark)
    return [cell.strip() for cell in plain.split(mark)]


def _run(number: int, row: dict[str, str], size: int, bits: str | None) -> Run:
    run = Run(version=_version(row))
    for column, cell in row.items():
        rate, key_rate = _RATE.match(cell), _KEY_RATE.match(cell)
        if column in _COLUMNS and rate is not None:
            run.figures.append(Figure(number, _COLUMNS[column], size, float(rate[1]), Unit.KILOBYTES))
        elif column in _KEYS and key_rate is not None and bits is not None:
            kind, operation = column.split()
            run.keys.append(KeyFigure(number, operation, f"{kind}-{bits}", float(key_rate[1]), Unit.OPERATIONS))
        elif cell and (column in _COLUMNS or column in _KEYS):
            run.unread.append((number, f"{column}: {printable(cell, 40)}: no figure in thousands of octets a second"))
    rates = {figure.name: figure.value for figure in run.figures}
    if rates.get("des ede3", 0) > _MOST_OF_DES * rates.get("des cbc", float("inf")):
        # Whoever filled in this row was in the wrong columns.
        run.contradicted |= {(figure.line, figure.size) for figure in run.figures if figure.name in _CIPHERS}
    return run


_CIPHERS = {"des cbc", "des ede3", "aes-128 cbc", "aes-192 cbc", "aes-256 cbc"}


def _version(row: dict[str, str]) -> Version | None:
    said = next((cell for column, cell in row.items() if "openssl" in column), "")
    return version_of(said if said.lower().startswith("openssl") else f"OpenSSL {said}")


def _dataset(text: Text, run: Run, row: dict[str, str]) -> Dataset:
    names = list(row.values())
    processor = next((cell for column, cell in row.items() if "cpu" in column or "soc" in column), None)
    cpu = {"model": printable(processor)} if processor else {}
    sheet = Sheet(text, PROVIDER, part=printable(names[0], 400), hardware={"cpu": cpu} if cpu else {})
    sheet.device = sheet.label = printable(names[0])
    sheet.libraries.append(library(run))
    fill(run, Box(), lambda _: (sheet, None))
    sheet.verdict("table-of-others", "filled in by hand from somebody's output of openssl speed", *sheet.workloads)
    return sheet.dataset()
