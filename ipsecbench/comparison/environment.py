"""What else is not the same where two datasets come from: it may explain a ratio, and is no figure itself."""

from __future__ import annotations

from ipsecbench.comparison.model import Difference
from ipsecbench.dataset.model import Dataset
from ipsecbench.library.facts import clock_hz, facts_of

UNKNOWN = "unknown"
"""Stands for what a dataset does not say."""
_MEASURED_CLOCK = "measured clock"
_CLOCK_TOLERANCE = 0.01
"""Clocks nearer than this are the same: what is measured of one core varies as much."""
_ONLY_IF_BOTH = frozenset({"publisher", "system", "memory", "Python", "mode", "ended"})
"""Things of which it says nothing that one dataset has none."""
_MEANS_NONE = frozenset({"mask"})
"""Things that a dataset which does not name them has not."""


def differences(base: Dataset, other: Dataset) -> tuple[Difference, ...]:
    """What differs, the weightiest first; what neither says is left out, and what one says is unknown of the other."""
    here, there = facts_of(base), facts_of(other)
    found: list[Difference] = []
    for name in dict.fromkeys((*here, *there)):
        one, two = here.get(name), there.get(name)
        if one == two or (name in _ONLY_IF_BOTH and (one is None or two is None)):
            continue
        if name == _MEASURED_CLOCK and _same_clock(base, other):
            continue
        missing = "none" if name in _MEANS_NONE else UNKNOWN
        found.append(Difference(name, one or missing, two or missing))
    return tuple(found)


def _same_clock(base: Dataset, other: Dataset) -> bool:
    one, two = clock_hz(base), clock_hz(other)
    return one is not None and two is not None and abs(two / one - 1) <= _CLOCK_TOLERANCE
