"""Replayed, forged, unknown and malformed packets: never delivered, counted by Linux's names, and nothing is harmed.

The packets are sealed by an oracle that shares nothing with the data plane (tests/interop/esp_packets.py).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from ipsecbench.dataplane.interface import SaStatistics
from ipsecbench.esp.configuration import Direction
from ipsecbench.lab.namespaces import Hosts
from tests.bench.manual_sas import PlaneEnd, add_sa_pair, spi_of
from tests.bench.plane_ends import agent_ends
from tests.interop.esp_packets import IPV4, udp_packet
from tests.proofs.attacker import Datagram, Injector
from tests.proofs.oracle_sender import PORT, OracleSender, Sink

pytestmark = [pytest.mark.root, pytest.mark.agent]

SUITES = ("aes128gcm16", "aes128-sha1", "chacha20poly1305")
SPI = spi_of(0, to_peer=True)


@dataclass
class Receiver:
    """The second host with its data plane, an oracle that seals for it, and what it delivers."""

    hosts: Hosts
    end: PlaneEnd
    oracle: OracleSender
    sink: Sink
    attacker: Injector

    def dropped(self) -> dict[str, int]:
        """Counters that are not 0."""
        return {name: count for name, count in self.end.plane.statistics().dropped.items() if count}

    def sa(self) -> SaStatistics:
        """Of the inbound SA."""
        return self.end.plane.sa_statistics(Direction.INBOUND, SPI)

    def seen(self) -> int:
        """Packets that the data plane has taken in so far, whatever it has done with them."""
        statistics = self.end.plane.statistics()
        return statistics.inbound_packets + sum(statistics.dropped.values())

    def wait_until_seen(self, number: int) -> None:
        """Return when it has taken in so many in all."""
        deadline = time.monotonic() + 10.0
        while self.seen() < number:
            assert time.monotonic() < deadline, f"{number - self.seen()} packets have not arrived"
            time.sleep(0.01)

    def deliver(self, packets: list[Datagram]) -> list[int]:
        """Send packets once; numbers of those that came out."""
        self.attacker.send(packets)
        return self.sink.numbers()


@pytest.fixture
def suite(request: pytest.FixtureRequest) -> str:
    """AES-GCM, where the suite makes no difference."""
    return str(getattr(request, "param", SUITES[0]))


@pytest.fixture
def receiver(hosts: Hosts, suite: str) -> Iterator[Receiver]:
    with agent_ends(hosts) as (local, peer), Sink(hosts.peer) as sink, Injector(hosts.local) as attacker:
        add_sa_pair(local, peer, suite)
        yield Receiver(hosts, peer, OracleSender(hosts, suite), sink, attacker)


@pytest.mark.parametrize("suite", SUITES, indirect=True)
def test_replays_are_never_delivered(receiver: Receiver) -> None:
    first = receiver.oracle.packets(range(1, 2001))
    assert receiver.deliver(first) == list(range(1, 2001))
    # All of it over and over again, with a new packet in between each time: only those come out.
    for new in receiver.oracle.packets(range(2001, 2021)):
        before = receiver.seen()
        receiver.attacker.send([*first, new])
        receiver.wait_until_seen(before + 2001)
    assert receiver.sink.numbers() == list(range(2001, 2021))
    assert receiver.dropped() == {"XfrmInStateSeqError": 20 * 2000}
    assert receiver.sa().replayed == 20 * 2000
    assert receiver.sa().packets == 2020


def test_what_is_late_passes_once_if_the_window_has_room_for_it(receiver: Receiver) -> None:
    packets = dict(zip(range(1, 301), receiver.oracle.packets(range(1, 301)), strict=True))
    order = [100, 300, 299, 237, 237, 236, 300, 250, 100, 301 - 64]
    # The window is 64 wide: 237 to 300 after 300.
    assert receiver.deliver([packets[number] for number in order]) == [100, 300, 299, 237, 250]
    assert receiver.dropped() == {"XfrmInStateSeqError": 5}


@pytest.mark.parametrize("suite", SUITES, indirect=True)
def test_any_octet_that_is_changed_makes_a_forgery(receiver: Receiver) -> None:
    good = receiver.oracle.packets([50_000])[0]
    forged = []
    for at in range(4, len(good.esp)):
        octets = bytearray(good.esp)
        octets[at] ^= 1 << at % 8
        forged.append(replace(good, esp=bytes(octets)))
    # Forgeries do not move the window: what has low numbers still passes afterwards.
    assert receiver.deliver([*forged, *receiver.oracle.packets(range(1, 65))]) == list(range(1, 65))
    assert receiver.dropped() == {"XfrmInStateProtoError": len(forged)}
    assert receiver.sa().forged == len(forged)
    assert receiver.deliver([good]) == [50_000]


def test_packets_of_unknown_sas_are_counted_as_such(receiver: Receiver) -> None:
    good = receiver.oracle.packets([1])[0]
    spis = [256, SPI + 2, SPI ^ 0x80000000, 0xFFFFFFFF]
    # The SA that this host sends with is none that it receives with.
    spis.append(spi_of(0, to_peer=False))
    unknown = [replace(good, esp=spi.to_bytes(4, "big") + good.esp[4:]) for spi in spis]
    assert receiver.deliver([*unknown, good]) == [1]
    assert receiver.dropped() == {"XfrmInNoStates": len(unknown)}


@pytest.mark.parametrize("suite", SUITES, indirect=True)
def test_packets_that_are_cut_or_lengthened_are_dropped_and_counted(receiver: Receiver) -> None:
    good = receiver.oracle.packets([7])[0]
    chance = random.Random(4)
    lengths = [*range(8, len(good.esp)), len(good.esp) + 1, len(good.esp) + 16, 1400]
    malformed = [replace(good, esp=good.esp[:length].ljust(length, b"\1")) for length in lengths]
    malformed += [replace(good, esp=good.esp[:8] + chance.randbytes(length)) for length in range(1, 100)]
    # Too short for an SPI and a sequence number, a keep-alive among them; on this port they might be IKE's.
    short = [replace(good, esp=octets) for octets in (b"\xff", b"\xff\xff", b"\0\1\0\0", good.esp[:7])]
    assert receiver.deliver([*short, *malformed, good]) == [7]
    dropped = receiver.dropped()
    assert set(dropped) <= {"XfrmInStateProtoError", "XfrmInHdrError"}
    assert len(malformed) <= sum(dropped.values()) <= len(malformed) + len(short)


def test_authentic_packets_that_are_not_admitted_are_dropped(receiver: Receiver) -> None:
    local, peer = receiver.hosts.local, receiver.hosts.peer
    inner = udp_packet(local.inner_ipv4, peer.inner_ipv4, PORT, b"\0\0\0\1")
    strangers = [
        udp_packet("10.9.0.1", peer.inner_ipv4, PORT, b"\0\0\0\2"),
        udp_packet(local.inner_ipv4, peer.ipv4, PORT, b"\0\0\0\3"),
    ]
    seal = receiver.oracle.sa.seal
    admitted = [seal(1, inner, IPV4)]
    refused = [seal(2 + at, packet, IPV4) for at, packet in enumerate(strangers)]
    # No IP packet in it: cut, of another version than the Next Header says, empty.
    broken = [seal(10, inner[:19], IPV4), seal(11, b"\x65" + inner[1:], IPV4), seal(12, b"", IPV4)]
    # A dummy packet (RFC 4303 section 2.6) is nothing to complain of.
    dummy = [seal(20, b"whatever it is", 59)]
    everything = [receiver.oracle.datagram(esp) for esp in (*refused, *broken, *dummy, *admitted)]
    assert receiver.deliver(everything) == [1]
    dropped = receiver.dropped()
    assert dropped.pop("XfrmInNoPols", 0) + dropped.pop("XfrmInTmplMismatch", 0) == len(refused)
    assert set(dropped) <= {"XfrmInHdrError", "XfrmInStateModeError", "XfrmInError"}
    assert sum(dropped.values()) == len(broken)


def test_hostile_packets_of_ip_protocol_50_fare_the_same(hosts: Hosts) -> None:
    with agent_ends(hosts) as (local, peer), Sink(hosts.peer) as sink, Injector(hosts.local) as attacker:
        add_sa_pair(local, peer, "aes128gcm16", encapsulation=None)
        oracle = OracleSender(hosts, "aes128gcm16", encapsulated=False)
        good = oracle.packets(range(1, 101))
        forged = [replace(packet, esp=packet.esp[:-1] + b"\0") for packet in good if packet.esp[-1]]
        unknown = [replace(packet, esp=b"\0\0\7\7" + packet.esp[4:]) for packet in good]
        short = [replace(each, esp=each.esp[:length]) for length, each in enumerate(oracle.packets(range(901, 917)))]
        attacker.send([*forged, *good, *good, *unknown, *short])
        assert sink.numbers() == list(range(1, 101))
        dropped = {name: count for name, count in peer.plane.statistics().dropped.items() if count}
        assert dropped.pop("XfrmInStateSeqError") == len(good)
        assert dropped.pop("XfrmInNoStates") == len(unknown)
        assert set(dropped) == {"XfrmInStateProtoError", "XfrmInHdrError"}
        # One without a single octet need not be handed over by the kernel.
        assert len(forged) + 15 <= sum(dropped.values()) <= len(forged) + 16
