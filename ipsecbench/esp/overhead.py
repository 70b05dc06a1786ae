"""How long an ESP packet is: RFC 4303 section 2 with the IV and ICV of each transform's own RFC.

::

    outer IP (20 or 40) | UDP (8) | SPI, sequence number (8) | IV | inner | padding | pad length, Next Header (2) | ICV
                          NAT-T                                   `------ multiple of the alignment -----'

UDP stands there with NAT traversal only (RFC 3948). In tunnel mode the inner packet is protected whole; in transport
mode its own IP header becomes the outer one. Layered over transport mode, IP in IP (RFC 2003) takes what tunnel mode
takes, and GRE (RFC 2784, without key, checksum and sequence number) four octets more. Nothing here knows of IP options,
extension headers or TFC padding.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.errors import UsageError
from ipsecbench.esp.mode import GRE_HEADER_BYTES, Layering

ESP_HEADER_BYTES = 8
"""SPI and sequence number (RFC 4303 sections 2.1 and 2.2); only the low half of an ESN travels."""
ESP_TRAILER_BYTES = 2
"""Pad length and Next Header (RFC 4303 sections 2.5 and 2.6)."""
UDP_HEADER_BYTES = 8
TCP_HEADER_BYTES = 20
IP_HEADER_BYTES = {"ipv4": 20, "ipv6": 40}
"""Octets of an IP header without options or extension headers."""
IPV6_LEAST_MTU_BYTES = 1280
"""What every link that carries IPv6 takes in one packet (RFC 8200 section 5)."""
ETHERNET_BYTES = 14 + 4 + 8 + 12
"""Header, FCS, preamble with start delimiter, and gap (IEEE 802.3)."""
ETHERNET_LEAST_PAYLOAD_BYTES = 46


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """How the ESP packet travels."""

    mode: str = "tunnel"
    """``tunnel`` or ``transport``."""
    outer: str = "ipv4"
    """The IP header outside ESP: ``ipv4`` or ``ipv6``."""
    nat_traversal: bool = False
    """Whether ESP is carried in UDP (RFC 3948)."""
    layering: Layering = Layering.NONE
    """What stands between the inner packet and ESP, in transport mode only."""

    def __post_init__(self) -> None:
        """Refuse unknown words.

        Raises:
            UsageError: the mode or the outer header is unknown, or there is a layering in tunnel mode.
        """
        if self.mode not in ("tunnel", "transport"):
            raise UsageError(f"mode {self.mode!r}: it is 'tunnel' or 'transport'")
        if self.outer not in IP_HEADER_BYTES:
            raise UsageError(f"outer header {self.outer!r}: it is 'ipv4' or 'ipv6'")
        if self.layering is not Layering.NONE and self.mode != "transport":
            raise UsageError(f"{self.layering} is layered over transport mode")

    @classmethod
    def carrying(cls, mode: str, outer: str = "ipv4", nat_traversal: bool = False) -> Encapsulation:
        """How inner packets travel in a mode that may be layered.

        Args:
            mode: ``tunnel``, ``transport``, ``gre`` or ``ipip``; the last two over transport mode.
            outer: the IP header outside ESP.
            nat_traversal: whether ESP is carried in UDP.

        Raises:
            UsageError: a word is unknown.
        """
        if mode in (Layering.GRE, Layering.IPIP):
            return cls("transport", outer, nat_traversal, Layering(mode))
        return cls(mode, outer, nat_traversal)

    @property
    def ip_header_bytes(self) -> int:
        """Octets of the outer IP header."""
        return IP_HEADER_BYTES[self.outer]

    @property
    def unprotected_inner_bytes(self) -> int:
        """Octets of the inner packet that ESP does not protect: its IP header in transport mode without a layering."""
        return self.ip_header_bytes if self.mode == "transport" and self.layering is Layering.NONE else 0

    @property
    def layer_bytes(self) -> int:
        """Octets that a layering puts before the inner packet, within ESP; the IP header of the layering is outside."""
        return GRE_HEADER_BYTES if self.layering is Layering.GRE else 0

    @property
    def header_bytes(self) -> int:
        """Octets before the ESP header: the outer IP header and, with NAT traversal, that of UDP."""
        return self.ip_header_bytes + (UDP_HEADER_BYTES if self.nat_traversal else 0)


def sealed_bytes(suite: EspSuite, payload_bytes: int) -> int:
    """Octets of an ESP packet from SPI to ICV.

    Args:
        suite: the ESP suite.
        payload_bytes: octets that it carries, TFC padding included.
    """
    align = suite.encryption.pad_align_bytes
    padded = -(-(payload_bytes + ESP_TRAILER_BYTES) // align) * align
    return ESP_HEADER_BYTES + suite.encryption.iv_bytes + padded + suite.icv_bytes


def largest_payload_bytes(suite: EspSuite, room_bytes: int) -> int:
    """Octets of the largest payload whose ESP packet, from SPI to ICV, fits a room; negative where none does."""
    align = suite.encryption.pad_align_bytes
    room = room_bytes - ESP_HEADER_BYTES - suite.encryption.iv_bytes - suite.icv_bytes
    return room // align * align - ESP_TRAILER_BYTES


def wire_bytes(suite: EspSuite, inner_bytes: int, encapsulation: Encapsulation | None = None) -> int:
    """Octets of the outer IP packet that carries an inner IP packet.

    Args:
        suite: the ESP suite.
        inner_bytes: octets of the inner packet, its IP header included.
        encapsulation: tunnel mode over IPv4 without UDP if None.

    Raises:
        UsageError: the inner packet is shorter than the IP header that transport mode takes out of it.
    """
    outside = encapsulation or Encapsulation()
    protected = inner_bytes - outside.unprotected_inner_bytes + outside.layer_bytes
    if protected < 0:
        raise UsageError(f"{inner_bytes} octets are no {outside.outer} packet: its header has more")
    return outside.header_bytes + sealed_bytes(suite, protected)


def inner_mtu_bytes(suite: EspSuite, link_mtu_bytes: int, encapsulation: Encapsulation | None = None) -> int:
    """Octets of the largest inner IP packet whose ESP packet fits the link.

    Args:
        suite: the ESP suite.
        link_mtu_bytes: MTU of the link that the outer packet leaves by.
        encapsulation: tunnel mode over IPv4 without UDP if None.

    Raises:
        UsageError: the link is too small for any packet of the suite.
    """
    outside = encapsulation or Encapsulation()
    protected = largest_payload_bytes(suite, link_mtu_bytes - outside.header_bytes) - outside.layer_bytes
    if protected <= 0:
        raise UsageError(f"a link MTU of {link_mtu_bytes} octets has no room for {suite.name}; give a larger one")
    return protected + outside.unprotected_inner_bytes


def overhead_bytes(suite: EspSuite, inner_bytes: int, encapsulation: Encapsulation | None = None) -> int:
    """Octets that the suite adds to an inner packet."""
    return wire_bytes(suite, inner_bytes, encapsulation) - inner_bytes


def fragment_bytes(inner_bytes: int, inner_mtu: int) -> tuple[int, ...]:
    """Octets of the IPv4 packets that an inner packet is cut into so that each fits (RFC 791): itself, if it does.

    Args:
        inner_bytes: octets of the inner packet, its header of 20 octets included.
        inner_mtu: octets of the largest inner packet that fits; at least 28.
    """
    if inner_bytes <= inner_mtu:
        return (inner_bytes,)
    header = IP_HEADER_BYTES["ipv4"]
    room = (inner_mtu - header) // 8 * 8
    whole, rest = divmod(inner_bytes - header, room)
    return (room + header,) * whole + ((rest + header,) if rest else ())


def ethernet_bytes(ip_bytes: int) -> int:
    """Octets of time that an IP packet takes on Ethernet, without a VLAN tag (IEEE 802.3).

    Header 14, FCS 4, preamble and start delimiter 8, gap 12; the payload is padded to 46.
    """
    return max(ip_bytes, ETHERNET_LEAST_PAYLOAD_BYTES) + ETHERNET_BYTES


def tcp_mss_bytes(inner_mtu: int, inner: str = "ipv4") -> int:
    """TCP maximum segment size for an inner MTU: without the IP and TCP headers, options not counted (RFC 6691).

    Args:
        inner_mtu: octets of the largest inner packet.
        inner: IP version inside: ``ipv4`` or ``ipv6``.

    Raises:
        UsageError: nothing is left for data.
    """
    mss = inner_mtu - IP_HEADER_BYTES[inner] - TCP_HEADER_BYTES
    if mss <= 0:
        raise UsageError(f"an inner MTU of {inner_mtu} octets leaves no room for TCP over {inner}; give a larger one")
    return mss


def goodput_ratio(suite: EspSuite, link_mtu_bytes: int, encapsulation: Encapsulation | None = None) -> float:
    """Octets of the largest inner packet per octet of link MTU: the share of a link that carries inner packets."""
    return inner_mtu_bytes(suite, link_mtu_bytes, encapsulation) / link_mtu_bytes
