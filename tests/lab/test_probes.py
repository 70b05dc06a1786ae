"""Probes, streams, impairments and the relay between two hosts in clear."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab import impairment, probes, relay, tcp_stream
from ipsecbench.lab.impairment import Impairment
from ipsecbench.lab.namespaces import Hosts, two_hosts
from ipsecbench.lab.telnet import GREETING
from tests.lab.conftest import require

pytestmark = pytest.mark.root


@contextmanager
def relayed(wishes: Impairment, *, nat: bool = False) -> Iterator[Hosts]:
    with two_hosts(nat, relay=True) as hosts:
        assert hosts.relay is not None
        process = hosts.relay.start(*relay.arguments(wishes, seed=7), output=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield hosts
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("version", [4, 6])
def test_echoes_and_path_mtu(hosts: Hosts, version: int) -> None:
    here, there = (getattr(host, f"ipv{version}") for host in (hosts.local, hosts.peer))
    found = probes.ping(hosts.local, here, there, count=5, packet_bytes=1500, may_fragment=False)
    assert found.answered == found.sent == 5
    assert 0 < found.median_ms < 100
    assert probes.ping(hosts.local, here, there, packet_bytes=1501, may_fragment=False).too_long == 1
    assert probes.learnt_path_mtu(hosts.local, here, there, 1500) == 1500
    impairment.set_mtu(hosts.local, 1400)
    assert probes.learnt_path_mtu(hosts.local, here, there, 1500) == 1400


def test_an_address_that_is_not_there(hosts: Hosts) -> None:
    found = probes.ping(hosts.local, hosts.local.ipv4, "192.0.2.9", timeout_seconds=0.1)
    assert (found.sent, found.answered, found.median_ms) == (1, 0, 0.0)


@pytest.mark.parametrize("own", [True, False])
def test_a_tcp_stream(hosts: Hosts, own: bool) -> None:
    if not own:
        require(None if shutil.which("iperf3") else "no iperf3")
    found = tcp_stream.measure(hosts.local, hosts.peer, hosts.local.ipv4, hosts.peer.ipv4, 0.3 if own else 1, own=own)
    assert found.program == ("own" if own else "iperf3")
    assert found.mbit_per_second > 100
    assert found.mss_bytes == 1448


def test_no_connection_is_one_clear_line(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_stream, "_CONNECT_SECONDS", 0.3)
    impairment.apply_loss(hosts.peer, 100)
    with pytest.raises(LaboratoryError, match=r"no TCP connection from 192\.0\.2\.1 to 192\.0\.2\.2"):
        tcp_stream.measure(hosts.local, hosts.peer, hosts.local.ipv4, hosts.peer.ipv4, 0.1, own=True)


def test_loss_by_the_kernel(hosts: Hosts) -> None:
    impairment.apply_loss(hosts.peer, 30)
    found = probes.ping(hosts.local, hosts.local.ipv4, hosts.peer.ipv4, count=200, timeout_seconds=0.01)
    assert 200 * 0.5 < found.answered < 200 * 0.9


def test_a_rate_by_the_kernel(hosts: Hosts) -> None:
    impairment.apply_rate(hosts.local, 20)
    found = tcp_stream.measure(hosts.local, hosts.peer, hosts.local.ipv4, hosts.peer.ipv4, 1, own=True)
    assert 10 < found.mbit_per_second < 25


def test_what_the_kernel_says_of_netem_is_true(hosts: Hosts) -> None:
    there = impairment.has_netem(hosts.local)
    added = hosts.local.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms").returncode == 0
    assert there is added
    if there:
        impairment.apply_netem(hosts.peer, Impairment(delay_ms=20))
        assert probes.ping(hosts.local, hosts.local.ipv4, hosts.peer.ipv4).median_ms > 20


@pytest.mark.usefixtures("root")
def test_the_relay_delays_and_carries_tcp_with_its_offloads() -> None:
    with relayed(Impairment(delay_ms=10)) as hosts:
        for version in (4, 6):
            here, there = (getattr(host, f"ipv{version}") for host in (hosts.local, hosts.peer))
            found = probes.ping(hosts.local, here, there, count=3)
            assert found.answered == 3
            assert 20 <= found.median_ms < 60
        stream = tcp_stream.measure(hosts.local, hosts.peer, hosts.local.ipv4, hosts.peer.ipv4, 1, own=True)
        assert stream.mbit_per_second > 5


@pytest.mark.usefixtures("root")
def test_the_relay_loses_doubles_and_reorders() -> None:
    wishes = Impairment(loss_percent=10, delay_ms=3, reorder_percent=10, duplicate_percent=10)
    with relayed(wishes) as hosts:
        there = hosts.peer.ipv4
        with hosts.local.udp_socket(7000) as sender, hosts.peer.udp_socket(7000) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            receiver.settimeout(1)
            for number in range(1000):
                sender.sendto(number.to_bytes(4, "big"), (there, 7000))
            received = []
            try:
                while True:
                    received.append(int.from_bytes(receiver.recv(10), "big"))
            except TimeoutError:
                pass
    assert 850 < len(set(received)) < 950
    assert 50 < len(received) - len(set(received)) < 150
    assert received != sorted(received)


@pytest.mark.usefixtures("root")
def test_a_relay_before_a_nat() -> None:
    with relayed(Impairment(delay_ms=5), nat=True) as hosts:
        with hosts.local.udp_socket(7000) as sender, hosts.peer.udp_socket(7000) as receiver:
            receiver.settimeout(2)
            sender.sendto(b"through", (hosts.peer.ipv4, 7000))
            data, source = receiver.recvfrom(100)
        assert (data, source[0]) == (b"through", hosts.local.outside)


def test_the_telnet_daemon(hosts: Hosts) -> None:
    process = hosts.peer.start(sys.executable, "-m", "ipsecbench.lab.telnet", hosts.peer.ipv4, output=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with hosts.local.call(lambda: socket.create_connection((hosts.peer.ipv4, 23), 2)) as client:
            said = b""
            while not said.endswith(GREETING):
                said += client.recv(1000)
            assert said.startswith(f"you come from {hosts.local.ipv4}".encode())
            client.sendall(b"hello\r\n")
            assert client.recv(1000) == b"you said: hello\r\n"
    finally:
        process.kill()
        process.communicate()
