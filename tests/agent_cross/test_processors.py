"""What a processor has, as ``info`` reports it: the kernel's bits and what libcrypto made of them.

Bits of AT_HWCAP: Linux, arch/arm64/include/uapi/asm/hwcap.h and arch/arm/include/uapi/asm/hwcap.h. Bits of
OPENSSL_armcap: OpenSSL, crypto/arm_arch.h. Which processor has what: Arm's technical reference manuals.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.agent.mask import mask_environment, parse_mask
from tests.agent_cross.machines import CROSS, Machine

pytestmark = pytest.mark.cross

Named = Callable[[str], Machine]

ARM64 = {"asimd": 1 << 1, "aes": 1 << 3, "pmull": 1 << 4, "sha1": 1 << 5, "sha2": 1 << 6, "sha512": 1 << 21}
ARM = {"thumb": 1 << 1, "vfp": 1 << 6, "neon": 1 << 12, "vfpv4": 1 << 16, "idiva": 1 << 17}
ARM_SECOND = {"aes": 1 << 0, "pmull": 1 << 1, "sha1": 1 << 2, "sha2": 1 << 3}
ARMCAP = {"neon": 1 << 0, "aes": 1 << 2, "sha1": 1 << 3, "sha256": 1 << 4, "pmull": 1 << 5, "sha512": 1 << 6}

HIDE_AES = """
#include <stdint.h>
/* Answers for the kernel of a processor without AES and SHA, as the Cortex-A53 and A72 of Raspberry Pis are. */
#define VECTOR {vector}
extern char **environ;
unsigned long getauxval(unsigned long kind);
unsigned long getauxval(unsigned long kind)
{{
    char **last = environ;

    while (*last != 0)
        last++;
    for (unsigned long *entry = (unsigned long *)(last + 1); entry[0] != 0; entry += 2)
        if (entry[0] == kind)
            return kind == VECTOR ? entry[1] & ~{bits}UL : entry[1];
    return 0;
}}
"""


def described(machine: Machine, folder: Path, cpu: str, **environment: str) -> tuple[int, int, int]:
    """AT_HWCAP, AT_HWCAP2 and OPENSSL_armcap as the agent reports them on a processor."""
    (info,) = machine.agent(folder, cpu, environment).ask([{"command": "info"}])
    library: dict[str, Any] = info["libraries"][0]
    name, _, value = library["cpu_settings"].partition("=")
    assert name == "OPENSSL_armcap"
    return int(info["hwcap"], 16), int(info["hwcap2"], 16), int(value.split()[0], 16)


def names(bits: int, table: dict[str, int]) -> set[str]:
    """The names of the bits that are set."""
    return {name for name, bit in table.items() if bits & bit}


@pytest.mark.parametrize(
    ("cpu", "features", "used"),
    [
        ("cortex-a53", set(ARM64) - {"sha512"}, set(ARMCAP) - {"sha512"}),
        ("cortex-a72", set(ARM64) - {"sha512"}, set(ARMCAP) - {"sha512"}),
        ("max", set(ARM64), set(ARMCAP)),
    ],
)
def test_64_bit_arm(machine_named: Named, tmp_path: Path, cpu: str, features: set[str], used: set[str]) -> None:
    first, _, capabilities = described(machine_named("aarch64-glibc"), tmp_path, cpu)
    assert names(first, ARM64) == features
    assert names(capabilities, ARMCAP) == used


@pytest.mark.parametrize(
    ("cpu", "features", "second", "used"),
    [
        ("cortex-a8", {"thumb", "vfp", "neon"}, set(), {"neon"}),
        ("cortex-a15", {"thumb", "vfp", "neon", "vfpv4", "idiva"}, set(), {"neon"}),
        (
            "max",
            {"thumb", "vfp", "neon", "vfpv4", "idiva"},
            set(ARM_SECOND),
            {"neon", "aes", "sha1", "sha256", "pmull"},
        ),
    ],
)
def test_32_bit_arm(
    machine_named: Named, tmp_path: Path, cpu: str, features: set[str], second: set[str], used: set[str]
) -> None:
    first, more, capabilities = described(machine_named("armv7-glibc"), tmp_path, cpu)
    assert names(first, ARM) == features
    assert names(more, ARM_SECOND) == second
    assert names(capabilities, ARMCAP) == used


def test_a_cortex_a53_without_crypto_extension(machine_named: Named, tmp_path: Path) -> None:
    """The emulator's always has it: a library that is loaded first hides it, as such a processor's kernel does."""
    machine = machine_named("aarch64-glibc")
    ziglang = pytest.importorskip("ziglang", reason="zig is not installed: make agents")
    bits = sum(ARM64[name] for name in ("aes", "pmull", "sha1", "sha2"))
    source, library = tmp_path / "hide.c", tmp_path / "hide.so"
    source.write_text(HIDE_AES.format(vector=16, bits=hex(bits)))
    zig = Path(ziglang.__file__).parent / "zig"
    command = [
        str(zig),
        "cc",
        "-target",
        "aarch64-linux-gnu.2.17",
        "-shared",
        "-fPIC",
        "-Os",
        str(source),
        "-o",
        str(library),
    ]
    cache = str(CROSS / "cache")  # what the agents were built with
    environment = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, timeout=300, env=environment)
    first, _, capabilities = described(machine, tmp_path, "cortex-a53", LD_PRELOAD=str(library))
    assert names(first, ARM64) == {"asimd"}
    assert names(capabilities, ARMCAP) == {"neon"}
    agent = machine.agent(tmp_path, "cortex-a53", {"LD_PRELOAD": str(library)})
    (answer,) = agent.ask([{"command": "check", "provider": "libcrypto", "algorithm": "aes128gcm16"}])
    assert (answer["failed"], answer["failures"]) == (0, [])
    assert answer["passed"] >= 1


def test_a_mask_hides_aes_from_libcrypto(machine_named: Named, tmp_path: Path) -> None:
    """What ``--mask aes`` sets, from what the library said; its other code gives the right answers too."""
    machine = machine_named("aarch64-glibc")
    _, _, before = described(machine, tmp_path, "cortex-a53")
    masked = mask_environment(parse_mask("aes"), "aarch64", f"OPENSSL_armcap={before:#x}")
    _, _, after = described(machine, tmp_path, "cortex-a53", OPENSSL_armcap=masked["OPENSSL_armcap"])
    assert names(before, ARMCAP) - names(after, ARMCAP) == {"aes"}
    agent = machine.agent(tmp_path, "cortex-a53", {"OPENSSL_armcap": masked["OPENSSL_armcap"]})
    (answer,) = agent.ask([{"command": "check", "provider": "libcrypto", "algorithm": "aes256"}])
    assert (answer["failed"], answer["passed"] >= 1) == (0, True)


@pytest.mark.parametrize("name", ["mips-musl", "mipsel-glibc", "riscv64-glibc"])
def test_where_there_are_no_instructions_for_it(machine_named: Named, tmp_path: Path, name: str) -> None:
    (info,) = machine_named(name).agent(tmp_path).ask([{"command": "info"}])
    settings = info["libraries"][0]["cpu_settings"]
    # OpenSSL 3.5 reports what it asked a RISC-V kernel for: the general instructions.
    assert settings == ("OPENSSL_riscvcap=RV64GC" if name.startswith("riscv64") else None)
    if name.startswith("mips"):
        assert (info["hwcap"], info["hwcap2"]) == ("0x0", "0x0")
    else:
        # AT_HWCAP of RISC-V: one bit for each letter of the instruction set.
        letters = {chr(ord("a") + bit) for bit in range(26) if int(info["hwcap"], 16) >> bit & 1}
        assert set("imafdc") <= letters


@pytest.mark.parametrize(
    ("name", "cpu"),
    [
        ("mips-musl", "24Kc"),
        ("mipsel-musl", "24Kc"),
        ("mips-glibc", "24Kf"),
        ("mipsel-glibc", "24Kf"),
        ("armv7-glibc", "cortex-a9,neon=off"),
        ("armv7-musl", "cortex-a9,neon=off"),
    ],
)
def test_the_least_processor_of_a_target_runs_it(machine_named: Named, tmp_path: Path, name: str, cpu: str) -> None:
    """The 24Kc, of many OpenWrt routers, has no floating point unit: an instruction for one would end the agent."""
    info, clock = (
        machine_named(name)
        .agent(tmp_path, cpu)
        .ask([{"command": "info"}, {"command": "clock", "core": None, "milliseconds": 2}])
    )
    assert info["protocol"] == 1
    assert clock["hz"] > 0
