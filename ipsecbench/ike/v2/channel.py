"""How one IKE SA sends and receives: Message IDs, protection, fragments and the addresses of both ends.

Between the datagrams and the exchanges: an exchange hands payloads in and is handed messages that are authentic, new
and whole. What is not is dropped here and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ipsecbench.errors import ProtocolError, RejectedError
from ipsecbench.ike.association import Host
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.nat_traversal import NON_ESP_MARKER
from ipsecbench.ike.path import Datagram, Path
from ipsecbench.ike.v2.fragmentation import MAX_FRAGMENTS, Reassembly, seal_fragmented
from ipsecbench.ike.v2.message import Message, build_message, new_header, parse_message
from ipsecbench.ike.v2.message_window import RequestWindow, ResponseWindow
from ipsecbench.ike.v2.payloads import EncryptedFragment, Payload
from ipsecbench.ike.v2.protection import IkeProtection

_UDP_BYTES = 8
_IPV4_BYTES = 20
_IPV6_BYTES = 40

Log = Callable[[str, str], None]


class Opened(NamedTuple):
    """A message that is authentic and whole."""

    message: Message
    """The message; sealed as it came where its content does not parse."""
    error: ProtocolError | None
    """Why its content does not parse."""


class Channel:
    """The messages of one IKE SA.

    Args:
        host: sends the datagrams.
        connection: fragments and retransmission.
        path: both ends.
        is_initiator: whether this end is the original initiator of the IKE SA.
        spi_i: initiator's SPI.
        spi_r: responder's SPI; zero until it is known.
    """

    __slots__ = (
        "_connection",
        "_host",
        "_reassembly",
        "is_initiator",
        "last_heard",
        "last_sent",
        "path",
        "peer_takes_fragments",
        "protection",
        "requests",
        "responses",
        "spi_i",
        "spi_r",
    )

    def __init__(
        self,
        host: Host,
        connection: ConnectionConfiguration,
        path: Path,
        is_initiator: bool,
        spi_i: bytes,
        spi_r: bytes,
    ) -> None:
        self._host = host
        self._connection = connection
        self.path = path
        self.is_initiator = is_initiator
        self.spi_i = spi_i
        self.spi_r = spi_r
        self.requests = RequestWindow(connection.retransmission)
        self.responses = ResponseWindow()
        self.protection: IkeProtection | None = None
        self.peer_takes_fragments = False
        self.last_heard = 0.0
        self.last_sent = 0.0
        self._reassembly = Reassembly()

    def configure(self, connection: ConnectionConfiguration) -> None:
        """The peer has turned out to be that of another connection."""
        self._connection = connection
        self.requests.retransmission = connection.retransmission

    def header(self, exchange_type: int, message_id: int, response: bool) -> IkeHeader:
        """The header of a message to send."""
        return new_header(
            exchange_type,
            message_id,
            spi_i=self.spi_i,
            spi_r=self.spi_r,
            from_initiator=self.is_initiator,
            response=response,
        )

    def send(self, datagrams: Sequence[bytes], path: Path, now: float) -> None:
        """Send a message, or its fragments."""
        self.last_sent = now
        for octets in datagrams:
            self._host.send(Datagram(path, octets))

    def request(self, exchange_type: int, payloads: Sequence[Payload], now: float) -> Message:
        """Send a request, and again until it is answered."""
        header = self.header(exchange_type, self.requests.next_message_id, response=False)
        message, datagrams = self._write(header, payloads)
        self.requests.sent(exchange_type, datagrams, now)
        self.send(datagrams, self.path, now)
        return message

    def respond(self, request: Message, path: Path, payloads: Sequence[Payload], now: float) -> Message:
        """Answer a request, and again when it is repeated; where it came from (RFC 7296 section 2.11)."""
        header = self.header(request.header.exchange_type, request.header.message_id, response=True)
        message, datagrams = self._write(header, payloads)
        self.responses.answered((request.octets,), datagrams)
        self.send(datagrams, path, now)
        return message

    def repeat_response(self, path: Path, now: float) -> None:
        """Answer the last request once more."""
        self.send(self.responses.responses, path, now)

    def repeats_last_request(self, header: IkeHeader, octets: bytes) -> bool:
        """Whether a message is the last request again, so that its response is to be sent again.

        A peer repeats it bit by bit; but one that has come to smaller fragments may not (RFC 7383 section 2.5.2): that
        one is known by its ICV. Of a request in fragments only the first is answered (section 2.6.1).
        """
        if self.responses.same_octets(octets):
            return True
        if self.protection is None:
            return False
        try:
            message = parse_message(octets, header)
            sealed = message.encrypted
            if sealed is None or (isinstance(sealed, EncryptedFragment) and sealed.number != 1):
                return False
            self.protection.open_content(message, sealed)
        except (ProtocolError, RejectedError):
            return False
        return True

    def open(self, header: IkeHeader, octets: bytes, log: Log) -> Opened | None:
        """Authenticate and decrypt a message, or take a fragment of one.

        Returns:
            None where there is nothing to process: it is forged or malformed, which is logged, or not whole yet.
        """
        protection = self.protection
        try:
            message = parse_message(octets, header)
        except ProtocolError as error:
            log("malformed-message", f"exchange {header.exchange_type}, Message ID {header.message_id}: {error}")
            return None
        sealed = message.encrypted
        if protection is None or sealed is None:
            log("unprotected-message", message.name)
            return None
        try:
            if not isinstance(sealed, EncryptedFragment):
                return Opened(protection.open(message), None)
            if not (self.peer_takes_fragments and 0 < sealed.number <= sealed.total <= MAX_FRAGMENTS):
                log("unwanted-fragment", f"{message.name}: fragment {sealed.number} of {sealed.total}")
                return None
            whole = self._reassembly.add(message, protection)
            return None if whole is None else Opened(whole, None)
        except RejectedError as error:
            log("bad-icv", str(error))
            return None
        except ProtocolError as error:
            return Opened(message, error)

    def _write(self, header: IkeHeader, payloads: Sequence[Payload]) -> tuple[Message, tuple[bytes, ...]]:
        """A message as it is sent: in the clear before there are keys, whole, or in fragments."""
        if self.protection is None:
            message = build_message(header, payloads)
            return message, (message.octets,)
        if not self.peer_takes_fragments:
            message = self.protection.seal(header, payloads)
            return message, (message.octets,)
        return seal_fragmented(self.protection, header, payloads, self._message_bytes)

    @property
    def _message_bytes(self) -> int:
        """The most octets of a message that is not to be in fragments."""
        ip_bytes = _IPV6_BYTES if ":" in self.path.remote.host else _IPV4_BYTES
        return self._connection.fragment_bytes - ip_bytes - _UDP_BYTES - len(NON_ESP_MARKER)
