"""What comes out of ESP: the inner packet, in the mode and layering of its SA (RFC 4303 section 3.4.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipsecbench.errors import DroppedError, MalformedError
from ipsecbench.esp.configuration import Layering, SaConfiguration
from ipsecbench.esp.databases import Flow, flow_of
from ipsecbench.esp.layering import gre_decapsulated, version_behind
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_header import inner_traffic_class
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.udp_encapsulation import with_checksum_after_nat
from ipsecbench.wire.ip import IpPacket, Protocol, parse_ip, with_traffic_class


@dataclass(frozen=True, slots=True)
class Decapsulated:
    """An inner packet, and what the selectors of its SA look at."""

    octets: bytes
    """The packet for the inside."""
    packet: IpPacket
    """The same, taken apart."""
    sa_flow: Flow
    """Of the packet directly inside ESP: with a layering, that between the two ends."""


def decapsulated(sa: SaConfiguration, outer: OuterPacket, payload: bytes, next_header: int) -> Decapsulated:
    """The inner packet of an authentic ESP packet.

    Args:
        sa: the inbound SA.
        outer: the packet as it came.
        payload: what was inside, with TFC padding where there is any.
        next_header: what the payload says it is.

    Raises:
        DroppedError: it is not what the mode carries, or does not parse.
    """
    try:
        if sa.mode is Mode.TUNNEL:
            packet, octets = _tunnelled(payload, next_header)
            return _with_ecn(packet, octets, outer, flow_of(packet))
        between = IpPacket(outer.header, payload)
        if sa.layering is Layering.NONE:
            return _transported(between, next_header, encapsulated=sa.encapsulation is not None)
        return _layered(sa.layering, between, next_header, outer)
    except MalformedError as error:
        raise DroppedError("XfrmInStateModeError", str(error)) from error


def _tunnelled(payload: bytes, next_header: int) -> tuple[IpPacket, bytes]:
    version = version_behind(next_header)
    if version is None:
        raise MalformedError(f"Next Header {next_header} in tunnel mode")
    return _whole(payload, version)


def _whole(octets: bytes, version: int) -> tuple[IpPacket, bytes]:
    """An IP packet of an announced version, without the TFC padding behind it."""
    packet = parse_ip(octets)
    if packet.header.version != version:
        raise MalformedError(f"IPv{packet.header.version} where IPv{version} is announced")
    return packet, octets[: packet.total_bytes]


def _with_ecn(packet: IpPacket, octets: bytes, outer: OuterPacket, sa_flow: Flow) -> Decapsulated:
    header = packet.header
    traffic_class = inner_traffic_class(header.traffic_class, outer.header.traffic_class)
    if traffic_class is None:
        raise DroppedError("XfrmInError", "congestion was experienced outside by a packet that cannot say so")
    if traffic_class != header.traffic_class:
        octets = with_traffic_class(octets, traffic_class)
        packet = IpPacket(replace(header, traffic_class=traffic_class), packet.payload)
    return Decapsulated(octets, packet, sa_flow)


def _transported(between: IpPacket, next_header: int, *, encapsulated: bool) -> Decapsulated:
    # The payload may begin with Destination Options: the whole packet is read anew, within bounds.
    octets = replace(between.header, protocol=next_header).encode(between.payload)
    packet = parse_ip(octets)
    if packet.header.is_fragment:
        raise MalformedError("a fragment inside transport mode")
    if encapsulated:
        packet = with_checksum_after_nat(packet)
        octets = packet.encode()
    return Decapsulated(octets, packet, flow_of(packet))


def _layered(layering: Layering, between: IpPacket, next_header: int, outer: OuterPacket) -> Decapsulated:
    flow = flow_of(IpPacket(replace(between.header, protocol=next_header), between.payload))
    if layering is Layering.IPIP:
        packet, octets = _tunnelled(between.payload, next_header)
    elif next_header == Protocol.GRE:
        packet, octets = _whole(*gre_decapsulated(between.payload))
    else:
        raise MalformedError(f"Next Header {next_header} where GRE is expected")
    return _with_ecn(packet, octets, outer, flow)
