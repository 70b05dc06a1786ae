"""What goes into ESP: an inner packet, in the mode and layering of its SA (RFC 4303 section 3.1, RFC 4301 section 5.1).

An inner packet becomes one ESP packet, or several where it is fragmented before, or none and an ICMP message to its
sender where it neither fits the path nor may be fragmented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ipsecbench.errors import DroppedError
from ipsecbench.esp.configuration import Fragmentation, Layering, SaConfiguration
from ipsecbench.esp.layering import gre_encapsulated, next_header_of
from ipsecbench.esp.mode import GRE_HEADER_BYTES, Mode
from ipsecbench.esp.outer_header import forbids_fragments, outer_header
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.overhead import IP_HEADER_BYTES, UDP_HEADER_BYTES, largest_payload_bytes
from ipsecbench.esp.security_association import OutboundSa
from ipsecbench.wire.fragments import SMALLEST_IPV4_MTU_BYTES, SMALLEST_IPV6_MTU_BYTES, fragments_of
from ipsecbench.wire.ip import LARGEST_PACKET_BYTES, IpHeader, IpPacket, Protocol, parse_ip, split_for_transport


@dataclass(frozen=True, slots=True)
class Content:
    """What one ESP packet carries."""

    header: IpHeader
    """The IP header outside."""
    payload: bytes
    next_header: int
    """What the payload is."""
    carried_bytes: int
    """Octets of the inner packet."""


class TooBigError(DroppedError):
    """The packet does not fit the path, and its sender does not want it fragmented.

    Attributes:
        mtu_bytes: octets of the largest inner packet that fits.
    """

    def __init__(self, mtu_bytes: int) -> None:
        super().__init__("XfrmOutStateModeError", f"the packet does not fit: {mtu_bytes} octets would")
        self.mtu_bytes = mtu_bytes


def is_tunnel(sa: SaConfiguration) -> bool:
    """Whether whole packets are inside: in tunnel mode, and with a layering in transport mode."""
    return sa.mode is Mode.TUNNEL or sa.layering is not Layering.NONE


def inner_mtu(sa: SaConfiguration, path_mtu_bytes: int, header_bytes: int) -> int:
    """Octets of the largest inner packet that fits the path.

    Args:
        sa: the SA.
        path_mtu_bytes: octets of the largest outer packet.
        header_bytes: octets of the packet's header that stay outside, in transport mode without layering.
    """
    outside = IP_HEADER_BYTES["ipv6" if ":" in sa.source else "ipv4"] if is_tunnel(sa) else header_bytes
    udp = UDP_HEADER_BYTES if sa.encapsulation else 0
    payload = largest_payload_bytes(sa.suite, path_mtu_bytes - outside - udp)
    if sa.layering is Layering.GRE:
        return payload - GRE_HEADER_BYTES
    return payload if is_tunnel(sa) else payload + header_bytes


def contents_of(
    sa: SaConfiguration, packet: IpPacket, octets: bytes, path_mtu_bytes: int, identification: Callable[[], int]
) -> list[Content]:
    """What the ESP packets of an inner packet carry.

    Args:
        sa: the outbound SA.
        packet: the inner packet; in transport mode a whole one.
        octets: the same, as it came.
        path_mtu_bytes: octets of the largest outer packet.
        identification: gives the Identification of a new IP packet.

    Raises:
        TooBigError: it does not fit, and its sender is to be told.
        MalformedError: it is a fragment behind what IP can count, and is not fragmented again.
    """
    if not is_tunnel(sa):
        return [_transport_content(sa, packet, path_mtu_bytes)]
    mtu = inner_mtu(sa, path_mtu_bytes, 0)
    if len(octets) <= mtu:
        return [_tunnel_content(sa, packet.header, octets, identification())]
    return _too_long_contents(sa, packet, octets, mtu, identification)


def _too_long_contents(
    sa: SaConfiguration, packet: IpPacket, octets: bytes, mtu: int, identification: Callable[[], int]
) -> list[Content]:
    inner, forbidden = packet.header, forbids_fragments(sa.dont_fragment, packet.header)
    if inner.version == 4 and not inner.dont_fragment and (forbidden or sa.fragmentation is Fragmentation.BEFORE):
        return [
            _tunnel_content(sa, parse_ip(piece).header, piece, identification())
            for piece in fragments_of(packet, max(mtu, SMALLEST_IPV4_MTU_BYTES))
        ]
    if inner.version == 6 and len(octets) <= SMALLEST_IPV6_MTU_BYTES:
        # Every IPv6 link takes 1280 octets (RFC 8200 section 5): the outer packet is fragmented (RFC 2473 section 7.1).
        forbidden = False
    if forbidden:
        raise TooBigError(max(mtu, SMALLEST_IPV4_MTU_BYTES if inner.version == 4 else SMALLEST_IPV6_MTU_BYTES))
    content = _tunnel_content(sa, inner, octets, 0)
    header = replace(content.header, dont_fragment=False, identification=identification())
    return [replace(content, header=header)]


def _transport_content(sa: SaConfiguration, packet: IpPacket, path_mtu_bytes: int) -> Content:
    header, next_header, payload = split_for_transport(packet)
    mtu = inner_mtu(sa, path_mtu_bytes, header.header_bytes)
    if packet.total_bytes > mtu and (header.dont_fragment or header.version == 6):
        raise TooBigError(max(mtu, SMALLEST_IPV4_MTU_BYTES if header.version == 4 else SMALLEST_IPV6_MTU_BYTES))
    return Content(header, payload, next_header, packet.total_bytes)


def _tunnel_content(sa: SaConfiguration, inner: IpHeader, octets: bytes, identification: int) -> Content:
    header = outer_header(sa, inner, identification)
    if sa.layering is Layering.GRE:
        return Content(header, gre_encapsulated(octets, inner.version), Protocol.GRE, len(octets))
    return Content(header, octets, next_header_of(inner.version), len(octets))


def sealed(sa: OutboundSa, content: Content, path_mtu_bytes: int, now: float) -> OuterPacket:
    """The ESP packet with a content.

    Raises:
        DroppedError: see :meth:`OutboundSa.seal`; or it is longer than an IP packet can be.
    """
    configuration = sa.configuration
    udp = UDP_HEADER_BYTES if configuration.encapsulation else 0
    total = content.header.header_bytes + udp + sa.content_bytes(len(content.payload))
    # The length field of IPv6 does not count the fixed header; nobody needs those 40 octets.
    if total > LARGEST_PACKET_BYTES:
        raise DroppedError("XfrmOutError", f"a packet of {total} octets is longer than IP can carry")
    tfc = _tfc_padding_bytes(configuration, content, path_mtu_bytes - content.header.header_bytes - udp)
    esp = sa.seal(content.payload, content.next_header, content.carried_bytes, now, tfc)
    return OuterPacket(content.header, esp, configuration.encapsulation, path_mtu_bytes)


def _tfc_padding_bytes(sa: SaConfiguration, content: Content, room_bytes: int) -> int:
    """Octets of TFC padding: where whole IP packets are inside, whose own length tells it apart, as far as they fit."""
    if not sa.tfc_bytes or content.next_header not in (Protocol.IPV4, Protocol.IPV6, Protocol.GRE) or not is_tunnel(sa):
        return 0
    wanted = min(sa.tfc_bytes, largest_payload_bytes(sa.suite, room_bytes))
    return max(0, wanted - len(content.payload))
