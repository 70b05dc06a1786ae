"""Policies: data files that say what is allowed, each line with its reason and its sources.

The two that come with the program are ``policies/*.toml``; a user's own file has the same form
(docs/recommendation.md). A policy only ever narrows: what a standard forbids cannot be allowed by one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
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
from ipsecbench.recommend.proposals import Proposal, parse_esp_proposal, parse_ike_proposal
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.standing import forbidden

POLICIES = ("modern", "legacy-interop")
"""The policies that come with the program."""

_TABLES: Mapping[str, tuple[Role | None, frozenset[str]]] = MappingProxyType(
    {
        "key_exchange": (Role.KEY_EXCHANGE, frozenset(KEY_EXCHANGE)),
        "prf": (Role.PRF, frozenset(PRF)),
        "ike_encryption": (Role.IKE_ENCRYPTION, frozenset(ENCRYPTION)),
        "ike_integrity": (None, frozenset(INTEGRITY)),
        "authentication": (Role.AUTHENTICATION, frozenset(AUTHENTICATION)),
        "esp_suite": (Role.ESP_SUITE, frozenset(esp_suites())),
    }
)

_NUMBERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "minimum_strength_bits": (1, 256),
        "ike_rekey_seconds": (60, 604_800),
        "ike_maximum_seconds": (60, 604_800),
        "child_rekey_seconds": (60, 604_800),
        "child_maximum_seconds": (60, 604_800),
        "shortest_rekey_seconds": (1, 3600),
        "replay_window_packets": (32, 65_536),
    }
)
_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"perfect_forward_secrecy": ("required", "off"), "extended_sequence_numbers": ("prefer", "off")}
)
_LINE_FIELDS = frozenset({"name", "reason", "sources"})
_FALLBACK_FIELDS = frozenset({"proposal", "reason", "sources", "warning"})
_UNLISTED_FIELDS = frozenset({"role", "names", "reason", "sources"})
_TOP_FIELDS = frozenset({"name", "version", "title", "setting", "fallback", "note", "unlisted", *_TABLES})


@dataclass(frozen=True, slots=True)
class Line:
    """One algorithm that the policy allows."""

    name: str
    """Proposal token or ESP suite."""
    reason: Reason
    """Why it is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One number or word of the policy."""

    value: int | str
    """What it is set to."""
    reason: Reason
    """Why."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """A whole proposal for old peers, offered after the best one."""

    text: str
    """The proposal as the policy spells it."""
    proposal: Proposal
    """The same, taken apart."""
    reason: Reason
    """Why it is there."""
    warning: Reason | None
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Why some things are not listed."""

    role: Role
    """What they would be for."""
    patterns: tuple[str, ...]
    """Their names, as shell patterns."""
    reason: Reason
    """Why they are not allowed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed, and why."""

    name: str
    """Short name."""
    version: str
    """Version of the data, such as ``2026.1``."""
    title: str
    """What it is, for people."""
    settings: Mapping[str, Setting]
    """Numbers and words by name."""
    lines: Mapping[Role, tuple[Line, ...]]
    """What may be the first choice, by role, in the policy's order."""
    ike_integrity: tuple[Line, ...]
    """Integrity transforms for IKE beside an encryption transform that needs one."""
    ike_fallbacks: tuple[Fallback, ...]
    """Further IKE proposals, in order of preference."""
    esp_fallbacks: tuple[Fallback, ...]
    """Further ESP proposals, in order of preference."""
    unlisted: tuple[Unlisted, ...]
    """Why what is not listed is not; the first that matches counts."""
    notes: tuple[Reason, ...]
    """What every user of the policy should know."""

    def number(self, name: str) -> int:
        """The value of a setting that is a number."""
        return int(self.settings[name].value)

    def line(self, role: Role, name: str) -> Line | None:
        """The line that allows something, or None."""
        return next((line for line in self.lines[role] if line.name == name), None)

    def why_not_listed(self, role: Role, name: str) -> Reason:
        """Why something is not listed: the policy's own reason, or that it is not."""
        for entry in self.unlisted:
            if entry.role is role and any(fnmatchcase(name, pattern) for pattern in entry.patterns):
                return Reason(f"not in policy {self.label}: {entry.reason.text}", entry.reason.sources)
        return Reason(f"not in policy {self.label}")

    @property
    def label(self) -> str:
        """Name and version, such as ``modern 2026.1``."""
        return f"{self.name} {self.version}"


def load_policy(name_or_path: str) -> Policy:
    """One of the program's policies by name, or a user's own file by its path.

    Raises:
        UsageError: there is no such policy or file, or the file is not a policy; the message names the field.
    """
    if name_or_path in POLICIES:
        resource = files("ipsecbench.recommend").joinpath("policies", f"{name_or_path}.toml")
        return parse_policy(resource.read_text(encoding="utf-8"), name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        raise UsageError(
            f"policy {name_or_path!r} is not known; there are {', '.join(POLICIES)}, or give the path of a .toml file"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"policy {name_or_path}: the file is not UTF-8 text; a policy is a TOML file") from None
    except OSError as error:
        raise UsageError(f"policy {name_or_path}: it cannot be read: {error.strerror or error}") from None
    return parse_policy(text, name_or_path)


def parse_policy(text: str, where: str) -> Policy:
    """The policy in a TOML text.

    Args:
        text: the text.
        where: name or path of the policy, for messages.

    Raises:
        UsageError: the text is not a policy; the message names the field.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"policy {where}: not TOML: {error}") from None
    return _Reader(where).policy(data)


class _Reader:
    """Checks every field of one policy file."""

    def __init__(self, where: str) -> None:
        self._where = where

    def _fail(self, field: str, what: str) -> UsageError:
        return UsageError(f"policy {self._where}: {field}: {what}")

    def _text(self, table: Mapping[str, Any], field: str, prefix: str = "") -> str:
        value = table.get(field)
        if not isinstance(value, str) or not value.strip() or "\n" in value:
            raise self._fail(prefix + field, "it must be there, as one line of text")
        return value

    def _table(self, value: object, field: str, allowed: frozenset[str]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._fail(field, "it must be a table")
        unknown = sorted(set(value) - allowed)
        if unknown:
            raise self._fail(f"{field}.{unknown[0]}", f"unknown; there are {', '.join(sorted(allowed))}")
        return value

    def _tables(self, value: object, field: str, allowed: frozenset[str]) -> list[tuple[str, Mapping[str, Any]]]:
        if not isinstance(value, list):
            raise self._fail(field, f"it must be an array of tables, written [[{field}]]")
        return [(f"{field}[{n}]", self._table(item, f"{field}[{n}]", allowed)) for n, item in enumerate(value)]

    def _reason(self, table: Mapping[str, Any], prefix: str, field: str = "reason") -> Reason:
        text = self._text(table, field, prefix + ".")
        keys = table.get("sources")
        if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
            raise self._fail(f"{prefix}.sources", "it must be a list of source keys, and not empty")
        for key in keys:
            if key not in sources():
                raise self._fail(f"{prefix}.sources", f"{key!r} is no key in ipsecbench/algorithms/sources.csv")
        return Reason(text, tuple(keys))

    def policy(self, data: Mapping[str, Any]) -> Policy:
        self._table(data, "file", _TOP_FIELDS)
        fallback = self._table(data.get("fallback", {}), "fallback", frozenset({"ike", "esp"}))
        settings = self._settings(data.get("setting"))
        lines = {name: self._lines(data.get(name, []), name) for name in _TABLES}
        for name, (role, _) in _TABLES.items():
            if role is not None and not lines[name]:
                raise self._fail(name, "it must allow something")
        notes = self._tables(data.get("note", []), "note", frozenset({"text", "sources"}))
        return Policy(
            name=self._text(data, "name"),
            version=self._text(data, "version"),
            title=self._text(data, "title"),
            settings=settings,
            lines=MappingProxyType({role: lines[name] for name, (role, _) in _TABLES.items() if role is not None}),
            ike_integrity=lines["ike_integrity"],
            ike_fallbacks=self._fallbacks(fallback.get("ike", []), "fallback.ike"),
            esp_fallbacks=self._fallbacks(fallback.get("esp", []), "fallback.esp"),
            unlisted=self._unlisted(data.get("unlisted", [])),
            notes=tuple(self._reason(table, prefix, "text") for prefix, table in notes),
        )

    def _settings(self, value: object) -> Mapping[str, Setting]:
        table = self._table(value, "setting", frozenset((*_NUMBERS, *_WORDS)))
        found: dict[str, Setting] = {}
        for name in (*_NUMBERS, *_WORDS):
            prefix = f"setting.{name}"
            entry = self._table(table.get(name), prefix, frozenset({"value", "reason", "sources"}))
            setting = entry.get("value")
            if name in _WORDS:
                if setting not in _WORDS[name]:
                    raise self._fail(f"{prefix}.value", f"it is one of {', '.join(_WORDS[name])}")
            else:
                low, high = _NUMBERS[name]
                if type(setting) is not int or not low <= setting <= high:
                    raise self._fail(f"{prefix}.value", f"it is a whole number from {low} to {high}")
            found[name] = Setting(setting, self._reason(entry, prefix))
        for which in ("ike", "child"):
            if int(found[f"{which}_rekey_seconds"].value) > int(found[f"{which}_maximum_seconds"].value):
                raise self._fail(f"setting.{which}_rekey_seconds.value", f"above {which}_maximum_seconds")
        return MappingProxyType(found)

    def _lines(self, value: object, field: str) -> tuple[Line, ...]:
        role, known = _TABLES[field]
        found: dict[str, Line] = {}
        for prefix, table in self._tables(value, field, _LINE_FIELDS):
            name = self._text(table, "name", prefix + ".")
            if name not in known:
                raise self._fail(f"{prefix}.name", f"{name!r} is not known for {field}")
            if name in found:
                raise self._fail(f"{prefix}.name", f"{name!r} stands there twice")
            verdict = forbidden(role, name) if role is not None else None
            if verdict is not None:
                raise self._fail(f"{prefix}.name", f"{name!r} cannot be allowed: {verdict.text}")
            found[name] = Line(name, self._reason(table, prefix))
        return tuple(found.values())

    def _unlisted(self, value: object) -> tuple[Unlisted, ...]:
        found: list[Unlisted] = []
        for prefix, table in self._tables(value, "unlisted", _UNLISTED_FIELDS):
            field = self._text(table, "role", prefix + ".")
            role = _TABLES[field][0] if field in _TABLES else None
            if role is None:
                raise self._fail(
                    f"{prefix}.role", f"{field!r} is none of {', '.join(n for n in _TABLES if _TABLES[n][0])}"
                )
            names = table.get("names")
            if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
                raise self._fail(f"{prefix}.names", "it must be a list of names or patterns, and not empty")
            found.append(Unlisted(role, tuple(names), self._reason(table, prefix)))
        return tuple(found)

    def _fallbacks(self, value: object, field: str) -> tuple[Fallback, ...]:
        parse = parse_ike_proposal if field == "fallback.ike" else parse_esp_proposal
        found: list[Fallback] = []
        for prefix, table in self._tables(value, field, _FALLBACK_FIELDS):
            text = self._text(table, "proposal", prefix + ".")
            try:
                proposal = parse(text)
            except UsageError as error:
                raise self._fail(f"{prefix}.proposal", str(error)) from None
            if field == "fallback.esp" and proposal.esp_suite not in esp_suites():
                raise self._fail(f"{prefix}.proposal", f"{proposal.esp_suite} has no integrity protection")
            for role, name in fallback_parts(proposal, field == "fallback.ike"):
                verdict = forbidden(role, name)
                if verdict is not None:
                    raise self._fail(f"{prefix}.proposal", f"{name!r} cannot be allowed: {verdict.text}")
            reason = self._reason(table, prefix)
            warning = Reason(self._text(table, "warning", prefix + "."), reason.sources) if "warning" in table else None
            found.append(Fallback(text, proposal, reason, warning))
        return tuple(found)


def fallback_parts(proposal: Proposal, ike: bool) -> tuple[tuple[Role, str], ...]:
    """The parts of a fallback proposal with the role that each has."""
    if ike:
        return (
            (Role.IKE_ENCRYPTION, proposal.encryption),
            (Role.PRF, proposal.prf or ""),
            (Role.KEY_EXCHANGE, proposal.key_exchange or ""),
        )
    parts = [(Role.ESP_SUITE, proposal.esp_suite)]
    if proposal.key_exchange is not None:
        parts.append((Role.KEY_EXCHANGE, proposal.key_exchange))
    return tuple(parts)
