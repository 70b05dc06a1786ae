"""Throughput of ESP suites as the report compares them: one core, one direction, the slower of the two.

Figures of candidates are the recommendation's own predictions; those of other suites come from rows of the same tier
and provider, so that nothing is compared across tiers.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.bench.measurement import Estimate, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.prediction.predictions import Basis
from ipsecbench.recommend.reasons import Exclusion, Role
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.formats import shorten, size_title

_FIRST_SIZES = (Traffic(size_bytes=64), Traffic(size_bytes=576), Traffic(size_bytes=1400))
_MOST_CANDIDATES = 9
_MOST_REJECTED = 7
# Suites that readers look for, because old guides and devices name them.
_KNOWN = (
    "aes128gcm16",
    "aes256gcm16",
    "chacha20poly1305",
    "aes128-sha1",
    "aes256-sha1",
    "aes128-sha256",
    "aes256-sha256",
    "3des-sha1",
    "aes128-md5",
    "3des-md5",
    "blowfish128-sha1",
    "des-md5",
    "null-sha1",
)


@dataclass(frozen=True, slots=True)
class SuiteRates:
    """One suite with its throughput."""

    name: str
    """ESP suite."""
    strength_bits: int
    """Estimated strength."""
    rates: tuple[Estimate | None, ...]
    """Mbit/s for each of :func:`traffics`."""
    headline: Estimate | None
    """Mbit/s for the wanted traffic."""
    chosen: bool
    """Whether it is the recommended one."""
    exclusion: Exclusion | None
    """Why it was rejected; None for candidates."""

    @property
    def combined(self) -> bool:
        """Whether it is a combined-mode (AEAD) suite."""
        suite = esp_suites().get(self.name)
        return suite is not None and suite.integrity is None


def traffic_title(traffic: Traffic) -> str:
    """A packet size, a mix or a distribution for people."""
    if traffic.distribution is not None:
        return shorten(str(traffic), 40)
    return size_title(traffic.size_bytes, traffic.mix)


def traffics(recommendation: Recommendation) -> tuple[Traffic, ...]:
    """The packets that are compared: 64, 576 and 1400 octets, then the mix, then what was asked for."""
    wanted = recommendation.requirements.traffic
    mixes = [prediction.traffic for prediction in recommendation.phase2.candidate.predictions if prediction.traffic.mix]
    mix = wanted if wanted.mix is not None else next(iter(mixes), None)
    found = [*_FIRST_SIZES, *(() if mix is None else (mix,))]
    return tuple(found if wanted in found else [*found, wanted])


def measured_rate(
    dataset: Dataset, recommendation: Recommendation, suite: str, operation: str, traffic: Traffic
) -> Estimate | None:
    """Mbit/s of a measured row of the tier and provider that the recommendation rests on."""
    evidence = recommendation.evidence
    row = dataset.get(Workload(evidence.tier, evidence.provider, operation, suite, traffic.size_bytes, traffic.mix))
    return None if row is None else row.megabits_per_second


def one_way_rate(dataset: Dataset, recommendation: Recommendation, suite: str, traffic: Traffic) -> Estimate | None:
    """The slower direction of a suite's measured rows."""
    rates = [
        rate
        for operation in ("outbound", "inbound")
        if (rate := measured_rate(dataset, recommendation, suite, operation, traffic)) is not None
    ]
    return min(rates, key=lambda rate: rate.median, default=None)


def all_suites(dataset: Dataset, recommendation: Recommendation) -> tuple[SuiteRates, ...]:
    """Every suite that was considered: candidates fastest first, then the rejected ones, fastest first."""
    wanted = traffics(recommendation)
    suites: list[SuiteRates] = []
    for candidate in recommendation.candidates:
        by_traffic = {prediction.traffic: prediction.transform_mbit_per_second for prediction in candidate.predictions}
        by_traffic.setdefault(candidate.headline.traffic, candidate.headline.transform_mbit_per_second)
        suites.append(
            SuiteRates(
                candidate.name,
                candidate.strength_bits,
                tuple(by_traffic.get(traffic) for traffic in wanted),
                candidate.headline.transform_mbit_per_second,
                candidate.name == recommendation.phase2.suite,
                None,
            )
        )
    names = {suite.name for suite in suites}
    rejected = [
        _rejected(dataset, recommendation, exclusion, wanted)
        for exclusion in recommendation.excluded(Role.ESP_SUITE)
        if exclusion.name not in names
    ]
    rejected.sort(key=lambda suite: (-(suite.headline.median if suite.headline else 0.0), suite.name))
    return (*suites, *rejected)


def _rejected(
    dataset: Dataset, recommendation: Recommendation, exclusion: Exclusion, wanted: tuple[Traffic, ...]
) -> SuiteRates:
    suite: EspSuite | None = esp_suites().get(exclusion.name)
    rates = tuple(one_way_rate(dataset, recommendation, exclusion.name, traffic) for traffic in wanted)
    headline = rates[wanted.index(recommendation.requirements.traffic)]
    if headline is None and _same_tier(dataset, recommendation, exclusion.name):
        headline = exclusion.mbit_per_second
    return SuiteRates(exclusion.name, suite.strength_bits if suite else 0, rates, headline, False, exclusion)


def _same_tier(dataset: Dataset, recommendation: Recommendation, suite: str) -> bool:
    """Whether a predicted rate of the suite is of the tier that the recommendation rests on."""
    evidence = recommendation.evidence
    if evidence.basis is Basis.COMPOSED:
        return True
    return dataset.fit(evidence.tier, evidence.provider, "outbound", suite) is not None


def shown_suites(suites: tuple[SuiteRates, ...]) -> tuple[list[SuiteRates], list[SuiteRates]]:
    """The candidates and the rejected suites that charts have room for; tables hold all of them.

    Of candidates that differ in the length of their ICV only, which costs nothing, the fastest stands for all.
    """
    candidates: list[SuiteRates] = []
    seen: set[object] = set()
    for suite in suites:
        if suite.exclusion is None and (suite.chosen or _kin(suite.name) not in seen):
            seen.add(_kin(suite.name))
            candidates.append(suite)
    chosen = next(suite for suite in candidates if suite.chosen)
    candidates = [suite for suite in candidates if suite.chosen or _kin(suite.name) != _kin(chosen.name)]
    if chosen not in candidates[:_MOST_CANDIDATES]:
        candidates = [*candidates[: _MOST_CANDIDATES - 1], chosen]
    rejected = [suite for suite in suites if suite.exclusion is not None and any(suite.rates)]
    known = [suite for suite in rejected if suite.name in _KNOWN]
    others = [suite for suite in rejected if suite.name not in _KNOWN]
    picked = (known + others)[:_MOST_REJECTED]
    return candidates[:_MOST_CANDIDATES], [suite for suite in rejected if suite in picked]


def _kin(name: str) -> object:
    """What suites that differ in nothing but the length of their ICV have in common."""
    suite = esp_suites().get(name)
    if suite is None or suite.integrity is not None:
        return name
    return suite.encryption.mode, suite.encryption.key_bits
