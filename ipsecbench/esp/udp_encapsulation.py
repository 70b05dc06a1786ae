"""ESP in UDP (RFC 3948): what a datagram on the port carries, keep-alives, and checksums behind a NAT."""

from __future__ import annotations

from enum import StrEnum

from ipsecbench.esp.overhead import ESP_HEADER_BYTES
from ipsecbench.wire.ip import IpPacket, Protocol
from ipsecbench.wire.udp import with_transport_checksum

KEEPALIVE = b"\xff"
"""Payload of a NAT keep-alive (RFC 3948 section 2.3)."""
KEEPALIVE_SECONDS = 20.0
"""After so much silence an end behind a NAT sends one (RFC 3948 section 4)."""
NON_ESP_MARKER = bytes(4)
"""What precedes an IKE message, where ESP has its SPI (RFC 3948 section 2.2)."""


class DatagramKind(StrEnum):
    """What a UDP datagram carries."""

    ESP = "esp"
    IKE = "ike"
    KEEPALIVE = "keepalive"
    MALFORMED = "malformed"


def kind_of(payload: bytes) -> DatagramKind:
    """What a UDP datagram on the port of ESP and IKE carries, from its first octets."""
    if payload == KEEPALIVE:
        return DatagramKind.KEEPALIVE
    if payload.startswith(NON_ESP_MARKER):
        return DatagramKind.IKE
    return DatagramKind.ESP if len(payload) >= ESP_HEADER_BYTES else DatagramKind.MALFORMED


def with_checksum_after_nat(packet: IpPacket) -> IpPacket:
    """A packet of transport mode whose addresses a NAT has changed, with a checksum that fits them.

    The ICV vouches for the octets, so that the checksum of TCP and UDP may be computed anew (RFC 3948 section 3.1.2 b).
    UDP over IPv4 without a checksum stays without.
    """
    payload, header = packet.payload, packet.header
    has_none = header.protocol == Protocol.UDP and header.version == 4 and payload[6:8] == b"\0\0"
    if header.protocol not in (Protocol.TCP, Protocol.UDP) or has_none:
        return packet
    return IpPacket(header, with_transport_checksum(header, header.protocol, payload))
