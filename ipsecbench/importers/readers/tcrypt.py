"""What the kernel's module ``tcrypt`` writes to its log, and tables that people make of it: ciphers within the kernel.

One request at a time, or several in flight where the line before says so; either as many as a second takes, or cycles
of one request. Each request of an AEAD is a whole message with its tag. Every driver is a dataset of its own, because
that is what tcrypt compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers import names
from ipsecbench.importers.figures import MOST_RUNS, library, number, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "tcrypt"
_BEGIN = re.compile(
    r"testing speed of (?:(?P<several>multibuffer) |(?:a?sync )*)(?P<algorithm>[\w(),.-]{2,80})"
    r"(?: \((?P<driver>[^()\s]{0,60}(?:\([^()]{0,40}\))*[^()\s]{0,60})\))?(?: (?P<what>encryption|decryption))?\s*$"
)
_TEST = re.compile(
    r"\btest +\d+ \(( *(?P<bits>\d{1,4}) bit key,)? *(?P<size>\d{1,8}) byte blocks"
    r"(?:, *(?P<update>\d{1,8}) bytes per update, *(?P<updates>\d{1,6}) updates)?\): *(?P<rest>.*)$"
)
_SECONDS = re.compile(r"^(\d{1,12}) operations in (\d{1,5}) seconds \((\d{1,18}) bytes\)")
_PER_SECOND = re.compile(r"^(\d{1,12}) opers/sec, *(\d{1,18}) bytes/sec")
_CYCLES = re.compile(r"cycles")
_TABLE = re.compile(r"^\s*cipher\s*\|\s*block size\s*\|(.+)$", re.I)
_ENGINES = re.compile(
    r"qce|eip|caam|ccp|qat|safexcel|artpec|mtk|talitos|sahara|sun[48]i|omap|atmel|mv-|dcp|4xx|hifn|stm32|chcr"
)
_WRAPPED = re.compile(r"^([a-z0-9-]+)\((.+)\)$")
_KEYS = {"rfc4106": 32, "rfc4309": 24, "rfc3686": 32, "rfc7539esp": 32}
"""Bits of salt that the kernel counts as a part of the key."""


def _confidence(text: Text) -> int:
    lines = [line for _, line in tool_lines(text, last=min(3000, len(text.lines)))]
    if any(_BEGIN.search(line) for line in lines) and any(_TEST.search(line) for line in lines):
        return 95
    return 90 if any(_TABLE.match(line) for line in lines) else 0


def kernel_algorithm(name: str, bits: int | None) -> str:
    """Our token of an algorithm in the kernel's spelling with a key, such as ``rfc4106(gcm(aes))`` with 160 bits."""
    match = _WRAPPED.match(name.lower())
    if match is None:
        return names.primitive(name).algorithm
    mode, inner = match.groups()
    key = None if bits is None else bits - _KEYS.get(mode, 0)
    if mode in ("rfc4106", "rfc4309", "rfc3686", "seqiv"):
        return kernel_algorithm(inner, key)
    if mode == "rfc7539esp" or inner == "chacha20,poly1305":
        return "chacha20poly1305"
    if mode == "hmac":
        return names.primitive(f"hmac({inner})").algorithm
    if mode in ("gcm", "ccm", "ctr", "cbc", "ecb", "xts") and inner in ("aes", "camellia") and key:
        return names.primitive(f"{inner}-{key // 2 if mode == 'xts' else key}-{mode}").algorithm
    if mode == "cbc" and inner in ("twofish", "serpent", "blowfish") and key:
        return f"{inner}{key}"
    if mode == "cbc":
        return names.primitive(
            {"des3_ede": "des-ede3-cbc", "des": "des-cbc", "cast5": "cast5-cbc"}.get(inner, name)
        ).algorithm
    return name.lower() if key is None else f"{name.lower()}-{key}"


def _read(text: Text) -> tuple[Dataset, ...]:
    sheets: dict[str, Sheet] = {}
    odd: list[tuple[int, str]] = []
    begun: Mapping[str, str | None] | None = None
    drivers: tuple[str, ...] = ()
    for line, content in tool_lines(text):
        begin, test, table = _BEGIN.search(content), _TEST.search(content), _TABLE.match(content)
        if begin is not None:
            begun = begin.groupdict()
        elif table is not None:
            drivers = tuple(cell.strip() for cell in table[1].split("|"))
        elif test is not None and begun is not None:
            reason = _tested(text, sheets, line, begun, test)
            if reason is not None:
                odd.append((line, reason))
        elif drivers and content.count("|") > 1:
            _tabled(text, sheets, odd, line, content, drivers)
        elif test is not None:
            odd.append((line, "which algorithm it is of is not in the text"))
    made = [sheet for sheet in sheets.values() if sheet.workloads]
    if not made:
        raise DatasetError(odd[0][1] if odd else "no test with a rate in it")
    for line, reason in odd:
        made[0].unread(line, reason)
    return tuple(_finished(sheet, driver) for driver, sheet in sheets.items() if sheet.workloads)


def _sheet(text: Text, sheets: dict[str, Sheet], driver: str) -> Sheet:
    if driver not in sheets:
        if len(sheets) >= MOST_RUNS:
            raise DatasetError(f"more than {MOST_RUNS} drivers in one text")
        sheets[driver] = Sheet(text, "tcrypt", part=driver or None)
    return sheets[driver]


def _tested(
    text: Text, sheets: dict[str, Sheet], line: int, begun: Mapping[str, str | None], test: re.Match[str]
) -> str | None:
    """Take a line of the log; why it gave no figure, where it did not."""
    seconds, second = _SECONDS.match(test["rest"]), _PER_SECOND.match(test["rest"])
    if seconds is None and second is None:
        is_cycles = _CYCLES.search(test["rest"]) is not None
        return "cycles of a counter whose rate is not stated" if is_cycles else "neither operations nor cycles"
    bits = None if test["bits"] is None else int(test["bits"])
    name = begun["algorithm"] or ""
    what = {"encryption": "encrypt", "decryption": "decrypt"}.get(begun["what"] or "")
    operation = what or ("authenticate" if name.startswith(("hmac", "cmac", "xcbc", "ghash")) else "digest")
    work = Workload(Tier.PRIMITIVE, PROVIDER, operation, kernel_algorithm(name, bits), int(test["size"]) or None)
    if test["updates"] not in (None, "1"):
        return "a hash in several updates: the same length in one update is read"
    found = second or seconds
    value = 0.0 if found is None else int(found[1]) / (1 if found is second else max(1, int(found[2])))
    sheet = _sheet(text, sheets, begun["driver"] or "")
    detail = {"printed": printable(name), "driver": printable(begun["driver"] or "")}
    if begun["several"] is not None:
        detail["in_flight"] = "several requests"
    sheet.figure(work, value, Unit.OPERATIONS, line, detail=detail)
    _mark(sheet, work)
    return None


def _mark(sheet: Sheet, work: Workload) -> None:
    if "gcm" in work.algorithm:
        sheet.verdict("gcm-per-record", "every request is a message with its own tag", work)


def _tabled(
    text: Text, sheets: dict[str, Sheet], odd: list[tuple[int, str]], line: int, content: str, drivers: tuple[str, ...]
) -> None:
    """A row of a table of octets per second, a column for each driver."""
    cells = [cell.strip() for cell in content.split("|")]
    size = number(cells[1])
    if not cells[0] or size is None or size < 1:
        odd.append((line, "no cipher with a size of block"))
        return
    for driver, cell in zip(drivers, cells[2:], strict=False):
        value = number(cell)
        if value is None:
            odd.append((line, f"{cell[:20]!r} for {driver[:40]!r} is no number: cut short"))
            continue
        work = Workload(Tier.PRIMITIVE, PROVIDER, "encrypt", names.primitive(cells[0]).algorithm, int(size))
        sheet = _sheet(text, sheets, driver)
        sheet.figure(work, value, Unit.BYTES, line, detail={"driver": printable(driver)})
        _mark(sheet, work)
        sheet.verdict("table-of-others", "a table that somebody made of the log; taken for encryption", work)
    if len(cells) - 2 < len(drivers):
        odd.append((line, f"{len(cells) - 2} of {len(drivers)} columns: cut short"))


def _finished(sheet: Sheet, driver: str) -> Dataset:
    sheet.libraries = [library(PROVIDER, None, note=printable(f"driver {driver}") if driver else None)]
    sheet.verdict("version-unknown", "the kernel's version is not in its log", *sheet.workloads)
    if _ENGINES.search(driver):
        sheet.verdict("offload-engine", f"{printable(driver)} is an engine beside the processor", *sheet.workloads)
    return sheet.dataset()


FORMAT = Format("tcrypt", "the kernel's tcrypt, its log or a table of it", _confidence, _read)
