"""Proposal and transform substructures of the Security Association payload (RFC 7296 sections 3.3.1 to 3.3.5).

What they mean, and which one is chosen, is decided in ``proposals``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ipsecbench.errors import MalformedError

KEY_LENGTH = 14
"""Attribute Type of the key length in bits, the only transform attribute that is defined."""
MAX_PROPOSALS = 128
"""More proposals in one payload than this are not parsed: nobody offers as many."""
MAX_TRANSFORMS = 1024
"""More transforms in all proposals of one payload than this are not parsed."""
MAX_ATTRIBUTES = 32
"""More attributes of one transform than this are not parsed: one is defined."""

_PROPOSAL = struct.Struct(">BxHBBBB")
_TRANSFORM = struct.Struct(">BxHBxH")
_ATTRIBUTE = struct.Struct(">HH")
_FIXED_LENGTH = 0x8000
_MORE_PROPOSALS = 2
_MORE_TRANSFORMS = 3


@dataclass(frozen=True, slots=True)
class TransformAttribute:
    """Transform attribute (RFC 7296 section 3.3.5)::

    |A|       Attribute Type        |    AF=0  Attribute Length     |
    |F|                             |    AF=1  Attribute Value      |
    ~                   AF=0  Attribute Value                       ~
    """

    type: int
    """Attribute Type, 15 bits."""
    value: bytes
    """Attribute Value; of 2 octets where the attribute is of the fixed-length form."""
    fixed_length: bool = False
    """AF: the value stands where otherwise its length would."""


@dataclass(frozen=True, slots=True)
class Transform:
    """Transform substructure (RFC 7296 section 3.3.2)::

    | Last Substruc |   RESERVED    |        Transform Length       |
    |Transform Type |   RESERVED    |          Transform ID         |
    ~                      Transform Attributes                     ~
    """

    type: int
    """Transform Type."""
    id: int
    """Transform ID."""
    key_length: int | None = None
    """Key Length attribute, in bits."""
    other_attributes: tuple[TransformAttribute, ...] = ()
    """Attributes that are not known here. A transform that has any is never chosen (RFC 7296 section 3.3.6)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Proposal substructure (RFC 7296 section 3.3.1)::

    | Last Substruc |   RESERVED    |         Proposal Length       |
    | Proposal Num  |  Protocol ID  |    SPI Size   |Num Transforms |
    ~                        SPI (variable)                         ~
    ~                        <Transforms>                           ~
    """

    number: int
    """Proposal Num: from 1, each one more than the one before."""
    protocol: int
    """Protocol ID."""
    spi: bytes
    """SPI that the sender expects to receive; empty for the first IKE SA."""
    transforms: tuple[Transform, ...]
    """Transforms, those of one type being alternatives."""


def decode_proposals(body: bytes) -> tuple[Proposal, ...]:
    """The proposals of a Security Association payload.

    Raises:
        MalformedError: the octets do not parse, or there are more than anybody could mean.
    """
    proposals: list[Proposal] = []
    position, end, transform_count = 0, len(body), 0
    more = True
    while more:
        if position + _PROPOSAL.size > end:
            raise MalformedError(f"Proposal: {end - position} octets are too few")
        last, length, number, protocol, spi_bytes, count = _PROPOSAL.unpack_from(body, position)
        next_position = position + length
        transforms_start = position + _PROPOSAL.size + spi_bytes
        if transforms_start > next_position or next_position > end:
            raise MalformedError(f"Proposal {number}: length {length} with an SPI of {spi_bytes} octets")
        if last not in (0, _MORE_PROPOSALS):
            raise MalformedError(f"Proposal {number}: Last Substruc {last}")
        transform_count += count
        if len(proposals) >= MAX_PROPOSALS or transform_count > MAX_TRANSFORMS:
            raise MalformedError("Security Association: too many proposals or transforms")
        spi = body[position + _PROPOSAL.size : transforms_start]
        transforms = _decode_transforms(body, transforms_start, next_position, count)
        proposals.append(Proposal(number, protocol, spi, transforms))
        position, more = next_position, last == _MORE_PROPOSALS
    if position != end:
        raise MalformedError(f"Security Association: {end - position} octets after the last proposal")
    return tuple(proposals)


def _decode_transforms(body: bytes, position: int, end: int, count: int) -> tuple[Transform, ...]:
    transforms = []
    for index in range(count):
        if position + _TRANSFORM.size > end:
            raise MalformedError(f"Transform: {end - position} octets are too few")
        last, length, transform_type, transform_id = _TRANSFORM.unpack_from(body, position)
        next_position = position + length
        if length < _TRANSFORM.size or next_position > end:
            raise MalformedError(f"Transform: length {length}, {end - position} octets are there")
        if last != (0 if index == count - 1 else _MORE_TRANSFORMS):
            raise MalformedError(f"Transform {index + 1} of {count}: Last Substruc {last}")
        if length == _TRANSFORM.size:
            transforms.append(Transform(transform_type, transform_id))
        else:
            attributes = _decode_attributes(body, position + _TRANSFORM.size, next_position)
            transforms.append(_with_attributes(transform_type, transform_id, attributes))
        position = next_position
    if position != end:
        raise MalformedError(f"Proposal: {end - position} octets after the last transform")
    return tuple(transforms)


def _decode_attributes(body: bytes, position: int, end: int) -> list[TransformAttribute]:
    attributes: list[TransformAttribute] = []
    while position < end:
        if position + _ATTRIBUTE.size > end:
            raise MalformedError("Transform attribute: too short")
        if len(attributes) >= MAX_ATTRIBUTES:
            raise MalformedError(f"Transform: more than {MAX_ATTRIBUTES} attributes")
        word, value = _ATTRIBUTE.unpack_from(body, position)
        position += _ATTRIBUTE.size
        if word & _FIXED_LENGTH:
            attributes.append(TransformAttribute(word & 0x7FFF, value.to_bytes(2), True))
            continue
        if position + value > end:
            raise MalformedError(f"Transform attribute: length {value}, {end - position} octets are there")
        attributes.append(TransformAttribute(word, body[position : position + value]))
        position += value
    return attributes


def _with_attributes(transform_type: int, transform_id: int, attributes: list[TransformAttribute]) -> Transform:
    """One Key Length attribute of the proper form is the key length; any other attribute is kept as not known."""
    first = attributes[0]
    if first.type == KEY_LENGTH and first.fixed_length:
        return Transform(transform_type, transform_id, int.from_bytes(first.value), tuple(attributes[1:]))
    return Transform(transform_type, transform_id, None, tuple(attributes))


def encode_proposals(proposals: tuple[Proposal, ...]) -> bytes:
    """The body of a Security Association payload.

    Raises:
        MalformedError: there is no proposal, or a value does not fit its field.
    """
    if not proposals:
        raise MalformedError("Security Association: no proposal")
    parts = []
    count = len(proposals)
    for index, proposal in enumerate(proposals):
        transforms = _encode_transforms(proposal.transforms)
        last = 0 if index == count - 1 else _MORE_PROPOSALS
        length = _PROPOSAL.size + len(proposal.spi) + len(transforms)
        try:
            parts.append(
                _PROPOSAL.pack(
                    last, length, proposal.number, proposal.protocol, len(proposal.spi), len(proposal.transforms)
                )
            )
        except struct.error as error:
            raise MalformedError(f"Proposal {proposal.number}: a value does not fit its field") from error
        parts += (proposal.spi, transforms)
    return b"".join(parts)


def _encode_transforms(transforms: tuple[Transform, ...]) -> bytes:
    parts = []
    count = len(transforms)
    for index, transform in enumerate(transforms):
        attributes = b"".join(_encode_attribute(attribute) for attribute in transform.other_attributes)
        if transform.key_length is not None:
            attributes = _ATTRIBUTE.pack(_FIXED_LENGTH | KEY_LENGTH, transform.key_length) + attributes
        last = 0 if index == count - 1 else _MORE_TRANSFORMS
        parts.append(_TRANSFORM.pack(last, _TRANSFORM.size + len(attributes), transform.type, transform.id))
        parts.append(attributes)
    return b"".join(parts)


def _encode_attribute(attribute: TransformAttribute) -> bytes:
    if attribute.fixed_length:
        return _ATTRIBUTE.pack(_FIXED_LENGTH | attribute.type, int.from_bytes(attribute.value))
    return _ATTRIBUTE.pack(attribute.type, len(attribute.value)) + attribute.value
