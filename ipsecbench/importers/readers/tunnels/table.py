"""Tables of what tunnels carried, as CSV: one line for each device, protection and size of packet.

Two layouts, known by their first line: ``device,cpu,source,algorithm,packet_bytes,mbps,kpps,note``, and that of
wg-bench, ``device_cpu,os_kernel,mbps,note``, whose tunnels are WireGuard between two namespaces of one box. What the
column ``note`` says (a vendor's figure, an engine, a range, the figures by direction, the median of how many) is
looked for there, because it is part of what the figure is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import box, number
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.tunnels.names import protection
from ipsecbench.importers.readers.tunnels.notes import Note, read_note
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "tunnel-table"
MOST_DEVICES = 20_000
"""Devices of one table."""
FULL_PACKET_BYTES = 1400
"""What a packet is taken for where nobody says: full, with room for the tunnel's headers."""
WIREGUARD_PACKET_BYTES = 1420
"""The MTU that WireGuard's tools give a tunnel."""
_NEEDED = frozenset({"device", "algorithm"})
_RATES = frozenset({"mbps", "kpps"})
_WG_BENCH = frozenset({"device_cpu", "os_kernel", "mbps"})
_PRODUCTS = frozenset({"product name", "cpu"})
"""Columns of a maker's list of products, which is claimed so that its refusal says why."""
_CORES = re.compile(r"\b(\d{1,3}) ?(?:x\b|cores?\b)")
_UNKNOWN = re.compile(r"not stated|unknown", re.I)
_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]


@dataclass
class _Table:
    columns: tuple[str, ...] = ()
    rows: list[_Row] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)
    """Lines that have no row, and why."""

    @property
    def is_wg_bench(self) -> bool:
        return set(self.columns) >= _WG_BENCH

    @property
    def is_known(self) -> bool:
        return self.is_wg_bench or (set(self.columns) >= _NEEDED and bool(_RATES & set(self.columns)))


def _lines(text: Text) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without comments and empty ones."""
    for place, line in enumerate(text.lines, 1):
        if line.strip() and not line.startswith("#"):
            yield place, line


def _confidence(text: Text) -> int:
    first = next((line for _, line in _lines(text)), "")
    columns = tuple(name.strip().strip('"').lower() for name in first.split(","))
    if _Table(columns).is_known:
        return 95
    return 10 if set(columns) >= _PRODUCTS else 0


def _table(text: Text) -> _Table:
    numbered = list(_lines(text))
    table, used = _Table(), 0
    reader = csv.reader((line + "\n" for _, line in numbered), strict=True)
    try:
        for cells in reader:
            line, used = numbered[used][0], reader.line_num
            if not table.columns:
                table.columns = tuple(cell.strip().lower() for cell in cells)
            elif len(cells) != len(table.columns):
                table.odd.append((line, f"{len(cells)} cells, and the first line has {len(table.columns)}"))
            else:
                table.rows.append(_Row(line, dict(zip(table.columns, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        raise DatasetError(f"line {numbered[min(used, len(numbered) - 1)][0]}: not CSV: {error}") from error
    return table


def _read(text: Text) -> tuple[Dataset, ...]:
    table = _table(text)
    if not table.is_known:
        if set(table.columns) >= _PRODUCTS:
            raise DatasetError("a list of products and their processors: no column has what they carry")
        raise DatasetError("its first line does not name the columns device, algorithm, and mbps or kpps")
    sheets: dict[tuple[str, ...], Sheet] = {}
    for row in table.rows:
        _wg_bench(text, sheets, row) if table.is_wg_bench else _tunnel(text, sheets, row)
        if len(sheets) > MOST_DEVICES:
            raise DatasetError(f"more than {MOST_DEVICES} devices in one table")
    first = next(iter(sheets.values()), None)
    if first is None:
        raise DatasetError("a table of tunnels without a row")
    for line, reason in table.odd:
        first.unread(line, reason)
    made = tuple(_finished(sheet, key[1]) for key, sheet in sheets.items() if sheet.workloads)
    if not made:
        raise DatasetError("no row of the table has a rate above 0")
    return made


def _finished(sheet: Sheet, source: str) -> Dataset:
    dataset = sheet.dataset()
    if not source or dataset.source is None:
        return dataset
    return replace(dataset, source=replace(dataset.source, url=printable(source, 2000)))


def _sheet(text: Text, sheets: dict[tuple[str, ...], Sheet], key: tuple[str, ...]) -> Sheet:
    """The sheet of a device; the key has the device, the source, and what tells its runs apart."""
    if key not in sheets:
        parts = ", ".join(part for part in key[2:] if part)
        sheets[key] = Sheet(text, "tunnel-table", part=parts or None)
    return sheets[key]


def _tunnel(text: Text, sheets: dict[tuple[str, ...], Sheet], row: _Row) -> None:
    cells = row.cells
    device, processor, source = cells["device"], cells.get("cpu", ""), cells.get("source", "")
    kind, note = protection(cells["algorithm"]), read_note(cells.get("note", ""))
    is_engine = note.is_engine or any("eip" in one.lower() or "engine" in one.lower() for one in kind.variants)
    carrier = kind.algorithm.partition("-")[0] if kind.algorithm.startswith(("openvpn", "wireguard")) else ""
    sheet = _sheet(text, sheets, (device, source, carrier, note.operating_system or "", *kind.variants))
    _describe(sheet, device, processor, note)
    size = number(cells.get("packet_bytes", ""))
    octets = FULL_PACKET_BYTES if size is None or size < 1 else int(size)
    work = Workload(Tier.ON_WIRE, PROVIDER, "both", kind.algorithm, octets)
    detail = {"printed": printable(cells["algorithm"]), **note.detail}
    if _take(sheet, row, work, note, detail):
        _judge(sheet, work, note, is_sized=bool(size), is_engine=is_engine, is_copied=bool(source))


def _describe(sheet: Sheet, device: str, processor: str, note: Note) -> None:
    cores = _CORES.search(processor)
    model = None if not processor or _UNKNOWN.search(processor) else printable(processor)
    sheet.device = device or None
    sheet.hardware = box(
        model=model,
        cores=None if cores is None else int(cores[1]),
        device=printable(device) or None,
        operating_system=note.operating_system,
    )
    if not device or _UNKNOWN.search(device):
        sheet.verdict("device-unknown", "the table does not say which box it is")


def _take(sheet: Sheet, row: _Row, work: Workload, note: Note, detail: Mapping[str, Any]) -> bool:
    """Put the row's figure on the sheet, and those of its note beside it; whether there is one."""
    mbps, kpps = number(row.cells.get("mbps", "")), number(row.cells.get("kpps", ""))
    if mbps is None and kpps is None:
        sheet.unread(row.line, "neither mbps nor kpps is a number")
        return False
    before = len(sheet.figures(work))
    if mbps is None:
        sheet.figure(work, 1e3 * (kpps or 0.0), Unit.OPERATIONS, row.line, detail=detail)
    elif note.others and min(note.others) <= mbps <= max(note.others):
        values = note.others if note.is_instead else (mbps, *note.others)
        for value in values:
            sheet.figure(work, value, Unit.MEGABITS, row.line, detail=detail)
    else:
        sheet.figure(work, mbps, Unit.MEGABITS, row.line, detail=detail)
    if mbps and kpps and row.cells.get("packet_bytes") and work.size_bytes:
        told = kpps * work.size_bytes * 8e-3
        if abs(told - mbps) > _TOLERANCE * mbps:
            sheet.verdict("inconsistent", "mbps is not kpps times the size of a packet, by more than a twentieth", work)
    return len(sheet.figures(work)) > before


def _judge(sheet: Sheet, work: Workload, note: Note, *, is_sized: bool, is_engine: bool, is_copied: bool) -> None:
    if not is_sized:
        message = (
            f"the size of the packets is not stated: {work.size_bytes} octets are assumed; the rate is as published"
        )
        sheet.verdict("size-assumed", message, work)
    if is_engine:
        sheet.verdict("offload-engine", "an engine beside the processor encrypted", work)
    if is_copied:
        sheet.verdict("table-of-others", "a row of a table whose author read it elsewhere", work)
    for code, message in note.verdicts:
        sheet.verdict(code, message, work)


def _wg_bench(text: Text, sheets: dict[tuple[str, ...], Sheet], row: _Row) -> None:
    """A row of wg-bench: ChaCha20-Poly1305 both ways on one box, TCP through it by iperf3."""
    cells = row.cells
    device, _, processor = cells["device_cpu"].rpartition(" / ")
    system, _, kernel = cells["os_kernel"].rpartition(" / ")
    note = read_note(cells.get("note", ""))
    sheet = _sheet(text, sheets, (cells["device_cpu"], "", cells["os_kernel"], printable(cells.get("note", ""), 100)))
    sheet.device = device or cells["device_cpu"]
    sheet.hardware = box(
        model=printable(processor),
        device=printable(device),
        kernel=printable(kernel),
        operating_system=printable(system),
    )
    work = Workload(Tier.KERNEL, PROVIDER, "both", "wireguard", WIREGUARD_PACKET_BYTES)
    detail = {"counts": "TCP payload, iperf3", **note.detail}
    if not _take(sheet, row, work, note, detail):
        return
    _judge(sheet, work, note, is_sized=False, is_engine=False, is_copied=False)
    sheet.verdict(
        "both-ends-on-one-box",
        "WireGuard between two namespaces of one box, which encrypts and decrypts each packet",
        work,
    )


FORMAT = Format("tunnel-table", "a table of tunnels (CSV with device, algorithm, mbps or kpps)", _confidence, _read)
