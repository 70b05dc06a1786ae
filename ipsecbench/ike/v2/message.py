"""IKEv2 messages: chains of payloads behind the IKE header (RFC 7296 sections 3.1 and 3.2).

Parsing keeps what was received: the octets of the whole message, and the body of each payload. AUTH and the ICV are
computed over those and never over what would be written again. It judges form only; :mod:`validation` judges which
payloads an exchange must have.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from ipsecbench.errors import MalformedError, ProtocolError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader, parse_header
from ipsecbench.ike.v2 import payloads as kinds
from ipsecbench.ike.v2.identifiers import ExchangeType, Flags, NotifyType, PayloadType, name_of
from ipsecbench.ike.v2.payloads import Encrypted, EncryptedFragment, Notify, Payload, UnknownPayload

MAX_PAYLOADS = 256
"""A chain with more payloads than this is not parsed: no exchange has a use for as many."""
GENERIC_HEADER_BYTES = 4
"""Octets of the generic payload header."""
CRITICAL = 0x80
"""The C bit of the generic payload header."""
VERSION = 2
"""Major version."""

_GENERIC_HEADER = struct.Struct(">BBH")
_FRAGMENT_NUMBERS = struct.Struct(">HH")

PAYLOAD_CLASSES: Mapping[int, type[Payload]] = MappingProxyType(
    {
        int(kind.TYPE): kind
        for kind in (
            kinds.SecurityAssociation,
            kinds.KeyExchange,
            kinds.IdentificationInitiator,
            kinds.IdentificationResponder,
            kinds.Certificate,
            kinds.CertificateRequest,
            kinds.Authentication,
            kinds.Nonce,
            kinds.Notify,
            kinds.Delete,
            kinds.VendorId,
            kinds.TrafficSelectorsInitiator,
            kinds.TrafficSelectorsResponder,
            kinds.Configuration,
            kinds.Eap,
        )
    }
)
"""The class of each payload type whose body means something by itself; SK and SKF are no such types."""

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Once it is opened, its Encrypted payload is replaced by the payloads that were inside."""

    header: IkeHeader
    """Its header."""
    payloads: tuple[Payload, ...]
    """Its payloads in their order."""
    octets: bytes
    """The whole message as it was received or as it is sent; with fragments, the first of them."""
    bodies: tuple[bytes, ...]
    """Of each payload the octets after the generic header, as received."""
    protected: bool = False
    """Whether every payload here was inside an Encrypted payload whose ICV was right."""
    associated: bytes = b""
    """Of a protected message the octets up to and including the generic header of its Encrypted payload."""
    content: bytes = b""
    """Of a protected message the octets of its payloads, not encrypted."""

    @property
    def is_response(self) -> bool:
        """Whether it answers a request."""
        return bool(self.header.flags & Flags.RESPONSE)

    @property
    def from_initiator(self) -> bool:
        """Whether the original initiator of the IKE SA sent it."""
        return bool(self.header.flags & Flags.INITIATOR)

    @property
    def name(self) -> str:
        """For a log: exchange, direction and Message ID."""
        direction = "response" if self.is_response else "request"
        return f"{name_of(ExchangeType, self.header.exchange_type)} {direction} {self.header.message_id}"

    def all(self, kind: type[P]) -> tuple[P, ...]:
        """All payloads of a kind, in their order."""
        return tuple(payload for payload in self.payloads if isinstance(payload, kind))

    def first(self, kind: type[P]) -> P | None:
        """The first payload of a kind, if there is one."""
        return next((payload for payload in self.payloads if isinstance(payload, kind)), None)

    def one(self, kind: type[P]) -> P:
        """The payload of a kind, of which there must be exactly one.

        Raises:
            MalformedError: there is none, or more than one; to be answered with INVALID_SYNTAX.
        """
        found = self.all(kind)
        if len(found) != 1:
            raise MalformedError(
                f"{self.name}: {len(found)} {kind.__name__} payloads, not one", NotifyType.INVALID_SYNTAX
            )
        return found[0]

    def body(self, payload: Payload) -> bytes:
        """The body of one of the payloads as it was received, reserved bits included."""
        for candidate, body in zip(self.payloads, self.bodies, strict=True):
            if candidate is payload:
                return body
        return payload.encode()

    def notify(self, message_type: int) -> Notify | None:
        """The first Notify of a type, if there is one."""
        for payload in self.payloads:
            if isinstance(payload, Notify) and payload.message_type == message_type:
                return payload
        return None

    @property
    def error(self) -> Notify | None:
        """The first Notify that reports an error, if there is one."""
        return next((payload for payload in self.payloads if isinstance(payload, Notify) and payload.is_error), None)

    @property
    def encrypted(self) -> Encrypted | EncryptedFragment | None:
        """The Encrypted payload that is still sealed, which is always the last."""
        last = self.payloads[-1] if self.payloads else None
        return last if isinstance(last, Encrypted | EncryptedFragment) else None

    def opened(
        self, payloads: tuple[Payload, ...], bodies: tuple[bytes, ...], associated: bytes, content: bytes
    ) -> Message:
        """The message with what was inside its Encrypted payload; payloads outside of it are no longer there."""
        return Message(self.header, payloads, self.octets, bodies, True, associated, content)

    @property
    def intermediate_octets(self) -> bytes:
        """What a protected message of IKE_INTERMEDIATE adds to AUTH: IntAuth_*A | IntAuth_*P (RFC 9242 section 3.3.2).

        Both lengths are those of a message without Initialization Vector, padding and Integrity Checksum Data.
        """
        before, generic_header = self.associated[:-GENERIC_HEADER_BYTES], self.associated[-GENERIC_HEADER_BYTES:]
        length = len(self.associated) + len(self.content)
        payload_length = GENERIC_HEADER_BYTES + len(self.content)
        return b"".join(
            (
                before[: HEADER_BYTES - 4],
                length.to_bytes(4),
                before[HEADER_BYTES:],
                generic_header[:2],
                payload_length.to_bytes(2),
                self.content,
            )
        )


def parse_message(octets: bytes, header: IkeHeader | None = None) -> Message:
    """Take a message apart, up to and including a sealed Encrypted payload.

    Args:
        octets: the message, without a non-ESP marker.
        header: its header, where the caller has parsed it.

    Raises:
        MalformedError: it does not parse.
        ProtocolError: it has a critical payload that is not known here (UNSUPPORTED_CRITICAL_PAYLOAD).
    """
    if header is None:
        header = parse_header(octets)
    payloads, bodies = parse_chain(header.next_payload, octets, HEADER_BYTES)
    return Message(header, payloads, octets, bodies)


def parse_chain(first: int, octets: bytes, position: int = 0) -> tuple[tuple[Payload, ...], tuple[bytes, ...]]:
    """Take a chain of payloads apart that goes to the end of the octets.

    Args:
        first: type of the first payload.
        octets: a message, or what was inside an Encrypted payload.
        position: where the first generic header is.

    Returns:
        The payloads, and the body of each.

    Raises:
        MalformedError: the chain does not parse.
        ProtocolError: it has a critical payload that is not known here (UNSUPPORTED_CRITICAL_PAYLOAD).
    """
    payloads: list[Payload] = []
    bodies: list[bytes] = []
    end = len(octets)
    kind = first
    while kind:
        if position + GENERIC_HEADER_BYTES > end:
            raise MalformedError(f"payload of type {kind}: {end - position} octets are too few")
        if len(payloads) >= MAX_PAYLOADS:
            raise MalformedError(f"more than {MAX_PAYLOADS} payloads")
        following, flags, length = _GENERIC_HEADER.unpack_from(octets, position)
        next_position = position + length
        if length < GENERIC_HEADER_BYTES or next_position > end:
            raise MalformedError(f"payload of type {kind}: length {length}, {end - position} octets are there")
        body = octets[position + GENERIC_HEADER_BYTES : next_position]
        known = PAYLOAD_CLASSES.get(kind)
        if known is not None:
            payloads.append(known.decode(body))
        elif kind in (PayloadType.SK, PayloadType.SKF):
            payloads.append(_encrypted(kind, following, body))
            following = PayloadType.NO_NEXT_PAYLOAD
        elif flags & CRITICAL:
            raise ProtocolError(
                f"critical payload of the unknown type {kind}",
                NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
                bytes((kind,)),
            )
        else:
            payloads.append(UnknownPayload(kind, body))
        bodies.append(body)
        position, kind = next_position, following
    if position != end:
        raise MalformedError(f"{end - position} octets after the last payload")
    return tuple(payloads), tuple(bodies)


def _encrypted(kind: int, first: int, body: bytes) -> Encrypted | EncryptedFragment:
    if kind == PayloadType.SK:
        return Encrypted(first, body)
    if len(body) < _FRAGMENT_NUMBERS.size:
        raise MalformedError(f"Encrypted Fragment: {len(body)} octets are too few")
    number, total = _FRAGMENT_NUMBERS.unpack_from(body)
    return EncryptedFragment(first, number, total, body[_FRAGMENT_NUMBERS.size :])


def encode_chain(payloads: Sequence[Payload]) -> tuple[int, bytes, tuple[bytes, ...]]:
    """Write a chain of payloads.

    Returns:
        The type of the first payload (0 for no payload), the octets, and of each payload the body.

    Raises:
        MalformedError: a value or a body does not fit its field.
    """
    parts: list[bytes] = []
    bodies = tuple(payload.encode() for payload in payloads)
    count = len(payloads)
    for index, payload in enumerate(payloads):
        if isinstance(payload, Encrypted | EncryptedFragment):
            following = payload.first
        else:
            following = payloads[index + 1].type if index + 1 < count else PayloadType.NO_NEXT_PAYLOAD
        body = bodies[index]
        length = GENERIC_HEADER_BYTES + len(body)
        if length > 0xFFFF:
            raise MalformedError(f"payload of type {payload.type}: {length} octets do not fit its length field")
        parts += (_GENERIC_HEADER.pack(following, CRITICAL if payload.critical else 0, length), body)
    return (payloads[0].type if count else PayloadType.NO_NEXT_PAYLOAD), b"".join(parts), bodies


def new_header(
    exchange_type: int, message_id: int, *, spi_i: bytes, spi_r: bytes, from_initiator: bool, response: bool
) -> IkeHeader:
    """The header of a message to build; type of the first payload and length are filled in when it is built.

    Args:
        exchange_type: Exchange Type.
        message_id: Message ID.
        spi_i: IKE SA initiator's SPI.
        spi_r: IKE SA responder's SPI; zero in the first request.
        from_initiator: whether this end is the original initiator of the IKE SA.
        response: whether it answers a request.
    """
    flags = (Flags.INITIATOR if from_initiator else 0) | (Flags.RESPONSE if response else 0)
    return IkeHeader(spi_i, spi_r, 0, VERSION, 0, exchange_type, int(flags), message_id, 0)


def build_message(header: IkeHeader, payloads: Sequence[Payload]) -> Message:
    """Write a message that is not encrypted.

    Args:
        header: the header; type of the first payload and length are filled in.
        payloads: the payloads in their order.

    Raises:
        MalformedError: a value or a body does not fit its field.
    """
    first, chain, bodies = encode_chain(payloads)
    complete = header.completed(int(first), HEADER_BYTES + len(chain))
    return Message(complete, tuple(payloads), complete.encode() + chain, bodies)
