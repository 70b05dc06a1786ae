"""What an importer collects of one box, and the dataset that it becomes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ipsecbench import __version__, foreign_text
from ipsecbench.bench.measurement import Estimate, Measurement, Status, Workload
from ipsecbench.bench.published import Published, Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import LONGEST_TEXT, MOST_UNREAD, UNKNOWN_DATE, DatasetVerdict, Source, Unread
from ipsecbench.importers.text import Text

ASSUMED_SPREAD = 0.05
"""Half width of the interval that a figure without repetitions is given."""
LARGEST_OPERATION_BYTES = 64 * 2**20
"""Octets of one operation that a dataset can hold."""
_FASTEST_NS = 1e-3
_SLOWEST_NS = 1e15
_WIDE = 0.10
_SOURCE = re.compile(r"(https?://\S+)\s+\((.*)\)\s*$")
_LICENCE = re.compile(r"(?:MIT|ISC|BSD-\d-Clause|Apache-2\.0|[AL]?GPL-\d\.\d|MPL-2\.0|CC0-1\.0|CC-BY-4\.0)\b")
"""SPDX identifiers that a publisher's words begin with."""


@dataclass
class Sheet:
    """Collects the figures of one box or run; several figures for one workload are repetitions of it.

    Args:
        text: what is read.
        format: name of the format.
        part: which part of the text, where it has several.
    """

    text: Text
    format: str
    part: str | None = None
    label: str | None = None
    """Name of the dataset; default: the device, else the file's name."""
    device: str | None = None
    """What the box is, as the text says."""
    created: str = UNKNOWN_DATE
    """UTC time of the measurement, ISO 8601."""
    hardware: dict[str, Any] = field(default_factory=dict)
    """As ``environment.hardware``."""
    libraries: list[dict[str, Any]] = field(default_factory=list)
    """As ``environment.libraries``: ``provider``, ``version``, ``path``, ``cpu_settings``, ``status``, ``note``."""
    environment: dict[str, Any] = field(default_factory=dict)
    """Anything else of the environment, such as ``clock``."""
    _figures: dict[Workload, list[Published]] = field(default_factory=dict, init=False)
    _flags: dict[Workload, dict[str, None]] = field(default_factory=dict, init=False)
    _details: dict[Workload, dict[str, Any]] = field(default_factory=dict, init=False)
    _verdicts: dict[str, str] = field(default_factory=dict, init=False)
    _unread: list[Unread] = field(default_factory=list, init=False)
    _unread_lines: int = field(default=0, init=False)

    def figure(
        self,
        workload: Workload,
        value: float,
        unit: Unit,
        line: int | None = None,
        *,
        flags: tuple[str, ...] = (),
        detail: Mapping[str, Any] | None = None,
    ) -> bool:
        """Take one figure, and say so; one that is no positive, finite, possible number is noted as unread instead.

        Raises:
            ValueError: the unit is one of throughput and the workload has no size: a mistake of the importer.
        """
        size = workload.size_bytes
        if size is not None and not 1 <= size <= LARGEST_OPERATION_BYTES:
            self.unread(line or 1, f"{size} octets are no possible size of an operation")
            return False
        published = Published(value, unit, line)
        possible = math.isfinite(value) and value > 0
        if not possible or not _FASTEST_NS <= published.ns_per_operation(workload.mean_bytes) <= _SLOWEST_NS:
            self.unread(line or 1, f"{value:g} {unit} is no possible figure")
            return False
        self._figures.setdefault(workload, []).append(published)
        self.mark(workload, *flags)
        self._details.setdefault(workload, {}).update(detail or {})
        return True

    def mark(self, workload: Workload, *codes: str) -> None:
        """Put codes of verdicts on a figure that was taken."""
        self._flags.setdefault(workload, {}).update(dict.fromkeys(codes))

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """What has figures so far, in the order of the text."""
        return tuple(self._figures)

    def figures(self, workload: Workload) -> tuple[Published, ...]:
        """The figures of a workload so far."""
        return tuple(self._figures.get(workload, ()))

    def verdict(self, code: str, message: str, *workloads: Workload) -> None:
        """Say what figures are worth; the code is put on these workloads. The first message of a code stands."""
        self._verdicts.setdefault(code, " ".join(message.split())[:1000])
        for workload in workloads:
            self.mark(workload, code)

    def unread(self, line: int, reason: str) -> None:
        """Note a line that looks as if it held a figure and gave none."""
        self._unread_lines += 1
        if len(self._unread) < MOST_UNREAD:
            lines = self.text.lines
            self._unread.append(Unread(line, printable(lines[line - 1] if line <= len(lines) else ""), reason[:400]))

    @property
    def unread_so_far(self) -> tuple[Unread, ...]:
        """The first lines that were noted as unread."""
        return tuple(self._unread)

    def dataset(self) -> Dataset:
        """What was collected, as a dataset without settings, with its source and its verdicts."""
        rows = tuple(self._row(workload) for workload in self._figures)
        self._general_verdicts()
        header = self.text.header
        url, licence = _origin(header)
        device = self.device or header.get("device")
        source = Source(
            self.format,
            None if self.text.name is None else printable(self.text.name, 400),
            self.text.sha256,
            None if self.part is None else printable(self.part, 400),
            None if device is None else printable(device, 400),
            url,
            licence,
            tuple(self._unread),
            self._unread_lines,
        )
        stem = None if self.text.name is None else self.text.name.rsplit(".", 1)[0]
        label = self.label or device or stem
        return Dataset(
            created=self.created,
            tool_version=__version__,
            label=None if label is None else printable(label),
            ended="finished",
            settings={},
            environment={"hardware": self.hardware, "libraries": self.libraries, **self.environment},
            measurements=rows,
            source=source,
            verdicts=tuple(DatasetVerdict(code, message) for code, message in self._verdicts.items()),
        )

    def _row(self, workload: Workload) -> Measurement:
        figures = tuple(self._figures[workload])
        times = [one.ns_per_operation(workload.mean_bytes) for one in figures]
        middle = median(times)
        if len(times) == 1:
            self.mark(workload, "spread-assumed")
            self.verdict("spread-assumed", f"one figure and no spread: ±{ASSUMED_SPREAD:.0%} is assumed")
        elif max(times) - min(times) > _WIDE * middle:
            self.mark(workload, "spread-wide")
            self.verdict("spread-wide", "repeated figures of the same thing differ by more than a tenth")
        lower, upper = min(*times, middle * (1 - ASSUMED_SPREAD)), max(*times, middle * (1 + ASSUMED_SPREAD))
        return Measurement(
            workload,
            Status.OK,
            ns_per_operation=Estimate(middle, lower, upper),
            flags=tuple(self._flags.get(workload, ())),
            detail=self._details.get(workload, {}),
            published=figures,
        )

    def _general_verdicts(self) -> None:
        if self.created == UNKNOWN_DATE:
            self.verdict("date-unknown", "the text does not say when it was measured")
        if not self.text.is_utf8 or self.text.cut_lines:
            self.verdict("text-damaged", "the text has octets that are not UTF-8, or lines without end; those were cut")


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text of others on one line, bounded, without what steers a terminal or turns the direction of text."""
    return foreign_text.printable(text, longest)


def _origin(header: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Address and licence, as a header has them: in lines of their own, or as ``source: ADDRESS (LICENCE, who)``."""
    source = header.get("source")
    licence = header.get("licence") or header.get("license")
    match = _SOURCE.match(source or "")
    if match is not None:
        source = match[1]
        licence = licence or (match[2] if _LICENCE.match(match[2]) else None)
    return _limited(source, 2000), _limited(licence, 400)


def _limited(text: str | None, longest: int) -> str | None:
    return None if text is None else printable(text, longest)
