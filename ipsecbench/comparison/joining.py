"""Which rows of two datasets may be held against each other, which only look so, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.bench.measurement import Measurement, Workload
from ipsecbench.comparison.model import Refused
from ipsecbench.dataset.model import Dataset, is_unfit, meaning_of
from ipsecbench.dataset.source import VERDICT_KINDS, Worth

_DEFINING_DETAILS = {
    "encapsulation": "ESP is carried",
    "wire_bytes": "octets on the wire",
    "exponent_bits": "bits of the exponent",
    "aad_bytes": "octets of associated data",
    "esp_proposal": "ESP proposal",
    "peer_subgroup_checked": "check of the peer's value",
}
"""Facts of a row that make it a figure of something else, and what they are called."""
_LEAST_NS, _MOST_NS = 1e-6, 1e15
"""A millionth of a nanosecond, and a week and a half: what lies beyond is a slip, or meant to break a reader."""
_LIMIT = "limited_by"
_GENERATOR = "generator"
LIMITED = "limited-by-generator"
"""Mark of a ratio of which a side could have carried more."""
OTHER_LIBRARY = "other-library"
"""Mark of a ratio of which the sides used ciphers of different libraries."""

_LookAlike = tuple[str, str, int | None, str | None]


@dataclass(frozen=True, slots=True)
class Joined:
    """The usable rows of two datasets, side by side."""

    pairs: tuple[tuple[Measurement, Measurement], ...]
    """Rows that measured the same, the baseline's first."""
    refused: tuple[Refused, ...]
    """Rows that look so and did not."""
    only_base: int
    """Rows of the baseline without a counterpart."""
    only_other: int
    """Rows of the other one without a counterpart."""


def usable_rows(dataset: Dataset) -> Mapping[Workload, Measurement]:
    """Rows with a figure, by what they measured."""
    return {row.workload: row for row in dataset.measurements if row.ns_per_operation is not None}


def join(base: Mapping[Workload, Measurement], other: Mapping[Workload, Measurement]) -> Joined:
    """Rows of both by what they measured, in the order of the baseline."""
    pairs: list[tuple[Measurement, Measurement]] = []
    refused: list[Refused] = []
    for workload, row in base.items():
        counterpart = other.get(workload)
        if counterpart is None:
            continue
        reason = why_not(row, counterpart)
        if reason is None:
            pairs.append((row, counterpart))
        else:
            refused.append(Refused(workload, reason))
    left = [work for work in base if work not in other]
    strangers = [work for work in other if work not in base]
    used: set[Workload] = set()
    alike: dict[_LookAlike, list[Workload]] = defaultdict(list)
    for work in strangers:
        alike[_look(work)].append(work)
    for work in left:
        looks_so = next((one for one in alike.get(_look(work), ()) if one not in used), None)
        if looks_so is not None:
            used.add(looks_so)
            refused.append(Refused(work, _differing(work, looks_so)))
    return Joined(tuple(pairs), tuple(refused), len(left) - len(used), len(strangers) - len(used))


def why_not(base: Measurement, other: Measurement) -> str | None:
    """Why no ratio is drawn of two rows of one workload; None where one may be."""
    for row, where in ((base, "the baseline's figure"), (other, "the box's figure")):
        if row.ns_per_operation is None or not _LEAST_NS <= row.ns_per_operation.median <= _MOST_NS:
            return f"{where} is no time that an operation takes"
    if not base.flags and not other.flags and base.detail == other.detail:
        return None
    for row, where in ((base, "the baseline's figure"), (other, "the box's figure")):
        if is_unfit(row):
            return f"{where} is not what it seems: {_titles(row.flags, Worth.UNFIT)}"
    meanings = meaning_of(base), meaning_of(other)
    if meanings[0] != meanings[1]:
        of_base, of_other = (
            "; ".join(sorted(VERDICT_KINDS[code].title for code in one - both)) or "nothing such"
            for one, both in zip(meanings, (meanings[1], meanings[0]), strict=True)
        )
        return f"not the same thing: baseline: {of_base}; box: {of_other}"
    for name, title in _DEFINING_DETAILS.items():
        here, there = base.detail.get(name), other.detail.get(name)
        if here != there and here is not None and there is not None:
            return f"not the same thing: {title}: {str(here)[:40]} there, {str(there)[:40]} here"
    return None


def _titles(flags: tuple[str, ...], worth: Worth) -> str:
    kinds = (VERDICT_KINDS[code] for code in flags if code in VERDICT_KINDS)
    return "; ".join(kind.title for kind in kinds if kind.worth is worth)


def doubts_of(base: Measurement, other: Measurement) -> tuple[str, ...]:
    """What bears on the ratio of two rows, notes left out."""
    if not base.flags and not other.flags and not base.detail and not other.detail:
        return ()
    flags = dict.fromkeys((*base.flags, *other.flags))
    found = [code for code in flags if code not in VERDICT_KINDS or VERDICT_KINDS[code].worth is not Worth.NOTE]
    if _GENERATOR in (base.detail.get(_LIMIT), other.detail.get(_LIMIT)):
        found.append(LIMITED)
    if base.detail.get("library") != other.detail.get("library"):
        found.append(OTHER_LIBRARY)
    return tuple(found)


def _look(work: Workload) -> _LookAlike:
    return work.operation, work.algorithm, work.size_bytes, work.mix


def _differing(base: Workload, other: Workload) -> str:
    """What tells two workloads apart that look alike, the gravest first."""
    if base.tier is not other.tier:
        return f"another tier: {base.tier} in the baseline, {other.tier} here; tiers are never compared"
    if base.provider != other.provider:
        return (
            f"measured by another: {base.provider} in the baseline, {other.provider} here; the method is in the figure"
        )
    return f"another number of cores: {base.cores} in the baseline, {other.cores} here"
