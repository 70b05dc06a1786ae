"""Where the agent's executable is: this box's own, and those that were built for other machines (``make agents``)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipsecbench.errors import AgentError

EXECUTABLE = "ipsecbench-agent"
ENVIRONMENT_VARIABLE = "IPSECBENCH_AGENT"
"""Path of an executable to use before any other."""
CROSS_ENVIRONMENT_VARIABLE = "IPSECBENCH_AGENTS"
"""Folder with the agents for other machines, to use instead of the source checkout's."""
CROSS_FOLDER = "cross"
MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
LIBCS = ("glibc", "musl")
_LONGEST_MANIFEST_BYTES = 2**20

_MACHINES: Mapping[str, str] = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "armv7": "armv7",
    "armv7l": "armv7",
    "armv8l": "armv7",
    "armhf": "armv7",
    "mips": "mips",
    "mipsel": "mipsel",
    "riscv64": "riscv64",
}
"""What ``uname -m`` and package managers say, to the machine in the name of a folder.

``armv8l`` is a 32-bit system on a 64-bit processor. ``uname -m`` says ``mips`` for either byte order: who asks has to
find out which one it is and say ``mipsel`` for the little-endian one.
"""


@dataclass(frozen=True, slots=True)
class CrossAgent:
    """An agent that was built for another machine.

    Attributes:
        path: the executable.
        machine: ``x86_64``, ``aarch64``, ``armv7``, ``mips``, ``mipsel`` or ``riscv64``.
        libc: ``glibc`` or ``musl``.
        size_bytes: of the file.
        sha256: of the file.
        interpreter: the loader that the box must have, such as ``/lib/ld-musl-mipsel-sf.so.1``.
        needed: the libraries that it must have; the cryptographic ones are found when the agent starts.
        glibc_at_least: oldest glibc that it runs with; None with musl.
    """

    path: Path
    machine: str
    libc: str
    size_bytes: int
    sha256: str
    interpreter: str
    needed: tuple[str, ...]
    glibc_at_least: str | None

    @property
    def name(self) -> str:
        """Such as ``mipsel-musl``."""
        return f"{self.machine}-{self.libc}"


def agent_path() -> Path:
    """Path of the agent: the environment's, the package's own, the source checkout's, then the one on PATH.

    Raises:
        AgentError: there is none; the message says how to get one.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named is not None:
        path = Path(named)
        if not os.access(path, os.X_OK):
            raise AgentError(f"{ENVIRONMENT_VARIABLE} names {named}, which is not an executable file")
        return path
    package = Path(__file__).resolve().parent
    for path in (package / "bin" / EXECUTABLE, package.parent.parent / "agent" / "build" / EXECUTABLE):
        if os.access(path, os.X_OK):
            return path
    on_path = shutil.which(EXECUTABLE)
    if on_path is not None:
        return Path(on_path)
    raise AgentError(
        "the measuring agent was not built: install a C compiler and make, then reinstall ipsecbench "
        "(or measure with the Python libraries alone: --providers cryptography,pycryptodome)"
    )


def cross_folder() -> Path:
    """The folder that holds the agents for other machines, whether it is there or not."""
    named = os.environ.get(CROSS_ENVIRONMENT_VARIABLE)
    if named is not None:
        return Path(named)
    return Path(__file__).resolve().parent.parent.parent / "agent" / "build" / CROSS_FOLDER


def cross_agents() -> tuple[CrossAgent, ...]:
    """All agents that were built for other machines; empty when none were.

    Raises:
        AgentError: the folder that the environment names has none, or the list of them is damaged or of another
            version of this program, or one that it lists is missing or has another size.
    """
    folder = cross_folder()
    manifest = folder / MANIFEST
    if not manifest.is_file():
        if CROSS_ENVIRONMENT_VARIABLE in os.environ:
            raise AgentError(
                f"{CROSS_ENVIRONMENT_VARIABLE} names {folder}, which has no {MANIFEST}: "
                "it must be the folder agent/build/cross that 'make agents' made"
            )
        return ()
    try:
        with manifest.open("rb") as file:
            document = json.loads(file.read(_LONGEST_MANIFEST_BYTES))
        if document["format"] != MANIFEST_FORMAT:
            raise AgentError(
                f"{manifest} has format {document['format']}, not {MANIFEST_FORMAT}: run 'make agents' again"
            )
        return tuple(_cross_agent(folder, entry) for entry in document["agents"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AgentError(f"{manifest} is damaged: run 'make agents' again") from error


def _cross_agent(folder: Path, entry: Mapping[str, Any]) -> CrossAgent:
    machine, libc, size = entry["machine"], entry["libc"], entry["bytes"]
    if machine not in _MACHINES.values() or libc not in LIBCS:
        raise ValueError
    # The name follows from machine and libc: what a manifest says leads to no file outside of its folder.
    path = folder / f"{machine}-{libc}" / EXECUTABLE
    if not path.is_file() or path.stat().st_size != size:
        raise AgentError(f"{path} is missing or is not the one that {MANIFEST} lists: run 'make agents' again")
    return CrossAgent(
        path,
        machine,
        libc,
        size,
        str(entry["sha256"]),
        str(entry["interpreter"]),
        tuple(map(str, entry["needed"])),
        None if entry["glibc_at_least"] is None else str(entry["glibc_at_least"]),
    )


def agent_for(machine: str, libc: str) -> Path | None:
    """The agent to copy to another box, or None if there is none for such a box.

    Args:
        machine: what ``uname -m`` says there, but ``mipsel`` where a MIPS is little-endian.
        libc: ``glibc`` or ``musl``.

    Raises:
        AgentError: ``libc`` is neither, or what was built is damaged (see :func:`cross_agents`).
    """
    if libc not in LIBCS:
        raise AgentError(f"there are agents for {' and '.join(LIBCS)}, not for {libc!r}")
    wanted = _MACHINES.get(machine)
    return next((agent.path for agent in cross_agents() if (agent.machine, agent.libc) == (wanted, libc)), None)


def how_to_get_cross_agents() -> str:
    """What to do when there is no agent for another box, as the end of a message."""
    return (
        "agents for other machines are not in the package: run 'make agents' in the source tree, and elsewhere name "
        f"the folder agent/build/cross that it made in {CROSS_ENVIRONMENT_VARIABLE}"
    )
