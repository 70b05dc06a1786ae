"""Text of others, made safe to show: names in files, answers of boxes, what tools print."""

from __future__ import annotations


def printable(text: str, longest: int) -> str:
    """Text on one line, bounded, without what steers a terminal or turns the direction of text.

    Args:
        text: anything, however long.
        longest: most characters of the answer.

    Returns:
        The text with single spaces; what cannot be shown became U+FFFD.
    """
    line = " ".join(text[: longest * 2].replace("\0", " ").split())[:longest].rstrip()
    return line if line.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in line)
