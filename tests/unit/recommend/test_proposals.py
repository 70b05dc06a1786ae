"""Proposal strings, against strongSwan's spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.recommend.proposals import (
    Proposal,
    esp_proposal,
    ike_proposal,
    parse_esp_proposal,
    parse_ike_proposal,
)


def test_spellings_are_strongswans() -> None:
    assert ike_proposal("aes256gcm16", None, "prfsha384", "x25519") == "aes256gcm16-prfsha384-x25519"
    # The PRF follows from the integrity transform and is not written.
    assert ike_proposal("aes256", "sha1", "prfsha1", "modp1024") == "aes256-sha1-modp1024"
    assert ike_proposal("aes256", "sha256", "prfsha512", "ecp256") == "aes256-sha256-prfsha512-ecp256"
    assert esp_proposal("aes256gcm16", "x25519", True) == "aes256gcm16-x25519-esn"
    assert esp_proposal("aes128-md5", None, False) == "aes128-md5"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aes256-sha1-modp1024", Proposal("aes256", "sha1", "prfsha1", "modp1024")),
        ("aes128gcm128-prfsha256-curve25519", Proposal("aes128gcm16", None, "prfsha256", "x25519")),
        ("AES256GCM16-PRFSHA384-ECP384", Proposal("aes256gcm16", None, "prfsha384", "ecp384")),
        ("3des-md5-modp768", Proposal("3des", "md5", "prfmd5", "modp768")),
        ("aes-sha2_256-modp2048", Proposal("aes128", "sha256", "prfsha256", "modp2048")),
    ],
)
def test_ike_proposals_are_taken_apart(text: str, expected: Proposal) -> None:
    assert parse_ike_proposal(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aes128-md5", Proposal("aes128", "md5")),
        ("aes256gcm16-x25519-esn", Proposal("aes256gcm16", None, None, "x25519", True)),
        ("aes128-sha256-modp2048-noesn", Proposal("aes128", "sha256", None, "modp2048", False)),
        ("aes256", Proposal("aes256")),
    ],
)
def test_esp_proposals_are_taken_apart(text: str, expected: Proposal) -> None:
    assert parse_esp_proposal(text) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "''"), ("rc4-md5-modp1024", "rc4"), ("aes256-sha1", "key exchange"), ("aes256-modp1024", "integrity"),
        ("aes256gcm16-x25519", "PRF"), ("aes256gcm16-sha384-x25519", "prfsha384"), ("sha1-modp1024", "encryption"),
        ("aes256-aes128-sha1-modp1024", "one kind"), ("aes256-sha1-modp1024-esn", "esn"),
    ],
)  # fmt: skip
def test_bad_ike_proposals_name_what_is_wrong(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_ike_proposal(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("aes128gcm16-sha256", "sha256"),
        ("aes512-sha1", "aes512"),
        ("aes128-esn-noesn", "one kind"),
        ("x25519", "encryption"),
    ],
)
def test_bad_esp_proposals_name_what_is_wrong(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_esp_proposal(text)


@given(
    st.sampled_from([n for n, e in ENCRYPTION.items() if e.aead]),
    st.sampled_from(sorted(PRF)),
    st.sampled_from(sorted(KEY_EXCHANGE)),
)
def test_what_is_written_for_ike_is_read_back(encryption: str, prf: str, key_exchange: str) -> None:
    text = ike_proposal(encryption, None, prf, key_exchange)
    assert parse_ike_proposal(text) == Proposal(encryption, None, prf, key_exchange)


@given(st.sampled_from(sorted(esp_suites())), st.sampled_from([None, *sorted(KEY_EXCHANGE)]), st.booleans())
def test_what_is_written_for_esp_is_read_back(suite: str, key_exchange: str | None, esn: bool) -> None:
    found = parse_esp_proposal(esp_proposal(suite, key_exchange, esn))
    assert (found.esp_suite, found.key_exchange, bool(found.esn)) == (suite, key_exchange, esn)


def test_additional_key_exchanges_stand_after_the_first_one_as_strongswan_spells_them() -> None:
    # strongSwan's documentation of swanctl.conf: "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024".
    more = ("mlkem768", "mlkem1024")
    assert ike_proposal("aes256gcm16", None, "prfsha384", "ecp384", more[1:]) == (
        "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024"
    )
    assert esp_proposal("aes256gcm16", "x25519", True, more) == "aes256gcm16-x25519-ke1_mlkem768-ke2_mlkem1024-esn"
