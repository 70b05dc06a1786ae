"""One IKE SA of IKEv2, from its first message to its end: an ``Association`` of the endpoint (RFC 7296).

It joins three machines that know nothing of each other: the states of the IKE SA (:mod:`transitions`), the Message IDs
(:mod:`message_window` in :mod:`channel`), and its Child SAs (:mod:`child_sa`). What the messages say is the business of
the exchanges, which are given this object and act through its methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ipsecbench.errors import IpsecbenchError, ProtocolError
from ipsecbench.ike.association import Host
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.events import ChildSaInfo, IkeSaDeleted, IkeSaFailed, IkeSaInfo, PathChanged
from ipsecbench.ike.header import ZERO_SPI, IkeHeader
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v2 import key_installation, orders, removal
from ipsecbench.ike.v2.channel import Channel
from ipsecbench.ike.v2.child_sa import ChildSas
from ipsecbench.ike.v2.exchanges import (
    create_child_sa,
    ike_auth,
    ike_followup_ke,
    ike_intermediate,
    ike_sa_init,
    informational,
)
from ipsecbench.ike.v2.exchanges.rekey_ike_sa import PassiveRekey, peer_uses
from ipsecbench.ike.v2.identifiers import Flags, NotifyType
from ipsecbench.ike.v2.keymat import IkeKeys
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.message_window import Verdict
from ipsecbench.ike.v2.nat import NatSituation
from ipsecbench.ike.v2.payloads import Notify, Payload
from ipsecbench.ike.v2.proposals import IkeSuite
from ipsecbench.ike.v2.setup import Setup
from ipsecbench.ike.v2.tasks import Task, TaskQueue
from ipsecbench.ike.v2.timers import Timer, Timers
from ipsecbench.ike.v2.transitions import MOVES, UNAUTHENTICATED, Handler, State, handler_of
from ipsecbench.ike.v2.validation import validate
from ipsecbench.providers.interface import Prf

LINGER_SECONDS = 30.0
"""How long a deleted IKE SA repeats its last response to a peer that did not get it."""


class IkeSa:
    """See the module.

    Args:
        host: the endpoint.
        connection: how to speak to the peer; a responder may find a better one once the peer has said who it is.
        path: both ends.
        is_initiator: role of this end.
        spi_i: initiator's SPI.
        spi_r: responder's SPI; zero until it is known.
    """

    version = 2

    def __init__(
        self,
        host: Host,
        connection: ConnectionConfiguration,
        path: Path,
        *,
        is_initiator: bool,
        spi_i: bytes,
        spi_r: bytes,
    ) -> None:
        self.host = host
        self.connection = connection
        self.unique_id = host.next_unique_id()
        self.is_initiator = is_initiator
        self.state = State.CREATED
        self.channel = Channel(host, connection, path, is_initiator, spi_i, spi_r)
        self.timers = Timers()
        self.tasks = TaskQueue()
        self.children = ChildSas()
        self.nat = NatSituation()
        self.setup: Setup | None = None
        """What is needed until both ends are authenticated."""
        self.suite: IkeSuite | None = None
        self.keys: IkeKeys | None = None
        self.sk_d: Prf | None = None
        """The PRF under SK_d."""
        self.local_identity: Identity | None = None
        self.remote_identity: Identity | None = None
        self.announced = False
        """Whether the driver was told of it, and is to be told of its end."""
        self.refused = False
        """Whether it ended before the peer was authenticated."""
        self.peers_rekey: PassiveRekey | None = None
        """The rekeying of this IKE SA that the peer asked for."""
        self.predecessor: IkeSa | None = None
        """The IKE SA that this one may replace, while a collision is not decided."""
        self.followup: ike_followup_ke.Followup | None = None
        """What the peer has to finish with IKE_FOLLOWUP_KE."""

    @classmethod
    def initiator(cls, host: Host, connection: ConnectionConfiguration, path: Path) -> IkeSa:
        """An IKE SA that this end is to begin."""
        return cls(host, connection, path, is_initiator=True, spi_i=host.allocate_ike_spi(), spi_r=ZERO_SPI)

    def successor(self, *, is_initiator: bool, spi_i: bytes, spi_r: bytes) -> IkeSa:
        """An IKE SA by rekeying this one; it has no keys yet."""
        new = IkeSa(self.host, self.connection, self.path, is_initiator=is_initiator, spi_i=spi_i, spi_r=spi_r)
        new.enter(State.ESTABLISHED)
        new.channel.peer_takes_fragments = self.channel.peer_takes_fragments
        new.nat = self.nat
        new.local_identity, new.remote_identity = self.local_identity, self.remote_identity
        return new

    # What the endpoint reads.

    @property
    def spi_i(self) -> bytes:
        """Initiator's SPI."""
        return self.channel.spi_i

    @property
    def spi_r(self) -> bytes:
        """Responder's SPI; zero until it is known."""
        return self.channel.spi_r

    @property
    def path(self) -> Path:
        """Both ends, as of now."""
        return self.channel.path

    @property
    def half_open(self) -> bool:
        """Whether the peer has not proven its identity, or failed to."""
        return self.state in UNAUTHENTICATED or self.refused

    @property
    def finished(self) -> bool:
        """Whether it can be forgotten."""
        return self.state is State.DELETED and self.timers.get(Timer.END) is None

    @property
    def info(self) -> IkeSaInfo | None:
        """What was established; None before, and when it is gone."""
        ended = self.state is State.DELETED or self.refused
        return None if ended or self.state in UNAUTHENTICATED else self.describe()

    @property
    def child_sas(self) -> Sequence[ChildSaInfo]:
        """Child SAs that are installed."""
        return tuple(child.info for child in self.children)

    @property
    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` wants to be called."""
        soonest = self.timers.next
        request = self.channel.requests.outstanding
        if request is not None and (soonest is None or request.due < soonest):
            soonest = request.due
        if self.state is State.ESTABLISHED:
            for when in (self.children.next_timeout, self.tasks.next_retry):
                if when is not None and (soonest is None or when < soonest):
                    soonest = when
        return soonest

    def describe(self) -> IkeSaInfo:
        """What is known of it by now; before authentication the identities are those that are expected."""
        return key_installation.describe(self)

    # What comes in.

    def receive(self, header: IkeHeader, message: bytes, path: Path, now: float) -> None:
        """A message whose SPIs are those of this IKE SA. Never raises, whatever the octets are."""
        from_initiator = bool(header.flags & Flags.INITIATOR)
        if from_initiator == self.is_initiator:
            self.log("reflected-message", "the Initiator flag is that of this end")
            return
        try:
            if header.flags & Flags.RESPONSE:
                self._receive_response(header, message, path, now)
            else:
                self._receive_request(header, message, path, now)
        except IpsecbenchError as error:
            self.log("failed-message", f"exchange {header.exchange_type}, Message ID {header.message_id}: {error}")
        self.pump(now)

    def _receive_request(self, header: IkeHeader, octets: bytes, path: Path, now: float) -> None:
        channel = self.channel
        verdict = channel.responses.judge(header.message_id)
        if verdict is Verdict.OUTSIDE:
            self.log("outside-window", f"request {header.message_id}, {channel.responses.expected} is expected")
            return
        if verdict is Verdict.REPEATED:
            if channel.repeats_last_request(header, octets):
                channel.repeat_response(path, now)
            return
        handler = handler_of(self.state, header.exchange_type, is_response=False)
        if handler is None:
            self.log("unexpected-message", f"request of exchange {header.exchange_type} when {self.state.value}")
            return
        opened = channel.open(header, octets, self.log)
        if opened is None:
            return
        self._heard(path, now)
        for child in self.children:
            # With a new request the peer says that it has got the responses to those before.
            child.confirmed = True
        try:
            if opened.error is not None:
                raise opened.error
            validate(opened.message)
            if self.predecessor is not None and not informational.deletes_ike_sa(opened.message):
                peer_uses(self, now)
            _REQUESTS[handler](self, opened.message, path, now)
        except ProtocolError as error:
            self._refuse(opened.message, path, error, now)

    def _refuse(self, request: Message, path: Path, error: ProtocolError, now: float) -> None:
        """Answer with the notification of an error. INVALID_SYNTAX is fatal for both ends (RFC 7296 section 2.21.3)."""
        notify = error.notify or NotifyType.INVALID_SYNTAX
        self.log("refused-request", f"{request.name}: {error}")
        self.channel.respond(request, path, [Notify(notify, error.data)], now)
        if self.state in UNAUTHENTICATED:
            self.fail(str(error), notify, now, linger=True)
        elif notify == NotifyType.INVALID_SYNTAX:
            self.close(f"the peer broke the protocol: {error}", now, linger=True)

    def _receive_response(self, header: IkeHeader, octets: bytes, path: Path, now: float) -> None:
        channel = self.channel
        handler = handler_of(self.state, header.exchange_type, is_response=True)
        if handler is None or not channel.requests.expects(header.message_id, header.exchange_type):
            self.log("unexpected-message", f"response {header.message_id} of exchange {header.exchange_type}")
            return
        if handler is Handler.INIT_RESPONSE:
            ike_sa_init.process_response(self, header, octets, path, now)
            return
        opened = channel.open(header, octets, self.log)
        if opened is None:
            return
        self._heard(path, now)
        channel.requests.answered()
        try:
            if opened.error is not None:
                raise opened.error
            validate(opened.message)
            _RESPONSES[handler](self, opened.message, now)
        except IpsecbenchError as error:
            self.log("failed-exchange", f"{opened.message.name}: {error}")
            if self.state in UNAUTHENTICATED:
                self.fail(str(error), getattr(error, "notify", None), now)
            elif self.state is State.DELETING:
                # Whatever the peer says to that, it is over.
                self.close(f"deleted by this end, and the peer's answer is wrong: {error}", now)
            else:
                # The peer may have made an SA that is not here: only the end of the IKE SA brings both together again.
                task, self.tasks.active = self.tasks.active, None
                if task is not None:
                    task.dropped(self, str(error), now)
                self.delete(now)

    def _heard(self, path: Path, now: float) -> None:
        """An authentic and new message has come along a path."""
        channel = self.channel
        channel.last_heard = now
        if path == channel.path:
            return
        if self.state is State.INIT_ANSWERED:
            channel.path = path
        elif self.info is not None and self.nat.remote and not self.nat.local:
            # RFC 7296 section 2.23: the NAT in front of the peer has made another mapping.
            channel.path = path
            for child in self.children:
                child.moved(self.unique_id, path)
            self.host.emit(PathChanged(self.unique_id, path))

    # What time brings.

    def handle_timeout(self, now: float) -> None:
        """Time has come for something; harmless when called too early."""
        try:
            self._retransmit(now)
            for timer in self.timers.take_due(now):
                _TIMERS[timer](self, now)
            if self.state is State.ESTABLISHED:
                orders.expire_child_sas(self, now)
                self.tasks.retry(now)
        except IpsecbenchError as error:
            self.log("failed-timeout", str(error))
        self.pump(now)

    def _retransmit(self, now: float) -> None:
        datagrams = self.channel.requests.retransmit(now)
        if datagrams:
            self.channel.send(datagrams, self.path, now)
        elif datagrams is None:
            orders.peer_is_dead(self, now)

    # What the endpoint orders.

    def initiate(self, children: Sequence[str], now: float) -> None:
        """Begin as initiator, with these Child SAs."""
        ike_sa_init.begin(self, children, now)

    def create_child_sa(self, name: str, now: float) -> None:
        """Set up another Child SA."""
        orders.create_child_sa(self, name, now)

    def rekey(self, now: float) -> None:
        """Rekey the IKE SA."""
        orders.rekey(self, now)

    def rekey_child_sa(self, inbound_spi: bytes, now: float) -> None:
        """Rekey a Child SA."""
        orders.rekey_child_sa(self, inbound_spi, now)

    def delete(self, now: float) -> None:
        """Delete the IKE SA and all its Child SAs, politely."""
        orders.delete(self, now)

    def delete_child_sa(self, inbound_spi: bytes, now: float) -> None:
        """Delete a Child SA, politely."""
        orders.delete_child_sa(self, inbound_spi, now)

    def check_liveness(self, now: float) -> None:
        """Ask the peer whether it is there."""
        orders.check_liveness(self, now)

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        """What a Child SA has carried so far."""
        orders.report_traffic(self, inbound_spi, octets, packets, now)

    def report_path(self, remote: Address, now: float) -> None:
        """An authentic ESP packet has come in UDP from this address and port."""
        if self.info is not None:
            self._heard(Path(self.path.local, remote), now)

    def abandon(self, reason: str, now: float) -> None:
        """End at once without a message."""
        if self.state in UNAUTHENTICATED:
            self.fail(reason, None, now)
        else:
            self.close(reason, now)

    # What exchanges and tasks do to it.

    def log(self, cause: str, text: str) -> None:
        """Say what happened."""
        self.host.log(cause, f"IKE SA {self.unique_id}: {text}")

    def enter(self, state: State) -> None:
        """The one place where the state changes."""
        if state not in MOVES[self.state]:
            raise ProtocolError(f"IKE SA {self.unique_id} cannot go from {self.state.value} to {state.value}")
        self.state = state

    def enqueue(self, task: Task, now: float) -> None:
        """Have a task done as soon as the window allows."""
        orders.enqueue(self, task)
        self.pump(now)

    def pump(self, now: float) -> None:
        """Begin the next task where none is at work."""
        orders.pump(self, now)

    def request(self, exchange_type: int, payloads: Sequence[Payload], now: float) -> Message:
        """Send a request."""
        return self.channel.request(exchange_type, payloads, now)

    def respond(self, request: Message, path: Path, payloads: Sequence[Payload], now: float) -> Message:
        """Answer a request."""
        return self.channel.respond(request, path, payloads, now)

    def fail(self, reason: str, notify: int | None, now: float, *, linger: bool = False) -> None:
        """It could not be set up."""
        if self.state is State.DELETED:
            return
        self.refused = True
        self.host.emit(IkeSaFailed(self.unique_id, self.connection.name, self.is_initiator, reason, notify))
        self.close(reason, now, linger=linger)

    def close(self, reason: str, now: float, *, linger: bool = False) -> None:
        """It is gone, and its Child SAs are.

        Args:
            reason: one line.
            now: seconds.
            linger: whether its last response is to be repeated for a while.
        """
        if self.state is State.DELETED:
            return
        self.enter(State.DELETED)
        removal.drop_all(self, reason, now)
        if self.announced:
            self.host.emit(IkeSaDeleted(self.unique_id, self.connection.name, reason))
        if linger:
            self.timers.set(Timer.END, now + LINGER_SECONDS)


RequestHandler = Callable[[IkeSa, Message, Path, float], None]
ResponseHandler = Callable[[IkeSa, Message, float], None]

_REQUESTS: Mapping[Handler, RequestHandler] = MappingProxyType(
    {
        Handler.INTERMEDIATE_REQUEST: ike_intermediate.answer,
        Handler.AUTH_REQUEST: ike_auth.answer,
        Handler.CREATE_CHILD_SA_REQUEST: create_child_sa.answer,
        Handler.FOLLOWUP_KE_REQUEST: ike_followup_ke.answer,
        Handler.INFORMATIONAL_REQUEST: informational.answer,
        Handler.REFUSE_TEMPORARILY: create_child_sa.refuse_temporarily,
    }
)
_RESPONSES: Mapping[Handler, ResponseHandler] = MappingProxyType(
    {
        Handler.INTERMEDIATE_RESPONSE: ike_intermediate.process_response,
        Handler.AUTH_RESPONSE: ike_auth.process_response,
        Handler.TASK_RESPONSE: orders.process_response,
    }
)
_TIMERS: Mapping[Timer, Callable[[IkeSa, float], None]] = MappingProxyType(
    {
        Timer.GIVE_UP: orders.give_up,
        Timer.END: orders.end,
        Timer.SOFT: orders.rekey,
        Timer.HARD: orders.hard_limit,
        Timer.LIVENESS: orders.liveness_due,
        Timer.KEEPALIVE: orders.keepalive_due,
        Timer.REPLACED: orders.replaced_too_long,
        Timer.FOLLOWUP: orders.followup_too_late,
    }
)


def respond(host: Host, header: IkeHeader, message: bytes, path: Path, now: float) -> IkeSa | None:
    """A responder's IKE SA for an IKE_SA_INIT request; None where it was refused or is not worth an answer."""
    accepted = ike_sa_init.judge(host, header, message, path)
    if accepted is None:
        return None
    sa = IkeSa(
        host,
        accepted.connections[0],
        path,
        is_initiator=False,
        spi_i=header.spi_i,
        spi_r=host.allocate_ike_spi(),
    )
    try:
        ike_sa_init.answer(sa, accepted, path, now)
    except IpsecbenchError as error:
        host.log("refused-init-request", f"from {path.remote}: {error}")
        return None
    return sa
