"""``ipsecbench lab scenario``: a setting, and what is claimed of it, shown by trying."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.exit_codes import EXIT_CORRECTNESS
from ipsecbench.cli.lab import options as lab_option

if TYPE_CHECKING:
    from ipsecbench.lab.scenarios.model import Outcome, Scenario


def lab_scenario(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Which; 'all' for every one.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Say which there are, and stop.")] = False,
    proposals: lab_option.Proposals = None,
    esp: lab_option.Esp = None,
    dataplane: lab_option.Dataplane = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.2, max=60.0, help="Length of each TCP stream.")] = 2.0,
    own_stream: Annotated[bool, typer.Option("--own-stream", help="No iperf3, also where there is one.")] = False,
    quiet: option.Quiet = False,
    json_output: option.Json = False,
) -> None:
    """Run scenarios one after another; exit with 5 if something that one claims does not hold."""
    from ipsecbench.errors import UsageError
    from ipsecbench.lab import enclosure
    from ipsecbench.lab.scenarios.catalogue import SCENARIOS

    if list_them:
        _list(list(SCENARIOS.values()), json_output)
        return
    if not names:
        raise UsageError("name a scenario; 'ipsecbench lab scenario --list' says which there are")
    unknown = [name for name in names if name not in SCENARIOS and name != "all"]
    if unknown:
        raise UsageError(f"there is no scenario {unknown[0]!r}; 'ipsecbench lab scenario --list' says which there are")
    chosen = list(SCENARIOS) if "all" in names else list(names)
    changes = {"ike": proposals, "esp": esp, "dataplane": lab_option.plane_kind(dataplane)}
    wishes = {name: value for name, value in changes.items() if value is not None}
    scenarios = [_changed(SCENARIOS[name], wishes) for name in chosen]
    enclosure.enter()
    outcomes = []
    for scenario in scenarios:
        outcomes.append(_run(scenario, wishes, seconds, own_stream, quiet))
        if not json_output:
            _show(outcomes[-1])
    if json_output:
        typer.echo(json.dumps([outcome.to_dict() for outcome in outcomes]))
    if not all(outcome.passed for outcome in outcomes):
        raise typer.Exit(EXIT_CORRECTNESS)


def _changed(scenario: Scenario, wishes: dict[str, Any]) -> Scenario:
    return replace(scenario, arrangement=replace(scenario.arrangement, **wishes)) if wishes else scenario


def _run(scenario: Scenario, wishes: dict[str, Any], seconds: float, own_stream: bool, quiet: bool) -> Outcome:
    from ipsecbench.lab.scenarios.catalogue import SCENARIOS
    from ipsecbench.lab.scenarios.model import Outcome, run

    say = None if quiet or not sys.stderr.isatty() else lambda line: typer.echo(f"  {line}", err=True)
    settings: dict[str, Any] = {"seconds": seconds, "own_stream": own_stream, **({"say": say} if say else {})}
    if not scenario.parts:
        return run(scenario, **settings)
    parts = [run(_changed(SCENARIOS[name], wishes), **settings) for name in scenario.parts]
    return Outcome(scenario.name, scenario.title, parts=parts)


def _show(outcome: Outcome) -> None:
    from ipsecbench.cli.lab.screens import render_outcome

    typer.echo(render_outcome(outcome))


def _list(scenarios: list[Scenario], json_output: bool) -> None:
    from ipsecbench.cli.lab.screens import table

    if json_output:
        typer.echo(json.dumps([{"name": each.name, "title": each.title} for each in scenarios]))
    else:
        typer.echo(table([[each.name, each.title] for each in scenarios]))
