"""``ipsecbench library``: what datasets there are in files and folders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.boxes.options import Filters, Markdown, filtered
from ipsecbench.cli.boxes.places import Places, read_places
from ipsecbench.cli.exit_codes import EXIT_ERROR

if TYPE_CHECKING:
    from ipsecbench.cli.screen.blocks import Block
    from ipsecbench.library.description import Description
    from ipsecbench.library.reading import Library

_ORDERS = ("name", "processor", "date", "rows")
_MOST_SHOWN = 200
_SHORT_TIERS = {
    "primitive": "prim",
    "packet-loop": "loop",
    "tun-lab": "tun",
    "kernel": "kern",
    "on-wire": "wire",
    "handshake": "ike",
}


def _order(value: str | None) -> str | None:
    if value is not None and value not in _ORDERS:
        raise typer.BadParameter(f"one of {', '.join(_ORDERS)}")
    return value


def library_command(
    places: Places,
    box: Annotated[
        list[str] | None,
        typer.Option("--box", metavar="WORD", help="Only boxes whose name, label, device or processor has the word."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="FORMAT", help="Only datasets of this source; ipsecbench for own ones."),
    ] = None,
    verdict: Annotated[
        list[str] | None, typer.Option("--verdict", metavar="CODE", help="Only datasets with this verdict.")
    ] = None,
    only: Filters.Only = None,
    tier: Filters.Tier = None,
    provider: Filters.Provider = None,
    size: Filters.Size = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="|".join(_ORDERS), callback=_order, help="Order.  [default: as they are read]"),
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help=f"Show more than {_MOST_SHOWN} datasets.")] = False,
    json_output: option.Json = False,
    markdown: Markdown = False,
) -> None:
    """List datasets: box, rows, tiers, day, source, and what verdicts say of their worth.

    Exit code 1 where a file could not be read; the others are listed.
    """
    from ipsecbench.errors import UsageError
    from ipsecbench.library.description import describe, rows_of

    if json_output and markdown:
        raise UsageError("--json and --markdown: one of them")
    chosen = filtered(only, tier, provider, size)
    library = read_places(places)
    found = [
        each
        for each in describe(library.entries)
        if _is_wanted(each, box, source, verdict) and (chosen is None or rows_of(each.entry, chosen))
    ]
    _sort(found, sort)
    if json_output:
        typer.echo(json.dumps(_document(found, library), allow_nan=False))
    else:
        _show(found, library, show_all, markdown)
    if library.unreadable:
        raise typer.Exit(EXIT_ERROR)


def _is_wanted(
    each: Description, words: Sequence[str] | None, sources: Sequence[str] | None, codes: Sequence[str] | None
) -> bool:
    return (
        (not words or any(each.is_called(word) for word in words))
        and (not sources or each.source in sources)
        and (not codes or any(code in each.verdicts for code in codes))
    )


def _sort(found: list[Description], order: str | None) -> None:
    if order == "name":
        found.sort(key=lambda each: each.entry.name)
    elif order == "processor":
        found.sort(key=lambda each: (each.processor or each.device or "\uffff").casefold())
    elif order == "date":
        found.sort(key=lambda each: each.measured_on or "")
    elif order == "rows":
        found.sort(key=lambda each: -each.rows)


def _document(found: Iterable[Description], library: Library) -> dict[str, Any]:
    return {
        "format": "ipsecbench library",
        "version": 1,
        "datasets": [_dataset_document(each) for each in found],
        "unreadable": [{"file": str(one.path), "reason": one.reason} for one in library.unreadable],
    }


def _dataset_document(each: Description) -> dict[str, Any]:
    dataset = each.entry.dataset
    return {
        "name": each.entry.name,
        "file": str(each.entry.path),
        "sha256": dataset.sha256,
        "label": dataset.label,
        "device": each.device,
        "processor": each.processor,
        "architecture": each.architecture,
        "processors": each.processors,
        "rows": each.rows,
        "tiers": {tier.value: count for tier, count in each.tiers.items()},
        "measured_on": each.measured_on,
        "source": each.source,
        "url": None if dataset.source is None else dataset.source.url,
        "licence": None if dataset.source is None else dataset.source.licence,
        "library": each.library,
        "mask": list(each.mask),
        "rows_unfit": each.worths.get(_worth("unfit"), 0),
        "rows_doubted": each.worths.get(_worth("doubt"), 0),
        "verdicts": list(each.verdicts),
        "same_as": each.same_as,
    }


def _worth(name: str) -> Any:
    from ipsecbench.dataset.source import Worth

    return Worth(name)


def _show(found: Sequence[Description], library: Library, show_all: bool, markdown: bool) -> None:
    from ipsecbench.cli.screen.block_text import markdown_text, screen_text
    from ipsecbench.cli.screen.text_table import has_colour, terminal_width

    blocks = _blocks(found, library, show_all)
    if markdown:
        typer.echo(markdown_text("Library", blocks), nl=False)
    else:
        typer.echo(screen_text(blocks, terminal_width(), has_colour()))


def _blocks(found: Sequence[Description], library: Library, show_all: bool) -> list[Block]:
    from ipsecbench.cli.screen.blocks import Prose, TableBlock
    from ipsecbench.cli.screen.text_table import TextColumn

    rows = sum(each.rows for each in found)
    read = len(library.entries)
    which = (
        f"{len(found):,} of {read:,} datasets" if len(found) < read else f"{read:,} dataset{'' if read == 1 else 's'}"
    )
    text = f"{which}, {rows:,} rows with a figure"
    copies = sum(each.same_as is not None for each in found)
    if copies:
        text += f"; {copies:,} {'is a copy' if copies == 1 else 'are copies'} of another"
    if library.unreadable:
        text += f"; {len(library.unreadable):,} could not be read"
    blocks: list[Block] = [Prose(f"{text}.", "LIBRARY")]
    if not found:
        return blocks
    shown = found if show_all else found[:_MOST_SHOWN]
    title = "Datasets" if len(shown) == len(found) else f"The first {len(shown):,} (--all shows {len(found):,})"
    columns = (
        TextColumn("name", is_name=True),
        TextColumn("box", weight=9),
        TextColumn("cpus", True, 3),
        TextColumn("rows", True),
        TextColumn("tiers", weight=4),
        TextColumn("measured", weight=7),
        TextColumn("source", weight=6),
        TextColumn("library", weight=2),
        TextColumn("unfit", True, 3),
        TextColumn("doubted", True, 3),
        TextColumn("notes", weight=5),
    )
    return [*blocks, TableBlock(title, columns, tuple(_row(each) for each in shown))]


def _row(each: Description) -> tuple[Any, ...]:
    from ipsecbench.cli.screen.text_table import GREY, RED, TextCell

    unfit, doubted = each.worths.get(_worth("unfit"), 0), each.worths.get(_worth("doubt"), 0)
    notes = [f"without {', '.join(each.mask)}"] if each.mask else []
    notes += [f"same as {each.same_as}"] if each.same_as else []
    tiers = " ".join(_SHORT_TIERS[tier.value] for tier in each.tiers)
    return (
        TextCell(each.entry.name),
        TextCell(each.device or each.processor or each.entry.dataset.label or ""),
        TextCell("" if each.processors is None else str(each.processors)),
        TextCell(f"{each.rows:,}"),
        TextCell(tiers, GREY),
        TextCell(each.measured_on or "–"),
        TextCell(each.source),
        TextCell(each.library or ""),
        TextCell(f"{unfit:,}" if unfit else "", RED),
        TextCell(f"{doubted:,}" if doubted else ""),
        TextCell("; ".join(notes), GREY),
    )
