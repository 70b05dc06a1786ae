"""Boxes are called so that people can tell them apart, and are found by what they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ipsecbench.comparison.participants import boxes_of, named
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import UsageError
from ipsecbench.library.facts import facts_of
from ipsecbench.library.reading import Entry


def entry(name: str, label: str | None = None, **hardware: Any) -> Entry:
    environment = {"hardware": hardware}
    dataset = Dataset("2026-01-02T00:00:00+00:00", "0.1.0", label, "finished", {}, environment, ())
    return Entry(Path(f"{name}.ipsecbench.json"), name, dataset)


def test_a_short_label_that_nobody_else_has_is_the_name() -> None:
    boxes = boxes_of([entry("a", "new firmware"), entry("b", "x" * 60), entry("c", "same"), entry("d", "same"),
                      entry("e"), entry("f", "a")])  # fmt: skip
    assert [box.name for box in boxes] == ["new firmware", "b", "c", "d", "e", "f"]


def test_titles_say_device_or_processor() -> None:
    named_device = entry("a", platform={"device_vendor": "Ubiquiti", "device_model": "ER-X"}, cpu={"model": "MT7621"})
    titles = [box.title for box in boxes_of([named_device, entry("b", cpu={"model": "Intel  N100"}), entry("c")])]
    assert titles == ["Ubiquiti ER-X", "Intel N100", "box unknown"]


def test_boxes_are_found_by_name_label_file_and_number() -> None:
    boxes = boxes_of([entry("a", "one"), entry("b", "two " * 20), entry("c", "same"), entry("d", "same")])
    found = [named(boxes, name) for name in ("one", "b", "two " * 20, "a.ipsecbench.json", "./b.ipsecbench.json", "4")]
    assert found == [0, 1, 1, 0, 1, 3]
    for name, says in (("same", "2 boxes"), ("5", "no box '5'"), ("", "no box ''"), ("e", "there are one, b, c, d")):
        with pytest.raises(UsageError, match=says):
            named(boxes, name)


def test_facts_are_short_lines() -> None:
    hostile = entry("a", cpu={"model": "<b>x</b>\n\x1b[2J" + "y" * 9999}, platform={"kernel_release": ["6", {"a": 1}]},
                    condition={"is_boost_on": [None], "governors": {"a": []}})  # fmt: skip
    facts = facts_of(hostile.dataset)
    assert "boost" not in facts
    assert facts["kernel"] == "6"
    assert all(len(text) <= 300 and "\n" not in text for text in facts.values())
