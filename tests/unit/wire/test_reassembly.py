"""Putting fragments together: in any order, with repetitions, never over each other, within bounds."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.wire.fragments import fragments_of
from ipsecbench.wire.ip import parse_ip
from ipsecbench.wire.reassembly import LIFE_SECONDS, MOST_FRAGMENTS, MOST_PACKETS, Reassembly
from tests.unit.esp.inner_packets import ADDRESSES, ipv4, ipv6, udp_packet


def added(reassembly: Reassembly, pieces: list[bytes], now: float = 1.0) -> list[bytes]:
    """The packets that become whole, piece by piece."""
    made = [reassembly.add(parse_ip(piece), now) for piece in pieces]
    return [packet.encode() for packet in made if packet is not None]


def piece_of(version: int, offset: int, octets: bytes, *, more: bool, number: int = 5) -> bytes:
    """A fragment by hand."""
    if version == 4:
        return ipv4(*ADDRESSES[4], octets, flags=0x2000 * more | offset // 8, identification=number)
    return ipv6(*ADDRESSES[6], struct.pack("!BBHI", 17, 0, offset | more, number) + octets, 44)


@given(st.sampled_from([4, 6]), st.integers(700, 20_000), st.integers(600, 1400), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_in_any_order_and_with_repetitions(version: int, size: int, mtu: int, source: random.Random) -> None:
    packet = udp_packet(version, size)
    pieces = fragments_of(parse_ip(packet), mtu, 99)
    if len(pieces) == 1:
        return
    # All but one, some of them twice, in any order; then the one that was missing.
    held_back = pieces.pop(source.randrange(len(pieces)))
    pieces += source.sample(pieces, source.randrange(len(pieces) + 1))
    source.shuffle(pieces)
    reassembly = Reassembly()
    assert added(reassembly, pieces) == []
    assert added(reassembly, [held_back]) == [packet]
    assert (len(reassembly), reassembly.lost) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.booleans()), max_size=12))
@settings(deadline=None)
def test_what_becomes_whole_is_what_no_two_pieces_contradict(rows: list[tuple[int, int, bool]]) -> None:
    """Random pieces: whenever a packet comes out, its octets are those of every piece at its place."""
    reassembly = Reassembly()
    content = bytes(range(256))
    for start, length, last in rows:
        piece = piece_of(4, start * 8, content[start * 8 : (start + length) * 8], more=not last)
        if not parse_ip(piece).header.is_fragment:
            continue
        packet = reassembly.add(parse_ip(piece), 1.0)
        if packet is not None:
            assert packet.payload == content[: len(packet.payload)]
            assert not packet.header.is_fragment


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    "pieces",
    [
        [(0, 64, True), (56, 64, False)],  # over the end of the first
        [(0, 64, True), (8, 16, True)],  # within the first
        [(64, 64, False), (0, 72, True)],  # over the beginning of the last
        [(0, 64, True), (64, 64, False), (128, 64, False)],  # whole, and then a fragment of nothing
        [(64, 64, False), (128, 8, True)],  # behind the last
        [(128, 64, True), (64, 64, False)],  # the last before another
    ],
)
def test_pieces_that_contradict_each_other(version: int, pieces: list[tuple[int, int, bool]]) -> None:
    reassembly = Reassembly()
    octets = [piece_of(version, offset, bytes(range(size)), more=more) for offset, size, more in pieces]
    made = added(reassembly, octets)
    if pieces[1:2] == [(64, 64, False)] and pieces[0][0] == 0:
        assert len(made) == 1
    else:
        assert made == []
        assert reassembly.lost == 2
        assert len(reassembly) == 0


@pytest.mark.parametrize("version", [4, 6])
def test_the_same_place_with_other_octets(version: int) -> None:
    reassembly = Reassembly()
    first, other = (piece_of(version, 0, bytes((value,)) * 64, more=True) for value in (1, 2))
    assert added(reassembly, [first, other, piece_of(version, 64, bytes(8), more=False)]) == []
    assert reassembly.lost == 2
    assert len(reassembly) == 1  # the last one is alone, and waits in vain


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("offset", "octets", "more"),
    [(0, b"", True), (8, b"", False), (0, bytes(63), True), (65528, bytes(64), False)],
)
def test_pieces_that_make_no_sense(version: int, offset: int, octets: bytes, more: bool) -> None:
    reassembly = Reassembly()
    assert added(reassembly, [piece_of(version, offset, octets, more=more)]) == []
    assert (len(reassembly), reassembly.lost) == (0, 1)


def test_packets_of_others_are_not_mixed() -> None:
    reassembly = Reassembly()
    pieces = [piece_of(4, 0, bytes(64), more=True), piece_of(4, 64, bytes(64), more=False, number=6)]
    pieces += [ipv4("10.1.0.9", "10.2.0.2", bytes(64), flags=8, identification=5)]
    pieces += [ipv4(*ADDRESSES[4], bytes(64), 6, flags=8, identification=5)]
    assert added(reassembly, pieces) == []
    assert len(reassembly) == 4


def test_bounds() -> None:
    reassembly = Reassembly()
    for number in range(3 * MOST_PACKETS):
        added(reassembly, [piece_of(4, 0, bytes(64), more=True, number=number)], 1.0 + number / 1000)
    assert len(reassembly) == MOST_PACKETS
    assert reassembly.lost == 2 * MOST_PACKETS
    # The oldest gave way.
    assert len(added(reassembly, [piece_of(4, 64, bytes(64), more=False, number=3 * MOST_PACKETS - 1)], 2.0)) == 1
    reassembly = Reassembly()
    added(reassembly, [piece_of(4, 8 * number, bytes(8), more=True) for number in range(MOST_FRAGMENTS + 1)])
    assert (len(reassembly), reassembly.lost) == (0, MOST_FRAGMENTS + 1)


def test_nothing_is_waited_for_for_ever() -> None:
    reassembly = Reassembly()
    assert reassembly.next_timeout() is None
    first, last = piece_of(6, 0, bytes(64), more=True), piece_of(6, 64, bytes(8), more=False)
    added(reassembly, [first], 10.0)
    assert reassembly.next_timeout() == 10.0 + LIFE_SECONDS
    assert added(reassembly, [last], 10.0 + LIFE_SECONDS) == []
    assert reassembly.lost == 1
    assert len(added(reassembly, [first], 11.0 + LIFE_SECONDS)) == 1


def test_headers_behind_the_fragment_header_of_ipv6() -> None:
    options = b"\x11\0" + bytes(6)
    packet = ipv6(*ADDRESSES[6], options + bytes(range(200)), 60)
    pieces = fragments_of(parse_ip(packet), 150, 4)
    whole = Reassembly()
    assert added(whole, pieces[::-1]) == [packet]
