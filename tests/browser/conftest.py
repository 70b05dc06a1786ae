"""Headless Chromium through Playwright, and pages for it to open. Nothing here uses a network.

One browser for all tests of this folder; each page has a profile of its own. Whatever a page says on its console,
throws, or asks for beside itself makes its test fail at the end, unless the test looked at it and emptied the list.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.page import render_page
from tests.browser.viewer import DESKTOP, View

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip

PATIENCE_MS = 120_000
"""How long a page may take for anything, on a busy machine too; Playwright's own limit is 30 s."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser; without one its tests are skipped, or fail where CI=true.

    It is closed with the last test of this folder: Playwright keeps an event loop in this thread until then.
    """
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        reason = "no Chromium: install the package 'chromium'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS), timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def view(chromium: Browser) -> Iterator[Callable[..., View]]:
    """A function that opens a file, with the size of the screen and the wishes of its user."""
    contexts: list[BrowserContext] = []
    views: list[View] = []

    def open_(
        path: Path,
        size: tuple[int, int] = DESKTOP,
        *,
        theme: Any = "light",
        motion: Any = "no-preference",
        scripts: bool = True,
        permissions: tuple[str, ...] = (),
    ) -> View:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            reduced_motion=motion,
            java_script_enabled=scripts,
            permissions=list(permissions),
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        opened = View(context.new_page())
        views.append(opened)
        address = path.as_uri()
        opened.page.on("console", lambda said: opened.complaints.append(f"console {said.type}: {said.text}"))
        opened.page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))
        opened.page.on(
            "request",
            lambda asked: (
                None
                if asked.url.partition("#")[0] == address or asked.url.startswith("blob:")
                else opened.complaints.append(f"request: {asked.url}")
            ),
        )
        opened.page.goto(address)
        return opened

    yield open_
    for context in contexts:
        context.close()
    assert [complaint for each in views for complaint in each.complaints] == []


def _synthetic_boxes() -> Any:
    """The fixtures of the unit tests, which pytest does not show to this directory."""
    path = Path(__file__).parents[1] / "unit" / "conftest.py"
    spec = importlib.util.spec_from_file_location("synthetic_boxes", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthetic_boxes"] = module
    spec.loader.exec_module(module)
    return module


make_dataset = _synthetic_boxes().make_dataset


@pytest.fixture
def report(make_dataset: Callable[..., Any], tmp_path: Path) -> Path:
    """The report of a synthetic box with a goal, as a file."""
    path = tmp_path / "report.html"
    path.write_text(_report(make_dataset), encoding="utf-8")
    return path


_RENDERED: dict[str, str] = {}


def _report(make_dataset: Callable[..., Any]) -> str:
    """Rendered once: it is the same each time."""
    if "report" not in _RENDERED:
        dataset = make_dataset("x86-aes", half_width=0.03, label="Branch office router", lab={"aes128gcm16": 40.0})
        answer = recommend(dataset, load_policy("modern"), Requirements(goal_mbit_per_second=500))
        _RENDERED["report"] = render_page(dataset, answer, "box.ipsecbench.json")
    return _RENDERED["report"]
