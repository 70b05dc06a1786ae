"""The one screen: widths, whole sentences, what is said first, and text from outside that cannot do harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.cli.answer_screen import SCREEN_LINES, render_recommendation
from ipsecbench.cli.screen.text_blocks import LABEL_WIDTH, Room, labelled, plain, shortened
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]
POLICIES = ("modern", "nist", "bsi", "cnsa1", "legacy-interop", "article")
_TEXT = st.text(alphabet=st.sampled_from("ab;.:, -1"), max_size=300)


@pytest.fixture
def answer(make_dataset: MakeDataset) -> Callable[..., Recommendation]:
    def make(policy: str = "modern", **wanted: Any) -> Recommendation:
        return recommend(make_dataset(label="edge"), load_policy(policy), Requirements(**wanted))

    return make


def sentences(found: Recommendation) -> list[str]:
    """Every text that the screen may show a part of."""
    reasons = (*found.phase1.reasons, *found.phase2.reasons, *found.warnings, *found.evidence.warnings)
    texts = [reason.text for reason in (*reasons, *found.what_would_change_this)]
    return texts + [price.text for price in found.prices] + [change.text for change in found.sensitivity]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("width", [40, 64, 80, 100, 300])
def test_no_line_is_wider_than_the_screen_unless_a_name_is(
    answer: Callable[..., Recommendation], policy: str, width: int
) -> None:
    wanted = {"goal_mbit_per_second": 20.0, "tunnels": 40, "peer": load_peer("cisco-asa")}
    found = answer(policy, **(wanted if policy in ("nist", "legacy-interop") else {"tunnels": 40}))
    lines = render_recommendation(found, width).splitlines()
    for line in lines:
        longest = max(map(len, line.split()), default=0)
        assert len(line) <= max(min(width, 100), LABEL_WIDTH + longest), line
    if width >= 100:
        assert len(lines) <= SCREEN_LINES


@pytest.mark.parametrize("policy", POLICIES)
def test_reasons_and_warnings_are_whole_sentences_or_whole_clauses(
    answer: Callable[..., Recommendation], policy: str
) -> None:
    found = answer(policy)
    screen = render_recommendation(found)
    blocks = re.findall(r"^(?:WHY|PRICE|CHANGE|!) .*(?:\n {2,}.*)*", screen, re.M)
    assert len(blocks) >= 3
    said = " ".join(" ".join(block.split()) for block in blocks)
    whole = {" ".join(text.split()) for text in sentences(found)}
    assert "…" not in said
    warnings = [" ".join(block.split())[2:] for block in blocks if block.startswith("!")]
    counted = [text for text in warnings if re.fullmatch(r"\d+ more: --full shows (it|them)", text)]
    for text in set(warnings) - set(counted):
        assert text in whole or any(one.startswith(text[:-1]) and one[len(text) - 1] in ".;" for one in whole), text
    hidden = len({*found.warnings, *found.evidence.warnings}) - (len(warnings) - len(counted))
    assert [int(text.split()[0]) for text in counted] == ([hidden] if hidden else [])


def test_the_decision_stands_before_everything_else(answer: Callable[..., Recommendation]) -> None:
    found = answer(goal_mbit_per_second=20.0)
    labels = re.findall(r"^([A-Z]+) ", render_recommendation(found), re.M)
    assert labels[:4] == ["USE", "GOAL", "EVIDENCE", "CARRIES"]
    assert [label for label in labels if label in ("LIVES", "SETUP", "PACKETS")] == ["LIVES", "SETUP", "PACKETS"]


def test_what_binds_the_lives_and_the_load_are_said(answer: Callable[..., Recommendation]) -> None:
    found = answer("nist", tunnels=40, goal_mbit_per_second=20.0)
    text = " ".join(render_recommendation(found).split())
    assert f"set by {found.phase2.lifetime.binding}" in text
    assert "40 tunnels: all back" in text
    assert found.capacity is not None
    assert found.capacity.load is not None
    assert f"keeps {found.capacity.load.cpu_share.median:.0%}" in text


def test_text_from_outside_cannot_move_the_cursor_or_reorder_a_line(make_dataset: MakeDataset) -> None:
    label = "box\x1b[2J\x9b31m\r\u202egnp\u2066\x07\nUSE phase 1 des"
    found = recommend(make_dataset(label=label), load_policy("modern"))
    screen = render_recommendation(found)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", screen)
    assert "USE phase 1 des" in screen.splitlines()[0]


def test_the_same_answer_is_the_same_screen(answer: Callable[..., Recommendation]) -> None:
    assert render_recommendation(answer("nist", tunnels=7)) == render_recommendation(answer("nist", tunnels=7))


def test_an_answer_without_a_capacity_still_says_what_it_can(answer: Callable[..., Recommendation]) -> None:
    screen = render_recommendation(replace(answer(goal_mbit_per_second=20.0), capacity=None))
    assert "CARRIES  data plane" in screen


@given(_TEXT, st.integers(30, 100), st.integers(1, 5))
def test_a_shortened_text_is_a_prefix_that_ends_with_a_clause(text: str, width: int, most: int) -> None:
    found = shortened("WHY", text, width, most)
    if found is None:
        assert len(labelled("WHY", text, width)) > most
        return
    assert len(found) <= most
    said = " ".join(" ".join(found).split()).removeprefix("WHY").strip()
    whole = " ".join(text.split())
    assert said == whole or whole.startswith(said[:-1].strip())


@given(st.lists(_TEXT, max_size=6), st.lists(_TEXT, max_size=6), st.integers(6, 20))
def test_a_room_is_never_overfull(reasons: list[str], warnings: list[str], lines: int) -> None:
    room = Room(lines, 60)
    room.reserve("!", warnings, 4)
    room.add("WHY", reasons, 4)
    assert len(room.lines()) <= lines


def test_plain_text_is_one_line() -> None:
    assert plain("a\nb\tc\r\x1b") == "a b c\ufffd\ufffd"
