"""The orders of ``ipsecbench-agent esp``: what is understood, refused and answered. No TUN device, no rights."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.agent

SA: dict[str, Any] = {
    "command": "add-sa",
    "direction": "outbound",
    "spi": 4096,
    "reqid": 1,
    "suite": "aes128gcm16",
    "encryption_key": "00" * 20,
    "mode": "tunnel",
    "source": "192.0.2.1",
    "destination": "192.0.2.2",
}
POLICY: dict[str, Any] = {
    "command": "add-policy",
    "direction": "outbound",
    "action": "protect",
    "reqid": 1,
    "selectors": [
        {
            "source": {"version": 4, "start": "10.1.0.0", "end": "10.1.255.255"},
            "destination": {"version": 4, "start": "10.2.0.0", "end": "10.2.255.255", "protocol": 6},
        }
    ],
}


class Agent:
    """The command with a socket pair in place of its TUN device, which is all it needs to take orders."""

    def __init__(self, path: Path) -> None:
        self.inside, self.outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [path, "esp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[self.inside.fileno()]
        )

    def send(self, text: bytes) -> dict[str, Any]:
        """One line, and the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(text + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def ask(self, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """One order with some members changed; None leaves one out."""
        members = {name: value for name, value in {"id": 1, **order, **changes}.items() if value is not None}
        return self.send(json.dumps(members).encode())

    def open(self, **changes: Any) -> dict[str, Any]:
        """The first order."""
        return self.ask({"command": "open", "queues": [{"tun": self.inside.fileno()}]}, **changes)

    def close(self) -> int:
        """End its input, and wait."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        status = self.process.wait(20)
        self.process.stdout.close()
        self.inside.close()
        self.outside.close()
        return status


@pytest.fixture
def agent(agent_path: Path) -> Iterator[Agent]:
    """An agent that is not open yet; it must end well."""
    made = Agent(agent_path)
    yield made
    assert made.close() == 0


@pytest.fixture
def opened(agent: Agent) -> Agent:
    """An open one."""
    assert agent.open()["type"] == "open"
    return agent


def message(answer: dict[str, Any]) -> str:
    """What an error says."""
    assert answer["type"] == "error", answer
    assert answer["code"] in ("usage", "unsupported", "library", "failed")
    return str(answer["message"])


def test_nothing_is_done_before_it_is_open(agent: Agent) -> None:
    for order in (SA, POLICY, {"command": "statistics"}, {"command": "events"}):
        assert "not open" in message(agent.ask(order))
    assert agent.open()["queues"] == 1
    assert "open already" in message(agent.open())


def test_bad_lines_are_answered_and_forgotten(opened: Agent) -> None:
    assert "not JSON" in message(opened.send(b"nonsense"))
    assert "JSON object" in message(opened.send(b"[1]"))
    assert "id: missing" in message(opened.send(b"{}"))
    assert "command: missing" in message(opened.send(b'{"id": 1}'))
    assert "no command 'dance'" in message(opened.send(b'{"id": 1, "command": "dance"}'))
    assert "at most" in message(opened.send(b'{"id": "' + b"x" * 300_000 + b'"}'))
    assert opened.ask({"command": "statistics"}, id="last")["id"] == "last"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"spi": 255}, "spi: must be a whole number from 256"),
        ({"spi": None}, "spi: missing"),
        ({"spy": 1}, "spy: there is no such field"),
        ({"suite": "aes128"}, "aes128"),
        ({"suite": 7}, "suite: must be a string"),
        ({"suite": None}, "suite: missing"),
        ({"encryption_key": "00" * 16}, "encryption_key: 20 octets"),
        ({"encryption_key": "0g" * 20}, "encryption_key: must be a string of hexadecimal digits"),
        ({"integrity_key": "00"}, "integrity_key: 0 octets"),
        ({"mode": "beet"}, "mode: there is no 'beet'"),
        ({"source": "192.0.2"}, "source: '192.0.2' is no IPv4 address"),
        ({"destination": "2001:db8::1"}, "destination: '2001:db8::1' is no IPv4 address"),
        ({"layering": "gre"}, "layering: goes over transport mode only"),
        ({"replay_window_packets": 1 << 30}, "replay_window_packets: must be"),
        ({"path_mtu_bytes": 20}, "path_mtu_bytes: must be"),
        ({"sequence": 1 << 32}, "sequence: has 32 bits without esn"),
        ({"encapsulation": {"source_port": 4500}}, "destination_port: missing"),
        ({"limits": {"soft_seconds": "now"}}, "soft_seconds: must be a number of seconds"),
        ({"limits": {"soft_bytes": -1}}, "soft_bytes: must be"),
        ({"selectors": {}}, "selectors: must be an array"),
        ({"selectors": [{"source": {}}]}, "destination: missing"),
    ],
)
def test_an_sa_is_refused_with_the_reason(opened: Agent, changes: dict[str, Any], complaint: str) -> None:
    assert complaint in message(opened.ask(SA, **changes))
    assert opened.ask({"command": "statistics"})["sas"] == 0


def test_sas_come_and_go(opened: Agent) -> None:
    answer = opened.ask(SA, limits={"soft_seconds": 0.25, "hard_bytes": 0}, encapsulation=None)
    assert answer["type"] == "done"
    assert answer["provider"] in ("libcrypto", "libipsec-mb")
    assert "in use" in message(opened.ask(SA))
    assert opened.ask(SA, direction="inbound")["type"] == "done"
    name = {"direction": "outbound", "spi": 4096}
    statistics = opened.ask({"command": "sa-statistics", **name})
    assert statistics["packets"] == statistics["bytes"] == statistics["sequence"] == 0
    assert opened.ask({"command": "statistics"})["sas"] == 2
    time.sleep(0.6)
    (event,) = opened.ask({"command": "events"})["events"]
    assert event == {"kind": "soft-limit", **name}
    assert opened.ask({"command": "events"})["events"] == []
    move = {"command": "move-sa", **name, "source": "2001:db8::1", "destination": "2001:db8::2"}
    assert opened.ask(move)["type"] == "done"
    for _ in range(2):
        assert opened.ask({"command": "remove-sa", **name})["type"] == "done"
    assert "no outbound SA 00001000" in message(opened.ask({"command": "sa-statistics", **name}))
    assert "no outbound SA 00001000" in message(opened.ask(move))


def test_policies_come_and_go(opened: Agent) -> None:
    assert opened.ask(POLICY)["type"] == "done"
    assert "there already" in message(opened.ask(POLICY))
    assert opened.ask(POLICY, priority=1)["type"] == "done"
    for _ in range(2):
        assert opened.ask(POLICY, command="remove-policy")["type"] == "done"
    assert opened.ask(POLICY)["type"] == "done"
    assert "selectors: at least one" in message(opened.ask(POLICY, selectors=[]))
    assert "action: there is no 'allow'" in message(opened.ask(POLICY, action="allow"))
    mixed = [{"source": POLICY["selectors"][0]["source"], "destination": {"version": 6, "start": "::", "end": "::1"}}]
    assert "of IP version" in message(opened.ask(POLICY, selectors=mixed))


def test_a_library_can_be_chosen(agent: Agent) -> None:
    assert agent.open(provider="libgcrypt")["type"] == "open"
    assert agent.ask(SA)["provider"] == "libgcrypt"


def test_an_unknown_library_is_refused_with_the_first_sa(agent: Agent) -> None:
    assert agent.open(provider="libnone")["type"] == "open"
    assert "libnone" in message(agent.ask(SA))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"queues": []}, "queues: at least one"),
        ({"queues": [{}]}, "tun: missing"),
        ({"queues": [{"tun": 1_000_000}]}, "no descriptor of a TUN device"),
        ({"vnet": True}, "vnet: there is no such field"),
    ],
)
def test_it_does_not_open_with_nonsense(agent: Agent, changes: dict[str, Any], complaint: str) -> None:
    assert complaint in message(agent.open(**changes))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs privileges to give up")
def test_it_gives_up_its_privileges(agent: Agent) -> None:
    assert agent.open(uid=65534, gid=65534)["type"] == "open"
    for task in Path(f"/proc/{agent.process.pid}/task").iterdir():
        status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        assert status["Uid"].split() == status["Gid"].split() == ["65534"] * 4
        assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb")} == {0}
        assert status["NoNewPrivs"].strip() == "1"
    assert Path(f"/proc/{agent.process.pid}/limits").read_text().split("Max core file size")[1].split()[:2] == [
        "0",
        "0",
    ]


def test_it_ends_with_a_parent_that_is_killed(agent_path: Path) -> None:
    # The parent's end of the pipe is held by this process too, so that only the death itself can tell.
    reading, writing = os.pipe()
    program = "import subprocess as s, sys, time; print(s.Popen(sys.argv[1:], stdin=0).pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(agent_path), "esp"], stdin=reading, stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        agent = int(parent.stdout.readline())
        time.sleep(0.5)
        assert Path(f"/proc/{agent}").exists()
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        deadline = time.monotonic() + 10
        while Path(f"/proc/{agent}").exists() and time.monotonic() < deadline:
            if "Z" in Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[0]:
                break
            time.sleep(0.05)
        else:
            assert not Path(f"/proc/{agent}").exists()
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
        os.close(reading)
        os.close(writing)
