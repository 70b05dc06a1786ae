"""Reads the TOML form of a policy and checks every field: one clear line for every mistake (docs/policies.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
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
from ipsecbench.recommend.policies.records import (
    Acceptance,
    Fallback,
    Line,
    Policy,
    Setting,
    Unlisted,
    fallback_parts,
)
from ipsecbench.recommend.policies.shipped import POLICIES, shipped_policy_text
from ipsecbench.recommend.proposals import parse_esp_proposal, parse_ike_proposal
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.standing import forbidden, never_acceptable

IKE_VERSIONS = ("2", "1")
"""Versions of IKE as a policy names them."""

_KNOWN: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.IKE_VERSION: frozenset(IKE_VERSIONS),
        Role.KEY_EXCHANGE: frozenset(KEY_EXCHANGE),
        Role.ADDITIONAL_KEY_EXCHANGE: frozenset(KEY_EXCHANGE),
        Role.PRF: frozenset(PRF),
        Role.IKE_ENCRYPTION: frozenset(ENCRYPTION),
        Role.IKE_INTEGRITY: frozenset(INTEGRITY),
        Role.AUTHENTICATION: frozenset(AUTHENTICATION),
        Role.ESP_SUITE: frozenset(esp_suites()),
    }
)
_MAY_BE_EMPTY = frozenset({Role.IKE_VERSION, Role.IKE_INTEGRITY, Role.ADDITIONAL_KEY_EXCHANGE})
_ROLES: Mapping[str, Role] = MappingProxyType({role.value.replace("-", "_"): role for role in _KNOWN})
"""Name of the array of tables to the role of its lines."""

_IKEV2 = Line("2", Reason("IKEv2; IKEv1 was deprecated by RFC 9395.", ("rfc7296", "rfc9395")))
"""What a policy allows that says nothing of versions."""


@dataclass(frozen=True, slots=True)
class _Number:
    low: int
    high: int
    required: bool = True


_WEEK = 604_800
_NUMBERS: Mapping[str, _Number] = MappingProxyType(
    {
        "minimum_strength_bits": _Number(1, 256),
        "ike_rekey_seconds": _Number(60, _WEEK),
        "ike_maximum_seconds": _Number(60, _WEEK),
        "child_rekey_seconds": _Number(60, _WEEK),
        "child_maximum_seconds": _Number(60, _WEEK),
        "shortest_rekey_seconds": _Number(1, 3600),
        "replay_window_packets": _Number(32, 65_536),
        "child_maximum_bytes": _Number(2**20, 2**60, required=False),
        "psk_minimum_bits": _Number(64, 512, required=False),
    }
)


@dataclass(frozen=True, slots=True)
class _Word:
    choices: tuple[str, ...]
    required: bool = True


_WANTED = ("required", "prefer", "off")
_WORDS: Mapping[str, _Word] = MappingProxyType(
    {
        "perfect_forward_secrecy": _Word(_WANTED),
        "extended_sequence_numbers": _Word(_WANTED),
        "additional_key_exchange": _Word(_WANTED, required=False),
        "child_key_exchange": _Word(("same", "at-least"), required=False),
        "life_in_octets": _Word(("required", "prefer"), required=False),
        "ikev1_exchange_mode": _Word(("main", "aggressive"), required=False),
        "unlisted": _Word(("warn", "fail"), required=False),
    }
)
_SETTING_FIELDS = frozenset({"value", "reason", "sources", "verified"})
_LINE_FIELDS = frozenset({"name", "names", "reason", "sources", "verified", "recommend"})
_ACCEPT_FIELDS = frozenset({"role", "name", "reason", "sources"})
_FALLBACK_FIELDS = frozenset({"proposal", "reason", "sources", "warning", "last_resort"})
_UNLISTED_FIELDS = frozenset({"role", "names", "reason", "sources"})
_OF_ITS_OWN = frozenset({"name", "version", "title", "accept"})
"""Fields that a file never takes from its base as they stand."""
_TOP_FIELDS = frozenset(
    {"base", "name", "version", "title", "setting", "accept", "fallback", "note", "unlisted", *_ROLES}
)


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
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"policy {where}: not TOML: {error}") from None
    reader = _Reader(where)
    return reader.policy(reader.on_its_base(data) if "base" in data else data)


class _Reader:
    """Checks every field of one policy file."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._accepted: dict[tuple[Role, str], Acceptance] = {}

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

    def _verified(self, table: Mapping[str, Any], prefix: str, reason: Reason) -> bool:
        """Whether the source was read; a line that rests on unread sources alone cannot say that it was."""
        readable = not all(sources()[key].unverified for key in reason.sources)
        verified = self._flag(table, "verified", prefix, default=readable)
        if verified and not readable:
            text = f"no text of {', '.join(reason.sources)} was read (sources.csv): write false, or leave it out"
            raise self._fail(f"{prefix}.verified", text)
        return verified

    def _flag(self, table: Mapping[str, Any], field: str, prefix: str, *, default: bool) -> bool:
        value = table.get(field, default)
        if not isinstance(value, bool):
            raise self._fail(f"{prefix}.{field}", "it is true or false")
        return value

    def _role(self, table: Mapping[str, Any], prefix: str) -> Role:
        field = self._text(table, "role", prefix + ".")
        if field not in _ROLES:
            raise self._fail(f"{prefix}.role", f"{field!r} is none of {', '.join(_ROLES)}")
        return _ROLES[field]

    def on_its_base(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The file with everything that it leaves out taken from one of the program's own policies.

        A list that the file gives takes the place of the base's whole list; a setting, of that setting.
        """
        name = data["base"]
        if name not in POLICIES:
            raise self._fail("base", f"{name!r} is none of {', '.join(POLICIES)}")
        base = tomllib.loads(shipped_policy_text(name))
        own = {key: value for key, value in data.items() if key != "base"}
        for key in ("setting", "fallback"):
            if isinstance(own.get(key), dict):
                own[key] = {**base.get(key, {}), **own[key]}
        if isinstance(own.get("unlisted"), list):
            own["unlisted"] = [*own["unlisted"], *base.get("unlisted", [])]
        inherited = [] if "accept" in own else [each for each in base.get("accept", []) if each["role"] not in own]
        return {**{key: base[key] for key in base if key not in _OF_ITS_OWN}, "accept": inherited, **own}

    def policy(self, data: Mapping[str, Any]) -> Policy:
        self._table(data, "file", _TOP_FIELDS)
        fallback = self._table(data.get("fallback", {}), "fallback", frozenset({"ike", "esp"}))
        settings = self._settings(data.get("setting"))
        self._read_acceptances(data.get("accept", []))
        lines = {role: self._lines(data.get(field, []), field, role) for field, role in _ROLES.items()}
        lines[Role.IKE_VERSION] = lines[Role.IKE_VERSION] or (_IKEV2,)
        notes = self._tables(data.get("note", []), "note", frozenset({"text", "sources"}))
        found = Policy(
            name=self._text(data, "name"),
            version=self._text(data, "version"),
            title=self._text(data, "title"),
            settings=settings,
            lines=MappingProxyType(lines),
            acceptances=tuple(self._accepted.values()),
            ike_fallbacks=self._fallbacks(fallback.get("ike", []), "fallback.ike"),
            esp_fallbacks=self._fallbacks(fallback.get("esp", []), "fallback.esp"),
            unlisted=self._unlisted(data.get("unlisted", [])),
            notes=tuple(self._reason(table, prefix, "text") for prefix, table in notes),
        )
        self._check_together(found)
        return found

    def _settings(self, value: object) -> Mapping[str, Setting]:
        table = self._table(value, "setting", frozenset((*_NUMBERS, *_WORDS)))
        found: dict[str, Setting] = {}
        kinds: dict[str, _Number | _Word] = {**_NUMBERS, **_WORDS}
        for name, kind in kinds.items():
            if name not in table and not kind.required:
                continue
            prefix = f"setting.{name}"
            entry = self._table(table.get(name), prefix, _SETTING_FIELDS)
            setting = entry.get("value")
            if isinstance(kind, _Word):
                if setting not in kind.choices:
                    raise self._fail(f"{prefix}.value", f"it is one of {', '.join(kind.choices)}")
            elif type(setting) is not int or not kind.low <= setting <= kind.high:
                raise self._fail(f"{prefix}.value", f"it is a whole number from {kind.low} to {kind.high}")
            reason = self._reason(entry, prefix)
            found[name] = Setting(setting, reason, self._verified(entry, prefix, reason))
        for which in ("ike", "child"):
            if int(found[f"{which}_rekey_seconds"].value) > int(found[f"{which}_maximum_seconds"].value):
                raise self._fail(f"setting.{which}_rekey_seconds.value", f"above {which}_maximum_seconds")
        return MappingProxyType(found)

    def _read_acceptances(self, value: object) -> None:
        for prefix, table in self._tables(value, "accept", _ACCEPT_FIELDS):
            role = self._role(table, prefix)
            name = self._text(table, "name", prefix + ".")
            never = never_acceptable(role, name)
            if never is not None:
                raise self._fail(f"{prefix}.name", f"{name!r} is never acceptable: {never.text}")
            if name not in _KNOWN[role]:
                raise self._fail(f"{prefix}.name", f"{name!r} is not known for {table['role']}")
            if (role, name) in self._accepted:
                raise self._fail(f"{prefix}.name", f"{name!r} stands there twice")
            self._accepted[role, name] = Acceptance(role, name, self._reason(table, prefix))

    def _refuse_forbidden(self, role: Role, name: str, field: str) -> None:
        """What a standard forbids has to be accepted by name, and some of it cannot be."""
        never = never_acceptable(role, name)
        if never is not None:
            raise self._fail(field, f"{name!r} is never acceptable: {never.text}")
        verdict = forbidden(role, name) if name in _KNOWN[role] else None
        if verdict is not None and (role, name) not in self._accepted:
            table = next(table for table, each in _ROLES.items() if each is role)
            what = f'only with [[accept]] role = "{table}", name = "{name}", which warns of it'
            raise self._fail(field, f"{name!r} cannot be allowed: {verdict.text}; {what}")

    def _lines(self, value: object, field: str, role: Role) -> tuple[Line, ...]:
        found: dict[str, Line] = {}
        for prefix, table in self._tables(value, field, _LINE_FIELDS):
            names, at = self._line_names(table, prefix)
            reason = self._reason(table, prefix)
            verified = self._verified(table, prefix, reason)
            recommended = self._flag(table, "recommend", prefix, default=True)
            for name in names:
                self._refuse_forbidden(role, name, at)
                if name not in _KNOWN[role]:
                    raise self._fail(at, f"{name!r} is not known for {field}")
                if name in found:
                    raise self._fail(at, f"{name!r} stands there twice")
                found[name] = Line(name, reason, verified, recommended)
        if role not in _MAY_BE_EMPTY and not any(line.recommended for line in found.values()):
            raise self._fail(field, "it must allow something that may be recommended")
        return tuple(found.values())

    def _line_names(self, table: Mapping[str, Any], prefix: str) -> tuple[list[str], str]:
        """The names of a line, and the field that they stand in: one name, or several with one reason."""
        if "names" not in table:
            return [self._text(table, "name", prefix + ".")], f"{prefix}.name"
        if "name" in table:
            raise self._fail(f"{prefix}.names", "give a name or names, not both")
        return self._names(table, prefix), f"{prefix}.names"

    def _names(self, table: Mapping[str, Any], prefix: str) -> list[str]:
        names = table.get("names")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise self._fail(f"{prefix}.names", "it must be a list of names or patterns, and not empty")
        return names

    def _unlisted(self, value: object) -> tuple[Unlisted, ...]:
        found: list[Unlisted] = []
        for prefix, table in self._tables(value, "unlisted", _UNLISTED_FIELDS):
            role = self._role(table, prefix)
            found.append(Unlisted(role, tuple(self._names(table, prefix)), self._reason(table, prefix)))
        return tuple(found)

    def _fallbacks(self, value: object, field: str) -> tuple[Fallback, ...]:
        ike = field == "fallback.ike"
        parse = parse_ike_proposal if ike else parse_esp_proposal
        found: list[Fallback] = []
        for prefix, table in self._tables(value, field, _FALLBACK_FIELDS):
            text = self._text(table, "proposal", prefix + ".")
            try:
                proposal = parse(text)
            except UsageError as error:
                raise self._fail(f"{prefix}.proposal", str(error)) from None
            for role, name in fallback_parts(proposal, ike):
                self._refuse_forbidden(role, name, f"{prefix}.proposal")
            reason = self._reason(table, prefix)
            warning = Reason(self._text(table, "warning", prefix + "."), reason.sources) if "warning" in table else None
            last = self._flag(table, "last_resort", prefix, default=False)
            found.append(Fallback(text, proposal, reason, warning, last))
        return tuple(found)

    def _check_together(self, policy: Policy) -> None:
        """What single lines cannot show: lines that only make sense, or no sense, beside others."""
        for each in policy.acceptances:
            if policy.line(each.role, each.name) is None and not policy.in_fallbacks(each.role, each.name):
                text = f"it accepts {each.name!r}, which neither a line nor a fallback of this policy sets"
                raise self._fail("accept", text)
        bare = [line.name for line in policy.lines[Role.IKE_ENCRYPTION] if not ENCRYPTION[line.name].aead]
        if bare and not policy.ike_integrity:
            raise self._fail("ike_integrity", f"{bare[0]} in ike_encryption needs one beside it: add [[ike_integrity]]")
        additional = policy.word("additional_key_exchange")
        if policy.additional_key_exchanges and "additional_key_exchange" not in policy.settings:
            raise self._fail("setting.additional_key_exchange", "say whether the lines are required, prefer or off")
        if additional != "off" and not policy.additional_key_exchanges:
            raise self._fail(
                "additional_key_exchange", f"it is {additional!r} and no [[additional_key_exchange]] is listed"
            )
        self._check_ikev1(policy, additional)

    def _check_ikev1(self, policy: Policy, additional: str) -> None:
        versions = [line.name for line in policy.ike_versions]
        if versions == ["1"] and additional == "required":
            raise self._fail("additional_key_exchange", "IKEv1 has no additional key exchange")
        usable = [each for each in policy.lines[Role.IKE_ENCRYPTION] if ENCRYPTION[each.name].ikev1_phase1_id]
        if versions == ["1"] and not usable:
            raise self._fail("ike_encryption", "IKEv1 has none of these in phase 1, and no combined mode at all")
        aggressive = policy.word("ikev1_exchange_mode") == "aggressive"
        if aggressive and policy.line(Role.AUTHENTICATION, "psk") is not None:
            text = (
                "aggressive mode with a pre-shared key is never acceptable: anyone who asks gets a hash to guess it by"
            )
            raise self._fail("setting.ikev1_exchange_mode.value", text)
