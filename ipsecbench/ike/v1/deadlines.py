"""When an ISAKMP SA has to do something: its life, its renewal, the peer's liveness, keep-alives, retransmissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench.ike.lifetime import draw
from ipsecbench.ike.v1.identifiers import Vendor
from ipsecbench.ike.v1.phase2_sas import limited
from ipsecbench.ike.v1.transitions import SaState

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

_ESTABLISHED = (SaState.ESTABLISHED, SaState.REPLACED)


class Deadlines:
    """See the module.

    Args:
        sa: the ISAKMP SA.
    """

    def __init__(self, sa: IsakmpSa) -> None:
        self.sa = sa
        self.give_up_at: float | None = None
        """When the time of the present state is over."""
        self.rekey_at: float | None = None
        """When a successor is to be set up."""
        self.hard_at: float | None = None
        """When the SA is deleted whatever happens."""

    def begin_life(self, seconds: int | None, now: float) -> None:
        """The life begins, or begins anew, with what the peer allows at most."""
        sa = self.sa
        expiry = draw(limited(sa.connection.lifetime, seconds, None), now, sa.host.environment.random(4))
        self.rekey_at = expiry.soft_at if sa.connection.rekey else None
        self.hard_at = expiry.hard_at

    @property
    def next_timeout(self) -> float | None:
        """The first of all."""
        sa = self.sa
        if sa.finished:
            return None
        found = [sa.phase1.retransmit_at, self.give_up_at, sa.sender.next_timeout]
        if sa.state in _ESTABLISHED:
            found += [*sa.phase2.timeouts(), self.hard_at, self._keepalive_at]
        if sa.alive:
            found += [None if sa.renewing else self.rekey_at, self._ask_at, self._dead_at]
        return min((each for each in found if each is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        sa = self.sa
        sa.phase1.handle_timeout(now)
        sa.sender.handle_timeout(now)
        if _due(self.give_up_at, now):
            self.give_up_at = None
            sa.give_up(now)
        if sa.state not in _ESTABLISHED:
            return
        if _due(self._dead_at, now):
            sa.finish("the peer is dead: it answers no R-U-THERE")
        elif _due(self.hard_at, now):
            sa.delete(now, "its life is over")
        else:
            self._keep_up(now)

    def _keep_up(self, now: float) -> None:
        sa = self.sa
        sa.phase2.handle_timeout(now)
        if _due(self._ask_at, now):
            sa.check_liveness(now)
        if not sa.renewing and _due(self.rekey_at, now):
            sa.rekey(now)
        if _due(self._keepalive_at, now):
            sa.transport.keep_alive(now)

    @property
    def _ask_at(self) -> float | None:
        sa = self.sa
        if not sa.alive or Vendor.DPD not in sa.peer.vendors:
            return None
        return sa.liveness.ask_at(sa.connection.dpd_seconds, sa.connection.retransmission.delay(0))

    @property
    def _dead_at(self) -> float | None:
        return self.sa.liveness.dead_at(self.sa.connection.dpd_timeout_seconds) if self.sa.alive else None

    @property
    def _keepalive_at(self) -> float | None:
        sa = self.sa
        if not sa.peer.nat_local or sa.path.local.port != sa.host.configuration.natt_port:
            return None
        return sa.transport.last_sent + sa.host.configuration.keepalive_seconds


def _due(when: float | None, now: float) -> bool:
    return when is not None and now >= when
