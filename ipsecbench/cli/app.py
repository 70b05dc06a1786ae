"""Which commands there are. Their modules import what they need when they run, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from ipsecbench import __version__
from ipsecbench.cli.bench import bench_command
from ipsecbench.cli.boxes.collect import collect_command
from ipsecbench.cli.boxes.compare import compare_command
from ipsecbench.cli.boxes.library import library_command
from ipsecbench.cli.detect import detect_command
from ipsecbench.cli.endpoint import endpoint_command
from ipsecbench.cli.explain import explain_command
from ipsecbench.cli.export import export_command
from ipsecbench.cli.import_files import import_command
from ipsecbench.cli.lab.app import lab_app
from ipsecbench.cli.policy import policy_app
from ipsecbench.cli.probe_script import probe_script_command
from ipsecbench.cli.recommend import recommend_command
from ipsecbench.cli.remote.command import remote_command
from ipsecbench.cli.report import report_command
from ipsecbench.cli.run import run_command

app = typer.Typer(
    name="ipsecbench",
    help="Measure this box and recommend the IKE (phase 1) and ESP (phase 2) parameters to run on it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=(
        "Exit codes: 0 ok, 1 error, 2 usage, 3 policy or threshold not met, 4 measured but unstable, "
        "5 correctness failed, 130 interrupted."
    ),
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"ipsecbench {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


app.command("run", help="Do the whole job: detect, measure, recommend, write the dataset and the report.")(run_command)
app.command("detect", help="Say what this box is: CPU, crypto instructions, kernel drivers, libcrypto, clock.")(
    detect_command
)
app.command("bench", help="Measure only, and write the dataset.")(bench_command)
app.command("remote", help="Measure other boxes over ssh; nothing is installed there, and nothing is left.")(
    remote_command
)
app.command("recommend", help="Recommend phase 1 and phase 2 parameter sets from a dataset.")(recommend_command)
app.command("import", help="Import what other tools measured, such as 'openssl speed', as datasets.")(import_command)
app.command("probe-script", help="Print a shell script that describes and measures a box where this cannot run.")(
    probe_script_command
)
app.command("explain", help="What an algorithm, a parameter or a piece of advice is, and what it is worth on a box.")(
    explain_command
)
app.command("export", help="Write the recommendation as configuration of a product, for both ends.")(export_command)
app.command("report", help="Write the HTML report of a dataset, or one page of several.")(report_command)
app.command("compare", help="Hold datasets against each other: ratios, rankings, gates (see docs/compare.md).")(
    compare_command
)
app.command("library", help="List the datasets in files and folders: boxes, rows, sources, verdicts.")(library_command)
app.command("collect", help="Check what a fleet brought, and add it to a library (see docs/fleet.md).")(collect_command)
app.command("endpoint", help="Run one IKE endpoint on real sockets (see docs/ike.md).")(endpoint_command)
app.add_typer(lab_app, name="lab", help="Two hosts on this machine, real IKE and ESP between them (see docs/lab.md).")
app.add_typer(
    policy_app, name="policy", help="Policies, and whether a configuration meets one (see docs/policy-check.md)."
)
