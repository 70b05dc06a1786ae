"""``botan speed`` of Botan 2 and 3: JSON (``--format=json``), lines, and the tables of ``--format=table``.

What it times, read in its source (src/cli/perf_sym.cpp, perf_pk_*.cpp): one thread by the wall clock for some hundred
milliseconds. A cipher mode's operation is a whole message: the nonce is set, the buffer is encrypted and the tag made;
decryption checks a valid tag. The bare name of a block cipher is its blocks one after the other (ECB). A key agreement
has a key derivation (KDF2 with SHA-256) after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.strict_json import parse_json
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import box, library, number, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.botan.names import named
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "botan"
MOST_RESULTS = 20_000
"""Results of one document."""
_BULK = re.compile(
    r"^(?P<name>\S.{0,80}?)(?: (?P<what>[a-z][a-z ]{0,30}?))? buffer size (?P<size>\d{1,9}) bytes:"
    r" (?:(?P<rate>[\d.]{1,16}) MiB/sec|N/A)"
)
_OPERATIONS = re.compile(
    r"^(?P<name>\S.{0,80}?) (?:no events|(?P<rate>\d{1,15}) (?P<what>[a-zA-Z][a-zA-Z ]{0,30}?)/sec;)"
    r"(?: (?P<each>[\d.]{1,16}) (?P<unit>[mun]s)/op)?"
    r".*?(?:\((?P<count>\d{1,15}) ops? in (?P<total>[\d.]{1,16}) ms\))?\s*$"
)
_VERSION = re.compile(r"\bBotan (\d+\.\d+\.\d+)\b")
_TABLE = re.compile(r"^algo\s+operation\s+(.*\S)\s*$")
_COLUMNS = re.compile(r"(\d{1,9}) bytes")
_NANOSECONDS = {"ms": 1e6, "us": 1e3, "ns": 1.0}
_TOLERANCE = 0.01


def _confidence(text: Text) -> int:
    start = text.content[:20_000].lstrip()
    if start.startswith("[") and '"algo"' in start and '"nanos"' in start:
        return 95
    lines = [line for _, line in tool_lines(text, last=min(500, len(text.lines)))]
    bulk = any((match := _BULK.match(line)) and "MiB/sec" in match[0] for line in lines)
    return 90 if bulk or any(_is_operations(line) for line in lines) else 0


def _is_operations(line: str) -> bool:
    match = _OPERATIONS.match(line)
    return match is not None and match["unit"] is not None


def _read(text: Text) -> tuple[Dataset, ...]:
    sheet = Sheet(text, "botan")
    version = _json(sheet) if text.content.lstrip().startswith("[") else _lines(sheet)
    if not sheet.workloads:
        raise DatasetError("no result with a rate in it")
    sheet.libraries = [library(PROVIDER, None if version is None else f"Botan {version}")]
    if version is None:
        sheet.verdict("version-unknown", "Botan's version is not stated (2 prints none with JSON)", *sheet.workloads)
    return (sheet.dataset(),)


def _json(sheet: Sheet) -> str | None:
    try:
        document = parse_json(sheet.text.content, is_unique=True)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"not JSON, or cut short: {printable(str(error))}") from error
    if not isinstance(document, list):
        raise DatasetError("not a list of results")
    if len(document) > MOST_RESULTS:
        raise DatasetError(f"more than {MOST_RESULTS} results")
    version = None
    for place, result in enumerate(document):
        if isinstance(result, Mapping) and "algo" not in result and isinstance(result.get("version"), str):
            version = printable(result["version"])
            architecture = result.get("arch")
            sheet.hardware = box(architecture=printable(architecture) if isinstance(architecture, str) else None)
        elif not _result(sheet, result, _line_of(sheet.text, place, result)):
            sheet.unread(min(place + 2, len(sheet.text.lines)), f"result {place + 1} is not one of botan speed")
    return version


def _line_of(text: Text, place: int, result: object) -> int | None:
    """The line of a result: botan prints each on one of its own, below the bracket; None where somebody rewrote it."""
    name = result.get("algo") if isinstance(result, Mapping) else None
    content = text.lines[place + 1] if place + 1 < len(text.lines) else ""
    return place + 2 if isinstance(name, str) and f'"{name}"' in content else None


def _result(sheet: Sheet, result: object, line: int | None) -> bool:
    """Take a result of JSON; whether it is one."""
    if not isinstance(result, Mapping):
        return False
    name, what = result.get("algo"), result.get("op")
    events, nanos = result.get("events"), result.get("nanos")
    if not isinstance(name, str) or not isinstance(what, str) or not _is_count(events) or not _is_count(nanos):
        return False
    size = result.get("buf_size")
    detail: dict[str, Any] = {}
    if _is_count(result.get("cycles")):
        detail["cycles"] = result["cycles"]
    if events == 0 or nanos == 0:
        sheet.unread(line or 1, f"{printable(name)} {printable(what)}: nothing was counted")
        return True
    if size is None:
        _take(sheet, name, what, None, nanos / events, Unit.NANOSECONDS, line, detail)
        return True
    if not _is_count(size):
        return False
    work = _take(sheet, name, what, size, events / nanos * 1e9, Unit.BYTES, line, detail)
    told = result.get("bps")
    if work is not None and _is_count(told) and abs(told - events / nanos * 1e9) > _TOLERANCE * told + 1:
        sheet.verdict("inconsistent", "bps is not the octets over the time", work)
    return True


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _lines(sheet: Sheet) -> str | None:
    version, columns = None, None
    for line, content in tool_lines(sheet.text):
        said, heading = _VERSION.search(content), _TABLE.match(content)
        bulk, operations = _BULK.match(content), _OPERATIONS.match(content)
        if said is not None:
            version = said[1]
        elif content.startswith("#") or not content.strip():
            columns = None if not content.strip() and columns is None else columns
        elif heading is not None:
            columns = tuple(_COLUMNS.findall(heading[1]))
        elif bulk is not None:
            _bulk(sheet, line, bulk)
        elif operations is not None and (operations["unit"] or "no events" in content):
            _counted(sheet, line, operations)
        elif columns is not None and not content.startswith("["):
            _table_row(sheet, line, content, columns)
        elif "MiB/sec" in content or "/sec" in content:
            sheet.unread(line, "no line that botan speed prints: cut, or of another version")
    return version


def _bulk(sheet: Sheet, line: int, match: re.Match[str]) -> None:
    rate = number(match["rate"] or "")
    if rate is None:
        sheet.unread(line, "not available: the buffer is no size that the mode takes")
        return
    _take(sheet, match["name"], match["what"] or "", int(match["size"]), rate, Unit.MEBIBYTES, line, {})


def _counted(sheet: Sheet, line: int, match: re.Match[str]) -> None:
    """A line of operations: from count and total, because the time of one is printed with two decimals of a ms."""
    count, total, each = number(match["count"] or ""), number(match["total"] or ""), number(match["each"] or "")
    if match["what"] is None:
        sheet.unread(line, "nothing was counted")
        return
    rate = number(match["rate"])
    few = not count or not total or total < 100
    if few and rate is not None and rate >= 100:
        _take(sheet, match["name"], match["what"], None, rate, Unit.OPERATIONS, line, {})
    elif count and total:
        _take(sheet, match["name"], match["what"], None, total / count, Unit.MILLISECONDS, line, {"count": count})
    elif each:
        nanoseconds = each * _NANOSECONDS[match["unit"]]
        _take(sheet, match["name"], match["what"], None, nanoseconds, Unit.NANOSECONDS, line, {})
    else:
        sheet.unread(line, "neither a time nor a rate above 0")


def _table_row(sheet: Sheet, line: int, content: str, columns: tuple[str, ...]) -> None:
    """A row of ``--format=table``; the same figures stand above it as lines, with less precision or more."""
    name, rest = content[:35].strip(), content[35:]
    cells = rest[16:].split()
    what = rest[:16].strip()
    wanted = columns or ("sec/op", "op/sec")
    if not name or not what or len(cells) != len(wanted):
        sheet.unread(line, "no row of the table above")
        return
    if columns:
        for size, cell in zip(columns, cells, strict=True):
            _tabled(sheet, line, name, what, int(size), cell)
    else:
        _tabled(sheet, line, name, what, None, cells[1])


def _tabled(sheet: Sheet, line: int, name: str, what: str, size: int | None, cell: str) -> None:
    value, work = number(cell), _workload(name, what, size)
    if sheet.figures(work):
        return  # the line above the table has it
    if value is None:
        sheet.unread(line, f"{cell[:20]!r} is no number")
        return
    _take(sheet, name, what, size, value, Unit.OPERATIONS if size is None else Unit.KILOBYTES, line, {})


def _workload(name: str, what: str, size: int | None) -> Workload:
    found = named(name, what)
    provider = PROVIDER if found.library is None else f"{PROVIDER}-{found.library}"
    return Workload(Tier.PRIMITIVE, provider, found.operation, found.algorithm, size or None)


def _take(
    sheet: Sheet,
    name: str,
    what: str,
    size: int | None,
    value: float,
    unit: Unit,
    line: int | None,
    detail: dict[str, Any],
) -> Workload | None:
    """Put a figure on the sheet, and what its way of being measured makes of it; the workload it went to."""
    found, work = named(name, what), _workload(name, what, size)
    if work.size_bytes is None and unit in (Unit.BYTES, Unit.MEBIBYTES, Unit.KILOBYTES):
        sheet.unread(line or 1, "octets per second of buffers without a size")
        return None
    facts = {"printed": printable(f"{name} {what}"), **found.facts, **detail}
    sheet.figure(work, value, unit, line, detail=facts)
    if found.is_gcm:
        sheet.verdict("gcm-per-record", "every operation sets a nonce and makes or checks a tag", work)
    return work


FORMAT = Format("botan", "botan speed", _confidence, _read)
