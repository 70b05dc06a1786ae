"""The tables that aesbench and its sisters make from many results: a column for each processor, a row for each figure.

Only the rates are read. The other tables divide them by the processor's nominal clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers import names
from ipsecbench.importers.figures import box, number
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.aesbench.reader import OPERATIONS, PROVIDER, describe_library, mark, public_key
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

MOST_COLUMNS = 500
"""Processors of one table."""
_DASHES = re.compile(r"^-{3,}(?:\s+-{3,})+\s*$")
_CELL = re.compile(r"^([\d.,]+)(?:\s*\(\s*\d+\))?$")
_UNITS = {
    "ENCRYPTION / DECRYPTION BITRATE (Gb/s)": (Unit.GIGABITS, 16_000),
    "HASH BITRATE (Gb/s)": (Unit.GIGABITS, 64 * 2**20),
    "CRYPTOGRAPHIC OPERATIONS PER SECOND": (Unit.OPERATIONS, None),
}
"""Unit, and octets of an operation as the tool's source has them, by the title of a table."""
_DERIVED = re.compile(r"PROCESSOR CYCLE|^CYCLES PER", re.I)


@dataclass(frozen=True, slots=True)
class _Table:
    title: str
    title_line: int
    spans: tuple[tuple[int, int | None], ...]
    """First and last character of each column, the rows' names included."""
    head: dict[str, tuple[str, ...]]
    rows: tuple[int, ...]
    """Line numbers."""


def _confidence(text: Text) -> int:
    start = text.content[:100_000]
    return 95 if any(title in start for title in _UNITS) and "\nCPU" in start else 0


def _tables(text: Text) -> list[_Table]:
    found: list[_Table] = []
    title = title_line = None
    for place, content in enumerate(text.lines, 1):
        if content.strip() in _UNITS or _DERIVED.search(content):
            title, title_line = content.strip(), place
        elif title is not None and title_line is not None and _DASHES.match(content):
            spans = _spans(content)
            above = (text.lines[one - 1] for one in range(title_line + 1, place))
            head = {cells[0]: cells[1:] for line in above if line.strip() and (cells := _cut(line, spans))}
            found.append(_Table(title, title_line, spans, head, _below(text, place)))
            title = None
    return found


def _spans(dashes: str) -> tuple[tuple[int, int | None], ...]:
    starts = [match.start() for match in re.finditer(r"-+", dashes)][: MOST_COLUMNS + 1]
    return tuple(zip(starts, [*starts[1:], None], strict=True))


def _cut(line: str, spans: tuple[tuple[int, int | None], ...]) -> tuple[str, ...]:
    return tuple(line[first:last].strip() for first, last in spans)


def _below(text: Text, dashes: int) -> tuple[int, ...]:
    rows = []
    for place in range(dashes + 1, len(text.lines) + 1):
        if not text.lines[place - 1].strip():
            break
        rows.append(place)
    return tuple(rows)


def _read(text: Text) -> tuple[Dataset, ...]:
    sheets: dict[int, Sheet] = {}
    odd: list[tuple[int, str]] = []
    tables = _tables(text)
    for table in tables:
        unit = _UNITS.get(table.title)
        for line in table.rows:
            if unit is None:
                odd.append((line, "the rates of the first table, over the processor's nominal clock"))
                continue
            cells = _cut(text.lines[line - 1], table.spans)
            for column, cell in enumerate(cells[1:]):
                sheet = sheets.setdefault(column, _sheet(text, table, column))
                _figure(sheet, line, cells[0], cell, *unit)
    for column, sheet in sheets.items():
        version = next((_at(table.head.get("OpenSSL"), column) for table in tables if table.title in _UNITS), None)
        describe_library(sheet, version)
    made = [sheet for sheet in sheets.values() if sheet.workloads]
    if not made:
        raise DatasetError("no table of rates in it")
    for line, reason in odd:
        made[0].unread(line, reason)
    return tuple(sheet.dataset() for sheet in made)


def _at(cells: tuple[str, ...] | None, column: int) -> str | None:
    return cells[column] or None if cells is not None and column < len(cells) else None


def _sheet(text: Text, table: _Table, column: int) -> Sheet:
    processor, core = _at(table.head.get("CPU"), column), _at(table.head.get("CPU core"), column)
    system, clock = _at(table.head.get("System"), column), _at(table.head.get("Frequency"), column)
    model = " ".join(part for part in (processor, None if core is None else f"({core})") if part)
    sheet = Sheet(text, "aesbench-table", part=f"column {column + 1}")
    sheet.device = processor or system
    named = ", ".join(part for part in (model or system, clock) if part)
    sheet.label = named or None
    sheet.hardware = box(model=printable(model) or None, operating_system=system)
    return sheet


def _figure(sheet: Sheet, line: int, name: str, cell: str, unit: Unit, octets: int | None) -> None:
    match = _CELL.match(cell)
    value = None if match is None else number(match[1])
    algorithm, _, printed = name.rpartition(" ")
    if octets == 64 * 2**20:
        algorithm, printed = name, "hash"
    if value is None or printed not in OPERATIONS or not algorithm:
        if cell and cell != "-":
            sheet.unread(line, f"{cell[:20]!r} of {name[:40]!r} is no figure that is known here")
        return
    token = public_key(algorithm) if octets is None else names.primitive(algorithm).algorithm
    work = Workload(Tier.PRIMITIVE, PROVIDER, OPERATIONS[printed], token, octets)
    detail = {"time": "processor time, one thread", "printed": printable(name)}
    sheet.figure(work, value, unit, line, detail=detail)
    mark(sheet, work)


FORMAT = Format("aesbench-table", "a table of results of aesbench, shabench, rsabench or eccbench", _confidence, _read)
