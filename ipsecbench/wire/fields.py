"""Field declarations, and the one codec that reads and writes them.

A structure is declared once, as the RFC draws it::

    LAYOUT = Layout("Key Exchange", U16("method"), Reserved(2), Rest("data"))

and both directions follow. Reserved fields are zero when written and ignored when read (RFC 7296 section 2.5).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipsecbench.errors import MalformedError
from ipsecbench.wire.cursor import Reader


@dataclass(frozen=True, slots=True)
class Number:
    """A big-endian number of a fixed width."""

    name: str
    """Name of the value."""
    width: int
    """Octets."""


def U8(name: str) -> Number:  # noqa: N802  reads as the type of a field
    """A number of one octet."""
    return Number(name, 1)


def U16(name: str) -> Number:  # noqa: N802
    """A number of 2 octets."""
    return Number(name, 2)


def U32(name: str) -> Number:  # noqa: N802
    """A number of 4 octets."""
    return Number(name, 4)


def U64(name: str) -> Number:  # noqa: N802
    """A number of 8 octets."""
    return Number(name, 8)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Octets without a meaning yet."""

    width: int
    """Octets."""


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets of a fixed count."""

    name: str
    """Name of the value."""
    width: int
    """Octets."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Octets whose count stands in a field of their own, earlier in the structure; the count is no value of its own.

    The field of the count is declared as :class:`Length` with the same ``name``.
    """

    name: str
    """Name of the value."""


@dataclass(frozen=True, slots=True)
class Length:
    """The count of the :class:`Counted` octets of the same name."""

    name: str
    """Name of the octets that are counted."""
    width: int
    """Octets of the count itself."""


@dataclass(frozen=True, slots=True)
class Rest:
    """All octets to the end of the structure."""

    name: str
    """Name of the value."""


_NUMBERS = {1: "B", 2: "H", 4: "I", 8: "Q"}

Field = Number | Reserved | Octets | Counted | Length | Rest


def _format(field: Field) -> str | None:
    """The field as :mod:`struct` writes it; None where it cannot."""
    if isinstance(field, Number | Length):
        return _NUMBERS.get(field.width)
    if isinstance(field, Reserved):
        return f"{field.width}x"
    return f"{field.width}s" if isinstance(field, Octets) else None


class Layout:
    """The fields of one structure in their order.

    Args:
        what: name of the structure, for error messages.
        fields: the fields; at most one :class:`Rest`, as the last.
    """

    __slots__ = ("_head", "_names", "_tail", "fields", "what")

    def __init__(self, what: str, *fields: Field) -> None:
        self.what = what
        self.fields = fields
        # Structures are read in one go where they are fields of a fixed width and then the counted octets and the rest,
        # as nearly all are; field by field where they are not, and to find out what is wrong.
        formats = [_format(field) for field in fields]
        count = formats.index(None) if None in formats else len(formats)
        head, tail = fields[:count], fields[count:]
        self._tail = tuple(field.name for field in tail if isinstance(field, Counted | Rest))
        whole = len(self._tail) == len(tail)
        self._head = struct.Struct(">" + "".join(filter(None, formats[:count]))) if whole else None
        self._names = tuple(field.name for field in head if isinstance(field, Number | Octets | Length))

    def decode(self, data: bytes) -> dict[str, Any]:
        """The values of a structure that fills the octets exactly.

        Raises:
            MalformedError: the octets are too few or too many.
        """
        head = self._head
        if head is not None and len(data) >= head.size:
            values: dict[str, Any] = dict(zip(self._names, head.unpack_from(data), strict=True))
            position = head.size
            for name in self._tail:
                # A count stands in the head under the name of its octets, and gives way to them.
                end = position + values[name] if name in values else max(position, len(data))
                values[name] = data[position:end]
                position = end
            if position == len(data):
                return values
        reader = Reader(data, self.what)
        values = self.read(reader)
        reader.finish()
        return values

    def read(self, reader: Reader) -> dict[str, Any]:
        """The values of a structure at the reader's position; what follows it stays unread.

        Raises:
            MalformedError: the octets are too few.
        """
        values: dict[str, Any] = {}
        lengths: dict[str, int] = {}
        for field in self.fields:
            if isinstance(field, Number):
                values[field.name] = int.from_bytes(reader.octets(field.width))
            elif isinstance(field, Rest):
                values[field.name] = reader.rest()
            elif isinstance(field, Octets):
                values[field.name] = reader.octets(field.width)
            elif isinstance(field, Reserved):
                reader.octets(field.width)
            elif isinstance(field, Length):
                lengths[field.name] = int.from_bytes(reader.octets(field.width))
            else:
                values[field.name] = reader.octets(lengths[field.name])
        return values

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """The octets of a structure.

        Raises:
            MalformedError: a value does not fit its field.
        """
        parts = []
        for field in self.fields:
            if isinstance(field, Number):
                parts.append(self._number(field.name, values[field.name], field.width))
            elif isinstance(field, Reserved):
                parts.append(bytes(field.width))
            elif isinstance(field, Length):
                parts.append(self._number(f"length of {field.name}", len(values[field.name]), field.width))
            else:
                octets: bytes = values[field.name]
                if isinstance(field, Octets) and len(octets) != field.width:
                    raise MalformedError(f"{self.what}: {field.name} has {len(octets)} octets, not {field.width}")
                parts.append(octets)
        return b"".join(parts)

    def _number(self, name: str, value: int, width: int) -> bytes:
        try:
            return value.to_bytes(width)
        except OverflowError as error:
            raise MalformedError(f"{self.what}: {name} {value} does not fit {width} octets") from error
