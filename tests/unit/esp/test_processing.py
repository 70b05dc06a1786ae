"""What one packet does: windows, exhaustion, lives, padding, dummies, and the counter of everything that is dropped."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import ProviderError, RejectedError
from ipsecbench.esp.configuration import Action, Direction, Layering, PolicyConfiguration, SaLimits
from ipsecbench.esp.events import PlaneEvent, PlaneEventKind
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.packet import padded, unpadded
from ipsecbench.esp.processing import EspProcessing
from tests.unit.esp.esp_pair import ANYTHING, ENDS, PORTS, Pair, available_suites, cryptography, opened, sa_of
from tests.unit.esp.inner_packets import ipv4, ipv6, udp_packet
from tests.unit.esp.test_sequence_number import SetOfSeen

PACKET = udp_packet(4, 60)


@pytest.mark.parametrize("align", [4, 8, 16])
def test_padding_octet_by_octet(align: int) -> None:
    for length in range(40):
        payload = bytes(length)
        plaintext = padded(payload, 4, align)
        pad = plaintext[-2]
        assert len(plaintext) % align == 0
        assert pad < align
        assert plaintext[length : length + pad] == bytes(range(1, pad + 1))
        assert plaintext[-1] == 4
        assert unpadded(plaintext) == (payload, 4)


def test_a_plaintext_without_room_for_a_trailer() -> None:
    for plaintext in (b"", b"\0"):
        with pytest.raises(RejectedError):
            unpadded(plaintext)


def test_up_to_255_octets_of_padding_are_taken() -> None:
    payload, padding = b"payload.", bytes(range(1, 256))
    assert unpadded(payload + padding + b"\xff\x04") == (payload, 4)
    pair = Pair(sa_of())
    # 60 + 194 + 2 is a multiple of 4.
    assert pair.sent(b"", 4, plaintext=PACKET + bytes(range(1, 195)) + b"\xc2\x04").inside == [PACKET]


@pytest.mark.parametrize("name", ["aes128gcm16", "aes128-sha256", "null-sha256", "aes128gmac", "chacha20poly1305"])
def test_authentic_packets_with_wrong_padding_are_dropped_and_marked(name: str) -> None:
    pair = Pair(sa_of(name))
    good = padded(PACKET + b"\0", 4, 16)
    wrong = [
        good[:-3] + b"\xff" + good[-2:],
        good[:-2] + b"\xff\x04",
        good[: -2 - good[-2]] + bytes(good[-2]) + good[-2:],
        bytes(14) + b"\x0f\x04",
    ]
    for number, plaintext in enumerate(wrong):
        assert pair.sent(b"", 0, number + 1, plaintext).inside == []
    assert pair.second.dropped == {"XfrmInStateProtoError": len(wrong)}
    # They were authentic: none of the numbers comes again.
    for number in range(len(wrong)):
        pair.sent(PACKET, 4, number + 1)
    assert pair.second.dropped == {"XfrmInStateProtoError": 4, "XfrmInStateSeqError": 4}
    statistics = pair.second.sa_statistics(Direction.INBOUND, pair.sa.spi, 3.0)
    assert (statistics.packets, statistics.replayed, statistics.forged) == (0, 4, 0)


@pytest.mark.parametrize("name", available_suites())
def test_every_changed_octet_is_noticed(name: str) -> None:
    pair = Pair(sa_of(name))
    (outer,) = pair.sealed(PACKET)
    for position in range(4, len(outer.content)):
        content = outer.content
        forged = content[:position] + bytes((content[position] ^ 0x40,)) + content[position + 1 :]
        assert pair.second.receive(replace(outer, content=forged), 1.0).inside == []
    count = len(outer.content) - 4
    statistics = pair.second.sa_statistics(Direction.INBOUND, pair.sa.spi, 1.0)
    # Of a number left of the window the ICV is not even computed; none is with the first packets.
    assert (statistics.packets, statistics.forged, statistics.replayed) == (0, count, 0)
    assert pair.second.dropped == {"XfrmInStateProtoError": count}
    # None of them was marked, and the SA lives.
    assert pair.second.receive(outer, 1.0).inside == [PACKET]
    assert pair.second.take_events() == []


@pytest.mark.parametrize("name", available_suites())
def test_every_length_is_bounded(name: str) -> None:
    pair = Pair(sa_of(name))
    (outer,) = pair.sealed(PACKET)
    for length in range(len(outer.content)):
        assert pair.second.receive(replace(outer, content=outer.content[:length]), 1.0).inside == []
    dropped = pair.second.dropped
    assert set(dropped) <= {"XfrmInHdrError", "XfrmInStateProtoError"}
    assert sum(dropped.values()) == len(outer.content)
    assert dropped["XfrmInHdrError"] >= 8 + pair.sa.suite.encryption.iv_bytes + pair.sa.suite.icv_bytes + 2
    assert pair.second.receive(outer, 1.0).inside == [PACKET]


@given(
    st.sampled_from(["aes128gcm16", "aes128-sha1"]),
    st.sampled_from([32, 64, 256, 1024, 4096]),
    st.booleans(),
    st.lists(st.integers(-4500, 4500), min_size=1, max_size=60),
    st.sampled_from([0, 2**32 - 3000, 5 * 2**32 - 10]),
)
@settings(deadline=None, max_examples=60)
def test_the_window_of_whole_packets_against_a_set(
    name: str, width: int, esn: bool, steps: list[int], base: int
) -> None:
    base = base if esn else base % 2**32 % (2**32 - 3001)
    pair = Pair(sa_of(name, esn=esn), {"replay_window_packets": width})
    model = SetOfSeen(width)
    number, largest = base, 2**64 - 1 if esn else 2**32 - 1
    if esn and base:
        # The window follows in steps: each is less than half of what the low half can tell apart.
        for step in range(2**31 - 5000, base + 1, 2**31 - 5000):
            assert pair.sent(PACKET, 4, step).inside
            model.mark(step)
    for step in steps:
        number = max(1, min(largest, (model.top if step % 3 else number) + step))
        # A number that far ahead or behind cannot be told from one of another subspace.
        expected = model.check(number)
        before = dict(pair.second.dropped)
        inside = pair.sent(PACKET, 4, number).inside
        assert (inside == [PACKET]) is expected, (number, model.top)
        if expected:
            model.mark(number)
            assert pair.second.dropped == before
        elif not esn:
            assert pair.second.dropped["XfrmInStateSeqError"] == before.get("XfrmInStateSeqError", 0) + 1
        else:
            # Left of the window the low half means a number ahead, under which the ICV is wrong (appendix A2).
            assert sum(pair.second.dropped.values()) == sum(before.values()) + 1


def test_esn_goes_over_the_turn_of_the_low_half() -> None:
    for name in ("aes128gcm16", "aes256-sha512", "aes128gmac", "aes128ctr-sha1", "chacha20poly1305"):
        pair = Pair(sa_of(name, esn=True))
        outbound = pair.first._sas.outbound[pair.sa.spi]
        inbound = pair.second._sas.inbound[pair.sa.spi]
        outbound.sequence.last = 2**32 - 3
        assert inbound.window is not None
        inbound.highest = 2**32 - 3
        inbound.window.mark(2**32 - 3)
        sealed = [pair.sealed(PACKET)[0] for _ in range(6)]
        lows = [int.from_bytes(outer.content[4:8]) for outer in sealed]
        assert lows == [2**32 - 2, 2**32 - 1, 0, 1, 2, 3]
        for at in (3, 0, 5, 2, 1, 4):
            assert pair.second.receive(sealed[at], 1.0).inside == [PACKET]
        for outer in sealed:
            assert pair.second.receive(outer, 1.0).inside == []
        assert pair.second.dropped == {"XfrmInStateSeqError": 6}
        assert inbound.highest == 2**32 + 3


def test_the_halves_of_an_esn_are_covered() -> None:
    for name in ("aes128gcm16", "aes256-sha512", "aes128gmac"):
        pair = Pair(sa_of(name, esn=True))
        assert pair.sent(PACKET, 4, 2**32 + 5).inside == []
        assert pair.second.dropped == {"XfrmInStateProtoError": 1}


@pytest.mark.parametrize("esn", [False, True])
def test_sequence_numbers_end(esn: bool) -> None:
    pair = Pair(sa_of(esn=esn))
    outbound = pair.first._sas.outbound[pair.sa.spi]
    outbound.sequence.last = (2**64 if esn else 2**32) - 3
    for _ in range(2):
        assert pair.first.take_events() == []
        assert len(pair.first.protect(PACKET, 1.0).outside) == 1
    event = PlaneEvent(PlaneEventKind.SEQUENCE_EXHAUSTED, Direction.OUTBOUND, pair.sa.spi)
    assert pair.first.take_events() == [event]
    for _ in range(3):
        assert pair.first.protect(PACKET, 1.0).outside == []
    assert pair.first.dropped == {"XfrmOutStateSeqError": 3}
    assert pair.first.take_events() == []
    assert pair.first.outbound_packets == 2
    # A new SA goes on.
    pair.first.add_sa(replace(pair.sa, spi=0x7777), 1.0)
    assert len(pair.first.protect(PACKET, 1.0).outside) == 1


@pytest.mark.parametrize("esn", [False, True])
def test_the_last_number_arrives_and_zero_never(esn: bool) -> None:
    pair = Pair(sa_of(esn=esn))
    assert pair.sent(PACKET, 4, 0).inside == []
    assert pair.second.dropped == {"XfrmInStateSeqError": 1}
    last = 2**64 - 1 if esn else 2**32 - 1
    if esn:
        inbound = pair.second._sas.inbound[pair.sa.spi]
        assert inbound.window is not None
        inbound.highest = last - 10
        inbound.window.mark(last - 10)
    assert pair.sent(PACKET, 4, last).inside == [PACKET]
    assert pair.sent(PACKET, 4, last).inside == []


@pytest.mark.parametrize("esn", [False, True])
def test_without_a_window_replays_pass(esn: bool) -> None:
    pair = Pair(sa_of(esn=esn), {"replay_window_packets": 0})
    for number in (5, 5, 1, 70000, 5):
        assert pair.sent(PACKET, 4, number).inside == [PACKET]
    assert pair.second.dropped == {}


def limited(**limits: float) -> Pair:
    """Two ends with limits at the outbound one."""
    pair = Pair(sa_of(limits=SaLimits(**limits)))  # type: ignore[arg-type]
    pair.second.remove_sa(Direction.INBOUND, pair.sa.spi)
    pair.second.add_sa(replace(pair.inbound, limits=SaLimits()), 0.0)
    return pair


@pytest.mark.parametrize(
    ("limits", "soft_after", "hard_after"),
    [
        ({"soft_packets": 3, "hard_packets": 5}, 3, 5),
        ({"soft_bytes": 150, "hard_bytes": 300}, 3, 5),
        ({"soft_bytes": 150, "hard_packets": 5}, 3, 5),
        ({"hard_packets": 4}, 4, 4),
        ({"soft_packets": 4, "hard_packets": 4}, 4, 4),
    ],
)
def test_lives_in_packets_and_bytes(limits: dict[str, float], soft_after: int, hard_after: int) -> None:
    pair = limited(**limits)
    told: list[tuple[int, PlaneEventKind]] = []
    passed = 0
    for number in range(1, 9):
        passed += len(pair.first.protect(PACKET, float(number)).outside)
        told += [(number, event.kind) for event in pair.first.take_events()]
    assert passed == hard_after
    expected = [(hard_after, PlaneEventKind.HARD_LIMIT)]
    if soft_after < hard_after:
        expected.insert(0, (soft_after, PlaneEventKind.SOFT_LIMIT))
    assert told == expected
    assert pair.first.dropped == {"XfrmOutStateExpired": 8 - hard_after}
    statistics = pair.first.sa_statistics(Direction.OUTBOUND, pair.sa.spi, 20.0)
    assert (statistics.packets, statistics.bytes) == (hard_after, 60 * hard_after)
    assert statistics.idle_seconds == 20.0 - hard_after


def test_an_inbound_sa_has_lives_too() -> None:
    pair = Pair(sa_of(), {"limits": SaLimits(soft_packets=2, hard_packets=3)})
    for number in range(1, 6):
        pair.sent(PACKET, 4, number)
    kinds = [(event.kind, event.direction) for event in pair.second.take_events()]
    assert kinds == [
        (PlaneEventKind.SOFT_LIMIT, Direction.INBOUND),
        (PlaneEventKind.HARD_LIMIT, Direction.INBOUND),
    ]
    assert pair.second.dropped == {"XfrmInStateExpired": 2}
    assert pair.second.inbound_packets == 3


def test_lives_in_seconds() -> None:
    pair = limited(soft_seconds=10.0, hard_seconds=30.0)
    assert pair.first.next_timeout() == 10.0
    pair.first.handle_timeout(9.9)
    assert pair.first.take_events() == []
    pair.first.handle_timeout(10.0)
    assert [event.kind for event in pair.first.take_events()] == [PlaneEventKind.SOFT_LIMIT]
    assert pair.first.next_timeout() == 30.0
    assert pair.carried(PACKET, 29.9) == [PACKET]
    assert pair.first.take_events() == []
    assert pair.first.protect(PACKET, 30.0).outside == []
    assert [event.kind for event in pair.first.take_events()] == [PlaneEventKind.HARD_LIMIT]
    assert pair.first.dropped == {"XfrmOutStateExpired": 1}
    assert pair.first.next_timeout() is None
    pair.first.handle_timeout(31.0)
    assert pair.first.take_events() == []


@pytest.mark.parametrize("mode", list(Mode))
def test_dummies_are_sent_and_vanish(mode: Mode) -> None:
    pair = Pair(sa_of(mode=mode))
    for size in (0, 1, 100, 1300):
        (outer,) = pair.first.dummy_packet(pair.sa.spi, size, 1.0).outside
        assert opened(pair.sa, outer.content) == (bytes(size), 59)
        output = pair.second.receive(outer, 1.0)
        assert (output.inside, output.outside) == ([], [])
    assert pair.second.dummy_packets == 4
    assert pair.second.dropped == {}
    assert pair.second.inbound_packets == 0
    # A replayed one is a replay.
    pair.second.receive(outer, 1.0)
    assert pair.second.dropped == {"XfrmInStateSeqError": 1}
    # Packets of the same SA go on.
    packet = PACKET if mode is Mode.TUNNEL else udp_packet(4, 60, ENDS[4])
    assert pair.carried(packet) == [packet]


def test_a_dummy_does_not_outlive_its_sa() -> None:
    pair = limited(hard_packets=1)
    assert len(pair.first.dummy_packet(pair.sa.spi, 10, 1.0).outside) == 1
    assert pair.first.dummy_packet(pair.sa.spi, 10, 1.0).outside == []
    assert pair.first.dropped == {"XfrmOutStateExpired": 1}


@pytest.mark.parametrize("layering", list(Layering))
@pytest.mark.parametrize("version", [4, 6])
@given(st.sampled_from(available_suites()), st.integers(60, 1380), st.sampled_from([1, 256, 1000, 1300, 9000]))
@settings(deadline=None, max_examples=40)
def test_tfc_padding_hides_lengths(version: int, layering: Layering, name: str, size: int, tfc: int) -> None:
    mode = Mode.TUNNEL if layering is Layering.NONE else Mode.TRANSPORT
    pair = Pair(sa_of(name, version=version, mode=mode, layering=layering, tfc_bytes=tfc, encapsulation=PORTS))
    packet, smallest = udp_packet(4, size), udp_packet(4, 60)
    (octets,), (other,) = pair.on_the_wire(packet), pair.on_the_wire(smallest)
    assert len(octets) <= 1500
    if size + (4 if layering is Layering.GRE else 0) <= tfc:
        assert len(octets) == len(other)
    if tfc == 9000:
        assert len(octets) > 1500 - 16
    assert pair.deliver(octets).inside == [packet]


def test_transport_mode_has_no_tfc_padding() -> None:
    packet = udp_packet(4, 60, ENDS[4])
    with_tfc = Pair(sa_of(mode=Mode.TRANSPORT, tfc_bytes=1000)).on_the_wire(packet)
    without = Pair(sa_of(mode=Mode.TRANSPORT)).on_the_wire(packet)
    assert [len(octets) for octets in with_tfc] == [len(octets) for octets in without]


@pytest.mark.parametrize(
    ("payload", "next_header", "counter"),
    [
        (PACKET, 41, "XfrmInStateModeError"),
        (udp_packet(6, 60), 4, "XfrmInStateModeError"),
        (PACKET, 17, "XfrmInStateModeError"),
        (PACKET, 50, "XfrmInStateModeError"),
        (b"", 4, "XfrmInStateModeError"),
        (b"\x45", 4, "XfrmInHdrError"),
        (PACKET[:-1], 4, "XfrmInHdrError"),
        (udp_packet(6, 60)[:-1], 41, "XfrmInHdrError"),
        (b"\x44" + PACKET[1:], 4, "XfrmInHdrError"),
        (b"\x50" + PACKET[1:], 4, "XfrmInStateModeError"),
    ],
)
def test_what_tunnel_mode_does_not_carry(payload: bytes, next_header: int, counter: str) -> None:
    pair = Pair(sa_of())
    assert pair.sent(payload, next_header).inside == []
    assert pair.second.dropped == {counter: 1}
    assert pair.carried(PACKET) == []  # number 1 was marked
    assert pair.carried(PACKET) == [PACKET]


@pytest.mark.parametrize("version", [4, 6])
def test_what_transport_mode_does_not_carry(version: int) -> None:
    pair = Pair(sa_of(version=version, mode=Mode.TRANSPORT))
    assert pair.sent(bytes(70000), 17, 1).inside == []
    assert pair.second.dropped == {"XfrmInHdrError": 1}
    if version == 6:
        assert pair.sent(b"\x11\xff" + bytes(30), 60, 2).inside == []
        assert pair.sent(b"\x11\0\0\1" + bytes(30), 44, 3).inside == []
        assert pair.second.dropped == {"XfrmInHdrError": 2, "XfrmInStateModeError": 1}


def test_the_other_ip_version_outside() -> None:
    four, six = Pair(sa_of()), Pair(sa_of(version=6))
    (outer,) = six.sealed(PACKET)
    assert four.second.receive(outer, 1.0).inside == []
    assert four.second.dropped == {"XfrmInStateMismatch": 1}


def test_what_is_no_ip_packet_is_not_protected() -> None:
    pair = Pair(sa_of())
    for octets in (b"", b"\x45", b"\x60" + bytes(10), bytes(100), PACKET[:-1]):
        assert pair.first.protect(octets, 1.0).outside == []
    assert pair.first.dropped == {"XfrmOutError": 5}
    # Octets behind the packet's own end are not sent.
    assert pair.carried(PACKET + b"link padding") == [PACKET]


def test_packets_longer_than_ip_are_dropped() -> None:
    pair = Pair(sa_of(path_mtu_bytes=65535))
    largest = ipv4("10.1.0.1", "10.2.0.2", bytes(65515))
    assert pair.first.protect(largest, 1.0).outside != []  # as fragments
    pair = Pair(sa_of(path_mtu_bytes=65535, mode=Mode.TRANSPORT))
    assert pair.first.protect(ipv4(*ENDS[4], bytes(65515)), 1.0).outside == []
    assert pair.first.dropped == {"XfrmOutError": 1}


def test_ipv6_options_and_routing_headers_in_transport_mode() -> None:
    pair = Pair(sa_of(version=6, mode=Mode.TRANSPORT))
    hop_by_hop, routing, options = b"\x2b\0" + bytes(6), b"\x3c\0" + bytes(6), b"\x11\0" + bytes(6)
    datagram = udp_packet(6, 60, ENDS[6])[40:]
    packet = ipv6(*ENDS[6], hop_by_hop + routing + options + datagram, 0)
    (octets,) = pair.on_the_wire(packet)
    # Routers see theirs; the options for the end are hidden.
    assert octets[6] == 0
    assert octets[40:56] == hop_by_hop + b"\x32" + routing[1:]
    assert pair.deliver(octets).inside == [packet]


def test_ipv4_options_in_transport_mode() -> None:
    pair = Pair(sa_of(mode=Mode.TRANSPORT))
    packet = ipv4(*ENDS[4], bytes(range(100)), 17, options=bytes.fromhex("94040000"))
    (octets,) = pair.on_the_wire(packet)
    assert octets[20:24] == bytes.fromhex("94040000")
    assert pair.deliver(octets).inside == [packet]


class _FailingTransform:
    def __init__(self, error: Callable[[], Exception]) -> None:
        self._error = error

    def seal(self, spi: int, sequence: int, plaintext: bytes) -> bytes:
        raise self._error()

    def open(self, packet: bytes, sequence: int) -> bytes:
        raise self._error()


def test_a_library_that_fails_drops_the_packet() -> None:
    pair = Pair(sa_of())
    (outer,) = pair.sealed(PACKET)
    broken = _FailingTransform(lambda: ProviderError("out of memory"))
    pair.second._sas.inbound[pair.sa.spi]._transform = broken
    pair.first._sas.outbound[pair.sa.spi]._transform = broken
    assert pair.second.receive(outer, 1.0).inside == []
    assert pair.second.dropped == {"XfrmInStateProtoError": 1}
    assert pair.second.sa_statistics(Direction.INBOUND, pair.sa.spi, 1.0).forged == 0
    assert pair.first.protect(PACKET, 1.0).outside == []
    assert pair.first.dropped == {"XfrmOutStateProtoError": 1}


def test_a_fragment_at_the_end_of_what_ip_can_count_is_not_fragmented_again() -> None:
    pair = Pair(sa_of())
    assert pair.first.protect(ipv4("10.1.0.1", "10.2.0.2", bytes(3000), flags=8191), 1.0).outside == []
    assert pair.first.dropped == {"XfrmOutError": 1}


def test_something_else_where_gre_is_expected() -> None:
    pair = Pair(sa_of(mode=Mode.TRANSPORT, layering=Layering.GRE))
    assert pair.sent(PACKET, 4).inside == []
    assert pair.second.dropped == {"XfrmInStateModeError": 1}


@pytest.mark.parametrize("name", available_suites())
def test_no_iv_is_used_twice(name: str) -> None:
    drawn: list[bytes] = []
    source = random.Random(name)

    def draw(count: int) -> bytes:
        drawn.append(source.randbytes(count))
        return drawn[-1]

    end = EspProcessing(cryptography(), draw)
    end.add_policy(PolicyConfiguration(Direction.OUTBOUND, ANYTHING, Action.PROTECT, 1))
    sa = sa_of(name)
    end.add_sa(sa, 0.0)
    drawn.clear()
    iv_bytes = sa.suite.encryption.iv_bytes
    ivs = [end.protect(PACKET, 1.0).outside[0].content[8 : 8 + iv_bytes] for _ in range(20)]
    if sa.suite.encryption.mode == "cbc":
        # RFC 3602 section 3: unpredictable, which is the source's business; each is drawn, and none is made of another.
        assert ivs == drawn
    elif iv_bytes:
        assert ivs == [number.to_bytes(8) for number in range(1, 21)]
