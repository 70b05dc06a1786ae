"""The report's first screen: what the box carries, lives and load, the front, chances, what would change the answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.formats import chance
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.answer import figures as answer_figures
from ipsecbench.report.box.figures import draw
from ipsecbench.report.box.page import regeneration_command, render_page
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.xy_plot import XyPlot

Answer = Callable[..., tuple[Dataset, Recommendation]]
Read = Callable[[str], Any]
WANTED = Requirements(goal_mbit_per_second=20.0, tunnels=40)


def plot(planned: Plan | Absent) -> XyPlot:
    assert isinstance(planned, Plan)
    assert isinstance(planned.plot, XyPlot)
    return planned.plot


def test_the_first_screen_answers_before_it_discusses(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer(requirements=WANTED)
    page = read_page(render_page(dataset, answer))
    assert not page.faults
    html = page.html
    order = ["proposal-ike", "goal-title", "evidence-title", "validity-title", "capacity-section", 'id="keys"']
    order += ['id="chances"', 'id="sensitivity"', 'id="configurations"', 'id="charts"', 'id="environment"']
    places = [html.index(mark) for mark in order]
    assert places == sorted(places)
    load = page.by_id("load-table").text
    assert "Until back after a restart, 40 tunnels" in load
    assert "The goal, of" in load
    assert answer.phase2.lifetime.binding in page.by_id("life-table").text
    for change in answer.sensitivity:
        assert change.text in page.by_id("change-table").text
    for candidate in answer.candidates:
        assert candidate.name in page.by_id("rival-table").text
        if candidate.chance is not None:
            assert chance(candidate.chance) in page.by_id("rival-table").text


def test_what_changes_the_answer_is_said_once(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer(requirements=WANTED)
    decision = read_page(render_page(dataset, answer)).by_id("decision").text
    moved = [change.text for change in answer.sensitivity if change.above is not None]
    assert moved
    assert all(decision.count(text) == 1 for text in moved)


def test_the_bands_are_the_intervals_of_the_capacity(make_answer: Answer) -> None:
    _, answer = make_answer(requirements=WANTED)
    assert answer.capacity is not None
    one, *_ = plot(answer_figures.carries(answer)).series
    sizes = {each.traffic.size_bytes: each.mbit_per_second for each in answer.capacity.traffics}
    assert len(one.band) == sum(size is not None for size in sizes)
    for size, lower, upper in one.band:
        assert (lower, upper) == (sizes[int(size)].lower, sizes[int(size)].upper)
    drawn = draw(answer_figures.carries(answer))  # type: ignore[arg-type]
    for drawing in (drawn.wide, drawn.narrow):
        (area,) = re.findall(r'<path d="M([^"]+)z" class="band s0"', drawing)
        corners = [tuple(map(float, pair.split())) for pair in area.split("L")]
        assert len(corners) == 2 * len(one.band)
        below, above = corners[: len(one.band)], corners[len(one.band) :][::-1]
        assert all(a[0] == b[0] and a[1] >= b[1] for a, b in zip(below, above, strict=True))


@pytest.mark.parametrize("policy", ["modern", "legacy-interop", "article"])
def test_the_recommended_set_is_the_star_of_the_front(make_answer: Answer, policy: str) -> None:
    _, answer = make_answer(policy=policy)
    planned = answer_figures.front(answer)
    if len(answer.front) < 2:
        assert isinstance(planned, Absent)
        return
    chosen = [point for series in plot(planned).series for point in series.points if point.chosen]
    assert len(chosen) == 1
    assert answer.phase2.suite in str(chosen[0].tag)
    assert chosen[0].y.median == min(answer.phase1.strength_bits, answer.phase2.strength_bits)


def test_without_capacity_and_front_the_page_is_whole(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer()
    page = read_page(render_page(dataset, replace(answer, capacity=None, front=answer.front[:1])))
    assert not page.faults
    assert "capacity-section" not in page.html
    assert page.by_id("front-table").text


def test_the_command_asks_for_everything_that_was_asked_for(make_answer: Answer) -> None:
    wanted = Requirements(
        traffic=Traffic(distribution=((64, 7.0), (1400, 1.0)), name="office"),
        mode="gre",
        cores=2,
        objective=Objective.CPU,
    )
    _, answer = make_answer(requirements=wanted)
    command = regeneration_command(answer, "box.ipsecbench.json")
    for flag in ("--mode gre", "--cores 2", "--objective cpu", "--profile 64:7.0,1400:1.0"):
        assert flag in command
