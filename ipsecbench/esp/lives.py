"""How much an SA has carried, and when that is enough (RFC 4301 section 4.4.2.1: lifetime, soft and hard)."""

from __future__ import annotations

from ipsecbench.esp.configuration import SaLimits
from ipsecbench.esp.events import PlaneEventKind


class Lives:
    """Bytes, packets and age of one SA against its limits.

    The packet that reaches a hard limit still passes; nothing after it does. An age begins when the SA is added.

    Args:
        limits: soft and hard limits; 0 is no limit.
        now: monotonic seconds.
    """

    __slots__ = ("_limits", "_told", "bytes", "last_used", "packets", "since")

    def __init__(self, limits: SaLimits, now: float) -> None:
        self._limits = limits
        self._told: set[PlaneEventKind] = set()
        self.packets = 0
        self.bytes = 0
        self.since = now
        """When the SA was added."""
        self.last_used = now
        """When the last packet passed; when the SA was added, where none did."""

    def carried(self, octets: int, now: float) -> None:
        """A packet passed."""
        self.packets += 1
        self.bytes += octets
        self.last_used = now

    def expired(self, now: float) -> bool:
        """Whether nothing passes any more."""
        limits = self._limits
        return self._reached(limits.hard_bytes, limits.hard_packets, limits.hard_seconds, now)

    def news(self, now: float) -> list[PlaneEventKind]:
        """Which limits were reached and not told yet. A hard limit makes a soft one that comes with it superfluous."""
        limits, kinds = self._limits, []
        if PlaneEventKind.HARD_LIMIT not in self._told and self.expired(now):
            kinds.append(PlaneEventKind.HARD_LIMIT)
            self._told |= {PlaneEventKind.HARD_LIMIT, PlaneEventKind.SOFT_LIMIT}
        elif PlaneEventKind.SOFT_LIMIT not in self._told and self._reached(
            limits.soft_bytes, limits.soft_packets, limits.soft_seconds, now
        ):
            kinds.append(PlaneEventKind.SOFT_LIMIT)
            self._told.add(PlaneEventKind.SOFT_LIMIT)
        return kinds

    def next_timeout(self) -> float | None:
        """When the age reaches a limit that was not told yet; None: never."""
        pairs = (
            (PlaneEventKind.SOFT_LIMIT, self._limits.soft_seconds),
            (PlaneEventKind.HARD_LIMIT, self._limits.hard_seconds),
        )
        return min(
            (self.since + seconds for kind, seconds in pairs if seconds and kind not in self._told), default=None
        )

    def _reached(self, octets: int, packets: int, seconds: float, now: float) -> bool:
        return bool(
            (octets and self.bytes >= octets)
            or (packets and self.packets >= packets)
            or (seconds and now - self.since >= seconds)
        )
