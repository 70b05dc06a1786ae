"""Laboratories that stand until they are taken down: where they are noted, how they are found, entered and ended.

Each has a folder of its own, readable by its user only, with a note of its processes (id and start time, so that a
number that was given again is not mistaken for it), a socket for orders and a log. There is no secret in it: those are
in the laboratory's own memory. A lock on the folder is held for as long as the laboratory lives; what a killed one
left is removed by whoever looks next.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import stat
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ipsecbench.errors import LaboratoryError, UsageError
from ipsecbench.lab.enclosure import RUN
from ipsecbench.lab.namespaces import process_start_time

DEFAULT_NAME = "lab"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ANSWER_SECONDS = 30.0
_LONGEST_ANSWER = 64 << 20
_DOWN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Note:
    """Which processes a laboratory is."""

    keeper: int
    """The process that waits for it; with it everything ends."""
    keeper_start: int
    inside: int
    """A process within its namespaces."""
    inside_start: int


class Standing:
    """One laboratory that stands, or is to.

    Args:
        name: its name.

    Raises:
        UsageError: that is no name.
        LaboratoryError: the folder for all of them cannot be trusted.
    """

    def __init__(self, name: str = DEFAULT_NAME) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name for a laboratory: small letters, digits and '-', at most 32")
        self.name = name
        self.folder = _base() / name

    @property
    def control_path(self) -> Path:
        """The socket for orders."""
        return self.folder / "control"

    @property
    def log_path(self) -> Path:
        """What its process says."""
        return self.folder / "log"

    # ── making one ───────────────────────────────────────────────────────────────────────────────────────────────

    def claim(self) -> int:
        """Make its folder and lock it, for this process and its children.

        Returns:
            The descriptor that holds the lock.

        Raises:
            LaboratoryError: there is one of that name.
        """
        self.sweep()
        try:
            self.folder.mkdir(mode=0o700)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileExistsError, BlockingIOError) as error:
            raise LaboratoryError(
                f"there is a laboratory '{self.name}' already: end it with 'ipsecbench lab down{self._option}', "
                "or give this one another --name"
            ) from error
        except OSError as error:
            raise LaboratoryError(f"{self.folder}: {error.strerror}") from error
        return descriptor

    def write_note(self, inside: int) -> None:
        """Note this process and one inside."""
        note = Note(os.getpid(), process_start_time(os.getpid()), inside, process_start_time(inside))
        (self.folder / "note.json").write_text(json.dumps(asdict(note)))

    def remove(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # ── using one ────────────────────────────────────────────────────────────────────────────────────────────────

    def note(self) -> Note:
        """Which processes it is.

        Raises:
            LaboratoryError: there is no such laboratory.
        """
        if not self.sweep():
            with contextlib.suppress(OSError, ValueError, TypeError):
                note = Note(**json.loads((self.folder / "note.json").read_text()))
                if process_start_time(note.inside) == note.inside_start:
                    return note
        others = [name for name in standing_names() if name != self.name]
        more = f"; there is {', '.join(others)}" if others else ""
        raise LaboratoryError(
            f"there is no laboratory '{self.name}': 'ipsecbench lab up{self._option}' makes one{more}"
        )

    def ask(self, order: str, **fields: Any) -> dict[str, Any]:
        """Give it an order, and take the answer.

        Raises:
            LaboratoryError: there is no such laboratory, it does not answer, or it refuses; with its own words.
        """
        self.note()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as control:
                control.settimeout(_ANSWER_SECONDS)
                control.connect(str(self.control_path))
                control.sendall(json.dumps({"order": order, **fields}).encode() + b"\n")
                answer = json.loads(_read_all(control))
        except (OSError, ValueError) as error:
            raise LaboratoryError(
                f"the laboratory '{self.name}' does not answer ({error}): "
                f"end it with 'ipsecbench lab down{self._option}'"
            ) from error
        if "error" in answer:
            raise LaboratoryError(str(answer["error"]))
        return dict(answer)

    def end(self) -> None:
        """End it: politely, and where that takes too long with SIGKILL; in any case nothing of it is left.

        Raises:
            LaboratoryError: there is no such laboratory.
        """
        note = self.note()
        with contextlib.suppress(LaboratoryError):
            self.ask("down")
        deadline = time.monotonic() + _DOWN_SECONDS
        while self._locked() and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._locked() and process_start_time(note.keeper) == note.keeper_start:
            os.kill(note.keeper, signal.SIGKILL)
            while self._locked() and time.monotonic() < deadline + 5.0:
                time.sleep(0.02)
        self.remove()

    def sweep(self) -> bool:
        """Remove what a killed one of this name left behind.

        Returns:
            Whether there was anything.
        """
        if not self.folder.is_dir() or self._locked():
            return False
        self.remove()
        return True

    def _locked(self) -> bool:
        """Whether a process lives that holds it."""
        try:
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @property
    def _option(self) -> str:
        return "" if self.name == DEFAULT_NAME else f" --name {self.name}"


def standing_names() -> list[str]:
    """Names of the laboratories of this user that stand; those that were killed are swept."""
    found = []
    for entry in sorted(_base().iterdir()):
        if _NAME.fullmatch(entry.name) and not Standing(entry.name).sweep():
            found.append(entry.name)
    return found


def _base() -> Path:
    """The folder for all laboratories of this user: private, whoever else may write beside it."""
    temporary = Path(tempfile.gettempdir())
    if temporary.is_relative_to(RUN):  # inside a laboratory something else is there
        temporary = Path("/tmp")  # noqa: S108  the folder in it is checked
    base = temporary / f"ipsecbench-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LaboratoryError(f"{base} is not a folder that only this user can use: remove it, or set TMPDIR")
    return base


def _read_all(control: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < _LONGEST_ANSWER:
        more = control.recv(1 << 16)
        if not more:
            break
        data += more
    return data
