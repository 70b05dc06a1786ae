"""Reports of cryptobench (github.com/lelegard/cryptobench): the same loops over OpenSSL, Mbed TLS, GnuTLS and others.

What it times, read in its source: one thread, processor time, at least five seconds; a loop with nothing in it is taken
off. AES is CBC on 1,000,000 octets, and the key is set up anew for every operation. RSA: OAEP and PSS; ``-rekey`` gives
the key to the library before every operation. A report has every library; each is a provider of its own.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import box, library, number, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "cryptobench"
_TIMED = re.compile(
    r"^(?P<library>[a-z0-9-]{1,30}): (?P<algorithm>[a-z]+-\d{2,5}):"
    r" (?P<operation>[a-z-]{1,40})(?:=(?P<size>[\d,]{1,12}))?:"
    r" iterations=(?P<count>[\d,]{1,20}): usec-total=(?P<total>[\d,]{1,20}): usec/iter="
)
_KEY = re.compile(r"^([a-z0-9-]{1,30}): ([a-z]+-\d{2,5}): generate-key-usec=([\d,]{1,20})\s*$")
_VERSION = re.compile(r"^([a-z0-9-]{1,30}): version=(.+?)(?: \(CPUINFO: (.*)\))?\s*$")
_SYSTEM = re.compile(r"^system: ([a-z-]{1,20}):[ \t]*(.*?)\s*$")
_RATIO = re.compile(r"-ratio=[\d.,]+\s*$")
_REFERENCE = re.compile(r"^reference: iterations=")
_INDEX = re.compile(r"\s{2,}\d{1,4}$")
_ONLY_TABLES = 15
"""How many times slower than with AES instructions CBC is decrypted without them, at least."""
_EMULATED = re.compile(r"\bqemu on\b", re.I)


def _confidence(text: Text) -> int:
    return 95 if any(_TIMED.match(line) for _, line in tool_lines(text, last=min(2000, len(text.lines)))) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    sheet = Sheet(text, "cryptobench")
    system: dict[str, str] = {}
    for line, content in tool_lines(text):
        said = _SYSTEM.match(content)
        if said is not None:
            system.setdefault(said[1], said[2])
        elif not content.startswith("#"):
            _line(sheet, line, content)
    if not sheet.workloads:
        raise DatasetError("no line with iterations and their time")
    _describe(sheet, system)
    message = "the harness divides by processor time of its one thread"
    sheet.verdict("cpu-time", message, *sheet.workloads)
    _mark_ignored_instructions(sheet)
    if _EMULATED.search(" ".join(system.values())):
        sheet.verdict("emulated", f"an emulator on another processor: {system.get('cpu', '')}", *sheet.workloads)
    return (sheet.dataset(),)


def _line(sheet: Sheet, line: int, content: str) -> None:
    timed, key, version = _TIMED.match(content), _KEY.match(content), _VERSION.match(content)
    if timed is not None:
        _figure(sheet, line, timed)
    elif key is not None:
        work = Workload(Tier.PRIMITIVE, f"{PROVIDER}-{key[1]}", "generate", key[2])
        detail = {"operation": "key generation, whose time depends on the numbers it meets"}
        sheet.figure(work, number(key[3]) or 0.0, Unit.MICROSECONDS, line, detail=detail)
    elif version is not None:
        settings = None if version[3] in (None, "N/A") else printable(version[3])
        sheet.libraries.append(library(f"{PROVIDER}-{version[1]}", printable(version[2]), cpu_settings=settings))
    elif _RATIO.search(content):
        sheet.unread(line, "a ratio of two figures of this text")
    elif _REFERENCE.match(content):
        sheet.unread(line, "the harness's own loop that its scores are relative to, no algorithm")
    elif "usec" in content or "iterations=" in content:
        sheet.unread(line, "no line that cryptobench prints: cut, or of a newer version")


def _figure(sheet: Sheet, line: int, timed: re.Match[str]) -> None:
    count, total = number(timed["count"]), number(timed["total"])
    if not count or not total:
        sheet.unread(line, "no iteration, or no time")
        return
    name, operation, kind = timed["library"], timed["operation"], timed["algorithm"]
    size = number(timed["size"] or "")
    detail: dict[str, Any] = {"time": "processor time, one thread"}
    if kind.startswith("aes-"):
        kind = f"aes{kind[4:]}"
        detail["operation"] = "CBC without padding; the key is set up for each"
    elif kind.startswith("rsa-"):
        detail["padding"] = "PSS" if operation.startswith(("sign", "verify")) else "OAEP"
    provider = f"{PROVIDER}-{'openssl' if name == 'math' else name}"
    if name == "math":
        detail["operation"] = "arithmetic of OpenSSL's big numbers"
    octets = None if not size or not kind.startswith("aes") else int(size)
    work = Workload(Tier.PRIMITIVE, provider, operation, kind, octets)
    sheet.figure(work, total / count, Unit.MICROSECONDS, line, detail=detail)


def _mark_ignored_instructions(sheet: Sheet) -> None:
    """Mark the libraries that decrypt AES-CBC as only tables can, in a report where another one has instructions.

    In the published reports these are 19 to 48 times slower than the fastest library; those with instructions, but one
    block after the other, at most 9 times; and on processors without instructions all are within 3.
    """
    times = {
        work: figure.ns_per_operation(work.mean_bytes)
        for work in sheet.workloads
        if work.operation == "decrypt" and work.algorithm in ("aes128", "aes256")
        for figure in sheet.figures(work)
    }
    fastest: dict[str, float] = {}
    for work, time in times.items():
        fastest[work.algorithm] = min(time, fastest.get(work.algorithm, time))
    slow = {
        (work.provider, work.algorithm) for work, time in times.items() if time > _ONLY_TABLES * fastest[work.algorithm]
    }
    if slow:
        message = f"a library decrypts more than {_ONLY_TABLES} times slower than another one of the same report"
        both = (work for work in sheet.workloads if (work.provider, work.algorithm) in slow)
        sheet.verdict("instructions-ignored", message, *both)


def _describe(sheet: Sheet, system: dict[str, str]) -> None:
    said = {key: value for key, value in system.items() if value and value != "unknown"}
    model = _INDEX.sub("", said.get("cpu", said.get("cpu-index", "")))
    kernel = said.get("kernel", "").split(" ", 1)[0]
    sheet.hardware = box(
        model=printable(model) or None,
        architecture=said.get("arch"),
        device=printable(said.get("machine", "")) or None,
        kernel=printable(kernel) or None,
        operating_system=printable(said.get("distro", said.get("os", ""))) or None,
    )
    sheet.device = said.get("machine") or said.get("cpu-index") or None
    if sheet.device is not None and "vm" in (sheet.text.name or "").lower().replace("_", "-").split(".")[0].split("-"):
        sheet.label = f"{sheet.device} (virtual machine)"
    if (day := _day(said.get("date", ""))) is not None:
        sheet.created = f"{day.isoformat()}T00:00:00+00:00"
    if sheet.device is None:
        sheet.verdict("device-unknown", "the report does not say which box it is of")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


FORMAT = Format("cryptobench", "a report of cryptobench", _confidence, _read)
