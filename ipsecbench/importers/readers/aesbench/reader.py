"""The texts of aesbench, shabench, rsabench, eccbench and pqcbench (github.com/lelegard): one figure a line, in blocks.

What they time, read in their sources: one thread, processor time, at least two seconds (pqcbench three), a loop over
OpenSSL's EVP without any set-up in it. Ciphers: one key and one IV for all of it, only EVP_EncryptUpdate on 16,000
octets, so that GCM is one endless stream whose tag is neither made nor checked. Hashes: EVP_Digest on 64 MiB.
RSA: OAEP and PSS. Signatures: of a digest, so without the hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers import names
from ipsecbench.importers.figures import MOST_RUNS, library, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "aesbench"
_LINE = re.compile(r"^([a-z][a-z0-9-]{1,40}):\s*(.*\S)\s*$")
_COUNT = re.compile(r"^\d{1,18}$")
_QUANTITY = re.compile(r"^(.+)-(microsec|size|bitrate|count|persec)$")
_FACTS = frozenset({"key-size", "iv-size", "block-size", "data-size", "output-size", "digest-size"})
_PRODUCTS = frozenset(
    {"encrypted-size", "decrypted-size", "signature-size", "wrapped-size", "unwrapped-size", "pss-digest-size"}
)
"""How long what comes out is: no measurement."""
OPERATIONS = {
    "encrypt": "encrypt",
    "decrypt": "decrypt",
    "hash": "digest",
    "sign": "sign",
    "verify": "verify",
    "oaep-encrypt": "encrypt",
    "oaep-decrypt": "decrypt",
    "pss-sign": "sign",
    "pss-verify": "verify",
    "encap": "encapsulate",
    "decap": "decapsulate",
}
"""Operation by the first part of a key."""
_RESULTS = re.compile(r"/results/([\w.-]{1,80}?)\.txt\b")
_LIBRARY = re.compile(r"^(.*?)(?:,\s*CPUINFO:\s*(.*))?$")


@dataclass
class _Block:
    """What is said of one algorithm."""

    name: str
    line: int
    facts: dict[str, int] = field(default_factory=dict)
    operations: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """Quantities of each operation, each with its line."""


@dataclass
class _Run:
    """What one start of a tool printed."""

    library: str | None
    blocks: list[_Block] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)


def _confidence(text: Text) -> int:
    lines = [match for _, line in tool_lines(text, last=min(400, len(text.lines))) if (match := _LINE.match(line))]
    keys = {match[1] for match in lines}
    return 95 if "algo" in keys and any(key.endswith("-microsec") for key in keys) else 0


def _runs(text: Text) -> Iterator[_Run]:
    run: _Run | None = None
    for place, content in tool_lines(text):
        if content.startswith("#"):
            continue
        match = _LINE.match(content)
        if match is None:
            if run is not None and content.strip():
                run.odd.append((place, "no key with a value"))
            continue
        key, value = match.groups()
        if key == "openssl" or (run is None and key == "algo"):
            if run is not None:
                yield run
            run = _Run(value if key == "openssl" else None)
        if run is not None and key != "openssl":
            _take(run, place, key, value)
    if run is not None:
        yield run


def _take(run: _Run, place: int, key: str, value: str) -> None:
    if key == "algo":
        run.blocks.append(_Block(value, place))
        return
    if not run.blocks or not _COUNT.match(value):
        run.odd.append((place, "a value before the first algorithm" if not run.blocks else "no whole number"))
        return
    block, count = run.blocks[-1], int(value)
    quantity = _QUANTITY.match(key)
    if key in _FACTS:
        block.facts[key] = count
    elif key in _PRODUCTS:
        return
    elif quantity is not None and quantity[1] in OPERATIONS:
        block.operations.setdefault(quantity[1], {})[quantity[2]] = count, place
    else:
        run.odd.append((place, f"{key!r} is nothing that is known here"))


def _read(text: Text) -> tuple[Dataset, ...]:
    runs = list(islice(_runs(text), MOST_RUNS + 1))
    if len(runs) > MOST_RUNS:
        raise DatasetError(f"more than {MOST_RUNS} runs in one text")
    found = []
    for place, run in enumerate(runs, 1):
        sheet = Sheet(text, "aesbench", part=f"run {place}" if len(runs) > 1 else None)
        named = _RESULTS.search(text.header.get("source", ""))
        sheet.device = None if named is None else named[1]
        for block in run.blocks:
            for operation, values in block.operations.items():
                _figure(sheet, block, operation, values)
        for line, reason in run.odd:
            sheet.unread(line, reason)
        describe_library(sheet, run.library)
        if sheet.workloads:
            found.append(sheet.dataset())
    if not found:
        raise DatasetError("no algorithm with a time in it")
    return tuple(found)


def _figure(sheet: Sheet, block: _Block, printed: str, values: dict[str, tuple[int, int]]) -> None:
    """The figure of one operation, and whether what is printed beside it agrees with it."""
    time = values.get("microsec")
    if time is None or time[0] == 0:
        sheet.unread(next(iter(values.values()))[1], f"{printed} without a time: cut short")
        return
    spent, line = time
    size, work = block.facts.get("data-size"), _workload(block, printed)
    detail = {"time": "processor time, one thread", "printed": f"{printable(block.name)} {printed}"}
    if work.size_bytes is not None:
        if "size" not in values or size is None:
            sheet.unread(line, f"{printed} without its octets: cut short")
            return
        octets = values["size"][0]
        rate = 8e6 * octets / spent
        told, place = values.get("bitrate", (None, line))
        is_odd = told is not None and abs(told - rate) > max(1.0, rate * 1e-6)
        sheet.figure(work, rate if told is None else float(told), Unit.BITS, place, detail=detail)
    elif "count" in values and values["count"][0] > 0:
        count = values["count"][0]
        # The rate that is printed beside them is cut to a whole number, which is 0 for the slowest.
        sheet.figure(work, spent / count, Unit.MICROSECONDS, line, detail=detail)
        told = values.get("persec", (None, 0))[0]
        is_odd = told is not None and abs(told - count * 1e6 / spent) > 1
    else:
        sheet.unread(line, f"{printed} without its count: cut short")
        return
    if is_odd:
        sheet.verdict("inconsistent", "a rate is not what its time and its count give", work)
    mark(sheet, work)


def _workload(block: _Block, printed: str) -> Workload:
    operation, size = OPERATIONS[printed], block.facts.get("data-size")
    if printed in ("encrypt", "decrypt", "hash"):
        return Workload(Tier.PRIMITIVE, PROVIDER, operation, names.primitive(block.name).algorithm, size or 0)
    return Workload(Tier.PRIMITIVE, PROVIDER, operation, public_key(block.name))


def public_key(name: str) -> str:
    """Our token of a public key algorithm in the spelling of these tools: ``P-256``, ``RSA-2048``, ``ML-KEM-768``."""
    plain = names.normal_name(name)
    if re.fullmatch(r"p-\d{3}", plain):
        return names.signature(f"nistp{plain[2:]}")
    return names.encapsulation(plain)


def mark(sheet: Sheet, work: Workload) -> None:
    """Put on a figure what the way it was measured makes of it."""
    sheet.verdict("cpu-time", "the harness divides by processor time of its one thread", work)
    if "gcm" not in work.algorithm:
        return
    message = "one key, one IV and one endless message: no record is begun or ended, so that small packets cost nothing"
    sheet.verdict("gcm-stream", message, work)
    if work.operation == "decrypt":
        sheet.verdict("tag-not-checked", "decryption never checks a tag", work)


def describe_library(sheet: Sheet, printed: str | None) -> None:
    """Note which library was measured; a text without it has a doubt."""
    match = _LIBRARY.match(printable(printed or "", 400))
    version = None if match is None or not match[1] else match[1]
    if version is None:
        sheet.verdict("version-unknown", "the library and its version are not stated", *sheet.workloads)
    named = version if version is None or not version[0].isdigit() else f"OpenSSL {version}"
    settings = None if match is None or match[2] in (None, "N/A") else match[2]
    sheet.libraries = [library(PROVIDER, named, cpu_settings=settings)]


FORMAT = Format("aesbench", "aesbench, shabench, rsabench, eccbench or pqcbench", _confidence, _read)
