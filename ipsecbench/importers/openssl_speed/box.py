"""What a text tells of the box around the output of ``speed``: lscpu, /proc/cpuinfo, uname, ``CPUINFO:``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ipsecbench.importers.openssl_speed.runs import Run
from ipsecbench.importers.openssl_speed.verdicts import Box, aes_by_settings
from ipsecbench.importers.sheet import printable
from ipsecbench.importers.text import Text

_FLAGS = re.compile(r"^(?:flags|features)\s*:\s*(.*)$", re.IGNORECASE | re.MULTILINE)
_MODEL = re.compile(r"^model name\s*:\s*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_ARCHITECTURE = re.compile(r"^architecture:\s*(\w+)", re.IGNORECASE | re.MULTILINE)
_PROCESSORS = re.compile(r"^CPU\(s\):\s*(\d{1,5})\s*$", re.MULTILINE)
_CLOCK = re.compile(r"^CPU max MHz:\s*(\d+(?:\.\d+)?)", re.MULTILINE)
_UNAME = re.compile(
    r"^Linux \S+ (\d+\.\S+) .*\b(x86_64|i686|aarch64|armv\w+|mips\w*|ppc64\w*|riscv64|s390x)\b", re.MULTILINE
)
_ARCHITECTURES = {
    "x86_64": "x86",
    "i686": "x86",
    "amd64": "x86",
    "armv7l": "arm",
    "armv6l": "arm",
    "ppc64le": "power",
    "riscv64": "riscv",
}


def box_of(text: Text, runs: Sequence[Run]) -> Box:
    """The processor, as far as verdicts need it."""
    flags = _FLAGS.search(text.content)
    has_aes = None if flags is None else "aes" in flags[1].split()
    if has_aes is not True:
        told = {aes_by_settings(run.cpu_settings) for run in runs} - {None}
        has_aes = told.pop() if len(told) == 1 else has_aes
    clock = _CLOCK.search(text.content)
    architecture = _ARCHITECTURE.search(text.content)
    return Box(
        has_aes=has_aes,
        clock_hz=None if clock is None else float(clock[1]) * 1e6,
        uses_aes_below_evp=architecture is not None and architecture[1] == "s390x",
    )


def hardware_of(text: Text) -> dict[str, Any]:
    """``environment.hardware`` with what the text says; empty where it says nothing."""
    model, architecture = _MODEL.search(text.content), _ARCHITECTURE.search(text.content)
    processors, uname = _PROCESSORS.search(text.content), _UNAME.search(text.content)
    machine = architecture[1] if architecture is not None else uname[2] if uname is not None else None
    if model is None and machine is None:
        return {}
    return {
        "cpu": {
            "architecture": None if machine is None else _ARCHITECTURES.get(machine, machine),
            "model": None if model is None else printable(model[1]),
            "processors": None if processors is None else int(processors[1]),
        },
        "platform": {"model": None, "kernel": None if uname is None else printable(uname[1])},
    }
