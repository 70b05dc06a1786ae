"""The data of this package: families of algorithms in words, and what is no row of a table.

``families.toml`` says what the algorithms of a family are; ``concepts.toml`` has parameters, modes, protocols and names
that mean no algorithm. Neither repeats what :mod:`ipsecbench.algorithms` or the policies say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ipsecbench.explain.subjects import Member


@dataclass(frozen=True, slots=True)
class Family:
    """Algorithms of which one description holds."""

    matches: tuple[str, ...]
    """Shell patterns of ``kind:name``, the kind being its first word in lower case."""
    text: str
    """What they are."""
    documents: tuple[str, ...]
    """The documents that define them."""
    sources: tuple[str, ...]
    """Keys of :func:`ipsecbench.algorithms.sources.sources` that the text rests on."""
    decision: str = ""
    """What to do about it, where that follows neither from the standards nor from the policies."""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that is no row of a table of algorithms."""

    name: str
    """How it is called here."""
    title: str
    """What it is, in a line."""
    aliases: tuple[str, ...]
    """What else people call it."""
    text: str
    """What it is, and what to do about it."""
    sources: tuple[str, ...]
    """Keys of the sources."""
    documents: tuple[str, ...] = ()
    """The documents that define it."""
    numbers: tuple[str, ...] = ()
    """Numbers in the registries, in words, as far as no table has them."""
    decision: str = ""
    """What to do about it, where that follows neither from the standards nor from the policies."""
    members: tuple[str, ...] = ()
    """The algorithms that it concerns."""
    see: tuple[str, ...] = ()
    """What to look up instead, or beside it."""
    settings: tuple[str, ...] = ()
    """The settings of policies that decide about it."""
    figures: tuple[str, ...] = ()
    """Which figures of a dataset belong to it: keys of :data:`ipsecbench.explain.figures.FIGURES`."""


def _read(name: str) -> dict[str, list[dict[str, str | list[str]]]]:
    return tomllib.loads(files("ipsecbench.explain").joinpath(name).read_text(encoding="utf-8"))


def _strings(row: Mapping[str, str | list[str]]) -> dict[str, object]:
    return {key: " ".join(value.split()) if isinstance(value, str) else tuple(value) for key, value in row.items()}


@cache
def families() -> tuple[Family, ...]:
    """All families; the first that matches counts."""
    return tuple(Family(**_strings(row)) for row in _read("families.toml")["family"])  # type: ignore[arg-type]


def family_of(member: Member) -> Family | None:
    """The family of a row of a table; None for suites, which are two of them."""
    kind, _, _ = member.kind.partition(" ")
    key = f"{kind.lower()}:{member.name}"
    return next((each for each in families() if any(fnmatchcase(key, one) for one in each.matches)), None)


@cache
def concepts() -> Mapping[str, Concept]:
    """All concepts by name."""
    rows = (Concept(**_strings(row)) for row in _read("concepts.toml")["concept"])  # type: ignore[arg-type]
    return MappingProxyType({row.name: row for row in rows})
