"""Many boxes against one baseline: who is faster where, what each box is, and throughput by packet size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ipsecbench.bench.measurement import Estimate
from ipsecbench.comparison.model import Box, Outcome
from ipsecbench.dataset.source import Worth
from ipsecbench.library.facts import facts_of
from ipsecbench.report.box.environment import box_warnings
from ipsecbench.report.comparison.rows import Figures, Kind, View, figure_of
from ipsecbench.report.comparison.small_multiples import MOST_SERIES, Axes, Lines, draw_multiple, shared_axes
from ipsecbench.report.comparison.verdict import differing, headline, tally
from ipsecbench.report.drawing.svg import SHAPES, mark
from ipsecbench.report.formats import shorten, significant, trim
from ipsecbench.report.tables import MISSING, Cell, Column, Line, Table, estimate_cell

MOST_MULTIPLES = 60
"""Boxes with a drawing of their own."""
MOST_NAMED = 5
"""Boxes named beside a verdict; the table below it has all."""
_MOST_GROUPS = 4
_MOST_FACTS = 14
_MANY = 60
_ROOM_FOR_DRAWINGS = 0.5
_MOST_NOTES = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """How one box stands against the baseline."""

    number: int
    """Its number."""
    counts: tuple[int, ...]
    """Rows faster, slower, without a difference, within noise, refused."""
    span: str
    """Smallest and largest ratio."""
    differs: str
    """What else is not the same."""


COUNTED = (Outcome.FASTER, Outcome.SLOWER, Outcome.NO_DIFFERENCE, Outcome.WITHIN_NOISE)
"""Outcomes in the order of :attr:`Standing.counts`."""


def standings(figures: Figures) -> tuple[Standing, ...]:
    """Every box but the baseline: those with ratios first, otherwise in the order given."""
    found = []
    for number, box in enumerate(figures.comparison.boxes, 1):
        one = tally(box.ratios, len(box.refused))
        counts = (*(one.outcomes[outcome] for outcome in COUNTED), one.refused)
        found.append((not one.rows, Standing(number, counts, one.span, differing(box.differences))))
    return tuple(standing for _, standing in sorted(found, key=lambda entry: entry[0]))


def groups(figures: Figures) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The boxes by verdict in a few words, the most frequent verdict first."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, box in enumerate(figures.comparison.boxes, 1):
        found[headline(tally(box.ratios))[0]].append(number)
    return tuple((words, tuple(boxes)) for words, boxes in sorted(found.items(), key=lambda item: -len(item[1])))


@dataclass(frozen=True, slots=True)
class Note:
    """A verdict or a warning about a whole dataset."""

    worth: str
    """``note``, ``doubt`` or ``unfit``."""
    text: str
    """What it says."""


@dataclass(frozen=True, slots=True)
class DataCard:
    """Where the figures of a box come from, and what they are worth."""

    number: int
    """The box."""
    name: str
    """Its name."""
    title: str
    """What it is."""
    facts: tuple[tuple[str, str], ...]
    """Source, licence, date and circumstances."""
    notes: tuple[Note, ...]
    """Verdicts and warnings."""
    more_notes: int
    """How many more there are."""


def data_cards(figures: Figures, room: float = 1.0) -> tuple[DataCard, ...]:
    """One for each box; with less room, less of the circumstances."""
    most = max(1, int(_MOST_FACTS * room)) if len(figures.boxes) <= _MANY else 3
    return tuple(_card(number, box, figures.names[number], most) for number, box in enumerate(figures.boxes))


def _card(number: int, box: Box, name: str, most: int) -> DataCard:
    dataset, source = box.dataset, box.dataset.source
    measured = sum(1 for row in dataset.measurements if row.usable)
    facts: list[tuple[str, str | None]] = [("measured", dataset.measured_on or "day not stated")]
    if source is None:
        facts.append(("source", f"measured by ipsecbench {dataset.tool_version}"))
    else:
        part = f", {source.part}" if source.part else ""
        facts.append(("source", f"{source.format}: {source.file or 'text'}{part}"))
        facts.append(("published", source.url))
        facts.append(("licence", source.licence or "not stated"))
        facts.append(("SHA-256 of source", source.sha256[:16]))
        unread = source.unread_lines
        facts.append(("lines not read", f"{unread:,}" if unread else None))
    facts.append(("file", box.file.rsplit("/", 1)[-1] if box.file else None))
    facts.append(("SHA-256", dataset.sha256[:16] if dataset.sha256 else None))
    facts.append(("rows with a figure", f"{measured:,}"))
    facts.append(("price", trim(significant(box.price, 6)) if box.price is not None else None))
    known = {each for each, _ in facts} | {"date", "source", "publisher"}
    facts += [(key, value) for key, value in facts_of(dataset).items() if key not in known][:most]
    notes = [Note(one.kind.worth.value, shorten(one.message, 300)) for one in dataset.verdicts]
    notes += [Note(Worth.DOUBT.value, shorten(one.message, 300)) for one in dataset.warnings]
    notes += [Note(Worth.NOTE.value, shorten(text, 300)) for text in box_warnings(dataset)]
    if dataset.masked:
        masked = ", ".join(dataset.masked)
        notes.insert(0, Note(Worth.DOUBT.value, f"a what-if: measured as if the box had no {masked} instructions"))
    order = (Worth.UNFIT.value, Worth.DOUBT.value, Worth.NOTE.value)
    notes.sort(key=lambda note: order.index(note.worth))
    shown = tuple((shorten(key, 40), shorten(value, 120)) for key, value in facts if value)
    return DataCard(
        number, name, shorten(box.title, 120), shown, tuple(notes[:_MOST_NOTES]), max(0, len(notes) - _MOST_NOTES)
    )


@dataclass(frozen=True, slots=True)
class Multiple:
    """The drawing of one box."""

    number: int
    """The box."""
    drawing: Markup
    """Its throughput by packet size."""


@dataclass(frozen=True, slots=True)
class MultipleGroup:
    """Drawings with the same axes."""

    identifier: str
    """Id within the page."""
    title: str
    """What they show."""
    series: tuple[tuple[str, Markup], ...]
    """The key: name of each line, and its mark."""
    multiples: tuple[Multiple, ...]
    """One for each box."""
    left_out: int
    """Boxes beyond what has room."""
    goal: float | None
    """10^6 bit/s that are wanted."""
    table: Table
    """The same as a table."""


def multiple_groups(figures: Figures, goal: float | None, room: float = 1.0) -> tuple[MultipleGroup, ...]:
    """Throughput by packet size: a group for each tier and library, which never share an axis.

    Args:
        figures: the boxes.
        goal: 10^6 bit/s that are wanted.
        room: share of the usual room.
    """
    found: list[MultipleGroup] = []
    # The drawings are what a page of many boxes is for: tables give way first.
    most = MOST_MULTIPLES if room >= _ROOM_FOR_DRAWINGS else max(4, int(MOST_MULTIPLES * room))
    drawn = 0
    for kind, views in figures.views.items():
        if not kind.sized:
            continue
        providers: set[str] = set()
        for view in views:
            if view.provider in providers or len(found) == _MOST_GROUPS or drawn > most:
                continue
            providers.add(view.provider)
            group = _group(figures, kind, view, goal, most)
            if group is not None:
                found.append(group)
                drawn += len(group.multiples)
    return tuple(found)


def _group(figures: Figures, kind: Kind, view: View, goal: float | None, most: int) -> MultipleGroup | None:
    series = _series(figures, view)
    lines = _lines(figures, view, series)
    shown = [number for number in sorted(lines) if any(len(one) > 1 for one in lines[number])]
    if len(shown) < 2:
        return None
    kept = shown[:most]
    axes = shared_axes([lines[number] for number in kept], goal)
    if axes is None:
        return None
    identifier = f"sizes-{kind.identifier}-{_slug(view.provider)}"
    title = f"{kind.title}: {view.title}"
    multiples = tuple(
        Multiple(number, _multiple(figures, lines, number, axes, f"{identifier}-{number}")) for number in kept
    )
    key = tuple((name, _swatch(index)) for index, name in enumerate(series))
    table = _size_table(figures, lines, series, shown[: 2 * most], title)
    return MultipleGroup(identifier, title, key, multiples, len(shown) - len(kept), goal, table)


def _slug(text: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in text)[:40]


def _swatch(index: int) -> Markup:
    from ipsecbench.report.drawing.svg import element

    inner = mark(8.0, 8.0, SHAPES[index], f"mark s{index}")
    return element("svg", inner, viewBox="0 0 16 16", class_="chart swatch", aria_hidden="true")


def _series(figures: Figures, view: View) -> tuple[str, ...]:
    """The algorithms that most boxes have in more than one size."""
    boxes: Counter[str] = Counter()
    sizes: dict[tuple[str, int], int] = defaultdict(int)
    for (column, size), workload in figures.of_view(view).items():
        if isinstance(size, int):
            for number in figures.rows[workload]:
                sizes[column, number] += 1
    for (column, _), count in sizes.items():
        boxes[column] += count > 1
    columns = figures.columns(view, len(boxes) or 1)
    return tuple(sorted((one for one in columns if boxes[one]), key=lambda one: -boxes[one])[:MOST_SERIES])


def _lines(figures: Figures, view: View, series: Sequence[str]) -> Mapping[int, list[dict[int, Estimate]]]:
    found: dict[int, list[dict[int, Estimate]]] = defaultdict(lambda: [{} for _ in series])
    for (column, size), workload in figures.of_view(view).items():
        if column in series and isinstance(size, int):
            for number, row in figures.rows[workload].items():
                if row.ns_per_operation is not None:
                    found[number][series.index(column)][size] = figure_of(workload, row.ns_per_operation)
    return found


def _multiple(figures: Figures, lines: Mapping[int, Lines], number: int, axes: Axes, identifier: str) -> Markup:
    name = figures.names[number]
    return draw_multiple(
        lines[number],
        lines[0][:1] if 0 in lines else [],
        axes,
        identifier,
        f"{name}: throughput by packet size",
        "Both axes are logarithmic and the same for all boxes. The table below has the figures.",
    )


def _size_table(
    figures: Figures, lines: Mapping[int, Lines], series: Sequence[str], shown: Sequence[int], title: str
) -> Table:
    sizes = sorted({size for number in shown for one in lines[number] for size in one})
    rows = tuple(
        Line(
            (
                Cell(figures.names[number]),
                Cell(series[place]),
                *(estimate_cell(one[size]) if size in one else MISSING for size in sizes),
            )
        )
        for number in shown
        for place, one in enumerate(lines[number])
        if one
    )
    columns = (Column("Box"), Column("Algorithm"), *(Column(f"{size:,} B", numeric=True) for size in sizes))
    return Table(f"{title}, Mbit/s by octets of a packet or call, with 95% intervals", columns, rows)
