"""Packet lengths against an independent table, examples worked by hand, and brute force."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.overhead import (
    Encapsulation,
    ethernet_bytes,
    fragment_bytes,
    goodput_ratio,
    inner_mtu_bytes,
    overhead_bytes,
    tcp_mss_bytes,
    wire_bytes,
)

TABLE = json.loads((Path(__file__).parents[2] / "data" / "esp" / "esp_overhead.json").read_text(encoding="utf-8"))[
    "rows"
]

# Names in the table to suites here; several stand for one line of the table.
SUITES: dict[str, tuple[EspSuite, ...]] = {
    "aes-cbc + hmac-sha1-96": (esp_suites()["aes128-sha1"], esp_suites()["aes256-sha1"]),
    "aes-cbc + hmac-md5-96": (esp_suites()["aes128-md5"],),
    "aes-cbc + aes-xcbc-96": (esp_suites()["aes128-aesxcbc"],),
    "aes-cbc + hmac-sha2-256-128": (esp_suites()["aes128-sha256"], esp_suites()["camellia256-sha256"]),
    "aes-cbc + hmac-sha2-384-192": (esp_suites()["aes256-sha384"],),
    "aes-cbc + hmac-sha2-512-256": (esp_suites()["aes256-sha512"],),
    "aes-ctr + hmac-sha2-256-128": (esp_suites()["aes128ctr-sha256"],),
    "aes-gcm-16 / aes-ccm-16 / chacha20poly1305 / gmac": tuple(
        esp_suites()[name] for name in ("aes128gcm16", "aes256ccm16", "chacha20poly1305", "aes128gmac")
    ),
    "aes-gcm-12": (esp_suites()["aes128gcm12"], esp_suites()["aes256ccm12"]),
    "aes-gcm-8 / aes-ccm-8": (esp_suites()["aes128gcm8"], esp_suites()["aes128ccm8"]),
    "aes-gcm-16-iiv / chacha-iiv (RFC 8750)": (EspSuite(replace(ENCRYPTION["aes128gcm16"], iv_bytes=0), None),),
    "3des/des/blowfish/cast-cbc + hmac-sha1-96": tuple(
        esp_suites()[f"{name}-sha1"] for name in ("3des", "des", "blowfish128", "cast128")
    ),
    "3des-cbc + hmac-sha2-256-128": (esp_suites()["3des-sha256"],),
    "null + hmac-sha1-96": (esp_suites()["null-sha1"],),
    "null + hmac-sha2-256-128": (esp_suites()["null-sha256"],),
    "aes-cbc, no integrity (UNSAFE)": (EspSuite(ENCRYPTION["aes128"], None),),
}
COLUMNS = {
    "tun4": Encapsulation(),
    "tun4_natt": Encapsulation(nat_traversal=True),
    "tun6": Encapsulation(outer="ipv6"),
    "tun6_natt": Encapsulation(outer="ipv6", nat_traversal=True),
    "tra4": Encapsulation("transport"),
    "tra4_natt": Encapsulation("transport", nat_traversal=True),
    "tra6": Encapsulation("transport", "ipv6"),
}
CASES = [(row, suite) for row in TABLE for suite in SUITES[row["suite"]]]
IDS = [f"{suite.name}/{suite.encryption.iv_bytes}/{suite.icv_bytes}" for _, suite in CASES]

encapsulations = st.builds(
    Encapsulation, st.sampled_from(["tunnel", "transport"]), st.sampled_from(["ipv4", "ipv6"]), st.booleans()
)
suites = st.sampled_from(sorted(esp_suites())).map(lambda name: esp_suites()[name])


def test_every_line_of_the_table_is_covered() -> None:
    assert {row["suite"] for row in TABLE} == set(SUITES)
    assert len(TABLE) == 16


@pytest.mark.parametrize(("row", "suite"), CASES, ids=IDS)
def test_inner_mtu_equals_the_table(row: dict[str, Any], suite: EspSuite) -> None:
    for mtu in (1280, 1400, 1492, 1500, 9000):
        for column, expected in row[f"mtu{mtu}"].items():
            assert inner_mtu_bytes(suite, mtu, COLUMNS[column]) == expected, (mtu, column)


@pytest.mark.parametrize(("row", "suite"), CASES, ids=IDS)
def test_wire_bytes_and_goodput_equal_the_table(row: dict[str, Any], suite: EspSuite) -> None:
    for inner, expected in row["wire_bytes_tun4"].items():
        assert wire_bytes(suite, int(inner)) == expected
    assert goodput_ratio(suite, 1500) == pytest.approx(row["goodput_1500"], abs=5e-5)
    overheads = [overhead_bytes(suite, inner) for inner in range(20, 1500)]
    assert (min(overheads), max(overheads)) == (row["min_overhead_tun4"], row["max_overhead_tun4"])


@pytest.mark.parametrize(
    ("suite", "link_mtu", "outside", "inner_mtu", "wire"),
    [
        # 1500-20-8-16-12 = 1444, down to 90 blocks = 1440, less 2.
        ("aes128-sha1", 1500, Encapsulation(), 1438, 1496),
        ("aes128gcm16", 1500, Encapsulation(), 1446, 1500),
        ("aes128-sha256", 1500, Encapsulation(), 1438, 1500),
        ("aes128-sha512", 1500, Encapsulation(), 1422, 1500),
        # Eight octets of UDP cost sixteen of MTU.
        ("aes128-sha1", 1500, Encapsulation(nat_traversal=True), 1422, 1488),
        ("aes128gcm16", 1500, Encapsulation(nat_traversal=True), 1438, 1500),
        ("aes128gcm16", 1500, Encapsulation(outer="ipv6"), 1426, 1500),
        ("aes128-sha256", 1500, Encapsulation(outer="ipv6"), 1406, 1488),
        ("aes128-sha1", 1492, Encapsulation(), 1422, 1480),
        ("aes128gcm16", 1492, Encapsulation(), 1438, 1492),
        ("aes128gcm16", 1500, Encapsulation("transport"), 1466, 1500),
        ("3des-sha1", 1500, Encapsulation(), 1446, 1496),
    ],
)
def test_examples_worked_by_hand(suite: str, link_mtu: int, outside: Encapsulation, inner_mtu: int, wire: int) -> None:
    assert inner_mtu_bytes(esp_suites()[suite], link_mtu, outside) == inner_mtu
    assert wire_bytes(esp_suites()[suite], inner_mtu, outside) == wire


@pytest.mark.parametrize(
    ("name", "ipv4", "ipv6"),
    [
        ("aes-cbc + hmac-sha1-96", 1398, 1378),
        ("aes-cbc + hmac-md5-96", 1398, 1378),
        ("aes-cbc + aes-xcbc-96", 1398, 1378),
        ("aes-cbc + hmac-sha2-256-128", 1398, 1378),
        ("aes-cbc + hmac-sha2-384-192", 1382, 1362),
        ("aes-cbc + hmac-sha2-512-256", 1382, 1362),
        ("aes-ctr + hmac-sha2-256-128", 1406, 1386),
        ("aes-gcm-16 / aes-ccm-16 / chacha20poly1305 / gmac", 1406, 1386),
        ("aes-gcm-12", 1410, 1390),
        ("aes-gcm-8 / aes-ccm-8", 1414, 1394),
        ("aes-gcm-16-iiv / chacha-iiv (RFC 8750)", 1414, 1394),
        ("3des/des/blowfish/cast-cbc + hmac-sha1-96", 1406, 1386),
        ("3des-cbc + hmac-sha2-256-128", 1406, 1386),
        ("null + hmac-sha1-96", 1418, 1398),
        ("null + hmac-sha2-256-128", 1414, 1394),
        ("aes-cbc, no integrity (UNSAFE)", 1414, 1394),
    ],
)
def test_segment_sizes_equal_the_table(name: str, ipv4: int, ipv6: int) -> None:
    for suite in SUITES[name]:
        mtu = inner_mtu_bytes(suite, 1500)
        assert (tcp_mss_bytes(mtu), tcp_mss_bytes(mtu, "ipv6")) == (ipv4, ipv6)


def test_what_vendors_say_of_the_overhead() -> None:
    # Google's 73 octets are the worst case of CBC with SHA-1: 20 + 8 + 16 + 2 + 15 of padding + 12.
    assert max(overhead_bytes(esp_suites()["aes128-sha1"], inner) for inner in range(20, 1500)) == 73
    # Juniper's guide sets 1460 on the tunnel, more than its own proposal leaves of 1500, and lives off an MSS of 1360.
    assert inner_mtu_bytes(esp_suites()["aes256-sha256"], 1500) == 1438


def test_layerings_over_transport_mode() -> None:
    gcm = esp_suites()["aes128gcm16"]
    tunnel = Encapsulation.carrying("tunnel")
    for mode, more in (("ipip", 0), ("gre", 4)):
        outside = Encapsulation.carrying(mode)
        assert outside.mode == "transport"
        # 20 + 8 + 8 + 1400 + 2 + 16, and four octets of GRE; both are multiples of four.
        assert wire_bytes(gcm, 1402, outside) == 1456 + more
        assert inner_mtu_bytes(gcm, 1500, outside) == inner_mtu_bytes(gcm, 1500, tunnel) - more
    assert Encapsulation.carrying("transport") == Encapsulation("transport")
    with pytest.raises(UsageError, match="layered over transport mode"):
        Encapsulation("tunnel", layering=Layering.GRE)
    with pytest.raises(UsageError, match="mode 'beet'"):
        Encapsulation.carrying("beet")


def test_packets_that_do_not_fit_are_cut_as_ip_does() -> None:
    assert fragment_bytes(1400, 1446) == (1400,)
    # 1426 octets of room hold 178 times eight; 1498 octets of payload are 1424 and 74.
    assert fragment_bytes(1518, 1446) == (1444, 94)
    assert sum(fragment_bytes(9000, 1446)) == 9000 + 20 * (len(fragment_bytes(9000, 1446)) - 1)
    assert fragment_bytes(1444, 1440) == (1436, 28)


def test_ethernet_counts_its_gap_and_pads_short_packets() -> None:
    # 10 Mbit/s Ethernet's known 14880 frames/s of 64 octets: 46 of payload take 84 octets of time.
    assert ethernet_bytes(46) == ethernet_bytes(20) == 84
    assert ethernet_bytes(1500) == 1538


def test_a_tcp_acknowledgement_and_the_segment_sizes() -> None:
    assert wire_bytes(esp_suites()["aes128-sha256"], 40) == 108
    assert wire_bytes(esp_suites()["aes128gcm16"], 40) == 96
    assert (tcp_mss_bytes(1446), tcp_mss_bytes(1446, "ipv6")) == (1406, 1386)
    assert tcp_mss_bytes(inner_mtu_bytes(esp_suites()["aes128gcm16"], 1500, Encapsulation("transport"))) == 1426


def brute_force_wire_bytes(suite: EspSuite, inner: int, outside: Encapsulation) -> int:
    """Lay the packet out field by field, adding one octet of padding at a time."""
    header = {"ipv4": 20, "ipv6": 40}[outside.outer]
    protected = inner - header if outside.mode == "transport" else inner
    padding = 0
    while (protected + padding + 2) % max(4, suite.encryption.pad_align_bytes):
        padding += 1
    fields = [header, 8 if outside.nat_traversal else 0, 4, 4, suite.encryption.iv_bytes]
    return sum(fields) + protected + padding + 1 + 1 + suite.icv_bytes


@given(suites, st.integers(40, 10_000), encapsulations)
def test_wire_bytes_equal_a_layout_field_by_field(suite: EspSuite, inner: int, outside: Encapsulation) -> None:
    assert wire_bytes(suite, inner, outside) == brute_force_wire_bytes(suite, inner, outside)


@given(suites, st.integers(300, 9_200), encapsulations)
def test_inner_mtu_is_the_largest_packet_that_fits(suite: EspSuite, mtu: int, outside: Encapsulation) -> None:
    inner = inner_mtu_bytes(suite, mtu, outside)
    assert brute_force_wire_bytes(suite, inner, outside) <= mtu
    assert brute_force_wire_bytes(suite, inner + 1, outside) > mtu


@given(suites, st.integers(300, 9_200), encapsulations)
def test_inner_mtu_equals_the_formula_of_the_linux_kernel(suite: EspSuite, mtu: int, outside: Encapsulation) -> None:
    # xfrm_state_mtu(): ((mtu - header_len - authsize - net_adj) & ~(blksize - 1)) + net_adj - 2
    net_adj = 0 if outside.mode == "tunnel" else outside.ip_header_bytes
    props = 8 + suite.encryption.iv_bytes + (8 if outside.nat_traversal else 0)
    props += outside.ip_header_bytes if outside.mode == "tunnel" else 0
    align = max(4, suite.encryption.pad_align_bytes)
    expected = ((mtu - props - suite.icv_bytes - net_adj) & ~(align - 1)) + net_adj - 2
    assert inner_mtu_bytes(suite, mtu, outside) == expected


def test_nonsense_is_refused_in_one_line() -> None:
    suite = esp_suites()["aes128gcm16"]
    for call in (
        lambda: inner_mtu_bytes(suite, 50),
        lambda: inner_mtu_bytes(suite, 0),
        lambda: wire_bytes(suite, 10, Encapsulation("transport")),
        lambda: tcp_mss_bytes(40),
        lambda: Encapsulation("beet"),
        lambda: Encapsulation(outer="ipx"),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert "\n" not in str(caught.value)
