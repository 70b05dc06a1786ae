"""Peers as TOML: the presets that come with the program, a user's own files, and what a requirement file carries.

Every field of :class:`~ipsecbench.recommend.peers.peer.Peer` that is known is one table (docs/requirements.md)::

    title = "Example"
    describes = "release 9"

    [key_exchange]
    has = ["modp2048", "ecp256"]
    uncertain = ["ecp256", "others"]   # others: the list may lack some; or "all"
    sources = ["rfc8247"]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.recommend.peers.peer import LISTS, OTHERS, Peer
from ipsecbench.recommend.reasons import Reason
from ipsecbench.toml.table import Table, count, flag, parse_toml, text, texts

_ALL = "all"
_LONGEST_LIFE_SECONDS = 31_536_000
_KNOWN: Mapping[str, Iterable[str]] = MappingProxyType(
    {
        "key_exchange": KEY_EXCHANGE,
        "additional_key_exchange": KEY_EXCHANGE,
        "child_key_exchange": KEY_EXCHANGE,
        "prf": PRF,
        "ike_encryption": ENCRYPTION,
        "ike_integrity": INTEGRITY,
        "authentication": AUTHENTICATION,
        "esp_suites": esp_suites(),
        "esp_encryption": ENCRYPTION,
        "esp_integrity": INTEGRITY,
    }
)
"""Names that a list may have. ``esp_encryption`` and ``esp_integrity`` stand for every suite that they make."""


def parse_peer(content: str, path: Path, spec: str | None = None) -> Peer:
    """The peer that a TOML text describes.

    Args:
        content: the text.
        path: where it comes from, for messages.
        spec: what ``--peer`` took to find it, where that finds it everywhere.

    Raises:
        ConfigurationError: it is no peer; the message names file, line and key.
    """
    return peer_of_table(parse_toml(content, path), spec)


def peer_of_table(table: Table, spec: str | None = None) -> Peer:
    """The peer that a table describes.

    Raises:
        ConfigurationError: it is no peer; the message names file, line and key.
    """
    return _Reader(table, spec).peer()


def _names(field: str) -> Callable[[Any], tuple[str, ...]]:
    def convert(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise UsageError("it must be a list of names")
        for name in texts(value):
            if name not in _KNOWN[field]:
                nearest = get_close_matches(name, _KNOWN[field], n=1)
                raise UsageError(f"{name!r} is not known{f'; did you mean {nearest[0]!r}?' if nearest else ''}")
        return texts(value)

    return convert


def _versions(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(each in (1, 2) and type(each) is int for each in value):
        raise UsageError("it must be a list of 1 and 2")
    return tuple(value)


def _doubts(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def doubts(value: Any) -> Any:
        if value == _ALL or not isinstance(value, list):
            return value if value == _ALL else convert(value)
        names = [name for name in value if name != OTHERS]
        return (*convert(names), *([OTHERS] if OTHERS in value else []))

    return doubts


def _keys(value: Any) -> tuple[str, ...]:
    for key in texts(value):
        if key not in sources():
            raise UsageError(f"{key!r} is no key in ipsecbench/algorithms/sources.csv")
    return texts(value)


def _line(value: Any) -> str:
    found = text(value)
    if not found.strip() or not found.isprintable():
        raise UsageError("it must be one line of text")
    return found


class _Reader:
    """Reads one peer, and keeps what is uncertain and where each field comes from."""

    def __init__(self, table: Table, spec: str | None) -> None:
        self._table = table
        self._spec = spec
        self._uncertain: set[str] = set()
        self._sources: list[tuple[str, tuple[str, ...]]] = []

    def peer(self) -> Peer:
        table = self._table
        name = table.require("title", _line)
        describes = table.get("describes", _line, None)
        lists = {field: self._list(field) for field in LISTS if field != "esp_suites"}
        lists["esp_suites"] = self._suites()
        esn = self._value("esn", flag)
        lives = {
            which: self._value(which, count(60, _LONGEST_LIFE_SECONDS)) for which in ("ike_seconds", "child_seconds")
        }
        notes = []
        for note in table.list_of_tables("note"):
            notes.append(Reason(note.require("text", _line), note.get("sources", _keys, ())))
            note.finish()
        table.finish()
        return Peer(
            name=name, describes=describes, spec=self._spec, esn=esn, notes=tuple(notes),
            uncertain=frozenset(self._uncertain), sources=tuple(self._sources), **lists, **lives,
        )  # fmt: skip

    def _field(self, field: str, convert: Callable[[Any], Any]) -> tuple[Any, str | tuple[str, ...]] | None:
        """What a field has, and which names of it are uncertain; None where the peer says nothing of it."""
        if not self._table.has(field):
            self._table.get(field, lambda value: value, None)
            return None
        table = self._table.table(field)
        has = table.require("has", convert)
        uncertain: str | tuple[str, ...] = table.get("uncertain", _doubts(convert), ())
        if uncertain != _ALL:
            for name in uncertain:
                if not isinstance(has, tuple) or name not in (*has, OTHERS):
                    table.fail("uncertain", f"{name!r} is not in 'has'")
        keys = table.get("sources", _keys, ())
        if keys:
            self._sources.append((field, keys))
        table.finish()
        return has, uncertain

    def _doubt(self, field: str, uncertain: str | Iterable[object]) -> None:
        self._uncertain |= {field} if uncertain == _ALL else {f"{field}.{name}" for name in uncertain}

    def _list(self, field: str) -> Any:
        found = self._field(field, _versions if field == "ike_versions" else _names(field))
        if found is None:
            return None
        self._doubt(field, found[1])
        return frozenset(found[0])

    def _value(self, field: str, convert: Callable[[Any], Any]) -> Any:
        found = self._field(field, convert)
        if found is None:
            return None
        self._doubt(field, found[1])
        return found[0]

    def _suites(self) -> Any:
        encryption = self._field("esp_encryption", _names("esp_encryption"))
        integrity = self._field("esp_integrity", _names("esp_integrity"))
        if encryption is None:
            if integrity is not None:
                self._table.fail("esp_integrity", "it needs 'esp_encryption' beside it")
            return self._list("esp_suites")
        if self._table.has("esp_suites"):
            self._table.fail("esp_suites", "give it, or 'esp_encryption' and 'esp_integrity'")
        self._table.get("esp_suites", lambda value: value, None)
        macs, mac_doubts = ((), ()) if integrity is None else integrity
        doubts = {name for part in (encryption, integrity) if part is not None for name in _doubted(part)}
        suites = [suite for suite in esp_suites().values() if suite.encryption.name in encryption[0]]
        suites = [suite for suite in suites if suite.integrity is None or suite.integrity.name in macs]
        if not suites:
            self._table.fail(
                "esp_encryption", "it makes no suite: an integrity transform is missing in 'esp_integrity'"
            )
        if encryption[1] == _ALL and mac_doubts in (_ALL, ()):
            self._doubt("esp_suites", _ALL)
        else:
            doubted = [suite.name for suite in suites if doubts & set(suite.name.split("-"))]
            self._doubt("esp_suites", [*doubted, *([OTHERS] if OTHERS in doubts else [])])
        keys = {key for field, found in self._sources if field.startswith("esp_") for key in found}
        self._sources = [(field, found) for field, found in self._sources if not field.startswith("esp_")]
        if keys:
            self._sources.append(("esp_suites", tuple(sorted(keys))))
        return frozenset(suite.name for suite in suites)


def _doubted(part: tuple[Any, str | tuple[str, ...]]) -> Iterable[str]:
    has, uncertain = part
    return has if uncertain == _ALL else uncertain


def write_peer(peer: Peer, prefix: str = "") -> str:
    """TOML that :func:`peer_of_table` reads as this peer, but for its ``spec``.

    Args:
        peer: the peer.
        prefix: name of the table that it shall be, such as ``peer.``; everything follows in tables of this one.
    """
    lines = [f"[{prefix.rstrip('.')}]"] if prefix else []
    lines.append(f"title = {toml_text(peer.name)}")
    if peer.describes is not None:
        lines.append(f"describes = {toml_text(peer.describes)}")
    for field in (*LISTS, "esn", "ike_seconds", "child_seconds"):
        value = getattr(peer, field)
        if value is None:
            continue
        has = sorted(value) if isinstance(value, frozenset) else value
        lines += ["", f"[{prefix}{field}]", f"has = {json.dumps(has)}"]
        if field in peer.uncertain:
            lines.append(f'uncertain = "{_ALL}"')
        elif isinstance(has, list):
            doubts = [name for name in (*has, OTHERS) if f"{field}.{name}" in peer.uncertain]
            lines += [f"uncertain = {json.dumps(doubts)}"] if doubts else []
        if peer.sources_of(field):
            lines.append(f"sources = {json.dumps(peer.sources_of(field))}")
    for note in peer.notes:
        lines += ["", f"[[{prefix}note]]", f"text = {toml_text(note.text)}", f"sources = {json.dumps(note.sources)}"]
    return "\n".join(lines) + "\n"


def toml_text(value: str) -> str:
    """A TOML basic string: a JSON string but for DEL, which json leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
