"""The databases of RFC 4301 section 4.4: SPD (policies, in their order) and SAD (SAs by SPI), and what they look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Direction, PolicyConfiguration, SelectorPair
from ipsecbench.esp.security_association import InboundSa, OutboundSa
from ipsecbench.esp.traffic_selector import ANY_PROTOCOL, TrafficSelector
from ipsecbench.wire.ip import IpPacket, Protocol

_WITH_PORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP, Protocol.DCCP, Protocol.UDP_LITE)
_WITH_TYPE_AND_CODE = (Protocol.ICMP, Protocol.ICMPV6)
_ANY_PORT = (0, 65535)
_OPAQUE = (65535, 0)


@dataclass(frozen=True, slots=True)
class Flow:
    """What selectors look at (RFC 4301 section 4.4.1.1)."""

    version: int
    source: int
    destination: int
    protocol: int
    source_port: int | None
    """Of ICMP type and code, as RFC 7296 section 3.13.1 joins them; None where the packet has none or hides it."""
    destination_port: int | None
    """The same."""


def flow_of(packet: IpPacket) -> Flow:
    """The flow of a packet. A fragment that is not the first has no ports (RFC 4301 section 7)."""
    header, payload = packet.header, packet.payload
    ports: tuple[int, int] | tuple[None, None] = (None, None)
    if header.fragment_offset_bytes == 0:
        if header.protocol in _WITH_PORTS and len(payload) >= 4:
            ports = int.from_bytes(payload[:2]), int.from_bytes(payload[2:4])
        elif header.protocol in _WITH_TYPE_AND_CODE and len(payload) >= 2:
            both = int.from_bytes(payload[:2])
            ports = both, both
    source, destination = int.from_bytes(header.source), int.from_bytes(header.destination)
    return Flow(header.version, source, destination, header.protocol, *ports)


def _port_selected(selector: TrafficSelector, port: int | None) -> bool:
    first, last = selector.start_port, selector.end_port
    if (first, last) == _ANY_PORT:
        return True
    # OPAQUE is for packets that show no port; a range is for those that do.
    return port is None if (first, last) == _OPAQUE else port is not None and first <= port <= last


def _selected(selector: TrafficSelector, flow: Flow, address: int, port: int | None) -> bool:
    return (
        selector.version == flow.version
        and selector.start <= address <= selector.end
        and selector.protocol in (ANY_PROTOCOL, flow.protocol)
        and _port_selected(selector, port)
    )


def selects(pairs: Iterable[SelectorPair], flow: Flow) -> bool:
    """Whether any of the pairs is for a flow."""
    return any(
        _selected(pair.source, flow, flow.source, flow.source_port)
        and _selected(pair.destination, flow, flow.destination, flow.destination_port)
        for pair in pairs
    )


class PolicyDatabase:
    """The SPD: policies of both directions in the order in which they are asked."""

    def __init__(self) -> None:
        self._policies: dict[Direction, list[PolicyConfiguration]] = {direction: [] for direction in Direction}

    def add(self, policy: PolicyConfiguration) -> None:
        """Add a policy behind those of the same priority.

        Raises:
            DataPlaneError: the same one is there already.
        """
        policies = self._policies[policy.direction]
        if policy in policies:
            raise DataPlaneError(f"the {policy.direction} policy is there already; remove it first")
        policies.append(policy)
        policies.sort(key=lambda each: each.priority)  # stable

    def remove(self, policy: PolicyConfiguration) -> None:
        """Remove a policy; one that is not there is no error."""
        if policy in self._policies[policy.direction]:
            self._policies[policy.direction].remove(policy)

    def find(self, direction: Direction, flow: Flow) -> PolicyConfiguration | None:
        """The first policy that is for a flow."""
        return next((each for each in self._policies[direction] if selects(each.selectors, flow)), None)


class SaDatabase:
    """The SAD: inbound SAs by SPI, outbound ones by SPI and by reqid."""

    def __init__(self) -> None:
        self.inbound: dict[int, InboundSa] = {}
        self.outbound: dict[int, OutboundSa] = {}
        self._by_reqid: dict[int, list[OutboundSa]] = {}

    def __iter__(self) -> Iterator[InboundSa | OutboundSa]:
        yield from self.inbound.values()
        yield from self.outbound.values()

    def add(self, sa: InboundSa | OutboundSa) -> None:
        """Add an SA; an outbound one takes over from older ones with its reqid.

        Raises:
            DataPlaneError: the SPI is in use in this direction.
        """
        configuration = sa.configuration
        if configuration.spi in (self.inbound if isinstance(sa, InboundSa) else self.outbound):
            raise DataPlaneError(f"SPI {configuration.spi:08x} is in use by another {configuration.direction} SA")
        if isinstance(sa, InboundSa):
            self.inbound[configuration.spi] = sa
            return
        self.outbound[configuration.spi] = sa
        self._by_reqid.setdefault(configuration.reqid, []).append(sa)

    def remove(self, direction: Direction, spi: int) -> None:
        """Forget an SA; an SPI that is not there is no error."""
        if direction is Direction.INBOUND:
            self.inbound.pop(spi, None)
            return
        sa = self.outbound.pop(spi, None)
        if sa is None:
            return
        others = self._by_reqid[sa.configuration.reqid]
        others.remove(sa)
        if not others:
            del self._by_reqid[sa.configuration.reqid]

    def newest_outbound(self, reqid: int) -> OutboundSa | None:
        """The SA that protects for a policy; None where there is none."""
        found = self._by_reqid.get(reqid)
        return found[-1] if found else None

    def get(self, direction: Direction, spi: int) -> InboundSa | OutboundSa:
        """An SA by its SPI.

        Raises:
            DataPlaneError: there is none.
        """
        sa = (self.inbound if direction is Direction.INBOUND else self.outbound).get(spi)
        if sa is None:
            raise DataPlaneError(f"there is no {direction} SA with SPI {spi:08x}")
        return sa
