"""The anti-replay window (RFC 4303 section 3.4.3) as a ring of words that is never shifted (the idea of RFC 6479).

A packet is held against the window before its ICV is verified, and marked after it was: :meth:`ReplayWindow.check`,
ICV, :meth:`ReplayWindow.mark`.
"""

from __future__ import annotations

from ipsecbench.errors import DataPlaneError

LARGEST_WINDOW_PACKETS = 1 << 20
"""Widest window that is taken: 128 kB of bits. Linux takes 4096."""

_WORD_BITS = 64


class ReplayWindow:
    """Which of the newest sequence numbers have been seen.

    Args:
        width_packets: how many numbers up to the highest are told apart; older ones are refused.

    Raises:
        DataPlaneError: the width is not from 1 to 2^20.
    """

    __slots__ = ("_words", "top", "width_packets")

    def __init__(self, width_packets: int) -> None:
        if not 1 <= width_packets <= LARGEST_WINDOW_PACKETS:
            raise DataPlaneError(
                f"an anti-replay window of {width_packets} packets: it has from 1 to {LARGEST_WINDOW_PACKETS}"
            )
        self.width_packets = width_packets
        self.top = 0
        """The highest number that was marked."""
        # One word more than the width takes: that of the top is only partly within the window.
        self._words = [0] * (-(-width_packets // _WORD_BITS) + 1)

    def check(self, sequence: int) -> bool:
        """Whether a number may still come: it is not 0, not left of the window and not seen. Nothing is changed."""
        if sequence > self.top:
            return True
        if sequence <= 0 or sequence + self.width_packets <= self.top:
            return False
        word, bit = divmod(sequence, _WORD_BITS)
        return not self._words[word % len(self._words)] >> bit & 1

    def mark(self, sequence: int) -> None:
        """An authentic packet had this number, which :meth:`check` admitted."""
        word, bit = divmod(sequence, _WORD_BITS)
        if sequence > self.top:
            newest = self.top // _WORD_BITS
            # Words between the old top and the new one are emptied, at most all of them.
            for fresh in range(max(newest + 1, word - len(self._words) + 1), word + 1):
                self._words[fresh % len(self._words)] = 0
            self.top = sequence
        self._words[word % len(self._words)] |= 1 << bit
