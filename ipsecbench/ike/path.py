"""Where datagrams come from and go to."""

from __future__ import annotations

from typing import NamedTuple


class Address(NamedTuple):
    """One end: IP address and UDP port."""

    host: str
    """IP address as text, without a zone."""
    port: int
    """UDP port."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Path(NamedTuple):
    """Both ends, seen from here."""

    local: Address
    """This end."""
    remote: Address
    """The peer, or the NAT in front of it."""


class Datagram(NamedTuple):
    """One UDP datagram to send."""

    path: Path
    """From where and to where."""
    data: bytes
    """Its payload."""
