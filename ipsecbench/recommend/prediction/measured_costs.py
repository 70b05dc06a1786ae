"""What was measured of the cryptography: rows of a dataset by algorithm, and the time of a suite's ESP transform.

In order of trust: a row of the packet loop for this very traffic; the line through its sizes, widened by its worst
residual; bounds from a single size; and, where no packet loop was measured, the sum of cipher and MAC calls, which is
of a lower tier because no packet was built. A mix or a distribution without a row of its own is the mean of its sizes.
Rows of the multi-buffer library never enter a prediction: no kernel and no program on libcrypto reaches them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ipsecbench.algorithms.encryption import Encryption
from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.bench.measurement import LADDER, Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.esp.overhead import ESP_HEADER_BYTES, ESP_TRAILER_BYTES
from ipsecbench.lab.plane_cost import DIRECTIONS
from ipsecbench.recommend.prediction.arithmetic import ZERO, ratio, scaled, smaller, total
from ipsecbench.recommend.prediction.predictions import Basis
from ipsecbench.recommend.prediction.published_rows import PUBLISHED_PROVIDERS, predictable
from ipsecbench.recommend.requirements.traffic import Traffic

PREDICTION_PROVIDERS = ("libcrypto", "libgcrypt", "cryptography", "pycryptodome", *PUBLISHED_PROVIDERS)
"""In order of preference: the box's own libraries measured from C, the Python libraries, then what others published."""
AGENT_PROVIDERS = ("libcrypto", "libgcrypt")
CEILING_PROVIDER = "libipsec-mb"
TIER_RANK: Mapping[Tier, int] = {tier: rank for rank, tier in enumerate(LADDER, start=1)}
"""1 for ``primitive`` to 5 for ``on-wire``."""
BASIS_RANK = {basis: rank for rank, basis in enumerate(Basis)}

Timed = tuple[Estimate, Basis]
"""Nanoseconds per operation, and how they came about."""


@dataclass(frozen=True, slots=True)
class TransformTimes:
    """The ESP transform of one suite and traffic, in both directions."""

    tier: Tier
    """Tier of evidence."""
    provider: str
    """Library that did the work."""
    outbound: Timed
    """Nanoseconds to protect a packet."""
    inbound: Timed
    """Nanoseconds to unprotect one."""

    def of(self, direction: str) -> Timed:
        """One direction."""
        return self.outbound if direction == "outbound" else self.inbound

    @property
    def basis(self) -> Basis:
        """The worse of both."""
        return max(self.outbound[1], self.inbound[1], key=BASIS_RANK.__getitem__)


class MeasuredCosts:
    """The rows of one dataset. Holds indexes only; every answer is a function of the dataset."""

    def __init__(self, dataset: Dataset) -> None:
        dataset = predictable(dataset)
        self.dataset = dataset
        self._by_algorithm: dict[str, list[Measurement]] = defaultdict(list)
        for row in dataset.measurements:
            self._by_algorithm[row.workload.algorithm].append(row)
        self._worst_scalings: dict[int, tuple[int, Estimate] | None] = {}
        self._in_order: dict[str, list[Measurement]] = {}
        self._transforms: dict[tuple[str, Traffic], TransformTimes | None] = {}
        self._failures: dict[str, Measurement | None] = {}

    def rows(self, algorithm: str) -> list[Measurement]:
        """Every row of an algorithm or suite, usable or not, in an order that does not depend on the dataset's."""
        found = self._by_algorithm.get(algorithm)
        if found is None:
            return []
        if algorithm not in self._in_order:
            self._in_order[algorithm] = sorted(found, key=_row_order)
        return self._in_order[algorithm]

    def time_ns(self, tier: Tier, provider: str, operation: str, algorithm: str, traffic: Traffic) -> Timed | None:
        """Nanoseconds per operation; None where nothing supports a figure."""
        dataset = self.dataset
        row = dataset.get(Workload(tier, provider, operation, algorithm, traffic.size_bytes, traffic.mix))
        if row is not None and row.ns_per_operation is not None:
            return row.ns_per_operation, Basis.MEASURED
        fit = dataset.fit(tier, provider, operation, algorithm)
        size = traffic.mean_bytes
        if fit is not None and fit.predict_ns(size) > 0:
            spread = fit.worst_residual
            lower = max(0.0, fit.fixed_ns.lower) + max(0.0, fit.ns_per_byte.lower) * size
            upper = fit.fixed_ns.upper + fit.ns_per_byte.upper * size
            median = fit.predict_ns(size)
            return _widened(median, min(median, lower) * (1 - spread), max(median, upper) * (1 + spread)), Basis.FIT
        return self._from_few_sizes(tier, provider, operation, algorithm, size)

    def _from_few_sizes(self, tier: Tier, provider: str, operation: str, algorithm: str, size: float) -> Timed | None:
        points = sorted(
            (
                (row.workload.size_bytes, row.ns_per_operation)
                for row in self._by_algorithm.get(algorithm, [])
                if (row.workload.tier, row.workload.provider, row.workload.operation) == (tier, provider, operation)
                and row.workload.size_bytes is not None
                and row.ns_per_operation is not None
                and row.workload.cores == 1
            ),
            key=lambda point: point[0],
        )
        if not points:
            return None
        if len(points) == 1:
            return _bounds(points[0][0], points[0][1], size), Basis.BOUND
        nearest = sorted(points, key=lambda point: (abs(point[0] - size), point[0]))[:2]
        one, other = sorted(nearest, key=lambda point: point[0])
        return _line(one, other, size), Basis.FIT

    def transform(self, suite: EspSuite, traffic: Traffic) -> TransformTimes | None:
        """The ESP transform, of the best tier and library that have both directions; None where none has."""
        key = suite.name, traffic
        if key not in self._transforms:
            self._transforms[key] = self._best_transform(suite, traffic)
        return self._transforms[key]

    def _best_transform(self, suite: EspSuite, traffic: Traffic) -> TransformTimes | None:
        for tier in (Tier.PACKET_LOOP, Tier.PRIMITIVE):
            for provider in PREDICTION_PROVIDERS:
                if tier is Tier.PACKET_LOOP:
                    timed = [self._loop(provider, direction, suite, traffic) for direction in DIRECTIONS]
                else:
                    timed = [self._composed(provider, suite, step, traffic) for step in ("encrypt", "decrypt")]
                outbound, inbound = timed
                if outbound is not None and inbound is not None:
                    return TransformTimes(tier, provider, outbound, inbound)
        return None

    def row_of(self, suite: EspSuite, traffic: Traffic, direction: str, provider: str) -> Measurement | None:
        """The row of the packet loop for this very traffic, where it carries a figure."""
        if traffic.distribution is not None:
            return None
        work = Workload(Tier.PACKET_LOOP, provider, direction, suite.name, traffic.size_bytes, traffic.mix)
        row = self.dataset.get(work)
        return row if row is not None and row.usable else None

    def _loop(self, provider: str, direction: str, suite: EspSuite, traffic: Traffic) -> Timed | None:
        """The packet loop of a traffic: its own row, or the mean of its sizes."""
        row = self.row_of(suite, traffic, direction, provider)
        if row is not None or traffic.size_bytes is not None:
            return self.time_ns(Tier.PACKET_LOOP, provider, direction, suite.name, traffic)
        times: list[Estimate] = []
        basis = Basis.MEASURED
        for size, share in traffic.parts:
            one = self.time_ns(Tier.PACKET_LOOP, provider, direction, suite.name, Traffic(size_bytes=size))
            if one is None:
                return None
            times.append(scaled(one[0], share))
            basis = max(basis, one[1], key=BASIS_RANK.__getitem__)
        return total(times), basis

    def _composed(self, provider: str, suite: EspSuite, operation: str, traffic: Traffic) -> Timed | None:
        """Cipher call plus MAC call, each at the length that ESP gives it; a mix is the weighted mean of its sizes."""
        times: list[Estimate] = []
        for size, share in traffic.parts:
            one = self._composed_packet(provider, suite, operation, size)
            if one is None:
                return None
            times.append(scaled(one, share))
        time = total(times)
        return (time, Basis.COMPOSED) if time.lower > 0 else None

    def _composed_packet(self, provider: str, suite: EspSuite, operation: str, size: int) -> Estimate | None:
        encryption = suite.encryption
        padded = -(-(size + ESP_TRAILER_BYTES) // encryption.pad_align_bytes) * encryption.pad_align_bytes
        cipher = self._cipher_ns(provider, encryption, operation, padded)
        if cipher is None or suite.integrity is None:
            return cipher
        signed = Traffic(size_bytes=ESP_HEADER_BYTES + encryption.iv_bytes + padded)
        mac = self.time_ns(Tier.PRIMITIVE, provider, "authenticate", suite.integrity.name, signed)
        return None if mac is None else total((cipher, mac[0]))

    def _cipher_ns(self, provider: str, encryption: Encryption, operation: str, padded: int) -> Estimate | None:
        if encryption.mode == "null":
            return ZERO
        timed = self.time_ns(Tier.PRIMITIVE, provider, operation, encryption.name, Traffic(size_bytes=padded))
        return None if timed is None else timed[0]

    def multi_core_scaling(self, suite: str, tunnels: int) -> tuple[int, Estimate] | None:
        """How many cores were measured at once, at most as many as tunnels, and their rate over that of one core."""
        best: tuple[int, Estimate] | None = None
        for row in self.rows(suite):
            load = row.workload
            if (
                load.tier is not Tier.PACKET_LOOP
                or load.provider not in AGENT_PROVIDERS
                or row.ns_per_operation is None
            ):
                continue
            if not 1 < load.cores <= tunnels or (best is not None and best[0] >= load.cores):
                continue
            alone = self.dataset.get(
                Workload(load.tier, load.provider, load.operation, suite, load.size_bytes, load.mix)
            )
            if alone is not None and alone.ns_per_operation is not None:
                # More than so many times one core is noise of one of the two rows.
                scaling = smaller(ratio(alone.ns_per_operation, row.ns_per_operation), _exactly(load.cores))
                best = load.cores, scaling
        return best

    @cached_property
    def transforms(self) -> frozenset[str]:
        """Everything that has a usable row, and the encryption transforms of suites that have one."""
        names = {row.workload.algorithm for row in self.dataset.measurements if row.usable}
        return frozenset(names | {name.partition("-")[0] for name in names})

    def worst_scaling(self, cores: int) -> tuple[int, Estimate] | None:
        """The least that any suite gained where so many cores, or the next fewer, were measured at once."""
        if cores not in self._worst_scalings:
            self._worst_scalings[cores] = self._worst_scaling(cores)
        return self._worst_scalings[cores]

    def _worst_scaling(self, cores: int) -> tuple[int, Estimate] | None:
        rows = (row for row in self.dataset.measurements if row.usable and 1 < row.workload.cores <= cores)
        suites = {row.workload.algorithm for row in rows}
        found = [scaling for suite in sorted(suites) if (scaling := self.multi_core_scaling(suite, cores)) is not None]
        most = max((scaling[0] for scaling in found), default=0)
        return min((one for one in found if one[0] == most), key=lambda one: one[1].median, default=None)

    def incorrect(self, suite: EspSuite) -> Measurement | None:
        """A row that failed, of the suite or of one of its transforms, in a library that a prediction would come from.

        The Python libraries count where no agent measured; where one did, theirs is another implementation.
        """
        names = [suite.name, suite.encryption.name]
        if suite.integrity is not None:
            names.append(suite.integrity.name)
        return next((row for name in names if (row := self.failed(name)) is not None), None)

    def failed(self, algorithm: str) -> Measurement | None:
        """A failed row of an algorithm in a library that a prediction would come from."""
        if algorithm not in self._failures:
            self._failures[algorithm] = _failure(self.rows(algorithm))
        return self._failures[algorithm]

    def why_not(self, *algorithms: str) -> str:
        """Why there is no figure for an algorithm, or for a suite and its transforms, in words."""
        for status in (Status.UNSUPPORTED, Status.FAILED, Status.SKIPPED):
            for algorithm in algorithms:
                for row in self.rows(algorithm):
                    if row.status is status and row.workload.provider != CEILING_PROVIDER:
                        return row.message or f"{row.workload} was {status}"
        return "this run did not include it"


def _failure(rows: list[Measurement]) -> Measurement | None:
    by_agent = any(row.workload.provider in AGENT_PROVIDERS for row in rows)
    trusted = AGENT_PROVIDERS if by_agent else PREDICTION_PROVIDERS
    return next((r for r in rows if r.status is Status.FAILED and r.workload.provider in trusted), None)


def _row_order(row: Measurement) -> tuple[object, ...]:
    load = row.workload
    providers = (*PREDICTION_PROVIDERS, CEILING_PROVIDER)
    provider = providers.index(load.provider) if load.provider in providers else len(providers)
    return (
        -TIER_RANK[load.tier],
        provider,
        load.provider,
        load.operation,
        load.size_bytes or 0,
        load.mix or "",
        load.cores,
    )


def _exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def _bounds(measured_size: int, time: Estimate, size: float) -> Estimate:
    """Between a cost that does not depend on the size and one that is proportional to it."""
    share = size / measured_size
    lower, upper = time.lower * min(1.0, share), time.upper * max(1.0, share)
    return Estimate((lower + upper) / 2, lower, upper)


def _line(one: tuple[int, Estimate], other: tuple[int, Estimate], size: float) -> Estimate:
    """Through two measured sizes, with the worse of their spreads; never below the cheaper one's proportional cost."""
    (near, cheap), (far, dear) = one, other
    slope = (dear.median - cheap.median) / (far - near)
    median = max(cheap.median + slope * (size - near), min(cheap.median, cheap.median * size / near))
    spread = max((cheap.upper - cheap.lower) / cheap.median, (dear.upper - dear.lower) / dear.median)
    return _widened(median, median * (1 - spread), median * (1 + spread))


def _widened(median: float, lower: float, upper: float) -> Estimate:
    """The interval, kept away from zero: a time of nothing would be a rate without end."""
    return Estimate(median, max(lower, median / 10), upper)
