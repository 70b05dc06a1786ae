"""What was built, against the manifest: the files themselves, their ELF headers read here, and readelf of binutils."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ipsecbench import __version__
from ipsecbench.agent.find import EXECUTABLE, agent_for, cross_agents
from tests.agent_cross.conftest import require
from tests.agent_cross.machines import CROSS, MACHINES

pytestmark = pytest.mark.cross

# Machine: class, data (1: 32 bits, little-endian; 2: 64 bits, big-endian), e_machine, a mask and value of e_flags.
# ARM: EABI 5 with hard float; MIPS: o32 and MIPS32 release 2; RISC-V: double floats, compressed.
HEADERS = {
    "x86_64": (2, 1, 62, 0, 0),
    "aarch64": (2, 1, 183, 0, 0),
    "armv7": (1, 1, 40, 0xFF000600, 0x05000400),
    "mips": (1, 2, 8, 0xF000F000, 0x70001000),
    "mipsel": (1, 1, 8, 0xF000F000, 0x70001000),
    "riscv64": (2, 1, 243, 0x1F, 0x05),
}
LOADERS = {
    "x86_64-glibc": "/lib64/ld-linux-x86-64.so.2",
    "x86_64-musl": "/lib/ld-musl-x86_64.so.1",
    "aarch64-glibc": "/lib/ld-linux-aarch64.so.1",
    "aarch64-musl": "/lib/ld-musl-aarch64.so.1",
    "armv7-glibc": "/lib/ld-linux-armhf.so.3",
    "armv7-musl": "/lib/ld-musl-armhf.so.1",
    "mips-glibc": "/lib/ld.so.1",
    "mips-musl": "/lib/ld-musl-mips-sf.so.1",
    "mipsel-glibc": "/lib/ld.so.1",
    "mipsel-musl": "/lib/ld-musl-mipsel-sf.so.1",
    "riscv64-glibc": "/lib/ld-linux-riscv64-lp64d.so.1",
    "riscv64-musl": "/lib/ld-musl-riscv64.so.1",
}
LARGEST_BYTES = 330_000


@pytest.fixture(scope="module")
def manifest() -> Any:
    """The list of what was built."""
    path = CROSS / "manifest.json"
    require(None if path.exists() else "no agents for other machines: make agents")
    return json.loads(path.read_text(encoding="utf-8"))


def readelf(*arguments: str | Path) -> str:
    require(None if shutil.which("readelf") else "no readelf: install binutils")
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, check=True).stdout


def test_every_machine_has_its_agent(manifest: Any) -> None:
    assert manifest["version"] == __version__
    assert re.fullmatch(r"zig \d+\.\d+\.\d+", manifest["compiler"])
    assert [f"{entry['machine']}-{entry['libc']}" for entry in manifest["agents"]] == [one.name for one in MACHINES]
    for agent in cross_agents():
        assert agent_for(agent.machine, agent.libc) == CROSS / agent.name / EXECUTABLE


def test_the_manifest_says_what_the_files_are(manifest: Any) -> None:
    for entry in manifest["agents"]:
        content = (CROSS / entry["path"]).read_bytes()
        assert len(content) == entry["bytes"] < LARGEST_BYTES
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        word, data, machine, mask, value = HEADERS[entry["machine"]]
        assert content[:6] == b"\x7fELF" + bytes([word, data])
        order = "<" if data == 1 else ">"
        kind, number = struct.unpack_from(order + "HH", content, 16)
        (flags,) = struct.unpack_from(order + "I", content, 36 if word == 1 else 48)
        assert (kind, number) == (3, machine)
        assert flags & mask == value
        assert entry["byte_order"] == ("little" if data == 1 else "big")
        assert entry["bits"] == 32 * word
        loader = LOADERS[f"{entry['machine']}-{entry['libc']}"]
        assert entry["interpreter"] == loader
        assert content.count(loader.encode() + b"\0") == 1


def test_needs_are_the_c_library_alone(manifest: Any) -> None:
    for entry in manifest["agents"]:
        path = CROSS / entry["path"]
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path))
        assert entry["needed"] == needed
        assert needed == (["libc.so"] if entry["libc"] == "musl" else ["libc.so.6", "libpthread.so.0", "libdl.so.2"])


def test_glibc_of_2012_is_enough(manifest: Any) -> None:
    for entry in manifest["agents"]:
        versions = re.findall(r"Name: GLIBC_([0-9.]+)", readelf("-V", CROSS / entry["path"]))
        if entry["libc"] == "musl":
            assert versions == []
            assert entry["glibc_at_least"] is None
            continue
        newest = max(versions, key=lambda text: [int(part) for part in text.split(".")])
        assert entry["glibc_at_least"] == newest
        oldest_with_it = [2, 27] if entry["machine"] == "riscv64" else [2, 17]
        assert [int(part) for part in newest.split(".")] <= oldest_with_it


def test_floating_point_of_mips_and_arm(manifest: Any) -> None:
    """OpenWrt's MIPS passes floating point numbers as integers and may have no unit for them; Debian's does not."""
    for entry in manifest["agents"]:
        described = readelf("-A", CROSS / entry["path"])
        if entry["machine"].startswith("mips"):
            assert ("FP ABI: Soft float" in described) == (entry["libc"] == "musl")
            assert entry["float_abi"] == ("soft" if entry["libc"] == "musl" else "hard")
            assert "ISA: MIPS32r2" in described
        if entry["machine"] == "armv7":
            # That the code does without NEON is tested by running it on a processor without (test_processors.py).
            assert entry["float_abi"] == "hard"
            assert "Tag_CPU_arch: v7" in described


def test_hardened(manifest: Any) -> None:
    """Placed anywhere in memory, no writable code, relocations read-only: its data plane reads what strangers send."""
    for entry in manifest["agents"]:
        segments = readelf("-l", CROSS / entry["path"])
        assert re.search(r"GNU_STACK .* RW ", segments)
        assert not re.search(r"LOAD .* RWE ", segments)
        assert "GNU_RELRO" in segments
        assert "BIND_NOW" in readelf("-d", CROSS / entry["path"])


def test_nothing_of_the_builder_is_in_it(manifest: Any) -> None:
    """No path of the machine that built it: the same sources give the same octets everywhere."""
    root = str(Path(__file__).resolve().parents[2]).encode()
    for entry in manifest["agents"]:
        content = (CROSS / entry["path"]).read_bytes()
        assert root not in content
        assert str(CROSS).encode() not in content
        assert b"/zig/" not in content
