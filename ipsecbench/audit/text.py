"""Text that somebody else wrote: its bounds, how it is quoted in messages, and the errors of the readers."""

from __future__ import annotations

from ipsecbench import foreign_text
from ipsecbench.errors import UsageError

MOST_CHARACTERS = 4 * 2**20
"""Longest text that is read; the largest real configurations are a tenth of it."""
_LONGEST_QUOTE = 60
_LONGEST_NAME = 200
_MOST_STEPS = 500_000
_MOST_PROPOSALS = 1000


def quoted(text: str) -> str:
    """A piece of text for a message: printable, on one line, and not longer than what helps."""
    shown = text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"
    return repr(shown)


def printable(text: str) -> str:
    """A name from a text, such as a connection's, without control characters and bounded."""
    return foreign_text.printable(text, _LONGEST_NAME)


def unreadable(line: int | None, what: str) -> UsageError:
    """The error for what cannot be read, with the number of its line."""
    return UsageError(what if line is None else f"line {line}: {what}")


class Effort:
    """How much work one text may make: what sections take over from each other can multiply a small file."""

    def __init__(self, most_steps: int = _MOST_STEPS) -> None:
        self._left = most_steps

    def spend_on(self, text: str, line: int) -> None:
        """Count the steps that a value with proposals makes.

        Raises:
            UsageError: they are too many.
        """
        if text.count(",") >= _MOST_PROPOSALS:
            raise unreadable(line, f"more than {_MOST_PROPOSALS} proposals")
        self.spend(1 + len(text) // 8, line)

    def spend(self, steps: int, line: int) -> None:
        """Count steps.

        Raises:
            UsageError: they are too many.
        """
        self._left -= steps
        if self._left < 0:
            raise unreadable(line, "the sections take over too much from each other to be read")
