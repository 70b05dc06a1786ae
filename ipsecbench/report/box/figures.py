"""The report's charts: what is drawn, in which order, each with the table that says the same.

A chart that has nothing to show is left out, and the report says so in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report.answer import figures as answer_figures
from ipsecbench.report.answer.suite_rates import SuiteRates
from ipsecbench.report.box import lab_figures, suite_figures
from ipsecbench.report.box import machine_figures as box_figures
from ipsecbench.report.drawing.dot_plot import DotPlot, draw_dot_plot
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.xy_plot import draw_xy_plot
from ipsecbench.report.tables import Table

WIDE = 860.0
"""Width of drawings for screens and paper."""
NARROW = 340.0
"""Width of drawings for telephones."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart, drawn."""

    identifier: str
    """Stable id within the page."""
    title: str
    """Heading."""
    lead: str
    """What to see in it."""
    note: str
    """What to bear in mind when reading it."""
    wide: Markup
    """Drawing for screens and paper."""
    narrow: Markup
    """The same for telephones."""
    table: Table
    """The same as a table."""


def draw(plan: Plan) -> Figure:
    """The drawings of one chart, for wide and for narrow screens."""
    drawings = []
    for identifier, width, class_ in (
        (f"{plan.identifier}-wide", WIDE, "chart wide"),
        (f"{plan.identifier}-narrow", NARROW, "chart narrow"),
    ):
        if isinstance(plan.plot, DotPlot):
            drawings.append(draw_dot_plot(plan.plot, identifier, plan.title, plan.lead, width, class_))
        else:
            drawings.append(draw_xy_plot(plan.plot, identifier, plan.title, plan.lead, width, class_))
    return Figure(plan.identifier, plan.title, plan.lead, plan.note, drawings[0], drawings[1], plan.table)


def answer_charts(recommendation: Recommendation) -> list[Figure]:
    """The charts of the answer itself, for the first screen; what cannot be drawn has only its table there."""
    planned = (answer_figures.carries(recommendation), answer_figures.front(recommendation))
    return [draw(plan) for plan in planned if isinstance(plan, Plan)]


def all_figures(
    dataset: Dataset, recommendation: Recommendation, suites: tuple[SuiteRates, ...]
) -> tuple[list[Figure], list[Absent]]:
    """Every chart that the dataset has figures for, and those it has none for."""
    figures: list[Figure] = []
    absent: list[Absent] = []
    for planned in (
        suite_figures.throughput(recommendation, suites),
        lab_figures.agreement(dataset, recommendation),
        suite_figures.strength(recommendation, suites),
        suite_figures.directions(dataset, recommendation, suites),
        suite_figures.cost_lines(dataset, recommendation, suites),
        box_figures.handshakes(dataset, recommendation),
        box_figures.core_scaling(dataset, recommendation),
        box_figures.providers(dataset),
    ):
        if isinstance(planned, Absent):
            absent.append(planned)
        else:
            figures.append(draw(planned))
    return figures, absent
