"""Python's own means as a provider: HMAC as the libraries compute it, and brainpoolP224r1 as OpenSSL does."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError, UsageError
from ipsecbench.providers.der import encode
from ipsecbench.providers.known_answers import check_known_answers
from ipsecbench.providers.pyca import PycaProvider
from ipsecbench.providers.python import PythonProvider

PROVIDER = PythonProvider()
P = 0xD7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF
Q = 0xD7C134AA264366862A18302575D0FB98D116BC4B6DDEBCA3A5A7939F
_IDENTIFIERS = bytes.fromhex("06072a8648ce3d0201" + "06092b2403030208010105")
"""id-ecPublicKey and brainpoolP224r1 (RFC 5639 section 4.1)."""


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_hmac_is_that_of_the_library(name: str) -> None:
    other = PycaProvider()
    generator = random.Random(name)
    for length in (0, 1, 63, 64, 65, 128, 129, 1000):
        key, message = generator.randbytes(max(1, length)), generator.randbytes(length)
        mac = PROVIDER.mac(name, key)
        tag = mac.authenticate(message)
        assert tag == other.mac(name, key).authenticate(message)
        mac.verify(message, tag[: mac.icv_bytes])
        for bad in (b"", tag[: mac.icv_bytes - 1], bytes(mac.icv_bytes)):
            with pytest.raises(RejectedError):
                mac.verify(message, bad)
        prf, wanted = PROVIDER.prf(f"prf{name}", key), other.prf(f"prf{name}", key)
        assert prf.compute(message) == wanted.compute(message)
        assert prf.expand(message, 300) == wanted.expand(message, 300)
    assert check_known_answers(PROVIDER, name)
    assert check_known_answers(PROVIDER, f"prf{name}")


def test_the_rest_is_refused() -> None:
    calls: dict[str, Callable[[], object]] = {
        "aes128gcm16": lambda: PROVIDER.aead("aes128gcm16", bytes(16)),
        "aes128": lambda: PROVIDER.cipher("aes128", bytes(16)),
        "aescmac": lambda: PROVIDER.mac("aescmac", bytes(16)),
        "aes128gmac": lambda: PROVIDER.nonce_mac("aes128gmac", bytes(16)),
        "prfaescmac": lambda: PROVIDER.prf("prfaescmac", bytes(16)),
        "x25519": lambda: PROVIDER.key_exchange("x25519"),
        "mlkem768": lambda: PROVIDER.key_encapsulation("mlkem768"),
        "ed25519": lambda: PROVIDER.signer("ed25519", b""),
        "ed448": lambda: PROVIDER.verifier("ed448", b""),
    }
    for name, call in calls.items():
        with pytest.raises(UnsupportedError, match=f"Python has no {name} of its own"):
            call()
    with pytest.raises(UsageError):
        PROVIDER.mac("prfsha256", b"")
    assert PROVIDER.library_info()["status"] == "loaded"


def test_known_answers_of_group_27() -> None:
    assert check_known_answers(PROVIDER, "ecp224bp") > 1


def test_points_that_are_refused() -> None:
    pair = PROVIDER.key_exchange("ecp224bp").generate()
    public = pair.public
    assert len(public) == 56
    x, y = int.from_bytes(public[:28]), int.from_bytes(public[28:])
    bad = [
        b"",
        bytes(56),
        public[:-1],
        public + b"\0",
        b"\x04" + public,
        b"\xff" * 56,
        public[:28] + ((y + 1) % P).to_bytes(28),
        P.to_bytes(28) + public[28:],
        public[:28] + P.to_bytes(28),
        (x ^ 1).to_bytes(28) + public[28:],
    ]
    for octets in bad:
        with pytest.raises(RejectedError):
            pair.agree(octets)
    # The other point with the same x is one of the curve, and gives the same secret.
    assert pair.agree(public[:28] + (P - y).to_bytes(28)) == pair.agree(public)


def test_private_keys_of_group_27() -> None:
    method = PROVIDER.key_exchange("ecp224bp")
    generator = "0d9029ad2c7e5cf4340823b2a87dc68c9e4ce3174c1e6efdee12c07d"
    assert method.load(b"\x01").public.hex().startswith(generator)
    assert method.load((Q - 1).to_bytes(28)).public.hex().startswith(generator)
    for bad in (b"", b"\0", Q.to_bytes(28), (Q + 1).to_bytes(28)):
        with pytest.raises(ProviderError, match="out of range"):
            method.load(bad)


def test_openssl_agrees_on_group_27(tmp_path: Path) -> None:
    def openssl(command: str) -> bytes:
        return subprocess.run(
            ["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True, timeout=20
        ).stdout

    pair = PROVIDER.key_exchange("ecp224bp").generate()
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP224r1 -out theirs")
    theirs = openssl("pkey -in theirs -pubout -outform DER")
    spki = encode(0x30, encode(0x30, _IDENTIFIERS) + encode(0x03, b"\0\x04" + pair.public))
    assert theirs[:-56] == spki[:-56]
    tmp_path.joinpath("ours").write_bytes(spki)
    secret = openssl("pkeyutl -derive -inkey theirs -peerkey ours -peerform DER")
    assert pair.agree(theirs[-56:]) == secret
