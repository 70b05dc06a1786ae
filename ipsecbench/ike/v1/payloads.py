"""Payloads of IKEv1 other than SA (RFC 2408 section 3, RFC 2407 section 4.6, RFC 3947), each with its own codec.

What is parsed here is only well-formed; whether it may stand where it stands is for the exchanges to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ipsecbench.errors import MalformedError
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.v1.identifiers import IPSEC_DOI, NotifyType, PayloadType
from ipsecbench.ike.v1.proposals import SaPayload, decode_sa
from ipsecbench.wire.cursor import Reader
from ipsecbench.wire.fields import U8, U16, U32, Counted, Layout, Length, Octets, Rest

MAX_DELETED_SPIS = 256
"""More SPIs than this make a Delete payload malformed."""
NONCE_BYTES = range(8, 257)
"""Permitted lengths of a nonce (RFC 2409 section 5)."""


@dataclass(frozen=True, slots=True)
class OctetsPayload:
    """A payload whose body is one string of octets."""

    payload_type: int
    """Payload type: KE, HASH, SIG, NONCE, VENDOR_ID or NAT-D."""
    data: bytes
    """The body."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        return self.data


@dataclass(frozen=True, slots=True)
class UnknownPayload:
    """A payload of a type that is not known here."""

    payload_type: int
    """Payload type."""
    data: bytes
    """The body."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        return self.data


@dataclass(frozen=True, slots=True)
class IdPayload:
    """Identification (RFC 2407 section 4.6.2).

    ::

        |    ID Type    |  Protocol ID  |             Port              |
        |                     Identification Data                       |
    """

    LAYOUT: ClassVar[Layout] = Layout("ID payload", U8("id_type"), U8("protocol"), U16("port"), Rest("data"))
    payload_type: ClassVar[int] = PayloadType.ID

    id_type: int
    """ID Type."""
    data: bytes
    """Identification Data."""
    protocol: int = 0
    """IP protocol; 0 for all."""
    port: int = 0
    """Port; 0 for all."""

    def encode(self) -> bytes:
        """The body, which HASH_I and HASH_R cover as it is."""
        values = {"id_type": self.id_type, "protocol": self.protocol, "port": self.port, "data": self.data}
        return self.LAYOUT.encode(values)

    @property
    def identity(self) -> Identity:
        """The identity without protocol and port."""
        return Identity(self.id_type, self.data)


@dataclass(frozen=True, slots=True)
class CertificatePayload:
    """Certificate or Certificate Request: an encoding and data (RFC 2408 sections 3.9 and 3.10)."""

    LAYOUT: ClassVar[Layout] = Layout("certificate payload", U8("encoding"), Rest("data"))

    payload_type: int
    """Payload type: CERT or CR."""
    encoding: int
    """Certificate Encoding."""
    data: bytes
    """The certificate, or the Name of an authority; empty for any authority."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        return self.LAYOUT.encode({"encoding": self.encoding, "data": self.data})


@dataclass(frozen=True, slots=True)
class NotificationPayload:
    """Notification (RFC 2408 section 3.14).

    ::

        |              Domain of Interpretation  (DOI)                  |
        |  Protocol-ID  |   SPI Size    |      Notify Message Type      |
        |                Security Parameter Index (SPI)                 |
        |                       Notification Data                       |
    """

    LAYOUT: ClassVar[Layout] = Layout(
        "notification", U32("doi"), U8("protocol"), Length("spi", 1), U16("notify_type"), Counted("spi"), Rest("data")
    )
    payload_type: ClassVar[int] = PayloadType.NOTIFICATION

    protocol: int
    """Protocol-ID."""
    spi: bytes
    """SPI: the two cookies of an ISAKMP SA, or 4 octets; may be empty."""
    notify_type: int
    """Notify Message Type."""
    data: bytes = b""
    """Notification Data."""
    doi: int = IPSEC_DOI
    """Domain of Interpretation."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        values = {
            "doi": self.doi,
            "protocol": self.protocol,
            "spi": self.spi,
            "notify_type": self.notify_type,
            "data": self.data,
        }
        return self.LAYOUT.encode(values)


@dataclass(frozen=True, slots=True)
class DeletePayload:
    """Delete (RFC 2408 section 3.15).

    ::

        |              Domain of Interpretation  (DOI)                  |
        |  Protocol-Id  |   SPI Size    |           # of SPIs           |
        |               Security Parameter Index(es) (SPI)              |
    """

    LAYOUT: ClassVar[Layout] = Layout("delete", U32("doi"), U8("protocol"), U8("spi_bytes"), U16("count"), Rest("spis"))
    payload_type: ClassVar[int] = PayloadType.DELETE

    protocol: int
    """Protocol-Id."""
    spis: tuple[bytes, ...]
    """SPIs of the SAs that the sender has deleted: those by which it was reached."""
    doi: int = IPSEC_DOI
    """Domain of Interpretation."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        width = len(self.spis[0]) if self.spis else 0
        values = {
            "doi": self.doi,
            "protocol": self.protocol,
            "spi_bytes": width,
            "count": len(self.spis),
            "spis": b"".join(self.spis),
        }
        return self.LAYOUT.encode(values)


@dataclass(frozen=True, slots=True)
class NatOaPayload:
    """NAT Original Address (RFC 3947 section 5.2)."""

    LAYOUT: ClassVar[Layout] = Layout("NAT-OA", U8("id_type"), Octets("reserved", 3), Rest("data"))

    payload_type: int
    """NAT_OA, or its number in the drafts."""
    id_type: int
    """ID_IPV4_ADDR or ID_IPV6_ADDR."""
    data: bytes
    """The address."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        return self.LAYOUT.encode({"id_type": self.id_type, "reserved": bytes(3), "data": self.data})


@dataclass(frozen=True, slots=True)
class FragmentPayload:
    """A piece of an IKE message (Cisco's fragmentation; no RFC).

    ::

        |          Fragment ID          |Fragment Number|     Flags     |
        |                        Fragment Data                          |
    """

    LAYOUT: ClassVar[Layout] = Layout("fragment", U16("fragment_id"), U8("number"), U8("flags"), Rest("data"))
    payload_type: ClassVar[int] = PayloadType.FRAGMENT

    fragment_id: int
    """The same in every piece of a message."""
    number: int
    """From 1."""
    flags: int
    """Bit 0: the last piece."""
    data: bytes
    """Octets of the whole message, its header included."""

    @property
    def last(self) -> bool:
        """Whether it is the last piece."""
        return bool(self.flags & 1)

    def encode(self) -> bytes:
        """The body, without the generic header."""
        values = {
            "fragment_id": self.fragment_id,
            "number": self.number,
            "flags": self.flags,
            "data": self.data,
        }
        return self.LAYOUT.encode(values)


Payload = (
    OctetsPayload
    | UnknownPayload
    | IdPayload
    | CertificatePayload
    | NotificationPayload
    | DeletePayload
    | NatOaPayload
    | FragmentPayload
)
"""Any payload but SA."""

_OCTETS = frozenset(
    {
        PayloadType.KE,
        PayloadType.HASH,
        PayloadType.SIG,
        PayloadType.NONCE,
        PayloadType.VENDOR_ID,
        PayloadType.NAT_D,
        PayloadType.NAT_D_DRAFT,
    }
)


def _decode_delete(body: bytes) -> DeletePayload:
    values = DeletePayload.LAYOUT.decode(body)
    count, width = values["count"], values["spi_bytes"]
    if not 0 < count <= MAX_DELETED_SPIS or not width or count * width != len(values["spis"]):
        raise MalformedError(
            f"delete: {count} SPIs of {width} octets in {len(values['spis'])}", NotifyType.PAYLOAD_MALFORMED
        )
    reader = Reader(values["spis"], "delete")
    spis = tuple(reader.octets(width) for _ in range(count))
    return DeletePayload(values["protocol"], spis, values["doi"])


def decode_payload(payload_type: int, body: bytes) -> Payload | SaPayload:
    """One payload from its body.

    Raises:
        MalformedError: the body does not parse.
        ProtocolError: an SA payload of another domain or situation.
    """
    if payload_type in _OCTETS:
        return OctetsPayload(payload_type, body)
    if payload_type == PayloadType.SA:
        return decode_sa(body)
    if payload_type == PayloadType.ID:
        return IdPayload(**IdPayload.LAYOUT.decode(body))
    if payload_type in (PayloadType.CERT, PayloadType.CR):
        return CertificatePayload(payload_type, **CertificatePayload.LAYOUT.decode(body))
    if payload_type == PayloadType.NOTIFICATION:
        return NotificationPayload(**NotificationPayload.LAYOUT.decode(body))
    if payload_type == PayloadType.DELETE:
        return _decode_delete(body)
    if payload_type in (PayloadType.NAT_OA, PayloadType.NAT_OA_DRAFT):
        values = NatOaPayload.LAYOUT.decode(body)
        return NatOaPayload(payload_type, values["id_type"], values["data"])
    if payload_type == PayloadType.FRAGMENT:
        return FragmentPayload(**FragmentPayload.LAYOUT.decode(body))
    return UnknownPayload(payload_type, body)
