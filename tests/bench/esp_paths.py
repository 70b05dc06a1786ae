"""Ways for traffic from one host to the other that are held side by side: plain veth, and strongSwan's own ESP.

Each is a pair of hosts of its own, so that all of them are up at once and can take turns. An inner network of the
first host (10.1.0.0/16) reaches that of the second (10.2.0.0/16); what goes from :attr:`TrafficPath.source` to
:attr:`TrafficPath.destination` goes that way.

strongSwan is given what makes its kernel-libipsec fastest of all that was tried: libcrypto goes first for AES-GCM and
ChaCha20-Poly1305 (its own ``gcm`` plugin is nine times slower), nothing is logged, and each daemon has a core of its
own, which costs it nothing, for it never uses more than one. Fewer threads than its default of 16 make it stand still;
more threads, other queueing disciplines and longer queues of its TUN device change nothing that could be told from
noise. The MTU of its TUN device is 1400 by its own choice, and it always encapsulates in UDP.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from tests.bench.ike_ends import Connection, ends


@dataclass(frozen=True)
class TrafficPath:
    """One way from the first host to the second, ready for traffic."""

    title: str
    hosts: Hosts
    processes: Mapping[str, int] = field(default_factory=dict)
    """Name → process that carries its traffic."""

    @property
    def source(self) -> str:
        """IP address that traffic comes from, in the first host."""
        return self.hosts.local.inner_ipv4

    @property
    def destination(self) -> str:
        """IP address that traffic goes to, in the second host."""
        return self.hosts.peer.inner_ipv4


@contextlib.contextmanager
def veth_path() -> Iterator[TrafficPath]:
    """A plain veth pair with an MTU of 1500."""
    with two_hosts() as hosts:
        _route(hosts.local, "10.2.0.0/16", hosts.peer.ipv4)
        _route(hosts.peer, "10.1.0.0/16", hosts.local.ipv4)
        yield TrafficPath("veth", hosts)


@contextlib.contextmanager
def strongswan_path(suite: str) -> Iterator[TrafficPath]:
    """strongSwan's kernel-libipsec at both ends, its SA set up with IKEv2."""
    connection = Connection("flow", "aes128-sha256-x25519", esp=suite)
    with two_hosts() as hosts, ends(hosts, "strongSwan", "strongSwan", [connection]) as made:
        session = made[0].session()
        try:
            session.initiate(connection.name)
            for core, end in zip(spread_cores(), made, strict=True):
                pin(end.process_id, core)
            yield TrafficPath(
                f"kernel-libipsec {suite}",
                hosts,
                {"sender's daemon": made[0].process_id, "receiver's daemon": made[1].process_id},
            )
        finally:
            session.close()


def spread_cores() -> tuple[int, int]:
    """A core for each end: the first and the last that may be used."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def pin(process_id: int, core: int) -> None:
    """Keep all threads of a process on one core."""
    for task in os.listdir(f"/proc/{process_id}/task"):
        os.sched_setaffinity(int(task), {core})


def _route(host: Host, network: str, gateway: str) -> None:
    done = host.run("ip", "route", "add", network, "via", gateway)
    if done.returncode:
        raise LaboratoryError(f"cannot route {network}: {done.stderr.strip()}")
