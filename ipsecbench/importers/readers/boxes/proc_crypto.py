"""/proc/crypto, whole or as an excerpt, as a description of what the kernel of a box can encrypt with."""

from __future__ import annotations

import re

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.hardware.cpu import parse_cpu
from ipsecbench.hardware.detection import examine
from ipsecbench.hardware.memory_source import MemorySource
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.boxes.described import described, name_of
from ipsecbench.importers.text import Text

_LOOKED_AT = 200
_DRIVER = re.compile(r"^driver\s*:\s*\S", re.MULTILINE)
_WHOLE = re.compile(r"^(?:name|priority|type)\s*:\s*\S", re.MULTILINE)


def _confidence(text: Text) -> int:
    start = "\n".join(text.lines[:_LOOKED_AT])
    if not _DRIVER.search(start):
        return 0
    return 85 if _WHOLE.search(start) else 60


def _read(text: Text) -> tuple[Dataset, ...]:
    # Only the description of its drivers is known: of the processor nothing.
    hardware = examine(MemorySource({"proc/crypto": text.content.encode()}, name=name_of(text)), cpu=parse_cpu(""))
    crypto = hardware.kernel_crypto
    if crypto is None or not crypto.drivers:
        raise DatasetError("no driver in it: /proc/crypto has lines 'driver : NAME'")
    nameless = sum(not driver.name for driver in crypto.drivers)
    is_cut = not crypto.is_complete or nameless > 0 or not text.content.endswith("\n")
    sheet = described(text, "proc-crypto", hardware, is_cut)
    return (sheet.dataset(),)


FORMAT = Format("proc-crypto", "/proc/crypto", _confidence, _read)
