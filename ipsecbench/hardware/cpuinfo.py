"""The text of /proc/cpuinfo, split into records. What the records mean is decided in `cpu`.

The format is the kernel's and differs by architecture: `key : value` lines, blocks separated by empty lines. Blocks
begin with `processor : N` nearly everywhere; old ARM kernels put what holds for all processors into a last block
without a number; s390x has one line per processor; some RISC-V vendor kernels number only the harts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ipsecbench.hardware.source import MAX_DIRECTORY_ENTRIES, parse_integer, printable

LISTS = frozenset({"flags", "features", "isa", "hart isa", "cpucaps", "ases implemented", "facilities"})
"""Keys whose values are lists of words: the beginning of such a value still says something."""

_SHARED_BY_OLD_ARM_KERNELS = (
    "features",
    "cpu implementer",
    "cpu architecture",
    "cpu variant",
    "cpu part",
    "cpu revision",
)


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """/proc/cpuinfo as records."""

    processors: tuple[Mapping[str, str], ...]
    """One record for every numbered processor, keys in lower case."""
    numbers: tuple[int, ...]
    """The number of each record, as the kernel counts processors."""
    shared: Mapping[str, str]
    """What stands outside every numbered block."""
    is_cut: bool
    """The text is longer than what is read, or ends within a line."""
    last_key: str | None
    """The key of the last line: when the text is cut, its value may be incomplete."""

    @property
    def is_empty(self) -> bool:
        """Nothing of the form `key : value` was found."""
        return not self.processors and not self.shared

    def first(self, *keys: str) -> str | None:
        """The first value that is not empty of the first of these keys that is found anywhere."""
        for key in keys:
            for record in (self.shared, *self.processors):
                if value := record.get(key):
                    return value
        return None

    def of(self, index: int, key: str) -> str | None:
        """A value of one processor; the shared one where the processor has none of its own."""
        return self.processors[index].get(key) or self.shared.get(key) or None


def parse_cpuinfo_records(text: str, is_truncated: bool = False) -> CpuInfo:
    """Split the text of /proc/cpuinfo into records; any text at all is accepted.

    Args:
        text: the text, whole or in part.
        is_truncated: the text is known to be only the beginning.
    """
    shared: dict[str, str] = {}
    records: list[dict[str, str]] = []
    numbers: list[int] = []
    current = shared
    key = None
    is_cut = is_truncated or (bool(text) and not text.endswith("\n"))
    for key, value in _lines(text, is_cut):
        if key == "":
            current = shared
            continue
        number = _starts_processor(key, value, current, shared)
        if number is not None and len(records) < MAX_DIRECTORY_ENTRIES:
            current = {}
            records.append(current)
            numbers.append(number if number >= 0 else len(numbers))
        current.setdefault(key, value)
    _share_of_old_arm_kernels(records, shared)
    return CpuInfo(
        processors=tuple(records),
        numbers=tuple(numbers),
        shared=shared,
        is_cut=is_cut,
        last_key=key or None,
    )


def _lines(text: str, is_cut: bool) -> Iterator[tuple[str, str]]:
    """Key and value of every line; an empty line gives two empty strings. A last line that is cut counts as a list."""
    lines = text.split("\n")
    last = lines.pop()
    if is_cut and last.partition(":")[0].strip().lower() in LISTS:
        lines.append(last)
    for line in lines:
        if not line or line.isspace():
            yield "", ""
            continue
        key, colon, value = line.partition(":")
        if not colon:
            continue
        value = printable(value)
        key = " ".join(key[:64].split())
        if key == "Processor" and parse_integer(value) is None:
            key = "processor name"  # ARM kernels before 3.8: the model, not a number
        key = key.lower()
        if key.startswith("#") and key != "# processors":
            continue
        if key:
            yield key, value


def _starts_processor(key: str, value: str, current: Mapping[str, str], shared: Mapping[str, str]) -> int | None:
    """The number of the processor that a line begins; -1 when it has none; `None` when it begins no processor."""
    if key == "processor" and not value:
        return -1
    if key in ("processor", "cpu number"):
        return parse_integer(value)
    if key == "hart" and (current is shared or "hart" in current):
        return parse_integer(value)
    return None


def _share_of_old_arm_kernels(records: list[dict[str, str]], shared: dict[str, str]) -> None:
    """Move what old ARM kernels print once, after the last processor without an empty line, to the shared part."""
    if len(records) < 2:
        return
    for key in _SHARED_BY_OLD_ARM_KERNELS:
        if key in records[-1] and key not in shared and not any(key in record for record in records[:-1]):
            shared[key] = records[-1].pop(key)
