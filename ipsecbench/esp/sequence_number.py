"""Sequence numbers of 32 and 64 bits: counting, and inference of the high half (RFC 4303 sections 2.2, 3.3.3, A)."""

from __future__ import annotations

HALF_BITS = 32
_HALF = 1 << HALF_BITS
_LOW_MASK = _HALF - 1


def largest_sequence(esn: bool) -> int:
    """The last sequence number of an SA."""
    return (1 << 64) - 1 if esn else _LOW_MASK


class SequenceCounter:
    """The sequence numbers that one outbound SA gives out: from 1, each once, never again from the beginning.

    Args:
        esn: whether they have 64 bits.
        last: the last one that was given out already.
    """

    __slots__ = ("_largest", "last")

    def __init__(self, esn: bool, last: int = 0) -> None:
        self._largest = largest_sequence(esn)
        self.last = last

    @property
    def exhausted(self) -> bool:
        """Whether none is left."""
        return self.last >= self._largest

    def take(self) -> int | None:
        """The next one; None where none is left (RFC 4303 section 3.3.3: the counter must not cycle)."""
        if self.last >= self._largest:
            return None
        self.last += 1
        return self.last


def inferred_sequence(low: int, top: int, window_packets: int) -> int:
    """The 64-bit sequence number of a packet of which the low half is known (RFC 4303 appendix A2).

    Args:
        low: what the packet says.
        top: the highest authentic one so far.
        window_packets: width of the anti-replay window, at most 2^31.

    Returns:
        The number, modulo 2^64: where it would be below zero, it is one that no packet can have, and the ICV is wrong.
    """
    top_high, top_low = top >> HALF_BITS, top & _LOW_MASK
    bottom_low = (top_low - window_packets + 1) & _LOW_MASK
    if top_low >= window_packets - 1:
        # Case A: the window lies within one subspace; what is below it can only be ahead, in the next one.
        high = top_high if low >= bottom_low else top_high + 1
    else:
        # Case B: the window reaches back into the subspace before.
        high = top_high - 1 if low >= bottom_low else top_high
    return (high & _LOW_MASK) << HALF_BITS | low
