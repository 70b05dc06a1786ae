"""Charts show what the dataset says, and nothing that it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.answer.suite_rates import all_suites, shown_suites, traffics
from ipsecbench.report.box import machine_figures as box_figures
from ipsecbench.report.box import suite_figures
from ipsecbench.report.drawing.dot_plot import DotPlot
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.xy_plot import XyPlot

Answer = Callable[..., tuple[Dataset, Recommendation]]


def _plot(planned: Plan | Absent, kind: type[Any]) -> Any:
    assert isinstance(planned, Plan)
    assert isinstance(planned.plot, kind)
    return planned.plot


def _rate(dataset: Dataset, operation: str, suite: str, size: int) -> float:
    row = dataset.get(Workload(Tier.PACKET_LOOP, "libcrypto", operation, suite, size))
    assert row is not None
    assert row.ns_per_operation is not None
    return size * 8e3 / row.ns_per_operation.median


def test_throughput_is_the_slower_direction_of_each_suite(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    plot = _plot(suite_figures.throughput(answer, all_suites(dataset, answer)), DotPlot)
    assert [name for name, _ in plot.series] == ["64 B", "576 B", "1,400 B", "IMIX 7:4:1"]
    rows = {row.name: row for row in plot.rows}
    for name in ("aes128gcm16", "chacha20poly1305", "aes128-sha1"):
        for index, size in enumerate((64, 576, 1400)):
            expected = min(_rate(dataset, "outbound", name, size), _rate(dataset, "inbound", name, size))
            assert rows[name].estimates[index].median == pytest.approx(expected)
    assert [row.name for row in plot.rows if row.highlighted] == [answer.phase2.suite]


def test_series_differ_in_shape(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    plot = _plot(suite_figures.throughput(answer, all_suites(dataset, answer)), DotPlot)
    shapes = [shape for _, shape in plot.series]
    assert len(set(shapes)) == len(shapes)


def test_the_goal_is_drawn_at_its_place(make_answer: Answer) -> None:
    dataset, answer = make_answer(requirements=Requirements(goal_mbit_per_second=700))
    plot = _plot(suite_figures.throughput(answer, all_suites(dataset, answer)), DotPlot)
    assert plot.goal == 700
    assert plot.goal_label == "goal 700 Mbit/s"


def test_a_size_that_was_asked_for_is_compared_too(make_answer: Answer) -> None:
    _, answer = make_answer(requirements=Requirements(traffic=Traffic(size_bytes=900)))
    assert traffics(answer)[-1] == Traffic(size_bytes=900)


def test_suites_of_another_tier_are_not_compared(make_answer: Answer) -> None:
    """null-sha1 has no packet loop; the sum of its primitive calls must not stand beside packet loops."""
    dataset, answer = make_answer()
    suites = {suite.name: suite for suite in all_suites(dataset, answer)}
    assert suites["null-sha1"].headline is None
    assert not any(suites["null-sha1"].rates)
    assert "null-sha1" not in {suite.name for group in shown_suites(tuple(suites.values())) for suite in group}


def test_no_allowed_suite_beats_one_of_the_front(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    suites = all_suites(dataset, answer)
    planned = suite_figures.strength(answer, suites)
    assert isinstance(planned, Plan)
    front = {line.cells[0].text for line in planned.table.lines if line.cells[-1].text == "yes"}
    assert front
    allowed = [suite for suite in suites if suite.exclusion is None and suite.headline is not None]
    for suite in allowed:
        assert suite.headline is not None
        better = [
            other
            for other in allowed
            if other.headline is not None
            and (other.strength_bits, other.headline.median) != (suite.strength_bits, suite.headline.median)
            and other.strength_bits >= suite.strength_bits
            and other.headline.median >= suite.headline.median
        ]
        assert (suite.name in front) == (not better)


def test_lines_pass_through_a_and_rise_by_b(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    plot = _plot(suite_figures.cost_lines(dataset, answer, all_suites(dataset, answer)), XyPlot)
    first = plot.series[0]
    fit = dataset.fit(Tier.PACKET_LOOP, "libcrypto", "outbound", answer.phase2.suite)
    assert fit is not None
    assert first.name == f"{answer.phase2.suite} (recommended)"
    (x0, y0), (x1, y1) = first.path
    assert y0 == pytest.approx(fit.fixed_ns.median)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(fit.ns_per_byte.median)
    assert {point.x.median for point in first.points} == {64, 576, 1400}


def test_handshake_steps_are_the_measured_ones(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    plot = _plot(box_figures.handshakes(dataset, answer), DotPlot)
    rows = {row.name.split(",")[0]: row for row in plot.rows}
    generate, agree, sign, verify = rows["x25519"].estimates
    assert (generate.median, agree.median) == (pytest.approx(28e3), pytest.approx(36e3))
    assert (sign, verify) == (None, None)
    assert rows["rsa-2048"].estimates[2].median == pytest.approx(620e3)
    assert {row.name.split(",")[0] for row in plot.rows if row.highlighted} >= {answer.phase1.key_exchange}


def _on_cores(dataset: Dataset, counts: tuple[int, ...], share: float) -> Dataset:
    rows: list[Measurement] = list(dataset.measurements)
    for row in dataset.measurements:
        work, time = row.workload, row.ns_per_operation
        if work.operation == "outbound" and work.mix and time is not None:
            for count in counts:
                factor = 1 / (count * share)
                scaled = Estimate(time.median * factor, time.lower * factor, time.upper * factor)
                rows.append(replace(row, workload=replace(work, cores=count), ns_per_operation=scaled))
    return replace(dataset, measurements=tuple(rows))


def test_scaling_is_shown_against_as_many_single_cores(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    planned = box_figures.core_scaling(_on_cores(dataset, (2, 4), 0.9), answer)
    plot = _plot(planned, XyPlot)
    assert isinstance(planned, Plan)
    assert "90%" in planned.lead
    single = plot.series[0].points[0].y.median
    assert plot.guide == ((0.0, 0.0), (4.0, pytest.approx(4 * single)))
    assert [point.x.median for point in plot.series[0].points] == [1, 2, 4]


def test_charts_without_figures_say_why(make_answer: Answer) -> None:
    dataset, answer = make_answer(python_only=True)
    suites = all_suites(dataset, answer)
    for planned in (
        suite_figures.directions(dataset, answer, suites),
        suite_figures.cost_lines(dataset, answer, suites),
        box_figures.core_scaling(dataset, answer),
        box_figures.providers(dataset),
    ):
        assert isinstance(planned, Absent)
        assert planned.reason


def test_libraries_are_compared_within_a_tier_only(make_answer: Answer) -> None:
    dataset, _ = make_answer()
    slower = [
        replace(
            row,
            workload=replace(row.workload, provider="pycryptodome"),
            ns_per_operation=Estimate(row.ns_per_operation.median * 50, 1.0, 1e9),
        )
        for row in dataset.measurements
        if row.workload.operation == "encrypt" and row.ns_per_operation is not None
    ]
    plot = _plot(box_figures.providers(replace(dataset, measurements=(*dataset.measurements, *slower))), DotPlot)
    names = [name for name, _ in plot.series]
    assert names == ["libcrypto", "libipsec-mb", "pycryptodome"]
    for row in plot.rows:
        present = {name for name, estimate in zip(names, row.estimates, strict=True) if estimate is not None}
        assert len(present) > 1
        if row.group.startswith("packet-loop"):
            assert present == {"libcrypto", "libipsec-mb"}
        else:
            assert row.group == "primitive: encrypt, 1,400 to 1,408 B"
            assert present == {"libcrypto", "pycryptodome"}
