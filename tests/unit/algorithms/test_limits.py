"""Data limits against published figures: NIST SP 800-67r2, draft-irtf-cfrg-aead-limits, RFC 4303."""

from __future__ import annotations

from math import isqrt, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.limits import (
    BLOCK_64_BYTES,
    SEQUENCE_NUMBER_PACKETS,
    blocks_of,
    bytes_per_key,
    collision_blocks,
    collision_chance,
    forgeries_per_key,
    key_budget,
    packets_advantage,
    packets_per_key,
)
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.esp.overhead import Encapsulation, overhead_bytes


def packets(name: str, payload_bytes: int, exponent: int) -> int:
    found = packets_per_key(ENCRYPTION[name], payload_bytes, exponent)
    assert found is not None
    return found


def test_64_bit_blocks_are_capped_at_two_to_the_twenty_blocks() -> None:
    # NIST SP 800-67r2: 2^20 blocks of 8 octets.
    assert BLOCK_64_BYTES == 8_388_608
    for name in ("3des", "des", "blowfish128", "cast128"):
        assert bytes_per_key(ENCRYPTION[name], 1024) == 8_388_608


@pytest.mark.parametrize(
    ("exponent", "octets"),
    [(32, 741_455), (25, 8_388_608), (20, 47_453_132), (10, 1.52e9)],
)
def test_collisions_of_64_bit_blocks_by_the_birthday_bound(exponent: int, octets: float) -> None:
    # p = n² / 2^65: 0.7 MB, 8 MiB, 45 MiB and 1.4 GiB.
    assert collision_blocks(8, exponent) * 8 == pytest.approx(octets, rel=1e-2 if exponent == 10 else 1e-6, abs=8)


def test_what_vendors_and_attackers_took_of_64_bit_blocks() -> None:
    # A vendor's default of 4,608,000 KB comes to 2^-6.8, which is 0.9%; 32 GiB are as likely as not to collide.
    assert collision_chance(8, 4_608_000 * 1024 // 8) == pytest.approx(0.009, rel=0.1)
    assert log2(collision_chance(8, 4_608_000 * 1000 // 8)) == pytest.approx(-6.8, abs=0.1)
    assert collision_chance(8, 2**32) == pytest.approx(0.5)
    # The proof of concept of Sweet32 collected 785 GB, by when a collision was certain.
    assert collision_chance(8, 785 * 10**9 // 8) == 1.0


@pytest.mark.parametrize(("exponent", "octets"), [(32, 6.37e15), (50, 12.4e12), (57, 1.10e12)])
def test_cbc_with_128_bit_blocks(exponent: int, octets: float) -> None:
    # p = n² / 2^129.
    for name in ("aes128", "aes256", "camellia256"):
        found = bytes_per_key(ENCRYPTION[name], 1024, exponent)
        assert found is not None
        assert found == pytest.approx(octets, rel=5e-3)


@pytest.mark.parametrize(("exponent", "power"), [(32, 41.98), (50, 32.98), (57, 29.48)])
def test_gcm_and_ctr_with_packets_of_1448_octets(exponent: int, power: float) -> None:
    # q <= (sqrt(p) · 2^64.5 - 1) / (L + 1).
    for name in ("aes128gcm16", "aes256gcm16", "aes128ctr", "aes256gmac"):
        assert log2(packets(name, 1448, exponent)) == pytest.approx(power, abs=0.005)
    assert packets("aes128gcm16", 1448, 50) * 1448 == pytest.approx(12.2e12, rel=5e-3)
    assert packets("aes128gcm16", 1448, 57) * 1448 == pytest.approx(1.08e12, rel=5e-3)


def test_the_drafts_own_examples() -> None:
    # L = 2^7 blocks and p = 2^-50: GCM q = 2^32.5, CCM q and v about 2^30, CCM with 8 octets of tag v = 2^13.
    payload = 128 * 16
    assert log2(packets("aes128gcm16", payload, 50)) == pytest.approx(32.5, abs=0.02)
    assert log2(packets("aes128ccm16", payload, 50)) == pytest.approx(30, abs=0.01)
    assert forgeries_per_key(ENCRYPTION["aes128ccm16"], 16, payload) == 2**30
    assert forgeries_per_key(ENCRYPTION["aes128ccm8"], 8, payload) == 2**13


def test_forgeries_by_the_drafts_formulas() -> None:
    gcm, chacha = ENCRYPTION["aes256gcm16"], ENCRYPTION["chacha20poly1305"]
    # GCM: v <= p · 2^127 / (L + 1); ChaCha20-Poly1305: v <= p · 2^103 / (L + 1).
    assert forgeries_per_key(gcm, 16, 1448, 50) == 2**77 // 92
    assert forgeries_per_key(chacha, 16, 1448, 57) == 2**46 // 92
    # A MAC of 96 bits beside CBC is guessed with 2^-96.
    assert forgeries_per_key(ENCRYPTION["aes128"], 12, 1448, 50) == 2**46
    # Eight octets of ICV: a chance of 2^-50 is reached after less than a hundred packets.
    short = forgeries_per_key(ENCRYPTION["aes128gcm8"], 8, 1448)
    assert short is not None
    assert 0 < short < 100
    assert forgeries_per_key(ENCRYPTION["aes128gcm8"], 8, 1448, 64) == 0
    assert forgeries_per_key(ENCRYPTION["null"], 0, 1448) is None


@pytest.mark.parametrize(("payload", "power"), [(64, -60.36), (1448, -51.95), (9000, -46.72)])
def test_the_advantage_against_gcm_after_all_32_bit_sequence_numbers(payload: int, power: float) -> None:
    found = packets_advantage(ENCRYPTION["aes128gcm16"], payload, 2**32)
    assert found is not None
    assert log2(found) == pytest.approx(power, abs=0.02)


def test_sequence_numbers_end_before_gcm_does_at_usual_sizes() -> None:
    for payload in (64, 576, 1448):
        assert packets("aes128gcm16", payload, 50) > SEQUENCE_NUMBER_PACKETS
    assert packets("aes128gcm16", 9000, 50) < SEQUENCE_NUMBER_PACKETS


def test_two_transforms_have_no_cap() -> None:
    for name in ("chacha20poly1305", "null"):
        assert packets_per_key(ENCRYPTION[name], 1448) is None
        assert packets_advantage(ENCRYPTION[name], 1448, 2**40) is None
        assert key_budget(ENCRYPTION[name]) is None
        assert bytes_per_key(ENCRYPTION[name], 1448) is None


# Time to exhaustion on a link, in seconds: rows are Gbit/s; columns are 2^32 packets of 64, 512 and 1446 inner octets,
# 8 MiB, 32 GiB, and a vendor's 4,608,000 KB. Tunnel mode over IPv4, AES-GCM-16, 38 octets of Ethernet for each packet.
EXHAUSTION = [
    (0.1, 54_288.4, 208_220.0, 528_452.8, 0.6711, 2_748.8, 368.6),
    (1, 5_428.8, 20_822.0, 52_845.3, 0.0671, 274.9, 36.9),
    (10, 542.9, 2_082.2, 5_284.5, 0.0067, 27.5, 3.7),
    (40, 135.7, 520.6, 1_321.1, 0.0017, 6.9, 0.9),
    (100, 54.3, 208.2, 528.5, 0.0007, 2.7, 0.4),
]
ETHERNET_BYTES = 38


@pytest.mark.parametrize("row", EXHAUSTION, ids=[f"{row[0]} Gbit/s" for row in EXHAUSTION])
def test_time_to_exhaustion(row: tuple[float, ...]) -> None:
    gigabits, *expected = row
    suite, around = esp_suites()["aes128gcm16"], Encapsulation()
    for size, seconds in zip((64, 512, 1446), expected[:3], strict=True):
        on_the_wire = size + overhead_bytes(suite, size, around) + ETHERNET_BYTES
        lasts = SEQUENCE_NUMBER_PACKETS * on_the_wire * 8 / (gigabits * 1e9)
        assert lasts == pytest.approx(seconds, abs=0.06)
    for octets, seconds, digits in (
        (BLOCK_64_BYTES, expected[3], 0.000_051),
        (collision_blocks(8, 1) * 8, expected[4], 0.051),
        (4_608_000 * 1000, expected[5], 0.051),
    ):
        assert octets * 8 / (gigabits * 1e9) == pytest.approx(seconds, abs=digits)


@given(st.integers(1, 65_000), st.integers(20, 60))
def test_at_its_cap_a_key_has_the_advantage_and_not_more(payload: int, exponent: int) -> None:
    for name in ("aes128gcm16", "aes256ccm16", "aes128ctr", "aes256"):
        cap = packets(name, payload, exponent)
        reached, beyond = (packets_advantage(ENCRYPTION[name], payload, count) for count in (cap, cap * 2 + 2))
        assert reached is not None
        assert beyond is not None
        # CCM's cap leaves half of the packets to forgeries, which is a quarter of the advantage.
        assert reached <= 2.0**-exponent
        assert beyond > 2.0**-exponent / 2


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_longer_packets_never_raise_the_number_of_packets(one: int, other: int) -> None:
    for name in ("aes128gcm16", "aes256ccm16", "aes256", "3des"):
        short, long = sorted((one, other))
        assert packets(name, long, 50) <= packets(name, short, 50)
        budget = key_budget(ENCRYPTION[name])
        assert budget is not None
        assert budget.packets(long) <= budget.packets(short)


def test_blocks_are_counted_up() -> None:
    assert [blocks_of(octets) for octets in (1, 16, 17, 1448)] == [1, 1, 2, 91]
    assert collision_blocks(16, 50) == isqrt(2**79)
