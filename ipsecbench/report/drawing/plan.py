"""What a chart is to show, before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.report.drawing.dot_plot import DotPlot
from ipsecbench.report.drawing.xy_plot import XyPlot
from ipsecbench.report.tables import Table


@dataclass(frozen=True, slots=True)
class Plan:
    """What one chart is to show."""

    identifier: str
    """Stable id within the page."""
    title: str
    """Heading."""
    lead: str
    """What to see in it, in a sentence or two."""
    plot: DotPlot | XyPlot
    """The drawing."""
    table: Table
    """The same as a table."""
    note: str = ""
    """What to bear in mind when reading it."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A chart that could not be drawn."""

    title: str
    """Its heading."""
    reason: str
    """What the dataset lacks."""
