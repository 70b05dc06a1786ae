"""Distinguished names: against the names that ``cryptography`` and OpenSSL make, and with hostile octets."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import UsageError
from ipsecbench.providers.der import encode
from ipsecbench.providers.distinguished_name import encode_name, name_text, names_equal
from tests.unit.providers.public_key_infrastructure import FAST_KEYS, Template, name


def test_a_name_in_the_order_of_its_text() -> None:
    assert encode_name("C=CH, O=Lab, CN=moon") == name("moon").public_bytes().replace(
        b"\x0c\x03Lab", b"\x13\x03Lab"
    ).replace(b"\x0c\x04moon", b"\x13\x04moon")
    assert name_text(name("moon").public_bytes()) == "C=CH, O=Lab, CN=moon"
    assert encode_name("C=CH,O=Lab,CN=moon") == encode_name("  C = CH , o = Lab,  cn=moon")
    assert names_equal(encode_name("C=CH, O=Lab, CN=moon"), name("moon").public_bytes())
    assert not names_equal(encode_name("CN=moon, O=Lab, C=CH"), name("moon").public_bytes())


@pytest.mark.parametrize(
    ("text", "oid"),
    [
        ("ST=Zürich", NameOID.STATE_OR_PROVINCE_NAME),
        ("L=Rapperswil", NameOID.LOCALITY_NAME),
        ("OU=R\\, D", NameOID.ORGANIZATIONAL_UNIT_NAME),
        ("CN=*.lab.example", NameOID.COMMON_NAME),
        ("E=carol@lab.example", NameOID.EMAIL_ADDRESS),
        ("DC=example", NameOID.DOMAIN_COMPONENT),
        ("UID=carol", NameOID.USER_ID),
        ("SN=12", NameOID.SERIAL_NUMBER),
        ("2.5.4.15=Private", NameOID.BUSINESS_CATEGORY),
        ("T=Dr.", NameOID.TITLE),
    ],
)
def test_types_and_kinds_of_strings(text: str, oid: x509.ObjectIdentifier) -> None:
    der = encode_name(text)
    value = text.partition("=")[2].replace("\\", "")
    assert names_equal(der, x509.Name([x509.NameAttribute(oid, value)]).public_bytes())
    assert name_text(der) == text


def test_openssl_reads_the_same(tmp_path: Path) -> None:
    tmp_path.joinpath("der").write_bytes(Template("moon, the", FAST_KEYS[0]).der())
    shown = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", "der", "-noout", "-subject", "-nameopt", "oneline"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    ).stdout
    assert shown == 'subject=C = CH, O = Lab, CN = "moon, the"\n'
    assert name_text(name("moon, the").public_bytes()) == "C=CH, O=Lab, CN=moon\\, the"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must not be empty"),
        ("  ", "must not be empty"),
        ("moon", "'moon' in a distinguished name is no TYPE=VALUE"),
        ("C=CH, moon", "'moon' in a distinguished name is no TYPE=VALUE"),
        ("C=CH, X=moon", "'X=moon' in a distinguished name"),
        ("C=CH, CN=", "CN has no value"),
        ("9.1=x", "'9.1=x' in a distinguished name"),
    ],
)
def test_texts_that_are_no_name(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        encode_name(text)


def test_names_that_are_the_same() -> None:
    one = encode_name("O=Strong Lab, CN=moon")
    for text in ("O=strong lab, CN=MOON", "O=Strong   Lab, CN=moon", "O=\\20Strong Lab, CN=moon\\20"):
        assert names_equal(one, encode_name(text))
    for text in ("O=StrongLab, CN=moon", "O=Strong Lab", "OU=Strong Lab, CN=moon", "O=Strong Lab, CN=moon, CN=moon"):
        assert not names_equal(one, encode_name(text))
    universal = encode(
        0x30, encode(0x31, encode(0x30, b"\x06\x03U\x04\x03" + encode(0x1E, "moon".encode("utf-16-be"))))
    )
    assert names_equal(encode_name("CN=moon"), universal)


def test_what_does_not_print_is_escaped() -> None:
    def common_name(tag: int, octets: bytes) -> bytes:
        return encode(0x30, encode(0x31, encode(0x30, b"\x06\x03U\x04\x03" + encode(tag, octets))))

    assert name_text(common_name(0x13, b"a\n\x1b[31m\0b")) == "CN=a\\0a\\1b[31m\\00b"
    assert name_text(common_name(0x0C, "\u202eevil".encode())) == "CN=\\e2\\80\\aeevil"
    assert name_text(common_name(0x04, b"\x01\x02")) == "CN=#0102"
    assert name_text(common_name(0x0C, b"\xff\xff")) == "CN=#ffff"
    assert name_text(b"\x30\x80") == "(no distinguished name: 3080)"
    assert name_text(b"") == "(no distinguished name: )"
    assert len(name_text(common_name(0x0C, b"x" * 20000))) < 1100


@given(st.binary(max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_octets_have_a_text(octets: bytes) -> None:
    for der in (octets, encode(0x30, octets), encode(0x30, encode(0x31, encode(0x30, octets)))):
        shown = name_text(der)
        assert shown.isprintable()
        assert names_equal(der, der)
        assert not names_equal(der, der + b"\0")


_VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(lambda text: bool(text.strip()))


@given(st.lists(st.tuples(st.sampled_from(["C", "O", "OU", "CN", "E", "DC"]), _VALUES), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_shown_name_can_be_read_again(attributes: list[tuple[str, str]]) -> None:
    text = ", ".join(f"{kind}={_escaped(value)}" for kind, value in attributes)
    der = encode_name(text)
    assert encode_name(name_text(der)) == der


def _escaped(value: str) -> str:
    return "".join(f"\\{octet:02x}" for octet in value.encode())
