"""One Child SA within its IKE SA: where it is in its life, and when that life ends (RFC 7296 sections 1.4.1, 2.8).

It knows nothing of messages. Its keys are in its :class:`ChildSaInfo`, which the events carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from ipsecbench.ike.configuration import ChildConfiguration
from ipsecbench.ike.events import ChildSaInfo
from ipsecbench.ike.path import Path


class ChildState(Enum):
    """Where a Child SA is between its installation and its deletion."""

    INSTALLED = "installed"
    """In use."""
    REKEYING = "rekeying"
    """In use; this end has asked the peer for its replacement."""
    REKEYED = "rekeyed"
    """Replaced, at the peer's wish or in a collision that the peer won: the peer deletes it."""
    DELETING = "deleting"
    """The peer is being asked to delete it, or will be as soon as the window allows."""


@dataclass(slots=True)
class ChildSa:
    """One Child SA."""

    configuration: ChildConfiguration
    """What it was made from."""
    info: ChildSaInfo
    """What was negotiated, and the keys."""
    state: ChildState = ChildState.INSTALLED
    """Where it is in its life."""
    soft_done: bool = False
    """Whether its soft limit has been acted upon."""
    confirmed: bool = True
    """Whether the peer is known to have it. The response that makes it may be lost on the way."""

    @property
    def inbound_spi(self) -> bytes:
        """SPI of packets to here."""
        return self.info.inbound_spi

    @property
    def next_timeout(self) -> float | None:
        """When a limit in time is reached: the soft one once, then the hard one."""
        expiry = self.info.expiry
        if not self.soft_done and self.state is ChildState.INSTALLED and expiry.soft_at is not None:
            return expiry.soft_at
        return None if self.state is ChildState.DELETING else expiry.hard_at

    def moved(self, ike_unique_id: int, path: Path | None = None) -> None:
        """It belongs to another IKE SA now, or its peer has another address."""
        self.info = replace(self.info, ike_unique_id=ike_unique_id, path=self.info.path if path is None else path)


class ChildSas:
    """The Child SAs of one IKE SA, found by either SPI."""

    __slots__ = ("_by_inbound", "_by_outbound")

    def __init__(self) -> None:
        self._by_inbound: dict[bytes, ChildSa] = {}
        self._by_outbound: dict[bytes, ChildSa] = {}

    def __iter__(self) -> Iterator[ChildSa]:
        return iter(tuple(self._by_inbound.values()))

    @property
    def next_timeout(self) -> float | None:
        """When the first of all limits in time is reached."""
        soonest = None
        for child in self._by_inbound.values():
            when = child.next_timeout
            if when is not None and (soonest is None or when < soonest):
                soonest = when
        return soonest

    def __len__(self) -> int:
        return len(self._by_inbound)

    def add(self, child: ChildSa) -> None:
        """A Child SA is there. A peer that uses an SPI twice loses track of the older one, nobody else does."""
        self._by_inbound[child.info.inbound_spi] = child
        self._by_outbound[child.info.outbound_spi] = child

    def remove(self, child: ChildSa) -> None:
        """A Child SA is gone; harmless when it is already."""
        if self._by_inbound.get(child.info.inbound_spi) is child:
            del self._by_inbound[child.info.inbound_spi]
        if self._by_outbound.get(child.info.outbound_spi) is child:
            del self._by_outbound[child.info.outbound_spi]

    def holds(self, child: ChildSa) -> bool:
        """Whether a Child SA is still there."""
        return self._by_inbound.get(child.info.inbound_spi) is child

    def by_inbound(self, spi: bytes) -> ChildSa | None:
        """The Child SA whose inbound SPI this is."""
        return self._by_inbound.get(spi)

    def by_outbound(self, spi: bytes) -> ChildSa | None:
        """The Child SA whose outbound SPI this is; the peer names it so."""
        return self._by_outbound.get(spi)
