"""The quick look accepts nothing that the validator refuses, and reads what this program writes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from ipsecbench.dataset.codec import schema
from ipsecbench.dataset.plain import surely_valid

ROOT = Path(__file__).resolve().parents[3]
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.0, 0.5, -0.5, 65536, 10**30, float("nan"), "", "x", "x" * 201, "tun-lab",
    "2026-01-02T03:04:05", "2026", [], [0], ["x"], [[]], [True], [-1], [1.5], {}, {"median": 1}, {"x": [1]},
)  # fmt: skip


def example() -> dict[str, Any]:
    """A few rows of each kind, so that a validator is quick with it."""
    document: dict[str, Any] = json.loads((ROOT / "datasets" / "lab.ipsecbench.json").read_text(encoding="utf-8"))
    document["measurements"] = document["measurements"][::150]
    document["fits"] = document["fits"][:3]
    document["trials"] = document["trials"][::20]
    assert document["trials"]
    hardware = document["environment"]["hardware"]
    document["environment"]["hardware"] = dict(list(hardware.items())[:1])
    return document


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of a document are."""
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def damaged(document: dict[str, Any], path: tuple[Any, ...], choose: random.Random) -> dict[str, Any]:
    """The document with another value at a place, without one, or with one more."""
    changed = copy.deepcopy(document)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    what = choose.randrange(6)
    if what == 0:
        del holder[path[-1]]
    elif what == 1 and isinstance(holder, dict):
        holder["surplus"] = choose.choice(ODD_VALUES)
    else:
        holder[path[-1]] = choose.choice(ODD_VALUES)
    return changed


def test_what_the_quick_look_accepts_the_validator_accepts() -> None:
    document = example()
    wanted = schema(document["schema"])
    validate = fastjsonschema.compile(wanted)
    choose = random.Random(7296)
    found = {"both accept": 0, "both refuse": 0, "left to the validator": 0}
    # Most places are in the box's description, of which the schema says little.
    everywhere = [path for path in places(document) if path[0] != "environment" or len(path) < 3]
    for path in choose.sample(everywhere, 500):
        changed = damaged(document, path, choose)
        quick = surely_valid([changed], wanted)
        try:
            validate(changed)
        except fastjsonschema.JsonSchemaValueException:
            assert not quick, (path, changed)
            found["both refuse"] += 1
        else:
            found["both accept" if quick else "left to the validator"] += 1
    assert found["both refuse"] > 150
    assert found["both accept"] > 50
    assert found["left to the validator"] < 70


@pytest.mark.parametrize("name", ["example", "lab"])
def test_the_shipped_datasets_need_no_validator(name: str) -> None:
    document = json.loads((ROOT / "datasets" / f"{name}.ipsecbench.json").read_text(encoding="utf-8"))
    assert surely_valid([document], schema(document["schema"]))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, True], {"enum": [1]}),
        ([1, 1.0], {"const": 1}),
        ([[]], {"enum": [1]}),
        ([1, True], {"type": "integer"}),
        ([float("nan"), -1], {"type": "number", "minimum": 0}),
        ([2, float("nan"), -1], {"type": "number", "minimum": 0}),
        ([{"a": 1}, {"b": 1}], {"type": "object", "required": ["a"]}),
        ([{"a": 1}, {"a": 1, "b": 2}], {"type": "object", "properties": {"a": {}}, "additionalProperties": False}),
        ([[1], []], {"type": "array", "minItems": 1}),
        (["x"], {"type": "string", "format": "date"}),
        ([3], {"type": "integer", "multipleOf": 2}),
        ([None, "x"], {"anyOf": [{"type": "null"}, {"type": "integer"}]}),
        ([1], {}),
    ],
)
def test_what_is_not_sure_is_not_accepted(values: list[Any], wanted: dict[str, Any]) -> None:
    assert not surely_valid(values, wanted)


def test_of_nothing_everything_holds() -> None:
    assert surely_valid([], {"type": "integer", "minimum": 1})
    assert surely_valid([[], [None, 3]], {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}})
