"""What a packet on the wire is, from headers written here by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.lab.wire_view import Sort, look


def v4(protocol: int, payload: bytes, *, offset: int = 0, options: bytes = b"") -> bytes:
    words = (20 + len(options)) // 4
    length = 20 + len(options) + len(payload)
    head = bytes([0x40 | words, 0]) + length.to_bytes(2, "big") + b"\0\0" + offset.to_bytes(2, "big")
    return head + bytes([64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]) + options + payload


def v6(protocol: int, payload: bytes) -> bytes:
    address = bytes.fromhex("20010db8000000000000000000000001")
    return b"\x60\0\0\0" + len(payload).to_bytes(2, "big") + bytes([protocol, 64]) + address + address + payload


def udp(port: int, payload: bytes) -> bytes:
    return port.to_bytes(2, "big") * 2 + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload


ESP = bytes.fromhex("1234abcd00000007") + bytes(24)


@pytest.mark.parametrize(
    ("packet", "sort"),
    [
        (v4(50, ESP), Sort.ESP),
        (v4(50, ESP, options=bytes(8)), Sort.ESP),
        (v6(50, ESP), Sort.ESP),
        (v4(17, udp(4500, ESP)), Sort.ESP_IN_UDP),
        (v6(17, udp(4500, ESP)), Sort.ESP_IN_UDP),
        (v4(17, udp(4500, bytes(4) + ESP)), Sort.IKE),
        (v4(17, udp(4500, b"\xff")), Sort.IKE),
        (v4(17, udp(500, ESP)), Sort.IKE),
        (v4(17, udp(53, ESP)), Sort.CLEAR),
        (v4(6, bytes(20)), Sort.CLEAR),
        (v4(1, bytes(8)), Sort.CLEAR),
        (v6(58, b"\x87" + bytes(23)), Sort.LINK),
        (v6(58, b"\x80" + bytes(7)), Sort.CLEAR),
        (v6(0, bytes(8)), Sort.LINK),
        (v4(50, ESP, offset=100), Sort.FRAGMENT),
        (v4(50, ESP, offset=0x2000), Sort.ESP),
        (v6(44, bytes([50, 0, 0, 8, 0, 0, 0, 1]) + ESP), Sort.FRAGMENT),
        (v6(44, bytes([50, 0, 0, 1, 0, 0, 0, 1]) + ESP), Sort.ESP),
        (v4(50, b"\0\0"), Sort.CLEAR),
    ],
)
def test_what_a_packet_is(packet: bytes, sort: Sort) -> None:
    (seen,) = look([packet])
    assert seen.sort is sort
    assert seen.packet_bytes == len(packet)
    if seen.is_esp:
        assert (seen.spi, seen.sequence_number) == (0x1234ABCD, 7)
    if packet[0] >> 4 == 4:
        assert (seen.source, seen.destination) == ("192.0.2.1", "192.0.2.2")


@given(st.sampled_from([b"\x45", b"\x4f", b"\x60"]), st.binary(min_size=39, max_size=100))
def test_anything_of_the_length_of_a_header(first: bytes, rest: bytes) -> None:
    look([first + rest])
