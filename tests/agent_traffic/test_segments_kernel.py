"""The kernel as the oracle: what it cuts super packets into, from one TUN device to another without offloads.

The packets that arrive have a TTL lower by one and are otherwise what the same super packet becomes here.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from ipsecbench.lab.namespaces import Host, two_hosts
from tests.agent_traffic.packet_filter import Join, PacketFilter, VnetHeader
from tests.agent_traffic.test_segments import Flow, as_segments, gso_type, packet, random_flow

_TUNSETIFF, _TUNSETOFFLOAD = 0x400454CA, 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_ARRIVAL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Router:
    """A host that forwards from one TUN device to another."""

    inside: int
    """Where super packets go in."""
    outside: int
    """Where packets come out, cut."""

    def forward(self, vnet: VnetHeader, octets: bytes, due: int) -> list[bytes]:
        """Put a packet in; what comes out, until so many have come or too much time has passed."""
        os.write(self.inside, vnet.encode() + octets)
        arrived: list[bytes] = []
        end = time.monotonic() + _ARRIVAL_SECONDS
        while len(arrived) < due and (left := end - time.monotonic()) > 0:
            if select.select([self.outside], [], [], left)[0]:
                one = os.read(self.outside, 70_000)
                if one[20 if one[0] >> 4 == 4 else 40 :][:2] == octets[20 if octets[0] >> 4 == 4 else 40 :][:2]:
                    arrived.append(one)  # the kernel also sends packets of its own
        return arrived


def open_tun(name: str, flags: int) -> int:
    """A TUN device in the calling thread's namespace."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI | flags))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@pytest.fixture(scope="module")
def router(root: None) -> Iterator[Router]:
    """One of the laboratory's hosts, with two TUN devices."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun here")
    with two_hosts() as hosts:
        inside = hosts.local.call(lambda: open_tun("inside", _IFF_VNET_HDR))
        outside = hosts.local.call(lambda: open_tun("outside", 0))
        try:
            configure(hosts.local)
            yield Router(inside, outside)
        finally:
            os.close(inside)
            os.close(outside)


def configure(host: Host) -> None:
    """Forward 10.1/16 to 10.2/16, and the same for IPv6."""
    commands = [
        "ip addr flush dev lo",
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0",
        "ip link set inside up mtu 1500",
        "ip link set outside up mtu 1500",
        "ip route add 10.1.0.0/16 dev inside",
        "ip route add 10.2.0.0/16 dev outside",
        "ip -6 route add 2001:db8:1::/48 dev inside",
        "ip -6 route add 2001:db8:2::/48 dev outside",
    ]
    for command in commands:
        result = host.run(*command.split())
        assert result.returncode == 0, (command, result.stderr)


def one_hop_less(octets: bytes) -> bytes:
    """What a router makes of a packet."""
    if octets[0] >> 4 == 4:
        parsed = IP(octets)
        parsed.ttl -= 1
        del parsed.chksum
        return bytes(parsed)
    changed = IPv6(octets)
    changed.hlim -= 1
    return bytes(changed)


def some_flow(source: random.Random) -> Flow:
    """One that a router forwards."""
    return {**random_flow(source), "ttl": source.randrange(2, 256), "tos": source.randrange(64) * 4}


def test_the_kernel_cuts_super_packets_as_we_do(packet_filter: PacketFilter, router: Router) -> None:
    source = random.Random(1)
    for _ in range(12):
        flow = some_flow(source)
        size = source.randrange(100, 1401)
        payload = source.randbytes(source.randrange(2 * size, min(60_000, 40 * size)))
        large = packet(flow, 0, 0, payload, source.choice(["A", "PA", "FA", "FPA"]))
        network = 20 if flow["version"] == 4 else 40
        place = 16 if flow["tcp"] else 6
        header = len(large) - len(payload)
        vnet = VnetHeader(1, gso_type(flow), header, size, network, place)
        segments = as_segments(packet_filter.cut([(vnet, large)])[0])
        unfinished = with_unfinished_checksum(large, network, place)
        assert router.forward(vnet, unfinished, len(segments)) == list(map(one_hop_less, segments))


def test_the_kernel_makes_the_burst_of_what_we_joined(packet_filter: PacketFilter, router: Router) -> None:
    source = random.Random(2)
    for _ in range(8):
        flow = some_flow(source)
        size = source.randrange(50, 1401)
        count = source.randrange(2, min(64, 60_000 // size) + 1)
        burst: Sequence[bytes] = [
            packet(flow, number, number * size, source.randbytes(size), "PA" if number == count - 1 else "A")
            for number in range(count)
        ]
        ((vnet, joined),) = packet_filter.join(Join.TCP | Join.UDP, burst)
        assert router.forward(vnet, joined, count) == list(map(one_hop_less, burst))


def with_unfinished_checksum(octets: bytes, network: int, place: int) -> bytes:
    """The same with the sum of the pseudo-header in the place of the checksum."""
    addresses = octets[12:20] if octets[0] >> 4 == 4 else octets[8:40]
    protocol = octets[9] if octets[0] >> 4 == 4 else octets[6]
    pseudo = addresses + struct.pack("!HH", protocol, len(octets) - network)
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return octets[: network + place] + struct.pack("!H", total) + octets[network + place + 2 :]
