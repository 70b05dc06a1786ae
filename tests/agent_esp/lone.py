"""One host with a data plane, and in place of the other one the test itself, with an ESP of its own."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ipsecbench.dataplane.agent import AgentPlane, sa_order
from ipsecbench.esp.configuration import Direction, SaConfiguration
from ipsecbench.lab.namespaces import Host, Hosts
from tests.agent_esp.planes import PORT, Side, both_ends, policy, sa, start_side
from tests.interop import esp_packets

INNER_PORT = 9999
HERE, THERE = "10.1.0.1", "10.2.0.1"
"""Inner addresses of the data plane's host and of the test."""


@dataclass
class Lone:
    """The data plane under test, and the other end of its SAs."""

    side: Side
    wire: socket.socket
    """At the other host: what the data plane sends comes here."""
    inside: socket.socket
    """In the protected network of the data plane: what it accepts comes here."""
    other: Host
    sequence: int = 0
    sent: dict[str, int] = field(default_factory=dict)

    @property
    def plane(self) -> AgentPlane:
        """The data plane."""
        return self.side.plane

    def add(self, made: SaConfiguration, **hidden: Any) -> esp_packets.Sa:
        """Add an SA; ``hidden`` are members of the order that :class:`SaConfiguration` lacks. Returns our end of it."""
        self.plane._request("add-sa", **sa_order(made), **hidden)
        return independent(made)

    def send(self, datagram: bytes, tos: int = 0) -> None:
        """A datagram to the data plane's port for ESP."""
        self.wire.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        self.wire.sendto(datagram, ("192.0.2.1", PORT))

    def sealed(self, end: esp_packets.Sa, inner: bytes, next_header: int = 4, sequence: int | None = None) -> bytes:
        """The next packet of an inbound SA."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        return end.seal(self.sequence & 0xFFFFFFFF, inner, next_header)

    def accepted(self, seconds: float = 5.0) -> bytes:
        """What comes out next inside."""
        self.inside.settimeout(seconds)
        return self.inside.recv(65536)

    def dropped(self, counter: str, count: int = 1) -> None:
        """Wait until something has been dropped for a reason, and see that it is all."""
        deadline = time.monotonic() + 5
        while self.side.drops().get(counter, 0) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.side.drops() == {**self.sent, counter: count}
        self.sent[counter] = count

    def outbound(self, seconds: float = 5.0) -> bytes:
        """The next packet of the data plane on the wire."""
        self.wire.settimeout(seconds)
        return self.wire.recv(65536)


def independent(made: SaConfiguration) -> esp_packets.Sa:
    """The other end of an SA."""
    key = made.encryption_key.reveal()
    integrity_key = b"" if made.integrity_key is None else made.integrity_key.reveal()
    integrity = None if made.suite.integrity is None else made.suite.integrity.name
    spi = struct.pack("!I", made.spi)
    return esp_packets.Sa(spi, made.suite.encryption.name, integrity, key, integrity_key, made.esn)


def inner_datagram(payload: bytes, source: str = THERE, destination: str = HERE) -> bytes:
    """An inner packet for the socket inside."""
    return esp_packets.udp_packet(source, destination, INNER_PORT, payload)


@contextlib.contextmanager
def lone_side(hosts: Hosts, path: Path, policies: bool = True, **options: Any) -> Iterator[Lone]:
    """The local host with a data plane, the peer without."""
    with contextlib.ExitStack() as stack:
        side = start_side(hosts.local, 1, path=path, **options)
        stack.callback(side.plane.close)
        wire = stack.enter_context(hosts.peer.udp_socket(PORT, "192.0.2.2"))
        inside = stack.enter_context(hosts.local.udp_socket(INNER_PORT, HERE))
        if policies:
            for direction in Direction:
                side.plane.add_policy(policy(1, direction))
        yield Lone(side, wire, inside, hosts.peer)


def inbound(suite: str = "aes128gcm16", **changes: Any) -> SaConfiguration:
    """An SA from the test to the data plane."""
    return both_ends(sa(suite, number=2, **changes))[1]


def outbound(suite: str = "aes128gcm16", **changes: Any) -> SaConfiguration:
    """An SA from the data plane to the test."""
    return replace(sa(suite, number=1), **changes)
