"""The answer as Markdown, for a ticket or a pull request (CommonMark with GitHub's tables).

Whatever stands in a dataset, a policy or a peer's file is foreign text: every character that means something in
Markdown is escaped, and nothing in it becomes a link, a mention of a user or a number of an issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ipsecbench.algorithms.sources import Source
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report.answer.sections import Block, Section, Verbatim, answer_sections, answer_title, cited
from ipsecbench.report.formats import shorten
from ipsecbench.report.tables import Cell, Column, Table

_LONGEST_TEXT = 2000
_MEANING = re.compile(r"([\\`*_{}\[\]<>|~&$^!])")
# Readers turn these into links by themselves, escaped or not; an empty comment parts them and shows nothing.
_LINKING = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_UNFIT_FOR_LINK = re.compile(r"[<>\s]")
_PART = "<!-- -->"
_BLOCK_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=(?:[-+]|#{1,6})(?:\s|$)))")


def markdown_report(answer: Recommendation, policy: str | None = None, peer_dataset: str | None = None) -> str:
    """The whole answer as Markdown; arguments as of :func:`~ipsecbench.report.answer.sections.answer_sections`."""
    sections = answer_sections(answer, policy, peer_dataset)
    known = cited(sections)
    parts = [f"# {escape(answer_title(answer))}"]
    for section in sections:
        parts += _section(section, known)
    if known:
        parts += ["## Sources", "\n".join(f"- {_source(key, source)}" for key, source in known.items())]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text from anywhere as Markdown that shows just that text, on one line."""
    text = shorten(" ".join(text.split()), _LONGEST_TEXT)
    # First where the parts go, then what is escaped, so that the comments themselves are not.
    pieces = [_MEANING.sub(r"\\\1", piece) for piece in _LINKING.split(text)]
    return _BLOCK_START.sub(r"\1\\", _PART.join(pieces))


def _section(section: Section, known: dict[str, Source | None]) -> list[str]:
    blocks = [_block(block, known) for block in section.blocks]
    if not section.folded:
        return [f"## {section.title}", *blocks]
    return [f"<details>\n<summary>{section.title}</summary>", *blocks, "</details>"]


def _block(block: Block, known: dict[str, Source | None]) -> str:
    if isinstance(block, Table):
        return f"{escape(block.caption)}:\n\n{_table(block, known)}"
    if isinstance(block, Verbatim):
        return _fenced(block)
    return "\n".join(f"- {escape(each.text)}{_links(each.sources, known)}" for each in block.reasons)


def _fenced(block: Verbatim) -> str:
    """A fence that is longer than any within the text."""
    longest = max((len(run) for run in re.findall("`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(shorten(line, _LONGEST_TEXT) for line in block.text.rstrip("\n").split("\n"))
    return f"{fence}{block.language}\n{lines}\n{fence}"


def _table(table: Table, known: dict[str, Source | None]) -> str:
    heading = _row(escape(column.title) for column in table.columns)
    rule = _row("---:" if column.numeric else "---" for column in table.columns)
    lines = []
    for line in table.lines:
        cells = [_cell(cell, column, known) for cell, column in zip(line.cells, table.columns, strict=True)]
        # In a table of parameters nothing is chosen; elsewhere the chosen line is the bold one.
        lines.append(_row([f"**{cells[0]}**" if line.chosen else cells[0], *cells[1:]]))
    return "\n".join([heading, rule, *lines])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, column: Column, known: dict[str, Source | None]) -> str:
    note = f" {escape(f'[{cell.note}]' if column.numeric else f'({cell.note})')}" if cell.note else ""
    return f"{escape(cell.text)}{note}{_links(cell.sources, known)}"


def _links(keys: tuple[str, ...], known: dict[str, Source | None]) -> str:
    if not keys:
        return ""
    return f" ({', '.join(_link(key, known.get(key)) for key in keys)})"


def _link(key: str, source: Source | None) -> str:
    if source is None or not source.location.startswith("https://"):
        return escape(key)
    return f"[{escape(key)}](<{_UNFIT_FOR_LINK.sub('', source.location)}>)"


def _source(key: str, source: Source | None) -> str:
    if source is None:
        return escape(key)
    doubt = " (not verified)" if source.unverified else ""
    return f"{_link(key, source)}: {escape(source.title)}{doubt}"
