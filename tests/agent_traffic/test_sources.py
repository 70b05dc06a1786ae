"""What sources send, as a Python socket on the loopback interface sees it. No rights are needed."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.traffic import TrafficAgent
from ipsecbench.lab.traffic_model import IMIX, EspPackets, EspStream, Packets, Plan, Vary
from ipsecbench.secret import Secret
from tests.agent_traffic.loopback import ADDRESS, Payload, receive, receiver

STARVED_NS = 90_000_000
"""A source gives up 100 ms after its time."""


@pytest.mark.parametrize("segments", [1, 7, 64])
def test_numbers_sizes_and_times(traffic: TrafficAgent, segments: int) -> None:
    with receiver() as (opened, port):
        traffic.open_udp_source("one", Packets(ADDRESS, port, size_bytes=128, segments=segments))
        before = time.monotonic_ns()
        traffic.start("one", Plan(count=200), stream=9)
        report = traffic.wait("one")
        payloads = [Payload.parse(octets) for octets in receive(opened, 200)]
    assert [payload.sequence for payload in payloads] == list(range(200))
    assert {(payload.stream, payload.flow, payload.length) for payload in payloads} == {(9, 0, 128 - 28)}
    assert all(payload.intact and before < payload.sent_ns < time.monotonic_ns() for payload in payloads)
    assert (report.packets, report.bytes, report.refused) == (200, 200 * 128, 0)
    assert 0 < report.cpu_ns <= report.wall_ns * 1.5


def test_a_stream_goes_on_until_another_one_is_asked_for(traffic: TrafficAgent) -> None:
    with receiver() as (opened, port):
        traffic.open_udp_source("one", Packets(ADDRESS, port, size_bytes=64))
        for stream in (1, None, 2):
            traffic.start("one", Plan(count=10), stream)
            traffic.wait("one")
        payloads = [Payload.parse(octets) for octets in receive(opened, 30)]
    expected = [(1, number) for number in range(20)] + [(2, number) for number in range(10)]
    assert [(payload.stream, payload.sequence) for payload in payloads] == expected


@pytest.mark.parametrize("segments", [1, 20])
def test_the_mix_is_7_to_4_to_1(traffic: TrafficAgent, segments: int) -> None:
    count = 12 * segments * 3
    with receiver() as (opened, port):
        traffic.open_udp_source("mix", Packets(ADDRESS, port, mix=IMIX, segments=segments))
        traffic.start("mix", Plan(count=count))
        report = traffic.wait("mix")
        payloads = [Payload.parse(octets) for octets in receive(opened, count)]
    sizes = Counter(payload.length + 28 for payload in payloads)
    assert sizes == {64: count * 7 // 12, 570: count * 4 // 12, 1518: count // 12}
    assert report.bytes == sum(size * number for size, number in sizes.items())
    assert all(payload.intact for payload in payloads)
    assert [payload.sequence for payload in payloads] == list(range(count))


@pytest.mark.parametrize(("address", "size", "overhead"), [("127.0.0.1", 44, 28), ("::1", 64, 48)])
def test_the_smallest_packets(traffic: TrafficAgent, address: str, size: int, overhead: int) -> None:
    with receiver(address) as (opened, port):
        traffic.open_udp_source("small", Packets(address, port, size_bytes=size, segments=16))
        traffic.start("small", Plan(count=100))
        traffic.wait("small")
        assert {len(octets) for octets in receive(opened, 100)} == {size - overhead}
    with pytest.raises(LaboratoryError, match=f"size_bytes: must be at least {size}|from 44 to 65535"):
        traffic.open_udp_source("smaller", Packets(address, 9, size_bytes=size - 1))


def test_flows_take_turns(traffic: TrafficAgent) -> None:
    with receiver() as (first, port):
        # The port beside it may be taken: flows are told apart by their destination.
        traffic.open_udp_source("many", Packets(ADDRESS, port, size_bytes=64, flows=100, vary=Vary.DESTINATION))
        traffic.start("many", Plan(count=1000))
        traffic.wait("many")
        payloads = [Payload.parse(octets) for octets in receive(first, 10)]
    assert [(payload.flow, payload.sequence) for payload in payloads] == [(0, number * 100) for number in range(10)]


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize(("rate", "segments"), [(500, 1), (4000, 1), (20_000, 16)])
def test_the_rate_is_kept(traffic: TrafficAgent, rate: int, segments: int, spin: bool) -> None:
    seconds = 0.3
    with receiver() as (_, port):
        traffic.open_udp_source("paced", Packets(ADDRESS, port, size_bytes=64, segments=segments))
        traffic.start("paced", Plan(seconds=seconds, packets_per_second=rate, spin=spin))
        report = traffic.wait("paced")
    # A source that got no processor for so long gives up, and says so.
    assert report.packets == rate * seconds or report.behind_ns > STARVED_NS
    # The last packet is due one interval before the end; a busy machine may make it late, never early.
    earliest = (report.packets - segments) / rate
    assert earliest * 0.999 <= report.wall_ns / 1e9 < seconds + 1


def test_packets_are_spread_over_the_time(traffic: TrafficAgent) -> None:
    with receiver() as (opened, port):
        traffic.open_udp_source("paced", Packets(ADDRESS, port, size_bytes=64))
        traffic.start("paced", Plan(count=400, packets_per_second=1000))
        report = traffic.wait("paced")
        times = [Payload.parse(octets).sent_ns for octets in receive(opened, 400)]
    assert times == sorted(times)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    # What was late is made up for at once; when nothing was, every packet has its own millisecond.
    assert report.behind_ns > 5_000_000 or sorted(gaps)[200] > 800_000
    assert times[-1] - times[0] >= 399_000_000 - report.behind_ns


def test_without_a_rate_as_many_as_can_be(traffic: TrafficAgent) -> None:
    with receiver() as (_, port):
        traffic.open_udp_source("flood", Packets(ADDRESS, port, size_bytes=64, segments=64))
        traffic.start("flood", Plan(seconds=0.3))
        report = traffic.wait("flood")
    assert 0.29e9 < report.wall_ns < 0.6e9
    assert report.packets_per_second > 20_000  # under sanitizers, on a busy machine
    assert 0 < report.busy < 1.1


def test_a_run_can_be_stopped(traffic: TrafficAgent) -> None:
    with receiver() as (_, port):
        traffic.open_udp_source("long", Packets(ADDRESS, port, size_bytes=64))
        traffic.start("long", Plan(seconds=3600, packets_per_second=100))
        with pytest.raises(LaboratoryError, match="is running"):
            traffic.start("long", Plan(count=1))
        time.sleep(0.3)
        assert traffic.source_statistics("long").running
        stopped = traffic.stop("long")
        assert not stopped.running
        assert 5 < stopped.packets < 100
        traffic.start("long", Plan(seconds=3600, packets_per_second=100))
        with pytest.raises(LaboratoryError, match="did not end within"):
            traffic.wait("long", 0.2)


def test_segments_of_more_than_a_packet_can_hold(traffic: TrafficAgent) -> None:
    with pytest.raises(LaboratoryError, match="more than 64 kB"):
        traffic.open_udp_source("segments", Packets(ADDRESS, 9, size_bytes=1500, segments=64))


SUITES = {
    "aes128gcm16": ("AES-GCM", bytes(range(20)), "NULL", b""),
    "aes128-sha256": ("AES-CBC", bytes(range(16)), "SHA2-256-128", bytes(range(32))),
    "null-sha1": ("NULL", b"", "HMAC-SHA1-96", bytes(range(20))),
}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("segments", [1, 64])
def test_sealed_packets_are_what_scapy_opens(traffic: TrafficAgent, suite: str, segments: int) -> None:
    cipher, key, integrity, integrity_key = SUITES[suite]
    with receiver() as (opened, port):
        stream = EspStream(
            ADDRESS,
            EspPackets.SEALED,
            outer_destination_port=port,
            spi=0x12345678,
            sequence=1000,
            suite=suite,
            encryption_key=Secret(key) if key else None,
            integrity_key=Secret(integrity_key) if integrity_key else None,
            inner=Packets("10.2.0.1", 7, size_bytes=100, source="10.1.0.1", source_port=8, flows=3),
            prepared_packets=50,
            segments=segments,
        )
        traffic.open_esp_source("esp", stream)
        # 50 that were prepared, 20 made on the way, and then the ring as it stands twice over.
        traffic.start("esp", Plan(count=70))
        traffic.wait("esp")
        traffic.start("esp", Plan(count=100, replay=True))
        report = traffic.wait("esp")
        packets = receive(opened, 170)
    assert report.packets == 100
    assert len(set(packets)) == 70
    assert [int.from_bytes(octets[4:8], "big") for octets in packets[:70]] == list(range(1000, 1070))
    assert packets[70:120] == packets[20:50] + packets[50:70]
    assert packets[120:170] == packets[70:120]
    sa: Any = SecurityAssociation(  # type: ignore[no-untyped-call]
        ESP,
        spi=0x12345678,
        crypt_algo=cipher,
        crypt_key=key,
        auth_algo=integrity,
        auth_key=integrity_key,
        tunnel_header=IP(src="192.0.2.1", dst="192.0.2.2"),
    )
    for number, octets in list(enumerate(packets[:70]))[::6]:
        inner = sa.decrypt(IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / ESP(octets))
        assert bytes(inner) == bytes(inner.__class__(bytes(inner)))
        assert (inner.src, inner.dst, inner[UDP].sport, inner[UDP].dport) == (
            "10.1.0.1",
            f"10.2.0.{1 + number % 3}",
            8,
            7,
        )
        checked = inner.copy()
        del checked.chksum
        del checked[UDP].chksum
        assert bytes(checked) == bytes(inner)
        payload = Payload.parse(bytes(inner[UDP].payload))
        assert (payload.sequence, payload.flow, payload.length) == (number, number % 3, 72)
        assert payload.intact


def test_a_replay_in_the_thousands_is_one_packet(traffic: TrafficAgent) -> None:
    with receiver() as (opened, port):
        given = EspStream(ADDRESS, EspPackets.GIVEN, outer_destination_port=port, octets=[bytes(range(40))])
        traffic.open_esp_source("replay", given)
        traffic.start("replay", Plan(count=3000, packets_per_second=20_000, replay=True))
        assert traffic.wait("replay").packets == 3000
        assert set(receive(opened, 3000)) == {bytes(range(40))}


def test_forged_packets_differ_and_rise(traffic: TrafficAgent) -> None:
    with receiver() as (opened, port):
        stream = EspStream(
            ADDRESS,
            EspPackets.FORGED,
            outer_destination_port=port,
            spi=77,
            sequence=5,
            size_bytes=120,
            prepared_packets=64,
            segments=32,
        )
        traffic.open_esp_source("forged", stream)
        traffic.start("forged", Plan(count=500))
        traffic.wait("forged")
        packets = receive(opened, 500)
    assert {len(octets) for octets in packets} == {120}
    assert [octets[:8] for octets in packets] == [(77 << 32 | 5 + number).to_bytes(8, "big") for number in range(500)]
    assert len({octets[-8:] for octets in packets}) == 500


def test_malformed_packets_are_no_ike(traffic: TrafficAgent) -> None:
    with receiver() as (opened, port):
        stream = EspStream(ADDRESS, EspPackets.MALFORMED, outer_destination_port=port, spi=77, prepared_packets=400)
        traffic.open_esp_source("malformed", stream)
        traffic.start("malformed", Plan(count=400, packets_per_second=20_000))
        traffic.wait("malformed")
        packets = receive(opened, 400)
    assert {1, 2, 3, 4, 7, 8, 1399} <= {len(octets) for octets in packets}
    assert not any(octets[:4] == b"\0\0\0\0" for octets in packets)
    spis = {int.from_bytes(octets[:4], "big") for octets in packets if len(octets) >= 8}
    assert 77 in spis
    assert any(0 < spi < 256 and spi != 77 for spi in spis)
    assert any(spi > 2**31 for spi in spis)


def test_sequence_numbers_end(traffic: TrafficAgent) -> None:
    with receiver() as (_, port):
        stream = EspStream(
            ADDRESS,
            EspPackets.SEALED,
            outer_destination_port=port,
            spi=77,
            sequence=2**32 - 10,
            suite="null-sha1",
            integrity_key=Secret(bytes(20)),
            inner=Packets("10.2.0.1", 7, size_bytes=64, source="10.1.0.1"),
            prepared_packets=5,
        )
        traffic.open_esp_source("ends", stream)
        traffic.start("ends", Plan(count=11))
        with pytest.raises(LaboratoryError, match="sequence numbers are used up"):
            traffic.wait("ends")
