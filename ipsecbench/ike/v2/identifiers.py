"""Numbers of the IANA registry "Internet Key Exchange Version 2 (IKEv2) Parameters".

They name the numbers that this stack speaks of. The registries are open: payloads keep the plain number that was
received, so that a number without a name here parses like any other; members compare equal to plain numbers.
"""

from __future__ import annotations

from enum import IntEnum


class ExchangeType(IntEnum):
    """IKEv2 Exchange Types (RFC 7296 section 3.1, RFC 9242, RFC 9370)."""

    IKE_SA_INIT = 34
    IKE_AUTH = 35
    CREATE_CHILD_SA = 36
    INFORMATIONAL = 37
    IKE_SESSION_RESUME = 38
    IKE_INTERMEDIATE = 43
    IKE_FOLLOWUP_KE = 44


class Flags(IntEnum):
    """Flags of the IKE header (RFC 7296 section 3.1); all other bits are zero when sent and ignored when received.

    Numbers and no ``IntFlag``, whose operators take microseconds each.
    """

    INITIATOR = 0x08
    """Sent by the original initiator of the IKE SA."""
    VERSION = 0x10
    """The sender could speak a higher major version."""
    RESPONSE = 0x20
    """The message answers the request with the same Message ID."""


class PayloadType(IntEnum):
    """IKEv2 Payload Types (RFC 7296 section 3.2, RFC 7383)."""

    NO_NEXT_PAYLOAD = 0
    SA = 33
    KE = 34
    IDI = 35
    IDR = 36
    CERT = 37
    CERTREQ = 38
    AUTH = 39
    NONCE = 40
    N = 41
    D = 42
    V = 43
    TSI = 44
    TSR = 45
    SK = 46
    CP = 47
    EAP = 48
    SKF = 53


class ProtocolId(IntEnum):
    """IKEv2 Security Protocol Identifiers (RFC 7296 section 3.3.1)."""

    NONE = 0
    IKE = 1
    AH = 2
    ESP = 3


class TransformType(IntEnum):
    """Transform Type Values (RFC 7296 section 3.3.2, RFC 9370)."""

    ENCR = 1
    PRF = 2
    INTEG = 3
    KE = 4
    SN = 5
    """Sequence Numbers; called Extended Sequence Numbers before RFC 9827."""
    ADDKE1 = 6
    ADDKE2 = 7
    ADDKE3 = 8
    ADDKE4 = 9
    ADDKE5 = 10
    ADDKE6 = 11
    ADDKE7 = 12


class SequenceNumbers(IntEnum):
    """Sequence Numbers Transform IDs (RFC 9827; transform type 5)."""

    NO_ESN = 0
    """32-bit Sequential Numbers."""
    ESN = 1
    """Partially Transmitted 64-bit Sequential Numbers."""


class AuthMethod(IntEnum):
    """IKEv2 Authentication Method (RFC 7296 section 3.8, RFC 4754, RFC 7427)."""

    RSA_DIGITAL_SIGNATURE = 1
    SHARED_KEY_MESSAGE_INTEGRITY_CODE = 2
    DSS_DIGITAL_SIGNATURE = 3
    ECDSA_WITH_SHA_256_ON_THE_P_256_CURVE = 9
    ECDSA_WITH_SHA_384_ON_THE_P_384_CURVE = 10
    ECDSA_WITH_SHA_512_ON_THE_P_521_CURVE = 11
    GENERIC_SECURE_PASSWORD_AUTHENTICATION_METHOD = 12
    NULL_AUTHENTICATION = 13
    DIGITAL_SIGNATURE = 14


class HashAlgorithm(IntEnum):
    """IKEv2 Hash Algorithms (RFC 7427 section 7, RFC 8420), the content of SIGNATURE_HASH_ALGORITHMS."""

    SHA1 = 1
    SHA2_256 = 2
    SHA2_384 = 3
    SHA2_512 = 4
    IDENTITY = 5


class CertificateEncoding(IntEnum):
    """IKEv2 Certificate Encodings (RFC 7296 section 3.6)."""

    PKCS7_WRAPPED_X509_CERTIFICATE = 1
    PGP_CERTIFICATE = 2
    DNS_SIGNED_KEY = 3
    X509_CERTIFICATE_SIGNATURE = 4
    KERBEROS_TOKEN = 6
    CERTIFICATE_REVOCATION_LIST = 7
    AUTHORITY_REVOCATION_LIST = 8
    SPKI_CERTIFICATE = 9
    X509_CERTIFICATE_ATTRIBUTE = 10
    HASH_AND_URL_OF_X509_CERTIFICATE = 12
    HASH_AND_URL_OF_X509_BUNDLE = 13
    OCSP_CONTENT = 14
    RAW_PUBLIC_KEY = 15


class TrafficSelectorType(IntEnum):
    """IKEv2 Traffic Selector Types (RFC 7296 section 3.13.1)."""

    TS_IPV4_ADDR_RANGE = 7
    TS_IPV6_ADDR_RANGE = 8


class ConfigurationType(IntEnum):
    """IKEv2 Configuration Payload CFG Types (RFC 7296 section 3.15)."""

    CFG_REQUEST = 1
    CFG_REPLY = 2
    CFG_SET = 3
    CFG_ACK = 4


class NotifyType(IntEnum):
    """IKEv2 Notify Message Types (RFC 7296 section 3.10.1 and the RFCs named); below 16384 are errors."""

    UNSUPPORTED_CRITICAL_PAYLOAD = 1
    INVALID_IKE_SPI = 4
    INVALID_MAJOR_VERSION = 5
    INVALID_SYNTAX = 7
    INVALID_MESSAGE_ID = 9
    INVALID_SPI = 11
    NO_PROPOSAL_CHOSEN = 14
    INVALID_KE_PAYLOAD = 17
    AUTHENTICATION_FAILED = 24
    SINGLE_PAIR_REQUIRED = 34
    NO_ADDITIONAL_SAS = 35
    INTERNAL_ADDRESS_FAILURE = 36
    FAILED_CP_REQUIRED = 37
    TS_UNACCEPTABLE = 38
    INVALID_SELECTORS = 39
    UNACCEPTABLE_ADDRESSES = 40
    """RFC 4555."""
    UNEXPECTED_NAT_DETECTED = 41
    """RFC 4555."""
    TEMPORARY_FAILURE = 43
    CHILD_SA_NOT_FOUND = 44
    AUTHORIZATION_FAILED = 46
    STATE_NOT_FOUND = 47
    """RFC 9370."""
    INITIAL_CONTACT = 16384
    SET_WINDOW_SIZE = 16385
    ADDITIONAL_TS_POSSIBLE = 16386
    IPCOMP_SUPPORTED = 16387
    NAT_DETECTION_SOURCE_IP = 16388
    NAT_DETECTION_DESTINATION_IP = 16389
    COOKIE = 16390
    USE_TRANSPORT_MODE = 16391
    HTTP_CERT_LOOKUP_SUPPORTED = 16392
    REKEY_SA = 16393
    ESP_TFC_PADDING_NOT_SUPPORTED = 16394
    NON_FIRST_FRAGMENTS_ALSO = 16395
    MOBIKE_SUPPORTED = 16396
    """RFC 4555."""
    ADDITIONAL_IP4_ADDRESS = 16397
    ADDITIONAL_IP6_ADDRESS = 16398
    NO_ADDITIONAL_ADDRESSES = 16399
    UPDATE_SA_ADDRESSES = 16400
    COOKIE2 = 16401
    NO_NATS_ALLOWED = 16402
    AUTH_LIFETIME = 16403
    """RFC 4478."""
    MULTIPLE_AUTH_SUPPORTED = 16404
    """RFC 4739."""
    ANOTHER_AUTH_FOLLOWS = 16405
    REDIRECT_SUPPORTED = 16406
    """RFC 5685."""
    REDIRECT = 16407
    REDIRECTED_FROM = 16408
    TICKET_LT_OPAQUE = 16409
    """RFC 5723."""
    TICKET_REQUEST = 16410
    TICKET_ACK = 16411
    TICKET_NACK = 16412
    TICKET_OPAQUE = 16413
    EAP_ONLY_AUTHENTICATION = 16417
    """RFC 5998."""
    CHILDLESS_IKEV2_SUPPORTED = 16418
    """RFC 6023."""
    QUICK_CRASH_DETECTION = 16419
    """RFC 6290."""
    IKEV2_MESSAGE_ID_SYNC_SUPPORTED = 16420
    """RFC 6311."""
    IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED = 16421
    IKEV2_MESSAGE_ID_SYNC = 16422
    IPSEC_REPLAY_COUNTER_SYNC = 16423
    IKEV2_FRAGMENTATION_SUPPORTED = 16430
    """RFC 7383."""
    SIGNATURE_HASH_ALGORITHMS = 16431
    """RFC 7427."""
    CLONE_IKE_SA_SUPPORTED = 16432
    """RFC 7791."""
    CLONE_IKE_SA = 16433
    PUZZLE = 16434
    """RFC 8019."""
    USE_PPK = 16435
    """RFC 8784."""
    PPK_IDENTITY = 16436
    NO_PPK_AUTH = 16437
    INTERMEDIATE_EXCHANGE_SUPPORTED = 16438
    """RFC 9242."""
    IP4_ALLOWED = 16439
    """RFC 8983."""
    IP6_ALLOWED = 16440
    ADDITIONAL_KEY_EXCHANGE = 16441
    """RFC 9370."""
    USE_AGGFRAG = 16442
    """RFC 9347."""
    SUPPORTED_AUTH_METHODS = 16443
    """RFC 9593."""


LAST_ERROR_TYPE = 16383
"""Highest Notify Message Type that reports an error (RFC 7296 section 3.10.1)."""

FIRST_ADDKE = TransformType.ADDKE1
"""First of the seven transform types of additional key exchanges."""
LAST_ADDKE = TransformType.ADDKE7
"""Last of the seven."""


def name_of(registry: type[IntEnum], number: int) -> str:
    """The name of a number for a log line, or the number itself where it has none here."""
    member = registry._value2member_map_.get(number)
    return str(number) if member is None else str(member.name)
