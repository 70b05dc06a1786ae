"""What else is not the same where two datasets come from: it may explain a ratio, and is no figure itself."""

from __future__ import annotations

from collections.abc import Mapping

from ipsecbench.comparison.model import Difference
from ipsecbench.dataset.model import Dataset
from ipsecbench.library.facts import clock_hz, facts_of

UNKNOWN = "unknown"
"""Stands for what a dataset does not say."""
_MEASURED_CLOCK = "measured clock"
_CLOCK_TOLERANCE = 0.01
"""Clocks nearer than this are the same: what is measured of one core varies as much."""
_EVEN_IF_UNKNOWN = frozenset(
    {"processor", "processors", "kernel", "libcrypto", "governor", "virtual machine", "mitigations", "mask", "ended"}
)
"""Things of which it says something that one dataset does not know them."""
_FOLLOWS = {"revision": "processor", "microcode": "processor", "architecture": "processor", "cores": "processors"}
"""Things that need no word of their own where another one differs already."""
_IF_MISSING = {"mask": "none", "ended": "finished"}
"""What a dataset that does not name a thing says of it; else it is unknown."""


def differences(base: Dataset, other: Dataset) -> tuple[Difference, ...]:
    """What differs, the weightiest first; what neither says is left out, and what one says is unknown of the other."""
    here, there = facts_of(base), facts_of(other)
    found: list[Difference] = []
    for name in dict.fromkeys((*here, *there)):
        one, two = here.get(name), there.get(name)
        if one == two or ((one is None or two is None) and name not in _EVEN_IF_UNKNOWN):
            continue
        if _follows(name, here, there):
            continue
        if name == _MEASURED_CLOCK and _same_clock(base, other):
            continue
        missing = _IF_MISSING.get(name, UNKNOWN)
        found.append(Difference(name, one or missing, two or missing))
    return tuple(found)


def _follows(name: str, here: Mapping[str, str], there: Mapping[str, str]) -> bool:
    cause = "processor" if name.endswith(" settings") else _FOLLOWS.get(name)
    return cause is not None and here.get(cause) != there.get(cause)


def _same_clock(base: Dataset, other: Dataset) -> bool:
    one, two = clock_hz(base), clock_hz(other)
    return one is not None and two is not None and abs(two / one - 1) <= _CLOCK_TOLERANCE
