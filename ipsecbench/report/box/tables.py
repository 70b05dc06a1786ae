"""Tables of a recommendation that only its page has."""

from __future__ import annotations

from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.reasons import Role
from ipsecbench.report import formats
from ipsecbench.report.answer.suite_rates import traffic_title
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell


def prediction_table(recommendation: Recommendation) -> Table:
    """What one core carries of each packet size."""
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


def step_table(recommendation: Recommendation) -> Table:
    """The cryptography of a handshake, step by step."""
    handshake = recommendation.phase1.handshake
    lines = [
        Line((Cell(side), Cell(step.name), Cell(f"{step.times:g}", step.times), estimate_cell(step.cost_us)))
        for side, steps in (("initiator", handshake.initiator_steps), ("responder", handshake.responder_steps))
        for step in steps
    ]
    columns = (Column("Side"), Column("Step"), Column("Times", numeric=True), Column("Cost, µs", numeric=True))
    return Table("What a handshake's cryptography is made of", columns, tuple(lines))


def stack_table(recommendation: Recommendation) -> Table | None:
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


def ceiling_table(recommendation: Recommendation) -> Table:
    """What libraries reach that work on several packets at once."""
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


def exclusion_table(recommendation: Recommendation) -> Table:
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
