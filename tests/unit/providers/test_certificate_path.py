"""Certification paths: the good ones that OpenSSL also takes, and one defect at a time."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ipsecbench.errors import RejectedError
from ipsecbench.providers.certificate_path import LONGEST_PATH, MOST_SIGNATURES
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from tests.unit.providers.public_key_infrastructure import FAST_KEYS, NOW_SECONDS, Template, authority, key

PKI = PycaPublicKeyInfrastructure()
ROOT_KEY, MIDDLE_KEY, LEAF_KEY = FAST_KEYS[:3]
ROOT = authority("root", ROOT_KEY)
MIDDLE = authority("middle", MIDDLE_KEY, issuer="root", signer=ROOT_KEY, path_length=0)


def leaf(**changes: Any) -> bytes:
    fields: dict[str, Any] = {"issuer": "middle", "signer": MIDDLE_KEY} | changes
    return Template("moon", LEAF_KEY, **fields).der()


def verify(der: bytes, intermediates: tuple[bytes, ...] = (MIDDLE,), anchors: tuple[bytes, ...] = (ROOT,)) -> None:
    load = PKI.load_certificate
    PKI.verify_chain(load(der), [load(each) for each in intermediates], [load(each) for each in anchors], NOW_SECONDS)


def pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()


def openssl_takes(path: Path, der: bytes, intermediates: tuple[bytes, ...], anchors: tuple[bytes, ...]) -> bool:
    for file, certificates in (("leaf", (der,)), ("middle", intermediates), ("root", anchors)):
        path.joinpath(file).write_text("".join(map(pem, certificates)))
    command = ["openssl", "verify", "-attime", str(int(NOW_SECONDS)), "-CAfile", "root"]
    if intermediates:
        command += ["-untrusted", "middle"]
    return subprocess.run([*command, "leaf"], cwd=path, capture_output=True, check=False, timeout=20).returncode == 0


@pytest.mark.parametrize("pss", [False, True])
@pytest.mark.parametrize(
    "kind", ["rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448"]
)
def test_paths_of_every_kind_of_key(tmp_path: Path, kind: str, pss: bool) -> None:
    if pss and not kind.startswith("rsa"):
        return
    own = key(kind)
    digest = hashes.SHA512() if kind == "ecdsa-521" else hashes.SHA384() if kind == "ecdsa-384" else hashes.SHA256()
    root = authority("root", own, digest=digest, pss=pss)
    middle = authority("middle", own, issuer="root", signer=own, digest=digest, pss=pss)
    end = leaf(signer=own, digest=digest, pss=pss)
    verify(end, (middle,), (root,))
    assert openssl_takes(tmp_path, end, (middle,), (root,))
    with pytest.raises(RejectedError, match="'C=CH, O=Lab, CN=moon' is not signed by 'C=CH, O=Lab, CN=middle'"):
        verify(end[:-1] + bytes([end[-1] ^ 1]), (middle,), (root,))
    assert PKI.load_certificate(end).public_key.key_type == "ecdsa-256"
    assert PKI.load_certificate(root).public_key.key_type == kind.partition("-")[0] if kind[0] == "r" else kind


def test_good_paths_of_other_shapes() -> None:
    other = authority("middle", FAST_KEYS[5], issuer="root", signer=ROOT_KEY)
    verify(leaf(), (other, MIDDLE))  # two authorities of one name; only one has signed
    verify(leaf(issuer="root", signer=ROOT_KEY), ())
    verify(leaf(), (), (MIDDLE,))  # an anchor need not be signed by itself
    verify(leaf(), (ROOT, MIDDLE))  # the peer sends the anchor as well
    verify(leaf(key_usage=None, authority=None))
    verify(leaf(key_usage=("content_commitment",)))
    for purpose in ("1.3.6.1.5.5.7.3.17", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"):
        verify(leaf(purposes=("1.3.6.1.5.5.7.3.3", purpose)))
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)])
    verify(leaf(extensions=[(policies, True)]))
    alone = Template("sun", LEAF_KEY).der()
    verify(alone, (), (alone,))  # trusted by itself


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
PERMITTED = x509.NameConstraints([x509.DNSName("lab.example")], None)
_ISSUE = "x509 -req -in request -CA ca -CAkey key -set_serial 7 -days 9 -outform DER -out weak"
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("expired on 2026-05-31", {"days": (-30, -1)}),
    ("is not valid before 2026-06-02", {"days": (1, 30)}),
    ("is not for signatures", {"key_usage": ("key_encipherment",)}),
    ("is not for signatures", {"key_usage": ("key_cert_sign",), "authority": True}),
    ("is not for IKE", {"purposes": ("1.3.6.1.5.5.7.3.3",)}),
    ("critical extension not understood here: 1.3.6.1.4.1.99999.1", {"extensions": [(UNKNOWN, True)]}),
    ("has name constraints", {"extensions": [(PERMITTED, False)]}),
    ("is not signed by", {"signer": FAST_KEYS[9]}),
    ("no certificate of its issuer 'C=CH, O=Lab, CN=nobody'", {"issuer": "nobody"}),
]


@pytest.mark.parametrize(("message", "changes"), MESSAGES)
def test_a_defect_of_the_leaf(message: str, changes: dict[str, Any]) -> None:
    with pytest.raises(RejectedError, match=message) as caught:
        verify(leaf(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "option", "named"),
    [
        ("rsa-2048", "-sha1", "sha1WithRSAEncryption"),
        ("rsa-2048", "-md5", "md5WithRSAEncryption"),
        ("rsa-2048", "-sha224", "sha224WithRSAEncryption"),
        ("ecdsa-256", "-sha1", "ecdsa-with-SHA1"),
    ],
)
def test_weak_hashes_are_refused(tmp_path: Path, kind: str, option: str, named: str) -> None:
    """Made by OpenSSL, because the library of the tests signs nothing with them any more."""
    own = key(kind)
    tmp_path.joinpath("key").write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for arguments in (
        ["req", "-new", "-key", "key", "-subj", "/CN=weak", "-out", "request"],
        ["req", "-x509", "-key", "key", "-subj", "/CN=CA", "-out", "ca", "-days", "9"],
        [
            *[
                "x509",
                "-req",
                "-in",
                "request",
                "-CA",
                "ca",
                "-CAkey",
                "key",
                "-set_serial",
                "7",
                "-days",
                "9",
                "-outform",
                "DER",
                "-out",
                "weak",
            ],
            option,
        ],
    ):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=20)
    weak = PKI.load_certificate(tmp_path.joinpath("weak").read_bytes())
    (anchor,) = PKI.load_certificates(tmp_path.joinpath("ca").read_bytes())
    with pytest.raises(RejectedError, match=f"signed with {named}, which is not accepted"):
        PKI.verify_chain(weak, [], [anchor], weak.not_before.timestamp())


AUTHORITY_DEFECTS: list[tuple[str, dict[str, Any]]] = [
    ("is not that of an authority", {"authority": False}),
    ("is not that of an authority", {"authority": None, "key_usage": ("key_cert_sign",)}),
    ("is not for signing certificates", {"key_usage": ("digital_signature",)}),
    ("expired", {"days": (-30, -1)}),
    ("critical extension not understood", {"extensions": [(UNKNOWN, True)]}),
    ("has name constraints", {"extensions": [(PERMITTED, True)]}),
    ("is not for IKE", {"purposes": ("1.3.6.1.5.5.7.3.9",)}),
]


@pytest.mark.parametrize(("message", "changes"), AUTHORITY_DEFECTS)
def test_a_defect_of_an_authority(message: str, changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"issuer": "root", "signer": ROOT_KEY} | changes
    middle = authority("middle", MIDDLE_KEY, **fields)
    with pytest.raises(RejectedError, match=message):
        verify(leaf(), (middle,))
    if message != "expired":
        root = authority("root", ROOT_KEY, **changes)
        with pytest.raises(RejectedError, match=message):
            verify(leaf(), (MIDDLE,), (root,))


def test_the_length_of_a_path_is_limited(tmp_path: Path) -> None:
    low = authority("low", FAST_KEYS[4], issuer="middle", signer=MIDDLE_KEY)
    end = leaf(issuer="low", signer=FAST_KEYS[4])
    assert not openssl_takes(tmp_path, end, (MIDDLE, low), (ROOT,))
    with pytest.raises(RejectedError, match="CN=middle' allows 0 authorities below it, not 1"):
        verify(end, (MIDDLE, low))
    # A self-issued certificate, as for a change of keys, does not count (RFC 5280 section 4.2.1.9).
    # Without key identifiers OpenSSL takes it for one that signed itself.
    identifiers: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectKeyIdentifier.from_public_key(FAST_KEYS[4].public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(MIDDLE_KEY.public_key()), False),
    ]
    renewed = authority("middle", FAST_KEYS[4], issuer="middle", signer=MIDDLE_KEY, extensions=identifiers)
    of_leaf = x509.AuthorityKeyIdentifier.from_issuer_public_key(FAST_KEYS[4].public_key())
    end = leaf(issuer="middle", signer=FAST_KEYS[4], extensions=[(of_leaf, False)])
    assert openssl_takes(tmp_path, end, (renewed, MIDDLE), (ROOT,))
    verify(end, (renewed, MIDDLE))
    for count in (LONGEST_PATH - 2, LONGEST_PATH - 1):
        line = [authority("a0", FAST_KEYS[0], issuer="root", signer=ROOT_KEY)]
        for number in range(1, count):
            line.append(
                authority(f"a{number}", FAST_KEYS[number], issuer=f"a{number - 1}", signer=FAST_KEYS[number - 1])
            )
        end = leaf(issuer=f"a{count - 1}", signer=FAST_KEYS[count - 1])
        if count == LONGEST_PATH - 2:
            verify(end, tuple(reversed(line)))
        else:
            with pytest.raises(RejectedError, match=f"more than {LONGEST_PATH} certificates"):
                verify(end, tuple(line))


def test_the_work_for_a_path_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Authorities of one name that sign each other make a number of paths that grows exponentially."""
    certificates = []
    for own in FAST_KEYS[:6]:
        for signer in FAST_KEYS[:6]:
            certificates.append(PKI.load_certificate(authority("loop", own, issuer="loop", signer=signer)))
    verified = 0
    original = type(certificates[0]).verify_issued_by

    def counted(self: Any, issuer: Any) -> None:
        nonlocal verified
        verified += 1
        original(self, issuer)

    monkeypatch.setattr(type(certificates[0]), "verify_issued_by", counted)
    end = PKI.load_certificate(leaf(issuer="loop", signer=FAST_KEYS[3]))
    with pytest.raises(RejectedError):
        PKI.verify_chain(end, certificates, [PKI.load_certificate(ROOT)], NOW_SECONDS)
    assert 1 < verified <= MOST_SIGNATURES


def test_nothing_else_is_trusted() -> None:
    with pytest.raises(RejectedError, match="no certificate of its issuer"):
        verify(leaf(), (MIDDLE,), ())
    with pytest.raises(RejectedError, match="no certificate of its issuer"):
        verify(leaf(), (MIDDLE, ROOT), (authority("other", ROOT_KEY),))
    imitation = authority("root", FAST_KEYS[8])
    with pytest.raises(RejectedError, match="CN=middle' is not signed by 'C=CH, O=Lab, CN=root'"):
        verify(leaf(), (MIDDLE,), (imitation,))
    alone = Template("sun", LEAF_KEY).der()
    with pytest.raises(RejectedError, match="CN=sun'"):
        verify(alone, (), (ROOT,))
    nameless = Template("", LEAF_KEY).der()
    with pytest.raises(RejectedError, match="names no issuer"):
        verify(nameless, (), (ROOT,))


def test_keys_that_are_too_weak_or_of_another_kind() -> None:
    with pytest.raises(RejectedError, match="keys on the curve secp256k1 are not used"):
        PKI.load_certificate(Template("k1", ec.derive_private_key(5, ec.SECP256K1())).der())
