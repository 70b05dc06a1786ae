"""``cryptsetup benchmark``: ciphers of the kernel through AF_ALG, and how fast a password is stretched.

What it times (cryptsetup 2.6.1, lib/crypto_backend/cipher_check.c): for at least a second by the wall clock it opens a
cipher, encrypts 1 MiB in 16 requests of 64 KiB through an AF_ALG socket, and closes it. The buffers are counted from 1
on, so that one MiB more is counted than was encrypted: about 1 MiB/s too much whatever the rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import MOST_RUNS, decimal, library, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import Text

PROVIDER = "cryptsetup"
REQUEST_BYTES = 65536
"""CIPHER_BLOCK_BYTES of cryptsetup: octets of one request to the kernel."""
_SLOW_MIB = 20.0
"""Below this rate the MiB that is counted too much is more than a twentieth."""

_CIPHER = re.compile(r"^\s*([a-z][a-z0-9_,+-]{1,40})\s+(\d{2,4})b\s+(\S+)(?:\s+MiB/s)?\s+(\S+?)(?:\s*MiB/s)?\s*$", re.I)
_RATE = re.compile(r"\bPBKDF2-([a-z0-9-]{1,20})\s+(\d{1,15})\s+[^\W\d]{2}", re.I)
"""The words after the number are translated."""
_ABSENT = re.compile(r"^\s{1,16}([a-z][a-z0-9_,+-]{1,40})\s{1,12}(\d{2,4})b\s[^\d#|]{1,80}$", re.I)
_MEMORY = re.compile(r"\b(argon2i?d?)\s+\d+ iterations, +\d+ memory", re.I)
_LAVA = re.compile(r"TEST_CASE_ID=cryptsetup-benchmark-(\S+)\s+RESULT=(\S+)\s+MEASUREMENT=(\S+)\s+UNITS=([^>\s]+)")
_LAVA_CIPHER = re.compile(r"^(.+)_(\d{2,4})-(encryption|decryption)$")
_TITLE = re.compile(r"^#\s*Algorithm\s*\|\s*Key\s*\|\s*Encryption\s*\|\s*Decryption", re.I)
_VERSION = re.compile(r"\bcryptsetup (\d+\.\d+(?:\.\d+)?)\b")
_CUT = re.compile(r"\bexcerpt\b", re.I)


def _confidence(text: Text) -> int:
    content = text.content[:200_000]
    if "Tests are approximate using memory only" in content or "cryptsetup-benchmark-" in content:
        return 90
    lines = [line for _, line in tool_lines(text, last=min(2000, len(text.lines)))]
    if any(_TITLE.match(line) for line in lines):
        return 90
    if any(_RATE.search(line) for line in lines):
        return 80
    return 60 if sum(_CIPHER.match(line) is not None and "MiB/s" in line for line in lines) > 1 else 0


def cipher_token(name: str, key_bits: int) -> str:
    """Our token of a cipher in the kernel's spelling; XTS has two keys, of which each has half of the bits."""
    cipher, _, mode = name.lower().partition("-")
    if mode == "xts":
        return f"{cipher}-{key_bits // 2}-xts"
    if mode.startswith("cbc") and cipher in ("aes", "serpent", "twofish", "camellia", "blowfish"):
        return f"{cipher}{key_bits}"
    return {"ctr": f"{cipher}{key_bits}ctr"}.get(mode, f"{name.lower()}-{key_bits}")


def _runs(text: Text) -> Iterator[tuple[int, int]]:
    """First and last line of each run in the text; a run begins with its title or, without one, with its first rate."""
    marks = [
        place
        for place, line in tool_lines(text)
        if "Tests are approximate using memory only" in line or (_RATE.search(line) and "PBKDF2-sha1 " in f"{line} ")
    ]
    starts = [mark for place, mark in enumerate(marks) if place == 0 or mark - marks[place - 1] > 1]
    bounds = [1, *starts[1:], len(text.lines) + 1]
    yield from ((first, last - 1) for first, last in pairwise(bounds))


def _read(text: Text) -> tuple[Dataset, ...]:
    runs = list(_runs(text))
    if len(runs) > MOST_RUNS:
        raise DatasetError(f"more than {MOST_RUNS} runs in one text")
    found = []
    version = next((match[1] for _, line in tool_lines(text) if (match := _VERSION.search(line))), None)
    for place, (first, last) in enumerate(runs, 1):
        sheet = Sheet(text, "cryptsetup", part=f"run {place}" if len(runs) > 1 else None)
        for line, content in tool_lines(text, first, last):
            _line(sheet, line, content)
        if sheet.workloads:
            _verdicts(sheet, version)
            found.append(sheet.dataset())
    if not found:
        raise DatasetError("no rate in it: neither a cipher with MiB/s nor iterations per second of PBKDF2")
    return tuple(found)


def _line(sheet: Sheet, line: int, content: str) -> None:
    if content.lstrip().startswith("#"):
        return
    rate, lava, cipher = _RATE.search(content), _LAVA.search(content), _CIPHER.match(content)
    if rate is not None:
        _stretching(sheet, line, rate[1], rate[2])
    elif _MEMORY.search(content):
        sheet.unread(line, "parameters that were chosen to take a given time, and no rate")
    elif lava is not None:
        _lava(sheet, line, *lava.groups())
    elif cipher is not None and ("MiB/s" in content or "N/A" in content):
        name, bits, encryption, decryption = cipher.groups()
        if encryption == decryption == "N/A":
            sheet.unread(line, f"{name[:40]} with {bits} bits: not available on the box")
            return
        for operation, value in (("encrypt", encryption), ("decrypt", decryption)):
            _rate(sheet, line, operation, cipher_token(name, int(bits)), value)
    elif (absent := _ABSENT.match(content)) is not None:
        sheet.unread(line, f"{absent[1][:40]} with {absent[2]} bits: not available on the box")
    elif "MiB/s" in content or "N/A" in content:
        sheet.unread(line, "no line that cryptsetup prints: cut, or of something else")


def _rate(sheet: Sheet, line: int, operation: str, algorithm: str, text: str) -> None:
    if text == "N/A":
        sheet.unread(line, f"{algorithm} {operation}: not available on the box")
        return
    value = decimal(text)
    if value is None:
        sheet.unread(line, f"{algorithm} {operation}: {text[:20]!r} is no number")
        return
    work = Workload(Tier.PRIMITIVE, PROVIDER, operation, algorithm, REQUEST_BYTES)
    detail = {"interface": "AF_ALG", "key_set_up": "once for each MiB"}
    sheet.figure(work, value, Unit.MEBIBYTES, line, detail=detail)


def _stretching(sheet: Sheet, line: int, digest: str, text: str) -> None:
    work = Workload(Tier.PRIMITIVE, PROVIDER, "derive", f"pbkdf2-{digest.lower()}")
    detail = {"interface": "library", "operation": "one iteration of PBKDF2: a block of HMAC"}
    sheet.figure(work, float(text[:18]), Unit.OPERATIONS, line, detail=detail)


def _lava(sheet: Sheet, line: int, case: str, result: str, value: str, unit: str) -> None:
    """A line of Linaro's test definitions, which pass on what cryptsetup printed."""
    cipher = _LAVA_CIPHER.match(case)
    if result != "pass":
        sheet.unread(line, f"{case[:40]}: the test did not pass")
    elif cipher is not None and unit == "MiB/s":
        operation = cipher[3].removesuffix("ion")
        _rate(sheet, line, operation, cipher_token(cipher[1], int(cipher[2])), value)
    elif unit == "iter/s" and re.fullmatch(r"\d{1,18}", value):
        _stretching(sheet, line, case, value)
    else:
        sheet.unread(line, f"{unit[:20]} of {case[:40]} is nothing that is known here")


def _verdicts(sheet: Sheet, version: str | None) -> None:
    text = sheet.text
    sheet.libraries = [library(PROVIDER, version, note="ciphers are the kernel's, whose version is not stated")]
    ciphers = [row for row in sheet.workloads if row.size_bytes is not None]
    slow = [row for row in ciphers if any(figure.value < _SLOW_MIB for figure in sheet.figures(row))]
    stretched = [row for row in sheet.workloads if row.size_bytes is None]
    if version is None:
        sheet.verdict(
            "version-unknown",
            "neither cryptsetup's nor the kernel's version is stated; 1.6.3 to 2.x time ciphers in the same way",
            *sheet.workloads,
        )
    if slow:
        sheet.verdict(
            "overstated",
            "cryptsetup counts one MiB more than it encrypts in about a second: more than a twentieth too much here",
            *slow,
        )
    if stretched:
        sheet.verdict("cpu-time", "iterations of PBKDF2 are counted against processor time", *stretched)
    if _CUT.search(" ".join(text.lines[:10])):
        sheet.verdict("cut-short", "its header says that it is an excerpt")


FORMAT = Format("cryptsetup", "cryptsetup benchmark", _confidence, _read)
