"""``ipsecbench explain``: what an algorithm, a parameter or a piece of advice is, and what it is worth on a box."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option

if TYPE_CHECKING:
    from ipsecbench.explain.box import Box


def explain_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Such as group2, aes256, sha1, pfs, mtu, 'esp-gcm 256' or 'disable PFS for speed'.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Argument(metavar="DATASET", help="A dataset, for figures.", show_default=False)
    ] = None,
    claims: Annotated[
        bool, typer.Option("--claims", help="Hold the article's and common advice against the dataset.")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="Show what can be explained, and stop.")] = False,
    json_output: option.Json = False,
) -> None:
    """Explain an algorithm, a group, a mode, a parameter or a claim; with a dataset, what it costs on that box.

    With --claims the only argument is the dataset. Exits with 2 where nothing is known of the name.
    """
    from ipsecbench.errors import UsageError

    if listing:
        _list()
        return
    if claims:
        if dataset is not None:
            raise UsageError("--claims takes a dataset and no name; give the name without --claims")
        _claims(None if name is None else Path(name), json_output)
        return
    if name is None or not name.strip():
        raise UsageError('give a name, such as aes256, group2, pfs or "disable PFS for speed"; --list shows them')
    _explain(name, dataset, json_output)


def _explain(name: str, dataset: Path | None, json_output: bool) -> None:
    from ipsecbench.cli.explain_screens import render_claims, render_explanation
    from ipsecbench.errors import UsageError
    from ipsecbench.explain.claims import find_claim, judge
    from ipsecbench.explain.explanation import explain
    from ipsecbench.explain.names import find_subject

    claim = find_claim(name)
    if claim is not None:
        box = _box(dataset)
        finding = judge(claim, box)
        if json_output:
            typer.echo(json.dumps(finding.to_dict(), ensure_ascii=False))
        else:
            typer.echo(render_claims((finding,), None if box is None else box.name))
        return
    if dataset is None and name.endswith(".json") and Path(name).is_file():
        raise UsageError(f"{name} is a dataset: give a name before it, or --claims")
    subject = find_subject(name)
    explanation = explain(subject, _box(dataset))
    if json_output:
        typer.echo(json.dumps(explanation.to_dict(), ensure_ascii=False))
    else:
        typer.echo(render_explanation(explanation))


def _claims(dataset: Path | None, json_output: bool) -> None:
    from ipsecbench.cli.explain_screens import render_claims
    from ipsecbench.explain.claims import all_claims, judge

    box = _box(dataset)
    findings = tuple(judge(claim, box) for claim in all_claims())
    name = None if box is None else box.name
    if json_output:
        said = {"box": name, "claims": [finding.to_dict() for finding in findings]}
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        typer.echo(render_claims(findings, name))


def _box(dataset: Path | None) -> Box | None:
    if dataset is None:
        return None
    from ipsecbench.dataset.store import read_dataset
    from ipsecbench.explain.box import Box

    return Box(read_dataset(dataset))


def _list() -> None:
    from ipsecbench.cli.explain_screens import render_list

    typer.echo(render_list())
