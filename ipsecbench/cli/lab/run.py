"""``ipsecbench lab run``: real ESP in the laboratory, measured and held against its prediction."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.lab.run_options import RunOptions

if TYPE_CHECKING:
    from ipsecbench.dataset.model import Dataset

Suites = Annotated[
    str | None,
    typer.Option(
        "--suites", metavar="NAME,…", help="ESP suites or patterns, or 'all' (default: those to decide between)."
    ),
]
Sizes = Annotated[
    str | None, typer.Option("--sizes", metavar="N,N,…", help="Octets of inner packets, or imix-simple, imix-csit.")
]
Known = Annotated[
    Path | None,
    typer.Option(
        "--dataset", metavar="FILE", help="Take packet loops from this dataset of the same box, and keep its rows."
    ),
]
Library = Annotated[
    str, typer.Option("--library", metavar="NAME", help="Library of the data plane: libcrypto, libgcrypt, libipsec-mb.")
]
Peer = Annotated[
    str | None,
    typer.Option("--peer", metavar="strongswan", help="Also through strongSwan's userspace ESP, to compare."),
]
Raw = Annotated[bool, typer.Option("--raw", help="IP protocol 50 instead of ESP in UDP.")]


def lab_run(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute instead of a few.")] = False,
    suites: Suites = None,
    sizes: Sizes = None,
    library: Library = "libcrypto",
    raw: Raw = False,
    peer: Peer = None,
    dataset: Known = None,
    budget: option.Budget = None,
    seed: option.Seed = 0,
    label: option.Label = None,
    redact: option.Redact = False,
    output: option.Output = None,
    force: option.Force = False,
    quiet: option.Quiet = False,
    json_output: option.Json = False,
) -> None:
    """Negotiate, measure, and print predicted against measured."""
    from ipsecbench.cli.lab.run_screen import agreement_document, render
    from ipsecbench.cli.lab.run_steps import LabSteps
    from ipsecbench.cli.measure import say
    from ipsecbench.errors import UsageError
    from ipsecbench.lab import enclosure

    options = RunOptions(
        quick,
        _words(suites),
        _words(sizes),
        library,
        raw,
        budget,
        seed,
        label,
        redact,
        output,
        force,
        quiet,
        dataset,
        peer == "strongswan",
    )
    if peer not in (None, "strongswan"):
        raise UsageError(f"--peer {peer!r}: only 'strongswan' can be compared with")
    known, path = _checked(options)
    enclosure.enter()
    result = LabSteps(options, known, path).run()
    if json_output:
        typer.echo(json.dumps(agreement_document(result)))
    else:
        typer.echo(render(result))
    say(f"Saved {path} ({len(result.measurements)} rows, {len(result.trials)} trials, {result.ended})")
    _judge(result)


def _words(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(text.split(","))


def _checked(options: RunOptions) -> tuple[Dataset | None, Path]:
    """Whatever the user can get wrong is found out before anything is made.

    Raises:
        UsageError: an option is wrong.
        DatasetError: a dataset cannot be read, or the place cannot be written.
    """
    from ipsecbench.bench.plan import AGENT_PROVIDERS
    from ipsecbench.cli.measure import output_path
    from ipsecbench.cli.measure_options import MeasureOptions
    from ipsecbench.dataset.store import read_dataset
    from ipsecbench.errors import UsageError
    from ipsecbench.lab.trials.plan import parse_sizes

    options.pace()
    if options.library not in AGENT_PROVIDERS:
        raise UsageError(f"--library: {options.library!r} is none of {', '.join(AGENT_PROVIDERS)}")
    if options.sizes:
        parse_sizes(options.sizes)
    if options.label is not None and len(options.label) > 200:
        raise UsageError("--label: longer than 200 characters")
    known = read_dataset(options.known) if options.known is not None else None
    measure = MeasureOptions(
        label=options.label or f"{socket.gethostname()}-lab", output=options.output, force=options.force
    )
    return known, output_path(measure)


def _judge(dataset: Dataset) -> None:
    """End with the documented exit code where figures are wrong.

    Raises:
        MeasurementError: the laboratory measured nothing.
        CorrectnessError: an implementation failed its known answers, or packets were lost.
    """
    from ipsecbench.bench.measurement import Status, Tier
    from ipsecbench.errors import CorrectnessError, MeasurementError

    failed = [row for row in dataset.measurements if row.status is Status.FAILED]
    if failed:
        raise CorrectnessError(f"{len(failed)} rows failed, first {failed[0].workload}: {failed[0].message}")
    if not any(row.usable and row.workload.tier is Tier.TUN_LAB for row in dataset.measurements):
        raise MeasurementError("the laboratory measured nothing: give it more --budget")
