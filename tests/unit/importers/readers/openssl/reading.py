"""Short ways to import a text and to ask what became of it."""

from __future__ import annotations

from typing import Any

from ipsecbench.bench.measurement import Measurement, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import text_of


def datasets(text: str, name: str = "a.txt") -> tuple[Dataset, ...]:
    """What a text gives, its format guessed."""
    return import_text(text_of(text.encode(), name))


def dataset(text: str) -> Dataset:
    """The only dataset of a text."""
    (only,) = datasets(text)
    return only


def row(of: Dataset, operation: str, algorithm: str, size: int | None = None, cores: int = 1) -> Measurement:
    """A row, which must be there."""
    found = of.get(Workload(Tier.PRIMITIVE, "openssl-speed", operation, algorithm, size, None, cores))
    assert found is not None, f"{operation} {algorithm} {size}: {[str(one.workload) for one in of.measurements]}"
    return found


def value(of: Dataset, operation: str, algorithm: str, size: int | None = None, cores: int = 1) -> tuple[Any, str]:
    """The one figure of a row and its unit."""
    (only,) = row(of, operation, algorithm, size, cores).published
    return only.value, only.unit.value


def rate(of: Dataset, operation: str, algorithm: str, size: int | None = None, cores: int = 1) -> float:
    """Octets, or operations where there is no size, in a second."""
    estimate = row(of, operation, algorithm, size, cores).ns_per_operation
    assert estimate is not None
    return (size or 1) * 1e9 / estimate.median


def flags(of: Dataset, operation: str, algorithm: str, size: int | None = None, cores: int = 1) -> set[str]:
    """The verdicts of a row but the one that every row without repetitions has."""
    return set(row(of, operation, algorithm, size, cores).flags) - {"spread-assumed"}
