"""Runs an endpoint on real sockets: the only place where IKE meets a clock and a network.

One thread owns the endpoint. Other threads ask it through :meth:`Driver.call` and wait for events with
:meth:`Driver.wait_for`; the command line runs the loop in its own thread with :meth:`Driver.run`.
"""

from __future__ import annotations

import errno
import gc
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from ipsecbench.dataplane.child_sas import ChildSaInstaller
from ipsecbench.dataplane.interface import PlaneEvent
from ipsecbench.errors import DataPlaneError, IpsecbenchError, MeasurementError, UsageError
from ipsecbench.ike.configuration import EndpointConfiguration
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import Event
from ipsecbench.ike.nat_traversal import Content, classify
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.lab.key_log_files import KeyLogFiles
from ipsecbench.lab.limited_log import LimitedLog

T = TypeVar("T")
E = TypeVar("E", bound=Event)

_MAX_DATAGRAM = 65536
_COLLECTED_AT_ONCE = 10_000
_BURST = 64
"""Datagrams that are taken from one socket before the others have their turn."""
_LONGEST_WAIT = 3600.0
_FAREWELL_SECONDS = 2.0
"""How long the peers are told that this end stops because its data plane has ended."""


def system_environment() -> Environment:
    """The environment of a real endpoint: admitted libraries, the system's randomness, the wall clock."""
    from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
    from ipsecbench.providers.selection import ProviderSelection

    return Environment(ProviderSelection(), PycaPublicKeyInfrastructure(), os.urandom, time.time)


def open_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A UDP socket for an endpoint.

    Args:
        host: IP address of this machine.
        port: UDP port; 0 for any free one.
        shared: whether a data plane is to join it (:mod:`ipsecbench.dataplane.esp_sockets`).

    Raises:
        UsageError: the port is in use, needs more rights, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        if shared:
            # Not before: it would share the port of another daemon that does the same.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as error:
        sock.close()
        reasons = {
            errno.EADDRINUSE: "it is in use; stop the other IKE daemon or choose another port",
            errno.EACCES: "it needs root or CAP_NET_BIND_SERVICE; or choose a port above 1023",
            errno.EADDRNOTAVAIL: "the address is not this machine's",
        }
        reason = reasons.get(error.errno or 0, error.strerror)
        raise UsageError(f"cannot use UDP {Address(host, port)}: {reason}") from error
    return sock


def open_sockets(configuration: EndpointConfiguration, *, shared: bool = False) -> list[socket.socket]:
    """Both ports on every address of the configuration.

    Args:
        configuration: of the endpoint.
        shared: whether a data plane is to join those on the NAT-T port.

    Raises:
        UsageError: one of them cannot be had; none is left open then.
    """
    sockets: list[socket.socket] = []
    try:
        for host in configuration.own_addresses:
            for port in (configuration.port, configuration.natt_port):
                sockets.append(open_socket(host, port, shared=shared and port == configuration.natt_port))
    except UsageError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def spare_the_collector() -> None:
    """For a program that only runs an endpoint, before its loop begins: let the garbage collector disturb it little.

    What exists by now stays, and need not be gone through again; what an IKE SA leaves is little, and may wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AT_ONCE, 10, 10)


class Driver:
    """An endpoint with its sockets.

    Args:
        configuration: of the endpoint; its ports must be those of the sockets.
        sockets: bound UDP sockets, which the driver owns from now on.
        environment: algorithms and randomness; the system's by default.
        log: takes log lines, at most one a second for each cause.
        on_event: called in the driver's thread with every event.
        on_esp: called in the driver's thread with every ESP packet on the NAT-T port.
        key_log: receives the keys.
        keep_events: whether :attr:`events` is filled, which :meth:`wait_for` needs and a long run does not.
        child_sas: puts Child SAs to use in a data plane. Nothing that the endpoint sends leaves before it has handled
            the events that came with it.
        on_plane_event: called in the driver's thread with what the data plane has to say.
    """

    def __init__(
        self,
        configuration: EndpointConfiguration,
        sockets: Sequence[socket.socket],
        environment: Environment | None = None,
        *,
        log: Callable[[str], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_esp: Callable[[bytes, Path], None] | None = None,
        key_log: KeyLogFiles | None = None,
        keep_events: bool = True,
        child_sas: ChildSaInstaller | None = None,
        on_plane_event: Callable[[PlaneEvent], None] | None = None,
    ) -> None:
        limited = None if log is None else LimitedLog(log, time.monotonic)
        at_once = self._transmit if child_sas is None else None
        self.endpoint = Endpoint(configuration, environment or system_environment(), limited, at_once)
        self.child_sas = child_sas
        if child_sas is not None:
            child_sas.log = self.endpoint.log
        self.failure: IpsecbenchError | None = None
        """Why the loop ended, where nobody has asked for it."""
        self.events: list[Event] = []
        """Every event so far, in order; guarded by the condition of :meth:`wait_for`."""
        self._condition = threading.Condition()
        self._on_event = on_event
        self._on_esp = on_esp
        self._on_plane_event = on_plane_event
        self._key_log = key_log
        self._keep_events = keep_events
        self._natt_port = configuration.natt_port
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[Address, socket.socket] = {}
        for sock in sockets:
            sock.setblocking(False)
            host, port = sock.getsockname()[:2]
            self._sockets[Address(host, port)] = sock
            self._selector.register(sock, selectors.EVENT_READ, Address(host, port))
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
        self._orders: list[Callable[[], None]] = []
        self._orders_lock = threading.Lock()
        self._stopping = False
        self._deadline = float("inf")
        self._thread: threading.Thread | None = None

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the sockets are bound."""
        return tuple(self._sockets)

    # For other threads.

    def start(self) -> None:
        """Run the loop in a thread of its own, until :meth:`stop`."""
        self._thread = threading.Thread(target=self._run_in_thread, name="ike-endpoint", daemon=True)
        self._thread.start()

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except IpsecbenchError as error:
            with self._condition:
                self.failure = error
                self._condition.notify_all()

    def call(self, action: Callable[[Endpoint, float], T], timeout: float = 10.0) -> T:
        """Have something done in the endpoint's thread, and give what it returns.

        Raises:
            IpsecbenchError: what the action raised.
            TimeoutError: it was not done in time.
        """
        future: Future[T] = Future()

        def order() -> None:
            try:
                future.set_result(action(self.endpoint, time.monotonic()))
            except IpsecbenchError as error:
                future.set_exception(error)

        self.post(order)
        return future.result(timeout)

    def post(self, order: Callable[[], None]) -> None:
        """Have something done in the endpoint's thread, soon. Safe in a signal handler of the same thread."""
        with self._orders_lock:
            self._orders.append(order)
        self._wake_writer.send(b"\0")

    def wait_for(
        self,
        kind: type[E] | tuple[type[E], ...],
        condition: Callable[[E], bool] = lambda event: True,
        *,
        timeout: float,
        since: int = 0,
    ) -> E:
        """The first event of a kind that fits.

        Args:
            kind: class of the event, or several.
            condition: what it must fulfil.
            timeout: seconds to wait.
            since: index into :attr:`events` where to begin.

        Raises:
            MeasurementError: none came in time; the message names the newest events.
            DataPlaneError: the data plane has ended.
        """

        def find() -> E | None:
            return next((event for event in self.events[since:] if isinstance(event, kind) and condition(event)), None)

        with self._condition:
            self._condition.wait_for(lambda: find() is not None or self.failure is not None, timeout)
            found = find()
            if found is not None:
                return found
            if self.failure is not None:
                raise self.failure
            names = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
            newest = ", ".join(type(event).__name__ for event in self.events[-5:]) or "no event"
            raise MeasurementError(f"no {names} within {timeout:g} s; newest: {newest}")

    def stop(self, polite_seconds: float = 5.0) -> None:
        """Delete all SAs politely for at most so long, end the thread and close the sockets. Of a loop that was broken
        off only the end is waited for."""
        if self._thread is not None and self._thread.is_alive():
            self.post(lambda: self.shut_down(polite_seconds))
            self._thread.join(polite_seconds + 5.0)
        self.close()

    # The loop.

    def watch(self, source: socket.socket, callback: Callable[[], None]) -> None:
        """Have something done in the loop whenever a further socket, such as one for control, is readable.

        In the loop's thread only, or before it begins. The callback must not raise.
        """
        self._selector.register(source, selectors.EVENT_READ, callback)

    def forget(self, source: socket.socket) -> None:
        """End what :meth:`watch` began. In the loop's thread only."""
        self._selector.unregister(source)

    def run(self) -> None:
        """Run until :meth:`shut_down` has come to its end.

        Raises:
            DataPlaneError: the data plane has ended by itself; the peers have been told.
        """
        while True:
            self._publish()
            self._poll()
            now = time.monotonic()
            if self._stopping and (self.endpoint.idle or now >= self._deadline):
                if self.failure is not None:
                    raise self.failure
                return
            wait = min(_LONGEST_WAIT, self._deadline - now)
            for timeout in (self.endpoint.next_timeout(), self._next_poll()):
                wait = wait if timeout is None else min(wait, timeout - now)
            for key, _ in self._selector.select(max(0.0, wait)):
                if key.data is None:
                    self._take_orders()
                elif isinstance(key.data, Address):
                    self._receive(key.data)
                else:
                    key.data()
                    self._publish()
            self.endpoint.handle_timeout(time.monotonic())

    def shut_down(self, polite_seconds: float) -> None:
        """Delete all SAs and end the loop when that is done, or after so many seconds. In the loop's thread only."""
        if not self._stopping:
            self._stopping = True
            self._deadline = time.monotonic() + polite_seconds
            self.endpoint.shut_down(time.monotonic())

    def break_off(self) -> None:
        """End the loop at once, without a word to the peers. In the loop's thread only."""
        self._stopping = True
        self._deadline = float("-inf")

    def close(self) -> None:
        """Close the sockets."""
        self._selector.close()
        for sock in (*self._sockets.values(), self._wake_reader, self._wake_writer):
            sock.close()

    def _take_orders(self) -> None:
        try:
            self._wake_reader.recv(4096)
        except BlockingIOError:
            return
        with self._orders_lock:
            orders, self._orders = self._orders, []
        for order in orders:
            order()
            self._publish()

    def _receive(self, local: Address) -> None:
        sock = self._sockets[local]
        for _ in range(_BURST):
            try:
                data, source = sock.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier datagram; the endpoint's own timers deal with a peer that is not there.
                continue
            path = Path(local, Address(source[0], source[1]))
            if local.port == self._natt_port and self._on_esp is not None and classify(data) is Content.ESP:
                self._on_esp(data, path)
                continue
            self.endpoint.receive_datagram(data, path, time.monotonic())
            self._publish()

    def _transmit(self, datagram: Datagram) -> None:
        sock = self._sockets.get(datagram.path.local)
        if sock is None:
            self.endpoint.log("no-socket", f"nothing is bound to {datagram.path.local}")
            return
        try:
            sock.sendto(datagram.data, datagram.path.remote)
        except OSError as error:
            self.endpoint.log("not-sent", f"to {datagram.path.remote}: {error.strerror}")

    def _next_poll(self) -> float | None:
        return None if self.child_sas is None or self.failure is not None else self.child_sas.next_timeout()

    def _poll(self) -> None:
        """Ask the data plane what has happened, where it is time to."""
        due, now = self._next_poll(), time.monotonic()
        if self.child_sas is None or due is None or due > now:
            return
        try:
            events = self.child_sas.poll(self.endpoint, now)
        except DataPlaneError as error:
            self.failure = error
            self.shut_down(_FAREWELL_SECONDS)
            events = []
        for event in events:
            if self._on_plane_event is not None:
                self._on_plane_event(event)
        self._publish()

    def _publish(self) -> None:
        """Hand out the events, put keys to use, and only then send what the endpoint wants to send."""
        while (event := self.endpoint.next_event()) is not None:
            if self.child_sas is not None:
                self.child_sas.handle(event, time.monotonic())
            if self._key_log is not None:
                self._key_log.write(event)
            if self._on_event is not None:
                self._on_event(event)
            if self._keep_events:
                with self._condition:
                    self.events.append(event)
                    self._condition.notify_all()
        for datagram in self.endpoint.datagrams_to_send():
            self._transmit(datagram)
