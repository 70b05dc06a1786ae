"""``ipsecbench report``: the HTML report of a dataset, or one page of several."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.boxes.choice import Baseline, boxes_and_baseline
from ipsecbench.cli.boxes.options import Price
from ipsecbench.cli.boxes.places import read_places
from ipsecbench.cli.exit_codes import EXIT_ERROR
from ipsecbench.cli.report_file import refuse_other_files
from ipsecbench.cli.requirement_options import Prepared, Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.comparison.boxes import Ranking
    from ipsecbench.comparison.security_cost import SecurityCost
    from ipsecbench.dataset.model import Dataset

_MOST_NAMED = 20


@with_requirements
def report_command(
    places: Annotated[
        list[Path],
        typer.Argument(metavar="DATASET", help="A dataset (*.ipsecbench.json); several, or folders: one page of all."),
    ],
    wanted: Wanted,
    baseline: Baseline = None,
    price: Price = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Report to write (default: beside the dataset); - prints it."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report, too.")] = False,
    json_output: option.Json = False,
) -> None:
    """Write one self-contained HTML file; a report that is already there is replaced.

    Of one dataset it says what to run on the box. Of two of the same box it is before and after; of others, which of
    these boxes, for the traffic and the goal that are wanted.
    """
    from ipsecbench.errors import UsageError

    if len(places) > 1 or os.path.isdir(places[0]):
        _report_several(places, wanted, baseline, price or (), output, force, json_output)
        return
    if baseline is not None or price:
        raise UsageError("--baseline and --price are for several datasets")
    _report_one(places[0], wanted, output, force, json_output)


def _report_one(dataset: Path, wanted: Wanted, output: Path | None, force: bool, json_output: bool) -> None:
    from ipsecbench.cli.measure import say
    from ipsecbench.dataset.store import check_writable, read_dataset, write_atomically

    answer = wanted.prepared()
    measured = read_dataset(dataset)
    to_screen = output is not None and str(output) == "-"
    path = output if output is not None else default_report_path(dataset)
    if not to_screen:
        refuse_other_files(path, force)
        check_writable(path)
    page = _page(measured, answer, dataset.name)
    if to_screen:
        typer.echo(page, nl=False)
        return
    content = page.encode("utf-8")
    write_atomically(path, content)
    size = len(content)
    say(f"Saved {path} ({size / 1000:,.0f} kB)")
    if json_output:
        typer.echo(json.dumps({"report": str(path), "bytes": size, "dataset_sha256": measured.sha256}))


def _page(measured: Dataset, answer: Prepared, file_name: str) -> str:
    """The report; of figures of others that nothing can be recommended from, the page of the figures alone.

    Raises:
        PolicyError: nothing can be recommended from what this program measured.
    """
    from ipsecbench.cli.measure import say
    from ipsecbench.errors import PolicyError

    try:
        recommendation = answer(measured)
    except PolicyError as error:
        if measured.source is None:
            raise
        from ipsecbench.report.box.figures_page import render_figures_page

        say(f"Nothing is recommended, the report has the figures alone: {error}")
        return render_figures_page(measured, str(error), file_name)
    from ipsecbench.report.box.page import render_page

    return render_page(measured, recommendation, file_name, answer.again(measured))


def _report_several(
    places: Sequence[Path],
    wanted: Wanted,
    baseline: str | None,
    prices: Sequence[str],
    output: Path | None,
    force: bool,
    json_output: bool,
) -> None:
    """One page of several datasets: before and after, or which of these boxes.

    Exit code 1 where a file could not be read; the page is of the others.
    """
    from ipsecbench.cli.measure import say
    from ipsecbench.comparison.boxes import rank_boxes
    from ipsecbench.comparison.compare import compare
    from ipsecbench.comparison.security_cost import security_costs
    from ipsecbench.dataset.store import check_writable
    from ipsecbench.recommend.policies.policy import load_policy
    from ipsecbench.report.comparison.page import Layout, layout_of, render_comparison, write_comparison

    policy = load_policy(wanted.policy)
    to_screen = output is not None and str(output) == "-"
    path = output if output is not None else default_comparison_path(places[0])
    if not to_screen:
        refuse_other_files(path, force)
        check_writable(path)
    library = read_places(places)
    boxes, base = boxes_and_baseline(library, baseline, prices)
    comparison = compare(boxes, base)
    ranking: Ranking | None = None
    costs: Sequence[SecurityCost] = ()
    if layout_of(comparison) is Layout.BOXES or wanted.requirements.goal_mbit_per_second is not None or prices:
        ranking = rank_boxes(boxes, policy, wanted.requirements)
        costs = security_costs(boxes, wanted.requirements.traffic)
    command = _command(places, wanted, baseline, prices)
    if to_screen:
        typer.echo(render_comparison(comparison, ranking, costs, command=command), nl=False)
    else:
        size = write_comparison(path, comparison, ranking, costs, command=command)
        say(f"Saved {path} ({size / 1000:,.0f} kB)")
        if json_output:
            typer.echo(json.dumps({"report": str(path), "bytes": size, "boxes": [box.name for box in boxes]}))
    if library.unreadable:
        raise typer.Exit(EXIT_ERROR)


def _command(places: Sequence[Path], wanted: Wanted, baseline: str | None, prices: Sequence[str]) -> str:
    """The command that makes the page again, without the folders of the one who made it."""
    from ipsecbench.report.box.page import requirement_words

    words = ["ipsecbench", "report", *(place.name or "." for place in places[:_MOST_NAMED])]
    if len(places) > _MOST_NAMED:
        words.append("...")
    words += ["--policy", Path(wanted.policy).name, *requirement_words(wanted.requirements)]
    words += ["--baseline", Path(baseline).name] if baseline is not None else []
    words += [word for each in prices for word in ("--price", each)]
    return shlex.join(words)


def default_report_path(dataset: Path) -> Path:
    """Where the report of a dataset goes unless the user says otherwise: beside it, under its name."""
    from ipsecbench.dataset.store import SUFFIX

    return dataset.with_name(dataset.name.removesuffix(".gz").removesuffix(SUFFIX).removesuffix(".json") + ".html")


def default_comparison_path(place: Path) -> Path:
    """Where the page of several datasets goes unless the user says otherwise: beside the first, or into the folder."""
    return (place if place.is_dir() else place.parent) / "comparison.html"
