"""Two hosts with an agent's data plane each, and SAs between them by hand."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ipsecbench.algorithms.suites import parse_esp_suite
from ipsecbench.dataplane.agent import AgentPlane
from ipsecbench.dataplane.esp_sockets import OWN_MARK, mark, open_raw_esp
from ipsecbench.dataplane.tun import open_tun
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    PolicyConfiguration,
    SaConfiguration,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.secret import Secret

PORT = 4500
REQID = 7
TABLE = "77"


@dataclass
class Side:
    """One host and its data plane."""

    host: Host
    plane: AgentPlane

    def drops(self) -> dict[str, int]:
        """What was dropped, by counter, but for what no policy is for: the kernel asks a new device for routers."""
        dropped = self.plane.statistics().dropped
        return {name: count for name, count in dropped.items() if name != "XfrmOutPolBlock"}


@dataclass
class Pair:
    """Both sides; ``local`` has 10.1.0.0/16 and 2001:db8:1::/64 inside, ``peer`` the same with 2."""

    local: Side
    peer: Side

    def ping(self, *options: str, target: str = "10.2.0.1", source: str = "10.1.0.1", count: int = 3) -> int:
        """How many of some echo requests from the local host were answered."""
        arguments = ["-q", "-c", "1", "-W", "5", "-I", source, *options, target]
        # One by one: after a first answer ping waits for the others no longer than twice the time of that.
        return sum(self.local.host.run("ping", *arguments).returncode == 0 for _ in range(count))


def _udp_socket(host: Host, family: socket.AddressFamily, port: int) -> socket.socket:
    def make() -> socket.socket:
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        mark(sock)
        sock.bind(("", port))
        return sock

    return host.call(make)


def start_side(
    host: Host,
    number: int,
    mtu_bytes: int = 1400,
    queues: int = 1,
    vnet_header: bool = True,
    path: Path | None = None,
    split_cpu: bool = False,
    provider: str | None = None,
    cores: Sequence[int] = (),
) -> Side:
    """A TUN device, sockets, routes to the other one's networks, and the agent."""
    other = 3 - number
    descriptors = host.call(lambda: open_tun("ipsec0", queues, mtu_bytes, vnet_header))
    sockets = [_udp_socket(host, family, PORT) for family in (socket.AF_INET, socket.AF_INET6) for _ in range(queues)]
    raw = [sock for address in (host.ipv4, host.ipv6) for sock in host.call(partial(open_raw_esp, address, queues))]
    for route in (
        ("route", "add", f"10.{other}.0.0/16", "dev", "ipsec0", "src", f"10.{number}.0.1"),
        ("-6", "route", "add", f"2001:db8:{other}::/64", "dev", "ipsec0", "src", f"2001:db8:{number}::1"),
        # Transport mode: packets for the other host itself go into the device, those of the data plane do not.
        ("route", "add", f"192.0.2.{other}", "dev", "ipsec0", "src", host.ipv4, "table", TABLE),
        ("-6", "route", "add", f"2001:db8::{other}", "dev", "ipsec0", "src", host.ipv6, "table", TABLE),
    ):
        done = host.run("ip", *route)
        assert not done.returncode, done.stderr
    for name in ("all", "default", "eth0", "ipsec0"):
        host.run("sysctl", "-q", "-w", f"net.ipv4.conf.{name}.rp_filter=0")
    plane = AgentPlane(
        tun_fds=descriptors,
        udp_sockets=sockets,
        raw_sockets=raw,
        vnet_header=vnet_header,
        path=path,
        split_cpu=split_cpu,
        provider=provider,
        cores=cores,
    )
    return Side(host, plane)


def protect_hosts_themselves(pair: Pair) -> None:
    """Lead what the hosts send to each other's own addresses into the devices (transport mode)."""
    for side, other in ((pair.local, 2), (pair.peer, 1)):
        for version, target in (("-4", f"192.0.2.{other}"), ("-6", f"2001:db8::{other}")):
            side.host.run("ip", version, "rule", "add", "pref", "90", "fwmark", hex(OWN_MARK), "lookup", "main")
            done = side.host.run("ip", version, "rule", "add", "pref", "91", "to", target, "lookup", TABLE)
            assert not done.returncode, done.stderr


@contextlib.contextmanager
def plane_pair(hosts: Hosts, **options: object) -> Iterator[Pair]:
    """Both sides, without SAs and policies."""
    with contextlib.ExitStack() as stack:
        sides = []
        for number, host in ((1, hosts.local), (2, hosts.peer)):
            side = start_side(host, number, **options)  # type: ignore[arg-type]
            stack.callback(side.plane.close)
            sides.append(side)
        yield Pair(*sides)


def sa(
    suite: str = "aes128gcm16", *, number: int = 1, ipv6_outside: bool = False, udp: bool = True, **changes: object
) -> SaConfiguration:
    """An outbound SA of the local host (number 1) or of the peer (2), with a key of its own."""
    parsed = parse_esp_suite(suite)
    seed = bytes([number])
    key_bytes = parsed.encryption.keymat_bytes
    base = "2001:db8::" if ipv6_outside else "192.0.2."
    made = SaConfiguration(
        direction=Direction.OUTBOUND,
        spi=0x1000 + number,
        reqid=REQID,
        suite=parsed,
        encryption_key=Secret((seed * 64)[:key_bytes]),
        integrity_key=None if parsed.integrity is None else Secret((seed * 64)[: parsed.integrity.key_bytes]),
        mode=Mode.TUNNEL,
        source=f"{base}{number}",
        destination=f"{base}{3 - number}",
        encapsulation=UdpEncapsulation(PORT, PORT) if udp else None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def both_ends(out: SaConfiguration) -> tuple[SaConfiguration, SaConfiguration]:
    """The SA as the sender and as the receiver has it."""
    return out, replace(out, direction=Direction.INBOUND)


def policy(
    number: int, direction: Direction, inner: Sequence[str] | None = None, **changes: object
) -> PolicyConfiguration:
    """What one host protects: between its networks and those of the other."""
    pairs = []
    for text in inner or ("10.{}.0.0/16", "2001:db8:{}::/64"):
        here, there = subnet(text.format(number)), subnet(text.format(3 - number))
        pairs.append(SelectorPair(here, there) if direction is Direction.OUTBOUND else SelectorPair(there, here))
    return replace(
        PolicyConfiguration(direction, tuple(pairs), Action.PROTECT, REQID),
        **changes,  # type: ignore[arg-type]
    )


def connect(pair: Pair, suite: str = "aes128gcm16", inner: Sequence[str] | None = None, **changes: object) -> None:
    """SAs in both directions, and policies."""
    for number, sender, receiver in ((1, pair.local, pair.peer), (2, pair.peer, pair.local)):
        out, into = both_ends(sa(suite, number=number, **changes))  # type: ignore[arg-type]
        receiver.plane.add_sa(into)
        sender.plane.add_sa(out)
        for direction in Direction:
            sender.plane.add_policy(policy(number, direction, inner))


def process_is_alive(pid: int) -> bool:
    """Whether a process with this number is there (a zombie counts)."""
    return os.path.exists(f"/proc/{pid}")
