"""The benchmark of wolfCrypt, as text and with ``-csv``, of its versions up to 5.

What it times, read in its source (wolfcrypt/benchmark/benchmark.c): one thread (or each of several) by the wall clock
for at least a second, blocks of the size in its first line. An AEAD's operation is a whole message with its tag, and
decryption checks it; the key is set once. Hashes and HMACs are, without ``-dgst_full``, one message of many blocks.
Up to version 5.2 ``MB`` were 2^20 octets and ``mB`` 10^6; since 5.5.4 at the latest they are ``MiB`` and ``MB``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import MOST_RUNS, library, number, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.wolfcrypt.names import Named, public_key, symmetric
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "wolfcrypt"
OLD_BLOCK_BYTES = 2**20
"""Octets of a block in old versions, which do not print it (seen in 2016)."""
_WITHOUT_INSTRUCTIONS = 6.0
"""Cycles for an octet below which no AES without instructions is."""
_BEGIN = re.compile(r"wolfCrypt Benchmark\s*\((?:block bytes (\d{1,9}),\s*)?min")
_VERSION = re.compile(r"wolfSSL version (\d+\.\d+(?:\.\d+)?)")
_THREADS = re.compile(r"^(?:wolf\S*\s+)?(?:Threads|CPUs):\s*(\d{1,4})\s*$")
_SYMMETRIC = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w /()-]{0,40}?)\s+(?:(?:SW|HW)\s+)?(?P<amount>[\d.]{1,12}) (?P<kind>[A-Za-z]{2,5}) took"
    r" (?P<time>[\d.]{1,12}) seconds,\s*(?P<rate>[\d.]{1,16}) (?P<unit>[A-Za-z]{2,5})/s"
    r"(?:,? Cycles per byte =\s*(?P<cycles>[\d.]{1,14}))?\s*$"
)
_ASYMMETRIC = re.compile(
    r"^(?P<name>[A-Za-z][\w .+-]{0,40}?(?:\s*\[\s*(?P<curve>\w{1,30})\s*\])?)\s+(?:(?P<bits>\d{1,5})\s+)?"
    r"(?P<what>[A-Za-z][\w -]{0,24}?)?\s+(?:(?:SW|HW)\s+)?(?P<count>\d{1,12}) ops took (?P<time>[\d.]{1,12}) sec,"
    r" avg (?P<each>[\d.]{1,14}) ms, (?P<rate>[\d.]{1,16}) ops/sec"
)
_OLD_ASYMMETRIC = re.compile(
    r"^(?P<name>[A-Za-z][A-Za-z-]{0,20})\s+(?:(?P<bits>\d{2,5})\s+)?(?P<what>[A-Za-z][A-Za-z -]{0,30}?)\s+(?:took\s+)?"
    r"(?P<each>[\d.]{1,14}) milliseconds, avg over (?P<count>\d{1,9}) iterations"
)
"""Old versions (seen in 2016)."""
_CSV_SYMMETRIC = re.compile(r"^([A-Za-z0-9][\w /()-]{0,40}),([\d.]{1,18}),(?:([\d.]{0,18}),?)?\s*$")
_CSV_ASYMMETRIC = re.compile(
    r"^([A-Za-z][\w \[\].+-]{0,60}),(\d{1,5}),([\w -]{0,24}),([\d.]{1,18}),([\d.]{1,18}),?\s*$"
)
_CURVE = re.compile(r"\[\s*(\w{1,30})\s*\]")
_TWO = re.compile(r" took .* took ")
_LAST_WITH_OLD_UNITS = (5, 2)
_FIRST_WITH_NEW_UNITS = (5, 5, 4)


@dataclass
class _Run:
    """One start of the benchmark."""

    version: str | None = None
    block: int | None = None
    threads: int = 1
    is_csv: bool = False
    part: int = 1
    parts: dict[Workload, list[tuple[int, float, Unit]]] = field(default_factory=dict)
    """Figures of single threads."""

    @property
    def release(self) -> tuple[int, ...] | None:
        return None if self.version is None else tuple(int(part) for part in self.version.split("."))


def _confidence(text: Text) -> int:
    lines = [line for _, line in tool_lines(text, last=min(1000, len(text.lines)))]
    if any(_BEGIN.search(line) for line in lines):
        return 95
    return 80 if any(_SYMMETRIC.match(line) or _ASYMMETRIC.match(line) for line in lines) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    found: list[Dataset] = []
    run, sheet = _Run(), Sheet(text, "wolfcrypt")
    begun = sum(_BEGIN.search(line) is not None for _, line in tool_lines(text))
    if begun > MOST_RUNS:
        raise DatasetError(f"more than {MOST_RUNS} runs in one text")
    version = None
    for line, content in tool_lines(text):
        begin, said = _BEGIN.search(content), _VERSION.search(content)
        if said is not None:
            version = said[1]
        if begin is not None:
            _finish(sheet, run, found)
            run = _Run(version, None if begin[1] is None else int(begin[1]), part=run.part + (1 if found else 0))
            sheet = Sheet(text, "wolfcrypt", part=f"run {run.part}" if begun > 1 else None)
        elif said is None:
            _line(sheet, run, line, content)
    run.version = run.version or version
    _finish(sheet, run, found)
    if not found:
        raise DatasetError("no line with a rate in it")
    return tuple(found)


def _line(sheet: Sheet, run: _Run, line: int, content: str) -> None:
    threads = _THREADS.match(content)
    if threads is not None:
        run.threads = max(1, int(threads[1]))
        return
    if content.startswith("Algorithm,"):
        run.is_csv = True
        return
    bulk, operations = _SYMMETRIC.match(content), _ASYMMETRIC.match(content)
    old = _OLD_ASYMMETRIC.match(content)
    if _TWO.search(content):
        sheet.unread(line, "two figures on one line: two runs side by side, of which neither is named")
    elif bulk is not None:
        _bulk(sheet, run, line, bulk)
    elif operations is not None:
        curve = operations["curve"] or ""
        _keyed(sheet, run, line, operations["name"], curve, operations["bits"], operations["what"] or "", operations)
    elif old is not None:
        found = public_key(old["name"], "", old["bits"] or "", old["what"])
        _put(sheet, run, line, found, None, old["each"], Unit.MILLISECONDS)
    elif run.is_csv and _CSV_ASYMMETRIC.match(content):
        name, bits, what, _, rate = _CSV_ASYMMETRIC.match(content).groups()  # type: ignore[union-attr]
        curve = _CURVE.search(name)
        _put(
            sheet,
            run,
            line,
            public_key(name, "" if curve is None else curve[1], bits, what),
            None,
            rate,
            Unit.OPERATIONS,
        )
    elif run.is_csv and _CSV_SYMMETRIC.match(content):
        match = _CSV_SYMMETRIC.match(content)
        if match is not None:
            cycles = number(match[3] or "")
            size = run.block or OLD_BLOCK_BYTES
            _put(sheet, run, line, symmetric(match[1]), size, match[2], Unit.MEBIBYTES, cycles=cycles)
    elif " took " in content or "ops/sec" in content:
        sheet.unread(line, "no line that the benchmark prints: cut, or of another version")


def _bulk(sheet: Sheet, run: _Run, line: int, match: re.Match[str]) -> None:
    unit = _unit(run, match["unit"])
    if unit is None:
        sheet.unread(line, f"{match['unit']}/s is no unit of the benchmark")
        return
    scale, base = unit
    value = (number(match["rate"]) or 0.0) * scale
    cycles = number(match["cycles"] or "")
    _put(sheet, run, line, symmetric(match["name"]), run.block or OLD_BLOCK_BYTES, value, base, match["unit"], cycles)


def _keyed(
    sheet: Sheet, run: _Run, line: int, name: str, curve: str, bits: str | None, what: str, match: re.Match[str]
) -> None:
    _put(sheet, run, line, public_key(name, curve, bits or "", what), None, match["rate"], Unit.OPERATIONS)


def _unit(run: _Run, printed: str) -> tuple[float, Unit] | None:
    """What a printed unit means in this version: a factor, and a unit of ours."""
    fixed = {
        "MiB": (1.0, Unit.MEBIBYTES),
        "KiB": (1024.0, Unit.BYTES),
        "mB": (1.0, Unit.MEGABYTES),
        "kB": (1.0, Unit.KILOBYTES),
        "bytes": (1.0, Unit.BYTES),
    }
    if printed in fixed:
        return fixed[printed]
    if printed not in ("MB", "KB"):
        return None
    if run.release is not None and run.release >= _FIRST_WITH_NEW_UNITS:
        return (1.0, Unit.MEGABYTES) if printed == "MB" else (1.0, Unit.KILOBYTES)
    return (1.0, Unit.MEBIBYTES) if printed == "MB" else (1024.0, Unit.BYTES)


def _put(
    sheet: Sheet,
    run: _Run,
    line: int,
    found: Named,
    size: int | None,
    value: str | float,
    unit: Unit,
    printed_unit: str | None = None,
    cycles: float | None = None,
) -> None:
    """Take a figure; with several threads each line is one thread's, and they are added up at the end."""
    rate = number(value) if isinstance(value, str) else value
    if not rate:
        sheet.unread(line, "no rate above 0")
        return
    if found.is_setting:
        sheet.unread(line, "random numbers, or a password that is stretched: nothing of a tunnel")
        return
    work = Workload(Tier.PRIMITIVE, PROVIDER, found.operation, found.algorithm, size, cores=run.threads)
    if run.threads > 1:
        run.parts.setdefault(work, []).append((line, rate, unit))
        sheet.unread(line, f"one thread's part of {run.threads}; their sum is the figure")
        return
    sheet.figure(work, rate, unit, line, detail={"printed": printable(found.printed)})
    _judge(sheet, run, work, found, printed_unit, cycles)


def _judge(
    sheet: Sheet, run: _Run, work: Workload, found: Named, printed_unit: str | None, cycles: float | None
) -> None:
    if found.is_gcm:
        sheet.verdict("gcm-per-record", "every block is a message with its own tag", work)
    if found.operation in ("digest", "authenticate") and work.size_bytes is not None and not found.is_whole:
        sheet.verdict("digest-stream", "blocks are hashed as one long message, unless -dgst_full was given", work)
    if work.algorithm.startswith("aes") and not (cycles is not None and cycles < _WITHOUT_INSTRUCTIONS):
        message = "wolfSSL uses AES instructions only where it was built to, and the text does not say how it was"
        sheet.verdict("instructions-unknown", message, work)
    if run.block is None and work.size_bytes is not None:
        sheet.verdict("size-assumed", f"the size of a block is not printed: {OLD_BLOCK_BYTES} octets are assumed", work)
    release = run.release
    is_between = release is None or (release[:2] > _LAST_WITH_OLD_UNITS and release < _FIRST_WITH_NEW_UNITS)
    if work.size_bytes is not None and (run.is_csv or (printed_unit in ("MB", "KB") and is_between)):
        message = "2^20 octets are taken for an MB: with -base10 they would be 10^6, and the text does not say"
        sheet.verdict("unit-unclear", message, work)


def _finish(sheet: Sheet, run: _Run, found: list[Dataset]) -> None:
    for work, figures in run.parts.items():
        if len(figures) % run.threads == 0 and len({unit for _, _, unit in figures}) == 1:
            for place in range(0, len(figures), run.threads):
                part = figures[place : place + run.threads]
                detail = {"lines": [line for line, _, _ in part]}
                sheet.figure(work, sum(rate for _, rate, _ in part), part[0][2], part[0][0], detail=detail)
        else:
            sheet.unread(figures[0][0], f"{len(figures)} lines of {run.threads} threads: no sum")
    if not sheet.workloads:
        return
    version = None if run.version is None else f"wolfSSL {run.version}"
    sheet.libraries = [library(PROVIDER, version)]
    if version is None:
        sheet.verdict("version-unknown", "the version of wolfSSL is not stated", *sheet.workloads)
    found.append(sheet.dataset())


FORMAT = Format("wolfcrypt", "the benchmark of wolfCrypt", _confidence, _read)
