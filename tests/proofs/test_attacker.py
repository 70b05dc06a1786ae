"""The attacker does what the proofs believe of him: what he sends arrives as it is, and he sees what a host sends."""

from __future__ import annotations

import socket
import struct

import pytest

from ipsecbench.lab.namespaces import Hosts
from tests.proofs.attacker import Datagram, Injector, Recorder

UDP_SEGMENT = 103
pytestmark = pytest.mark.root


def packets(hosts: Hosts, number: int, size: int = 60) -> list[Datagram]:
    """ESP packets in UDP with their number behind the SPI."""
    return [
        Datagram(hosts.local.ipv4, hosts.peer.ipv4, struct.pack("!II", 0x1234, each).ljust(size, b"x"), (4500, 4500))
        for each in range(number)
    ]


def received(sock: socket.socket) -> list[tuple[bytes, tuple[str, int]]]:
    """What has come in, with where from."""
    found = []
    sock.settimeout(0.2)
    while True:
        try:
            found.append(sock.recvfrom(2048))
        except TimeoutError:
            return found


def test_what_is_sent_once_arrives_once_in_order_and_is_recorded(hosts: Hosts) -> None:
    sent = packets(hosts, 1500)
    with hosts.peer.udp_socket(4500) as sock, Injector(hosts.local) as injector, Recorder(hosts.local) as recorder:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        injector.send(sent)
        assert received(sock) == [(packet.esp, (hosts.local.ipv4, 4500)) for packet in sent]
        assert recorder.datagrams() == sent
        assert recorder.datagrams() == []


def test_the_source_need_not_be_the_hosts_own(hosts: Hosts) -> None:
    with hosts.peer.udp_socket(4500) as sock, Injector(hosts.local) as injector:
        injector.send([Datagram("203.0.113.9", hosts.peer.ipv4, b"abcd" * 5, (1111, 4500))])
        # A host that has no way back drops it, unless it is told not to look.
        hosts.peer.run("ip", "route", "add", "203.0.113.0/24", "via", hosts.local.ipv4)
        injector.send([Datagram("203.0.113.9", hosts.peer.ipv4, b"efgh" * 5, (1111, 4500))])
        assert received(sock)[-1] == (b"efgh" * 5, ("203.0.113.9", 1111))


def test_a_flood_has_as_many_packets_as_it_says(hosts: Hosts) -> None:
    count = ("cat", "/sys/class/net/eth0/statistics/rx_packets")
    before = int(hosts.peer.run(*count).stdout)
    with Injector(hosts.local) as injector:
        assert injector.flood(packets(hosts, 300), 10_000) == 10_000
    assert 10_000 <= int(hosts.peer.run(*count).stdout) - before < 10_010


def test_what_leaves_in_large_pieces_is_recorded_packet_by_packet(hosts: Hosts) -> None:
    esp = [packet.esp for packet in packets(hosts, 7, 100)]
    with hosts.local.udp_socket(4500) as sock, Recorder(hosts.local) as recorder:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
        sock.sendto(b"".join(esp), (hosts.peer.ipv4, 4500))
        sock.sendto(bytes(4) + b"IKE is left out", (hosts.peer.ipv4, 4500))
        assert [packet.esp for packet in recorder.datagrams()] == esp


def test_ip_protocol_50_is_recorded(hosts: Hosts) -> None:
    packet = Datagram(hosts.local.ipv4, hosts.peer.ipv4, b"\0\0\1\1" + bytes(30))
    with Injector(hosts.local) as injector, Recorder(hosts.local) as recorder:
        injector.send([packet])
        assert recorder.datagrams() == [packet]
