"""Where the facts of this package were read, and how well that was verified."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Source:
    """A document or an implementation that a fact comes from."""

    key: str
    """Short key that facts and policies refer to, such as ``rfc8221``."""
    title: str
    """What it is, for people."""
    location: str
    """Where it can be read; empty where no address is known."""
    verified: str
    """``text`` (read), ``doc``, ``impl`` (read in an implementation), ``secondary`` or ``memory`` (not verified)."""

    @property
    def unverified(self) -> bool:
        """Whether a fact that rests on this source alone must be shown as unverified."""
        return self.verified == "memory"


@cache
def sources() -> Mapping[str, Source]:
    """All sources by key."""
    text = files("ipsecbench.algorithms").joinpath("sources.csv").read_text(encoding="utf-8")
    rows = (Source(**row) for row in csv.DictReader(text.splitlines()))
    return MappingProxyType({source.key: source for source in rows})
