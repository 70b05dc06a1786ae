"""Which agent is for which other box, and what is said when there is none or the folder is damaged."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.agent.find import (
    CROSS_ENVIRONMENT_VARIABLE,
    EXECUTABLE,
    MANIFEST,
    agent_for,
    cross_agents,
    how_to_get_cross_agents,
)
from ipsecbench.errors import AgentError

ROOT = Path(__file__).resolve().parents[3]


def entry(machine: str, libc: str, content: bytes = b"agent") -> dict[str, Any]:
    return {
        "machine": machine,
        "libc": libc,
        "bytes": len(content),
        "sha256": "0" * 64,
        "interpreter": "/lib/ld.so.1",
        "needed": ["libc.so.6"],
        "glibc_at_least": "2.17" if libc == "glibc" else None,
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four agents."""
    entries = [entry("mips", "musl"), entry("mipsel", "musl"), entry("armv7", "glibc"), entry("x86_64", "musl")]
    for one in entries:
        place = tmp_path / f"{one['machine']}-{one['libc']}"
        place.mkdir()
        (place / EXECUTABLE).write_bytes(b"agent")
    write(tmp_path, {"format": 1, "agents": entries})
    monkeypatch.setenv(CROSS_ENVIRONMENT_VARIABLE, str(tmp_path))
    return tmp_path


def write(folder: Path, manifest: Any) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("machine", "libc", "found"),
    [
        ("mips", "musl", "mips-musl"),
        ("mipsel", "musl", "mipsel-musl"),
        ("armv7l", "glibc", "armv7-glibc"),
        ("armv8l", "glibc", "armv7-glibc"),
        ("amd64", "musl", "x86_64-musl"),
        ("armv7l", "musl", None),
        ("armv6l", "glibc", None),
        ("armv5tel", "glibc", None),
        ("mips64", "musl", None),
        ("", "musl", None),
    ],
)
def test_the_agent_for_a_box(folder: Path, machine: str, libc: str, found: str | None) -> None:
    assert agent_for(machine, libc) == (None if found is None else folder / found / EXECUTABLE)


def test_a_libc_that_there_is_not(folder: Path) -> None:
    with pytest.raises(AgentError, match="glibc and musl, not for 'uclibc'"):
        agent_for("mips", "uclibc")


def test_what_the_manifest_says_is_handed_on(folder: Path) -> None:
    agent = cross_agents()[2]
    assert agent.name == "armv7-glibc"
    assert (agent.size_bytes, agent.interpreter, agent.needed) == (5, "/lib/ld.so.1", ("libc.so.6",))
    assert agent.glibc_at_least == "2.17"
    assert cross_agents()[0].glibc_at_least is None


def test_a_named_folder_without_agents_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CROSS_ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(AgentError, match=r"IPSECBENCH_AGENTS names .*nowhere, which has no manifest\.json"):
        cross_agents()


def test_a_missing_or_changed_agent_is_an_error(folder: Path) -> None:
    (folder / "mips-musl" / EXECUTABLE).write_bytes(b"another")
    with pytest.raises(AgentError, match="mips-musl/ipsecbench-agent is missing or is not the one"):
        agent_for("mipsel", "musl")
    (folder / "mips-musl" / EXECUTABLE).unlink()
    with pytest.raises(AgentError, match="make agents"):
        agent_for("mipsel", "musl")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 1, "agents": 7}',
        '{"format": 1, "agents": [{}]}',
        '{"format": 1, "agents": [[]]}',
        '{"format": 1, "agents": [{"machine": "../../../../bin", "libc": "musl", "bytes": 1}]}',
        "\x00\xff",
        "[" * 100_000,
    ],
    ids=lambda text: text[:24],
)
def test_a_damaged_manifest_is_one_clear_error(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(AgentError, match="is damaged: run 'make agents' again"):
        cross_agents()


def test_a_manifest_of_another_version(folder: Path) -> None:
    write(folder, {"format": 2, "agents": []})
    with pytest.raises(AgentError, match="has format 2, not 1"):
        cross_agents()


def test_without_agents_there_are_none_and_it_is_said_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CROSS_ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr("ipsecbench.agent.find.__file__", str(tmp_path / "ipsecbench" / "agent" / "find.py"))
    assert cross_agents() == ()
    assert agent_for("mips", "musl") is None
    assert "make agents" in how_to_get_cross_agents()
    assert "IPSECBENCH_AGENTS" in how_to_get_cross_agents()


def test_every_target_is_a_machine_that_is_looked_for() -> None:
    targets = tomllib.loads((ROOT / "agent" / "cross" / "targets.toml").read_text(encoding="utf-8"))["target"]
    names = [(target["machine"], target["libc"]) for target in targets]
    assert len(set(names)) == len(names)
    assert {machine for machine, _ in names} == {"x86_64", "aarch64", "armv7", "mips", "mipsel", "riscv64"}
