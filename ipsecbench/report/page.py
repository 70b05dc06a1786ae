"""The page of one box: everything that the template says, and the file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ipsecbench.algorithms.sources import Source, sources
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import write_atomically
from ipsecbench.recommend.answer_file import answer_document
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.requirement_file import KEYS
from ipsecbench.recommend.requirements.traffic import traffic_text
from ipsecbench.report import formats
from ipsecbench.report.answer_tables import (
    change_table,
    front_table,
    life_table,
    load_table,
    rival_table,
    transform_title,
)
from ipsecbench.report.embedded import embedded_data
from ipsecbench.report.environment import box_title, environment_sections
from ipsecbench.report.figures import all_figures, answer_charts
from ipsecbench.report.frame import SCRIPTS, STYLES, environment, frame_context
from ipsecbench.report.lab_figures import trial_table
from ipsecbench.report.suite_figures import suite_table
from ipsecbench.report.suite_rates import all_suites, traffic_title
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell
from ipsecbench.report.validity import checks, ladder, status_counts, warnings

LARGEST_PAGE_BYTES = 1_000_000
"""A report is smaller than this, whatever the dataset holds."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A numbered entry of the list of sources."""

    number: int
    """Its number in the text."""
    key: str
    """Its key."""
    source: Source | None
    """What it is; None where the key is not known."""


class References:
    """Numbers the sources in the order in which the page first names them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cite(self, cited: Reason | Cell) -> list[Reference]:
        """The references of a reason, or of a cell of a table."""
        return [self._reference(key, self._numbers.setdefault(key, len(self._numbers) + 1)) for key in cited.sources]

    def listed(self) -> list[Reference]:
        """Every reference that was named so far."""
        return [self._reference(key, number) for key, number in self._numbers.items()]

    @staticmethod
    def _reference(key: str, number: int) -> Reference:
        return Reference(number, key, sources().get(key))


def write_report(path: Path, dataset: Dataset, recommendation: Recommendation, dataset_file: str | None = None) -> int:
    """Write the report, whole or not at all.

    Args:
        path: the HTML file; one that exists is replaced.
        dataset: the dataset.
        recommendation: what follows from it.
        dataset_file: name of the dataset's file, for the command that makes the report again.

    Returns:
        The size of the file in octets.

    Raises:
        DatasetError: the file could not be written; what was there before is still there.
    """
    content = render_page(dataset, recommendation, dataset_file).encode("utf-8")
    write_atomically(path, content)
    return len(content)


def render_page(dataset: Dataset, recommendation: Recommendation, dataset_file: str | None = None) -> str:
    """The report as HTML: a pure function of its arguments."""
    file_name = dataset_file or "DATASET.ipsecbench.json"
    context = _context(dataset, recommendation, file_name) | frame_context(STYLES, SCRIPTS)
    template = environment().get_template("report.html.j2")
    # The data takes the room that the rest leaves.
    bare = template.render(**context, references=References(), data=Markup("{}"), data_note="")
    budget = LARGEST_PAGE_BYTES - len(bare.encode("utf-8")) - 4096
    answer = {"recommendation": answer_document(recommendation)}
    data = embedded_data(dataset, answer, formats.shorten(file_name, 200), budget)
    return template.render(**context, references=References(), data=data.json, data_note=data.note)


def _context(dataset: Dataset, recommendation: Recommendation, file_name: str) -> dict[str, Any]:
    suites = all_suites(dataset, recommendation)
    figures, absent = all_figures(dataset, recommendation, suites)
    return {
        "dataset": dataset,
        "answer": recommendation,
        "label": formats.shorten(dataset.label, 80) if dataset.label else None,
        "box": box_title(dataset),
        "wanted": traffic_title(recommendation.requirements.traffic),
        "title_of": transform_title,
        "traffic_title": traffic_title,
        "answer_charts": answer_charts(recommendation),
        "front_table": front_table(recommendation),
        "load_table": load_table(recommendation),
        "life_table": life_table(recommendation),
        "rivals": rival_table(recommendation),
        "change_table": change_table(recommendation),
        "tried": {change.text for change in recommendation.sensitivity},
        "predictions": _prediction_table(recommendation),
        "steps": _step_table(recommendation),
        "stack": _stack_table(recommendation),
        "prices": recommendation.prices,
        "ceilings": _ceiling_table(recommendation),
        "rungs": ladder(dataset, recommendation),
        "checks": checks(dataset),
        "warnings": warnings(dataset, recommendation),
        "figures": figures,
        "absent": absent,
        "trials": trial_table(dataset),
        "suite_table": suite_table(recommendation, suites),
        "other_exclusions": _exclusion_table(recommendation),
        "sections": environment_sections(dataset),
        "statuses": status_counts(dataset),
        "command": regeneration_command(recommendation, file_name),
        "file_name": formats.shorten(file_name, 200),
    }


def regeneration_command(recommendation: Recommendation, file_name: str) -> str:
    """The command that makes the same report from the same dataset."""
    wanted, default = recommendation.requirements, Requirements()
    words = ["ipsecbench", "report", formats.shorten(file_name, 200), "--policy", recommendation.policy]
    for name, key in KEYS.items():
        value = getattr(wanted, key.field)
        if value != getattr(default, key.field):
            written = key.write(value)
            words += [f"--{name}"] if written is True else [f"--{name}", str(written)]
    if wanted.traffic != default.traffic:
        words += ["--profile", str(traffic_text(wanted.traffic))]
    if wanted.peer is not None:
        words += ["--peer", wanted.peer.spec or "PEER.toml"]
    if recommendation.pair is not None:
        words += ["--peer-dataset", "OTHER.ipsecbench.json"]
    return shlex.join(words)


def _prediction_table(recommendation: Recommendation) -> Table:
    candidate = recommendation.phase2.candidate
    found = {prediction.traffic: prediction for prediction in (*candidate.predictions, candidate.headline)}
    lines = tuple(
        Line(
            (
                Cell(traffic_title(traffic)),
                estimate_cell(prediction.outbound_mbit_per_second),
                estimate_cell(prediction.inbound_mbit_per_second),
                estimate_cell(prediction.both_ways_mbit_per_second),
                estimate_cell(prediction.packets_per_second, 1000.0),
                Cell(prediction.basis.value),
            ),
            traffic == recommendation.requirements.traffic,
        )
        for traffic, prediction in found.items()
    )
    headings = ("Outbound, Mbit/s", "Inbound, Mbit/s", "Both at once, Mbit/s", "Thousand packets/s")
    return Table(
        f"What one core carries with {candidate.name}, data plane included, with 90% intervals; what was asked for is "
        "marked",
        (Column("Inner packets"), *(Column(title, numeric=True) for title in headings), Column("Basis")),
        lines,
    )


def _step_table(recommendation: Recommendation) -> Table:
    handshake = recommendation.phase1.handshake
    lines = [
        Line((Cell(side), Cell(step.name), Cell(f"{step.times:g}", step.times), estimate_cell(step.cost_us)))
        for side, steps in (("initiator", handshake.initiator_steps), ("responder", handshake.responder_steps))
        for step in steps
    ]
    columns = (Column("Side"), Column("Step"), Column("Times", numeric=True), Column("Cost, µs", numeric=True))
    return Table("What a handshake's cryptography is made of", columns, tuple(lines))


def _stack_table(recommendation: Recommendation) -> Table | None:
    """Where the time of a whole set-up goes; None where the dataset has none."""
    stack = recommendation.phase1.handshake.stack
    if stack is None:
        return None
    lines = [
        Line((Cell(part.name), estimate_cell(part.initiator_us), estimate_cell(part.responder_us)))
        for part in stack.parts
    ]
    lines.append(Line((Cell("all of it"), estimate_cell(stack.initiator_us), estimate_cell(stack.responder_us))))
    columns = (Column("Part"), Column("Initiator, µs", numeric=True), Column("Responder, µs", numeric=True))
    caption = f"Where the time of a whole set-up goes: {formats.shorten(stack.measured_set, 80)}"
    return Table(caption, columns, tuple(lines))


def _ceiling_table(recommendation: Recommendation) -> Table:
    lines = [
        Line(
            (
                Cell(ceiling.suite),
                estimate_cell(ceiling.mbit_per_second),
                Cell(traffic_title(ceiling.traffic)),
                Cell(ceiling.provider),
                Cell(ceiling.tier.value),
            ),
            ceiling.suite == recommendation.phase2.suite,
        )
        for ceiling in recommendation.ceilings
    ]
    columns = (
        Column("Suite", code=True),
        Column("Outbound, Mbit/s", numeric=True),
        Column("Packets"),
        Column("Library"),
        Column("Tier"),
    )
    return Table("What a multi-buffer library does on one core", columns, tuple(lines))


_ROLE_TITLES = {
    Role.KEY_EXCHANGE: "key exchange",
    Role.PRF: "PRF",
    Role.IKE_ENCRYPTION: "IKE encryption",
    Role.AUTHENTICATION: "authentication",
    Role.ESP_SUITE: "ESP suite",
}


def _exclusion_table(recommendation: Recommendation) -> Table:
    """What was not chosen for phase 1."""
    kinds = tuple(title for role, title in _ROLE_TITLES.items() if role is not Role.ESP_SUITE)
    lines = tuple(
        Line(
            (
                Cell(exclusion.name),
                Cell(_ROLE_TITLES[exclusion.role]),
                estimate_cell(exclusion.cost_us),
                Cell(exclusion.kind.value.replace("-", " ")),
                Cell(exclusion.reason.text, sources=exclusion.reason.sources),
            ),
            kind=_ROLE_TITLES[exclusion.role],
        )
        for exclusion in recommendation.exclusions
        if exclusion.role is not Role.ESP_SUITE
    )
    columns = (
        Column("Algorithm", code=True),
        Column("For"),
        Column("Cost, µs", numeric=True),
        Column("Verdict"),
        Column("Reason"),
    )
    return Table("What was considered for phase 1 and not chosen", columns, lines, interactive=True, kinds=kinds)
