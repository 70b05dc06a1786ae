"""A comparison as JSON: for scripts, and the same for every page and command that writes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ipsecbench.bench.measurement import Estimate, Measurement, Workload
from ipsecbench.comparison.boxes import Ranking
from ipsecbench.comparison.compare import expected_by_chance
from ipsecbench.comparison.gates import GateResult
from ipsecbench.comparison.model import NOISE, Box, BoxComparison, Comparison, Outcome, Ratio
from ipsecbench.comparison.scopes import scope_of
from ipsecbench.comparison.security_cost import SecurityCost, StepCost
from ipsecbench.comparison.summaries import GroupSummary, by_group, summarised
from ipsecbench.dataset.codec import workload_to_object

FORMAT = "ipsecbench comparison"
"""Value of the field ``format``."""
VERSION = 1
"""Raised when a field changes its meaning or goes."""


def comparison_document(comparison: Comparison, groupings: Sequence[str] = (), noise: float = NOISE) -> dict[str, Any]:
    """Everything that a comparison says.

    Args:
        comparison: the comparison.
        groupings: keys of :data:`~ipsecbench.comparison.summaries.GROUPINGS` to summarise by.
        noise: as in the comparison.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "noise": noise,
        "baseline": box_document(comparison.baseline),
        "boxes": [_compared(one, groupings, noise) for one in comparison.boxes],
    }


def box_document(box: Box) -> dict[str, Any]:
    """A box without its figures."""
    dataset = box.dataset
    return {
        "name": box.name,
        "title": box.title,
        "label": dataset.label,
        "file": box.file,
        "dataset_sha256": dataset.sha256,
        "measured_on": dataset.measured_on,
        "mask": list(dataset.masked),
        "source": None if dataset.source is None else dataset.source.format,
        "verdicts": [verdict.code for verdict in dataset.verdicts],
        "price": box.price,
    }


def counts(ratios: Iterable[Ratio]) -> dict[str, int]:
    """How many ratios have each outcome."""
    found = {outcome.value: 0 for outcome in Outcome}
    for ratio in ratios:
        found[ratio.outcome.value] += 1
    return found


def _compared(one: BoxComparison, groupings: Sequence[str], noise: float) -> dict[str, Any]:
    chance = expected_by_chance(one.ratios, noise)
    return {
        "box": box_document(one.box),
        "rows": len(one.ratios),
        "outcomes": counts(one.ratios),
        "by_chance": {"differing": chance.differing, "faster_or_slower": chance.faster_or_slower},
        "all": _group(summarised("all", one.ratios, noise)) if one.ratios else None,
        "groups": {name: [_group(group) for group in by_group(one.ratios, name, noise)] for name in groupings},
        "ratios": [_ratio(ratio) for ratio in one.ratios],
        "refused": [{**workload_document(each.workload), "reason": each.reason} for each in one.refused],
        "differences": [{"name": each.name, "baseline": each.base, "box": each.other} for each in one.differences],
        "only_baseline": one.only_base,
        "only_box": one.only_other,
    }


def workload_document(work: Workload) -> dict[str, Any]:
    """What a row measured."""
    return {"scope": scope_of(work).value, **workload_to_object(work)}


def _ratio(ratio: Ratio) -> dict[str, Any]:
    return {
        **workload_document(ratio.workload),
        "baseline_ns": _estimate(ratio.base_ns),
        "box_ns": _estimate(ratio.other_ns),
        "speed": _estimate(ratio.speed),
        "outcome": ratio.outcome.value,
        "doubts": list(ratio.doubts),
    }


def _group(group: GroupSummary) -> dict[str, Any]:
    return {
        "name": group.name,
        "speed": _estimate(group.speed),
        "outcome": group.outcome.value,
        "rows": group.rows,
        "lowest": group.lowest,
        "highest": group.highest,
        "outcomes": {outcome.value: count for outcome, count in group.outcomes.items()},
    }


def _estimate(value: Estimate | None) -> dict[str, float] | None:
    return None if value is None else {"median": value.median, "lower": value.lower, "upper": value.upper}


def gate_document(result: GateResult) -> dict[str, Any]:
    """What became of a gate on a box."""
    return {
        "gate": result.gate.text,
        "box": result.box.name,
        "failed": result.failed,
        "vacuous": result.is_vacuous,
        "held": len(result.held),
        "failing": [_ratio(ratio) for ratio in result.failing],
        "lost": [_lost(row) for row in result.lost],
        "missing": result.missing,
    }


def _lost(row: Measurement) -> Mapping[str, Any]:
    return {**workload_document(row.workload), "status": row.status.value, "message": row.message}


def ranking_document(ranking: Ranking) -> dict[str, Any]:
    """Which of the boxes carries the traffic."""
    return {
        "policy": ranking.policy,
        "ground": ranking.ground.value,
        "goal_mbit_per_second": ranking.requirements.goal_mbit_per_second,
        "answers": [
            {
                "box": answer.box.name,
                "suite": answer.suite,
                "goal_probability": answer.goal_probability,
                "mbit_per_second": _estimate(answer.mbit_per_second),
                "cores": answer.cores,
                "tier": None if answer.tier is None else answer.tier.value,
                "plane": answer.plane,
                "basis": answer.basis,
                "doubts": list(answer.doubts),
                "reason": answer.reason,
                "price": answer.box.price,
                "price_per_mbit": answer.price_per_mbit,
            }
            for answer in ranking.answers
        ],
    }


def security_document(costs: Sequence[SecurityCost]) -> list[dict[str, Any]]:
    """What more security costs on each box."""
    return [
        {
            "box": cost.box.name,
            "traffic": [_step(step) for step in cost.traffic],
            "exchanges": [_step(step) for step in cost.exchanges],
        }
        for cost in costs
    ]


def _step(step: StepCost) -> dict[str, Any]:
    return {
        "title": step.step.title,
        "from": step.step.less,
        "to": step.step.more,
        "factor": _estimate(step.factor),
        "before": step.before,
        "after": step.after,
    }
