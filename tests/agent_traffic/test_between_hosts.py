"""Test traffic between two hosts of the laboratory: devices, loss that is known, latency that is known, and rates."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab import relay
from ipsecbench.lab.impairment import Impairment, set_mtu
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.traffic import TrafficAgent, offer
from ipsecbench.lab.traffic_model import IMIX, EspPackets, EspStream, Packets, Plan, Vary
from ipsecbench.secret import Secret

PORT = 5001
ROOT = Path(__file__).resolve().parents[2]
UDP, ESP = 17, 50


@pytest.fixture(scope="module")
def hosts(root: None) -> Iterator[Hosts]:
    """Two hosts whose link carries packets of 1518 octets."""
    with two_hosts() as made:
        for host in (made.local, made.peer):
            set_mtu(host, 1600)
        yield made


@contextlib.contextmanager
def running_in(host: Host) -> Iterator[TrafficAgent]:
    """An agent in a host."""
    with TrafficAgent(host.command(), ROOT / "agent" / "build" / "ipsecbench-agent") as agent:
        yield agent


@pytest.fixture
def sender(hosts: Hosts) -> Iterator[TrafficAgent]:
    """In the first host."""
    with running_in(hosts.local) as agent:
        yield agent


@pytest.fixture
def receiver(hosts: Hosts) -> Iterator[TrafficAgent]:
    """In the second host."""
    with running_in(hosts.peer) as agent:
        yield agent


def link_address(host: Host) -> str:
    """The Ethernet address of a host."""
    return host.run("cat", "/sys/class/net/eth0/address").stdout.strip()


def open_sinks(receiver: TrafficAgent, address: str) -> None:
    """One that accounts for each packet, and one that counts at the device; both without privileges."""
    receiver.open_udp_sink("socket", address, PORT)
    receiver.open_device_sink("device", "eth0", protocol=UDP, port=PORT)
    receiver.drop_privileges()
    receiver.start_sink("socket")
    receiver.start_sink("device")


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("segments", "mix"), [(1, None), (64, None), (1, IMIX), (40, IMIX)])
def test_packets_put_onto_a_device(
    hosts: Hosts, sender: TrafficAgent, receiver: TrafficAgent, version: int, segments: int, mix: str | None
) -> None:
    source, destination = [host.ipv4 if version == 4 else host.ipv6 for host in (hosts.local, hosts.peer)]
    open_sinks(receiver, destination)
    packets = Packets(
        destination,
        PORT,
        size_bytes=None if mix else 64,
        mix=mix,
        source=source,
        source_port=4000,
        flows=10,
        vary=Vary.SOURCE_PORT,
        segments=segments,
    )
    sender.open_device_source("source", "eth0", packets, mac=link_address(hosts.peer))
    sender.drop_privileges()
    count = 12 * 40 * 10
    trial = offer(sender, "source", receiver, "socket", Plan(count=count, packets_per_second=40_000), 1)
    assert (trial.source.packets, trial.source.refused) == (count, 0)
    assert (trial.lost, trial.sink.dropped) == (0, 0)
    assert (trial.sink.duplicated, trial.sink.reordered, trial.sink.corrupted) == (0, 0, 0)
    octets = count // 12 * (7 * 64 + 4 * 570 + 1518) if mix else count * 64
    assert trial.sink.bytes == trial.source.bytes == octets
    device = receiver.settled_statistics("device")
    assert (device.received, device.bytes, device.dropped) == (count, octets, 0)


def test_a_known_loss_is_found(hosts: Hosts, sender: TrafficAgent, receiver: TrafficAgent) -> None:
    """Every tenth packet is dropped in front of the receiver."""
    rule = f"udp dport {PORT} numgen inc mod 10 == 3 counter drop"
    table = f"table inet loss {{ chain c {{ type filter hook prerouting priority -400; {rule}; }}\n}}\n"
    done = hosts.peer.run("nft", "-f", "-", text=table)
    assert done.returncode == 0, done.stderr
    try:
        open_sinks(receiver, hosts.peer.ipv4)
        sender.open_udp_source("source", Packets(hosts.peer.ipv4, PORT, size_bytes=200))
        trial = offer(sender, "source", receiver, "socket", Plan(count=5000, packets_per_second=20_000), 2)
        # The device's sink stands in front of the rule.
        assert receiver.settled_statistics("device").received == 5000
        assert trial.lost == 500
        assert (trial.sink.received, trial.sink.duplicated, trial.sink.dropped) == (4500, 0, 0)
    finally:
        hosts.peer.run("nft", "delete", "table", "inet", "loss")


@pytest.mark.parametrize(
    ("impairment", "expected"),
    [
        (Impairment(delay_ms=30), {}),
        (Impairment(duplicate_percent=100), {"duplicated": 400}),
        (Impairment(delay_ms=30, reorder_percent=20), {"reordered": ...}),
    ],
    ids=["delay", "duplicates", "reordering"],
)
def test_a_known_delay_and_disorder_are_found(root: None, impairment: Impairment, expected: dict[str, object]) -> None:
    with two_hosts(relay=True) as hosts:
        assert hosts.relay is not None
        process = hosts.relay.start(*relay.arguments(impairment), output=subprocess.PIPE)
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            with running_in(hosts.local) as sender, running_in(hosts.peer) as receiver:
                receiver.open_udp_sink("sink", hosts.peer.ipv4, PORT)
                receiver.start_sink("sink")
                hosts.local.run("ping", "-c", "1", "-W", "2", hosts.peer.ipv4)  # neighbours know each other
                sender.open_udp_source("source", Packets(hosts.peer.ipv4, PORT, size_bytes=100))
                trial = offer(sender, "source", receiver, "sink", Plan(count=400, packets_per_second=1000), 3)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    assert trial.lost == 0
    latency = trial.sink.latency
    assert latency is not None
    if "reordered" in expected:
        assert 40 < trial.sink.reordered < 360  # those that were overtaken
    else:
        assert trial.sink.reordered == 0
        assert latency.minimum_ns >= impairment.delay_ms * 1e6
    assert trial.sink.duplicated == expected.get("duplicated", 0)
    assert impairment.delay_ms * 1e6 <= latency.p50_ns < impairment.delay_ms * 1e6 + 60e6
    assert latency.p50_ns <= latency.p95_ns <= latency.p99_ns <= latency.p999_ns <= latency.maximum_ns


@pytest.mark.parametrize("over_udp", [True, False], ids=["udp", "raw"])
def test_replays_are_counted(hosts: Hosts, sender: TrafficAgent, receiver: TrafficAgent, over_udp: bool) -> None:
    receiver.open_device_sink("device", "eth0", protocol=UDP if over_udp else ESP)
    receiver.start_sink("device")
    stream = EspStream(
        hosts.peer.ipv4,
        EspPackets.SEALED,
        over_udp=over_udp,
        spi=4096,
        suite="aes128gcm16",
        encryption_key=Secret(bytes(20)),
        inner=Packets(hosts.peer.inner_ipv4, 7, size_bytes=64, source=hosts.local.inner_ipv4),
        prepared_packets=1000,
        segments=50,
    )
    sender.open_esp_source("source", stream)
    sender.drop_privileges()
    for count in (1000, 20_000):
        receiver.reset_sink("device")
        sender.start("source", Plan(count=count, replay=True))
        sent = sender.wait("source")
        assert sent.packets == count
        arrived = receiver.settled_statistics("device")
        assert (arrived.received + sent.refused, arrived.dropped) == (count, 0)
        assert arrived.bytes == arrived.received * (100 + 20 + (8 if over_udp else 0))


def test_one_core_offers_millions_of_small_packets(hosts: Hosts, sender: TrafficAgent, receiver: TrafficAgent) -> None:
    """1.5 million packets of 64 octets for each second of processor time, however busy the box is."""
    open_sinks(receiver, hosts.peer.ipv4)
    addresses = {"source": hosts.local.ipv4, "source_port": 4000}
    sender.open_udp_source("socket", Packets(hosts.peer.ipv4, PORT, size_bytes=64, segments=64))
    packets = Packets(hosts.peer.ipv4, PORT, size_bytes=64, segments=64, **addresses)  # type: ignore[arg-type]
    sender.open_device_source("device", "eth0", packets, mac=link_address(hosts.peer))
    sender.drop_privileges()
    for name in ("socket", "device"):
        trial = offer(sender, name, receiver, "device", Plan(seconds=0.5), 4)
        assert trial.source.packets / trial.source.cpu_ns * 1e9 > 1.5e6, name
        assert trial.sink.received + trial.sink.dropped > 0


def test_tcp_between_hosts(hosts: Hosts, sender: TrafficAgent, receiver: TrafficAgent) -> None:
    receiver.open_tcp_sink("sink", hosts.peer.ipv4, PORT, interval_seconds=0.2)
    receiver.start_sink("sink")
    sender.open_tcp_source("source", hosts.peer.ipv4, PORT, source=hosts.local.ipv4)
    sender.start("source", Plan(seconds=1))
    sent = sender.wait("source")
    received = receiver.settled_statistics("sink")
    assert sent.bytes == received.bytes == sum(received.interval_bytes)
    assert received.bytes > 20_000_000
    assert len(received.interval_bytes) >= 5


def test_packets_longer_than_the_link_carries(hosts: Hosts, sender: TrafficAgent, receiver: TrafficAgent) -> None:
    open_sinks(receiver, hosts.peer.ipv4)
    packets = Packets(hosts.peer.ipv4, PORT, size_bytes=4000)
    sender.open_udp_source("may", packets)
    sender.open_udp_source("must not", packets, dont_fragment=True)
    trial = offer(sender, "may", receiver, "socket", Plan(count=50, packets_per_second=1000), 5)
    assert (trial.sink.received, trial.sink.bytes) == (50, 50 * 4000)
    sender.start("must not", Plan(count=50))
    with pytest.raises(LaboratoryError, match=r"Message too long.*larger than the path's MTU"):
        sender.wait("must not")


def test_what_a_device_needs(hosts: Hosts, sender: TrafficAgent) -> None:
    packets = Packets(hosts.peer.ipv4, PORT, size_bytes=64, source=hosts.local.ipv4)
    with pytest.raises(LaboratoryError, match="there is no 'eth9' here"):
        sender.open_device_source("source", "eth9", packets)
    with pytest.raises(LaboratoryError, match="'eth0' is an Ethernet device and needs a destination"):
        sender.open_device_source("source", "eth0", packets)
    with pytest.raises(LaboratoryError, match="source: missing"):
        sender.open_device_source("source", "eth0", Packets(hosts.peer.ipv4, PORT, size_bytes=64), mac="02" * 6)
    sender.drop_privileges()
    with pytest.raises(LaboratoryError, match="needs CAP_NET_RAW"):
        sender.open_device_source("source", "eth0", packets, mac="020202020202")
    stream = EspStream(hosts.peer.ipv4, EspPackets.FORGED, over_udp=False, spi=9, size_bytes=100)
    with pytest.raises(LaboratoryError, match="need CAP_NET_RAW"):
        sender.open_esp_source("esp", stream)
