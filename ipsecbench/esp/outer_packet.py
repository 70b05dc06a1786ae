"""An ESP packet on its way between the two ends: outer IP header, ports where it is in UDP, and the ESP octets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipsecbench.errors import MalformedError
from ipsecbench.esp.configuration import UdpEncapsulation
from ipsecbench.wire.fragments import fragments_of
from ipsecbench.wire.ip import LARGEST_PACKET_BYTES, IpHeader, IpPacket, Protocol, parse_ip
from ipsecbench.wire.udp import UdpDatagram, encode_udp, parse_udp


@dataclass(frozen=True, slots=True)
class OuterPacket:
    """What is sent to and received from the outside.

    Who sends it through a socket takes the parts (a UDP socket: :attr:`content` to ``header.destination``, with the
    header's Traffic Class and DF); who writes whole IP packets takes :meth:`packets`.
    """

    header: IpHeader
    """The outer IP header; its protocol is that of :attr:`encapsulation`, whatever stands there."""
    content: bytes
    """ESP from SPI to ICV; in UDP also a keep-alive or an IKE message with its non-ESP marker."""
    encapsulation: UdpEncapsulation | None = None
    """Ports of sender and receiver, where it is in UDP."""
    path_mtu_bytes: int = LARGEST_PACKET_BYTES
    """Beyond this it goes as fragments."""

    def packet(self) -> IpPacket:
        """The outer IP packet, not fragmented.

        Raises:
            MalformedError: it is longer than IP or UDP can be.
        """
        if self.encapsulation is None:
            return IpPacket(replace(self.header, protocol=Protocol.ESP), self.content)
        header = replace(self.header, protocol=Protocol.UDP)
        datagram = UdpDatagram(self.encapsulation.source_port, self.encapsulation.destination_port, self.content)
        # RFC 3948 section 2.1: over IPv4 the checksum is zero, which IPv6 does not allow.
        return IpPacket(header, encode_udp(header, datagram, checksum=header.version == 6))

    def packets(self) -> list[bytes]:
        """The outer IP packets: one, or its fragments where it does not fit the path.

        Raises:
            MalformedError: it is longer than IP or UDP can be.
        """
        return fragments_of(self.packet(), self.path_mtu_bytes)


def parse_outer(octets: bytes) -> OuterPacket:
    """An IP packet from the outside that carries ESP, itself or in UDP.

    Raises:
        MalformedError: it does not parse, is a fragment, or carries neither ESP nor UDP.
    """
    packet = parse_ip(octets)
    header = packet.header
    if header.is_fragment:
        raise MalformedError("a fragment of an outer packet: it is put together before it comes here")
    if header.protocol == Protocol.ESP:
        return OuterPacket(header, packet.payload)
    if header.protocol == Protocol.UDP:
        datagram = parse_udp(packet.payload)
        return OuterPacket(header, datagram.payload, UdpEncapsulation(datagram.source_port, datagram.destination_port))
    raise MalformedError(f"protocol {header.protocol} is neither ESP nor UDP")
