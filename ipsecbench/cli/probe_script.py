"""``ipsecbench probe-script``: print the shell script for boxes on which this program cannot run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ipsecbench.cli import options as option


def probe_script_command(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
    force: option.Force = False,
) -> None:
    """Print a shell script that describes any box and measures its OpenSSL; 'import' reads what it prints.

    sh probe.sh > box.probe
    """
    from ipsecbench.dataset.store import write_atomically
    from ipsecbench.errors import DatasetError
    from ipsecbench.probe import script

    if output is None or str(output) == "-":
        typer.echo(script(), nl=False)
        return
    if output.exists() and not force:
        raise DatasetError(f"{output} exists; choose another --output, or replace it with --force")
    write_atomically(output, script().encode())
