"""What the box's data plane does with any packet: from the best evidence in the dataset, or a stated default.

In order of trust: the kernel's rows, the laboratory's (:mod:`ipsecbench.lab.plane_cost` makes fixed costs of both),
and where the dataset has neither the default of :mod:`ipsecbench.recommend.prediction.stated_default` with its wide
bounds. Either way the model's own error is part of it: what is left between prediction and measurement when all
sampling noise is accounted for. With a laboratory it comes from the other suites' rows, so that no row enters its own
interval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Protocol

from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.bench.draws import Draws, at_least, spread_draws
from ipsecbench.bench.measurement import Measurement, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.lab.plane_cost import LABORATORY_TIERS, PlaneCosts, providers
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE
from ipsecbench.recommend.prediction.stated_default import StatedDefault, stated_default
from ipsecbench.recommend.requirements.traffic import Traffic

MEDIAN = 0.5
"""What a box carries is what it carries in the middle; the quartile of the laboratory's comparisons asks what the work
costs where nothing else runs."""
FEWEST_RESIDUALS = 8
"""Suites that must have been compared at one size before their errors stand for that size; all sizes otherwise."""
LEAST_ERROR = 0.01
"""Relative standard deviation below which no model of a data plane is believed to be."""
UNCHECKED_ERROR = 0.06
"""Relative standard deviation where a laboratory measured nothing but suites without encryption: 90% within 10%, which
is what predictions are held to on boxes that were checked (docs/prediction.md)."""
_NORMAL_90 = 1.645
_NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class PlaneShare:
    """What a data plane adds to the ESP transform of one suite, traffic and direction."""

    base: str | None
    """The suite without encryption that the fixed cost comes from; None for a stated default."""
    fixed: Draws
    """Nanoseconds for any packet. Suites of one base share its draws."""
    factor: Draws | None
    """How much longer the transform takes in the plane than where it was measured, for all suites alike; None: as
    long."""
    factor_sigma: float
    """Standard deviation of its logarithm."""
    own_sigma: float
    """The same for the transform of this suite alone."""
    error_sigma: float
    """The same for the whole time of a packet: the model's error."""
    key: str
    """What shares its own errors: suites that differ in the length of their key alone are the same code."""

    def whole(self, transform: Draws) -> Draws:
        """Nanoseconds for a packet of the suite."""
        if self.factor is not None:
            transform = transform * self.factor
        if self.own_sigma:
            transform = transform * spread_draws(self.own_sigma, f"transform of {self.key}")
        return (self.fixed + transform) * spread_draws(self.error_sigma, f"error of {self.key}")

    def whole_and_sigma(self, transform_ns: float, deviation_ns: float) -> tuple[float, float]:
        """The same without draws: nanoseconds for a packet, and the standard deviation of their logarithm.

        Args:
            transform_ns: nanoseconds of the transform where it was measured.
            deviation_ns: their standard deviation.
        """
        import numpy as np

        factor = 1.0 if self.factor is None else self.factor.value
        whole = self.fixed.value + transform_ns * factor
        parts = (
            float(np.std(self.fixed.drawn)) / whole,
            deviation_ns * factor / whole,
            math.hypot(self.factor_sigma, self.own_sigma) * transform_ns * factor / whole,
            self.error_sigma,
        )
        return whole, math.hypot(*parts)


class DataPlane(Protocol):
    """A data plane's share of the cost of a packet."""

    @property
    def name(self) -> str:
        """The plane, for people."""

    @property
    def tier(self) -> Tier | None:
        """Tier of the evidence; None for a stated default."""

    @property
    def text(self) -> str:
        """Where the figure comes from, in a sentence."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the sources of a stated default."""

    def share(self, suite: EspSuite, traffic: Traffic, direction: str) -> PlaneShare | None:
        """What it adds to a suite's transform; None where nothing was measured that says so."""


def data_plane(dataset: Dataset) -> DataPlane:
    """The data plane of the box, from the best evidence that the dataset has."""
    rows, default = dataset.measurements, stated_default(dataset.environment)
    for tier in LABORATORY_TIERS:
        names = providers(row for row in rows if row.workload.tier is tier)
        for provider in sorted(names, key=lambda name: (name != "agent", name)):
            costs = PlaneCosts(rows, provider, tier, MEDIAN)
            if costs.stand_in is not None:
                return MeasuredPlane(costs, default)
    return StatedPlane(default)


class MeasuredPlane:
    """A data plane that was measured with a suite without encryption."""

    def __init__(self, costs: PlaneCosts, default: StatedDefault) -> None:
        """Take the measured costs.

        Args:
            costs: the plane's rows.
            default: what is assumed of a kernel's ciphers where no suite that encrypts was measured in the kernel.
        """
        self._costs = costs
        self._kernel = StatedPlane(default)
        self._residuals: dict[_Place, list[_Residual]] | None = None

    @property
    def name(self) -> str:
        """The plane, for people."""
        return f"the kernel ({self._costs.provider})" if self.tier is Tier.KERNEL else self._costs.provider

    @property
    def tier(self) -> Tier:
        """Tier of the evidence."""
        return self._costs.tier

    @property
    def text(self) -> str:
        """Where the figure comes from."""
        return (
            f"measured on this box: what packets of a suite without encryption cost through the data plane "
            f"{self._costs.provider} ({self.tier}), less their packet loop"
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """None: it was measured."""
        return ()

    def share(self, suite: EspSuite, traffic: Traffic, direction: str) -> PlaneShare | None:
        """The laboratory runs the code of the packet loop, so that the transform takes as long there.

        A kernel has ciphers of its own: how they differ is in the error where suites that encrypt were measured there.
        """
        found = self._fixed_ns(suite.name, traffic, direction)
        if found is None:
            return None
        base, fixed = found[0], at_least(found[1], 0.0)
        sigma = self._error(suite.name, traffic, direction)
        if sigma is None and self.tier is Tier.KERNEL:
            return replace(self._kernel.share(suite), base=base, fixed=fixed, error_sigma=UNCHECKED_ERROR)
        key = f"{_code_of(suite)} {direction}"
        return PlaneShare(base, fixed, None, 0.0, 0.0, UNCHECKED_ERROR if sigma is None else sigma, key)

    def _fixed_ns(self, suite: str, traffic: Traffic, direction: str) -> tuple[str, Draws] | None:
        """The fixed cost of the traffic.

        Sizes that were not measured together cost as much more together than apart as those of a measured mix do.
        """
        if traffic.mix is not None:
            measured = self._costs.fixed_of_mix_ns(suite, direction, traffic.mix)
            if measured is not None:
                return measured
        found = self._of_sizes(suite, traffic, direction)
        if found is None or len(traffic.parts) == 1:
            return found
        return found[0], found[1] * self._surcharge_of_mixing(suite, direction)

    def _of_sizes(self, suite: str, traffic: Traffic, direction: str) -> tuple[str, Draws] | None:
        whole: Draws | None = None
        base = ""
        for size, share in traffic.parts:
            one = self._costs.fixed_ns(suite, direction, size)
            if one is None:
                return None
            base = one[0]
            whole = one[1] * share if whole is None else whole + one[1] * share
        return None if whole is None else (base, whole)

    def _surcharge_of_mixing(self, suite: str, direction: str) -> float:
        """How much more packets of mixed sizes cost than the mean of their sizes: equal ones go in batches."""
        for mix in sorted({row.workload.mix for row in self._costs.laboratory if row.workload.mix is not None}):
            measured = self._costs.fixed_of_mix_ns(suite, direction, mix)
            composed = self._of_sizes(suite, Traffic(mix=mix), direction)
            if measured is not None and composed is not None and composed[1].value > 0:
                return max(1.0, measured[1].value / composed[1].value)
        return 1.0

    def _error(self, suite: str, traffic: Traffic, direction: str) -> float | None:
        """What the other suites' rows leave unexplained, at this size where enough were compared there.

        None where too few suites were measured to say.
        """
        if self._residuals is None:
            self._residuals = _residuals(self._costs)
        place = direction, traffic.size_bytes, traffic.mix
        others = [one for one in self._residuals.get(place, ()) if one.suite != suite]
        if len(others) < FEWEST_RESIDUALS:
            every = (one for key, rows in self._residuals.items() if key[0] == direction for one in rows)
            others = [one for one in every if one.suite != suite]
        if len({one.suite for one in others}) < FEWEST_RESIDUALS:
            return None
        ordered = sorted(abs(one.error) for one in others)
        wide = ordered[math.ceil(PREDICTION_CONFIDENCE * len(ordered)) - 1] / _NORMAL_90
        sampling = sum(one.sampling for one in others) / len(others)
        return math.sqrt(max(LEAST_ERROR**2, wide**2 - sampling))


class StatedPlane:
    """A data plane that nobody measured on this box."""

    def __init__(self, default: StatedDefault) -> None:
        self._default = default
        self._fixed = spread_draws(default.fixed_sigma, "stated fixed cost") * default.fixed_ns
        self._factor = (
            spread_draws(default.transform_sigma, "stated factor of the transform") * default.transform_factor
        )

    @property
    def name(self) -> str:
        """The kind of plane that is assumed."""
        return self._default.plane

    @property
    def tier(self) -> None:
        """None: no evidence of this box."""
        return

    @property
    def text(self) -> str:
        """What is assumed, and that it is."""
        return self._default.text

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the default comes from."""
        return self._default.sources

    def share(self, suite: EspSuite, traffic: Traffic | None = None, direction: str | None = None) -> PlaneShare:
        """The same fixed cost for every suite, size and direction: kernels hand packets on without copying them.

        The kernel's ciphers are not the measured library's. That goes for all of them, and a little for each alone.
        """
        default = self._default
        factor_sigma, own_sigma = default.transform_sigma, default.suite_sigma
        return PlaneShare(None, self._fixed, self._factor, factor_sigma, own_sigma, 0.0, _code_of(suite))


@dataclass(frozen=True, slots=True)
class _Residual:
    """A row of the laboratory against its prediction."""

    suite: str
    error: float
    """Logarithm of measured over predicted."""
    sampling: float
    """Variance of the prediction that its rows' own intervals account for."""


_Place = tuple[str, int | None, str | None]
"""Direction, size, mix."""


def _residuals(costs: PlaneCosts) -> dict[_Place, list[_Residual]]:
    found: dict[_Place, list[_Residual]] = defaultdict(list)
    for row in costs.laboratory:
        work = row.workload
        base = costs.base_of(work)
        parts = () if base is None else (*costs.rows_of(base, work), costs.loop_row(work))
        known = [part for part in parts if part is not None]
        if len(known) < 3:
            continue
        predicted = costs.figure(known[0]) - costs.figure(known[1]) + costs.figure(known[2])
        if predicted > 0:
            sampling = sum(_deviation(part) ** 2 for part in known) / predicted**2
            error = math.log(costs.figure(row) / predicted)
            found[work.operation, work.size_bytes, work.mix].append(_Residual(work.algorithm, error, sampling))
    return found


def _deviation(row: Measurement) -> float:
    """Standard deviation of a row's figure, from its interval."""
    estimate = row.ns_per_operation
    return 0.0 if estimate is None else (estimate.upper - estimate.lower) / 2 / _NORMAL_95


def _code_of(suite: EspSuite) -> str:
    """What is the same code: a suite without the length of its key."""
    encryption = suite.encryption
    integrity = "" if suite.integrity is None else f"-{suite.integrity.name}"
    return f"{encryption.name.replace(str(encryption.key_bits), '')}{integrity}"
