"""Identities of peers: the types of ID payloads, the same numbers in both versions.

RFC 7296 section 3.5, RFC 2407 section 4.6.2.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from ipsecbench.errors import UsageError


class IdType(IntEnum):
    """Identification Type."""

    ID_IPV4_ADDR = 1
    ID_FQDN = 2
    ID_RFC822_ADDR = 3
    ID_IPV4_ADDR_SUBNET = 4
    ID_IPV6_ADDR = 5
    ID_IPV6_ADDR_SUBNET = 6
    ID_IPV4_ADDR_RANGE = 7
    ID_IPV6_ADDR_RANGE = 8
    ID_DER_ASN1_DN = 9
    ID_DER_ASN1_GN = 10
    ID_KEY_ID = 11


_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity, as a peer sends it or as a configuration names it. The octets are compared, not the text."""

    id_type: int
    """Identification Type; unknown numbers are kept."""
    data: bytes
    """Identification Data."""

    @property
    def text(self) -> str:
        """For people and logs: printable, bounded, whatever the octets are."""
        if self.id_type in (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR) and len(self.data) in (4, 16):
            return str(ipaddress.ip_address(self.data))
        if self.id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR):
            shown = self.data[:_MAX_SHOWN].decode("ascii", "backslashreplace")
            return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in shown)
        return f"{self.id_type}:{self.data[:_MAX_SHOWN].hex()}"

    def __str__(self) -> str:
        return self.text


def address_identity(host: str) -> Identity:
    """The identity that is an IP address.

    Raises:
        UsageError: the text is no IP address.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise UsageError(f"{host!r} is no IP address") from error
    return Identity(IdType.ID_IPV4_ADDR if address.version == 4 else IdType.ID_IPV6_ADDR, address.packed)


def parse_identity(text: str, distinguished_name: Callable[[str], bytes]) -> Identity:
    """The identity that a configuration names, by strongSwan's rules.

    An IP address is one; what has a ``=`` is a distinguished name; ``@#hex`` is a key ID; ``@name`` a domain name;
    ``user@name`` a mail address; anything else a domain name.

    Args:
        text: as in a configuration.
        distinguished_name: from text to the DER of a Name.

    Raises:
        UsageError: the text is empty, not ASCII, or no valid key ID or distinguished name.
    """
    try:
        return address_identity(text)
    except UsageError:
        pass
    if not text or not text.isascii():
        raise UsageError(f"identity {text!r}: it is empty or not ASCII")
    if text.startswith("@#"):
        try:
            return Identity(IdType.ID_KEY_ID, bytes.fromhex(text[2:]))
        except ValueError as error:
            raise UsageError(f"identity {text!r}: a key ID is written as @# and hexadecimal digits") from error
    if "=" in text:
        return Identity(IdType.ID_DER_ASN1_DN, distinguished_name(text))
    if text.startswith("@"):
        return Identity(IdType.ID_FQDN, text[1:].encode())
    return Identity(IdType.ID_RFC822_ADDR if "@" in text else IdType.ID_FQDN, text.encode())
