"""One ISAKMP SA: joins the exchanges, the phase 2 SAs, the timers and the endpoint (RFC 2408, RFC 2409).

It routes messages to exchanges, says what their results mean, and does what its lives demand. Messages and their checks
are the exchanges' affair; who replaces whom is in :mod:`.succession`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.association import Host
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.events import ChildSaInfo, IkeSaDeleted, IkeSaEstablished, IkeSaFailed, IkeSaInfo
from ipsecbench.ike.header import ZERO_SPI, IkeHeader
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v1 import succession
from ipsecbench.ike.v1.deadlines import Deadlines
from ipsecbench.ike.v1.exchanges.aggressive_mode import AggressiveMode
from ipsecbench.ike.v1.exchanges.informational import Informational
from ipsecbench.ike.v1.exchanges.main_mode import MainMode
from ipsecbench.ike.v1.exchanges.phase1 import Phase1
from ipsecbench.ike.v1.identifiers import ExchangeType, NotifyType, PayloadType, Vendor
from ipsecbench.ike.v1.liveness import Liveness
from ipsecbench.ike.v1.phase2 import Phase2
from ipsecbench.ike.v1.security import Peer, Security
from ipsecbench.ike.v1.sender import REPEAT_DELETE_SECONDS, Sender
from ipsecbench.ike.v1.transitions import LIFE, SaState, SaTrigger
from ipsecbench.ike.v1.transport import Transport

REPLACED_SECONDS = 10.0
"""How long the end that did not begin the new phase 1 keeps the old SA; strongSwan leaves deleting it to the other."""
RETRY_SECONDS = 30.0
"""Wait before a new phase 1 that failed is tried again while the old SA lives."""


class IsakmpSa:
    """An :class:`ipsecbench.ike.association.Association` of version 1.

    Args:
        host: the endpoint.
        path: both ends.
        candidates: connections that may be meant; an initiator has one.
        cookie_i: the initiator's cookie; None where this end is the initiator.
        aggressive: whether phase 1 is aggressive mode.
    """

    version = 1

    def __init__(
        self,
        host: Host,
        path: Path,
        candidates: Sequence[ConnectionConfiguration],
        cookie_i: bytes | None,
        aggressive: bool,
    ) -> None:
        self.host = host
        self.unique_id = host.next_unique_id()
        self.is_initiator = cookie_i is None
        self.connection = candidates[0]
        own = host.allocate_ike_spi()
        self.spi_i = own if cookie_i is None else cookie_i
        self.spi_r = ZERO_SPI if cookie_i is None else own
        self.state = SaState.NEGOTIATING
        self.security: Security | None = None
        self.peer = Peer()
        self.transport = Transport(host, path)
        self.sender = Sender(self)
        self.deadlines = Deadlines(self)
        self.liveness = Liveness(int.from_bytes(host.environment.random(4)))
        mode = AggressiveMode if aggressive else MainMode
        self.phase1: Phase1 = mode(self, self.is_initiator, candidates)
        self.phase2 = Phase2(self)
        self.informational = Informational(self)
        self.replaces: IsakmpSa | None = None
        """The SA whose place this one takes."""
        self.successor: IsakmpSa | None = None
        """The SA that took this one's place."""
        self.renewing = False
        """Whether a successor is being negotiated."""
        self.begun_at = 0.0
        """When the first message was sent or received."""
        self.established_at = 0.0
        """When both ends were authenticated."""
        self._info: IkeSaInfo | None = None
        self._hint: tuple[str, int | None] | None = None

    @classmethod
    def initiator(cls, host: Host, connection: ConnectionConfiguration, path: Path) -> IsakmpSa:
        """An ISAKMP SA that this end begins, with :meth:`initiate`."""
        return cls(host, path, [connection], None, connection.aggressive)

    # What the endpoint asks.

    @property
    def path(self) -> Path:
        """Both ends, as of now."""
        return self.transport.path

    @property
    def half_open(self) -> bool:
        """See :class:`ipsecbench.ike.association.Association`."""
        return self.state is SaState.NEGOTIATING

    @property
    def finished(self) -> bool:
        """See :class:`ipsecbench.ike.association.Association`."""
        return self.state is SaState.FINISHED

    @property
    def info(self) -> IkeSaInfo | None:
        """See :class:`ipsecbench.ike.association.Association`."""
        return self._info

    @property
    def child_sas(self) -> Sequence[ChildSaInfo]:
        """See :class:`ipsecbench.ike.association.Association`."""
        return tuple(each.info for each in self.phase2.sas)

    @property
    def alive(self) -> bool:
        """Whether it is established and has its place."""
        return self.state is SaState.ESTABLISHED

    @property
    def established_security(self) -> Security:
        """The keys.

        Raises:
            ProtocolError: there are none yet.
        """
        if self.security is None:
            raise ProtocolError("there are no keys yet")
        return self.security

    def receive(self, header: IkeHeader, message: bytes, path: Path, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if self.finished:
            return
        if header.next_payload == PayloadType.FRAGMENT:
            whole = self.transport.reassemble(header, message)
            if whole is None:
                return
            header, message = whole
        kind = header.exchange_type
        if kind == self.phase1.EXCHANGE_TYPE and header.message_id == 0:
            self.phase1.receive(header, message, path, now)
        elif kind == ExchangeType.QUICK_MODE and header.message_id != 0:
            if self.half_open:
                # The peer is ahead: it may be waiting for nothing, because its last message was lost.
                self.phase1.repeat_answer(now)
                self.log("unexpected-message", "quick mode before phase 1 is complete")
            elif self.state in (SaState.ESTABLISHED, SaState.REPLACED):
                self.phase2.receive(header, message, path, now)
        elif kind == ExchangeType.INFORMATIONAL:
            self.informational.receive(header, message, path, now)
        else:
            self.log("unexpected-message", f"exchange type {kind} with Message ID {header.message_id:08x}")

    # What the endpoint orders.

    def initiate(self, children: Sequence[str], now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        self.liveness.last_heard = self.begun_at = now
        self.phase2.wanted = list(children)
        self.phase1.begin(now)

    def create_child_sa(self, name: str, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if self.half_open:
            self.phase2.wanted.append(name)
        elif self.alive:
            self.phase2.begin(name, now)

    def rekey(self, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`: a new phase 1, which takes the phase 2 SAs over."""
        if not self.alive or self.renewing:
            return
        self.renewing = True
        successor = IsakmpSa.initiator(self.host, self.connection, self.path)
        successor.replaces = self
        successor.initiate((), now)
        if not successor.finished:
            self.host.register(successor)

    def rekey_child_sa(self, inbound_spi: bytes, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if self.alive:
            self.phase2.rekey(inbound_spi, now)

    def delete(self, now: float, reason: str = "deleted here") -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if self.half_open:
            self.abandon(reason, now)
        elif self.state in (SaState.ESTABLISHED, SaState.REPLACED):
            self.phase2.delete_all(reason, now)
            self.deadlines.give_up_at = self.sender.delete_isakmp(now)
            self._enter(SaTrigger.DELETE)
            self._tell_end(reason)
            self.phase1.end()

    def delete_child_sa(self, inbound_spi: bytes, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        self.phase2.delete(inbound_spi, "deleted here", now)

    def check_liveness(self, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if not self.alive:
            return
        if Vendor.DPD not in self.peer.vendors:
            self.log("no-dead-peer-detection", "the peer has not announced RFC 3706: it cannot be asked")
            return
        sequence = self.liveness.ask(now)
        self.sender.notify(NotifyType.R_U_THERE, sequence.to_bytes(4), now)

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        self.phase2.report_traffic(inbound_spi, octets, packets, now)

    def report_path(self, remote: Address, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if self.alive and self.peer.nat_remote and not self.peer.nat_local:
            self.heard(Path(self.path.local, remote), True, now)

    def abandon(self, reason: str, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        if self.half_open:
            self.phase1.fail(reason, None, now)
        elif not self.finished:
            self.finish(reason)

    # What the exchanges tell.

    def log(self, cause: str, text: str) -> None:
        """Say what happened to this SA."""
        self.host.log(cause, f"{self.connection.name}[{self.unique_id}] {self.path.remote}: {text}")

    def heard(self, path: Path, authenticated: bool, now: float) -> None:
        """A message was taken. Only an authenticated one says where an established peer is (RFC 3947 section 4)."""
        if authenticated:
            self.liveness.heard(now)
        if path == self.path:
            return
        if self.half_open:
            # The responder answers to where the question came from; the initiator knows where it goes.
            if not self.is_initiator:
                self.transport.path = path
        elif authenticated and self.peer.nat:
            self.transport.path = path
            self._info = self.phase2.moved(path, self._info)

    def learn_cookie(self, spi_r: bytes) -> None:
        """The responder has answered with its cookie.

        Raises:
            ProtocolError: it is zero.
        """
        if spi_r == ZERO_SPI:
            raise ProtocolError("the responder's cookie is zero", NotifyType.INVALID_COOKIE)
        self.spi_r = spi_r

    def float_ports(self) -> None:
        """There is a NAT: go on from port 4500 to port 4500 (RFC 3947 section 4)."""
        own = self.host.configuration.natt_port
        if self.path.local.port != own:
            remote = Address(self.path.remote.host, self.connection.remote_natt_port)
            self.transport.path = Path(Address(self.path.local.host, own), remote)

    def keys_derived(self) -> None:
        """There are keys: for the key log."""
        succession.tell_keys(self)

    def hint(self, reason: str, notify: int | None, now: float) -> None:
        """Somebody who has proven nothing says that phase 1 will fail: try for a while yet, and remember why."""
        if not self.half_open:
            return
        schedule = self.connection.retransmission
        if self.is_initiator and self._hint is None:
            self.deadlines.give_up_at = now + schedule.delay(0) + schedule.delay(1)
        self._hint = (reason, notify)

    def phase1_failed(self, reason: str, notify: int | None, now: float) -> None:
        """Phase 1 has no result."""
        if self._hint is not None:
            reason, notify = f"{reason}: {self._hint[0]}", self._hint[1]
        self._enter(SaTrigger.END)
        # A peer that has sent nothing worth a reply is no event: anybody can send a first message.
        if self.is_initiator or self._hint is not None:
            self.host.emit(IkeSaFailed(self.unique_id, self.connection.name, self.is_initiator, reason, notify))
        self.log("phase-1-failed", reason)
        if self.replaces is not None:
            self.replaces.renewal_failed(now)

    def renewal_failed(self, now: float) -> None:
        """The successor came to nothing: try again later."""
        self.renewing = False
        self.deadlines.rekey_at = now + RETRY_SECONDS
        self.host.associations()

    def phase1_complete(self, life_seconds: int | None, initial_contact: bool, now: float) -> None:
        """Both ends are authenticated."""
        self._enter(SaTrigger.AUTHENTICATED)
        self.deadlines.give_up_at = None
        self.established_at = now
        self.liveness.heard(now)
        self.deadlines.begin_life(life_seconds, now)
        self._info = succession.describe(self)
        replaced = succession.take_over(self, initial_contact, now)
        if not replaced:
            self.host.emit(IkeSaEstablished(self._info))
        self.current.phase2.begin_wanted(self.phase2.wanted, now)

    @property
    def current(self) -> IsakmpSa:
        """The SA that has this one's place: itself, or its successor."""
        found = self
        while found.successor is not None:
            found = found.successor
        return found

    def is_first_contact(self) -> bool:
        """Whether no other SA with the peer is known, so that INITIAL-CONTACT is true."""
        return self.replaces is None and succession.may_say_initial_contact(self)

    def replace_others(self, now: float) -> None:
        """The peer says INITIAL-CONTACT."""
        succession.replace_others(self, now)

    def succeeded_by(self, successor: IsakmpSa, now: float) -> None:
        """A newer SA has this one's place and its phase 2 SAs."""
        self.successor = successor
        self._enter(SaTrigger.SUCCEEDED)
        self.renewing = False
        # The end that began the new phase 1 deletes the old SA; the other one does it where that got lost. Should each
        # end have put another one first, they must not delete both at the same time.
        wait = REPEAT_DELETE_SECONDS[0] if successor.is_initiator else REPLACED_SECONDS
        self.deadlines.give_up_at = now + (wait if self.spi_i < successor.spi_i else wait * 1.5)

    def resume(self) -> None:
        """The successor is gone before this SA was: go on with it."""
        self.successor = None
        self.deadlines.give_up_at = None
        self._enter(SaTrigger.RESUMED)

    def deleted_by_peer(self, now: float) -> None:
        """A valid Delete payload has come."""
        if self.state is SaState.DELETED:
            self._enter(SaTrigger.END)
            return
        # Where both ends authenticated anew at once, each may have put its phase 2 SAs under another ISAKMP SA.
        succession.bequeath(self)
        self.finish("deleted by the peer")

    def phase2_deleted_by_peer(self, outbound_spi: bytes) -> bool:
        """Whether a Delete payload meant a phase 2 SA of this ISAKMP SA, or of another with the same peer."""
        return any(each.phase2.deleted_by_peer(outbound_spi) for each in (self, *succession.relatives(self)))

    def phase2_refused(self, spi: bytes, notify: int, now: float) -> None:
        """The peer reports an error of phase 2."""
        self.phase2.refused(spi, notify, now)

    def acknowledged(self, sequence: int | None, now: float) -> None:
        """R-U-THERE-ACK has come."""
        succession.tell_alive(self, sequence)

    def fresh_message_id(self) -> int:
        """A Message ID that no exchange here has."""
        while True:
            number = int.from_bytes(self.host.environment.random(4))
            if number and number not in self.phase2.exchanges:
                return number

    # Time.

    @property
    def next_timeout(self) -> float | None:
        """See :class:`ipsecbench.ike.association.Association`."""
        return self.deadlines.next_timeout

    def handle_timeout(self, now: float) -> None:
        """See :class:`ipsecbench.ike.association.Association`."""
        self.deadlines.handle_timeout(now)

    def give_up(self, now: float) -> None:
        """The time of this state is over: of a peer to authenticate, of a replaced SA, of the last Delete payload."""
        if self.half_open:
            reason = "given up" if self.is_initiator else "the peer has not authenticated in time"
            self.phase1.fail(reason, None, now)
        elif self.state is SaState.REPLACED:
            self.delete(now, "replaced by a newer SA")
        elif self.state is SaState.DELETED:
            self._enter(SaTrigger.END)

    # The end.

    def _enter(self, trigger: SaTrigger) -> None:
        """The one place that assigns the state."""
        following = LIFE.get((self.state, trigger))
        if following is None:
            self.log("unexpected-transition", f"{trigger.value} in state {self.state.value!r}")
        else:
            self.state = following

    def finish(self, reason: str) -> None:
        """Gone without a message, phase 2 SAs too."""
        self.phase2.drop_all(reason)
        announced = self.state is SaState.DELETED
        self._enter(SaTrigger.END)
        self.phase1.end()
        if not announced:
            self._tell_end(reason)

    def _tell_end(self, reason: str) -> None:
        self._info = None
        self.host.emit(IkeSaDeleted(self.unique_id, self.connection.name, reason))


def respond(host: Host, header: IkeHeader, message: bytes, path: Path, now: float) -> IsakmpSa | None:
    """A first message of a peer.

    Returns:
        The half-open ISAKMP SA; None where the message is none that begins one, or was refused.
    """
    aggressive = header.exchange_type == ExchangeType.AGGRESSIVE
    if header.exchange_type not in (ExchangeType.IDENTITY_PROTECTION, ExchangeType.AGGRESSIVE) or header.message_id:
        host.log("unexpected-message", f"{path.remote}: exchange type {header.exchange_type} cannot begin an ISAKMP SA")
        return None
    candidates = host.candidates(path, IsakmpSa.version)
    if not candidates:
        host.log("no-connection", f"no connection of version 1 is for {path.remote}")
        return None
    sa = IsakmpSa(host, path, candidates, header.spi_i, aggressive)
    sa.begun_at = now
    sa.deadlines.give_up_at = now + host.configuration.half_open_seconds
    sa.receive(header, message, path, now)
    if sa.finished or not sa.phase1.begun:
        return None
    return sa
