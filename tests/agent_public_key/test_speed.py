"""Samples of every operation, their details, and the known answers that come first."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.agent

Rows = Mapping[tuple[str, str, str], Mapping[str, Any]]

EXPONENTS = {"modp768": 256, "modp1024": 256, "modp1536": 256, "modp2048": 384, "modp3072": 384, "modp4096": 512}
LARGE = {"modp6144": 512, "modp8192": 512}
SUBGROUPS = {"modp1024s160": 160, "modp2048s224": 224, "modp2048s256": 256}
CURVES = [*("ecp192", "ecp224", "ecp256", "ecp384", "ecp521"), *("ecp224bp", "ecp256bp", "ecp384bp", "ecp512bp")]
SIGNATURES = ["rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448"]
TRIED_FOR_LEAKS = {
    "modp1024": ["generate", "agree"],
    "ecp384": ["generate", "agree"],
    "x448": ["generate", "agree"],
    "rsa-2048": ["sign", "verify"],
    "ecdsa-256": ["sign", "verify"],
    "ed448": ["sign", "verify"],
}
PRFS = ["prfmd5", "prfsha1", "prfsha256", "prfsha384", "prfsha512", "prfaesxcbc", "prfaescmac"]


def test_every_algorithm_has_a_row_with_operations_or_a_reason(rows: Rows) -> None:
    names = [*EXPONENTS, *LARGE, *SUBGROUPS, *CURVES, "x25519", "x448", *SIGNATURES, *PRFS]
    for name in [*names, "mlkem512", "mlkem768", "mlkem1024"]:
        row = rows["libcrypto", "primitive", name]
        assert bool(row["operations"]) != bool(row["reason"]), name


def test_all_known_answers_pass(agent: Any) -> None:
    for name in [*EXPONENTS, *SUBGROUPS, *CURVES, "x25519", "x448", *SIGNATURES, *PRFS]:
        answer = agent.ask("check", provider="libcrypto", algorithm=name)
        assert answer["failures"] == [], name
        assert answer["failed"] == 0


@pytest.mark.parametrize("operation", ["generate", "agree"])
@pytest.mark.parametrize("group", [*EXPONENTS, *LARGE, *SUBGROUPS])
def test_modp_samples_say_the_exponent(agent: Any, operation: str, group: str) -> None:
    answer = agent.speed(operation, group, iterations=1)
    assert answer["type"] == "sample", answer
    assert answer["workers"][0]["iterations"] == 1
    assert answer["detail"]["exponent_bits"] == (EXPONENTS | LARGE | SUBGROUPS)[group]
    assert ("peer_subgroup_checked" in answer["detail"]) == (operation == "agree")
    if operation == "agree" and group in SUBGROUPS:
        assert answer["detail"]["peer_subgroup_checked"] == 1


def test_a_longer_exponent_takes_longer(agent: Any) -> None:
    times = []
    for bits in (256, 1024, 2047):
        answer = agent.speed("generate", "modp2048", exponent_bits=bits, iterations=5)
        assert answer["detail"]["exponent_bits"] == bits
        times.append(answer["workers"][0]["wall_ns"])
    assert times[0] < times[1] < times[2]


def test_an_exponent_that_the_library_refuses_is_unsupported(agent: Any) -> None:
    answer = agent.speed("generate", "modp1024s160", exponent_bits=512)
    assert answer["code"] == "unsupported", answer


@pytest.mark.parametrize("operation", ["generate", "agree"])
@pytest.mark.parametrize("group", [*CURVES, "x25519", "x448"])
def test_curve_samples(agent: Any, unless_offered: Callable[[str], None], operation: str, group: str) -> None:
    unless_offered(group)
    answer = agent.speed(operation, group)
    assert answer["type"] == "sample", answer
    assert set(answer["detail"]) == {"public_bytes"}


@pytest.mark.parametrize("operation", ["sign", "verify"])
@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_samples(agent: Any, operation: str, name: str) -> None:
    answer = agent.speed(operation, name)
    assert answer["type"] == "sample", answer
    assert answer["detail"]["input_bytes"] == 512
    assert answer["detail"]["signature_bytes"] >= 64
    assert agent.speed(operation, name, size_bytes=64)["code"] == "usage"


@pytest.mark.parametrize("operation", ["prf", "prf-plus"])
@pytest.mark.parametrize("name", PRFS)
def test_prf_samples(agent: Any, operation: str, name: str) -> None:
    answer = agent.speed(operation, name, size_bytes=64, iterations=100)
    assert answer["type"] == "sample", answer
    assert answer["detail"]["seed_bytes"] == (80 if operation == "prf-plus" else 64)


def test_several_workers_at_once(agent: Any) -> None:
    cores = agent.ask("info")["cores"][:2]
    for operation, name in (("agree", "ecp256"), ("generate", "modp1024"), ("sign", "rsa-2048"), ("verify", "ed25519")):
        answer = agent.speed(operation, name, cores=cores, iterations=20)
        assert [worker["core"] for worker in answer["workers"]] == cores


def test_nothing_leaks() -> None:
    """What the sanitizer finds at the end does not grow with what was asked: it is libcrypto's own."""
    binary = Path(__file__).parents[2] / "agent/build/ipsecbench-agent-sanitize"
    few = [{"id": 0, "command": "info"}]
    many = [*few, {"id": 0, "command": "list"}]
    for algorithm, operations in TRIED_FOR_LEAKS.items():
        order = {"id": 0, "provider": "libcrypto", "tier": "primitive", "algorithm": algorithm}
        for operation in operations:
            many.append(order | {"command": "speed", "operation": operation, "iterations": 3})
            fields = {"private": "05" * 32, "peer_public": "05" * 96, "public": "30", "input": "00", "signature": "00"}
            many.append(order | {"command": "compute", "operation": operation} | fields)

    def leaked(orders: list[dict[str, object]]) -> str:
        text = "".join(json.dumps(order) + "\n" for order in orders)
        done = subprocess.run([binary], input=text, capture_output=True, text=True, timeout=60, check=False)
        assert len(done.stdout.splitlines()) == len(orders)
        return next((line for line in done.stderr.splitlines() if line.startswith("SUMMARY")), "nothing")

    assert leaked(many) == leaked(few)
