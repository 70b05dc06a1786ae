"""Quick mode (RFC 2409 section 5.5; NAT-OA RFC 3947 section 5.2).

::

    initiator                                              responder
    HDR*, HASH(1), SA, Ni, [KE,] IDci, IDcr, [NAT-OA ×2] -->
                                  <--  HDR*, HASH(2), SA, Nr, [KE,] IDci, IDcr, [NAT-OA ×2], [N]
    HDR*, HASH(3)                                        -->
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecbench.errors import NegotiationError, ProtocolError, RejectedError
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import ChildConfiguration
from ipsecbench.ike.events import ChildSaInfo, ChildSaWithdrawn
from ipsecbench.ike.v1 import phase2_negotiation as negotiation
from ipsecbench.ike.v1.attributes import decode_attributes, encode_attributes
from ipsecbench.ike.v1.authentication import check_hash, message_hash, quick_mode_hash_2, quick_mode_hash_3
from ipsecbench.ike.v1.exchange import OWN_NONCE_BYTES, Exchange, nonce_of, required
from ipsecbench.ike.v1.identifiers import ExchangeType, NotifyType, PayloadType, Protocol
from ipsecbench.ike.v1.keymat import child_keys, keymat_seed
from ipsecbench.ike.v1.message import AnyPayload, Message, encode_payloads
from ipsecbench.ike.v1.payloads import IdPayload, NatOaPayload, NotificationPayload, OctetsPayload
from ipsecbench.ike.v1.phase2_negotiation import Phase2Choice, Phase2Lives, Phase2Suite
from ipsecbench.ike.v1.phase2_sas import Agreement, Phase2Sa, lives_of, shorter
from ipsecbench.ike.v1.proposals import SaPayload
from ipsecbench.ike.v1.traffic_selectors import agree, host_selector, id_payload, selector_of
from ipsecbench.ike.v1.transitions import QUICK_MODE, Trigger
from ipsecbench.providers.interface import KeyPair
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa


class QuickMode(Exchange):
    """One quick mode of either role.

    Args:
        sa: the ISAKMP SA, established.
        message_id: Message ID, chosen by the initiator.
        child: what the initiator wants; None for a responder, who learns it.
        replaces: the phase 2 SA that the initiator rekeys.
    """

    TABLE = QUICK_MODE
    NAME = "quick mode"
    EXCHANGE_TYPE = ExchangeType.QUICK_MODE

    def __init__(
        self, sa: IsakmpSa, message_id: int, child: ChildConfiguration | None, replaces: Phase2Sa | None = None
    ) -> None:
        self.security = sa.established_security
        super().__init__(sa, message_id, self.security.phase.exchange(message_id), initiator=child is not None)
        self.child = child
        self.replaces = replaces
        self.spi = b""
        """SPI of inbound packets, chosen here."""
        self.local_ts = self.remote_ts = host_selector(sa.path.local.host)
        self._offered: tuple[Phase2Suite, ...] = ()
        self._choice: Phase2Choice | None = None
        self._lives = Phase2Lives()
        self._nonce_i = self._nonce_r = b""
        self._key_pair: KeyPair | None = None
        self._shared: Secret | None = None
        self._prepared: ChildSaInfo | None = None
        """What the driver was told before the last message of the peer."""

    @property
    def spis(self) -> tuple[bytes, ...]:
        """The SPIs by which the peer may name this quick mode."""
        return (self.spi,) if self._choice is None else (self.spi, self._choice.proposal.spi)

    def classify(self, message: Message, encrypted: bool) -> Trigger | None:
        """See :meth:`Exchange.classify`. Every message is encrypted and begins with HASH (RFC 2409 section 5.5)."""
        if not encrypted or message.types[0] != PayloadType.HASH:
            return None
        return super().classify(message, encrypted)

    # The initiator.

    def offer(self, now: float) -> list[AnyPayload]:
        """The first message."""
        child = self._child()
        environment = self.sa.host.environment
        group = negotiation.pfs_group(child.proposals)
        self._offered = negotiation.suites(child.proposals, group, environment.cryptography)
        if not self._offered:
            raise NegotiationError(f"child {child.name!r} has no proposal that IKEv1 can name")
        if self.replaces is not None:
            self.local_ts, self.remote_ts = self.replaces.info.local_ts[0], self.replaces.info.remote_ts[0]
        else:
            self.local_ts, self.remote_ts = self._own(child)[0][0], self._own(child)[1][0]
        ids = [id_payload(self.local_ts), id_payload(self.remote_ts)]
        self.spi = self.sa.host.allocate_child_spi()
        self._nonce_i = environment.random(OWN_NONCE_BYTES)
        self._lives = lives_of(child.lifetime)
        mode = negotiation.encapsulation(child.mode, self.sa.peer.nat_traversal if self.sa.peer.nat else None)
        payload = negotiation.offer(self._offered, self.spi, mode, self._lives)
        rest: list[AnyPayload] = [payload, OctetsPayload(PayloadType.NONCE, self._nonce_i)]
        rest += [*self._key_payloads(group), *ids, *self._nat_oa(child.mode)]
        return self._hashed(rest, b"")

    def accept(self, message: Message, now: float) -> list[AnyPayload]:
        """The second message has come: keys, and the third message."""
        prf, skeyid_a = self.security.prf, self.security.family.skeyid_a
        digest = quick_mode_hash_2(prf, skeyid_a, self.message_id, self._nonce_i, message.octets_after_first())
        check_hash("HASH(2)", digest, message.payloads[0].body)
        self.authenticated = True
        child = self._child()
        payload = required(message, PayloadType.SA).payload
        if (
            not isinstance(payload, SaPayload)
            or len(payload.proposals) != 1
            or len(payload.proposals[0].transforms) != 1
        ):
            raise NegotiationError("the peer answered with more than one transform", NotifyType.BAD_PROPOSAL_SYNTAX)
        choice = negotiation.choose(payload, self._offered, child.mode, self.sa.peer.nat)
        if choice is None:
            raise NegotiationError("the peer chose a transform that was not offered", NotifyType.NO_PROPOSAL_CHOSEN)
        self._take_keys(message, choice)
        self._nonce_r = nonce_of(message)
        self._narrow(message)
        self._choice = choice
        self._lives = shorter(self._lives, choice.lives)
        for notification in message.all(NotificationPayload):
            if notification.notify_type == NotifyType.RESPONDER_LIFETIME:
                self._lives = shorter(self._lives, negotiation.read_lives(decode_attributes(notification.data)))
        hash_3 = quick_mode_hash_3(prf, skeyid_a, self.message_id, self._nonce_i, self._nonce_r)
        return [OctetsPayload(PayloadType.HASH, hash_3)]

    def _narrow(self, message: Message) -> None:
        """What the responder says of the traffic: the same, or a part of it."""
        ids = [selector_of(each) for each in message.all(IdPayload)]
        if not ids:
            return
        if len(ids) != 2:
            raise NegotiationError("the peer answered with one ID payload", NotifyType.INVALID_ID_INFORMATION)
        if self._natted_transport():
            return
        if not (self.local_ts.contains(ids[0]) and self.remote_ts.contains(ids[1])):
            raise NegotiationError(
                f"the peer answered with other traffic: {ids[0]} {ids[1]}", NotifyType.INVALID_ID_INFORMATION
            )
        self.local_ts, self.remote_ts = ids

    # The responder.

    def choose(self, message: Message, now: float) -> list[AnyPayload]:
        """The first message has come: the second one."""
        prf, skeyid_a = self.security.prf, self.security.family.skeyid_a
        digest = message_hash(prf, skeyid_a, self.message_id, message.octets_after_first())
        check_hash("HASH(1)", digest, message.payloads[0].body)
        self.authenticated = True
        self._nonce_i = nonce_of(message)
        payload = required(message, PayloadType.SA).payload
        if not isinstance(payload, SaPayload):
            raise ProtocolError("the SA payload is no SA payload", NotifyType.PAYLOAD_MALFORMED)
        choice = self._choose(message, payload)
        child = self._child()
        self.replaces = self.sa.phase2.being_rekeyed(child.name, self.local_ts, self.remote_ts)
        self._take_keys(message, choice)
        environment = self.sa.host.environment
        self.spi = self.sa.host.allocate_child_spi()
        self._nonce_r = environment.random(OWN_NONCE_BYTES)
        self._choice = choice
        own = lives_of(child.lifetime)
        self._lives = shorter(own, choice.lives)
        ids = message.all(IdPayload)
        if ids and not self._natted_transport():
            ids = [id_payload(self.remote_ts), id_payload(self.local_ts)]
        rest: list[AnyPayload] = [choice.answer(self.spi), OctetsPayload(PayloadType.NONCE, self._nonce_r)]
        rest += [*self._key_payloads(choice.suite.key_exchange), *ids, *self._nat_oa(choice.mode)]
        rest += self._responder_lifetime(choice.lives)
        self._prepared = self.sa.current.phase2.prepare(self._agreement(choice), now)
        return self._hashed(rest, self._nonce_i)

    def _choose(self, message: Message, payload: SaPayload) -> Phase2Choice:
        """The first of the connection's children that has the traffic, and a suite that is offered."""
        remote, local = self._proxies(message, payload)
        cryptography = self.sa.host.environment.cryptography
        matched = False
        # A child that has all of the traffic goes before one that has a part of it.
        for whole in (True, False):
            for child in self.sa.connection.children:
                own_local, own_remote = self._own(child)
                local_ts, remote_ts = agree(own_local, local), agree(own_remote, remote)
                if local_ts is None or remote_ts is None or whole != ((local_ts, remote_ts) == (local, remote)):
                    continue
                matched = True
                own = negotiation.responder_suites(child.proposals, cryptography)
                choice = negotiation.choose(payload, own, child.mode, self.sa.peer.nat)
                if choice is not None:
                    self.child, self.local_ts, self.remote_ts = child, local_ts, remote_ts
                    return choice
        if matched:
            raise NegotiationError("no proposal of the peer is acceptable", NotifyType.NO_PROPOSAL_CHOSEN)
        raise NegotiationError(f"no child is for {local} and {remote}", NotifyType.INVALID_ID_INFORMATION)

    def _proxies(self, message: Message, payload: SaPayload) -> tuple[TrafficSelector, TrafficSelector]:
        """The traffic that the initiator asks for, its own first; the two ends themselves where it names none."""
        ids = [selector_of(each) for each in message.all(IdPayload)]
        if len(ids) not in (0, 2):
            raise ProtocolError(f"{len(ids)} ID payloads, not 2", NotifyType.INVALID_ID_INFORMATION)
        here, there = host_selector(self.sa.path.local.host), host_selector(self.sa.path.remote.host)
        if not ids:
            return there, here
        remote, local = ids
        offered = [transform for proposal in payload.proposals for transform in proposal.transforms]
        if self.sa.peer.nat and all(negotiation.read_mode(each, udp=True) is Mode.TRANSPORT for each in offered):
            # Behind a NAT the ends know themselves by other addresses; protocol and port stay (RFC 3947 section 5.2).
            remote = _moved(remote, there)
            local = _moved(local, here)
        return remote, local

    def confirm(self, message: Message, now: float) -> list[AnyPayload]:
        """The third message has come: both ends have the keys."""
        digest = quick_mode_hash_3(
            self.security.prf, self.security.family.skeyid_a, self.message_id, self._nonce_i, self._nonce_r
        )
        check_hash("HASH(3)", digest, message.payloads[0].body)
        self.authenticated = True
        return []

    def _responder_lifetime(self, asked: Phase2Lives) -> list[NotificationPayload]:
        """RESPONDER-LIFETIME, where this end keeps the SA for less than it was asked for (RFC 2407 section 4.6.3.1)."""
        cut = Phase2Lives(
            self._lives.seconds if asked.seconds is None or self._lives.seconds != asked.seconds else None,
            self._lives.kilobytes if self._lives.kilobytes != asked.kilobytes else None,
        )
        if cut == Phase2Lives() or (asked == Phase2Lives() and cut.seconds is None):
            return []
        data = encode_attributes(negotiation.lives_attributes(cut))
        return [NotificationPayload(Protocol.PROTO_IPSEC_ESP, self.spi, NotifyType.RESPONDER_LIFETIME, data)]

    # Both.

    def _child(self) -> ChildConfiguration:
        if self.child is None:
            raise ProtocolError("no child is chosen yet")
        return self.child

    def _own(self, child: ChildConfiguration) -> tuple[tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]:
        """The traffic that the configuration names; the two ends themselves where it names none."""
        local = child.local_ts or (host_selector(self.sa.path.local.host),)
        return local, child.remote_ts or (host_selector(self.sa.path.remote.host),)

    def _natted_transport(self) -> bool:
        return self.sa.peer.nat and self._child().mode is Mode.TRANSPORT

    def _hashed(self, rest: Sequence[AnyPayload], nonce_i: bytes) -> list[AnyPayload]:
        """HASH(1) or, with the initiator's nonce, HASH(2) before the payloads."""
        prf, skeyid_a = self.security.prf, self.security.family.skeyid_a
        digest = quick_mode_hash_2(prf, skeyid_a, self.message_id, nonce_i, encode_payloads(rest))
        return [OctetsPayload(PayloadType.HASH, digest), *rest]

    def _key_payloads(self, group: str | None) -> list[OctetsPayload]:
        """The own public value, with perfect forward secrecy."""
        if group is None:
            return []
        if self._key_pair is None:
            self._key_pair = self.sa.host.environment.cryptography.key_exchange(group).generate()
        return [OctetsPayload(PayloadType.KE, self._key_pair.public)]

    def _take_keys(self, message: Message, choice: Phase2Choice) -> None:
        """g(qm)^xy, with perfect forward secrecy."""
        group = choice.suite.key_exchange
        if group is None:
            if PayloadType.KE in message.types:
                raise NegotiationError("a KE payload without a group", NotifyType.INVALID_KEY_INFORMATION)
            return
        public = required(message, PayloadType.KE).body
        self._key_payloads(group)
        if self._key_pair is None:
            return
        try:
            self._shared = Secret(self._key_pair.agree(public))
        except RejectedError as error:
            raise NegotiationError(str(error), NotifyType.INVALID_KEY_INFORMATION) from error

    def _nat_oa(self, mode: Mode) -> list[NatOaPayload]:
        """The addresses as this end knows them, in transport mode behind a NAT: the initiator's first."""
        if mode is not Mode.TRANSPORT or not self.sa.peer.nat:
            return []
        kind = PayloadType.NAT_OA if self.sa.peer.nat_traversal == "rfc" else PayloadType.NAT_OA_DRAFT
        here, there = (id_payload(host_selector(end.host)) for end in self.sa.path)
        ends = (here, there) if self.initiator else (there, here)
        return [NatOaPayload(kind, end.id_type, end.data) for end in ends]

    def report(self, notify: int, now: float) -> None:
        """See :meth:`Exchange.report`: with the SPI that tells the peer which quick mode is meant."""
        self.sa.sender.notify(notify, self.spi, now, Protocol.PROTO_IPSEC_ESP)

    def fail(self, reason: str, notify: int | None, now: float) -> None:
        """See :meth:`Exchange.fail`."""
        self.end()
        if self.spi:
            self.sa.host.release_child_spi(self.spi)
        self.sa.phase2.failed(self, reason, notify, now)

    def end(self) -> None:
        """See :meth:`Exchange.end`."""
        if self._prepared is not None:
            info, self._prepared = self._prepared, None
            self.sa.host.emit(ChildSaWithdrawn(self.sa.unique_id, info.name, info.inbound_spi))
        super().end()

    def complete(self, now: float) -> None:
        """See :meth:`Exchange.complete`."""
        if self._choice is None:
            return
        # While this quick mode went on, a newer ISAKMP SA may have taken over.
        self.sa.current.phase2.complete(self._agreement(self._choice), self.replaces, now, self._prepared)
        self._prepared = None

    def _agreement(self, choice: Phase2Choice) -> Agreement:
        """What both ends have agreed on; both nonces are known."""
        prf, skeyid_d, suite = self.security.prf, self.security.family.skeyid_d, choice.suite
        both = []
        for spi in (self.spi, choice.proposal.spi):
            seed = keymat_seed(self._shared, Protocol.PROTO_IPSEC_ESP, spi, self._nonce_i, self._nonce_r)
            both.append(child_keys(prf, skeyid_d, seed, suite.encryption, suite.integrity))
        return Agreement(
            configuration=self._child(),
            is_initiator=self.initiator,
            inbound_spi=self.spi,
            outbound_spi=choice.proposal.spi,
            local_ts=self.local_ts,
            remote_ts=self.remote_ts,
            suite=suite,
            lives=self._lives,
            inbound=both[0],
            outbound=both[1],
            lowest_nonce=min(self._nonce_i, self._nonce_r),
        )


def _moved(selector: TrafficSelector, host: TrafficSelector) -> TrafficSelector:
    """A selector's protocol and ports at another address."""
    return TrafficSelector(
        host.version, host.start, host.end, selector.protocol, selector.start_port, selector.end_port
    )
