"""The mode of an SA, and what may lie between it and the packets."""

from __future__ import annotations

from enum import StrEnum

GRE_HEADER_BYTES = 4
"""Without key, checksum and sequence number."""


class Mode(StrEnum):
    """What of a packet ESP protects (RFC 4301 section 3.2)."""

    TUNNEL = "tunnel"
    """Whole packets inside."""
    TRANSPORT = "transport"
    """Payload of packets between the two ends themselves."""


class Layering(StrEnum):
    """What the data plane puts between the packet from the TUN device and ESP in transport mode."""

    NONE = "none"
    """Nothing: the packet itself is protected."""
    GRE = "gre"
    """GRE (RFC 2784) between the two ends: four octets without key, checksum or sequence number."""
    IPIP = "ipip"
    """IP in IP (RFC 2003, RFC 4213) between the two ends; on the wire the same as tunnel mode (RFC 3884)."""
