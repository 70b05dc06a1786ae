"""What all payloads of IKEv2 are, and those that are one declared row of fields (RFC 7296 section 3.2)."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ipsecbench.wire.fields import Layout


class Payload:
    """What all payloads are."""

    __slots__ = ()

    TYPE: ClassVar[int]
    """Payload Type of the class."""

    @property
    def type(self) -> int:
        """Payload Type."""
        return self.TYPE

    @property
    def critical(self) -> bool:
        """The C bit: zero for every payload that RFC 7296 defines, as a sender must (section 2.5)."""
        return False

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The payload of a body.

        Raises:
            MalformedError: the octets do not make one.
        """
        raise NotImplementedError

    def encode(self) -> bytes:
        """The body."""
        raise NotImplementedError


class DeclaredPayload(Payload):
    """A payload whose body is one declared row of fields, named as the fields of its dataclass."""

    __slots__ = ()

    LAYOUT: ClassVar[Layout]
    """The body."""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The payload of a body.

        Raises:
            MalformedError: the octets do not make one.
        """
        return cls(**cls.LAYOUT.decode(body))

    def encode(self) -> bytes:
        """The body."""
        names: tuple[str, ...] = self.__slots__
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        return self.LAYOUT.encode(values)
