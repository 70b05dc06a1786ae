"""A log that hostile input cannot flood: at most one line a second for each cause, the rest counted."""

from __future__ import annotations

from collections.abc import Callable

INTERVAL_SECONDS = 1.0
"""Shortest time between two lines of one cause."""


class LimitedLog:
    """Writes the first line of a cause, and then at most one a second, with the number of those left out.

    Args:
        write: takes a line.
        clock: seconds, monotonic.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def __call__(self, cause: str, text: str) -> None:
        """Log a line, unless one of this cause was written less than a second ago."""
        now = self._clock()
        last = self._last.get(cause)
        if last is not None and now - last < INTERVAL_SECONDS:
            self._left_out[cause] = self._left_out.get(cause, 0) + 1
            return
        self._last[cause] = now
        more = self._left_out.pop(cause, 0)
        self._write(f"{cause}: {text}{f' ({more} more since the last line)' if more else ''}")
