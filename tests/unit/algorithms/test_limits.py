"""Data limits against published figures."""

from __future__ import annotations

from math import log2

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.limits import BLOCK_64_BYTES, SEQUENCE_NUMBER_PACKETS, bytes_per_key, packets_per_key


def test_64_bit_blocks_are_capped_at_two_to_the_twenty_blocks() -> None:
    # NIST SP 800-67r2: 2^20 blocks of 8 octets.
    assert BLOCK_64_BYTES == 8_388_608
    for name in ("3des", "des", "blowfish128", "cast128"):
        assert bytes_per_key(ENCRYPTION[name], 1024) == 8_388_608


def test_gcm_equals_the_example_of_the_draft() -> None:
    # draft-irtf-cfrg-aead-limits: L = 2^7 blocks and p = 2^-50 give q = 2^32.5.
    packets = packets_per_key(ENCRYPTION["aes128gcm16"], 128 * 16)
    assert packets is not None
    assert log2(packets) == pytest.approx(32.5, abs=0.02)


def test_gcm_and_cbc_carry_about_twelve_terabytes() -> None:
    # 2^-50: 12.2 TB of 1448-octet payloads with GCM, 12.4 TB with CBC.
    gcm, cbc = (bytes_per_key(ENCRYPTION[name], 1448) for name in ("aes256gcm16", "aes256"))
    assert gcm is not None
    assert cbc is not None
    assert gcm / 1e12 == pytest.approx(12.2, abs=0.1)
    assert cbc / 1e12 == pytest.approx(12.4, abs=0.2)


def test_sequence_numbers_end_before_gcm_does_at_usual_sizes() -> None:
    for payload in (64, 576, 1448):
        packets = packets_per_key(ENCRYPTION["aes128gcm16"], payload)
        assert packets is not None
        assert packets > SEQUENCE_NUMBER_PACKETS


def test_ccm_is_below_gcm_and_two_transforms_have_no_cap() -> None:
    ccm, gcm = (packets_per_key(ENCRYPTION[name], 2048) for name in ("aes128ccm16", "aes128gcm16"))
    assert ccm is not None
    assert gcm is not None
    # The draft's example for CCM at the same L and p is about 2^30.
    assert log2(ccm) == pytest.approx(30.0, abs=0.5)
    assert ccm < gcm
    assert packets_per_key(ENCRYPTION["chacha20poly1305"], 1448) is None
    assert packets_per_key(ENCRYPTION["null"], 1448) is None
