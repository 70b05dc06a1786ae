"""Lines of a text to runs: which line belongs to which run, and what each says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ipsecbench.bench.published import Unit
from ipsecbench.errors import DatasetError
from ipsecbench.importers.readers.openssl_speed import lines as reading
from ipsecbench.importers.readers.openssl_speed.lines import Count, KeyCount, Line, Row
from ipsecbench.importers.readers.openssl_speed.machine_readable import machine_line, read_machine, read_sizes
from ipsecbench.importers.readers.openssl_speed.public_key import count_figure, is_heading, row_figures
from ipsecbench.importers.readers.openssl_speed.runs import Figure, Run
from ipsecbench.importers.readers.openssl_speed.versions import FIVE_SIZES, SIX_SIZES, version_of
from ipsecbench.importers.sheet import printable

_ELAPSED = "You have chosen to measure elapsed time"
_CPU_SETTINGS = re.compile(r"^CPUINFO: (.*\S)")
_NOISE = re.compile(
    r"^(?:built on:|options:|compiler:|CPUINFO:|The 'numbers' are|To get the most accurate|available timing"
    r"|timing function|Forked child"
    r"|program when this computer|speed: |\w+:error:|Error |Latency\b|\d+$|-----)"
)
_CHILD = re.compile(r"^(?:Forked child (\d+)|Got: .* from (\d+))$")
_ENGINE_LINE = re.compile(
    r"^(?:engine\s+\"([\w-]+)\" set|(eip93|cryptodev|devcrypto|afalg|qce|padlock|safexcel|caam|qat)\w*\s*:)",
    re.IGNORECASE,
)
_BOX = re.compile(r"^={2,4}\s*([^=\s][^=]*?)\s*={2,4}$")
_NO_HEADING = re.compile(r"^[\w() -]{1,40}:\s+\S|^-|[.!,]\)?$|^\W*$|(?:[\d.+]+,){4}")
"""Lines that describe hardware, compiler flags, prose, and other programs' figures."""
_FAILED = re.compile(r"cipher operation failed|Error performing cipher op")
_FEWEST_OF_CUT = 2
"""A single number below many sizes may be of any of them."""
_LONGEST_HEADING = 120


MOST_LINES = 100_000
"""Lines with figures that are read of one text."""


class Reader:
    """Takes the lines of a text in order and gives the runs in it.

    Args:
        default: what is known of every run beforehand; what a run says itself goes before it.
    """

    def __init__(self, default: Run | None = None) -> None:
        self._default = default or Run()
        self._run = self._fresh(None)
        self._runs: list[Run] = []
        self._free: str | None = None
        self._box: str | None = self._default.box
        self._key_heading: str | None = None
        self._pending: Line | None = None
        self._measured_lines = 0

    def read(self, lines: Sequence[Line]) -> list[Run]:
        """The runs of these lines.

        Raises:
            DatasetError: there are far too many.
        """
        for line in reading.joined_lines(lines):
            if line.text:
                self._take(line)
        self._drop_pending("cut off before its result")
        self._run.is_last = True
        self._end()
        return self._runs

    def _fresh(self, before: Run | None) -> Run:
        """A run that knows what holds for all of them; the version that the text named last holds until it names
        another."""
        default = self._default
        return Run(
            version=default.version if before is None else before.version,
            command=default.command,
            is_elapsed=default.is_elapsed,
            engine=default.engine,
            cpu_settings=default.cpu_settings if before is None else before.cpu_settings,
            box=default.box if before is None else self._box,
            sizes=default.sizes,
        )

    def _end(self) -> None:
        """Close the run and open another."""
        run = self._run
        if not run.is_empty:
            _finish(run)
            self._runs.append(run)
        self._run = self._fresh(run)
        self._key_heading = None

    def _begin_if_done(self) -> None:
        if self._run.has_result:
            self._end()

    def _take(self, line: Line) -> None:
        text = line.text
        if self._pending is not None and self._take_result(line):
            return
        if self._take_measured(line) or self._take_told(line):
            return
        if _FAILED.search(text):
            self._run.has_failed_calls = True
        if _NOISE.match(text):
            return
        if reading.looks_like_figure(text):
            self._run.unread.append((line.number, "not understood"))
            return
        box = _BOX.match(text)
        if box is not None:
            self._end()
            self._box = self._run.box = printable(box[1])
        if len(text) <= _LONGEST_HEADING and _NO_HEADING.search(text) is None:
            self._free = text

    def _take_measured(self, line: Line) -> bool:
        """Lines that have figures or stand above them."""
        if self._is_measured(line):
            self._measured_lines += 1
            if self._measured_lines > MOST_LINES:
                raise DatasetError(f"more than {MOST_LINES} lines of figures, which no text of openssl speed has")
            return True
        return False

    def _is_measured(self, line: Line) -> bool:
        counted = reading.count_of(line.text, line.number)
        if counted is not None:
            self._begin_if_done()
            self._note_heading()
            self._take_count(counted, line)
            return True
        sizes = reading.sizes_of(line.text)
        if sizes is not None:
            if self._run.rows or self._run.keys:
                self._end()
            self._note_heading()
            self._run.sizes = sizes
            return True
        keys = row_figures(line, self._key_heading)
        if keys:
            self._note_heading()
            self._run.keys.extend(keys)
            return True
        if is_heading(line.text):
            self._key_heading = line.text
            return True
        row = reading.row_of(line, self._run.sizes)
        if row is not None:
            if self._run.keys:
                self._end()
            self._note_heading()
            self._run.rows.append(row)
            return True
        machine = machine_line(line.text, line.number)
        if machine is not None:
            if self._run.rows or (
                machine[1] == "DT" and self._run.has_result and machine[3] is None and not self._has_child_results()
            ):
                self._end()
            self._note_heading()
            self._run.machine.append(machine)
        child = _CHILD.match(line.text)
        if child is not None:
            if self._run.rows:
                self._end()
            self._run.children = max(self._run.children, int((child[1] or child[2])[:5]) + 1)
        return machine is not None or child is not None

    def _has_child_results(self) -> bool:
        return any(child is not None for _, _, _, child in self._run.machine)

    def _take_told(self, line: Line) -> bool:
        """Lines that say what was run, where, and how."""
        text = line.text
        command = reading.command_of(line)
        if command is not None:
            if not self._run.is_empty:
                self._end()
            self._run.command = command
            self._run.is_elapsed = command.is_elapsed
            self._run.engine = command.engine
            self._run.cpu_settings = command.environment or self._run.cpu_settings
            if command.host is not None:
                self._run.box = self._box = printable(command.host)
            self._free = command.prompt or self._free
            self._note_heading()
            return True
        if text.startswith(_ELAPSED):
            self._begin_if_done()
            self._run.is_elapsed = True
            return True
        version = version_of(text)
        if version is not None:
            self._begin_if_done()
            self._run.version = version
            return True
        settings = _CPU_SETTINGS.match(text)
        if settings is not None:
            self._run.cpu_settings = printable(settings[1])
            return True
        engine = _ENGINE_LINE.match(text)
        if engine is not None:
            self._begin_if_done()
            self._run.engine = (engine[1] or engine[2]).lower()
            self._run.heading = printable(text[:_LONGEST_HEADING].strip("#:* "))
            return True
        time = reading.time_of(text)
        if time is not None:
            self._run.times[time[0]] = time[1]
        return time is not None

    def _take_count(self, counted: Count | KeyCount | str, line: Line) -> None:
        if isinstance(counted, Count):
            self._run.counts.append(counted)
        elif isinstance(counted, KeyCount):
            self._run.key_counts.append(counted)
        else:
            self._drop_pending("cut off before its result")
            self._pending = line

    def _take_result(self, line: Line) -> bool:
        """The result of a loop whose line something else was printed into."""
        pending = self._pending
        if pending is None:
            return False
        whole = reading.count_of(f"{pending.text} {line.text}", pending.number)
        if isinstance(whole, Count | KeyCount) and not line.text.startswith("Doing "):
            self._pending = None
            self._take_count(whole, pending)
            return True
        if "error" not in line.text.lower():
            self._drop_pending("cut off before its result")
        return False

    def _drop_pending(self, reason: str) -> None:
        if self._pending is not None:
            self._run.unread.append((self._pending.number, reason))
            self._pending = None

    def _note_heading(self) -> None:
        """The last free line above the first figure of a run is its heading."""
        if self._free is not None and not self._run.has_figures:
            self._run.heading = printable(self._free.strip("#:* "))
        self._free = None


def _finish(run: Run) -> None:
    """Figures of the rows and counts of a whole run."""
    if run.sizes is None:
        run.sizes = read_sizes(run.machine)
    for row in run.rows:
        _take_row(run, row)
    read_machine(run)
    _take_counts(run)
    _take_key_counts(run)


def _take_row(run: Run, row: Row) -> None:
    sizes, name = run.sizes, _cipher_name(run, row.name)
    if sizes is None:
        sizes = next((one for one in (FIVE_SIZES, SIX_SIZES) if len(one) == len(row.values)), None)
        run.sizes_assumed = run.sizes_assumed or sizes is not None
    if sizes is None or len(row.values) > len(sizes):
        run.unread.append((row.line, "the sizes of its columns are not stated"))
        return
    if name is None:
        run.unread.append((row.line, "evp: which cipher that is, is not stated"))
        return
    if all(value.number == 0 for value in row.values):
        run.unread.append((row.line, "not measured: the library was built without it"))
        return
    is_cut = len(row.values) < len(sizes)
    if is_cut and (not run.is_last or row is not run.rows[-1] or len(row.values) < _FEWEST_OF_CUT):
        run.unread.append((row.line, f"{len(row.values)} values below {len(sizes)} sizes"))
        return
    for size, value in zip(sizes, row.values, strict=False):
        unit = Unit.KILOBYTES if value.has_k else Unit.BYTES
        if value.is_whole:
            run.figures.append(Figure(row.line, name, size, value.number, unit, row.note, is_cut=is_cut))
        elif value is row.values[-1]:
            run.unread.append((row.line, "its last number is cut off"))
        else:
            run.unread.append((row.line, f"{value.number:g} without a k: more than speed prints without one"))


def _cipher_name(run: Run, name: str) -> str | None:
    """The cipher of a row; ``evp`` is what ``-multi`` prints for the cipher of ``-evp`` until OpenSSL 1.1.1."""
    if name.lower() != "evp":
        return name
    if run.command is not None and run.command.evp is not None and not run.command.evp.startswith(("<", "$")):
        return run.command.evp
    told = {fields[1] for _, kind, fields, _ in run.machine if kind == "F" and len(fields) > 1}
    told |= {fields[0] for _, kind, fields, _ in run.machine if kind == "DT"} | {count.name for count in run.counts}
    told = {each for each in told if each.lower() != "evp"}
    return told.pop() if len(told) == 1 else None


def _take_counts(run: Run) -> None:
    """Hold the counts against the table; they are the figures where there is no table."""
    figures = {(figure.name.lower(), figure.size): figure for figure in run.figures}
    for count in run.counts:
        figure = figures.get((count.name.lower(), count.size))
        if count.count <= 0 or count.seconds <= 0:
            if figure is None:
                run.unread.append((count.line, "no call was made in time"))
            continue
        rate = count.count / count.seconds
        if figure is None:
            run.figures.append(Figure(count.line, count.name, count.size, rate, Unit.OPERATIONS))
        elif not run.is_multi:
            printed = figure.value * (1000.0 if figure.unit is Unit.KILOBYTES else 1.0)
            # Seconds have two digits after the point, the table was made of the exact ones.
            if abs(printed / (rate * count.size) - 1) > 0.006 / count.seconds + 0.0005:
                run.contradicted.add((figure.line, figure.size))


def _take_key_counts(run: Run) -> None:
    known: dict[tuple[str, str], list[float]] = {}
    for key in run.keys:
        if key.value > 0:
            rate = key.value if key.unit is Unit.OPERATIONS else 1 / key.value
            known.setdefault((key.operation, key.algorithm), []).append(rate)
    has_table = bool(run.keys)
    for count in run.key_counts:
        figure = count_figure(count)
        if figure is None:
            if not has_table:
                run.unread.append((count.line, "the curve is not stated"))
            continue
        if (figure.operation, figure.algorithm) not in known:
            run.keys.append(replace(figure))
