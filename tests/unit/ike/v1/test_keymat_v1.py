"""Keys of IKEv1 against NIST's answers and those of nss."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.ike.v1 import keymat
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

VECTORS = Path(__file__).parents[3] / "vectors" / "nss-cavs"
HASHES = {"SHA-1": "sha1", "SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def hmac_prf(hash_name: str) -> keymat.Prf:
    return lambda key, message: hmac.digest(key, message, hash_name)


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text())
    return found


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind in ("psk", "dsa") for row in rows(f"ikev1_{kind}.subset.json")],
    ids=lambda value: value if isinstance(value, str) else f"{value['group']['hash']}-{value['COUNT']}",
)
def test_skeyid_family_of_nist(kind: str, row: dict[str, Any]) -> None:
    prf = hmac_prf(HASHES[row["group"]["hash"]])
    nonce_i, nonce_r, shared = octets(row["Ni"]), octets(row["Nr"]), Secret(octets(row["g^xy"]))
    if kind == "psk":
        skeyid = keymat.skeyid_psk(prf, Secret(octets(row["pre-shared-key"])), nonce_i, nonce_r)
    else:
        skeyid = keymat.skeyid_signature(prf, shared, nonce_i, nonce_r)
    family = keymat.derive(prf, skeyid, shared, octets(row["CKY_I"]) + octets(row["CKY_R"]))
    assert family.skeyid.reveal().hex() == row["SKEYID"]
    assert family.skeyid_d.reveal().hex() == row["SKEYID_d"]
    assert family.skeyid_a.reveal().hex() == row["SKEYID_a"]
    assert family.skeyid_e.reveal().hex() == row["SKEYID_e"]


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha384", "sha512", "aesxcbc"])
def test_appendix_b_of_nss(hash_name: str) -> None:
    cryptography = ProviderSelection()

    def prf(key: bytes, message: bytes) -> bytes:
        return cryptography.prf(f"prf{hash_name}", key).compute(message)

    tests = json.loads((VECTORS / "ikev1_appendix_b.json").read_text())[hash_name]
    assert len(tests) == 6
    for row in tests:
        key, size = Secret(octets(row["ikm"])), int(row["size"])
        if row["type"] == "ikeV1AppB":
            expanded = keymat.expand_encryption_key(prf, key, size)
        else:
            expanded = keymat.keymat(prf, key, octets(row["seed_data"].zfill(2)), size)
        assert expanded.hex() == row["okm"], row["id"]


@pytest.mark.parametrize(
    "weak", ["0101010101010101", "0000000000000000", "fefefefefefefefe", "01fe01fe01fe01fe", "1ee01ee00ef00ef0"]
)
def test_weak_des_keys_are_known_whatever_their_parity(weak: str) -> None:
    assert keymat.is_weak_des_key(octets(weak))


def test_a_weak_des_key_is_passed_over() -> None:
    def prf(key: bytes, message: bytes) -> bytes:
        return bytes(8) + b"\x01\x23\x45\x67\x89\xab\xcd\xef" + b"more"

    assert keymat.encryption_key(prf, Secret(bytes(8) + octets("133457799bbcdff1")), "des").reveal() == octets(
        "133457799bbcdff1"
    )
    assert keymat.encryption_key(prf, Secret(octets("133457799bbcdff1") + bytes(8)), "des").reveal() == octets(
        "133457799bbcdff1"
    )


def test_secrets_do_not_show() -> None:
    family = keymat.derive(hmac_prf("sha1"), Secret(b"visible secret"), Secret(b"another secret"), bytes(16))
    assert "visible" not in repr(family)
