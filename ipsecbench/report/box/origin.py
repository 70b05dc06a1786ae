"""What a report says of figures that somebody else measured: where they come from, and what they are worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ipsecbench.bench.measurement import Measurement, Tier
from ipsecbench.dataset.model import Dataset, is_unfit
from ipsecbench.dataset.source import VERDICT_KINDS, Worth
from ipsecbench.report.box.environment import Item
from ipsecbench.report.formats import UNKNOWN, duration, duration_interval, shorten, size_title
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell

_ORDER = (Worth.UNFIT, Worth.DOUBT, Worth.NOTE)
_WORDS = {Worth.UNFIT: "not used", Worth.DOUBT: "doubtful", Worth.NOTE: "to know"}
_MOST_ROWS = 1200


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One verdict on figures."""

    worth: Worth
    """How it bears on them."""
    word: str
    """The same in words."""
    title: str
    """What it is."""
    message: str
    """What was seen."""
    about: str
    """Which figures."""


def verdict_lines(dataset: Dataset) -> list[VerdictLine]:
    """The verdicts of a dataset, the worst first."""
    rows = sum(row.usable for row in dataset.measurements)
    marked = Counter(code for row in dataset.measurements if row.usable for code in set(row.flags))
    found = [
        VerdictLine(
            verdict.kind.worth,
            _WORDS[verdict.kind.worth],
            shorten(verdict.kind.title, 100),
            shorten(verdict.message, 600),
            _about(marked[verdict.code], rows),
        )
        for verdict in dataset.verdicts
    ]
    return sorted(found, key=lambda line: _ORDER.index(line.worth))


def _about(marked: int, rows: int) -> str:
    if not marked:
        return "the dataset"
    return f"all {rows:,} figures" if marked == rows else f"{marked:,} of {rows:,} figures"


def origin(dataset: Dataset) -> tuple[Item, ...]:
    """Where the figures come from; empty where this program measured them."""
    source = dataset.source
    if source is None:
        return ()
    named = (
        ("Device", source.device),
        ("Measured on", dataset.measured_on or "date unknown"),
        ("Format", source.format),
        ("Published at", source.url),
        ("Licence", source.licence or "not stated"),
        ("File", source.file),
        ("Part of it", source.part),
        ("SHA-256 of the file", source.sha256),
    )
    return tuple(Item(name, shorten(value, 600)) for name, value in named if value)


def unread_table(dataset: Dataset) -> Table | None:
    """Lines of the source that look like figures and gave none; None where there is none."""
    source = dataset.source
    if source is None or not source.unread_lines:
        return None
    caption = lines_without_figure(source.unread_lines)
    if source.unread_lines > len(source.unread):
        caption += f"; the first {len(source.unread)} of them"
    columns = (Column("Line", numeric=True), Column("Text", code=True), Column("Why it was not read"))
    lines = tuple(
        Line((Cell(f"{one.line:,}", one.line), Cell(shorten(one.text, 200)), Cell(shorten(one.reason, 400))))
        for one in source.unread
    )
    return Table(caption, columns, lines)


def lines_without_figure(count: int) -> str:
    """How many lines look like figures and are none."""
    return (
        "1 line that looks like a figure gave none"
        if count == 1
        else f"{count:,} lines that look like figures gave none"
    )


def figure_table(dataset: Dataset) -> Table | None:
    """Every figure of a dataset with its verdicts, to be sorted and filtered; None where there is none."""
    rows = [row for row in dataset.measurements if row.usable]
    if not rows:
        return None
    caption = f"All {len(rows):,} figures: median and 95% interval"
    if len(rows) > _MOST_ROWS:
        caption = f"The first {_MOST_ROWS:,} of {len(rows):,} figures: median and 95% interval; all are in the data"
    columns = (
        Column("Algorithm", code=True),
        Column("Operation"),
        Column("Size", numeric=True),
        Column("Cores", numeric=True),
        Column("Mbit/s", numeric=True),
        Column("Time of one", numeric=True),
        Column("Tier, tool"),
        Column("Verdicts"),
    )
    kinds = tuple(tier.value for tier in Tier if any(row.workload.tier is tier for row in rows))
    return Table(caption, columns, tuple(map(_figure, rows[:_MOST_ROWS])), interactive=True, kinds=kinds)


def _figure(row: Measurement) -> Line:
    work, time = row.workload, row.ns_per_operation
    size = "–" if work.mean_bytes is None else size_title(work.size_bytes, work.mix)
    spent = Cell(UNKNOWN) if time is None else Cell(duration(time.median), time.median, duration_interval(time))
    # What is assumed of every row of a text is said once, above.
    said = [VERDICT_KINDS[code].title if code in VERDICT_KINDS else code for code in row.flags]
    said = [title for title in said if title != VERDICT_KINDS["spread-assumed"].title]
    words = shorten("; ".join(said), 300)
    return Line(
        (
            Cell(shorten(work.algorithm, 40)),
            Cell(shorten(work.operation, 24)),
            Cell(size, work.mean_bytes or -1.0),
            Cell(f"{work.cores}", float(work.cores)),
            estimate_cell(row.megabits_per_second),
            spent,
            Cell(f"{work.tier.value}, {shorten(work.provider, 30)}"),
            Cell(f"not used: {words}" if is_unfit(row) else words),
        ),
        kind=work.tier.value,
    )
