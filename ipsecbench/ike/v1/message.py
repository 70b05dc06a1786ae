"""Whole messages of IKEv1: the chain of payloads behind the header (RFC 2408 sections 2.4 and 3.2).

Every payload keeps its octets as they were received, because hashes cover them. An encrypted message is one string of
octets until somebody with the right key decrypts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ipsecbench.errors import MalformedError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader
from ipsecbench.ike.v1.identifiers import Flag, NotifyType, PayloadType
from ipsecbench.ike.v1.payloads import Payload, decode_payload
from ipsecbench.ike.v1.proposals import SaPayload
from ipsecbench.wire.cursor import Reader

MAX_PAYLOADS = 64
"""More payloads than this make a message malformed."""
_GENERIC_BYTES = 4

AnyPayload = Payload | SaPayload
_P = TypeVar("_P")


@dataclass(frozen=True, slots=True)
class Received:
    """One payload of a received message."""

    payload_type: int
    """Payload type."""
    body: bytes
    """Its octets without the generic header, as received."""
    payload: AnyPayload
    """What they mean."""


@dataclass(frozen=True, slots=True)
class Message:
    """The payloads of one received message, in the clear."""

    header: IkeHeader
    """Its header."""
    payloads: tuple[Received, ...]
    """The payloads in their order."""
    octets: bytes
    """What the payloads were read from, decrypted, with the padding."""

    @property
    def types(self) -> tuple[int, ...]:
        """The types of the payloads in their order."""
        return tuple(each.payload_type for each in self.payloads)

    def first(self, payload_type: int) -> Received | None:
        """The first payload of a type."""
        return next((each for each in self.payloads if each.payload_type == payload_type), None)

    def all(self, kind: type[_P]) -> list[_P]:
        """All payloads of a class."""
        return [each.payload for each in self.payloads if isinstance(each.payload, kind)]

    def octets_after_first(self) -> bytes:
        """The octets between the first payload and the padding, generic headers included: what HASH covers."""
        skipped = _GENERIC_BYTES + len(self.payloads[0].body)
        return self.octets[skipped : sum(_GENERIC_BYTES + len(each.body) for each in self.payloads)]


def payload_type_of(payload: AnyPayload) -> int:
    """The type by which a payload is announced."""
    return PayloadType.SA if isinstance(payload, SaPayload) else payload.payload_type


def encode_payloads(payloads: Sequence[AnyPayload]) -> bytes:
    """The chain of payloads with generic headers. Its first type stands in the message's header."""
    parts = []
    for index, payload in enumerate(payloads):
        following = payload_type_of(payloads[index + 1]) if index + 1 < len(payloads) else PayloadType.NONE
        body = payload.encode()
        parts.append(bytes([following, 0]) + (_GENERIC_BYTES + len(body)).to_bytes(2) + body)
    return b"".join(parts)


def decode_payloads(header: IkeHeader, octets: bytes, padded: bool) -> Message:
    """The payloads of a message in the clear.

    Args:
        header: the message's header.
        octets: everything behind the header, decrypted.
        padded: whether the octets were encrypted, so that padding may follow the last payload.

    Raises:
        MalformedError: a payload does not parse, there are too many, or octets are left over.
        ProtocolError: an SA payload is not for IPsec.
    """
    reader = Reader(octets, "message")
    found: list[Received] = []
    following = header.next_payload
    while following != PayloadType.NONE:
        if len(found) == MAX_PAYLOADS:
            raise MalformedError(f"message: more than {MAX_PAYLOADS} payloads", NotifyType.PAYLOAD_MALFORMED)
        current, following = following, reader.u8()
        reserved = reader.u8()
        length = reader.u16()
        # RFC 2408 section 5.3 wants RESERVED to be zero; it is also what first shows that a key was wrong.
        if reserved or length < _GENERIC_BYTES:
            raise MalformedError(
                f"payload {current}: {length} octets, reserved {reserved}", NotifyType.PAYLOAD_MALFORMED
            )
        body = reader.octets(length - _GENERIC_BYTES)
        found.append(Received(current, body, decode_payload(current, body)))
    if not padded:
        reader.finish()
    if not found:
        raise MalformedError("message: it has no payload", NotifyType.INVALID_PAYLOAD_TYPE)
    return Message(header, tuple(found), octets)


def body_of(message: bytes) -> bytes:
    """What follows the header."""
    return message[HEADER_BYTES:]


def encode_message(
    spi_i: bytes,
    spi_r: bytes,
    exchange_type: int,
    message_id: int,
    payloads: Sequence[AnyPayload],
) -> bytes:
    """A message in the clear."""
    return frame(
        spi_i, spi_r, payload_type_of(payloads[0]), exchange_type, Flag(0), message_id, encode_payloads(payloads)
    )


def frame(
    spi_i: bytes,
    spi_r: bytes,
    next_payload: int,
    exchange_type: int,
    flags: Flag,
    message_id: int,
    body: bytes,
) -> bytes:
    """A body behind its header, major version 1, minor version 0."""
    length = HEADER_BYTES + len(body)
    return IkeHeader(spi_i, spi_r, next_payload, 1, 0, exchange_type, flags, message_id, length).encode() + body
