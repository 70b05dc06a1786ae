"""Which box carries the traffic, and what more security costs on each, as blocks of a screen or of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecbench.bench.measurement import Estimate
from ipsecbench.cli.boxes.compare_blocks import doubt_title, is_note
from ipsecbench.cli.screen.blocks import Block, Prose, TableBlock
from ipsecbench.cli.screen.text_table import GREEN, GREY, RED, TextCell, TextColumn
from ipsecbench.comparison.boxes import BoxAnswer, Ground, Ranking
from ipsecbench.comparison.security_cost import SecurityCost, StepCost
from ipsecbench.recommend.formats import chance as chance_text
from ipsecbench.report import formats
from ipsecbench.report.formats import listing, rate, rate_interval, shorten, significant

_SURE, _UNLIKELY = 0.95, 0.5
_MOST_REASONS = 4
_MOST_NAMED = 3
_MOST_BESIDE = 3
"""Boxes that stand beside each other."""
_MOST_BELOW = 20
"""Boxes that stand below each other."""
_SPREAD_COLUMNS = tuple(
    (word, kind) for name in ("lowest", "middle", "highest") for word, kind in ((name, "number"), ("box", "text"))
)
_TITLES = (
    "Rate after a step of phase 2 over the rate before it",
    "Time of a key exchange after a step of phase 1 over the time before it",
)
_GROUNDS = {
    Ground.MEASURED: "with the data plane that was measured on each, all in the same tier",
    Ground.STATED: "with the stated default for every data plane, since not all were measured",
    Ground.OWN: "each with the best evidence that it has, which is not the same for all",
}


def ranking_blocks(ranking: Ranking, most: int | None = None) -> list[Block]:
    """The boxes, best first.

    Args:
        ranking: the answer.
        most: how many of them are shown; None for all.
    """
    goal = ranking.requirements.goal_mbit_per_second
    question = "Which carries most" if goal is None else f"Which carries {rate(goal)}"
    head = Prose(
        f"{question} of {ranking.requirements.traffic} under policy {ranking.policy}, {_GROUNDS[ranking.ground]}.",
        "RANKING",
    )
    columns = (
        TextColumn("", True),
        TextColumn("box", is_name=True),
        TextColumn("chance", True),
        TextColumn("rate", True),
        TextColumn("90%", True, 6),
        TextColumn("suite", weight=7),
        TextColumn("cores", True, 3),
        TextColumn("per Mbit/s", True, 8),
        TextColumn("evidence", weight=2),
    )
    answered = [answer for answer in ranking.answers if answer.reason is None]
    rows = tuple(_row(number, answer) for number, answer in enumerate(answered, start=1))
    found: list[Block] = [head]
    if rows:
        title = "Boxes, best first"
        if most is not None and len(rows) > most:
            title += f" ({most:,} of {len(rows):,}; --all shows all)"
        found.append(TableBlock(title, columns, rows[:most]))
    found += _unanswered(ranking)
    codes: dict[str, list[str]] = {}
    for answer in answered:
        for code in filter(lambda each: not is_note(each), answer.doubts):
            codes.setdefault(code, []).append(answer.box.name)
    if codes:
        parts = [f"{code}: {doubt_title(code)} ({_some(names)})" for code, names in codes.items()]
        found.append(Prose("; ".join(parts), "DOUBTS", GREY))
    return found


def _some(names: Sequence[str]) -> str:
    return listing(names) if len(names) <= _MOST_NAMED else f"{len(names):,} boxes"


def _unanswered(ranking: Ranking) -> list[Block]:
    """Why nothing is said of some boxes, by reason."""
    reasons: dict[str, list[str]] = {}
    for answer in ranking.answers:
        if answer.reason is not None:
            reasons.setdefault(answer.reason, []).append(answer.box.name)
    ordered = sorted(reasons.items(), key=lambda one: -len(one[1]))
    found: list[Block] = []
    for reason, names in ordered[:_MOST_REASONS]:
        several = [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED:,} others"] if len(names) > _MOST_NAMED else names
        found.append(Prose(f"{listing(several)}: {reason}", "NO ANSWER"))
    left = sum(len(names) for _, names in ordered[_MOST_REASONS:])
    if left:
        found.append(Prose(f"{left:,} boxes for other reasons (--json has all)", "NO ANSWER"))
    return found


def _row(number: int, answer: BoxAnswer) -> tuple[TextCell, ...]:
    chance, found = answer.goal_probability, answer.mbit_per_second
    colour = "" if chance is None else GREEN if chance >= _SURE else RED if chance < _UNLIKELY else ""
    price = answer.price_per_mbit
    return (
        TextCell(str(number)),
        TextCell(answer.box.name),
        TextCell("" if chance is None else chance_text(chance), colour),
        TextCell("–" if found is None else rate(found.median)),
        TextCell("" if found is None else rate_interval(found)),
        TextCell(answer.suite or ""),
        TextCell("" if answer.cores is None else str(answer.cores)),
        TextCell("" if price is None else significant(price)),
        TextCell(shorten(": ".join(filter(None, (answer.tier and answer.tier.value, answer.basis))), 80), GREY),
    )


def security_blocks(costs: Sequence[SecurityCost]) -> list[Block]:
    """What each step towards more security costs on each box."""
    if not costs:
        return []
    kinds = zip(_TITLES, ([cost.traffic for cost in costs], [cost.exchanges for cost in costs]), strict=True)
    if len(costs) > _MOST_BELOW:
        return _spread(costs)
    if len(costs) > _MOST_BESIDE:
        return _long(costs)
    names = [cost.box.name for cost in costs]
    return [_steps(title, names, steps) for title, steps in kinds if any(one.factor for some in steps for one in some)]


def _spread(costs: Sequence[SecurityCost]) -> list[Block]:
    """The boxes that pay least and most for each step, and the one in the middle."""
    columns = (
        TextColumn("step"),
        TextColumn("boxes", True, 1),
        *(TextColumn(title, kind == "number", 0 if kind == "number" else 2) for title, kind in _SPREAD_COLUMNS),
    )
    found: list[Block] = []
    for title, part in zip(_TITLES, ("traffic", "exchanges"), strict=True):
        rows = []
        for place, first in enumerate(getattr(costs[0], part)):
            factors = [
                (step.factor.median, cost.box.name)
                for cost in costs
                if (step := getattr(cost, part)[place]).factor is not None
            ]
            if factors:
                factors.sort()
                three = (factors[0], factors[len(factors) // 2], factors[-1])
                cells = [cell for factor, name in three for cell in (TextCell(formats.ratio(factor)), TextCell(name))]
                rows.append((TextCell(first.step.title), TextCell(f"{len(factors):,}"), *cells))
        found += [TableBlock(title, columns, tuple(rows))] if rows else []
    return found


def _long(costs: Sequence[SecurityCost]) -> list[Block]:
    """A line for each step and box, where there are too many boxes to stand beside each other."""
    columns = (
        TextColumn("step"),
        TextColumn("box", is_name=True),
        TextColumn("factor", True),
        TextColumn("90%", True, 1),
    )
    found: list[Block] = []
    for title, part in zip(_TITLES, ("traffic", "exchanges"), strict=True):
        by_step = zip(*(getattr(cost, part) for cost in costs), strict=True)
        rows = [
            (TextCell(one.step.title), TextCell(cost.box.name), *_factor_cells(one.factor))
            for steps in by_step
            for cost, one in zip(costs, steps, strict=True)
            if one.factor is not None
        ]
        found += [TableBlock(title, columns, tuple(rows))] if rows else []
    return found


def _factor_cells(factor: Estimate) -> tuple[TextCell, TextCell]:
    return TextCell(formats.ratio(factor.median)), TextCell(formats.ratio_interval(factor))


def _steps(title: str, names: Sequence[str], boxes: Sequence[Sequence[StepCost]]) -> TableBlock:
    columns = (TextColumn("step"), *(TextColumn(shorten(name, 20), True) for name in names))
    rows = tuple(
        (TextCell(steps[0].step.title), *(_factor(each) for each in steps)) for steps in zip(*boxes, strict=True)
    )
    return TableBlock(title, columns, rows)


def _factor(cost: StepCost) -> TextCell:
    factor = cost.factor
    if factor is None:
        return TextCell("–", GREY)
    return TextCell(f"{formats.ratio(factor.median)} [{formats.ratio_interval(factor)}]")
