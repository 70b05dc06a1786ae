"""RISC-V ISA strings, such as `rv64imafdc_zicsr2p0_zknd_zkne`.

The naming rules are those of the RISC-V unprivileged specification, chapter "ISA Extension Naming Conventions":
single letters first, each with an optional version `<major>p<minor>`, then names of several letters separated by
underscores. `zk`, `zkn`, `zks` and the `zvkn*`, `zvks*` are shorthands for sets (scalar cryptography 1.0.1, chapter
2; vector cryptography 1.0.0, chapter 2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_ZKN = ("zbkb", "zbkc", "zbkx", "zkne", "zknd", "zknh")
_ZKS = ("zbkb", "zbkc", "zbkx", "zksed", "zksh")
_ZVKN = ("zvkned", "zvknhb", "zvkb", "zvkt")
_ZVKS = ("zvksed", "zvksh", "zvkb", "zvkt")

SHORTHANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "zkn": _ZKN,
    "zks": _ZKS,
    "zk": (*_ZKN, "zkr", "zkt"),
    "zvkn": _ZVKN,
    "zvknc": (*_ZVKN, "zvbc"),
    "zvkng": (*_ZVKN, "zvkg"),
    "zvks": _ZVKS,
    "zvksc": (*_ZVKS, "zvbc"),
    "zvksg": (*_ZVKS, "zvkg"),
    "zvbb": ("zvkb",),
    "zvknhb": ("zvknha",),
    "b": ("zba", "zbb", "zbs"),
    "g": ("i", "m", "a", "f", "d", "zicsr", "zifencei"),
}

_BASE = re.compile(r"rv(32|64|128)([a-z0-9]*)")
_LETTER = re.compile(r"([a-z])(?:\d+(?:p\d+)?)?")
_HYPHENATED_VERSION = re.compile(r"-\d+p\d+")
"""After a name that ends in a digit, such as `xv5-0p0`."""
_VERSION = re.compile(r"\d+p\d+$")


def parse_isa_string(isa: str) -> frozenset[str] | None:
    """The extensions that an ISA string names, shorthands spelt out; `None` when it is not an ISA string.

    Old kernels append the privilege modes as the letters `s` and `u`; they are kept as letters. A vendor extension
    whose name directly follows the letters (`xv5`) is one name.
    """
    head, *rest = isa.strip().lower().split("_")
    match = _BASE.fullmatch(_HYPHENATED_VERSION.sub("", head))
    if match is None:
        return None
    letters = match.group(2)
    letters, long_name = _split_long_name(letters)
    names = {letter.group(1) for letter in _LETTER.finditer(letters)}
    names.update(filter(None, (_without_version(name) for name in (long_name, *rest))))
    return frozenset(_spelt_out(names))


def _split_long_name(letters: str) -> tuple[str, str]:
    """Divide the single letters from a name of several letters that follows without an underscore."""
    match = re.search(r"(?:x|z|s(?!u?$|\d))[a-z][a-z0-9]*$", letters)
    return (letters[: match.start()], match.group()) if match else (letters, "")


def _without_version(name: str) -> str:
    """`zknd1p0` without its version; a name that itself ends in digits (`zve32f`, `zvl128b`) stays."""
    return _VERSION.sub("", name)


def _spelt_out(names: set[str]) -> set[str]:
    pending = list(names)
    while pending:
        for implied in SHORTHANDS.get(pending.pop(), ()):
            if implied not in names:
                names.add(implied)
                pending.append(implied)
    return names
