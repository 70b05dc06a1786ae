"""A figure as somebody else published it, and what it says in nanoseconds per operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Unit(StrEnum):
    """Units in which figures are published; those of throughput count octets or bits of the operation's size."""

    BYTES = "B/s"
    KILOBYTES = "kB/s"
    MEGABYTES = "MB/s"
    GIGABYTES = "GB/s"
    MEBIBYTES = "MiB/s"
    GIBIBYTES = "GiB/s"
    BITS = "bit/s"
    MEGABITS = "Mbit/s"
    GIGABITS = "Gbit/s"
    OPERATIONS = "op/s"
    NANOSECONDS = "ns/op"
    MICROSECONDS = "us/op"
    MILLISECONDS = "ms/op"
    SECONDS = "s/op"


_BYTES_PER_SECOND: Mapping[Unit, float] = MappingProxyType(
    {
        Unit.BYTES: 1.0,
        Unit.KILOBYTES: 1e3,
        Unit.MEGABYTES: 1e6,
        Unit.GIGABYTES: 1e9,
        Unit.MEBIBYTES: 2.0**20,
        Unit.GIBIBYTES: 2.0**30,
        Unit.BITS: 0.125,
        Unit.MEGABITS: 125e3,
        Unit.GIGABITS: 125e6,
    }
)
_NANOSECONDS: Mapping[Unit, float] = MappingProxyType(
    {Unit.NANOSECONDS: 1.0, Unit.MICROSECONDS: 1e3, Unit.MILLISECONDS: 1e6, Unit.SECONDS: 1e9}
)


@dataclass(frozen=True, slots=True)
class Published:
    """One figure, exactly as it was printed."""

    value: float
    """Positive and finite."""
    unit: Unit
    """Its unit."""
    line: int | None = None
    """Line of the text that it stands in, from 1; None where the text has no lines to speak of."""

    def ns_per_operation(self, mean_bytes: float | None) -> float:
        """Elapsed nanoseconds per operation.

        Args:
            mean_bytes: octets of one operation; needed for units of throughput.

        Raises:
            ValueError: the unit is one of throughput and the operation has no size.
        """
        if self.unit in _NANOSECONDS:
            return self.value * _NANOSECONDS[self.unit]
        if self.unit is Unit.OPERATIONS:
            return 1e9 / self.value
        if mean_bytes is None:
            raise ValueError(f"a figure in {self.unit} needs the size of the operation")
        return mean_bytes * 1e9 / (self.value * _BYTES_PER_SECOND[self.unit])
