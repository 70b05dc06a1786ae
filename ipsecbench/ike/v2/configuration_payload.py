"""The Configuration payload (RFC 7296 section 3.15). It is parsed and left alone: no addresses are assigned here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ipsecbench.errors import MalformedError
from ipsecbench.ike.v2.identifiers import PayloadType
from ipsecbench.ike.v2.payload import Payload
from ipsecbench.wire.cursor import Reader

MAX_CONFIGURATION_ATTRIBUTES = 256
"""More attributes in one Configuration payload than this are not parsed: nobody has a use for as many."""


@dataclass(frozen=True, slots=True)
class ConfigurationAttribute:
    """Configuration attribute (RFC 7296 section 3.15.1)::

    |R|         Attribute Type      |            Length             |
    ~                             Value                             ~
    """

    type: int
    """Attribute Type, 15 bits."""
    value: bytes = b""
    """Value."""


@dataclass(frozen=True, slots=True)
class Configuration(Payload):
    """Configuration payload (RFC 7296 section 3.15)::

    |   CFG Type    |                    RESERVED                   |
    ~                   Configuration Attributes                    ~
    """

    TYPE: ClassVar[int] = PayloadType.CP

    cfg_type: int
    """CFG Type."""
    attributes: tuple[ConfigurationAttribute, ...] = ()
    """Configuration Attributes."""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The payload of a body.

        Raises:
            MalformedError: the octets do not make one.
        """
        reader = Reader(body, "Configuration")
        cfg_type = reader.u8()
        reader.octets(3)
        attributes: list[ConfigurationAttribute] = []
        while reader.remaining:
            if len(attributes) >= MAX_CONFIGURATION_ATTRIBUTES:
                raise MalformedError(f"Configuration: more than {MAX_CONFIGURATION_ATTRIBUTES} attributes")
            attribute_type = reader.u16() & 0x7FFF
            attributes.append(ConfigurationAttribute(attribute_type, reader.octets(reader.u16())))
        return cls(cfg_type, tuple(attributes))

    def encode(self) -> bytes:
        """The body."""
        parts = [self.cfg_type.to_bytes(1), bytes(3)]
        for attribute in self.attributes:
            parts += (attribute.type.to_bytes(2), len(attribute.value).to_bytes(2), attribute.value)
        return b"".join(parts)
