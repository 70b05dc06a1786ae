"""Signatures against Wycheproof and pyca/cryptography."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

pytestmark = pytest.mark.agent

Reader = Callable[[str], Any]

PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
ECDSA: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "ecdsa-256": (ec.SECP256R1(), hashes.SHA256()),
    "ecdsa-384": (ec.SECP384R1(), hashes.SHA384()),
    "ecdsa-521": (ec.SECP521R1(), hashes.SHA512()),
}
NAMES = ["rsa-2048", "rsa-3072", "rsa-4096", *ECDSA, "ed25519", "ed448"]


@pytest.fixture(scope="session")
def keys() -> dict[str, Any]:
    """A fresh private key of pyca/cryptography for each algorithm."""
    made: dict[str, Any] = {f"rsa-{bits}": rsa.generate_private_key(65537, bits) for bits in (2048, 3072, 4096)}
    made |= {name: ec.generate_private_key(curve) for name, (curve, _) in ECDSA.items()}
    return made | {"ed25519": ed25519.Ed25519PrivateKey.generate(), "ed448": ed448.Ed448PrivateKey.generate()}


def sign(key: Any, name: str, message: bytes) -> bytes:
    """Sign as the agent does, with pyca/cryptography."""
    if name.startswith("rsa"):
        signature = key.sign(message, PSS, hashes.SHA256())
    elif name in ECDSA:
        signature = key.sign(message, ec.ECDSA(ECDSA[name][1]))
    else:
        signature = key.sign(message)
    return bytes(signature)


def verify(key: Any, name: str, signature: bytes, message: bytes) -> None:
    """Verify with pyca/cryptography; raises InvalidSignature."""
    public = key.public_key()
    if name.startswith("rsa"):
        public.verify(signature, message, PSS, hashes.SHA256())
    elif name in ECDSA:
        public.verify(signature, message, ec.ECDSA(ECDSA[name][1]))
    else:
        public.verify(signature, message)


def spki(key: Any) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("name", NAMES)
def test_signatures_of_pyca_verify_and_changed_ones_do_not(agent: Any, keys: dict[str, Any], name: str) -> None:
    key = keys[name]
    for length in (0, 1, 512, 5000):
        message = secrets.token_bytes(length)
        signature = sign(key, name, message)
        fields = {"public": spki(key), "input": message, "signature": signature}
        assert agent.compute("verify", name, **fields) == b""
        changed = bytearray(signature)
        changed[len(changed) // 2] ^= 1
        assert agent.error("verify", name, **fields | {"signature": bytes(changed)}) == "rejected"
        assert agent.error("verify", name, **fields | {"input": message + b"\0"}) == "rejected"


@pytest.mark.parametrize("name", NAMES)
def test_pyca_verifies_the_agents_signatures(agent: Any, keys: dict[str, Any], name: str) -> None:
    key = keys[name]
    message = secrets.token_bytes(700)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signature = agent.compute("sign", name, private=private, input=message)
    verify(key, name, signature, message)
    with pytest.raises(InvalidSignature):
        verify(key, name, signature, message + b"\0")


@pytest.mark.parametrize("name", [*ECDSA, "ed25519", "ed448"])
def test_wycheproof_signatures(agent: Any, wycheproof: Reader, name: str) -> None:
    check_wycheproof(agent, wycheproof("signatures.json"), name)


@pytest.mark.parametrize("name", ["rsa-2048", "rsa-3072"])
def test_wycheproof_rsassa_pss(agent: Any, wycheproof: Reader, name: str) -> None:
    check_wycheproof(agent, wycheproof("rsa_pss.json"), name)


def check_wycheproof(agent: Any, file: dict[str, Any], name: str) -> None:
    """Each signature must be accepted or rejected as Wycheproof says; `acceptable` ones may be either."""
    counts = {"valid": 0, "invalid": 0, "acceptable": 0}
    for number, key, message, signature, result in file[name]:
        fields = {"public": file["keys"][key], "input": message, "signature": signature}
        if result == "valid":
            assert agent.compute("verify", name, **fields) == b"", number
        elif result == "invalid":
            assert agent.error("verify", name, **fields) == "rejected", number
        counts[result] += 1
    assert counts["valid"] > 5
    assert counts["invalid"] > 5


def test_pkcs1_signatures_are_not_taken_for_pss(agent: Any, wycheproof: Reader) -> None:
    file = wycheproof("rsa_pss.json")
    checked = 0
    for name in ("rsa-2048", "rsa-3072", "rsa-4096"):
        for number, key, message, signature, _ in file[name]:
            if number > 20000:
                fields = {"public": file["keys"][key], "input": message, "signature": signature}
                assert agent.error("verify", name, **fields) == "rejected", number
                checked += 1
    assert checked == 18


def test_hostile_keys_and_signatures(agent: Any, keys: dict[str, Any]) -> None:
    message = b"message"
    key = keys["ecdsa-256"]
    good = {"public": spki(key), "input": message, "signature": sign(key, "ecdsa-256", message)}
    other_curve = spki(ec.generate_private_key(ec.SECP256K1()))
    short_rsa = spki(rsa.generate_private_key(65537, 1024))  # noqa: S505  it must be refused
    bad_keys = [b"", b"\x30", good["public"][:-1], good["public"] + b"\0", b"\xff" * 91, other_curve, short_rsa]
    for public in [*bad_keys, spki(keys["ecdsa-384"]), spki(keys["ed25519"]), spki(keys["rsa-2048"])]:
        assert agent.error("verify", "ecdsa-256", **good | {"public": public}) == "usage"
    for name in ("rsa-2048", "rsa-4096"):
        assert agent.error("verify", name, **good | {"public": spki(keys["rsa-3072"])}) == "usage"
    zeros = b"\x30\x06\x02\x01\0\x02\x01\0"
    for signature in (b"", b"\x30", b"\x30\0", bytes(64), bytes(72), zeros, bytes(513), bytes(9000)):
        assert agent.error("verify", "ecdsa-256", **good | {"signature": signature}) == "rejected"
    for field in good:
        assert agent.error("verify", "ecdsa-256", **{n: v for n, v in good.items() if n != field}) == "usage"
    assert agent.compute("verify", "ecdsa-256", **good) == b""
