"""The prediction that a measured rate may be held against: of the laboratory's own data plane, and no other."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.bench.plan import AGENT_PROVIDERS
from ipsecbench.dataset.model import Dataset
from ipsecbench.lab.plane_cost import LABORATORY_TIERS, LOOP_PROVIDER
from ipsecbench.lab.trials.plan import Size
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.predictions import Prediction

PROVIDER = "agent"
"""Whose data plane the laboratory runs."""


@dataclass(frozen=True, slots=True)
class Comparable:
    """What a measured rate may be held against."""

    prediction: Prediction | None
    """Of this data plane; None where the dataset has nothing that supports one."""
    reason: str | None
    """Why there is none."""
    library: str
    """Library whose transform was predicted, which the data plane has to use."""
    encapsulation: str
    """How ESP travelled in the rows that the data plane's share comes from: ``udp`` or ``none``."""


def comparable(recommendation: Recommendation, dataset: Dataset) -> Comparable:
    """The recommendation's own headline where it is of this data plane, otherwise the same model's figure for it."""
    headline: Prediction | None = recommendation.phase2.candidate.headline
    reason = None
    if not _is_ours(headline):
        rows = tuple(row for row in dataset.measurements if _keeps(row.workload.tier, row.workload.provider))
        suite = esp_suites()[recommendation.phase2.suite]
        model = CostModel(replace(dataset, measurements=rows))
        assumed = headline.fixed.plane if headline is not None else ""
        headline = model.predict(suite, recommendation.requirements.traffic)
        if not _is_ours(headline):
            headline = None
            reason = (
                f"the dataset has no rows of the laboratory's data plane, and its prediction is of {assumed}: "
                "'ipsecbench lab run --dataset FILE' measures what is missing"
            )
    library = LOOP_PROVIDER if headline is None else headline.provider
    if library not in AGENT_PROVIDERS:
        headline, reason, library = (
            None,
            f"the data plane cannot use {library}, which the prediction is of",
            LOOP_PROVIDER,
        )
    return Comparable(headline, reason, library, _encapsulation(dataset))


def loops_then(dataset: Dataset, suite: str, library: str, size: Size) -> dict[str, Estimate]:
    """Nanoseconds of a suite's packet loop when the dataset was measured, by direction, as far as it has them."""
    found = {}
    for row in dataset.measurements:
        work, time_ns = row.workload, row.ns_per_operation
        wanted = (Tier.PACKET_LOOP, library, suite, size.size_bytes, size.mix, 1)
        if time_ns is not None and wanted == (
            work.tier,
            work.provider,
            work.algorithm,
            work.size_bytes,
            work.mix,
            work.cores,
        ):
            found[work.operation] = time_ns
    return found


def _is_ours(prediction: Prediction | None) -> bool:
    return prediction is not None and prediction.fixed.tier is Tier.TUN_LAB and prediction.fixed.plane == PROVIDER


def _keeps(tier: Tier, provider: str) -> bool:
    return tier not in LABORATORY_TIERS or (tier is Tier.TUN_LAB and provider == PROVIDER)


def _encapsulation(dataset: Dataset) -> str:
    found = {
        str(row.detail.get("encapsulation", "udp"))
        for row in dataset.measurements
        if row.usable and row.workload.tier is Tier.TUN_LAB and row.workload.provider == PROVIDER
    }
    return "none" if found == {"none"} else "udp"
