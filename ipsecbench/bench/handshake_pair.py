"""Two endpoints of this program's IKE stack that set up an IKE SA with a Child SA, and where their time goes.

The endpoints live in one process; each datagram goes through the kernel, over the loopback interface, between two UDP
sockets. Nothing waits: what was sent has arrived when the system call returns.
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter_ns
from types import TracebackType
from typing import Self

from ipsecbench.algorithms.proposals import parse_esp
from ipsecbench.bench.accounting import AccountedInfrastructure, AccountedSelection, Ledger
from ipsecbench.bench.handshake import HandshakeSet, Part, Role
from ipsecbench.bench.handshake_credentials import UNIX_TIME, EndCredentials, credentials
from ipsecbench.bench.handshake_parsing import parsing_ns
from ipsecbench.errors import MeasurementError, UnsupportedError
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
)
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import ChildSaEstablished, ChildSaFailed, Event, IkeSaFailed
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.path import Datagram, Path
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.interface import PublicKeyInfrastructure
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

_CONNECTION = "handshake"
_ADDRESS: Mapping[Role, str] = {Role.INITIATOR: "192.0.2.1", Role.RESPONDER: "192.0.2.2"}
_NETWORK: Mapping[Role, str] = {Role.INITIATOR: "10.1.0.0/16", Role.RESPONDER: "10.2.0.0/16"}
_IDENTITY: Mapping[Role, str] = {Role.INITIATOR: "initiator.example", Role.RESPONDER: "responder.example"}
_PSK_BYTES = 32
_MOST_DATAGRAMS = 64
_LARGEST_DATAGRAM = 65535


@dataclass(frozen=True, slots=True)
class SetupTimes:
    """Where the time of one set-up went."""

    ns: Mapping[Role, Mapping[Part, int]]
    """Nanoseconds by end and part; :attr:`Part.SETUP` is the sum of the others."""
    datagrams: int
    """Datagrams in both directions."""
    octets: int
    """Their octets, without headers of UDP and IP."""


class _End:
    """One end: what it is configured with, its account and its socket."""

    def __init__(self, role: Role, handshake: HandshakeSet, psk: bytes, account: bool) -> None:
        self.role = role
        self.ledger = Ledger()
        self.total_ns = 0
        self.received: list[bytes] = []
        self._version = handshake.version
        self._account = account
        certificates: PublicKeyInfrastructure = PycaPublicKeyInfrastructure()
        if account:
            certificates = AccountedInfrastructure(certificates, self.ledger)
        self._environment = Environment(
            cryptography=AccountedSelection(self.ledger) if account else ProviderSelection(),
            certificates=certificates,
            random=os.urandom,
            unix_time=lambda: UNIX_TIME,
        )
        self._configuration = _configuration(role, handshake, psk, certificates)
        self.endpoint = self.fresh()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._selector = selectors.DefaultSelector()
        try:
            self.socket.setblocking(False)
            self.socket.bind(("127.0.0.1", 0))
            self._selector.register(self.socket, selectors.EVENT_READ)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        self._selector.close()
        self.socket.close()

    def fresh(self) -> Endpoint:
        """Begin anew, with an endpoint that knows no peer."""
        self.ledger.clear()
        self.received.clear()
        self.total_ns = 0
        self.endpoint = Endpoint(self._configuration, self._environment)
        return self.endpoint

    def send(self, data: bytes, receiver: _End) -> None:
        start = perf_counter_ns()
        self.socket.sendto(data, receiver.socket.getsockname())
        self._book_io(start)

    def receive(self) -> list[bytes]:
        """As a loop over sockets does it: ask what is readable, read until there is nothing more."""
        start = perf_counter_ns()
        received = []
        if self._selector.select(0):
            try:
                while True:
                    received.append(self.socket.recv(_LARGEST_DATAGRAM))
            except BlockingIOError:
                pass
        self._book_io(start)
        return received

    def _book_io(self, start: int) -> None:
        spent = perf_counter_ns() - start
        self.ledger.spent_ns[Part.IO] += spent
        self.total_ns += spent

    def parts(self) -> dict[Part, int]:
        """The account, closed: what no other part has is the protocol's."""
        if self._account:
            self.ledger.spent_ns[Part.PARSING] = parsing_ns(self._version, self.received, self.ledger.opened)
        spent = dict(self.ledger.spent_ns)
        spent[Part.SETUP] = self.total_ns
        spent[Part.PROTOCOL] = self.total_ns - sum(
            ns for part, ns in spent.items() if part not in (Part.SETUP, Part.PROTOCOL)
        )
        return spent


class HandshakePair:
    """Two ends that set up an IKE SA with a Child SA as often as wanted, from nothing each time.

    Use it as a context manager.

    Args:
        handshake: the parameters.
        account: whether cryptography and parsing are told apart; without it they count as protocol, and their account
            costs nothing.

    Raises:
        UnsupportedError: no certificates can be made, or there is no loopback interface.
    """

    def __init__(self, handshake: HandshakeSet, account: bool = True) -> None:
        self._name = handshake.name
        psk = os.urandom(_PSK_BYTES)
        self._stack = ExitStack()
        self._ends: dict[Role, _End] = {}
        try:
            for role in Role:
                end = _End(role, handshake, psk, account)
                self._stack.callback(end.close)
                self._ends[role] = end
        except OSError as error:
            self._stack.close()
            raise UnsupportedError(f"no UDP sockets on the loopback interface: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def set_up(self) -> SetupTimes:
        """One set-up.

        Raises:
            MeasurementError: it did not come to its end at both ends.
        """
        initiator, responder = (self._ends[role] for role in Role)
        initiator.fresh(), responder.fresh()
        start = perf_counter_ns()
        initiator.endpoint.initiate(_CONNECTION, 0.0)
        pending = list(initiator.endpoint.datagrams_to_send())
        initiator.total_ns += perf_counter_ns() - start
        sender, receiver = initiator, responder
        count = octets = 0
        while pending:
            count += len(pending)
            octets += sum(len(datagram.data) for datagram in pending)
            if count > _MOST_DATAGRAMS:
                raise MeasurementError(f"{self._name}: no end after {_MOST_DATAGRAMS} datagrams")
            for datagram in pending:
                sender.send(datagram.data, receiver)
            # The ends take turns: what one sends, in several fragments maybe, is taken as a whole by the other.
            received = receiver.receive()
            if received != [datagram.data for datagram in pending]:
                raise MeasurementError(f"{self._name}: what went through the loopback interface is not what came out")
            receiver.received += received
            pending = [answer for datagram in pending for answer in self._deliver(receiver, datagram)]
            sender, receiver = receiver, sender
        for end in (initiator, responder):
            _require_child_sa(self._name, end)
        return SetupTimes({role: end.parts() for role, end in self._ends.items()}, count, octets)

    @staticmethod
    def _deliver(receiver: _End, datagram: Datagram) -> list[Datagram]:
        start = perf_counter_ns()
        path = Path(datagram.path.remote, datagram.path.local)
        receiver.endpoint.receive_datagram(datagram.data, path, 0.0)
        answers = list(receiver.endpoint.datagrams_to_send())
        receiver.total_ns += perf_counter_ns() - start
        return answers


def _require_child_sa(name: str, end: _End) -> None:
    events: list[Event] = list(iter(end.endpoint.next_event, None))
    if any(isinstance(event, ChildSaEstablished) for event in events):
        return
    reasons = [event.reason for event in events if isinstance(event, IkeSaFailed | ChildSaFailed)]
    reasons += [f"{cause} was logged" for cause in end.endpoint.counts]
    raise MeasurementError(f"{name}: no Child SA at the {end.role}: {'; '.join(reasons) or 'no reason is known'}")


def _configuration(
    role: Role, handshake: HandshakeSet, psk: bytes, certificates: PublicKeyInfrastructure
) -> EndpointConfiguration:
    other = Role.RESPONDER if role is Role.INITIATOR else Role.INITIATOR
    own_id, peer_id = (Identity(IdType.ID_FQDN, _IDENTITY[end].encode()) for end in (role, other))
    if handshake.signed:
        made = credentials(handshake.authentication, _IDENTITY[Role.INITIATOR], _IDENTITY[Role.RESPONDER])
        own: EndCredentials = made.initiator if role is Role.INITIATOR else made.responder
        local = LocalAuthentication(
            AuthMethod.PUBKEY,
            own_id,
            (certificates.load_certificate(own.certificate),),
            certificates.load_private_key(own.private_key),
        )
        remote = RemoteAuthentication(AuthMethod.PUBKEY, peer_id, (certificates.load_certificate(made.root),))
    else:
        local = LocalAuthentication(AuthMethod.PSK, own_id)
        remote = RemoteAuthentication(AuthMethod.PSK, peer_id)
    child = ChildConfiguration(_CONNECTION, (parse_esp(handshake.esp_proposal),), (_network(role),), (_network(other),))
    connection = ConnectionConfiguration(
        _CONNECTION,
        handshake.version,
        (handshake.ike,),
        local,
        remote,
        (child,),
        (_ADDRESS[role],),
        (_ADDRESS[other],),
        psk=None if handshake.signed else Secret(psk),
    )
    return EndpointConfiguration((connection,))


def _network(role: Role) -> TrafficSelector:
    net = ipaddress.IPv4Network(_NETWORK[role])
    return TrafficSelector(4, int(net.network_address), int(net.broadcast_address))
