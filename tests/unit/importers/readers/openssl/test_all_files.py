"""Every public file: what is imported or named as unread is all that is in it, counted by regular expressions.

The files are below the folder that ``IPSECBENCH_PUBLIC_DATASETS`` names, else ``../shared/datasets`` where that is
there, else those that come with the tests.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.bench.published import Unit
from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.readers.openssl_speed import FORMAT, read_tables
from ipsecbench.importers.sheet import ASSUMED_SPREAD, Sheet
from ipsecbench.importers.text import read_text

ROOT = Path(__file__).parents[5]
SHIPPED = ROOT / "tests" / "data" / "openssl-speed"
THOUSANDS = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?k(?!\w)")
TIMES = re.compile(r"(?<![\w.])\d+\.\d{4,6}s(?!\w)")
COUNTED = re.compile(r"Doing .* in \d+\.\d+s\s*$")
REFUSED = {
    "gist-cuteribs-asuswrt-table.txt": "does not say of which size",
    "gist-cuteribs-padavan-table.txt": "does not say of which size",
    "issue-ipq40xx-tcrypt-gcm.txt": "nothing in it that openssl speed prints",
    "openwrt-oldwiki-HardwareAcceleratedCrypto.md": "nothing in it that openssl speed prints",
    "openwrt-oldwiki-HardwarePerformance.md": "no figure of openssl speed",
    "router-map-gcm-table.txt": "nothing in it that openssl speed prints",
}


def folder() -> Path:
    named = os.environ.get("IPSECBENCH_PUBLIC_DATASETS")
    beside = ROOT.parent / "shared" / "datasets"
    if named:
        assert Path(named).is_dir(), f"{named} is no folder"
        return Path(named) / "openssl-speed"
    return beside / "openssl-speed" if (beside / "openssl-speed").is_dir() else SHIPPED


def files(kind: str) -> list[Path]:
    found = [path for path in sorted(folder().rglob("*")) if path.suffix in (".txt", ".md", ".rst")]
    found = [path for path in found if "lelegard" not in str(path) and path.name != "README.md"]
    is_sbc = {path: "sbc-bench v" in path.read_text(errors="replace")[:4000] for path in found}
    return [path for path in found if is_sbc[path] == (kind == "sbc-bench")]


def figures(found: Dataset) -> Iterator[tuple[Unit, int | None]]:
    for row in found.measurements:
        for one in row.published:
            yield one.unit, one.line


def body(path: Path) -> list[str]:
    """The lines of a file, without those at its top that say where it is from."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line if not line.startswith("#") or number > 10 else "" for number, line in enumerate(lines)]


@pytest.mark.slow
def test_no_figure_of_any_file_is_lost() -> None:
    seen = 0
    for path in files("openssl speed"):
        text = read_text(path)
        if path.name in REFUSED:
            with pytest.raises(DatasetError, match=REFUSED[path.name]):
                FORMAT.read(text)
            continue
        found = FORMAT.read(text)
        lines = body(path)
        sources = [each.source for each in found if each.source is not None]
        unread = [one.line for source in sources for one in source.unread]
        assert sum(source.unread_lines for source in sources) == len(unread), path.name
        for each in found:
            assert from_document(to_document(each)) == each
        all_figures = [figure for each in found for figure in figures(each)]
        thousands = sum(unit is Unit.KILOBYTES for unit, _ in all_figures)
        expected = sum(len(THOUSANDS.findall(line)) for number, line in enumerate(lines, 1) if number not in unread)
        # Of a line that gave figures and has unread ones besides, the ones that were read count too.
        expected += sum(unit is Unit.KILOBYTES and line in unread for unit, line in all_figures)
        assert thousands == expected, path.name
        keys = sum(unit in (Unit.OPERATIONS, Unit.SECONDS) for unit, _ in all_figures)
        timed = sum(len(TIMES.findall(line)) for line in lines)
        counted = sum(COUNTED.search(line) is not None for line in lines)
        if timed or thousands:
            assert keys >= timed, path.name
        elif counted:
            assert keys == counted, path.name
        seen += 1
    assert seen >= 14


@pytest.mark.slow
def test_no_figure_of_the_tables_of_sbc_bench_is_lost() -> None:
    for path in files("sbc-bench"):
        text = read_text(path)
        sheet = Sheet(text, "sbc-bench")
        read_tables(sheet, text.lines, 1, version="OpenSSL 1.1.1n", is_elapsed=True)
        expected = sum(len(THOUSANDS.findall(line)) for line in body(path) if line.startswith("aes-"))
        read = sum(len(sheet.figures(workload)) for workload in sheet.workloads)
        assert read == expected, path.name


@pytest.mark.slow
def test_all_files_are_read_in_seconds() -> None:
    chosen = files("openssl speed") + files("sbc-bench")
    begun = time.process_time()
    for path in chosen:
        text = read_text(path)
        FORMAT.confidence(text)
        read_tables(Sheet(text, "sbc-bench"), text.lines, 1)
    # 0.6 s for 327 files on an AMD EPYC; ten times as much is a mistake.
    assert time.process_time() - begun < 10


def pairs(path: Path) -> Iterator[float]:
    """How far figures differ that sbc-bench measured twice in a row on the same core, as a part of their mean."""
    is_twice, previous = False, None
    for line in path.read_text(errors="replace").splitlines():
        if "Executing benchmark" in line:
            is_twice, previous = "twice" in line, None
        words = line.split()
        rates = [float(word[:-1]) for word in words[1:7] if re.fullmatch(r"\d+\.\d+k", word)]
        if not is_twice or not line.startswith("aes-") or len(rates) < 5:
            previous = None
            continue
        if previous is not None and previous[0] == words[0]:
            yield from (abs(one - other) / ((one + other) / 2) for one, other in zip(previous[1], rates, strict=True))
            previous = None
        else:
            previous = (words[0], rates)


@pytest.mark.slow
def test_the_assumed_spread_holds_the_spread_of_repeated_runs() -> None:
    differences = [difference for path in files("sbc-bench") for difference in pairs(path)]
    assert len(differences) >= 18
    # Two runs differ by the square root of two times what each differs from the truth.
    within = sum(difference <= ASSUMED_SPREAD * 2**0.5 for difference in differences) / len(differences)
    assert within >= 0.95
    assert statistics.median(differences) < 0.01
