"""What became of gates, as blocks of a screen or of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipsecbench.cli.boxes.compare_blocks import count_of
from ipsecbench.cli.screen.blocks import Block, Prose
from ipsecbench.cli.screen.text_table import GREEN, RED
from ipsecbench.comparison.gates import GateResult
from ipsecbench.report import formats
from ipsecbench.report.formats import shorten

_MOST_ROWS = 4


def gate_blocks(results: Sequence[GateResult]) -> list[Block]:
    """What became of the gates."""
    return [block for result in results for block in _gate(result, _named_box(results))]


def _named_box(results: Sequence[GateResult]) -> Callable[[GateResult], str]:
    several = len({result.box.name for result in results}) > 1
    return lambda result: f" on {result.box.name}" if several else ""


def _gate(result: GateResult, where: Callable[[GateResult], str]) -> list[Block]:
    gate = result.gate
    name = f"{gate.text}{where(result)}"
    missing = (
        f"; {count_of(result.missing, 'row')} of the baseline could not be held against it" if result.missing else ""
    )
    if result.is_vacuous:
        why = "the baseline and the box are the same measurement" if result.held else "nothing was held against it"
        return [Prose(f"{name}: {why}", "GATE", RED)]
    if not result.failed:
        return [Prose(f"{name}: passed by {count_of(len(result.held), 'row')}{missing}", "GATE", GREEN)]
    found: list[Block] = [
        Prose(f"{name}: FAILED by {len(result.failing) + len(result.lost):,} of "
              f"{count_of(len(result.held) + len(result.lost), 'row')}{missing}", "GATE", RED)
    ]  # fmt: skip
    for ratio in result.failing[:_MOST_ROWS]:
        speed = f"{formats.ratio(ratio.speed.median)} [{formats.ratio_interval(ratio.speed)}]"
        found.append(Prose(f"{ratio.workload}: {speed} where {formats.ratio(gate.least)} is the least"))
    for row in result.lost[:_MOST_ROWS]:
        found.append(Prose(f"{row.workload}: {row.status.value}: {shorten(row.message or 'nobody says why', 120)}"))
    hidden = max(0, len(result.failing) - _MOST_ROWS) + max(0, len(result.lost) - _MOST_ROWS)
    if hidden:
        found.append(Prose(f"and {count_of(hidden, 'row')} more (--json has all)"))
    return found
