"""Our own endpoint with a data plane in a host of the laboratory: IKE in a thread of this process, ESP where it runs.

The descriptors are opened inside the host's network namespace and work there from anywhere: the endpoint's thread, the
agent and the reference plane need not enter it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from ipsecbench.dataplane.child_sas import ChildSaInstaller
from ipsecbench.dataplane.interface import DataPlane, PlaneEvent, PlaneStatistics, SaStatistics
from ipsecbench.dataplane.selection import DataPlaneConfiguration, OpenDataPlane, open_data_plane
from ipsecbench.errors import LaboratoryError, MeasurementError
from ipsecbench.ike.configuration import ConnectionConfiguration, EndpointConfiguration
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaFailed,
    ChildSaInfo,
    ChildSaRekeyed,
    Event,
    IkeSaDeleted,
    IkeSaFailed,
    IkeSaInfo,
    IkeSaRekeyed,
)
from ipsecbench.lab.driver import Driver, open_sockets, system_environment
from ipsecbench.lab.key_log_files import KeyLogFiles
from ipsecbench.lab.namespaces import Host

T = TypeVar("T")
PATIENCE_SECONDS = 10.0


class OwnPeer:
    """One endpoint, from ``with`` (or :meth:`start`) to the end of its block (or :meth:`stop`).

    Args:
        host: where it lives.
        connections: what it negotiates; one connection, several, or the configuration of a whole endpoint.
        data_plane: which data plane, and how traffic is carried; None: none.
        log: takes log lines.
        key_log: receives the keys.
    """

    def __init__(
        self,
        host: Host,
        connections: ConnectionConfiguration | Sequence[ConnectionConfiguration] | EndpointConfiguration,
        data_plane: DataPlaneConfiguration | None = None,
        *,
        log: Callable[[str], None] | None = None,
        key_log: KeyLogFiles | None = None,
    ) -> None:
        self.host = host
        if isinstance(connections, EndpointConfiguration):
            self.configuration = connections
        else:
            several = (connections,) if isinstance(connections, ConnectionConfiguration) else tuple(connections)
            addresses = dict.fromkeys(address for each in several for address in each.local_addresses)
            self.configuration = EndpointConfiguration(several, own_addresses=tuple(addresses))
        self._data_plane = data_plane
        self._log = log
        self._key_log = key_log
        self._driver: Driver | None = None
        self._opened: OpenDataPlane | None = None
        self.plane_events: list[PlaneEvent] = []
        """What the data plane has had to say, in order."""

    # From start to stop.

    def start(self) -> Self:
        """Open sockets, data plane and routes, and begin to answer peers.

        Raises:
            UsageError: a port is in use.
            DataPlaneError: the data plane cannot be had.
        """
        environment = system_environment()

        def open_all() -> tuple[list, OpenDataPlane | None]:  # type: ignore[type-arg]
            sockets = open_sockets(self.configuration, shared=self._data_plane is not None)
            if self._data_plane is None:
                return sockets, None
            try:
                return sockets, open_data_plane(self._data_plane, self.configuration, sockets, environment.cryptography)
            except BaseException:
                for sock in sockets:
                    sock.close()
                raise

        sockets, self._opened = self.host.call(open_all)
        installer = None
        if self._opened is not None and self._data_plane is not None:
            installer = ChildSaInstaller(self._opened.plane, self._data_plane.traffic, self._opened.routes)
        self._driver = Driver(
            self.configuration,
            sockets,
            environment,
            log=self._log,
            key_log=self._key_log,
            child_sas=installer,
            on_plane_event=self.plane_events.append,
        )
        self._driver.start()
        return self

    def stop(self, polite_seconds: float = 5.0) -> None:
        """Delete the SAs politely, and end everything. Safe to call more than once."""
        if self._driver is not None:
            self._driver.stop(polite_seconds)
            self._driver = None
        self._close()

    def kill(self) -> None:
        """End at once: the peer learns nothing of it."""
        if self._driver is not None:
            self._driver.post(self._driver.break_off)
            self._driver.stop(0.0)
            self._driver = None
        self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> Self:
        """See :meth:`start`."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Orders.

    @property
    def driver(self) -> Driver:
        """The endpoint's driver.

        Raises:
            LaboratoryError: it does not run.
        """
        if self._driver is None:
            raise LaboratoryError("the endpoint is not running")
        return self._driver

    @property
    def plane(self) -> DataPlane:
        """The data plane. It belongs to the endpoint's thread: ask it through :meth:`ask` only.

        Raises:
            LaboratoryError: there is none, or it does not run.
        """
        if self._opened is None:
            raise LaboratoryError("the endpoint has no data plane, or is not running")
        return self._opened.plane

    def ask(self, action: Callable[[DataPlane], T]) -> T:
        """Have something asked of the data plane in its thread, and give the answer.

        Raises:
            DataPlaneError: what the data plane raised.
        """
        plane = self.plane
        return self.driver.call(lambda endpoint, now: action(plane))

    def initiate(
        self, connection: str | None = None, children: Sequence[str] | None = None, timeout: float = PATIENCE_SECONDS
    ) -> list[ChildSaInfo]:
        """Set up an IKE SA and its Child SAs, and wait for them.

        Args:
            connection: name; the first by default.
            children: names of Child SAs; all of the connection by default.
            timeout: seconds to wait.

        Returns:
            The Child SAs.

        Raises:
            MeasurementError: it failed, or took too long; the message says why.
        """
        name = connection or self.configuration.connections[0].name
        driver = self.driver
        since = len(driver.events)
        number = driver.call(lambda endpoint, now: endpoint.initiate(name, now, children))
        wanted = len(driver.endpoint.connection(name).children) if children is None else len(children)
        deadline = time.monotonic() + timeout
        made: list[ChildSaInfo] = []
        while len(made) < wanted:
            event: Event = driver.wait_for(
                (ChildSaEstablished, ChildSaFailed, IkeSaFailed, IkeSaDeleted),
                lambda event: _is_of(event, number) and not any(_info(event) is each for each in made),
                timeout=max(0.0, deadline - time.monotonic()),
                since=since,
            )
            if not isinstance(event, ChildSaEstablished):
                raise MeasurementError(f"{name} was not set up: {getattr(event, 'reason', 'no reason given')}")
            made.append(event.sa)
        return made

    def wait_for_child(self, name: str | None = None, timeout: float = PATIENCE_SECONDS) -> ChildSaInfo:
        """Wait until a Child SA is there (set up by the peer, or long since).

        Raises:
            MeasurementError: none came in time.
        """
        fits = self.driver.wait_for(
            ChildSaEstablished, lambda event: name is None or event.sa.name == name, timeout=timeout
        )
        return fits.sa

    def rekey_child(self, timeout: float = PATIENCE_SECONDS) -> ChildSaInfo:
        """Rekey the newest Child SA, and wait until its successor is installed here.

        Raises:
            MeasurementError: it took too long, or there is no Child SA.
        """
        # Counted first: the peer may replace the same one at this very moment, which counts too.
        since = len(self.driver.events)
        old = self.child_sas[-1:]
        if not old:
            raise MeasurementError("there is no Child SA to rekey")
        spi = old[0].inbound_spi
        self._order(old[0].ike_unique_id, lambda endpoint, now: lambda sa: sa.rekey_child_sa(spi, now))
        return self.driver.wait_for(
            ChildSaRekeyed, lambda event: event.old_inbound_spi == spi, timeout=timeout, since=since
        ).sa

    def rekey_ike(self, timeout: float = PATIENCE_SECONDS) -> IkeSaInfo:
        """Rekey the newest IKE SA (IKEv1: authenticate anew), and wait until its successor is there.

        Raises:
            MeasurementError: it took too long, or there is no IKE SA.
        """
        since = len(self.driver.events)
        numbers = self.driver.call(
            lambda endpoint, now: [sa.unique_id for sa in endpoint.associations() if sa.info is not None]
        )
        if not numbers:
            raise MeasurementError("there is no IKE SA to rekey")
        self._order(numbers[-1], lambda endpoint, now: lambda sa: sa.rekey(now))
        return self.driver.wait_for(IkeSaRekeyed, timeout=timeout, since=since).sa

    def delete_child(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Delete the newest Child SA, and wait until it is gone here.

        Raises:
            MeasurementError: it took too long, or there is no Child SA.
        """
        old = self.child_sas[-1:]
        if not old:
            raise MeasurementError("there is no Child SA to delete")
        since, spi = len(self.driver.events), old[0].inbound_spi
        self._order(old[0].ike_unique_id, lambda endpoint, now: lambda sa: sa.delete_child_sa(spi, now))
        self.driver.wait_for(ChildSaDeleted, lambda event: event.inbound_spi == spi, timeout=timeout, since=since)

    def _order(self, number: int, make: Callable[[Endpoint, float], Callable]) -> None:  # type: ignore[type-arg]
        self.driver.call(lambda endpoint, now: endpoint.order(number, make(endpoint, now)))

    # What there is.

    @property
    def child_sas(self) -> tuple[ChildSaInfo, ...]:
        """Child SAs that IKE holds, the oldest first."""
        return self.driver.call(lambda endpoint, now: endpoint.child_sas)

    @property
    def events(self) -> list[Event]:
        """Every event of IKE so far."""
        return self.driver.events

    def statistics(self) -> PlaneStatistics:
        """What the data plane has done so far."""
        return self.ask(lambda plane: plane.statistics())

    def traffic(self) -> list[tuple[ChildSaInfo, SaStatistics, SaStatistics]]:
        """Every Child SA, and what it has carried inbound and outbound."""
        installer = self.driver.child_sas
        if installer is None:
            return []
        return self.driver.call(lambda endpoint, now: list(installer.child_sas()))


def _info(event: Event) -> ChildSaInfo | None:
    return event.sa if isinstance(event, ChildSaEstablished) else None


def _is_of(event: Event, number: int) -> bool:
    match event:
        case ChildSaEstablished(sa):
            return sa.ike_unique_id == number
        case ChildSaFailed(ike_unique_id=owner):
            return owner == number
        case IkeSaFailed(unique_id=owner) | IkeSaDeleted(unique_id=owner):
            return owner == number
    return False
