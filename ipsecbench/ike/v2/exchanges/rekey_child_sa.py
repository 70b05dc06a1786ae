"""Rekeying of a Child SA, and both ends doing it at once (RFC 7296 sections 1.3.3, 2.8, 2.8.1, 2.25.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecbench.errors import NegotiationError
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2 import removal
from ipsecbench.ike.v2.child_sa import ChildSa, ChildState
from ipsecbench.ike.v2.exchanges.child_exchange import ChildExchange, respond_child
from ipsecbench.ike.v2.exchanges.child_negotiation import make_child
from ipsecbench.ike.v2.exchanges.informational import SPI_BYTES, DeleteChildSa
from ipsecbench.ike.v2.identifiers import NotifyType, ProtocolId
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Notify, Payload
from ipsecbench.ike.v2.rekey_collision import Nonces, loses
from ipsecbench.ike.v2.tasks import Request, put_off
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa


@dataclass(eq=False, slots=True)
class PeersRekey:
    """The peer's own rekeying of a Child SA that this end is rekeying too."""

    nonces: Nonces | None = None
    """Of its exchange; None while the request is being answered."""
    finished: bool = False
    """Whether its Child SA was made, and has not to wait for additional key exchanges."""


@dataclass(eq=False)
class RekeyChildSa(ChildExchange):
    """Replace a Child SA, and delete it then."""

    child: ChildSa
    collision: PeersRekey | None = field(default=None, init=False)
    """What the peer is doing at the same time."""
    unsure: bool = field(default=False, init=False)
    """Whether the peer may not have had the Child SA when it was asked."""

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        if not sa.children.holds(self.child) or self.child.state is not ChildState.INSTALLED:
            return None
        if sa.followup is not None and sa.followup.replaces is self.child and put_off(sa, self, now):
            sa.log("put-off", "RekeyChildSa: the peer is rekeying the Child SA")
            return None
        self.child.state = ChildState.REKEYING
        self.collision = None
        self.unsure = not self.child.confirmed
        return super().begin(sa, now)

    def extra_payloads(self) -> list[Payload]:
        """See :meth:`ChildExchange.extra_payloads`."""
        return [Notify(NotifyType.REKEY_SA, b"", ProtocolId.ESP, self.child.inbound_spi)]

    def stops(self, sa: IkeSa) -> bool:
        """A collision that is lost needs no additional key exchanges: the peer goes on with its own."""
        if not self._lost:
            return False
        self._leave_to_peer()
        if sa.followup is not None:
            sa.followup.preferred = True
        return True

    @property
    def _lost(self) -> bool:
        collision = self.collision
        if collision is None or collision.nonces is None or self.nonces is None:
            return False
        return loses(self.nonces, collision.nonces)

    def _leave_to_peer(self) -> None:
        """The peer's exchange counts; the peer deletes what it replaces."""
        if self.child.state is ChildState.REKEYING:
            finished = self.collision is not None and self.collision.finished
            self.child.state = ChildState.REKEYED if finished else ChildState.INSTALLED

    def created(self, sa: IkeSa, secrets: Sequence[Secret], now: float) -> None:
        """See :meth:`ChildExchange.created`."""
        if self.agreed is None or self.nonces is None:
            return
        replacement = make_child(
            sa, self.agreed, self.nonces, secrets, now, is_initiator=True, replaced=self.child.inbound_spi
        )
        redundant = self.child
        if self._lost:
            sa.log("rekey-collision", "the peer's rekeying of the Child SA counts")
            self._leave_to_peer()
            redundant = replacement
        if sa.children.holds(redundant) and redundant.state is not ChildState.DELETING:
            redundant.state = ChildState.DELETING
            sa.tasks.waiting.appendleft(DeleteChildSa(redundant))

    def process_error(self, sa: IkeSa, error: Notify, now: float) -> Request | None:
        """See :meth:`ChildExchange.process_error`."""
        if self.collision is not None and self.collision.nonces is not None:
            # Whatever the peer did not like, it has rekeyed the Child SA itself, or is about to.
            self.release(sa)
            self._leave_to_peer()
            return None
        if not sa.children.holds(self.child):
            # The peer has deleted it in the meantime.
            self.release(sa)
            return None
        if error.message_type == NotifyType.CHILD_SA_NOT_FOUND:
            # The peer may not have got the response yet that makes it; then it will have it later.
            if not self.unsure or not put_off(sa, self, now):
                self._from_scratch(sa)
                return None
            sa.log("put-off", "RekeyChildSa: the peer may not have the Child SA yet")
            self.release(sa)
            self._restore()
            return None
        following = super().process_error(sa, error, now)
        if following is None:
            self._restore()
        return following

    def _from_scratch(self, sa: IkeSa) -> None:
        """The peer does not have it: forget it without a word and make a new one (section 2.25)."""
        from ipsecbench.ike.v2.exchanges.create_child_sa import CreateChildSa

        self.release(sa)
        removal.remove_child(sa, self.child, "the peer does not have it")
        sa.tasks.waiting.append(CreateChildSa(self.configuration))

    def refused(self, sa: IkeSa, reason: str, notify: int | None, now: float) -> None:
        """See :meth:`ChildExchange.refused`. The Child SA stays in use until its hard limit."""
        self._restore()
        super().refused(sa, f"not rekeyed: {reason}", notify, now)

    def _restore(self) -> None:
        if self.child.state is ChildState.REKEYING:
            self.child.state = ChildState.INSTALLED

    def dropped(self, sa: IkeSa, reason: str, now: float) -> None:
        """See :meth:`Task.dropped`."""
        super().dropped(sa, reason, now)
        self._restore()


def answer(sa: IkeSa, request: Message, rekeyed: Notify, path: Path, now: float) -> None:
    """Answer a request to rekey a Child SA.

    Raises:
        NegotiationError: it is refused.
        MalformedError: its key exchange data is not valid.
    """
    child = sa.children.by_outbound(rekeyed.spi) if rekeyed.protocol == ProtocolId.ESP else None
    if child is None and isinstance(sa.tasks.active, ChildExchange):
        # It may be the one that the peer has made of the request that is outstanding.
        raise NegotiationError("a Child SA is being made", NotifyType.TEMPORARY_FAILURE)
    if child is None:
        named = rekeyed.protocol == ProtocolId.ESP and len(rekeyed.spi) == SPI_BYTES
        protocol, spi = (rekeyed.protocol, rekeyed.spi) if named else (0, b"")
        sa.log("refused-request", f"{request.name}: there is no Child SA {rekeyed.spi.hex()} to rekey")
        sa.respond(request, path, [Notify(NotifyType.CHILD_SA_NOT_FOUND, b"", protocol, spi)], now)
        return
    if child.state in (ChildState.DELETING, ChildState.REKEYED):
        raise NegotiationError("the Child SA is about to be deleted", NotifyType.TEMPORARY_FAILURE)
    active = sa.tasks.active
    peers = PeersRekey()
    crossing = active if isinstance(active, RekeyChildSa) and active.child is child else None

    def made(_replacement: ChildSa) -> None:
        peers.finished = True
        at_work = sa.tasks.active is crossing and crossing is not None
        if not at_work and child.state in (ChildState.INSTALLED, ChildState.REKEYING):
            child.state = ChildState.REKEYED

    peers.nonces = respond_child(sa, request, path, (child.configuration,), now, replaced=child.inbound_spi, made=made)
    if crossing is not None:
        crossing.collision = peers
    if sa.followup is not None and not peers.finished:
        sa.followup.replaces = child
