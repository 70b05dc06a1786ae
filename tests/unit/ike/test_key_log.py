"""Key log lines, against the formats that tshark 4.0 was seen to read and to decrypt with."""

from __future__ import annotations

import pytest

from ipsecbench.esp.mode import Mode
from ipsecbench.ike.events import (
    ChildSaEstablished,
    ChildSaInfo,
    IkeSaInfo,
    IkeSaKeysDerived,
    NegotiatedEsp,
    NegotiatedIke,
    SaKeys,
)
from ipsecbench.ike.identification import address_identity
from ipsecbench.ike.key_log import key_log_lines
from ipsecbench.ike.lifetime import Expiry
from ipsecbench.ike.path import Address, Path
from ipsecbench.secret import Secret

PATH = Path(Address("192.0.2.1", 500), Address("192.0.2.2", 500))


def ike(encryption: str, integrity: str | None, version: int = 2, **keys: str) -> list[str]:
    sa = IkeSaInfo(
        unique_id=1,
        version=version,
        connection="c",
        is_initiator=True,
        spi_i=bytes.fromhex("41e449ca474d1b32"),
        spi_r=bytes.fromhex("9bd76ab9713fbdd2"),
        path=PATH,
        local_identity=address_identity("192.0.2.1"),
        remote_identity=address_identity("192.0.2.2"),
        negotiated=NegotiatedIke(encryption, integrity, "prfsha256", "x25519"),
        nat_local=False,
        nat_remote=False,
        keys={name: Secret(bytes.fromhex(text)) for name, text in keys.items()},
    )
    assert "61" not in repr(sa)
    return [f"{line.table}: {line.text}" for line in key_log_lines(IkeSaKeysDerived(sa))]


def esp(encryption: str, integrity: str | None, key: bytes, mac: bytes | None) -> list[str]:
    keys = SaKeys(Secret(key), None if mac is None else Secret(mac))
    sa = ChildSaInfo(
        ike_unique_id=1,
        name="c",
        version=2,
        is_initiator=True,
        inbound_spi=bytes.fromhex("e9f369fe"),
        outbound_spi=bytes.fromhex("8c392161"),
        mode=Mode.TUNNEL,
        local_ts=(),
        remote_ts=(),
        negotiated=NegotiatedEsp(encryption, integrity, esn=False),
        inbound=keys,
        outbound=keys,
        udp_encapsulation=False,
        path=PATH,
        expiry=Expiry(None, None),
    )
    return [line.text for line in key_log_lines(ChildSaEstablished(sa))]


@pytest.mark.parametrize(
    ("encryption", "integrity", "line"),
    [
        ("aes128", "sha256", '6198,8a4b,"AES-CBC-128 [RFC3602]",603f,0f88,"HMAC_SHA2_256_128 [RFC4868]"'),
        ("3des", "md5", '6198,8a4b,"3DES [RFC2451]",603f,0f88,"HMAC_MD5_96 [RFC2403]"'),
        ("aes256ctr", "sha1", '6198,8a4b,"AES-CTR-256 [RFC5930]",603f,0f88,"HMAC_SHA1_96 [RFC2404]"'),
        ("aes256gcm16", None, '6198,8a4b,"AES-GCM-256 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"'),
        ("aes128ccm8", None, '6198,8a4b,"AES-CCM-128 with 8 octet ICV [RFC5282]",,,"NONE [RFC4306]"'),
        (
            "aes128",
            "aesxcbc",
            '6198,8a4b,"AES-CBC-128 [RFC3602]",,,"ANY 96-bits of Authentication [No Checking]"',
        ),
    ],
)
def test_an_ike_sa(encryption: str, integrity: str | None, line: str) -> None:
    (found,) = ike(encryption, integrity, sk_ei="6198", sk_er="8a4b", sk_ai="603f", sk_ar="0f88")
    assert found == f"ikev2_decryption_table: 41e449ca474d1b32,9bd76ab9713fbdd2,{line}"


@pytest.mark.parametrize("encryption", ["camellia128", "blowfish128", "cast128", "chacha20poly1305"])
def test_what_wireshark_does_not_know_is_a_comment_without_keys(encryption: str) -> None:
    (found,) = ike(encryption, "sha256", sk_ei="6198", sk_er="8a4b", sk_ai="603f", sk_ar="0f88")
    assert found.startswith("ikev2_decryption_table: # ")
    assert "6198" not in found


def test_an_isakmp_sa() -> None:
    assert ike("aes128", "sha1", version=1, encryption_key="00ff") == ["ikev1_decryption_table: 41e449ca474d1b32,00ff"]


def test_both_directions_of_a_child_sa() -> None:
    assert esp("aes128gcm16", None, b"\xb2\x8c", None) == [
        '"IPv4","192.0.2.2","192.0.2.1","0xe9f369fe","AES-GCM with 16 octet ICV [RFC4106]","0xb28c","NULL",""',
        '"IPv4","192.0.2.1","192.0.2.2","0x8c392161","AES-GCM with 16 octet ICV [RFC4106]","0xb28c","NULL",""',
    ]
    assert esp("aes256", "sha1", b"\xa6\xdb", b"\x92\x3b")[0] == (
        '"IPv4","192.0.2.2","192.0.2.1","0xe9f369fe","AES-CBC [RFC3602]","0xa6db","HMAC-SHA-1-96 [RFC2404]","0x923b"'
    )
    assert esp("null", "sha256", b"", b"\x92")[0].endswith('"NULL","","HMAC-SHA-256-128 [RFC4868]","0x92"')


@pytest.mark.parametrize("encryption", ["blowfish256", "aes128ccm16", "chacha20poly1305", "camellia256", "serpent128"])
def test_an_esp_sa_that_wireshark_does_not_know(encryption: str) -> None:
    for line in esp(encryption, None, b"\xb2\x8c", None):
        assert line.startswith("# ")
        assert "b28c" not in line
