"""The page of several boxes: before and after, or which of these; see docs/comparison-page.md."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ipsecbench.comparison.boxes import Ranking
from ipsecbench.comparison.model import NOISE, Comparison, Outcome
from ipsecbench.comparison.security_cost import SecurityCost
from ipsecbench.dataset.store import write_atomically
from ipsecbench.errors import UsageError
from ipsecbench.report.comparison import ranking as answers
from ipsecbench.report.comparison.boxes import COUNTED, MOST_NAMED, data_cards, groups, multiple_groups, standings
from ipsecbench.report.comparison.data import page_data
from ipsecbench.report.comparison.matrix import BOXES_DOWN_FROM, Marks, Matrix, matrices
from ipsecbench.report.comparison.pair import (
    curves,
    extremes_table,
    kind_table,
    ratio_figures,
    refused_table,
    row_table,
)
from ipsecbench.report.comparison.rows import Figures, shown_size
from ipsecbench.report.comparison.verdict import headline, pair_sentence, tally, weighty
from ipsecbench.report.formats import shorten
from ipsecbench.report.frame import SCRIPTS, STYLES, environment, frame_context

LARGEST_PAGE_BYTES = 1_450_000
"""A page is smaller than this, whatever the datasets hold."""
MOST_BOXES = 200
"""Boxes on one page."""
_LEAST_DATA_BYTES = 400_000
"""Octets that the data should have, so that another baseline can be chosen."""
_ROOMS = (1.0, 0.5, 0.25, 0.1)
"""Shares of the usual room that are tried until the page is small enough."""
_LONGEST_TITLE = 60
_SAME_BOX = ("device", "processor", "architecture")


class Layout(StrEnum):
    """What the page is about."""

    PAIR = "pair"
    """Before and after: two datasets of the same box, row by row."""
    BOXES = "boxes"
    """Different boxes against one baseline."""


def layout_of(comparison: Comparison) -> Layout:
    """Before and after where there are two datasets and the box seems to be the same; otherwise boxes."""
    if len(comparison.boxes) != 1:
        return Layout.BOXES
    differing = {one.name for one in comparison.boxes[0].differences}
    return Layout.BOXES if differing & set(_SAME_BOX) else Layout.PAIR


def write_comparison(
    path: Path,
    comparison: Comparison,
    ranking: Ranking | None = None,
    costs: Sequence[SecurityCost] = (),
    *,
    layout: Layout | None = None,
    command: str | None = None,
    noise: float = NOISE,
) -> int:
    """Write the page, whole or not at all; arguments as of :func:`render_comparison`.

    Returns:
        The size of the file in octets.

    Raises:
        DatasetError: the file could not be written; what was there before is still there.
        UsageError: there are too many boxes for one page.
    """
    content = render_comparison(comparison, ranking, costs, layout=layout, command=command, noise=noise).encode("utf-8")
    write_atomically(path, content)
    return len(content)


def render_comparison(
    comparison: Comparison,
    ranking: Ranking | None = None,
    costs: Sequence[SecurityCost] = (),
    *,
    layout: Layout | None = None,
    command: str | None = None,
    noise: float = NOISE,
) -> str:
    """The page as HTML: a pure function of its arguments.

    Args:
        comparison: the boxes against their baseline.
        ranking: which of them carries the traffic, where that was asked.
        costs: what more security costs on each.
        layout: what the page is about; chosen by :func:`layout_of` where it is not given.
        command: the command that makes the page again, for its footer.
        noise: what the comparison was told to call noise.

    Raises:
        UsageError: there are too many boxes for one page.
    """
    if len(comparison.boxes) + 1 > MOST_BOXES:
        raise UsageError(
            f"{len(comparison.boxes) + 1} boxes are too many for one page, which has room for {MOST_BOXES}; "
            "choose some of them, or write a table"
        )
    figures = Figures(comparison)
    chosen = layout or layout_of(comparison)
    marks = Marks(figures)
    template = environment().get_template("comparison.html.j2")
    fixed = frame_context((*STYLES, "comparison.css"), (*SCRIPTS, "comparison.js"))
    fixed |= _common(figures, chosen, marks, command, noise) | _answer(figures, ranking, costs)
    for room in _ROOMS:
        shown = matrices(figures, marks, room) if chosen is Layout.BOXES else ()
        context = fixed | {"cards": data_cards(figures, room)}
        if chosen is Layout.PAIR:
            context |= _pair(figures, room, noise)
        else:
            context |= _boxes(figures, shown, answers.goal_of(ranking), room)
        # The data takes the room that the rest leaves.
        bare = template.render(**context, data=Markup("{}"), data_note="")
        budget = LARGEST_PAGE_BYTES - len(bare.encode("utf-8")) - 512
        if budget > _LEAST_DATA_BYTES:
            break
    data = page_data(figures, shown, marks, ranking, noise, budget)
    return template.render(**context, data=data.json, data_note=data.note)


class _NoReferences:
    """The tables of this page cite no sources."""

    @staticmethod
    def cite(_: object) -> tuple[()]:
        return ()


def _common(figures: Figures, layout: Layout, marks: Marks, command: str | None, noise: float) -> dict[str, Any]:
    comparison = figures.comparison
    named = [(figures.names[number], box) for number, box in enumerate(comparison.boxes, 1)]
    return {
        "layout": layout.value,
        "names": figures.names,
        "titles": [shorten(" ".join(box.title.split()), _LONGEST_TITLE) for box in figures.boxes],
        "comparison": comparison,
        "noise": noise,
        "marks": marks.listed,
        "refused": refused_table(named),
        "references": _NoReferences(),
        "command": command,
        "dates": _dates(figures),
    }


def _dates(figures: Figures) -> str:
    days = sorted({day for box in figures.boxes if (day := box.dataset.measured_on)})
    if not days:
        return "day not stated"
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _answer(figures: Figures, ranking: Ranking | None, costs: Sequence[SecurityCost]) -> dict[str, Any]:
    names = {id(box): figures.names[number] for number, box in enumerate(figures.boxes)}
    empty: dict[str, Any] = {"ranking": None, "cost_tables": answers.cost_tables(costs, names)}
    if ranking is None:
        return empty
    named = answers.Named(ranking, names)
    return empty | {
        "ranking": ranking,
        "question": answers.question(ranking),
        "ranking_sentences": answers.ranking_sentences(named),
        "ranking_table": answers.ranking_table(named),
        "ranking_figures": answers.ranking_figures(named),
        "front_figures": answers.front_figures(named),
        "ground": answers.GROUND_WORDS[ranking.ground],
    }


def _pair(figures: Figures, room: float, noise: float) -> dict[str, Any]:
    (box,) = figures.comparison.boxes
    found = tally(box.ratios, len(box.refused))
    words, state = headline(found)
    base, name = figures.names
    return {
        "verdict": words,
        "state": state,
        "sentence": pair_sentence(box),
        "tally": found,
        "differences": weighty(box.differences),
        "slower": extremes_table(box, Outcome.SLOWER),
        "faster": extremes_table(box, Outcome.FASTER),
        "kind_table": kind_table(box),
        "figures": ratio_figures(figures, box, noise),
        "curves": curves(box, name, noise),
        "rows": row_table(box, base, name, room),
        "only_base": box.only_base,
        "only_other": box.only_other,
    }


def _boxes(figures: Figures, shown: Sequence[Matrix], goal: float | None, room: float) -> dict[str, Any]:
    return {
        "standings": standings(figures),
        "counted": tuple(outcome.value for outcome in COUNTED),
        "groups": groups(figures),
        "most_named": MOST_NAMED,
        "matrices": shown,
        "boxes_down": len(figures.boxes) >= BOXES_DOWN_FROM,
        "multiple_groups": multiple_groups(figures, goal, room),
        "size_title": shown_size,
        "without_words": _without_words,
    }


def _without_words(count: int) -> str:
    return "1 box has no such figure." if count == 1 else f"{count} boxes have no such figure."
