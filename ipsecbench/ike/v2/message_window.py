"""Message IDs, retransmission and repeated requests of one IKE SA (RFC 7296 sections 2.1 to 2.3, RFC 7383 section 2.6).

Each direction counts on its own. This end has one request outstanding at a time and lets the peer have one, which is
the default window and all that is ever announced: a peer with a larger window of its own is free to use it only after
SET_WINDOW_SIZE, which is never sent here.

What comes in is judged twice: by its Message ID before anything costly is done, and again as taken once its ICV was
found right. Nothing that is forged moves a window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ipsecbench.ike.configuration import Retransmission

MAX_MESSAGE_ID = 0xFFFFFFFF
"""An IKE SA must be closed or rekeyed before its Message IDs wrap (RFC 7296 section 2.2)."""


class Verdict(Enum):
    """What the Message ID of a request says."""

    NEW = "new"
    """The one that is expected next."""
    REPEATED = "repeated"
    """The last one again: its response is to be sent again."""
    OUTSIDE = "outside"
    """Neither."""


def digest(octets: bytes) -> bytes:
    """By what a repeated request is recognised."""
    return hashlib.sha256(octets).digest()


@dataclass(slots=True)
class Outstanding:
    """A request that was sent and is not answered."""

    message_id: int
    """Message ID."""
    exchange_type: int
    """Exchange Type."""
    datagrams: tuple[bytes, ...]
    """The message, or its fragments; sent again bit by bit the same."""
    due: float
    """When it is sent again, or given up."""
    sent_again: int = 0
    """How often it was sent again."""


class RequestWindow:
    """This end's requests.

    Args:
        retransmission: when to send again, and how often.
    """

    __slots__ = ("next_message_id", "outstanding", "retransmission")

    def __init__(self, retransmission: Retransmission) -> None:
        self.retransmission = retransmission
        self.next_message_id = 0
        self.outstanding: Outstanding | None = None

    def sent(self, exchange_type: int, datagrams: Sequence[bytes], now: float) -> None:
        """A request with :attr:`next_message_id` has been sent."""
        due = now + self.retransmission.delay(0)
        self.outstanding = Outstanding(self.next_message_id, exchange_type, tuple(datagrams), due)

    def expects(self, message_id: int, exchange_type: int) -> bool:
        """Whether a response with these is waited for."""
        request = self.outstanding
        return request is not None and (request.message_id, request.exchange_type) == (message_id, exchange_type)

    def answered(self) -> None:
        """The outstanding request has its response."""
        if self.outstanding is not None:
            self.outstanding = None
            self.next_message_id += 1

    def withdrawn(self) -> None:
        """The outstanding request is to be replaced by one with the same Message ID (IKE_SA_INIT only)."""
        self.outstanding = None

    @property
    def due(self) -> float | None:
        """When :meth:`retransmit` is to be called."""
        return None if self.outstanding is None else self.outstanding.due

    def retransmit(self, now: float) -> tuple[bytes, ...] | None:
        """What is to be sent again now.

        Returns:
            The datagrams, empty when it is too early; None when the peer counts as dead (RFC 7296 section 2.4).
        """
        request = self.outstanding
        if request is None or now < request.due:
            return ()
        if request.sent_again >= self.retransmission.tries:
            return None
        request.sent_again += 1
        request.due = now + self.retransmission.delay(request.sent_again)
        return request.datagrams


class ResponseWindow:
    """The peer's requests, and the response to the last of them."""

    __slots__ = ("_digests", "_responses", "expected")

    def __init__(self) -> None:
        self.expected = 0
        self._digests: frozenset[bytes] = frozenset()
        self._responses: tuple[bytes, ...] = ()

    def judge(self, message_id: int) -> Verdict:
        """What a Message ID says, before the request is known to be authentic."""
        if message_id == self.expected:
            return Verdict.NEW
        return Verdict.REPEATED if message_id == self.expected - 1 and self._responses else Verdict.OUTSIDE

    def same_octets(self, octets: bytes) -> bool:
        """Whether a message is, bit by bit, (a fragment of) the last request; what is not may be a forgery."""
        return digest(octets) in self._digests

    @property
    def responses(self) -> tuple[bytes, ...]:
        """The datagrams of the last response."""
        return self._responses

    def answered(self, request_datagrams: Sequence[bytes], responses: Sequence[bytes]) -> None:
        """An authentic request with the expected Message ID has been answered.

        Args:
            request_datagrams: the request as received; of one in fragments the first fragment, whose repetition alone
                is answered (RFC 7383 section 2.6.1).
            responses: what was sent.
        """
        self._digests = frozenset(digest(octets) for octets in request_datagrams)
        self._responses = tuple(responses)
        self.expected += 1
