"""Proposals with many transforms: strongSwan's spelling, both ways."""

from __future__ import annotations

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import EspProposal, IkeProposal, parse_esp, parse_ike
from ipsecbench.errors import UsageError


@pytest.mark.parametrize(
    ("text", "proposal"),
    [
        (
            "aes256-aes128-sha256-sha1-modp2048-x25519",
            IkeProposal(("aes256", "aes128"), ("sha256", "sha1"), ("prfsha256", "prfsha1"), ("modp2048", "x25519")),
        ),
        (
            "aes128gcm128-chacha20poly1305-prfsha384-curve25519",
            IkeProposal(("aes128gcm16", "chacha20poly1305"), (), ("prfsha384",), ("x25519",)),
        ),
        # strongSwan reads an integrity keyword beside a combined mode as its PRF.
        ("aes256gcm16-sha512-modp4096", IkeProposal(("aes256gcm16",), (), ("prfsha512",), ("modp4096",))),
        (
            "aes128-sha256-ecp384-ke1_mlkem768-ke3_x25519-ke3_none",
            IkeProposal(
                ("aes128",),
                ("sha256",),
                ("prfsha256",),
                ("ecp384",),
                (("mlkem768",), (), ("x25519", "none")),
            ),
        ),
        ("3des-md5-modp1024", IkeProposal(("3des",), ("md5",), ("prfmd5",), ("modp1024",))),
        (
            "blowfish-aesxcbc-prfaescmac-ecp256bp",
            IkeProposal(("blowfish128",), ("aesxcbc",), ("prfaescmac",), ("ecp256bp",)),
        ),
    ],
)
def test_ike(text: str, proposal: IkeProposal) -> None:
    assert parse_ike(text) == proposal
    assert parse_ike(proposal.text) == proposal


@pytest.mark.parametrize(
    ("text", "proposal"),
    [
        ("aes128gcm16", EspProposal(("aes128gcm16",), ())),
        ("aes128-md5", EspProposal(("aes128",), ("md5",))),
        ("aes256-sha256-modp2048-modpnone", EspProposal(("aes256",), ("sha256",), ("modp2048", "none"))),
        ("aes256gcm16-x25519-esn", EspProposal(("aes256gcm16",), (), ("x25519",), (), (True,))),
        ("null-sha1-noesn-esn", EspProposal(("null",), ("sha1",), esn=(False, True))),
        ("aes128gcm128-ecp384-ke1_mlkem768", EspProposal(("aes128gcm16",), (), ("ecp384",), (("mlkem768",),))),
    ],
)
def test_esp(text: str, proposal: EspProposal) -> None:
    assert parse_esp(text) == proposal
    assert parse_esp(proposal.text) == proposal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no transform known"),
        ("aes512-sha256-x25519", "'aes512' is no transform"),
        ("aes128-aes128gcm16-sha256-x25519", "write two"),
        ("aes128-x25519", "needs an integrity transform"),
        ("aes128gcm16-x25519", "no PRF"),
        ("aes128-sha256", "no key exchange"),
        ("aes128-sha256-modpnone", "no key exchange"),
        ("null-sha256-x25519", "must not protect an IKE SA"),
        ("aes128-sha256-x25519-ke8_mlkem768", "'ke8_mlkem768'"),
        ("aes128-sha256-x25519-ke1_aes128", "'aes128' is no key exchange"),
        ("aes128-sha256-x25519-esn", "'esn'"),
        ("aes128-sha256-x25519\n", ""),
    ],
)
def test_an_ike_proposal_that_is_refused(text: str, words: str) -> None:
    if text.endswith("\n"):
        assert parse_ike(text).key_exchange == ("x25519",)
        return
    with pytest.raises(UsageError, match=words):
        parse_ike(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aes128", "needs an integrity transform"),
        ("null", "needs an integrity transform"),
        ("aes128gcm16-sha256", "leave sha256 out"),
        ("aes128-sha256-prfsha256", "'prfsha256'"),
        ("sha256", "no encryption transform"),
    ],
)
def test_an_esp_proposal_that_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_esp(text)


@pytest.mark.parametrize("name", KEY_EXCHANGE)
def test_every_transform_can_be_written(name: str) -> None:
    for encryption, row in ENCRYPTION.items():
        integrities = [()] if row.aead else [(each,) for each in INTEGRITY]
        for integrity in integrities:
            esp = EspProposal((encryption,), integrity, (name,))
            assert parse_esp(esp.text) == esp
            if row.mode in ("null", "gmac"):
                continue
            ike = IkeProposal((encryption,), integrity, ("prfsha512",), (name,))
            assert parse_ike(ike.text) == ike
