"""The grammar of strongSwan's settings files (strongswan.conf, swanctl.conf): sections, values, references.

As strongSwan's own parser does it: ``name { … }`` may be given several times and is merged, ``name : other { … }``
takes what it does not say itself from ``other`` (a path from the top), ``key =`` takes a value back, values end with
the line, quoted strings may go over lines. Messages carry line numbers and never text of the file, which may hold
secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipsecbench.audit.configuration import Note
from ipsecbench.audit.text import Effort, unreadable

_DEEPEST = 32
_NAME = re.compile(r'[^#{}:.,="\r\n\t ]+')
_REFERENCE = re.compile(r'[^#{}:.,="\r\n\t ]+(?:\.[^#{}:.,="\r\n\t ]+)*')
_BARE_VALUE = re.compile(r'[^#}"\r\n\t ]+')
_INCLUDE = re.compile(r"include[\t ]+(?=[^=\t ])")
_BLANK = re.compile(r"(?:[\t\r\n ]+|#[^\n]*)+")
_SPACES = re.compile(r"[\t\r ]+")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Value:
    """What a key is set to."""

    text: str | None
    """The value; None where ``key =`` takes it back."""
    line: int
    """Where it stands."""


@dataclass(slots=True)
class _Node:
    """One section as it is written."""

    line: int
    values: dict[str, Value] = field(default_factory=dict)
    sections: dict[str, _Node] = field(default_factory=dict)
    references: list[tuple[str, ...]] = field(default_factory=list)


class Section:
    """A section with everything that it takes over from others."""

    def __init__(self, root: _Node, nodes: tuple[_Node, ...], effort: Effort) -> None:
        self._root = root
        self._nodes = nodes
        self.effort = effort
        """How much work the text may still make."""

    @property
    def line(self) -> int:
        """Where it begins."""
        return self._nodes[0].line

    def value(self, key: str) -> Value | None:
        """What a key is set to, here or else where it is taken over from; None where it is not set."""
        for node in self._nodes:
            if key in node.values:
                found = node.values[key]
                return None if found.text is None else found
        return None

    def settings(self) -> Iterator[tuple[str, Value]]:
        """Every key that is set, with what it is set to."""
        self.effort.spend(sum(len(node.values) for node in self._nodes), self.line)
        for key in dict.fromkeys(key for node in self._nodes for key in node.values):
            found = self.value(key)
            if found is not None:
                yield key, found

    def sections(self) -> Iterator[tuple[str, Section]]:
        """The sections in it, by name, in the order of the text."""
        self.effort.spend(sum(len(node.sections) for node in self._nodes), self.line)
        for name in dict.fromkeys(name for node in self._nodes for name in node.sections):
            found = self.section(name)
            if found is not None:
                yield name, found

    def section(self, name: str) -> Section | None:
        """One section in it."""
        nodes = [node.sections[name] for node in self._nodes if name in node.sections]
        return Section(self._root, self._expand(nodes), self.effort) if nodes else None

    def _expand(self, nodes: list[_Node]) -> tuple[_Node, ...]:
        """The nodes and all that they refer to, nearest first, none twice."""
        found: dict[int, _Node] = {}
        waiting = list(reversed(nodes))
        while waiting:
            node = waiting.pop()
            if id(node) in found:
                continue
            found[id(node)] = node
            self.effort.spend(1 + len(node.references), node.line)
            targets = (_follow(self._root, path) for path in reversed(node.references))
            waiting += [target for target in targets if target is not None]
        return tuple(found.values())


def _follow(root: _Node, path: tuple[str, ...]) -> _Node | None:
    node: _Node | None = root
    for name in path:
        node = node.sections.get(name) if node is not None else None
    return node


def read_settings(text: str) -> tuple[Section, tuple[Note, ...]]:
    """The top section of a settings file, and what was not followed.

    Raises:
        UsageError: the text does not follow the grammar; the message begins with the number of the line.
    """
    parser = _Parser(text)
    root = parser.parse()
    return Section(root, (root,), Effort()), tuple(parser.notes)


class _Parser:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self.notes: list[Note] = []

    def parse(self) -> _Node:
        root = _Node(1)
        open_sections = [root]
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                if len(open_sections) > 1:
                    raise unreadable(open_sections[-1].line, "the section that begins here is never closed with '}'")
                return root
            if self._text[self._at] == "}":
                if len(open_sections) == 1:
                    raise unreadable(self._line, "'}' closes nothing")
                self._at += 1
                open_sections.pop()
                continue
            self._statement(open_sections)

    def _statement(self, open_sections: list[_Node]) -> None:
        if self._take(_INCLUDE) is not None:
            self._include()
            return
        line = self._line
        name = self._take(_NAME)
        if name is None:
            raise unreadable(line, "the name of a section or of a key is expected here")
        self._skip(_BLANK)
        sign = self._text[self._at : self._at + 1]
        here = open_sections[-1]
        if sign == "=":
            self._at += 1
            here.values[name] = Value(self._value(), line)
            return
        references = []
        if sign == ":":
            self._at += 1
            references = self._references()
            sign = self._text[self._at : self._at + 1]
        if sign != "{":
            raise unreadable(self._line, "'{' or '=' is expected after a name")
        self._at += 1
        if len(open_sections) >= _DEEPEST:
            raise unreadable(line, f"sections are nested more than {_DEEPEST} deep")
        node = here.sections.setdefault(name, _Node(line))
        node.references += references
        open_sections.append(node)

    def _references(self) -> list[tuple[str, ...]]:
        found = []
        while True:
            self._skip(_BLANK)
            name = self._take(_REFERENCE)
            if name is None:
                raise unreadable(self._line, "the name of a section is expected after ':'")
            found.append(tuple(name.split(".")))
            self._skip(_BLANK)
            if not self._text.startswith(",", self._at):
                return found
            self._at += 1

    def _value(self) -> str | None:
        parts = []
        while True:
            self._skip(_SPACES)
            if self._text.startswith('"', self._at):
                parts.append(self._string())
                continue
            part = self._take(_BARE_VALUE)
            if part is None:
                return " ".join(parts) if parts else None
            parts.append(part)

    def _string(self) -> str:
        begun = self._line
        self._at += 1
        found: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == '"':
                return "".join(found)
            if char == "\\":
                escaped = self._text[self._at : self._at + 1]
                self._at += 1
                if escaped == "\r" and self._text.startswith("\n", self._at):
                    escaped = "\n"
                    self._at += 1
                if escaped != "\n":
                    found.append(_ESCAPES.get(escaped, escaped))
                char = escaped
            elif char != "\r":
                found.append(char)
            self._line += char == "\n"
        raise unreadable(begun, "the string that begins here is never closed")

    def _include(self) -> None:
        line = self._line
        rest = self._text.find("\n", self._at)
        self._at = len(self._text) if rest < 0 else rest
        self.notes.append(
            Note("an included file is not followed: check it too, or a copy with its text in place", line)
        )

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        self._line += match[0].count("\n")
        return match[0]
