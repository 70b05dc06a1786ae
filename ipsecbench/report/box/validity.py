"""May the figures be believed? Checks of the run, and the tiers of evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ipsecbench.bench.measurement import LADDER, Status, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.reasons import Reason
from ipsecbench.report.box.environment import box_warnings, clock_changes, governors, stolen_share
from ipsecbench.report.box.origin import lines_without_figure
from ipsecbench.report.formats import listing, percent, sentence, shorten, signed_percent

_DRIFT = 0.03
_STEAL = 0.01
_MOST_WARNINGS = 24

_ENDINGS = {
    "budget-spent": "the time budget was spent",
    "interrupted": "the run was interrupted",
    "finished": "the run finished",
}
TIER_TITLES = {
    Tier.PRIMITIVE: "Primitive",
    Tier.PACKET_LOOP: "Packet loop",
    Tier.TUN_LAB: "TUN lab",
    Tier.KERNEL: "Kernel",
    Tier.ON_WIRE: "On the wire",
    Tier.HANDSHAKE: "Handshake",
}
_TIER_WORDS = {
    Tier.PRIMITIVE: "calls of a cipher, a MAC, a key exchange or a signature",
    Tier.PACKET_LOOP: "the whole ESP transform, without a device or an operating system",
    Tier.TUN_LAB: "packets through TUN devices and sockets",
    Tier.KERNEL: "the kernel's own IPsec (XFRM)",
    Tier.ON_WIRE: "between the network ports of the real box",
    Tier.HANDSHAKE: "whole set-ups of an IKE SA by ipsecbench's own stack, which is written in Python",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One tier of the ladder of evidence."""

    number: int | None
    """Its place; None beside the ladder."""
    title: str
    """Its name."""
    words: str
    """What figures of this tier hold."""
    state: str
    """``used`` (the decision rests on it), ``measured`` or ``missing``."""
    note: str
    """The state in words."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that could make the figures wrong."""

    state: str
    """``ok``, ``doubt`` or ``unknown``."""
    title: str
    """What was looked at."""
    text: str
    """What was found."""


def ladder(dataset: Dataset, recommendation: Recommendation) -> list[Rung]:
    """The five tiers and the one beside them, and which of them the dataset has."""
    measured = {row.workload.tier for row in dataset.measurements if row.usable}
    rungs = []
    for tier in Tier:
        number = LADDER.index(tier) + 1 if tier in LADDER else None
        if tier is recommendation.evidence.tier:
            state, note = "used", "decides here"
        elif tier in measured:
            state, note = "measured", "measured"
        else:
            state, note = "missing", "not measured"
        rungs.append(Rung(number, TIER_TITLES[tier], _TIER_WORDS[tier], state, note))
    return rungs


def checks(dataset: Dataset) -> list[Check]:
    """Checks of the run, in the order of how much each can spoil; of what others measured, what can be known of it."""
    if dataset.source is not None:
        return [
            Check("unknown", "Correctness", "nobody says whether what the calls returned was right"),
            _reading(dataset),
            _spread(dataset),
            _clock(dataset),
            *([_governor(dataset)] if governors(dataset) else []),
        ]
    return [
        _correctness(dataset),
        _completeness(dataset),
        _precision(dataset),
        _clock(dataset),
        _steal(dataset),
        _governor(dataset),
    ]


def warnings(dataset: Dataset, recommendation: Recommendation) -> list[Reason]:
    """What speaks against the figures: what the recommendation says, then what only the run says."""
    found = list(recommendation.evidence.warnings)
    said = " ".join(reason.text for reason in found)
    own = [warning.message for warning in dataset.warnings] + box_warnings(dataset)
    found += [Reason(text) for text in own if text not in said]
    if dataset.masked and "mask" not in said:
        names = listing(shorten(str(name), 20) for name in dataset.masked)
        found.append(Reason(f"measured as if the box had no {names} instructions: this is a what-if, not the box"))
    more = len(found) - _MOST_WARNINGS
    found = [Reason(sentence(shorten(reason.text, 600)), reason.sources) for reason in found[:_MOST_WARNINGS]]
    return [*found, Reason(f"and {more} more in the data at the end")] if more > 0 else found


def status_counts(dataset: Dataset) -> list[tuple[str, int]]:
    """How many rows have each status."""
    counts = Counter(row.status for row in dataset.measurements)
    return [(status.value, counts[status]) for status in Status if counts[status]]


def _correctness(dataset: Dataset) -> Check:
    failed = sorted({row.workload.algorithm for row in dataset.measurements if row.status is Status.FAILED})
    if failed:
        names = listing(shorten(name, 30) for name in failed[:6])
        return Check("doubt", "Correctness", f"wrong answers or failed operations: {names}; none of them counts")
    return Check("ok", "Correctness", "every measured algorithm passed its known answers, no operation failed")


def _completeness(dataset: Dataset) -> Check:
    skipped = sum(row.status is Status.SKIPPED for row in dataset.measurements)
    if dataset.complete and not skipped:
        return Check("ok", "Completeness", f"all {len(dataset.measurements):,} planned rows were looked at")
    ended = _ENDINGS.get(dataset.ended, f"the run ended: {shorten(dataset.ended, 30)}")
    left = f"{skipped:,} of {len(dataset.measurements):,} rows were skipped" if skipped else "no row was skipped"
    return Check("doubt" if skipped else "ok", "Completeness", f"{ended}; {left}")


def _reading(dataset: Dataset) -> Check:
    figures = sum(row.usable for row in dataset.measurements)
    left = 0 if dataset.source is None else dataset.source.unread_lines
    words = f"{figures:,} figures were read; "
    if left:
        return Check("doubt", "Completeness", f"{words}{lines_without_figure(left)}")
    return Check("ok", "Completeness", f"{words}no line that looks like one was left out")


def _spread(dataset: Dataset) -> Check:
    usable = [row for row in dataset.measurements if row.usable]
    if not usable:
        return Check("unknown", "Precision", "there is no figure")
    single = sum(len(row.published) == 1 for row in usable)
    if not single:
        return Check("ok", "Precision", "every figure was published several times: the intervals hold them all")
    share = "all" if single == len(usable) else f"{single:,} of {len(usable):,}"
    return Check("doubt", "Precision", f"{share} figures were published once: their interval of ±5% is assumed")


def _precision(dataset: Dataset) -> Check:
    usable = [row for row in dataset.measurements if row.usable]
    loose = sum(row.status is Status.UNSTABLE for row in usable)
    wanted = dataset.settings.get("precision")
    asked = f"±{percent(float(wanted), 0)}" if isinstance(wanted, int | float) else "the width asked for"
    if not usable:
        return Check("unknown", "Precision", "no row has a figure")
    if not loose:
        return Check("ok", "Precision", f"all {len(usable):,} figures are within {asked} (95% intervals)")
    share = percent(loose / len(usable), 0)
    state = "doubt" if loose / len(usable) > 0.05 else "ok"
    return Check(state, "Precision", f"{loose:,} of {len(usable):,} figures ({share}) are wider than {asked}")


def _clock(dataset: Dataset) -> Check:
    changes = clock_changes(dataset)
    if not changes:
        return Check("unknown", "Clock", "unknown whether it held from start to end")
    core, before, after = max(changes, key=lambda change: abs(change[2] / change[1] - 1))
    change = after / before - 1
    words = f"core {core} went from {before / 1e9:.2f} to {after / 1e9:.2f} GHz ({signed_percent(change)})"
    return Check("doubt", "Clock", words) if abs(change) > _DRIFT else Check("ok", "Clock", f"held: {words}")


def _steal(dataset: Dataset) -> Check:
    share = stolen_share(dataset)
    if share is None:
        return Check("unknown", "Steal", "unknown whether a hypervisor took processor time")
    words = f"a hypervisor took {percent(share)} of the processor time"
    return Check("doubt" if share > _STEAL else "ok", "Steal", words)


def _governor(dataset: Dataset) -> Check:
    names = governors(dataset)
    if not names:
        return Check("unknown", "Governor", "unknown, as is common in virtual machines: see the clock")
    steady = all(name == "performance" for name in names)
    return Check("ok" if steady else "doubt", "Governor", f"the frequency governor is {listing(names)}")
