"""Keying material of IKEv2 against NIST's answers, and against the formulas computed with hmac where there are none."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.ike.v2.keymat import (
    ChildKeys,
    IkeKeys,
    child_keys,
    first_skeyseed,
    ike_keys,
    rekeyed_skeyseed,
    with_ppk,
)
from ipsecbench.ike.v2.negotiation import select_esp, select_ike
from ipsecbench.ike.v2.proposals import EspSuite, IkeSuite, esp_offer, ike_offer
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

VECTORS = Path(__file__).parents[3] / "vectors" / "nss-cavs" / "ikev2.subset.json"
PRFS = {"SHA-1": "prfsha1", "SHA-256": "prfsha256", "SHA-384": "prfsha384", "SHA-512": "prfsha512"}
ROWS: list[dict[str, Any]] = json.loads(VECTORS.read_text())
CRYPTOGRAPHY = ProviderSelection()


def ike_suite(text: str) -> IkeSuite:
    own = [parse_ike(text)]
    return select_ike(own, ike_offer(own)).suite


def esp_suite(text: str) -> EspSuite:
    own = [parse_esp(text)]
    return select_esp(own, esp_offer(own, b"spi!")).suite


def joined(keys: IkeKeys) -> bytes:
    parts = keys.sk_d, keys.sk_ai, keys.sk_ar, keys.sk_ei, keys.sk_er, keys.sk_pi, keys.sk_pr
    return b"".join(part.reveal() for part in parts)


def joined_child(keys: ChildKeys) -> bytes:
    both = keys.from_initiator, keys.from_responder
    return b"".join(sa.encryption.reveal() + (sa.integrity.reveal() if sa.integrity else b"") for sa in both)


def check_row(row: dict[str, Any]) -> None:
    """One answer of NIST's: the seven secrets, a Child SA without and with a key exchange, and a rekeyed IKE SA."""
    suite = ike_suite(f"aes256-sha512-{PRFS[row['group']['hash']]}-x25519")
    ni, nr, spi_i, spi_r = (bytes.fromhex(row[name]) for name in ("Ni", "Nr", "SPIi", "SPIr"))
    skeyseed = first_skeyseed(CRYPTOGRAPHY, suite, Secret(bytes.fromhex(row["g^ir"])), ni, nr)
    assert skeyseed == Secret(bytes.fromhex(row["SKEYSEED"]))
    keys = ike_keys(CRYPTOGRAPHY, suite, skeyseed, ni, nr, spi_i, spi_r)
    expected = bytes.fromhex(row["DKM"])
    length = min(len(expected), len(joined(keys)))
    assert length >= suite.prf.output_bytes
    assert joined(keys)[:length] == expected[:length]
    sk_d = CRYPTOGRAPHY.prf(suite.prf.name, keys.sk_d.reveal())
    new = Secret(bytes.fromhex(row["g^ir (new)"]))
    for secrets, name in (((), "DKM(Child SA)"), ((new,), "DKM(Child SA D-H)")):
        material = joined_child(child_keys(sk_d, esp_suite("aes256-sha512"), ni, nr, secrets))
        expected = bytes.fromhex(row[name])
        length = min(len(expected), len(material))
        assert length >= 96
        assert material[:length] == expected[:length]
    assert rekeyed_skeyseed(sk_d, (new,), ni, nr) == Secret(bytes.fromhex(row["SKEYSEED(Rekey)"]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['group']['hash']}-{row['COUNT']}")
def test_nist_answers(row: dict[str, Any]) -> None:
    check_row(row)


def prf(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def prf_plus(key: bytes, seed: bytes, length: int) -> bytes:
    block, output = b"", b""
    for number in range(1, 256):
        block = prf(key, block + seed + bytes([number]))
        output += block
    return output[:length]


def test_keys_are_cut_in_their_order() -> None:
    suite = ike_suite("aes128gcm16-prfsha256-x25519")
    stream = prf_plus(b"seed", b"NiNrSPIiSPIr", 136)
    keys = ike_keys(CRYPTOGRAPHY, suite, Secret(b"seed"), b"Ni", b"Nr", b"SPIi", b"SPIr")
    cut = [keys.sk_d, keys.sk_ai, keys.sk_ar, keys.sk_ei, keys.sk_er, keys.sk_pi, keys.sk_pr]
    assert [len(key) for key in cut] == [32, 0, 0, 20, 20, 32, 32]
    assert b"".join(key.reveal() for key in cut) == stream
    assert set(keys.for_key_log) == {"sk_ei", "sk_er"}
    child = child_keys(CRYPTOGRAPHY.prf("prfsha256", b"d" * 32), esp_suite("aes128-sha1"), b"Ni", b"Nr")
    stream = prf_plus(b"d" * 32, b"NiNr", 72)
    assert child.from_initiator.encryption == Secret(stream[:16])
    assert child.from_initiator.integrity == Secret(stream[16:36])
    assert child.from_responder.encryption == Secret(stream[36:52])
    assert child.from_responder.integrity == Secret(stream[52:])
    assert child.inbound(is_initiator=True) is child.outbound(is_initiator=False) is child.from_responder
    assert child.outbound(is_initiator=True) is child.inbound(is_initiator=False) is child.from_initiator


def test_several_key_exchanges() -> None:
    """RFC 9370 sections 2.2.2 and 2.2.4: the first secret before the nonces, the others after them."""
    sk_d = CRYPTOGRAPHY.prf("prfsha256", b"d" * 32)
    secrets = Secret(b"zero"), Secret(b"one"), Secret(b"two")
    assert rekeyed_skeyseed(sk_d, secrets, b"Ni", b"Nr") == Secret(prf(b"d" * 32, b"zeroNiNronetwo"))
    assert rekeyed_skeyseed(sk_d, secrets[1:2], b"Ni", b"Nr") == Secret(prf(b"d" * 32, b"oneNiNr"))
    child = child_keys(sk_d, esp_suite("aes256gcm16"), b"Ni", b"Nr", secrets)
    assert joined_child(child) == prf_plus(b"d" * 32, b"zeroNiNronetwo", 72)


def test_a_post_quantum_psk_changes_three_keys() -> None:
    """RFC 8784 section 3: with a PRF of equal key and output length only the first iteration of prf+ is needed."""
    suite = ike_suite("aes128-sha256-x25519")
    keys = ike_keys(CRYPTOGRAPHY, suite, Secret(b"seed"), b"Ni", b"Nr", b"SPIi", b"SPIr")
    mixed = with_ppk(CRYPTOGRAPHY, suite, keys, Secret(b"ppk"))
    for name in ("sk_d", "sk_pi", "sk_pr"):
        assert getattr(mixed, name) == Secret(prf(b"ppk", getattr(keys, name).reveal() + b"\x01"))
    for name in ("sk_ai", "sk_ar", "sk_ei", "sk_er"):
        assert getattr(mixed, name) is getattr(keys, name)


@pytest.mark.parametrize("name", ["prfaesxcbc", "prfaescmac"])
def test_prfs_of_a_fixed_key_take_64_bits_of_each_nonce(name: str) -> None:
    suite = ike_suite(f"aes128-sha256-{name}-x25519")
    nonce_i, nonce_r, secret = bytes(range(32)), bytes(range(100, 132)), bytes(32)
    expected = CRYPTOGRAPHY.prf(name, nonce_i[:8] + nonce_r[:8]).compute(secret)
    assert first_skeyseed(CRYPTOGRAPHY, suite, Secret(secret), nonce_i, nonce_r) == Secret(expected)


def test_secrets_do_not_show() -> None:
    keys = ike_keys(CRYPTOGRAPHY, ike_suite("aes128-sha256-x25519"), Secret(b"seed"), b"Ni", b"Nr", b"SPIi", b"SPIr")
    assert keys.sk_d.reveal().hex() not in repr(keys)
    assert "octets" in repr(keys)
