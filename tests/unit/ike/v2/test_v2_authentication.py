"""AUTH: the pre-shared key's formula, methods and schemes, and everything that must be refused."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache

import pytest

from ipsecbench.algorithms.signatures import SIGNATURE_SCHEMES
from ipsecbench.errors import AuthenticationError, MalformedError
from ipsecbench.ike.header import ZERO_SPI
from ipsecbench.ike.v2.authentication import (
    IntermediateAuthentication,
    accepted_hashes,
    choose_scheme,
    hashes_of,
    psk_payload,
    sign,
    signed_octets,
    verify_psk,
    verify_signature,
)
from ipsecbench.ike.v2.identifiers import ExchangeType, HashAlgorithm, NotifyType
from ipsecbench.ike.v2.message import build_message, new_header
from ipsecbench.ike.v2.payloads import Authentication, KeyExchange, Nonce, Notify
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.interface import PrivateKey, PublicKey
from ipsecbench.providers.known_answers import signing_key
from ipsecbench.providers.pyca_keys import PycaPublicKey
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

CRYPTOGRAPHY = ProviderSelection()
ALL = frozenset(HashAlgorithm)
MODERN = ALL - {HashAlgorithm.SHA1}
KEYS = ["rsa-2048", "ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448"]
OCTETS = b"what is signed" * 30


@cache
def private(kind: str) -> PrivateKey:
    return PycaPublicKeyInfrastructure().load_private_key(signing_key(kind))


@cache
def public(kind: str) -> PublicKey:
    return PycaPublicKey(private(kind).public)


def test_the_signed_octets_and_the_pre_shared_key() -> None:
    """RFC 7296 section 2.15, written out with hmac."""
    message, nonce, sk_pi, body = b"RealMessage1", b"NonceRData", b"p" * 32, b"\x02\0\0\0moon"
    octets = signed_octets(message, nonce, CRYPTOGRAPHY.prf("prfsha256", sk_pi), body, b"")
    assert octets == message + nonce + hmac.digest(sk_pi, body, "sha256")
    padded = hmac.digest(b"secret", b"Key Pad for IKEv2", "sha256")
    payload = psk_payload(CRYPTOGRAPHY, "prfsha256", Secret(b"secret"), octets)
    assert payload == Authentication(2, hmac.digest(padded, octets, "sha256"))
    verify_psk(CRYPTOGRAPHY, "prfsha256", Secret(b"secret"), octets, payload)


@pytest.mark.parametrize("data", [b"", bytes(32), b"\xff" * 32, bytes(31), bytes(33)])
def test_a_wrong_mac_is_refused(data: bytes) -> None:
    with pytest.raises(AuthenticationError) as caught:
        verify_psk(CRYPTOGRAPHY, "prfsha256", Secret(b"secret"), OCTETS, Authentication(2, data))
    assert caught.value.notify == NotifyType.AUTHENTICATION_FAILED


@pytest.mark.parametrize("method", [0, 1, 3, 9, 12, 13, 14, 255])
def test_the_mac_under_another_method_is_refused(method: int) -> None:
    good = psk_payload(CRYPTOGRAPHY, "prfsha256", Secret(b"secret"), OCTETS)
    with pytest.raises(AuthenticationError):
        verify_psk(CRYPTOGRAPHY, "prfsha256", Secret(b"secret"), OCTETS, Authentication(method, good.data))


def test_what_intermediate_exchanges_add() -> None:
    """RFC 9242 section 3.3.2, with lengths as they are before anything is encrypted."""

    def prf(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, "sha256")

    kind = ExchangeType.IKE_INTERMEDIATE
    total, request = IntermediateAuthentication(), KeyExchange(36, b"i" * 50)
    assert total.octets(2) == b""
    expected_i = expected_r = b""
    for number in (1, 2):
        header = new_header(kind, number, spi_i=b"i" * 8, spi_r=b"r" * 8, from_initiator=True, response=False)
        plain = build_message(header, [request])
        content = plain.octets[28:]
        # What stands on the wire has an IV, padding and an ICV, of whatever lengths.
        associated = plain.octets[:16] + b"\x2e" + plain.octets[17:24] + (999).to_bytes(4) + bytes([34, 0, 9, 9])
        message = plain.opened(plain.payloads, plain.bodies, associated, content)
        total.add_request(CRYPTOGRAPHY.prf("prfsha256", b"p%d" % number), message)
        total.add_response(CRYPTOGRAPHY.prf("prfsha256", b"q%d" % number), message)
        header_octets = plain.octets[:16] + b"\x2e" + plain.octets[17:24] + (32 + len(content)).to_bytes(4)
        a_and_p = header_octets + bytes([34, 0]) + (4 + len(content)).to_bytes(2) + content
        expected_i = prf(b"p%d" % number, expected_i + a_and_p)
        expected_r = prf(b"q%d" % number, expected_r + a_and_p)
    assert total.octets(3) == expected_i + expected_r + b"\0\0\0\x03"
    assert signed_octets(b"M", b"N", CRYPTOGRAPHY.prf("prfsha256", b"k"), b"ID", total.octets(3)).endswith(
        b"\0\0\0\x03"
    )


@pytest.mark.parametrize("kind", KEYS)
def test_every_key_signs_by_its_best_scheme_and_is_verified(kind: str) -> None:
    payload = sign(private(kind), OCTETS, MODERN)
    assert payload.method == 14
    scheme = verify_signature(public(kind), OCTETS, payload)
    identifier = scheme.algorithm_identifier
    assert payload.data.startswith(bytes([len(identifier)]) + identifier)
    assert scheme.name == choose_scheme(kind.removesuffix("-2048"), MODERN)[1].name
    for octets, key in (
        (OCTETS + b"!", public(kind)),
        (OCTETS, public("ecdsa-256" if kind == "ed25519" else "ed25519")),
    ):
        with pytest.raises(AuthenticationError) as caught:
            verify_signature(key, octets, payload)
        assert caught.value.notify == NotifyType.AUTHENTICATION_FAILED


@pytest.mark.parametrize(
    ("key_type", "hashes", "allowed", "method", "scheme"),
    [
        ("rsa", MODERN, (), 14, "rsa-pss-sha256"),
        ("rsa", {HashAlgorithm.SHA2_512}, (), 14, "rsa-pss-sha512"),
        ("rsa", MODERN, ("rsa-pkcs1-sha384", "rsa-pss-sha256"), 14, "rsa-pkcs1-sha384"),
        ("rsa", {HashAlgorithm.SHA2_256}, ("rsa-pkcs1-sha384", "rsa-pss-sha256"), 14, "rsa-pss-sha256"),
        ("rsa", None, (), 1, "rsa-pkcs1-sha1"),
        ("rsa", None, ("rsa-pkcs1-sha1",), 1, "rsa-pkcs1-sha1"),
        ("ecdsa-256", MODERN, (), 14, "ecdsa-sha256"),
        ("ecdsa-384", MODERN, (), 14, "ecdsa-sha384"),
        ("ecdsa-521", MODERN, (), 14, "ecdsa-sha512"),
        ("ecdsa-384", {HashAlgorithm.SHA2_256}, (), 14, "ecdsa-sha256"),
        ("ecdsa-256", None, (), 9, "ecdsa-p256-sha256"),
        ("ecdsa-384", None, (), 10, "ecdsa-p384-sha384"),
        ("ecdsa-521", None, (), 11, "ecdsa-p521-sha512"),
        ("ecdsa-256", frozenset(), (), 9, "ecdsa-p256-sha256"),
        ("ecdsa-256", MODERN, ("ecdsa-p256-sha256",), 9, "ecdsa-p256-sha256"),
        ("ed25519", {HashAlgorithm.IDENTITY}, (), 14, "ed25519"),
        ("ed448", ALL, (), 14, "ed448"),
        # Nothing that the peer takes, or that may be used.
        ("rsa", {HashAlgorithm.SHA1}, (), None, None),
        ("rsa", frozenset(), (), None, None),
        ("rsa", None, ("rsa-pss-sha256",), None, None),
        ("ed25519", None, (), None, None),
        ("ed25519", {HashAlgorithm.SHA2_256}, (), None, None),
        ("rsa", MODERN, ("ecdsa-sha256",), None, None),
    ],
)
def test_the_choice_of_method_and_scheme(
    key_type: str, hashes: frozenset[int] | None, allowed: tuple[str, ...], method: int | None, scheme: str | None
) -> None:
    if method is None:
        with pytest.raises(AuthenticationError):
            choose_scheme(key_type, hashes, allowed)
        return
    chosen, found = choose_scheme(key_type, hashes, allowed)
    assert (chosen, found.name) == (method, scheme)


@pytest.mark.parametrize(
    ("kind", "method", "signature_bytes"), [("ecdsa-256", 9, 64), ("ecdsa-384", 10, 96), ("ecdsa-521", 11, 132)]
)
def test_ecdsa_of_rfc_4754(kind: str, method: int, signature_bytes: int) -> None:
    payload = sign(private(kind), OCTETS, None)
    assert (payload.method, len(payload.data)) == (method, signature_bytes)
    verify_signature(public(kind), OCTETS, payload)
    other = "ecdsa-384" if kind == "ecdsa-256" else "ecdsa-256"
    with pytest.raises(AuthenticationError):
        verify_signature(public(other), OCTETS, payload)


def test_sha1_only_where_it_is_allowed() -> None:
    payload = sign(private("rsa-2048"), OCTETS, None)
    assert payload.method == 1
    assert verify_signature(public("rsa-2048"), OCTETS, payload, allow_sha1=True).name == "rsa-pkcs1-sha1"
    with pytest.raises(AuthenticationError):
        verify_signature(public("rsa-2048"), OCTETS, payload)
    scheme = SIGNATURE_SCHEMES["rsa-pkcs1-sha1"]
    named = bytes([len(scheme.algorithm_identifier)]) + scheme.algorithm_identifier + payload.data
    verify_signature(public("rsa-2048"), OCTETS, Authentication(14, named), allow_sha1=True)
    with pytest.raises(AuthenticationError):
        verify_signature(public("rsa-2048"), OCTETS, Authentication(14, named))


ECDSA = SIGNATURE_SCHEMES["ecdsa-sha256"].algorithm_identifier
ZERO_SIGNATURES = [b"", bytes(8), bytes.fromhex("3006020100020100"), bytes.fromhex("3006020101020100"), bytes(64)]


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("method", [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 255])
def test_empty_and_zero_signatures_are_refused_by_every_method(kind: str, method: int) -> None:
    """CVE-2013-2944 and its kin."""
    identifier = choose_scheme(kind.removesuffix("-2048"), ALL)[1].algorithm_identifier
    for signature in (*ZERO_SIGNATURES, bytes([len(identifier)]) + identifier):
        for data in (signature, bytes([len(identifier)]) + identifier + signature):
            with pytest.raises(AuthenticationError):
                verify_signature(public(kind), OCTETS, Authentication(method, data), allow_sha1=True)


@pytest.mark.parametrize(
    "prefix",
    [
        b"",
        b"\0",
        b"\xff",
        bytes([len(ECDSA) + 1]) + ECDSA,
        bytes([len(ECDSA) - 1]) + ECDSA[:-1],
        bytes([len(ECDSA)]) + ECDSA[:-1] + b"\x07",
        bytes([len(ECDSA) + 2]) + b"\x30\x0c" + ECDSA[2:] + b"\x05\x00",
    ],
)
def test_an_algorithm_identifier_that_is_not_known_is_refused(prefix: bytes) -> None:
    good = sign(private("ecdsa-256"), OCTETS, MODERN)
    signature = good.data[1 + len(ECDSA) :]
    with pytest.raises(AuthenticationError):
        verify_signature(public("ecdsa-256"), OCTETS, Authentication(14, prefix + signature))


def test_the_row_of_hashes() -> None:
    assert hashes_of(accepted_hashes(allow_sha1=False)) == MODERN
    assert hashes_of(accepted_hashes(allow_sha1=True)) == ALL
    assert accepted_hashes(allow_sha1=False).data.hex() == "0002000300040005"
    assert hashes_of(Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, bytes.fromhex("0002ffff"))) == {2, 65535}
    with pytest.raises(MalformedError):
        hashes_of(Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, b"\0\2\0"))


def test_a_message_changed_on_the_way_is_noticed() -> None:
    header = new_header(34, 0, spi_i=b"i" * 8, spi_r=ZERO_SPI, from_initiator=True, response=False)
    sent = build_message(header, [Nonce(bytes(32))]).octets
    sk_p = CRYPTOGRAPHY.prf("prfsha256", hashlib.sha256(b"k").digest())
    payload = psk_payload(CRYPTOGRAPHY, "prfsha256", Secret(b"s"), signed_octets(sent, b"n", sk_p, b"id", b""))
    for position in range(len(sent)):
        changed = sent[:position] + bytes([sent[position] ^ 1]) + sent[position + 1 :]
        with pytest.raises(AuthenticationError):
            verify_psk(CRYPTOGRAPHY, "prfsha256", Secret(b"s"), signed_octets(changed, b"n", sk_p, b"id", b""), payload)
