"""The end of Child SAs, and of everything that an IKE SA holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench.ike.events import ChildSaDeleted
from ipsecbench.ike.v2.child_sa import ChildSa

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa


def remove_child(sa: IkeSa, child: ChildSa, reason: str) -> None:
    """A Child SA is gone; harmless when it is already."""
    if not sa.children.holds(child):
        return
    sa.children.remove(child)
    sa.host.release_child_spi(child.inbound_spi)
    info = child.info
    sa.host.emit(ChildSaDeleted(sa.unique_id, info.name, info.inbound_spi, info.outbound_spi, reason))


def drop_all(sa: IkeSa, reason: str, now: float) -> None:
    """The IKE SA is gone: so are its Child SAs, its tasks and its times."""
    for child in sa.children:
        remove_child(sa, child, reason)
    tasks = sa.tasks.take_all()
    if sa.tasks.active is not None:
        tasks.insert(0, sa.tasks.active)
        sa.tasks.active = None
    for task in tasks:
        task.dropped(sa, reason, now)
    if sa.followup is not None:
        sa.followup.forget(sa)
        sa.followup = None
    sa.channel.requests.withdrawn()
    setup = sa.setup
    if setup is not None and setup.child_offer is not None:
        sa.host.release_child_spi(setup.child_offer.spi)
    sa.setup = None
    sa.timers.clear()
