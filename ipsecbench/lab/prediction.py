"""Predicted against measured: what a suite should cost in a data plane, and what it did cost in the laboratory.

A packet costs a data plane two things: what the plane does with any packet of that size (devices, sockets, lookups,
copies), and the ESP transform of its suite. The first is what a suite without encryption costs in the laboratory, less
its own packet loop; the second is the packet loop of the suite::

    fixed(size) = laboratory(NULL, size) - packet loop(NULL, size)
    predicted(suite, size) = fixed(size) + packet loop(suite, size)

The NULL suite is the one with the integrity transform of the suite, and GMAC (NULL with the authentication of GCM) for
GCM: code and tables of a hash have to come back into the caches after each visit to the kernel, which a packet loop
does not see, and a NULL run with that hash does. Where there is none, that of :func:`base_suite` stands in.

Nothing that the laboratory measured of a suite enters its own prediction. Everything here is a pure function of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Measurement, Tier, Workload
from ipsecbench.bench.statistics import CONFIDENCE, resampled_quantiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BASE_SUITES = ("null-sha256", "null-sha1", "null-sha512", "null-sha384", "null-md5", "null-aesxcbc", "null-aescmac")
"""Suites without encryption, in the order in which one is chosen for suites that have none of their own."""
DIRECTIONS = ("outbound", "inbound")
LOOP_PROVIDER = "libcrypto"
"""Library that a data plane uses where its row does not say another in ``detail.library``."""
CLOSE = 0.10
"""Predictions within 10% are close; pairs of suites that differ by more must come in the right order."""
QUARTILE = 0.25
"""Both sides are compared at the first quartile of their samples. Whatever else runs on a box only ever adds time, now
to one sample and now to another: on a quiet box the quartile is close to the median, on a busy one it still says what
the work costs."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One suite, direction and size: predicted and measured."""

    suite: str
    """ESP suite."""
    direction: str
    """``outbound`` or ``inbound``."""
    size_bytes: int | None
    """Octets of the inner packets; None for a mix."""
    mix: str | None
    """Mix of sizes instead."""
    base: str
    """The suite without encryption that the fixed cost comes from."""
    fixed_ns: Estimate
    """What the plane does with any packet of that size."""
    transform_ns: Estimate
    """The packet loop of the suite."""
    predicted_ns: Estimate
    """Their sum."""
    measured_ns: Estimate
    """What the laboratory measured."""
    mean_bytes: float
    """Mean octets of the inner packets."""

    @property
    def error(self) -> float:
        """How much the prediction is above what was measured, relative to it: 0.05 is 5% too slow."""
        return self.predicted_ns.median / self.measured_ns.median - 1

    @property
    def within_noise(self) -> bool:
        """Whether the intervals of both share a value."""
        return self.predicted_ns.overlaps(self.measured_ns)

    @property
    def traffic(self) -> str:
        """For people: ``64 B`` or the name of the mix."""
        return self.mix or f"{self.size_bytes} B"

    def mbit_per_second(self, time: Estimate) -> Estimate:
        """A time per packet as a rate of inner octets."""
        bits = self.mean_bytes * 8e3
        return Estimate(bits / time.median, bits / time.upper, bits / time.lower)


@dataclass(frozen=True, slots=True)
class Inversion:
    """Two suites of which the one that is measurably faster was predicted to be slower."""

    faster: Comparison
    slower: Comparison


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a box's predictions agree with its laboratory."""

    comparisons: tuple[Comparison, ...]
    """Every row with both figures, without those of the base, which agree by construction."""
    base: str
    """The suite without encryption that stands in where a suite has none of its own."""
    provider: str
    """Whose data plane was measured."""
    median_error: float
    """Median of the absolute errors; 0.05 is 5%."""
    percentile_95_error: float
    """Absolute error that 95% of the rows do not exceed."""
    close_share: float
    """Share of the rows that are within 10%."""
    pairs: int
    """Pairs of suites, at one size and in one direction, whose measured costs differ by more than 10%. Where their
    intervals overlap nobody knows which one is faster, and they count as a tie."""
    inversions: tuple[Inversion, ...]
    """Those of them that were predicted in the wrong order."""


def base_suite(rows: Iterable[Measurement], provider: str) -> str | None:
    """The suite without encryption that this dataset has both figures of; None without one."""
    rows = [row for row in rows if row.usable]
    lab = {row.workload.algorithm for row in rows if _is_lab(row, provider)}
    loop = {row.workload.algorithm for row in rows if _is_loop(row)}
    return next((suite for suite in BASE_SUITES if suite in lab and suite in loop), None)


def own_base(suite: str) -> str | None:
    """The suite that does the same as a suite but encrypt; None where there is none, or it is the suite itself."""
    parts = esp_suites().get(suite)
    if parts is None or parts.encryption.mode in ("null", "gmac"):
        return None
    if parts.integrity is not None:
        return f"null-{parts.integrity.name}"
    return f"aes{parts.encryption.key_bits}gmac" if parts.encryption.mode == "gcm" else None


def providers(rows: Iterable[Measurement]) -> tuple[str, ...]:
    """Data planes that a dataset has laboratory rows of, in the order of the rows."""
    names = (row.workload.provider for row in rows if row.usable and row.workload.tier in (Tier.TUN_LAB, Tier.KERNEL))
    return tuple(dict.fromkeys(names))


def compare(rows: Sequence[Measurement], provider: str) -> Agreement | None:
    """Hold every laboratory row of a data plane against its prediction.

    Args:
        rows: rows of one dataset: packet loops and the laboratory's.
        provider: whose data plane, such as ``agent``.

    Returns:
        None where there is no suite without encryption to take the fixed cost from, or nothing to compare.
    """
    base = base_suite(rows, provider)
    if base is None:
        return None
    box = _Box(rows)
    compared = (box.compare(row, base) for row in rows if row.usable and _is_lab(row, provider))
    found = [comparison for comparison in compared if comparison is not None]
    return summarise(found, base, provider) if found else None


def _is_lab(row: Measurement, provider: str) -> bool:
    work = row.workload
    return (
        work.tier in (Tier.TUN_LAB, Tier.KERNEL)
        and work.provider == provider
        and work.operation in DIRECTIONS
        and work.cores == 1
    )


def _is_loop(row: Measurement) -> bool:
    work = row.workload
    return work.tier is Tier.PACKET_LOOP and work.operation in DIRECTIONS


@dataclass(frozen=True)
class _Times:
    """The quartile of a row's samples, and what it may be: resampled."""

    value: float
    resampled: NDArray[np.float64]

    def estimate(self) -> Estimate:
        import numpy as np

        tail = (1 - CONFIDENCE) / 2
        lower, upper = (float(value) for value in np.quantile(self.resampled, [tail, 1 - tail]))
        return Estimate(self.value, min(lower, self.value), max(upper, self.value))

    def plus(self, other: _Times) -> _Times:
        return _Times(self.value + other.value, self.resampled + other.resampled)

    def minus(self, other: _Times) -> _Times:
        return _Times(self.value - other.value, self.resampled - other.resampled)


class _Box:
    """The rows of one box, each looked at once."""

    def __init__(self, rows: Iterable[Measurement]) -> None:
        self._rows = {row.workload: row for row in rows if row.usable}
        self._times: dict[Workload, _Times] = {}

    def _of(self, workload: Workload) -> _Times | None:
        import numpy as np

        row = self._rows.get(workload)
        if row is None:
            return None
        if workload not in self._times:
            values = [sample.ns_per_operation for sample in row.samples]
            self._times[workload] = _Times(float(np.quantile(values, QUARTILE)), resampled_quantiles(values, QUARTILE))
        return self._times[workload]

    def _loop(self, lab: Workload) -> _Times | None:
        """The packet loop that belongs to a row of the laboratory, of the library that the plane used for it."""
        row = self._rows.get(lab)
        library = LOOP_PROVIDER if row is None else str(row.detail.get("library", LOOP_PROVIDER))
        return self._of(replace(lab, tier=Tier.PACKET_LOOP, provider=library))

    def _fixed(self, work: Workload, base: str) -> _Times | None:
        workload = replace(work, algorithm=base)
        lab, loop = self._of(workload), self._loop(workload)
        return None if lab is None or loop is None else lab.minus(loop)

    def compare(self, row: Measurement, stand_in: str) -> Comparison | None:
        """One row of the laboratory against its prediction; None where there is no prediction but itself."""
        work = row.workload
        base = own_base(work.algorithm) or stand_in
        fixed = self._fixed(work, base)
        if fixed is None:
            base = stand_in
            fixed = self._fixed(work, base)
        loop = self._loop(work)
        measured, mean = self._of(work), work.mean_bytes
        if fixed is None or loop is None or measured is None or mean is None or base == work.algorithm:
            return None
        return Comparison(
            work.algorithm,
            work.operation,
            work.size_bytes,
            work.mix,
            base,
            fixed_ns=fixed.estimate(),
            transform_ns=loop.estimate(),
            predicted_ns=fixed.plus(loop).estimate(),
            measured_ns=measured.estimate(),
            mean_bytes=mean,
        )


def summarise(comparisons: Sequence[Comparison], base: str, provider: str) -> Agreement:
    """The agreement of a number of comparisons; there must be at least one."""
    import numpy as np

    errors = np.asarray([abs(row.error) for row in comparisons])
    pairs, inversions = _order(comparisons)
    return Agreement(
        tuple(comparisons),
        base,
        provider,
        median_error=float(np.median(errors)),
        percentile_95_error=float(np.quantile(errors, 0.95)),
        close_share=float(np.mean(errors < CLOSE)),
        pairs=pairs,
        inversions=inversions,
    )


def _order(comparisons: Sequence[Comparison]) -> tuple[int, tuple[Inversion, ...]]:
    groups: dict[tuple[str, int | None, str | None], list[Comparison]] = {}
    for row in comparisons:
        groups.setdefault((row.direction, row.size_bytes, row.mix), []).append(row)
    pairs = 0
    inversions: list[Inversion] = []
    for rows in groups.values():
        for pair in combinations(rows, 2):
            faster, slower = sorted(pair, key=lambda row: row.measured_ns.median)
            apart = slower.measured_ns.median > faster.measured_ns.median * (1 + CLOSE)
            if apart and not slower.measured_ns.overlaps(faster.measured_ns):
                pairs += 1
                if slower.predicted_ns.median < faster.predicted_ns.median:
                    inversions.append(Inversion(faster, slower))
    return pairs, tuple(inversions)
