"""Speak to one running agent: an order out, an answer in."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from ipsecbench.agent.find import agent_path
from ipsecbench.errors import (
    AgentError,
    AgentGoneError,
    CorrectnessError,
    IpsecbenchError,
    MeasurementError,
    UnsupportedError,
)

PROTOCOL_VERSION = 1
ANSWER_TIMEOUT_SECONDS = 120.0
"""Longest wait for one answer; a sample takes milliseconds, key generation on a slow router seconds."""
_STOP_SECONDS = 2.0
_LONGEST_ANSWER_BYTES = 16 * 2**20
_LONGEST_MESSAGE = 1000
_MOST_LINES_SKIPPED = 1000

_ERRORS: Mapping[str, type[IpsecbenchError]] = {
    "unsupported": UnsupportedError,
    "library": AgentError,
    "known-answer": CorrectnessError,
    "failed": MeasurementError,
    "usage": AgentError,
    "rejected": CorrectnessError,
    "memory": AgentError,
}


class Agent(Protocol):
    """Who answers the orders of the agent's protocol, wherever it runs.

    An order of the measuring agent leaves nothing behind that a later one needs (the ``esp`` and ``traffic`` agents
    are others): one that got no answer may be given again, to a new agent too.
    """

    @property
    def pid(self) -> int | None:
        """Number of its process on this machine; None where it runs on another one."""

    def request(self, command: str, timeout: float = ANSWER_TIMEOUT_SECONDS, **fields: Any) -> dict[str, Any]:
        """Give one order and wait for its answer; see :meth:`AgentProcess.request`."""


class AgentProcess:
    """A process that speaks the agent's protocol: the agent itself, or what stands for one on another box.

    Use it as a context manager; leaving it ends the process. Not for use by several threads.

    Args:
        command: program and arguments.
        environment: variables added to the process's own environment.
        descriptors: that it inherits, under the same numbers.

    Raises:
        AgentError: it does not start.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        self._next_id = 0
        self._buffer = bytearray()
        # In memory, so that a full disk is no reason not to measure; a pipe that nobody reads could fill.
        self._stderr = os.fdopen(os.memfd_create("agent-stderr"), "w+b")
        try:
            # A session of its own: Ctrl-C is for the caller, which ends the agent when it has saved its figures.
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                pass_fds=tuple(descriptors),
            )
        except OSError as error:
            self._stderr.close()
            raise AgentError(f"the agent {command[0]} does not start: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process; safe to call more than once."""
        process = self._process
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._stderr.close()

    def request(self, command: str, timeout: float = ANSWER_TIMEOUT_SECONDS, **fields: Any) -> dict[str, Any]:
        """Give one order and wait for its answer.

        Args:
            command: ``info``, ``clock``, ``list``, ``check``, ``speed`` or ``compute``; of ``esp`` its own.
            timeout: seconds to wait.
            fields: the order's other fields; those that are None are left out.

        Raises:
            UnsupportedError: this library has no such algorithm.
            CorrectnessError: a known answer came out wrong, or ``compute`` rejected its input.
            MeasurementError: an operation failed inside the loop.
            AgentGoneError: the agent ended before it answered.
            AgentError: anything else that is not a good answer.
        """
        self._next_id += 1
        order = {"id": self._next_id, "command": command}
        order.update({name: value for name, value in fields.items() if value is not None})
        answer = self._exchange(json.dumps(order, separators=(",", ":")).encode() + b"\n", timeout)
        if answer.get("id") != self._next_id:
            raise AgentError(f"the agent answered order {answer.get('id')!r} when {self._next_id} was asked")
        if answer.get("type") == "error":
            message = str(answer.get("message", "no reason given"))[:_LONGEST_MESSAGE]
            raise _ERRORS.get(str(answer.get("code")), AgentError)(message)
        return answer

    def skip_to(self, line: str, timeout: float = ANSWER_TIMEOUT_SECONDS) -> None:
        """Read away what comes before a line of output, and the line: login shells may say anything.

        Raises:
            AgentGoneError: the process ended first.
            AgentError: the line does not come.
        """
        for _ in range(_MOST_LINES_SKIPPED):
            if self._read_line(timeout).strip() == line.encode():
                return
        raise AgentError(f"something else than the agent speaks: {_MOST_LINES_SKIPPED} lines of it")

    def _exchange(self, line: bytes, timeout: float) -> dict[str, Any]:
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            raise AgentError("the agent was already closed")
        try:
            stdin.write(line)
            stdin.flush()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._obituary() from error
        try:
            answer = json.loads(self._read_line(timeout))
        except (ValueError, RecursionError) as error:
            raise AgentError(f"the agent answered something that is not JSON: {error}") from error
        if not isinstance(answer, dict):
            raise AgentError("the agent answered something that is not an object")
        return answer

    def _read_line(self, timeout: float) -> bytes:
        stdout = self._process.stdout
        if stdout is None:
            raise AgentError("the agent has no output")
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._process.kill()
                    raise AgentError(f"the agent did not answer within {timeout:g} s and was ended")
                chunk = os.read(stdout.fileno(), 65536)
                if not chunk:
                    raise self._obituary()
                self._buffer += chunk
                if len(self._buffer) > _LONGEST_ANSWER_BYTES:
                    self._process.kill()
                    raise AgentError("the agent answered without end and was ended")
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line

    def _obituary(self) -> AgentGoneError:
        """Why the agent is gone, in one line."""
        try:
            code: int | None = self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, self._stderr.tell() - 4096))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        said = f": {lines[-1]}" if lines else ""
        if code is None:
            return AgentGoneError(f"the agent closed its output{said}")
        how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
        return AgentGoneError(f"the agent {how}{said}", code)


class AgentClient(AgentProcess):
    """One agent on this machine.

    Args:
        path: the executable; default: :func:`ipsecbench.agent.find.agent_path`.
        environment: variables added to the process's own environment.
        arguments: the agent's own, such as ``esp``.
        descriptors: that it inherits, under the same numbers.

    Raises:
        AgentError: there is no agent, or it does not start.
    """

    def __init__(
        self,
        path: Path | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        descriptors: Sequence[int] = (),
    ) -> None:
        self.path = agent_path() if path is None else path
        super().__init__([str(self.path), *arguments], environment, descriptors)


def clock_hz(agent: Agent, core: int | None, milliseconds: int = 4, tries: int = 3) -> float | None:
    """The rate in Hz at which a core really executes: the best of a few short tries.

    Whatever takes the core away during a try makes it look slower, and nothing makes it look faster.

    Returns:
        The rate, or None where the agent cannot tell.

    Raises:
        AgentError: the agent failed.
    """
    found = [agent.request("clock", core=core, milliseconds=milliseconds).get("hz") for _ in range(tries)]
    return max((float(hz) for hz in found if hz), default=None)


def measure_clock_hz(core: int | None) -> float | None:
    """:func:`clock_hz` by an agent started for this one question.

    Raises:
        AgentError: there is no agent, or it failed.
    """
    with AgentClient() as agent:
        return clock_hz(agent, core)
