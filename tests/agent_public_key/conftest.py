"""The agent as a process, in both builds, and the test values."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BUILDS = {
    "normal": ROOT / "agent/build/ipsecbench-agent",
    "sanitized": ROOT / "agent/build/ipsecbench-agent-sanitize",
}


class Agent:
    """One running agent; an order goes in, its answer comes out."""

    def __init__(self, binary: Path, **environment: str) -> None:
        if not binary.exists():
            pytest.fail(f"{binary} is not built: run make agent")
        # libcrypto keeps memory of its own until the end; test_leaks.py looks for leaks of the agent's.
        self._process = subprocess.Popen(
            [binary],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"} | environment,
        )

    def __enter__(self) -> Agent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        status = process.wait(timeout=20)
        process.stdout.close()
        assert error is not None or status == 0

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """Send one order; octets become hexadecimal."""
        order = {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"id": 1, "command": command} | order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer["id"] == 1
        return answer

    def compute(self, operation: str, algorithm: str, **fields: Any) -> bytes:
        """One result of libcrypto's primitives (or as the fields say)."""
        answer = self._compute(operation, algorithm, **fields)
        assert answer["type"] == "result", answer
        return bytes.fromhex(answer["output"])

    def error(self, operation: str, algorithm: str, **fields: Any) -> str:
        """The code of the error that a computation must end in."""
        answer = self._compute(operation, algorithm, **fields)
        assert answer["type"] == "error", answer
        assert answer["message"]
        assert "\n" not in answer["message"]
        return str(answer["code"])

    def _compute(self, operation: str, algorithm: str, **fields: Any) -> dict[str, Any]:
        defaults = {"provider": "libcrypto", "tier": "primitive"}
        return self.ask("compute", operation=operation, algorithm=algorithm, **defaults | fields)

    def speed(self, operation: str, algorithm: str, **fields: Any) -> dict[str, Any]:
        """The answer to a speed order of a few iterations."""
        defaults = {"provider": "libcrypto", "tier": "primitive", "iterations": 2}
        return self.ask("speed", operation=operation, algorithm=algorithm, **defaults | fields)


@pytest.fixture(scope="session", params=BUILDS)
def agent(request: pytest.FixtureRequest) -> Iterator[Agent]:
    """The agent, once for each build."""
    with Agent(BUILDS[request.param]) as running:
        yield running


@cache
def rows_of(binary: Path) -> Mapping[tuple[str, str, str], Mapping[str, Any]]:
    """What ``list`` says, by provider, tier and algorithm."""
    with Agent(binary) as running:
        rows = running.ask("list")["rows"]
    return {(row["provider"], row["tier"], row["algorithm"]): row for row in rows}


@pytest.fixture(scope="session")
def rows() -> Mapping[tuple[str, str, str], Mapping[str, Any]]:
    """Which operations exist on this box."""
    return rows_of(BUILDS["normal"])


@pytest.fixture(scope="session")
def wycheproof() -> Callable[[str], dict[str, list[Any]]]:
    """Reads a file of the selection of Wycheproof's tests."""

    def read(name: str) -> dict[str, list[Any]]:
        path = ROOT / "tests/vectors/wycheproof-public-key" / name
        content: dict[str, list[Any]] = json.loads(path.read_text(encoding="utf-8"))
        return content

    return read


@pytest.fixture(scope="session")
def rfc() -> Callable[[str], Any]:
    """Reads a file of values from RFCs."""

    def read(name: str) -> Any:
        return json.loads((Path(__file__).parent / "rfc" / name).read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def unless_offered(rows: Mapping[tuple[str, str, str], Mapping[str, Any]]) -> Callable[..., None]:
    """Skips a test when this box has no such algorithm, with the agent's reason."""

    def skip(algorithm: str, provider: str = "libcrypto", tier: str = "primitive") -> None:
        row = rows[provider, tier, algorithm]
        if not row["operations"]:
            pytest.skip(row["reason"])

    return skip


@pytest.fixture(scope="session")
def start_agent() -> Callable[..., Agent]:
    """Starts an agent of its own, by build and environment."""

    def start(build: str = "normal", **environment: str) -> Agent:
        return Agent(BUILDS[build], **environment)

    return start
