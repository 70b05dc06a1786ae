"""The tables of dpdk-test-crypto-perf, run by run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import MOST_RUNS, library, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.dpdk_perf.options import Asked, asked_for, options_in
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

_THROUGHPUT, _LATENCY, _CYCLES, _VERIFY = "throughput", "latency", "pmd-cyclecount", "verify"
_HEADS = (
    (_CYCLES, re.compile(r"lcore id\b.*Cycles/Enq.*Cycles/Deq", re.I)),
    (_THROUGHPUT, re.compile(r"lcore id\b.*Buf.*(?:MOps|Ops\(Millions\)).*Gbps", re.I)),
    (_LATENCY, re.compile(r"#\s*lcore,\s*Buffer Size,\s*Burst Size,\s*Pakt Seq", re.I)),
    (_VERIFY, re.compile(r"lcore id\b.*Buf.*Failed Ops", re.I)),
)
_OPTIONS_BEGIN = re.compile(r"^#\s*Crypto Performance Application Options", re.I)
_NUMBER = re.compile(r"^\d{1,15}(?:\.\d{1,9})?$")
_SEPARATOR = re.compile(r"[,;]")
_SUMMARY = re.compile(r"^#\s*time \[us\]\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s*$")
_SUMMARY_SIZE = re.compile(r"^#\s*(Buffer size|Burst size):\s*(\d{1,9})\s*$")
_CLOCK = re.compile(r"TSC frequency is ~?(\d{1,9}) KHz", re.I)
_RELEASE = re.compile(r"\bDPDK (\d\d\.\d\d(?:\.\d{1,3})?)\b")
UNSTATED = "unstated"
"""Algorithm of a table without its options: CSV has none, and neither has ``--silent``."""
_COLUMNS = {_THROUGHPUT: 10, _CYCLES: 10, _LATENCY: 6, _VERIFY: 8}
_MOST_BURSTS = 100
_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: tuple[str, ...]

    @property
    def key(self) -> tuple[int, int]:
        """Size of the buffer and of the burst."""
        return int(float(self.cells[1])), int(float(self.cells[2]))


@dataclass
class _Run:
    """One start of the tool: its options and one table."""

    options: dict[str, str] = field(default_factory=dict)
    test: str | None = None
    rows: list[_Row] = field(default_factory=list)
    summaries: list[tuple[int, int, int, tuple[str, ...]]] = field(default_factory=list)
    """Line, size, burst, and total, average, maximum and minimum of a latency."""
    odd: list[tuple[int, str]] = field(default_factory=list)


def _confidence(text: Text) -> int:
    lines = [line for _, line in tool_lines(text, last=min(5000, len(text.lines)))]
    if any(pattern.search(line) for line in lines for _, pattern in _HEADS):
        return 95
    return 90 if any(_SUMMARY.match(line) for line in lines) else 0


def _runs(text: Text) -> tuple[list[_Run], float | None]:
    runs, run, clock = [], _Run(), None
    size = burst = 0
    for place, line in tool_lines(text):
        head = next((name for name, pattern in _HEADS if pattern.search(line)), None)
        told = _SUMMARY_SIZE.match(line)
        summary = _SUMMARY.match(line)
        khz = _CLOCK.search(line)
        if khz is not None:
            clock = int(khz[1]) * 1e3
        elif head is not None:
            if run.rows or run.summaries:
                runs.append(run)
                run = _Run(dict(run.options))
            run.test = head
        elif _OPTIONS_BEGIN.match(line) or "crypto-perf " in line:
            if run.rows or run.summaries:
                runs.append(run)
                run = _Run()
            run.options.update(options_in(line))
        elif told is not None:
            size, burst = (int(told[2]), burst) if told[1] == "Buffer size" else (size, int(told[2]))
        elif summary is not None:
            run.summaries.append((place, size, burst, summary.groups()))
        elif line.startswith(("#", "CRYPTODEV:", "EAL:")):
            run.options.update(options_in(line))
        else:
            _row(run, place, line)
    return [*runs, run], clock


def _row(run: _Run, place: int, line: str) -> None:
    if run.test is None:
        return
    cells = tuple(
        cell.strip() for cell in (_SEPARATOR.split(line.strip()) if _SEPARATOR.search(line) else line.split())
    )
    if len(cells) == _COLUMNS[run.test] and all(_NUMBER.match(cell) for cell in cells):
        run.rows.append(_Row(place, cells))
    elif sum(_NUMBER.match(cell) is not None for cell in cells) > 2:
        run.odd.append((place, "no line of the table above: cut, or of something else"))


def _read(text: Text) -> tuple[Dataset, ...]:
    runs, clock = _runs(text)
    used = [run for run in runs if run.rows or run.summaries]
    clock = clock or next((hz for run in used if (hz := _clock_of(run)) is not None), None)
    found: list[Dataset] = []
    reasons: list[str] = []
    for place, run in enumerate(used, 1):
        asked = asked_for(run.options)
        bursts = sorted({key[1] for key in _keys(run)})
        if len(bursts) > _MOST_BURSTS or len(used) > MOST_RUNS:
            raise DatasetError(f"more than {_MOST_BURSTS} sizes of burst or {MOST_RUNS} runs in one text")
        for burst in bursts:
            sheet = Sheet(text, "dpdk", part=f"run {place}, {run.test or _LATENCY}, bursts of {burst}")
            reason = _fill(sheet, run, asked, burst, clock)
            for line, why in run.odd:
                sheet.unread(line, why)
            if sheet.workloads:
                _judge(sheet, asked, run)
                found.append(sheet.dataset())
            elif reason is not None:
                reasons.append(reason)
    if not found:
        raise DatasetError(reasons[0] if reasons else "no line of figures below its heading")
    return tuple(found)


def _keys(run: _Run) -> Iterable[tuple[int, int]]:
    yield from (row.key for row in run.rows)
    yield from ((size, burst) for _, size, burst, _ in run.summaries)


def _clock_of(run: _Run) -> float | None:
    """Hertz of the counter, from the cycles and the rate of a line."""
    if run.test != _THROUGHPUT:
        return None
    rates = ((float(row.cells[7]) * 1e6, float(row.cells[9])) for row in run.rows)
    return next((rate * cycles for rate, cycles in rates if rate > 0 and cycles > 0), None)


def _fill(sheet: Sheet, run: _Run, asked: Asked, burst: int, clock: float | None) -> str | None:
    """Take the run's figures of a size of burst; why there is none, where there is none."""
    rows = [row for row in run.rows if row.key[1] == burst]
    if run.test == _THROUGHPUT:
        for size, of_size in _by_size(rows).items():
            _throughput(sheet, asked, size, of_size)
    elif run.test == _VERIFY:
        return "a check of results, which has no rate"
    elif run.test == _CYCLES:
        if clock is None:
            return "cycles of a counter whose rate the text does not say: EAL prints it, and throughput tells it"
        for row in rows:
            _cycles(sheet, asked, row, clock)
    if run.test == _LATENCY:
        for size, of_size in _by_size(rows).items():
            _latencies(sheet, asked, size, of_size)
    for line, size, told, values in run.summaries:
        if told == burst:
            _latency(sheet, asked, line, size, values)
    return None


def _by_size(rows: list[_Row]) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.key[0], []).append(row)
    return found


def _work(asked: Asked, operation: str, size: int, cores: int = 1) -> Workload:
    return Workload(Tier.PRIMITIVE, f"dpdk-{asked.driver}", operation, asked.algorithm or UNSTATED, size, cores=cores)


def _throughput(sheet: Sheet, asked: Asked, size: int, rows: list[_Row]) -> None:
    """A size's lines: one for each core at once; the same core again is a repetition."""
    rounds: dict[int, list[_Row]] = {}
    seen: Counter[str] = Counter()
    for row in rows:
        rounds.setdefault(seen[row.cells[0]], []).append(row)
        seen[row.cells[0]] += 1
    for one in rounds.values():
        work = _work(asked, asked.operation, size, len(one))
        mops, gbps = (sum(float(row.cells[place]) for row in one) for place in (7, 8))
        by_operations = _digits(one[0].cells[7]) > _digits(one[0].cells[8])
        value, unit = (mops * 1e6, Unit.OPERATIONS) if by_operations else (gbps, Unit.GIGABITS)
        detail = {
            "burst": int(float(one[0].cells[2])),
            "cycles_per_buffer": [float(row.cells[9]) for row in one],
            "lines": [row.line for row in one],
        }
        sheet.figure(work, value, unit, one[0].line, detail=detail)
        if abs(mops * size * 8e-3 - gbps) > max(0.002 * len(one), gbps * _TOLERANCE):
            sheet.verdict("inconsistent", "operations times their size are not the bits per second beside them", work)
        if any(row.cells[3] != row.cells[4] for row in one):
            sheet.verdict("calls-fail", "not every operation that was given to the device came back", work)
        if any(row.cells[5] != "0" for row in one):
            sheet.verdict("calls-refused", "the queue was full at times, so that the device was the limit", work)


def _digits(text: str) -> int:
    """Significant digits of a printed number."""
    return len(text.replace(".", "").lstrip("0"))


def _cycles(sheet: Sheet, asked: Asked, row: _Row, clock: float) -> None:
    for operation, place in (("enqueue", 8), ("dequeue", 9)):
        cycles = float(row.cells[place])
        detail = {"cycles": cycles, "counter_hz": clock, "burst": row.key[1]}
        work = _work(asked, f"{asked.operation}-{operation}", row.key[0])
        sheet.figure(work, cycles / clock * 1e9, Unit.NANOSECONDS, row.line, detail=detail)


def _latency(sheet: Sheet, asked: Asked, line: int, size: int, values: tuple[str, ...]) -> None:
    work = _work(asked, f"{asked.operation}-latency", size)
    average, most, least = (float(value) for value in values[1:])
    sheet.figure(work, average, Unit.MICROSECONDS, line, detail={"maximum_us": most, "minimum_us": least})
    _late(sheet, work)


def _latencies(sheet: Sheet, asked: Asked, size: int, rows: list[_Row]) -> None:
    """Thousands of lines of single operations: their median, the least and the greatest."""
    ordered = sorted((float(row.cells[5]), row.line) for row in rows)
    middle = median(value for value, _ in ordered)
    work, detail = _work(asked, f"{asked.operation}-latency", size), {"operations": len(rows), "statistic": "median"}
    for value, line in ((middle, ordered[len(ordered) // 2][1]), ordered[0], ordered[-1]):
        sheet.figure(work, value, Unit.MICROSECONDS, line, detail=detail)
    _late(sheet, work)


def _late(sheet: Sheet, work: Workload) -> None:
    message = "from giving a burst to the device until an operation of it is back: others are worked on meanwhile"
    sheet.verdict("latency-of-burst", message, work)


def _judge(sheet: Sheet, asked: Asked, run: _Run) -> None:
    release = next((match[1] for _, line in tool_lines(sheet.text) if (match := _RELEASE.search(line))), None)
    sheet.libraries = [library(f"dpdk-{asked.driver}", None if release is None else f"DPDK {release}")]
    works = sheet.workloads
    if asked.algorithm is None:
        message = (
            "the table does not say which cipher: put '# command: dpdk-test-crypto-perf …' with its options above it"
        )
        sheet.verdict("cipher-unknown", message, *works)
    if asked.driver == UNSTATED:
        sheet.verdict("device-unknown", "the text does not say which driver did the work", *works)
    if release is None:
        sheet.verdict("version-unknown", "the release of DPDK is not stated", *works)
    if asked.is_engine:
        sheet.verdict("offload-engine", f"{printable(asked.driver)} is an engine beside the processor", *works)
    if run.test == _THROUGHPUT:
        sheet.verdict("result-unchecked", "this test does not look at the status of what comes back", *works)
    if "gcm" in (asked.algorithm or ""):
        sheet.verdict("gcm-per-record", "each operation has its own IV and its own tag", *works)


FORMAT = Format("dpdk", "dpdk-test-crypto-perf", _confidence, _read)
