"""Packets put onto a TUN device: what a data plane that reads it finds, whole where it asked for that, else cut."""

from __future__ import annotations

import fcntl
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from ipsecbench.lab.namespaces import Host, two_hosts
from ipsecbench.lab.traffic import TrafficAgent
from ipsecbench.lab.traffic_model import IMIX, Packets, Plan
from tests.agent_traffic.loopback import Payload
from tests.agent_traffic.packet_filter import PacketFilter, VnetHeader
from tests.agent_traffic.test_segments import as_segments
from tests.agent_traffic.test_segments_kernel import open_tun

ROOT = Path(__file__).resolve().parents[2]
_IFF_VNET_HDR = 0x4000
_TUNSETOFFLOAD = 0x400454D0
_CSUM, _USO4, _USO6 = 0x01, 0x20, 0x40
_VNET_BYTES = 10


@pytest.fixture(scope="module")
def host(root: None) -> Iterator[Host]:
    """One host."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun here")
    with two_hosts() as hosts:
        yield hosts.local


def read_all(tun: int, port: int) -> list[tuple[VnetHeader, bytes]]:
    """What waits in the device, without what the kernel itself sends."""
    found = []
    while select.select([tun], [], [], 0.3)[0]:
        octets = os.read(tun, 70_000)
        vnet, packet = VnetHeader.decode(octets[:_VNET_BYTES]), octets[_VNET_BYTES:]
        parsed = IP(packet) if packet[0] >> 4 == 4 else IPv6(packet)
        if UDP in parsed and parsed[UDP].dport == port:
            found.append((vnet, packet))
    return found


@pytest.mark.parametrize("whole", [True, False], ids=["uso", "no-uso"])
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("mix", [None, IMIX])
def test_a_data_plane_finds_them(
    host: Host, packet_filter: PacketFilter, version: int, mix: str | None, whole: bool
) -> None:
    tun = host.call(lambda: open_tun("ipsec0", _IFF_VNET_HDR))
    try:
        if whole:
            try:
                fcntl.ioctl(tun, _TUNSETOFFLOAD, _CSUM | _USO4 | _USO6)
            except OSError:
                pytest.skip("this kernel has no UDP segmentation on TUN devices")
        assert host.run("ip", "link", "set", "ipsec0", "up", "mtu", "1600").returncode == 0
        prefix = "10.{}.0.1" if version == 4 else "2001:db8:{}::1"
        packets = Packets(
            prefix.format(2),
            5001,
            size_bytes=None if mix else 100,
            mix=mix,
            source=prefix.format(1),
            source_port=4000,
            segments=20,
        )
        with TrafficAgent(host.command(), ROOT / "agent" / "build" / "ipsecbench-agent") as agent:
            agent.open_device_source("source", "ipsec0", packets)
            agent.drop_privileges()
            agent.start("source", Plan(count=240), stream=6)
            report = agent.wait("source")
        assert (report.packets, report.refused) == (240, 0)
        found = read_all(tun, 5001)
    finally:
        os.close(tun)
    assert len(found) == (12 if whole else 240)
    segments = [one for answer in packet_filter.cut(found) for one in as_segments(answer)]
    sizes = [64] * 20 + [570] * 20 + [64] * 40 + [570] * 20 if mix else [100] * 100
    assert [len(one) for one in segments[:100]] == sizes
    for number, octets in enumerate(segments):
        parsed = IP(octets) if version == 4 else IPv6(octets)
        payload = Payload.parse(bytes(parsed[UDP].payload))
        assert (payload.stream, payload.sequence, payload.intact) == (6, number, True)
        again = parsed.copy()
        del again[UDP].chksum
        del again[UDP].len
        if version == 4:
            del again.chksum
            del again.len
        assert bytes(again) == octets


def test_a_full_queue_is_told_or_waited_for(host: Host) -> None:
    tun = host.call(lambda: open_tun("ipsec1", _IFF_VNET_HDR))
    try:
        assert host.run("ip", "link", "set", "ipsec1", "up", "txqueuelen", "100").returncode == 0
        packets = {"size_bytes": 64, "source": "10.1.0.1"}
        with TrafficAgent(host.command(), ROOT / "agent" / "build" / "ipsecbench-agent") as agent:
            agent.open_device_source("drops", "ipsec1", Packets("10.2.0.1", 5001, **packets))  # type: ignore[arg-type]
            agent.open_device_source(
                "waits",
                "ipsec1",
                Packets("10.2.0.1", 5002, wait=True, **packets),  # type: ignore[arg-type]
            )
            agent.start("drops", Plan(count=1000))
            report = agent.wait("drops")
            assert report.packets == 1000
            assert 800 < report.refused <= 1000
            assert report.reason == "No buffer space available"
            arrived = len(read_all(tun, 5001))
            assert arrived == 1000 - report.refused
            agent.start("waits", Plan(count=1000))
            assert len(read_all(tun, 5002)) == 1000
            waited = agent.wait("waits")
            assert (waited.packets, waited.refused) == (1000, 0)
    finally:
        os.close(tun)
