"""A page in the browser, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_SHORTEN = """for (const body of document.querySelectorAll("tbody")) {
  const seen = new Map();
  for (const row of [...body.rows]) {
    const kind = `${row.className}|${row.dataset.kind}`, count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    if (count > 2) row.remove();
  }
}"""
DESKTOP, PHONE, SMALLEST = (1440, 900), (390, 844), (320, 640)


@dataclass
class View:
    """A page in the browser."""

    page: Page
    """Playwright's handle."""
    complaints: list[str] = field(default_factory=list)
    """What the console said, what was thrown, and what was asked for beside the page itself."""

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; the page's policy does not bind the one who tests."""
        return self.page.evaluate(expression)

    def violations(self) -> list[str]:
        """What axe-core finds wrong, best practices and contrast included; each with the elements it is about.

        Long tables are shortened first to some rows of each kind, since each cell takes milliseconds.
        """
        self.page.evaluate(_SHORTEN)
        self.page.evaluate(_axe())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']}: {node['target']} {node['html'][:160]} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def open_all(self) -> None:
        """Unfold everything that is folded."""
        self.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


@cache
def _axe() -> str:
    """axe-core, as its Python package brings it."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
