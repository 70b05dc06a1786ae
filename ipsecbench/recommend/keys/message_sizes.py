"""How long IKEv2's large messages are, and into how many fragments the link cuts them.

RFC 7296 sections 3.1 (header), 3.4 (Key Exchange payload) and 3.14 (Encrypted payload); RFC 9242 for IKE_INTERMEDIATE,
RFC 9370 for what it carries; RFC 7383 section 2.5 for fragments. IKE_SA_INIT cannot be fragmented by IKE, because no
keys protect it yet: a key exchange that does not fit there would be fragmented by IP, which many paths drop.
"""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.esp.overhead import IP_HEADER_BYTES, UDP_HEADER_BYTES
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.setup_load import Message
from ipsecbench.recommend.requirements.records import Requirements

IKE_HEADER_BYTES = 28
_PAYLOAD_HEADER_BYTES = 4
_KEY_EXCHANGE_HEADER_BYTES = 8
"""Generic payload header, method and reserved octets (RFC 7296 section 3.4)."""
_FRAGMENT_HEADER_BYTES = 8
"""Generic payload header, fragment number and total (RFC 7383 section 2.5)."""
NON_ESP_MARKER_BYTES = 4
"""Before IKE messages on port 4500 (RFC 3948 section 2.2)."""
INIT_WITHOUT_KEY_BYTES = 300
"""IKE_SA_INIT beside its key exchange data, rounded up: header, one proposal, a nonce of 32 octets, notifications of
NAT detection, fragmentation, hash algorithms and intermediate exchanges, a request for certificates. strongSwan 6 takes
up to 285 with one proposal."""
INIT_WITHOUT_KEY_LEAST_BYTES = 185
"""The same rounded down: strongSwan takes 188 and more."""


def protected_bytes(content_bytes: int, parameters: IkeParameters, header_bytes: int = _PAYLOAD_HEADER_BYTES) -> int:
    """Octets of a message whose payloads are in an Encrypted payload, or in one fragment of it."""
    encryption = ENCRYPTION[parameters.encryption]
    align = encryption.pad_align_bytes if encryption.mode == "cbc" else 1
    inside = -(-(content_bytes + 1) // align) * align
    icv = encryption.icv_bytes if parameters.integrity is None else INTEGRITY[parameters.integrity].icv_bytes
    return IKE_HEADER_BYTES + header_bytes + encryption.iv_bytes + inside + icv


def fragments(content_bytes: int, parameters: IkeParameters, largest_bytes: int) -> int:
    """Fragments of a protected message at a largest size of a message; 1 if it fits whole."""
    if protected_bytes(content_bytes, parameters) <= largest_bytes:
        return 1
    room = largest_bytes - protected_bytes(0, parameters, _FRAGMENT_HEADER_BYTES)
    if ENCRYPTION[parameters.encryption].mode == "cbc":
        # A whole number of blocks, one octet of which is the padding's length.
        block = ENCRYPTION[parameters.encryption].pad_align_bytes
        room = (room + block) // block * block - 1
    return -(-content_bytes // max(1, room))


def largest_message_bytes(wanted: Requirements) -> int:
    """Largest IKE message that the link carries in one packet; with NAT traversal the non-ESP marker is in it too.

    Between IKE_SA_INIT and the end both ends are on port 4500 if they suspect a NAT, so that the marker is taken off
    always: four octets are not worth a case of their own.
    """
    return wanted.link_mtu_bytes - IP_HEADER_BYTES[wanted.outer] - UDP_HEADER_BYTES - NON_ESP_MARKER_BYTES


def additional_messages(method: str, parameters: IkeParameters, wanted: Requirements) -> tuple[Message, ...]:
    """Request and response of the exchange that carries an additional key exchange."""
    room = largest_message_bytes(wanted)
    known = KEY_EXCHANGE[method]
    found = []
    for direction, octets in (("request", known.initiator_bytes), ("response", known.responder_bytes)):
        content = _KEY_EXCHANGE_HEADER_BYTES + octets
        size = protected_bytes(content, parameters)
        found.append(
            Message(f"IKE_INTERMEDIATE ({method}), {direction}", size, fragments(content, parameters, room), False)
        )
    return tuple(found)


def init_messages(parameters: IkeParameters, wanted: Requirements) -> tuple[Message, ...]:
    """Request and response of IKE_SA_INIT, which IKE cannot fragment; their sizes are bounds from above."""
    room = largest_message_bytes(wanted) + NON_ESP_MARKER_BYTES
    known = KEY_EXCHANGE[parameters.key_exchange]
    found = []
    for direction, octets in (("request", known.initiator_bytes), ("response", known.responder_bytes)):
        size = INIT_WITHOUT_KEY_BYTES + octets
        too_long = INIT_WITHOUT_KEY_LEAST_BYTES + octets > room
        found.append(Message(f"IKE_SA_INIT ({parameters.key_exchange}), {direction}", size, 1, too_long))
    return tuple(found)
