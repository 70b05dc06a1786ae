"""What every data plane offers to IKE and to the laboratory.

Three exist: ``reference`` (Python over TUN), ``agent`` (C over TUN) and ``kernel`` (XFRM). Each is told the same
:class:`SaConfiguration` and :class:`PolicyConfiguration` and counts with Linux's names (``/proc/net/xfrm_stat``).

A data plane belongs to one thread. Every call returns when it has taken effect: an SA that was added is in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ipsecbench.esp.accounting import COUNTERS, SaStatistics
from ipsecbench.esp.configuration import Direction, PolicyConfiguration, SaConfiguration, UdpEncapsulation
from ipsecbench.esp.events import PlaneEvent, PlaneEventKind

__all__ = [
    "COUNTERS",
    "DataPlane",
    "PlaneEvent",
    "PlaneEventKind",
    "PlaneKind",
    "PlaneStatistics",
    "SaStatistics",
]


class PlaneKind(StrEnum):
    """Which data plane."""

    REFERENCE = "reference"
    """Python over TUN: for reading, and for boxes without the agent."""
    AGENT = "agent"
    """C over TUN: fast."""
    KERNEL = "kernel"
    """The kernel's own, through XFRM."""


@dataclass(frozen=True, slots=True)
class PlaneStatistics:
    """What a data plane has done as a whole."""

    outbound_packets: int
    """Inner packets sealed (each segment of a larger one counts)."""
    outbound_bytes: int
    """Their inner octets."""
    inbound_packets: int
    """ESP packets accepted."""
    inbound_bytes: int
    """Their inner octets."""
    dropped: Mapping[str, int]
    """By the names of :data:`COUNTERS`; those that are 0 may be left out."""
    cpu_ns: Mapping[str, int]
    """Processor time by part: ``total``, and where it can be told ``tun``, ``crypto``, ``socket``; empty: unknown."""


class DataPlane(Protocol):
    """A data plane."""

    @property
    def kind(self) -> PlaneKind:
        """Which one."""

    def add_sa(self, sa: SaConfiguration) -> None:
        """Put an SA to use; an outbound one takes over from older ones with the same reqid.

        Raises:
            DataPlaneError: it cannot be had: the algorithm is missing, or the SPI is in use.
        """

    def remove_sa(self, direction: Direction, spi: int) -> None:
        """Forget an SA and its keys; an SPI that is not there is no error."""

    def move_sa(
        self, direction: Direction, spi: int, source: str, destination: str, encapsulation: UdpEncapsulation | None
    ) -> None:
        """The path changed: let an SA live on between other addresses and ports.

        Raises:
            DataPlaneError: there is no such SA.
        """

    def add_policy(self, policy: PolicyConfiguration) -> None:
        """Add an entry to the SPD.

        Raises:
            DataPlaneError: the same one is there already, or it cannot be had.
        """

    def remove_policy(self, policy: PolicyConfiguration) -> None:
        """Remove an entry of the SPD; one that is not there is no error."""

    def sa_statistics(self, direction: Direction, spi: int) -> SaStatistics:
        """What an SA has carried.

        Raises:
            DataPlaneError: there is no such SA.
        """

    def statistics(self) -> PlaneStatistics:
        """What the plane has done so far."""

    def take_events(self) -> list[PlaneEvent]:
        """What happened since the last call; to be asked for about once a second."""

    def close(self) -> None:
        """End it: SAs, policies, keys, threads, processes and devices are gone. Safe to call more than once."""
