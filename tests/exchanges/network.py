"""Real endpoints on a network that is made up: virtual time, and seeded delay, loss, duplication, reordering, MTU, NAT.

Nothing here knows IKE but for the names of exchanges in the log. A network runs by itself (:meth:`Network.run`), or a
test delivers datagram by datagram what is under way (:attr:`Network.under_way`, :meth:`Network.deliver`) and says in a
comment what each one is.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.association import Association
from ipsecbench.ike.configuration import ConnectionConfiguration, EndpointConfiguration
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import ChildSaInfo, Event
from ipsecbench.ike.header import parse_header
from ipsecbench.ike.nat_traversal import NAT_T_PORT, NON_ESP_MARKER
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.ike.v2.identifiers import ExchangeType, name_of
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.selection import ProviderSelection

E = TypeVar("E")

UNIX_TIME = 1_900_000_000.0
"""What the wall clock shows."""
_CRYPTOGRAPHY = ProviderSelection()
_CERTIFICATES = PycaPublicKeyInfrastructure()
_IP_AND_UDP_BYTES = 28
_MOST_TIMEOUTS_AT_ONCE = 20


@dataclass(frozen=True)
class Conditions:
    """What the network does to datagrams."""

    latency: tuple[float, float] = (0.01, 0.01)
    """Least and most seconds on the way; different ones reorder."""
    loss: float = 0.0
    """Probability that a datagram is lost."""
    duplication: float = 0.0
    """Probability that it comes twice."""
    mtu: int = 65535
    """Datagrams in larger IP packets are lost."""


CALM = Conditions()
"""Nothing happens to anything."""


@dataclass
class Nat:
    """A NAT in front of some addresses; every address and port inside has a port of its own outside."""

    outside: str
    """Its address outside."""
    inside: frozenset[str]
    """Addresses behind it."""
    mappings: dict[Address, int] = field(default_factory=dict)
    next_port: int = 20000

    def outgoing(self, source: Address) -> Address:
        """What the others see."""
        if source not in self.mappings:
            self.mappings[source] = self.next_port
            self.next_port += 1
        return Address(self.outside, self.mappings[source])

    def incoming(self, destination: Address) -> Address | None:
        """Who is meant; None where there is no mapping (any more)."""
        return next((source for source, port in self.mappings.items() if port == destination.port), None)

    def rebind(self) -> None:
        """Forget all mappings: new ones have other ports."""
        self.mappings.clear()


@dataclass(frozen=True)
class Flight:
    """One datagram under way."""

    sender: str
    """Name of the node that sent it."""
    source: Address
    """From where, as the receiver sees it."""
    destination: Address
    """To where, before a NAT in front of the receiver."""
    data: bytes
    """Its payload."""

    @property
    def name(self) -> str:
        """Exchange, direction and Message ID, such as ``IKE_AUTH request 1``."""
        try:
            header = parse_header(self.data.removeprefix(NON_ESP_MARKER))
        except ProtocolError:
            return f"{len(self.data)} octets"
        kind = "response" if header.flags & 0x20 else "request"
        if header.major == 1:
            return f"IKEv1 exchange {header.exchange_type}"
        return f"{name_of(ExchangeType, header.exchange_type)} {kind} {header.message_id}"


class Node:
    """One endpoint and what it has told."""

    def __init__(self, network: Network, name: str, endpoint: Endpoint) -> None:
        self.network = network
        self.name = name
        self.endpoint = endpoint
        self.events: list[Event] = []
        self.log: list[tuple[str, str]] = []

    def initiate(self, connection: str = "c", children: Sequence[str] | None = None) -> Association:
        """Begin an IKE SA."""
        unique_id = self.endpoint.initiate(connection, self.network.now, children)
        self.network.settle(self)
        return next(sa for sa in self.endpoint.associations() if sa.unique_id == unique_id)

    def order(self, sa: Association, action: Callable[[Association], None]) -> None:
        """Have something done to an IKE SA of this node."""
        self.endpoint.order(sa.unique_id, action)
        self.network.settle(self)

    @property
    def sas(self) -> list[Association]:
        """IKE SAs that are set up."""
        return [sa for sa in self.endpoint.associations() if sa.info is not None]

    @property
    def sa(self) -> Association:
        """The only IKE SA."""
        (sa,) = self.sas
        return sa

    @property
    def child_sas(self) -> list[ChildSaInfo]:
        """Child SAs of all IKE SAs."""
        return [child for sa in self.sas for child in sa.child_sas]

    @property
    def child_sa(self) -> ChildSaInfo:
        """The only Child SA."""
        (child,) = self.child_sas
        return child

    def of(self, kind: type[E]) -> list[E]:
        """Events of a kind, in their order."""
        return [event for event in self.events if isinstance(event, kind)]

    def causes(self) -> list[str]:
        """Causes that were logged, in their order."""
        return [cause for cause, _ in self.log]


class Network:
    """Nodes and what is under way between them.

    Args:
        seed: of everything that is random, in the nodes too.
        conditions: what the network does.
        nats: NATs.
    """

    def __init__(self, seed: int = 0, conditions: Conditions = CALM, nats: Iterable[Nat] = ()) -> None:
        self.random = random.Random(seed)
        self.conditions = conditions
        self.nats = list(nats)
        self.now = 1000.0
        self.nodes: list[Node] = []
        self.under_way: deque[Flight] = deque()
        """Datagrams that were sent and not put into the queue: what a test delivers by hand."""
        self.trace: list[str] = []
        """What was delivered or lost, one line each."""
        self._owners: dict[str, Node] = {}
        self._queue: list[tuple[float, int, Flight]] = []
        self._count = 0

    def add(self, name: str, configuration: EndpointConfiguration) -> Node:
        """Another endpoint with the addresses of its configuration."""
        source = random.Random(self.random.random())
        environment = Environment(_CRYPTOGRAPHY, _CERTIFICATES, source.randbytes, lambda: UNIX_TIME + self.now)
        lines: list[tuple[str, str]] = []
        node = Node(self, name, Endpoint(configuration, environment, lambda cause, text: lines.append((cause, text))))
        node.log = lines
        self.nodes.append(node)
        for host in configuration.own_addresses:
            self._owners[host] = node
        return node

    # By hand.

    def settle(self, node: Node) -> None:
        """Take what an endpoint wants to tell and to send."""
        endpoint = node.endpoint
        while (event := endpoint.next_event()) is not None:
            node.events.append(event)
        for datagram in endpoint.datagrams_to_send():
            self.under_way.append(self._flight(node, datagram))

    def deliver(self, flight: Flight | None = None) -> Flight:
        """Deliver a datagram: the oldest that is under way, or this one (again)."""
        if flight is None:
            flight = self.under_way.popleft()
        elif flight in self.under_way:
            self.under_way.remove(flight)
        self._arrive(flight)
        return flight

    def lose(self) -> Flight:
        """Lose the oldest datagram that is under way."""
        return self.under_way.popleft()

    def deliver_all(self) -> list[str]:
        """Deliver everything, and what is sent because of it; the names of all that was delivered."""
        names = []
        while self.under_way:
            flight = self.deliver()
            names.append(f"{flight.sender}: {flight.name}")
        return names

    def names(self) -> list[str]:
        """What is under way."""
        return [f"{flight.sender}: {flight.name}" for flight in self.under_way]

    def pass_time(self, seconds: float) -> None:
        """Let time pass: timeouts come, but nothing is delivered."""
        end = self.now + seconds
        while (when := self._next_timeout()) is not None and when <= end:
            self.now = max(self.now, when)
            self._handle_timeouts()
        self.now = end

    # By itself.

    def run(self, seconds: float) -> None:
        """Let the network work for a while."""
        end = self.now + seconds
        self._send_under_way()
        while True:
            arrival = self._queue[0][0] if self._queue else None
            timeout = self._next_timeout()
            times = [when for when in (arrival, timeout) if when is not None]
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            if arrival is not None and arrival <= self.now:
                self._arrive(heapq.heappop(self._queue)[2])
            else:
                self._handle_timeouts()
            self._send_under_way()
        self.now = end

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way."""
        return not self._queue and not self.under_way

    def set_conditions(self, **changes: object) -> None:
        """Change what the network does from now on."""
        self.conditions = replace(self.conditions, **changes)  # type: ignore[arg-type]

    # Within.

    def _flight(self, node: Node, datagram: Datagram) -> Flight:
        source, destination = datagram.path.local, datagram.path.remote
        for nat in self.nats:
            if source.host in nat.inside and destination.host not in nat.inside:
                source = nat.outgoing(source)
        return Flight(node.name, source, destination, datagram.data)

    def _arrive(self, flight: Flight) -> None:
        destination: Address | None = flight.destination
        for nat in self.nats:
            if destination is not None and destination.host == nat.outside:
                destination = nat.incoming(destination)
        node = None if destination is None else self._owners.get(destination.host)
        if node is None or destination is None or destination.port not in _ports(node):
            self.trace.append(f"{self.now:.3f} {flight.sender}: {flight.name}: nobody is at {flight.destination}")
            return
        self.trace.append(f"{self.now:.3f} {flight.sender}: {flight.name}")
        node.endpoint.receive_datagram(flight.data, Path(destination, flight.source), self.now)
        self.settle(node)

    def _next_timeout(self) -> float | None:
        times = (node.endpoint.next_timeout() for node in self.nodes)
        return min((when for when in times if when is not None), default=None)

    def _handle_timeouts(self) -> None:
        for node in self.nodes:
            for _ in range(_MOST_TIMEOUTS_AT_ONCE):
                when = node.endpoint.next_timeout()
                if when is None or when > self.now:
                    break
                node.endpoint.handle_timeout(self.now)
                self.settle(node)
            else:
                raise AssertionError(f"{node.name} has a timeout that handling it does not take away")

    def _send_under_way(self) -> None:
        chance, conditions = self.random, self.conditions
        while self.under_way:
            flight = self.under_way.popleft()
            copies = 2 if chance.random() < conditions.duplication else 1
            for _ in range(copies):
                too_large = len(flight.data) + _IP_AND_UDP_BYTES > conditions.mtu
                if too_large or chance.random() < conditions.loss:
                    self.trace.append(f"{self.now:.3f} {flight.sender}: {flight.name}: lost")
                    continue
                self._count += 1
                heapq.heappush(self._queue, (self.now + chance.uniform(*conditions.latency), self._count, flight))


def _ports(node: Node) -> tuple[int, int]:
    return node.endpoint.configuration.port, node.endpoint.configuration.natt_port


def endpoint_configuration(
    host: str, *connections: ConnectionConfiguration, **settings: object
) -> EndpointConfiguration:
    """An endpoint with one address."""
    return EndpointConfiguration(connections, own_addresses=(host,), **settings)  # type: ignore[arg-type]


__all__ = ["NAT_T_PORT", "Conditions", "Flight", "Nat", "Network", "Node", "endpoint_configuration"]
