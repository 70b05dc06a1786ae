"""Pages of several boxes in a real browser: another baseline, other rows, sorting, filtering, narrow, on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.comparison.boxes import rank_boxes
from ipsecbench.comparison.compare import compare
from ipsecbench.comparison.model import Box
from ipsecbench.comparison.security_cost import security_costs
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.comparison.page import Layout, render_comparison
from tests.browser.viewer import DESKTOP, PHONE, SMALLEST, View

pytestmark = pytest.mark.browser

Open = Callable[..., View]
Make = Callable[..., Dataset]
NAMES = ("plain", "<b>bold</b> & co", "x" * 90, "\u202ertl", "arm one", "arm two", "mips")
_TABLE = """(id) => [...document.getElementById(id).rows].map((row) =>
  [...row.cells].map((cell) => cell.innerText.replace(/\\s+/g, " ").trim()))"""


def _boxes(make_dataset: Make, samples: bool) -> list[Box]:
    kinds = ("x86-aes", "x86-aes", "x86-aes", "x86-aes", "arm-no-aes", "arm-no-aes", "mips-no-aes")
    boxes = []
    for place, (kind, name) in enumerate(zip(kinds, NAMES, strict=True)):
        made = make_dataset(kind, scale=1 + place * place / 60, without=("aes192gcm16",) if place == 2 else ())
        rows = tuple(row if samples else replace(row, samples=()) for row in made.measurements)
        boxes.append(Box(name, f"title {place}", replace(made, measurements=rows), None, 50.0 + 40 * place))
    return boxes


@pytest.fixture
def page(make_dataset: Make, tmp_path: Path) -> Callable[..., Path]:
    """A function that writes the page of seven boxes, or of some of them, and says where."""

    def make(*, baseline: int = 0, samples: bool = True, most: int = 7, ranked: bool = False) -> Path:
        boxes = _boxes(make_dataset, samples)[:most]
        wanted = Requirements(goal_mbit_per_second=300)
        ranking = rank_boxes(boxes, load_policy("modern"), wanted) if ranked else None
        costs = security_costs(boxes, wanted.traffic) if ranked else ()
        path = tmp_path / f"boxes-{baseline}-{samples}-{most}.html"
        html = render_comparison(compare(boxes, baseline), ranking, costs, layout=Layout.BOXES)
        path.write_text(html, encoding="utf-8")
        return path

    return make


@pytest.fixture
def pair(make_dataset: Make, tmp_path: Path) -> Path:
    """Before and after."""
    before, after = make_dataset("x86-aes"), make_dataset("x86-aes", scale=1.07, half_width=0.03)
    path = tmp_path / "pair.html"
    boxes = [Box("before", "one router", before), Box("after", "one router", after)]
    path.write_text(render_comparison(compare(boxes), layout=Layout.PAIR), encoding="utf-8")
    return path


def _table(opened: View, identifier: str) -> list[list[str]]:
    found: list[list[str]] = opened.page.evaluate(_TABLE, identifier)
    return found


def _by_name(rows: list[list[str]]) -> dict[str, dict[str, str]]:
    """A table as a mapping of row and column."""
    head = [words.rstrip(" ↕↑↓") for words in rows[0]]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows[1:]}


@pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_axe_finds_nothing_wrong(view: Open, page: Callable[..., Path], pair: Path, size: Any, theme: str) -> None:
    for path in (page(ranked=True), pair):
        opened = view(path, size, theme=theme)
        opened.open_all()
        assert opened.violations() == []


@pytest.mark.parametrize("width", [SMALLEST[0], PHONE[0], 700, 1200])
def test_no_page_scrolls_sideways(view: Open, page: Callable[..., Path], pair: Path, width: int) -> None:
    for path in (page(ranked=True), pair):
        opened = view(path, (width, 800))
        opened.open_all()
        assert opened.ask("[innerWidth, document.documentElement.scrollWidth]") == [width, width]


def test_another_baseline_says_what_the_page_of_that_baseline_says(view: Open, page: Callable[..., Path]) -> None:
    """The page made with that baseline is the oracle: its ratios are formed in Python, from the same intervals."""
    changed = view(page(samples=False))
    made = view(page(samples=False, baseline=4))
    before = {name: _table(changed, name) for name in ("standing-table", "matrix-packet-loop-rate")}
    changed.page.locator("#baseline").select_option(label="arm one")
    for identifier in ("standing-table", "matrix-packet-loop-rate", "matrix-primitive-rate", "matrix-primitive-time"):
        found, wanted = _by_name(_table(changed, identifier)), _by_name(_table(made, identifier))
        assert found.keys() == wanted.keys()
        for box, cells in wanted.items():
            for column, words in cells.items():
                assert _same(found[box][column], words), (identifier, box, column, found[box][column], words)
    assert changed.ask("document.querySelector('.base-name').textContent") == "arm one"
    groups = "[...document.querySelectorAll('#groups dt')].map((each) => each.textContent).sort()"
    assert changed.ask(groups) == made.ask(groups)
    changed.page.locator("#baseline").select_option(label="plain")
    assert {name: _table(changed, name) for name in before} == before


def _same(one: str, other: str) -> bool:
    """Whether two cells say the same, but for the last digit of figures that were rounded twice."""
    digits = re.compile(r"[\d,]*\.?\d+")
    if digits.sub("0", one) != digits.sub("0", other):
        return False
    pairs = zip(digits.findall(one), digits.findall(other), strict=True)
    return all(
        abs(float(a.replace(",", "")) - float(b.replace(",", ""))) <= 0.011 * float(b.replace(",", ""))
        for a, b in pairs
    )


def test_other_libraries_and_sizes_can_be_shown(view: Open, page: Callable[..., Path], make_dataset: Make) -> None:
    opened = view(page())
    controls = opened.page.locator("#matrix-packet-loop-rate-controls")
    controls.get_by_label("Show").select_option(label="libcrypto, inbound")
    controls.get_by_label("Size").select_option(label="1,400 B")
    found = _by_name(_table(opened, "matrix-packet-loop-rate"))
    boxes = _boxes(make_dataset, True)
    for box in (boxes[0], boxes[6]):
        row = next(
            row
            for row in box.dataset.rows(operation="inbound", algorithm="aes128gcm16", size_bytes=1400)
            if row.workload.provider == "libcrypto"
        )
        rate = row.megabits_per_second
        assert rate is not None
        shown = float(found[box.name]["aes128gcm16"].split(" ")[0].replace(",", ""))
        assert shown == pytest.approx(rate.median, rel=0.006)
    words = opened.ask("document.querySelector('#matrix-packet-loop-rate-section .matrix-words').textContent")
    assert words == "libcrypto, inbound, 1,400 B"


def test_order_and_filter_outlive_another_baseline(view: Open, page: Callable[..., Path]) -> None:
    opened = view(page())
    table = opened.page.locator("#matrix-packet-loop-rate")
    table.locator("thead button").nth(1).click()
    opened.page.locator("#matrix-packet-loop-rate-section input[type=search]").fill("arm")
    opened.page.locator("#baseline").select_option(label="mips")
    question = """(() => {
      const table = document.getElementById("matrix-packet-loop-rate");
      const heading = [...table.tHead.rows[0].cells].findIndex((cell) => cell.hasAttribute("aria-sort"));
      const rows = [...table.tBodies[0].rows];
      return [table.tHead.rows[0].cells[heading].getAttribute("aria-sort"),
        rows.map((row) => Number(row.cells[heading].dataset.sort)),
        rows.filter((row) => !row.hidden).map((row) => row.cells[0].textContent)];
    })()"""
    direction, values, shown = opened.ask(question)
    assert direction == "descending"
    assert values == sorted(values, reverse=True)
    assert sorted(shown) == ["arm one", "arm two"]


def test_all_rows_of_one_box_are_made_when_they_are_asked_for(view: Open, page: Callable[..., Path]) -> None:
    opened = view(page(samples=False))
    opened.page.locator("#rows-controls select").select_option(label="arm two")
    counts = _by_name(_table(opened, "standing-table"))["arm two title 5"]
    rows = opened.ask("""[...document.querySelectorAll("#rows-place tbody tr")].map((row) => row.dataset.kind)""")
    assert rows.count("slower") == int(counts["Slower"])
    assert rows.count("faster") == int(counts["Faster"])
    opened.page.locator("#rows-place select").select_option(label="slower")
    assert opened.ask("""[...document.querySelectorAll("#rows-place tbody tr")].every((row) => row.hidden ||
      row.dataset.kind === "slower")""")
    assert opened.violations() == []


def test_foreign_names_are_only_text(view: Open, page: Callable[..., Path]) -> None:
    opened = view(page())
    opened.page.locator("#baseline").select_option(index=1)
    assert opened.ask("document.querySelectorAll('b').length") == 0
    assert opened.ask("document.querySelector('.base-name').textContent") == "<b>bold</b> & co"


def test_boxes_are_columns_where_there_are_few(view: Open, page: Callable[..., Path]) -> None:
    opened = view(page(most=3))
    before = _table(opened, "matrix-packet-loop-rate")
    assert before[0][0].startswith("Algorithm")
    opened.page.locator("#baseline").select_option(index=1)
    after = _table(opened, "matrix-packet-loop-rate")
    assert [row[0] for row in after] == [row[0] for row in before]
    assert after[1][1].split(" ")[0] == before[1][1].split(" ")[0]
    assert after[1][2].endswith("baseline")
    controls = opened.page.locator("#matrix-packet-loop-rate-controls")
    controls.get_by_label("Show").select_option(label="libcrypto, inbound")
    assert _table(opened, "matrix-packet-loop-rate")[0][0].startswith("Algorithm")


def test_without_scripts_everything_stands_but_the_controls(view: Open, page: Callable[..., Path], pair: Path) -> None:
    for path, table in ((page(ranked=True), "matrix-packet-loop-rate"), (pair, "row-table")):
        opened = view(path, scripts=False)
        assert opened.page.locator("button, input, select").count() == 0
        assert opened.page.locator(f"#{table} tbody tr").count() > 5
        assert opened.page.locator(f"#{table} tbody tr").first.is_visible()


def test_paper_has_all_within_its_width(view: Open, page: Callable[..., Path], pair: Path) -> None:
    for path in (page(ranked=True), pair):
        opened = view(path, (696, 1000))
        opened.page.emulate_media(media="print")
        opened.open_all()
        assert opened.ask("document.documentElement.scrollWidth") == 696
        pdf = opened.page.pdf(prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF")
        assert 1 < len(re.findall(rb"/Type\s*/Page\b", pdf)) < 40


def test_rows_that_do_not_differ_are_left_out_on_paper(view: Open, pair: Path) -> None:
    opened = view(pair)
    opened.page.emulate_media(media="print")
    shown = """[...document.querySelectorAll("#row-table tbody tr")].filter((row) => row.getClientRects().length)
      .map((row) => row.dataset.kind)"""
    assert set(opened.ask(shown)) <= {"faster", "slower"}


def test_the_table_of_rows_can_be_sorted_and_filtered(view: Open, pair: Path) -> None:
    opened = view(pair)
    opened.page.locator("#row-table thead button").nth(7).click()
    question = "[...document.querySelectorAll('#row-table tbody tr')].map((row) => Number(row.cells[7].dataset.sort))"
    ratios = opened.ask(question)
    assert ratios == sorted(ratios, reverse=True)
    region = opened.page.locator("#rows")
    region.locator("input[type=search]").fill("gcm 1,400")
    words = opened.ask("""[...document.querySelectorAll("#row-table tbody tr")].filter((row) => !row.hidden)
      .map((row) => row.textContent)""")
    assert words
    assert all("gcm" in each and "1,400" in each for each in words)


def test_the_data_can_be_taken_out_again(view: Open, page: Callable[..., Path]) -> None:
    opened = view(page())
    with opened.page.expect_download() as saved:
        opened.page.locator("#raw-controls button").last.click()
    document = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert document["format"] == "ipsecbench comparison"
    assert [box["title"] for box in document["boxes"]] == [f"title {place}" for place in range(7)]
    assert saved.value.suggested_filename == "ipsecbench-report-data.json"
