"""NAT detection of IKEv2 and what follows from it (RFC 7296 section 2.23)."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.ike.nat_traversal import nat_detection_hash
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Notify

_NO_ADDRESS = Address("0.0.0.0", 0)  # noqa: S104  nobody listens: its hash matches no sender's address
"""An end that pretends to be behind a NAT hashes this."""


@dataclass(frozen=True, slots=True)
class NatSituation:
    """Who is behind a NAT."""

    local: bool = False
    """This end is."""
    remote: bool = False
    """The peer is, or pretends to be."""
    pretended: bool = False
    """This end pretends to be, so that ESP is carried in UDP."""

    @property
    def any(self) -> bool:
        """Whether ESP is carried in UDP, and IKE on the NAT-T port."""
        return self.local or self.remote or self.pretended


def nat_detection(path: Path, spi_i: bytes, spi_r: bytes, pretend: bool) -> list[Notify]:
    """NAT_DETECTION_SOURCE_IP and NAT_DETECTION_DESTINATION_IP of a message.

    Args:
        path: both ends as this end sees them.
        spi_i: initiator's SPI.
        spi_r: responder's SPI; zero in a request.
        pretend: whether the source is to look as if a NAT had changed it.
    """
    source = _NO_ADDRESS if pretend else path.local
    return [
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, nat_detection_hash(spi_i, spi_r, source)),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, nat_detection_hash(spi_i, spi_r, path.remote)),
    ]


def situation(message: Message, path: Path, pretended: bool) -> NatSituation | None:
    """Who is behind a NAT, by the notifications of a message.

    Args:
        message: IKE_SA_INIT from the peer.
        path: where it went to and came from.
        pretended: whether this end pretends to be behind one.

    Returns:
        None where the peer does not support NAT traversal.
    """
    spi_i, spi_r = message.header.spi_i, message.header.spi_r
    sources, destinations = [], []
    for notify in message.all(Notify):
        if notify.message_type == NotifyType.NAT_DETECTION_SOURCE_IP:
            sources.append(notify.data)
        elif notify.message_type == NotifyType.NAT_DETECTION_DESTINATION_IP:
            destinations.append(notify.data)
    if not sources or not destinations:
        return None
    return NatSituation(
        local=nat_detection_hash(spi_i, spi_r, path.local) not in destinations,
        remote=nat_detection_hash(spi_i, spi_r, path.remote) not in sources,
        pretended=pretended,
    )
