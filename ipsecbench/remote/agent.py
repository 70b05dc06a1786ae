"""The agent on another box: what a lost connection interrupts is asked again, of an agent that is started again.

An order of the measuring agent leaves nothing behind that a later one needs: which library is loaded, which keys and
known answers were made is found out anew by whoever is asked. So the one order without an answer is simply repeated,
and what was answered before stands.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping
from statistics import median
from types import TracebackType
from typing import Any, Self

from ipsecbench.agent.client import ANSWER_TIMEOUT_SECONDS, AgentProcess
from ipsecbench.errors import AgentError, AgentGoneError, RemoteError
from ipsecbench.hardware.source import printable
from ipsecbench.remote.connection import Connection
from ipsecbench.remote.workplace import Workplace

_LOST = 255
_TRIPS = 7
_MOST_TRIPS = 3
_MOST_LOSSES_OF_ONE_ORDER = 5
_MOST_VALUES = 50_000
_LONGEST_TEXT = 4096
_DEEPEST = 12


class RemoteAgent:
    """See :class:`ipsecbench.agent.client.Agent`. Use it as a context manager; leaving it ends the agent.

    Args:
        connection: the way to the box.
        workplace: where the agent is there.
        environment: variables that it is given.
    """

    def __init__(self, connection: Connection, workplace: Workplace, environment: Mapping[str, str]) -> None:
        self._connection = connection
        self._workplace = workplace
        self._environment = dict(environment)
        self._process: AgentProcess | None = None
        self._trip_seconds = 0.0
        self.travel_seconds = 0.0
        """Time that orders and answers were on their way, estimated."""

    def __enter__(self) -> Self:
        # The first one also starts it.
        self._refused_order()
        # The agent refuses it at once: what is left is the way there and back.
        self._trip_seconds = median(self._refused_order() for _ in range(_TRIPS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int | None:
        """None: it runs on another machine."""
        return None

    def request(self, command: str, timeout: float = ANSWER_TIMEOUT_SECONDS, **fields: Any) -> dict[str, Any]:
        """Give one order and wait for its answer, over as many connections as it takes.

        Raises:
            RemoteError: the connection was lost and did not come back, or this order always ends it.
            AgentError: see :meth:`ipsecbench.agent.client.AgentProcess.request`.
        """
        for _ in range(_MOST_LOSSES_OF_ONE_ORDER):
            began = time.monotonic()
            try:
                if self._process is None:
                    self._workplace.restore()
                    self._start()
                answer = self._ask(command, timeout, fields)
            except AgentGoneError as error:
                if error.status is not None and 0 <= error.status != _LOST:
                    raise  # the agent itself died there, and would again
                self._end()
                self._connection.reconnect(began, str(error))
            else:
                self.travel_seconds += self._travel(answer, time.monotonic() - began)
                return answer
        raise RemoteError(
            f"{self._connection.host}: the connection is lost whenever the agent is asked for '{command}'"
        )

    def _travel(self, answer: Mapping[str, Any], elapsed: float) -> float:
        """How much of the time until an answer came it was on its way: what the agent did not measure in, in reason.

        A way that is slower at times makes a sample late; three usual round trips are the most that is put down to it.
        """
        workers = answer.get("workers")
        first = workers[0] if isinstance(workers, list) and workers else None
        measured = first.get("wall_ns") if isinstance(first, dict) else None
        if not isinstance(measured, int) or not 0 <= measured < 2**63:
            return min(self._trip_seconds, elapsed)
        return min(_MOST_TRIPS * self._trip_seconds, max(0.0, elapsed - measured / 1e9))

    def _ask(self, command: str, timeout: float, fields: Mapping[str, Any]) -> dict[str, Any]:
        if self._process is None:
            raise AgentError("the agent was not started")
        answer = self._process.request(command, timeout, **fields)
        cleaned, _ = _cleaned(answer, _MOST_VALUES, 0)
        return dict(cleaned)

    def _start(self) -> None:
        line = f"ipsecbench-{secrets.token_hex(12)}"
        self._process = AgentProcess(self._workplace.command(line, self._environment))
        self._process.skip_to(line)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def _refused_order(self) -> float:
        began = time.monotonic()
        try:
            self.request("nothing")
        except (AgentGoneError, RemoteError):
            raise
        except AgentError:
            pass
        return time.monotonic() - began


def _cleaned(value: Any, left: int, depth: int) -> tuple[Any, int]:
    """A copy in which texts are printable and bounded and numbers finite, and how many values may still come.

    Raises:
        AgentError: it is deeper or has more values than any answer of the protocol.
    """
    left -= 1
    if left < 0 or depth > _DEEPEST:
        raise AgentError("the agent's answer is larger than any of the protocol")
    if isinstance(value, dict):
        pairs = {}
        for key, inner in value.items():
            pairs[printable(key)[:_LONGEST_TEXT]], left = _cleaned(inner, left, depth + 1)
        return pairs, left
    if isinstance(value, list):
        items = []
        for inner in value:
            cleaned, left = _cleaned(inner, left, depth + 1)
            items.append(cleaned)
        return items, left
    if isinstance(value, str):
        return printable(value)[:_LONGEST_TEXT], left
    if isinstance(value, float) and not math.isfinite(value):
        raise AgentError("the agent's answer has a number that is not finite")
    return value, left
