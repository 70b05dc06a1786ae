"""Sources numbered in the order in which a page names them."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.sources import Source, sources
from ipsecbench.recommend.reasons import Reason
from ipsecbench.report.tables import Cell


@dataclass(frozen=True, slots=True)
class Reference:
    """A numbered entry of the list of sources."""

    number: int
    """Its number in the text."""
    key: str
    """Its key."""
    source: Source | None
    """What it is; None where the key is not known."""


class References:
    """Numbers the sources in the order in which the page first names them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cite(self, cited: Reason | Cell) -> list[Reference]:
        """The references of a reason, or of a cell of a table."""
        return [self._reference(key, self._numbers.setdefault(key, len(self._numbers) + 1)) for key in cited.sources]

    def listed(self) -> list[Reference]:
        """Every reference that was named so far."""
        return [self._reference(key, number) for key, number in self._numbers.items()]

    @staticmethod
    def _reference(key: str, number: int) -> Reference:
        return Reference(number, key, sources().get(key))
