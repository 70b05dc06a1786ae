"""What IKE_AUTH and CREATE_CHILD_SA have in common: agreeing on one Child SA (RFC 7296 sections 1.2, 1.3, 2.9, 2.17).

The initiator makes an :class:`ChildOffer` and takes the answer to it; the responder chooses a configuration and makes a
:class:`ChildAnswer`. Both end in a :class:`ChildAgreement`, from which the Child SA and its keys are made.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipsecbench.errors import NegotiationError, ProtocolError
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector, narrow, within
from ipsecbench.ike.configuration import ChildConfiguration
from ipsecbench.ike.events import ChildSaEstablished, ChildSaInfo, ChildSaRekeyed, NegotiatedEsp
from ipsecbench.ike.lifetime import draw
from ipsecbench.ike.v2.child_sa import ChildSa
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.keymat import child_keys
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.negotiation import check_esp_answer, select_esp
from ipsecbench.ike.v2.payloads import (
    Notify,
    Payload,
    SecurityAssociation,
    TrafficSelectorsInitiator,
    TrafficSelectorsPayload,
    TrafficSelectorsResponder,
)
from ipsecbench.ike.v2.proposals import EspSuite, esp_offer
from ipsecbench.ike.v2.rekey_collision import Nonces
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector
from ipsecbench.ike.v2.transforms import Proposal
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

Selectors = tuple[TrafficSelector, ...]


@dataclass(frozen=True, slots=True)
class ChildAgreement:
    """What both ends agree on for one Child SA."""

    configuration: ChildConfiguration
    """Configuration at this end."""
    suite: EspSuite
    """Transforms."""
    inbound_spi: bytes
    """SPI that this end chose."""
    outbound_spi: bytes
    """SPI that the peer chose."""
    mode: Mode
    """Mode."""
    local_ts: Selectors
    """This end's traffic."""
    remote_ts: Selectors
    """The peer's traffic."""


@dataclass(frozen=True, slots=True)
class ChildOffer:
    """What an initiator offers."""

    configuration: ChildConfiguration
    """What it was made from."""
    spi: bytes
    """SPI of packets to here."""
    proposals: tuple[Proposal, ...]
    """Proposals as sent."""
    local_ts: Selectors
    """This end's traffic, at most."""
    remote_ts: Selectors
    """The peer's traffic, at most."""

    def payloads(self) -> tuple[list[Payload], list[Payload]]:
        """What is sent: the SA payload with notifications, and the traffic selectors."""
        head: list[Payload] = [SecurityAssociation(self.proposals)]
        if self.configuration.mode is Mode.TRANSPORT:
            head.append(Notify(NotifyType.USE_TRANSPORT_MODE))
        head.append(Notify(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED))
        tail: list[Payload] = [
            TrafficSelectorsInitiator(_wire(self.local_ts)),
            TrafficSelectorsResponder(_wire(self.remote_ts)),
        ]
        return head, tail

    def accept(self, sa: IkeSa, response: Message) -> ChildAgreement:
        """What the responder made of it.

        Raises:
            NegotiationError: that was not offered.
        """
        choice = check_esp_answer(self.proposals, response.one(SecurityAssociation).proposals)
        transport = response.notify(NotifyType.USE_TRANSPORT_MODE) is not None
        if transport != (self.configuration.mode is Mode.TRANSPORT):
            raise NegotiationError("the peer insists on another mode", NotifyType.NO_PROPOSAL_CHOSEN)
        local = _read(response.one(TrafficSelectorsInitiator))
        remote = _read(response.one(TrafficSelectorsResponder))
        if transport and sa.nat.any:
            # RFC 7296 section 2.23.1: the peer answers with the addresses as it sees them.
            local, remote = _with_host(local, sa.path.local.host), _with_host(remote, sa.path.remote.host)
        if not (local and remote and within(self.local_ts, local) and within(self.remote_ts, remote)):
            raise NegotiationError("traffic selectors that were not offered", NotifyType.TS_UNACCEPTABLE)
        mode = Mode.TRANSPORT if transport else Mode.TUNNEL
        return ChildAgreement(self.configuration, choice.suite, self.spi, choice.proposal.spi, mode, local, remote)


def offer_child(sa: IkeSa, configuration: ChildConfiguration, *, with_key_exchange: bool) -> ChildOffer:
    """Offer a Child SA, with an SPI of its own."""
    spi = sa.host.allocate_child_spi()
    wire = esp_offer(configuration.proposals, spi, with_key_exchange=with_key_exchange)
    local, remote = selectors(sa, configuration)
    return ChildOffer(configuration, spi, wire, local, remote)


def selectors(sa: IkeSa, configuration: ChildConfiguration) -> tuple[Selectors, Selectors]:
    """This end's and the peer's traffic by configuration; the address of the IKE SA where nothing is configured."""
    local = configuration.local_ts or (_host_selector(sa.path.local.host),)
    remote = configuration.remote_ts or (_host_selector(sa.path.remote.host),)
    return local, remote


@dataclass(frozen=True, slots=True)
class ChildAnswer:
    """What a responder chose."""

    agreement: ChildAgreement
    """Both ends' common ground."""
    chosen: tuple[Proposal, ...]
    """Content of the SA payload of the answer."""
    wire_tsi: tuple[WireTrafficSelector, ...]
    """Content of TSi."""
    wire_tsr: tuple[WireTrafficSelector, ...]
    """Content of TSr."""

    def payloads(self) -> tuple[list[Payload], list[Payload]]:
        """What is answered: the SA payload with notifications, and the traffic selectors."""
        head: list[Payload] = [SecurityAssociation(self.chosen)]
        if self.agreement.mode is Mode.TRANSPORT:
            head.append(Notify(NotifyType.USE_TRANSPORT_MODE))
        head.append(Notify(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED))
        return head, [TrafficSelectorsInitiator(self.wire_tsi), TrafficSelectorsResponder(self.wire_tsr)]


def answer_child(
    sa: IkeSa,
    request: Message,
    configurations: Sequence[ChildConfiguration],
    *,
    with_key_exchange: bool,
    offered_method: int | None = None,
) -> ChildAnswer:
    """Choose the first configuration that fits what the peer asks for.

    Raises:
        NegotiationError: none fits: TS_UNACCEPTABLE, or NO_PROPOSAL_CHOSEN where the traffic selectors would do.
    """
    offered = request.one(SecurityAssociation).proposals
    transport = request.notify(NotifyType.USE_TRANSPORT_MODE) is not None
    tsi = _read(request.one(TrafficSelectorsInitiator))
    tsr = _read(request.one(TrafficSelectorsResponder))
    if transport and sa.nat.any:
        tsi, tsr = _with_host(tsi, sa.path.remote.host), _with_host(tsr, sa.path.local.host)
    problem: NegotiationError | None = None
    # Tunnel mode is the answer of an end that does not want transport mode (RFC 7296 section 1.3.1).
    for mode in (Mode.TRANSPORT, Mode.TUNNEL) if transport else (Mode.TUNNEL,):
        for configuration in configurations:
            if configuration.mode is not mode:
                continue
            local, remote = selectors(sa, configuration)
            local, remote = narrow(local, tsr), narrow(remote, tsi)
            if not (local and remote):
                continue
            try:
                choice = select_esp(
                    configuration.proposals,
                    offered,
                    with_key_exchange=with_key_exchange,
                    offered_method=offered_method,
                )
            except NegotiationError as error:
                problem = problem or error
                continue
            spi = sa.host.allocate_child_spi()
            agreement = ChildAgreement(configuration, choice.suite, spi, choice.proposal.spi, mode, local, remote)
            return ChildAnswer(agreement, choice.answer(spi), _wire(remote), _wire(local))
    raise problem or NegotiationError(
        f"no child has traffic in common with {_shown(tsi)} and {_shown(tsr)}", NotifyType.TS_UNACCEPTABLE
    )


def make_child(
    sa: IkeSa,
    agreement: ChildAgreement,
    nonces: Nonces,
    secrets: Sequence[Secret],
    now: float,
    *,
    is_initiator: bool,
    replaced: bytes | None = None,
) -> ChildSa:
    """Derive the keys of a Child SA, and have it installed.

    Args:
        sa: the IKE SA.
        agreement: what was agreed on.
        nonces: of the exchange, or of IKE_SA_INIT.
        secrets: shared secrets of its key exchanges, none without perfect forward secrecy.
        now: seconds.
        is_initiator: whether this end asked for it.
        replaced: inbound SPI of the Child SA that it replaces.
    """
    suite = agreement.suite
    if sa.sk_d is None:
        raise ProtocolError("an IKE SA without keys makes no Child SA")
    keys = child_keys(sa.sk_d, suite, nonces.initiator, nonces.responder, secrets)
    info = ChildSaInfo(
        ike_unique_id=sa.unique_id,
        name=agreement.configuration.name,
        version=2,
        is_initiator=is_initiator,
        inbound_spi=agreement.inbound_spi,
        outbound_spi=agreement.outbound_spi,
        mode=agreement.mode,
        local_ts=agreement.local_ts,
        remote_ts=agreement.remote_ts,
        negotiated=negotiated_esp(suite),
        inbound=keys.inbound(is_initiator),
        outbound=keys.outbound(is_initiator),
        udp_encapsulation=sa.nat.any,
        path=sa.path,
        expiry=draw(agreement.configuration.lifetime, now, sa.host.environment.random(4)),
    )
    child = ChildSa(agreement.configuration, info, confirmed=is_initiator)
    sa.children.add(child)
    sa.host.emit(ChildSaEstablished(info) if replaced is None else ChildSaRekeyed(replaced, info))
    return child


def negotiated_esp(suite: EspSuite) -> NegotiatedEsp:
    """The transforms by their names."""
    return NegotiatedEsp(
        encryption=suite.encryption.name,
        integrity=None if suite.integrity is None else suite.integrity.name,
        esn=suite.esn,
        key_exchange=None if suite.key_exchange is None else suite.key_exchange.name,
        additional_key_exchanges=tuple(method.name for method in suite.additional),
    )


def _host_selector(host: str) -> TrafficSelector:
    address = ipaddress.ip_address(host)
    return TrafficSelector(address.version, int(address), int(address))


def _with_host(selectors: Selectors, host: str) -> Selectors:
    """The same protocols and ports of another address (RFC 7296 section 2.23.1)."""
    address = ipaddress.ip_address(host)
    return tuple(
        replace(selector, version=address.version, start=int(address), end=int(address)) for selector in selectors
    )


def _wire(selectors: Selectors) -> tuple[WireTrafficSelector, ...]:
    return tuple(map(WireTrafficSelector.of, selectors))


def _read(payload: TrafficSelectorsPayload) -> Selectors:
    """The selectors that mean something here; others are ignored."""
    found = (wire.selector for wire in payload.selectors)
    return tuple(selector for selector in found if selector is not None)


def _shown(selectors: Selectors) -> str:
    return ", ".join(str(selector) for selector in selectors[:4]) or "nothing"
