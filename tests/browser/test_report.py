"""The report in a real browser: opened from a file, in both themes, narrow, printed, by keyboard, without scripts."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.proof.records import Difference
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.figures_page import render_figures_page
from ipsecbench.report.box.page import render_page
from ipsecbench.report.proof_page import render_proof_page
from tests.browser.viewer import DESKTOP, PHONE, SMALLEST, View
from tests.unit.proof.test_screen import FIRST, a_proof
from tests.unit.report.box.test_origin import imported

pytestmark = pytest.mark.browser

Open = Callable[..., View]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("</body>", "<script>document.title = 'x'</script></body>"),
        ("</body>", "<p style='color: red'>x</p></body>"),
        ("</body>", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' alt=''></body>"),
        ("</head>", "<link rel='stylesheet' href='other.css'></head>"),
    ],
)
def test_what_is_smuggled_in_is_refused(view: Open, report: Path, before: str, after: str) -> None:
    """Shows too that every other test would see a violation."""
    report.write_text(report.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    opened = view(report)
    assert any("Content Security Policy" in line for line in opened.complaints)
    opened.complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_wrong(view: Open, report: Path, theme: str, size: tuple[int, int]) -> None:
    opened = view(report, size, theme=theme)
    opened.open_all()
    assert opened.violations() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_a_report_of_what_others_measured(view: Open, tmp_path: Path, theme: str) -> None:
    dataset = imported()
    answer = recommend(dataset, load_policy("modern"), Requirements(goal_mbit_per_second=500))
    for name, page in (
        ("whole", render_page(dataset, answer)),
        ("figures", render_figures_page(imported(keys=False), "no key exchange was measured")),
        ("box", render_figures_page(imported(keys=False, ciphers=False), "nothing was measured")),
    ):
        path = tmp_path / f"{name}.html"
        path.write_text(page, encoding="utf-8")
        opened = view(path, PHONE, theme=theme)
        opened.open_all()
        assert opened.violations() == []
        assert opened.ask("document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("size", [DESKTOP, SMALLEST], ids=["desktop", "smallest"])
def test_axe_finds_nothing_wrong_with_a_proof(
    view: Open, make_dataset: Callable[..., Any], tmp_path: Path, size: tuple[int, int]
) -> None:
    dataset = make_dataset("x86-aes", label="Branch office router")
    answer = recommend(dataset, load_policy("modern"), Requirements())
    proof = a_proof(FIRST, replace(FIRST, name="runner-up", differences=(Difference("peer", "mode", "a", "b"),)))
    path = tmp_path / "proof.html"
    path.write_text(render_proof_page(proof, [answer, answer], dataset), encoding="utf-8")
    opened = view(path, size, theme="dark")
    opened.open_all()
    assert opened.violations() == []
    assert opened.ask("document.documentElement.scrollWidth") == size[0]


def test_a_link_to_a_configuration_unfolds_it_and_it_is_copied_whole(view: Open, report: Path) -> None:
    opened = view(report, permissions=("clipboard-read", "clipboard-write"))
    details = opened.page.locator("#config-swanctl")
    assert details.get_attribute("open") is None
    opened.page.locator(".as-configuration a").first.click()
    assert details.get_attribute("open") is not None
    pre = details.locator("pre").first
    pre.locator("xpath=following-sibling::button[1]").click()
    assert opened.ask("navigator.clipboard.readText()") == pre.text_content()


def test_axe_would_find_what_is_wrong(view: Open, report: Path) -> None:
    text = report.read_text(encoding="utf-8").replace("</main>", "<p><input></p></main>")
    report.write_text(text, encoding="utf-8")
    assert any(line.startswith("label:") for line in view(report).violations())


@pytest.mark.parametrize(("theme", "paper"), [("light", "rgb(251, 251, 249)"), ("dark", "rgb(20, 23, 26)")])
def test_it_follows_the_theme_of_the_system(view: Open, report: Path, theme: str, paper: str) -> None:
    assert view(report, theme=theme).ask("getComputedStyle(document.body).backgroundColor") == paper


@pytest.mark.parametrize("width", [SMALLEST[0], 360, PHONE[0], 700, 1200])
def test_the_page_never_scrolls_sideways(view: Open, report: Path, width: int) -> None:
    opened = view(report, (width, 800))
    opened.open_all()
    assert opened.ask("[innerWidth, document.documentElement.scrollWidth]") == [width, width]


@pytest.mark.parametrize(("width", "shown"), [(360, "narrow"), (1200, "wide")])
def test_each_screen_gets_the_drawings_made_for_it(view: Open, report: Path, width: int, shown: str) -> None:
    visible = (
        "[...document.querySelectorAll('svg')].filter((s) => s.getClientRects().length).map((s) => s.classList[1])"
    )
    assert set(view(report, (width, 800)).ask(visible)) == {shown}


@pytest.mark.parametrize("width", [360, 720, 1200])
def test_no_text_of_a_drawing_leaves_it_or_is_too_small_to_read(view: Open, report: Path, width: int) -> None:
    outside = """[...document.querySelectorAll("svg text")].filter((text) => {
      const own = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
      return text.getClientRects().length && (own.left < all.left - 1 || own.right > all.right + 1
        || own.top < all.top - 1 || own.bottom > all.bottom + 1 || own.height < 9);
    }).map((text) => text.textContent)"""
    assert view(report, (width, 800)).ask(outside) == []


def test_the_table_of_suites_can_be_filtered(view: Open, report: Path) -> None:
    opened = view(report)
    section = opened.page.locator("#suites")
    rows, count = opened.page.locator("#suite-table tbody tr:visible"), section.locator("output").first
    everything = rows.count()
    section.get_by_label("Filter").first.fill("GCM 256")
    found = [text.lower() for text in rows.all_text_contents()]
    assert 0 < len(found) < everything
    assert all("gcm" in text and "256" in text for text in found)
    section.get_by_label("Filter").first.fill("")
    section.get_by_label("Show").first.select_option("recommended")
    assert rows.count() == 1
    assert count.text_content() == f"1 of {everything}"


def test_the_table_of_suites_can_be_sorted(view: Open, report: Path) -> None:
    page = view(report).page
    heading = page.locator("#suite-table thead th").nth(3)

    def values() -> list[float]:
        cells = page.locator("#suite-table tbody tr > :nth-child(4)")
        found: list[float] = cells.evaluate_all("(cells) => cells.map((cell) => Number(cell.dataset.sort))")
        return found

    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(values())
    page.locator("#suite-table thead th").first.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None


def test_the_data_can_be_shown_and_saved_under_the_policy(view: Open, report: Path) -> None:
    page = view(report).page
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    document = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert document["dataset"]["format"] == "ipsecbench dataset"
    page.get_by_role("button", name="Show", exact=True).click()
    assert json.loads(page.locator("#raw-text").text_content() or "") == document


def test_the_dataset_is_saved_unpacked_as_the_file_that_it_was(view: Open, report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    before = re.findall(r'id="ipsecbench-data">(.*?)</script>', text, re.DOTALL)[0]
    octets = json.dumps(json.loads(before)["dataset"]).encode()
    packed = base64.b64encode(gzip.compress(octets)).decode()
    report.write_text(text.replace(before, json.dumps({"dataset_gzip": packed})), encoding="utf-8")
    page = view(report).page
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the dataset").click()
    assert saved.value.suggested_filename == "box.ipsecbench.json"
    assert Path(saved.value.path()).read_bytes() == octets


def test_proposals_and_commands_are_copied(view: Open, report: Path) -> None:
    opened = view(report, permissions=("clipboard-read", "clipboard-write"))
    for code in opened.page.locator("code.copyable").all():
        code.locator("xpath=following-sibling::button[1]").click()
        assert opened.ask("navigator.clipboard.readText()") == code.text_content()
    assert opened.page.locator("p[role=status]").text_content() == "Copied"


def test_where_the_clipboard_is_closed_the_text_is_selected(view: Open, report: Path) -> None:
    opened = view(report)
    opened.ask("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    opened.page.locator("#proposal-esp + button").click()
    assert opened.ask("getSelection().toString()") == opened.page.locator("#proposal-esp").text_content()


def test_everything_that_acts_is_reached_by_keyboard(view: Open, report: Path) -> None:
    opened = view(report)
    wanted = opened.ask("""[...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
      .filter((node) => node.checkVisibility({visibilityProperty: true})).length""")
    opened.page.keyboard.press("Tab")
    assert opened.ask("document.activeElement.textContent") == "Skip to the decision"
    assert opened.ask("document.activeElement.getBoundingClientRect().top >= 0")
    reached = 1
    while True:
        opened.page.keyboard.press("Tab")
        state = opened.ask("""(() => {
          const now = document.activeElement, seen = now.reached || now === document.body;
          now.reached = true;
          return [seen, getComputedStyle(now).outlineStyle];
        })()""")
        if state[0] or reached > wanted:
            break
        assert state[1] != "none"
        reached += 1
    assert reached == wanted


def test_without_scripts_everything_is_there_but_the_controls(view: Open, report: Path) -> None:
    page = view(report, scripts=False).page
    assert page.locator("button, input, select").count() == 0
    assert page.locator("tr").count() == report.read_text(encoding="utf-8").count("<tr")
    page.locator("summary").first.click()
    assert page.locator("details[open]").count() > 0


def test_nothing_moves_for_those_who_do_not_want_it(view: Open, report: Path) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert view(report, motion="reduce").ask(behaviour) == "auto"
    assert view(report).ask(behaviour) == "smooth"


def _pages(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF")
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_it_prints_on_a4_with_all_its_details_opened(view: Open, report: Path) -> None:
    def printed(text: str, **options: Any) -> bytes:
        path = report.with_name("printed.html")
        path.write_text(text, encoding="utf-8")
        return view(path, **options).page.pdf(prefer_css_page_size=True)

    text = report.read_text(encoding="utf-8")
    pdf = printed(text)
    width, height = map(float, re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf)[0])
    assert width == pytest.approx(595, abs=1.5)
    assert height == pytest.approx(842, abs=1.5)
    pages = _pages(pdf)
    assert pages <= 36
    assert _pages(printed(re.sub(r"<details(?: open)?>", "<details open>", text))) == pages
    assert _pages(printed(text, scripts=False)) == pages
    bare = re.sub(r"(<summary>.*?</summary>).*?</details>", r"\1</details>", text, flags=re.DOTALL)
    assert _pages(printed(bare)) < pages


def test_predictions_and_measurements_are_told_apart_by_shape(view: Open, report: Path) -> None:
    question = """(() => {
      const marks = [...document.querySelectorAll("#agreement-wide title")];
      const words = marks.map((title) => title.textContent).filter((text) => text.includes("aes128gcm16"));
      return [words.filter((text) => text.includes("predicted")).length,
              words.filter((text) => text.includes("measured in the laboratory")).length,
              document.querySelector("#agreement-section .lead").textContent.includes("in the wrong order")];
    })()"""
    assert view(report).ask(question) == [2, 2, True]
