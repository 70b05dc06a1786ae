"""The style sheet: contrast as WCAG 2.2 computes it, in both themes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = files("ipsecbench.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
TEXT_ON = [
    (text, ground)
    for ground in ("paper", "card")
    for text in ("ink", "muted", "accent", "good", "fair", "bad", "goal", "star")
] + [("ink", "accent-soft"), ("accent", "accent-soft"), ("muted", "accent-soft"), ("ink", "fair-soft")]
TEXT_ON += [
    ("accent", "fair-soft"),
    ("accent", "bad-soft"),
    ("fair", "fair-soft"),
    ("bad", "bad-soft"),
    ("ink", "bad-soft"),
]
TEXT_ON += [("paper", "accent")]


def _colours(theme: str) -> dict[str, str]:
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)", 1)
    found = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", light))
    return found if theme == "light" else {**found, **dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", dark))}


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert _contrast("#ffffff", "#000000") == pytest.approx(21)
    # The grey that WCAG's own examples give as just enough on white.
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    colours = _colours(theme)
    assert _contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("series", [f"s{number}" for number in range(8)])
@pytest.mark.parametrize("ground", ["paper", "accent-soft"])
def test_marks_can_be_seen(theme: str, series: str, ground: str) -> None:
    colours = _colours(theme)
    assert _contrast(colours[series], colours[ground]) >= 3


def test_paper_is_white_and_the_dark_theme_is_for_screens_only() -> None:
    assert "@media (prefers-color-scheme" not in STYLE
    assert "outline: 3px solid" in STYLE
    assert "</" not in STYLE
