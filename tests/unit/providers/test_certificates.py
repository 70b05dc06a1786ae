"""Certificates: what is read of them, whose identities they are, and that no octets get past the one error."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import RejectedError
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.der import element, elements, encode
from ipsecbench.providers.pyca_keys import PycaPublicKey
from tests.unit.providers.public_key_infrastructure import FAST_KEYS, NOW_SECONDS, Template, authority, key, name

PKI = PycaPublicKeyInfrastructure()
ALTERNATIVE_NAMES = (
    x509.DNSName("Moon.lab.example"),
    x509.DNSName("*.wild.example"),
    x509.RFC822Name("Carol@Lab.Example"),
    x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    x509.UniformResourceIdentifier("http://moon.example/"),
)
MOON = Template("moon", FAST_KEYS[0], issuer="root", signer=FAST_KEYS[1], alternative_names=ALTERNATIVE_NAMES).der()


def test_what_a_certificate_says() -> None:
    certificate = PKI.load_certificate(MOON)
    spki = FAST_KEYS[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert certificate.der == MOON
    assert certificate.subject == name("moon").public_bytes()
    assert certificate.issuer == name("root").public_bytes()
    assert certificate.serial == x509.load_der_x509_certificate(MOON).serial_number
    assert certificate.public_key.spki == spki
    assert certificate.public_key.key_bits == 256
    assert certificate.sha1_key_identifier == hashlib.sha1(spki, usedforsecurity=False).digest()
    assert repr(certificate) == "PycaCertificate('C=CH, O=Lab, CN=moon')"


@pytest.mark.parametrize(
    ("id_type", "id_data"),
    [
        (1, bytes([192, 0, 2, 1])),
        (2, b"moon.lab.example"),
        (2, b"MOON.LAB.EXAMPLE"),
        (3, b"Carol@lab.example"),
        (5, ipaddress.ip_address("2001:db8::1").packed),
        (9, name("moon").public_bytes()),
    ],
)
def test_identities_of_a_certificate(id_type: int, id_data: bytes) -> None:
    certificate = PKI.load_certificate(MOON)
    assert certificate.matches(id_type, id_data)
    # The same octets under any other type are another identity.
    for other in {1, 2, 3, 4, 5, 9, 10, 11, 255} - {id_type}:
        assert not certificate.matches(other, id_data)
    assert not PKI.load_certificate(authority("moon2", FAST_KEYS[0])).matches(id_type, id_data)


@pytest.mark.parametrize(
    ("id_type", "id_data"),
    [
        (1, b""),
        (1, bytes([192, 0, 2, 2])),
        (1, bytes([192, 0, 2, 1, 0])),
        (2, b""),
        (2, b"any.wild.example"),
        (2, b"moon.lab.example."),
        (2, b"moon.lab.example\0"),
        (2, b"\xff"),
        (3, b"carol@lab.example"),
        (3, b"lab.example"),
        (5, bytes(16)),
        (9, b""),
        (9, name("moon").public_bytes()[:-1]),
        (9, name("moon").public_bytes() + b"\0"),
        (9, name("sun").public_bytes()),
        (11, b"moon"),
    ],
)
def test_identities_of_others(id_type: int, id_data: bytes) -> None:
    assert not PKI.load_certificate(MOON).matches(id_type, id_data)


def test_an_empty_subject_is_nobody() -> None:
    nameless = Template("", FAST_KEYS[0], issuer="root", signer=FAST_KEYS[1]).der()
    certificate = PKI.load_certificate(nameless)
    assert certificate.subject == b"\x30\x00"
    assert not certificate.matches(9, b"\x30\x00")


def test_files_of_certificates() -> None:
    root = authority("root", FAST_KEYS[1])
    text = "Bag Attributes\n" + "".join(
        "subject=x\n" + x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM).decode()
        for each in (MOON, root)
    )
    assert [each.der for each in PKI.load_certificates(text.encode())] == [MOON, root]
    assert PKI.load_certificates(MOON)[0].der == MOON
    assert PKI.load_certificates(text.replace("\n", "\r\n").encode())[1].der == root
    for bad in (
        b"",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ):
        with pytest.raises(RejectedError):
            PKI.load_certificates(bad)


def rsa_spki(modulus: int, exponent: int) -> bytes:
    def integer(value: int) -> bytes:
        return encode(0x02, value.to_bytes(value.bit_length() // 8 + 1))

    numbers = encode(0x30, integer(modulus) + integer(exponent))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return encode(0x30, algorithm + encode(0x03, b"\0" + numbers))


MODULUS = key("rsa-2048").public_key().public_numbers().n


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (MODULUS - 1, 65537),
        (MODULUS, 65536),
        (MODULUS, 1),
        (MODULUS, 0),
        (MODULUS, 1 << 64 | 1),
        (MODULUS >> 1 | 1, 65537),
        ((1 << 8193) | 1, 65537),
        (0, 65537),
        (15, 3),
    ],
)
def test_rsa_keys_that_are_refused(modulus: int, exponent: int) -> None:
    assert PycaPublicKey(rsa_spki(MODULUS, 3)).key_bits == 2048
    with pytest.raises(RejectedError):
        PycaPublicKey(rsa_spki(modulus, exponent))
    # In a certificate as well, before anything is verified with it.
    good = key("rsa-2048").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    der = Template("moon", key("rsa-2048"), issuer="root", signer=FAST_KEYS[1]).der()
    if len(good) == len(rsa_spki(modulus, exponent)):
        with pytest.raises(RejectedError):
            PKI.load_certificate(der.replace(good, rsa_spki(modulus, exponent)))


def test_private_keys_that_are_refused() -> None:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505
    octets = small.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(RejectedError, match="RSA keys have 2048 to 8192 bits"):
        PKI.load_private_key(octets)
    locked = FAST_KEYS[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(RejectedError, match="is encrypted"):
        PKI.load_private_key(locked)
    for bad in (b"", b"\x30\x00", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", MOON):
        with pytest.raises(RejectedError, match="cannot be read"):
            PKI.load_private_key(bad)


@pytest.mark.parametrize("seed", range(8))
def test_mutations_get_past_no_other_error(seed: int) -> None:
    generator = random.Random(seed)
    anchor = PKI.load_certificate(authority("root", FAST_KEYS[1]))
    middle = PKI.load_certificate(MOON)
    taken = 0
    for _ in range(250):
        octets = bytearray(MOON)
        for _ in range(generator.choice((1, 1, 2, 5))):
            where = generator.randrange(len(octets))
            action = generator.randrange(4)
            if action == 0:
                octets[where] ^= 1 << generator.randrange(8)
            elif action == 1:
                octets[where] = generator.choice((0, 0x7F, 0x80, 0x84, 0xFF, 0x30, 0x1F))
            elif action == 2:
                del octets[where : where + generator.randrange(1, 9)]
            else:
                octets[where:where] = generator.randbytes(generator.randrange(1, 9))
        if octets == MOON:
            continue
        try:
            certificate = PKI.load_certificate(bytes(octets))
            repr(certificate)
            certificate.matches(9, certificate.subject)
            certificate.matches(2, bytes(octets[:20]))
            PKI.verify_chain(certificate, [middle], [anchor], NOW_SECONDS)
            taken += 1
        except RejectedError:
            continue
    # Nothing but the unsigned rest of a certificate could change and still be valid, and there is none.
    assert taken == 0


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_noise_gets_past_no_other_error(octets: bytes) -> None:
    for load in (PKI.load_certificate, PKI.load_certificates, PKI.load_private_key, PycaPublicKey):
        with pytest.raises(RejectedError):
            load(octets)


def test_the_library_s_warnings_stay_inside() -> None:
    """A certificate with a serial number that is not positive, which the library warns of, is read in silence."""
    signed, algorithm, signature = elements(element(MOON, 0x30).content)
    version, _, *rest = elements(signed.content)
    fields = version.der + b"\x02\x01\x80" + b"".join(each.der for each in rest)
    changed = encode(0x30, encode(0x30, fields) + algorithm.der + signature.der)
    with pytest.warns(UserWarning, match="serial number"):
        x509.load_der_x509_certificate(changed)
    assert PKI.load_certificate(changed).serial == -128


def test_strongswan_s_pki_makes_what_is_read_here(tmp_path: Path) -> None:
    if shutil.which("pki") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("strongswan-pki is not installed")
        pytest.skip("strongswan-pki is not installed")

    def pki(*arguments: str, octets: bytes = b"") -> bytes:
        return subprocess.run(
            ["pki", *arguments], cwd=tmp_path, capture_output=True, check=True, timeout=60, input=octets
        ).stdout

    for kind in (["rsa", "--size", "2048"], ["ecdsa", "--size", "384"], ["ed25519"], ["ed448"]):
        for who in ("ca", "moon"):
            (tmp_path / who).write_bytes(pki("--gen", "--type", *kind))
        root = pki("--self", "--ca", "--in", "ca", "--dn", "C=CH, O=Lab, CN=CA")
        (tmp_path / "ca.der").write_bytes(root)
        public = pki("--pub", "--in", "moon")
        end = pki(
            *("--issue", "--cacert", "ca.der", "--cakey", "ca", "--type", "pub", "--dn", "C=CH, O=Lab, CN=moon"),
            *("--san", "moon.lab", "--san", "192.0.2.7", "--flag", "serverAuth", "--flag", "ikeIntermediate"),
            octets=public,
        )
        certificate, anchor = PKI.load_certificate(end), PKI.load_certificate(root)
        PKI.verify_chain(
            certificate, [], [anchor], x509.load_der_x509_certificate(end).not_valid_before_utc.timestamp()
        )
        assert certificate.matches(2, b"moon.lab")
        assert certificate.matches(1, bytes([192, 0, 2, 7]))
        assert certificate.subject == PKI.distinguished_name("C=CH, O=Lab, CN=moon")
        assert PKI.load_private_key((tmp_path / "moon").read_bytes()).public == public
