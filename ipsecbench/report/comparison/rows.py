"""The figures of several boxes side by side: which rows there are, how they are grouped, and what they are called.

A *kind* is what may share a table or an axis: one tier of evidence, and either octets per second or time per
operation. Within it a *view* is one library and direction, whose columns are algorithms.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ipsecbench.bench.measurement import LADDER, MIXES, SIMPLE_IMIX, Estimate, Measurement, Tier, Workload
from ipsecbench.bench.stability import CPU_CLOCK_DISAGREES, INVOLUNTARY_SWITCHES
from ipsecbench.comparison.compare import SAME_SAMPLES
from ipsecbench.comparison.joining import LIMITED, OTHER_LIBRARY
from ipsecbench.comparison.model import Box, BoxComparison, Comparison, Ratio, Refused
from ipsecbench.dataset.source import VERDICT_KINDS, VerdictKind, Worth
from ipsecbench.report.box.validity import TIER_TITLES
from ipsecbench.report.formats import shorten, size_title

LONGEST_NAME = 40
"""Characters of a box's name in tables and drawings."""
FAMILIAR = (
    "aes128gcm16",
    "aes256gcm16",
    "chacha20poly1305",
    "aes128-sha256",
    "aes256-sha256",
    "aes128-sha1",
    "aes128",
    "aes256",
    "3des-sha1",
    "sha256",
    "sha1",
    "x25519",
    "ecp256",
    "modp2048",
    "ecdsa-256",
    "rsa-2048",
)
"""Algorithms that people look for first."""
_PROVIDERS = ("libcrypto", "agent", "kernel", "ipsecbench", "openssl-speed")
_OPERATIONS = ("outbound", "both", "encrypt", "inbound", "decrypt", "authenticate", "digest")
_TYPICAL_BYTES = 1400

Size = int | str
"""Octets per operation, or the name of a mix."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What may share a table or an axis."""

    tier: Tier
    """Tier of evidence."""
    sized: bool
    """Whether its rows are of a size, so that there is a throughput; otherwise of an operation's time."""

    @property
    def title(self) -> str:
        """For headings."""
        if self.tier is Tier.PRIMITIVE:
            return "Cipher and MAC calls" if self.sized else "Key exchanges and signatures"
        if self.tier is Tier.PACKET_LOOP and not self.sized:
            return "Keys of the packet loop"
        return "Whole IKE set-ups" if self.tier is Tier.HANDSHAKE else TIER_TITLES[self.tier]

    @property
    def rank(self) -> int:
        """Traffic first, then what set-ups cost, then what is a detail of traffic."""
        if self.sized:
            return 0
        return 1 if self.tier in (Tier.PRIMITIVE, Tier.HANDSHAKE) else 2

    @property
    def identifier(self) -> str:
        """For ids within the page."""
        return f"{self.tier}-{'rate' if self.sized else 'time'}"

    @property
    def unit(self) -> str:
        """Of its figures in tables."""
        return "Mbit/s" if self.sized else "µs"


@dataclass(frozen=True, slots=True)
class View:
    """Rows that differ in algorithm and size only; without sizes, in algorithm and operation."""

    kind: Kind
    """Their kind."""
    provider: str
    """Who measured."""
    operation: str | None
    """What was done; None where the kind has no sizes, whose columns name it."""
    cores: int
    """Processors loaded at once."""

    @property
    def title(self) -> str:
        """For people: ``libcrypto, outbound``."""
        cores = f", {self.cores} cores" if self.cores > 1 else ""
        return shorten(f"{self.provider}{', ' + self.operation if self.operation else ''}{cores}", 80)


def kind_of(workload: Workload) -> Kind:
    """The kind that a row belongs to."""
    return Kind(workload.tier, workload.size_bytes is not None or workload.mix is not None)


def view_of(workload: Workload) -> View:
    """The view that a row belongs to."""
    kind = kind_of(workload)
    return View(kind, workload.provider, workload.operation if kind.sized else None, workload.cores)


def size_of(workload: Workload) -> Size | None:
    """The size or mix of a row."""
    return workload.mix or workload.size_bytes


def column_of(workload: Workload) -> str:
    """What a column of the row's view is called."""
    return workload.algorithm if kind_of(workload).sized else f"{workload.algorithm} {workload.operation}"


def shown_size(size: Size | None) -> str:
    """A size for people."""
    return size_title(None, size) if isinstance(size, str) else size_title(size, None)


def figure_of(workload: Workload, ns: Estimate) -> Estimate:
    """What a table shows of a row: 10^6 bit/s where it has a size, else microseconds."""
    octets = workload.mean_bytes
    if octets is None:
        return Estimate(ns.median / 1e3, ns.lower / 1e3, ns.upper / 1e3)
    bits = octets * 8e3
    return Estimate(bits / ns.median, bits / ns.upper, bits / ns.lower)


_OWN_MARKS = {
    INVOLUNTARY_SWITCHES: "other work took the processor while it was measured",
    CPU_CLOCK_DISAGREES: "processor time and elapsed time disagree",
    "few-samples": "few samples",
    SAME_SAMPLES: "both sides are one and the same measurement",
    LIMITED: "the generator could not offer more: a lower bound",
    OTHER_LIBRARY: "the ciphers are of different libraries",
}
"""What marks mean that are not verdicts on figures of others."""


def verdict_kind(code: str) -> VerdictKind:
    """What a code in a row's flags means; one that is not known is a doubt under its own name."""
    return VERDICT_KINDS.get(code) or VerdictKind(Worth.DOUBT, _OWN_MARKS.get(code, shorten(code, 60)))


def short_names(boxes: Sequence[Box]) -> tuple[str, ...]:
    """The boxes' names, clean, short, and different from each other."""
    names: list[str] = []
    for box in boxes:
        name = base = shorten(" ".join(box.name.split()) or "(no name)", LONGEST_NAME)
        number = 1
        while name in names:
            number += 1
            name = f"{base[: LONGEST_NAME - 6]} ({number})"
        names.append(name)
    return tuple(names)


@dataclass(frozen=True)
class Figures:
    """Every usable row of the boxes, the baseline first."""

    comparison: Comparison
    """What they come from."""

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes; the baseline is number 0."""
        return (self.comparison.baseline, *(one.box for one in self.comparison.boxes))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A short name for each."""
        return short_names(self.boxes)

    @cached_property
    def rows(self) -> Mapping[Workload, Mapping[int, Measurement]]:
        """For each row that any box has, the boxes that have it."""
        found: dict[Workload, dict[int, Measurement]] = defaultdict(dict)
        for number, box in enumerate(self.boxes):
            for row in box.dataset.measurements:
                if row.usable:
                    found[row.workload][number] = row
        return found

    @cached_property
    def ratios(self) -> Mapping[tuple[int, Workload], Ratio]:
        """Ratios by box and row."""
        return {(number, one.workload): one for number, box in self._others() for one in box.ratios}

    @cached_property
    def refused(self) -> Mapping[tuple[int, Workload], Refused]:
        """Refusals by box and row."""
        return {(number, one.workload): one for number, box in self._others() for one in box.refused}

    def _others(self) -> Iterable[tuple[int, BoxComparison]]:
        return enumerate(self.comparison.boxes, 1)

    @cached_property
    def views(self) -> Mapping[Kind, tuple[View, ...]]:
        """The views of each kind, the one to show first at the front; kinds that most boxes have come first."""
        boxes: dict[View, set[int]] = defaultdict(set)
        weight: Counter[View] = Counter()
        for workload, having in self.rows.items():
            view = view_of(workload)
            boxes[view] |= having.keys()
            weight[view] += len(having)
        order = sorted(boxes, key=lambda view: _view_order(view, len(boxes[view]), weight[view]))
        grouped: dict[Kind, list[View]] = defaultdict(list)
        for view in order:
            grouped[view.kind].append(view)
        kinds = sorted(grouped, key=lambda kind: (kind.rank, -len(boxes[grouped[kind][0]]), -_rung(kind.tier)))
        return {kind: tuple(grouped[kind]) for kind in kinds}

    def of_view(self, view: View) -> Mapping[tuple[str, Size | None], Workload]:
        """The rows of a view, by column and size."""
        return self._by_view.get(view, {})

    @cached_property
    def _by_view(self) -> Mapping[View, Mapping[tuple[str, Size | None], Workload]]:
        found: dict[View, dict[tuple[str, Size | None], Workload]] = defaultdict(dict)
        for workload in self.rows:
            found[view_of(workload)][column_of(workload), size_of(workload)] = workload
        return found

    def sizes(self, view: View) -> tuple[Size, ...]:
        """The sizes of a view: octets in order, then mixes."""
        found = {size for _, size in self.of_view(view) if size is not None}
        return tuple(
            sorted(found, key=lambda size: (isinstance(size, str), size if isinstance(size, int) else 0, str(size)))
        )

    def best_size(self, view: View) -> Size | None:
        """The size to show first: what most boxes and algorithms have, IMIX before what is nearest to 1,400 octets."""
        count: Counter[Size] = Counter()
        for (_, size), workload in self.of_view(view).items():
            if size is not None:
                count[size] += len(self.rows[workload])
        most = max(count.values(), default=0)
        # A size that a few algorithms more have is not a better one to begin with.
        near = [size for size in count if count[size] >= 0.6 * most]
        return min(near, key=lambda size: (-_size_weight(size), str(size)), default=None)

    def columns(self, view: View, most: int) -> tuple[str, ...]:
        """The columns of a view: those that most boxes have, familiar ones first."""
        count: Counter[str] = Counter()
        for (column, _), workload in self.of_view(view).items():
            count[column] = max(count[column], len(self.rows[workload]))
        most_boxes = max(count.values(), default=0)

        def place(name: str) -> tuple[object, ...]:
            # Familiar ones first, but not those that few of the boxes have.
            return 2 * count[name] < most_boxes, _familiarity(name), -count[name], name

        everywhere = sorted(count, key=lambda name: (-count[name], _familiarity(name), name))[:most]
        return tuple(sorted(everywhere, key=place))


def _rung(tier: Tier) -> int:
    return LADDER.index(tier) if tier in LADDER else -1


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _familiarity(column: str) -> int:
    return _place(FAMILIAR, column.split(" ")[0])


def _view_order(view: View, boxes: int, weight: int) -> tuple[object, ...]:
    return (
        -boxes,
        view.cores,
        _place(_OPERATIONS, view.operation or ""),
        _place(_PROVIDERS, view.provider),
        -weight,
        view.title,
    )


def _size_weight(size: Size) -> float:
    if isinstance(size, str):
        return 2.0 if size == SIMPLE_IMIX else 1.5 if size in MIXES else 0.0
    return 1.0 / (1.0 + abs(size - _TYPICAL_BYTES) / _TYPICAL_BYTES)
