"""What ``ipsecbench lab run`` says: one screen, or the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipsecbench.bench.measurement import Estimate, Status, Tier
from ipsecbench.bench.stability import FEW_SAMPLES
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.trial import CLEARTEXT, LabTrial, TrialKind
from ipsecbench.lab.plane_cost import providers
from ipsecbench.lab.prediction import Agreement, Comparison, compare
from ipsecbench.recommend.formats import rate, significant

_MOST_SIZES = 3
_FEW_SHARE = 0.05
_CELL = 27
_NAME = 19
_DIRECTION = 9


def agreements(dataset: Dataset) -> list[Agreement]:
    """What can be held against predictions, one for each data plane."""
    found = (compare(dataset.measurements, provider) for provider in providers(dataset.measurements))
    return [agreement for agreement in found if agreement is not None]


def render(dataset: Dataset) -> str:
    """Predicted against measured for every suite, and how good the predictions are."""
    found = agreements(dataset)
    if not found:
        return "Nothing to hold against a prediction: no suite without encryption was measured beside others."
    parts = [_screen(agreement) for agreement in found]
    if dataset.trials:
        parts.append("\n".join(_trial_lines(dataset.trials)))
    doubts = [warning.message for warning in dataset.warnings]
    lab = [row for row in dataset.measurements if row.usable and row.workload.tier in (Tier.TUN_LAB, Tier.KERNEL)]
    few = sum(FEW_SAMPLES in row.flags for row in lab)
    if few > len(lab) * _FEW_SHARE:
        doubts.append(f"{few} of {len(lab)} rows have fewer than five samples: give more --budget")
    if doubts:
        parts.append("\n".join(f"! {text}" for text in doubts))
    return "\n\n".join(parts)


def _trial_lines(trials: Sequence[LabTrial]) -> list[str]:
    """One line for each kind of trial and traffic; figures in clear first."""
    lines = []
    streams = [trial for trial in trials if trial.kind is TrialKind.TCP_STREAM and trial.usable]
    if streams:
        parts = [f"{_who(trial)} {rate(trial.values['mbit_per_second'].median)}" for trial in streams]
        lines.append(f"One TCP connection     {', '.join(parts)}")
    lines += _rate_lines(trials)
    for trial in trials:
        for name, title, unit in _SINGLE:
            value = trial.values.get(name)
            if value is not None:
                what = f"{trial.algorithm} {trial.direction}" if trial.direction in ("outbound", "inbound") else ""
                lines.append(f"{title:<22} {f'{what} ' if what else ''}{significant(value.median)}{unit}")
    lines += [
        f"! {trial.kind.value} of {_who(trial)}: {trial.message}"
        for trial in trials
        if trial.message is not None and trial.status is Status.FAILED
    ]
    return lines


_SINGLE = (
    ("set_ups_per_second", "Set-ups", " per second, both ends in one process"),
    ("first_packet_ms", "First packet", " ms after the beginning of the negotiation"),
    ("ratio", "10,000 SAs more", " times the cost of a packet"),
)


def _who(trial: LabTrial) -> str:
    if trial.algorithm == CLEARTEXT:
        return "in clear"
    return trial.algorithm if trial.provider == "agent" else f"{trial.algorithm} ({trial.provider})"


def _rate_lines(trials: Sequence[LabTrial]) -> list[str]:
    latencies = {
        (trial.provider, trial.algorithm, trial.size_bytes, trial.mix): trial
        for trial in trials
        if trial.kind is TrialKind.LATENCY
    }
    by_traffic: dict[str, list[str]] = {}
    for trial in trials:
        if trial.kind is not TrialKind.THROUGHPUT or "ndr_pps" not in trial.values:
            continue
        latency = latencies.get((trial.provider, trial.algorithm, trial.size_bytes, trial.mix))
        delay = f", p99 {_delay(latency)}" if latency is not None and "p99_us" in latency.values else ""
        bound = "at least " if trial.limited_by == "generator" else ""
        text = f"{_who(trial)} {bound}{significant(trial.values['ndr_pps'].median / 1e3)} kpps{delay}"
        by_traffic.setdefault(trial.mix or f"{trial.size_bytes} B", []).append(text)
    return [f"No loss, {traffic:<13} {'; '.join(parts)}" for traffic, parts in by_traffic.items()]


def _delay(trial: LabTrial) -> str:
    value = trial.values["p99_us"].median
    return f"{significant(value / 1e3)} ms" if value >= 1000 else f"{significant(value)} µs"


def _screen(agreement: Agreement) -> str:
    shown = _shown_sizes(agreement.comparisons)
    rows = {(row.suite, row.direction, row.traffic): row for row in agreement.comparisons}
    suites = sorted({row.suite for row in agreement.comparisons}, key=lambda suite: _dearest(rows, suite, shown[-1]))
    heading = f"{'ESP suite':<{_NAME}}{'':<{_DIRECTION}}"
    lines = [
        f"Mbit/s of inner packets, one core, data plane {agreement.provider}; predicted, measured, how far off",
        heading + "".join(f"{name:>{_CELL}}" for name in shown),
    ]
    for suite in suites:
        for direction in ("outbound", "inbound"):
            cells = "".join(_cell(rows.get((suite, direction, name))) for name in shown)
            lines.append(f"{suite:<{_NAME}}{direction:<{_DIRECTION}}{cells}")
    return "\n".join([*lines, "", *_summary(agreement)])


def _cell(row: Comparison | None) -> str:
    if row is None:
        return f"{'-':>{_CELL}}"
    predicted, measured = (row.mbit_per_second(time).median for time in (row.predicted_ns, row.measured_ns))
    return f"{significant(predicted):>{_CELL - 17}}{significant(measured):>9}{predicted / measured - 1:>+8.1%}"


def _shown_sizes(comparisons: Sequence[Comparison]) -> list[str]:
    """At most three: the smallest size, a mix or else one in the middle, and the largest."""
    sized = [traffic for _, traffic in sorted({(row.mean_bytes, row.traffic) for row in comparisons if not row.mix})]
    mixes = sorted({row.traffic for row in comparisons if row.mix})
    if len(sized) + len(mixes) <= _MOST_SIZES:
        return [*sized[:1], *mixes, *sized[1:]] if len(sized) < 2 else [sized[0], *mixes, *sized[1:]]
    return [sized[0], (mixes or [sized[len(sized) // 2]])[0], sized[-1]] if len(sized) > 1 else [*sized, *mixes[:2]]


def _dearest(rows: dict[tuple[str, str, str], Comparison], suite: str, traffic: str) -> float:
    found = (rows.get((suite, direction, traffic)) for direction in ("outbound", "inbound"))
    return max((row.measured_ns.median for row in found if row is not None), default=0.0)


def _summary(agreement: Agreement) -> list[str]:
    wrong = f"{len(agreement.inversions)} are" if agreement.inversions else "none is"
    lines = [
        f"Predicted against measured over all {len(agreement.comparisons)} rows: median error "
        f"{agreement.median_error:.1%}, 95% of rows within {agreement.percentile_95_error:.1%}, "
        f"{agreement.close_share:.0%} within 10%.",
        f"Of {agreement.pairs} pairs of suites that differ by more than 10%, {wrong} predicted in the wrong order.",
    ]
    for pair in agreement.inversions[:3]:
        lines.append(
            f"! {pair.faster.suite} is faster than {pair.slower.suite} ({pair.faster.direction}, "
            f"{pair.faster.traffic}), predicted the other way round"
        )
    return lines


def agreement_document(dataset: Dataset) -> dict[str, Any]:
    """The result for ``--json``."""
    return {
        "ended": dataset.ended,
        "dataset_sha256": dataset.sha256,
        "agreements": [_agreement(each) for each in agreements(dataset)],
        "trials": [_trial(trial) for trial in dataset.trials],
    }


def _trial(trial: LabTrial) -> dict[str, Any]:
    return {
        "trial": trial.kind.value,
        "provider": trial.provider,
        "algorithm": trial.algorithm,
        "direction": trial.direction,
        "size_bytes": trial.size_bytes,
        "mix": trial.mix,
        "status": trial.status.value,
        "message": trial.message,
        "limited_by": trial.limited_by,
        "values": {name: _estimate(value) for name, value in trial.values.items()},
    }


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        "provider": agreement.provider,
        "base": agreement.base,
        "median_error": agreement.median_error,
        "percentile_95_error": agreement.percentile_95_error,
        "close_share": agreement.close_share,
        "pairs": agreement.pairs,
        "inversions": [
            {"faster": pair.faster.suite, "slower": pair.slower.suite, "direction": pair.faster.direction,
             "size_bytes": pair.faster.size_bytes, "mix": pair.faster.mix}
            for pair in agreement.inversions
        ],
        "rows": [_row(row) for row in agreement.comparisons],
    }  # fmt: skip


def _row(row: Comparison) -> dict[str, Any]:
    return {
        "suite": row.suite,
        "direction": row.direction,
        "size_bytes": row.size_bytes,
        "mix": row.mix,
        "base": row.base,
        "fixed_ns": _estimate(row.fixed_ns),
        "transform_ns": _estimate(row.transform_ns),
        "predicted_ns": _estimate(row.predicted_ns),
        "measured_ns": _estimate(row.measured_ns),
        "error": row.error,
    }


def _estimate(value: Estimate) -> dict[str, float]:
    return {"median": value.median, "lower": value.lower, "upper": value.upper}
