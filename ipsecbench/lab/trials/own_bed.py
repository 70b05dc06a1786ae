"""Two hosts with our own endpoints and the agent's data planes, negotiated by IKE: one Child SA for each suite."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.dataplane.agent import AgentPlane
from ipsecbench.dataplane.child_traffic import TrafficConfiguration
from ipsecbench.dataplane.interface import DataPlane
from ipsecbench.dataplane.selection import DataPlaneConfiguration, PlaneChoice
from ipsecbench.errors import LaboratoryError, MeasurementError
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
)
from ipsecbench.ike.identification import address_identity
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.own_peer import OwnPeer
from ipsecbench.lab.trials.burst import Counts, Flow
from ipsecbench.lab.trials.frozen import prefer
from ipsecbench.lab.trials.inner_packets import DISCARD_PORT
from ipsecbench.secret import Secret

LARGE_MTU_BYTES = 9000
"""Of the link between the hosts where no packet of a trial may have to be cut."""
USUAL_MTU_BYTES = 1500
_TUN_MARGIN_BYTES = 100
"""What any suite adds to a packet at most, in UDP over IPv4."""
CONNECTION = "lab"
IKE_PROPOSAL = "aes256gcm16-prfsha384-x25519"
MOST_SUITES = 250
"""Each suite has a pair of addresses of its own, 10.1.N.1 and 10.2.N.1."""
_TUN_QUEUE_PACKETS = 4096
_NEGOTIATION_SECONDS = 30.0
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20
_ETHERTYPE_IPV4 = 0x0800


def flow_of(number: int) -> Flow:
    """The addresses of a suite's flow, from A to B; numbers begin at 1."""
    return Flow(f"10.1.{number}.1", f"10.2.{number}.1")


def drop_rules(device: str) -> str:
    """Rules of nftables that drop packets to the discard port as they come out of a device, before anything else."""
    return f"""table netdev ipsecbench {{
        chain discard {{
            type filter hook ingress device "{device}" priority 0;
            udp dport {DISCARD_PORT} counter drop;
        }}
    }}"""


class InjectionQueue:
    """Puts packets into the queue of a TUN device, as the kernel does with packets that it routes there.

    Args:
        host: where the device is.
        device: its name.
    """

    def __init__(self, host: Host, device: str) -> None:
        def opened() -> socket.socket:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            try:
                # Straight to the device: a queueing discipline would only be a second queue.
                sock.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
                sock.bind((device, _ETHERTYPE_IPV4))
            except OSError:
                sock.close()
                raise
            return sock

        try:
            self._socket = host.call(opened)
        except OSError as error:
            raise LaboratoryError(f"cannot put packets into {device}: {error.strerror}") from error

    def put(self, packets: Sequence[bytes], count: int) -> None:
        """Put packets, from the first again after the last.

        Raises:
            MeasurementError: the queue takes no more.
        """
        send, several = self._socket.send, len(packets)
        try:
            for number in range(count):
                send(packets[number % several])
        except OSError as error:
            raise MeasurementError(f"the queue of the TUN device does not take {count} packets") from error

    def close(self) -> None:
        """Close it."""
        self._socket.close()


@dataclass(frozen=True)
class OwnStation:
    """A host with our endpoint and the agent's data plane."""

    peer: OwnPeer
    process_id: int
    queue: InjectionQueue

    def counts(self) -> Counts:
        """What the plane has done so far."""
        found = self.peer.statistics()
        return Counts(found.outbound_packets, found.inbound_packets, sum(found.dropped.values()), dict(found.cpu_ns))

    def inject(self, packets: Sequence[bytes], count: int) -> None:
        """Put packets into the queue of the TUN device."""
        self.queue.put(packets, count)


class OwnBed:
    """Two hosts, from ``with`` to the end of its block.

    Args:
        suites: each gets a Child SA.
        cores: processors that the planes of A and B are pinned to, the same one where they work in turns; None: any.
        encapsulated: ESP in UDP instead of IP protocol 50.
        split_cpu: have the planes tell their time by part.
        library: the only library that the planes use; None: for each suite the fastest.
        preferred: give the planes the right of way over whatever else runs, where that is allowed.
        link_mtu_bytes: of the link between the hosts.
    """

    provider = "agent"
    ike_proposal = IKE_PROPOSAL

    def __init__(
        self,
        suites: Sequence[str],
        *,
        cores: tuple[int | None, int | None] = (None, None),
        encapsulated: bool = True,
        split_cpu: bool = False,
        library: str | None = None,
        preferred: bool = False,
        link_mtu_bytes: int = LARGE_MTU_BYTES,
    ) -> None:
        if not 0 < len(suites) <= MOST_SUITES:
            raise LaboratoryError(f"{len(suites)} suites at once: 1 to {MOST_SUITES} are possible")
        self.flows: Mapping[str, Flow] = {suite: flow_of(number) for number, suite in enumerate(suites, start=1)}
        self._cores = cores
        self._prefer = preferred
        self.library = library
        """The only library that the planes use."""
        self._link_mtu_bytes = link_mtu_bytes
        self._plane = DataPlaneConfiguration(
            PlaneChoice.AGENT,
            mtu_bytes=link_mtu_bytes - _TUN_MARGIN_BYTES,
            split_cpu=split_cpu,
            library=library,
            traffic=TrafficConfiguration(path_mtu_bytes=link_mtu_bytes),
        )
        self.encapsulation = "udp" if encapsulated else "none"
        """How ESP travels."""
        self._psk = Secret(secrets.token_bytes(32))
        self._stack = contextlib.ExitStack()
        self.hosts: Hosts
        self.sender: OwnStation
        self.receiver: OwnStation
        self.preferred = False
        """Whether the planes have the right of way over whatever else runs."""

    def __enter__(self) -> Self:
        """Make the hosts, negotiate, and prepare the queues.

        Raises:
            LaboratoryError: the hosts cannot be had.
            DataPlaneError: the planes cannot be had.
            MeasurementError: the negotiation failed.
        """
        with contextlib.ExitStack() as stack:
            self.hosts = stack.enter_context(two_hosts())
            ends = (self.hosts.local, self.hosts.peer)
            for host in ends:
                checked(host, "ip", "link", "set", "eth0", "mtu", str(self._link_mtu_bytes))
            peers = [stack.enter_context(self._peer(here, there)) for here, there in (ends, ends[::-1])]
            peers[0].initiate(CONNECTION, timeout=_NEGOTIATION_SECONDS)
            stations = [self._station(stack, peer) for peer in peers]
            self.sender, self.receiver = stations
            if self._prefer:
                self.preferred = all([prefer(station.process_id) for station in stations])
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _station(self, stack: contextlib.ExitStack, peer: OwnPeer) -> OwnStation:
        device = self._plane.tun_name
        checked(peer.host, "ip", "link", "set", device, "txqueuelen", str(_TUN_QUEUE_PACKETS))
        checked(peer.host, "nft", drop_rules(device))
        queue = InjectionQueue(peer.host, device)
        stack.callback(queue.close)
        return OwnStation(peer, peer.ask(_process_id), queue)

    def _peer(self, here: Host, there: Host) -> OwnPeer:
        local_is_a = here is self.hosts.local
        children = tuple(
            ChildConfiguration(
                suite,
                (parse_esp(suite),),
                local_ts=_one(flow.source if local_is_a else flow.destination),
                remote_ts=_one(flow.destination if local_is_a else flow.source),
                rekey=False,
            )
            for suite, flow in self.flows.items()
        )
        connection = ConnectionConfiguration(
            CONNECTION,
            2,
            (parse_ike(IKE_PROPOSAL),),
            LocalAuthentication(AuthMethod.PSK, address_identity(here.ipv4)),
            RemoteAuthentication(AuthMethod.PSK, address_identity(there.ipv4)),
            children,
            local_addresses=(here.ipv4,),
            remote_addresses=(there.ipv4,),
            psk=self._psk,
            rekey=False,
            force_encapsulation=self.encapsulation == "udp",
        )
        return OwnPeer(here, connection, self._plane_of(here))

    def _plane_of(self, here: Host) -> DataPlaneConfiguration:
        """The data plane of a host, on the core that is meant for it."""
        core = self._cores[0 if here is self.hosts.local else 1]
        return replace(self._plane, cores=() if core is None else (core,))


def _one(address: str) -> tuple[TrafficSelector, ...]:
    """The selector of one IPv4 address."""
    number = int.from_bytes(socket.inet_aton(address), "big")
    return (TrafficSelector(4, number, number),)


def _process_id(plane: DataPlane) -> int:
    if not isinstance(plane, AgentPlane) or not plane.pid:
        raise LaboratoryError("bursts need the agent's data plane: the plane must be a process of its own")
    return plane.pid


def checked(host: Host, *command: str) -> None:
    """Run a command in a host.

    Raises:
        LaboratoryError: it failed.
    """
    done = host.run(*command)
    if done.returncode:
        raise LaboratoryError(f"'{' '.join(command)}' failed: {done.stderr.strip() or done.stdout.strip()}")


def other_core(core: int) -> int | None:
    """A processor that this process may use beside the given one; None where there is only that one."""
    return next((each for each in sorted(os.sched_getaffinity(0)) if each != core), None)
