"""The SA payload with its proposals and transforms (RFC 2408 sections 3.4 to 3.6, RFC 2407 section 4.6.1).

::

    SA:        |                 Domain of Interpretation (DOI)                |
               |                           Situation                           |
    Proposal:  | Next Payload  |   RESERVED    |         Payload Length        |
               |  Proposal #   |  Protocol-Id  |    SPI Size   |# of Transforms|
               |                        SPI (variable)                         |
    Transform: | Next Payload  |   RESERVED    |         Payload Length        |
               |  Transform #  |  Transform-Id |           RESERVED2           |
               |                        SA Attributes                          |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ipsecbench.errors import MalformedError, ProtocolError
from ipsecbench.ike.v1.attributes import Attribute, decode_attributes, encode_attributes, single
from ipsecbench.ike.v1.identifiers import IPSEC_DOI, SIT_IDENTITY_ONLY, NotifyType, PayloadType
from ipsecbench.wire.cursor import Reader

MAX_PROPOSALS = 64
"""More proposals than this make an SA payload malformed."""
MAX_TRANSFORMS = 256
"""More transforms than this in one SA payload make it malformed; the most greedy of peers offer about 150."""
_GENERIC_BYTES = 4


@dataclass(frozen=True)
class Transform:
    """One transform; its attributes stay as they were received, because a responder returns them unchanged."""

    number: int
    """Transform #, of the sender's choice."""
    transform_id: int
    """Transform-Id."""
    attribute_octets: bytes
    """SA Attributes."""

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes.

        Raises:
            MalformedError: the octets do not parse; never for a transform that was decoded.
        """
        return decode_attributes(self.attribute_octets)

    def single(self, kind: int) -> int | None:
        """The value of an attribute that may stand once; None where it is missing or contradicts itself."""
        return single(self.attributes, kind)


def make_transform(number: int, transform_id: int, attributes: Sequence[Attribute]) -> Transform:
    """A transform of our own."""
    return Transform(number, transform_id, encode_attributes(attributes))


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal: a protocol with its SPI, and the transforms among which the responder chooses one."""

    number: int
    """Proposal #: proposals with the same number belong together (AND), with different ones they compete (OR)."""
    protocol: int
    """Protocol-Id."""
    spi: bytes
    """The sender's SPI, empty in phase 1 (or ignored)."""
    transforms: tuple[Transform, ...]
    """The transforms in the order of preference."""


@dataclass(frozen=True, slots=True)
class SaPayload:
    """The body of an SA payload."""

    proposals: tuple[Proposal, ...]
    """The proposals in the order of preference."""
    doi: int = IPSEC_DOI
    """Domain of Interpretation."""
    situation: int = SIT_IDENTITY_ONLY
    """Situation."""

    def encode(self) -> bytes:
        """The body, without the generic header."""
        parts = [self.doi.to_bytes(4), self.situation.to_bytes(4)]
        for index, proposal in enumerate(self.proposals):
            more = PayloadType.PROPOSAL if index + 1 < len(self.proposals) else PayloadType.NONE
            body = bytes([proposal.number, proposal.protocol, len(proposal.spi), len(proposal.transforms)])
            body += proposal.spi + b"".join(_encode_transforms(proposal.transforms))
            parts.append(_generic(more, body))
        return b"".join(parts)


def _generic(next_payload: int, body: bytes) -> bytes:
    return bytes([next_payload, 0]) + (_GENERIC_BYTES + len(body)).to_bytes(2) + body


def _encode_transforms(transforms: Sequence[Transform]) -> Iterator[bytes]:
    for index, transform in enumerate(transforms):
        more = PayloadType.TRANSFORM if index + 1 < len(transforms) else PayloadType.NONE
        yield _generic(more, bytes([transform.number, transform.transform_id, 0, 0]) + transform.attribute_octets)


def decode_sa(body: bytes) -> SaPayload:
    """The body of an SA payload.

    Raises:
        MalformedError: it does not parse, or has more parts than any honest peer sends.
        ProtocolError: the domain or the situation is not that of IPsec.
    """
    reader = Reader(body, "SA payload")
    doi = reader.u32()
    if doi != IPSEC_DOI:
        raise ProtocolError(f"SA payload: domain of interpretation {doi}", NotifyType.DOI_NOT_SUPPORTED)
    situation = reader.u32()
    if situation != SIT_IDENTITY_ONLY:
        raise ProtocolError(f"SA payload: situation {situation:#x}", NotifyType.SITUATION_NOT_SUPPORTED)
    proposals: list[Proposal] = []
    transforms = 0
    for inside in _chain(reader, PayloadType.PROPOSAL, MAX_PROPOSALS):
        proposal = _decode_proposal(inside)
        transforms += len(proposal.transforms)
        if transforms > MAX_TRANSFORMS:
            raise MalformedError(f"SA payload: more than {MAX_TRANSFORMS} transforms", NotifyType.PAYLOAD_MALFORMED)
        proposals.append(proposal)
    return SaPayload(tuple(proposals), doi, situation)


def _chain(reader: Reader, kind: int, most: int) -> Iterator[Reader]:
    """Substructures of one kind to the end of the reader, each with its generic header taken off."""
    more = kind
    count = 0
    while more == kind:
        count += 1
        if count > most:
            raise MalformedError(f"{reader.what}: more than {most} parts", NotifyType.PAYLOAD_MALFORMED)
        more = reader.u8()
        reader.u8()
        length = reader.u16()
        if length < _GENERIC_BYTES:
            raise MalformedError(f"{reader.what}: a part of {length} octets", NotifyType.PAYLOAD_MALFORMED)
        yield reader.sub(length - _GENERIC_BYTES, reader.what)
    if more != PayloadType.NONE:
        raise MalformedError(f"{reader.what}: a part of type {more}", NotifyType.PAYLOAD_MALFORMED)
    reader.finish()


def _decode_proposal(reader: Reader) -> Proposal:
    number, protocol = reader.u8(), reader.u8()
    spi_bytes, count = reader.u8(), reader.u8()
    spi = reader.octets(spi_bytes)
    transforms: list[Transform] = []
    if count:
        for inside in _chain(reader, PayloadType.TRANSFORM, count):
            transform_number, transform_id = inside.u8(), inside.u8()
            inside.u16()
            octets = inside.rest()
            decode_attributes(octets)
            transforms.append(Transform(transform_number, transform_id, octets))
    reader.finish()
    if len(transforms) != count or not count:
        raise MalformedError(
            f"proposal: {count} transforms announced, {len(transforms)} there", NotifyType.BAD_PROPOSAL_SYNTAX
        )
    return Proposal(number, protocol, spi, tuple(transforms))
