"""Dead peer detection: R-U-THERE and R-U-THERE-ACK with their sequence numbers (RFC 3706).

Knows no messages: it says when to ask, which number to send, and what an answer is worth.
"""

from __future__ import annotations

MAX_ASK_SECONDS = 10.0
"""Longest wait between two questions to a silent peer."""
_SEQUENCE_MASK = 0x7FFFFFFF


class Liveness:
    """What is known of the peer's life.

    Args:
        first_sequence: random; its highest bit is cleared (RFC 3706 section 5.4).
    """

    __slots__ = ("_asked_at", "_asked_since", "_first_asked", "_peer_sequence", "_sequence", "_times", "last_heard")

    def __init__(self, first_sequence: int) -> None:
        self._sequence = first_sequence & _SEQUENCE_MASK
        self._first_asked = 0
        self._asked_since: float | None = None
        self._asked_at = 0.0
        self._times = 0
        self._peer_sequence: int | None = None
        self.last_heard = 0.0
        """When the peer last sent something that was authenticated."""

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return self._asked_since is not None

    def ask(self, now: float) -> int:
        """The sequence number of the next R-U-THERE, which is sent now."""
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        if self._asked_since is None:
            self._asked_since = now
            self._first_asked = self._sequence
            self._times = 0
        self._asked_at = now
        self._times += 1
        return self._sequence

    def confirms(self, sequence: int) -> bool:
        """Whether the number of an R-U-THERE-ACK is that of a question of the last round (RFC 3706 section 5.4)."""
        return bool(self._times) and self._first_asked <= sequence <= self._sequence

    def heard(self, now: float) -> None:
        """The peer lives: something authenticated came."""
        self.last_heard = now
        self._asked_since = None

    def fresh(self, sequence: int) -> bool:
        """Whether the peer's R-U-THERE is new; an old number is a repeated message (RFC 3706 section 5.4)."""
        if self._peer_sequence is not None and sequence <= self._peer_sequence:
            return False
        self._peer_sequence = sequence
        return True

    def ask_at(self, idle_seconds: float | None, first_seconds: float) -> float | None:
        """When to ask next; None: not by itself.

        Args:
            idle_seconds: silence after which to ask at all.
            first_seconds: wait before the question is repeated; it doubles up to :data:`MAX_ASK_SECONDS`.
        """
        if self._asked_since is not None:
            return self._asked_at + min(first_seconds * float(2 ** min(self._times - 1, 8)), MAX_ASK_SECONDS)
        return None if idle_seconds is None else self.last_heard + idle_seconds

    def dead_at(self, timeout_seconds: float) -> float | None:
        """When the peer counts as dead; None while no question is open."""
        return None if self._asked_since is None else self._asked_since + timeout_seconds
