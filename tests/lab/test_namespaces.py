"""Two hosts reach each other, a NAT rewrites what it should, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import PREFIX, Host, Hosts, two_hosts

pytestmark = pytest.mark.root

NAMESPACES = Path("/run/netns")


def echo(first: socket.socket, second: socket.socket, address: str, port: int) -> tuple[str, int]:
    """Send a datagram to ``second`` and one back; return the address under which ``second`` saw ``first``."""
    for opened in (first, second):
        opened.settimeout(2)
    first.sendto(b"question", (address, port))
    question, source = second.recvfrom(100)
    assert question == b"question"
    second.sendto(b"answer", source)
    assert first.recvfrom(100)[0] == b"answer"
    return source[0], source[1]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_udp_both_ways(hosts: Hosts, family: str) -> None:
    here, there = getattr(hosts.local, family), getattr(hosts.peer, family)
    with hosts.local.udp_socket(500, here) as first, hosts.peer.udp_socket(500, there) as second:
        assert echo(first, second, there, 500) == (here, 500)


def test_the_sockets_are_not_in_our_namespace(hosts: Hosts) -> None:
    with hosts.local.udp_socket(4500):
        # The address exists inside only, so that nothing of the laboratory can reach this machine's network.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside, pytest.raises(OSError, match="assign"):
            outside.bind((hosts.local.ipv4, 0))
        with pytest.raises(OSError, match="in use"):
            hosts.local.udp_socket(4500)


def test_a_nat_gives_another_address_and_port(root: None) -> None:
    with two_hosts(nat=True) as hosts:
        with hosts.local.udp_socket(4500) as first, hosts.peer.udp_socket(4500) as second:
            address, port = echo(first, second, hosts.peer.ipv4, 4500)
        assert address == hosts.local.outside == "192.0.2.1"
        assert address != hosts.local.ipv4
        assert 20000 <= port <= 60000
        assert "198.51.100" not in hosts.peer.run("ip", "route").stdout, "the peer must not know what is behind the NAT"


def test_commands_run_inside(hosts: Hosts) -> None:
    addresses = hosts.peer.run("ip", "-o", "addr", "show", "dev", "lo").stdout
    assert hosts.peer.inner_ipv4 in addresses
    assert hosts.peer.inner_ipv6 in addresses
    assert hosts.local.call(lambda: socket.if_nametoindex("eth0")) > 0


def test_everything_is_removed_after_an_exception(root: None) -> None:
    names: list[str] = []

    def fail() -> None:
        with two_hosts(nat=True) as hosts:
            assert hosts.nat is not None
            names.extend(host.name for host in (hosts.local, hosts.peer, hosts.nat))
            assert all((NAMESPACES / name).exists() for name in names)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert len(names) == 3
    assert not any((NAMESPACES / name).exists() for name in names)


KILLED = """
import sys, time
from ipsecbench.lab.namespaces import private_folder, two_hosts
with two_hosts() as hosts:
    child = hosts.local.start("sleep", "60")
    print(hosts.local.name, hosts.peer.name, child.pid, private_folder(), flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept(root: None) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first, second, child, folder = process.stdout.readline().split()
        namespaces.sweep()
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert (NAMESPACES / first).exists(), "the namespaces of a living process are its own"
        process.kill()
    namespaces.sweep()
    assert not (NAMESPACES / first).exists()
    assert not (NAMESPACES / second).exists()
    assert not Path(folder).exists()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{child}").exists(), "its process must not outlive it"


def test_ctrl_c_removes_everything(root: None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first, second, _child, folder = process.stdout.readline().split()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    Path(folder).rmdir()
    assert not (NAMESPACES / first).exists()
    assert not (NAMESPACES / second).exists()


def test_namespaces_of_others_are_left_alone(root: None) -> None:
    foreign = f"{PREFIX}-of-somebody-else-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", foreign], check=True, timeout=10)
    try:
        assert foreign not in namespaces.sweep()
        assert (NAMESPACES / foreign).exists()
    finally:
        subprocess.run(["ip", "netns", "del", foreign], check=True, timeout=10)


def test_a_namespace_that_is_gone_is_one_clear_line(root: None) -> None:
    with pytest.raises(FileNotFoundError, match=f"{PREFIX}-none"):
        Host(f"{PREFIX}-none", "192.0.2.1", "", "", "").udp_socket(500)


def test_without_root_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LaboratoryError, match="need root"), two_hosts():
        pass
