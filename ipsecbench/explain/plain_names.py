"""Names as they are compared."""

from __future__ import annotations


def plain(text: str) -> str:
    """A name without case, blanks and punctuation."""
    return "".join(character for character in text.lower() if character.isascii() and character.isalnum())
