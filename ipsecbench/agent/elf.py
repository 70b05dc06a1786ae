"""What a Linux program says of itself in its ELF header: for which machine it is, and what it needs to run.

System V ABI, "Object Files" and "Dynamic Linking", and the processor supplements for ARM, MIPS and RISC-V.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ipsecbench.errors import AgentError

_MAGIC = b"\x7fELF"
_CLASS_32, _CLASS_64 = 1, 2
_LITTLE, _BIG = 1, 2
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_MIPS_ABIFLAGS = 1, 2, 3, 0x70000003
_DT_NEEDED, _DT_STRTAB, _DT_VERNEED, _DT_VERNEEDNUM = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF
_EF_ARM_HARD_FLOAT = 0x400
_EF_RISCV_FLOAT, _EF_RISCV_FLOAT_DOUBLE = 0x6, 0x4
_MIPS_SOFT_FLOAT = 3
_LONGEST_TABLE = 4096
"""More entries than this, in a table of headers or needs, belong to no program."""
_LONGEST_PATH = 256
BEGINNING_BYTES = 4096
"""Octets of a program that are plenty for :func:`read_executable`."""

_MACHINES: Mapping[tuple[int, int, bool], str] = MappingProxyType(
    {
        (3, 32, False): "i686",
        (62, 64, False): "x86_64",
        (62, 32, False): "x32",
        (183, 64, False): "aarch64",
        (183, 64, True): "aarch64_be",
        (40, 32, False): "arm",
        (40, 32, True): "armeb",
        (8, 32, True): "mips",
        (8, 32, False): "mipsel",
        (8, 64, True): "mips64",
        (8, 64, False): "mips64el",
        (20, 32, True): "ppc",
        (21, 64, True): "ppc64",
        (21, 64, False): "ppc64le",
        (22, 64, True): "s390x",
        (243, 32, False): "riscv32",
        (243, 64, False): "riscv64",
        (258, 64, False): "loongarch64",
    }
)
"""By e_machine, the bits of an address, and whether the most significant octet comes first."""


@dataclass(frozen=True, slots=True)
class Executable:
    """For which machine, C library and loader a program was built."""

    machine: str | None
    """As uname says it, with the byte order where uname leaves it out; None: not one of those that are known here."""
    bits: int
    """32 or 64."""
    is_big_endian: bool
    """Its byte order."""
    flags: int
    """``e_flags``, whose meaning depends on the machine."""
    float_abi: str
    """``hard`` or ``soft``: how floating-point numbers are handed over."""
    interpreter: str | None
    """The loader that it asks for, such as ``/lib/ld-musl-mipsel-sf.so.1``; None of a static one, empty where its name
    does not lie in what was read, or is none."""

    @property
    def libc(self) -> str | None:
        """``glibc``, ``musl`` or ``uclibc``; None where the loader does not say."""
        return libc_of_loader(self.interpreter or "")


@dataclass(frozen=True, slots=True)
class LinkedExecutable(Executable):
    """A program, and what it needs to run."""

    needed: tuple[str, ...]
    """Names of the libraries that it must have."""
    glibc: str | None
    """The newest version of glibc of which it needs a function, such as ``2.17``; None without glibc."""


def libc_of_loader(path: str) -> str | None:
    """Whose dynamic loader a path names: ``glibc``, ``musl``, ``uclibc``, or None."""
    name = path.rpartition("/")[2]
    if name.startswith("ld-musl"):
        return "musl"
    if name.startswith(("ld-uClibc", "ld64-uClibc")):
        return "uclibc"
    if name.startswith(("ld-linux", "ld64.so", "ld.so")):
        return "glibc"
    return None


class _Reader:
    """Fields of a file of either byte order and either word size, never read beyond its end."""

    def __init__(self, content: bytes) -> None:
        if content[:4] != _MAGIC or len(content) < 52:
            raise AgentError("this is not an ELF file")
        if content[4] not in (_CLASS_32, _CLASS_64) or content[5] not in (_LITTLE, _BIG):
            raise AgentError("this ELF file is of an unknown class or byte order")
        self.content = content
        self.bits = 64 if content[4] == _CLASS_64 else 32
        self.is_big_endian = content[5] == _BIG
        self._order = ">" if self.is_big_endian else "<"

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


def _float_abi(machine: str | None, flags: int, reader: _Reader, segments: list[_Segment]) -> str:
    if machine in ("arm", "armeb"):
        return "hard" if flags & _EF_ARM_HARD_FLOAT else "soft"
    if machine == "riscv64":
        return "hard" if flags & _EF_RISCV_FLOAT == _EF_RISCV_FLOAT_DOUBLE else "soft"
    if machine is not None and machine.startswith("mips"):
        places = [segment.offset + 7 for segment in segments if segment.kind == _PT_MIPS_ABIFLAGS]
        said = [reader.content[place] for place in places if place < len(reader.content)]
        return "soft" if _MIPS_SOFT_FLOAT in said else "hard"
    return "hard"


def _interpreter(reader: _Reader, segments: list[_Segment]) -> str | None:
    part = next((segment for segment in segments if segment.kind == _PT_INTERP), None)
    if part is None:
        return None
    name = reader.content[part.offset : part.offset + min(part.file_bytes, _LONGEST_PATH)].partition(b"\0")[0]
    path = name.decode("ascii", "replace")
    return path if path.isprintable() else ""


def _executable(reader: _Reader, segments: list[_Segment]) -> Executable:
    (number,) = reader.unpack("H", 18)
    (flags,) = reader.unpack("I", 48 if reader.bits == 64 else 36)
    machine = _MACHINES.get((number, reader.bits, reader.is_big_endian))
    float_abi = _float_abi(machine, flags, reader, segments)
    return Executable(machine, reader.bits, reader.is_big_endian, flags, float_abi, _interpreter(reader, segments))


def read_executable(beginning: bytes) -> Executable | None:
    """Read what the beginning of a program says, of which :data:`BEGINNING_BYTES` are plenty.

    Returns:
        What it is; None for what is no ELF file, or a damaged one.
    """
    try:
        reader = _Reader(beginning)
        return _executable(reader, _segments(reader))
    except AgentError:
        return None


def read_elf(content: bytes) -> LinkedExecutable:
    """Read a whole program.

    Raises:
        AgentError: it is no ELF file, or a damaged one.
    """
    reader = _Reader(content)
    segments = _segments(reader)
    header = _executable(reader, segments)
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
    return LinkedExecutable(
        machine=header.machine,
        bits=header.bits,
        is_big_endian=header.is_big_endian,
        flags=header.flags,
        float_abi=header.float_abi,
        interpreter=header.interpreter,
        needed=needed,
        glibc=glibc,
    )
