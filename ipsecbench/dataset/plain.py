"""A quick look at whether a document is surely valid: column by column where a validator goes row by row.

The thousands of rows of a dataset have the same keys and few different words, so that what a schema says of a field is
asked once for all rows together: of the set of its types, its least value, its different words. A look can only say
yes or not surely. Whatever it does not know or does not like (a keyword, a number in another notation, a real mistake)
is left to the validator, which also names the field; so no check is lost, and only valid documents are quick.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

Schema = Mapping[str, Any]

_NOTES = frozenset({"$schema", "$id", "title", "description"})
_TYPES: Mapping[str, frozenset[type]] = {
    "object": frozenset({dict}),
    "array": frozenset({list}),
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
}
_NULL: Schema = {"type": "null"}


def surely_valid(values: Sequence[Any], schema: Schema) -> bool:
    """Whether each of some values is surely valid under a JSON Schema; False says nothing.

    Args:
        values: what a JSON parser gave: dicts, lists, strings, numbers, booleans and None.
        schema: a draft 7 schema, or a part of one.
    """
    if not values:
        return True
    if "anyOf" in schema:
        return len(schema.keys() - _NOTES) == 1 and _any_of(values, schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return len(schema.keys() - _NOTES) == 1 and _one_of(values, schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    allowed = _TYPES.get(kind) if isinstance(kind, str) else None
    if allowed is None or not allowed.issuperset(map(type, values)):
        return False
    keywords = schema.keys() - _NOTES - {"type"}
    if kind == "object":
        return keywords <= {"properties", "required", "additionalProperties"} and _objects(values, schema)
    if kind == "array":
        return keywords <= {"items", "minItems"} and _arrays(values, schema)
    checks = _CHECKS.get(str(kind), {})
    return all(keyword in checks and checks[keyword](values, schema[keyword]) for keyword in keywords)


def _any_of(values: Sequence[Any], branches: Sequence[Schema]) -> bool:
    """Whether one branch takes all values; where another one is null, all the others."""
    if _NULL in branches:
        values = [value for value in values if value is not None]
    return any(surely_valid(values, branch) for branch in branches)


def _one_of(values: Sequence[Any], allowed: Sequence[Any]) -> bool:
    """Whether all are words of a list. True is no 1 there, though Python takes them for equal."""
    if any(isinstance(one, (dict, list)) for one in allowed) or not _hashable(values):
        return False
    return {(type(one), one) for one in allowed}.issuperset((type(value), value) for value in values)


def _hashable(values: Sequence[Any]) -> bool:
    return not {dict, list} & set(map(type, values))


def _objects(values: Sequence[Mapping[str, Any]], schema: Schema) -> bool:
    properties: Schema = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    required = frozenset(schema.get("required", ()))
    shapes = {tuple(value) for value in values}
    if not all(required.issubset(shape) for shape in shapes):
        return False
    names = set(chain.from_iterable(shapes))
    for name in names & properties.keys():
        everywhere = name in required
        column = [value[name] for value in values if everywhere or name in value]
        if not surely_valid(column, properties[name]):
            return False
    unknown = names - properties.keys()
    if not unknown or others is True:
        return True
    if others is False:
        return False
    return surely_valid([value[name] for value in values for name in value if name in unknown], others)


def _arrays(values: Sequence[Sequence[Any]], schema: Schema) -> bool:
    if min(map(len, values)) < schema.get("minItems", 0):
        return False
    items = schema.get("items", {})
    return not items or surely_valid(list(chain.from_iterable(values)), items)


def _at_least(values: Sequence[Any], bound: float) -> bool:
    return bool(min(values) >= bound)


def _above(values: Sequence[Any], bound: float) -> bool:
    return bool(min(values) > bound)


def _at_most(values: Sequence[Any], bound: float) -> bool:
    return bool(max(values) <= bound)


def _short(values: Sequence[str], most: int) -> bool:
    return max(map(len, values)) <= most


def _matching(values: Sequence[str], pattern: str) -> bool:
    # Where '$' may stand before a line end, or where JSON's patterns are written otherwise, the validator knows.
    return "$" not in pattern and all(re.search(pattern, value) for value in set(values))


_NUMBERS: Mapping[str, Callable[[Sequence[Any], Any], bool]] = {
    "minimum": _at_least,
    "exclusiveMinimum": _above,
    "maximum": _at_most,
}
_CHECKS: Mapping[str, Mapping[str, Callable[[Sequence[Any], Any], bool]]] = {
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "string": {"maxLength": _short, "pattern": _matching},
}
