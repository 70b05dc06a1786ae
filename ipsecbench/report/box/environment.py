"""What the dataset says about the box, as sections of names and values.

Datasets come from many boxes and versions: nothing is taken for granted here, and what is missing is ``unknown``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipsecbench.dataset.model import Dataset
from ipsecbench.report.formats import UNKNOWN, frequency, percent, shorten, signed_percent, words
from ipsecbench.report.tables import Cell, Column, Line, Table, text_cells

_MOST_ITEMS = 60
_MOST_LINES = 48
_MOST_CHARACTERS = 50_000
_MOST_COLUMNS = 8
_DEEPEST = 4
# Long, or said elsewhere: they stay in the data at the end of the report.
_HIDDEN_KEYS = frozenset({"schema", "schema_version", "root", "flags", "drivers", "activity", "warnings"})
_PRESENCE = ("present", "disabled", "absent", UNKNOWN)

_TITLES = {
    "cpu": "Processor",
    "kernel_crypto": "Kernel crypto drivers",
    "libcryptos": "libcrypto files found",
    "nics": "Network interfaces",
    "clocks": "Clock as the kernel states it",
    "engines": "Crypto engines",
    "condition": "Condition before the run",
    "esp": "Kernel driver that would serve each ESP algorithm",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One name and its value."""

    name: str
    """What."""
    value: str
    """Its value."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the environment."""

    title: str
    """Its heading."""
    items: tuple[Item, ...]
    """Names and values."""
    tables: tuple[Table, ...] = ()
    """Lists of things."""


def environment_sections(dataset: Dataset) -> list[Section]:
    """Everything that is known about the box and the run."""
    environment = dataset.environment
    hardware = _mapping(environment.get("hardware"))
    sections = [_libraries(environment.get("libraries")), _clock(environment.get("clock"), environment.get("steal"))]
    processor = [_generic(key, hardware[key]) for key in hardware if key == "cpu"]
    parts = {key: value for key, value in hardware.items() if key != "cpu" and key not in _HIDDEN_KEYS}
    others = [_generic(key, value) for key, value in parts.items() if isinstance(value, dict | list)]
    loose = {key: value for key, value in parts.items() if not isinstance(value, dict | list)}
    if loose:
        others.append(_generic("hardware", loose))
    if not processor:
        processor = [Section("Processor", (Item("model", UNKNOWN),))]
    known = ("hardware", "libraries", "clock", "steal", "agent")
    rest = {key: value for key, value in environment.items() if key not in known}
    tail = [_generic("measuring program (agent)", environment.get("agent"))]
    if rest:
        tail.append(_generic("other", rest))
    tail.append(_generic("settings of the run", dict(dataset.settings)))
    return _bounded([*processor, *sections, *tail, *others])


def _bounded(sections: list[Section]) -> list[Section]:
    """As many sections as a page has room for; boxes that exist need a tenth of it."""
    kept: list[Section] = []
    left = _MOST_CHARACTERS
    for section in sections:
        cells = sum(len(cell.text) for table in section.tables for line in table.lines for cell in line.cells)
        left -= cells + sum(len(item.name) + len(item.value) for item in section.items)
        if left < 0:
            kept.append(Section("More", (Item("left out here for size", "see the dataset's file"),)))
            break
        kept.append(section)
    return kept


def box_title(dataset: Dataset) -> str:
    """The processor's name, for headings."""
    cpu = _mapping(_mapping(dataset.environment.get("hardware")).get("cpu"))
    return shorten(words(cpu.get("model") or cpu.get("system"), 80), 80)


def clock_changes(dataset: Dataset) -> list[tuple[int, float, float]]:
    """Core, rate before and rate after the run in Hz, where both were measured."""
    clock = _mapping(dataset.environment.get("clock"))
    before, after = _rates(clock.get("before")), _rates(clock.get("after"))
    return [(core, before[core], after[core]) for core in sorted(before.keys() & after.keys())]


def stolen_share(dataset: Dataset) -> float | None:
    """Share of processor time that a hypervisor took during the run; None where unknown."""
    steal = dataset.environment.get("steal")
    if isinstance(steal, Mapping):
        percentage = steal.get("percent")
        return percentage / 100 if isinstance(percentage, int | float) else None
    return float(steal) if isinstance(steal, int | float) and _is_number(steal) else None


def governors(dataset: Dataset) -> list[str]:
    """The frequency governors in use; empty where unknown."""
    condition = _mapping(_mapping(dataset.environment.get("hardware")).get("condition"))
    names = condition.get("governors")
    return [shorten(str(name), 40) for name in names[:8]] if isinstance(names, list | tuple) else []


def box_warnings(dataset: Dataset) -> list[str]:
    """What the box itself gives cause for, as the detection of its hardware says."""
    found = _mapping(dataset.environment.get("hardware")).get("warnings")
    return [str(text) for text in found] if isinstance(found, list | tuple) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rates(entries: object) -> dict[int, float]:
    rates: dict[int, float] = {}
    for entry in entries if isinstance(entries, list | tuple) else ():
        core, hz = _mapping(entry).get("core"), _mapping(entry).get("hz")
        if isinstance(core, int) and isinstance(hz, int | float) and not isinstance(hz, bool) and hz > 0:
            rates[core] = float(hz)
    return rates


def _libraries(entries: object) -> Section:
    rows = [_mapping(entry) for entry in entries] if isinstance(entries, list | tuple) else []
    if not rows:
        return Section("Cryptographic libraries", (Item("libraries", UNKNOWN),))
    keys = ("provider", "status", "version", "path", "modules", "cpu_settings", "note")
    table = Table(
        "Libraries that were looked for and loaded",
        (Column("Library"), Column("Status"), Column("Version"), Column("Path"), Column("Modules"),
         Column("CPU settings"), Column("Note")),
        tuple(Line(text_cells([_blank(row.get(key)) for key in keys])) for row in rows[:_MOST_LINES]),
    )  # fmt: skip
    return Section("Cryptographic libraries", (), (table,))


def _blank(value: object) -> str:
    return "–" if value is None or value == [] or value == "" else words(value, 160)


def _clock(clock: object, steal: object) -> Section:
    before, after = _rates(_mapping(clock).get("before")), _rates(_mapping(clock).get("after"))
    lines = []
    for core in sorted(before.keys() | after.keys())[:_MOST_LINES]:
        first, last = before.get(core), after.get(core)
        change = signed_percent(last / first - 1) if first and last else UNKNOWN
        figures = [frequency(rate) if rate else UNKNOWN for rate in (first, last)]
        lines.append(Line((Cell(f"core {core}", float(core)), *(Cell(text) for text in figures), Cell(change))))
    item = Item("stolen by the hypervisor", words(steal) if isinstance(steal, Mapping) else UNKNOWN)
    if _is_number(steal):
        item = Item(item.name, percent(float(str(steal))))
    if not lines:
        return Section("Measured clock", (Item("clock before and after", UNKNOWN), item))
    columns = (Column("Core"), *(Column(name, numeric=True) for name in ("Before the run", "After the run", "Change")))
    return Section(
        "Measured clock", (item,), (Table("Rate at which each core really executed", columns, tuple(lines)),)
    )


def _generic(key: str, value: object) -> Section:
    """Any part of the environment: scalars as items, lists of objects as tables, objects within objects flattened."""
    name = _TITLES.get(key, key.replace("_", " "))
    title = shorten(name[:1].upper() + name[1:], 60)
    if isinstance(value, Mapping):
        items, tables = _flatten(value, "", 0)
        if not items and not tables:
            items = [Item(title.lower(), UNKNOWN)]
        return Section(title, tuple(items[:_MOST_ITEMS]), tuple(tables))
    if _is_list_of_objects(value):
        return Section(title, (), (_object_table(title, value),))
    return Section(title, (Item(title.lower(), words(value, 300)),))


def _flatten(value: Mapping[str, Any], prefix: str, depth: int) -> tuple[list[Item], list[Table]]:
    items: list[Item] = []
    tables: list[Table] = []
    for key, part in value.items():
        if key in _HIDDEN_KEYS:
            continue
        name = shorten(f"{prefix}{str(key).replace('_', ' ')}", 60)
        answers = _answers(part)
        if answers is not None:
            items.append(Item(name, answers))
        elif isinstance(part, Mapping) and part and depth < _DEEPEST:
            inner_items, inner_tables = _flatten(part, f"{name}: ", depth + 1)
            items += inner_items
            tables += inner_tables
        elif _is_list_of_objects(part):
            tables.append(_object_table(_TITLES.get(str(key), name), part))
        else:
            items.append(Item(name, words(part, 600)))
    return items, tables


def _answers(part: object) -> str | None:
    """Names by answer: what is present, what is absent, and what is unknown; None where the part is something else."""
    if isinstance(part, Mapping):
        pairs = [(str(name), value) for name, value in part.items()]
    elif _is_list_of_objects(part) and all("presence" in entry for entry in _objects(part)):
        pairs = [(str(entry.get("name")), entry.get("presence")) for entry in _objects(part)]
    else:
        return None
    spoken = {True: "present", False: "absent", None: UNKNOWN}
    given = [(name, value if isinstance(value, str) else spoken.get(value)) for name, value in pairs if _plain(value)]
    if not given or len(given) < len(pairs) or any(answer not in _PRESENCE for _, answer in given):
        return None
    groups = [(answer, [name for name, own in given if own == answer]) for answer in _PRESENCE]
    return shorten("; ".join(f"{answer}: {', '.join(names)}" for answer, names in groups if names), 800)


def _plain(value: object) -> bool:
    return value is None or isinstance(value, bool | str)


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)]


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _object_table(title: str, rows: Any) -> Table:
    objects = _objects(rows)
    keys = list(dict.fromkeys(key for row in objects for key in row))[:_MOST_COLUMNS]
    caption = title[:1].upper() + title[1:]
    if len(objects) > _MOST_LINES:
        caption += f" (the first {_MOST_LINES} of {len(objects)})"
    return Table(
        caption,
        tuple(Column(shorten(str(key).replace("_", " "), 40)) for key in keys),
        tuple(Line(text_cells([_blank(row.get(key)) for key in keys])) for row in objects[:_MOST_LINES]),
    )
