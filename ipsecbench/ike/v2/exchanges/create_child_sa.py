"""CREATE_CHILD_SA: new Child SAs as initiator, and as responder which of its three kinds a request is.

RFC 7296 section 1.3; section 2.25 for what crosses with what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecbench.errors import NegotiationError
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2.exchanges import rekey_child_sa, rekey_ike_sa
from ipsecbench.ike.v2.exchanges.child_exchange import ChildExchange, respond_child
from ipsecbench.ike.v2.exchanges.child_negotiation import make_child
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Notify, TrafficSelectorsInitiator
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

MAX_CHILD_SAS = 512
"""More Child SAs of one IKE SA are refused (NO_ADDITIONAL_SAS)."""


@dataclass(eq=False)
class CreateChildSa(ChildExchange):
    """Set up another Child SA."""

    def created(self, sa: IkeSa, secrets: Sequence[Secret], now: float) -> None:
        """See :meth:`ChildExchange.created`."""
        if self.agreed is not None and self.nonces is not None:
            make_child(sa, self.agreed, self.nonces, secrets, now, is_initiator=True)


def answer(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer a CREATE_CHILD_SA request.

    Raises:
        NegotiationError: it is refused.
        MalformedError: its key exchange data is not valid.
    """
    if request.first(TrafficSelectorsInitiator) is None:
        rekey_ike_sa.answer(sa, request, path, now)
        return
    if isinstance(sa.tasks.active, rekey_ike_sa.RekeyIkeSa):
        # RFC 7296 section 2.25.2: no Child SA while the IKE SA itself is being replaced.
        raise NegotiationError("this end is rekeying the IKE SA", NotifyType.TEMPORARY_FAILURE)
    if len(sa.children) >= MAX_CHILD_SAS:
        raise NegotiationError(f"{len(sa.children)} Child SAs are enough", NotifyType.NO_ADDITIONAL_SAS)
    rekeyed = request.notify(NotifyType.REKEY_SA)
    if rekeyed is not None:
        rekey_child_sa.answer(sa, request, rekeyed, path, now)
    else:
        respond_child(sa, request, path, sa.connection.children, now)


def refuse_temporarily(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer that the IKE SA makes no more SAs (section 2.25.2)."""
    sa.respond(request, path, [Notify(NotifyType.TEMPORARY_FAILURE)], now)
