"""Two hosts with a data plane each and manual keys between them: what is measured and proved without IKE."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from ipsecbench.dataplane.agent import AgentPlane
from ipsecbench.dataplane.esp_sockets import open_raw_esp, open_shared_udp
from ipsecbench.dataplane.reference import ReferencePlane
from ipsecbench.dataplane.tun import TUN_NAME, open_tun
from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.driver import system_environment
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from tests.bench.esp_paths import TrafficPath, spread_cores
from tests.bench.figures import as_urgent_as_this
from tests.bench.manual_sas import NATT_PORT, PlaneEnd, add_sa_pair

INNER_NETWORKS = ("10.1.0.0/16", "10.2.0.0/16")
MTU_BYTES = 1400
"""Of the TUN devices."""


@contextlib.contextmanager
def agent_end(host: Host, remote_network: str, cores: Sequence[int] = (), queues: int = 1) -> Iterator[PlaneEnd]:
    """The agent's data plane for one host, without SAs; what goes to a network is led into its TUN device.

    Args:
        host: the host.
        remote_network: the network.
        cores: for each thread the processor that it is bound to; empty: any.
        queues: number of threads, each with a queue of the TUN device and sockets of its own.
    """
    with _sockets(host, queues) as (udp, raw):
        tun = host.call(lambda: open_tun(TUN_NAME, queues, MTU_BYTES))
        # The descriptors are the data plane's from here on.
        plane = AgentPlane(tun_fds=tun, udp_sockets=udp, raw_sockets=raw, cores=cores)
        with contextlib.closing(plane):
            as_urgent_as_this(plane.pid)
            _route(host, remote_network)
            yield PlaneEnd(host, plane)


@contextlib.contextmanager
def reference_end(host: Host, remote_network: str) -> Iterator[PlaneEnd]:
    """The same with the reference, in a thread of this process."""
    with _sockets(host, 1) as (udp, raw):
        tun = host.call(lambda: open_tun(TUN_NAME, 1, MTU_BYTES, vnet_header=False))
        with contextlib.closing(ReferencePlane(system_environment().cryptography, tun[0], udp, raw)) as plane:
            _route(host, remote_network)
            yield PlaneEnd(host, plane)


@contextlib.contextmanager
def _sockets(host: Host, number: int) -> Iterator[tuple[list[socket.socket], list[socket.socket]]]:
    """For ESP in UDP, beside a socket for IKE that nobody reads, and for IP protocol 50."""
    with host.call(lambda: _natt_socket(host.ipv4)) as ike:
        yield host.call(lambda: open_shared_udp(ike, number)), host.call(lambda: open_raw_esp(host.ipv4, number))


def _route(host: Host, remote_network: str) -> None:
    route = host.run("ip", "route", "add", remote_network, "dev", TUN_NAME, "src", host.inner_ipv4)
    if route.returncode:
        raise LaboratoryError(f"cannot route {remote_network}: {route.stderr.strip()}")


@contextlib.contextmanager
def agent_ends(hosts: Hosts) -> Iterator[tuple[PlaneEnd, PlaneEnd]]:
    """Both hosts, each data plane on a core of its own."""
    cores = spread_cores()
    with (
        agent_end(hosts.local, INNER_NETWORKS[1], cores[:1]) as local,
        agent_end(hosts.peer, INNER_NETWORKS[0], cores[1:]) as peer,
    ):
        yield local, peer


@contextlib.contextmanager
def agent_path(suite: str, *, encapsulated: bool = True) -> Iterator[TrafficPath]:
    """The agent's data plane at both ends, with one SA pair."""
    with two_hosts() as hosts, agent_ends(hosts) as (local, peer):
        options: dict[str, Any] = {} if encapsulated else {"encapsulation": None}
        add_sa_pair(local, peer, suite, **options)
        yield TrafficPath(
            f"agent {suite}{'' if encapsulated else ', IP protocol 50'}",
            hosts,
            {"sender's daemon": process_id(local), "receiver's daemon": process_id(peer)},
        )


@contextlib.contextmanager
def reference_path(suite: str) -> Iterator[TrafficPath]:
    """The reference at both ends, with one SA pair: Python, both in this process."""
    with (
        two_hosts() as hosts,
        reference_end(hosts.local, INNER_NETWORKS[1]) as local,
        reference_end(hosts.peer, INNER_NETWORKS[0]) as peer,
    ):
        add_sa_pair(local, peer, suite)
        yield TrafficPath(f"reference {suite}", hosts, {"both daemons": os.getpid()})


def process_id(end: PlaneEnd) -> int:
    """Number of the process that carries the traffic."""
    assert isinstance(end.plane, AgentPlane)
    return end.plane.pid


def _natt_socket(address: str) -> socket.socket:
    """Where IKE would be: the data plane shares its port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((address, NATT_PORT))
    except OSError:
        sock.close()
        raise
    return sock
