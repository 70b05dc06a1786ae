"""The page of a proof: predicted against measured for each set, what was negotiated, and the files that it ran with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecbench import __version__
from ipsecbench.bench.measurement import Estimate
from ipsecbench.dataset.model import Dataset
from ipsecbench.export.target import find_target
from ipsecbench.proof.endpoints import lab_connection
from ipsecbench.proof.records import DirectionProof, Outcome, Proof, SetProof
from ipsecbench.recommend.answer_file import answer_document
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report import formats
from ipsecbench.report.answer.suite_rates import traffic_title
from ipsecbench.report.box.configurations import EndFile
from ipsecbench.report.box.figures import Figure, draw
from ipsecbench.report.box.page import dataset_context
from ipsecbench.report.drawing.dot_plot import DotPlot, Row
from ipsecbench.report.drawing.plan import Plan
from ipsecbench.report.drawing.svg import Shape
from ipsecbench.report.embedded import render_with_data
from ipsecbench.report.frame import SCRIPTS, STYLES, frame_context
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell

_STATES = {Outcome.PROVEN: "good", Outcome.NOT_RUN: "fair", Outcome.NOT_MET: "bad", Outcome.UNSTABLE: "fair"}
_WAYS = {"udp": "in UDP", "none": "as IP protocol 50"}


@dataclass(frozen=True, slots=True)
class ProvenSet:
    """One set as the page shows it."""

    record: SetProof
    """What the proof says."""
    title: str
    """Its name for headings."""
    rates: Table | None
    """Predicted against measured; None where no traffic was measured."""
    files: tuple[EndFile, ...]
    """What both ends were configured with; empty where that is not known."""


def render_proof_page(
    proof: Proof, recommendations: Sequence[Recommendation], dataset: Dataset, dataset_file: str | None = None
) -> str:
    """The page as HTML: a pure function of its arguments.

    Args:
        proof: what was found.
        recommendations: of the sets of the proof, in their order; fewer where there is no second choice.
        dataset: what they were made from.
        dataset_file: name of the dataset's file.
    """
    first = recommendations[0]
    known: list[Recommendation | None] = [*recommendations, *([None] * len(proof.sets))]
    chart = _chart(proof)
    context = dataset_context(dataset, dataset_file or "DATASET.ipsecbench.json") | {
        "answer": first,
        "proof": proof,
        "state": _STATES[proof.outcome],
        "sets": [_set(record, found) for record, found in zip(proof.sets, known, strict=False)],
        "charts": [] if chart is None else [chart],
        "traffic": traffic_title(first.requirements.traffic),
    }
    others = {"proof": proof.to_dict(), "recommendation": answer_document(first)}
    return render_with_data("proof.html.j2", context | frame_context(STYLES, SCRIPTS), dataset, others)


def _set(record: SetProof, recommendation: Recommendation | None) -> ProvenSet:
    title = record.name.capitalize()
    rates = _rates(record) if record.directions else None
    return ProvenSet(record, title, rates, () if recommendation is None else _files(record.name, recommendation))


def _files(name: str, recommendation: Recommendation) -> tuple[EndFile, ...]:
    """The endpoints' files; the secret of the proof was random and is not in them."""
    connection, target = lab_connection(recommendation), find_target("endpoint")
    if target.refusals(connection, __version__, accept_legacy=True):
        return ()
    found: list[EndFile] = []
    for end, view in (("this end", connection), ("the other end", connection.mirrored())):
        for file in target.files(view, __version__, accept_legacy=True):
            found.append(EndFile(f"file-{name}-{len(found)}", f"{file.name}: {end}, {view.local.address}", file.text))
    return tuple(found)


def _rates(record: SetProof) -> Table:
    columns = (
        Column("Direction"),
        Column("Predicted, Mbit/s", numeric=True),
        Column("Measured, Mbit/s", numeric=True),
        Column("Error", numeric=True),
        Column("Within the interval"),
        Column("Packet loop since the dataset", numeric=True),
        Column(f"Itself, {_WAYS.get(record.encapsulation, 'as negotiated')}, Mbit/s", numeric=True),
    )
    travelled = _WAYS.get(record.compared_encapsulation, "")
    caption = (
        f"{record.name.capitalize()}: inner octets on one core in one direction; predictions with 90% intervals, "
        "measured medians with 95%"
    )
    if record.compared_encapsulation != record.encapsulation and travelled:
        caption += f". Compared with ESP {travelled}, as in the rows that the prediction comes from"
    return Table(caption, columns, tuple(map(_direction, record.directions)))


def _direction(one: DirectionProof) -> Line:
    inside = {None: "nothing to compare", True: "inside", False: "outside"}[one.inside]
    return Line(
        (
            Cell(one.direction),
            estimate_cell(one.predicted),
            estimate_cell(one.measured),
            _change(one.error),
            Cell(inside),
            _change(one.box_change),
            estimate_cell(one.as_negotiated),
        )
    )


def _change(share: float | None) -> Cell:
    return Cell("–") if share is None else Cell(formats.signed_percent(share), share)


def _chart(proof: Proof) -> Figure | None:
    """Predicted against measured, both directions of each set; None where nothing was measured."""
    rows = [
        Row(
            one.direction,
            (one.predicted, one.measured, None if one.as_negotiated == one.measured else one.as_negotiated),
            record is proof.sets[0],
            formats.shorten(f"{record.name.capitalize()}: {record.esp_proposal}", 48),
        )
        for record in proof.sets
        for one in record.directions
    ]
    if not rows:
        return None
    wanted = proof.sets[0].wanted_mbit_per_second
    compared = [one for record in proof.sets for one in record.directions if one.inside is not None]
    inside = sum(bool(one.inside) for one in compared)
    lead = f"{inside} of {len(compared)} rates lie within their predicted 90% interval." if compared else ""
    plot = DotPlot(
        (("predicted, 90%", Shape.DIAMOND), ("measured, 95%", Shape.CIRCLE), ("as negotiated", Shape.SQUARE)),
        tuple(rows),
        "bit/s of inner octets",
        formats.rate_tick,
        formats.rate,
        dodged=True,
        goal=wanted,
        goal_label="" if wanted is None else f"goal's share of one core: {formats.rate(wanted)}",
    )
    note = "Predictions come from the dataset, which was measured before; nothing of the proof entered them."
    return draw(Plan("proof", "Predicted against measured", lead or proof.verdict, plot, _all_rates(proof), note))


def _all_rates(proof: Proof) -> Table:
    columns = (
        Column("Set"),
        Column("Direction"),
        *(Column(name, numeric=True) for name in ("Predicted, Mbit/s", "Measured, Mbit/s", "As negotiated, Mbit/s")),
    )
    lines = tuple(
        Line((Cell(record.name), Cell(one.direction), *map(estimate_cell, _three(one))), record is proof.sets[0])
        for record in proof.sets
        for one in record.directions
    )
    return Table("Rates of both sets on one core", columns, lines)


def _three(one: DirectionProof) -> tuple[Estimate | None, Estimate, Estimate]:
    return one.predicted, one.measured, one.as_negotiated
