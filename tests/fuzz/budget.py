"""How long and how much one input may take, whatever it is; and what may come out of a parser."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

from ipsecbench.errors import ProtocolError, RejectedError

LIMIT_SECONDS = 0.050
"""Processor time for one input of at most :data:`LARGEST_INPUT`."""
LARGEST_INPUT = 65_507
"""Octets of the longest UDP datagram over IPv4."""
LIMIT_BYTES = 24 << 20
"""Memory at the peak of one input."""
_TRIES = 4

PARSER_ERRORS = (ProtocolError, RejectedError)
"""All that a parser of a peer's octets may raise."""


class TooSlowError(AssertionError):
    """An input took longer than it may."""


def within_budget(run: Callable[[bytes], None], data: bytes, limit_seconds: float = LIMIT_SECONDS) -> None:
    """Run an input and hold its processor time against the limit.

    An input that is too slow is run again: only one that is too slow every time is reported, for the machine may have
    been busy.

    Raises:
        TooSlowError: it took longer every time.
    """
    fastest = float("inf")
    for _ in range(_TRIES):
        begin = time.thread_time()
        run(data)
        fastest = min(fastest, time.thread_time() - begin)
        if fastest <= limit_seconds:
            return
        gc.collect()
    raise TooSlowError(f"{len(data)} octets took {fastest * 1000:.0f} ms: {data[:64].hex()}…")


def peak_bytes(run: Callable[[bytes], None], data: bytes) -> int:
    """Memory that an input takes at its peak."""
    gc.collect()
    tracemalloc.start()
    try:
        run(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
