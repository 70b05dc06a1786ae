"""A measured box as explanations and claims ask for it: figures of algorithms, compared by their draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws, larger, row_draws
from ipsecbench.bench.measurement import Estimate, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import IpsecbenchError
from ipsecbench.recommend.choice.ends import End
from ipsecbench.recommend.choice.evidence import box_name
from ipsecbench.recommend.prediction.measured_costs import PREDICTION_PROVIDERS
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE
from ipsecbench.recommend.requirements.traffic import IMIX, Traffic

if TYPE_CHECKING:
    from ipsecbench.recommend.model import Recommendation

_AES_FEATURE = "aes"
"""What the detection calls instructions for AES, on any architecture."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with what it is of."""

    label: str
    """What it is of."""
    value: Estimate
    """The figure; its interval holds 90% for predictions and comparisons."""
    unit: str
    """``Mbit/s``, ``µs``, ``%``, ``times``, ``s``, ``bytes``, ``packets`` or ``peers``."""
    tier: str
    """Tier of its evidence, or ``arithmetic`` where the formats of packets say it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two of one role on one box."""

    one: str
    """The first."""
    other: str
    """The second."""
    ratio: Estimate
    """How many times as long the second takes: above 1 the first is faster."""
    chance: float
    """The chance that the first takes less time."""
    tier: str
    """Tier of the evidence."""


class Box:
    """One dataset, with everything that was asked of it so far."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.end = End(box_name(dataset), dataset)

    @property
    def name(self) -> str:
        """The box, for people."""
        return self.end.name

    @property
    def has_aes_instructions(self) -> bool | None:
        """Whether the processor has instructions for AES and they were not masked; None where the dataset is silent."""
        hardware = self.dataset.environment.get("hardware")
        cpu = hardware.get("cpu") if isinstance(hardware, Mapping) else None
        features = cpu.get("features") if isinstance(cpu, Mapping) else None
        if isinstance(features, Mapping):
            functions = features.get("functions")
            word = functions.get(_AES_FEATURE) if isinstance(functions, Mapping) else None
            present = {"present": True, "absent": False}.get(str(word))
        else:
            present = _AES_FEATURE in features if isinstance(features, (list, tuple)) else None
        return False if _AES_FEATURE in self.dataset.masked else present

    @cached_property
    def recommendation(self) -> Recommendation | None:
        """What is recommended under the default policy; None where the dataset does not support it."""
        from ipsecbench.explain.policy_standing import policies
        from ipsecbench.recommend import recommend
        from ipsecbench.recommend.requirements.records import Requirements

        try:
            return recommend(self.dataset, policies()[0], Requirements())
        except IpsecbenchError:
            return None

    # ── suites ──

    def packet_ns(self, suite: str, traffic: Traffic = IMIX) -> Draws | None:
        """Nanoseconds of one packet in the slower direction; None where nothing supports a figure."""
        prediction = self.end.predict(suite, traffic)
        return None if prediction is None else larger(*self.end.packet_ns(prediction, suite))

    def transform_tier(self, suite: str, traffic: Traffic = IMIX) -> Tier | None:
        """Tier of the transform of a suite; None without a figure. Those of two tiers are not to be compared."""
        times = self.end.costs.transform(esp_suites()[suite], traffic)
        return None if times is None else times.tier

    def tier_of(self, suite: str, traffic: Traffic = IMIX) -> str:
        """Where the figure of a suite comes from: the transform's tier and the data plane's."""
        prediction = self.end.predict(suite, traffic)
        if prediction is None:
            return "none"
        plane = prediction.fixed.tier
        return f"{prediction.tier} and data plane {'by a stated default' if plane is None else f'({plane})'}"

    def rate(self, suite: str, traffic: Traffic = IMIX) -> Figure | None:
        """Predicted Mbit/s of one core, one way."""
        prediction = self.end.predict(suite, traffic)
        if prediction is None:
            return None
        return Figure(suite, prediction.one_way_mbit_per_second, "Mbit/s", self.tier_of(suite, traffic))

    def compare_suites(self, one: str, other: str, traffic: Traffic = IMIX) -> Comparison | None:
        """Two suites with the same packets; None where one has no figure, or one of another tier."""
        first, second = self.packet_ns(one, traffic), self.packet_ns(other, traffic)
        if first is None or second is None:
            return None
        if self.transform_tier(one, traffic) is not self.transform_tier(other, traffic):
            return None
        return _comparison((one, first), (other, second), self.tier_of(one, traffic))

    def suites_with(self, encryption: str | None = None, integrity: str | None = None) -> tuple[str, ...]:
        """The suites with a transform that can be predicted here."""
        found = []
        for name, suite in esp_suites().items():
            mac = None if suite.integrity is None else suite.integrity.name
            fits = (encryption is None or suite.encryption.name == encryption) and (
                integrity is None or mac == integrity
            )
            if fits and self.transform_tier(name) is not None:
                found.append(name)
        return tuple(found)

    # ── operations of IKE ──

    def exchange_us(self, method: str) -> Draws | None:
        """Microseconds of a key exchange at the end that has more to do; None without a figure."""
        return None if self.end.exchange(method) is None else larger(*self.end.exchange_us(method))

    def compare_exchanges(self, one: str, other: str) -> Comparison | None:
        """Two key exchange methods; None where one has no figure."""
        first, second = self.exchange_us(one), self.exchange_us(other)
        if first is None or second is None:
            return None
        return _comparison((one, first), (other, second), Tier.PRIMITIVE)

    def signature_us(self, method: str) -> tuple[Draws, Draws] | None:
        """Microseconds to sign and to verify; None without figures."""
        return None if self.end.signature(method) is None else self.end.signature_us(method)

    def call_ns(self, operation: str, algorithm: str, size_bytes: int) -> Draws | None:
        """Nanoseconds of one call of a primitive, of the nearest size that the first library to have it measured."""
        for provider in PREDICTION_PROVIDERS:
            sizes = sorted(
                row.workload.size_bytes
                for row in self.end.costs.rows(algorithm)
                if row.usable
                and row.workload.size_bytes is not None
                and (row.workload.tier, row.workload.provider, row.workload.operation, row.workload.cores)
                == (Tier.PRIMITIVE, provider, operation, 1)
            )
            if sizes:
                nearest = min(sizes, key=lambda size: (abs(size - size_bytes), size))
                row = self.dataset.get(Workload(Tier.PRIMITIVE, provider, operation, algorithm, nearest))
                return None if row is None else row_draws(row)
        return None


def _comparison(one: tuple[str, Draws], other: tuple[str, Draws], tier: str) -> Comparison:
    ratio = quotient(other[1], one[1])
    return Comparison(one[0], other[0], interval(ratio), one[1].chance_below(other[1]), str(tier))


def quotient(numerator: Draws, denominator: Draws) -> Draws:
    """One figure over another, draw by draw; the denominator is positive."""
    return Draws(numerator.value / denominator.value, numerator.drawn / denominator.drawn)


def interval(draws: Draws) -> Estimate:
    """The figure with the interval that predictions have."""
    return draws.estimate(PREDICTION_CONFIDENCE)
