"""What ISAKMP SAs with the same peer are to each other: who replaces whom, and what the driver is told of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ipsecbench.ike.configuration import Unique
from ipsecbench.ike.events import IkeSaInfo, IkeSaKeysDerived, IkeSaRekeyed, NegotiatedIke, PeerAlive
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.v1 import credentials
from ipsecbench.ike.v1.transitions import SaState

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

_NOBODY = Identity(0, b"")


def describe(sa: IsakmpSa) -> IkeSaInfo:
    """What the driver is told of an ISAKMP SA; the peer's identity is empty before it is proven."""
    security = sa.established_security
    suite = security.suite
    return IkeSaInfo(
        unique_id=sa.unique_id,
        version=1,
        connection=sa.connection.name,
        is_initiator=sa.is_initiator,
        spi_i=sa.spi_i,
        spi_r=sa.spi_r,
        path=sa.path,
        local_identity=credentials.local_identity(sa.connection, sa.path),
        remote_identity=sa.peer.identity or _NOBODY,
        negotiated=NegotiatedIke(suite.encryption, suite.hash.integrity, suite.hash.prf, suite.key_exchange),
        nat_local=sa.peer.nat_local,
        nat_remote=sa.peer.nat_remote,
        keys=MappingProxyType({"encryption_key": security.phase.key}),
    )


def tell_keys(sa: IsakmpSa) -> None:
    """There are keys: for the key log."""
    sa.host.emit(IkeSaKeysDerived(describe(sa)))


def tell_alive(sa: IsakmpSa, sequence: int | None) -> None:
    """R-U-THERE-ACK has come. That it was authenticated has shown already that the peer lives."""
    if sequence is None or not sa.liveness.confirms(sequence):
        sa.log("bad-liveness", "R-U-THERE-ACK of another SA, or without a question")
        return
    sa.host.emit(PeerAlive(sa.unique_id))


def relatives(sa: IsakmpSa) -> list[IsakmpSa]:
    """Other ISAKMP SAs with the same peer, by its proven identity, on the same connection."""
    return [
        other
        for other in sa.host.associations()
        if isinstance(other, type(sa))
        and other is not sa
        and other.connection.name == sa.connection.name
        and other.peer.identity == sa.peer.identity
    ]


def may_say_initial_contact(sa: IsakmpSa) -> bool:
    """Whether no other SA with the peer is established (RFC 2407 section 4.6.3.3)."""
    if sa.connection.unique is Unique.KEEP:
        return False
    return not any(
        other.info is not None
        and other.info.connection == sa.connection.name
        and other.path.remote.host == sa.path.remote.host
        for other in sa.host.associations()
        if other is not sa
    )


def replace_others(sa: IsakmpSa, now: float) -> None:
    """INITIAL-CONTACT: what is known of the peer from before is gone."""
    if sa.connection.unique is Unique.KEEP:
        return
    for other in relatives(sa):
        # An SA that was negotiated at the same time is none that the peer has forgotten.
        if not other.half_open and other.established_at < sa.begun_at:
            other.abandon("the peer began anew (INITIAL-CONTACT)", now)


def bequeath(sa: IsakmpSa) -> None:
    """The peer has deleted an ISAKMP SA: phase 2 SAs that it did not delete go on under another one with the peer."""
    others = relatives(sa)
    for heir in others:
        if heir.state is SaState.REPLACED and heir.successor is sa:
            heir.resume()
    heirs = [other for other in others if other.alive]
    if heirs and len(sa.phase2.sas):
        heirs[0].phase2.sas.adopt(sa.phase2.sas, heirs[0].unique_id)
        sa.host.emit(IkeSaRekeyed(sa.unique_id, describe(heirs[0])))


def take_over(sa: IsakmpSa, initial_contact: bool, now: float) -> bool:
    """A new ISAKMP SA takes the place of older ones with the same peer, and their phase 2 SAs.

    Where both ends began one at the same time, both must put the same one first: that with the greater cookie. With
    ``unique = "keep"`` only the one that this SA was made to replace goes; what the peer replaces, it deletes itself.

    Returns:
        Whether the driver has been told of it as a replacement.
    """
    if initial_contact and sa.replaces is None:
        replace_others(sa, now)
    keep = sa.connection.unique is Unique.KEEP
    others = [] if keep else relatives(sa)
    olds = [other for other in others if other.alive and other.path.remote.host == sa.path.remote.host]
    if sa.replaces is not None and sa.replaces.alive and sa.replaces not in olds:
        olds.append(sa.replaces)
    for old in olds:
        at_once = sa.begun_at <= old.established_at and sa.is_initiator != old.is_initiator
        if at_once and sa.spi_i < old.spi_i:
            sa.succeeded_by(old, now)
            return False
    for old in olds:
        old.succeeded_by(sa, now)
        sa.phase2.sas.adopt(old.phase2.sas, sa.unique_id)
        sa.host.emit(IkeSaRekeyed(old.unique_id, describe(sa)))
    return bool(olds)
