"""IKE messages in pieces (Cisco's and strongSwan's fragmentation of IKEv1; no RFC).

The pieces come in the clear, so everything about them is bounded: one message at a time, few pieces, few octets.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipsecbench.errors import MalformedError
from ipsecbench.ike.header import HEADER_BYTES
from ipsecbench.ike.v1.payloads import FragmentPayload

MAX_FRAGMENTS = 64
"""Pieces of one message."""
MAX_MESSAGE_BYTES = 0xFFFF
"""Octets of a whole message."""
OVERHEAD_BYTES = HEADER_BYTES + 4 + 4
"""Header, generic header and fragment header of each piece."""


class Reassembly:
    """The message whose pieces are coming in."""

    __slots__ = ("_fragment_id", "_last", "_octets", "_pieces")

    def __init__(self) -> None:
        self._reset(-1)

    def _reset(self, fragment_id: int) -> None:
        self._fragment_id = fragment_id
        self._pieces: dict[int, bytes] = {}
        self._last = 0
        self._octets = 0

    def add(self, piece: FragmentPayload) -> bytes | None:
        """One more piece.

        Returns:
            The whole message, once every piece is there.

        Raises:
            MalformedError: the piece cannot be one; what was gathered is dropped where it contradicts it.
        """
        if not 1 <= piece.number <= MAX_FRAGMENTS or not piece.data:
            raise MalformedError(f"fragment {piece.number} with {len(piece.data)} octets")
        if piece.fragment_id != self._fragment_id:
            self._reset(piece.fragment_id)
        if piece.number in self._pieces:
            return None
        if piece.last:
            self._last = piece.number
        if (self._last and max((*self._pieces, piece.number)) > self._last) or (
            self._octets + len(piece.data) > MAX_MESSAGE_BYTES
        ):
            self._reset(-1)
            raise MalformedError("fragments that contradict each other, or are too many")
        self._pieces[piece.number] = piece.data
        self._octets += len(piece.data)
        if not self._last or len(self._pieces) < self._last:
            return None
        whole = b"".join(self._pieces[number] for number in range(1, self._last + 1))
        self._reset(-1)
        return whole


def split(message: bytes, piece_bytes: int, fragment_id: int) -> Sequence[FragmentPayload]:
    """The pieces of a message.

    Args:
        message: the whole message with its header.
        piece_bytes: most octets of an IKE message that carries a piece.
        fragment_id: number of the message.
    """
    room = max(piece_bytes - OVERHEAD_BYTES, -(-len(message) // MAX_FRAGMENTS))
    parts = [message[start : start + room] for start in range(0, len(message), room)]
    return [
        FragmentPayload(fragment_id, number, int(number == len(parts)), part) for number, part in enumerate(parts, 1)
    ]
