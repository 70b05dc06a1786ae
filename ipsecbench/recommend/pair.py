"""Two boxes as one answer: which end decides what, as data."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.reasons import Reason, Role


@dataclass(frozen=True, slots=True)
class Binding:
    """Which end decides one choice: the one with the worse figure for what was chosen."""

    role: Role
    """What the choice is for."""
    chosen: str
    """What was chosen."""
    end: str
    """The box with the worse figure."""
    unit: str
    """``Mbit/s`` (more is better) or ``µs`` (less is)."""
    here: Estimate
    """The figure of the box that the recommendation is for."""
    there: Estimate
    """The figure of the other end."""
    text: str
    """For people."""


@dataclass(frozen=True, slots=True)
class BoxPair:
    """The other end, and what it means for the choice."""

    box: str
    """The other box, for people."""
    dataset_created: str
    """When it was measured."""
    dataset_sha256: str | None
    """Digest of its dataset."""
    bindings: tuple[Binding, ...]
    """Who decides what."""
    goal_end: str
    """The box that carries less in all with the tunnels that were asked for: the goal is held against it."""
    alone: tuple[Reason, ...]
    """What each box would choose without the other, where that is something else."""
