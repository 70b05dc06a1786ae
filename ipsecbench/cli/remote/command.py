"""``ipsecbench remote``: measure other boxes over ssh, one after another."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli.measure_options import MeasureOptions, with_measuring
from ipsecbench.cli.requirement_options import Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.cli.remote.box import Outcome


@with_requirements
@with_measuring
def remote_command(
    hosts: Annotated[list[str], typer.Argument(metavar="[USER@]HOST", help="Boxes, as ssh names them.")],
    wanted: Wanted,
    how: MeasureOptions,
    ssh: Annotated[
        str, typer.Option("--ssh", metavar="COMMAND", help="An OpenSSH client and arguments, such as 'ssh -J gate'.")
    ] = "ssh",
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port of ssh.")] = None,
    identity: Annotated[Path | None, typer.Option("--identity", metavar="FILE", help="Private key for ssh.")] = None,
    ssh_option: Annotated[
        list[str] | None,
        typer.Option("--ssh-option", metavar="KEY=VALUE", help="An option of ssh_config(5); repeatable."),
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Never let ssh ask, not even on a terminal.")] = False,
    patience: Annotated[
        float, typer.Option("--patience", min=0, max=86400, help="Seconds to try again when the connection was lost.")
    ] = 300.0,
    max_load: Annotated[
        float | None,
        typer.Option("--max-load", metavar="LOAD", min=0, help="Leave a box alone whose load average is higher."),
    ] = None,
    agent: Annotated[
        Path | None, typer.Option("--agent", metavar="FILE", help="The agent to copy there (default: the right one).")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Run the shell probe instead of an agent (docs/probe.md).")
    ] = False,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Folder for datasets and reports (default: here).")
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Neither recommend nor write reports.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at the boxes, say what would be done there, and stop.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="One line of JSON for every box on standard output.")
    ] = False,
) -> None:
    """Measure other boxes over ssh: copy the agent there, run it, keep the dataset here, leave nothing there.

    One box after another; one that fails does not stop the others. See docs/remote.md.
    """
    from ipsecbench.cli.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED
    from ipsecbench.cli.measure import say
    from ipsecbench.cli.remote.box import RemoteOptions, measure_box
    from ipsecbench.errors import UsageError
    from ipsecbench.remote.connection import check_host

    if how.output is not None and (into is not None or len(hosts) > 1):
        raise UsageError("--output names one file: with several boxes, or beside it, there is --into FOLDER")
    if len(set(hosts)) < len(hosts):
        raise UsageError("a box is named twice")
    for host in hosts:
        check_host(host)
    remote = RemoteOptions(
        ssh=_ssh_command(ssh, port, identity, ssh_option or []),
        interactive=not batch and sys.stdin is not None and sys.stdin.isatty(),
        patience_seconds=patience,
        max_load=max_load,
        agent=agent,
        probe=probe,
        into=into,
        dry_run=dry_run,
        answer=None if no_report else wanted,
        json_output=json_output,
    )
    # Whatever the user can get wrong is found out before the first connection.
    how.check_for_box()
    if not no_report:
        wanted.prepared()
    outcomes: list[Outcome] = []
    with _ended_like_ctrl_c():
        for host in hosts:
            outcomes.append(measure_box(host, how, remote, alone=len(hosts) == 1))
            if json_output:
                typer.echo(json.dumps(outcomes[-1].document(), allow_nan=False))
            if outcomes[-1].was_interrupted:
                break
    if len(outcomes) < len(hosts):
        say(f"ipsecbench: interrupted: {', '.join(hosts[len(outcomes) :])} not measured")
        raise typer.Exit(EXIT_INTERRUPTED)
    codes = {outcome.exit_code for outcome in outcomes} - {0}
    if codes:
        raise typer.Exit(codes.pop() if len(codes) == 1 else EXIT_ERROR)


def _ssh_command(ssh: str, port: int | None, identity: Path | None, settings: list[str]) -> tuple[str, ...]:
    import shlex

    from ipsecbench.errors import UsageError

    try:
        words = shlex.split(ssh)
    except ValueError as error:
        raise UsageError(f"--ssh: {error}") from error
    if not words:
        raise UsageError("--ssh: no command")
    if port is not None:
        words += ["-p", str(port)]
    if identity is not None:
        if not os.access(identity, os.R_OK):
            raise UsageError(f"--identity: {identity} cannot be read")
        words += ["-i", os.fspath(identity)]
    for setting in settings:
        if "=" not in setting or not setting.partition("=")[0].isalpha():
            raise UsageError(f"--ssh-option: {setting!r} is not KEY=VALUE")
        words += ["-o", setting]
    return tuple(words)


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """What asks this process to end is answered like Ctrl-C: what was measured is kept, and the box is cleaned."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
