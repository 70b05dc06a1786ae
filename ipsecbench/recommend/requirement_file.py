"""The requirement file: everything that is asked of the recommendation in one TOML file (docs/requirements.md).

Its keys are the names of the command line's flags, and their values are what the flags take. Both are read here, so
that a key and its flag cannot mean two things; :func:`write_requirements` writes what :func:`read_requirements` reads.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ipsecbench.errors import UsageError
from ipsecbench.recommend.requirements import (
    Objective,
    Requirements,
    direction_text,
    parse_direction,
    parse_rate,
    rate_text,
)
from ipsecbench.recommend.traffic import Traffic, parse_traffic, traffic_text

LARGEST_FILE_BYTES = 1 << 20
"""A requirement file is some dozens of lines."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file, which is one flag of the command line too."""

    field: str
    """Field of :class:`Requirements` that it sets."""
    kinds: tuple[type, ...]
    """Types that TOML may give it."""
    wanted: str
    """What it takes, for messages."""
    parse: Callable[[Any], object] = lambda value: value
    """The field's value from the key's. Raises UsageError."""
    write: Callable[[Any], object] = lambda value: value
    """The key's value from the field's."""


def _traffic(value: int | str) -> Traffic:
    return parse_traffic(str(value))


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "goal": Key(
            "goal_mbit_per_second", (str, int), "a rate such as '500M' (bit/s)",
            lambda value: parse_rate(str(value)), rate_text,
        ),
        "min-bits": Key("min_strength_bits", (int,), "a number of bits, such as 192"),
        "profile": Key("traffic", (str, int), "a mix, a packet size or sizes with counts", _traffic, traffic_text),
        "mtu": Key("link_mtu_bytes", (int,), "a number of octets, such as 1500"),
        "nat-t": Key("nat_traversal", (bool,), "true or false"),
        "outer": Key("outer", (str,), "'ipv4' or 'ipv6'"),
        "inner": Key("inner", (str,), "'ipv4' or 'ipv6'"),
        "auth": Key("authentication", (str,), "a method such as 'psk' or 'rsa-3072'"),
        "tunnels": Key("tunnels", (int,), "a number, such as 40"),
        "sas-per-tunnel": Key("sas_per_tunnel", (int,), "a number, such as 2"),
        "cores": Key("cores", (int,), "a number, such as 4"),
        "direction": Key(
            "outbound_share", (str, float, int), "outbound:inbound such as '70:30', or 'each'",
            parse_direction, direction_text,
        ),
        "mode": Key("mode", (str,), "'tunnel', 'transport', 'gre' or 'ipip'"),
        "ike-version": Key("ike_version", (int,), "1 or 2"),
        "objective": Key(
            "objective", (str,), "'balanced', 'throughput', 'cpu', 'latency' or 'security'",
            Objective.parse, lambda value: value.value,
        ),
    }
)  # fmt: skip
"""Keys of the file and flags of the command line, in the order in which they are written. ``policy`` is one more."""
POLICY = "policy"


@dataclass(frozen=True, slots=True)
class RequirementFile:
    """What a requirement file says."""

    policy: str | None
    """Name or path of the policy; None where the file names none."""
    values: Mapping[str, object]
    """Values by key, checked for their type and each by itself."""


def parse_requirement_file(text: str, where: str) -> RequirementFile:
    """What a requirement file's text says.

    Args:
        text: the text.
        where: path of the file, for messages.

    Raises:
        UsageError: it is not TOML, a key is unknown, or a value is nonsense; the message names file and key.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{where}: not TOML: {str(error).splitlines()[0]}") from None
    values: dict[str, object] = {}
    for name, value in data.items():
        if name == POLICY:
            _check_kind(name, value, (str,), "the name or the path of a policy", where)
            continue
        key = KEYS.get(name)
        if key is None:
            raise UsageError(f"{where}: {name!r} is no requirement; {_nearest(name)}")
        _check_kind(name, value, key.kinds, key.wanted, where)
        values[name] = value
    for name, value in values.items():
        alone = {name: value, **({"outer": values["outer"]} if name == "mtu" and "outer" in values else {})}
        try:
            build_requirements(alone)
        except UsageError as error:
            raise UsageError(f"{where}: {name}: {error}") from None
    return RequirementFile(data.get(POLICY), MappingProxyType(values))


def _check_kind(name: str, value: object, kinds: tuple[type, ...], wanted: str, where: str) -> None:
    # bool is an int to isinstance, and "tunnels = true" is a mistake.
    if type(value) not in kinds:
        raise UsageError(f"{where}: {name}: it takes {wanted}, not {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, bool | str) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _nearest(name: str) -> str:
    known = (POLICY, *KEYS)
    found = get_close_matches(name.replace("_", "-").lower(), known, n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"there are {', '.join(known)}"


def read_requirement_file(path: Path) -> RequirementFile:
    """What a requirement file says.

    Raises:
        UsageError: the file cannot be read, or see :func:`parse_requirement_file`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror or error}") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise UsageError(f"{path}: above {LARGEST_FILE_BYTES} octets; a requirement file is some lines of TOML")
    try:
        return parse_requirement_file(content.decode(), str(path))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: the file is not UTF-8 text; a requirement file is TOML") from None


def build_requirements(values: Mapping[str, object]) -> Requirements:
    """The requirements that values by key make.

    Args:
        values: keys of :data:`KEYS` with what the file or the flags give for them; what is missing has its default.

    Raises:
        UsageError: a value is nonsense; the message names it.
    """
    fields: dict[str, Any] = {KEYS[name].field: KEYS[name].parse(value) for name, value in values.items()}
    return Requirements(**fields)


def write_requirements(requirements: Requirements, policy: str | None = None) -> str:
    """The requirement file that asks for the same; only what differs from the default is written."""
    lines = [] if policy is None else [_toml_line(POLICY, policy)]
    default = Requirements()
    for name, key in KEYS.items():
        value = getattr(requirements, key.field)
        if value != getattr(default, key.field):
            lines.append(_toml_line(name, key.write(value)))
    return "".join(lines)


def _toml_line(name: str, value: object) -> str:
    # A JSON string is a TOML basic string but for DEL, which json leaves as it is.
    text = repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"{name} = {text}\n"
