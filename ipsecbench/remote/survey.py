"""What a box is before anything is copied to it: its machine, C library, load, and where a program could be put."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipsecbench.agent.elf import BEGINNING_BYTES, Executable, libc_of_loader, read_executable
from ipsecbench.hardware.condition import load_average
from ipsecbench.hardware.source import parse_processor_list, printable
from ipsecbench.remote.answer import ask
from ipsecbench.remote.connection import Connection

_FOLDER = re.compile(r"/[A-Za-z0-9/._-]{1,200}")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Candidate:
    """A folder in which an agent could be put."""

    path: str
    free_kib: int | None
    """None where the box does not say."""
    is_noexec: bool
    """Nothing on that file system may be run."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a box says of itself; every text is printable and bounded."""

    system: str
    """Kernel, release and machine as uname says them."""
    machine: str
    """The machine that programs there are built for, in uname's words, with the byte order: ``mips`` is big-endian."""
    libc: str | None
    """``glibc``, ``musl``, ``uclibc``, or None."""
    shell_program: Executable | None
    """What its shell was built for."""
    loaders: tuple[str, ...]
    """Dynamic loaders that are there."""
    host_name: str | None
    boot: str | None
    """Changes when the box is started anew."""
    load: float | None
    """Mean number of running processes over the last minute."""
    processors: int | None
    candidates: tuple[Candidate, ...]
    """In the order in which they are tried."""


def survey(connection: Connection) -> Survey:
    """Ask a box what it is; nothing is changed there.

    Raises:
        RemoteError: it cannot be reached, or has no POSIX shell.
    """
    parts = {title: body for title, body in reversed(ask(connection, "survey"))}
    return read_survey(parts)


def read_survey(parts: dict[str, bytes]) -> Survey:
    """The survey from the parts of the script's answer."""

    def line(title: str) -> str | None:
        return printable(parts.get(title, b"").decode("utf-8", "replace").lstrip().partition("\n")[0])[:256] or None

    system = line("system") or "unknown"
    shell = read_executable(parts.get("shell", b"")[:BEGINNING_BYTES])
    loaders = tuple(
        name
        for name in parts.get("loaders", b"").decode("ascii", "replace").split("\n")[:32]
        if _FOLDER.fullmatch(name)
    )
    load = load_average(line("load"))
    mounts = _noexec_mounts(parts.get("mounts", b"").decode("utf-8", "replace"))
    candidates = [
        Candidate(title[5:], _free_kib(body), _is_below(title[5:], mounts))
        for title, body in parts.items()
        if title.startswith("free ") and _FOLDER.fullmatch(title[5:])
    ]
    order = {"/tmp": 0, "/var/tmp": 1, "/dev/shm": 2}  # noqa: S108 - private folders with unknowable names in them
    return Survey(
        system=system,
        machine=_machine(shell, system.rpartition(" ")[2][:_LONGEST_NAME]),
        libc=_libc(shell, loaders),
        shell_program=shell,
        loaders=loaders,
        host_name=line("hostname"),
        boot=line("boot"),
        load=None if load is None else load[0],
        processors=len(parse_processor_list(line("processors"))) or None,
        candidates=tuple(sorted(candidates, key=lambda one: order.get(one.path, len(order)))),
    )


def _machine(shell: Executable | None, uname: str) -> str:
    """What programs there are built for; uname's word says what the kernel is, and leaves out the byte order."""
    if shell is None or shell.machine is None:
        return uname
    # The header does not say which ARM; under a 64-bit kernel it runs the newest 32-bit one.
    if shell.machine == "arm":
        return uname if uname.startswith("armv") and uname != "armv8l" else "armv7l"
    return shell.machine


def _libc(shell: Executable | None, loaders: tuple[str, ...]) -> str | None:
    if shell is not None and shell.libc is not None:
        return shell.libc
    found = {libc_of_loader(path) for path in loaders} - {None}
    return next((name for name in ("glibc", "musl", "uclibc") if name in found), None)


def _free_kib(body: bytes) -> int | None:
    """The fourth column of the last line of ``df -kP``."""
    words = body.decode("ascii", "replace").strip().rpartition("\n")[2].split()
    return int(words[3]) if len(words) >= 5 and re.fullmatch(r"\d{1,15}", words[3]) else None


def _noexec_mounts(text: str) -> dict[str, bool]:
    """Whether nothing may be run there, by mount point; a later mount hides an earlier one."""
    found = {}
    for row in text.split("\n")[:4096]:
        words = row.split(" ")
        if len(words) >= 4:
            found[words[1]] = "noexec" in words[3].split(",")
    return found


def _is_below(path: str, mounts: dict[str, bool]) -> bool:
    while path not in mounts:
        if path in ("", "/"):
            return False
        path = path.rpartition("/")[0] or "/"
    return mounts[path]
