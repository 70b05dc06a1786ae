"""ELF headers, read against readelf of binutils and against damage."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ipsecbench.agent.elf import read_elf
from ipsecbench.errors import AgentError

needs_readelf = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")


def readelf(option: str, path: Path) -> str:
    return subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True).stdout


@needs_readelf
@pytest.mark.parametrize("program", ["sh", "ls", "readelf", "tar"])
def test_programs_of_this_box_read_as_readelf_reads_them(program: str) -> None:
    path = Path(str(shutil.which(program))).resolve()
    elf = read_elf(path.read_bytes())
    assert list(elf.needed) == re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path))
    assert [elf.interpreter] == re.findall(r"interpreter: (.*)\]", readelf("-l", path))
    versions = re.findall(r"Name: GLIBC_([0-9.]+)", readelf("-V", path))
    assert elf.glibc == max(versions, key=lambda text: [int(part) for part in text.split(".")])
    assert elf.is_big_endian == (sys.byteorder == "big")


def minimal(bits: int, order: str, machine: int, flags: int) -> bytes:
    """A header without any segment."""
    identification = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    return identification + struct.pack(layout, 3, machine, 1, 0, 0, 0, flags, 64, 56, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("bits", "order", "machine", "flags", "name", "floats"),
    [
        # e_machine and e_flags as the processor supplements number them.
        (64, "<", 62, 0, "x86_64", "hard"),
        (64, "<", 183, 0, "aarch64", "hard"),
        (32, "<", 40, 0x5000400, "arm", "hard"),
        (32, "<", 40, 0x5000200, "arm", "soft"),
        (32, ">", 40, 0x5000200, "armeb", "soft"),
        (32, ">", 8, 0x70001005, "mips", "hard"),
        (32, "<", 8, 0x70001005, "mipsel", "hard"),
        (64, "<", 8, 0, "mips64el", "hard"),
        (64, "<", 243, 0x5, "riscv64", "hard"),
        (64, "<", 243, 0x1, "riscv64", "soft"),
        (32, "<", 3, 0, "i686", "hard"),
        (64, ">", 22, 0, "s390x", "hard"),
        (32, "<", 42, 0, None, "hard"),
    ],
)
def test_machine_byte_order_and_floats(
    bits: int, order: str, machine: int, flags: int, name: str | None, floats: str
) -> None:
    elf = read_elf(minimal(bits, order, machine, flags))
    assert (elf.machine, elf.bits, elf.is_big_endian, elf.flags) == (name, bits, order == ">", flags)
    assert elf.interpreter is None
    assert elf.needed == ()
    assert elf.float_abi == floats


def test_damage_is_one_clear_error() -> None:
    content = Path(str(shutil.which("sh"))).resolve().read_bytes()
    refused = 0
    damaged = [content[:length] for length in [*range(0, 200), *range(200, len(content), 997)]]
    damaged += [content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :] for at in range(4, 1200)]
    for octets in damaged:
        try:
            read_elf(octets)
        except AgentError:
            refused += 1
    assert refused > 200
    with pytest.raises(AgentError, match="not an ELF file"):
        read_elf(b"#!/bin/sh\n" * 10)
