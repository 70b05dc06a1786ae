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
from ipsecbench.remote.connection import Connection, last_line

PERIOD_SECONDS = 15
"""How often the watcher looks; the scripts count in it."""
SPARE_KIB = 64
"""Space that is wanted beside the agent."""
_SLOWEST_OCTETS_PER_SECOND = 4000
_NOT_FOUND = 127
_MOST_NOISE = 65536
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
            place = folder.rpartition("/")[0]
            if (why_not := self._copy(folder, program)) is not None:
                reasons.append(f"{place}: {why_not}")
                self.remove()
                places = places[places.index(place) + 1 :]
                continue
            if (why_not := self._try(folder)) is None:
                self.folder = folder
                return folder
            self.remove()
            # Programs can be run there, so that it would not start in another place either.
            reasons.append(why_not)
            break
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

    def _copy(self, folder: str, program: bytes) -> str | None:
        """Copy the agent; why that did not work, or None."""
        file = shlex.quote(f"{folder}/agent")
        reply = self._connection.run(
            f"exec sh -c {shlex.quote(f'umask 077; cat >{file} && chmod 700 {file} && wc -c <{file}')}",
            program,
            limit_bytes=_MOST_NOISE,
            timeout=60 + len(program) / _SLOWEST_OCTETS_PER_SECOND,
        )
        # Before its last line a login shell may have said anything.
        if last_line(reply.output).strip() == str(len(program)):
            return None
        return f"the agent could not be copied: {reply.said or 'no reason given'}"

    def _try(self, folder: str) -> str | None:
        """See whether the agent starts there; why not, or None."""
        reply = self._connection.run(f"exec {shlex.quote(f'{folder}/agent')} --version", limit_bytes=_MOST_NOISE)
        version = last_line(reply.output).strip()
        if reply.status == 0 and version == f"ipsecbench-agent {__version__}":
            return None
        if reply.status == 0:
            return f"the agent is of another version: {version[:80]}"
        said = reply.said or version[:200] or f"it ends with status {reply.status}"
        missing = "; its loader is not there: it is for another C library" if reply.status == _NOT_FOUND else ""
        return f"the agent does not start: {said.replace(folder + '/', '')}{missing}"

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
