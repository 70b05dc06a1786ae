"""The kernel's ciphers where the kernel gives programs none; tests/kernel has them where it does."""

from __future__ import annotations

import socket

import pytest

from tests.agent.conftest import AgentBinary

pytestmark = pytest.mark.agent


def kernel_has_sockets_for_ciphers() -> bool:
    family = getattr(socket, "AF_ALG", None)
    if family is None:
        return False
    try:
        socket.socket(family, socket.SOCK_SEQPACKET).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(kernel_has_sockets_for_ciphers(), reason="this kernel has AF_ALG: tests/kernel/test_af_alg.py")
def test_a_kernel_without_sockets_for_ciphers_says_so(agent: AgentBinary) -> None:
    speed: dict[str, object] = {
        "command": "speed",
        "tier": "primitive",
        "operation": "encrypt",
        "algorithm": "aes128gcm16",
    }
    speed |= {"size_bytes": 64, "iterations": 10, "provider": "kernel"}
    compute: dict[str, object] = {
        "command": "compute",
        "tier": "primitive",
        "operation": "encrypt",
        "algorithm": "aes128gcm16",
    }
    compute |= {"key": "00" * 16, "iv": "00" * 12, "input": "00", "provider": "kernel-batched"}
    info, listed, checked, measured, computed = agent.ask(
        [{"command": "info"}, {"command": "list"}, {"command": "check", "provider": "kernel"}, speed, compute]
    )
    (library,) = [row for row in info["libraries"] if row["provider"] == "kernel"]
    assert library["status"] == "missing"
    assert "AF_ALG" in library["note"]
    for provider in ("kernel", "kernel-batched"):
        rows = [row for row in listed["rows"] if row["provider"] == provider]
        assert rows
        assert all(row["operations"] == [] and "AF_ALG" in row["reason"] for row in rows)
    assert (checked["passed"], checked["failed"]) == (0, 0)
    assert measured["code"] == "library"
    assert computed["type"] == "error"
    assert "AF_ALG" in measured["message"]
    assert "AF_ALG" in computed["message"]
