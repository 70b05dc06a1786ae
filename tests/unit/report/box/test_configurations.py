"""Configurations on the page: what products are given, whole and for both ends, and why others are given nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import find_target
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.presets import PEERS
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.configurations import _PRESETS, SHOWN, configurations
from ipsecbench.report.box.page import render_page
from tests.unit.report.conftest import Page

Answer = Callable[..., tuple[Any, Recommendation]]


def test_each_product_has_its_files_or_the_reasons(make_answer: Answer) -> None:
    _, answer = make_answer()
    found = configurations(answer)
    assert {one.name for one in found} == set(SHOWN)
    assert all(bool(one.files) != bool(one.refusals) for one in found)
    assert [bool(one.refusals) for one in found] == sorted(bool(one.refusals) for one in found)


def test_the_page_has_the_very_text_of_export_for_both_ends(make_answer: Answer) -> None:
    dataset, answer = make_answer(label="</pre><script>")
    page = Page(render_page(dataset, answer))
    target, connection = find_target("swanctl"), connection_of(answer)
    version = target.version(None)
    wanted = [file.text for view in (connection, connection.mirrored()) for file in target.files(view, version)]
    shown = [node.text for node in page.all("pre") if node.attributes["id"].startswith("config-swanctl-")]
    assert shown == wanted
    assert not page.faults


def test_a_product_that_lacks_something_is_named_with_what_it_lacks(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    (vyos,) = [one for one in configurations(answer) if one.name == "vyos"]
    assert any("extended sequence numbers" in reason for reason in vyos.refusals)
    text = " ".join(Page(render_page(dataset, answer)).by_id("configurations").text.split())
    assert vyos.refusals[0] in text
    assert "no link" not in text


def test_presets_that_are_named_exist() -> None:
    assert set(_PRESETS.values()) <= set(PEERS)
    assert set(_PRESETS) <= set(SHOWN)


def test_ikev1_is_written_for_the_products_that_have_it(make_answer: Answer) -> None:
    _, answer = make_answer(policy="article", requirements=Requirements(ike_version=1))
    names = {one.name for one in configurations(answer)}
    assert answer.phase1.ike_version == 1
    assert "ios-ikev1" in names
    assert "ios-xe" not in names


@pytest.mark.parametrize("outer", ["ipv4", "ipv6"])
def test_placeholders_fit_what_was_wanted(make_answer: Answer, outer: str) -> None:
    _, answer = make_answer(requirements=Requirements(outer=outer))
    texts = [file.text for one in configurations(answer) for file in one.files]
    assert texts
    assert any(("2001:db8" in text) is (outer == "ipv6") for text in texts)
