"""The page of a dataset that nothing can be recommended from: its figures, what they are worth, what the box is."""

from __future__ import annotations

from ipsecbench.dataset.model import Dataset
from ipsecbench.report.box.origin import figure_table
from ipsecbench.report.box.page import dataset_context
from ipsecbench.report.embedded import render_with_data
from ipsecbench.report.frame import SCRIPTS, STYLES, frame_context


def render_figures_page(dataset: Dataset, reason: str, dataset_file: str | None = None) -> str:
    """The page as HTML: a pure function of its arguments.

    Args:
        dataset: what is shown; it may have no figure at all.
        reason: why nothing is recommended, in one line.
        dataset_file: name of the dataset's file.
    """
    context = dataset_context(dataset, dataset_file or "DATASET.ipsecbench.json")
    figures = figure_table(dataset)
    if figures is None:
        reason = "without a figure nothing can be recommended: measure this box, or import figures of it"
    context |= {"figure_table": figures, "reason": reason}
    return render_with_data("figures.html.j2", context | frame_context(STYLES, SCRIPTS), dataset, {})
