"""How large the page of 50 boxes is, how long it takes to make, and how soon it is interactive in headless Chromium.

The boxes are datasets of this repository whose times are scaled, each by its own factor, with a goal, a price and the
cost of security: everything that the page can show. Times in the browser are taken by the page's own clock, each in a
new tab: until the scripts have run (DOMContentLoaded), and what sorting, filtering and another baseline take until the
next frame is drawn. Prints medians with their range.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from ipsecbench.bench.measurement import Estimate, Measurement
from ipsecbench.comparison.boxes import rank_boxes
from ipsecbench.comparison.compare import compare
from ipsecbench.comparison.model import Box
from ipsecbench.comparison.security_cost import security_costs
from ipsecbench.dataset.store import read_dataset
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.comparison.page import render_comparison
from tests.bench.figures import go_before_others, heading

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("example", "lab")
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ACTS = {
    "first sort of the matrix": """() => document.querySelectorAll('.matrix thead button')[1].click()""",
    "filter of the matrix": """() => {
      const input = document.querySelector('.matrix-section .controls input[type=search]');
      input.value = '7'; input.dispatchEvent(new Event('input'));
    }""",
    "another baseline": """() => {
      const select = document.getElementById('baseline');
      select.value = '7'; select.dispatchEvent(new Event('change'));
    }""",
    "another library": """() => {
      const select = document.querySelector('.matrix-section .controls select');
      select.value = '1'; select.dispatchEvent(new Event('change'));
    }""",
}
_TIMED = """(act) => new Promise((done) => {
  const start = performance.now();
  eval(act)();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""
_READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def boxes(count: int) -> list[Box]:
    """So many boxes with different speeds and prices."""
    read = [read_dataset(ROOT / "datasets" / f"{name}.ipsecbench.json") for name in SOURCES]
    made = []
    for number in range(count):
        dataset, factor = read[number % len(read)], 0.4 + number * 7 % 50 / 8
        rows = tuple(_scaled(row, factor) for row in dataset.measurements)
        name = f"Router {number:02d}"
        made.append(Box(name, "scaled", replace(dataset, measurements=rows, label=name), None, 60.0 + 900 / factor))
    return made


def _scaled(row: Measurement, factor: float) -> Measurement:
    ns = row.ns_per_operation
    if ns is None:
        return row
    return replace(row, samples=(), ns_per_operation=Estimate(ns.median * factor, ns.lower * factor, ns.upper * factor))


def show(name: str, times_ms: Sequence[float]) -> None:
    """One line."""
    print(f"{name:<28} median {statistics.median(times_ms):6.0f} ms  ({min(times_ms):.0f} to {max(times_ms):.0f})")


def in_browser(browser: Browser, page: Path, repeat: int) -> None:
    """Time the page in new tabs."""
    found: dict[str, list[float]] = {"DOMContentLoaded": [], **{name: [] for name in _ACTS}, "all of these": []}
    for _ in range(repeat + 1):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        tab = context.new_page()
        tab.goto(page.as_uri())
        one = [float(tab.evaluate(_READY)), *(float(tab.evaluate(_TIMED, act)) for act in _ACTS.values())]
        for name, value in zip(found, [*one, sum(one)], strict=True):
            found[name].append(value)
        context.close()
    for name, times in found.items():
        # The first tab warms the browser up.
        show(name, times[1:])


def main() -> None:
    """Make the page and look at it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=5, help="tabs that are timed")
    arguments = parser.parse_args()
    go_before_others()
    print(heading())
    some = boxes(arguments.boxes)
    wanted = Requirements(goal_mbit_per_second=500)
    start = time.perf_counter()
    comparison = compare(some)
    ranking, costs = rank_boxes(some, load_policy("modern"), wanted), security_costs(some, wanted.traffic)
    between = time.perf_counter()
    html = render_comparison(comparison, ranking, costs)
    end = time.perf_counter()
    print(f"{arguments.boxes} boxes: {len(html.encode()) / 1e6:.2f} MB")
    print(f"compared and ranked in {between - start:.1f} s, rendered in {end - between:.1f} s")
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        print("no Chromium here: nothing timed in a browser")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "boxes.html"
        page.write_text(html, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        in_browser(browser, page, arguments.repeat)
        browser.close()


if __name__ == "__main__":
    main()
