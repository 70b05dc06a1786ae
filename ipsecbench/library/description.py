"""What a library has: one line for each dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import VERDICT_KINDS, Worth
from ipsecbench.library.facts import device, facts_of, processor, processors
from ipsecbench.library.reading import Entry

OWN = "ipsecbench"
"""Source of a dataset that this program measured."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a dataset has."""

    entry: Entry
    """The dataset and where it is."""
    device: str | None
    """What the box is called."""
    processor: str | None
    """Its processor."""
    architecture: str | None
    """Its architecture."""
    processors: int | None
    """How many of them."""
    rows: int
    """Rows with a figure."""
    tiers: Mapping[Tier, int]
    """How many of them are of each tier."""
    measured_on: str | None
    """Day of the measurement."""
    source: str
    """Format that it was imported from, or :data:`OWN`."""
    library: str | None
    """Version of the library that was measured first: libcrypto where there is one."""
    mask: tuple[str, ...]
    """Instructions that it was measured without."""
    worths: Mapping[Worth, int]
    """Rows that are unfit or doubtful by a verdict; a row counts once, by the graver."""
    verdicts: tuple[str, ...]
    """Codes of all verdicts, of the dataset and of its rows."""
    same_as: str | None = None
    """Name of an entry before it with the same octets."""

    def is_called(self, pattern: str) -> bool:
        """Whether its name, label, device, processor or architecture has a word or matches a pattern, in any case."""
        wanted = pattern.casefold()
        names = (self.entry.name, self.entry.dataset.label, self.device, self.processor, self.architecture)
        return any(
            wanted in name.casefold() or fnmatchcase(name.casefold(), wanted) for name in names if name is not None
        )


def describe(entries: Sequence[Entry]) -> list[Description]:
    """A description for each dataset, in their order."""
    seen: dict[str, str] = {}
    found = []
    for entry in entries:
        digest = entry.dataset.sha256 or ""
        first = seen.setdefault(digest, entry.name) if digest else entry.name
        found.append(_described(entry, None if first == entry.name else first))
    return found


def _described(entry: Entry, same_as: str | None) -> Description:
    dataset = entry.dataset
    facts = facts_of(dataset)
    usable = [row for row in dataset.measurements if row.usable]
    flags = Counter(code for row in usable for code in row.flags)
    return Description(
        entry,
        device(dataset),
        processor(dataset),
        facts.get("architecture"),
        processors(dataset),
        len(usable),
        Counter(row.workload.tier for row in usable),
        dataset.measured_on,
        OWN if dataset.source is None else dataset.source.format,
        _library(dataset, facts),
        dataset.masked,
        Counter(worth for row in usable if (worth := _gravest(row.flags)) is not None),
        tuple(dict.fromkeys((*(verdict.code for verdict in dataset.verdicts), *flags))),
        same_as,
    )


def _library(dataset: Dataset, facts: Mapping[str, str]) -> str | None:
    measured = dict.fromkeys(row.workload.provider for row in dataset.measurements)
    return next((facts[name] for name in ("libcrypto", *measured) if name in facts), None)


def _gravest(flags: Iterable[str]) -> Worth | None:
    worths = {VERDICT_KINDS[code].worth for code in flags if code in VERDICT_KINDS}
    return next((worth for worth in (Worth.UNFIT, Worth.DOUBT) if worth in worths), None)


def rows_of(entry: Entry, wanted: Callable[[Workload], bool]) -> int:
    """How many rows with a figure a dataset has of what is wanted."""
    return sum(row.usable and wanted(row.workload) for row in entry.dataset.measurements)
