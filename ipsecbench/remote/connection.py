"""The system's ssh to one box: commands with bounded answers, one connection for all of them, and reconnecting.

The connections are those of the user's own ssh: its configuration, keys, agent and known hosts count. Questions (a
password, an unknown host key) are asked on the terminal, while a connection is made and only where there is one; every
later command goes through the same connection (ControlMaster, ssh_config(5)).
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ipsecbench.errors import ConnectionLostError, RemoteError, UsageError
from ipsecbench.hardware.source import printable

CONNECT_SECONDS = 15
_ALIVE_SECONDS, _ALIVE_COUNT = 10, 3
"""A silent connection is given up after their product."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_LOST = 255
"""Exit status of ssh for everything that is its own and not the command's."""
_LONGEST_FOLDER, _LONGEST_SOCKET_PATH = 50, 80
_HOST = re.compile(r"[A-Za-z0-9_][^\s\x00-\x1f\x7f'\"`$\\;&|<>(){}*?!]{0,254}")
_ASK_SECONDS = 300
"""For people to type a password."""
_COPY_BYTES = 65536
_MOST_SAID_BYTES = 16384


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command on the box gave."""

    status: int
    output: bytes
    said: str
    """The last line of its standard error, printable."""


def check_host(host: str) -> str:
    """A destination for ssh, such as ``root@192.0.2.1`` or a name of ssh's configuration.

    Raises:
        UsageError: it is none; what begins with a hyphen would be an option.
    """
    if not _HOST.fullmatch(host):
        raise UsageError(f"{printable(host)[:80]!r} is not a destination for ssh, such as root@192.0.2.1")
    return host


class Connection:
    """The way to one box. Use it as a context manager: leaving it ends the shared connection.

    Args:
        host: from :func:`check_host`.
        ssh: program and arguments of an OpenSSH client.
        interactive: whether ssh may ask on the terminal.
        patience_seconds: how long to try again when the connection was lost.
    """

    def __init__(
        self,
        host: str,
        ssh: Sequence[str] = ("ssh",),
        *,
        interactive: bool = False,
        patience_seconds: float = 300.0,
    ) -> None:
        self.host = check_host(host)
        self._ssh = tuple(ssh)
        self._interactive = interactive
        self._patience = patience_seconds
        self._folder = _socket_folder()
        self.reconnections = 0
        """How often the connection was lost and came back."""
        self.outage_seconds = 0.0
        """Time without a connection since the first one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the shared connection; safe to call more than once."""
        if self._folder.exists():
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [*self._command(share=False), "-O", "exit", "--", self.host],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=5,
                    check=False,
                )
            shutil.rmtree(self._folder, ignore_errors=True)

    def command(self, remote: str) -> list[str]:
        """The local command line that runs a command line of the box's shell over the connection there is."""
        return [*self._command(share=False), "--", self.host, remote]

    def _command(self, *, share: bool) -> list[str]:
        socket = self._folder / "s"
        options = [
            f"BatchMode={'no' if share and self._interactive else 'yes'}",
            f"ConnectTimeout={CONNECT_SECONDS}",
            f"ServerAliveInterval={_ALIVE_SECONDS}",
            f"ServerAliveCountMax={_ALIVE_COUNT}",
            "ClearAllForwardings=yes",
            "ForwardAgent=no",
            "ForwardX11=no",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            "RequestTTY=no",
            "LogLevel=ERROR",
        ]
        if len(str(socket)) <= _LONGEST_SOCKET_PATH:
            options += [f"ControlPath={socket}", f"ControlMaster={'auto' if share else 'no'}", "ControlPersist=60"]
        return [*self._ssh, "-T", *(word for option in options for word in ("-o", option))]

    def open(self) -> None:
        """Connect.

        Raises:
            ConnectionLostError: the box cannot be reached, or does not let us in; the message says why.
        """
        # In the terminal's foreground, so that ssh can ask there; every other command is deaf to the terminal.
        reply = self._run(
            [*self._command(share=True), "--", self.host, "exit 0"],
            b"",
            _COPY_BYTES,
            _ASK_SECONDS if self._interactive else CONNECT_SECONDS * 4,
            own_session=False,
        )
        if reply.status == _LOST:
            raise ConnectionLostError(f"{self.host}: {self._explained(reply.said)}")
        if reply.status != 0:
            said = reply.said or last_line(reply.output) or f"it ended with status {reply.status}"
            raise RemoteError(f"{self.host}: its login shell does not run commands: {said}")

    def _explained(self, said: str) -> str:
        if "Host key verification failed" in said or "host key" in said.lower():
            return (
                f"the host key is not the one that is known, or none is known ({said}): check it on the box itself, "
                "then connect once by hand, or correct the known_hosts file"
            )
        if "Permission denied" in said:
            return f"{said}: give a key with --identity or ssh-agent, or run this on a terminal to be asked a password"
        return f"cannot connect: {said or 'ssh gave no reason'}"

    def run(self, remote: str, given: bytes = b"", *, limit_bytes: int = 65536, timeout: float = 60.0) -> Reply:
        """Run one command; when the connection is lost, reconnect and run it again.

        Args:
            remote: a command line that any shell understands, and that may be run twice.
            given: its standard input.
            limit_bytes: most octets of output; more ends the command.
            timeout: seconds to wait.

        Raises:
            ConnectionLostError: the connection was lost for good.
            RemoteError: it takes too long, or says too much.
        """
        began = time.monotonic()
        while True:
            try:
                return self.run_once(remote, given, limit_bytes=limit_bytes, timeout=timeout)
            except ConnectionLostError as error:
                self.reconnect(began, str(error))

    def run_once(self, remote: str, given: bytes = b"", *, limit_bytes: int = 65536, timeout: float = 60.0) -> Reply:
        """The same without reconnecting.

        Raises:
            ConnectionLostError: the connection was lost.
            RemoteError: it takes too long, or says too much.
        """
        reply = self._run(self.command(remote), given, limit_bytes, timeout)
        if reply.status == _LOST:
            raise ConnectionLostError(f"{self.host}: the connection was lost: {reply.said or 'ssh gave no reason'}")
        return reply

    def reconnect(self, since: float, reason: str) -> None:
        """Connect again, after growing pauses; the time since is counted as an outage.

        Args:
            since: the moment on the monotonic clock from which on nothing came of the box.
            reason: what was said when the connection was lost.

        Raises:
            ConnectionLostError: it did not come back in time.
        """
        began, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
        while True:
            try:
                self.open()
            except RemoteError as error:
                reason = str(error)
                if time.monotonic() + pause - began > self._patience:
                    raise ConnectionLostError(
                        f"{self.host}: the connection was lost and did not come back within {self._patience:g} s "
                        f"({reason.removeprefix(self.host + ': ')})"
                    ) from error
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                self.reconnections += 1
                self.outage_seconds += time.monotonic() - since
                return

    def _run(
        self, command: Sequence[str], given: bytes, limit_bytes: int, timeout: float, *, own_session: bool = True
    ) -> Reply:
        with os.fdopen(os.memfd_create("ssh-stderr"), "w+b") as errors:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=own_session,
                )
            except OSError as error:
                raise RemoteError(f"{self.host}: {command[0]} does not start: {error.strerror}") from error
            try:
                output = self._exchange(process, given, limit_bytes, time.monotonic() + timeout)
                status = process.wait(timeout)
            except subprocess.TimeoutExpired as error:
                raise RemoteError(f"{self.host}: a command did not end within {timeout:g} s") from error
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                for stream in (process.stdin, process.stdout):
                    if stream is not None:
                        with contextlib.suppress(OSError):
                            stream.close()
            return Reply(status, output, last_line(_end_of(errors)))

    def _exchange(self, process: subprocess.Popen[bytes], given: bytes, limit_bytes: int, deadline: float) -> bytes:
        """Feed a process and collect its output, both at once, within bounds."""
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RemoteError(f"{self.host}: ssh has no pipes")
        output, left = bytearray(), memoryview(given)
        os.set_blocking(stdin.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise RemoteError(f"{self.host}: a command did not end in time")
                for key, _ in ready:
                    if key.fileobj is stdin:
                        left = _feed(stdin, left)
                        if not left:
                            selector.unregister(stdin)
                            stdin.close()
                        continue
                    chunk = os.read(stdout.fileno(), _COPY_BYTES)
                    if not chunk:
                        selector.unregister(stdout)
                        # What was not read by now is not wanted any more.
                        if not stdin.closed:
                            selector.unregister(stdin)
                            stdin.close()
                    output += chunk
                    if len(output) > limit_bytes:
                        raise RemoteError(f"{self.host}: it sends more than {limit_bytes} octets, and is not believed")
        return bytes(output)


def _socket_folder() -> Path:
    """A private folder with so short a name that a socket can be in it."""
    if len(tempfile.gettempdir()) <= _LONGEST_FOLDER or not os.access("/tmp", os.W_OK):  # noqa: S108
        return Path(tempfile.mkdtemp(prefix="ipsecbench-ssh-"))
    return Path(tempfile.mkdtemp(prefix="ipsecbench-ssh-", dir="/tmp"))


def _feed(stdin: IO[bytes], left: memoryview) -> memoryview:
    """Write what the pipe takes; nothing is left to write when nobody reads it."""
    try:
        return left[os.write(stdin.fileno(), left[:_COPY_BYTES]) :]
    except BlockingIOError:
        return left
    except OSError:
        return left[:0]


def _end_of(stream: IO[bytes]) -> bytes:
    stream.seek(0, os.SEEK_END)
    stream.seek(max(0, stream.tell() - _MOST_SAID_BYTES))
    return stream.read()


def last_line(data: bytes) -> str:
    """The last line that says something, printable and bounded."""
    lines = [line for line in data.decode(errors="replace").splitlines() if line.strip()]
    return printable(lines[-1])[:500] if lines else ""
