"""JSON that somebody else wrote: read strictly, so that no number is larger than what can be counted with."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

_LARGEST_INTEGER = 2**63
_LONGEST_QUOTE = 40
_SHAPES = bytes.maketrans(b"123456789E", b"000000000e")
"""Every digit as 0: what a number is like, whatever it is."""
_HUGE_EXPONENT = re.compile(rb"e0{3,}(?:[\s,\]}]|$)")
_MANY_DIGITS = b"0" * 300


def parse_json(text: str, *, is_unique: bool = False) -> object:
    """What JSON says.

    Args:
        text: the document.
        is_unique: refuse an object that has a key twice, of which readers differ in which one counts.

    Raises:
        ValueError: it is no JSON; it has NaN, an infinity, or a number beyond every measure; a key is there twice.
        RecursionError: it is nested deeper than anything that describes a box.
    """
    pairs = _unique if is_unique else None
    if not _may_be_huge(text):  # the other way is slower, and few texts need it
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=pairs)
    return json.loads(
        text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded, object_pairs_hook=pairs
    )


def _may_be_huge(text: str) -> bool:
    """Whether a text has what every number has in it that no float can hold; a few others have it too.

    It goes through every dataset of a library, therefore in steps that are quick: digests are full of an ``e`` before
    digits, but hardly any goes on as a number would.
    """
    shapes = text.encode("utf-8", "surrogatepass").translate(_SHAPES, b"+")
    place = shapes.find(b"e000")
    while place >= 0:
        if _HUGE_EXPONENT.match(shapes, place) is not None:
            return True
        place = shapes.find(b"e000", place + 1)
    return _MANY_DIGITS in shapes


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON allows")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:20]} is larger than any number of a computer")
    return value


def _bounded(text: str) -> int:
    if len(text) > len(str(_LARGEST_INTEGER)) + 1 or abs(int(text)) > _LARGEST_INTEGER:
        raise ValueError(f"{text[:20]}… is larger than anything that is counted")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:_LONGEST_QUOTE]!r} is there twice in one object")
    return found
