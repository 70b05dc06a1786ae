"""What a Linux executable says of itself in its ELF header: for which machine it is and what it needs to run.

System V ABI, "Object Files" and "Dynamic Linking", and the processor supplements for ARM, MIPS and RISC-V.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from ipsecbench.errors import AgentError

_MAGIC = b"\x7fELF"
_CLASS_32, _CLASS_64 = 1, 2
_LITTLE, _BIG = 1, 2
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_MIPS_ABIFLAGS = 1, 2, 3, 0x70000003
_DT_NEEDED, _DT_STRTAB, _DT_VERNEED, _DT_VERNEEDNUM = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF
_EM_386, _EM_MIPS, _EM_ARM, _EM_X86_64, _EM_AARCH64, _EM_RISCV = 3, 8, 40, 62, 183, 243
_EF_ARM_HARD_FLOAT = 0x400
_EF_RISCV_FLOAT, _EF_RISCV_FLOAT_DOUBLE = 0x6, 0x4
_MIPS_SOFT_FLOAT = 3
_LONGEST_TABLE = 4096
"""More entries than this, in a table of headers or needs, belong to no program."""


@dataclass(frozen=True, slots=True)
class ElfFile:
    """One executable.

    Attributes:
        machine: ``x86_64``, ``aarch64``, ``arm``, ``mips``, ``mipsel``, ``riscv64``, ``i386``; ``elf-N`` of any other.
        bits: 32 or 64.
        big_endian: its byte order.
        flags: ``e_flags``, whose meaning depends on the machine.
        interpreter: the loader that it asks for, such as ``/lib/ld-musl-mipsel-sf.so.1``; None of a static one.
        needed: names of the libraries that it must have.
        glibc: the newest version of glibc of which it needs a function, such as ``2.17``; None without glibc.
        float_abi: ``hard`` or ``soft``: how floating point numbers are handed over.
    """

    machine: str
    bits: int
    big_endian: bool
    flags: int
    interpreter: str | None
    needed: tuple[str, ...]
    glibc: str | None
    float_abi: str


class _Reader:
    """Fields of a file of either byte order and either word size, never read beyond its end."""

    def __init__(self, content: bytes) -> None:
        if content[:4] != _MAGIC or len(content) < 52:
            raise AgentError("this is not an ELF file")
        if content[4] not in (_CLASS_32, _CLASS_64) or content[5] not in (_LITTLE, _BIG):
            raise AgentError("this ELF file is of an unknown class or byte order")
        self.content = content
        self.bits = 64 if content[4] == _CLASS_64 else 32
        self.big_endian = content[5] == _BIG
        self._order = ">" if self.big_endian else "<"

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Fields at ``offset``; ``P`` in the layout is a word of the file's own size."""
        layout = self._order + layout.replace("P", "Q" if self.bits == 64 else "I")
        if offset + struct.calcsize(layout) > len(self.content):
            raise AgentError("this ELF file is cut short")
        return struct.unpack_from(layout, self.content, offset)

    def text(self, offset: int) -> str:
        """Octets from ``offset`` up to a zero, at most 4096 of them."""
        end = self.content.find(b"\0", offset, offset + 4096) if offset < len(self.content) else -1
        if end < 0:
            raise AgentError("this ELF file is cut short")
        return self.content[offset:end].decode("ascii", "replace")


def _machine(number: int, reader: _Reader) -> str:
    if number == _EM_MIPS:
        name = "mips" if reader.bits == 32 else "mips64"
        return name if reader.big_endian else name + "el"
    if number == _EM_RISCV:
        return f"riscv{reader.bits}"
    name = {_EM_386: "i386", _EM_ARM: "arm", _EM_X86_64: "x86_64", _EM_AARCH64: "aarch64"}.get(number, f"elf-{number}")
    return name + "_be" if reader.big_endian and number in (_EM_ARM, _EM_AARCH64) else name


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    file_bytes: int


def _segments(reader: _Reader) -> list[_Segment]:
    (table,) = reader.unpack("P", 32 if reader.bits == 64 else 28)
    size, count = reader.unpack("HH", 54 if reader.bits == 64 else 42)
    if count > _LONGEST_TABLE:
        raise AgentError("this ELF file has too many headers")
    found = []
    for number in range(count):
        at = table + number * size
        if reader.bits == 64:
            kind, _, offset, address, _, file_bytes = reader.unpack("IIPPPP", at)
        else:
            kind, offset, address, _, file_bytes = reader.unpack("IIIII", at)
        found.append(_Segment(kind, offset, address, file_bytes))
    return found


def _offset_of(address: int, segments: list[_Segment]) -> int:
    for segment in segments:
        if segment.kind == _PT_LOAD and segment.address <= address < segment.address + segment.file_bytes:
            return address - segment.address + segment.offset
    raise AgentError("this ELF file points outside of itself")


def _dynamic(reader: _Reader, segments: list[_Segment]) -> list[tuple[int, int]]:
    entries: list[tuple[int, int]] = []
    for segment in segments:
        if segment.kind != _PT_DYNAMIC:
            continue
        size = reader.bits // 4
        for at in range(segment.offset, segment.offset + min(segment.file_bytes, _LONGEST_TABLE * size), size):
            tag, value = reader.unpack("PP", at)
            if tag == 0:
                break
            entries.append((tag, value))
    return entries


def _versions(reader: _Reader, at: int, count: int, strings: int) -> list[str]:
    """Names of all the symbol versions that the file needs (``Elf_Verneed``)."""
    names: list[str] = []
    for _ in range(min(count, _LONGEST_TABLE)):
        _, entries, _, first, following = reader.unpack("HHIII", at)
        entry = at + first
        for _ in range(entries):
            _, _, _, name, next_entry = reader.unpack("IHHII", entry)
            names.append(reader.text(strings + name))
            entry += next_entry
            if len(names) > _LONGEST_TABLE:
                raise AgentError("this ELF file has too many versions")
        at += following
    return names


def _float_abi(machine: str, flags: int, reader: _Reader, segments: list[_Segment]) -> str:
    soft = False
    if machine == "arm":
        soft = flags & _EF_ARM_HARD_FLOAT == 0
    elif machine == "riscv64":
        soft = flags & _EF_RISCV_FLOAT != _EF_RISCV_FLOAT_DOUBLE
    for segment in segments:
        if machine.startswith("mips") and segment.kind == _PT_MIPS_ABIFLAGS:
            (abi,) = reader.unpack("B", segment.offset + 7)
            soft = abi == _MIPS_SOFT_FLOAT
    return "soft" if soft else "hard"


def read_elf(content: bytes) -> ElfFile:
    """Read a whole executable.

    Raises:
        AgentError: it is no ELF file, or a damaged one.
    """
    reader = _Reader(content)
    (number,) = reader.unpack("H", 18)
    (flags,) = reader.unpack("I", 48 if reader.bits == 64 else 36)
    segments = _segments(reader)
    interpreter = next((reader.text(part.offset) for part in segments if part.kind == _PT_INTERP), None)
    dynamic = _dynamic(reader, segments)
    values = dict(dynamic)
    needed: tuple[str, ...] = ()
    glibc: str | None = None
    if _DT_STRTAB in values:
        strings = _offset_of(values[_DT_STRTAB], segments)
        needed = tuple(reader.text(strings + value) for tag, value in dynamic if tag == _DT_NEEDED)
        if _DT_VERNEED in values:
            at = _offset_of(values[_DT_VERNEED], segments)
            names = _versions(reader, at, values.get(_DT_VERNEEDNUM, 0), strings)
            numbers = [match[1] for match in (re.fullmatch(r"GLIBC_(\d+(?:\.\d+)+)", name) for name in names) if match]
            glibc = max(numbers, key=lambda text: tuple(map(int, text.split("."))), default=None)
    machine = _machine(number, reader)
    float_abi = _float_abi(machine, flags, reader, segments)
    return ElfFile(machine, reader.bits, reader.big_endian, flags, interpreter, needed, glibc, float_abi)
