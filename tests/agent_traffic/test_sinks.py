"""What sinks make of packets and streams that Python sends over the loopback interface. No rights are needed."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.traffic import TrafficAgent, offer
from ipsecbench.lab.traffic_model import IMIX, Packets, Plan, SinkReport, Trial, Vary
from tests.agent_traffic.loopback import ADDRESS, free_port, make_payload


def send(port: int, payloads: Sequence[bytes], gap_seconds: float = 0.0) -> None:
    """Send packets one after the other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        for payload in payloads:
            opened.sendto(payload, (ADDRESS, port))
            if gap_seconds:
                time.sleep(gap_seconds)


def open_sink(traffic: TrafficAgent, stream: int = 3) -> int:
    """A sink that counts; its port."""
    port = free_port()
    traffic.open_udp_sink("sink", ADDRESS, port, stream=stream)
    traffic.start_sink("sink")
    return port


def counted(report: SinkReport) -> dict[str, int]:
    """What is not 0."""
    names = ("received", "duplicated", "late", "reordered", "corrupted", "foreign")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def test_good_packets(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    send(port, [make_payload(3, number, time.monotonic_ns()) for number in range(100)])
    report = traffic.settled_statistics("sink")
    assert counted(report) == {"received": 100}
    assert report.bytes == 100 * 64
    assert report.latency is not None
    assert report.latency.count == 100
    assert 0 <= report.wall_ns < 1_000_000_000


def test_duplicates(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    send(port, [make_payload(3, number) for number in (0, 1, 1, 2, 0, 2, 5)])
    assert counted(traffic.settled_statistics("sink")) == {"received": 4, "duplicated": 3}


def test_reordering_is_within_a_flow(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    numbers = [(0, 0), (0, 2), (0, 1), (1, 10), (2, 3), (1, 11), (2, 4), (2, 6), (2, 5), (9999, 7)]
    send(port, [make_payload(3, number, flow=flow) for flow, number in numbers])
    assert counted(traffic.settled_statistics("sink")) == {"received": 10, "reordered": 2}


def test_corrupted_packets(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    good = make_payload(3, 0, length=500)
    broken = [good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :] for place in (16, 17, 200, 498, 499)]
    send(port, [*broken, good])
    assert counted(traffic.settled_statistics("sink")) == {"received": 1, "corrupted": 5}


def test_foreign_packets(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    short = make_payload(3, 0)[:15]
    send(port, [b"", b"\0", b"x" * 100, short, make_payload(4, 0), make_payload(3, 1, flow=10_000), make_payload(3, 2)])
    assert counted(traffic.settled_statistics("sink")) == {"received": 1, "foreign": 6}


def test_what_comes_too_late_to_tell(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    last = 2**32 - 1
    send(port, [make_payload(3, number) for number in (0, last, last - 2**20, last - 2**20 + 1, 0)])
    assert counted(traffic.settled_statistics("sink")) == {"received": 3, "late": 2, "reordered": 1}


def test_reset_forgets_and_changes_the_stream(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    send(port, [make_payload(3, number) for number in (0, 1, 2)])
    assert counted(traffic.settled_statistics("sink")) == {"received": 3}
    traffic.reset_sink("sink", 5)
    send(port, [make_payload(3, 3), make_payload(5, 0), make_payload(5, 1)])
    assert counted(traffic.settled_statistics("sink")) == {"received": 2, "foreign": 1}
    traffic.reset_sink("sink")
    send(port, [make_payload(5, 0)])
    assert counted(traffic.settled_statistics("sink")) == {"received": 1}


def test_latencies_are_told_to_two_per_cent(traffic: TrafficAgent) -> None:
    port = open_sink(traffic)
    now = time.monotonic_ns
    # 90 packets that were on the way for 1 s, 9 for 2 s, one for 4 s; what sending them takes is small beside it.
    ages = [1_000_000_000] * 90 + [2_000_000_000] * 9 + [4_000_000_000]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        for number, age in enumerate(ages):
            opened.sendto(make_payload(3, number, now() - age), (ADDRESS, port))
            time.sleep(0.0005)
    traffic.settled_statistics("sink")
    latency = traffic.sink_statistics("sink", histogram=True).latency
    assert latency is not None
    for value, expected in (
        (latency.minimum_ns, 1e9),
        (latency.p50_ns, 1e9),
        (latency.p95_ns, 2e9),
        (latency.p99_ns, 2e9),
        (latency.p999_ns, 4e9),
        (latency.maximum_ns, 4e9),
        (latency.mean_ns, 1.12e9),
    ):
        assert expected * 0.98 < value < expected * 1.02 + 30_000_000
    assert sum(count for _, count in latency.buckets) == 100
    assert [value for value, _ in latency.buckets] == sorted(value for value, _ in latency.buckets)


def trial(traffic: TrafficAgent, packets: Packets, plan: Plan, stream: int = 11) -> Trial:
    """From a source to a sink of the same agent."""
    traffic.open_udp_source("source", packets)
    return offer(traffic, "source", traffic, "sink", plan, stream)


@pytest.mark.parametrize("segments", [1, 10, 43])
def test_nothing_is_lost_on_the_loopback(traffic: TrafficAgent, segments: int) -> None:
    port = open_sink(traffic)
    packets = Packets(ADDRESS, port, mix=IMIX, segments=segments)
    done = trial(traffic, packets, Plan(count=12 * 430, packets_per_second=20_000))
    assert (done.source.packets, done.source.refused, done.lost) == (5160, 0, 0)
    assert counted(done.sink) == {"received": 5160}
    assert done.sink.bytes == done.source.bytes == 430 * (7 * 64 + 4 * 570 + 1518)
    assert done.sink.latency is not None
    assert 0 < done.sink.latency.minimum_ns <= done.sink.latency.p50_ns <= done.sink.latency.maximum_ns < 2e9


def test_many_flows(traffic: TrafficAgent) -> None:
    port = free_port()
    traffic.open_udp_sink("sink", "0.0.0.0", port)  # noqa: S104  all of this host
    traffic.start_sink("sink")
    # 127.0.0.1, 127.0.0.2, … are all this host.
    packets = Packets(ADDRESS, port, size_bytes=64, flows=10_000, vary=Vary.DESTINATION)
    done = trial(traffic, packets, Plan(count=20_000, packets_per_second=40_000))
    assert counted(done.sink) == {"received": 20_000}


def test_what_a_full_sink_drops_is_told(traffic: TrafficAgent) -> None:
    port = free_port()
    traffic.open_udp_sink("sink", ADDRESS, port)
    # It does not run yet: its buffer fills, and the kernel drops the rest.
    traffic.open_udp_source("source", Packets(ADDRESS, port, size_bytes=1000))
    traffic.reset_sink("sink", 1)
    traffic.start("source", Plan(count=40_000), 1)
    sent = traffic.wait("source")
    traffic.start_sink("sink")
    deadline = time.monotonic() + 5
    while not (report := traffic.settled_statistics("sink")).dropped and time.monotonic() < deadline:
        time.sleep(0.05)
    assert report.received + report.dropped + sent.refused == 40_000
    assert report.dropped > 0


def test_a_tcp_stream(traffic: TrafficAgent) -> None:
    port = free_port(socket.SOCK_STREAM)
    traffic.open_tcp_sink("sink", ADDRESS, port, interval_seconds=0.1)
    traffic.start_sink("sink")
    traffic.open_tcp_source("source", ADDRESS, port, interval_seconds=0.1)
    for number in (1, 2):
        traffic.reset_sink("sink")
        traffic.start("source", Plan(seconds=0.5))
        sent = traffic.wait("source")
        received = traffic.settled_statistics("sink")
        assert sent.bytes == received.bytes == sum(received.interval_bytes) > 1_000_000, number
        assert received.connections == 1
        assert 4 <= len(received.interval_bytes) <= 9
        assert 0.3e9 < received.wall_ns < 1.5e9


def test_a_count_of_octets_over_tcp(traffic: TrafficAgent) -> None:
    """Received by Python."""
    with socket.create_server((ADDRESS, 0)) as listener:
        listener.settimeout(5)
        traffic.open_tcp_source("source", ADDRESS, listener.getsockname()[1])
        traffic.start("source", Plan(count=1_234_567))
        connection, _ = listener.accept()
        with connection:
            received = 0
            while chunk := connection.recv(1 << 20):
                received += len(chunk)
        assert received == traffic.wait("source").bytes == 1_234_567


def test_a_tcp_sink_of_many_streams(traffic: TrafficAgent) -> None:
    """Sent by Python."""
    port = free_port(socket.SOCK_STREAM)
    traffic.open_tcp_sink("sink", ADDRESS, port)
    traffic.start_sink("sink")
    connections = [socket.create_connection((ADDRESS, port)) for _ in range(20)]
    for connection in connections:
        connection.sendall(bytes(50_000))
        connection.close()
    report = traffic.settled_statistics("sink")
    assert (report.connections, report.bytes) == (20, 1_000_000)


def test_nobody_listens(traffic: TrafficAgent) -> None:
    traffic.open_tcp_source("source", ADDRESS, free_port(socket.SOCK_STREAM))
    traffic.start("source", Plan(seconds=1))
    with pytest.raises(LaboratoryError, match="Connection refused"):
        traffic.wait("source")
    traffic.open_udp_source("udp", Packets(ADDRESS, free_port(), size_bytes=64))
    traffic.start("udp", Plan(count=1000, packets_per_second=5000))
    assert traffic.wait("udp").packets == 1000


def test_a_port_that_is_taken(traffic: TrafficAgent) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((ADDRESS, 0))
        with pytest.raises(LaboratoryError, match=r"cannot bind to 127\.0\.0\.1 port \d+: Address already in use"):
            traffic.open_udp_sink("sink", ADDRESS, opened.getsockname()[1])
