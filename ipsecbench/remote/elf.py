"""What the header of an executable says of the machine that it is for (ELF; System V ABI, chapter 4)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_INTERPRETER = 3
_LONGEST_PATH = 256
_ARM_HARD_FLOAT = 0x400

_MACHINES: Mapping[tuple[int, int, bool], str] = MappingProxyType(
    {
        (3, 32, True): "i686",
        (62, 64, True): "x86_64",
        (62, 32, True): "x32",
        (183, 64, True): "aarch64",
        (183, 64, False): "aarch64_be",
        (40, 32, True): "arm",
        (40, 32, False): "armeb",
        (8, 32, False): "mips",
        (8, 32, True): "mipsel",
        (8, 64, False): "mips64",
        (8, 64, True): "mips64el",
        (20, 32, False): "ppc",
        (21, 64, False): "ppc64",
        (21, 64, True): "ppc64le",
        (22, 64, False): "s390x",
        (243, 32, True): "riscv32",
        (243, 64, True): "riscv64",
        (258, 64, True): "loongarch64",
    }
)
"""By e_machine, the size of an address and whether the least significant octet comes first."""


@dataclass(frozen=True, slots=True)
class Executable:
    """For which machine and which C library an executable was built."""

    machine: str | None
    """As uname says it, with the byte order where uname leaves it out; None: not one of those that are known here."""
    is_hard_float: bool
    """32-bit ARM: floating-point arguments are passed in registers of the FPU."""
    interpreter: str | None
    """Path of the dynamic loader; None for one that is linked statically."""

    @property
    def libc(self) -> str | None:
        """``glibc``, ``musl`` or ``uclibc``; None where the loader does not say."""
        return libc_of_loader(self.interpreter or "")


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


def read_executable(data: bytes) -> Executable | None:
    """Read the beginning of a file, of which 4 KiB are plenty.

    Returns:
        What it is; None for what is no ELF file, or a damaged one.
    """
    if data[:4] != b"\x7fELF" or len(data) < 20 or data[4] not in (1, 2) or data[5] not in (1, 2):
        return None
    bits, is_little = (32 if data[4] == 1 else 64), data[5] == 1
    order = "<" if is_little else ">"
    try:
        (machine,) = struct.unpack_from(f"{order}H", data, 18)
        table, flags = struct.unpack_from(f"{order}{'I4xI' if bits == 32 else 'Q8xI'}", data, 28 if bits == 32 else 32)
        size, count = struct.unpack_from(f"{order}HH", data, 42 if bits == 32 else 54)
        found = _interpreter(data, order, bits, table, size, count)
    except struct.error:
        return None
    return Executable(_MACHINES.get((machine, bits, is_little)), bool(flags & _ARM_HARD_FLOAT), found)


def _interpreter(data: bytes, order: str, bits: int, table: int, size: int, count: int) -> str | None:
    for number in range(min(count, 64)):
        place = table + number * size
        (kind,) = struct.unpack_from(f"{order}I", data, place)
        if kind != _INTERPRETER:
            continue
        layout, where = ("I8xI", 4) if bits == 32 else ("Q16xQ", 8)
        offset, length = struct.unpack_from(order + layout, data, place + where)
        path = data[offset : offset + min(length, _LONGEST_PATH)].partition(b"\0")[0].decode("ascii", "replace")
        return path if path.isprintable() else None
    return None
