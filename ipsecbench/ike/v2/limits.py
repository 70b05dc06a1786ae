"""The beginning of everything that time does to an IKE SA once it is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench.ike.lifetime import draw
from ipsecbench.ike.v2.timers import Timer

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa


def begin(sa: IkeSa, now: float) -> None:
    """Its limits, and whatever watches over it, begin now."""
    expiry = draw(sa.connection.lifetime, now, sa.host.environment.random(4))
    timers, channel = sa.timers, sa.channel
    timers.set(Timer.GIVE_UP, None)
    timers.set(Timer.REPLACED, None)
    timers.set(Timer.SOFT, expiry.soft_at if sa.connection.rekey else None)
    timers.set(Timer.HARD, expiry.hard_at)
    channel.last_heard = now
    if sa.connection.dpd_seconds is not None:
        timers.set(Timer.LIVENESS, now + sa.connection.dpd_seconds)
    if sa.nat.local:
        timers.set(Timer.KEEPALIVE, now + sa.host.configuration.keepalive_seconds)
