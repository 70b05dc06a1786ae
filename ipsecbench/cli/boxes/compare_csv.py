"""A comparison as CSV: one line for each ratio of each box."""

from __future__ import annotations

import csv
import io

from ipsecbench.cli.screen.text_blocks import plain
from ipsecbench.comparison.model import Box, BoxComparison, Comparison, Ratio
from ipsecbench.comparison.scopes import scope_of

COLUMNS = (
    *("baseline", "box", "scope", "tier", "provider", "operation", "algorithm", "size_bytes", "mix", "cores"),
    *("baseline_ns", "box_ns", "ratio", "ratio_lower", "ratio_upper", "outcome", "doubts"),
)
"""Its columns."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def comparison_csv(comparison: Comparison) -> str:
    """RFC 4180 with a heading; figures unrounded, so that nothing is lost on the way to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in comparison.boxes:
        for ratio in one.ratios:
            writer.writerow(_line(comparison.baseline, one, ratio))
    return text.getvalue()


def _line(baseline: Box, one: BoxComparison, ratio: Ratio) -> list[object]:
    work, speed = ratio.workload, ratio.speed
    return [
        *map(harmless, (baseline.name, one.box.name, scope_of(work).value, work.tier.value, work.provider)),
        *map(harmless, (work.operation, work.algorithm)),
        work.size_bytes,
        work.mix,
        work.cores,
        ratio.base_ns.median,
        ratio.other_ns.median,
        *(speed.median, speed.lower, speed.upper),
        ratio.outcome.value,
        harmless(" ".join(ratio.doubts)),
    ]


def harmless(text: str) -> str:
    """Text of others as a cell that no spreadsheet takes for a formula."""
    text = plain(text)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
