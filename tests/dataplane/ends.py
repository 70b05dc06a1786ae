"""Two ends with data planes, and what goes between them: what the tests of whole data planes share."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.dataplane.child_traffic import ChildTraffic, TrafficConfiguration
from ipsecbench.dataplane.selection import DataPlaneConfiguration, PlaneChoice
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
    Retransmission,
)
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.lab import probes
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.own_peer import OwnPeer
from ipsecbench.secret import Secret

PSK = b"k2;2.6TbYl+{/qa"


@dataclass(frozen=True)
class Case:
    """What two ends agree on."""

    version: int = 2
    ike: str = "aes128-sha256-x25519"
    esp: str = "aes128gcm16-esn"
    mode: Mode = Mode.TUNNEL
    outer: int = 4
    inner: int = 4
    encap: bool = False
    traffic: ChildTraffic | None = None
    child: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    plane: dict[str, Any] = field(default_factory=dict)

    def changed(self, **changes: Any) -> Case:
        """The same with something changed."""
        return replace(self, **changes)


def outer(host: Host, case: Case) -> str:
    return host.ipv4 if case.outer == 4 else host.ipv6


def inner(host: Host, case: Case) -> str:
    """The address that packets go to."""
    if case.mode is Mode.TRANSPORT and case.traffic is None:
        return outer(host, case)
    return host.inner_ipv4 if case.inner == 4 else host.inner_ipv6


def network(host: Host, case: Case) -> str:
    return f"{host.inner_ipv4[:5]}0.0/16" if case.inner == 4 else f"{host.inner_ipv6[:-3]}::/48"


def connection(hosts: Hosts, case: Case, first: bool) -> ConnectionConfiguration:
    """The connection of the end in the first or the second host."""
    here, there = (hosts.local, hosts.peer) if first else (hosts.peer, hosts.local)
    identities = [Identity(IdType.ID_FQDN, name) for name in (b"alpha", b"beta")]
    own, other = identities if first else reversed(identities)
    tunnel = case.mode is Mode.TUNNEL
    child = ChildConfiguration(
        "net",
        tuple(parse_esp(each) for each in case.esp.split(",")),
        (parse_traffic_selector(network(here, case)),) if tunnel else (),
        (parse_traffic_selector(network(there, case)),) if tunnel else (),
        mode=case.mode,
        **case.child,
    )
    return ConnectionConfiguration(
        "c",
        case.version,
        (parse_ike(case.ike),),
        LocalAuthentication(AuthMethod.PSK, own),
        RemoteAuthentication(AuthMethod.PSK, other),
        (child,),
        (outer(here, case),),
        (there.outside if hosts.nat is not None else outer(there, case),),
        psk=Secret(PSK),
        force_encapsulation=case.encap,
        retransmission=Retransmission(0.5, 1.5, 5),
        **case.connection,
    )


def end(hosts: Hosts, case: Case, plane: str, first: bool, **settings: Any) -> OwnPeer:
    """Our end in the first or the second host, not started."""
    here, there = (hosts.local, hosts.peer) if first else (hosts.peer, hosts.local)
    traffic = case.traffic
    if traffic is not None and not traffic.layered_remote_ts:
        traffic = replace(
            traffic,
            layered_local_ts=(parse_traffic_selector(network(here, case)),),
            layered_remote_ts=(parse_traffic_selector(network(there, case)),),
        )
    children = {} if traffic is None else {("c", "net"): traffic}
    data_plane = DataPlaneConfiguration(PlaneChoice(plane), traffic=TrafficConfiguration(children), **case.plane)
    return OwnPeer(here, connection(hosts, case, first), data_plane, **settings)


@contextlib.contextmanager
def ends(hosts: Hosts, case: Case, planes: tuple[str, str], **settings: Any) -> Iterator[tuple[OwnPeer, OwnPeer]]:
    """Both ends of ours, started; nothing is negotiated yet."""
    with (
        end(hosts, case, planes[0], True, **settings) as first,
        end(hosts, case, planes[1], False, **settings) as second,
    ):
        yield first, second


# ── traffic ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ping(host: Host, source: str, destination: str, count: int = 3, size: int = 56) -> int:
    """Send echo requests with so many octets of data, and say how many were not answered."""
    headers = 28 if "." in destination else 48
    answers = probes.ping(
        host, source, destination, count=count, packet_bytes=size + headers, timeout_seconds=3.0 if count < 9 else 1.0
    )
    return count - answers.answered


class Pings:
    """``ping`` that goes on while something else happens."""

    def __init__(self, host: Host, source: str, destination: str, interval: float = 0.01) -> None:
        self._process = host.start(
            *("ping", "-n", "-i", str(interval), "-w", "120", "-I", source, destination), output=subprocess.PIPE
        )

    def stop(self) -> tuple[int, int]:
        """How many were answered, and how many before the last of them were not."""
        time.sleep(0.5)
        self._process.send_signal(signal.SIGINT)
        output = self._process.communicate(timeout=10)[0].decode()
        numbers = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", output)}
        assert numbers, output
        return len(numbers), max(numbers) - len(numbers)


class UdpFlow:
    """Numbered datagrams at a steady rate from one host to another, counted where they arrive."""

    def __init__(self, sender: Host, receiver: Host, source: str, destination: str, per_second: int = 2000) -> None:
        self._receiving = receiver.udp_socket(7777, destination)
        self._receiving.settimeout(0.2)
        self._sending = sender.udp_socket(0, source)
        self._destination = destination
        self._pause = 1.0 / per_second
        self._going = True
        self.sent = 0
        self.seen: set[int] = set()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        while self._going:
            self._sending.sendto(self.sent.to_bytes(8) + bytes(500), (self._destination, 7777))
            self.sent += 1
            time.sleep(self._pause)

    def _receive(self) -> None:
        while self._going or self._threads[0].is_alive():
            self._take()
        self._take()

    def _take(self) -> None:
        with contextlib.suppress(TimeoutError):
            while True:
                self.seen.add(int.from_bytes(self._receiving.recv(2000)[:8]))

    def stop(self) -> tuple[int, int]:
        """How many were sent, and how many of them did not arrive."""
        self._going = False
        for thread in self._threads:
            thread.join(10)
        self._sending.close()
        self._receiving.close()
        return self.sent, self.sent - len(self.seen)


def transfer(sender: Host, receiver: Host, destination: str, octets: int, port: int = 5555) -> int:
    """Send octets over TCP and say how many arrived."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    arrived = 0

    def count(listener: socket.socket) -> None:
        nonlocal arrived
        with listener.accept()[0] as connection:
            while received := len(connection.recv(1 << 16)):
                arrived += received

    with receiver.call(lambda: socket.create_server((destination, port), family=family)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=count, args=(listener,))
        thread.start()
        with sender.call(lambda: socket.create_connection((destination, port), timeout=30)) as connection:
            connection.sendall(bytes(octets))
        thread.join(30)
    return arrived
