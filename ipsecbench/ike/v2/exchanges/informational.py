"""INFORMATIONAL: deletion, liveness, and the report of a failed authentication (RFC 7296 sections 1.4, 2.4, 2.21.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecbench.ike.events import PeerAlive
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2 import removal
from ipsecbench.ike.v2.child_sa import ChildSa
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType, ProtocolId
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Delete, Notify, Payload
from ipsecbench.ike.v2.tasks import Request, Task
from ipsecbench.ike.v2.transitions import State

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

SPI_BYTES = 4
"""Octets of an SPI of ESP."""


def _delete_esp(*spis: bytes) -> Delete:
    return Delete(ProtocolId.ESP, SPI_BYTES, spis)


@dataclass(eq=False)
class DeleteChildSa(Task):
    """Delete a Child SA; each end then deletes both directions (section 1.4.1)."""

    child: ChildSa

    def __post_init__(self) -> None:
        self.makes_child_sas = True

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        if not sa.children.holds(self.child):
            return None
        return Request(ExchangeType.INFORMATIONAL, [_delete_esp(self.child.inbound_spi)])

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`. What the response says does not matter: it is gone here in any case."""
        removal.remove_child(sa, self.child, "deleted by this end")
        return None


@dataclass(eq=False)
class DeleteRefusedChildSa(Task):
    """Delete a Child SA that the peer has made but that could not be made here: its answer was not acceptable."""

    inbound_spi: bytes

    def __post_init__(self) -> None:
        self.makes_child_sas = True

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        return Request(ExchangeType.INFORMATIONAL, [_delete_esp(self.inbound_spi)])

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`."""
        sa.host.release_child_spi(self.inbound_spi)
        return None

    def dropped(self, sa: IkeSa, reason: str, now: float) -> None:
        """See :meth:`Task.dropped`."""
        sa.host.release_child_spi(self.inbound_spi)


@dataclass(eq=False)
class DeleteIkeSa(Task):
    """Delete the IKE SA; its Child SAs go with it (section 1.4.1)."""

    reason: str = "deleted by this end"

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        sa.enter(State.DELETING)
        for task in sa.tasks.take_all():
            task.dropped(sa, self.reason, now)
        return Request(ExchangeType.INFORMATIONAL, [Delete(ProtocolId.IKE)])

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`."""
        sa.close(self.reason, now)
        return None


@dataclass(eq=False)
class CheckLiveness(Task):
    """Ask whether the peer is there (section 2.4)."""

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        return Request(ExchangeType.INFORMATIONAL, [])

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`."""
        sa.host.emit(PeerAlive(sa.unique_id))
        return None


@dataclass(eq=False)
class ReportFailedAuthentication(Task):
    """Tell the responder that its AUTH was not accepted, so that it does not keep the IKE SA (section 2.21.2)."""

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """See :meth:`Task.begin`."""
        return Request(ExchangeType.INFORMATIONAL, [Notify(NotifyType.AUTHENTICATION_FAILED)])

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """See :meth:`Task.process`."""
        sa.close("the peer was not authenticated", now)
        return None


def deletes_ike_sa(message: Message) -> bool:
    """Whether a request asks for the end of the IKE SA."""
    return any(delete.protocol == ProtocolId.IKE for delete in message.all(Delete))


def answer(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer an INFORMATIONAL request. An empty one asks for nothing but the answer."""
    deletes = request.all(Delete)
    if deletes_ike_sa(request):
        _delete_ike_sa(sa, request, path, "deleted by the peer", now)
        return
    if request.notify(NotifyType.AUTHENTICATION_FAILED) is not None:
        _delete_ike_sa(sa, request, path, "the peer did not accept the authentication of this end", now)
        return
    deleted = [
        spi
        for delete in deletes
        if delete.protocol == ProtocolId.ESP
        for outbound_spi in delete.spis
        for spi in _delete_child_sa(sa, outbound_spi)
    ]
    payloads: list[Payload] = [_delete_esp(*deleted)] if deleted else []
    sa.respond(request, path, payloads, now)


def _delete_ike_sa(sa: IkeSa, request: Message, path: Path, reason: str, now: float) -> None:
    sa.respond(request, path, [], now)
    rekey = sa.peers_rekey
    if rekey is not None and rekey.usable and sa.state is State.ESTABLISHED:
        # The peer has finished its rekeying before it knew of the one of this end, which is forgotten (section 2.8.2).
        rekey.adopt(sa, now)
    sa.close(reason, now, linger=True)


def _delete_child_sa(sa: IkeSa, outbound_spi: bytes) -> list[bytes]:
    """Delete a Child SA that the peer names; what is answered for it."""
    child = sa.children.by_outbound(outbound_spi)
    active = sa.tasks.active
    if child is None:
        if active is not None:
            active.note_deletion(outbound_spi)
        return []
    crossing = isinstance(active, DeleteChildSa) and active.child is child
    removal.remove_child(sa, child, "deleted by the peer")
    # Where both ends ask at once, neither answers with the SPI that it has asked for itself (section 1.4.1).
    return [] if crossing else [child.inbound_spi]
