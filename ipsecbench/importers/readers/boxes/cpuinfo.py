"""/proc/cpuinfo of any architecture, as a description of the box that it was copied from."""

from __future__ import annotations

import re

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError, MeasurementError
from ipsecbench.hardware.cpu import recognise_architecture
from ipsecbench.hardware.cpuinfo import parse_cpuinfo_records
from ipsecbench.hardware.detection import Hardware, examine
from ipsecbench.hardware.memory_source import MemorySource
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.boxes.described import described, name_of
from ipsecbench.importers.text import Text

_LOOKED_AT = 200
_PROMPT = re.compile(r"^.{0,80}[#$>]\s*cat\s+/proc/cpuinfo\s*$")
_IDLE = re.compile(r"^\s*(?:```.*|$)")
_KEY = re.compile(r"^(?:[A-Za-z#][\w()/ .-]{0,60}?)\s*:(?:\s|$)")
_SIGNS = frozenset(
    {"processor", "vendor_id", "cpu implementer", "hart", "flags", "features", "cpu model", "cpu", "isa"}
)


def _confidence(text: Text) -> int:
    lines = [line for line in text.lines[:_LOOKED_AT] if not line.startswith("#") and not _IDLE.match(line)]
    keys = [line.partition(":")[0].strip().lower() for line in lines if _KEY.match(line)]
    if not lines or len(keys) < 0.6 * len(lines) or not _SIGNS.intersection(keys):
        return 0
    return 70 if recognise_architecture(parse_cpuinfo_records("\n".join(lines) + "\n")) is not None else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    try:
        hardware = hardware_of(text)
    except MeasurementError as error:
        raise DatasetError("nothing in it that a Linux kernel writes into /proc/cpuinfo") from error
    notes = hardware.cpu.notes
    is_cut = any(word in note for note in notes for word in ("excerpt", "ends within", "longer than"))
    return (described(text, "cpuinfo", hardware, is_cut).dataset(),)


def hardware_of(text: Text) -> Hardware:
    """The box whose cpuinfo a text is.

    Raises:
        MeasurementError: there is nothing in it that a kernel writes.
    """
    content = "\n".join("" if _PROMPT.match(line) or line.startswith("```") else line for line in text.lines)
    return examine(MemorySource({"proc/cpuinfo": content.encode()}, name=name_of(text)))


FORMAT = Format("cpuinfo", "/proc/cpuinfo", _confidence, _read)
