"""``ipsecbench run``: the whole job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.measure_options import MeasureOptions, with_measuring
from ipsecbench.cli.requirement_options import Wanted, with_requirements


@with_requirements
@with_measuring
def run_command(
    wanted: Wanted,
    options: MeasureOptions,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Report to write (default: beside the dataset).")
    ] = None,
    dry_run: option.DryRun = False,
    json_output: option.Json = False,
) -> None:
    """Detect, measure, recommend, write the dataset and the HTML report, and say the answer on one screen."""
    from ipsecbench.cli.exit_codes import EXIT_NOT_MET
    from ipsecbench.cli.measure import describe_plan, judge, measure_and_store, output_path, say
    from ipsecbench.cli.recommend import answer_json, goal_met, show_answer

    # Whatever the user can get wrong is found out before the long part.
    answer = wanted.prepared()
    with options.session() as session:
        plan = session.plan()
        if dry_run:
            typer.echo(describe_plan(plan, options))
            return
        path = output_path(options)
        report_path = _report_path(path, report, options.force)
        dataset = measure_and_store(session, plan, path, options)
    say(f"Saved {path}")

    from ipsecbench.report.box.page import write_report

    recommendation = answer(dataset)
    write_report(report_path, dataset, recommendation, path.name, answer.again(dataset))
    say(f"Saved {report_path}")
    if json_output:
        typer.echo(answer_json(recommendation, wanted))
    else:
        show_answer(recommendation)
    judge(dataset, options.strict)
    if not goal_met(recommendation):
        raise typer.Exit(EXIT_NOT_MET)


def _report_path(dataset: Path, report: Path | None, force: bool) -> Path:
    from ipsecbench.cli.report import default_report_path
    from ipsecbench.dataset.store import check_writable
    from ipsecbench.errors import DatasetError

    path = report or default_report_path(dataset)
    if path.exists() and not force and not path.is_dir():
        raise DatasetError(f"{path} exists; choose another --report, or replace it with --force")
    check_writable(path)
    return path
