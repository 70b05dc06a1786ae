"""Orders of the command ``traffic``: what is refused, and how. No rights are needed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecbench.agent.client import AgentClient
from ipsecbench.errors import AgentError, MeasurementError
from tests.agent_traffic.loopback import free_port

ROOT = Path(__file__).resolve().parents[2]
SOURCE = {
    "command": "open-source",
    "name": "a",
    "kind": "udp",
    "destination": "127.0.0.1",
    "destination_port": 9,
    "size_bytes": 64,
}
ESP = {
    "command": "open-source",
    "name": "e",
    "kind": "esp",
    "transport": "udp",
    "packets": "sealed",
    "outer_destination": "127.0.0.1",
    "outer_destination_port": 9,
    "spi": 256,
    "suite": "aes128-sha1",
    "encryption_key": "11" * 16,
    "integrity_key": "22" * 20,
    "source": "10.1.0.1",
    "destination": "10.2.0.1",
    "destination_port": 9,
    "size_bytes": 64,
    "prepared_packets": 4,
}


@pytest.fixture(params=["ipsecbench-agent", "ipsecbench-agent-sanitize"], ids=["normal", "sanitized"])
def agent(request: pytest.FixtureRequest) -> Iterator[AgentClient]:
    """The agent itself, so that any order can be given."""
    path = ROOT / "agent" / "build" / str(request.param)
    if not path.exists():
        pytest.skip(f"{path.name} is not built: make agent")
    with AgentClient(path, arguments=["traffic"]) as client:
        yield client


def give(agent: AgentClient, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give an order; members that are None are left out."""
    return agent.request(**{**order, **changes})


def refused(agent: AgentClient, order: dict[str, Any], **changes: Any) -> str:
    """The message of a refusal."""
    with pytest.raises(AgentError) as caught:
        give(agent, order, **changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "sctp"}, "kind: there is no such kind"),
        ({"kind": None}, "kind: missing"),
        ({"kind": 5}, "kind: there is no such kind"),
        ({"name": None}, "name: missing"),
        ({"name": ""}, "name: must have 1 to 31 characters"),
        ({"name": "n" * 32}, "name: must have 1 to 31 characters"),
        ({"colour": "blue"}, "colour: there is no such field here"),
        ({"device": "eth0"}, "device: there is no such field here"),
        ({"destination": None}, "destination: missing"),
        ({"destination": "host"}, "destination: 'host' is no IP address"),
        ({"destination": "127.0.0.256"}, "is no IP address"),
        ({"destination_port": None}, "destination_port: missing"),
        ({"destination_port": 0}, "destination_port: must be a whole number from 1 to 65535"),
        ({"destination_port": 65_536}, "destination_port: must be a whole number"),
        ({"size_bytes": None}, "size_bytes: give either a size or a mix"),
        ({"mix": "imix-simple"}, "size_bytes: give either a size or a mix"),
        ({"mix": "imix"}, "mix: there is no 'imix'"),
        ({"size_bytes": 43}, "size_bytes: must be a whole number from 44 to 65535"),
        ({"size_bytes": 63, "destination": "::1"}, "size_bytes: must be at least 64 with IPv6"),
        ({"size_bytes": 65_536}, "size_bytes: must be a whole number"),
        ({"size_bytes": "64"}, "size_bytes: must be a whole number"),
        ({"size_bytes": 1500, "segments": 64}, "more than 64 kB"),
        ({"segments": 0}, "segments: must be a whole number from 1 to 64"),
        ({"segments": 65}, "segments: must be a whole number from 1 to 64"),
        ({"flows": 0}, "flows: must be a whole number from 1 to 10000"),
        ({"flows": 10_001}, "flows: must be a whole number"),
        ({"flows": 2, "vary": "source"}, "one address and port of its own"),
        ({"vary": "colour"}, "vary: there is no 'colour'"),
        ({"source": "::1"}, "source: not of the same IP version"),
        ({"stream": 256}, "stream: must be a whole number from 0 to 255"),
        ({"wait": 1}, "wait: must be true or false"),
        ({"core": 8192}, "core: must be a whole number"),
    ],
)
def test_wrong_sources(agent: AgentClient, changes: dict[str, Any], message: str) -> None:
    assert message in refused(agent, SOURCE, **changes)
    assert give(agent, SOURCE)["type"] == "done"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"suite": "aes128-sha9"}, "suite: there is no suite 'aes128-sha9'"),
        ({"suite": None}, "suite: there is no suite ''"),
        ({"encryption_key": "11" * 15}, "encryption_key: must have 16 octets"),
        ({"encryption_key": None}, "encryption_key: must have 16 octets"),
        ({"integrity_key": "22" * 21}, "integrity_key: must have 20 octets"),
        ({"encryption_key": "xx"}, "encryption_key: must be a string of hexadecimal digits"),
        ({"size_bytes": None, "mix": "imix-simple"}, "of one size"),
        ({"source": None}, "source: missing"),
        ({"transport": "tcp"}, "transport: there is no 'tcp'"),
        ({"packets": "bad"}, "packets: there is no 'bad'"),
        ({"outer_destination": None}, "outer_destination: missing"),
        ({"outer_source": "::1"}, "outer_source: not of the same IP version"),
        ({"sequence": 0}, "sequence: must be a whole number from 1"),
        ({"prepared_packets": 0}, "prepared_packets: must be a whole number from 1"),
        ({"prepared_packets": 2**20, "size_bytes": 65_535}, "more than 1 GB"),
        ({"packets": "given"}, "octets: must be an array of strings"),
        ({"packets": "given", "octets": []}, "octets: must be an array of strings"),
        ({"packets": "given", "octets": ["0"]}, "octets: must be strings of hexadecimal digits"),
        ({"packets": "given", "octets": ["zz"]}, "octets: must be strings of hexadecimal digits"),
        ({"packets": "given", "octets": [5]}, "octets: must be strings of hexadecimal digits"),
        ({"packets": "given", "octets": ["00", ["00"]]}, "octets: must be strings of hexadecimal digits"),
    ],
)
def test_wrong_esp(agent: AgentClient, changes: dict[str, Any], message: str) -> None:
    assert message in refused(agent, ESP, **changes)
    assert give(agent, ESP)["type"] == "done"


def test_orders_about_what_is_there(agent: AgentClient) -> None:
    for command in ("start", "wait", "stop", "statistics", "reset", "close"):
        assert "name: there is no 'x'" in refused(agent, {"command": command, "name": "x"})
        assert "name: missing" in refused(agent, {"command": command})
    give(agent, SOURCE)
    assert "there is a 'a' already" in refused(agent, SOURCE)
    assert "milliseconds: give a time or a count" in refused(agent, {"command": "start", "name": "a"})
    assert "count: must be" in refused(agent, {"command": "start", "name": "a", "count": 0})
    assert "packets_per_second: must be" in refused(
        agent, {"command": "start", "name": "a", "count": 1, "packets_per_second": 0}
    )
    assert "is a source" in refused(agent, {"command": "reset", "name": "a"})
    assert give(agent, {"command": "statistics", "name": "a"})["packets"] == 0
    give(agent, {"command": "close", "name": "a"})
    assert "there is no 'a'" in refused(agent, {"command": "close", "name": "a"})
    assert "there is no command 'speed'" in refused(agent, {"command": "speed"})


def test_sinks(agent: AgentClient) -> None:
    sink = {"command": "open-sink", "name": "s", "kind": "udp", "address": "127.0.0.1", "port": free_port()}
    assert "address: missing" in refused(agent, sink, address=None)
    assert "port: missing" in refused(agent, sink, port=None)
    assert "device: missing" in refused(agent, {"command": "open-sink", "name": "s", "kind": "device"})
    give(agent, sink)
    answer = give(agent, {"command": "statistics", "name": "s"})
    assert (answer["kind"], answer["running"], answer["received"]) == ("udp", False, 0)


def test_no_more_than_64(agent: AgentClient) -> None:
    for number in range(64):
        give(agent, SOURCE, name=f"n{number}")
    assert "there are 64 sources and sinks already" in refused(agent, SOURCE)
    give(agent, {"command": "close", "name": "n7"})
    give(agent, SOURCE)


def test_a_processor_that_is_not_there(agent: AgentClient) -> None:
    give(agent, SOURCE, core=8191)
    give(agent, {"command": "start", "name": "a", "count": 1})
    answer = give(agent, {"command": "wait", "name": "a"})
    assert answer["failed"]
    assert "may not run on processor 8191" in answer["reason"]


def test_privileges_are_given_up_before_a_start(agent: AgentClient) -> None:
    give(agent, {**SOURCE, "destination_port": free_port()})
    give(agent, {"command": "drop-privileges"})
    status = Path(f"/proc/{agent.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    give(agent, {"command": "start", "name": "a", "count": 1})
    give(agent, {"command": "wait", "name": "a"})
    assert "drop the privileges before" in refused(agent, {"command": "drop-privileges"})


def test_the_agent_ends_with_its_input_whatever_runs(agent: AgentClient) -> None:
    give(agent, {**SOURCE, "destination_port": free_port()})
    give(agent, {"command": "start", "name": "a", "milliseconds": 600_000, "packets_per_second": 10})
    before = time.monotonic()
    agent.close()
    assert time.monotonic() - before < 1.5
    assert not Path(f"/proc/{agent.pid}").exists()


@pytest.mark.parametrize("drop", [False, True])
def test_the_agent_ends_with_its_parent(drop: bool) -> None:
    """Even where somebody else still holds its input."""
    if drop and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    path = ROOT / "agent" / "build" / "ipsecbench-agent"
    if not path.exists():
        pytest.skip("the agent is not built: make agent")
    order = {"id": 1, "command": "drop-privileges", **({"uid": 65534, "gid": 65534} if drop else {})}
    reading, writing = os.pipe()
    parent = (
        "import subprocess, sys, time\n"
        f"agent = subprocess.Popen([{str(path)!r}, 'traffic'], stdin={reading})\n"
        "print(agent.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, pass_fds=[reading]
    ) as between:
        os.close(reading)
        assert between.stdout is not None
        process = int(between.stdout.readline())
        try:
            os.write(writing, json.dumps(order).encode() + b"\n")
            assert json.loads(between.stdout.readline())["type"] == "done"
            between.kill()
            deadline = time.monotonic() + 3
            while Path(f"/proc/{process}/exe").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not Path(f"/proc/{process}/exe").exists()  # a zombie has none
        finally:
            between.kill()
            os.close(writing)  # ends it in any case


names = st.sampled_from(
    ["name", "kind", "destination", "destination_port", "size_bytes", "mix", "flows", "vary", "segments", "stream",
     "wait", "core", "transport", "packets", "suite", "encryption_key", "octets", "address", "port", "count",
     "milliseconds", "packets_per_second", "timeout_ms", "histogram", "replay", "spi", "prepared_packets"]
)  # fmt: skip
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70),
    st.integers(),
    st.text(max_size=10),
    st.lists(st.sampled_from(["00", "ff00", "x"]), max_size=3),
    st.sampled_from(["a", "e", "udp", "esp", "tcp", "127.0.0.1", "::1", "sealed", "forged", "malformed", "given"]),
)
orders = st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from(
        [
            SOURCE,
            ESP,
            {"command": "start", "name": "a", "count": 3},
            {"command": "start", "name": "e", "count": 3},
            {"command": "statistics", "name": "a"},
            {"command": "stop", "name": "e"},
            {"command": "close", "name": "a"},
        ]
    ),
    st.dictionaries(names, values, max_size=3),
)


def harmless(order: dict[str, Any]) -> dict[str, Any]:
    """The same, to nobody but this host's discard port, and without hours of work."""
    limits = {"count": 500, "milliseconds": 20, "timeout_ms": 20, "prepared_packets": 500}
    kept = {
        name: value % limits[name] if name in limits and isinstance(value, int) else value
        for name, value in order.items()
    }
    for name, value in kept.items():
        if name.endswith("port") and isinstance(value, int) and not isinstance(value, bool):
            kept[name] = 9
        if name.endswith(("destination", "source", "address")) and isinstance(value, str):
            kept[name] = "127.0.0.1" if value != "::1" else value
    return kept


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(orders, min_size=3, max_size=15))
def test_random_orders(agent: AgentClient, sequence: list[dict[str, Any]]) -> None:
    for order in sequence:
        # What is no order is refused, and what cannot be done fails; the agent lives on.
        with contextlib.suppress(AgentError, MeasurementError):
            assert agent.request(**harmless(order))["type"] in {"done", "statistics"}
        assert Path(f"/proc/{agent.pid}/exe").exists()
