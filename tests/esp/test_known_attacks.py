"""Bad input that has broken other ESP implementations; docs/esp.md has the table, and a test here holds it."""

from __future__ import annotations

import ast
import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.errors import DataPlaneError, MalformedError
from ipsecbench.esp.configuration import Direction, Layering, SelectorPair
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import parse_outer
from ipsecbench.esp.processing import Output
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.secret import Secret
from ipsecbench.wire.ip import IpHeader, parse_ip
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, available_suites, sa_of
from tests.unit.esp.inner_packets import ipv4, udp_packet

PAGE = Path(__file__).parents[2] / "docs" / "esp.md"
PACKET = udp_packet(4, 100)
SUITES = ("aes128gcm16", "aes128-sha256", "aes128ctr-sha1", "null-sha256", "aes128gmac", "chacha20poly1305", "3des-md5")


def still_works(pair: Pair) -> None:
    """The SA lives, and a good packet passes."""
    mode = pair.sa.mode is Mode.TRANSPORT and pair.sa.layering is Layering.NONE
    version = 6 if ":" in pair.sa.source else 4
    packet = udp_packet(version, 100, ENDS[version] if mode else None)
    inbound = pair.second._sas.inbound[pair.sa.spi]
    pair.first._sas.outbound[pair.sa.spi].sequence.last = max(inbound.highest, 0)
    assert pair.carried(packet) == [packet]
    assert pair.second.take_events() == []


def inner_headers_that_lie() -> list[bytes]:
    """IPv4 and IPv6 packets whose lengths make no sense."""
    four, six = PACKET, udp_packet(6, 100)
    return [
        four[:2] + bytes(2) + four[4:],  # total length 0
        four[:2] + struct.pack("!H", 19) + four[4:],
        four[:2] + struct.pack("!H", 101) + four[4:],
        four[:2] + b"\xff\xff" + four[4:],
        *(bytes((0x40 | ihl,)) + four[1:] for ihl in range(5)),
        b"\x4f" + four[1:3] + bytes((59,)) + four[4:],  # header longer than the packet
        *(bytes((version << 4 | 5,)) + four[1:] for version in (0, 1, 5, 7, 15)),
        six[:4] + b"\xff\xff" + six[6:],
        six[:4] + struct.pack("!H", 61) + six[6:],
        b"",
        b"\x45",
        four[:19],
        six[:39],
    ]


@pytest.mark.parametrize(
    ("mode", "layering"),
    [(Mode.TUNNEL, Layering.NONE), (Mode.TRANSPORT, Layering.IPIP), (Mode.TRANSPORT, Layering.GRE)],
)
def test_row_45_cve_2026_31472_inner_lengths_that_lie(mode: Mode, layering: Layering) -> None:
    pair = Pair(sa_of(mode=mode, layering=layering))
    packets = inner_headers_that_lie()
    for number, packet in enumerate(packets, start=1):
        six = packet[:1] and packet[0] >> 4 == 6
        if layering is Layering.GRE:
            payload, next_header = struct.pack("!HH", 0, 0x86DD if six else 0x0800) + packet, 47
        else:
            payload, next_header = packet, 41 if six else 4
        assert pair.sent(payload, next_header, number).inside == []
    assert set(pair.second.dropped) == {"XfrmInHdrError", "XfrmInStateModeError"}
    assert sum(pair.second.dropped.values()) == len(packets)
    still_works(pair)


@pytest.mark.parametrize("encapsulated", [False, True])
@pytest.mark.parametrize("name", SUITES)
def test_row_46_freeswan_2002_packets_that_are_too_short(name: str, encapsulated: bool) -> None:
    pair = Pair(sa_of(name, encapsulation=PORTS if encapsulated else None))
    (outer,) = pair.sealed(PACKET)
    row = pair.sa.suite.encryption
    shortest = 8 + row.iv_bytes + row.pad_align_bytes + pair.sa.suite.icv_bytes
    for length in range(shortest):
        assert pair.second.receive(replace(outer, content=outer.content[:length]), 1.0).inside == []
    # Longer ones that are no multiple of the alignment.
    for length in range(shortest, len(outer.content)):
        pair.second.receive(replace(outer, content=outer.content[:length]), 1.0)
    assert sum(pair.second.dropped.values()) == len(outer.content)
    still_works(pair)


@pytest.mark.parametrize("name", SUITES)
def test_row_46_freeswan_2002_pad_lengths_beyond_the_packet(name: str) -> None:
    pair = Pair(sa_of(name))
    sizes = [16, 32, 240]
    for number, size in enumerate(sizes, start=1):
        assert pair.sent(b"", 4, number, bytes(size - 2) + bytes((size - 1, 4))).inside == []
    assert pair.sent(b"", 4, 9, bytes(14) + b"\xff\x04").inside == []
    assert pair.second.dropped == {"XfrmInStateProtoError": len(sizes) + 1}
    still_works(pair)


@pytest.mark.parametrize("name", SUITES)
def test_row_47_cve_2026_43284_nothing_is_decrypted_in_place(name: str) -> None:
    pair = Pair(sa_of(name))
    (outer,) = pair.sealed(PACKET)
    as_it_came = bytes(bytearray(outer.content))
    (inside,) = pair.second.receive(outer, 1.0).inside
    assert outer.content == as_it_came
    assert inside == PACKET
    # A forged packet leaves no plaintext behind: nothing is decrypted before its ICV is verified.
    forged = replace(outer, content=outer.content[:-1] + bytes((outer.content[-1] ^ 1,)))
    assert pair.second.receive(forged, 1.0) == Output()


@pytest.mark.parametrize("width", [0, 1, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097])
def test_row_48_cve_2017_7184_windows_of_every_width(width: int) -> None:
    pair = Pair(sa_of(), {"replay_window_packets": width})
    for number in (1, 5000, 5000 - width + 1, 5000 - width, 10_000, 2**32 - 1):
        if number > 0:
            pair.sent(PACKET, 4, number)
    refused = pair.second.dropped.get("XfrmInStateSeqError", 0)
    # Within the window: the left edge once (for a width of 1 it is the top again); left of it: refused.
    assert refused == (0 if width == 0 else 2 if width == 1 else 1)
    assert pair.second.take_events() == []


def test_row_48_cve_2017_7184_widths_that_are_none() -> None:
    for width in (-1, -(2**31), 2**20 + 1, 2**32, 2**63):
        with pytest.raises(DataPlaneError):
            Pair(sa_of(), {"replay_window_packets": width})


@pytest.mark.parametrize("mode", list(Mode))
def test_row_48_cve_2022_27666_payloads_beyond_64_kib(mode: Mode) -> None:
    pair = Pair(sa_of(mode=mode, path_mtu_bytes=65535))
    for number, size in enumerate((65_500, 65_536, 70_000, 200_000), start=1):
        pair.sent(bytes(size), 4 if mode is Mode.TUNNEL else 17, number)
    assert set(pair.second.dropped) <= {"XfrmInHdrError", "XfrmInStateModeError"}
    largest = ipv4(*(ENDS[4] if mode is Mode.TRANSPORT else ("10.1.0.1", "10.2.0.2")), bytes(65_515))
    for sealed in pair.first.protect(largest, 1.0).outside:
        assert all(len(octets) <= 65_535 for octets in sealed.packets())
    still_works(pair)


@pytest.mark.parametrize("version", [4, 6])
def test_row_49_cve_2022_34718_extension_headers_inside_transport_mode(version: int) -> None:
    pair = Pair(sa_of(version=version, mode=Mode.TRANSPORT))
    payloads = [
        (44, b"\x11\0\0\1" + bytes(4) + bytes(60)),  # Fragment
        (44, b"\x11\0\x05\0" + bytes(4) + bytes(60)),
        (44, b"\x11"),
        (0, b"\x11\xff" + bytes(20)),
        (43, b"\x11\xff" + bytes(20)),
        (60, b"\x3c\0" * 40),
        (60, (b"\x3c\0" + bytes(6)) * 40),
        (60, b""),
        (50, bytes(20)),
        (51, bytes(20)),
    ]
    for number, (next_header, payload) in enumerate(payloads, start=1):
        for inside in pair.sent(payload, next_header, number).inside:
            # What comes inside is one packet, whole, as long as it says.
            assert parse_ip(inside).total_bytes == len(inside)
            assert not parse_ip(inside).header.is_fragment
    assert set(pair.second.dropped) <= {"XfrmInHdrError", "XfrmInStateModeError"}
    still_works(pair)


@pytest.mark.parametrize("version", [4, 6])
def test_row_49_cve_2022_34718_esp_in_fragments(version: int) -> None:
    pair = Pair(sa_of(version=version))
    (outer,) = pair.sealed(PACKET)
    header = outer.header
    if version == 4:
        fragments = [replace(header, more_fragments=True), replace(header, fragment_offset_bytes=8)]
        octets = [replace(each, protocol=50).encode(outer.content) for each in fragments]
    else:
        plain = IpHeader(header.source, header.destination, 44)
        octets = [plain.encode(struct.pack("!BBHI", 50, 0, bits, 9) + outer.content) for bits in (1, 8, 9)]
    for fragment in octets:
        with pytest.raises(MalformedError, match="a fragment of an outer packet"):
            parse_outer(fragment)
    still_works(pair)


# Attacks on the protocol itself rather than on one implementation.


@pytest.mark.parametrize("name", [name for name in available_suites() if name.startswith(("aes128-", "aes128ctr-"))])
def test_bits_cannot_be_flipped(name: str) -> None:
    """CBC and CTR let whoever is on the path flip bits of the plaintext; the ICV comes first (RFC 8221 section 4)."""
    pair = Pair(sa_of(name))
    (outer,) = pair.sealed(PACKET)
    for position in range(8, 8 + pair.sa.suite.encryption.iv_bytes + 32):
        changed = bytearray(outer.content)
        changed[position] ^= 0x80
        assert pair.second.receive(replace(outer, content=bytes(changed)), 1.0).inside == []
    assert set(pair.second.dropped) == {"XfrmInStateProtoError"}


def test_a_padding_oracle_hears_nothing() -> None:
    """A wrong ICV over any padding counts and costs the same path; the padding is not looked at before."""
    pair = Pair(sa_of("aes128-sha1"))
    for last in range(256):
        (outer,) = pair.sealed(PACKET)
        content = bytearray(outer.content)
        content[-12 - 16 - 1] ^= last or 1  # the last octet of the block before the last: that of the Next Header
        pair.second.receive(replace(outer, content=bytes(content)), 1.0)
    assert pair.second.dropped == {"XfrmInStateProtoError": 256}
    assert pair.second.sa_statistics(Direction.INBOUND, pair.sa.spi, 1.0).forged == 256


def test_own_packets_are_not_taken_back() -> None:
    """Reflection: what an end has sent comes back to it, even where both directions have the same SPI."""
    pair = Pair(sa_of())
    other = sa_of("aes128gcm16", direction=Direction.INBOUND)
    pair.first.add_sa(replace(other, encryption_key=Secret(bytes(20))), 1.0)
    (outer,) = pair.sealed(PACKET)
    assert pair.first.receive(outer, 1.0).inside == []
    assert pair.first.dropped == {"XfrmInStateProtoError": 1}


def test_an_inner_source_cannot_be_spoofed() -> None:
    """RFC 4301 section 5.2 step 4: the selectors of the SA, and the policy's SA."""
    pair_of_nets = (SelectorPair(subnet("10.1.0.0/16"), subnet("10.2.0.0/16")),)
    for layering in Layering:
        mode = Mode.TUNNEL if layering is Layering.NONE else Mode.TRANSPORT
        pair = Pair(sa_of(mode=mode, layering=layering), {"selectors": pair_of_nets})
        assert pair.carried(PACKET) == [PACKET]
        assert pair.carried(udp_packet(4, 100, ("10.2.0.9", "10.2.0.2"))) == []
        assert pair.carried(udp_packet(6, 100)) == []
        assert pair.second.dropped == {"XfrmInStateMismatch": 2}


def test_a_forged_number_does_not_move_the_window() -> None:
    pair = Pair(sa_of(esn=True))
    (outer,) = pair.sealed(PACKET)
    for number in (100, 2**31, 2**32 - 1):
        content = outer.content[:4] + struct.pack("!I", number) + outer.content[8:]
        assert pair.second.receive(replace(outer, content=content), 1.0).inside == []
    assert pair.second.receive(outer, 1.0).inside == [PACKET]


# The page.


def test_the_page_names_every_test_in_its_row_and_no_other() -> None:
    tests = {
        node.name
        for node in ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not node.name.startswith("test_the_page")
    }
    named: dict[str, str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            row = line.split("|")[1].strip()
            for name in re.findall(r"`(test_\w+)`", line):
                assert name not in named
                named[name] = row
    assert named.keys() == tests
    for name, row in named.items():
        match = re.match(r"test_row_(\d+)_", name)
        assert not match or row == match[1], name
    assert {row for row in named.values() if row.isdecimal()} == {"45", "46", "47", "48", "49"}
