"""Configurations on the page: what products are given, whole and for both ends, and why others are given nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.export.fitting import Again, fit
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import find_target
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.configurations import SHOWN, configurations
from ipsecbench.report.box.page import render_page
from tests.unit.report.conftest import Page


def _again(dataset: Dataset, policy: str) -> Again:
    rules = load_policy(policy)
    return Again(rules, partial(recommend, dataset, rules))


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


def test_a_product_that_cannot_say_it_has_its_own_recommendation(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    page = Page(render_page(dataset, answer, again=_again(dataset, "modern")))
    (vyos,) = [one for one in configurations(answer, _again(dataset, "modern")) if one.name == "vyos"]
    target = find_target("vyos")
    own = fit(target, target.version(None), answer, _again(dataset, "modern"), connection_of)
    shown = [node.text for node in page.all("pre") if node.attributes["id"].startswith("config-vyos-")]
    ends = (own.connection, own.connection.mirrored())
    assert shown == [target.files(end, target.version(None))[0].text for end in ends]
    assert [file.text for file in vyos.files] == shown
    text = " ".join(page.by_id("config-vyos").text.split())
    for line in (*vyos.differences, vyos.cost):
        assert line in text
    assert "extended sequence numbers: off instead of on" in vyos.differences[0]
    assert not page.faults


def test_what_fits_no_policy_stays_refused_and_says_why(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    found = configurations(answer, _again(dataset, "modern"))
    (routeros,) = [one for one in found if one.refusals]
    assert routeros.name == "routeros"
    assert "policy modern" in str(routeros.nothing_fits)
    text = " ".join(
        Page(render_page(dataset, answer, again=_again(dataset, "modern"))).by_id("configurations").text.split()
    )
    assert str(routeros.nothing_fits) in text
    order = [(bool(one.refusals), bool(one.differences)) for one in found]
    assert order == sorted(order)
    assert {(False, False), (False, True), (True, False)} == set(order)


def test_products_that_have_the_same_are_recommended_for_once(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    asked: list[Requirements] = []

    def count(requirements: Requirements) -> Recommendation:
        asked.append(requirements)
        return recommend(dataset, load_policy("modern"), requirements)

    found = configurations(answer, Again(load_policy("modern"), count))
    own = [one for one in found if one.differences]
    assert len(asked) < len(own)


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
