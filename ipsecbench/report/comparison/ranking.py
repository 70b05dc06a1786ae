"""Which of these boxes carries the traffic: the ranking, its chart, price against throughput, cost of security."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipsecbench.bench.measurement import LADDER, Tier
from ipsecbench.comparison.boxes import BoxAnswer, Ground, Ranking
from ipsecbench.comparison.security_cost import SecurityCost, StepCost
from ipsecbench.recommend.formats import chance as chance_text
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.answer.suite_rates import traffic_title
from ipsecbench.report.box.figures import Figure, draw
from ipsecbench.report.box.validity import TIER_TITLES
from ipsecbench.report.comparison.rows import verdict_kind
from ipsecbench.report.drawing.dot_plot import DotPlot, Row
from ipsecbench.report.drawing.plan import Plan
from ipsecbench.report.drawing.svg import Shape
from ipsecbench.report.drawing.xy_plot import Point, Series, XyPlot, exact
from ipsecbench.report.formats import (
    listing,
    percent,
    rate,
    rate_interval,
    rate_tick,
    ratio,
    ratio_interval,
    shorten,
    significant,
    trim,
)
from ipsecbench.report.tables import MISSING, Cell, Column, Line, Table, estimate_cell

LIKELY = 0.9
"""From this chance on a box is said to reach the goal."""
_MOST_PLOTTED = 60
_MOST_COSTS = 60
_LONGEST_TAG = 22
LONGEST_LABEL = 30
"""Characters of a name beside a drawing."""
HINT = "name of a box"
"""Placeholder of the filters of tables of boxes."""
GROUND_WORDS = {
    Ground.MEASURED: "Every box's data plane was measured, in the same tier.",
    Ground.STATED: "The same stated default stands for the data plane of every box, as not all of them were measured.",
    Ground.OWN: "Each box has the best evidence there is of it, which is not the same for all.",
}
"""What the rates have in common."""


@dataclass(frozen=True, slots=True)
class Named:
    """A ranking with the boxes' names as the page has them."""

    ranking: Ranking
    """The ranking."""
    names: dict[int, str]
    """Short name by identity of the answer's box."""

    def name(self, answer: BoxAnswer) -> str:
        """The name of the box of an answer."""
        return self.names.get(id(answer.box), shorten(answer.box.name, 40))


def goal_of(ranking: Ranking | None) -> float | None:
    """10^6 bit/s that are wanted; None without a goal."""
    return None if ranking is None else ranking.requirements.goal_mbit_per_second


def question(ranking: Ranking) -> str:
    """What was asked: ``500 Mbit/s of IMIX 7:4:1 under the policy nist``."""
    wanted = ranking.requirements
    goal = f"{rate(wanted.goal_mbit_per_second)} of " if wanted.goal_mbit_per_second is not None else ""
    tunnels = f" in {wanted.tunnels} tunnels" if wanted.tunnels > 1 else ""
    return f"{goal}{_traffic(wanted.traffic)}{tunnels} under the policy {shorten(ranking.policy, 40)}"


def _traffic(traffic: Traffic) -> str:
    return traffic_title(traffic)


def ranking_sentences(named: Named) -> tuple[str, ...]:
    """The answer in a few sentences."""
    ranking = named.ranking
    answered = [one for one in ranking.answers if one.mbit_per_second is not None]
    if not answered:
        return ("No box has figures that an answer can rest on.",)
    sentences = []
    reach = [one for one in answered if (one.goal_probability or 0.0) >= LIKELY]
    if goal_of(ranking) is not None:
        everything = len(ranking.answers)
        who = {0: "None of", everything: "All"}.get(len(reach), f"{len(reach)} of")
        verb = "reach" if len(reach) > 1 else "reaches"
        chance = f"with a chance of at least {percent(LIKELY, 0)}"
        sentences.append(f"{who} {everything} boxes {verb} {question(ranking)} {chance}.")
    best = answered[0]
    if best.mbit_per_second is not None and best.tier is not None:
        sentences.append(
            f"Best: {named.name(best)} with {best.suite}, {rate(best.mbit_per_second.median)} "
            f"({rate_interval(best.mbit_per_second)}); evidence: {tier_words(best.tier)}."
        )
    priced = [one for one in reach if one.box.price is not None]
    if priced:
        cheapest = min(priced, key=lambda one: one.box.price or 0.0)
        sentences.append(
            f"Cheapest of those that reach it: {named.name(cheapest)}, {price_text(cheapest.box.price or 0.0)}."
        )
    return tuple(sentences)


def ranking_table(named: Named) -> Table:
    """Every box, best first."""
    goal = goal_of(named.ranking) is not None
    lines = tuple(
        Line(_ranking_cells(named, answer, place, goal), kind="reaches the goal" if _reaches(answer) else "")
        for place, answer in enumerate(named.ranking.answers, 1)
    )
    columns = (
        Column("Box"),
        Column("Rank", numeric=True),
        *([Column("Chance of the goal", numeric=True)] if goal else []),
        Column("Mbit/s", numeric=True),
        Column("Suite", code=True),
        Column("Cores", numeric=True),
        Column("Evidence"),
        *([Column("Price", numeric=True), Column("Price per Mbit/s", numeric=True)] if _has_prices(named) else []),
        Column("Doubts, or why there is no answer"),
    )
    caption = f"Boxes for {question(named.ranking)}, best first, with 90% intervals"
    return Table(caption, columns, lines, interactive=True, kinds=("reaches the goal",) if goal else (), hint=HINT)


def _has_prices(named: Named) -> bool:
    return any(answer.box.price is not None for answer in named.ranking.answers)


def _reaches(answer: BoxAnswer) -> bool:
    return (answer.goal_probability or 0.0) >= LIKELY


def _ranking_cells(named: Named, answer: BoxAnswer, place: int, goal: bool) -> tuple[Cell, ...]:
    chance = answer.goal_probability
    price, each = answer.box.price, answer.price_per_mbit
    doubts = "; ".join(verdict_kind(code).title for code in answer.doubts[:4])
    return (
        Cell(named.name(answer), note=shorten(answer.box.title, 60)),
        Cell(f"{place}", sort=float(place)),
        *([MISSING if chance is None else Cell(chance_text(chance), sort=round(chance, 6))] if goal else []),
        estimate_cell(answer.mbit_per_second),
        Cell(answer.suite or "–"),
        MISSING if answer.cores is None else Cell(f"{answer.cores}", sort=float(answer.cores)),
        Cell(
            "–" if answer.tier is None else tier_words(answer.tier),
            note=shorten("; ".join(filter(None, (answer.basis, answer.plane))), 160),
        ),
        *([_price_cell(price, price_text), _price_cell(each, significant)] if _has_prices(named) else []),
        Cell(shorten(answer.reason or doubts, 240)),
    )


def _price_cell(price: float | None, words: Callable[[float], str]) -> Cell:
    return MISSING if price is None else Cell(words(price), sort=price)


def tier_words(tier: Tier) -> str:
    """A tier with its place on the ladder of evidence: ``packet loop, 2 of 5``."""
    name = TIER_TITLES[tier].lower()
    return f"{name}, {LADDER.index(tier) + 1} of {len(LADDER)}" if tier in LADDER else name


def price_text(price: float) -> str:
    """A price in the user's currency."""
    return trim(significant(price, 6))


def _by_tier(ranking: Ranking) -> dict[Tier, list[BoxAnswer]]:
    found: dict[Tier, list[BoxAnswer]] = defaultdict(list)
    for answer in ranking.answers:
        if answer.tier is not None and answer.mbit_per_second is not None:
            found[answer.tier].append(answer)
    return found


def ranking_figures(named: Named) -> tuple[Figure, ...]:
    """The rates with their intervals and the goal; one chart for each tier."""
    goal = goal_of(named.ranking)
    drawn = []
    for tier, answers in _by_tier(named.ranking).items():
        shown = answers[:_MOST_PLOTTED]
        rows = tuple(
            Row(shorten(named.name(one), LONGEST_LABEL), (one.mbit_per_second,), _reaches(one) and goal is not None)
            for one in shown
        )
        lines = tuple(
            Line((Cell(named.name(one)), Cell(one.suite or "–"), estimate_cell(one.mbit_per_second))) for one in shown
        )
        plot = DotPlot(
            (("rate of the tunnels asked for", Shape.CIRCLE),),
            rows,
            "bit/s, logarithmic",
            rate_tick,
            rate,
            logarithmic=True,
            goal=goal,
            goal_label="" if goal is None else f"goal {rate(goal)}",
        )
        note = GROUND_WORDS[named.ranking.ground] if tier is not Tier.ON_WIRE else "Tunnels that were measured whole."
        star = " A star marks what reaches the goal." if goal is not None else ""
        drawn.append(
            draw(
                Plan(
                    f"rates-{tier}",
                    f"What each box carries: {TIER_TITLES[tier].lower()}",
                    f"{question(named.ranking)[:1].upper()}{question(named.ranking)[1:]}, with 90% intervals.{star}",
                    plot,
                    Table(f"Rates, Mbit/s, {TIER_TITLES[tier].lower()}, with 90% intervals", _RATE_COLUMNS, lines),
                    note,
                )
            )
        )
    return tuple(drawn)


_RATE_COLUMNS = (Column("Box"), Column("Suite", code=True), Column("Mbit/s", numeric=True))


def front_figures(named: Named) -> tuple[Figure, ...]:
    """Price against throughput; one chart for each tier of which two boxes have a price."""
    priced = {
        tier: [one for one in answers if one.box.price is not None] for tier, answers in _by_tier(named.ranking).items()
    }
    alone = [one for answers in priced.values() if len(answers) == 1 for one in answers]
    note = ""
    if alone:
        boxes = listing(f"{named.name(one)}: {price_text(one.box.price or 0.0)}, {rate(_median(one))}" for one in alone)
        note = f"Not drawn, since figures of another tier share no axis with these: {boxes}."
    return tuple(draw(_front_plan(named, tier, answers, note)) for tier, answers in priced.items() if len(answers) > 1)


def unbeaten(answers: Sequence[BoxAnswer]) -> list[BoxAnswer]:
    """Boxes of which no other is both cheaper or as cheap and faster, cheapest first."""
    ordered = sorted(answers, key=lambda one: (one.box.price or 0.0, -_median(one)))
    front: list[BoxAnswer] = []
    for one in ordered:
        if not front or _median(one) > _median(front[-1]):
            front.append(one)
    return front


def _median(answer: BoxAnswer) -> float:
    return answer.mbit_per_second.median if answer.mbit_per_second is not None else 0.0


def _front_plan(named: Named, tier: Tier, priced: Sequence[BoxAnswer], note: str) -> Plan:
    front = unbeaten(priced)
    is_front = {id(one) for one in front}
    goal = goal_of(named.ranking)

    def points(some: Sequence[BoxAnswer], tagged: bool) -> tuple[Point, ...]:
        return tuple(
            Point(
                one.mbit_per_second,
                exact(one.box.price or 0.0),
                f"{named.name(one)}: {price_text(one.box.price or 0.0)}, {rate(_median(one))}",
                shorten(named.name(one), _LONGEST_TAG) if tagged else None,
            )
            for one in some
            if one.mbit_per_second is not None
        )

    others = [one for one in priced if id(one) not in is_front]
    series = [Series("unbeaten: nothing cheaper is as fast", Shape.CIRCLE, points(front, True))]
    if others:
        series.append(Series("beaten", Shape.CROSS, points(others, len(priced) <= 12)))
    plot = XyPlot(
        tuple(series),
        "bit/s, logarithmic",
        "price",
        rate_tick,
        lambda value: trim(significant(value, 4)) if value else "0",
        x_logarithmic=True,
        goal=goal,
        goal_label="" if goal is None else f"goal {rate(goal)}",
    )
    columns = (
        Column("Box"),
        Column("Price", numeric=True),
        Column("Mbit/s", numeric=True),
        Column("Price per Mbit/s", numeric=True),
        Column("On the front"),
    )
    lines = tuple(
        Line(
            (
                Cell(named.name(one)),
                Cell(price_text(one.box.price or 0.0)),
                estimate_cell(one.mbit_per_second),
                MISSING if one.price_per_mbit is None else Cell(significant(one.price_per_mbit)),
                Cell("yes" if id(one) in is_front else "no"),
            )
        )
        for one in sorted(priced, key=lambda one: one.box.price or 0.0)
    )
    names = listing(named.name(one) for one in front[:6])
    lead = f"Right is faster, low is cheaper. Unbeaten in both: {names}{' and others' if len(front) > 6 else ''}."
    table = Table(f"Price and rate, {TIER_TITLES[tier].lower()}, with 90% intervals", columns, lines)
    return Plan(f"front-{tier}", f"Price against throughput: {TIER_TITLES[tier].lower()}", lead, plot, table, note)


def cost_tables(costs: Sequence[SecurityCost], names: dict[int, str]) -> tuple[Table, ...]:
    """What each step towards more security does on each box: one table for traffic, one for set-ups."""
    tables = []
    left = len(costs) - _MOST_COSTS
    costs = costs[:_MOST_COSTS]
    more = f"; {left} more boxes have no room here" if left > 0 else ""
    for part, caption in (
        ("traffic", "Rate of one core after the step over the rate before it; below 1 the step costs throughput"),
        ("exchanges", "Time of the key exchange at the responder after the step over the time before it"),
    ):
        lines = [
            Line((Cell(names.get(id(cost.box), shorten(cost.box.name, 40))), *map(_factor_cell, getattr(cost, part))))
            for cost in costs
            if any(step.factor is not None for step in getattr(cost, part))
        ]
        if lines:
            steps = [one.step.title for one in getattr(costs[0], part)]
            columns = (Column("Box"), *(Column(title, numeric=True) for title in steps))
            tables.append(
                Table(
                    f"{caption}, with 90% intervals{more}", columns, tuple(lines), interactive=len(lines) > 8, hint=HINT
                )
            )
    return tuple(tables)


def _factor_cell(cost: StepCost) -> Cell:
    factor = cost.factor
    if factor is None:
        return MISSING
    return Cell(ratio(factor.median), sort=round(factor.median, 5), note=ratio_interval(factor))
