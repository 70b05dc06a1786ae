"""What comes out of ESP: the inner packet, in the mode and layering of its SA (RFC 4303 section 3.4.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipsecbench.errors import DroppedError, MalformedError
from ipsecbench.esp.configuration import Layering, SaConfiguration
from ipsecbench.esp.layering import gre_decapsulated, version_behind
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_header import inner_traffic_class
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.udp_encapsulation import with_checksum_after_nat
from ipsecbench.wire.ip import IpPacket, Protocol, parse_ip, with_traffic_class


@dataclass(frozen=True, slots=True)
class Decapsulated:
    """An inner packet."""

    octets: bytes
    """The packet for the inside."""
    packet: IpPacket
    """The same, taken apart."""


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
    if sa.mode is Mode.TRANSPORT and sa.layering is Layering.NONE:
        return _transported(outer, payload, next_header)
    if sa.layering is Layering.GRE:
        payload, version = _out_of_gre(payload, next_header)
    else:
        version = _announced_version(next_header)
    return _tunnelled(outer, payload, version)


def _out_of_gre(payload: bytes, next_header: int) -> tuple[bytes, int]:
    if next_header != Protocol.GRE:
        raise DroppedError("XfrmInStateModeError", f"Next Header {next_header} where GRE is expected")
    try:
        return gre_decapsulated(payload)
    except MalformedError as error:
        raise DroppedError("XfrmInStateModeError", str(error)) from error


def _announced_version(next_header: int) -> int:
    version = version_behind(next_header)
    if version is None:
        raise DroppedError("XfrmInStateModeError", f"Next Header {next_header} where IP is expected")
    return version


def _parsed(octets: bytes) -> IpPacket:
    try:
        return parse_ip(octets)
    except MalformedError as error:
        raise DroppedError("XfrmInHdrError", str(error)) from error


def _tunnelled(outer: OuterPacket, payload: bytes, version: int) -> Decapsulated:
    """A whole IP packet of an announced version, without the TFC padding behind it."""
    if not payload or payload[0] >> 4 != version:
        raise DroppedError("XfrmInStateModeError", f"no IPv{version} packet where one is announced")
    packet = _parsed(payload)
    octets, header = payload[: packet.total_bytes], packet.header
    traffic_class = inner_traffic_class(header.traffic_class, outer.header.traffic_class)
    if traffic_class is None:
        raise DroppedError("XfrmInStateModeError", "congestion outside, and the sender inside cannot be told")
    if traffic_class != header.traffic_class:
        octets = with_traffic_class(octets, traffic_class)
        packet = IpPacket(replace(header, traffic_class=traffic_class), packet.payload)
    return Decapsulated(octets, packet)


def _transported(outer: OuterPacket, payload: bytes, next_header: int) -> Decapsulated:
    try:
        octets = replace(outer.header, protocol=next_header).encode(payload)
    except MalformedError as error:
        raise DroppedError("XfrmInHdrError", str(error)) from error
    # The payload may begin with Destination Options: the whole packet is read anew, within bounds.
    packet = _parsed(octets)
    if packet.header.is_fragment:
        raise DroppedError("XfrmInStateModeError", "a fragment inside transport mode")
    if outer.encapsulation is not None:
        packet = with_checksum_after_nat(packet)
        octets = packet.encode()
    return Decapsulated(octets, packet)
