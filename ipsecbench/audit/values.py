"""Numbers, times and amounts as configuration files spell them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ipsecbench.audit.text import unreadable

_LARGEST = 2**64 - 1
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]{1,16}|0[0-7]{1,22}|[1-9][0-9]{0,19}|0)\s*([A-Za-z]{0,3})\Z")
SECONDS: Mapping[str, int] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds in the units of time."""
OCTETS: Mapping[str, int] = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
"""Octets in the units that strongSwan knows."""
COUNTS: Mapping[str, int] = {"": 1}
"""No unit at all."""
_TRUE = ("yes", "true", "enabled", "on", "1")
_FALSE = ("no", "false", "disabled", "off", "0")


def amount(text: str, units: Mapping[str, int], line: int, key: str) -> int:
    """A number with a unit, in the unit's base.

    As C reads it: ``0x`` begins a hexadecimal and ``0`` an octal number.

    Raises:
        UsageError: it is none; the message has the line and the key.
    """
    match = _NUMBER.match(text.strip())
    unit = None if match is None else units.get(match[2].lower())
    if match is None or unit is None:
        known = ", ".join(name for name in units if name)
        what = f"a whole number with one of the units {known}" if known else "a whole number"
        raise unreadable(line, f"{key}: it must be {what}")
    digits = match[1]
    base = 16 if digits[:2] in ("0x", "0X") else 8 if len(digits) > 1 and digits[0] == "0" else 10
    return min(int(digits, base) * unit, _LARGEST)


def boolean(text: str, line: int, key: str) -> bool:
    """Yes or no.

    Raises:
        UsageError: it is neither.
    """
    word = text.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise unreadable(line, f"{key}: it must be yes or no")
    return word in _TRUE


def listed(text: str) -> list[str]:
    """The parts of a list that is separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
