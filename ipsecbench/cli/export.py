"""``ipsecbench export``: the recommendation as configuration of some product, for both ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.requirement_options import Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.errors import RefusedError
    from ipsecbench.export.connection import Connection, End
    from ipsecbench.export.target import File, Target
    from ipsecbench.recommend.model import Recommendation

_ENDS = ("both", "local", "peer")


@with_requirements
def export_command(
    wanted: Wanted,
    dataset: Annotated[
        Path | None, typer.Argument(metavar="DATASET", help="A file written by 'ipsecbench bench' or 'run'.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TARGET[@VERSION]", help="The product; 'list' shows them all.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show the targets and how each was proven.")] = False,
    name: Annotated[str, typer.Option("--name", help="What the connection is called.")] = "ipsecbench",
    local: Annotated[str | None, typer.Option("--local", metavar="ADDRESS", help="This end's address.")] = None,
    peer_address: Annotated[
        str | None, typer.Option("--peer-address", metavar="ADDRESS", help="The other end's address.")
    ] = None,
    local_network: Annotated[
        list[str] | None,
        typer.Option("--local-network", metavar="NETWORK", help="A network behind this end; repeatable."),
    ] = None,
    peer_network: Annotated[
        list[str] | None,
        typer.Option("--peer-network", metavar="NETWORK", help="A network behind the other end; repeatable."),
    ] = None,
    local_id: Annotated[str | None, typer.Option("--local-id", help="This end's identity.")] = None,
    peer_id: Annotated[str | None, typer.Option("--peer-id", help="The other end's identity.")] = None,
    ends: Annotated[str, typer.Option("--end", help="Which end to write: local, peer or both.")] = "both",
    for_product: Annotated[
        bool,
        typer.Option(
            "--for-product",
            help="Where the product cannot say what is recommended: the best that it has by the policy.",
        ),
    ] = False,
    with_fallbacks: Annotated[
        bool, typer.Option("--with-fallbacks", help="Also the proposals that the policy appends for old peers.")
    ] = False,
    accept_legacy: Annotated[
        bool, typer.Option("--accept-legacy", help="Also algorithms that a standard forbids; every file warns.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files (default: print them).")
    ] = None,
    force: option.Force = False,
) -> None:
    """Write the recommended parameter sets as configuration of some product, for both ends.

    Addresses that are not given are placeholders of the documentation ranges, and a pre-shared key always is. Exits
    with 3 where the target cannot express the parameters or they must not be written, one line for each reason, and,
    as 'recommend' does, where the goal is not sure to be met.
    """
    from ipsecbench.cli.exit_codes import EXIT_NOT_MET
    from ipsecbench.cli.recommend import goal_met
    from ipsecbench.dataset.store import read_dataset
    from ipsecbench.errors import PolicyError, RefusedError, UsageError
    from ipsecbench.export.connection import placeholder_ends
    from ipsecbench.export.fitting import fit
    from ipsecbench.export.from_recommendation import connection_of
    from ipsecbench.export.target import find_target

    if listing or to == "list":
        _show_targets()
        return
    if to is None or dataset is None:
        raise UsageError("give a dataset and --to TARGET; 'ipsecbench export --list' shows the targets")
    if ends not in _ENDS:
        raise UsageError(f"end {ends!r}: it is local, peer or both")
    word, _, version_word = to.partition("@")
    target = find_target(word)
    version = target.version(version_word or None)
    if target.both_ends_in_one and ends != "both":
        raise UsageError(f"target {target.name} writes both ends in one: leave --end out")
    answer, measured = wanted.prepared(), read_dataset(dataset)
    recommendation = answer(measured)
    here, there = placeholder_ends(wanted.requirements.outer, wanted.requirements.inner)
    here, there = (
        _end(here, local, local_network, local_id),
        _end(there, peer_address, peer_network, peer_id),
    )

    def connect(found: Recommendation) -> Connection:
        return connection_of(found, here, there, name=name, with_fallbacks=with_fallbacks)

    connection = connect(recommendation)
    notes: tuple[str, ...] = ()
    if for_product:
        try:
            fitted = fit(target, version, recommendation, answer.again(measured), connect)
        except PolicyError:
            _say_other_policy(target, version, wanted, measured, connect)
            raise
        recommendation, connection, notes = fitted.recommendation, fitted.connection, fitted.lines
    try:
        files = _files(target, connection, version, ends, accept_legacy)
    except RefusedError as error:
        can_be_fitted = not for_product and bool(target.refuse(connection, version))
        _say_refusals(target, version, error, recommendation.policy if can_be_fitted else None)
        raise typer.Exit(error.exit_code) from None
    for note in notes:
        typer.echo(f"{target.title} {version}: {note}", err=True)
    if output is None:
        _print(target, files)
    else:
        _write(output, files, force)
        typer.echo(f"Verify with: {target.verify(connection)}")
    if not goal_met(recommendation):
        typer.echo("ipsecbench: the goal is not sure to be met; see 'ipsecbench recommend'", err=True)
        raise typer.Exit(EXIT_NOT_MET)


def _say_refusals(target: Target, version: str, error: RefusedError, policy: str | None) -> None:
    """Each reason, and the way out where another recommendation may be one."""
    for reason in error.reasons:
        typer.echo(f"ipsecbench: no {target.title} {version}: {reason}", err=True)
    if policy is not None:
        typer.echo(
            f"ipsecbench: --for-product writes the best that {target.title} {version} has by policy {policy}", err=True
        )


def _say_other_policy(
    target: Target, version: str, wanted: Wanted, measured: Dataset, connect: Callable[[Recommendation], Connection]
) -> None:
    """Where a policy leaves nothing that a product has: the first of the program's that leaves something."""
    from ipsecbench.errors import PolicyError
    from ipsecbench.export.fitting import fit
    from ipsecbench.recommend.policies.policy import POLICIES

    for name in POLICIES:
        answer = replace(wanted, policy=name).prepared()
        try:
            fitted = fit(target, version, answer(measured), answer.again(measured), connect)
        except PolicyError:
            continue
        if not target.refusals(fitted.connection, version):
            typer.echo(f"ipsecbench: policy {name} leaves something that {target.title} {version} has", err=True)
            return


def _show_targets() -> None:
    from ipsecbench.export.target import all_targets

    for target in all_targets():
        typer.echo(f"{target.name:<20} {target.proof:<11} {target.title} ({', '.join(target.versions)})")
        typer.echo(f"{'':<20} {target.proof_text}")


def _end(placeholder: End, address: str | None, networks: list[str] | None, identity: str | None) -> End:
    """An end from what the user gave; the rest from the placeholder. Without an identity the address is one."""
    from ipsecbench.export.connection import End

    where = address or placeholder.address
    return End(where, tuple(networks or placeholder.networks), identity or where)


def _files(
    target: Target, connection: Connection, version: str, ends: str, accept_legacy: bool
) -> list[tuple[Path, File]]:
    """The files of the ends that were asked for, each with its place below the output folder."""
    if target.both_ends_in_one:
        return [(Path(file.name), file) for file in target.files(connection, version, accept_legacy=accept_legacy)]
    views = {"local": connection, "peer": connection.mirrored()}
    found = []
    for end, view in views.items():
        if ends in (end, "both"):
            folder = Path(end) if ends == "both" else Path()
            files = target.files(view, version, accept_legacy=accept_legacy)
            found += [(folder / file.name, file) for file in files]
    return found


def _print(target: Target, files: list[tuple[Path, File]]) -> None:
    for place, file in files:
        if len(files) > 1:
            typer.echo(target.comment.lines(f"===== {place} (mode {file.mode:04o}) ====="), nl=False)
        typer.echo(file.text, nl=False)


def _write(folder: Path, files: list[tuple[Path, File]], force: bool) -> None:
    """Write them all, or nothing where one of them exists. What may hold a secret is never readable for others.

    Raises:
        UsageError: a file exists and ``--force`` was not given, or a place cannot be written.
    """
    from ipsecbench.errors import UsageError

    taken = [place for place, _ in files if os.path.lexists(folder / place)]
    if taken and not force:
        raise UsageError(f"{folder / taken[0]} exists; choose another --output, or replace it with --force")
    for place, file in files:
        path = folder / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(file.text)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from error
        typer.echo(f"Wrote {path}")
