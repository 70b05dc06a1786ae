"""The octets of an ESP packet (RFC 4303 section 2), without its cryptography.

::

    | SPI (4) | sequence number (4) | IV | payload | TFC padding | padding | pad length (1) | Next Header (1) | ICV |
                                         `------------------ the plaintext of the transform ---------------'
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ipsecbench.errors import MalformedError, RejectedError
from ipsecbench.esp.overhead import ESP_HEADER_BYTES, ESP_TRAILER_BYTES

SMALLEST_SPI = 256
"""Smaller ones are reserved (RFC 4303 section 2.1), and 0 says in UDP that IKE follows (RFC 3948 section 2.2)."""

_HEADER = struct.Struct(">II")
_PADDING = bytes(range(1, 256))


@dataclass(frozen=True, slots=True)
class EspHeader:
    """What every ESP packet begins with."""

    spi: int
    """Security Parameters Index."""
    sequence_low: int
    """The low half of the sequence number; the high half does not travel."""


def parse_esp_header(packet: bytes) -> EspHeader:
    """The header of an ESP packet.

    Raises:
        MalformedError: the packet is shorter.
    """
    if len(packet) < ESP_HEADER_BYTES:
        raise MalformedError(f"ESP: {len(packet)} octets are less than a header")
    return EspHeader(*_HEADER.unpack_from(packet))


def padded(payload: bytes, next_header: int, align_bytes: int, tfc_padding_bytes: int = 0) -> bytes:
    """Payload and trailer: what a transform encrypts.

    Args:
        payload: what is carried.
        next_header: protocol of the payload.
        align_bytes: what the result is a multiple of.
        tfc_padding_bytes: zero octets after the payload that only the payload's own length tells apart from it
            (RFC 4303 section 2.7).
    """
    filled = payload + bytes(tfc_padding_bytes)
    padding_bytes = -(len(filled) + ESP_TRAILER_BYTES) % align_bytes
    return filled + _PADDING[:padding_bytes] + bytes((padding_bytes, next_header))


def unpadded(plaintext: bytes) -> tuple[bytes, int]:
    """Payload (with TFC padding, if any) and Next Header of what a transform decrypted.

    Raises:
        RejectedError: the padding is not 1, 2, 3, … (RFC 4303 section 2.4), or longer than the packet.
    """
    if len(plaintext) < ESP_TRAILER_BYTES:
        raise RejectedError("ESP: no room for a trailer")
    padding_bytes, next_header = plaintext[-2:]
    end = len(plaintext) - ESP_TRAILER_BYTES - padding_bytes
    if end < 0 or plaintext[end:-ESP_TRAILER_BYTES] != _PADDING[:padding_bytes]:
        raise RejectedError("ESP: wrong padding")
    return plaintext[:end], next_header
