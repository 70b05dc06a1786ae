"""Phase 2 of one ISAKMP SA: its quick modes and the SAs that they have set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import ChildConfiguration
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaFailed,
    ChildSaInfo,
    ChildSaPrepared,
    ChildSaRekeyed,
    IkeSaInfo,
    NegotiatedEsp,
    PathChanged,
)
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.path import Path
from ipsecbench.ike.v1.exchange import NO_ANSWER
from ipsecbench.ike.v1.exchanges.quick_mode import QuickMode
from ipsecbench.ike.v1.identifiers import NotifyType, notify_name
from ipsecbench.ike.v1.phase2_sas import (
    DELETE_FORSAKEN_SECONDS,
    DELETE_REPLACED_SECONDS,
    RETRY_REKEY_SECONDS,
    Agreement,
    Phase2Sa,
    Phase2Sas,
    expiry_of,
)

OVERTAKING_SECONDS = 0.1
"""When the first quick mode is sent again after a phase 1 that ended with a message from here: a peer that works on
both messages at once, as strongSwan does, may have dropped it."""
_ERRORS = frozenset(
    {
        NotifyType.INVALID_PROTOCOL_ID,
        NotifyType.INVALID_SPI,
        NotifyType.INVALID_TRANSFORM_ID,
        NotifyType.ATTRIBUTES_NOT_SUPPORTED,
        NotifyType.NO_PROPOSAL_CHOSEN,
        NotifyType.BAD_PROPOSAL_SYNTAX,
        NotifyType.INVALID_KEY_INFORMATION,
        NotifyType.INVALID_ID_INFORMATION,
        NotifyType.UNEQUAL_PAYLOAD_LENGTHS,
    }
)
"""Errors that end a quick mode though they do not name its SPI; others may be about a message that somebody forged."""

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

MAX_EXCHANGES = 128
"""Quick modes that are kept at once, the finished ones for repeated messages among them."""
MAX_SAS = 512
"""More SAs of phase 2 under one ISAKMP SA are not made at the peer's wish."""
REMEMBER_SECONDS = 120.0
"""How long a finished quick mode is kept to answer repeated messages."""


class Phase2:
    """See the module.

    Args:
        sa: the ISAKMP SA.
    """

    def __init__(self, sa: IsakmpSa) -> None:
        self.sa = sa
        self.sas = Phase2Sas()
        self.exchanges: dict[int, QuickMode] = {}
        self.wanted: list[str] = []
        """Names of children to set up once phase 1 is complete."""
        self._forget_at: dict[int, float] = {}

    # Quick modes.

    def begin_wanted(self, wanted: list[str], now: float) -> None:
        """Phase 1 is complete: set up what waited for it."""
        names = tuple(wanted)
        wanted.clear()
        for name in names:
            exchange = self.begin(name, now)
            if exchange is not None and self.sa.phase1.sent_last:
                exchange.hurry(now + OVERTAKING_SECONDS)

    def begin(self, name: str, now: float, replaces: Phase2Sa | None = None) -> QuickMode | None:
        """Begin a quick mode for a child; None where there is no such child."""
        child = self._configuration(name)
        if child is None:
            self.sa.host.emit(ChildSaFailed(self.sa.unique_id, name, "there is no such child"))
            return None
        exchange = QuickMode(self.sa, self.sa.fresh_message_id(), child, replaces)
        self.exchanges[exchange.message_id] = exchange
        if replaces is not None:
            replaces.rekeying = True
        exchange.begin(now)
        self._keep(exchange, now)
        return exchange

    def _configuration(self, name: str) -> ChildConfiguration | None:
        return next((child for child in self.sa.connection.children if child.name == name), None)

    def receive(self, header: IkeHeader, octets: bytes, path: Path, now: float) -> None:
        """A message of a quick mode, known or new."""
        exchange = self.exchanges.get(header.message_id)
        if exchange is not None:
            exchange.receive(header, octets, path, now)
            self._keep(exchange, now)
            return
        if len(self.sas) >= MAX_SAS:
            self.sa.log("too-many-sas", f"{len(self.sas)} SAs of phase 2 are enough")
            return
        if len(self.exchanges) >= MAX_EXCHANGES:
            self.sa.log("too-many-exchanges", f"{len(self.exchanges)} quick modes are kept")
            return
        exchange = QuickMode(self.sa, header.message_id, None)
        # It is kept only if its first message is the peer's: forged ones leave nothing behind.
        if exchange.receive(header, octets, path, now) or exchange.finished:
            self.exchanges[header.message_id] = exchange
            self._keep(exchange, now)

    def _keep(self, exchange: QuickMode, now: float) -> None:
        if exchange.finished:
            self._forget_at.setdefault(exchange.message_id, now + REMEMBER_SECONDS)

    def prepare(self, agreement: Agreement, now: float) -> ChildSaInfo:
        """A quick mode needs only its last message: the peer may send with the new SA before that has been read."""
        info = self._info(agreement, now)
        self.sa.host.emit(ChildSaPrepared(info))
        return info

    def _info(self, agreement: Agreement, now: float) -> ChildSaInfo:
        sa, suite = self.sa, agreement.suite
        return ChildSaInfo(
            ike_unique_id=sa.unique_id,
            name=agreement.configuration.name,
            version=1,
            is_initiator=agreement.is_initiator,
            inbound_spi=agreement.inbound_spi,
            outbound_spi=agreement.outbound_spi,
            mode=agreement.configuration.mode,
            local_ts=(agreement.local_ts,),
            remote_ts=(agreement.remote_ts,),
            negotiated=NegotiatedEsp(suite.encryption, suite.integrity, suite.esn, suite.key_exchange),
            inbound=agreement.inbound,
            outbound=agreement.outbound,
            udp_encapsulation=sa.peer.nat,
            path=sa.path,
            expiry=expiry_of(agreement, now, sa.host.environment.random(4)),
        )

    def complete(
        self, agreement: Agreement, replaces: Phase2Sa | None, now: float, prepared: ChildSaInfo | None = None
    ) -> None:
        """A quick mode has agreed on keys: they are the driver's now.

        Args:
            agreement: what was agreed on.
            replaces: the SA that this end rekeys by it; as responder one that this end was rekeying when it began.
            now: seconds.
            prepared: what :meth:`prepare` gave, whose limits the driver has.
        """
        sa = self.sa
        name = agreement.configuration.name
        old = self.sas.current(name, agreement.local_ts, agreement.remote_ts)
        if old is None and replaces is not None and not replaces.replaced:
            old = replaces
        info = self._info(agreement, now)
        if prepared is not None:
            info = replace(info, expiry=prepared.expiry)
        expiry = info.expiry
        rekey_at = expiry.soft_at if agreement.configuration.rekey else None
        made = Phase2Sa(info, agreement.configuration, agreement.lowest_nonce, rekey_at=rekey_at)
        self.sas.add(made)
        if replaces is not None and agreement.is_initiator:
            replaces.rekeying = False
        if old is None:
            sa.host.emit(ChildSaEstablished(info))
            return
        sa.host.emit(ChildSaRekeyed(old.info.inbound_spi, info))
        both_at_once = replaces is not None and replaces.replaced and replaces is not old
        if replaces is not None and agreement.is_initiator:
            replaces.replaced = True
            replaces.delete_at = now + DELETE_REPLACED_SECONDS
        goes = old
        if both_at_once and made.lowest_nonce < old.lowest_nonce:
            # Both ends rekeyed the same SA. As RFC 7296 section 2.8.1 decides it; IKEv1 says nothing of it.
            goes = made
        goes.replaced = True
        # The end that made an SA in vain deletes it; otherwise the one that made the successor.
        if goes.info.is_initiator if both_at_once else made.info.is_initiator:
            goes.delete_at = now + DELETE_REPLACED_SECONDS
        elif both_at_once:
            # The peer may have seen one after the other, and wait for this end.
            goes.delete_at = now + DELETE_FORSAKEN_SECONDS

    def being_rekeyed(self, name: str, local_ts: TrafficSelector, remote_ts: TrafficSelector) -> Phase2Sa | None:
        """The SA of a child and its traffic for which a quick mode of this end goes on."""
        return next(
            (
                each
                for each in self.sas
                if each.rekeying
                and each.info.name == name
                and (each.info.local_ts, each.info.remote_ts) == ((local_ts,), (remote_ts,))
            ),
            None,
        )

    def failed(self, exchange: QuickMode, reason: str, notify: int | None, now: float) -> None:
        """A quick mode has no result."""
        name = "" if exchange.child is None else exchange.child.name
        if exchange.replaces is not None and exchange.initiator:
            exchange.replaces.rekeying = False
            exchange.replaces.rekey_at = now + RETRY_REKEY_SECONDS
        self.sa.host.emit(ChildSaFailed(self.sa.unique_id, name, reason, notify))
        if reason == NO_ANSWER:
            # Is anybody there?
            self.sa.check_liveness(now)

    def refused(self, spi: bytes, notify: int, now: float) -> None:
        """The peer reports an error, with the SPI of a quick mode or SA, or without."""
        reason = f"the peer says {notify_name(notify)}"
        installed = self.sas.with_outbound(spi)
        if installed is not None:
            self._gone(installed, reason)
            return
        open_ones = [each for each in self.exchanges.values() if not each.finished]
        named = [each for each in open_ones if spi and spi in each.spis]
        own = [each for each in open_ones if each.initiator]
        if notify not in _ERRORS:
            own = []
        for exchange in named[:1] or own[:1]:
            exchange.fail(reason, notify, now)
            self._keep(exchange, now)
            return
        self.sa.log("ignored-notify", f"{notify_name(notify)} for no quick mode that goes on")

    # SAs.

    def rekey(self, inbound_spi: bytes, now: float) -> None:
        """Set up the successor of an SA."""
        found = self.sas.get(inbound_spi)
        if found is not None and not found.replaced and not found.rekeying:
            self.begin(found.info.name, now, found)

    def delete(self, inbound_spi: bytes, reason: str, now: float) -> None:
        """Delete an SA and tell the peer."""
        found = self.sas.get(inbound_spi)
        if found is not None:
            self.sa.sender.delete_phase2([inbound_spi], now)
            self._gone(found, reason)

    def delete_all(self, reason: str, now: float) -> None:
        """Delete every SA and tell the peer; quick modes that go on end."""
        self.sa.sender.delete_phase2([each.info.inbound_spi for each in self.sas], now)
        self.drop_all(reason)

    def drop_all(self, reason: str) -> None:
        """Every SA is gone, and every quick mode."""
        for exchange in self.exchanges.values():
            if not exchange.finished:
                exchange.end()
                if exchange.spi:
                    self.sa.host.release_child_spi(exchange.spi)
        self.exchanges.clear()
        self._forget_at.clear()
        for each in self.sas:
            self._gone(each, reason)

    def deleted_by_peer(self, outbound_spi: bytes) -> bool:
        """Whether one of the SAs was meant by a Delete payload."""
        found = self.sas.with_outbound(outbound_spi)
        if found is not None:
            self._gone(found, "deleted by the peer")
        return found is not None

    def _gone(self, found: Phase2Sa, reason: str) -> None:
        info = found.info
        self.sas.remove(info.inbound_spi)
        host = self.sa.host
        host.release_child_spi(info.inbound_spi)
        host.emit(ChildSaDeleted(self.sa.unique_id, info.name, info.inbound_spi, info.outbound_spi, reason))

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        """Lives in octets and packets."""
        found = self.sas.get(inbound_spi)
        if found is None:
            return
        if found.info.expiry.hard_reached(octets, packets):
            self.delete(inbound_spi, "its life is over", now)
        elif found.info.expiry.soft_reached(octets, packets) and found.configuration.rekey and self.sa.alive:
            self.rekey(inbound_spi, now)

    def moved(self, path: Path, info: IkeSaInfo | None) -> IkeSaInfo | None:
        """The peer has another address now."""
        for each in self.sas:
            each.info = replace(each.info, path=path)
        self.sa.host.emit(PathChanged(self.sa.unique_id, path))
        return None if info is None else replace(info, path=path)

    # Time.

    def timeouts(self) -> Iterator[float | None]:
        """When something is to be done."""
        for exchange in self.exchanges.values():
            yield exchange.retransmit_at
        yield from self._forget_at.values()
        for each in self.sas:
            yield each.expires_at
            yield each.delete_at
            if self.sa.alive and not (each.replaced or each.rekeying):
                yield each.rekey_at

    def handle_timeout(self, now: float) -> None:
        """Retransmissions, lives, and what can be forgotten."""
        for message_id in [number for number, when in self._forget_at.items() if when <= now]:
            del self._forget_at[message_id]
            self.exchanges.pop(message_id, None)
        for exchange in list(self.exchanges.values()):
            exchange.handle_timeout(now)
            self._keep(exchange, now)
        for each in self.sas:
            if _due(each.delete_at, now):
                self.delete(each.info.inbound_spi, "replaced by a newer SA", now)
            elif _due(each.expires_at, now):
                self.delete(each.info.inbound_spi, "its life is over", now)
            elif self.sa.alive and not (each.replaced or each.rekeying) and _due(each.rekey_at, now):
                self.rekey(each.info.inbound_spi, now)


def _due(when: float | None, now: float) -> bool:
    return when is not None and now >= when
