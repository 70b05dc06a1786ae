"""The agent under test: the normal binary, and the one with AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "agent" / "build"
VECTORS = ROOT / "tests" / "vectors"

Answer = dict[str, Any]
Order = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgentBinary:
    """One built agent."""

    path: Path

    def run(
        self, text: bytes, environment: Mapping[str, str] | None = None, timeout_seconds: float = 30
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it once with this standard input."""
        return subprocess.run(
            [self.path],
            input=text,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
            env={**os.environ, **(environment or {})},
        )

    def ask_lines(self, lines: Sequence[bytes], environment: Mapping[str, str] | None = None) -> list[Answer]:
        """Send lines as they are; expect one answer to each, nothing on standard error and exit code 0."""
        result = self.run(b"".join(line + b"\n" for line in lines), environment)
        assert result.stderr == b""
        assert result.returncode == 0
        answers: list[Answer] = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(answers) == len(lines)
        return answers

    def ask(self, orders: Sequence[Order], environment: Mapping[str, str] | None = None) -> list[Answer]:
        """Send orders, numbered from 0; expect the answers in their order."""
        lines = [json.dumps({"id": number, **order}).encode() for number, order in enumerate(orders)]
        answers = self.ask_lines(lines, environment)
        assert [answer["id"] for answer in answers] == list(range(len(orders)))
        return answers

    def compute(self, orders: Sequence[Order]) -> list[bytes | str]:
        """Send compute orders; octets for each result, the error's code for each refusal."""
        answers = self.ask([{"command": "compute", **order} for order in orders])
        return [
            bytes.fromhex(answer["output"]) if answer["type"] == "result" else str(answer["code"]) for answer in answers
        ]


@pytest.fixture(params=["ipsecbench-agent", "ipsecbench-agent-sanitize"], ids=["normal", "sanitized"])
def agent(request: pytest.FixtureRequest) -> AgentBinary:
    """Each of the two binaries in turn."""
    path = BUILD / str(request.param)
    if not path.exists():
        pytest.skip(f"{path.name} is not built: make agent")
    return AgentBinary(path)


@pytest.fixture(scope="session")
def normal_agent() -> AgentBinary:
    """The binary that users have."""
    path = BUILD / "ipsecbench-agent"
    if not path.exists():
        pytest.skip(f"{path.name} is not built: make agent")
    return AgentBinary(path)


@pytest.fixture(scope="session")
def rows(normal_agent: AgentBinary) -> dict[tuple[str, str, str], Answer]:
    """The rows of "list", by provider, tier and algorithm."""
    (answer,) = normal_agent.ask([{"command": "list"}])
    return {(row["provider"], row["tier"], row["algorithm"]): row for row in answer["rows"]}


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """Read a file below tests/vectors."""
    return lambda name: json.loads((VECTORS / name).read_text(encoding="utf-8"))
