"""The report in a real browser: opened from a file, in both themes, narrow, printed, by keyboard."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LIGHT, DARK = (0xFB, 0xFB, 0xF9), (0x14, 0x17, 0x1A)


def _first_pixel(png: bytes) -> tuple[int, int, int]:
    """The upper left pixel of an 8-bit RGB or RGBA picture: filters leave the first pixel of the first row as it is."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    position, data, depth = 8, b"", b""
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        kind = png[position + 4 : position + 8]
        content = png[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            depth = content[8:10]
        elif kind == b"IDAT":
            data += content
        position += 12 + length
    assert depth in (b"\x08\x02", b"\x08\x06")
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


def test_it_opens_from_a_file_without_a_word_on_the_console(chromium: Any, report: Path) -> None:
    assert chromium.complaints(report) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("</body>", "<script>document.title = 'x'</script></body>"),
        ("</body>", "<p style='color: red'>x</p></body>"),
        ("</body>", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' alt=''></body>"),
        ("</head>", "<link rel='stylesheet' href='other.css'></head>"),
    ],
)
def test_what_is_smuggled_in_is_refused(chromium: Any, report: Path, before: str, after: str) -> None:
    """Shows too that the test above would see a violation."""
    report.write_text(report.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    assert any("Content Security Policy" in line for line in chromium.complaints(report))


def test_it_follows_the_theme_of_the_system(chromium: Any, report: Path) -> None:
    assert _first_pixel(chromium.screenshot(report, 800, 600, "--blink-settings=preferredColorScheme=1")) == LIGHT
    assert _first_pixel(chromium.screenshot(report, 800, 600, "--blink-settings=preferredColorScheme=0")) == DARK


@pytest.mark.parametrize("width", [320, 360, 700, 1200])
def test_the_page_never_scrolls_sideways(chromium: Any, report: Path, width: int) -> None:
    question = """(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
      return [innerWidth, document.documentElement.scrollWidth];
    })()"""
    assert chromium.ask(report, question, width) == [width, width]


@pytest.mark.parametrize(("width", "shown"), [(360, "narrow"), (1200, "wide")])
def test_each_screen_gets_the_drawings_made_for_it(chromium: Any, report: Path, width: int, shown: str) -> None:
    visible = (
        "[...document.querySelectorAll('svg')].filter((s) => s.getClientRects().length).map((s) => s.classList[1])"
    )
    assert set(chromium.ask(report, visible, width)) == {shown}


@pytest.mark.parametrize("width", [360, 720, 1200])
def test_no_text_of_a_drawing_leaves_it_or_is_too_small_to_read(chromium: Any, report: Path, width: int) -> None:
    outside = """[...document.querySelectorAll("svg text")].filter((text) => {
      const own = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
      return text.getClientRects().length && (own.left < all.left - 1 || own.right > all.right + 1
        || own.top < all.top - 1 || own.bottom > all.bottom + 1 || own.height < 9);
    }).map((text) => text.textContent)"""
    assert chromium.ask(report, outside, width) == []


def test_the_table_of_suites_can_be_filtered(chromium: Any, report: Path) -> None:
    question = """(() => {
      const table = document.getElementById("suite-table"), box = table.parentElement.previousElementSibling;
      const shown = () => [...table.tBodies[0].rows].filter((row) => !row.hidden);
      const [text, select] = [box.querySelector("input"), box.querySelector("select")];
      const all = shown().length;
      text.value = "GCM 256"; text.dispatchEvent(new Event("input"));
      const found = shown().map((row) => row.textContent.toLowerCase());
      text.value = ""; text.dispatchEvent(new Event("input"));
      select.value = "recommended"; select.dispatchEvent(new Event("change"));
      return [all, found, shown().length, box.querySelector("output").textContent];
    })()"""
    everything, found, recommended, count = chromium.ask(report, question)
    assert 0 < len(found) < everything
    assert all("gcm" in text and "256" in text for text in found)
    assert recommended == 1
    assert count == f"1 of {everything}"


def test_the_table_of_suites_can_be_sorted(chromium: Any, report: Path) -> None:
    question = """(() => {
      const table = document.getElementById("suite-table"), heading = table.tHead.rows[0].cells[3];
      const values = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[3].dataset.sort));
      const button = heading.querySelector("button");
      button.click(); const down = [values(), heading.getAttribute("aria-sort")];
      button.click(); const up = [values(), heading.getAttribute("aria-sort")];
      table.tHead.rows[0].cells[0].querySelector("button").click();
      return [down, up, heading.getAttribute("aria-sort")];
    })()"""
    (down, down_state), (up, up_state), afterwards = chromium.ask(report, question)
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    assert (down_state, up_state, afterwards) == ("descending", "ascending", None)


def test_the_data_can_be_shown_and_saved_under_the_policy(chromium: Any, report: Path) -> None:
    question = """(() => {
      const [show, save] = document.querySelectorAll("#raw-controls button");
      const pre = document.getElementById("raw-text"), before = pre.hidden;
      save.click(); show.click();
      return [before, pre.hidden, JSON.parse(pre.textContent).dataset.format];
    })()"""
    assert chromium.ask(report, question) == [True, False, "ipsecbench dataset"]
    assert chromium.complaints(report.parent / "asked.html") == []


def test_everything_that_acts_is_reached_by_keyboard_and_named(chromium: Any, report: Path) -> None:
    nameless = """[...document.querySelectorAll("a, button, input, select, summary, [tabindex]")].filter((node) => {
      const label = node.getAttribute("aria-label") || node.textContent.trim() || (node.labels && node.labels[0]);
      return !label && node.id !== "raw-text" && node.id !== "main";
    }).length"""
    assert chromium.ask(report, nameless) == 0
    first = "[...document.querySelectorAll('a, button, input, [tabindex=\"0\"]')][0].textContent"
    assert chromium.ask(report, first).startswith("Skip")
    focused = """(() => {
      const link = document.querySelector(".skip"); link.focus();
      return [link.getBoundingClientRect().top >= 0, getComputedStyle(link).outlineStyle];
    })()"""
    seen, outline = chromium.ask(report, focused)
    assert outline != "none" or seen


def test_without_scripts_everything_is_there_but_the_controls(chromium: Any, report: Path) -> None:
    text = re.sub(r"<script>.*?</script>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    report.write_text(text, encoding="utf-8")
    shown = chromium.run(report, "--dump-dom").stdout
    assert "<button" not in shown
    assert "<input" not in shown
    assert shown.count("<tr") == text.count("<tr")


def _pages(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF")
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_it_prints_on_a4_with_all_its_details_opened(chromium: Any, report: Path) -> None:
    pdf = chromium.pdf(report)
    width, height = map(float, re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf)[0])
    assert width == pytest.approx(595, abs=1.5)
    assert height == pytest.approx(842, abs=1.5)
    text = report.read_text(encoding="utf-8")
    opened = re.sub(r"<details(?: open)?>", "<details open>", text)
    without = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    bare = re.sub(r"(<summary>.*?</summary>).*?</details>", r"\1</details>", text, flags=re.DOTALL)
    pages = _pages(pdf)
    report.write_text(opened, encoding="utf-8")
    assert _pages(chromium.pdf(report)) == pages
    report.write_text(without, encoding="utf-8")
    assert _pages(chromium.pdf(report)) == pages
    report.write_text(bare, encoding="utf-8")
    assert _pages(chromium.pdf(report)) < pages


def test_predictions_and_measurements_are_told_apart_by_shape(chromium: Any, report: Path) -> None:
    question = """(() => {
      const marks = [...document.querySelectorAll("#agreement-wide title")];
      const words = marks.map((title) => title.textContent).filter((text) => text.includes("aes128gcm16"));
      return [words.filter((text) => text.includes("predicted")).length,
              words.filter((text) => text.includes("measured in the laboratory")).length,
              document.querySelector("#agreement-section .lead").textContent.includes("in the wrong order")];
    })()"""
    assert chromium.ask(report, question) == [2, 2, True]
