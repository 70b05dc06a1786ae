"""What a comparison says, as blocks of prose and tables that a screen and Markdown are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ipsecbench.cli.screen.blocks import Block, Prose, TableBlock
from ipsecbench.cli.screen.text_table import GREEN, GREY, RED, TextCell, TextColumn, distinct
from ipsecbench.comparison.compare import SAME_SAMPLES, expected_by_chance
from ipsecbench.comparison.joining import LIMITED, OTHER_LIBRARY
from ipsecbench.comparison.model import Box, BoxComparison, Comparison, Difference, Outcome, Ratio
from ipsecbench.comparison.scopes import scope_of
from ipsecbench.comparison.summaries import GroupSummary, by_group, summarised
from ipsecbench.dataset.source import VERDICT_KINDS, Worth
from ipsecbench.report import formats
from ipsecbench.report.formats import duration, listing, rate, shorten, significant, size_title

SHOWN_ROWS = 20
"""Rows of two boxes that are shown unless more are asked for."""
_MOST_REASONS = 4
_MOST_DIFFERENCES = 8
_LONGEST_FACT, _LONGEST_SHOWN = 40, 400
_LONGEST_COLUMN_NAME = 16
_MARKS = {Outcome.FASTER: "+", Outcome.SLOWER: "-", Outcome.WITHIN_NOISE: "~", Outcome.NO_DIFFERENCE: "="}
_COLOURS = {Outcome.FASTER: GREEN, Outcome.SLOWER: RED, Outcome.WITHIN_NOISE: GREY, Outcome.NO_DIFFERENCE: GREY}
_OWN_DOUBTS = {
    SAME_SAMPLES: "both sides are one measurement",
    LIMITED: "a side was limited by what sent the packets: it can do more",
    OTHER_LIBRARY: "the ciphers of different libraries",
    "few-samples": "fewer than five samples",
    "involuntary-switches": "the processor was taken away while it was measured",
    "cpu-clock-disagrees": "processor time and elapsed time disagree",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How a comparison is to be shown."""

    grouping: str | None = None
    """Key of the groupings; None for the usual one."""
    shows_all: bool = False
    """Whether every row is shown, those without a difference too."""
    top: int = SHOWN_ROWS
    """Most rows that are shown otherwise."""
    noise: float = 0.02
    """As in the comparison."""


def comparison_blocks(comparison: Comparison, wish: Wish) -> list[Block]:
    """Two boxes row by row, or many side by side."""
    head: list[Block] = [Prose(_described(comparison.baseline), "BASELINE")]
    if len(comparison.boxes) == 1:
        return [*head, *_pair(comparison.boxes[0], wish), *_trials(comparison)]
    return [*head, *_many(comparison, wish)]


def _trials(comparison: Comparison) -> list[Block]:
    """The laboratory's other results are in both datasets and not in the ratios: nobody shall think that they were."""
    counts = [len(box.dataset.trials) for box in (comparison.baseline, comparison.boxes[0].box)]
    if not all(counts):
        return []
    text = f"Trials of the laboratory ({counts[0]:,} and {counts[1]:,}) are no time per packet and are not compared."
    return [Prose(text, "", GREY)]


def _described(box: Box) -> str:
    parts = [box.name, box.title, box.dataset.measured_on or "", f"without {_mask(box)}" if box.dataset.masked else ""]
    return " · ".join(shorten(part, 100) for part in dict.fromkeys(parts) if part)


def _mask(box: Box) -> str:
    return listing(box.dataset.masked)


def _pair(one: BoxComparison, wish: Wish) -> list[Block]:
    found: list[Block] = [Prose(_described(one.box), "BOX")]
    if one.differences:
        found.append(Prose("; ".join(map(_difference, one.differences)), "DIFFERS", GREY))
    found += [*_counted(one, wish), *_left_out(one), *_doubts(one.ratios)]
    if one.ratios:
        found.append(_groups(one.ratios, wish))
    if wish.grouping is None or wish.shows_all:
        found += _rows(one.ratios, wish)
    return found


def _difference(each: Difference) -> str:
    base, other = shorten(each.base, _LONGEST_SHOWN), shorten(each.other, _LONGEST_SHOWN)
    short = distinct((base, other), _LONGEST_FACT)
    return f"{each.name}: {short[base]} → {short[other]}"


def _counted(one: BoxComparison, wish: Wish) -> list[Block]:
    if not one.ratios:
        return [Prose("No row of the box can be held against one of the baseline.", "RESULT")]
    counts = Counter(ratio.outcome for ratio in one.ratios)
    text = (
        f"{count_of(len(one.ratios), 'row')}: {counts[Outcome.FASTER]:,} faster, {counts[Outcome.SLOWER]:,} slower, "
        f"{counts[Outcome.WITHIN_NOISE]:,} within noise (±{wish.noise:.3g}), "
        f"{counts[Outcome.NO_DIFFERENCE]:,} without a difference that could be found."
    ).replace(f"±{wish.noise:.3g}", f"±{wish.noise * 100:.3g}%")
    chance = expected_by_chance(one.ratios, wish.noise)
    few = f"{significant(chance.faster_or_slower, 2)}" if chance.faster_or_slower >= 0.05 else "fewer than 0.05"
    by_chance = f"If nothing differed, chance alone would call {few} of them faster or slower."
    return [Prose(f"{text} {by_chance}", "RESULT")]


def count_of(count: int, noun: str) -> str:
    """A number of things: ``1 row``, ``1,522 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _left_out(one: BoxComparison) -> list[Block]:
    found: list[Block] = []
    parts = []
    if one.only_base:
        parts.append(f"{count_of(one.only_base, 'row')} that only the baseline has")
    if one.only_other:
        parts.append(f"{count_of(one.only_other, 'row')} that only the box has")
    if parts:
        found.append(Prose(f"Not compared: {listing(parts)}.", "", GREY))
    reasons = Counter(each.reason for each in one.refused)
    for reason, count in reasons.most_common(_MOST_REASONS):
        found.append(Prose(f"{count_of(count, 'row')}: {reason}", "REFUSED"))
    if len(reasons) > _MOST_REASONS:
        left = len(one.refused) - sum(count for _, count in reasons.most_common(_MOST_REASONS))
        found.append(Prose(f"{count_of(left, 'row')} for other reasons (--json has all)", "REFUSED"))
    return found


def _doubts(ratios: Iterable[Ratio]) -> list[Block]:
    found = Counter(code for ratio in ratios for code in ratio.doubts)
    parts = [f"{code}: {doubt_title(code)} ({count_of(count, 'row')})" for code, count in found.most_common()]
    return [Prose("; ".join(parts), "DOUBTS")] if parts else []


def is_note(code: str) -> bool:
    """Whether a code says something that casts no doubt."""
    return code in VERDICT_KINDS and VERDICT_KINDS[code].worth is Worth.NOTE


def doubt_title(code: str) -> str:
    """What a code says, in a few words."""
    kind = VERDICT_KINDS.get(code)
    return _OWN_DOUBTS.get(code, "see docs/dataset.md") if kind is None else kind.title


def _groups(ratios: Sequence[Ratio], wish: Wish) -> TableBlock:
    grouping = wish.grouping or "scope"
    groups = [*by_group(ratios, grouping, wish.noise), summarised("all", ratios, wish.noise)]
    columns = (
        TextColumn(grouping),
        TextColumn("rows", True, 2),
        TextColumn("ratio", True),
        TextColumn("95%", True, 4),
        TextColumn("from–to", True, 3),
        TextColumn("faster", True, 1),
        TextColumn("slower", True, 1),
        TextColumn("outcome", weight=5),
    )
    return TableBlock(f"Rate of the box over the baseline's, geometric mean by {grouping}", columns,
                 tuple(_group_row(group) for group in groups))  # fmt: skip


def _group_row(group: GroupSummary) -> tuple[TextCell, ...]:
    colour = _COLOURS[group.outcome]
    return (
        TextCell(group.name),
        TextCell(f"{group.rows:,}"),
        TextCell(formats.ratio(group.speed.median), colour),
        TextCell(formats.ratio_interval(group.speed)),
        TextCell(f"{formats.ratio(group.lowest)}–{formats.ratio(group.highest)}"),
        TextCell(f"{group.outcomes.get(Outcome.FASTER, 0):,}"),
        TextCell(f"{group.outcomes.get(Outcome.SLOWER, 0):,}"),
        TextCell(group.outcome.value, colour),
    )


_ROW_COLUMNS = (
    TextColumn("scope", weight=4),
    TextColumn("algorithm"),
    TextColumn("operation"),
    TextColumn("size", True, 9),
    TextColumn("tier", weight=4),
    TextColumn("provider", weight=7),
    TextColumn("cores", True, 7),
    TextColumn("baseline", True, 6),
    TextColumn("box", True, 6),
    TextColumn("ratio", True),
    TextColumn("95%", True, 8),
    TextColumn("outcome", weight=3),
    TextColumn("doubts", weight=1),
)
_SAME = ("tier", "provider", "cores")
"""Columns that say nothing where every row has the same there."""


def _rows(ratios: Sequence[Ratio], wish: Wish) -> list[Block]:
    changed = [ratio for ratio in ratios if ratio.outcome in (Outcome.FASTER, Outcome.SLOWER)]
    if wish.shows_all:
        chosen, title = list(ratios), "Every row, in the order of the baseline"
    elif not changed:
        return []
    else:
        # By how much surely: the end of the interval that is nearer to 1.
        chosen = sorted(changed, key=lambda ratio: -max(ratio.speed.lower, 1 / ratio.speed.upper))[: wish.top]
        title = f"Rows that differ, the furthest first ({len(chosen):,} of {len(changed):,}; --all shows every row)"
    same = [name for name in _SAME if len({getattr(ratio.workload, name) for ratio in chosen}) == 1]
    if same:
        work = chosen[0].workload
        title += f"; all of {', '.join(f'{name} {getattr(work, name)}' for name in same)}"
    return [TableBlock(title, _ROW_COLUMNS, tuple(_row(ratio, same) for ratio in chosen))]


def _row(ratio: Ratio, same: Sequence[str]) -> tuple[TextCell, ...]:
    work, colour = ratio.workload, _COLOURS[ratio.outcome]
    size = "" if work.size_bytes is None and work.mix is None else size_title(work.size_bytes, work.mix)
    return (
        TextCell(scope_of(work).value),
        TextCell(work.algorithm),
        TextCell(work.operation),
        TextCell(size),
        *(TextCell("" if name in same else str(getattr(work, name))) for name in _SAME),
        TextCell(figure_text(ratio.base_ns.median, work.mean_bytes)),
        TextCell(figure_text(ratio.other_ns.median, work.mean_bytes)),
        TextCell(formats.ratio(ratio.speed.median), colour),
        TextCell(formats.ratio_interval(ratio.speed)),
        TextCell(ratio.outcome.value, colour),
        TextCell(", ".join(ratio.doubts), GREY),
    )


def figure_text(nanoseconds: float, mean_bytes: float | None) -> str:
    """A rate where the operation has a size, else a time."""
    return duration(nanoseconds) if mean_bytes is None else rate(mean_bytes * 8e3 / nanoseconds)


def _many(comparison: Comparison, wish: Wish) -> list[Block]:
    grouping = wish.grouping or _usual_grouping(comparison)
    groups = [_summaries(one, grouping, wish) for one in comparison.boxes]
    names = list(dict.fromkeys(name for some in groups for name in some))
    alone = [one for one in comparison.boxes if not one.ratios]
    found: list[Block] = [
        Prose(
            f"{count_of(len(comparison.boxes), 'box')} against it".replace("boxs", "boxes")
            + f"; rate over the baseline's, geometric mean by {grouping}. "
            "+ faster, - slower, ~ within noise, = no difference found.",
            "RESULT",
        )
    ]
    if names:
        found.append(_matrix(comparison, grouping, names, groups, wish))
    if alone:
        some = listing([one.box.name for one in alone[:_MOST_REASONS]] + (["others"] if len(alone) > 4 else []))
        found.append(
            Prose(f"{count_of(len(alone), 'box')} without a row in common with it: {some}.".replace("boxs", "boxes"))
        )
    found += _refusals(comparison)
    found += _shared_differences(comparison)
    return found


def _usual_grouping(comparison: Comparison) -> str:
    ratios = [ratio for one in comparison.boxes for ratio in one.ratios]
    return "suite" if by_group(ratios, "suite") else "algorithm"


def _summaries(one: BoxComparison, grouping: str, wish: Wish) -> Mapping[str, GroupSummary]:
    found = {group.name: group for group in by_group(one.ratios, grouping, wish.noise)}
    if one.ratios:
        found["all"] = summarised("all", one.ratios, wish.noise)
    return found


def _matrix(
    comparison: Comparison,
    grouping: str,
    names: Sequence[str],
    groups: Sequence[Mapping[str, GroupSummary]],
    wish: Wish,
) -> TableBlock:
    """Groups by boxes, or boxes by groups where there are more boxes than groups."""
    names = [*(name for name in names if name != "all"), "all"]
    lines = [(one.box.name, some) for one, some in zip(comparison.boxes, groups, strict=True) if some]
    title = f"Ratios to {comparison.baseline.name}"
    if len(lines) <= len(names):
        short = distinct([box for box, _ in lines], _LONGEST_COLUMN_NAME)
        columns = (
            TextColumn(grouping, is_whole=True),
            *(TextColumn(short[box], True, len(lines) - place, is_counted=True)
              for place, (box, _) in enumerate(lines)),
        )  # fmt: skip
        rows = tuple((TextCell(name), *(_matrix_cell(some.get(name)) for _, some in lines)) for name in names)
        return TableBlock(title, columns, rows)
    order = ["all", *(name for name in names if name != "all")]
    columns = (
        TextColumn("box", is_name=True),
        *(TextColumn(name, True, len(order) - place, is_counted=True) for place, name in enumerate(order)),
    )
    if not wish.shows_all and len(lines) > wish.top:
        lines.sort(key=lambda line: -line[1]["all"].speed.median)
        title += f", the fastest {wish.top:,} of {len(lines):,} boxes (--all shows every box)"
        lines = lines[: wish.top]
    rows = tuple((TextCell(box), *(_matrix_cell(some.get(name)) for name in order)) for box, some in lines)
    return TableBlock(title, columns, rows)


def _matrix_cell(group: GroupSummary | None) -> TextCell:
    if group is None:
        return TextCell("–", GREY)
    return TextCell(f"{formats.ratio(group.speed.median)}{_MARKS[group.outcome]}", _COLOURS[group.outcome])


def _refusals(comparison: Comparison) -> list[Block]:
    reasons = Counter(each.reason for one in comparison.boxes for each in one.refused)
    shown = reasons.most_common(_MOST_REASONS)
    found: list[Block] = [Prose(f"{count_of(count, 'row')}: {reason}", "REFUSED") for reason, count in shown]
    if len(reasons) > len(shown):
        left = reasons.total() - sum(count for _, count in shown)
        found.append(Prose(f"{count_of(left, 'row')} for other reasons (--json has all)", "REFUSED"))
    return found


def _shared_differences(comparison: Comparison) -> list[Block]:
    """What is not the same, by box; where there are too many, only of how many boxes."""
    if len(comparison.boxes) <= _MOST_DIFFERENCES:
        return [
            Prose(f"{one.box.name}: {'; '.join(map(_difference, one.differences))}", "DIFFERS", GREY)
            for one in comparison.boxes
            if one.differences
        ]
    names = Counter(each.name for one in comparison.boxes for each in one.differences)
    parts = [f"{name} ({count:,} {'box' if count == 1 else 'boxes'})" for name, count in names.most_common()]
    return [Prose(", ".join(parts), "DIFFERS", GREY)] if parts else []
