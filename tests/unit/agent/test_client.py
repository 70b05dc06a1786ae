"""The client against agents that misbehave; each is a small script that speaks, or does not speak, the protocol."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ipsecbench.agent.client import AgentClient
from ipsecbench.agent.find import ENVIRONMENT_VARIABLE, agent_path
from ipsecbench.agent.mask import mask_environment, parse_mask
from ipsecbench.errors import AgentError, CorrectnessError, MeasurementError, UnsupportedError, UsageError


def fake_agent(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "agent"
    head = f"#!{sys.executable}\nimport json, os, sys, time\n"
    path.write_text(f"{head}for line in sys.stdin:\n    order = json.loads(line)\n    {body}\n")
    path.chmod(0o755)
    return path


def answer(text: str) -> str:
    return f"print(json.dumps({text}), flush=True)"


def test_answers_come_back(tmp_path: Path) -> None:
    body = answer('{"id": order["id"], "type": "info", "command": order["command"], "core": order.get("core")}')
    with AgentClient(fake_agent(tmp_path, body)) as agent:
        assert agent.request("info")["command"] == "info"
        assert agent.request("clock", core=None)["core"] is None
        assert agent.request("clock", core=3)["core"] == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("unsupported", UnsupportedError),
        ("known-answer", CorrectnessError),
        ("rejected", CorrectnessError),
        ("failed", MeasurementError),
        ("library", AgentError),
        ("nonsense", AgentError),
    ],
)
def test_errors_become_exceptions_with_their_message(tmp_path: Path, code: str, error: type[Exception]) -> None:
    body = answer(f'{{"id": order["id"], "type": "error", "code": "{code}", "message": "why it is so"}}')
    with AgentClient(fake_agent(tmp_path, body)) as agent, pytest.raises(error, match="why it is so"):
        agent.request("speed")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("os.abort()", "signal 6"),
        ("print('segfault coming', file=sys.stderr, flush=True); sys.exit(7)", "status 7: segfault coming"),
        ("print('hello', flush=True)", "not JSON"),
        ("print('[1]', flush=True)", "not an object"),
        (answer('{"id": 99, "type": "info"}'), "answered order 99"),
        ("os.close(1); time.sleep(60)", "closed its output"),
        ("sys.stdout.buffer.write(bytes(2**20) * 20); sys.stdout.flush(); time.sleep(60)", "without end"),
    ],
)
def test_a_broken_agent_is_one_clear_error(tmp_path: Path, body: str, message: str) -> None:
    with AgentClient(fake_agent(tmp_path, body)) as agent, pytest.raises(AgentError, match=message):
        agent.request("info", timeout=20)


def test_a_silent_agent_is_ended(tmp_path: Path) -> None:
    with (
        AgentClient(fake_agent(tmp_path, "time.sleep(60)")) as agent,
        pytest.raises(AgentError, match=r"did not answer within 0\.2 s"),
    ):
        agent.request("info", timeout=0.2)


def test_an_order_after_death_says_so(tmp_path: Path) -> None:
    with AgentClient(fake_agent(tmp_path, "sys.exit(3)")) as agent:
        for _ in range(2):
            with pytest.raises(AgentError, match="status 3"):
                agent.request("info")


def test_closing_twice_is_harmless_and_orders_are_then_refused(tmp_path: Path) -> None:
    agent = AgentClient(fake_agent(tmp_path, "pass"))
    agent.close()
    agent.close()
    with pytest.raises(AgentError, match="already closed"):
        agent.request("info")


def test_an_agent_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    path.write_text("not a program")
    path.chmod(0o755)
    with pytest.raises(AgentError, match="does not start"):
        AgentClient(path)


def test_the_environment_can_name_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake_agent(tmp_path, "pass")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    assert agent_path() == path
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(AgentError, match="not an executable"):
        agent_path()


def test_masks_on_x86_clear_the_bits_that_openssl_documents() -> None:
    # OPENSSL_ia32cap(3): bit 57 is AES-NI and bit 33 PCLMULQDQ of the first vector.
    environment = mask_environment(("aes", "clmul"), "x86_64", None)
    first, second = environment["OPENSSL_ia32cap"].split(":")
    assert int(first.removeprefix("~"), 16) == 0x200000200000000
    assert int(second.removeprefix("~"), 16) == 1 << 41 | 1 << 42
    assert environment["IPSECBENCH_MASK"] == "aes,clmul"


def test_masks_on_arm_leave_the_other_bits() -> None:
    environment = mask_environment(("aes",), "aarch64", "OPENSSL_armcap=0xbd")
    assert environment["OPENSSL_armcap"] == "0xb9"


@pytest.mark.parametrize(
    ("names", "machine", "settings"),
    [(("vaes",), "aarch64", "OPENSSL_armcap=0xbd"), (("aes",), "aarch64", None), (("aes",), "mips", None)],
)
def test_masks_that_cannot_be_applied_are_refused(names: tuple[str, ...], machine: str, settings: str | None) -> None:
    with pytest.raises(UsageError, match="--mask"):
        mask_environment(names, machine, settings)


def test_mask_names_are_checked() -> None:
    assert parse_mask("SHA, aes,aes") == ("aes", "sha")
    assert mask_environment((), "mips", None) == {}
    with pytest.raises(UsageError, match="'quantum' is unknown"):
        parse_mask("aes,quantum")
