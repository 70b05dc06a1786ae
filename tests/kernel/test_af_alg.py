"""The kernel's ciphers for programs (AF_ALG), as the agent measures them."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.kernel_esp, pytest.mark.agent]
BUILD = Path(__file__).parents[2] / "agent" / "build"
AGENTS = ("ipsecbench-agent", "ipsecbench-agent-sanitize")
MEASURED = (
    "aes128",
    "aes256ctr",
    "aes128gcm16",
    "aes128ccm8",
    "chacha20poly1305",
    "aes128gmac",
    "null",
    "sha1",
    "aesxcbc",
)
"""For each kind of algorithm one."""
KINDS = ("kernel", "kernel-batched")


def ask(orders: list[dict[str, Any]], agent: str = AGENTS[0]) -> list[dict[str, Any]]:
    """One answer to each order."""
    text = "".join(json.dumps({"id": number, **order}) + "\n" for number, order in enumerate(orders))
    done = subprocess.run([BUILD / agent], input=text, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(orders)
    return answers


def rows(provider: str) -> list[dict[str, Any]]:
    return [row for row in ask([{"command": "list"}])[0]["rows"] if row["provider"] == provider]


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("provider", KINDS)
def test_known_answers(provider: str, agent: str) -> None:
    (answer,) = ask([{"command": "check", "provider": provider}], agent)
    assert answer["failures"] == []
    offered = sum(bool(row["operations"]) for row in rows(provider))
    assert answer["passed"] == offered


def test_every_algorithm_of_the_kernel_is_there() -> None:
    (library,) = [row for row in ask([{"command": "info"}])[0]["libraries"] if row["provider"] == "kernel"]
    assert library["status"] == "loaded"
    assert library["version"].startswith("Linux ")
    found = {row["algorithm"]: row["operations"] for row in rows("kernel")}
    assert [name for name in (*ENCRYPTION, *INTEGRITY) if not found[name]] == []
    batched = {row["algorithm"]: (row["operations"], row["reason"]) for row in rows("kernel-batched")}
    assert {name for name, (operations, _) in batched.items() if not operations} == {
        name for name, one in ENCRYPTION.items() if one.mode == "gmac"
    }


@pytest.mark.parametrize("provider", KINDS)
def test_results_are_those_of_other_libraries(provider: str) -> None:
    source = random.Random(4106)
    offered = {row["algorithm"]: row["operations"] for row in rows(provider)}
    orders = []
    for name, operations in offered.items():
        encryption = ENCRYPTION.get(name)
        for operation in operations:
            if operation in ("decrypt", "verify"):
                continue
            order: dict[str, Any] = {"command": "compute", "tier": "primitive", "operation": operation}
            order |= {"algorithm": name, "input": source.randbytes(480).hex()}
            if encryption is None:
                key_bytes = INTEGRITY[name].key_bytes
            else:
                key_bytes = encryption.keymat_bytes - encryption.salt_bytes
                iv_bytes = encryption.salt_bytes + encryption.iv_bytes
                order["iv"] = source.randbytes(16 if encryption.mode == "ctr" else iv_bytes).hex()
                if encryption.aead and encryption.mode != "gmac":
                    order["aad"] = source.randbytes(12).hex()
            orders.append({**order, "key": source.randbytes(key_bytes).hex()})
    ours = ask([{**order, "provider": provider} for order in orders])
    for library in ("libcrypto", "libgcrypt"):
        theirs = ask([{**order, "provider": library} for order in orders])
        compared = 0
        for order, one, other in zip(orders, ours, theirs, strict=True):
            if other["type"] == "result":
                assert one.get("output") == other["output"], (order["algorithm"], one)
                compared += 1
        assert compared >= len(orders) // 2
    sealed = [
        {**order, "operation": "decrypt", "input": one["output"], "provider": provider}
        for order, one in zip(orders, ours, strict=True)
        if order["operation"] == "encrypt"
    ]
    opened = [order["input"] for order in orders if order["operation"] == "encrypt"]
    assert [answer.get("output") for answer in ask(sealed)] == opened
    forged = [
        {**order, "input": order["input"][:-2] + f"{int(order['input'][-2:], 16) ^ 1:02x}"}
        for order in sealed
        if "aad" in order
    ]
    answers = ask([*forged, *sealed])
    assert {answer["code"] for answer in answers[: len(forged)]} == {"rejected"}
    assert [answer.get("output") for answer in answers[len(forged) :]] == opened


@pytest.mark.parametrize(("provider", "agent"), [(KINDS[0], AGENTS[1]), (KINDS[1], AGENTS[0])])
def test_speed(provider: str, agent: str) -> None:
    orders = []
    for row in rows(provider):
        for operation in row["operations"] if row["algorithm"] in MEASURED else ():
            for size in (64, 65520):
                order = {"command": "speed", "provider": provider, "tier": "primitive", "operation": operation}
                # A number that is no multiple of what is in flight.
                orders.append({**order, "algorithm": row["algorithm"], "size_bytes": size, "iterations": 21})
    answers = ask(orders, agent)
    failed = [
        (order["algorithm"], answer)
        for order, answer in zip(orders, answers, strict=True)
        if answer["type"] != "sample"
    ]
    assert failed == []
    for answer in answers:
        (worker,) = answer["workers"]
        assert worker["iterations"] == 21
        assert worker["wall_ns"] > 0
        assert answer["detail"].get("requests_in_flight") == (16 if provider == "kernel-batched" else None)
