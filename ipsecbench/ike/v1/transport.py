"""Messages of one ISAKMP SA on their way out and in: headers, encryption, pieces, keep-alives."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.association import Host
from ipsecbench.ike.header import IkeHeader, parse_header
from ipsecbench.ike.path import Datagram, Path
from ipsecbench.ike.v1.fragments import Reassembly, split
from ipsecbench.ike.v1.identifiers import Flag, PayloadType
from ipsecbench.ike.v1.iv_chain import IvChain
from ipsecbench.ike.v1.message import (
    AnyPayload,
    body_of,
    decode_payloads,
    encode_message,
    encode_payloads,
    frame,
    payload_type_of,
)
from ipsecbench.ike.v1.payloads import FragmentPayload

_IP_AND_UDP_BYTES = {4: 28, 6: 48}
_MARKER_BYTES = 4


class Transport:
    """The way of one ISAKMP SA.

    Args:
        host: the endpoint.
        path: both ends.
    """

    __slots__ = ("_fragment_id", "_host", "_reassembly", "last_sent", "path")

    def __init__(self, host: Host, path: Path) -> None:
        self._host = host
        self._reassembly = Reassembly()
        self._fragment_id = 0
        self.path = path
        """Both ends, as of now."""
        self.last_sent = 0.0
        """When something was sent."""

    def build(
        self,
        cookies: tuple[bytes, bytes],
        exchange_type: int,
        message_id: int,
        payloads: Sequence[AnyPayload],
        chain: IvChain | None,
    ) -> bytes:
        """A message, encrypted where there is a chain of IVs."""
        if chain is None:
            return encode_message(*cookies, exchange_type, message_id, payloads)
        body = chain.encrypt(encode_payloads(payloads))
        first = payload_type_of(payloads[0])
        return frame(*cookies, first, exchange_type, Flag.ENCRYPTION, message_id, body)

    def send(self, message: bytes, now: float, path: Path, packet_bytes: int | None) -> None:
        """Send a message.

        Args:
            message: the whole message.
            now: seconds.
            path: which way.
            packet_bytes: largest IP packet, where the peer takes pieces; None where it does not.
        """
        self.last_sent = now
        room = None if packet_bytes is None else packet_bytes - _IP_AND_UDP_BYTES[6 if ":" in path.remote.host else 4]
        if room is None or len(message) + _MARKER_BYTES <= room:
            self._host.send(Datagram(path, message))
            return
        header = parse_header(message)
        self._fragment_id = self._fragment_id % 0xFFFF + 1
        for piece in split(message, room - _MARKER_BYTES, self._fragment_id):
            # Peers give every piece the Message ID 0.
            part = encode_message(header.spi_i, header.spi_r, header.exchange_type, 0, [piece])
            self._host.send(Datagram(path, part))

    def reassemble(self, header: IkeHeader, octets: bytes) -> tuple[IkeHeader, bytes] | None:
        """A piece has come.

        Returns:
            The whole message with its header, once every piece is there.
        """
        try:
            message = decode_payloads(header, body_of(octets), padded=False)
            piece = message.payloads[0].payload
            if not isinstance(piece, FragmentPayload) or len(message.payloads) != 1:
                raise ProtocolError("a fragment must be alone in its message")
            whole = self._reassembly.add(piece)
            if whole is None:
                return None
            inner = parse_header(whole)
            if (inner.spi_i, inner.spi_r) != (header.spi_i, header.spi_r) or inner.next_payload == PayloadType.FRAGMENT:
                raise ProtocolError("fragments of another SA, or of fragments")
        except ProtocolError as error:
            self._host.log("bad-fragment", f"{self.path.remote}: {error}")
            return None
        return inner, whole

    def keep_alive(self, now: float) -> None:
        """Send a NAT-keepalive packet."""
        self.last_sent = now
        self._host.send_keepalive(self.path)
