"""``ipsecbench recommend``: the answer from a dataset, on one screen, in full, as Markdown or as JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.exit_codes import EXIT_NOT_MET
from ipsecbench.cli.requirement_options import Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.recommend.model import Recommendation

_LABEL = re.compile(r"^[A-Z]{3,8}(?= )", re.M)
_WARNING = re.compile(r"^!(?= )", re.M)


@with_requirements
def recommend_command(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A file written by 'ipsecbench bench' or 'run'.")],
    wanted: Wanted,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Run the recommended set and the runner-up in the laboratory (docs/prove.md)."),
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="With --prove: seconds instead of half a minute.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="With --prove: also write the proof as an HTML page.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Everything as text, not one screen.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Everything as Markdown, for a ticket or a pull request.")
    ] = False,
    json_output: option.Json = False,
) -> None:
    """Recommend phase 1 and phase 2 parameter sets under a policy and a workload.

    Exits with 3 when nothing meets the policy, or when the goal is not sure to be met; with --prove see docs/prove.md.
    """
    from ipsecbench.dataset.store import read_dataset
    from ipsecbench.errors import UsageError

    if full + markdown + json_output + prove > 1 and not (prove and json_output and not full and not markdown):
        raise UsageError("--full, --markdown, --json and --prove: one of them, or --prove with --json")
    if prove:
        from ipsecbench.cli.recommend_prove import prove_command

        prove_command(dataset, wanted, quick=quick, json_output=json_output, html=html)
        return
    if quick or html is not None:
        raise UsageError(f"{'--quick' if quick else '--html'} goes with --prove")
    recommendation = wanted.prepared()(read_dataset(dataset))
    if json_output:
        typer.echo(answer_json(recommendation, wanted))
    elif markdown:
        from ipsecbench.report.answer.markdown import markdown_report

        typer.echo(markdown_report(recommendation, *wanted.names()), nl=False)
    elif full:
        from ipsecbench.report.answer.plain_text import full_text

        typer.echo(full_text(recommendation, screen_width(), *wanted.names()))
    else:
        show_answer(recommendation)
    if not goal_met(recommendation):
        raise typer.Exit(EXIT_NOT_MET)


def goal_met(recommendation: Recommendation) -> bool:
    """Whether the goal is sure to be met, or there was none."""
    from ipsecbench.recommend.model import GoalVerdict

    return recommendation.goal is None or recommendation.goal.verdict is GoalVerdict.MET


def answer_json(recommendation: Recommendation, wanted: Wanted) -> str:
    """The answer as one line of JSON in ASCII, so that nothing in it can steer a terminal."""
    from ipsecbench.recommend.answer_file import answer_document

    return json.dumps(answer_document(recommendation, *wanted.names()), allow_nan=False)


def screen_width() -> int:
    """Columns to write for: those of the terminal, and of the usual screen where there is none."""
    from ipsecbench.cli.answer_screen import NARROWEST, SCREEN_WIDTH

    if not sys.stdout.isatty():
        return SCREEN_WIDTH
    return max(NARROWEST, min(shutil.get_terminal_size((SCREEN_WIDTH, 40)).columns, SCREEN_WIDTH))


def show_answer(recommendation: Recommendation) -> None:
    """Print the answer on one screen: as wide as the terminal, with labels in bold there, and 100 columns elsewhere."""
    from ipsecbench.cli.answer_screen import render_recommendation

    text = render_recommendation(recommendation, screen_width())
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        text = _LABEL.sub(lambda found: typer.style(found[0], bold=True), text)
        text = _WARNING.sub(typer.style("!", fg=typer.colors.YELLOW, bold=True), text)
    typer.echo(text)
