"""What must be protected and comes in clear gets no answer at all; everything else passes."""

from __future__ import annotations

import socket

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.lab.clear_guard import Pair, guard, refused
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.probes import ping

pytestmark = pytest.mark.root


def pair(local: str, remote: str) -> Pair:
    return [parse_traffic_selector(local)], [parse_traffic_selector(remote)]


def connect(hosts: Hosts, port: int) -> str:
    """What a connection attempt comes to; nobody listens."""

    def attempt() -> str:
        try:
            socket.create_connection((hosts.peer.ipv4, port), 0.5).close()
        except OSError as error:
            return type(error).__name__
        return "connected"

    return hosts.local.call(attempt)


def test_one_port_only(hosts: Hosts) -> None:
    assert connect(hosts, 23) == connect(hosts, 22) == "ConnectionRefusedError"
    assert refused(hosts.peer) == 0
    guard(hosts.peer, "ipsec0", [pair("192.0.2.2/32[tcp/23]", "192.0.2.1/32[tcp]")])
    assert connect(hosts, 23) == "TimeoutError"
    assert connect(hosts, 22) == "ConnectionRefusedError"
    assert ping(hosts.local, hosts.local.ipv4, hosts.peer.ipv4).answered == 1
    assert refused(hosts.peer) >= 1


@pytest.mark.parametrize("version", [4, 6])
def test_everything_but_esp_and_ike(hosts: Hosts, version: int) -> None:
    here, there = (getattr(host, f"ipv{version}") for host in (hosts.local, hosts.peer))
    length = 32 if version == 4 else 128
    guard(hosts.peer, "ipsec0", [pair(f"{there}/{length}", f"{here}/{length}")])
    assert ping(hosts.local, here, there, timeout_seconds=0.2).answered == 0
    assert refused(hosts.peer) == 1
    with hosts.local.udp_socket(500, here) as sender, hosts.peer.udp_socket(500, there) as receiver:
        receiver.settimeout(2)
        sender.sendto(b"IKE", (there, 500))
        assert receiver.recv(10) == b"IKE"
    family = socket.AF_INET if version == 4 else socket.AF_INET6

    def raw(host: Host) -> socket.socket:
        return host.call(lambda: socket.socket(family, socket.SOCK_RAW, 50))

    with raw(hosts.local) as sender, raw(hosts.peer) as receiver:
        receiver.settimeout(2)
        sender.sendto(bytes(16), (there, 0))
        assert receiver.recv(100).endswith(bytes(16))


def test_a_bypass_goes_first_and_the_last_call_counts(hosts: Hosts) -> None:
    everything = pair("192.0.2.2/32", "192.0.2.1/32")
    guard(hosts.peer, "ipsec0", [everything], [pair("192.0.2.2/32[icmp]", "192.0.2.1/32[icmp]")])
    assert ping(hosts.local, hosts.local.ipv4, hosts.peer.ipv4).answered == 1
    assert connect(hosts, 23) == "TimeoutError"
    guard(hosts.peer, "ipsec0", [])
    assert connect(hosts, 23) == "ConnectionRefusedError"


def test_what_nft_refuses_is_one_clear_line(hosts: Hosts) -> None:
    with pytest.raises(LaboratoryError, match="nft refuses"):
        guard(hosts.peer, 'x"y', [])
