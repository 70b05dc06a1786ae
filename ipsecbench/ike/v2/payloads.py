"""The payloads of IKEv2, one class each, and what they share (RFC 7296 section 3.2).

Every payload begins with the generic payload header, which the message codec reads and writes::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    | Next Payload  |C|  RESERVED   |         Payload Length        |

A class here knows what stands after it, the body. Decoding judges form only: that lengths fit. Whether the values
make sense is for validation and for the exchanges. Numbers are kept as received, known here or not.

Proposals and traffic selectors have modules of their own; the Encrypted payload is opened in ``protection``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Self

from ipsecbench.errors import MalformedError
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.v2.configuration_payload import Configuration as Configuration
from ipsecbench.ike.v2.configuration_payload import ConfigurationAttribute as ConfigurationAttribute
from ipsecbench.ike.v2.identifiers import LAST_ERROR_TYPE, NotifyType, PayloadType, name_of
from ipsecbench.ike.v2.payload import DeclaredPayload as DeclaredPayload
from ipsecbench.ike.v2.payload import Payload as Payload
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector, decode_selectors, encode_selectors
from ipsecbench.ike.v2.transforms import Proposal, decode_proposals, encode_proposals
from ipsecbench.wire.cursor import Reader
from ipsecbench.wire.fields import U8, U16, Counted, Layout, Length, Reserved, Rest


@dataclass(frozen=True, slots=True)
class SecurityAssociation(Payload):
    """Security Association payload (RFC 7296 section 3.3): proposals, one after the other."""

    TYPE: ClassVar[int] = PayloadType.SA

    proposals: tuple[Proposal, ...]
    """In the sender's order of preference; exactly one in an answer."""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The payload of a body.

        Raises:
            MalformedError: the octets do not make one.
        """
        return cls(decode_proposals(body))

    def encode(self) -> bytes:
        """The body."""
        return encode_proposals(self.proposals)


@dataclass(frozen=True, slots=True)
class KeyExchange(DeclaredPayload):
    """Key Exchange payload (RFC 7296 section 3.4)::

    |   Key Exchange Method Num     |           RESERVED            |
    ~                       Key Exchange Data                       ~
    """

    TYPE: ClassVar[int] = PayloadType.KE
    LAYOUT: ClassVar[Layout] = Layout("Key Exchange", U16("method"), Reserved(2), Rest("data"))

    method: int
    """Transform ID of transform type 4."""
    data: bytes
    """Public value, encapsulation key or ciphertext."""


@dataclass(frozen=True, slots=True)
class IdentificationPayload(DeclaredPayload):
    """What both Identification payloads carry (RFC 7296 section 3.5)::

    |   ID Type     |                 RESERVED                      |
    ~                   Identification Data                         ~
    """

    LAYOUT: ClassVar[Layout] = Layout("Identification", U8("id_type"), Reserved(3), Rest("data"))

    id_type: int
    """ID Type."""
    data: bytes
    """Identification Data."""

    def encode(self) -> bytes:
        """The body."""
        return self.LAYOUT.encode({"id_type": self.id_type, "data": self.data})


@dataclass(frozen=True, slots=True)
class IdentificationInitiator(IdentificationPayload):
    """Identification - Initiator (IDi)."""

    TYPE: ClassVar[int] = PayloadType.IDI


@dataclass(frozen=True, slots=True)
class IdentificationResponder(IdentificationPayload):
    """Identification - Responder (IDr)."""

    TYPE: ClassVar[int] = PayloadType.IDR


@dataclass(frozen=True, slots=True)
class Certificate(DeclaredPayload):
    """Certificate payload (RFC 7296 section 3.6)::

    | Cert Encoding |                                               |
    +-+-+-+-+-+-+-+-+       Certificate Data                        ~
    """

    TYPE: ClassVar[int] = PayloadType.CERT
    LAYOUT: ClassVar[Layout] = Layout("Certificate", U8("encoding"), Rest("data"))

    encoding: int
    """Certificate Encoding."""
    data: bytes
    """Certificate Data."""


@dataclass(frozen=True, slots=True)
class CertificateRequest(DeclaredPayload):
    """Certificate Request payload (RFC 7296 section 3.7)::

    | Cert Encoding |                                               |
    +-+-+-+-+-+-+-+-+       Certification Authority                 ~
    """

    TYPE: ClassVar[int] = PayloadType.CERTREQ
    LAYOUT: ClassVar[Layout] = Layout("Certificate Request", U8("encoding"), Rest("authorities"))

    encoding: int
    """Certificate Encoding that is asked for."""
    authorities: bytes
    """SHA-1 hashes of the public keys of trusted authorities, 20 octets each; may be empty."""


@dataclass(frozen=True, slots=True)
class Authentication(DeclaredPayload):
    """Authentication payload (RFC 7296 section 3.8)::

    | Auth Method   |                RESERVED                       |
    ~                      Authentication Data                      ~
    """

    TYPE: ClassVar[int] = PayloadType.AUTH
    LAYOUT: ClassVar[Layout] = Layout("Authentication", U8("method"), Reserved(3), Rest("data"))

    method: int
    """Auth Method."""
    data: bytes
    """Signature, or MAC of a pre-shared key."""


@dataclass(frozen=True, slots=True)
class Nonce(DeclaredPayload):
    """Nonce payload, Ni and Nr (RFC 7296 section 3.9): 16 to 256 octets of random data."""

    TYPE: ClassVar[int] = PayloadType.NONCE
    LAYOUT: ClassVar[Layout] = Layout("Nonce", Rest("data"))

    data: bytes
    """Nonce Data."""


@dataclass(frozen=True, slots=True)
class Notify(DeclaredPayload):
    """Notify payload (RFC 7296 section 3.10)::

    |  Protocol ID  |   SPI Size    |      Notify Message Type      |
    ~                Security Parameter Index (SPI)                 ~
    ~                       Notification Data                       ~
    """

    TYPE: ClassVar[int] = PayloadType.N
    LAYOUT: ClassVar[Layout] = Layout(
        "Notify", U8("protocol"), Length("spi", 1), U16("message_type"), Counted("spi"), Rest("data")
    )

    message_type: int
    """Notify Message Type."""
    data: bytes = b""
    """Notification Data."""
    protocol: int = 0
    """Protocol ID: of the SA that the SPI names; 0 without an SPI."""
    spi: bytes = b""
    """SPI of an existing SA; empty for the IKE SA itself."""

    @property
    def is_error(self) -> bool:
        """Whether the type reports an error; a type that is not known here then means that the request failed."""
        return self.message_type <= LAST_ERROR_TYPE

    @property
    def name(self) -> str:
        """Name of the type, or its number."""
        return name_of(NotifyType, self.message_type)


@dataclass(frozen=True, slots=True)
class Delete(Payload):
    """Delete payload (RFC 7296 section 3.11)::

    | Protocol ID   |   SPI Size    |          Num of SPIs          |
    ~               Security Parameter Index(es) (SPI)              ~
    """

    TYPE: ClassVar[int] = PayloadType.D

    protocol: int
    """Protocol ID: 1 for the IKE SA, which has no SPI here; 2 AH; 3 ESP."""
    spi_bytes: int = 0
    """SPI Size."""
    spis: tuple[bytes, ...] = ()
    """The SPIs that the sender expects in inbound packets."""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The payload of a body.

        Raises:
            MalformedError: the octets do not make one.
        """
        reader = Reader(body, "Delete")
        protocol, spi_bytes, count = reader.u8(), reader.u8(), reader.u16()
        if spi_bytes * count != reader.remaining:
            raise MalformedError(f"Delete: {count} SPIs of {spi_bytes} octets in {reader.remaining} octets")
        return cls(protocol, spi_bytes, tuple(reader.octets(spi_bytes) for _ in range(count)) if spi_bytes else ())

    def encode(self) -> bytes:
        """The body."""
        count = len(self.spis).to_bytes(2)
        return bytes((self.protocol, self.spi_bytes)) + count + b"".join(self.spis)


@dataclass(frozen=True, slots=True)
class VendorId(DeclaredPayload):
    """Vendor ID payload (RFC 7296 section 3.12)."""

    TYPE: ClassVar[int] = PayloadType.V
    LAYOUT: ClassVar[Layout] = Layout("Vendor ID", Rest("data"))

    data: bytes
    """Vendor ID."""


@dataclass(frozen=True, slots=True)
class TrafficSelectorsPayload(Payload):
    """What both Traffic Selector payloads carry (RFC 7296 section 3.13)::

    | Number of TSs |                 RESERVED                      |
    ~                       <Traffic Selectors>                     ~
    """

    selectors: tuple[WireTrafficSelector, ...]
    """Traffic selectors, as received."""

    @classmethod
    def of(cls, selectors: Iterable[TrafficSelector]) -> Self:
        """The payload of selectors."""
        return cls(tuple(WireTrafficSelector.of(selector) for selector in selectors))

    @property
    def ranges(self) -> tuple[TrafficSelector, ...]:
        """The selectors that mean something here, the others left out."""
        found = (selector.selector for selector in self.selectors)
        return tuple(selector for selector in found if selector is not None)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The payload of a body.

        Raises:
            MalformedError: the octets do not make one.
        """
        return cls(decode_selectors(body))

    def encode(self) -> bytes:
        """The body."""
        return encode_selectors(self.selectors)


@dataclass(frozen=True, slots=True)
class TrafficSelectorsInitiator(TrafficSelectorsPayload):
    """Traffic Selector - Initiator (TSi)."""

    TYPE: ClassVar[int] = PayloadType.TSI


@dataclass(frozen=True, slots=True)
class TrafficSelectorsResponder(TrafficSelectorsPayload):
    """Traffic Selector - Responder (TSr)."""

    TYPE: ClassVar[int] = PayloadType.TSR


@dataclass(frozen=True, slots=True)
class Encrypted(Payload):
    """Encrypted and Authenticated payload (RFC 7296 section 3.14), sealed::

    |                     Initialization Vector                     |
    ~                    Encrypted IKE Payloads                     ~
    +               +-----------------------------------------------+
    |               |             Padding (0-255 octets)            |
    +-+-+-+-+-+-+-+-+                               +-+-+-+-+-+-+-+-+
    |                                               |  Pad Length   |
    ~                    Integrity Checksum Data                    ~

    It is the last payload of its message; the Next Payload field of its generic header is the type of its content.
    """

    TYPE: ClassVar[int] = PayloadType.SK

    first: int
    """Type of the first payload inside."""
    sealed: bytes
    """Initialization Vector to Integrity Checksum Data."""

    def encode(self) -> bytes:
        """The body."""
        return self.sealed


@dataclass(frozen=True, slots=True)
class EncryptedFragment(Payload):
    """Encrypted and Authenticated Fragment payload (RFC 7383 section 2.5), sealed::

    |        Fragment Number        |        Total Fragments        |
    |                     Initialization Vector                     |
    ~                      Encrypted content                        ~

    The type of the first payload inside stands in fragment number 1 only; it is zero in the others.
    """

    TYPE: ClassVar[int] = PayloadType.SKF

    first: int
    """Type of the first payload inside the whole message; zero in all fragments but the first."""
    number: int
    """Fragment Number, from 1."""
    total: int
    """Total Fragments."""
    sealed: bytes
    """Initialization Vector to Integrity Checksum Data."""

    def encode(self) -> bytes:
        """The body."""
        return self.number.to_bytes(2) + self.total.to_bytes(2) + self.sealed


@dataclass(frozen=True, slots=True)
class Eap(DeclaredPayload):
    """Extensible Authentication Protocol payload (RFC 7296 section 3.16); opaque, EAP is not spoken here."""

    TYPE: ClassVar[int] = PayloadType.EAP
    LAYOUT: ClassVar[Layout] = Layout("EAP", Rest("data"))

    data: bytes
    """EAP message."""


@dataclass(frozen=True, slots=True)
class UnknownPayload(Payload):
    """A payload of a type that is not known here, kept and otherwise ignored (RFC 7296 section 2.5).

    A message in which one has the critical bit is refused as a whole when it is parsed.
    """

    unknown_type: int
    """Payload Type."""
    data: bytes
    """Body."""
    is_critical: bool = field(default=False)
    """The C bit."""

    @property
    def type(self) -> int:
        """Payload Type."""
        return self.unknown_type

    @property
    def critical(self) -> bool:
        """The C bit."""
        return self.is_critical

    def encode(self) -> bytes:
        """The body."""
        return self.data
