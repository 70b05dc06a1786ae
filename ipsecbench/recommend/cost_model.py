"""How much one core carries with each ESP suite, from the rows of a dataset.

A packet costs what the data plane does with any packet (:mod:`ipsecbench.recommend.data_plane`) and its ESP transform.
For the transform, in order of trust: a row of the packet loop for this very traffic; the line through its sizes,
widened by its worst residual; bounds from a single size; and, where no packet loop was measured, the sum of cipher and
MAC calls, which is of a lower tier because no packet was built. A mix or a distribution without a row of its own is the
mean of its sizes. Rows of the multi-buffer library never enter a prediction: no kernel and no program on libcrypto
reaches them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ipsecbench.algorithms.encryption import Encryption
from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.bench.draws import Draws, estimate_draws, row_draws
from ipsecbench.bench.draws import smaller as smaller_draws
from ipsecbench.bench.measurement import LADDER, MIXES, Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.esp.overhead import ESP_HEADER_BYTES, ESP_TRAILER_BYTES
from ipsecbench.lab.plane_cost import DIRECTIONS
from ipsecbench.recommend.arithmetic import ZERO, inverse, ratio, scaled, smaller, total
from ipsecbench.recommend.data_plane import DataPlane, PlaneShare, StatedPlane, data_plane
from ipsecbench.recommend.predictions import PREDICTION_CONFIDENCE, Basis, Ceiling, FixedCost, Prediction
from ipsecbench.recommend.stated_default import stated_default
from ipsecbench.recommend.traffic import Traffic

PREDICTION_PROVIDERS = ("libcrypto", "libgcrypt", "cryptography", "pycryptodome")
"""In order of preference: the box's own libraries measured from C, then the Python libraries."""
AGENT_PROVIDERS = ("libcrypto", "libgcrypt")
CEILING_PROVIDER = "libipsec-mb"
REFERENCE_TRAFFIC = (
    Traffic(size_bytes=64),
    Traffic(size_bytes=576),
    Traffic(size_bytes=1400),
    *(Traffic(mix=mix) for mix in MIXES),
)
"""What every recommendation shows beside the traffic that was asked for."""
TIER_RANK: Mapping[Tier, int] = {tier: rank for rank, tier in enumerate(LADDER, start=1)}
"""1 for ``primitive`` to 5 for ``on-wire``."""
_BASIS_RANK = {basis: rank for rank, basis in enumerate(Basis)}

Timed = tuple[Estimate, Basis]
"""Nanoseconds per operation, and how they came about."""
Drawn = tuple[Draws, Basis]
"""The same with draws."""


class CostModel:
    """Predictions from one dataset. Holds indexes only; every answer is a function of the dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._by_algorithm: dict[str, list[Measurement]] = defaultdict(list)
        for row in dataset.measurements:
            self._by_algorithm[row.workload.algorithm].append(row)
        self._transforms: dict[tuple[str, Traffic, str], _Transform | None] = {}

    @cached_property
    def plane(self) -> DataPlane:
        """The data plane of the box."""
        return data_plane(self.dataset)

    @cached_property
    def _assumed(self) -> StatedPlane:
        return StatedPlane(stated_default(self.dataset.environment))

    def rows(self, algorithm: str) -> list[Measurement]:
        """Every row of an algorithm or suite, usable or not, in an order that does not depend on the dataset's."""
        return sorted(self._by_algorithm.get(algorithm, []), key=_row_order)

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

    def predict(self, suite: EspSuite, traffic: Traffic) -> Prediction | None:
        """What one core carries; None where nothing supports a figure in both directions."""
        costs = [self._packet(suite, traffic, direction) for direction in DIRECTIONS]
        outbound, inbound = costs
        return None if outbound is None or inbound is None else _prediction(traffic, outbound, inbound)

    def time_draws(self, suite: EspSuite, traffic: Traffic, direction: str) -> Draws | None:
        """Nanoseconds that one core needs for a packet, with draws; None where nothing supports a figure.

        The draws of the data plane's fixed cost are the same for every suite, so that it cancels in comparisons. The
        figure is the mean over the packets of the traffic.

        Args:
            suite: the ESP suite.
            traffic: the packets.
            direction: ``outbound`` or ``inbound``.
        """
        cost = self._packet(suite, traffic, direction)
        return None if cost is None else cost.time

    def transform_draws(self, suite: EspSuite, traffic: Traffic, direction: str) -> Draws | None:
        """The ESP transform's part of :meth:`time_draws`, as it was measured."""
        transform = self._transform(suite, traffic, direction)
        return None if transform is None else transform.time

    def _packet(self, suite: EspSuite, traffic: Traffic, direction: str) -> _Packet | None:
        transform = self._transform(suite, traffic, direction)
        if transform is None:
            return None
        for plane in (self.plane, self._assumed):
            share = plane.share(suite, traffic, direction)
            if share is not None:
                return _Packet(transform, plane, share, share.whole(transform.time))
        return None

    def _transform(self, suite: EspSuite, traffic: Traffic, direction: str) -> _Transform | None:
        """The ESP transform of the best tier and library that have both directions."""
        key = suite.name, traffic, direction
        if key not in self._transforms:
            found: tuple[_Transform, _Transform] | None = None
            for tier in (Tier.PACKET_LOOP, Tier.PRIMITIVE):
                for provider in PREDICTION_PROVIDERS:
                    found = found or self._both_directions(tier, provider, suite, traffic)
            for place, one in enumerate(DIRECTIONS):
                self._transforms[suite.name, traffic, one] = None if found is None else found[place]
        return self._transforms[key]

    def _both_directions(
        self, tier: Tier, provider: str, suite: EspSuite, traffic: Traffic
    ) -> tuple[_Transform, _Transform] | None:
        if tier is Tier.PACKET_LOOP:
            drawn = [self._loop(tier, provider, direction, suite, traffic) for direction in DIRECTIONS]
        else:
            drawn = [self._composed(provider, suite, operation, traffic) for operation in ("encrypt", "decrypt")]
        one, other = drawn
        if one is None or other is None:
            return None
        return _Transform(*one, tier, provider), _Transform(*other, tier, provider)

    def _loop(self, tier: Tier, provider: str, direction: str, suite: EspSuite, traffic: Traffic) -> Drawn | None:
        """The packet loop of a traffic: its own row, or the mean of its sizes."""
        row = self.dataset.get(Workload(tier, provider, direction, suite.name, traffic.size_bytes, traffic.mix))
        measured = None if row is None else row_draws(row)
        if measured is not None and traffic.distribution is None:
            return measured, Basis.MEASURED
        if traffic.size_bytes is not None:
            timed = self.time_ns(tier, provider, direction, suite.name, traffic)
            # What is wrong with a line is wrong at all of its sizes: they share their draws.
            key = f"{suite.name} {direction} ({tier}, {provider})"
            return None if timed is None else (estimate_draws(timed[0], key), timed[1])
        return _mean(
            (share, self._loop(tier, provider, direction, suite, Traffic(size_bytes=size)))
            for size, share in traffic.parts
        )

    def _composed(self, provider: str, suite: EspSuite, operation: str, traffic: Traffic) -> Drawn | None:
        """Cipher call plus MAC call, each at the length that ESP gives it; a mix is the weighted mean of its sizes."""
        times: list[Estimate] = []
        for size, share in traffic.parts:
            one = self._composed_packet(provider, suite, operation, size)
            if one is None:
                return None
            times.append(scaled(one, share))
        time = total(times)
        if time.lower <= 0:
            return None
        return estimate_draws(time, f"{suite.name} {operation} {traffic} ({provider})"), Basis.COMPOSED

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

    def worst_scaling(self, cores: int) -> tuple[int, Estimate] | None:
        """The least that any suite gained where so many cores, or the next fewer, were measured at once."""
        rows = (row for row in self.dataset.measurements if row.usable and 1 < row.workload.cores <= cores)
        suites = {row.workload.algorithm for row in rows}
        found = [scaling for suite in sorted(suites) if (scaling := self.multi_core_scaling(suite, cores)) is not None]
        most = max((scaling[0] for scaling in found), default=0)
        return min((one for one in found if one[0] == most), key=lambda one: one[1].median, default=None)

    def ceilings(self, traffic: Traffic) -> tuple[Ceiling, ...]:
        """What the multi-buffer library does here with suites that encrypt, fastest first."""
        found = []
        for suite in sorted(name for name, parts in esp_suites().items() if parts.strength_bits):
            timed = self.time_ns(Tier.PACKET_LOOP, CEILING_PROVIDER, "outbound", suite, traffic)
            if timed is not None:
                rate = inverse(timed[0], traffic.mean_bytes * 8e3)
                found.append(Ceiling(suite, CEILING_PROVIDER, Tier.PACKET_LOOP, traffic, rate))
        return tuple(sorted(found, key=lambda ceiling: (-ceiling.mbit_per_second.median, ceiling.suite)))

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
        rows = self.rows(algorithm)
        by_agent = any(row.workload.provider in AGENT_PROVIDERS for row in rows)
        trusted = AGENT_PROVIDERS if by_agent else PREDICTION_PROVIDERS
        return next((r for r in rows if r.status is Status.FAILED and r.workload.provider in trusted), None)

    def why_not(self, *algorithms: str) -> str:
        """Why there is no figure for an algorithm, or for a suite and its transforms, in words."""
        for status in (Status.UNSUPPORTED, Status.FAILED, Status.SKIPPED):
            for algorithm in algorithms:
                for row in self.rows(algorithm):
                    if row.status is status and row.workload.provider != CEILING_PROVIDER:
                        return row.message or f"{row.workload} was {status}"
        return "this run did not include it"


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


def _mean(parts: Iterable[tuple[float, Drawn | None]]) -> Drawn | None:
    """The mean of figures with their shares, and the worst of their bases; None where one is missing."""
    whole: Draws | None = None
    basis = Basis.MEASURED
    for share, part in parts:
        if part is None:
            return None
        time = part[0] * share
        whole = time if whole is None else whole + time
        basis = max(basis, part[1], key=_BASIS_RANK.__getitem__)
    return None if whole is None else (whole, basis)


@dataclass(frozen=True, slots=True)
class _Transform:
    """The ESP transform of one direction."""

    time: Draws
    """Nanoseconds a packet."""
    basis: Basis
    tier: Tier
    provider: str


@dataclass(frozen=True, slots=True)
class _Packet:
    """A packet in one direction."""

    transform: _Transform
    plane: DataPlane
    share: PlaneShare
    time: Draws
    """Nanoseconds for all of it."""


def _prediction(traffic: Traffic, outbound: _Packet, inbound: _Packet) -> Prediction:
    bits = traffic.mean_bytes * 8e3
    out_rate, in_rate = outbound.time.under(bits), inbound.time.under(bits)
    one_way = smaller_draws(out_rate, in_rate).estimate(PREDICTION_CONFIDENCE)
    one, other = outbound.transform, inbound.transform
    plane = outbound.plane
    return Prediction(
        traffic=traffic,
        outbound_mbit_per_second=out_rate.estimate(PREDICTION_CONFIDENCE),
        inbound_mbit_per_second=in_rate.estimate(PREDICTION_CONFIDENCE),
        one_way_mbit_per_second=one_way,
        both_ways_mbit_per_second=(outbound.time + inbound.time).under(2 * bits).estimate(PREDICTION_CONFIDENCE),
        packets_per_second=scaled(one_way, 1e6 / (traffic.mean_bytes * 8)),
        basis=max(one.basis, other.basis, key=_BASIS_RANK.__getitem__),
        tier=one.tier,
        provider=one.provider,
        transform_mbit_per_second=smaller_draws(one.time.under(bits), other.time.under(bits)).estimate(
            PREDICTION_CONFIDENCE
        ),
        fixed=FixedCost(
            plane.name,
            plane.tier,
            outbound.share.base,
            outbound.share.fixed.estimate(PREDICTION_CONFIDENCE),
            inbound.share.fixed.estimate(PREDICTION_CONFIDENCE),
            plane.text,
            plane.sources,
        ),
    )
