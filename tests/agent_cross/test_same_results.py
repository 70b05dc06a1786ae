"""Octet for octet what this box's own agent computes, of whatever byte order and word size the other machine is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.suites import parse_esp_suite
from tests.agent.conftest import AgentBinary

pytestmark = pytest.mark.cross

CIPHERS = (
    *("aes128", "aes256", "aes128ctr", "aes128gcm16", "aes256gcm12", "aes128gcm8", "aes128ccm16", "aes256ccm8"),
    *("chacha20poly1305", "3des", "des", "blowfish128", "cast128", "camellia128", "null", "aes128gmac"),
)
MACS = ("md5", "sha1", "sha256", "sha384", "sha512", "aesxcbc", "aescmac")
PRFS = ("prfmd5", "prfsha1", "prfsha256", "prfsha384", "prfsha512", "prfaesxcbc", "prfaescmac")
SUITES = (
    *("aes128gcm16", "aes256gcm8", "aes128ccm16", "chacha20poly1305", "aes128-sha256", "aes256-sha512", "aes128-sha1"),
    *("aes128ctr-sha1", "3des-md5", "blowfish128-sha1", "null-sha256", "aes128gmac", "aes128-aesxcbc"),
)
LENGTHS = (1, 20, 63, 64, 65, 577, 1400, 9000)
KEY_BYTES = {
    "3des": 24,
    "des": 8,
    "blowfish128": 16,
    "cast128": 16,
    "camellia128": 16,
    "chacha20poly1305": 32,
    "null": 0,
}
CBC_BLOCK_BYTES = {"3des": 8, "des": 8, "blowfish128": 8, "cast128": 8}


def _key_bytes(name: str) -> int:
    return KEY_BYTES[name] if name in KEY_BYTES else int(name[3:6]) // 8


def _cipher_orders(source: random.Random) -> Iterator[dict[str, Any]]:
    for name in CIPHERS:
        aead = any(part in name for part in ("gcm", "ccm", "poly", "gmac"))
        block = CBC_BLOCK_BYTES.get(name, 16)
        for length in LENGTHS:
            if not aead and name not in ("null", "aes128ctr"):
                length = -(-length // block) * block
            iv_bytes = 11 if "ccm" in name else 12 if aead else 0 if name == "null" else block
            yield {
                "tier": "primitive",
                "operation": "authenticate" if name.endswith("gmac") else "encrypt",
                "algorithm": name,
                "key": source.randbytes(_key_bytes(name)).hex(),
                "input": source.randbytes(length).hex(),
                **({"iv": source.randbytes(iv_bytes).hex()} if iv_bytes else {}),
                **({"aad": source.randbytes(12).hex()} if aead and not name.endswith("gmac") else {}),
            }


def _mac_orders(source: random.Random) -> Iterator[dict[str, Any]]:
    sizes = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "aesxcbc": 16, "aescmac": 16}
    for name in MACS:
        for length in LENGTHS:
            key = source.randbytes(sizes[name]).hex()
            order = {"tier": "primitive", "key": key, "input": source.randbytes(length).hex()}
            yield {**order, "operation": "authenticate", "algorithm": name}
            yield {**order, "operation": "prf", "algorithm": "prf" + name}
        yield {**order, "operation": "prf-plus", "algorithm": "prf" + name, "size_bytes": 200}


def _packet_orders(source: random.Random) -> Iterator[dict[str, Any]]:
    for name in SUITES:
        suite = parse_esp_suite(name)
        for number, length in enumerate(LENGTHS):
            yield {
                "tier": "packet-loop",
                "operation": "outbound",
                "algorithm": name,
                "encryption_key": source.randbytes(suite.encryption.keymat_bytes).hex(),
                **({"integrity_key": source.randbytes(suite.integrity.key_bytes).hex()} if suite.integrity else {}),
                "spi": source.getrandbits(32) | 0x100,
                # Numbers beyond 32 bits, so that each half has to be in its place.
                "sequence": source.getrandbits(48) | 1 if number % 2 else source.getrandbits(31) | 1,
                "esn": bool(number % 2),
                "iv": source.randbytes(suite.encryption.iv_bytes).hex(),
                "input": source.randbytes(length).hex(),
            }


def _key_exchange_orders(source: random.Random) -> Iterator[dict[str, Any]]:
    for name, octets in (("x25519", 32), ("ecp256", 32), ("ecp384", 48), ("modp2048", 32)):
        # The highest octet is zero, so that it is below the order of each group.
        private = b"\0" + source.randbytes(octets - 1)
        if name == "modp2048":
            private = bytes(224) + private
        yield {"tier": "primitive", "operation": "generate", "algorithm": name, "private": private.hex()}


def orders() -> list[dict[str, Any]]:
    """The same every time."""
    source = random.Random(4303)
    made = [*_cipher_orders(source), *_mac_orders(source), *_packet_orders(source), *_key_exchange_orders(source)]
    return [{"provider": "libcrypto", **order} for order in made]


def inverse(order: dict[str, Any], output: bytes) -> dict[str, Any] | None:
    """The order that undoes one, if there is any."""
    if order["operation"] == "encrypt":
        return {**order, "operation": "decrypt", "input": output.hex()}
    if order["operation"] != "outbound":
        return None
    changed = {key: value for key, value in order.items() if key not in ("spi", "sequence", "iv")}
    upper = {"sequence_high": order["sequence"] >> 32} if order["esn"] else {}
    return {**changed, "operation": "inbound", "input": output.hex(), **upper}


@pytest.fixture(scope="module")
def expected() -> list[bytes | str]:
    """What this box's own agent computes."""
    path = Path(__file__).resolve().parents[2] / "agent" / "build" / "ipsecbench-agent"
    if not path.exists():
        pytest.skip(f"{path.name} is not built: make agent")
    return AgentBinary(path).compute(orders())


def test_seals_as_here_opens_what_was_sealed_here_and_refuses_forgeries(
    with_libcrypto: AgentBinary, expected: list[bytes | str]
) -> None:
    made = orders()
    wanted: list[bytes | str] = list(expected)
    for order, output in zip(orders(), expected, strict=True):
        assert isinstance(output, bytes), (order, output)
        undo = inverse(order, output)
        if undo is None:
            continue
        made.append(undo)
        wanted.append(bytes.fromhex(order["input"]))
        if order["operation"] == "outbound" and len(output) < 200:
            made.append({**undo, "input": (output[:-1] + bytes([output[-1] ^ 1])).hex()})
            made.append({**undo, "replay": [order["sequence"]]})
            wanted += ["rejected", "rejected"]
    assert wanted.count("rejected") > 50
    assert len(wanted) > 500
    for order, here, there in zip(made, wanted, with_libcrypto.compute(made), strict=True):
        assert there == here, order
