"""Whole ESP packets that others published go through the data plane as they are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.suites import parse_esp_suite
from ipsecbench.esp.configuration import Direction, SelectorPair
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.secret import Secret
from tests.agent_esp.conftest import NORMAL
from tests.agent_esp.lone import Lone, inbound, lone_side
from tests.agent_esp.planes import policy

pytestmark = [pytest.mark.agent, pytest.mark.root]

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "rfc"
IPV4_HEADER_BYTES = 20


def load(name: str) -> Any:
    """One file of vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


@pytest.fixture(params=[None, "libcrypto"])
def lone(hosts: Hosts, request: pytest.FixtureRequest) -> Iterator[Lone]:
    """A data plane that lets everything in."""
    with lone_side(hosts, NORMAL, policies=False, provider=request.param) as made:
        everything = SelectorPair(subnet("0.0.0.0/0"), subnet("0.0.0.0/0"))
        made.plane.add_policy(replace(policy(1, Direction.INBOUND), selectors=(everything,)))
        yield made


def test_rfc_7634_appendix_a(lone: Lone) -> None:
    """Tunnel mode with ChaCha20-Poly1305; the outer header goes, since here it travels in UDP."""
    vector = load("rfc7634_chacha20poly1305_esp_ike.json")["esp"]
    sa = inbound("chacha20poly1305", spi=int(vector["spi"], 16), encryption_key=Secret(bytes.fromhex(vector["keymat"])))
    lone.add(sa)
    lone.send(bytes.fromhex(vector["packet"])[IPV4_HEADER_BYTES:])
    lone.send(bytes.fromhex(vector["packet"])[IPV4_HEADER_BYTES:])
    lone.dropped("XfrmInStateSeqError")
    statistics = lone.plane.sa_statistics(Direction.INBOUND, sa.spi)
    assert (statistics.packets, statistics.bytes) == (1, len(vector["source_packet"]) // 2)


def test_the_draft_of_gcm_in_esp(lone: Lone) -> None:
    """Each opens, those with extended sequence numbers too."""
    opened = 0
    for vector in load("mcgrew_gcm_test_01_esp.json")["vectors"]:
        key = bytes.fromhex(vector["key"] + vector["salt"])
        suite = f"aes{len(vector['key']) * 4}gcm16"
        sequence = int(vector["seq"], 16)
        if len(vector["icv"]) != 32 or int(vector["spi"], 16) < 256 or len(vector["plaintext"]) % 8:
            continue
        sa = inbound(suite, spi=int(vector["spi"], 16), encryption_key=Secret(key), esn=vector["esn"])
        assert sa.suite == parse_esp_suite(suite)
        lone.add(sa, sequence=max(0, sequence - 1))
        low = f"{sequence & 0xFFFFFFFF:08x}"
        lone.send(bytes.fromhex(vector["spi"] + low + vector["iv"] + vector["ciphertext"] + vector["icv"]))
        deadline = time.monotonic() + 5
        while (counted := lone.plane.sa_statistics(Direction.INBOUND, sa.spi)).packets == 0:
            assert counted.forged == 0, vector
            assert time.monotonic() < deadline, vector
        opened += 1
        lone.plane.remove_sa(Direction.INBOUND, sa.spi)
    assert opened >= 10
    # The examples carry whole packets with the Next Header of a payload: opened, and then of no use in tunnel mode.
    assert set(lone.side.drops()) <= {"XfrmInStateModeError", "XfrmInHdrError"}
