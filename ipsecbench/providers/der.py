"""The few DER encodings that are needed to hand a MODP key to a library (X.690, PKCS #3, RFC 3279, 5208, 5280)."""

from __future__ import annotations

from ipsecbench.providers.modp_groups import ModpGroup

_INTEGER, _BIT_STRING, _OCTET_STRING, _OBJECT_IDENTIFIER, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_DH_KEY_AGREEMENT = bytes.fromhex("2a864886f70d010301")
"""1.2.840.113549.1.3.1, dhKeyAgreement of PKCS #3."""
_DH_PUBLIC_NUMBER = bytes.fromhex("2a8648ce3e0201")
"""1.2.840.10046.2.1, dhpublicnumber of X9.42 (RFC 3279 section 2.3.3)."""


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _integer(value: int) -> bytes:
    # One bit more than the value has, so that it is never read as negative.
    return _element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _algorithm(group: ModpGroup) -> bytes:
    identifier, numbers = _DH_KEY_AGREEMENT, _integer(group.prime) + _integer(group.generator)
    if group.order is not None:
        # PKCS #3 has no room for q, without which some versions of libcrypto refuse the values of such a group.
        identifier, numbers = _DH_PUBLIC_NUMBER, numbers + _integer(group.order)
    return _element(_SEQUENCE, _element(_OBJECT_IDENTIFIER, identifier) + _element(_SEQUENCE, numbers))


def modp_public_key(group: ModpGroup, public: int) -> bytes:
    """SubjectPublicKeyInfo of a MODP public value."""
    return _element(_SEQUENCE, _algorithm(group) + _element(_BIT_STRING, b"\0" + _integer(public)))


def modp_private_key(group: ModpGroup, exponent: int) -> bytes:
    """PrivateKeyInfo of a MODP private exponent."""
    return _element(_SEQUENCE, _integer(0) + _algorithm(group) + _element(_OCTET_STRING, _integer(exponent)))
