"""Opens the data plane that a configuration asks for, with everything that it needs, and closes all of it again."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from ipsecbench.algorithms.suites import parse_esp_suite
from ipsecbench.dataplane.child_traffic import ALL_ADDRESSES, TrafficConfiguration, shunt_policies
from ipsecbench.dataplane.esp_sockets import mark, open_raw_esp, open_shared_udp
from ipsecbench.dataplane.interface import DataPlane
from ipsecbench.dataplane.routes import Routes
from ipsecbench.dataplane.tun import TUN_MTU_BYTES, TUN_NAME, check_mtu, close_all, open_tun
from ipsecbench.errors import AgentError, DataPlaneError, UsageError
from ipsecbench.esp.configuration import Action, Layering
from ipsecbench.esp.overhead import Encapsulation, inner_mtu_bytes
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import ChildConfiguration, ConnectionConfiguration, EndpointConfiguration
from ipsecbench.providers.interface import Provider

Selectors = tuple[TrafficSelector, ...]


class PlaneChoice(StrEnum):
    """What an endpoint's configuration asks for."""

    AUTO = "auto"
    """The first of agent, kernel and reference that can be had."""
    AGENT = "agent"
    REFERENCE = "reference"
    KERNEL = "kernel"
    NONE = "none"
    """Negotiate only."""


@dataclass(frozen=True, slots=True)
class DataPlaneConfiguration:
    """The data plane of an endpoint."""

    choice: PlaneChoice = PlaneChoice.AUTO
    """Which one."""
    tun_name: str = TUN_NAME
    """Name of the TUN device."""
    mtu_bytes: int = TUN_MTU_BYTES
    """MTU of the TUN device."""
    tun_addresses: tuple[str, ...] = ()
    """Addresses of the TUN device, with prefix lengths."""
    queues: int = 1
    """Threads of the agent, each with a queue of the TUN device and sockets of its own."""
    cores: tuple[int, ...] = ()
    """Processors that the agent's threads are pinned to; empty: none."""
    split_cpu: bool = False
    """Whether the agent also measures how long each part of its work takes, at a small cost."""
    library: str | None = None
    """The only library that the agent uses: ``libipsec-mb``, ``libcrypto``, ``libgcrypt``; None: the fastest."""
    traffic: TrafficConfiguration = field(default_factory=TrafficConfiguration)
    """How traffic is carried."""


class OpenDataPlane:
    """A data plane in operation.

    Args:
        plane: the plane.
        routes: what leads traffic into it; None for the kernel's own.
    """

    def __init__(self, plane: DataPlane, routes: Routes | None) -> None:
        self.plane = plane
        self.routes = routes

    def close(self) -> None:
        """End it: the device, routes and rules are gone. Safe to call more than once."""
        self.plane.close()
        if self.routes is not None:
            self.routes.close()


def open_data_plane(
    configuration: DataPlaneConfiguration,
    endpoint: EndpointConfiguration,
    ike_sockets: Sequence[socket.socket],
    cryptography: Provider,
) -> OpenDataPlane:
    """Open a data plane beside the sockets of an endpoint, in the network namespace of the calling thread.

    Args:
        configuration: which one, and how.
        endpoint: what is negotiated.
        ike_sockets: sockets of IKE; those on the NAT-T port opened to be shared.
        cryptography: algorithms for the plane ``reference``.

    Raises:
        DataPlaneError: it cannot be had; nothing is left open then.
    """
    choice = configuration.choice
    if choice is PlaneChoice.AUTO:
        choice = automatic_choice()
    check_tunnels(configuration, endpoint)
    natt = [sock for sock in ike_sockets if sock.getsockname()[1] == endpoint.natt_port]
    if choice is PlaneChoice.KERNEL:
        plane: DataPlane = _kernel(ike_sockets, natt)
        routes = None
    else:
        plane, routes = _over_tun(configuration, choice, ike_sockets, natt, cryptography)
    opened = OpenDataPlane(plane, routes)
    try:
        _prepare(opened, configuration, endpoint)
    except BaseException:
        opened.close()
        raise
    return opened


def automatic_choice() -> PlaneChoice:
    """What ``auto`` comes to on this box."""
    from ipsecbench.agent.find import agent_path
    from ipsecbench.dataplane.kernel_esp import kernel_esp_available

    try:
        agent_path()
    except AgentError:
        return PlaneChoice.KERNEL if kernel_esp_available().available else PlaneChoice.REFERENCE
    return PlaneChoice.AGENT


def _kernel(ike_sockets: Sequence[socket.socket], natt: Sequence[socket.socket]) -> DataPlane:
    from ipsecbench.dataplane.kernel import KernelPlane

    return KernelPlane(ike_sockets, natt)


def _over_tun(
    configuration: DataPlaneConfiguration,
    choice: PlaneChoice,
    ike_sockets: Sequence[socket.socket],
    natt: Sequence[socket.socket],
    cryptography: Provider,
) -> tuple[DataPlane, Routes]:
    agent = choice is PlaneChoice.AGENT
    queues = max(configuration.queues, len(configuration.cores)) if agent else 1
    _refuse_ambiguity(natt)
    tun = open_tun(configuration.tun_name, queues, configuration.mtu_bytes, vnet_header=agent)
    udp: list[socket.socket] = []
    raw: list[socket.socket] = []
    routes: Routes | None = None
    try:
        for sock in ike_sockets:
            mark(sock)
        for sock in natt:
            udp += open_shared_udp(sock, queues)
            raw += open_raw_esp(sock.getsockname()[0], queues)
        routes = Routes(configuration.tun_name)
        for address in configuration.tun_addresses:
            routes.add_address(address)
        plane = _agent(configuration, tun, udp, raw) if agent else _reference(cryptography, tun, udp, raw)
    except BaseException:
        close_all(tun)
        for sock in (*udp, *raw):
            sock.close()
        if routes is not None:
            routes.close()
        raise
    return plane, routes


def _agent(
    configuration: DataPlaneConfiguration, tun: list[int], udp: list[socket.socket], raw: list[socket.socket]
) -> DataPlane:
    from ipsecbench.dataplane.agent import AgentPlane

    return AgentPlane(
        tun_fds=tun,
        udp_sockets=udp,
        raw_sockets=raw,
        cores=configuration.cores,
        split_cpu=configuration.split_cpu,
        provider=configuration.library,
    )


def _reference(cryptography: Provider, tun: list[int], udp: list[socket.socket], raw: list[socket.socket]) -> DataPlane:
    from ipsecbench.dataplane.reference import ReferencePlane

    return ReferencePlane(cryptography, tun[0], udp, raw)


def _refuse_ambiguity(natt: Sequence[socket.socket]) -> None:
    for family, version in ((socket.AF_INET, 4), (socket.AF_INET6, 6)):
        number = sum(sock.family == family for sock in natt)
        if number > 1:
            raise DataPlaneError(
                f"a data plane over TUN has one IPv{version} address, and the connections name {number}: "
                "use an endpoint for each"
            )


def _prepare(opened: OpenDataPlane, configuration: DataPlaneConfiguration, endpoint: EndpointConfiguration) -> None:
    """What holds whether there are SAs or not: traffic that is to be protected does not go out in clear."""
    for shunt in configuration.traffic.shunts:
        for policy in shunt_policies(shunt):
            opened.plane.add_policy(policy)
        if opened.routes is None:
            continue
        if shunt.action is Action.BYPASS:
            opened.routes.bypass(shunt.local_ts, shunt.remote_ts)
        else:
            opened.routes.protect(shunt.local_ts, shunt.remote_ts)
    if opened.routes is not None:
        for _, _, local, remote in configured_traffic(configuration.traffic, endpoint):
            opened.routes.protect(local, remote)


def configured_traffic(
    traffic: TrafficConfiguration, endpoint: EndpointConfiguration
) -> Iterator[tuple[ConnectionConfiguration, ChildConfiguration, Selectors, Selectors]]:
    """What the children of a configuration are for, as far as it is known before anything is negotiated."""
    for connection in endpoint.connections:
        for child in connection.children:
            how = traffic.of(connection.name, child.name)
            if how.layering is Layering.NONE:
                local = child.local_ts or _hosts(connection.local_addresses or endpoint.own_addresses)
                remote = child.remote_ts or _hosts(connection.remote_addresses)
            else:
                local, remote = how.layered_local_ts or ALL_ADDRESSES, how.layered_remote_ts
            if local and remote:
                yield connection, child, local, remote


def _hosts(addresses: Sequence[str]) -> Selectors:
    parsed = [ipaddress.ip_address(address) for address in addresses]
    return tuple(TrafficSelector(address.version, int(address), int(address)) for address in parsed)


def check_tunnels(configuration: DataPlaneConfiguration, endpoint: EndpointConfiguration) -> None:
    """Refuse what cannot work before anything is opened.

    Raises:
        DataPlaneError: the MTU is too small for IPv6 inside, or the path for a suite.
    """
    for connection, child, local, _remote in configured_traffic(configuration.traffic, endpoint):
        outer = "ipv6" if ":" in (connection.local_addresses or endpoint.own_addresses or ("",))[0] else "ipv4"
        inside = any(selector.version == 6 for selector in local)
        for proposal in child.proposals:
            for words in product(proposal.encryption, proposal.integrity or ("",)):
                suite = parse_esp_suite("-".join(filter(None, words)))
                way = Encapsulation(child.mode, outer, nat_traversal=True)
                what = f"{connection.name}.{child.name} with {suite.name}"
                try:
                    largest = inner_mtu_bytes(suite, configuration.traffic.path_mtu_bytes, way)
                except UsageError as error:
                    raise DataPlaneError(f"{what}: {error}") from error
                check_mtu(configuration.mtu_bytes, largest, ipv6_inside=inside, what=what)
