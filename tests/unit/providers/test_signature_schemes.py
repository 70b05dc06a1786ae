"""Keys that sign and verify by scheme: against Wycheproof, RFC 4754 and the OpenSSL command line."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ipsecbench.algorithms.signatures import SIGNATURE_SCHEMES
from ipsecbench.errors import ProviderError, RejectedError
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.known_answers import signing_key
from ipsecbench.providers.pyca_keys import PycaPrivateKey, PycaPublicKey
from tests.unit.providers.public_key_infrastructure import key

Vectors = Callable[[str], Any]
KINDS = ("rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448")
MESSAGE = b"InitiatorSignedOctets, as it were"
SIGNS_RAW = hasattr(utils, "NoDigestInfo")
"""Whether this version of the library signs PKCS #1 v1.5 without a DigestInfo."""
h = bytes.fromhex


@cache
def private_key(kind: str) -> PycaPrivateKey:
    """A published key; loading one of RSA tests its primes, which takes long."""
    return PycaPrivateKey(signing_key(kind))


def pairs() -> list[tuple[str, str]]:
    found = []
    for kind in KINDS:
        key_type = "rsa" if kind.startswith("rsa") else kind
        schemes = [row.name for row in SIGNATURE_SCHEMES.values() if row.fits(key_type)]
        found += [(kind, name) for name in schemes if SIGNS_RAW or name != "rsa-pkcs1-raw"]
    return found


@pytest.mark.parametrize(("kind", "scheme"), pairs())
def test_a_signature_is_accepted_and_no_other(kind: str, scheme: str) -> None:
    private = private_key(kind)
    public = PycaPublicKey(private.public)
    assert private.key_type == public.key_type
    assert public.spki == private.public
    assert private.key_bits == public.key_bits
    message = hashlib.sha256(MESSAGE).digest()
    signature = private.sign(scheme, message)
    public.verify(scheme, message, signature)
    bad = [
        b"",
        bytes(len(signature)),
        bytes(1),
        signature[:-1],
        signature + b"\0",
        b"\0" + signature,
        signature[:-1] + bytes([signature[-1] ^ 1]),
        b"\xff" * len(signature),
    ]
    for other in bad:
        with pytest.raises(RejectedError):
            public.verify(scheme, message, other)
    for changed in (b"", message[:-1], message + b"\0", message[:-1] + bytes([message[-1] ^ 1])):
        with pytest.raises(RejectedError):
            public.verify(scheme, changed, signature)


@pytest.mark.parametrize(("kind", "scheme"), [(kind, each) for kind in KINDS[2:] for each in SIGNATURE_SCHEMES])
def test_a_key_and_a_scheme_must_fit(kind: str, scheme: str) -> None:
    private = private_key(kind)
    if SIGNATURE_SCHEMES[scheme].fits(private.key_type):
        return
    with pytest.raises(ProviderError, match=f"a key of type {private.key_type} makes no signatures"):
        private.sign(scheme, MESSAGE)
    with pytest.raises(RejectedError, match=f"a key of type {private.key_type} makes no signatures"):
        PycaPublicKey(private.public).verify(scheme, MESSAGE, bytes(64))


def test_an_unknown_scheme() -> None:
    private = private_key("ed25519")
    for name in ("", "rsa", "sha1"):
        with pytest.raises(ProviderError):
            private.sign(name, MESSAGE)
        with pytest.raises(RejectedError):
            PycaPublicKey(private.public).verify(name, MESSAGE, b"")


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("rsa_signature_2048_sha256_test.json", 100),
        ("rsa_signature_2048_sha384_test.json", 20),
        ("rsa_signature_3072_sha256_test.json", 20),
        ("rsa_signature_4096_sha512_test.json", 20),
    ],
)
def test_pkcs1_of_wycheproof(vectors: Vectors, path: str, least: int) -> None:
    """Among them forgeries with a short digest, with octets after it, with odd parameters (CVE-2018-16151)."""
    refused = taken = 0
    for group in vectors(f"wycheproof/{path}")["testGroups"]:
        public = PycaPublicKey(h(group["publicKeyDer"]))
        scheme = f"rsa-pkcs1-{group['sha'].lower().replace('-', '')}"
        for test in group["tests"]:
            if test["result"] == "invalid":
                with pytest.raises(RejectedError):
                    public.verify(scheme, h(test["msg"]), h(test["sig"]))
                refused += 1
            elif test["result"] == "valid":
                public.verify(scheme, h(test["msg"]), h(test["sig"]))
                taken += 1
    assert refused >= least
    assert taken >= 1


@pytest.mark.parametrize(("curve", "digest"), [(256, 256), (384, 384), (521, 512)])
def test_concatenated_ecdsa_of_wycheproof(vectors: Vectors, curve: int, digest: int) -> None:
    """Among them signatures of zeros, of the order, and of another length (CVE-2013-2944)."""
    refused = taken = 0
    for group in vectors(f"wycheproof/ecdsa_secp{curve}r1_sha{digest}_p1363_test.json")["testGroups"]:
        public = PycaPublicKey(h(group["publicKeyDer"]))
        for test in group["tests"]:
            if test["result"] == "invalid":
                with pytest.raises(RejectedError):
                    public.verify(f"ecdsa-p{curve}-sha{digest}", h(test["msg"]), h(test["sig"]))
                refused += 1
            else:
                public.verify(f"ecdsa-p{curve}-sha{digest}", h(test["msg"]), h(test["sig"]))
                taken += 1
    assert refused > 10
    assert taken > 10


def test_other_parameters_of_pss_are_refused(vectors: Vectors) -> None:
    """Valid signatures, but with another salt or another hash in MGF1 than the one way that is used here."""
    salts = set()
    for group in vectors("wycheproof/rsa_pss_misc_test.json")["testGroups"]:
        public = PycaPublicKey(h(group["publicKeyDer"]))
        for test in group["tests"]:
            salts.add(group["sLen"])
            if (group["mgfSha"], group["sLen"]) == ("SHA-256", 32):
                public.verify("rsa-pss-sha256", h(test["msg"]), h(test["sig"]))
                continue
            for scheme in ("rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512", "rsa-pkcs1-sha256"):
                with pytest.raises(RejectedError):
                    public.verify(scheme, h(test["msg"]), h(test["sig"]))
    assert salts == {0, 20, 32, 64}


def test_ecdsa_of_rfc_4754(vectors: Vectors) -> None:
    curves = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
    for v in vectors("rfc/rfc4754_ecdsa.json")["vectors"]:
        scheme = f"ecdsa-p{v['bits']}-sha{min(v['bits'], 512)}"
        point = ec.EllipticCurvePublicNumbers(int(v["gwx"], 16), int(v["gwy"], 16), curves[v["bits"]]).public_key()
        public = PycaPublicKey(point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        half = (v["bits"] + 7) // 8
        # The AUTH payload of the RFC: 4 octets of generic header, 4 of its own.
        signature = h(v["payload"])[8:]
        assert signature == int(v["r"], 16).to_bytes(half) + int(v["s"], 16).to_bytes(half)
        public.verify(scheme, b"abc", signature)
        with pytest.raises(RejectedError):
            public.verify(scheme, b"abd", signature)
        with pytest.raises(RejectedError, match=f"a signature has {2 * half} octets"):
            public.verify(scheme, b"abc", utils.encode_dss_signature(int(v["r"], 16), int(v["s"], 16)))


@pytest.mark.skipif(not SIGNS_RAW, reason="this version of cryptography signs nothing without a DigestInfo")
@pytest.mark.parametrize("padding", ["01", "02", "00"])
def test_pkcs1_without_a_digest_info_is_strict(padding: str) -> None:
    """Blocks that are no PKCS #1 v1.5 of type 1 over the message, signed with the bare operation."""
    numbers = key("rsa-2048").private_numbers()
    modulus, size = numbers.public_numbers.n, 256
    public = PycaPublicKey(private_key("rsa-2048").public)
    digest = hashlib.sha1(MESSAGE, usedforsecurity=False).digest()

    def signed(block: bytes) -> bytes:
        octets: bytes = pow(int.from_bytes(block), numbers.d, modulus).to_bytes(size)
        return octets

    fill = b"\xff" * (size - 3 - len(digest))
    good = b"\0\x01" + fill + b"\0" + digest
    public.verify("rsa-pkcs1-raw", digest, signed(good))
    bad = [
        h("00" + padding) + fill + b"\0" + digest if padding != "01" else good[:-1] + b"\0",
        b"\0\x01" + fill[:-1] + b"\xfe\0" + digest,
        b"\0\x01" + fill[:-3] + b"\0" + digest + b"\0\0\0",
        b"\0\x01" + b"\xff" * 7 + b"\0" + digest.rjust(size - 10, b"\0"),
        b"\0\x01\xff\0" + digest + bytes(size - 4 - len(digest)),
        digest.rjust(size, b"\0"),
        b"\0\x01" + b"\xff" * (size - 2),
        bytes(size),
    ]
    for block in bad:
        with pytest.raises(RejectedError):
            public.verify("rsa-pkcs1-raw", digest, signed(block))
    info = h("3021300906052b0e03021a05000414") + digest
    with pytest.raises(RejectedError):
        public.verify("rsa-pkcs1-raw", digest, private_key("rsa-2048").sign("rsa-pkcs1-raw", info))
    # What IKEv2 signs with method 1 is the same with a DigestInfo around the digest.
    public.verify("rsa-pkcs1-sha1", MESSAGE, private_key("rsa-2048").sign("rsa-pkcs1-raw", info))


def _openssl(path: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=path, check=True, capture_output=True, timeout=20)


@pytest.mark.parametrize(
    ("kind", "scheme", "options"),
    [
        ("rsa-2048", "rsa-pkcs1-sha1", "-digest sha1"),
        ("rsa-3072", "rsa-pkcs1-sha256", "-digest sha256"),
        ("rsa-4096", "rsa-pkcs1-sha512", "-digest sha512"),
        ("rsa-2048", "rsa-pss-sha256", "-digest sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32"),
        ("rsa-2048", "rsa-pss-sha512", "-digest sha512 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:64"),
        ("ecdsa-256", "ecdsa-sha256", "-digest sha256"),
        ("ecdsa-384", "ecdsa-sha1", "-digest sha1"),
        ("ecdsa-521", "ecdsa-sha512", "-digest sha512"),
        ("ed25519", "ed25519", ""),
        ("ed448", "ed448", ""),
        ("rsa-2048", "rsa-pkcs1-raw", "raw"),
    ],
)
def test_openssl_takes_it_and_gives_it(tmp_path: Path, kind: str, scheme: str, options: str) -> None:
    if scheme == "rsa-pkcs1-raw" and not SIGNS_RAW:
        pytest.skip("this version of cryptography signs nothing without a DigestInfo")
    own = key(kind)
    tmp_path.joinpath("key").write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    form = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    tmp_path.joinpath("public").write_bytes(form)
    message = hashlib.sha256(MESSAGE).digest()
    tmp_path.joinpath("message").write_bytes(message)
    private = PycaPublicKeyInfrastructure().load_private_key(tmp_path.joinpath("key").read_bytes())
    tmp_path.joinpath("ours").write_bytes(private.sign(scheme, message))
    raw = "" if options == "raw" else "-rawin"
    options = options.replace("raw", "-pkeyopt rsa_padding_mode:pkcs1")
    _openssl(tmp_path, f"pkeyutl -verify -pubin -inkey public -in message -sigfile ours {raw} {options}")
    _openssl(tmp_path, f"pkeyutl -sign -inkey key -in message -out theirs {raw} {options}")
    PycaPublicKey(private.public).verify(scheme, message, tmp_path.joinpath("theirs").read_bytes())


def test_private_keys_in_their_older_forms(tmp_path: Path) -> None:
    for kind in ("rsa-2048", "ecdsa-256"):
        for encoding in (Encoding.PEM, Encoding.DER):
            octets = key(kind).private_bytes(encoding, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            assert PycaPrivateKey(octets).public == private_key(kind).public


def test_no_secret_is_in_a_repr() -> None:
    private = private_key("rsa-2048")
    assert repr(private) == "PycaPrivateKey('rsa')"
    assert not hasattr(private, "__dict__")
