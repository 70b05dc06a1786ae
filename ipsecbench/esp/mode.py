"""The mode of an SA."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What of a packet ESP protects (RFC 4301 section 3.2)."""

    TUNNEL = "tunnel"
    """Whole packets inside."""
    TRANSPORT = "transport"
    """Payload of packets between the two ends themselves."""
