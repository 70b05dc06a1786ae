"""What an ISAKMP SA sends: messages of exchanges, notifications, and Delete payloads, which are repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecbench.ike.path import Path
from ipsecbench.ike.v1.identifiers import Protocol, Vendor
from ipsecbench.ike.v1.iv_chain import IvChain
from ipsecbench.ike.v1.message import AnyPayload
from ipsecbench.ike.v1.payloads import DeletePayload, NotificationPayload

if TYPE_CHECKING:
    from ipsecbench.ike.v1.isakmp_sa import IsakmpSa

REPEAT_DELETE_SECONDS = (0.25, 0.75)
"""When a Delete payload is sent again: nobody acknowledges it."""


class Sender:
    """See the module.

    Args:
        sa: the ISAKMP SA.
    """

    def __init__(self, sa: IsakmpSa) -> None:
        self.sa = sa
        self._repeats: list[tuple[float, bytes]] = []
        self._farewell = b""

    def build(
        self, exchange_type: int, message_id: int, payloads: Sequence[AnyPayload], chain: IvChain | None
    ) -> bytes:
        """A message; encrypted where there is a chain of IVs."""
        cookies = (self.sa.spi_i, self.sa.spi_r)
        return self.sa.transport.build(cookies, exchange_type, message_id, payloads, chain)

    def transmit(self, message: bytes, now: float, path: Path | None = None) -> None:
        """Send a message, in pieces where it is long and the peer takes pieces."""
        connection = self.sa.connection
        pieces = Vendor.FRAGMENTATION in self.sa.peer.vendors and connection.fragmentation
        packet_bytes = connection.fragment_bytes if pieces else None
        self.sa.transport.send(message, now, path or self.sa.path, packet_bytes)

    def notify(
        self,
        notify: int,
        data: bytes,
        now: float,
        protocol: int = Protocol.PROTO_ISAKMP,
        spi: bytes | None = None,
    ) -> None:
        """Send a notification, of the ISAKMP SA where no SPI is given."""
        named = self.sa.spi_i + self.sa.spi_r if spi is None else spi
        self._inform(NotificationPayload(protocol, named, notify, data), now)

    def delete_phase2(self, spis: Sequence[bytes], now: float) -> None:
        """Tell the peer that phase 2 SAs are gone, more than once."""
        if not self.sa.finished and spis:
            self._repeat(self._inform(DeletePayload(Protocol.PROTO_IPSEC_ESP, tuple(spis)), now), now)

    def delete_isakmp(self, now: float) -> float:
        """Tell the peer that the ISAKMP SA is gone, more than once.

        Returns:
            When that has been said for the last time.
        """
        self._farewell = self._inform(DeletePayload(Protocol.PROTO_ISAKMP, (self.sa.spi_i + self.sa.spi_r,)), now)
        self._repeat(self._farewell, now)
        return now + REPEAT_DELETE_SECONDS[-1]

    def repeat_farewell(self, now: float) -> None:
        """The peer has not got the Delete payload of the ISAKMP SA."""
        if self._farewell:
            self.transmit(self._farewell, now)

    def _inform(self, payload: AnyPayload, now: float) -> bytes:
        message = self.sa.informational.build([payload])
        self.transmit(message, now)
        return message

    def _repeat(self, message: bytes, now: float) -> None:
        self._repeats += [(now + wait, message) for wait in REPEAT_DELETE_SECONDS]

    @property
    def next_timeout(self) -> float | None:
        """When something is to be sent again."""
        return min((when for when, _ in self._repeats), default=None)

    def handle_timeout(self, now: float) -> None:
        """Send again what is due."""
        for when, message in [each for each in self._repeats if each[0] <= now]:
            self._repeats.remove((when, message))
            self.transmit(message, now)
