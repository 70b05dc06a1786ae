"""What a data plane does with any packet, whatever the suite: its fixed cost, from laboratory rows.

A packet costs a data plane two things: what the plane does with any packet of that size (devices, sockets, lookups,
copies), and the ESP transform of its suite. The first is what a suite without encryption costs in the laboratory, less
its own packet loop::

    fixed(size) = laboratory(NULL, size) - packet loop(NULL, size)

The NULL suite is the one with the integrity transform of the suite, and GMAC (NULL with the authentication of GCM) for
GCM: code and tables of a hash have to come back into the caches after each visit to the kernel, which a packet loop
does not see, and a NULL run with that hash does. Where there is none, that of :meth:`PlaneCosts.stand_in` stands in.

The recommendation (:mod:`ipsecbench.recommend.prediction.data_plane`) and the comparison with the laboratory
(:mod:`ipsecbench.lab.prediction`) take it from here. Everything here is a pure function of rows.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Measurement, Tier, Workload
from ipsecbench.bench.statistics import resampled_quantiles

BASE_SUITES = ("null-sha256", "null-sha1", "null-sha512", "null-sha384", "null-md5", "null-aesxcbc", "null-aescmac")
"""Suites without encryption, in the order in which one is chosen for suites that have none of their own."""
DIRECTIONS = ("outbound", "inbound")
LOOP_PROVIDER = "libcrypto"
"""Library that a data plane uses where its row does not say another in ``detail.library``."""
LABORATORY_TIERS = (Tier.KERNEL, Tier.TUN_LAB)
"""Tiers of rows of whole data planes, the most of reality first."""
QUARTILE = 0.25
"""Both sides are compared at the first quartile of their samples. Whatever else runs on a box only ever adds time, now
to one sample and now to another: on a quiet box the quartile is close to the median, on a busy one it still says what
the work costs."""


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
    names = (row.workload.provider for row in rows if row.usable and row.workload.tier in LABORATORY_TIERS)
    return tuple(dict.fromkeys(names))


class PlaneCosts:
    """The laboratory rows of one data plane of one box and the packet loops beside them, each looked at once."""

    def __init__(
        self, rows: Iterable[Measurement], provider: str, tier: Tier | None = None, quantile: float = QUARTILE
    ) -> None:
        """Index the rows.

        Args:
            rows: rows of one dataset.
            provider: whose data plane, such as ``agent``.
            tier: of its laboratory rows; the best that there is if None.
            quantile: what of a row's samples is its figure.
        """
        rows = [row for row in rows if row.usable]
        found = [row for row in rows if _is_lab(row, provider)]
        tiers = [one for one in LABORATORY_TIERS if any(row.workload.tier is one for row in found)]
        self.provider = provider
        self.quantile = quantile
        self.tier = tier if tier is not None else next(iter(tiers), Tier.TUN_LAB)
        self.laboratory = tuple(row for row in found if row.workload.tier is self.tier)
        self._rows = {row.workload: row for row in rows}
        self._draws: dict[Workload, Draws] = {}
        self._figures: dict[Workload, float] = {}
        self._fixed: dict[Workload, Draws | None] = {}
        self._sizes: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in self.laboratory:
            work = row.workload
            if work.size_bytes is not None and self.loop_row(work) is not None:
                self._sizes[work.algorithm, work.operation].append(work.size_bytes)
        for sizes in self._sizes.values():
            sizes.sort()
        lab = {row.workload.algorithm for row in self.laboratory}
        loops = {row.workload.algorithm for row in rows if _is_loop(row)}
        self.stand_in: str | None = next((suite for suite in BASE_SUITES if suite in lab and suite in loops), None)
        """The suite without encryption whose fixed cost stands for suites that have none of their own; None where the
        dataset has no such suite with both figures."""

    def measured(self, work: Workload) -> Draws | None:
        """Nanoseconds for a packet in a row of the dataset, at the quantile; None where it has no row."""
        row = self._rows.get(work)
        if row is None:
            return None
        if work not in self._draws:
            self._draws[work] = Draws(self.figure(row), resampled_quantiles(row.times_ns, self.quantile))
        return self._draws[work]

    def figure(self, row: Measurement) -> float:
        """The quantile of a row's samples, in nanoseconds, without draws."""
        if row.workload not in self._figures:
            self._figures[row.workload] = _quantile(row.times_ns, self.quantile)
        return self._figures[row.workload]

    def loop_row(self, lab: Workload) -> Measurement | None:
        """The packet loop that belongs to a row of the laboratory, of the library that the plane used for it."""
        row = self._rows.get(lab)
        library = LOOP_PROVIDER if row is None else str(row.detail.get("library", LOOP_PROVIDER))
        return self._rows.get(_loop_of(lab, library))

    def loop(self, lab: Workload) -> Draws | None:
        """Nanoseconds for a packet in the packet loop that belongs to a row of the laboratory."""
        row = self.loop_row(lab)
        return None if row is None else self.measured(row.workload)

    def rows_of(self, base: str, work: Workload) -> tuple[Measurement | None, Measurement | None]:
        """The laboratory row and the packet loop of another suite with the traffic of a row."""
        lab = _of_suite(work, base)
        return self._rows.get(lab), self.loop_row(lab)

    def base_of(self, work: Workload) -> str | None:
        """The suite without encryption that the fixed cost of a row of the laboratory comes from: never itself."""
        for base in (own_base(work.algorithm), self.stand_in):
            if base is not None and base != work.algorithm:
                lab = _of_suite(work, base)
                if lab in self._rows and self.loop_row(lab) is not None:
                    return base
        return None

    def fixed_of(self, base: str, work: Workload) -> Draws | None:
        """What the plane does with any packet of a row's size, from a suite without encryption; None without rows."""
        key = _of_suite(work, base)
        if key not in self._fixed:
            lab, loop = self.measured(key), self.loop(key)
            self._fixed[key] = None if lab is None or loop is None else lab - loop
        return self._fixed[key]

    def fixed_ns(self, suite: str, direction: str, size_bytes: int) -> tuple[str, Draws] | None:
        """The fixed cost of any size: measured, or between the two measured sizes that are nearest.

        Beyond the measured sizes it grows as it did between the last two.

        Returns:
            the suite without encryption that it comes from, and nanoseconds; None where it was not measured.
        """
        for base in (own_base(suite), self.stand_in):
            sizes = self._sizes.get((base, direction)) if base is not None and base != suite else None
            fixed = self._between(base, direction, sizes, size_bytes) if base is not None and sizes else None
            if base is not None and fixed is not None:
                return base, fixed
        return None

    def fixed_of_mix_ns(self, suite: str, direction: str, mix: str) -> tuple[str, Draws] | None:
        """The fixed cost of a named mix of sizes; None where it was not measured."""
        work = Workload(self.tier, self.provider, direction, suite, mix=mix)
        base = self.base_of(work)
        measured = None if base is None else self.fixed_of(base, work)
        return None if base is None or measured is None else (base, measured)

    def _between(self, base: str, direction: str, sizes: list[int], size_bytes: int) -> Draws | None:
        if len(sizes) == 1 or size_bytes in sizes:
            near = far = size_bytes if size_bytes in sizes else sizes[0]
            share = 0.0
        else:
            place = min(max(bisect.bisect(sizes, size_bytes), 1), len(sizes) - 1)
            near, far = sizes[place - 1], sizes[place]
            share = (size_bytes - near) / (far - near)
        one, other = (
            self.fixed_of(base, Workload(self.tier, self.provider, direction, base, size)) for size in (near, far)
        )
        if one is None or other is None or near == far:
            return one
        return one * (1 - share) + other * share


def _of_suite(work: Workload, suite: str) -> Workload:
    """The same of another suite. What :func:`dataclasses.replace` does, which is slow for thousands of rows."""
    return Workload(work.tier, work.provider, work.operation, suite, work.size_bytes, work.mix, work.cores)


def _loop_of(lab: Workload, library: str) -> Workload:
    """The packet loop of a library with the suite and traffic of a row of the laboratory."""
    return Workload(Tier.PACKET_LOOP, library, lab.operation, lab.algorithm, lab.size_bytes, lab.mix, lab.cores)


def _quantile(times_ns: list[float], quantile: float) -> float:
    ordered = sorted(times_ns)
    place = (len(ordered) - 1) * quantile
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _is_lab(row: Measurement, provider: str) -> bool:
    work = row.workload
    return (
        work.tier in LABORATORY_TIERS and work.provider == provider and work.operation in DIRECTIONS and work.cores == 1
    )


def _is_loop(row: Measurement) -> bool:
    work = row.workload
    return work.tier is Tier.PACKET_LOOP and work.operation in DIRECTIONS
