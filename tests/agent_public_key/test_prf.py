"""PRFs and prf+ against RFCs and Python's hmac and pyca/cryptography's CMAC."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

pytestmark = pytest.mark.agent

Reader = Callable[[str], Any]

HASHES = {"prfmd5": "md5", "prfsha1": "sha1", "prfsha256": "sha256", "prfsha384": "sha384", "prfsha512": "sha512"}
NAMES = [*HASHES, "prfaesxcbc", "prfaescmac"]


def encrypt_block(key: bytes, block: bytes) -> bytes:
    """AES-128 of one block."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305  a block, not a message


def xcbc(key: bytes, data: bytes) -> bytes:
    """AES-XCBC-MAC-128 from its definition, RFC 3566 section 4."""
    k1, k2, k3 = (encrypt_block(key, bytes([number]) * 16) for number in (1, 2, 3))
    blocks = [data[i : i + 16] for i in range(0, len(data), 16)] or [b""]
    state = bytes(16)
    for block in blocks[:-1]:
        state = encrypt_block(k1, bytes(a ^ b for a, b in zip(state, block, strict=True)))
    last, mask = (blocks[-1], k2) if len(blocks[-1]) == 16 else ((blocks[-1] + b"\x80").ljust(16, b"\0"), k3)
    return encrypt_block(k1, bytes(a ^ b ^ c for a, b, c in zip(state, last, mask, strict=True)))


def cmac(key: bytes, data: bytes) -> bytes:
    """AES-CMAC with pyca/cryptography."""
    context = CMAC(algorithms.AES(key))
    context.update(data)
    return context.finalize()


def prf(name: str, key: bytes, data: bytes) -> bytes:
    """The PRF by other means than the agent's."""
    if name in HASHES:
        return hmac.new(key, data, HASHES[name]).digest()
    if name == "prfaescmac":  # RFC 4615 section 3
        return cmac(key if len(key) == 16 else cmac(bytes(16), key), data)
    return xcbc(key.ljust(16, b"\0") if len(key) <= 16 else xcbc(bytes(16), key), data)  # RFC 4434 section 2


def prf_plus(name: str, key: bytes, seed: bytes, length: int) -> bytes:
    """RFC 7296 section 2.13."""
    output = block = b""
    for counter in range(1, 256):
        block = prf(name, key, block + seed + bytes([counter]))
        output += block
        if len(output) >= length:
            break
    return output[:length]


@pytest.mark.parametrize(
    ("name", "file"),
    [("prfaesxcbc", "rfc4434_aes_xcbc_prf128.json"), ("prfaescmac", "rfc4615_aes_cmac_prf128.json")],
)
def test_aes_based_prfs_give_the_values_of_their_rfcs(agent: Any, rfc: Reader, name: str, file: str) -> None:
    lengths = set()
    for v in rfc(file)["vectors"]:
        assert agent.compute("prf", name, key=v["key"], input=v["msg"]).hex() == v["prf"]
        lengths.add(len(v["key"]) // 2)
    assert lengths == {10, 16, 18}


@pytest.mark.parametrize("name", NAMES)
def test_prfs_agree_at_every_length(agent: Any, name: str) -> None:
    source = random.Random(name)
    lengths = [*range(66), 111, 127, 128, 129, 1023, 1024, 1025, 4000, 65000]
    for length in lengths:
        key = source.randbytes(source.choice((0, 1, 15, 16, 17, 32, 64, 65, 128, 129, 300)))
        data = source.randbytes(length)
        assert agent.compute("prf", name, key=key, input=data) == prf(name, key, data), (len(key), length)


@pytest.mark.parametrize("name", NAMES)
def test_prf_plus_agrees_to_its_last_block(agent: Any, name: str) -> None:
    source = random.Random(name)
    block = len(prf(name, b"", b""))
    for length in (1, block - 1, block, block + 1, 5 * block + 3, 255 * block - 1, 255 * block):
        key, seed = source.randbytes(block), source.randbytes(source.choice((0, 48, 80, 528)))
        output = agent.compute("prf-plus", name, key=key, input=seed, size_bytes=length)
        assert output == prf_plus(name, key, seed, length), length


def test_prf_plus_ends_after_255_blocks(agent: Any) -> None:
    for name, block in (("prfmd5", 16), ("prfsha512", 64)):
        fields = {"key": b"k", "input": b"s", "size_bytes": 255 * block + 1}
        assert agent.error("prf-plus", name, **fields) == "usage"
        assert agent.speed("prf-plus", name, size_bytes=255 * block + 1)["code"] == "usage"


def test_missing_fields_are_named(agent: Any) -> None:
    assert agent.error("prf", "prfsha256", key=b"k") == "usage"
    assert agent.error("prf", "prfsha256", input=b"d") == "usage"
    assert agent.error("prf-plus", "prfsha256", key=b"k", input=b"d") == "usage"
    assert agent.speed("prf", "prfsha256")["code"] == "usage"
    assert agent.speed("prf", "prfsha256", size_bytes=64, exponent_bits=256)["code"] == "usage"


def test_the_reference_is_right() -> None:
    """The oracle itself, at one published value each."""
    assert prf("prfsha256", b"Jefe", b"what do ya want for nothing?").hex().startswith("5bdcc146bf60754e")
    assert prf("prfaesxcbc", bytes(range(16)), b"").hex() == "75f0251d528ac01c4573dfd584d79f29"
    assert hashlib.md5(b"", usedforsecurity=False).hexdigest() == "d41d8cd98f00b204e9800998ecf8427e"
