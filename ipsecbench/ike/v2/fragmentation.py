"""IKE fragmentation (RFC 7383): messages in several datagrams, each protected by itself.

A fragment is authenticated before it is kept, so that only the peer can fill the memory of a reassembly, and a
reassembly is bounded nevertheless: one message at a time, so many fragments, so many octets.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from ipsecbench.errors import MalformedError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader
from ipsecbench.ike.v2.identifiers import PayloadType
from ipsecbench.ike.v2.message import GENERIC_HEADER_BYTES, Message, encode_chain, parse_chain
from ipsecbench.ike.v2.payloads import EncryptedFragment, Payload
from ipsecbench.ike.v2.protection import IkeProtection

MAX_FRAGMENTS = 256
"""More fragments of one message than this are not taken: with the smallest useful ones this is 64 KiB."""
MAX_CONTENT_BYTES = 0xFFFF
"""More octets of content in one message than this are not taken: the length field of a payload holds no more."""

_NUMBERS = struct.Struct(">HH")


def seal_fragmented(
    protection: IkeProtection, header: IkeHeader, payloads: Sequence[Payload], message_bytes: int
) -> tuple[Message, tuple[bytes, ...]]:
    """Seal a message in as few datagrams as a size allows.

    Args:
        protection: the IKE SA's.
        header: the header; type of the first payload and length are filled in.
        payloads: the content.
        message_bytes: the most octets that one IKE message may have, without UDP header and non-ESP marker.

    Returns:
        The message as if it were not fragmented, and the datagrams: one without fragmentation where it fits.

    Raises:
        MalformedError: the message does not fit as many fragments as there may be, or a value does not fit its field.
    """
    whole = protection.seal(header, payloads)
    if len(whole.octets) <= message_bytes:
        return whole, (whole.octets,)
    first, content, _ = encode_chain(payloads)
    chunk_bytes = protection.content_bytes(message_bytes, _NUMBERS.size)
    total = -(-len(content) // chunk_bytes) if chunk_bytes > 0 else MAX_FRAGMENTS + 1
    if total > MAX_FRAGMENTS:
        raise MalformedError(f"{len(content)} octets of content do not fit messages of {message_bytes} octets")
    datagrams = tuple(
        protection.seal_content(
            header,
            PayloadType.SKF,
            first if number == 1 else PayloadType.NO_NEXT_PAYLOAD,
            _NUMBERS.pack(number, total),
            content[(number - 1) * chunk_bytes : number * chunk_bytes],
        )
        for number in range(1, total + 1)
    )
    return whole, datagrams


class Reassembly:
    """Collects the fragments of one message at a time, of one IKE SA and direction."""

    __slots__ = ("_chunks", "_first", "_key", "_octets", "_total")

    def __init__(self) -> None:
        self._key: tuple[int, int, bool] | None = None
        self._total = 0
        self._octets = 0
        self._chunks: dict[int, bytes] = {}
        self._first: tuple[Message, bytes, int] | None = None

    @property
    def pending(self) -> int:
        """Fragments that are kept."""
        return len(self._chunks)

    def discard(self) -> None:
        """Forget what was collected: the message was given up, or came in one piece."""
        self._key, self._total, self._octets, self._first = None, 0, 0, None
        self._chunks = {}

    def add(self, message: Message, protection: IkeProtection) -> Message | None:
        """Take one fragment (RFC 7383 section 2.6).

        Args:
            message: a message that ends with an Encrypted Fragment payload.
            protection: the IKE SA's.

        Returns:
            The whole message once its last fragment is there; None until then, and for a fragment that is there
            already or belongs to a set that a newer one replaced.

        Raises:
            MalformedError: the numbers make no sense, or there are too many fragments or octets.
            RejectedError: the fragment is not the work of the peer.
            ProtocolError: the whole message has content that does not parse; it is forgotten.
        """
        fragment = message.encrypted
        if not isinstance(fragment, EncryptedFragment):
            raise MalformedError(f"{message.name}: no Encrypted Fragment payload")
        number, total = fragment.number, fragment.total
        if not 0 < number <= total <= MAX_FRAGMENTS:
            raise MalformedError(f"{message.name}: fragment {number} of {total}")
        header = message.header
        key = header.exchange_type, header.message_id, message.is_response
        same = key == self._key
        if same and (total < self._total or (total == self._total and number in self._chunks)):
            return None
        associated, chunk = protection.open_content(message, fragment)
        if not same or total > self._total:
            # Smaller fragments of the same message are a new set (section 2.5.2); another message is a new one anyway.
            self.discard()
            self._key, self._total = key, total
        self._octets += len(chunk)
        if self._octets > MAX_CONTENT_BYTES:
            self.discard()
            raise MalformedError(f"{message.name}: more than {MAX_CONTENT_BYTES} octets in fragments")
        self._chunks[number] = chunk
        if number == 1:
            self._first = message, associated, fragment.first
        if len(self._chunks) < total or self._first is None:
            return None
        beginning, content = self._first, b"".join(self._chunks[index] for index in range(1, total + 1))
        self.discard()
        return _whole(*beginning, content)


def _whole(message: Message, associated: bytes, first: int, content: bytes) -> Message:
    """The message as if it had come in one piece (RFC 9242 section 3.3.2 needs its octets)."""
    payloads, bodies = parse_chain(first, content)
    position = len(associated) - GENERIC_HEADER_BYTES
    octets = bytearray(associated)
    # The type of the fragment payload stands in the header, or in the last payload before it.
    if message.header.next_payload == PayloadType.SKF:
        octets[16] = PayloadType.SK
    else:
        octets[_next_payload_before(associated, position)] = PayloadType.SK
    header = replace(message.header, next_payload=octets[16])
    return replace(message, header=header).opened(payloads, bodies, bytes(octets), content)


def _next_payload_before(octets: bytes, end: int) -> int:
    """Where the Next Payload field of the last payload before a position is."""
    position = HEADER_BYTES
    while True:
        following = position + int.from_bytes(octets[position + 2 : position + 4])
        if following >= end:
            return position
        position = following
