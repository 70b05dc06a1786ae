"""The machines for which the agent is built, each emulated by qemu-user with C and crypto libraries of its own."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ipsecbench.agent.find import EXECUTABLE
from tests.agent.conftest import AgentBinary

ROOTS = Path("/var/cache/ipsecbench/sysroots")
CROSS = Path(__file__).resolve().parents[2] / "agent" / "build" / "cross"


class EmulatedAgent(AgentBinary):
    """An agent that takes its time: an emulator is ten to a hundred times slower, and has a busy box to share."""

    def run(
        self, text: bytes, environment: Mapping[str, str] | None = None, timeout_seconds: float = 240
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it once with this standard input."""
        return AgentBinary.run(self, text, environment, timeout_seconds)


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine.

    Attributes:
        name: of its folder, such as ``mips-musl``.
        qemu: its name in ``qemu-NAME-static``; None where this processor runs the program itself.
        libraries: folders in its root that its loader searches.
        providers: the libraries that its root has, to the beginning of their versions.
        loader: in its root, for programs that this processor runs.
    """

    name: str
    qemu: str | None
    libraries: tuple[str, ...] = ()
    providers: Mapping[str, str] | None = None
    loader: str | None = None

    @property
    def root(self) -> Path:
        """What the emulated program sees as ``/``, where it has such a file."""
        return ROOTS / self.name

    def missing(self) -> str | None:
        """What this box lacks to run it; None if nothing."""
        if not (CROSS / self.name / EXECUTABLE).exists():
            return f"no agent for {self.name}: make agents"
        if self.qemu is None and (platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc"):
            return "this is no x86-64 box with glibc"
        if self.qemu is not None and shutil.which(f"qemu-{self.qemu}-static") is None:
            return f"no qemu-{self.qemu}-static: sh tests/install-system-packages.sh"
        if (self.qemu is not None or self.loader) and not (self.root / "complete").exists():
            return f"no {self.root}: sh tests/agent_cross/sysroots.sh"
        return None

    def command(self, program: str, cpu: str | None = None, environment: Mapping[str, str] | None = None) -> list[str]:
        """What runs one of its programs; ``environment`` is the program's alone."""
        path = str(CROSS / self.name / program)
        variables = {"LD_LIBRARY_PATH": ":".join(str(self.root / folder) for folder in self.libraries)}
        variables |= environment or {}
        if self.qemu is not None:
            options = [part for name, value in variables.items() for part in ("-E", f"{name}={value}")]
            return [f"qemu-{self.qemu}-static", *(["-cpu", cpu] if cpu else []), "-L", str(self.root), *options, path]
        return [str(self.root / self.loader), path] if self.loader else [path]

    def agent(
        self, folder: Path, cpu: str | None = None, environment: Mapping[str, str] | None = None
    ) -> EmulatedAgent:
        """Its agent as one executable: a script in ``folder`` that starts the emulator."""
        script = folder / f"{self.name}-{cpu or 'default'}"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(self.command(EXECUTABLE, cpu, environment))} "$@"\n')
        script.chmod(0o755)
        return EmulatedAgent(script)


def _debian(architecture: str) -> tuple[str, ...]:
    return (f"lib/{architecture}", f"usr/lib/{architecture}")


_BOOKWORM = {"libcrypto": "OpenSSL 3.0.", "libgcrypt": "libgcrypt 1.10."}


def _built(name: str) -> Mapping[str, str] | None:
    """OpenSSL, where sysroots.sh builds it: always for big-endian MIPS, which nothing else stands for."""
    wanted = name == "mips-musl" or os.environ.get("IPSECBENCH_CROSS_LIBCRYPTO") == "all"
    return {"libcrypto": "OpenSSL 3.0."} if wanted or (ROOTS / name / "lib" / "libcrypto.so.3").exists() else None


MACHINES = (
    Machine("x86_64-glibc", None, providers={"libcrypto": "OpenSSL "}),
    Machine("x86_64-musl", None, loader="lib/ld-musl-x86_64.so.1"),
    Machine("aarch64-glibc", "aarch64", _debian("aarch64-linux-gnu"), _BOOKWORM),
    Machine("aarch64-musl", "aarch64", ("lib",), _built("aarch64-musl")),
    Machine("armv7-glibc", "arm", _debian("arm-linux-gnueabihf"), _BOOKWORM),
    Machine("armv7-musl", "arm", ("lib",)),
    Machine("mips-glibc", "mips", ("lib",)),
    Machine("mips-musl", "mips", ("lib",), _built("mips-musl")),
    Machine("mipsel-glibc", "mipsel", _debian("mipsel-linux-gnu"), _BOOKWORM),
    Machine("mipsel-musl", "mipsel", ("lib",), _built("mipsel-musl")),
    Machine(
        "riscv64-glibc",
        "riscv64",
        _debian("riscv64-linux-gnu"),
        {"libcrypto": "OpenSSL 3.5.", "libgcrypt": "libgcrypt 1.11."},
    ),
    Machine("riscv64-musl", "riscv64", ("lib",)),
)
BY_NAME = {machine.name: machine for machine in MACHINES}
WITH_LIBCRYPTO = tuple(machine for machine in MACHINES if machine.providers and machine.qemu)
"""Those that are emulated and have a libcrypto."""


def in_ci() -> bool:
    """Whether what is missing is a failure."""
    return os.environ.get("CI") == "true"
