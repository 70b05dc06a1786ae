"""The page of one box: everything that the template says, and the file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import write_atomically
from ipsecbench.export.fitting import Again
from ipsecbench.recommend.answer_file import answer_document
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.requirement_file import KEYS
from ipsecbench.recommend.requirements.traffic import traffic_text
from ipsecbench.report import formats
from ipsecbench.report.answer.suite_rates import all_suites, traffic_title
from ipsecbench.report.answer.tables import (
    change_table,
    front_table,
    life_table,
    load_table,
    rival_table,
    transform_title,
)
from ipsecbench.report.box.configurations import configurations
from ipsecbench.report.box.environment import box_title, environment_sections
from ipsecbench.report.box.figures import all_figures, answer_charts
from ipsecbench.report.box.lab_figures import trial_table
from ipsecbench.report.box.origin import figure_table, origin, unread_table, verdict_lines
from ipsecbench.report.box.suite_figures import suite_table
from ipsecbench.report.box.tables import ceiling_table, exclusion_table, prediction_table, stack_table, step_table
from ipsecbench.report.box.validity import checks, ladder, status_counts, warnings
from ipsecbench.report.embedded import render_with_data
from ipsecbench.report.frame import SCRIPTS, STYLES, frame_context


def write_report(
    path: Path,
    dataset: Dataset,
    recommendation: Recommendation,
    dataset_file: str | None = None,
    again: Again | None = None,
) -> int:
    """Write the report, whole or not at all.

    Args:
        path: the HTML file; one that exists is replaced.
        dataset: the dataset.
        recommendation: what follows from it.
        dataset_file: name of the dataset's file, for the command that makes the report again.
        again: see :func:`render_page`.

    Returns:
        The size of the file in octets.

    Raises:
        DatasetError: the file could not be written; what was there before is still there.
    """
    content = render_page(dataset, recommendation, dataset_file, again).encode("utf-8")
    write_atomically(path, content)
    return len(content)


def render_page(
    dataset: Dataset,
    recommendation: Recommendation,
    dataset_file: str | None = None,
    again: Again | None = None,
) -> str:
    """The report as HTML: a pure function of its arguments.

    Args:
        dataset: the dataset.
        recommendation: what follows from it.
        dataset_file: name of the dataset's file.
        again: recommends for products that cannot say the recommendation; without it the page says why they cannot.
    """
    file_name = dataset_file or "DATASET.ipsecbench.json"
    context = _context(dataset, recommendation, file_name, again) | frame_context(STYLES, SCRIPTS)
    answer = {"recommendation": answer_document(recommendation)}
    return render_with_data("report.html.j2", context, dataset, answer)


def _context(dataset: Dataset, recommendation: Recommendation, file_name: str, again: Again | None) -> dict[str, Any]:
    suites = all_suites(dataset, recommendation)
    figures, absent = all_figures(dataset, recommendation, suites)
    return {
        **dataset_context(dataset, file_name),
        "answer": recommendation,
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
        "predictions": prediction_table(recommendation),
        "steps": step_table(recommendation),
        "stack": stack_table(recommendation),
        "prices": recommendation.prices,
        "ceilings": ceiling_table(recommendation),
        "rungs": ladder(dataset, recommendation),
        "warnings": warnings(dataset, recommendation),
        "figures": figures,
        "absent": absent,
        "trials": trial_table(dataset),
        "suite_table": suite_table(recommendation, suites),
        "other_exclusions": exclusion_table(recommendation),
        "command": regeneration_command(recommendation, file_name),
        "configurations": configurations(recommendation, again),
        "figure_table": figure_table(dataset) if dataset.source is not None else None,
    }


def dataset_context(dataset: Dataset, file_name: str) -> dict[str, Any]:
    """What every page about one dataset says of it, whatever follows from it."""
    return {
        "dataset": dataset,
        "label": formats.shorten(dataset.label, 80) if dataset.label else None,
        "box": box_title(dataset),
        "origin": origin(dataset),
        "verdicts": verdict_lines(dataset),
        "unread": unread_table(dataset),
        "checks": checks(dataset),
        "sections": environment_sections(dataset),
        "statuses": status_counts(dataset),
        "file_name": formats.shorten(file_name, 200),
    }


def regeneration_command(recommendation: Recommendation, file_name: str) -> str:
    """The command that makes the same report from the same dataset."""
    wanted = recommendation.requirements
    words = ["ipsecbench", "report", formats.shorten(file_name, 200), "--policy", recommendation.policy]
    words += requirement_words(wanted)
    if wanted.peer is not None:
        words += ["--peer", wanted.peer.spec or "PEER.toml"]
    if recommendation.pair is not None:
        words += ["--peer-dataset", "OTHER.ipsecbench.json"]
    return shlex.join(words)


def requirement_words(wanted: Requirements) -> list[str]:
    """The flags that ask for the same; none for what is the default."""
    default, words = Requirements(), []
    for name, key in KEYS.items():
        value = getattr(wanted, key.field)
        if value != getattr(default, key.field):
            written = key.write(value)
            words += [f"--{name}"] if written is True else [f"--{name}", str(written)]
    if wanted.traffic != default.traffic:
        words += ["--profile", str(traffic_text(wanted.traffic))]
    return words
