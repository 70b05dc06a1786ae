"""What can be explained: algorithms, groups of them that a name means, things that are no algorithm, and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.audit.unassessed import UNASSESSED


class Kind(StrEnum):
    """Which table something stands in."""

    ENCRYPTION = "encryption transform"
    INTEGRITY = "integrity transform"
    PRF = "PRF"
    KEY_EXCHANGE = "key exchange method"
    AUTHENTICATION = "authentication method"
    ESP_SUITE = "ESP suite"
    IKE_VERSION = "IKE version"
    UNASSESSED = "transform that is neither measured nor recommended"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One row of one of the tables."""

    kind: Kind
    """Which table."""
    name: str
    """Its name there."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a name means."""

    name: str
    """How it is called here."""
    members: tuple[Member, ...]
    """The algorithms that it stands for; none for what is no algorithm."""
    concept: str | None = None
    """Key of its entry in ``concepts.toml``, where it is no single row of a table."""


_TABLES: Mapping[Kind, Mapping[str, object]] = MappingProxyType(
    {
        Kind.ENCRYPTION: ENCRYPTION,
        Kind.INTEGRITY: INTEGRITY,
        Kind.KEY_EXCHANGE: KEY_EXCHANGE,
        Kind.AUTHENTICATION: AUTHENTICATION,
        Kind.PRF: PRF,
    }
)


@cache
def tables() -> Mapping[Kind, Mapping[str, object]]:
    """The tables of algorithms and suites, by kind."""
    return {**_TABLES, Kind.ESP_SUITE: esp_suites()}


def member(reference: str) -> Member:
    """The member that a reference such as ``aes128gcm16``, ``prfsha256`` or ``ike-version:1`` names.

    Raises:
        KeyError: there is no such member.
    """
    if reference.startswith("ike-version:"):
        return Member(Kind.IKE_VERSION, reference.removeprefix("ike-version:"))
    for kind, table in tables().items():
        if reference in table:
            return Member(kind, reference)
    raise KeyError(reference)


def table_members() -> Iterator[Member]:
    """Every row of every table, and every transform that configurations name and that is not assessed."""
    for kind, table in tables().items():
        yield from (Member(kind, name) for name in table)
    yield from (Member(Kind.UNASSESSED, name) for _, name in UNASSESSED)
