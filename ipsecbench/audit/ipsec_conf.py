"""The grammar that strongSwan's and libreswan's ipsec.conf share: sections at the margin, indented ``key=value``.

``conn %default`` and ``also=`` are followed here; what the keys mean is :mod:`ipsecbench.audit.strongswan_conf` and
:mod:`ipsecbench.audit.libreswan`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipsecbench.audit.configuration import Note
from ipsecbench.audit.settings_file import Value
from ipsecbench.audit.text import Effort, printable, unreadable

_HEADING = re.compile(r"(conn|ca)[\t ]+(\S+)\s*\Z|(config)[\t ]+(setup)\s*\Z")
_SETTING = re.compile(r"([^\s=#\"]+)[\t ]*=[\t ]*(.*)\Z", re.DOTALL)
_COMMENT = re.compile(r"[\t ]*#.*\Z|[\t ]+\Z")
_DEFAULT = "%default"
_IGNORED = "ignore"


@dataclass(slots=True)
class _Section:
    name: str
    line: int
    values: dict[str, Value] = field(default_factory=dict)
    also: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Conn:
    """One ``conn`` section with all that it takes over."""

    name: str
    """As the file calls it."""
    line: int
    """Where it begins."""
    values: dict[str, Value]
    """Every key, in lower case."""
    notes: tuple[Note, ...]
    """What was not followed."""
    effort: Effort
    """How much work the text may still make."""

    def get(self, *keys: str) -> Value | None:
        """The first of some keys that is set, and set to something."""
        for key in keys:
            value = self.values.get(key)
            if value is not None and value.text:
                return value
        return None

    def word(self, key: str, otherwise: str) -> str:
        """The value of a key in lower case."""
        value = self.get(key)
        return otherwise if value is None or value.text is None else value.text.lower()

    def line_of(self, *keys: str) -> int:
        """Where the first of some keys is set."""
        value = self.get(*keys)
        return self.line if value is None else value.line


def read_conns(text: str) -> tuple[tuple[Conn, ...], tuple[Note, ...]]:
    """The connections of an ipsec.conf, and what was not followed.

    A section that others take over with ``also=`` and that is not to be loaded itself is a template and left out.

    Raises:
        UsageError: the text does not follow the grammar; the message begins with the number of the line.
    """
    sections, notes = _sections(text)
    default = sections.pop(_DEFAULT, None)
    taken_over = {name for section in sections.values() for name, _ in section.also}
    effort = Effort()
    conns = []
    for section in sections.values():
        conn = _flatten(section, sections, default, effort)
        if conn.word("auto", _IGNORED) == _IGNORED and section.name in taken_over:
            continue
        conns.append(conn)
    return tuple(conns), tuple(notes)


def _sections(text: str) -> tuple[dict[str, _Section], list[Note]]:
    sections: dict[str, _Section] = {}
    notes: list[Note] = []
    current: _Section | None = None
    for number, line in _lines(text):
        heading = _HEADING.match(line)
        if heading is not None:
            current = None
            if heading[1] == "conn":
                current = sections.setdefault(heading[2], _Section(heading[2], number))
            elif heading[1] == "ca" or heading[3]:
                current = _Section("", number)
            continue
        words = line.split(None, 1)
        if words[0] == "include" and "=" not in line.split()[0]:
            notes.append(
                Note("an included file is not followed: check it too, or a copy with its text in place", number)
            )
            continue
        if words[0] == "version":
            continue
        setting = _SETTING.match(line.strip())
        if line[0] not in "\t " or setting is None:
            raise unreadable(number, "neither 'conn NAME', 'config setup', 'ca NAME' nor an indented 'key=value'")
        if current is None:
            raise unreadable(number, "this setting stands before any section")
        _set(current, setting[1].lower(), setting[2], number)
    return sections, notes


def _set(section: _Section, key: str, value: str, line: int) -> None:
    text = _unquoted(value, line)
    if key == "also":
        section.also += [(name, line) for name in text.split() if name != _DEFAULT]
    else:
        section.values[key] = Value(text, line)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with something on them, without comments; one that ends inside a quoted string goes on in the next."""
    number = 0
    held = ""
    begun = 0
    for line in text.split("\n"):
        number += 1
        whole = f"{held}\n{line}" if begun else line.rstrip("\r")
        end = _end_of_code(whole)
        if end is None:
            if begun and number - begun > 100:
                break
            held, begun = whole, begun or number
            continue
        whole = whole[:end]
        if whole.strip():
            yield begun or number, whole
        held, begun = "", 0
    if begun:
        raise unreadable(begun, "the string that begins here is never closed")


def _end_of_code(line: str) -> int | None:
    """Where a comment begins, or the end of the line; None inside a quoted string."""
    if "#" not in line and '"' not in line:
        return len(line)
    quoted = False
    for at, char in enumerate(line):
        if char == '"' and line[at - 1 : at] != "\\":
            quoted = not quoted
        elif char == "#" and not quoted and line[at - 1 : at] != "@":
            return at
    return None if quoted else len(line)


def _unquoted(value: str, line: int) -> str:
    text = " ".join(value.split()) if '"' not in value else value.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace("\\\n", "").replace('\\"', '"')
    if text.startswith('"'):
        raise unreadable(line, "something follows the end of a quoted value")
    return text


def _flatten(section: _Section, sections: dict[str, _Section], default: _Section | None, effort: Effort) -> Conn:
    """What a section says and takes over: itself first, then the last of its ``also=``, and ``%default`` at the end."""
    order: list[_Section] = []
    seen: set[str] = set()
    notes: list[Note] = []
    waiting = [section]
    while waiting:
        here = waiting.pop()
        if here.name in seen:
            continue
        effort.spend(1 + len(here.values), section.line)
        seen.add(here.name)
        order.append(here)
        for name, line in here.also:
            if name in sections:
                waiting.append(sections[name])
            elif all(note.line != line for note in notes):
                notes.append(Note(f"also={printable(name)}: there is no such section", line))
    if default is not None:
        effort.spend(1 + len(default.values), section.line)
        order.append(default)
    values: dict[str, Value] = {}
    for part in order:
        for key, value in part.values.items():
            values.setdefault(key, value)
    return Conn(printable(section.name), section.line, values, tuple(notes), effort)
