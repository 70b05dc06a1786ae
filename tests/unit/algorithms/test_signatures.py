"""Signature schemes against the octets that RFC 7427 appendix A prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipsecbench.algorithms.signatures import (
    IKEV1_METHOD_SCHEMES,
    IKEV2_HASH_IDS,
    IKEV2_METHOD_SCHEMES,
    SIGNATURE_SCHEMES,
    scheme_of_identifier,
    schemes_for_key,
)

_PATH = Path(__file__).parents[2] / "vectors" / "rfc" / "rfc7427_algorithm_identifiers.json"
PRINTED = {v["name"].split(",")[0]: bytes.fromhex(v["der"]) for v in json.loads(_PATH.read_text())["vectors"]}


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("rsa-pkcs1-sha1", "sha1WithRSAEncryption"),
        ("rsa-pkcs1-sha256", "sha256WithRSAEncryption"),
        ("rsa-pkcs1-sha384", "sha384WithRSAEncryption"),
        ("rsa-pkcs1-sha512", "sha512WithRSAEncryption"),
        ("rsa-pss-sha256", "RSASSA-PSS with sha-256"),
        ("ecdsa-sha1", "ecdsa-with-sha1"),
        ("ecdsa-sha256", "ecdsa-with-sha256"),
        ("ecdsa-sha384", "ecdsa-with-sha384"),
        ("ecdsa-sha512", "ecdsa-with-sha512"),
    ],
)
def test_identifiers_are_those_of_rfc_7427(name: str, printed: str) -> None:
    assert SIGNATURE_SCHEMES[name].algorithm_identifier == PRINTED[printed]
    assert scheme_of_identifier(PRINTED[printed]) is SIGNATURE_SCHEMES[name]


def test_identifiers_of_rfc_8420() -> None:
    assert SIGNATURE_SCHEMES["ed25519"].algorithm_identifier == bytes.fromhex("300506032b6570")
    assert SIGNATURE_SCHEMES["ed448"].algorithm_identifier == bytes.fromhex("300506032b6571")


def test_every_scheme_is_found_by_what_it_sends() -> None:
    identifiers = [row.algorithm_identifier for row in SIGNATURE_SCHEMES.values() if row.algorithm_identifier]
    assert len(set(identifiers)) == len(identifiers) == 13
    for row in SIGNATURE_SCHEMES.values():
        assert bool(row.algorithm_identifier) == (row.ikev2_hash_id is not None)
        if row.algorithm_identifier:
            assert scheme_of_identifier(row.algorithm_identifier) is row
            assert row.ikev2_hash_id == IKEV2_HASH_IDS[row.hash_name or "identity"]


@pytest.mark.parametrize("printed", ["RSASSA-PSS", "RSASSA-PSS with default parameters", "dsa-with-sha1"])
def test_what_is_not_done_here_is_not_found(printed: str) -> None:
    assert scheme_of_identifier(PRINTED[printed]) is None


def test_other_encodings_of_the_same_parameters() -> None:
    # RFC 4055: without the NULL in the hashes, and without the default trailer, which DER leaves out.
    for text in (
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
        "303d06092a864886f70d01010a3030a00d300b0609608648016503040201"
        "a11a301806092a864886f70d010108300b0609608648016503040201a203020120",
        "300b06092a864886f70d01010b",
    ):
        found = scheme_of_identifier(bytes.fromhex(text))
        assert found is not None
        assert found.hash_name == "sha256"


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("a203020120", "a203020114"),  # a shorter salt
        ("a203020120", "a2030201ff"),  # a negative salt
        ("a303020101", "a303020102"),  # another trailer
        ("06092a864886f70d010108", "06092a864886f70d010109"),  # another mask generation function
    ],
)
def test_odd_parameters_of_pss_are_not_found(changed: str, to: str) -> None:
    text = PRINTED["RSASSA-PSS with sha-256"].hex()
    assert changed in text
    assert scheme_of_identifier(bytes.fromhex(text.replace(changed, to))) is None


def test_keys_and_schemes() -> None:
    for key_type in ("rsa", "ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448"):
        schemes = schemes_for_key(key_type)
        assert schemes
        assert all(row.fits(key_type) and row.hash_name != "sha1" for row in schemes)
        assert schemes[0].fits(key_type)
    assert schemes_for_key("dsa") == ()
    assert not SIGNATURE_SCHEMES["ecdsa-p256-sha256"].fits("ecdsa-384")
    assert not SIGNATURE_SCHEMES["ecdsa-sha256"].fits("ed25519")
    assert schemes_for_key("ecdsa-384")[0].name == "ecdsa-sha384"


def test_methods_that_fix_their_scheme() -> None:
    assert SIGNATURE_SCHEMES[IKEV2_METHOD_SCHEMES[1]].padding == "pkcs1"
    assert SIGNATURE_SCHEMES[IKEV1_METHOD_SCHEMES[3]].padding == "pkcs1-raw"
    for method, bits in ((9, 256), (10, 384), (11, 521)):
        assert SIGNATURE_SCHEMES[IKEV1_METHOD_SCHEMES[method]].hash_name is None
        assert SIGNATURE_SCHEMES[IKEV1_METHOD_SCHEMES[method]].fits(f"ecdsa-{bits}")
        assert SIGNATURE_SCHEMES[IKEV2_METHOD_SCHEMES[method]].fits(f"ecdsa-{bits}")
