"""Bad input that has broken IKE daemons before: identities, signatures, certificates, and what is written to logs.

Each test is named by its row in docs/ike-robustness.md and by the CVE.
"""

from __future__ import annotations

import ast
import functools
import socket
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID

import ipsecbench
from ipsecbench.algorithms.signatures import SIGNATURE_SCHEMES
from ipsecbench.errors import RejectedError
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.events import ChildSaEstablished, IkeSaEstablished, IkeSaFailed
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.v1.identifiers import ExchangeType as V1ExchangeType
from ipsecbench.ike.v1.payloads import IdPayload, NotificationPayload, OctetsPayload
from ipsecbench.ike.v2.identifiers import AuthMethod, CertificateEncoding, ExchangeType, NotifyType
from ipsecbench.ike.v2.payloads import (
    Authentication,
    Certificate,
    CertificateRequest,
    IdentificationInitiator,
    Notify,
    Payload,
    VendorId,
)
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.der import element, elements, encode
from ipsecbench.providers.pyca_keys import PycaPublicKey
from tests.attacks.aftermath import still_serves
from tests.attacks.hostile import HostileV1, HostileV2
from tests.attacks.test_known_attacks_v2 import Change, altered_payloads, first_message, init_variant, with_payload
from tests.attacks.world import End, World, identity
from tests.fuzz.budget import within_budget
from tests.unit.providers.public_key_infrastructure import FAST_KEYS, NOW_SECONDS, Template, authority

PKI = PycaPublicKeyInfrastructure()
ROOT = authority("root", FAST_KEYS[0])
ECDSA_SHA256 = SIGNATURE_SCHEMES["ecdsa-sha256"].algorithm_identifier


class Signer:
    """A private key that signs as it likes.

    Args:
        spki: the public key that it claims to have.
        key_type: its type.
        sign: from the name of a scheme and a message to a signature.
    """

    def __init__(self, spki: bytes, key_type: str, sign: Callable[[str, bytes], bytes]) -> None:
        self.public = spki
        self.key_type = key_type
        self.key_bits = 2048
        self._sign = sign

    def sign(self, scheme_name: str, message: bytes) -> bytes:
        """The signature."""
        return self._sign(scheme_name, message)


def constant(signature: bytes) -> Callable[[str, bytes], bytes]:
    """The same signature under everything."""
    return lambda _name, _message: signature


def spki_of(key: Any) -> bytes:
    """A public key in DER."""
    octets: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return octets


def leaf(key: Any, spki: bytes | None = None, **changes: Any) -> bytes:
    """A certificate of the initiator, issued by the trusted root; with any public key in it."""
    names = (x509.DNSName("initiator.example.net"),)
    fields: dict[str, Any] = {"issuer": "root", "signer": FAST_KEYS[0], "alternative_names": names} | changes
    der = Template("initiator", key, **fields).der()
    if spki is None:
        return der
    tbs, algorithm, _ = elements(element(der, 0x30).content)
    parts = [each.der for each in elements(tbs.content)]
    parts[6] = spki
    signed = encode(0x30, b"".join(parts))
    signature = FAST_KEYS[0].sign(signed, ec.ECDSA(hashes.SHA256()))
    return encode(0x30, signed + algorithm.der + encode(0x03, b"\0" + signature))


def signature_world(version: int, certificate: bytes, signer: Any, **options: Any) -> World:
    """The initiator has this certificate and signs like that; the responder trusts the root."""
    world = World(version, method="pubkey", fragmentation=False, **options)
    for end in world.ends:
        endpoint: Any = end.endpoint
        endpoint.environment = replace(endpoint.environment, unix_time=lambda: NOW_SECONDS)
    own: Any = (_unread(certificate),)
    _change(
        world.initiator,
        lambda one: replace(one, local=replace(one.local, certificates=own, private_key=signer)),
    )
    root = PKI.load_certificate(ROOT)
    _change(world.responder, lambda one: replace(one, remote=replace(one.remote, authorities=(root,))))
    return world


class _unread:  # noqa: N801  a certificate that this end sends and does not read
    def __init__(self, der: bytes) -> None:
        self.der = der
        self.issuer = b"\x30\0"
        self.subject = b"\x30\0"

    def matches(self, id_type: int, id_data: bytes) -> bool:
        return True


def _change(end: End, change: Callable[[ConnectionConfiguration], ConnectionConfiguration]) -> None:
    configuration = end.endpoint.configuration
    (one,) = configuration.connections
    end.endpoint.configuration = replace(configuration, connections=(change(one),))


def _name(end: End, own: Identity) -> None:
    """An end claims another identity."""
    _change(end, lambda one: replace(one, local=replace(one.local, identity=own)))


def refused(world: World) -> None:
    """The responder does not accept the initiator."""
    world.initiate()
    world.run()
    world.sleep(120.0)
    assert not world.responder.of(IkeSaEstablished, ChildSaEstablished)
    assert not world.responder.endpoint.child_sas
    assert world.responder.count == 0
    assert all(line.isprintable() and len(line) < 2000 for end in world.ends for line in end.lines)


def honest_signer(key: Any) -> Signer:
    """Signs with ECDSA P-256 as it should."""

    def sign(scheme_name: str, message: bytes) -> bytes:
        signature: bytes = key.sign(message, ec.ECDSA(hashes.SHA256()))
        return signature

    return Signer(spki_of(key), "ecdsa-256", sign)


def test_row_54_cve_2020_16088_the_honest_signature_of_these_tests_is_accepted() -> None:
    world = signature_world(2, leaf(FAST_KEYS[1]), honest_signer(FAST_KEYS[1]))
    world.initiate()
    world.run()
    assert world.responder.of(IkeSaEstablished), world.responder.lines


# Identities.


def odd_identities() -> Iterator[tuple[int, bytes]]:
    """Such that a comparison could read too far, or take one kind for another."""
    name = PKI.distinguished_name("C=CH, O=Lab, CN=initiator")
    for length in range(len(name)):
        yield IdType.ID_DER_ASN1_DN, name[:length]
    yield from ((IdType.ID_DER_ASN1_DN, name + b"\0"), (IdType.ID_DER_ASN1_DN, name * 2))
    for data in (b"0", b"\x30", b"\x30\x80", b"", b"\x30\x84\xff\xff\xff\xff", b"\x30\x82\0", b"\x31\0", b"\x30\0"):
        for id_type in (IdType.ID_DER_ASN1_DN, IdType.ID_FQDN, IdType.ID_RFC822_ADDR, IdType.ID_KEY_ID, 10, 0, 200):
            yield id_type, data
    nested = b""
    for _ in range(400):
        nested = encode(0x30, nested)
    yield IdType.ID_DER_ASN1_DN, nested
    yield IdType.ID_DER_ASN1_DN, encode(0x30, encode(0x31, encode(0x30, b"\x06\x03\x55\x04\x03\x0c\x7fabc")))


@pytest.mark.parametrize("method", ["psk", "pubkey"])
def test_row_31_cve_2013_6075_and_row_32_cve_2013_5018_identities_in_der(method: str) -> None:
    wanted = Identity(IdType.ID_DER_ASN1_DN, PKI.distinguished_name("C=CH, O=Lab, CN=initiator"))
    for id_type, data in odd_identities():
        world = World(2, method=method, fragmentation=False)
        _change(world.responder, lambda one: replace(one, remote=replace(one.remote, identity=wanted)))
        other = IdentificationInitiator(int(id_type), data)
        with altered_payloads(world, world.initiator, with_payload(IdentificationInitiator, _put(other))):
            refused(world)


def _put(other: Payload) -> Callable[[Any], Payload]:
    return lambda _: other


def test_row_31_cve_2013_6075_and_row_32_cve_2013_5018_identities_of_ikev1() -> None:
    wanted = Identity(IdType.ID_DER_ASN1_DN, PKI.distinguished_name("C=CH, O=Lab, CN=initiator"))
    for id_type, data in odd_identities():
        world = World(1)
        _change(world.responder, lambda one: replace(one, remote=replace(one.remote, identity=wanted)))
        _name(world.initiator, Identity(int(id_type), data))
        refused(world)


# AUTH.


def bad_signatures() -> Iterator[bytes]:
    """Empty, of zeros, r and s zero, of the order of the curve."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    yield from (b"", b"\0", bytes(64), bytes(70), b"\xff" * 64, b"\x30\0", b"\x30\x80", b"x" * 60_000)
    for r in (0, 1, order, order + 1):
        for s in (0, 1, order):
            yield r.to_bytes(32) + s.to_bytes(32)
            integers = b"".join(encode(0x02, value.to_bytes(value.bit_length() // 8 + 1)) for value in (r, s))
            yield encode(0x30, integers)


@pytest.mark.parametrize("method", [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 255])
def test_row_33_cve_2013_2944_signatures_that_are_none(method: int) -> None:
    for signature in bad_signatures():
        for data in (signature, bytes((len(ECDSA_SHA256),)) + ECDSA_SHA256 + signature):
            world = World(2, method="pubkey", fragmentation=False)
            change = with_payload(Authentication, _put(Authentication(method, data)))
            with altered_payloads(world, world.initiator, change):
                world.initiate()
                world.run()
            assert not world.responder.of(IkeSaEstablished)
            assert not world.responder.endpoint.child_sas


@pytest.mark.parametrize("version", [1, 2])
def test_row_33_cve_2013_2944_signatures_that_are_none_by_the_key_itself(version: int) -> None:
    for signature in bad_signatures():
        signer = Signer(spki_of(FAST_KEYS[1]), "ecdsa-256", constant(signature))
        refused(signature_world(version, leaf(FAST_KEYS[1]), signer))


def cube_root(value: int) -> int:
    """The least number whose cube is not less."""
    low, high = 0, 1 << (value.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < value else (low, middle)
    return low


DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def forgeries(digest: bytes, octets: int) -> Iterator[bytes]:
    """What a cube root can be taken of: the right beginning, and then anything."""
    for prefix in (
        b"\0\1" + b"\xff" * 8 + b"\0" + DIGEST_INFO + digest,
        b"\0\1" + b"\0" + DIGEST_INFO + digest,
        b"\0\1" + b"\xff" * 8 + b"\0" + digest,
        b"\0\1" + b"\xff" * 8 + b"\0" + DIGEST_INFO[:-2] + b"\4\1" + digest[:1],
    ):
        yield cube_root(int.from_bytes(prefix + bytes(octets - len(prefix)))).to_bytes(octets)


def test_row_34_cve_2018_16151_forged_pkcs1_signatures_with_exponent_three() -> None:
    key = rsa.generate_private_key(3, 2048)
    numbers = key.public_key().public_numbers()
    assert numbers.e == 3
    message = b"signed octets"
    hasher = hashes.Hash(hashes.SHA256())
    hasher.update(message)
    public = PycaPublicKey(spki_of(key))
    good = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    public.verify("rsa-pkcs1-sha256", message, good)
    digest = hasher.finalize()
    for forged in forgeries(digest, 256):
        opened = pow(int.from_bytes(forged), 3).to_bytes(256)
        assert opened[:2] == b"\0\1", "this is no forgery at all"
        with pytest.raises(RejectedError):
            public.verify("rsa-pkcs1-sha256", message, forged)

    def sign(_scheme_name: str, signed: bytes) -> bytes:
        own = hashes.Hash(hashes.SHA256())
        own.update(signed)
        return next(forgeries(own.finalize(), 256))

    refused(signature_world(2, leaf(key, digest=hashes.SHA256()), Signer(spki_of(key), "rsa", sign)))


def rsa_spki(modulus: int, exponent: int) -> bytes:
    """An RSA key with any numbers."""
    integers = b"".join(encode(0x02, value.to_bytes(value.bit_length() // 8 + 1)) for value in (modulus, exponent))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return encode(0x30, algorithm + encode(0x03, b"\0" + encode(0x30, integers)))


@pytest.mark.parametrize("version", [1, 2])
def test_row_35_cve_2017_9022_and_cve_2018_17540_odd_rsa_keys(version: int) -> None:
    key = rsa.generate_private_key(65537, 2048)
    n = key.public_key().public_numbers().n
    for modulus, exponent in (
        (n + 1, 65537),
        (n, 0),
        (n, 1),
        (n, 2),
        (n, 65536),
        (n, 1 << 200),
        (0, 65537),
        (1, 3),
        (15, 3),
        ((1 << 512) - 1, 3),
        ((1 << 16384) - 1, 65537),
    ):
        spki = rsa_spki(modulus, exponent)
        for signature in (b"", b"\0", b"\1", bytes(256), b"\xff" * 256, (n - 1).to_bytes(256)):
            signer = Signer(spki, "rsa", constant(signature))
            refused(signature_world(version, leaf(FAST_KEYS[1], spki), signer))
    # Signatures that are not below the modulus, and of other lengths, for a key that is as it should be.
    for value in (n, n + 1, n - 1, (1 << 2048) - 1):
        for octets in (256, 257, 1024):
            signer = Signer(spki_of(key), "rsa", constant(value.to_bytes(octets)))
            refused(signature_world(version, leaf(key), signer))


def odd_pss() -> Iterator[bytes]:
    """AlgorithmIdentifiers of RSASSA-PSS whose parameters are absent, empty, contradictory or huge."""
    oid = bytes.fromhex("06092a864886f70d01010a")
    sha256 = bytes.fromhex("300d06096086480165030402010500")
    mgf = encode(0x30, bytes.fromhex("06092a864886f70d010108") + sha256)
    mgf_bare = encode(0x30, bytes.fromhex("06092a864886f70d010108"))

    def parameters(*parts: bytes) -> bytes:
        return encode(0x30, oid + encode(0x30, b"".join(parts)))

    yield encode(0x30, oid)
    yield encode(0x30, oid + b"\5\0")
    yield parameters()
    yield parameters(encode(0xA0, sha256))
    yield parameters(encode(0xA0, sha256), encode(0xA1, mgf_bare))
    yield parameters(encode(0xA1, mgf))
    for salt in (b"", b"\0", b"\x7f\xff\xff\xff", b"\xff", b"\0\xff\xff\xff\xff", b"\x80\0\0\0", b"\x21", b"\0\xe0"):
        yield parameters(encode(0xA0, sha256), encode(0xA1, mgf), encode(0xA2, encode(0x02, salt)))
    yield parameters(encode(0xA0, sha256), encode(0xA1, mgf), encode(0xA2, b"\2\1\x20"), encode(0xA3, b"\2\1\2"))
    yield b"\x30\x80" + oid
    yield b""


def test_row_36_cve_2018_6459_and_cve_2021_41990_odd_pss_parameters() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

    def sign(_scheme_name: str, message: bytes) -> bytes:
        signature: bytes = key.sign(message, pss, hashes.SHA256())
        return signature

    for identifier in odd_pss():
        for length in (len(identifier), 255, 0):

            def change(each: Any, identifier: bytes = identifier, length: int = length) -> Payload:
                own = each.data[1 + each.data[0] :]
                return Authentication(AuthMethod.DIGITAL_SIGNATURE, bytes((length & 255,)) + identifier + own)

            world = signature_world(2, leaf(key, digest=hashes.SHA256()), Signer(spki_of(key), "rsa", sign))
            with altered_payloads(world, world.initiator, with_payload(Authentication, change)):
                refused(world)


@pytest.mark.parametrize("method", ["psk", "pubkey"])
@pytest.mark.parametrize("version", [1, 2])
def test_row_37_cve_2015_4171_a_responder_that_is_somebody_else(version: int, method: str) -> None:
    """The initiator sets nothing up, and tells the peer nothing more than that."""
    world = World(version, method=method, fragmentation=False)
    _change(
        world.initiator,
        lambda one: replace(one, remote=replace(one.remote, identity=identity("somebody-else"))),
    )
    # The responder itself would take the initiator.
    _change(world.responder, lambda one: replace(one, children=one.children))
    world.initiate()
    world.run()
    assert not world.initiator.of(IkeSaEstablished, ChildSaEstablished)
    world.sleep(300.0)
    assert world.initiator.of(IkeSaFailed)
    assert not world.initiator.of(IkeSaEstablished, ChildSaEstablished)
    assert world.initiator.count == 0
    assert world.responder.count == 0 or version == 1


# Certificates.


def odd_certificates() -> Iterator[bytes]:
    """Nested, endless, empty and contradictory."""
    yield from (b"", b"\x30", b"\x30\0", b"\x30\x80\0\0", b"\x30\x84\xff\xff\xff\xff", b"0" * 60_000)
    nested = b""
    while len(nested) < 20_000:
        nested = encode(0xA4, encode(0x30, nested))
    for critical in (False, True):
        # directoryName within directoryName: a CHOICE that refers to itself (CVE-2017-9023).
        names = encode(0x30, nested)
        san = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), names)
        yield leaf(FAST_KEYS[1], alternative_names=(), extensions=[(san, critical)])
        constraints = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), encode(0x30, encode(0xA0, nested)))
        yield leaf(FAST_KEYS[1], extensions=[(constraints, critical)])
    good = leaf(FAST_KEYS[1])
    for position in range(0, len(good), 7):
        yield good[:position] + bytes((good[position] ^ 0x80,)) + good[position + 1 :]
        yield good[:position]


def test_row_43_cve_2017_9023_certificates_that_do_not_end() -> None:
    for der in odd_certificates():
        within_budget(_load, der)
        world = signature_world(2, der, honest_signer(FAST_KEYS[1]))
        refused(world)


def _load(der: bytes) -> None:
    try:
        PKI.load_certificate(der)
    except RejectedError:
        return


def test_row_43_cve_2026_35331_names_that_an_authority_may_not_issue() -> None:
    constraints = x509.NameConstraints([x509.DNSName("elsewhere.example")], None)
    for critical in (False, True):
        middle = Template(
            "middle",
            FAST_KEYS[2],
            issuer="root",
            signer=FAST_KEYS[0],
            authority=True,
            extensions=[(constraints, critical)],
        ).der()
        der = leaf(FAST_KEYS[1], issuer="middle", signer=FAST_KEYS[2])
        world = signature_world(2, der, honest_signer(FAST_KEYS[1]))
        with altered_payloads(world, world.initiator, _with_certificates(middle)):
            refused(world)


def _with_certificates(*others: bytes, encoding: int = CertificateEncoding.X509_CERTIFICATE_SIGNATURE) -> Change:
    def change(payloads: list[Payload]) -> list[Payload]:
        index = next((i for i, each in enumerate(payloads) if isinstance(each, Certificate)), None)
        if index is None:
            return payloads
        added: list[Payload] = [Certificate(encoding, der) for der in others]
        return [*payloads[: index + 1], *added, *payloads[index + 1 :]]

    return change


def test_row_43_cve_2017_9023_many_certificates_cost_little() -> None:
    """Each of them claims to have issued the one before, and none is trusted."""
    others = [Template("root", FAST_KEYS[n % 12], issuer="root", authority=True).der() for n in range(3, 60)]
    der = leaf(FAST_KEYS[1], issuer="nobody", signer=FAST_KEYS[11])
    more = [Template("nobody", FAST_KEYS[n % 12], issuer="nobody", authority=True).der() for n in range(40)]
    for row in (others, more, [der] * 100):
        world = signature_world(2, der, honest_signer(FAST_KEYS[1]))
        with altered_payloads(world, world.initiator, _with_certificates(*row)):
            world.initiate()
            world.step()
        request = world.initiator.sent.popleft().data
        assert request[18] == ExchangeType.IKE_AUTH
        spent: list[None] = []

        def feed(_: bytes, world: World = world, request: bytes = request, spent: list[None] = spent) -> None:
            if not spent:
                world.feed(world.responder, request)
            spent.append(None)

        within_budget(feed, b"", 0.25)
        assert not world.responder.of(IkeSaEstablished)


def test_row_44_cve_2022_40617_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before a certificate is trusted nor afterwards: there is no code that could."""

    def forbidden(*arguments: Any, **named: Any) -> NoReturn:
        raise AssertionError(f"the network is used: {arguments}")

    for owner, name in ((socket, "socket"), (socket, "getaddrinfo"), (urllib.request, "urlopen")):
        monkeypatch.setattr(owner, name, forbidden)
    url = x509.UniformResourceIdentifier("http://192.0.2.66/x")
    points = x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)])
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, url),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url),
        ]
    )
    der = leaf(FAST_KEYS[1], extensions=[(points, False), (access, False)])
    world = signature_world(2, der, honest_signer(FAST_KEYS[1]))
    by_url = bytes(20) + b"http://192.0.2.66/certificate"
    with altered_payloads(
        world,
        world.initiator,
        _with_certificates(by_url, encoding=CertificateEncoding.HASH_AND_URL_OF_X509_CERTIFICATE),
    ):
        world.initiate()
        world.run()
    assert world.responder.of(IkeSaEstablished), world.responder.lines
    untrusted = leaf(FAST_KEYS[1], issuer="nobody", signer=FAST_KEYS[3], extensions=[(points, False), (access, False)])
    refused(signature_world(2, untrusted, honest_signer(FAST_KEYS[1])))


def test_row_44_cve_2022_40617_nothing_that_reads_certificates_can_reach_the_network() -> None:
    package = Path(ipsecbench.__file__).parent
    for folder in ("providers", "ike", "wire", "algorithms"):
        for path in (package / folder).rglob("*.py"):
            imported = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text()))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert imported.isdisjoint({"socket", "urllib", "http", "ssl", "asyncio", "requests", "httpx"}), path


@pytest.mark.parametrize("version", [1, 2])
def test_row_54_cve_2020_16088_another_key_than_the_certificates(version: int) -> None:
    other = honest_signer(FAST_KEYS[2])
    refused(signature_world(version, leaf(FAST_KEYS[1]), other))
    # The same with the certificate of the key that signs beside it, first or last.
    own = Template("mallory", FAST_KEYS[2], issuer="mallory").der()
    if version == 2:
        world = signature_world(version, leaf(FAST_KEYS[1]), other)
        with altered_payloads(world, world.initiator, _with_certificates(own)):
            refused(world)
        world = signature_world(version, own, other)
        with altered_payloads(world, world.initiator, _with_certificates(leaf(FAST_KEYS[1]))):
            refused(world)


# Logs.

NASTY = (
    b"$(reboot)`id`;|&'\"",
    b"a\nforged: line",
    b"\x1b]0;title\x07\x1b[2J",
    b"%s%n%x{0}",
    b"\r\x08\x7f\x9b",
    "‮evil​".encode(),
    b"\xff\xfe\0" * 50,
    b"A" * 60_000,
)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("version", [1, 2])
def test_row_55_cve_2023_28771_what_a_peer_says_is_only_text(version: int, text: bytes) -> None:
    """Every line of the log can be shown on a terminal, is one line, and is not too long."""
    short = text[:255]
    world = World(version)
    for id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR, IdType.ID_DER_ASN1_DN, IdType.ID_KEY_ID, 200):
        name = encode(0x30, encode(0x31, encode(0x30, b"\6\3\x55\4\3" + encode(0x0C, text))))
        peer = Identity(int(id_type), name if id_type == IdType.ID_DER_ASN1_DN else text)
        assert peer.text.isprintable()
        assert len(peer.text) < 2000
        strange = World(version)
        _name(strange.initiator, peer)
        strange.initiate()
        strange.run()
        strange.sleep(120.0)
        assert strange.responder.lines
        for end in strange.ends:
            assert all(line.isprintable() and len(line) < 2000 for line in end.lines), end.lines
    world.establish()
    if version == 2:
        told = HostileV2(world)
        told.request(
            ExchangeType.INFORMATIONAL,
            [Notify(NotifyType.INVALID_SYNTAX, text), Notify(40000, short), VendorId(short), Notify(7, b"", 3, short)],
        )
        told.request(ExchangeType.INFORMATIONAL, [CertificateRequest(4, short), Certificate(4, text)])
    else:
        old = HostileV1(world)
        old.send(
            V1ExchangeType.INFORMATIONAL,
            [NotificationPayload(1, b"", 7, text), NotificationPayload(3, short, 16, short), OctetsPayload(13, short)],
        )
        old.send(V1ExchangeType.QUICK_MODE, [IdPayload(2, text)])
    world.responder.sent.clear()
    still_serves(world)


def test_row_55_cve_2023_28771_no_shell_is_ever_started() -> None:
    """No order in the package goes through a shell, so that nothing can be put into one."""
    package = Path(ipsecbench.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert not any(keyword.arg == "shell" for keyword in node.keywords), path
                name = ast.unparse(node.func)
                assert name not in ("os.system", "os.popen", "subprocess.getoutput", "eval", "exec"), (path, name)


def _more(more: list[Payload], own: list[Payload]) -> list[Payload]:
    return [*own, *more]


def test_row_55_cve_2023_28771_vendor_ids_of_strangers() -> None:
    world = World(2)
    honest = first_message(world)
    for text in NASTY:
        payloads: list[Payload] = [VendorId(text), Notify(NotifyType.COOKIE, text), Notify(1, text)]
        world.feed(world.responder, init_variant(honest, functools.partial(_more, payloads)))
    still_serves(world)
