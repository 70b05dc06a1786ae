"""The page as a whole: structure, policy, safety, size, sameness."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import random
import re
import xml.etree.ElementTree
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.bench.measurement import LADDER, Sample
from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.box.page import render_page
from ipsecbench.report.embedded import LARGEST_PAGE_BYTES

Answer = Callable[..., tuple[Dataset, Recommendation]]
Read = Callable[[str], Any]
CASES: dict[str, dict[str, Any]] = {
    "x86": {"box": "x86-aes", "requirements": Requirements(goal_mbit_per_second=500)},
    "arm-missed-goal": {"box": "arm-no-aes", "requirements": Requirements(goal_mbit_per_second=5000)},
    "mips": {"box": "mips-no-aes"},
    "python-only": {"box": "x86-aes", "python_only": True},
    "legacy": {"box": "x86-aes", "policy": "legacy-interop"},
    "one-size": {"box": "x86-aes", "requirements": Requirements(traffic=Traffic(size_bytes=1400))},
    "odd-size": {"box": "arm-no-aes", "requirements": Requirements(traffic=Traffic(size_bytes=333))},
    "unstable": {"box": "x86-aes", "unstable": ["aes128gcm16"], "failed": ["3des-sha1"]},
    "tunnels": {"box": "x86-aes", "requirements": Requirements(goal_mbit_per_second=900, tunnels=4)},
}


_PAGES: dict[str, Any] = {}


@pytest.fixture(params=list(CASES))
def page(request: pytest.FixtureRequest, make_page: Callable[..., Any]) -> Any:
    """The report of each case, made once."""
    if request.param not in _PAGES:
        _PAGES[request.param] = make_page(**CASES[request.param])
    return _PAGES[request.param]


def test_every_element_is_closed_in_its_place(page: Any) -> None:
    assert page.html.startswith("<!DOCTYPE html>")
    assert page.faults == []


def test_ids_are_unique_and_every_reference_within_the_page_has_its_target(page: Any) -> None:
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    wanted = {node.attributes["href"].removeprefix("#") for node in page.all("a")}
    for name in ("aria-labelledby", "aria-describedby"):
        wanted |= {word for node in page.all() for word in node.attributes.get(name, "").split()}
    assert wanted <= set(ids)


def test_nothing_is_loaded_from_anywhere(page: Any) -> None:
    loading = ("src", "srcset", "action", "formaction", "poster", "data", "background", "ping", "xlink:href")
    for node in page.all():
        assert not set(loading) & set(node.attributes), node.name
        assert node.attributes.get("href", "#").startswith("#")
        assert "style" not in node.attributes
        assert not [name for name in node.attributes if name.startswith("on")]
    assert not page.all("link")
    assert not page.all("iframe")
    style = page.all("style")[0].text
    assert "@import" not in style
    assert "url(" not in style


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(page: Any) -> None:
    (policy,) = (
        node.attributes["content"]
        for node in page.all("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    (style,) = page.all("style")
    (script,) = (node for node in page.all("script") if node.attributes.get("type") != "application/json")
    assert rules["default-src"] == ["'none'"]
    assert rules["style-src"] == [_digest(style.text)]
    assert rules["script-src"] == [_digest(script.text)]
    assert {name: values for name, values in rules.items() if name in ("base-uri", "form-action")} == {
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    assert "unsafe" not in policy
    # The policy must stand before what it is to govern.
    assert page.html.index("Content-Security-Policy") < page.html.index("<style>")


def test_headings_go_down_one_level_at_a_time(page: Any) -> None:
    levels = [int(node.name[1]) for node in page.all() if re.fullmatch("h[1-6]", node.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_table_has_a_caption_and_headings_with_a_scope(page: Any) -> None:
    tables = page.all("table")
    assert len(tables) > 5
    for table in tables:
        assert table.all("caption")[0].text.strip()
        assert {node.attributes["scope"] for node in table.all("th")} <= {"col", "row"}
        columns = len(table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].all("tr"):
            assert len(row.children) == columns
            assert row.children[0].attributes.get("scope") == "row"


def test_every_chart_says_what_it_is_and_has_its_table(page: Any) -> None:
    charts = [node for node in page.all("section") if node.attributes.get("class") == "chart-section"]
    assert len(charts) >= 3
    for chart in charts:
        drawings = chart.all("svg")
        assert [node.attributes["class"] for node in drawings] == ["chart wide", "chart narrow"]
        for drawing in drawings:
            assert drawing.attributes["role"] == "img"
            title, description = drawing.children[:2]
            assert (title.name, description.name) == ("title", "desc")
            assert title.text
            assert description.text
            assert drawing.attributes["aria-labelledby"] == title.attributes["id"]
            assert drawing.attributes["aria-describedby"] == description.attributes["id"]
        (table,) = chart.all("table")
        assert table.all("tbody")[0].all("tr")


def test_drawings_are_well_formed_xml_with_finite_coordinates_within_their_box(page: Any) -> None:
    drawings = re.findall(r"<svg .*?</svg>", page.html, re.DOTALL)
    assert len(drawings) >= 6
    for text in drawings:
        tree = xml.etree.ElementTree.fromstring(text)  # noqa: S314  our own output
        _, _, width, height = map(float, tree.attrib["viewBox"].split())
        for node in tree.iter("text"):
            assert -1 <= float(node.attrib["x"]) <= width + 1
            assert 0 <= float(node.attrib["y"]) <= height
        for node in tree.iter("path"):
            x, y = map(float, re.findall(r"-?\d+(?:\.\d+)?", node.attrib["d"])[:2])
            assert 0 <= x <= width
            assert 0 <= y <= height
    assert not re.search(r"\b(nan|inf)\b", "".join(drawings))


def test_the_decision_comes_first_and_is_whole(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer(requirements=Requirements(goal_mbit_per_second=500))
    page = read_page(render_page(dataset, answer))
    first = page.all("main")[0].all("section")[0]
    assert first.attributes["id"] == "decision"
    assert page.by_id("proposal-ike").text == answer.phase1.proposal
    assert page.by_id("proposal-esp").text == answer.phase2.proposal
    for figure in (answer.phase2.inner_mtu_bytes, answer.phase2.mss_ipv4_bytes, answer.phase2.mss_ipv6_bytes):
        assert f"{figure:,}" in first.text
    assert "Evidence: tier 2 of 5" in first.text
    assert first.text.count("not measured") >= 3


def test_the_page_is_the_same_for_the_same_inputs(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    assert render_page(dataset, answer, "a.json") == render_page(dataset, answer, "a.json")


HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<!-- <script>",
    "\"'><img src=x onerror=alert(3)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u202c \u05d0\u05d1\u05d2 \u2066x\u2069",
    "\x00\x07\x1b[31m",
    "\ud800 lone",
    "&lt;b&gt; &amp;",
    "x" * 10_000,
)


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_from_a_dataset_is_harmless(make_answer: Answer, read_page: Read, text: str) -> None:
    harmless = read_page(render_page(*make_answer()))
    dataset, answer = make_answer(
        label=text,
        environment={
            "hardware": {
                "cpu": {"model": text, "features": {text: True}},
                text: {text: [text, {text: text}]},
                "warnings": [text],
                "condition": {"governors": [text]},
            },
            "libraries": [{"provider": text, "version": text, "path": text, "modules": [text]}],
            "agent": {text: text},
            "clock": {"before": text, "after": [text, {"core": text, "hz": text}]},
            "steal": text,
        },
        settings={"mode": text, "mask": [text]},
        warnings=(RunWarning("x", text),),
        ended=text,
    )
    answer = replace(answer, box=text, policy_title=text, evidence=replace(answer.evidence, summary=text))
    html = render_page(dataset, answer, text)
    page = read_page(html)
    assert page.faults == []
    for name in ("script", "img", "iframe", "style", "b"):
        assert len(page.all(name)) == len(harmless.all(name))
    visible = re.sub(r'<script type="application/json".*?</script>', "", html, flags=re.DOTALL)
    assert not re.search("[\x00-\x08\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", visible)
    assert "x" * 5000 not in visible
    assert "49" not in page.all("h1")[0].text
    assert len(html.encode()) < LARGEST_PAGE_BYTES


def test_the_data_is_whole_and_cannot_end_its_element(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer(label="</script><b>&amp;")
    page = read_page(render_page(dataset, answer))
    text = page.by_id("ipsecbench-data").text
    assert not set("<>&") & set(text)
    data = json.loads(text)
    assert data["dataset"]["label"] == "</script><b>&amp;"
    assert len(data["dataset"]["measurements"]) == len(dataset.measurements)
    assert data["recommendation"]["phase2"]["suite"] == answer.phase2.suite
    first = dataset.measurements[0]
    assert data["dataset"]["measurements"][0]["samples"]["wall_ns"] == [sample.wall_ns for sample in first.samples]


def test_too_many_samples_are_left_out_and_the_page_says_where_they_are(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer()
    noise = random.Random(1)  # packed, what repeats would take no room
    rows = tuple(
        replace(row, samples=tuple(Sample(number, 1000, *noise.choices(range(10**8), k=3)) for number in range(400)))
        if row.usable
        else row
        for row in dataset.measurements
    )
    html = render_page(replace(dataset, measurements=rows, sha256="ab" * 32), answer, "big.ipsecbench.json")
    assert len(html.encode()) < LARGEST_PAGE_BYTES
    page = read_page(html)
    data = json.loads(page.by_id("ipsecbench-data").text)
    assert len(data["dataset"]["measurements"]) == len(rows)
    assert not any(row["samples"]["wall_ns"] for row in data["dataset"]["measurements"])
    note = page.by_id("raw").text
    assert "big.ipsecbench.json" in note
    assert "ab" * 32 in note


@pytest.mark.slow
def test_size_stays_below_a_megabyte_whatever_the_dataset_holds(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    warnings = tuple(RunWarning("x", f"{number} " + "<&" * 5000) for number in range(500))
    rows = [
        replace(row, workload=replace(row.workload, algorithm=f"{row.workload.algorithm}-{copy}"))
        for row in dataset.measurements
        for copy in range(30)
    ]
    environment = {**dataset.environment, **{f"key {number}": "<" * 2000 for number in range(1000)}}
    environment["list"] = [{f"c{column}": "&" * 1000 for column in range(20)} for _ in range(200)]
    flooded = replace(dataset, measurements=tuple(rows), warnings=warnings, environment=environment)
    assert len(render_page(flooded, answer).encode()) < LARGEST_PAGE_BYTES


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"hardware": None, "libraries": None, "clock": None, "steal": None, "agent": None},
        {"hardware": {"cpu": None}, "libraries": [None, 3], "clock": {"before": None, "after": 7}, "steal": "x"},
        {"hardware": [1, 2], "libraries": {"a": 1}, "clock": [], "steal": {"percent": None}, "agent": []},
        {"hardware": {"condition": {"governors": None}, "warnings": 3, "nics": [], "x": {"y": {"z": {"w": {"v": 1}}}}}},
    ],
)
def test_an_environment_that_says_nothing_is_unknown(make_answer: Answer, environment: dict[str, Any]) -> None:
    dataset, answer = make_answer()
    html = render_page(replace(dataset, environment=environment), answer)
    assert "unknown" in html


def test_tiers_that_were_measured_are_told_from_those_that_were_not(make_page: Callable[..., Any]) -> None:
    for options, expected in (({}, ["measured", "used"]), ({"python_only": True}, ["used", "missing"])):
        page = make_page(**options)
        (ladder,) = (node for node in page.all("ol") if node.attributes.get("class") == "ladder")
        states = [item.attributes["class"] for item in ladder.children]
        assert states == [*expected, "missing", "missing", "missing"]
        assert len(states) == len(LADDER)


def test_whole_set_ups_stand_beside_their_cryptography_where_they_were_measured(make_page: Callable[..., Any]) -> None:
    without = make_page()
    assert "set-up by ipsecbench" not in without.root.text
    page = make_page(stack={"ikev2:aes128gcm16-prfsha256-ecp256:<b>": 1.0, "ikev2:aes128-sha256-x25519:psk": 1.0})
    assert not page.faults
    assert "A whole set-up by ipsecbench's own IKE stack" in page.root.text
    assert "ikev2:aes128gcm16-prfsha256-ecp256:<b>" in page.root.text
    (row,) = (line for line in page.all("tr") if "building of messages" in line.text)
    assert "500" in row.text
    assert "530" in row.text
    tiers = [node.text for node in page.all("dt")]
    assert "Handshake" in tiers
    assert "5. On the wire" in tiers


def test_a_masked_run_is_announced_as_a_what_if(make_page: Callable[..., Any]) -> None:
    page = make_page(settings={"mask": ["aes", "vaes"]})
    (banner,) = (node for node in page.all("p") if node.attributes.get("class") == "banner")
    assert "aes and vaes" in banner.text


def test_every_rejected_suite_is_listed_with_a_reason(make_answer: Answer, read_page: Read) -> None:
    dataset, answer = make_answer()
    page = read_page(render_page(dataset, answer))
    rows = page.by_id("suite-table").all("tbody")[0].all("tr")
    listed = {row.children[0].text.removesuffix(" ★"): row for row in rows}
    rejected = {exclusion.name for exclusion in answer.exclusions if exclusion.role.value == "esp-suite"}
    assert rejected <= set(listed)
    for name in rejected - {answer.phase2.suite}:
        assert listed[name].children[-1].text.strip()


def test_the_footer_names_versions_digest_and_the_command(make_answer: Answer, read_page: Read) -> None:
    wanted = Requirements(1200, Traffic(size_bytes=512), 192, 1420, True, "ipv6", "ecdsa-384", 2)
    dataset, answer = make_answer(requirements=wanted)
    page = read_page(render_page(dataset, answer, "my box.ipsecbench.json"))
    assert page.by_id("command").text == (
        "ipsecbench report 'my box.ipsecbench.json' --policy modern --goal 1200M --min-bits 192 "
        "--mtu 1420 --nat-t --outer ipv6 --auth ecdsa-384 --tunnels 2 --profile 512"
    )
    footer = page.all("footer")[0].text
    assert "0" * 64 in footer
    assert dataset.created in footer
    assert answer.policy_version in footer
