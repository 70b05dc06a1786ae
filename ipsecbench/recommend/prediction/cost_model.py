"""How much one core carries with each ESP suite, from the rows of a dataset.

A packet costs what the data plane does with any packet (:mod:`ipsecbench.recommend.prediction.data_plane`) and its
ESP transform (:mod:`ipsecbench.recommend.prediction.measured_costs`); docs/prediction.md says how well that describes
what boxes do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.bench.draws import Draws, estimate_draws, row_draws, smaller
from ipsecbench.bench.measurement import MIXES, Estimate, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.lab.plane_cost import DIRECTIONS
from ipsecbench.recommend.prediction.arithmetic import ZERO, inverse, larger, scaled
from ipsecbench.recommend.prediction.data_plane import DataPlane, PlaneShare, StatedPlane, data_plane
from ipsecbench.recommend.prediction.measured_costs import CEILING_PROVIDER, MeasuredCosts, TransformTimes
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE, Ceiling, FixedCost, Prediction
from ipsecbench.recommend.prediction.stated_default import stated_default
from ipsecbench.recommend.requirements.traffic import Traffic

REFERENCE_TRAFFIC = (
    Traffic(size_bytes=64),
    Traffic(size_bytes=576),
    Traffic(size_bytes=1400),
    *(Traffic(mix=mix) for mix in MIXES),
)
"""What every recommendation shows beside the traffic that was asked for."""
_NORMAL_90 = 1.645
_NORMAL_95 = 1.96


class CostModel(MeasuredCosts):
    """Predictions from one dataset: the measured cryptography, and the box's data plane."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        self._packets: dict[tuple[str, Traffic, str], _Packet | None] = {}
        self._headlines: dict[tuple[str, Traffic], Estimate | None] = {}

    @cached_property
    def plane(self) -> DataPlane:
        """The data plane of the box."""
        return data_plane(self.dataset)

    @cached_property
    def _assumed(self) -> StatedPlane:
        return StatedPlane(stated_default(self.dataset.environment))

    def predict(self, suite: EspSuite, traffic: Traffic) -> Prediction | None:
        """What one core carries; None where nothing supports a figure in both directions."""
        outbound, inbound = (self._packet(suite, traffic, direction) for direction in DIRECTIONS)
        return None if outbound is None or inbound is None else _prediction(traffic, outbound, inbound)

    def headline(self, suite: EspSuite, traffic: Traffic) -> Estimate | None:
        """The rate of the slower direction as :meth:`predict` has it, without draws and at a fraction of the time.

        Its interval takes every part for normal; it is for lists, not for comparisons.
        """
        key = suite.name, traffic
        if key not in self._headlines:
            self._headlines[key] = self._headline(suite, traffic)
        return self._headlines[key]

    def _headline(self, suite: EspSuite, traffic: Traffic) -> Estimate | None:
        times = self.transform(suite, traffic)
        if times is None:
            return None
        found: list[tuple[float, float]] = []
        for direction in DIRECTIONS:
            estimate, _ = times.of(direction)
            _, share = self._share(suite, traffic, direction)
            deviation = (estimate.upper - estimate.lower) / 2 / _NORMAL_95
            found.append(share.whole_and_sigma(estimate.median, deviation))
        time, sigma = max(found)
        rate = traffic.mean_bytes * 8e3 / time
        spread = math.exp(_NORMAL_90 * sigma)
        return Estimate(rate, rate / spread, rate * spread)

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

    def _packet(self, suite: EspSuite, traffic: Traffic, direction: str) -> _Packet | None:
        key = suite.name, traffic, direction
        if key not in self._packets:
            times = self.transform(suite, traffic)
            if times is None:
                self._packets[key] = None
            else:
                plane, share = self._share(suite, traffic, direction)
                transform = self._drawn(suite, traffic, direction, times)
                self._packets[key] = _Packet(times, transform, plane, share, share.whole(transform))
        return self._packets[key]

    def _share(self, suite: EspSuite, traffic: Traffic, direction: str) -> tuple[DataPlane, PlaneShare]:
        """The data plane's share, of the plane that was measured or else of the stated default."""
        share = self.plane.share(suite, traffic, direction)
        return (self.plane, share) if share is not None else (self._assumed, self._assumed.share(suite))

    def _drawn(self, suite: EspSuite, traffic: Traffic, direction: str, times: TransformTimes) -> Draws:
        """The transform with draws: of its row's samples, or of its interval."""
        row = self.row_of(suite, traffic, direction, times.provider) if times.tier is Tier.PACKET_LOOP else None
        drawn = None if row is None else row_draws(row)
        if drawn is not None:
            return drawn
        # What is wrong with a line is wrong at all of its sizes: they share their draws.
        return estimate_draws(times.of(direction)[0], f"{suite.name} {direction} ({times.tier}, {times.provider})")

    def ceilings(self, traffic: Traffic) -> tuple[Ceiling, ...]:
        """What the multi-buffer library does here with suites that encrypt, fastest first."""
        found = []
        for suite in sorted(name for name, parts in esp_suites().items() if parts.strength_bits):
            timed = self.time_ns(Tier.PACKET_LOOP, CEILING_PROVIDER, "outbound", suite, traffic)
            if timed is not None:
                rate = inverse(timed[0], traffic.mean_bytes * 8e3)
                found.append(Ceiling(suite, CEILING_PROVIDER, Tier.PACKET_LOOP, traffic, rate))
        return tuple(sorted(found, key=lambda ceiling: (-ceiling.mbit_per_second.median, ceiling.suite)))


@dataclass(frozen=True, slots=True)
class _Packet:
    """A packet in one direction."""

    times: TransformTimes
    transform: Draws
    """Nanoseconds for its ESP transform."""
    plane: DataPlane
    share: PlaneShare
    time: Draws
    """Nanoseconds for all of it."""


def _prediction(traffic: Traffic, outbound: _Packet, inbound: _Packet) -> Prediction:
    bits = traffic.mean_bytes * 8e3
    out_rate, in_rate = outbound.time.under(bits), inbound.time.under(bits)
    one_way = smaller(out_rate, in_rate).estimate(PREDICTION_CONFIDENCE)
    transform = smaller(outbound.transform.under(bits), inbound.transform.under(bits))
    plane = outbound.plane
    return Prediction(
        traffic=traffic,
        outbound_mbit_per_second=out_rate.estimate(PREDICTION_CONFIDENCE),
        inbound_mbit_per_second=in_rate.estimate(PREDICTION_CONFIDENCE),
        one_way_mbit_per_second=one_way,
        both_ways_mbit_per_second=(outbound.time + inbound.time).under(2 * bits).estimate(PREDICTION_CONFIDENCE),
        packets_per_second=scaled(one_way, 1e6 / (traffic.mean_bytes * 8)),
        basis=outbound.times.basis,
        tier=outbound.times.tier,
        provider=outbound.times.provider,
        transform_mbit_per_second=transform.estimate(PREDICTION_CONFIDENCE),
        fixed=FixedCost(
            plane.name,
            plane.tier,
            outbound.share.base,
            larger(outbound.share.fixed.estimate(PREDICTION_CONFIDENCE), ZERO),
            larger(inbound.share.fixed.estimate(PREDICTION_CONFIDENCE), ZERO),
            plane.text,
            plane.sources,
        ),
    )
