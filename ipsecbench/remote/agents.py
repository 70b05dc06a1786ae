"""Which agent a box can run: a named one, this machine's own, or one that was built for machines of its kind."""

from __future__ import annotations

from pathlib import Path

from ipsecbench.agent import find
from ipsecbench.agent.elf import BEGINNING_BYTES, libc_of_loader, read_executable
from ipsecbench.errors import AgentError, UsageError
from ipsecbench.remote.survey import Survey


def choose_agent(box: Survey, named: Path | None) -> Path | None:
    """The agent for a box.

    Args:
        box: what it is.
        named: the user's own choice.

    Returns:
        An executable; None where there is none for such a box.

    Raises:
        UsageError: the named file is no executable that the box could run.
        AgentError: the agents for other machines are damaged.
    """
    if named is not None:
        return _checked(named, box)
    own = _own(box)
    return own if own is not None else _cross(box)


def _checked(named: Path, box: Survey) -> Path:
    try:
        with open(named, "rb") as file:
            found = read_executable(file.read(BEGINNING_BYTES))
    except OSError as error:
        raise UsageError(f"--agent: {named}: {error.strerror}") from error
    if found is None:
        raise UsageError(f"--agent: {named} is no executable of Linux (ELF)")
    machine = box.shell_program.machine if box.shell_program is not None else None
    if machine is not None and found.machine != machine:
        raise UsageError(f"--agent: {named} is for {found.machine}, and the box's programs are for {box.machine}")
    return named


def _own(box: Survey) -> Path | None:
    """This machine's agent, where the box runs the same programs with the same loader."""
    try:
        path = find.agent_path()
        with open(path, "rb") as file:
            found = read_executable(file.read(BEGINNING_BYTES))
    except (AgentError, OSError):
        return None
    if found is None or box.shell_program is None or found.machine != box.shell_program.machine:
        return None
    if found.float_abi != box.shell_program.float_abi:
        return None
    has_loader = found.interpreter is None or found.interpreter in (box.shell_program.interpreter, *box.loaders)
    return path if has_loader else None


def _cross(box: Survey) -> Path | None:
    """One that was built for such machines, with a C library whose loader is there."""
    libcs = dict.fromkeys((box.libc, *(libc_of_loader(path) for path in box.loaders)))
    found = (find.agent_for(box.machine, libc) for libc in libcs if libc in find.LIBCS)
    return next((path for path in found if path is not None), None)
