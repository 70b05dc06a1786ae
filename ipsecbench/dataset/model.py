"""A dataset in memory: one run on one box, measured here or imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

from ipsecbench.bench.measurement import Fit, Measurement, Tier, Workload
from ipsecbench.dataset.source import UNKNOWN_DATE, VERDICT_KINDS, DatasetVerdict, Source, Worth
from ipsecbench.dataset.trial import LabTrial

FORMAT = "ipsecbench dataset"
"""Value of the field ``format`` of every dataset."""
SCHEMA_VERSION = 4
"""Version of the schema that this program writes, and the newest that it reads."""


@dataclass(frozen=True, slots=True)
class RunWarning:
    """A doubt about the run as a whole."""

    code: str
    """Stable word, such as ``clock-drift`` or ``steal``."""
    message: str
    """One line for people: what was seen, what it does to the figures, what to do."""


@dataclass(frozen=True)
class Dataset:
    """One run on one box, with its raw samples and its environment."""

    created: str
    """UTC time of the start, ISO 8601."""
    tool_version: str
    """Version of ipsecbench that measured."""
    label: str | None
    """Name that the user gave the run."""
    ended: str
    """``finished``, ``budget-spent`` or ``interrupted``."""
    settings: Mapping[str, Any]
    """What was asked for: mode, precision, time budget, sizes, providers, cores, mask, seed."""
    environment: Mapping[str, Any]
    """The box: ``hardware`` (see docs/hardware.md), ``libraries``, ``agent``, ``clock``, ``steal``."""
    measurements: tuple[Measurement, ...]
    """The rows."""
    fits: tuple[Fit, ...] = ()
    """Lines through the sizes of each algorithm."""
    warnings: tuple[RunWarning, ...] = ()
    """Doubts about the run as a whole."""
    trials: tuple[LabTrial, ...] = ()
    """Results of the laboratory that are no time per packet."""
    redacted: bool = False
    """Whether host names, serial numbers and MAC addresses were removed."""
    source: Source | None = None
    """Where the figures come from; None where this program measured them."""
    verdicts: tuple[DatasetVerdict, ...] = ()
    """What imported figures are worth."""
    sha256: str | None = field(default=None, compare=False)
    """Digest of the file that it was read from; None for one that was not stored."""

    @property
    def complete(self) -> bool:
        """Whether every planned row was measured or refused, none skipped."""
        return self.ended == "finished"

    @property
    def measured_on(self) -> str | None:
        """Day of the measurement, such as ``2026-11-27``; None where nobody says."""
        return None if self.created == UNKNOWN_DATE else self.created[:10]

    @property
    def masked(self) -> tuple[str, ...]:
        """Instructions that the run pretended not to have."""
        return tuple(self.settings.get("mask", ()))

    @cached_property
    def _by_workload(self) -> dict[Workload, Measurement]:
        return {row.workload: row for row in self.measurements}

    @cached_property
    def _fit_by_key(self) -> dict[tuple[Tier, str, str, str], Fit]:
        return {(fit.tier, fit.provider, fit.operation, fit.algorithm): fit for fit in self.fits}

    def get(self, workload: Workload) -> Measurement | None:
        """The row of a workload, whatever its status; None where it was not planned."""
        return self._by_workload.get(workload)

    def fit(self, tier: Tier, provider: str, operation: str, algorithm: str) -> Fit | None:
        """The line of an algorithm and direction; None where too few sizes were measured."""
        return self._fit_by_key.get((tier, provider, operation, algorithm))

    def rows(self, **conditions: object) -> Iterator[Measurement]:
        """Usable rows whose workload has the given attribute values, such as ``operation="outbound"``."""
        if not conditions:
            yield from (row for row in self.measurements if row.usable)
            return
        # One getter for all names: this goes through thousands of rows.
        found, values = attrgetter(*conditions), tuple(conditions.values())
        wanted = values if len(values) > 1 else values[0]
        for row in self.measurements:
            if found(row.workload) == wanted and row.usable:
                yield row


def is_unfit(row: Measurement) -> bool:
    """Whether a verdict says that the row's figure is not what it seems to be."""
    return any(code in VERDICT_KINDS and VERDICT_KINDS[code].worth is Worth.UNFIT for code in row.flags)


def meaning_of(row: Measurement) -> frozenset[str]:
    """The verdicts of a row that change what its figure is a figure of; rows are comparable if theirs are the same."""
    return frozenset(code for code in row.flags if code in VERDICT_KINDS and VERDICT_KINDS[code].is_meaning)
