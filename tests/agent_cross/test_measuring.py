"""Samples on other machines: complete, and counted as here. Emulated, they say nothing of the machine's speed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.conftest import AgentBinary

pytestmark = pytest.mark.cross

ITERATIONS = 20


def order(tier: str, operation: str, algorithm: str, **more: Any) -> dict[str, Any]:
    """A speed order for libcrypto."""
    return {
        "command": "speed",
        "provider": "libcrypto",
        "tier": tier,
        "operation": operation,
        "algorithm": algorithm,
        "iterations": ITERATIONS,
        **more,
    }


def test_one_sample_of_each_kind(with_libcrypto: AgentBinary) -> None:
    answers = with_libcrypto.ask(
        [
            order("primitive", "encrypt", "aes128", size_bytes=1024),
            order("primitive", "authenticate", "sha256", size_bytes=1024),
            order("primitive", "generate", "x25519"),
            order("primitive", "agree", "ecp256"),
            order("primitive", "prf-plus", "prfsha256", size_bytes=64),
            order("packet-loop", "outbound", "aes128gcm16", size_bytes=576),
            order("packet-loop", "inbound", "aes128-sha256", size_bytes=576, esn=True, replay_window=1024),
            order("packet-loop", "key-setup", "chacha20poly1305"),
            order("packet-loop", "outbound", "aes128gcm16", mix="imix-simple", cores=[0, 0]),
        ]
    )
    for answer in answers:
        assert answer["type"] == "sample", answer
        for worker in answer["workers"]:
            assert worker["iterations"] >= ITERATIONS
            assert worker["cpu_ns"] > 0
            assert 0 < worker["wall_ns"] < 20e9
    # ESP of 576 octets: SPI and number, IV, packet with padding and trailer, ICV (RFC 4106; RFC 3602 with RFC 4868).
    assert answers[5]["detail"]["esp_bytes"] == 8 + 8 + 576 + 2 + 2 + 16
    assert answers[6]["detail"]["esp_bytes"] == 8 + 16 + 592 + 16
    assert answers[6]["detail"]["wire_bytes"] == answers[6]["detail"]["esp_bytes"] + 20
    assert len(answers[8]["workers"]) == 2


def test_the_clock(emulated: AgentBinary) -> None:
    info, clock = emulated.ask([{"command": "info"}, {"command": "clock", "core": None, "milliseconds": 5}])
    assert 10e6 < clock["hz"] < 20e9
    counter = info["cycle_counter"]
    # Without perf_event_open, which the emulator has not, only these have a counter that programs may read.
    names = {"x86_64": {"tsc", "cpu-cycles"}, "aarch64": {"cntvct"}}
    if info["machine"] in names:
        assert counter["name"] in names[info["machine"]]
        assert clock["cycle_counter_hz"] > 0
    else:
        assert (counter["name"], counter["kind"], counter["hz"]) == (None, "none", None)
        assert clock["cycle_counter_hz"] is None
