"""The header of every IKE message, the same in both versions (RFC 7296 section 3.1, RFC 2408 section 3.1).

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    |                IKE SA Initiator's SPI (cookie)                |
    |                                                               |
    |                IKE SA Responder's SPI (cookie)                |
    |                                                               |
    | Next Payload  | MjVer | MnVer | Exchange Type |     Flags     |
    |                          Message ID                           |
    |                            Length                             |
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ipsecbench.errors import MalformedError

HEADER_BYTES = 28
"""Octets of the header."""
ZERO_SPI = bytes(8)
"""What stands for a responder's SPI that is not known yet."""

_HEADER = struct.Struct(">8s8sBBBBII")


@dataclass(frozen=True, slots=True)
class IkeHeader:
    """One header."""

    spi_i: bytes
    """IKE SA initiator's SPI; the initiator cookie of IKEv1. 8 octets."""
    spi_r: bytes
    """IKE SA responder's SPI; the responder cookie of IKEv1. 8 octets, zero in the first message."""
    next_payload: int
    """Type of the first payload."""
    major: int
    """Major version: 1 or 2."""
    minor: int
    """Minor version."""
    exchange_type: int
    """Exchange Type."""
    flags: int
    """Flags; their bits differ between the versions."""
    message_id: int
    """Message ID."""
    length: int
    """Octets of the whole message."""

    def completed(self, next_payload: int, length: int) -> IkeHeader:
        """The same header with what is known once the message is written."""
        return IkeHeader(
            self.spi_i,
            self.spi_r,
            next_payload,
            self.major,
            self.minor,
            self.exchange_type,
            self.flags,
            self.message_id,
            length,
        )

    def encode(self) -> bytes:
        """The 28 octets."""
        return _HEADER.pack(
            self.spi_i,
            self.spi_r,
            self.next_payload,
            self.major << 4 | self.minor,
            self.exchange_type,
            self.flags,
            self.message_id,
            self.length,
        )


def parse_header(message: bytes) -> IkeHeader:
    """The header of a whole message.

    Raises:
        MalformedError: the message is shorter than a header, or its length field is not its length.
    """
    if len(message) < HEADER_BYTES:
        raise MalformedError(f"IKE header: {len(message)} octets, fewer than {HEADER_BYTES}")
    spi_i, spi_r, next_payload, version, exchange_type, flags, message_id, length = _HEADER.unpack_from(message)
    if length != len(message):
        raise MalformedError(f"IKE header: it says {length} octets, the datagram has {len(message)}")
    return IkeHeader(spi_i, spi_r, next_payload, version >> 4, version & 15, exchange_type, flags, message_id, length)
