"""UDP datagrams (RFC 768), and the checksums of what IP carries."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ipsecbench.errors import MalformedError
from ipsecbench.wire.ip import IpHeader, Protocol, internet_checksum, pseudo_header

UDP_HEADER_BYTES = 8

_HEADER = struct.Struct(">HHHH")
_CHECKSUM_AT = {Protocol.TCP: 16, Protocol.UDP: 6, Protocol.ICMPV6: 2}
_SHORTEST_BYTES = {Protocol.TCP: 20, Protocol.UDP: UDP_HEADER_BYTES, Protocol.ICMPV6: 4}


@dataclass(frozen=True, slots=True)
class UdpDatagram:
    """Ports and payload of a UDP datagram."""

    source_port: int
    destination_port: int
    payload: bytes


def parse_udp(octets: bytes) -> UdpDatagram:
    """Take a UDP datagram apart; its checksum is not checked.

    Raises:
        MalformedError: its length contradicts the octets.
    """
    if len(octets) < UDP_HEADER_BYTES:
        raise MalformedError(f"UDP: {len(octets)} octets are less than a header")
    source_port, destination_port, length, _ = _HEADER.unpack_from(octets)
    if not UDP_HEADER_BYTES <= length <= len(octets):
        raise MalformedError(f"UDP: datagram of {length}, {len(octets)} octets there")
    return UdpDatagram(source_port, destination_port, octets[UDP_HEADER_BYTES:length])


def encode_udp(header: IpHeader, datagram: UdpDatagram, *, checksum: bool) -> bytes:
    """A UDP datagram for an IP header.

    Args:
        header: the addresses that its checksum covers.
        datagram: what it carries.
        checksum: whether it has one; without, its field is 0.

    Raises:
        MalformedError: it is longer than UDP can be.
    """
    length = UDP_HEADER_BYTES + len(datagram.payload)
    if length > 0xFFFF:
        raise MalformedError(f"UDP: a datagram of {length} octets does not fit its length field")
    octets = _HEADER.pack(datagram.source_port, datagram.destination_port, length, 0) + datagram.payload
    return with_transport_checksum(header, Protocol.UDP, octets) if checksum else octets


def with_transport_checksum(header: IpHeader, protocol: int, octets: bytes) -> bytes:
    """TCP, UDP or ICMPv6 with its checksum computed anew; others, and what is too short for one, as they are."""
    kind = Protocol(protocol) if protocol in _CHECKSUM_AT else None
    if kind is None or len(octets) < _SHORTEST_BYTES[kind]:
        return octets
    at = _CHECKSUM_AT[kind]
    cleared = octets[:at] + b"\0\0" + octets[at + 2 :]
    value = internet_checksum(pseudo_header(header.source, header.destination, protocol, len(octets)) + cleared)
    if value == 0 and kind is Protocol.UDP:
        value = 0xFFFF  # RFC 768: 0 says that there is none
    return octets[:at] + value.to_bytes(2) + octets[at + 2 :]
