"""Path MTU (RFC 4301 section 8): what an inner sender is told, and what the outside tells.

A packet that must not be fragmented and whose ESP packet would not fit the path is dropped, and its sender is told the
largest size that fits: ICMP "fragmentation needed and DF set" (RFC 792, RFC 1191), ICMPv6 "Packet Too Big" (RFC 4443).
The message comes from the address that the packet was for: the packet's route leads there through this host, so that
no check of source addresses takes offence.

What ICMP from the outside says is believed as far as it can be: it must quote a packet that an SA here has sent, only
makes the path smaller, not below what the IP version guarantees, and is forgotten after ten minutes (RFC 1191).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ipsecbench.errors import MalformedError
from ipsecbench.esp.configuration import UdpEncapsulation
from ipsecbench.wire.fragments import SMALLEST_IPV6_MTU_BYTES
from ipsecbench.wire.ip import (
    IPV4_HEADER_BYTES,
    IPV6_HEADER_BYTES,
    IpHeader,
    IpPacket,
    Protocol,
    internet_checksum,
    parse_ip,
    pseudo_header,
)
from ipsecbench.wire.udp import UDP_HEADER_BYTES, with_transport_checksum

SMALLEST_PATH_MTU_BYTES = {4: 576, 6: SMALLEST_IPV6_MTU_BYTES}
"""What the outside cannot push a path below. IPv4 paths smaller than 576 exist in theory only."""
FORGET_SECONDS = 600.0
"""After so long a path may have become larger again (RFC 1191 section 6.3)."""
MESSAGES_PER_SECOND = 100.0
"""Most messages to inner senders (RFC 4443 section 2.4 f wants a limit)."""

_MESSAGE_HEADER_BYTES = 8
_LARGEST_MESSAGE_BYTES = {4: 576, 6: SMALLEST_IPV6_MTU_BYTES}
_UNREACHABLE, _FRAGMENTATION_NEEDED = 3, 4
_PACKET_TOO_BIG = 2
_ICMP_ERRORS = (3, 4, 5, 11, 12)
_FIRST_ICMPV6_QUERY = 128


class PathMtu:
    """The largest outer packet of one SA's path.

    Args:
        configured_bytes: what it is unless the outside says less.
    """

    __slots__ = ("_configured_bytes", "_forget_at", "_learned_bytes")

    def __init__(self, configured_bytes: int) -> None:
        self._configured_bytes = configured_bytes
        self._learned_bytes = configured_bytes
        self._forget_at = 0.0

    def current(self, now: float) -> int:
        """The octets."""
        if now >= self._forget_at:
            self._learned_bytes = self._configured_bytes
        return self._learned_bytes

    def learn(self, mtu_bytes: int, version: int, now: float) -> None:
        """The outside says what fits; it may only be less than before."""
        believed = max(mtu_bytes, SMALLEST_PATH_MTU_BYTES[version])
        if believed < self.current(now):
            self._learned_bytes = believed
            self._forget_at = now + FORGET_SECONDS


class MessageLimit:
    """A bucket of permissions to send an ICMP message, full at first."""

    __slots__ = ("_filled_at", "_left")

    def __init__(self) -> None:
        self._left = MESSAGES_PER_SECOND
        self._filled_at = float("-inf")

    def take(self, now: float) -> bool:
        """Whether a message may be sent now."""
        self._left = min(MESSAGES_PER_SECOND, self._left + max(0.0, now - self._filled_at) * MESSAGES_PER_SECOND)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def too_big_message(packet: IpPacket, octets: bytes, mtu_bytes: int) -> bytes | None:
    """The ICMP packet that tells a sender what fits; None where none may be sent (RFC 1122 section 3.2.2, RFC 4443).

    Args:
        packet: the packet that does not fit.
        octets: the same packet as it came.
        mtu_bytes: octets of the largest one that fits.
    """
    header = packet.header
    if header.fragment_offset_bytes or not _may_be_told(packet):
        return None
    room = _LARGEST_MESSAGE_BYTES[header.version] - _MESSAGE_HEADER_BYTES
    if header.version == 4:
        quoted = octets[: room - IPV4_HEADER_BYTES]
        head = struct.pack(">BBHHH", _UNREACHABLE, _FRAGMENTATION_NEEDED, 0, 0, mtu_bytes)
        checksum = internet_checksum(head + quoted)
        message = head[:2] + checksum.to_bytes(2) + head[4:] + quoted
        return IpHeader(header.destination, header.source, Protocol.ICMP).encode(message)
    quoted = octets[: room - IPV6_HEADER_BYTES]
    reply = IpHeader(header.destination, header.source, Protocol.ICMPV6)
    message = struct.pack(">BBHI", _PACKET_TOO_BIG, 0, 0, mtu_bytes) + quoted
    return reply.encode(with_transport_checksum(reply, Protocol.ICMPV6, message))


def _may_be_told(packet: IpPacket) -> bool:
    """Whether neither address is a group or nobody, and the packet is no ICMP error itself."""
    header = packet.header
    for address in (header.source, header.destination):
        if not any(address) or address[0] == 0xFF or (len(address) == 4 and address[0] >= 224):
            return False
    kind = packet.payload[0] if packet.payload else 0
    if header.protocol == Protocol.ICMP:
        return kind not in _ICMP_ERRORS
    return header.protocol != Protocol.ICMPV6 or kind >= _FIRST_ICMPV6_QUERY


@dataclass(frozen=True, slots=True)
class TooBig:
    """What ICMP from the outside says about an ESP packet that was sent from here."""

    mtu_bytes: int
    """Octets that fit where the packet got stuck."""
    destination: bytes
    """Where the packet was going."""
    spi: int | None
    """Its SPI; None where only the UDP header before it is quoted."""
    sequence_low: int | None
    """Low half of its sequence number."""
    encapsulation: UdpEncapsulation | None
    """Its ports, where it is in UDP."""


def parse_too_big(octets: bytes) -> TooBig | None:
    """Read an ICMP packet from the outside; None where it is about something else.

    Raises:
        MalformedError: it does not parse, or its checksum is wrong.
    """
    packet = parse_ip(octets)
    header, message = packet.header, packet.payload
    if len(message) < _MESSAGE_HEADER_BYTES or header.is_fragment:
        raise MalformedError("ICMP: cut off")
    if header.protocol == Protocol.ICMP and message[:2] == bytes((_UNREACHABLE, _FRAGMENTATION_NEEDED)):
        covered, mtu_bytes = message, int.from_bytes(message[6:8])
    elif header.protocol == Protocol.ICMPV6 and message[0] == _PACKET_TOO_BIG:
        covered = pseudo_header(header.source, header.destination, Protocol.ICMPV6, len(message)) + message
        mtu_bytes = int.from_bytes(message[4:8])
    else:
        return None
    if internet_checksum(covered):
        raise MalformedError("ICMP: wrong checksum")
    return _quoted(message[_MESSAGE_HEADER_BYTES:], header.version, mtu_bytes)


def _quoted(octets: bytes, version: int, mtu_bytes: int) -> TooBig | None:
    header_bytes = IPV4_HEADER_BYTES if version == 4 else IPV6_HEADER_BYTES
    if len(octets) < header_bytes or octets[0] >> 4 != version:
        raise MalformedError("ICMP: the quoted packet is cut off")
    total = int.from_bytes(octets[2:4]) if version == 4 else IPV6_HEADER_BYTES + int.from_bytes(octets[4:6])
    # What is not quoted is filled up, so that the one parser reads it; how much is there is counted apart.
    packet = parse_ip(octets.ljust(total, b"\0"))
    header = packet.header
    content, there = packet.payload, len(octets) - header.header_bytes
    encapsulation = None
    if header.protocol == Protocol.UDP and there >= UDP_HEADER_BYTES:
        encapsulation = UdpEncapsulation(int.from_bytes(content[:2]), int.from_bytes(content[2:4]))
        content, there = content[UDP_HEADER_BYTES:], there - UDP_HEADER_BYTES
    elif header.protocol != Protocol.ESP or there < 8:
        return None
    spi, sequence = (int.from_bytes(content[:4]), int.from_bytes(content[4:8])) if there >= 8 else (None, None)
    return TooBig(mtu_bytes, header.destination, spi, sequence, encapsulation)
