"""Results of sbc-bench (github.com/ThomasKaiser/sbc-bench): ``openssl speed`` on each kind of core, and real clocks.

Its table of OpenSSL has one row for each cluster of processors where there are several, in the order of the clock
checks below it, and two rows of the same cluster where there is one; what stands in brackets behind a row is the kind
of core, or ``fully parallel`` for processes that ran on all processors at once. It calls ``openssl speed -elapsed
-evp`` (sbc-bench.sh, RunOpenSSLBenchmark). Clusters become datasets of their own: their figures are of different
processors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.hardware.core_types import CoreType
from ipsecbench.hardware.cpu import parse_cpu
from ipsecbench.hardware.detection import Hardware, examine
from ipsecbench.hardware.features import Presence
from ipsecbench.hardware.lscpu import hardware_of as lscpu_hardware
from ipsecbench.hardware.lscpu import parse_fields
from ipsecbench.hardware.memory_source import MemorySource
from ipsecbench.importers.figures import library
from ipsecbench.importers.formats import Format
from ipsecbench.importers.names import primitive
from ipsecbench.importers.readers.boxes.described import name_of
from ipsecbench.importers.readers.openssl_speed import Box, read_tables
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "openssl-speed"
_TITLE = re.compile(r"^sbc-bench v(\d[\w.]*)\s+(?:--\s+)?(.*?)\s*\(?(\w{3}, \d{1,2} \w{3} \d{4} [\d:]{8} [+-]\d{4})\)?")
_VERSION = re.compile(r"^OpenSSL (?:\(version )?(\d+\.\d+\.\d+[a-z]{0,2}(?:-\w+)?)(?:,|\s|$)")
_LIBRARY = re.compile(r"\(Library: (OpenSSL \d[^()]{0,60}?)\s*\)")
_TABLE = re.compile(r"^type\s+\d+ bytes")
_ROW = re.compile(r"^([a-z][\w-]{1,30})\s+\d[\d.]*k\s")
_NOTE = re.compile(r"\(([^()]{1,80})\)\s*$")
_PARALLEL = "fully parallel"
_CHECK = re.compile(r"^Checking cpufreq OPP(?: for (cpu\d+(?:-cpu\d+)?))?(?: \(([^()]{1,80})\))?:")
_CLOCK = re.compile(r"^Cpufreq OPP:\s*(\d{2,5})\s.*?Measured:\s*(.*)$")
_MEGAHERTZ = re.compile(r"\b(\d{2,5}\.\d{1,4})\b")
_WHOLE_MEGAHERTZ = re.compile(r"^(\d{2,5})\s*@")
_THROTTLED = re.compile(r"^\|.*\((?:throttled|thermal throttling)\)", re.IGNORECASE)
_SUMMARY = re.compile(r"^\|\s*([^|]{2,80}?)\s*\|\s*~?\d+ MHz")
_NO_NAME = re.compile(r"^(?:sbc-bench v|Distributor ID|\s*$)")
_HOME = "github.com/ThomasKaiser/sbc-bench/"
_HEALTH = "System health while running OpenSSL benchmark"
_HEALTH_CLOCKS = re.compile(r"^\d\d:\d\d:\d\d: +(\d{2,5})/ *(\d{2,5})MHz")
"""What the kernel believes, and what the firmware of a Raspberry Pi really does."""
_FELL = 0.95
"""A clock below this share of what it was before the benchmarks has fallen."""


@dataclass(slots=True)
class _Cluster:
    """Processors of one kind with one clock."""

    processors: str | None
    """Such as ``cpu0-cpu3``; None where the box has one cluster only."""
    kind: str | None
    """Such as ``Cortex-A55``."""
    clocks_hz: list[float] = field(default_factory=list)
    """What was measured at the highest setting, once for each check: before and after the benchmarks."""

    @property
    def name(self) -> str | None:
        """For people."""
        return f"{self.processors} ({self.kind})" if self.processors and self.kind else self.processors or self.kind

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of its processors; empty where they are not stated."""
        match = re.fullmatch(r"cpu(\d{1,4})(?:-cpu(\d{1,4}))?", self.processors or "")
        return () if match is None else tuple(range(int(match[1]), int(match[2] or match[1]) + 1))

    @property
    def first(self) -> int:
        """Number of its first processor."""
        return self.numbers[0] if self.numbers else 0


@dataclass(slots=True)
class _Table:
    """The table of OpenSSL in a text."""

    version: str | None
    title_line: int
    """Number of the line with the sizes."""
    rows: list[tuple[int, str, str | None]]
    """Line, name and what stands in brackets behind it."""


def _confidence(text: Text) -> int:
    start = text.lines[:400]
    if any(_TITLE.match(line) or line.startswith("sbc-bench v") for line in start):
        return 100
    # Its first versions had no title, and checked no clock where there was no cpufreq.
    is_told = _HOME in text.header.get("source", "") or any(
        _CHECK.match(line) or line.startswith(_HEALTH) for line in start
    )
    return 95 if is_told and any(_TABLE.match(line) for line in start) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    table = _table(text)
    if table is None:
        raise DatasetError("no table of OpenSSL in it: sbc-bench was ended before, or a part of the text is missing")
    clusters = _clusters(text)
    hardware = _hardware(text)
    found: list[Sheet] = []
    alone = len(clusters) < 2
    for cluster, lines in _rows_of(table, clusters):
        box = _box_of_cluster(hardware, cluster, clusters)
        sheet = _sheet(text, box, table, cluster, None if alone else cluster.name)
        wanted = {table.title_line, *lines}
        last = max(wanted)
        content = [text.lines[number - 1] if number in wanted else "" for number in range(table.title_line, last + 1)]
        read_tables(
            sheet, content, table.title_line, version=table.version, is_elapsed=True, box=_box(hardware, cluster)
        )
        found.append(sheet)
        _judge_clock(sheet, text, cluster)
    _read_parallel(text, table, hardware, found, clusters)
    unknown = [line for line, _, note in table.rows if note != _PARALLEL] if not found else []
    kept = [sheet for sheet in found if sheet.workloads]
    if not kept:
        raise DatasetError(
            f"line {unknown[0]}: of which cluster a row is cannot be told" if unknown else "no figure in its table"
        )
    return tuple(sheet.dataset() for sheet in kept)


def _table(text: Text) -> _Table | None:
    version = None
    for number, line in enumerate(text.lines, 1):
        match = _VERSION.match(line)
        if match is not None:
            used = _LIBRARY.search(line)
            version = used[1] if used is not None else f"OpenSSL {match[1]}"
        if _TABLE.match(line):
            rows = []
            for at, row in enumerate(text.lines[number:], number + 1):
                named = _ROW.match(row)
                if named is None:
                    break
                note = _NOTE.search(row)
                rows.append((at, named[1], None if note is None else note[1]))
            if rows:
                return _Table(None if version is None else " ".join(version.split()), number, rows)
    return None


def _clusters(text: Text) -> list[_Cluster]:
    """The clusters in the order of the clock checks; at least one."""
    found: dict[str | None, _Cluster] = {}
    current: _Cluster | None = None
    for line in text.lines:
        check = _CHECK.match(line)
        if check is not None:
            current = found.setdefault(check[1], _Cluster(check[1], check[2]))
            current.kind = current.kind or check[2]
            highest = 0.0
            current.clocks_hz.append(0.0)
            continue
        clock = _CLOCK.match(line)
        if clock is None or current is None:
            current = current if clock is not None else None
            continue
        if float(clock[1]) > highest:
            highest = float(clock[1])
            current.clocks_hz[-1] = _measured(clock[2])
    named = [cluster for processors, cluster in found.items() if processors is not None]
    return named or list(found.values()) or [_Cluster(None, None)]


def _measured(words: str) -> float:
    """What was measured, in Hz: the median of the single measurements where they stand there; 0 where nothing does."""
    single = [float(value) for value in _MEGAHERTZ.findall(words.partition("%")[0]) if float(value) > 30]
    whole = _WHOLE_MEGAHERTZ.match(words)
    return (float(whole[1]) if whole is not None else median(single) if single else 0.0) * 1e6


def _rows_of(table: _Table, clusters: list[_Cluster]) -> Iterator[tuple[_Cluster, list[int]]]:
    """The lines of each cluster; nothing where it cannot be told which row is of which."""
    by_name: dict[str, list[tuple[int, str | None]]] = {}
    for line, name, note in table.rows:
        if note != _PARALLEL:
            by_name.setdefault(name, []).append((line, note))
    lines: dict[int, list[int]] = {}
    for rows in by_name.values():
        for at, (line, note) in enumerate(rows):
            if len(clusters) == 1:
                place = 0
            elif len(rows) == len(clusters):
                place = at
            else:  # some clusters were left out: only the kind of core tells
                kinds = [index for index, cluster in enumerate(clusters) if cluster.kind == note and note is not None]
                if len(kinds) != 1:
                    continue
                place = kinds[0]
            lines.setdefault(place, []).append(line)
    for place, found in sorted(lines.items()):
        yield clusters[place], sorted(found)


def _read_parallel(text: Text, table: _Table, hardware: Hardware, found: list[Sheet], clusters: list[_Cluster]) -> None:
    """Add up what processes on all processors did at once."""
    lines = [(line, name) for line, name, note in table.rows if note == _PARALLEL]
    if not lines:
        return
    if len(clusters) == 1 and found:
        sheet = found[0]
    else:
        sheet = _sheet(text, hardware, table, _Cluster(None, None), "all processors at once")
        found.append(sheet)
    sizes = [int(size) for size in re.findall(r"(\d{1,8}) bytes", text.lines[table.title_line - 1])]
    for name in dict.fromkeys(name for _, name in lines):
        rows = [line for line, other in lines if other == name]
        values = [re.findall(r"(\d+(?:\.\d+)?)k\b", text.lines[line - 1]) for line in rows]
        known = primitive(name)
        for column, size in enumerate(sizes):
            if any(len(row) <= column for row in values):
                sheet.unread(rows[0], f"not all of the {len(rows)} rows have a value of {size} bytes")
                continue
            work = Workload(Tier.PRIMITIVE, PROVIDER, known.operation, known.algorithm, size, None, len(rows))
            sheet.figure(work, sum(float(row[column]) for row in values), Unit.KILOBYTES, rows[0])
            message = f"the sum, made by this importer, of {len(rows)} processes that ran at once"
            sheet.verdict("multi-summed", message, work)
            if known.is_aead:
                sheet.verdict("gcm-stream", "openssl speed in this version encrypts one endless stream", work)


def _sheet(text: Text, hardware: Hardware, table: _Table, cluster: _Cluster, part: str | None) -> Sheet:
    sheet = Sheet(text, "sbc-bench", part=part, hardware=hardware.to_dict())
    sheet.device = _device(text)
    if sheet.device is None:
        sheet.verdict("device-unknown", "the text does not name the device")
        sheet.device = f"unnamed box ({(text.name or 'text').partition('.')[0]})"
    sheet.label = sheet.device if part is None else f"{sheet.device}, {part}"
    sheet.created = _created(text) or sheet.created
    sheet.libraries.append(library(PROVIDER, table.version))
    if cluster.name is not None:
        sheet.environment["cluster"] = cluster.name
    clocks = [hz for hz in cluster.clocks_hz if hz > 0]
    if clocks:
        sheet.environment["clock"] = _clock(cluster.first, clocks)
    return sheet


def _clock(core: int, clocks: list[float]) -> dict[str, Any]:
    return {
        "before": [{"core": core, "hz": clocks[0]}],
        "after": [{"core": core, "hz": hz} for hz in clocks[1:][-1:]],
    }


def _judge_clock(sheet: Sheet, text: Text, cluster: _Cluster) -> None:
    clocks = [hz for hz in cluster.clocks_hz if hz > 0]
    pairs = list(_health_clocks(text))
    if not clocks and pairs:
        sheet.environment["clock"] = _clock(0, [median(real for _, real in pairs)])
    slow = [real for claimed, real in pairs if real < _FELL * claimed]
    if slow:
        message = f"the firmware ran the processor at {min(slow) / 1e6:.0f} MHz while the kernel believed in more"
        sheet.verdict("clock-throttled", message, *sheet.workloads)
    if any(_THROTTLED.match(line) for line in text.lines):
        sheet.verdict("clock-throttled", "sbc-bench says that the clock was throttled", *sheet.workloads)
    elif len(clocks) > 1 and clocks[-1] < _FELL * clocks[0]:
        sheet.verdict(
            "clock-throttled",
            f"the highest clock was {clocks[0] / 1e6:.0f} MHz before the benchmarks, {clocks[-1] / 1e6:.0f} MHz after",
            *sheet.workloads,
        )


def _health_clocks(text: Text) -> Iterator[tuple[float, float]]:
    """Claimed and real clocks in Hz during the run of OpenSSL."""
    start = next((at for at, line in enumerate(text.lines) if line.startswith(_HEALTH)), len(text.lines))
    for line in text.lines[start + 1 :]:
        match = _HEALTH_CLOCKS.match(line)
        if match is not None:
            yield float(match[1]) * 1e6, float(match[2]) * 1e6
        elif line.startswith(("System health", "##")):
            return


def _device(text: Text) -> str | None:
    title = next((found for line in text.lines if (found := _TITLE.match(line))), None)
    named = text.header.get("device", "")
    if not _NO_NAME.match(named):
        return printable(named, 400)
    if title is not None and title[2]:
        return printable(title[2].removesuffix(" extensive"), 400)
    row = next((found for line in text.lines if (found := _SUMMARY.match(line))), None)
    return None if row is None else printable(row[1], 400)


def _created(text: Text) -> str | None:
    """When it was measured, in UTC, by the title."""
    title = next((found for line in text.lines if (found := _TITLE.match(line))), None)
    if title is None:
        return None
    try:
        when = datetime.strptime(title[3], "%a, %d %b %Y %H:%M:%S %z")
        return when.astimezone(UTC).isoformat(timespec="seconds") if when.year > 1980 else None
    except (ValueError, OverflowError):
        return None


def _hardware(text: Text) -> Hardware:
    """The box by the text of lscpu in it, and by what sbc-bench says of its system."""
    files: dict[str, bytes] = {}
    compatibles = []
    in_list = False
    for line in text.lines:
        kernel = re.match(r"^\s*Kernel: (\S{1,80}?)/(\w{2,20})\s*$", line)
        if kernel is not None:
            files["proc/sys/kernel/osrelease"] = kernel[1].encode()
        first = re.match(r"^\s*DT compat:\s*(\S+,\S+)\s*$", line)
        more = re.match(r"^\s{6,}([\w.+-]+,[\w.+-]+)\s*$", line) if in_list else None
        in_list = first is not None or more is not None
        if first is not None or more is not None:
            compatibles.append((first or more)[1])  # type: ignore[index]
    if compatibles:
        files["proc/device-tree/compatible"] = "".join(f"{name}\0" for name in compatibles).encode()
    start = next((at for at, line in enumerate(text.lines) if line.startswith("Architecture:")), None)
    if start is not None:
        end = next((at for at, line in enumerate(text.lines[start:], start) if not line.strip()), len(text.lines))
        found = lscpu_hardware(parse_fields(text.lines[start:end]), name_of(text), files)
        if found is not None:
            return found
    return examine(MemorySource(files, name=name_of(text)), cpu=parse_cpu(""))


def _box_of_cluster(hardware: Hardware, cluster: _Cluster, clusters: list[_Cluster]) -> Hardware:
    """The box with the kinds of core that the clock checks name: lscpu before 2.37 names only that of the first."""
    cpu = hardware.cpu
    if len(clusters) == 1:
        return hardware if cpu.model is not None else replace(hardware, cpu=replace(cpu, model=cluster.kind))
    if len(cpu.core_types) > 1:
        return hardware
    if all(one.kind and one.numbers for one in clusters):
        template = cpu.core_types[0] if cpu.core_types else CoreType(None, None, None, None, None, ())
        kinds: dict[str | None, list[int]] = {}
        for one in clusters:
            kinds.setdefault(one.kind, []).extend(one.numbers)
        types = tuple(
            replace(template, processors=tuple(numbers))
            if kind == template.name
            else CoreType(kind, None, None, None, None, tuple(numbers))
            for kind, numbers in kinds.items()
        )
        names = [f"{len(one.processors)}x {one.name}" for one in types]
        model = types[0].name if len(types) == 1 else " + ".join(names)
        return replace(hardware, cpu=replace(cpu, core_types=types, model=model))
    if cluster.first == 0:
        return hardware
    return replace(hardware, cpu=replace(cpu, core_types=(), model=cluster.kind))


def _box(hardware: Hardware, cluster: _Cluster) -> Box:
    aes = hardware.cpu.features.functions["aes"]
    return Box(
        has_aes={Presence.PRESENT: True, Presence.ABSENT: False}.get(aes),
        clock_hz=max(cluster.clocks_hz, default=0.0) or None,
    )


FORMAT = Format("sbc-bench", "results of sbc-bench", _confidence, _read)
