"""What an IKE SA needs to know until both ends are authenticated, and may forget afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipsecbench.algorithms.key_exchange import KeyExchangeMethod
from ipsecbench.algorithms.proposals import IkeProposal
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.v2.authentication import IntermediateAuthentication
from ipsecbench.ike.v2.exchanges.child_negotiation import ChildOffer
from ipsecbench.ike.v2.key_agreement import KeyAgreement
from ipsecbench.ike.v2.transforms import Proposal


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that nobody vouches for: it is believed only when no better answer comes (RFC 7296 section 2.21.1)."""

    reason: str
    """One line."""
    notify: int | None
    """Notify Message Type."""


@dataclass(slots=True)
class Setup:
    """State of IKE_SA_INIT, IKE_INTERMEDIATE and IKE_AUTH at either end."""

    connections: tuple[ConnectionConfiguration, ...] = ()
    """Responder: those that may be the peer's, until it says who it is."""
    children: tuple[str, ...] = ()
    """Initiator: Child SAs to set up."""
    child_offer: ChildOffer | None = None
    """Initiator: what IKE_AUTH asks for."""
    proposals: tuple[IkeProposal, ...] = ()
    """Initiator: proposals that can run here."""
    offer: tuple[Proposal, ...] = ()
    """Initiator: as they were sent."""
    agreement: KeyAgreement | None = None
    """Initiator: its half of the key exchange at work."""
    cookie: bytes | None = None
    """Initiator: what the responder wants to see again."""
    attempts: int = 0
    """Initiator: how often IKE_SA_INIT was begun anew."""
    refusal: Refusal | None = None
    """Initiator: the last error that came unprotected."""
    nonce_i: bytes = b""
    """Ni."""
    nonce_r: bytes = b""
    """Nr."""
    message_i: bytes = b""
    """IKE_SA_INIT request as it was sent: its sender signs it."""
    message_r: bytes = b""
    """IKE_SA_INIT response as it was sent."""
    additional: tuple[KeyExchangeMethod, ...] = ()
    """Additional key exchanges that are still to be done."""
    intermediate: IntermediateAuthentication = field(default_factory=IntermediateAuthentication)
    """What IKE_INTERMEDIATE adds to AUTH."""
    peer_hashes: frozenset[int] | None = None
    """Hashes with which the peer verifies signatures; None where it does not know RFC 7427."""
    certificate_wanted: bool = False
    """Whether the peer sent a CERTREQ."""
    childless_allowed: bool = False
    """Initiator: whether the responder knows RFC 6023."""
    use_ppk: bool = False
    """Whether both ends know RFC 8784."""
