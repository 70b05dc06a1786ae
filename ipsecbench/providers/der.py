"""The little DER that is needed here: MODP keys for a library (X.690, PKCS #3, RFC 3279, 5208, 5280), and reading."""

from __future__ import annotations

from typing import NamedTuple

from ipsecbench.providers.modp_groups import ModpGroup

_INTEGER, _BIT_STRING, _OCTET_STRING, _OBJECT_IDENTIFIER, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_DH_KEY_AGREEMENT = bytes.fromhex("2a864886f70d010301")
"""1.2.840.113549.1.3.1, dhKeyAgreement of PKCS #3."""
_DH_PUBLIC_NUMBER = bytes.fromhex("2a8648ce3e0201")
"""1.2.840.10046.2.1, dhpublicnumber of X9.42 (RFC 3279 section 2.3.3)."""


class Element(NamedTuple):
    """One tag, length and value."""

    tag: int
    """The tag, one octet."""
    content: bytes
    """The value."""
    der: bytes
    """The whole element as it came."""


def encode(tag: int, content: bytes) -> bytes:
    """An element in DER."""
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _integer(value: int) -> bytes:
    # One bit more than the value has, so that it is never read as negative.
    return encode(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _algorithm(group: ModpGroup) -> bytes:
    identifier, numbers = _DH_KEY_AGREEMENT, _integer(group.prime) + _integer(group.generator)
    if group.order is not None:
        # PKCS #3 has no room for q, without which some versions of libcrypto refuse the values of such a group.
        identifier, numbers = _DH_PUBLIC_NUMBER, numbers + _integer(group.order)
    return encode(_SEQUENCE, encode(_OBJECT_IDENTIFIER, identifier) + encode(_SEQUENCE, numbers))


def modp_public_key(group: ModpGroup, public: int) -> bytes:
    """SubjectPublicKeyInfo of a MODP public value."""
    return encode(_SEQUENCE, _algorithm(group) + encode(_BIT_STRING, b"\0" + _integer(public)))


def modp_private_key(group: ModpGroup, exponent: int) -> bytes:
    """PrivateKeyInfo of a MODP private exponent."""
    return encode(_SEQUENCE, _integer(0) + _algorithm(group) + encode(_OCTET_STRING, _integer(exponent)))


class DerError(ValueError):
    """Octets that are no DER; never leaves this package."""


def elements(octets: bytes) -> list[Element]:
    """The elements that octets are made of, one after the other, with nothing left over.

    Only what certificates and names have: tags of one octet, and definite lengths in the fewest octets (X.690 section
    10.1).

    Raises:
        DerError: the octets are no such thing.
    """
    found = []
    offset, end = 0, len(octets)
    while offset < end:
        if end - offset < 2:
            raise DerError("an element is cut short")
        tag, length = octets[offset], octets[offset + 1]
        start = offset + 2
        if tag & 0x1F == 0x1F:
            raise DerError("a tag has more than one octet")
        if length >= 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or start + count > end:
                raise DerError("a length is indefinite, too long or cut short")
            length = int.from_bytes(octets[start : start + count])
            if length < 0x80 or length >> (8 * (count - 1)) == 0:
                raise DerError("a length has more octets than it needs")
            start += count
        if length > end - start:
            raise DerError("an element is cut short")
        found.append(Element(tag, octets[start : start + length], octets[offset : start + length]))
        offset = start + length
    return found


def element(octets: bytes, tag: int) -> Element:
    """The one element that octets are made of.

    Raises:
        DerError: there is none, more than one, or one with another tag.
    """
    found = elements(octets)
    if len(found) != 1 or found[0].tag != tag:
        raise DerError(f"not one element with tag {tag:#04x}")
    return found[0]
