"""Our private folder on the box: made under a name that nobody can guess, with the agent in it, and removed again.

Beside the agent a small shell process watches there: when nobody has spoken for a while it ends the agent and removes
the folder, so that a box is clean again even if this program, its machine or the way between them is gone.
"""

from __future__ import annotations

import math
import secrets
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from ipsecbench import __version__
from ipsecbench.errors import ConnectionLostError, RemoteError
from ipsecbench.hardware.source import printable
from ipsecbench.remote.answer import ask, script_text
from ipsecbench.remote.connection import Connection

PERIOD_SECONDS = 15
"""How often the watcher looks; the scripts count in it."""
SPARE_KIB = 64
"""Space that is wanted beside the agent."""
_SLOWEST_OCTETS_PER_SECOND = 4000
_LOST_FOLDER = 125
_SHORTEST_LIFE_SECONDS = 3600.0


class Workplace:
    """A folder on the box.

    Args:
        connection: the way to it.
        agent: the executable to put there, on this machine.
        places: folders to try, in order.
        silence_seconds: after which nobody is taken to speak any more.
        life_seconds: after which the box is cleaned whatever happens.
    """

    def __init__(
        self,
        connection: Connection,
        agent: Path,
        places: Sequence[str],
        *,
        silence_seconds: float,
        life_seconds: float,
    ) -> None:
        self._connection = connection
        self._agent = agent
        self._places = tuple(places)
        self._silence = math.ceil(silence_seconds / PERIOD_SECONDS)
        self._life = math.ceil(max(life_seconds, _SHORTEST_LIFE_SECONDS) / PERIOD_SECONDS)
        self._made: list[str] = []
        self.folder: str | None = None
        """Where the agent is; None before :meth:`prepare`."""

    def prepare(self) -> str:
        """Make the folder, put the agent into it, and see that it starts.

        Returns:
            The folder.

        Raises:
            RemoteError: in none of the places; the message says for each of them why.
        """
        try:
            program = self._agent.read_bytes()
        except OSError as error:
            raise RemoteError(f"{self._connection.host}: {self._agent} cannot be read: {error.strerror}") from error
        reasons: list[str] = []
        places = self._places
        while places:
            folder, refused = self._make(len(program), places)
            reasons += refused
            if folder is None:
                break
            why_not = self._fill(folder, program)
            if why_not is None:
                self.folder = folder
                return folder
            place = folder.rpartition("/")[0]
            reasons.append(f"{place}: {why_not}")
            self.remove()
            places = places[places.index(place) + 1 :]
        why = "; ".join(reasons) or "no folder can be written"
        raise RemoteError(f"{self._connection.host}: the agent cannot be run there ({why})")

    def _make(self, size: int, places: Sequence[str]) -> tuple[str | None, list[str]]:
        name = f"ipsecbench.{secrets.token_hex(12)}"
        # Also if no answer comes: whatever was made is removed in the end.
        self._made += [f"{place}/{name}" for place in places]
        parts = ask(
            self._connection,
            "prepare",
            *(name, str(size // 1024 + SPARE_KIB), str(self._silence), str(self._life), *places),
            variables={"WATCH": script_text("watch"), "RUN": script_text("run")},
        )
        refused = [
            f"{title[8:]}: {printable(body.decode('utf-8', 'replace'))[:100]}"
            for title, body in parts
            if title.startswith("refused ")
        ]
        made = [body.decode("ascii", "replace").strip() for title, body in parts if title == "folder"]
        # Only a name that we gave: what comes from there is never believed to be a path.
        folder = next((folder for folder in made if folder in self._made), None)
        return folder, refused

    def _fill(self, folder: str, program: bytes) -> str | None:
        """Copy the agent and try it; why it does not work, or None."""
        file = shlex.quote(f"{folder}/agent")
        copy = f"umask 077; cat >{file} && chmod 700 {file} && wc -c <{file} && exec {file} --version"
        reply = self._connection.run(
            f"exec sh -c {shlex.quote(copy)}",
            program,
            limit_bytes=4096,
            timeout=60 + len(program) / _SLOWEST_OCTETS_PER_SECOND,
        )
        # Before these two lines a login shell may have said anything.
        *_, size, version = ("", *reply.output.decode("ascii", "replace").strip().split("\n"))
        if size.strip() != str(len(program)):
            return f"the agent could not be copied: {reply.said or 'no reason given'}"
        if reply.status == 0 and version.strip() == f"ipsecbench-agent {__version__}":
            return None
        said = reply.said or printable(version)[:200] or f"it ends with status {reply.status}"
        return f"the agent does not start: {said.replace(folder + '/', '')}"

    def restore(self) -> None:
        """After a lost connection: see that the folder is still there, or make a new one (the box was started anew).

        Raises:
            RemoteError: neither works.
        """
        if self.folder is not None:
            file = shlex.quote(f"{self.folder}/agent")
            if self._connection.run(f"exec test -x {file}").status == 0:
                return
        self.prepare()

    def command(self, line: str, environment: Mapping[str, str]) -> list[str]:
        """The local command line that runs the agent there.

        Args:
            line: what is said before the agent says anything.
            environment: variables that the agent is given.
        """
        folder = self.folder
        if folder is None:
            raise RemoteError(f"{self._connection.host}: nothing was prepared there")
        words = (f"{folder}/run", folder, line, *(f"{name}={value}" for name, value in environment.items()))
        return self._connection.command(f"exec sh {' '.join(shlex.quote(word) for word in words)}")

    def remove(self) -> tuple[str, ...]:
        """End what runs there and remove every folder that was made, without reconnecting.

        Returns:
            What could not be removed; where there is no connection, what the watcher there will remove.
        """
        folders, self._made, self.folder = self._made, [], None
        if not folders:
            return ()
        try:
            parts = ask(self._connection, "remove", *folders, timeout=30, again=False)
        except ConnectionLostError:
            return tuple(folders)
        return tuple(printable(title[5:]) for title, _ in parts if title.startswith("left "))
