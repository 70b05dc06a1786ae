"""The requirement file: everything that is asked of the recommendation in one TOML file (docs/requirements.md).

Its keys are the names of the command line's flags, and their values are what the flags take. Both are read here, so
that a key and its flag cannot mean two things; :func:`write_requirements` writes what :func:`read_requirement_file`
reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from ipsecbench.errors import UsageError
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.peers.peer_file import peer_of_table, toml_text, write_peer
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.requirements.packet_sizes import load_traffic
from ipsecbench.recommend.requirements.records import (
    Objective,
    Requirements,
    direction_text,
    parse_direction,
    parse_rate,
    rate_text,
)
from ipsecbench.recommend.requirements.traffic import Traffic, parse_traffic, traffic_text
from ipsecbench.toml.table import Table, parse_toml, read_toml, text

T = TypeVar("T")


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
    write: Callable[[Any], str | int | float] = lambda value: value
    """The key's value from the field's."""


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "goal": Key(
            "goal_mbit_per_second", (str, int), "a rate such as '500M' (bit/s)",
            lambda value: parse_rate(str(value)), rate_text,
        ),
        "min-bits": Key("min_strength_bits", (int,), "a number of bits, such as 192"),
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
        "certificates": Key("certificate_chain", (int,), "a number, such as 2"),
        "rtt": Key("round_trip_ms", (float, int), "milliseconds, such as 20", float),
        "reordering": Key("reordering_ms", (float, int), "milliseconds, such as 5", float),
        "objective": Key(
            "objective", (str,), "'balanced', 'throughput', 'cpu', 'latency' or 'security'",
            Objective.parse, lambda value: str(value.value),
        ),
    }
)  # fmt: skip
"""Keys that are one value and one flag each, in the order in which they are written."""
POLICY, PROFILE, PEER, PEER_DATASET = "policy", "profile", "peer", "peer-dataset"
"""The further keys: each may name a file; ``profile`` and ``peer`` may be tables too."""


@dataclass(frozen=True, slots=True)
class RequirementFile:
    """What a requirement file says."""

    policy: str | None = None
    """Name or path of the policy; None where the file names none."""
    fields: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Values of fields of :class:`Requirements`; what the file does not say is not there."""
    peer_dataset: Path | None = None
    """Dataset of the other end."""


def read_requirement_file(path: Path) -> RequirementFile:
    """What a requirement file says. Paths in it begin at the folder that it is in.

    Raises:
        ConfigurationError: it cannot be read or is not TOML, a key is unknown, or a value is nonsense; the message
            names file, line and key.
    """
    return _read(read_toml(path), path.parent)


def parse_requirement_file(content: str, path: Path) -> RequirementFile:
    """What the text of a requirement file says; see :func:`read_requirement_file`."""
    return _read(parse_toml(content, path), path.parent)


def _read(table: Table, folder: Path) -> RequirementFile:
    policy = table.get(POLICY, lambda value: _located(text(value), folder), None)
    peer_dataset = table.get(PEER_DATASET, lambda value: folder / text(value), None)
    fields: dict[str, object] = {}
    for name, key in KEYS.items():
        if table.has(name):
            fields[key.field] = table.require(name, _checked(name, key))
        else:
            table.get(name, text, None)
    if table.has(PROFILE):
        fields["traffic"] = table.require(PROFILE, lambda value: _profile(table, value, folder))
    if table.has(PEER):
        fields["peer"] = table.require(PEER, lambda value: _peer(table, value, folder))
    for name in (PROFILE, PEER):
        table.get(name, lambda value: value, None)
    table.finish()
    try:
        Requirements(**fields)  # type: ignore[arg-type]
    except UsageError as error:
        table.fail(None, str(error))
    return RequirementFile(policy, MappingProxyType(fields), peer_dataset)


def _checked(name: str, key: Key) -> Callable[[Any], object]:
    """A converter that also sees whether the value can be meant at all, so that the message has this key's line."""

    def convert(value: Any) -> object:
        # bool is an int to isinstance, and "tunnels = true" is a mistake.
        if type(value) not in key.kinds:
            raise UsageError(f"{name}: it takes {key.wanted}, not {_shown(value)}")
        found: Any = key.parse(value)
        try:
            Requirements(**{key.field: found})
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from None
        return found

    return convert


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _located(name: str, folder: Path) -> str:
    """The path of a file that is named from the folder; anything else, such as a preset's name, as it is."""
    try:
        return str(folder / name) if Path(name).suffix and (folder / name).is_file() else name
    except (OSError, ValueError):
        return name


def _profile(table: Table, value: Any, folder: Path) -> Traffic:
    if isinstance(value, dict):
        sizes = table.table(PROFILE)
        name = sizes.get("name", text, None)
        traffic = parse_traffic(sizes.require("sizes", text))
        sizes.finish()
        if traffic.distribution is None:
            sizes.fail("sizes", "it must be sizes with counts, such as '64:7,570:4,1518:1'")
        return Traffic(distribution=traffic.distribution, name=name)
    if type(value) not in (str, int):
        raise UsageError(f"{PROFILE}: it takes a mix, a packet size or sizes with counts, not {_shown(value)}")
    return _with_key(PROFILE, load_traffic, _located(str(value), folder))


def _peer(table: Table, value: Any, folder: Path) -> Peer:
    if isinstance(value, dict):
        return peer_of_table(table.table(PEER))
    return _with_key(PEER, load_peer, _located(text(value), folder))


def _with_key(key: str, load: Callable[[str], T], name: str) -> T:
    """What a name or a file stands for; a mistake in the file is said with the key too."""
    try:
        return load(name)
    except UsageError as error:
        message = str(error)
        raise UsageError(message if message.startswith(key) else f"{key}: {message}") from None


def flag_fields(flags: Mapping[str, object]) -> dict[str, object]:
    """Values of fields of :class:`Requirements` from flags by their key.

    Raises:
        UsageError: a value is nonsense; the message names it.
    """
    fields = {KEYS[name].field: KEYS[name].parse(value) for name, value in flags.items() if name in KEYS}
    if PROFILE in flags:
        fields["traffic"] = load_traffic(str(flags[PROFILE]))
    if PEER in flags:
        fields["peer"] = load_peer(str(flags[PEER]))
    return fields


def write_requirements(requirements: Requirements, policy: str | None = None, peer_dataset: str | None = None) -> str:
    """The requirement file that asks for the same; only what differs from the default is written."""
    lines = [] if policy is None else [f"{POLICY} = {toml_text(policy)}"]
    lines += [] if peer_dataset is None else [f"{PEER_DATASET} = {toml_text(peer_dataset)}"]
    tables = []
    default = Requirements()
    for name, key in KEYS.items():
        value = getattr(requirements, key.field)
        if value != getattr(default, key.field):
            lines.append(f"{name} = {_toml(key.write(value))}")
    traffic, peer = requirements.traffic, requirements.peer
    if traffic.name is not None:
        tables.append(f"[{PROFILE}]\nname = {toml_text(traffic.name)}\nsizes = {_toml(traffic_text(traffic))}\n")
    elif traffic != default.traffic:
        lines.append(f"{PROFILE} = {_toml(traffic_text(traffic))}")
    if peer is not None and peer.spec is not None:
        lines.append(f"{PEER} = {toml_text(peer.spec)}")
    elif peer is not None:
        tables.append(write_peer(peer, f"{PEER}."))
    return "\n".join([*lines, *tables, ""] if not tables else [*lines, "", "\n".join(tables)])


def _toml(value: str | int | float) -> str:
    if isinstance(value, str):
        return toml_text(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
