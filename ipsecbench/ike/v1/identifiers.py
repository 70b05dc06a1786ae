"""Numbers of IKEv1 (RFC 2408 section 3, RFC 2407 section 4, RFC 2409 appendix A; registries closed by RFC 9395).

Numbers that are not listed stay plain integers in payloads: an unknown number is no error by itself.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum


class ExchangeType(IntEnum):
    """Exchange Type of the header (RFC 2408 section 3.1, RFC 2409 appendix A)."""

    IDENTITY_PROTECTION = 2
    """Main mode."""
    AGGRESSIVE = 4
    INFORMATIONAL = 5
    TRANSACTION = 6
    """Mode config and XAUTH; not implemented."""
    QUICK_MODE = 32
    NEW_GROUP_MODE = 33
    """Not implemented."""


class Flag(IntFlag):
    """Flags of the header (RFC 2408 section 3.1)."""

    ENCRYPTION = 1
    COMMIT = 2
    AUTHENTICATION_ONLY = 4


class PayloadType(IntEnum):
    """Next Payload (RFC 2408 section 3.1, RFC 3947 section 6)."""

    NONE = 0
    SA = 1
    PROPOSAL = 2
    TRANSFORM = 3
    KE = 4
    ID = 5
    CERT = 6
    CR = 7
    HASH = 8
    SIG = 9
    NONCE = 10
    NOTIFICATION = 11
    DELETE = 12
    VENDOR_ID = 13
    NAT_D = 20
    NAT_OA = 21
    NAT_D_DRAFT = 130
    """NAT-D of draft-ietf-ipsec-nat-t-ike-00 to -03."""
    NAT_OA_DRAFT = 131
    """NAT-OA of the same drafts."""
    FRAGMENT = 132
    """A piece of a message that is too long for one datagram (Cisco, Microsoft, strongSwan)."""


class Protocol(IntEnum):
    """Protocol-ID (RFC 2407 section 4.4.1)."""

    PROTO_ISAKMP = 1
    PROTO_IPSEC_AH = 2
    PROTO_IPSEC_ESP = 3
    PROTO_IPCOMP = 4


class NotifyType(IntEnum):
    """Notify Message Type (RFC 2408 section 3.14.1, RFC 2407 section 4.6.3, RFC 3706)."""

    INVALID_PAYLOAD_TYPE = 1
    DOI_NOT_SUPPORTED = 2
    SITUATION_NOT_SUPPORTED = 3
    INVALID_COOKIE = 4
    INVALID_MAJOR_VERSION = 5
    INVALID_MINOR_VERSION = 6
    INVALID_EXCHANGE_TYPE = 7
    INVALID_FLAGS = 8
    INVALID_MESSAGE_ID = 9
    INVALID_PROTOCOL_ID = 10
    INVALID_SPI = 11
    INVALID_TRANSFORM_ID = 12
    ATTRIBUTES_NOT_SUPPORTED = 13
    NO_PROPOSAL_CHOSEN = 14
    BAD_PROPOSAL_SYNTAX = 15
    PAYLOAD_MALFORMED = 16
    INVALID_KEY_INFORMATION = 17
    INVALID_ID_INFORMATION = 18
    INVALID_CERT_ENCODING = 19
    INVALID_CERTIFICATE = 20
    CERT_TYPE_UNSUPPORTED = 21
    INVALID_CERT_AUTHORITY = 22
    INVALID_HASH_INFORMATION = 23
    AUTHENTICATION_FAILED = 24
    INVALID_SIGNATURE = 25
    ADDRESS_NOTIFICATION = 26
    NOTIFY_SA_LIFETIME = 27
    CERTIFICATE_UNAVAILABLE = 28
    UNSUPPORTED_EXCHANGE_TYPE = 29
    UNEQUAL_PAYLOAD_LENGTHS = 30
    CONNECTED = 16384
    RESPONDER_LIFETIME = 24576
    REPLAY_STATUS = 24577
    INITIAL_CONTACT = 24578
    R_U_THERE = 36136
    R_U_THERE_ACK = 36137


FIRST_STATUS_TYPE = 16384
"""Notify Message Types from here on report a status; those below report an error."""


def notify_name(number: int) -> str:
    """Name of a Notify Message Type for logs."""
    try:
        return NotifyType(number).name
    except ValueError:
        return f"notify {number}"


class Phase1Attribute(IntEnum):
    """Attribute classes of a phase 1 transform (RFC 2409 appendix A)."""

    ENCRYPTION_ALGORITHM = 1
    HASH_ALGORITHM = 2
    AUTHENTICATION_METHOD = 3
    GROUP_DESCRIPTION = 4
    GROUP_TYPE = 5
    LIFE_TYPE = 11
    LIFE_DURATION = 12
    PRF = 13
    KEY_LENGTH = 14


class Phase2Attribute(IntEnum):
    """SA attributes of a phase 2 transform (RFC 2407 section 4.5, RFC 4304)."""

    SA_LIFE_TYPE = 1
    SA_LIFE_DURATION = 2
    GROUP_DESCRIPTION = 3
    ENCAPSULATION_MODE = 4
    AUTHENTICATION_ALGORITHM = 5
    KEY_LENGTH = 6
    KEY_ROUNDS = 7
    EXTENDED_SEQUENCE_NUMBER = 11


class LifeType(IntEnum):
    """Life type, the same in both phases."""

    SECONDS = 1
    KILOBYTES = 2


class EncapsulationMode(IntEnum):
    """Encapsulation Mode attribute (RFC 2407 section 4.5, RFC 3947 section 5.1 and its drafts)."""

    TUNNEL = 1
    TRANSPORT = 2
    UDP_ENCAPSULATED_TUNNEL = 3
    UDP_ENCAPSULATED_TRANSPORT = 4
    UDP_ENCAPSULATED_TUNNEL_DRAFT = 61443
    UDP_ENCAPSULATED_TRANSPORT_DRAFT = 61444


class CertificateEncoding(IntEnum):
    """Certificate Type (RFC 2408 section 3.9)."""

    PKCS7_WRAPPED_X509 = 1
    X509_SIGNATURE = 4


IPSEC_DOI = 1
"""Domain of interpretation of IPsec (RFC 2407)."""
GENERIC_DOI = 0
"""ISAKMP's own domain (RFC 2408 section 3.14)."""
SIT_IDENTITY_ONLY = 1
"""The one situation that is supported (RFC 2407 section 4.2.1)."""
KEY_IKE = 1
"""Transform-Id of every phase 1 transform (RFC 2407 section 4.4.2)."""


class Vendor(StrEnum):
    """What a Vendor ID announces. The octets are in :data:`VENDOR_IDS`."""

    DPD = "dead peer detection, RFC 3706"
    NAT_T = "NAT traversal, RFC 3947"
    NAT_T_03 = "NAT traversal, draft 3"
    NAT_T_02 = "NAT traversal, draft 2"
    NAT_T_02_NEWLINE = "NAT traversal, draft 2 (hashed with a line feed)"
    FRAGMENTATION = "IKE fragmentation"


VENDOR_IDS: dict[bytes, Vendor] = {
    bytes.fromhex("afcad71368a1f1c96b8696fc77570100"): Vendor.DPD,
    bytes.fromhex("4a131c81070358455c5728f20e95452f"): Vendor.NAT_T,
    bytes.fromhex("7d9419a65310ca6f2c179d9215529d56"): Vendor.NAT_T_03,
    bytes.fromhex("cd60464335df21f87cfdb2fc68b6a448"): Vendor.NAT_T_02,
    bytes.fromhex("90cb80913ebb696e086381b5ec427b1f"): Vendor.NAT_T_02_NEWLINE,
    bytes.fromhex("4048b7d56ebce88525e7de7f00d6c2d3"): Vendor.FRAGMENTATION,
}
"""Vendor IDs by their octets: RFC 3706 section 5.1, and MD5 of the documents' names for the others."""

VENDOR_OCTETS: dict[Vendor, bytes] = {vendor: octets for octets, vendor in VENDOR_IDS.items()}


def vendor(data: bytes) -> Vendor | None:
    """What a received Vendor ID means; None for those that nobody here knows.

    Some peers append flags to the fragmentation ID; RFC 3706 gives the DPD ID a version in its last two octets.
    """
    known = VENDOR_IDS.get(data)
    if known is not None:
        return known
    if data[:16] == VENDOR_OCTETS[Vendor.FRAGMENTATION]:
        return Vendor.FRAGMENTATION
    if len(data) == 16 and data[:14] == VENDOR_OCTETS[Vendor.DPD][:14]:
        return Vendor.DPD
    return None
