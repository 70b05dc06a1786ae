"""Blocks of prose and tables as lines of a screen, or as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipsecbench.cli.screen.blocks import Block, Prose, TableBlock
from ipsecbench.cli.screen.text_blocks import LABEL_WIDTH, labelled, plain, wrapped
from ipsecbench.cli.screen.text_table import BOLD, PLAIN, TextCell, TextColumn, text_table


def screen_text(blocks: Iterable[Block], width: int, coloured: bool) -> str:
    """Lines of a screen: labels at the left, an empty line before each table."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, TableBlock):
            title = wrapped(plain(block.title), "", width=width)
            lines += ["", *(f"{BOLD}{line}{PLAIN}" if coloured else line for line in title)]
            lines += text_table(block.columns, block.rows, width, coloured)
            lines.append("")
        else:
            lines += _prose(block, width, coloured)
    return "\n".join(_squeezed(lines))


def _prose(block: Prose, width: int, coloured: bool) -> list[str]:
    label = block.label if len(block.label) < LABEL_WIDTH else f"{block.label} "
    lines = labelled(label, block.text, width)
    if not coloured:
        return lines
    if block.colour:
        return [f"{block.colour}{line}{PLAIN}" for line in lines]
    if block.label and lines:
        lines[0] = f"{BOLD}{block.label}{PLAIN}{lines[0][len(block.label) :]}"
    return lines


def _squeezed(lines: Sequence[str]) -> list[str]:
    """No two empty lines in a row, and none at the ends."""
    found = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    while found and not found[-1]:
        found.pop()
    return found


def markdown_text(title: str, blocks: Iterable[Block]) -> str:
    """The same as Markdown; what is foreign text stays text."""
    from ipsecbench.report.answer.markdown import escape

    parts = [f"# {escape(title)}"]
    items: list[str] = []
    for block in blocks:
        if isinstance(block, Prose):
            label = f"**{block.label.lower()}**: " if block.label else ""
            items.append(f"- {label}{escape(block.text)}")
            continue
        parts += ["\n".join(items)] if items else []
        items = []
        parts += [f"## {escape(block.title)}", _markdown_table(block.columns, block.rows)]
    parts += ["\n".join(items)] if items else []
    return "\n\n".join(parts) + "\n"


def _markdown_table(columns: Sequence[TextColumn], rows: Sequence[Sequence[TextCell]]) -> str:
    from ipsecbench.report.answer.markdown import escape

    kept = [place for place in range(len(columns)) if any(row[place].text for row in rows)]
    lines = [
        [escape(columns[place].title) for place in kept],
        ["---:" if columns[place].is_number else "---" for place in kept],
        *([escape(row[place].text) for place in kept] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
