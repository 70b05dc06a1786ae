"""What an IKE SA does when the driver orders it, or time has come: rekeying, deletion, liveness, limits, retries.

RFC 7296 sections 1.4, 2.4 and 2.8. Everything that needs the peer becomes a task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench.ike.v2.child_sa import ChildState
from ipsecbench.ike.v2.exchanges.create_child_sa import CreateChildSa
from ipsecbench.ike.v2.exchanges.informational import CheckLiveness, DeleteChildSa, DeleteIkeSa
from ipsecbench.ike.v2.exchanges.rekey_child_sa import RekeyChildSa
from ipsecbench.ike.v2.exchanges.rekey_ike_sa import RekeyIkeSa
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.setup import Refusal
from ipsecbench.ike.v2.tasks import MAX_WAITING, Task
from ipsecbench.ike.v2.timers import Timer
from ipsecbench.ike.v2.transitions import UNAUTHENTICATED, State

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

_AT_WORK = frozenset({State.ESTABLISHED, State.REKEYED, State.DELETING})


def enqueue(sa: IkeSa, task: Task) -> None:
    """Let a task wait for its turn."""
    if sa.state not in _AT_WORK or len(sa.tasks.waiting) >= MAX_WAITING:
        sa.log("order-refused", f"{type(task).__name__} when {sa.state.value}")
        return
    sa.tasks.waiting.append(task)


def pump(sa: IkeSa, now: float) -> None:
    """Begin the next task where none is at work."""
    if sa.followup is not None and sa.followup.preferred:
        return
    tasks = sa.tasks
    while tasks.active is None and tasks.waiting and sa.state in _AT_WORK and sa.channel.requests.outstanding is None:
        if tasks.waiting[0].makes_child_sas and sa.peers_rekey is not None and sa.peers_rekey.pending:
            # The peer is about to replace the IKE SA, and the task moves to its successor (section 2.25.2).
            return
        task = tasks.waiting.popleft()
        request = task.begin(sa, now)
        if request is not None:
            tasks.active = task
            sa.request(request.exchange_type, request.payloads, now)


def process_response(sa: IkeSa, message: Message, now: float) -> None:
    """Hand a response to the task at work, which may go on with another request."""
    task = sa.tasks.active
    if task is None:
        return
    following = task.process(sa, message, now)
    if following is None:
        sa.tasks.active = None
    else:
        sa.request(following.exchange_type, following.payloads, now)


def peer_is_dead(sa: IkeSa, now: float) -> None:
    """A request was repeated as often as it may be, and not answered (RFC 7296 section 2.4)."""
    if sa.state in UNAUTHENTICATED:
        refusal = _refusal(sa) or Refusal("the peer does not answer", None)
        sa.fail(refusal.reason, refusal.notify, now)
        return
    # In a collision the peer may have made its own rekeying count: what it made lives on, and finds out by itself.
    rekey = sa.peers_rekey
    if rekey is not None and rekey.usable and sa.state is State.ESTABLISHED:
        rekey.adopt(sa, now)
    sa.close("the peer does not answer", now)


def give_up(sa: IkeSa, now: float) -> None:
    """The IKE SA was not set up in time."""
    refusal = _refusal(sa) or Refusal("the peer has not authenticated itself in time", None)
    if sa.is_initiator:
        sa.fail(refusal.reason, refusal.notify, now)
        return
    # Anybody can cause this from forged addresses: it is worth a line in the log, which is limited, and no event.
    sa.log("half-open-expired", f"{sa.path.remote}: {refusal.reason}")
    sa.refused = True
    sa.close(refusal.reason, now)


def _refusal(sa: IkeSa) -> Refusal | None:
    return None if sa.setup is None else sa.setup.refusal


def end(_sa: IkeSa, _now: float) -> None:
    """The last response needs no repetition any more; the time alone made the IKE SA stay."""


def hard_limit(sa: IkeSa, now: float) -> None:
    """The IKE SA has reached its end."""
    sa.log("expired", "the life of the IKE SA is over")
    delete(sa, now)


def liveness_due(sa: IkeSa, now: float) -> None:
    """Ask a peer that was silent for long; look again later otherwise."""
    seconds = sa.connection.dpd_seconds
    if seconds is None:
        return
    silent_until = sa.channel.last_heard + seconds
    if silent_until <= now:
        if not sa.tasks.active:
            check_liveness(sa, now)
        silent_until = now + seconds
    sa.timers.set(Timer.LIVENESS, silent_until)


def keepalive_due(sa: IkeSa, now: float) -> None:
    """Keep the mapping of the NAT in front of this end (RFC 3948 section 4)."""
    seconds = sa.host.configuration.keepalive_seconds
    if sa.channel.last_sent + seconds <= now:
        sa.host.send_keepalive(sa.path)
        sa.channel.last_sent = now
    sa.timers.set(Timer.KEEPALIVE, sa.channel.last_sent + seconds)


def replaced_too_long(sa: IkeSa, now: float) -> None:
    """The peer has rekeyed the IKE SA, or lost a collision, and not deleted what is of no more use."""
    sa.close("replaced by rekeying", now)


def followup_too_late(sa: IkeSa, now: float) -> None:
    """The peer has not gone on with IKE_FOLLOWUP_KE (RFC 9370 section 2.2.4)."""
    if sa.followup is not None:
        sa.log("followup-missing", "the peer has not finished its additional key exchanges")
        sa.followup.forget(sa)
        sa.followup = None


def create_child_sa(sa: IkeSa, name: str, now: float) -> None:
    """Set up another Child SA."""
    configuration = next((child for child in sa.connection.children if child.name == name), None)
    if configuration is None:
        sa.log("order-refused", f"connection {sa.connection.name} has no child of that name")
        return
    sa.enqueue(CreateChildSa(configuration), now)


def rekey(sa: IkeSa, now: float) -> None:
    """Rekey the IKE SA, unless that is under way."""
    if sa.state is State.ESTABLISHED and not sa.tasks.any(lambda task: isinstance(task, RekeyIkeSa)):
        sa.enqueue(RekeyIkeSa(), now)


def rekey_child_sa(sa: IkeSa, inbound_spi: bytes, now: float) -> None:
    """Rekey a Child SA, unless that is under way."""
    child = sa.children.by_inbound(inbound_spi)
    if child is None or child.state is not ChildState.INSTALLED:
        return
    if not sa.tasks.any(lambda task: isinstance(task, RekeyChildSa) and task.child is child):
        sa.enqueue(RekeyChildSa(child.configuration, child), now)


def delete(sa: IkeSa, now: float) -> None:
    """Delete the IKE SA once the request that is outstanding has been answered; nothing that waits is done."""
    if sa.state in UNAUTHENTICATED:
        sa.fail("it was to be deleted before it was set up", None, now)
        return
    if sa.state is State.DELETED or sa.tasks.any(lambda task: isinstance(task, DeleteIkeSa)):
        return
    sa.tasks.take_all()
    sa.enqueue(DeleteIkeSa(), now)


def delete_child_sa(sa: IkeSa, inbound_spi: bytes, now: float) -> None:
    """Delete a Child SA."""
    child = sa.children.by_inbound(inbound_spi)
    if child is not None and child.state is not ChildState.DELETING:
        child.state = ChildState.DELETING
        sa.enqueue(DeleteChildSa(child), now)


def check_liveness(sa: IkeSa, now: float) -> None:
    """Ask the peer whether it is there, unless a question is out."""
    if sa.state is State.ESTABLISHED and not sa.tasks.any(lambda task: isinstance(task, CheckLiveness)):
        sa.enqueue(CheckLiveness(), now)


def report_traffic(sa: IkeSa, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
    """Compare what a Child SA has carried with its limits."""
    child = sa.children.by_inbound(inbound_spi)
    if child is None:
        return
    if child.info.expiry.hard_reached(octets, packets):
        delete_child_sa(sa, inbound_spi, now)
    elif child.info.expiry.soft_reached(octets, packets) and not child.soft_done:
        child.soft_done = True
        if child.configuration.rekey:
            rekey_child_sa(sa, inbound_spi, now)


def expire_child_sas(sa: IkeSa, now: float) -> None:
    """Rekey or delete the Child SAs whose time has come."""
    for child in sa.children:
        expiry = child.info.expiry
        if child.state is ChildState.DELETING:
            continue
        if expiry.hard_at is not None and expiry.hard_at <= now:
            delete_child_sa(sa, child.inbound_spi, now)
        elif not child.soft_done and expiry.soft_at is not None and expiry.soft_at <= now:
            child.soft_done = True
            if child.configuration.rekey:
                rekey_child_sa(sa, child.inbound_spi, now)
