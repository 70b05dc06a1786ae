"""Facts about algorithms against independent statements: RFC text, the Linux kernel's numbers, a library's keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

from ipsecbench.algorithms.authentication import AUTHENTICATION, SIGNATURES
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.requirement_levels import STANDARDS, standing
from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites, parse_esp_suite
from ipsecbench.errors import UsageError

# Linux, include/uapi/linux/pfkeyv2.h: PF_KEY's numbers are the ESP numbers of IKEv1 (RFC 2407 section 4.4.4).
LINUX_ESP_NUMBERS = {
    "des": 2, "3des": 3, "cast128": 6, "blowfish128": 7, "null": 11, "aes128": 12, "aes256": 12, "aes128ctr": 13,
    "aes128ccm8": 14, "aes256ccm12": 15, "aes128ccm16": 16, "aes128gcm8": 18, "aes256gcm12": 19, "aes128gcm16": 20,
    "camellia128": 22, "aes128gmac": 23,
}  # fmt: skip
# The same header: SADB_AALG_* and SADB_X_AALG_*, which are the AH transform numbers of RFC 2407 section 4.4.3: the
# authentication attribute of section 4.5 is one less for MD5 and SHA1.
LINUX_AUTHENTICATION_NUMBERS = {"sha256": 5, "sha384": 6, "sha512": 7, "aesxcbc": 9}
# RFC 4106 section 8.1, RFC 4309 section 7.1, RFC 3686 section 5.1, RFC 7634 section 2, RFC 4543 section 5.2.
KEYMAT_OCTETS = {
    "aes128gcm16": 20, "aes192gcm16": 28, "aes256gcm16": 36, "aes128ccm16": 19, "aes256ccm8": 35, "aes128ctr": 20,
    "chacha20poly1305": 36, "aes128gmac": 20, "aes128": 16, "aes192": 24, "3des": 24, "des": 8, "null": 0,
}  # fmt: skip
# RFC 4868 section 2.7, RFC 2403, RFC 2404, RFC 3566 section 4, RFC 4494 section 3: key, ICV.
INTEGRITY_OCTETS = {
    "md5": (16, 12), "sha1": (20, 12), "aesxcbc": (16, 12), "aescmac": (16, 12), "sha256": (32, 16),
    "sha384": (48, 24), "sha512": (64, 32),
}  # fmt: skip
CURVES: dict[str, ec.EllipticCurve] = {
    "ecp256": ec.SECP256R1(), "ecp384": ec.SECP384R1(), "ecp521": ec.SECP521R1(),
    "ecp256bp": ec.BrainpoolP256R1(), "ecp384bp": ec.BrainpoolP384R1(), "ecp512bp": ec.BrainpoolP512R1(),
}  # fmt: skip


@pytest.mark.parametrize(("name", "number"), LINUX_ESP_NUMBERS.items())
def test_esp_numbers_of_ikev1_are_those_of_pf_key(name: str, number: int) -> None:
    assert ENCRYPTION[name].ikev1_esp_id == number


@pytest.mark.parametrize(("name", "number"), LINUX_AUTHENTICATION_NUMBERS.items())
def test_authentication_numbers_of_ikev1_are_those_of_pf_key(name: str, number: int) -> None:
    assert INTEGRITY[name].ikev1_esp_id == number


@pytest.mark.parametrize(("name", "octets"), KEYMAT_OCTETS.items())
def test_keymat_is_as_long_as_the_transforms_document_says(name: str, octets: int) -> None:
    assert ENCRYPTION[name].keymat_bytes == octets


def test_integrity_keys_and_icvs_are_as_long_as_their_documents_say() -> None:
    assert {name: (row.key_bytes, row.icv_bytes) for name, row in INTEGRITY.items()} == INTEGRITY_OCTETS


@pytest.mark.parametrize(("name", "curve"), CURVES.items())
def test_ecp_key_exchange_data_is_two_coordinates(name: str, curve: ec.EllipticCurve) -> None:
    # RFC 5903 section 7: x and y, each as long as the field.
    octets = 2 * -(-curve.key_size // 8)
    assert (KEY_EXCHANGE[name].initiator_bytes, KEY_EXCHANGE[name].responder_bytes) == (octets, octets)
    assert KEY_EXCHANGE[name].strength_bits == min(256, curve.key_size // 2)


def test_montgomery_key_exchange_data_is_one_public_key() -> None:
    assert KEY_EXCHANGE["x25519"].initiator_bytes == len(
        x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
    )
    assert KEY_EXCHANGE["x448"].initiator_bytes == len(x448.X448PrivateKey.generate().public_key().public_bytes_raw())


@pytest.mark.parametrize("name", [name for name, row in KEY_EXCHANGE.items() if row.kind == "ffdh"])
def test_modp_data_is_as_long_as_the_prime(name: str) -> None:
    assert KEY_EXCHANGE[name].initiator_bytes * 8 == int(name.removeprefix("modp"))


def test_block_modes_pad_to_their_block_and_stream_modes_to_four() -> None:
    for row in ENCRYPTION.values():
        assert row.pad_align_bytes == (row.block_bytes if row.mode == "cbc" else 4)
        assert row.iv_bytes == {"cbc": row.block_bytes, "null": 0}.get(row.mode, 8)
        assert (row.icv_bytes == 0) == (row.mode in ("cbc", "ctr", "null"))


def test_suites_are_every_legal_combination_and_nothing_else() -> None:
    combined = [row for row in ENCRYPTION.values() if row.aead]
    assert len(esp_suites()) == len(combined) + (len(ENCRYPTION) - len(combined)) * len(INTEGRITY)
    assert all((suite.integrity is None) == suite.encryption.aead for suite in esp_suites().values())
    assert all(suite.name == name for name, suite in esp_suites().items())
    assert esp_suites()["null-sha256"].strength_bits == 0
    assert esp_suites()["aes256-sha1"].strength_bits == 128


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("rc4-md5", "rc4"),
        ("aes128gcm16-sha256", "sha256"),
        ("aes128", "integrity"),
        ("aes128-crc32", "crc32"),
        ("", "''"),
    ],
)
def test_an_illegal_suite_is_refused_with_the_part_that_is_wrong(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_esp_suite(text)


def test_every_transform_has_a_standing() -> None:
    names = [("ENCR", name) for name in ENCRYPTION] + [("INTEG", name) for name in INTEGRITY]
    names += [("PRF", name) for name in PRF] + [("KE", name) for name in KEY_EXCHANGE]
    for transform, name in names:
        found = standing(transform, name)
        assert found.name == name
        assert set(found.levels) <= set(STANDARDS)


@pytest.mark.parametrize(
    ("transform", "name", "standard", "text", "forbids"),
    [
        # RFC 8221 sections 5 and 6, RFC 8247 sections 2.1 to 2.4.
        ("ENCR", "des", "rfc8221_esp", "MUST NOT", True),
        ("ENCR", "blowfish128", "rfc8221_esp", "MUST NOT", True),
        ("ENCR", "3des", "rfc8221_esp", "SHOULD NOT", False),
        ("ENCR", "aes128gcm16", "rfc8221_esp", "MUST", False),
        ("ENCR", "chacha20poly1305", "rfc8221_esp", "SHOULD", False),
        ("INTEG", "md5", "rfc8221_esp", "MUST NOT", True),
        ("INTEG", "sha1", "rfc8221_esp", "MUST-", False),
        ("PRF", "prfsha256", "rfc8247_ike", "MUST", False),
        ("PRF", "prfmd5", "rfc8247_ike", "MUST NOT", True),
        ("KE", "modp2048", "rfc8247_ike", "MUST", False),
        ("KE", "modp768", "rfc8247_ike", "MUST NOT", True),
        ("KE", "ecp256", "rfc8247_ike", "SHOULD", False),
    ],
)
def test_levels_are_those_of_the_documents(transform: str, name: str, standard: str, text: str, forbids: bool) -> None:
    found = standing(transform, name).levels[standard]
    assert (found.text, found.forbids, found.verified) == (text, forbids, True)


def test_what_was_not_read_is_marked_as_unverified() -> None:
    assert not standing("ENCR", "aes128").levels["bsi_tr02102_3"].verified
    assert sources()["bsi"].unverified
    assert not sources()["rfc8221"].unverified


def test_signatures_are_all_but_the_pre_shared_key() -> None:
    assert set(AUTHENTICATION) - set(SIGNATURES) == {"psk"}
