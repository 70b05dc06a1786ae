"""``bssl speed`` of BoringSSL and AWS-LC: operations in a number of microseconds.

What it times (tool/speed.cc): one thread, or ``-threads`` of them, by the wall clock for about a second. An AEAD's
operation is a whole message with its tag. ``ECDH`` and ``FFDH`` make a key pair and agree on a secret in one operation.
"""

from __future__ import annotations

import re
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers import names
from ipsecbench.importers.figures import library, number, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "bssl-speed"
_LINE = re.compile(
    r"^\s*Did (?P<count>\d{1,12}) (?P<what>\S.{0,80}?) operations? in (?P<time>\d{1,15})us"
    r" \((?P<rate>[\d.]{1,20}) ops/sec\)(?:: (?P<bulk>[\d.]{1,20}) MB/s)?\s*$"
)
_SIZE = re.compile(r"\s*\(?(\d{1,9}) bytes\)?")
_THREADS = re.compile(r"-threads[ =](\d{1,3})\b")
_BITS = re.compile(r"\b(1024|2048|3072|4096|6144|8192|224|256|384|521)\b")
_MONTGOMERY = {
    "curve25519 arbitrary point multiplication": ("agree", "x25519"),
    "x25519 ecdh": ("agree", "x25519"),
    "curve25519 base-point multiplication": ("generate", "x25519"),
    "ed25519 key generation": ("generate", "ed25519"),
    "ed25519 signing": ("sign", "ed25519"),
    "ed25519 verify": ("verify", "ed25519"),
}
_TOLERANCE = 0.01


def _confidence(text: Text) -> int:
    lines = (line for _, line in tool_lines(text, last=min(2000, len(text.lines))))
    return 95 if any(_LINE.match(line) for line in lines) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    sheet, threads = Sheet(text, "bssl-speed"), 1
    for line, content in tool_lines(text):
        match, said = _LINE.match(content), _THREADS.search(content)
        if said is not None and "speed" in content:
            threads = max(1, int(said[1]))
        elif match is not None:
            _figure(sheet, line, match, threads)
        elif "ops/sec" in content:
            sheet.unread(line, "no line that bssl speed prints: cut, or of another version")
    if not sheet.workloads:
        raise DatasetError("no line 'Did … operations in …us'")
    sheet.libraries = [library(PROVIDER, None)]
    sheet.verdict("version-unknown", "which library it is, and of which day, is not stated", *sheet.workloads)
    return (sheet.dataset(),)


def _figure(sheet: Sheet, line: int, match: re.Match[str], threads: int) -> None:
    count, time, rate = int(match["count"]), int(match["time"]), number(match["rate"])
    words = match["what"]
    size = _SIZE.search(words)
    operation, algorithm, facts = _named(_SIZE.sub("", words))
    octets = None if size is None else int(size[1]) or None
    work = Workload(Tier.PRIMITIVE, PROVIDER, operation, algorithm, octets, cores=threads)
    detail: dict[str, Any] = {"printed": printable(words), **facts}
    sheet.figure(work, rate or 0.0, Unit.OPERATIONS, line, detail=detail)
    if rate and time and abs(count * 1e6 / time - rate) > _TOLERANCE * rate:
        sheet.verdict("inconsistent", "the rate is not the count over the time", work)
    if "gcm" in algorithm:
        sheet.verdict("gcm-per-record", "every operation is a message with its own tag", work)


def _named(words: str) -> tuple[str, str, dict[str, Any]]:
    """Operation, our token, and facts of what a line says was done."""
    plain = " ".join(words.lower().replace("evp ", "").replace("aead-", "").split())
    if plain in _MONTGOMERY:
        operation, token = _MONTGOMERY[plain]
        return operation, token, {}
    bits = _BITS.search(plain)
    number_of_bits = "" if bits is None else bits[1]
    if plain.startswith("ffdh"):
        return "agree", f"modp{number_of_bits}", {"operation": "a key pair and a shared secret"}
    if plain.startswith("ecdh "):
        return "agree", names.key_exchange(f"nistp{number_of_bits}"), {"operation": "a key pair and a shared secret"}
    if plain.startswith("ecdsa ") and number_of_bits:
        operation = "verify" if "verify" in plain else "sign"
        return operation, names.signature(f"nistp{number_of_bits}"), {}
    if plain.startswith("rsa "):
        doing = "generate" if "key-gen" in plain or "key gen" in plain else "verify" if "verify" in plain else "sign"
        return doing, f"rsa-{number_of_bits}", {"same_key": True} if "same key" in plain else {}
    for suffix, operation in (
        (" seal", "encrypt"),
        (" open", "decrypt"),
        (" encrypt", "encrypt"),
        (" decrypt", "decrypt"),
    ):
        if plain.endswith(suffix):
            return operation, names.primitive(plain.removesuffix(suffix)).algorithm, {}
    if plain.startswith("hmac-"):
        return "authenticate", names.primitive(f"hmac({plain[5:].removesuffix(' init')})").algorithm, {}
    if names.is_known(plain):
        found = names.primitive(plain)
        return found.operation, found.algorithm, {}
    return "once", names.normal_name(plain), {}


FORMAT = Format("bssl-speed", "bssl speed of BoringSSL or AWS-LC", _confidence, _read)
