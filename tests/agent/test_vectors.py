"""Ciphers and integrity algorithms against Wycheproof and RFC values, with every provider that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.agent

PROVIDERS = ("libcrypto", "libgcrypt")
Vectors = Callable[[str], Any]


def vector_tests(document: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every test of a Wycheproof file with its group."""
    for group in document["testGroups"]:
        for test in group["tests"]:
            yield group, test


def offered(rows: Any, provider: str, algorithm: str) -> bool:
    """Whether this box can run the algorithm; says why not by skipping the test."""
    row = rows[provider, "primitive", algorithm]
    if not row["operations"]:
        pytest.skip(row["reason"])
    return True


AEAD_FILES = {
    "aes{bits}gcm16": "wycheproof/aes_gcm_test.json",
    "aes{bits}ccm16": "wycheproof/aes_ccm_test.json",
    "chacha20poly1305": "wycheproof/chacha20_poly1305_test.json",
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", AEAD_FILES)
def test_combined_ciphers(agent: Any, rows: Any, vectors: Vectors, provider: str, name: str) -> None:
    assert offered(rows, provider, name.format(bits=128))
    orders, expected = [], []
    for group, test in vector_tests(vectors(AEAD_FILES[name])):
        order = {
            "provider": provider,
            "tier": "primitive",
            "algorithm": name.format(bits=group["keySize"]),
            "key": test["key"],
            "iv": test["iv"],
            "aad": test["aad"],
        }
        sealed = test["ct"] + test["tag"]
        orders.append({**order, "operation": "decrypt", "input": sealed})
        expected.append(bytes.fromhex(test["msg"]) if test["result"] == "valid" else "rejected")
        if test["result"] == "valid":
            orders.append({**order, "operation": "encrypt", "input": test["msg"]})
            expected.append(bytes.fromhex(sealed))
    assert len(orders) > 20
    assert agent.compute(orders) == expected


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("icv_bytes", [8, 12])
def test_gcm_with_a_short_icv(agent: Any, rows: Any, vectors: Vectors, provider: str, icv_bytes: int) -> None:
    assert offered(rows, provider, "aes128gcm8")
    orders: list[dict[str, str]] = []
    expected: list[bytes | str] = []
    for group, test in vector_tests(vectors("wycheproof/aes_gcm_test.json")):
        if test["result"] != "valid":
            continue
        order = {
            "provider": provider,
            "tier": "primitive",
            "algorithm": f"aes{group['keySize']}gcm{icv_bytes}",
            "key": test["key"],
            "iv": test["iv"],
            "aad": test["aad"],
        }
        sealed = bytes.fromhex(test["ct"] + test["tag"][: 2 * icv_bytes])
        forged = sealed[:-1] + bytes([sealed[-1] ^ 0x80])
        orders += [
            {**order, "operation": "encrypt", "input": test["msg"]},
            {**order, "operation": "decrypt", "input": sealed.hex()},
            {**order, "operation": "decrypt", "input": forged.hex()},
        ]
        expected += [sealed, bytes.fromhex(test["msg"]), "rejected"]
    assert agent.compute(orders) == expected


@pytest.mark.parametrize("provider", PROVIDERS)
def test_gmac(agent: Any, rows: Any, vectors: Vectors, provider: str) -> None:
    assert offered(rows, provider, "aes128gmac")
    orders: list[dict[str, str]] = []
    expected: list[bytes | str] = []
    for group, test in vector_tests(vectors("wycheproof/aes_gmac_test.json")):
        order = {
            "provider": provider,
            "tier": "primitive",
            "algorithm": f"aes{group['keySize']}gmac",
            "key": test["key"],
            "iv": test["iv"],
        }
        valid = test["result"] == "valid"
        orders.append({**order, "operation": "verify", "input": test["msg"] + test["tag"]})
        expected.append(b"" if valid else "rejected")
        if valid:
            orders.append({**order, "operation": "authenticate", "input": test["msg"]})
            expected.append(bytes.fromhex(test["tag"]))
    assert agent.compute(orders) == expected


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("cipher", ["aes", "camellia"])
def test_cbc(agent: Any, rows: Any, vectors: Vectors, provider: str, cipher: str) -> None:
    assert offered(rows, provider, f"{cipher}128")
    orders: list[dict[str, str]] = []
    expected: list[bytes | str] = []
    unpadded = []
    for group, test in vector_tests(vectors(f"wycheproof/{cipher}_cbc_pkcs5_test.json")):
        order = {
            "provider": provider,
            "tier": "primitive",
            "algorithm": f"{cipher}{group['keySize']}",
            "key": test["key"],
            "iv": test["iv"],
        }
        message = bytes.fromhex(test["msg"])
        pad = 16 - len(message) % 16
        padded = message + bytes([pad]) * pad
        if test["result"] == "valid":
            orders.append({**order, "operation": "encrypt", "input": padded.hex()})
            expected.append(bytes.fromhex(test["ct"]))
            orders.append({**order, "operation": "decrypt", "input": test["ct"]})
            expected.append(padded)
        elif len(test["ct"]) % 32:
            orders.append({**order, "operation": "decrypt", "input": test["ct"]})
            expected.append("usage")
        elif test["ct"]:
            unpadded.append(({**order, "operation": "decrypt", "input": test["ct"]}, padded))
    assert agent.compute(orders) == expected
    # The padding of these is wrong, so what they decrypt to is not the message with its padding.
    outputs = agent.compute([order for order, _ in unpadded])
    assert len(outputs) > 50
    for output, (_, padded) in zip(outputs, unpadded, strict=True):
        assert isinstance(output, bytes)
        assert output != padded


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ctr(agent: Any, rows: Any, vectors: Vectors, provider: str) -> None:
    assert offered(rows, provider, "aes128ctr")
    orders, expected = [], []
    for test in vectors("rfc/rfc3686_aes_ctr.json")["vectors"]:
        order = {
            "provider": provider,
            "tier": "primitive",
            "algorithm": f"aes{len(test['key']) * 4}ctr",
            "key": test["key"],
            "iv": test["nonce"] + test["iv"] + "00000001",
        }
        orders.append({**order, "operation": "encrypt", "input": test["plaintext"]})
        expected.append(bytes.fromhex(test["ciphertext"]))
        orders.append({**order, "operation": "decrypt", "input": test["ciphertext"]})
        expected.append(bytes.fromhex(test["plaintext"]))
    assert agent.compute(orders) == expected


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("algorithm", "file"),
    [
        ("sha1", "hmac_sha1_test"),
        ("sha256", "hmac_sha256_test"),
        ("sha384", "hmac_sha384_test"),
        ("sha512", "hmac_sha512_test"),
        ("aescmac", "aes_cmac_test"),
    ],
)
def test_macs(agent: Any, rows: Any, vectors: Vectors, provider: str, algorithm: str, file: str) -> None:
    assert offered(rows, provider, algorithm)
    tests = list(vector_tests(vectors(f"wycheproof/{file}.json")))
    order = {"provider": provider, "tier": "primitive", "algorithm": algorithm, "operation": "authenticate"}
    outputs = agent.compute([{**order, "key": test["key"], "input": test["msg"]} for _, test in tests])
    for output, (group, test) in zip(outputs, tests, strict=True):
        assert isinstance(output, bytes)
        tag = bytes.fromhex(test["tag"])
        assert (output[: group["tagSize"] // 8] == tag) == (test["result"] == "valid"), test["tcId"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_md5_and_xcbc(agent: Any, rows: Any, vectors: Vectors, provider: str) -> None:
    assert offered(rows, provider, "md5")
    assert offered(rows, provider, "aesxcbc")
    orders, expected = [], []
    for test in vectors("rfc/rfc2202_hmac_md5_sha1.json")["vectors"]:
        orders.append({"algorithm": test["alg"].removeprefix("hmac-"), "key": test["key"], "input": test["data"]})
        expected.append(bytes.fromhex(test["digest"]))
    for test in vectors("rfc/rfc3566_aes_xcbc_mac96.json")["vectors"]:
        orders.append({"algorithm": "aesxcbc", "key": test["key"], "input": test["msg"]})
        expected.append(bytes.fromhex(test["mac"]))
    fields = {"provider": provider, "tier": "primitive", "operation": "authenticate"}
    assert agent.compute([{**fields, **order} for order in orders]) == expected


def test_verify_takes_the_icv_of_esp(agent: Any) -> None:
    order = {"provider": "libcrypto", "tier": "primitive", "algorithm": "sha256", "key": "4a656665"}
    message = b"what do ya want for nothing?".hex()
    # RFC 4231, test case 2, cut to the 128 bits of RFC 4868.
    icv = "5bdcc146bf60754e6a042426089575c7"
    outputs = agent.compute(
        [
            {**order, "operation": "verify", "input": message + icv},
            {**order, "operation": "verify", "input": message + icv[:-2] + "c6"},
            {**order, "operation": "verify", "input": icv[:-2]},
        ]
    )
    assert outputs == [b"", "rejected", "rejected"]


def test_the_known_answers_pass(agent: Any) -> None:
    (answer,) = agent.ask([{"command": "check"}])
    assert answer["failures"] == []
    assert answer["failed"] == 0
    assert answer["passed"] > 200
