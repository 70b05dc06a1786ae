"""What is predicted of an ESP suite, as data. Rates are 10^6 bit/s of inner IP packets, times are microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.recommend.requirements.traffic import Traffic

PREDICTION_CONFIDENCE = 0.90
"""The share of cases in which the true figure is to lie within a predicted interval. It holds the spread of the samples
and the model's own error; docs/prediction.md says how often it did. Intervals of measured rows are 95%."""


class Basis(StrEnum):
    """How a predicted figure came about."""

    MEASURED = "measured"
    """A row of the dataset says it."""
    FIT = "from the fit"
    """The line through the measured sizes says it; the interval includes the line's worst residual."""
    BOUND = "bounded by one size"
    """Only one size was measured: the interval spans from a cost per packet alone to a cost per octet alone."""
    COMPOSED = "composed"
    """The sum of cipher and MAC calls says it: no packet was built, so it is an upper bound of a lower tier."""


@dataclass(frozen=True, slots=True)
class FixedCost:
    """What the box's data plane does with any packet, beside the ESP transform."""

    plane: str
    """The data plane: one that was measured here, or the kind that a stated default is for."""
    tier: Tier | None
    """Tier of its evidence; None for a stated default."""
    base: str | None
    """The suite without encryption that it comes from; None for a stated default."""
    outbound_ns: Estimate
    """Nanoseconds for a packet that leaves protected. Shown as 0 where the difference of two rows is below: the
    prediction takes the difference as it is."""
    inbound_ns: Estimate
    """Nanoseconds for a packet that arrives protected."""
    text: str
    """Where it comes from, in a sentence."""
    sources: tuple[str, ...] = ()
    """Keys of the sources of a stated default: docs/prediction.md."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """How much one core of the box's data plane carries of one kind of traffic with one suite.

    Intervals are :data:`PREDICTION_CONFIDENCE`.
    """

    traffic: Traffic
    """The packets."""
    outbound_mbit_per_second: Estimate
    """A core that only protects packets."""
    inbound_mbit_per_second: Estimate
    """A core that only unprotects packets."""
    one_way_mbit_per_second: Estimate
    """The headline: the slower of the two, for a core that does one direction."""
    both_ways_mbit_per_second: Estimate
    """The sum of both directions, for a core that does both with equal traffic."""
    packets_per_second: Estimate
    """The headline in packets."""
    basis: Basis
    """How the cost of the transform came about."""
    tier: Tier
    """Tier of evidence of the transform; that of the data plane is in ``fixed``."""
    provider: str
    """Library that did the work."""
    transform_mbit_per_second: Estimate
    """The ESP transform alone, without the data plane: the slower direction, as in a packet loop."""
    fixed: FixedCost
    """The data plane's share of the cost."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ESP suite that the policy allows and that was measured, with its predicted figures."""

    name: str
    """ESP suite."""
    strength_bits: int
    """Estimated strength."""
    level: str
    """RFC 8221 on its transforms: the weaker of the two where it has two."""
    headline: Prediction
    """For the traffic that was asked for."""
    predictions: tuple[Prediction, ...]
    """For 64, 576 and 1400 octets and the mixes, as far as they can be predicted."""
    tied: bool
    """Whether the best one by the objective is not sure to beat it (a chance below 95%); the best one is tied too."""
    meets_goal: bool | None
    """Whether the lower bound reaches the goal; None without a goal."""
    chance: float | None = None
    """The chance that the chosen suite costs less by the objective; None for the chosen one."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the multi-buffer library does here: the bound for VPP and DPDK, not for a kernel or libcrypto data plane."""

    suite: str
    """ESP suite, or encryption transform where only that was measured."""
    provider: str
    """Such as ``libipsec-mb``."""
    tier: Tier
    """Tier of evidence."""
    traffic: Traffic
    """The packets."""
    mbit_per_second: Estimate
    """Rate of one core, outbound."""
