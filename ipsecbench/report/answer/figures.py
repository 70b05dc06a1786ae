"""Plots of the answer itself: what the box carries at each packet size, and the front of strength and traffic."""

from __future__ import annotations

from collections.abc import Callable

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.alternatives import FrontPoint
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.prediction.capacity import TrafficCapacity
from ipsecbench.report.answer.suite_rates import traffic_title
from ipsecbench.report.answer.tables import carries_table, front_table
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.svg import Shape
from ipsecbench.report.drawing.xy_plot import Point, Series, XyPlot, exact
from ipsecbench.report.formats import rate, rate_interval, rate_tick, shorten, significant

_FRONT_HEIGHT = 150.0
_NAME_LIMIT = 28
_LEAST_STEPS = 2
_SIZE_TICKS = (64.0, 512.0, 1024.0, 1500.0)


def carries(answer: Recommendation) -> Plan | Absent:
    """Rate by packet size with its band, for one core and for all."""
    title = "What the box carries, by packet size"
    capacity, table = answer.capacity, carries_table(answer)
    if capacity is None or table is None:
        return Absent(title, "nothing in the dataset supports a figure for the wanted traffic")
    one = _rates("one core = one SA", Shape.CIRCLE, capacity.traffics, lambda each: each.mbit_per_second)
    series = [one]
    if capacity.all_cores is not None and capacity.all_cores.cores > 1:
        name = f"all {capacity.all_cores.cores} cores"
        series.append(_rates(name, Shape.SQUARE, capacity.traffics, lambda each: each.all_cores_mbit_per_second))
    wanted = capacity.wanted
    carried = rate(wanted.mbit_per_second.median)
    return Plan(
        "capacity",
        title,
        f"One core carries {carried} of {traffic_title(wanted.traffic)}, {rate_interval(wanted.mbit_per_second)} with "
        f"90% confidence, with {capacity.suite} and its data plane. The bands are the same intervals at each size.",
        XyPlot(
            tuple(series),
            "octets of the inner packet",
            "bit/s, one direction",
            lambda value: f"{value:,.0f}",
            rate_tick,
            x_ticks=_SIZE_TICKS,
        ),
        table,
        "Sizes between the marks are joined by straight lines. Mixes of sizes are in the table.",
    )


def _rates(
    name: str, shape: Shape, traffics: tuple[TrafficCapacity, ...], value: Callable[[TrafficCapacity], Estimate | None]
) -> Series:
    found = [(float(each.traffic.size_bytes or 0), value(each)) for each in traffics if each.traffic.size_bytes]
    known = sorted((size, estimate) for size, estimate in found if estimate is not None)
    points = tuple(
        Point(exact(size), exact(estimate.median), f"{size:,.0f} octets, {name}: {rate(estimate.median)}")
        for size, estimate in known
    )
    return Series(
        name,
        shape,
        points,
        tuple((size, estimate.median) for size, estimate in known),
        tuple((size, estimate.lower, estimate.upper) for size, estimate in known),
    )


def front(answer: Recommendation) -> Plan | Absent:
    """Strength against traffic over everything that is allowed, with the set-ups beside each step."""
    title = "Strength against traffic and set-ups"
    points = answer.front
    if len(points) < _LEAST_STEPS:
        return Absent(title, "the policy leaves only one step")
    series = [Series("unbeaten", Shape.DIAMOND, tuple(_step(point) for point in points))]
    chosen = _recommended(answer)
    if chosen is not None:
        series.append(Series("recommended, by its own rule", Shape.STAR, (chosen,)))
    strengths = tuple(sorted({point.y.median for each in series for point in each.points}))
    return Plan(
        "front",
        title,
        f"Nothing that policy {answer.policy} allows is better than these in strength, traffic and set-ups at once; "
        "up is stronger, right is faster, and the star is what is recommended.",
        XyPlot(
            tuple(series),
            "bit/s with the tunnels that were asked for",
            "strength of the weakest part, bits",
            rate_tick,
            lambda value: f"{value:.0f}",
            y_ticks=(0.0, *strengths),
            height=_FRONT_HEIGHT,
        ),
        front_table(answer),
        "Beside each mark stand the suite and the set-ups per second of one core, cryptography alone.",
    )


def _recommended(answer: Recommendation) -> Point | None:
    """What is recommended, where it is none of the front: ties and goals are weighed otherwise."""
    if answer.capacity is None or any(point.chosen for point in answer.front):
        return None
    strength = min(answer.phase1.strength_bits, answer.phase2.strength_bits)
    carried = answer.capacity.tunnels_mbit_per_second
    words = f"{answer.phase2.suite}, {answer.phase1.key_exchange}: {rate(carried.median)}, {strength} bits"
    setups = f"{significant(answer.phase1.handshake.handshakes_per_second.median)}/s"
    tag = f"{shorten(answer.phase2.suite, _NAME_LIMIT)}, {setups}"
    return Point(carried, exact(float(strength)), words, tag, chosen=True)


def _step(point: FrontPoint) -> Point:
    setups = f"{significant(point.setups_per_second.median)}/s"
    return Point(
        point.mbit_per_second,
        exact(float(point.strength_bits)),
        shorten(point.text, 200),
        f"{shorten(point.suite, _NAME_LIMIT)}, {setups}",
        point.chosen,
    )
