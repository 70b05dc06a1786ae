"""One IKE endpoint, sans-IO: routes datagrams to IKE SAs by version and SPI, keeps their timeouts, limits newcomers.

The driver owns sockets and clock. It hands datagrams and the time in, takes datagrams and events out, and calls
:meth:`Endpoint.handle_timeout` when :meth:`Endpoint.next_timeout` has come. Nothing that a peer sends makes a method of
this class raise.
"""

from __future__ import annotations

import heapq
import ipaddress
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from ipsecbench.errors import MalformedError, UsageError
from ipsecbench.ike.admission import Admission
from ipsecbench.ike.association import Association
from ipsecbench.ike.configuration import ConnectionConfiguration, EndpointConfiguration
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaInfo,
    ChildSaRekeyed,
    Event,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaRekeyed,
)
from ipsecbench.ike.header import ZERO_SPI, IkeHeader, parse_header
from ipsecbench.ike.nat_traversal import KEEPALIVE, NON_ESP_MARKER, Content, classify
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.ike.v1 import isakmp_sa
from ipsecbench.ike.v2 import ike_sa

LogFunction = Callable[[str, str], None]
"""Takes a cause (a stable word) and a line of text."""

_SPARE_TIMEOUTS = 64
_FIRST_CHILD_SPI = 256
"""Lower numbers are reserved (RFC 4303 section 2.1)."""


class Endpoint:
    """See the module. It is the ``Host`` of its IKE SAs.

    Args:
        configuration: connections, ports and limits.
        environment: algorithms, certificates, randomness.
        log: receives every log line; the driver limits how many it writes.
        transmit: takes each datagram at once instead of :meth:`datagrams_to_send`, so that the peer works already while
            this end does what comes after sending, such as deriving keys; must not raise.
    """

    def __init__(
        self,
        configuration: EndpointConfiguration,
        environment: Environment,
        log: LogFunction | None = None,
        transmit: Callable[[Datagram], None] | None = None,
    ) -> None:
        self.configuration = configuration
        self.environment = environment
        self._log = log
        self.counts: Counter[str] = Counter()
        """How often each cause was logged; never reset."""
        self._datagrams: deque[Datagram] = deque()
        self._transmit = transmit or self._datagrams.append
        self._events: deque[Event] = deque()
        self._associations: dict[int, Association] = {}
        self._by_spi: dict[tuple[int, bytes], int] = {}
        self._timeouts: list[tuple[float, int]] = []
        self._scheduled: dict[int, float] = {}
        self._child_owners: dict[bytes, int] = {}
        self._reserved_child_spis: set[bytes] = set()
        self._unique_id = 0
        self._admission = Admission(configuration, environment.random)
        self._others_touched = False
        self._established: set[int] = set()

    # What the driver calls.

    def initiate(self, connection_name: str, now: float, children: Sequence[str] | None = None) -> int:
        """Begin an IKE SA as initiator.

        Args:
            connection_name: name of a connection that has a remote address.
            now: seconds, monotonic.
            children: names of Child SAs to set up with it; None: all of the connection.

        Returns:
            Number of the IKE SA, as in its events.

        Raises:
            UsageError: there is no such connection or child, or no address to go to.
        """
        connection = self.connection(connection_name)
        names = [child.name for child in connection.children]
        wanted = names if children is None else list(children)
        for name in wanted:
            if name not in names:
                raise UsageError(f"connection {connection.name!r} has no child {name!r} ({', '.join(names)})")
        kind = isakmp_sa.IsakmpSa if connection.version == 1 else ike_sa.IkeSa
        association: Association = kind.initiator(self, connection, self._path_to(connection))
        self.register(association)
        association.initiate(wanted, now)
        self._settle(association)
        return association.unique_id

    def receive_datagram(self, data: bytes, path: Path, now: float) -> None:
        """A UDP datagram has come. ESP packets are not for the endpoint: the driver sorts them out beforehand."""
        if path.local.port == self.configuration.natt_port:
            content = classify(data)
            if content is not Content.IKE:
                if content is not Content.KEEPALIVE:
                    self.log(f"not-ike-{content.value}", f"{len(data)} octets from {path.remote}")
                return
            data = data[len(NON_ESP_MARKER) :]
        try:
            header = parse_header(data)
        except MalformedError as error:
            self.log("malformed-header", f"from {path.remote}: {error}")
            return
        association = self._find(header, path)
        if association is not None:
            association.receive(header, data, path, now)
        else:
            association = self._newcomer(header, data, path, now)
        if association is not None:
            self._settle(association)

    def datagrams_to_send(self) -> Iterator[Datagram]:
        """What is to be sent, in order; each is given once."""
        while self._datagrams:
            yield self._datagrams.popleft()

    def next_event(self) -> Event | None:
        """The oldest event that was not taken yet."""
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` is to be called; None: not before something else happens."""
        self._drop_stale_timeouts()
        return self._timeouts[0][0] if self._timeouts else None

    def handle_timeout(self, now: float) -> None:
        """Time has come; harmless when called too early."""
        due = []
        while self._timeouts and self._timeouts[0][0] <= now:
            when, unique_id = heapq.heappop(self._timeouts)
            if self._scheduled.get(unique_id) == when:
                del self._scheduled[unique_id]
            due.append(unique_id)
        for unique_id in dict.fromkeys(due):
            association = self._associations.get(unique_id)
            if association is None:
                continue
            if association.next_timeout is not None and association.next_timeout <= now:
                association.handle_timeout(now)
            self._settle(association)

    def order(self, unique_id: int, action: Callable[[Association], None]) -> None:
        """Have something done to an IKE SA, such as ``lambda sa: sa.rekey(now)``.

        Raises:
            UsageError: there is no such IKE SA any more.
        """
        association = self._associations.get(unique_id)
        if association is None:
            raise UsageError(f"there is no IKE SA number {unique_id}")
        action(association)
        self._settle(association)

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        """What a Child SA has carried so far, for lives in bytes and packets; unknown SPIs are passed over."""
        owner = self._associations.get(self._child_owners.get(inbound_spi, 0))
        if owner is not None:
            owner.report_traffic(inbound_spi, octets, packets, now)
            self._settle(owner)

    def report_path(self, inbound_spi: bytes, remote: Address, now: float) -> None:
        """An authentic ESP packet of a Child SA has come in UDP from an address and port (RFC 7296 section 2.23).

        Where the peer is behind a NAT and this end is not, what is sent follows it: there is a ``PathChanged`` then.
        """
        owner = self._associations.get(self._child_owners.get(inbound_spi, 0))
        if owner is not None:
            owner.report_path(remote, now)
            self._settle(owner)

    def shut_down(self, now: float) -> None:
        """Delete every IKE SA politely; what is not set up yet is abandoned."""
        for association in self.associations():
            if association.info is None:
                association.abandon("the endpoint stops", now)
            else:
                association.delete(now)
            self._settle(association)

    def connection(self, name: str) -> ConnectionConfiguration:
        """The connection of a name.

        Raises:
            UsageError: there is none.
        """
        for connection in self.configuration.connections:
            if connection.name == name:
                return connection
        known = ", ".join(connection.name for connection in self.configuration.connections)
        raise UsageError(f"there is no connection {name!r} ({known})")

    @property
    def idle(self) -> bool:
        """Whether no IKE SA is set up. One that was deleted may linger for a while to repeat its last response."""
        return not self._established

    @property
    def child_sas(self) -> tuple[ChildSaInfo, ...]:
        """Child SAs of all IKE SAs."""
        return tuple(child for association in self._associations.values() for child in association.child_sas)

    # What IKE SAs call (association.Host).

    def send(self, datagram: Datagram) -> None:
        """See :meth:`ipsecbench.ike.association.Host.send`."""
        if datagram.path.local.port == self.configuration.natt_port:
            datagram = Datagram(datagram.path, NON_ESP_MARKER + datagram.data)
        self._transmit(datagram)

    def send_keepalive(self, path: Path) -> None:
        """See :meth:`ipsecbench.ike.association.Host.send_keepalive`."""
        self._transmit(Datagram(path, KEEPALIVE))

    def emit(self, event: Event) -> None:
        """See :meth:`ipsecbench.ike.association.Host.emit`."""
        if isinstance(event, IkeSaEstablished):
            self._established.add(event.sa.unique_id)
        elif isinstance(event, IkeSaDeleted):
            self._established.discard(event.unique_id)
        elif isinstance(event, ChildSaEstablished | ChildSaRekeyed):
            self._child_owners[event.sa.inbound_spi] = event.sa.ike_unique_id
        elif isinstance(event, ChildSaDeleted):
            self._child_owners.pop(event.inbound_spi, None)
        elif isinstance(event, IkeSaRekeyed):
            self._established.discard(event.old_unique_id)
            self._established.add(event.sa.unique_id)
            for spi, owner in self._child_owners.items():
                if owner == event.old_unique_id:
                    self._child_owners[spi] = event.sa.unique_id
        self._events.append(event)

    def log(self, cause: str, text: str) -> None:
        """See :meth:`ipsecbench.ike.association.Host.log`."""
        self.counts[cause] += 1
        if self._log is not None:
            self._log(cause, text)

    def next_unique_id(self) -> int:
        """See :meth:`ipsecbench.ike.association.Host.next_unique_id`."""
        self._unique_id += 1
        return self._unique_id

    def allocate_ike_spi(self) -> bytes:
        """See :meth:`ipsecbench.ike.association.Host.allocate_ike_spi`."""
        while True:
            spi = self.environment.random(8)
            if spi != ZERO_SPI and (1, spi) not in self._by_spi and (2, spi) not in self._by_spi:
                return spi

    def allocate_child_spi(self) -> bytes:
        """See :meth:`ipsecbench.ike.association.Host.allocate_child_spi`."""
        while True:
            spi = self.environment.random(4)
            if int.from_bytes(spi) >= _FIRST_CHILD_SPI and spi not in self._reserved_child_spis:
                self._reserved_child_spis.add(spi)
                return spi

    def release_child_spi(self, spi: bytes) -> None:
        """See :meth:`ipsecbench.ike.association.Host.release_child_spi`."""
        self._reserved_child_spis.discard(spi)

    def candidates(self, path: Path, version: int) -> Sequence[ConnectionConfiguration]:
        """See :meth:`ipsecbench.ike.association.Host.candidates`."""
        return [
            connection
            for connection in self.configuration.connections
            if connection.version == version
            and (not connection.local_addresses or path.local.host in connection.local_addresses)
            and (not connection.remote_addresses or path.remote.host in connection.remote_addresses)
        ]

    def register(self, association: Association) -> None:
        """See :meth:`ipsecbench.ike.association.Host.register`."""
        self._associations[association.unique_id] = association
        own = association.spi_i if association.is_initiator else association.spi_r
        self._by_spi[association.version, own] = association.unique_id
        self._schedule(association)

    def associations(self) -> Sequence[Association]:
        """See :meth:`ipsecbench.ike.association.Host.associations`."""
        self._others_touched = True
        return tuple(self._associations.values())

    # Routing.

    def _find(self, header: IkeHeader, path: Path) -> Association | None:
        """The IKE SA that a message is for: by the SPI that was chosen here; the peer's has to fit too."""
        as_responder = self._registered(header.major, header.spi_r)
        if as_responder is not None and not as_responder.is_initiator and as_responder.spi_i == header.spi_i:
            return as_responder
        as_initiator = self._registered(header.major, header.spi_i)
        if as_initiator is not None and as_initiator.is_initiator and as_initiator.spi_r in (ZERO_SPI, header.spi_r):
            return as_initiator
        if header.spi_r == ZERO_SPI:
            return self._associations.get(self._admission.repeated(header, path) or 0)
        return None

    def _registered(self, version: int, own_spi: bytes) -> Association | None:
        return self._associations.get(self._by_spi.get((version, own_spi), 0))

    def _newcomer(self, header: IkeHeader, message: bytes, path: Path, now: float) -> Association | None:
        """A message for no IKE SA: the first of a new one, or noise."""
        verdict = self._admission.judge(header, message, path, now)
        if verdict.reply is not None:
            self.send(Datagram(path, verdict.reply))
        if verdict.cause is not None:
            self.log(verdict.cause, f"from {path.remote}: {verdict.text}")
            return None
        respond = isakmp_sa.respond if header.major == 1 else ike_sa.respond
        association: Association | None = respond(self, header, message, path, now)
        if association is None:
            return None
        self._admission.remember(header, path, association.unique_id)
        self.register(association)
        return association

    def _path_to(self, connection: ConnectionConfiguration) -> Path:
        if not connection.remote_addresses:
            raise UsageError(f"connection {connection.name!r} has no remote address: it can only be waited for")
        remote = connection.remote_addresses[0]
        version = ipaddress.ip_address(remote).version
        local = next(
            (
                host
                for host in (*connection.local_addresses, *self.configuration.own_addresses)
                if ipaddress.ip_address(host).version == version
            ),
            None,
        )
        if local is None:
            raise UsageError(f"connection {connection.name!r}: no local address of IPv{version} is known")
        return Path(Address(local, self.configuration.port), Address(remote, connection.remote_port))

    # Keeping the books.

    def _settle(self, association: Association) -> None:
        """After an IKE SA has done something: forget it, or keep its next timeout."""
        touched = tuple(self._associations.values()) if self._others_touched else (association,)
        self._others_touched = False
        for each in touched:
            if each.finished:
                self._forget(each)
            else:
                if not each.half_open:
                    self._admission.authenticated(each.unique_id)
                self._schedule(each)

    def _forget(self, association: Association) -> None:
        self._associations.pop(association.unique_id, None)
        self._admission.forget(association.unique_id)
        own = association.spi_i if association.is_initiator else association.spi_r
        key = (association.version, own)
        if self._by_spi.get(key) == association.unique_id:
            del self._by_spi[key]
        self._scheduled.pop(association.unique_id, None)
        if len(self._timeouts) > _SPARE_TIMEOUTS + 2 * len(self._scheduled):
            # The times of IKE SAs that are gone may be hours ahead: they are not waited for.
            self._timeouts = [(when, unique_id) for unique_id, when in self._scheduled.items()]
            heapq.heapify(self._timeouts)

    def _schedule(self, association: Association) -> None:
        """Keep its next timeout; one that has moved to a later time only when its earlier entry comes up.

        A peer whose every message moves it would fill the queue otherwise.
        """
        when = association.next_timeout
        known = self._scheduled.get(association.unique_id)
        if when is not None and (known is None or when < known):
            self._scheduled[association.unique_id] = when
            heapq.heappush(self._timeouts, (when, association.unique_id))

    def _drop_stale_timeouts(self) -> None:
        """Entries whose IKE SA is gone, or has another timeout by now, are passed over."""
        while self._timeouts:
            when, unique_id = self._timeouts[0]
            association = self._associations.get(unique_id)
            if association is not None and association.next_timeout == when:
                return
            heapq.heappop(self._timeouts)
            if self._scheduled.get(unique_id) == when:
                del self._scheduled[unique_id]
            if association is not None:
                self._schedule(association)
