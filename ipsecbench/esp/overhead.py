"""How long an ESP packet is: RFC 4303 section 2 with the IV and ICV of each transform's own RFC.

::

    outer IP (20 or 40) | UDP (8) | SPI, sequence number (8) | IV | inner | padding | pad length, Next Header (2) | ICV
                          NAT-T                                   `------ multiple of the alignment -----'

UDP stands there with NAT traversal only (RFC 3948). In tunnel mode the inner packet is protected whole; in transport
mode its own IP header becomes the outer one. Nothing here knows of IP options, extension headers or TFC padding.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.errors import UsageError

ESP_HEADER_BYTES = 8
"""SPI and sequence number (RFC 4303 sections 2.1 and 2.2); only the low half of an ESN travels."""
ESP_TRAILER_BYTES = 2
"""Pad length and Next Header (RFC 4303 sections 2.5 and 2.6)."""
UDP_HEADER_BYTES = 8
TCP_HEADER_BYTES = 20
IP_HEADER_BYTES = {"ipv4": 20, "ipv6": 40}
"""Octets of an IP header without options or extension headers."""


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """How the ESP packet travels."""

    mode: str = "tunnel"
    """``tunnel`` or ``transport``."""
    outer: str = "ipv4"
    """The IP header outside ESP: ``ipv4`` or ``ipv6``."""
    nat_traversal: bool = False
    """Whether ESP is carried in UDP (RFC 3948)."""

    def __post_init__(self) -> None:
        """Refuse unknown words.

        Raises:
            UsageError: the mode or the outer header is unknown.
        """
        if self.mode not in ("tunnel", "transport"):
            raise UsageError(f"mode {self.mode!r}: it is 'tunnel' or 'transport'")
        if self.outer not in IP_HEADER_BYTES:
            raise UsageError(f"outer header {self.outer!r}: it is 'ipv4' or 'ipv6'")

    @property
    def ip_header_bytes(self) -> int:
        """Octets of the outer IP header."""
        return IP_HEADER_BYTES[self.outer]

    @property
    def unprotected_inner_bytes(self) -> int:
        """Octets of the inner packet that ESP does not protect: its IP header in transport mode."""
        return self.ip_header_bytes if self.mode == "transport" else 0

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
    protected = inner_bytes - outside.unprotected_inner_bytes
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
    protected = largest_payload_bytes(suite, link_mtu_bytes - outside.header_bytes)
    if protected <= 0:
        raise UsageError(f"a link MTU of {link_mtu_bytes} octets has no room for {suite.name}; give a larger one")
    return protected + outside.unprotected_inner_bytes


def overhead_bytes(suite: EspSuite, inner_bytes: int, encapsulation: Encapsulation | None = None) -> int:
    """Octets that the suite adds to an inner packet."""
    return wire_bytes(suite, inner_bytes, encapsulation) - inner_bytes


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
