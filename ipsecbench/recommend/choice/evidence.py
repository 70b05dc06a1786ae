"""How good the evidence is: tier, basis, library, and the doubts that the dataset itself raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ipsecbench.bench.measurement import LADDER, Measurement, Status, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import VERDICT_KINDS
from ipsecbench.recommend.choice.phase1 import Phase1Choice
from ipsecbench.recommend.formats import rate, rate_interval
from ipsecbench.recommend.model import Evidence
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.measured_costs import AGENT_PROVIDERS, TIER_RANK
from ipsecbench.recommend.prediction.predictions import Basis, Candidate
from ipsecbench.recommend.prediction.published_rows import PUBLISHED_PROVIDERS
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.traffic import Traffic

_SUMMARY = {
    Tier.PRIMITIVE: "cipher calls only, no ESP packet",
    Tier.PACKET_LOOP: "whole ESP packets in a loop on one core",
    Tier.TUN_LAB: "through TUN devices and sockets in the lab",
    Tier.KERNEL: "the kernel's own IPsec",
    Tier.ON_WIRE: "between network ports",
}
_WIDE = 0.1
"""Relative half width of the transform's rate beyond which the ranking says little."""


def weigh(
    dataset: Dataset, costs: CostModel, chosen: Candidate, phase1: Phase1Choice, *, nat_traversal: bool
) -> Evidence:
    """The evidence behind a choice, for ESP that travels in UDP (NAT traversal) or without it."""
    headline = chosen.headline
    return Evidence(
        tier=headline.tier,
        rank=TIER_RANK[headline.tier],
        basis=headline.basis,
        provider=headline.provider,
        library=library(dataset, headline.provider),
        summary=f"{TIER_RANK[headline.tier]}/{len(LADDER)} {headline.tier}: {_SUMMARY[headline.tier]}; "
        f"data plane: {headline.fixed.tier or 'stated default'}",
        warnings=tuple(_warnings(dataset, costs, chosen, phase1, nat_traversal)),
    )


def _warnings(
    dataset: Dataset, costs: CostModel, chosen: Candidate, phase1: Phase1Choice, nat_traversal: bool
) -> list[Reason]:
    headline = chosen.headline
    found: list[Reason] = []
    if headline.provider in PUBLISHED_PROVIDERS:
        text = (
            f"Computed from figures that somebody else published ({headline.provider}): a sum of cipher calls, the "
            "least that an ESP transform can take. Nothing was measured on this box by this program."
        )
        found.append(Reason(text))
    elif headline.provider not in AGENT_PROVIDERS:
        text = (
            f"Measured through Python only ({headline.provider}): each call costs about a microsecond that no data "
            "plane has, and the library is not the box's own. Small packets suffer most and suites may be ranked "
            "wrongly; build the agent and measure again."
        )
        found.append(Reason(text))
    elif headline.tier is Tier.PRIMITIVE:
        text = "No ESP packet loop was measured: the transform is a sum of cipher calls, the least that it can take."
        found.append(Reason(text))
    if headline.basis in (Basis.FIT, Basis.BOUND):
        text = f"The ESP transform was not measured for {headline.traffic} but comes {_basis_words(headline.basis)}."
        found.append(Reason(text))
    spread = headline.transform_mbit_per_second.relative_half_width
    if spread > _WIDE:
        text = f"The ESP transform is only known to ±{spread:.0%}: too few sizes or unstable rows."
        found.append(Reason(text))
    if headline.fixed.tier is None:
        found.append(Reason(f"The data plane's fixed cost is {headline.fixed.text}.", headline.fixed.sources))
    else:
        said = (_laboratory(dataset, chosen), _travelled_otherwise(dataset, chosen, nat_traversal))
        found += [reason for reason in said if reason is not None]
    found += _row_warnings(costs, chosen, phase1)
    if dataset.masked:
        text = (
            f"Measured as if the box had no {', '.join(dataset.masked)}: the figures are not those of the box as it is."
        )
        found.append(Reason(text))
    skipped = any(row.status is Status.SKIPPED for row in dataset.measurements)
    if skipped or dataset.ended == "interrupted":
        text = f"The run did not finish ({dataset.ended}): what was skipped could not be considered."
        found.append(Reason(text))
    found += [Reason(warning.message) for warning in dataset.warnings]
    return found


def _laboratory(dataset: Dataset, chosen: Candidate) -> Reason | None:
    """What the chosen suite carried in the laboratory, which says more than a ceiling; None where it was not there."""
    headline = chosen.headline
    rows = [
        row
        for row in dataset.measurements
        if row.usable
        and row.workload.tier in (Tier.TUN_LAB, Tier.KERNEL)
        and row.workload.algorithm == chosen.name
        and row.workload.cores == 1
        and row.workload.mean_bytes is not None
    ]
    pairs = [(one, other) for one in rows for other in rows if _are_two_directions(one, other)]
    if not pairs:
        return None
    wanted = headline.traffic
    pair = min(pairs, key=lambda found: _distance(found[0], wanted))
    slower = max(pair, key=lambda row: row.ns_per_operation.median if row.ns_per_operation else 0.0)
    measured = slower.megabits_per_second
    if measured is None:
        return None
    work = slower.workload
    loop = dataset.get(replace(work, tier=headline.tier, provider=headline.provider))
    ceiling = loop.megabits_per_second if loop is not None else None
    beside = f", where its {headline.tier} alone says {rate(ceiling.median)}" if ceiling is not None else ""
    traffic = Traffic(size_bytes=work.size_bytes, mix=work.mix)
    return Reason(
        f"In the laboratory (tier {work.tier}, data plane {work.provider}) one core of this box carried "
        f"{rate_interval(measured)} of {traffic} with {chosen.name}{beside}."
    )


def _travelled_otherwise(dataset: Dataset, chosen: Candidate, nat_traversal: bool) -> Reason | None:
    """That the laboratory's packets travelled in UDP and the wanted ones do not, or the other way round.

    It matters for a plane in user space: the kernel cuts a long run of datagrams
    itself, and takes raw packets one by one.
    """
    wanted = "udp" if nat_traversal else "none"
    travelled = {
        row.detail.get("encapsulation")
        for row in dataset.measurements
        if row.usable and row.workload.tier is Tier.TUN_LAB and row.workload.provider == chosen.headline.fixed.plane
    } - {None}
    if not travelled or wanted in travelled:
        return None
    if nat_traversal:
        text = "measured with IP protocol 50, and ESP in UDP is asked for: this data plane carries more in UDP."
    else:
        text = (
            "measured with ESP in UDP, which it sends in batches; without NAT traversal it sends packet by packet and "
            "may carry half as much ('ipsecbench lab run --raw' measures that)."
        )
    return Reason(f"The data plane's fixed cost was {text}")


def _are_two_directions(one: Measurement, other: Measurement) -> bool:
    return one.workload.operation == "outbound" and other.workload == replace(one.workload, operation="inbound")


def _distance(row: Measurement, wanted: Traffic) -> tuple[bool, float, str]:
    """How far the traffic of a row is from what was asked for; the same traffic is nearest."""
    work = row.workload
    same = (work.size_bytes, work.mix) == (wanted.size_bytes, wanted.mix)
    return (not same, abs((work.mean_bytes or 0.0) - wanted.mean_bytes), work.provider)


def _basis_words(basis: Basis) -> str:
    if basis is Basis.BOUND:
        return "from a single size, so that its interval is wide"
    return "from the line through the measured sizes, its worst residual included in the interval"


def _row_warnings(costs: CostModel, chosen: Candidate, phase1: Phase1Choice) -> list[Reason]:
    """Rows of the chosen parameters that are unstable or flagged."""
    unstable: list[str] = []
    flagged: list[str] = []
    parts = {phase1.key_exchange, phase1.authentication, phase1.prf, chosen.name, *chosen.name.split("-")}
    for name in sorted(parts):
        rows = [row for row in costs.rows(name) if row.workload.provider == chosen.headline.provider]
        imprecise = sum(row.status is Status.UNSTABLE for row in rows)
        # Verdicts on what others measured are words of their own, which stand beside every answer.
        flags = sorted({flag for row in rows if row.usable for flag in row.flags} - VERDICT_KINDS.keys())
        if imprecise:
            unstable.append(f"{name} ({imprecise} of {len(rows)} rows)")
        if flags:
            flagged.append(f"{name} ({', '.join(flags)})")
    found = [Reason(f"Less precise than asked for: {', '.join(unstable)}.")] if unstable else []
    return [*found, *([Reason(f"Flagged while measuring: {', '.join(flagged)}.")] if flagged else [])]


def library(dataset: Dataset, provider: str) -> str | None:
    """Version and path of a library, as far as the dataset says."""
    entries = dataset.environment.get("libraries")
    if isinstance(entries, Mapping):
        entry = entries.get(provider)
        entries = [{"provider": provider, **entry}] if isinstance(entry, Mapping) else []
    if not isinstance(entries, (list, tuple)):
        return None
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("provider") == provider:
            words = [str(entry[key]) for key in ("version", "path") if entry.get(key)]
            return ", ".join(words) or None
    return None


def box_name(dataset: Dataset) -> str:
    """The box, for people: the run's label and the processor, as far as the dataset says."""
    hardware: Any = dataset.environment.get("hardware")
    cpu = hardware.get("cpu") if isinstance(hardware, Mapping) else None
    words = [dataset.label or ""]
    if isinstance(cpu, Mapping):
        words += [str(cpu.get("system") or ""), str(cpu.get("model") or cpu.get("architecture") or "")]
    return " · ".join(dict.fromkeys(word for word in words if word)) or "this box"
