"""Data attributes of transforms (RFC 2408 section 3.3).

::

    |A|       Attribute Type        |    AF=0  Attribute Length     |
    |F|                             |    AF=1  Attribute Value      |
    |                   AF=0  Attribute Value                       |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipsecbench.errors import MalformedError
from ipsecbench.wire.cursor import Reader

MAX_ATTRIBUTES = 32
"""More attributes than this make a transform malformed: fewer than 20 are defined."""
_BASIC = 0x8000


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute with a number as its value; whether it is short (TV) or long (TLV) does not change its meaning."""

    kind: int
    """Attribute Type."""
    value: int
    """The number."""

    def encode(self) -> bytes:
        """Its octets: TV where the value fits 2 octets, else TLV with 4 octets, or as many as are needed."""
        if 0 <= self.value <= 0xFFFF:
            return (_BASIC | self.kind).to_bytes(2) + self.value.to_bytes(2)
        width = 4 if self.value <= 0xFFFFFFFF else 8
        return self.kind.to_bytes(2) + width.to_bytes(2) + self.value.to_bytes(width)


def encode_attributes(attributes: Iterable[Attribute]) -> bytes:
    """Octets of the attributes in their order."""
    return b"".join(attribute.encode() for attribute in attributes)


def decode_attributes(data: bytes) -> tuple[Attribute, ...]:
    """Every attribute in its order, to the end of the octets.

    Raises:
        MalformedError: an attribute does not fit, or there are too many.
    """
    reader = Reader(data, "data attribute")
    found: list[Attribute] = []
    while reader.remaining:
        if len(found) == MAX_ATTRIBUTES:
            raise MalformedError(f"more than {MAX_ATTRIBUTES} data attributes in one transform")
        kind = reader.u16()
        if kind & _BASIC:
            found.append(Attribute(kind & ~_BASIC, reader.u16()))
            continue
        # A long value, such as the prime of a new group, is a number too; no selection will take it.
        found.append(Attribute(kind, int.from_bytes(reader.octets(reader.u16()))))
    return tuple(found)


def single(attributes: Sequence[Attribute], kind: int) -> int | None:
    """The value of an attribute that may stand once; None where it is missing or stands twice with two values."""
    values = {attribute.value for attribute in attributes if attribute.kind == kind}
    return values.pop() if len(values) == 1 else None
