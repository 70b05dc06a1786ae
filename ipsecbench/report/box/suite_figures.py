"""Charts of ESP suites: throughput, strength against throughput, the two directions, cost lines."""

from __future__ import annotations

from ipsecbench.bench.measurement import Estimate, Fit
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.report.answer.suite_rates import SuiteRates, measured_rate, shown_suites, traffic_title, traffics
from ipsecbench.report.drawing.dot_plot import DotPlot, Row
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.svg import SHAPES, Shape
from ipsecbench.report.drawing.xy_plot import Point, Series, XyPlot, exact
from ipsecbench.report.formats import duration, duration_tick, rate, rate_interval, rate_tick, shorten, signed_percent
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell, median_cell

_MOST_LINES = 6
_LARGEST_LINE_BYTES = 1600
_NAME_LIMIT = 28


def _short(name: str) -> str:
    return shorten(name, _NAME_LIMIT)


def _goal(recommendation: Recommendation) -> tuple[float | None, str]:
    """The goal for one core: what each of the cores that share the traffic has to carry."""
    goal = recommendation.goal
    if goal is None:
        return None, ""
    share = goal.mbit_per_second / goal.cores
    text = f"goal {rate(share)}" if goal.cores == 1 else f"goal {rate(share)} on each of {goal.cores} cores"
    return share, text


def throughput(recommendation: Recommendation, suites: tuple[SuiteRates, ...]) -> Plan | Absent:
    """Throughput of each suite at each packet size."""
    title = "Throughput of each suite by packet size"
    candidates, rejected = shown_suites(suites)
    titles = [traffic_title(traffic) for traffic in traffics(recommendation)]
    goal, goal_label = _goal(recommendation)
    wanted = traffic_title(recommendation.requirements.traffic)
    groups = ((candidates, "Allowed by the policy"), (rejected, "Rejected, for comparison"))
    rows = tuple(
        Row(_short(suite.name), suite.rates, suite.chosen, heading) for group, heading in groups for suite in group
    )
    lines = tuple(
        Line((Cell(suite.name), Cell(verdict), *(estimate_cell(rate_) for rate_ in suite.rates)), suite.chosen)
        for group, verdict in ((candidates, "allowed"), (rejected, "rejected"))
        for suite in group
    )
    best = candidates[0]
    lead = "The ESP transform alone, without a data plane: one core, the slower direction. "
    lead += f"Fastest with {wanted} is {best.name}"
    lead += f", {rate(best.headline.median)}." if best.headline else "."
    if goal is not None:
        lead += f" The dashed line is the goal, {goal_label.removeprefix('goal ')}, for {wanted}; the data plane takes "
        lead += "its share besides."
    return Plan(
        "throughput",
        title,
        lead,
        DotPlot(
            tuple((name, SHAPES[index % len(SHAPES)]) for index, name in enumerate(titles)),
            rows,
            "bit/s, logarithmic",
            rate_tick,
            rate,
            logarithmic=True,
            joined=True,
            goal=goal,
            goal_label=goal_label,
        ),
        Table(
            "ESP transform per core in one direction, Mbit/s: median and interval (predicted 90%, rows 95%)",
            (Column("Suite", code=True), Column("Policy"), *(Column(name, numeric=True) for name in titles)),
            lines,
        ),
        "Whiskers are intervals; one narrower than its mark is not drawn. Suites that differ only in the length of "
        "their ICV are drawn once. All suites are in the table of suites below.",
    )


def strength(recommendation: Recommendation, suites: tuple[SuiteRates, ...]) -> Plan | Absent:
    """Security strength against throughput, with the front that no candidate beats in both."""
    title = "Security strength against throughput"
    rated = [suite for suite in suites if suite.headline is not None]
    front = _front([suite for suite in rated if suite.exclusion is None])
    kinds = (
        ("allowed, combined mode", Shape.CIRCLE, lambda suite: suite.exclusion is None and suite.combined),
        ("allowed, cipher with HMAC", Shape.SQUARE, lambda suite: suite.exclusion is None and not suite.combined),
        ("rejected", Shape.CROSS, lambda suite: suite.exclusion is not None),
    )
    series = tuple(
        Series(name, shape, points)
        for name, shape, belongs in kinds
        if (points := tuple(_strength_point(suite, suite in front) for suite in rated if belongs(suite)))
    )
    goal, goal_label = _goal(recommendation)
    wanted = traffic_title(recommendation.requirements.traffic)
    lines = tuple(
        Line(
            (
                Cell(suite.name),
                Cell(f"{suite.strength_bits}", sort=float(suite.strength_bits)),
                estimate_cell(suite.headline),
                Cell("rejected" if suite.exclusion else "allowed"),
                Cell("yes" if suite in front else "no"),
            ),
            suite.chosen,
        )
        for suite in rated
    )
    return Plan(
        "strength",
        title,
        f"Right is faster, up is stronger; the star is the recommended suite. Throughput for {wanted}, one core, one "
        f"direction. No allowed suite beats {_names(front)} in both.",
        XyPlot(
            series,
            "bit/s, logarithmic",
            "strength, bits",
            rate_tick,
            lambda value: f"{value:.0f}",
            y_ticks=(0.0, 56.0, 112.0, 128.0, 192.0, 256.0),
            x_logarithmic=True,
            guide=_steps(front, rated),
            goal=goal,
            goal_label=goal_label,
        ),
        Table(
            f"Strength and throughput for {wanted}, Mbit/s: median and 95% interval",
            (
                Column("Suite", code=True),
                Column("Strength, bits", numeric=True),
                Column("Throughput", numeric=True),
                Column("Policy"),
                Column("Unbeaten"),
            ),
            lines,
        ),
        "Strength is the weaker of the cipher's and the integrity algorithm's; suites that do not encrypt have 0.",
    )


def _names(front: list[SuiteRates]) -> str:
    names = [_short(suite.name) for suite in front[:4]]
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]


def _strength_point(suite: SuiteRates, in_front: bool) -> Point:
    headline = suite.headline or exact(0.0)
    title = f"{suite.name}: {rate(headline.median)}, {suite.strength_bits} bit"
    tag = _short(suite.name) if in_front or suite.chosen else None
    return Point(headline, exact(float(suite.strength_bits)), title, tag, suite.chosen)


def _front(candidates: list[SuiteRates]) -> list[SuiteRates]:
    """Candidates that no other beats in both strength and throughput, strongest first."""
    front: list[SuiteRates] = []
    ordered = sorted(candidates, key=lambda suite: (-suite.strength_bits, -_median(suite), suite.name))
    for suite in ordered:
        if not front or _median(suite) > _median(front[-1]):
            front.append(suite)
    return front


def _median(suite: SuiteRates) -> float:
    return suite.headline.median if suite.headline else 0.0


def _steps(front: list[SuiteRates], rated: list[SuiteRates]) -> tuple[tuple[float, float], ...]:
    """The front as a line of steps, from the slowest figure to the fastest of the front."""
    if not front:
        return ()
    corners = [(min(_median(suite) for suite in rated), float(front[0].strength_bits))]
    for index, suite in enumerate(front):
        corners.append((_median(suite), float(suite.strength_bits)))
        lower = float(front[index + 1].strength_bits) if index + 1 < len(front) else 0.0
        corners.append((_median(suite), lower))
    return tuple(corners)


def directions(dataset: Dataset, recommendation: Recommendation, suites: tuple[SuiteRates, ...]) -> Plan | Absent:
    """Outbound against inbound."""
    title = "Outbound against inbound"
    traffic = recommendation.requirements.traffic
    found: list[tuple[SuiteRates, Estimate, Estimate]] = []
    for suite in (*shown_suites(suites)[0], *shown_suites(suites)[1]):
        outbound = measured_rate(dataset, recommendation, suite.name, "outbound", traffic)
        inbound = measured_rate(dataset, recommendation, suite.name, "inbound", traffic)
        if outbound is not None and inbound is not None:
            found.append((suite, outbound, inbound))
    if not found:
        return Absent(title, f"no suite was measured in both directions with {traffic_title(traffic)}")
    wanted = traffic_title(traffic)
    widest = max(found, key=lambda item: abs(item[1].median / item[2].median - 1))
    share = widest[2].median / widest[1].median - 1
    return Plan(
        "directions",
        title,
        f"Sealing packets and opening them need not cost the same; a tunnel is as fast as its slower end. {wanted}, "
        f"one core. Widest gap: {_short(widest[0].name)}, inbound {signed_percent(share)} against outbound.",
        DotPlot(
            (("outbound (encrypt, add the ICV)", Shape.RIGHT), ("inbound (check, decrypt)", Shape.LEFT)),
            tuple(Row(_short(suite.name), (outbound, inbound), suite.chosen) for suite, outbound, inbound in found),
            "bit/s",
            rate_tick,
            rate,
            dodged=True,
        ),
        Table(
            f"Throughput per core by direction for {wanted}, Mbit/s: median and 95% interval",
            (
                Column("Suite", code=True),
                Column("Outbound", numeric=True),
                Column("Inbound", numeric=True),
                Column("Inbound against outbound", numeric=True),
            ),
            tuple(
                Line(
                    (
                        Cell(suite.name),
                        estimate_cell(outbound),
                        estimate_cell(inbound),
                        Cell(signed_percent(inbound.median / outbound.median - 1), inbound.median / outbound.median),
                    ),
                    suite.chosen,
                )
                for suite, outbound, inbound in found
            ),
        ),
    )


def cost_lines(dataset: Dataset, recommendation: Recommendation, suites: tuple[SuiteRates, ...]) -> Plan | Absent:
    """The lines t(n) = a + b·n."""
    title = "What a packet costs: t(n) = a + b·n"
    fits = _fits(dataset, recommendation, suites)
    if not fits:
        return Absent(title, "too few packet sizes were measured to draw lines")
    evidence = recommendation.evidence
    drawn = _drawn_fits(fits, recommendation.phase2.suite)
    largest = max((size for fit in drawn for size in fit.sizes_bytes if size <= _LARGEST_LINE_BYTES), default=1500)
    series = tuple(
        Series(
            f"{_short(fit.algorithm)} (recommended)"
            if fit.algorithm == recommendation.phase2.suite
            else _short(fit.algorithm),
            SHAPES[index % len(SHAPES)],
            _line_points(dataset, fit),
            ((0.0, max(fit.fixed_ns.median, 0.0)), (float(largest), fit.predict_ns(largest))),
        )
        for index, fit in enumerate(drawn)
    )
    left_out = len(fits) - len(drawn)
    first = drawn[0]
    note = "Marks are measured, lines are fitted; the table has both intervals and the worst distance of a mark."
    if left_out:
        note += f" {left_out} more in the table only, to keep the drawing readable."
    return Plan(
        "cost-lines",
        title,
        f"Each packet costs a fixed part a and b for each octet ({evidence.tier}, outbound, {evidence.provider}). "
        f"{_short(first.algorithm)}: {duration(first.fixed_ns.median)} + {duration(first.ns_per_byte.median)} per "
        "octet. Small packets pay a, large ones pay b.",
        XyPlot(
            series,
            "inner packet size, octets",
            "time per packet",
            lambda value: f"{value:,.0f}",
            duration_tick,
        ),
        Table(
            "Fitted cost per packet, outbound: median and 95% interval",
            (
                Column("Suite", code=True),
                Column("a, ns per packet", numeric=True),
                Column("b, ns per octet", numeric=True),
                Column("Worst distance", numeric=True),
                Column("Sizes, octets"),
            ),
            tuple(
                Line(
                    (
                        Cell(fit.algorithm),
                        estimate_cell(fit.fixed_ns),
                        estimate_cell(fit.ns_per_byte),
                        Cell(f"{fit.worst_residual:.1%}", fit.worst_residual),
                        Cell(", ".join(f"{size:,}" for size in fit.sizes_bytes[:12])),
                    ),
                    fit.algorithm == recommendation.phase2.suite,
                )
                for fit in fits
            ),
        ),
        note,
    )


def _fits(dataset: Dataset, recommendation: Recommendation, suites: tuple[SuiteRates, ...]) -> list[Fit]:
    """The lines of the shown suites, the recommended one first."""
    candidates, rejected = shown_suites(suites)
    evidence = recommendation.evidence
    names = [suite.name for suite in sorted((*candidates, *rejected), key=lambda suite: not suite.chosen)]
    found = (dataset.fit(evidence.tier, evidence.provider, "outbound", name) for name in names)
    return [fit for fit in found if fit is not None]


def _drawn_fits(fits: list[Fit], chosen: str) -> list[Fit]:
    """As many as can be told apart: of those at most eight times as dear as the recommended one, if that has a line."""
    reference = fits[0].predict_ns(1400) if fits[0].algorithm == chosen else max(fit.predict_ns(1400) for fit in fits)
    near = [fit for fit in fits if fit.predict_ns(1400) <= 8 * reference]
    # Lines closer than 6% at 1400 octets lie on each other.
    drawn: list[Fit] = []
    for fit in near:
        if all(abs(fit.predict_ns(1400) / other.predict_ns(1400) - 1) > 0.06 for other in drawn):
            drawn.append(fit)
    return drawn[:_MOST_LINES]


def _line_points(dataset: Dataset, fit: Fit) -> tuple[Point, ...]:
    points = []
    rows = dataset.rows(tier=fit.tier, provider=fit.provider, operation=fit.operation, algorithm=fit.algorithm, cores=1)
    for row in rows:
        size, time = row.workload.size_bytes, row.ns_per_operation
        if size is not None and size <= _LARGEST_LINE_BYTES and time is not None:
            title = f"{fit.algorithm}, {size:,} octets: {duration(time.median)}"
            points.append(Point(exact(float(size)), time, title))
    return tuple(points)


def suite_table(recommendation: Recommendation, suites: tuple[SuiteRates, ...]) -> Table:
    """Every suite that was considered, with its verdict and, where rejected, the reason."""
    titles = [traffic_title(traffic) for traffic in traffics(recommendation)]
    reasons = {exclusion.name: exclusion.reason for exclusion in recommendation.excluded(Role.ESP_SUITE)}
    lines = []
    for suite in suites:
        verdict = "recommended" if suite.chosen else "rejected" if suite.exclusion else "allowed"
        lines.append(
            Line(
                (
                    Cell(suite.name),
                    Cell(verdict),
                    Cell(str(suite.strength_bits), float(suite.strength_bits)),
                    *(median_cell(rate_) for rate_ in suite.rates),
                    _reason_cell(suite, reasons.get(suite.name)),
                ),
                suite.chosen,
                verdict,
            )
        )
    return Table(
        "Every ESP suite considered, with its throughput per core in one direction, Mbit/s, and the verdict",
        (
            Column("Suite", code=True),
            Column("Verdict"),
            Column("Strength, bits", numeric=True),
            *(Column(name, numeric=True) for name in titles),
            Column("Reason"),
        ),
        tuple(lines),
        interactive=True,
        kinds=("recommended", "allowed", "rejected"),
    )


def _reason_cell(suite: SuiteRates, reason: Reason | None) -> Cell:
    interval = rate_interval(suite.headline) if suite.headline else ""
    if suite.chosen:
        return Cell(f"recommended: {interval}")
    if reason is None:
        return Cell(f"allowed, not chosen: {interval}")
    return Cell(reason.text, sources=reason.sources)
