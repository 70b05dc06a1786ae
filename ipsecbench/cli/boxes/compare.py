"""``ipsecbench compare``: datasets against one of them, row by row or side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.boxes.choice import Baseline, boxes_and_baseline
from ipsecbench.cli.boxes.options import By, CsvOutput, FailIf, Filters, Markdown, Price, filtered
from ipsecbench.cli.boxes.places import Places, read_places
from ipsecbench.cli.exit_codes import EXIT_ERROR, EXIT_NOT_MET
from ipsecbench.cli.report_file import refuse_other_files
from ipsecbench.cli.requirement_options import Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.bench.measurement import Workload
    from ipsecbench.cli.screen.blocks import Block
    from ipsecbench.comparison.boxes import Ranking
    from ipsecbench.comparison.gates import GateResult
    from ipsecbench.comparison.model import Box, Comparison
    from ipsecbench.comparison.security_cost import SecurityCost
    from ipsecbench.library.reading import Library

_LEAST_NOISE, _MOST_NOISE = 0.0, 50.0


@with_requirements
def compare_command(
    places: Places,
    baseline: Baseline = None,
    by: By = None,
    only: Filters.Only = None,
    tier: Filters.Tier = None,
    provider: Filters.Provider = None,
    size: Filters.Size = None,
    fail_if: FailIf = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every row, those without a difference too.")] = False,
    top: Annotated[int, typer.Option("--top", min=1, metavar="N", help="Rows that are shown without --all.")] = 20,
    noise: Annotated[
        float, typer.Option("--noise", metavar="PERCENT", help="Differences up to this are called noise.")
    ] = 2.0,
    rank: Annotated[
        bool, typer.Option("--rank", help="Say which box carries most; with --goal, by the chance to reach it.")
    ] = False,
    price: Price = None,
    own_planes: Annotated[
        bool, typer.Option("--own-planes", help="Rank each box with the best evidence of its data plane that it has.")
    ] = False,
    security_cost: Annotated[
        bool, typer.Option("--security-cost", help="Say what more security costs on each box.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one self-contained page, too; an older page is replaced."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no page with --html, too.")] = False,
    json_output: option.Json = False,
    csv_output: CsvOutput = False,
    markdown: Markdown = False,
    *,
    wanted: Wanted,
) -> None:
    """Hold datasets against one of them: ratios with intervals, and what is to be said of each.

    Exit code 3 where a --fail-if is not met, 1 where a file could not be read; the others were compared.
    """
    from ipsecbench.comparison.compare import compare
    from ipsecbench.comparison.gates import judge, parse_gate, refuse_vacuous
    from ipsecbench.dataset.store import check_writable
    from ipsecbench.errors import UsageError

    if sum((json_output, csv_output, markdown)) > 1:
        raise UsageError("--json, --csv and --markdown: one of them")
    if html is not None:
        refuse_other_files(html, force, "--html")
        check_writable(html)
    gates = [parse_gate(text) for text in fail_if or ()]
    chosen = filtered(only, tier, provider, size)
    library = read_places(places)
    boxes, base = boxes_and_baseline(library, baseline, price or ())
    share = _noise_share(noise)
    comparison = compare(boxes, base, **({} if chosen is None else {"wanted": chosen}), noise=share)
    _refuse_nothing(comparison, chosen)
    results = [judge(gate, comparison.baseline, one, chosen) for gate in gates for one in comparison.boxes]
    ranking, costs = _answers(
        boxes, wanted, rank or own_planes or bool(price), own_planes=own_planes, security_cost=security_cost
    )
    answer = _Answer(comparison, results, ranking, costs, library, by, share)
    if html is not None:
        _write_page(answer, html)
    if json_output:
        typer.echo(json.dumps(answer.document(), allow_nan=False))
    elif csv_output:
        _write_csv(comparison)
    else:
        _show(answer, show_all, top, markdown)
    refuse_vacuous(results)
    _warn_of_swapped(comparison, results)
    if any(result.failed for result in results):
        raise typer.Exit(EXIT_NOT_MET)
    if library.unreadable:
        raise typer.Exit(EXIT_ERROR)


def _warn_of_swapped(comparison: Comparison, results: Sequence[GateResult]) -> None:
    """A gate asks what a change cost: say so where the baseline is the later one."""
    from ipsecbench.cli.measure import say
    from ipsecbench.cli.screen.text_blocks import plain

    base, day = comparison.baseline.name, comparison.baseline.dataset.measured_on or ""
    for name in dict.fromkeys(one.box.name for one in results if (one.box.dataset.measured_on or day) < day):
        say(plain(f"warning: {base} ({day}) was measured after {name}; a gate wants OLD NEW, or --baseline OLD"))


@dataclass(frozen=True, slots=True)
class _Answer:
    """Everything that was found out."""

    comparison: Comparison
    gates: Sequence[GateResult]
    ranking: Ranking | None
    costs: Sequence[SecurityCost]
    library: Library
    grouping: str | None
    noise: float

    def document(self) -> dict[str, Any]:
        """For scripts."""
        from ipsecbench.comparison.document import (
            comparison_document,
            gate_document,
            ranking_document,
            security_document,
        )

        return {
            **comparison_document(self.comparison, (self.grouping or "scope",), self.noise),
            "gates": [gate_document(result) for result in self.gates],
            "ranking": None if self.ranking is None else ranking_document(self.ranking),
            "security_cost": security_document(self.costs),
            "unreadable": [{"file": str(one.path), "reason": one.reason} for one in self.library.unreadable],
        }

    def blocks(self, show_all: bool, top: int) -> list[Block]:
        """For people."""
        from ipsecbench.cli.boxes.compare_blocks import Wish, comparison_blocks
        from ipsecbench.cli.boxes.gate_blocks import gate_blocks
        from ipsecbench.cli.boxes.ranking_blocks import ranking_blocks, security_blocks

        wish = Wish(self.grouping, show_all, top, self.noise)
        found = [] if self.ranking is None else ranking_blocks(self.ranking, None if show_all else top)
        found += security_blocks(self.costs)
        return [*found, *comparison_blocks(self.comparison, wish), *gate_blocks(self.gates)]


def _show(answer: _Answer, show_all: bool, top: int, markdown: bool) -> None:
    from ipsecbench.cli.screen.block_text import markdown_text, screen_text
    from ipsecbench.cli.screen.text_table import has_colour, terminal_width

    blocks = answer.blocks(show_all, top)
    if markdown:
        title = f"Against {answer.comparison.baseline.name}"
        typer.echo(markdown_text(title, blocks), nl=False)
    else:
        typer.echo(screen_text(blocks, terminal_width(), has_colour()))


def _write_page(answer: _Answer, path: Path) -> None:
    from ipsecbench.cli.measure import say
    from ipsecbench.report.comparison.page import write_comparison

    size = write_comparison(path, answer.comparison, answer.ranking, answer.costs, noise=answer.noise)
    say(f"Saved {path} ({size / 1000:,.0f} kB)")


def _write_csv(comparison: Comparison) -> None:
    from ipsecbench.cli.boxes.compare_csv import comparison_csv

    typer.echo(comparison_csv(comparison), nl=False)


def _noise_share(percent: float) -> float:
    from ipsecbench.errors import UsageError

    if not _LEAST_NOISE <= percent <= _MOST_NOISE:
        raise UsageError(f"--noise {percent:g}: a percentage from {_LEAST_NOISE:g} to {_MOST_NOISE:g}")
    return percent / 100


def _refuse_nothing(comparison: Comparison, chosen: Callable[[Workload], bool] | None) -> None:
    """A filter that leaves nothing is a slip of the hand, and no answer.

    Raises:
        UsageError: the filters leave no row of the baseline.
    """
    from ipsecbench.errors import UsageError

    if chosen is None:
        return
    if not any(row.usable and chosen(row.workload) for row in comparison.baseline.dataset.measurements):
        raise UsageError("--only, --tier, --provider and --size leave no row of the baseline")


def _answers(
    boxes: Sequence[Box], wanted: Wanted, rank: bool, *, own_planes: bool, security_cost: bool
) -> tuple[Ranking | None, Sequence[SecurityCost]]:
    goal = wanted.requirements.goal_mbit_per_second is not None
    ranking: Ranking | None = None
    costs: Sequence[SecurityCost] = ()
    if rank or goal:
        from ipsecbench.comparison.boxes import rank_boxes
        from ipsecbench.recommend.policies.policy import load_policy

        ranking = rank_boxes(boxes, load_policy(wanted.policy), wanted.requirements, own_planes=own_planes)
    if security_cost:
        from ipsecbench.comparison.security_cost import security_costs

        costs = security_costs(boxes, wanted.requirements.traffic)
    return ranking, costs
