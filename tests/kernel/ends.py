"""The two ends of the tests: one whose ESP is the kernel's, and one whose ESP is ours in Python, over raw sockets."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import secrets
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from ipsecbench.algorithms.suites import EspSuite, parse_esp_suite
from ipsecbench.dataplane.kernel import KernelPlane
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    PolicyConfiguration,
    SaConfiguration,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import OuterPacket, parse_outer
from ipsecbench.esp.processing import EspProcessing
from ipsecbench.esp.security_association import OutboundSa
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret
from ipsecbench.wire.ip import IpHeader, Protocol
from tests.interop.esp_packets import udp_packet

PATIENCE_SECONDS = float(os.environ.get("IPSECBENCH_PATIENCE", "1"))
PORT = 5000
"""UDP port of the traffic, on both sides."""
NETS = {4: ("10.1.0.0/16", "10.2.0.0/16"), 6: ("2001:db8:1::/64", "2001:db8:2::/64")}
ENCAPSULATED = UdpEncapsulation(4500, 4500)
_spis = iter(range(0x1000, 1 << 32))


@cache
def cryptography() -> ProviderSelection:
    """The libraries, once."""
    return ProviderSelection()


def sa_between(
    source: str, destination: str, suite: str | EspSuite = "aes128gcm16", **changes: object
) -> SaConfiguration:
    """An outbound SA with a new SPI and new keys; :func:`other_end` is what the receiver has of it."""
    chosen = parse_esp_suite(suite) if isinstance(suite, str) else suite
    sa = SaConfiguration(
        direction=Direction.OUTBOUND,
        spi=next(_spis),
        reqid=1,
        suite=chosen,
        encryption_key=Secret(secrets.token_bytes(chosen.encryption.keymat_bytes)),
        integrity_key=None if chosen.integrity is None else Secret(secrets.token_bytes(chosen.integrity.key_bytes)),
        mode=Mode.TUNNEL,
        source=source,
        destination=destination,
    )
    return replace(sa, **changes)  # type: ignore[arg-type]


def other_end(sa: SaConfiguration) -> SaConfiguration:
    """The same SA where it ends."""
    return replace(sa, direction=Direction.INBOUND)


def policies_between(inside: str, outside: str) -> tuple[PolicyConfiguration, ...]:
    """PROTECT what goes from one network to the other, and what comes back."""
    out = SelectorPair(subnet(inside), subnet(outside))
    back = SelectorPair(out.destination, out.source)
    return (
        PolicyConfiguration(Direction.OUTBOUND, (out,), Action.PROTECT, 1),
        PolicyConfiguration(Direction.INBOUND, (back,), Action.PROTECT, 1),
    )


@contextlib.contextmanager
def kernel_plane(host: Host, *ike: socket.socket) -> Iterator[KernelPlane]:
    """The kernel's ESP in a host; at the end nothing of it may be left there."""
    plane = host.call(lambda: KernelPlane(ike, [sock for sock in ike if sock.getsockname()[1] == 4500]))
    try:
        yield plane
    finally:
        plane.close()
    for what in ("state", "policy"):
        left = host.run("ip", "xfrm", what).stdout
        assert left == "", left


def route(hosts: Hosts) -> None:
    """Lead the inner networks to the other host: XFRM protects what is routed, it does not route."""
    for number, (here, there) in enumerate(((hosts.local, hosts.peer), (hosts.peer, hosts.local)), 1):
        other = 3 - number
        done = here.run("ip", "route", "add", f"10.{other}.0.0/16", "via", there.ipv4, "src", f"10.{number}.0.1")
        assert done.returncode == 0, done.stderr
        words = ("via", there.ipv6, "src", f"2001:db8:{number}::1")
        done = here.run("ip", "-6", "route", "add", f"2001:db8:{other}::/64", *words)
        assert done.returncode == 0, done.stderr


@dataclass
class Received:
    """What came out of the userspace end."""

    inner: bytes
    outer: OuterPacket


@dataclass
class UserspaceEnd:
    """Our ESP in Python at one host, over raw sockets and without a device: inner packets go in and come out."""

    host: Host
    processing: EspProcessing = field(default_factory=lambda: EspProcessing(cryptography(), os.urandom))
    sockets: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> UserspaceEnd:
        self.sockets = [
            self.host.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, Protocol.ESP)),
            self.host.call(lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, Protocol.ESP)),
            self.host.udp_socket(4500),
            self.host.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)),
        ]
        # An ICMPv6 filter and the like would be for others; the TOS of a datagram is told beside it.
        self.sockets[2].setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        return self

    def __exit__(self, *_error: object) -> None:
        for sock in self.sockets:
            sock.close()

    def add(self, *sas: SaConfiguration) -> None:
        """Put SAs to use."""
        for sa in sas:
            self.processing.add_sa(sa, time.monotonic())

    def add_policies(self, policies: tuple[PolicyConfiguration, ...]) -> None:
        """Add them to the SPD."""
        for policy in policies:
            self.processing.add_policy(policy)

    def seal(self, inner: bytes) -> list[OuterPacket]:
        """An inner packet as ESP packets."""
        return self.processing.protect(inner, time.monotonic()).outside

    def count_on(self, spi: int, number: int) -> None:
        """Let the next packet of an outbound SA have this number."""
        sa = self.processing._sas.get(Direction.OUTBOUND, spi)
        assert isinstance(sa, OutboundSa)
        sa.sequence.last = number - 1

    def send(self, *outers: OuterPacket) -> None:
        """Send ESP packets to the other host."""
        _, ipv6, udp, whole = self.sockets
        for outer in outers:
            destination = str(ipaddress.ip_address(outer.header.destination))
            if outer.encapsulation is not None:
                udp.sendto(outer.content, (destination, outer.encapsulation.destination_port))
            elif outer.header.version == 6:
                ipv6.sendto(outer.content, (destination, 0))
            else:
                for packet in outer.packets():
                    whole.sendto(packet, (destination, 0))

    def receive(self, seconds: float = 2.0 * PATIENCE_SECONDS) -> Received | None:
        """Wait for the next ESP packet and open it; None: there was none, or it was dropped."""
        ready, _, _ = select.select(self.sockets[:3], [], [], seconds)
        if not ready:
            return None
        outer = self._received(ready[0])
        inside = self.processing.receive(outer, time.monotonic()).inside
        return Received(inside[0], outer) if inside else None

    def drain(self) -> None:
        """Forget what came and was not asked for."""
        while ready := select.select(self.sockets[:3], [], [], 0)[0]:
            ready[0].recv(65536)

    def _received(self, sock: socket.socket) -> OuterPacket:
        data, _, _, address = sock.recvmsg(65536)
        if sock is self.sockets[0]:
            return parse_outer(data)
        sender, port = address[0], address[1]
        source = ipaddress.ip_address(sender).packed
        if sock is self.sockets[1]:
            return OuterPacket(IpHeader(source, ipaddress.ip_address(self.host.ipv6).packed, Protocol.ESP), data)
        header = IpHeader(source, ipaddress.ip_address(self.host.ipv4).packed, Protocol.UDP)
        return OuterPacket(header, data, UdpEncapsulation(port, 4500))


def exchange(
    ours: UserspaceEnd, traffic: socket.socket, inside: tuple[str, str], payload: bytes, answer: bytes | None = None
) -> tuple[Received, bytes]:
    """One datagram from the kernel's end and one to it.

    Args:
        ours: the userspace end.
        traffic: a UDP socket at the kernel's end, at ``inside[0]`` and :data:`PORT`.
        inside: addresses of the two inner hosts, the kernel's first.
        payload: what the kernel's end sends.
        answer: what the userspace end sends; the same if none is given.

    Returns:
        What the userspace end saw, and what the kernel's end received.
    """
    traffic.settimeout(2.0 * PATIENCE_SECONDS)
    traffic.sendto(payload, (inside[1], PORT))
    seen = ours.receive()
    assert seen is not None, f"nothing came out of {ours.processing.dropped}"
    ours.send(*ours.seal(udp_packet(inside[1], inside[0], PORT, payload if answer is None else answer)))
    return seen, traffic.recv(65536)


def kernel_throughput(hosts: Hosts, here: str, there: str, seconds: int) -> dict[str, float]:
    """One TCP stream through the kernel's ESP, with what the processors of both ends did meanwhile.

    In the virtual machine the figures show that it works and nothing more: emulated instructions take other times, in
    other proportions, than those of a processor.
    """
    listener = hosts.peer.start("iperf3", "--server", "--one-off", "--bind", there)
    try:
        time.sleep(0.5 * min(PATIENCE_SECONDS, 4.0))
        before = _processor_seconds()
        done = hosts.local.run(
            *(
                "iperf3",
                "--client",
                there,
                "--bind",
                here,
                "--time",
                str(seconds),
                "--json",
                "--connect-timeout",
                "9000",
            ),
            timeout_seconds=20.0 * PATIENCE_SECONDS,
        )
        used = _processor_seconds() - before
        assert done.returncode == 0, done.stdout[-2000:]
        received = json.loads(done.stdout)["end"]["sum_received"]
        return {
            "received_bytes": float(received["bytes"]),
            "bits_per_second": float(received["bits_per_second"]),
            "processor_seconds": used,
        }
    finally:
        listener.kill()
        listener.wait()


def _processor_seconds() -> float:
    """Of all processors and all programs, since the start: user, system, and time in interrupts."""
    words = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    user, nice, system, _, _, interrupts, soft = (int(word) for word in words[1:8])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
