"""What a data plane has to say by itself about its SAs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.esp.configuration import Direction


class PlaneEventKind(StrEnum):
    """What a data plane has to say by itself."""

    SOFT_LIMIT = "soft-limit"
    """An SA should be replaced."""
    HARD_LIMIT = "hard-limit"
    """An SA carries nothing any more."""
    SEQUENCE_EXHAUSTED = "sequence-exhausted"
    """An outbound SA has no sequence number left."""
    PATH_CHANGED = "path-changed"
    """An authentic packet came from another address or port than before."""


@dataclass(frozen=True, slots=True)
class PlaneEvent:
    """Something that happened to one SA. Each kind comes at most once for an SA, PATH_CHANGED once for each change."""

    kind: PlaneEventKind
    direction: Direction
    spi: int
    source: str = ""
    """PATH_CHANGED: the new address."""
    source_port: int = 0
    """PATH_CHANGED: the new port."""
