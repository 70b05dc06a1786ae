"""``ipsecbench report``: the HTML report of a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.report_file import refuse_other_files
from ipsecbench.cli.requirement_options import Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.recommend.model import Recommendation


@with_requirements
def report_command(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A dataset (*.ipsecbench.json).")],
    wanted: Wanted,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Report to write (default: beside the dataset); - prints it."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report, too.")] = False,
    json_output: option.Json = False,
) -> None:
    """Write one self-contained HTML file; a report that is already there is replaced."""
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


def _page(measured: Dataset, answer: Callable[[Dataset], Recommendation], file_name: str) -> str:
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
        from ipsecbench.report.figures_page import render_figures_page

        say(f"Nothing is recommended, the report has the figures alone: {error}")
        return render_figures_page(measured, str(error), file_name)
    from ipsecbench.report.page import render_page

    return render_page(measured, recommendation, file_name)


def default_report_path(dataset: Path) -> Path:
    """Where the report of a dataset goes unless the user says otherwise: beside it, under its name."""
    from ipsecbench.dataset.store import SUFFIX

    return dataset.with_name(dataset.name.removesuffix(".gz").removesuffix(SUFFIX).removesuffix(".json") + ".html")
