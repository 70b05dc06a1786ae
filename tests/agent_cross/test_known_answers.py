"""What the agents of other machines say of themselves, and the known answers of all that their libraries offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecbench.agent.client import AgentClient
from tests.agent.conftest import AgentBinary
from tests.agent_cross.machines import Machine

pytestmark = pytest.mark.cross

KNOWN_ANSWERS_OF_LIBCRYPTO_3_0 = 216
DEAR_WITH_32_BITS = {"modp6144", "modp8192"}
"""Two thirds of the time of all known answers, emulated with 32 bits; nine other groups go through the same code."""
UNAME = {"armv7": {"armv7l", "armv8l"}, "mipsel": {"mips"}}


def test_info_says_what_was_loaded(machine: Machine, emulated: AgentBinary) -> None:
    (info,) = emulated.ask([{"command": "info"}])
    name = machine.name.split("-")[0]
    assert info["machine"] in UNAME.get(name, {name})
    assert info["compiler"].startswith("clang ")
    loaded = {one["provider"]: one for one in info["libraries"] if one["status"] == "loaded"}
    loaded.pop("kernel", None)
    if machine.qemu is not None:
        assert set(loaded) == set(machine.providers or {})
    for provider, version in (machine.providers or {}).items():
        assert loaded[provider]["version"].startswith(version)
        assert Path(loaded[provider]["path"]).name.startswith(f"{provider}.so.")
    if machine.providers:
        assert loaded["libcrypto"]["modules"] == ["default", "legacy"]
    else:
        note = next(one["note"] for one in info["libraries"] if one["provider"] == "libcrypto")
        assert "install OpenSSL's library" in note


@pytest.mark.slow
def test_all_known_answers_are_right(machine: Machine, emulated: AgentBinary) -> None:
    if not machine.providers:
        pytest.skip(f"nobody has a libcrypto for {machine.name}: its C unit tests run")
    (listed,) = emulated.ask([{"command": "list"}])
    left_out = set() if "64" in machine.name else DEAR_WITH_32_BITS
    names = {row["algorithm"] for row in listed["rows"] if row["operations"]} - left_out
    answers = emulated.ask([{"command": "check", "algorithm": name} for name in sorted(names)])
    for answer in answers:
        assert (answer["failures"], answer["failed"]) == ([], 0)
    assert sum(answer["passed"] for answer in answers) >= KNOWN_ANSWERS_OF_LIBCRYPTO_3_0 - len(left_out)


def test_the_client_talks_to_it_as_to_any_agent(with_libcrypto: AgentBinary) -> None:
    with AgentClient(with_libcrypto.path) as agent:
        rows = agent.request("list")["rows"]
        offered = {
            (row["tier"], row["algorithm"]) for row in rows if row["provider"] == "libcrypto" and row["operations"]
        }
        missing = {row["algorithm"]: row["reason"] for row in rows if not row["operations"]}
    for wanted in (
        ("packet-loop", "aes128gcm16"),
        ("packet-loop", "3des-md5"),
        ("primitive", "x25519"),
        ("primitive", "modp2048"),
        ("primitive", "ecdsa-256"),
        ("primitive", "prfsha256"),
    ):
        assert wanted in offered
    assert all(missing.values())


def test_without_its_libraries_it_says_so(machine: Machine, tmp_path: Path) -> None:
    if not machine.qemu:
        pytest.skip("this box's own libraries")
    agent = machine.agent(tmp_path, environment={"IPSECBENCH_LIBCRYPTO": "/nowhere/libcrypto.so.3"})
    info, answer = agent.ask(
        [
            {"command": "info"},
            {
                "command": "speed",
                "provider": "libcrypto",
                "tier": "primitive",
                "operation": "encrypt",
                "algorithm": "aes128",
                "size_bytes": 64,
                "iterations": 1,
            },
        ]
    )
    assert "/nowhere/libcrypto.so.3" in info["libraries"][0]["note"]
    assert (answer["type"], answer["code"]) == ("error", "library")
    assert "/nowhere/libcrypto.so.3" in answer["message"]
