"""Headless Chromium, and reports for it to open. Nothing here uses a network."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.frame import content_security_policy
from ipsecbench.report.page import render_page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
)  # fmt: skip
_LONGEST_SECONDS = 60
_FRAME = """<!DOCTYPE html><title>frame</title>
<script>
addEventListener("message", (event) => document.documentElement.setAttribute("data-answer", event.data));
</script>
<iframe src="asked.html" width="{width}" height="{height}" style="border: 0"></iframe>
"""


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


@dataclass(frozen=True)
class Chromium:
    """A browser that is started anew, with an empty profile, for each thing that is asked of it."""

    program: str
    directory: Path

    def run(self, page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        """Open a page."""
        profile = self.directory / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        return subprocess.run(
            [self.program, *_FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            check=True,
        )

    def complaints(self, page: Path, *flags: str) -> list[str]:
        """What the browser's console says of a page."""
        log = self.run(page, "--dump-dom", *flags).stderr
        return [line for line in log.splitlines() if "CONSOLE" in line or "Content Security Policy" in line]

    def screenshot(self, page: Path, width: int, height: int, *flags: str) -> bytes:
        """The page as a PNG picture."""
        target = self.directory / "screen.png"
        target.unlink(missing_ok=True)
        self.run(page, f"--window-size={width},{height}", f"--screenshot={target}", *flags)
        return target.read_bytes()

    def pdf(self, page: Path) -> bytes:
        """The page as it is printed."""
        target = self.directory / "page.pdf"
        target.unlink(missing_ok=True)
        self.run(page, "--no-pdf-header-footer", f"--print-to-pdf={target}")
        return target.read_bytes()

    def ask(self, page: Path, expression: str, width: int = 1200, height: int = 900) -> Any:
        """The value of a JavaScript expression, evaluated after the page's own script.

        The question is put into a copy of the page, whose policy allows it by its own digest. The copy stands in a
        frame of the wanted width, because a window cannot be narrower than 500 pixels.
        """
        text = page.read_text(encoding="utf-8")
        style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)[0]
        script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)[0]
        asking = f'{script}\nparent.postMessage(JSON.stringify({expression}), "*");'
        before, after = content_security_policy(style, script), content_security_policy(style, asking)
        assert str(escape(before)) in text
        text = text.replace(f"<script>{script}</script>", f"<script>{asking}</script>")
        text = text.replace(str(escape(before)), str(escape(after)))
        (self.directory / "asked.html").write_text(text, encoding="utf-8")
        frame = self.directory / "frame.html"
        frame.write_text(_FRAME.format(width=width, height=height), encoding="utf-8")
        result = self.run(frame, "--dump-dom", "--window-size=1400,1000", "--virtual-time-budget=3000")
        answer = re.search(r'data-answer="([^"]*)"', result.stdout)
        assert answer, result.stderr
        return json.loads(html.unescape(answer[1]))


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    """The browser; without one the test is skipped, or fails where CI=true."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        reason = "no Chromium: install the package 'chromium'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Chromium(program, tmp_path)


@pytest.fixture
def report(make_dataset: Callable[..., Any], tmp_path: Path) -> Path:
    """The report of a synthetic box with a goal, as a file."""
    dataset = make_dataset("x86-aes", half_width=0.03, label="Branch office router", lab={"aes128gcm16": 40.0})
    answer = recommend(dataset, load_policy("modern"), Requirements(goal_mbit_per_second=500))
    path = tmp_path / "report.html"
    path.write_text(render_page(dataset, answer, "box.ipsecbench.json"), encoding="utf-8")
    return path
