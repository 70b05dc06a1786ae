"""Many ratios in one: the geometric mean of a group, with an interval that claims no more than is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, log
from types import MappingProxyType

from ipsecbench.bench.measurement import Estimate, Workload
from ipsecbench.comparison.compare import outcome_of
from ipsecbench.comparison.model import NOISE, Outcome, Ratio
from ipsecbench.comparison.scopes import group_of, scope_of, size_of, suite_of

GROUPINGS: Mapping[str, Callable[[Workload], str | None]] = MappingProxyType(
    {
        "suite": suite_of,
        "size": size_of,
        "group": group_of,
        "operation": lambda work: work.operation,
        "algorithm": lambda work: work.algorithm,
        "scope": lambda work: scope_of(work).value,
        "tier": lambda work: work.tier.value,
        "provider": lambda work: work.provider,
        "cores": lambda work: str(work.cores),
    }
)
"""By what rows can be grouped; a row without such a property is in no group."""


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """The ratios of a group together."""

    name: str
    """What they have in common."""
    speed: Estimate
    """Geometric mean of the ratios. Its interval goes from the geometric mean of their lower ends to that of their
    upper ends, which is what it would be if all errors went the same way: rows of one run share the run's luck, and
    nobody knows how far."""
    outcome: Outcome
    """What is to be said of it."""
    rows: int
    """How many ratios."""
    lowest: float
    """The smallest of them."""
    highest: float
    """The largest of them."""
    outcomes: Mapping[Outcome, int]
    """How many of them had each outcome."""


def summarised(name: str, ratios: Sequence[Ratio], noise: float = NOISE) -> GroupSummary:
    """The ratios of a group, of which there is at least one, together; each counts once."""
    middle, lower, upper = (
        exp(fsum(log(getattr(ratio.speed, part)) for ratio in ratios) / len(ratios))
        for part in ("median", "lower", "upper")
    )
    speed = Estimate(middle, min(lower, middle), max(upper, middle))
    alone = [ratio.speed.median for ratio in ratios]
    counts = Counter(ratio.outcome for ratio in ratios)
    return GroupSummary(name, speed, outcome_of(speed, noise), len(ratios), min(alone), max(alone), counts)


def by_group(ratios: Iterable[Ratio], grouping: str, noise: float = NOISE) -> tuple[GroupSummary, ...]:
    """A summary for each group, in order of size where groups are sizes, else in that of their first rows.

    Args:
        ratios: any.
        grouping: key of :data:`GROUPINGS`.
        noise: as in the comparison.
    """
    key = GROUPINGS[grouping]
    groups: dict[str, list[Ratio]] = {}
    for ratio in ratios:
        name = key(ratio.workload)
        if name is not None:
            groups.setdefault(name, []).append(ratio)
    found = tuple(summarised(name, some, noise) for name, some in groups.items())
    if grouping in ("size", "cores"):
        return tuple(sorted(found, key=lambda one: (0, int(one.name), "") if one.name.isdigit() else (1, 0, one.name)))
    return found
