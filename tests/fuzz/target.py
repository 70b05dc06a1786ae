"""What a fuzz target is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.fuzz.budget import LIMIT_SECONDS


@dataclass(frozen=True)
class Target:
    """One piece of code to feed.

    ``run`` takes octets and returns nothing. It lets the errors pass that the code may raise; anything else that comes
    out of it is a finding, a failed property too.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    limit_seconds: float = LIMIT_SECONDS


def check(condition: bool, what: str) -> None:
    """A property of a target.

    Raises:
        AssertionError: it does not hold.
    """
    if not condition:
        raise AssertionError(what)
