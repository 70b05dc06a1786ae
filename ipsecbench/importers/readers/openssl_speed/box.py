"""What a text tells of the box around the output of ``speed``: lscpu, flags of /proc/cpuinfo, uname, ``CPUINFO:``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ipsecbench.hardware.lscpu import hardware_of as hardware_of_lscpu
from ipsecbench.hardware.lscpu import parse_fields
from ipsecbench.importers.figures import box
from ipsecbench.importers.readers.openssl_speed.runs import Run
from ipsecbench.importers.readers.openssl_speed.verdicts import Box, aes_by_settings
from ipsecbench.importers.sheet import printable
from ipsecbench.importers.text import Text

_FLAGS = re.compile(r"^(?:flags|features)\s*:\s*(.*)$", re.IGNORECASE | re.MULTILINE)
_MODEL = re.compile(r"^model name\s*:\s*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_LSCPU = re.compile(r"^Architecture:\s+(\w+)", re.MULTILINE)
_CLOCK = re.compile(r"^CPU max MHz:\s*(\d{1,6}(?:\.\d+)?)", re.MULTILINE)
_UNAME = re.compile(
    r"^Linux \S+ (\d+\.\S+) .*\b(x86_64|i686|aarch64|armv\w+|mips\w*|ppc64\w*|riscv64|s390x)\b", re.MULTILINE
)
_ARCHITECTURES = {"x86_64": "x86", "i686": "x86", "ppc64le": "power", "ppc64": "power", "riscv64": "riscv"}
_LONGEST_LSCPU = 80
_ALWAYS_LISTED = {"sse2", "fpu", "asimd", "neon", "vfp", "half", "fastmult"}


def box_of(text: Text, runs: Sequence[Run]) -> Box:
    """The processor, as far as verdicts need it."""
    flags = _FLAGS.search(text.content)
    listed = set() if flags is None else set(flags[1].split())
    # A list that has none of these is cut off, or of an architecture whose list does not tell.
    has_aes = True if "aes" in listed else False if listed & _ALWAYS_LISTED else None
    if has_aes is not True:
        told = {aes_by_settings(run.cpu_settings) for run in runs if run.is_as_found} - {None}
        has_aes = told.pop() if len(told) == 1 else has_aes
    clock, architecture = _CLOCK.search(text.content), _LSCPU.search(text.content)
    return Box(
        has_aes=has_aes,
        clock_hz=None if clock is None else float(clock[1]) * 1e6,
        uses_aes_below_evp=architecture is not None and architecture[1] == "s390x",
    )


def hardware_of(text: Text) -> dict[str, Any]:
    """``environment.hardware`` with what the text says; empty where it says nothing."""
    begin = next((at for at, line in enumerate(text.lines) if _LSCPU.match(line)), None)
    if begin is not None:
        found = hardware_of_lscpu(
            parse_fields(text.lines[begin : begin + _LONGEST_LSCPU]), printable(text.name or "text")
        )
        if found is not None:
            return found.to_dict()
    model, uname = _MODEL.search(text.content), _UNAME.search(text.content)
    machine = None if uname is None else uname[2]
    return box(
        model=None if model is None else printable(model[1]),
        architecture=None
        if machine is None
        else "arm"
        if machine.startswith("armv")
        else _ARCHITECTURES.get(machine, machine),
        kernel=None if uname is None else printable(uname[1]),
    )
