"""What the laboratory says: predicted against measured, and its trials."""

from __future__ import annotations

from ipsecbench.bench.measurement import Estimate
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.trial import CLEARTEXT, LabTrial, TrialKind
from ipsecbench.lab.plane_cost import providers
from ipsecbench.lab.prediction import Agreement, Comparison, compare
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.drawing.dot_plot import DotPlot, Row
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.svg import Shape
from ipsecbench.report.formats import percent, rate, rate_tick, shorten, signed_percent, significant, size_title
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell

AGREEMENT_TITLE = "Predicted against measured"
_MOST_ROWS = 40
_MOST_TRIALS = 400

_KIND_TITLES = {
    TrialKind.THROUGHPUT: "rate without loss",
    TrialKind.LATENCY: "latency",
    TrialKind.FRAME_LOSS: "loss at falling rates",
    TrialKind.TCP_STREAM: "one TCP connection",
    TrialKind.SETUP_RATE: "set-ups",
    TrialKind.FIRST_PACKET: "time to first packet",
    TrialKind.MANY_SAS: "many SAs",
}


def agreements(dataset: Dataset) -> list[Agreement]:
    """What can be held against predictions, one for each data plane of the laboratory."""
    found = (compare(dataset.measurements, provider) for provider in providers(dataset.measurements))
    return [agreement for agreement in found if agreement is not None]


def agreement(dataset: Dataset, recommendation: Recommendation) -> Plan | Absent:
    """Predicted and measured throughput of each suite in the laboratory."""
    found = agreements(dataset)
    if not found:
        return Absent(AGREEMENT_TITLE, "the laboratory measured nothing; 'ipsecbench lab run' does")
    first = found[0]
    shown = _shown_traffic(first, recommendation.requirements.traffic)
    chosen = recommendation.phase2.suite
    rows = sorted(
        (row for row in first.comparisons if (row.size_bytes, row.mix) == (shown.size_bytes, shown.mix)),
        key=lambda row: (row.direction != "outbound", row.measured_ns.median),
    )[:_MOST_ROWS]
    title = size_title(shown.size_bytes, shown.mix)
    return Plan(
        "agreement",
        AGREEMENT_TITLE,
        f"Real ESP through the {first.provider} data plane, one core, {title}. {_sentence(first)}",
        DotPlot(
            (("predicted", Shape.DIAMOND), ("measured in the laboratory", Shape.CIRCLE)),
            tuple(
                Row(
                    shorten(row.suite, 28),
                    (row.mbit_per_second(row.predicted_ns), row.mbit_per_second(row.measured_ns)),
                    row.suite == chosen,
                    row.direction,
                )
                for row in rows
            ),
            "bit/s, logarithmic",
            rate_tick,
            rate,
            logarithmic=True,
            dodged=True,
        ),
        _agreement_table(found, chosen),
        "Predicted is the packet loop of the suite plus what any packet of that size costs this data plane, which "
        f"comes from the laboratory's run of a suite without encryption ({first.base}, or the one with the same "
        "integrity transform). Nothing that the laboratory measured of a suite enters its own prediction. Both are "
        "taken at the first quartile of their samples, which what else runs on the box disturbs least.",
    )


def _sentence(found: Agreement) -> str:
    wrong = len(found.inversions)
    order = "none in the wrong order" if not wrong else f"{wrong} in the wrong order"
    return (
        f"Over all {len(found.comparisons):,} rows the median error is {percent(found.median_error)}, 95% of the rows "
        f"are within {percent(found.percentile_95_error)}, {percent(found.close_share, 0)} within 10%. "
        f"Of {found.pairs:,} pairs of suites that differ by more than 10%, {order}."
    )


def _shown_traffic(found: Agreement, wanted: Traffic) -> Traffic:
    """What was asked for, or else the measured size that is closest to it."""
    have = [(row.size_bytes, row.mix) for row in found.comparisons]
    if (wanted.size_bytes, wanted.mix) in have:
        return wanted
    closest = min(found.comparisons, key=lambda row: (abs(row.mean_bytes - wanted.mean_bytes), row.traffic))
    return Traffic(size_bytes=closest.size_bytes, mix=closest.mix)


def _agreement_table(found: list[Agreement], chosen: str) -> Table:
    columns = (
        Column("Suite", code=True),
        Column("Data plane"),
        Column("Direction"),
        Column("Inner packets", numeric=True),
        Column("Predicted, Mbit/s", numeric=True),
        Column("Measured, Mbit/s", numeric=True),
        Column("Error", numeric=True),
    )
    lines = tuple(
        Line(
            (
                Cell(row.suite),
                Cell(one.provider),
                Cell(row.direction),
                Cell(size_title(row.size_bytes, row.mix), row.mean_bytes),
                estimate_cell(row.mbit_per_second(row.predicted_ns)),
                estimate_cell(row.mbit_per_second(row.measured_ns)),
                Cell(signed_percent(_rate_error(row)), abs(_rate_error(row))),
            ),
            row.suite == chosen,
        )
        for one in found
        for row in one.comparisons
    )
    return Table("Predicted and measured throughput of one core: median and 95% interval", columns, lines)


def _rate_error(row: Comparison) -> float:
    """How much the predicted rate is above the measured one."""
    return row.measured_ns.median / row.predicted_ns.median - 1


def trial_table(dataset: Dataset) -> Table | None:
    """Every other trial of the laboratory; None where there is none."""
    lines = tuple(line for trial in dataset.trials[:_MOST_TRIALS] for line in _trial_lines(trial))
    if not lines:
        return None
    columns = (
        Column("Trial"),
        Column("Suite", code=True),
        Column("Data plane"),
        Column("Traffic"),
        Column("Result"),
        Column("Value", numeric=True),
        Column("Limited by"),
    )
    kinds = tuple(dict.fromkeys(_KIND_TITLES[trial.kind] for trial in dataset.trials))
    return Table("Trials of the laboratory", columns, lines, interactive=True, kinds=kinds)


def _trial_lines(trial: LabTrial) -> list[Line]:
    plane = trial.provider if trial.peer in (None, trial.provider) else f"{trial.provider} to {trial.peer}"
    size = size_title(trial.size_bytes, trial.mix) if trial.size_bytes or trial.mix else ""
    traffic = ", ".join(word for word in (size, trial.direction or "") if word) or "–"
    kind = _KIND_TITLES[trial.kind]
    head = (Cell(kind), Cell("none" if trial.algorithm == CLEARTEXT else trial.algorithm), Cell(plane), Cell(traffic))
    if not trial.values:
        return [Line((*head, Cell(trial.message or trial.status.value), Cell("–", -1.0), Cell("")), kind=kind)]
    return [
        Line((*head, Cell(_value_title(name)), _value_cell(value), Cell(trial.limited_by or "")), kind=kind)
        for name, value in trial.values.items()
    ]


_UNITS = {
    "pps": "packets/s",
    "us": "µs",
    "ms": "ms",
    "mbit_per_second": "Mbit/s",
    "per_second": "per second",
    "ns": "ns",
    "ratio": "share",
}


def _value_title(name: str) -> str:
    """``ndr_pps`` as ``ndr, packets/s``."""
    for ending in sorted(_UNITS, key=len, reverse=True):
        if name == ending:
            return _UNITS[ending]
        if name.endswith(f"_{ending}"):
            return f"{name.removesuffix(f'_{ending}').replace('_', ' ')}, {_UNITS[ending]}"
    return name.replace("_", " ")


def _value_cell(value: Estimate) -> Cell:
    if value.lower == value.upper:
        return Cell(significant(value.median), value.median)
    return estimate_cell(value)
