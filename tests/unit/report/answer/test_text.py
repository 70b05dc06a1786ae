"""The whole answer as Markdown and as plain text, read by a parser that knows nothing of how they are made."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.answer.markdown import escape, markdown_report
from ipsecbench.report.answer.plain_text import full_text

MakeDataset = Callable[..., Dataset]
HOSTILE = (
    "x](http://evil.test) <img src=x onerror=alert(1)> | `a` **b** @admin #12 www.evil.test $x$ &lt; </details>"
    "\n\n# Owned\n\x1b[2J\u202e~~~"
)
POLICIES = ("modern", "nist", "cnsa1", "legacy-interop", "article")


@pytest.fixture
def answer(make_dataset: MakeDataset) -> Callable[..., Recommendation]:
    def make(policy: str = "modern", label: str = "edge", **wanted: Any) -> Recommendation:
        return recommend(make_dataset(label=label), load_policy(policy), Requirements(**wanted))

    return make


def parsed(text: str) -> list[Token]:
    """Every token of a Markdown text, those within lines too."""
    found: list[Token] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        found += [token, *(token.children or ())]
    return found


def said(tokens: list[Token]) -> str:
    return " ".join("".join(token.content for token in tokens if token.type in ("text", "code_inline")).split())


@given(st.text(max_size=80))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    for document in (f"x {escaped}\n", f"- {escaped}\n", f"| a |\n| --- |\n| {escaped} |\n", f"# x {escaped}\n"):
        tokens = parsed(document)
        kinds = {token.type for token in tokens if token.nesting >= 0 and token.level >= 0}
        assert not kinds & {"link_open", "image", "code_inline", "em_open", "strong_open", "s_open", "fence", "hr"}
        html = {token.content for token in tokens if token.type in ("html_inline", "html_block")}
        assert html <= {"<!-- -->"}
        shown = "".join(token.content for token in tokens if token.type == "text")
        assert "".join(escape_free(text).split()) in "".join(shown.split())


def escape_free(text: str) -> str:
    """What is to be seen of a text: what would steer a terminal or reorder a line is replaced."""
    from ipsecbench.report.formats import clean

    return clean(" ".join(text.split()))


def test_a_hostile_label_becomes_neither_markup_nor_a_link_nor_a_mention(answer: Callable[..., Recommendation]) -> None:
    text = markdown_report(answer(label=HOSTILE, peer=load_peer("aws")))
    tokens = parsed(text)
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert links
    assert not [link for link in links if "evil" in link]
    inline = {token.content for token in tokens if token.type == "html_inline"}
    assert inline == {"<!-- -->"}
    blocks = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert blocks
    assert all(re.fullmatch(r"<details>\n<summary>[A-Z][a-z ]+</summary>|</details>", block) for block in blocks)
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    assert headings.count("h1") == 1
    assert not re.search(r"@admin|#12|www\.evil|[\x00-\x09\x0b-\x1f\u202e]", text)
    assert "evil.test" in said(tokens)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_table_is_one_and_every_sentence_is_there(answer: Callable[..., Recommendation], policy: str) -> None:
    found = answer(policy, tunnels=40, goal_mbit_per_second=20.0)
    text = markdown_report(found)
    tokens = parsed(text)
    opened = sum(token.type == "table_open" for token in tokens)
    assert opened == len(re.findall(r"^\| (?:---:?|---)", text, re.M))
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")]
    assert min(widths) >= 3
    whole = said(tokens)
    reasons = (*found.phase1.reasons, *found.phase2.reasons, *found.warnings, *found.evidence.warnings)
    for reason in (*reasons, *(each.reason for each in found.exclusions)):
        assert " ".join(reason.text.split()) in whole
    for fact in (found.phase1.proposal, found.phase2.proposal, str(found.phase2.inner_mtu_bytes)):
        assert fact in whole
    assert str(found.dataset_sha256) in whole


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("width", [60, 100])
def test_plain_text_keeps_its_width_and_says_everything(
    answer: Callable[..., Recommendation], policy: str, width: int
) -> None:
    found = answer(policy, label="x\x1b[31m\u202ey", tunnels=40, goal_mbit_per_second=20.0)
    text = full_text(found, width)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    verbatim = False
    for line in text.splitlines():
        verbatim = line == "ASKED FOR" or (verbatim and line != "PROVENANCE")
        assert verbatim or len(line) <= width or max(map(len, line.split())) > width - 12, line
    whole = "".join(text.split())
    reasons = (*found.phase1.reasons, *found.phase2.reasons, *found.warnings, *found.evidence.warnings)
    for reason in reasons:
        assert "".join(reason.text.split()) in whole
    assert text.index("USE THESE PARAMETERS") < text.index("WHAT IT CARRIES") < text.index("PROVENANCE")
    assert all(each.name in text for each in found.exclusions)


def test_the_same_answer_is_the_same_text(answer: Callable[..., Recommendation]) -> None:
    one, other = answer("nist", tunnels=7), answer("nist", tunnels=7)
    assert markdown_report(one) == markdown_report(other)
    assert full_text(one) == full_text(other)


def test_the_requirement_file_stands_in_a_fence_that_it_cannot_end(answer: Callable[..., Recommendation]) -> None:
    found = answer()
    policy = "```\n# Owned\n"
    fences = [token for token in parsed(markdown_report(found, policy)) if token.type == "fence"]
    assert len(fences) == 1
    assert "Owned" in fences[0].content


def test_an_answer_without_capacity_or_front_leaves_their_tables_out(answer: Callable[..., Recommendation]) -> None:
    text = markdown_report(replace(answer(), capacity=None, front=()))
    assert "What this box carries" not in text
    assert "at once:" not in text
