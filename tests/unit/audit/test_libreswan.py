"""Reading libreswan's ipsec.conf and its proposals.

What each proposal means is what libreswan's own parser says of it (testing/pluto/algparse-01 at 0c4e3ecc, IKEv2).
"""

from __future__ import annotations

import pytest

from ipsecbench.audit.configuration import Exchange
from ipsecbench.audit.libreswan import read_libreswan
from ipsecbench.audit.libreswan_proposals import parse_offers
from ipsecbench.errors import UsageError

GROUPS = ("ecp256", "ecp384", "ecp521", "x25519", "modp4096", "modp3072", "modp2048", "modp8192")


@pytest.mark.parametrize(
    ("text", "encryption", "prf", "integrity", "exchange"),
    [
        ("aes_gcm256-sha2_512;dh19", ("aes256gcm16",), ("prfsha512",), (), ("ecp256",)),
        ("aes_gcm_16_128-sha2_256", ("aes128gcm16",), ("prfsha256",), (), GROUPS),
        ("aes-128-sha1-modp2048", ("aes128",), ("prfsha1",), ("sha1",), ("modp2048",)),
        ("aes256-sha2", ("aes256",), ("prfsha256",), ("sha256",), GROUPS),
        ("aes+3des-sha2+sha1;modp4096+dh31", ("aes256", "aes128", "3des"), ("prfsha256", "prfsha1"),
         ("sha1", "sha256"), ("modp4096", "x25519")),
        # The 96-bit name is an integrity transform only: the PRF comes behind it, or is libreswan's own.
        ("aes256-sha1_96-sha2-ecp_521", ("aes256",), ("prfsha256",), ("sha1",), ("ecp521",)),
        ("aes256-sha2_256+sha1_96", ("aes256",), ("prfsha512", "prfsha256"), ("sha256", "sha1"), GROUPS),
        ("chacha20_poly1305-sha2_512-dh31", ("chacha20poly1305",), ("prfsha512",), (), ("x25519",)),
    ],
)  # fmt: skip
def test_ike_proposals(
    text: str, encryption: tuple[str, ...], prf: tuple[str, ...], integrity: tuple[str, ...], exchange: tuple[str, ...]
) -> None:
    (offer,) = parse_offers(text, ike=True, version="2")
    assert (offer.encryption, offer.prf, offer.key_exchange) == (encryption, prf, exchange)
    assert set(offer.integrity) == set(integrity)


@pytest.mark.parametrize(
    ("text", "encryption", "integrity", "exchange"),
    [
        ("aes_gcm_a-128-null", ("aes128gcm8",), (), ()),
        ("aes_ccm_b-256", ("aes256ccm12",), (), ()),
        ("aes128-sha2_512;dh19", ("aes128",), ("sha512",), ("ecp256",)),
        ("3des-md5;modp1536", ("3des",), ("md5",), ("modp1536",)),
        ("aes_ctr", ("aes256ctr", "aes128ctr"), ("sha512", "sha256"), ()),
        ("camellia256-sha1", ("camellia256",), ("sha1",), ()),
        ("null-sha2_256", ("null",), ("sha256",), ()),
        ("aes128-none", ("aes128",), (), ()),
        (
            "encrypt=aes_gcm_256;ke=dh20;sn=yes;addke1=ml_kem_768".removeprefix("encrypt="),
            ("aes256gcm16",),
            (),
            ("ecp384",),
        ),
    ],
)
def test_esp_proposals(
    text: str, encryption: tuple[str, ...], integrity: tuple[str, ...], exchange: tuple[str, ...]
) -> None:
    (offer,) = parse_offers(text, ike=False, version="2")
    assert (offer.encryption, offer.integrity, offer.key_exchange) == (encryption, integrity, exchange)


def test_additional_key_exchanges_and_sequence_numbers() -> None:
    (offer,) = parse_offers("aes_gcm256;dh20;sn=yes+no;addke1=ml_kem_768+none", ike=False, version="2")
    assert offer.additional_key_exchanges == (("mlkem768", "none"),)
    assert offer.esn == (True, False)


@pytest.mark.parametrize(
    "text",
    ["", "aes-", "rot13", "aes256-sha2-sha2-sha2-modp2048-x", "aes;modp2048;rot=13", "aes_gcm256-md5-sha1_96", "sha1",
     "aes_gcm256+aes128", "aes333-sha1", "aes,,aes"],
)  # fmt: skip
def test_what_libreswan_refuses_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="proposal"):
        parse_offers(text, ike=True, version="2")


SAMPLE = """\
config setup
    plutodebug=none
conn %default
    salifetime=12h
    authby=secret
conn old
    ikev2=no
    aggrmode=yes
    ike=aes256-sha1;modp1024
    phase2alg=aes128-md5
    pfs=no
    auto=start
conn new
    keyexchange=ikev2
    authby=rsasig,ecdsa-sha2_384
    ike=aes_gcm256-sha2_512;dh20
    esp=aes_gcm256
    esn=yes
    ipsec-max-bytes=2GiB
    sha2-truncbug=yes
    auto=add
conn plain
    auto=ondemand
"""


def test_a_configuration() -> None:
    old, new, plain = read_libreswan(SAMPLE).connections
    assert (old.ike_versions, old.exchange) == (("1",), Exchange.AGGRESSIVE)
    assert old.offers[0].key_exchange == ("modp1024",)
    (child,) = old.children
    assert (child.offers[0].encryption, child.offers[0].integrity, child.perfect_forward_secrecy) == (
        ("aes128",), ("md5",), False
    )  # fmt: skip
    assert (child.life.seconds, old.life.seconds) == (43_200, 28_800)
    assert child.offers[0].esn == (False,)
    assert (new.ike_versions, new.exchange) == (("2",), None)
    assert [(method.method, method.hashes) for method in new.authentication] == [
        ("rsa", ("sha1", "sha256", "sha384", "sha512")), ("ecdsa", ("sha384",))
    ]  # fmt: skip
    (child,) = new.children
    assert (child.life.bytes, child.truncated_sha256, child.perfect_forward_secrecy) == (2 * 2**30, True, True)
    assert (child.offers[0].key_exchange, child.offers[0].esn) == ((), (True,))
    assert all(offer.implied for offer in (*plain.offers, *plain.children[0].offers))
    assert plain.children[0].offers[0].esn == (True, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conn a\n  ike=aes-rot13\n", "^line 2: ike: .*'rot13'"),
        ("conn a\n  ikev2=perhaps\n", "^line 2: ikev2"),
        ("conn a\n  pfs=perhaps\n", "^line 2: pfs"),
        ("conn a\n  esn=perhaps\n", "^line 2: esn"),
        ("conn a\n  ipsec-max-bytes=2 lorries\n", "^line 2: ipsec-max-bytes"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_libreswan(text)
