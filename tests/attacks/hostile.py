"""A peer that has the keys and misuses them: authentic messages with contents that no honest peer would send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.ike.header import HEADER_BYTES, IkeHeader, parse_header
from ipsecbench.ike.v1.authentication import message_hash
from ipsecbench.ike.v1.identifiers import Flag
from ipsecbench.ike.v1.identifiers import PayloadType as V1PayloadType
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa
from ipsecbench.ike.v1.iv_chain import IvChain
from ipsecbench.ike.v1.message import AnyPayload, decode_payloads, encode_payloads, frame, payload_type_of
from ipsecbench.ike.v1.message import Message as V1Message
from ipsecbench.ike.v1.payloads import OctetsPayload
from ipsecbench.ike.v1.security import Security
from ipsecbench.ike.v2.identifiers import Flags, PayloadType
from ipsecbench.ike.v2.ike_sa import IkeSa
from ipsecbench.ike.v2.message import Message, encode_chain, new_header, parse_message
from ipsecbench.ike.v2.payloads import Payload
from ipsecbench.ike.v2.protection import IkeProtection
from tests.attacks.world import End, World


class HostileV2:
    """The IKE SA of one end of a world, with which anything can be said to the other end.

    Args:
        world: where IKE_SA_INIT is over.
        end: the end that is hostile; its own IKE SA goes no further.
    """

    def __init__(self, world: World, end: End | None = None) -> None:
        self.world = world
        self.end = end or world.initiator
        self.target = world.responder if self.end is world.initiator else world.initiator
        sa = self.end.sa
        assert isinstance(sa, IkeSa)
        assert sa.channel.protection is not None
        self.sa = sa
        self.protection: IkeProtection = sa.channel.protection
        window = sa.channel.requests
        self.message_id = window.next_message_id
        """Of the next request."""

    def header(self, exchange_type: int, message_id: int, response: bool) -> IkeHeader:
        """A header as this end writes it."""
        return new_header(
            exchange_type,
            message_id,
            spi_i=self.sa.spi_i,
            spi_r=self.sa.spi_r,
            from_initiator=self.sa.is_initiator,
            response=response,
        )

    def message(
        self,
        exchange_type: int,
        payloads: Sequence[Payload] = (),
        *,
        message_id: int | None = None,
        response: bool = False,
        content: tuple[int, bytes] | None = None,
        fragment: tuple[int, int] | None = None,
        outside: bytes = b"",
        flags: int | None = None,
    ) -> bytes:
        """An authentic message.

        Args:
            exchange_type: Exchange Type.
            payloads: what is inside.
            message_id: Message ID; the next one by default.
            response: whether it claims to answer a request.
            content: type of the first payload and octets, in the place of payloads.
            fragment: Fragment Number and Total Fragments, of an Encrypted Fragment payload.
            outside: payloads before the Encrypted payload, the type of the first in front of them.
            flags: flags of the header.
        """
        first, octets = content if content is not None else encode_chain(payloads)[:2]
        header = self.header(exchange_type, self.message_id if message_id is None else message_id, response)
        if flags is not None:
            header = replace(header, flags=flags)
        kind, numbers = PayloadType.SK, b""
        if fragment is not None:
            kind, numbers = PayloadType.SKF, fragment[0].to_bytes(2) + fragment[1].to_bytes(2)
        if not outside:
            return self.protection.seal_content(header, kind, first, numbers, octets)
        return self._with_outside(header, kind, first, numbers, octets, outside)

    def _with_outside(
        self, header: IkeHeader, kind: int, first: int, numbers: bytes, content: bytes, outside: bytes
    ) -> bytes:
        direction = self.protection.outbound
        padding = -(len(content) + 1) % direction.block_bytes
        size = 4 + len(numbers) + direction.iv_bytes + len(content) + padding + 1 + direction.icv_bytes
        complete = replace(header, next_payload=outside[0], length=HEADER_BYTES + len(outside) - 1 + size)
        prefix = complete.encode() + outside[1:] + bytes((first, 0)) + size.to_bytes(2) + numbers
        return prefix + direction.seal(prefix, content + bytes(padding) + bytes((padding,)))

    def request(self, exchange_type: int, payloads: Sequence[Payload] = (), **options: Any) -> list[Message]:
        """Send an authentic request; the answers, opened."""
        answers = self.deliver(self.message(exchange_type, payloads, **options))
        if any(answer.is_response for answer in answers) and "message_id" not in options:
            self.message_id += 1
        return answers

    def deliver(self, data: bytes) -> list[Message]:
        """Let the other end have a datagram; what it sends, opened."""
        return [self.open(answer) for answer in self.world.feed(self.target, data)]

    def open(self, data: bytes) -> Message:
        """A message of the other end."""
        message = parse_message(data)
        return message if message.encrypted is None else self.protection.open(message)


class HostileV1:
    """The ISAKMP SA of one end of a world, with which anything can be said to the other end.

    Args:
        world: where phase 1 is over, or has at least given keys.
        end: the end that is hostile.
    """

    def __init__(self, world: World, end: End | None = None) -> None:
        self.world = world
        self.end = end or world.initiator
        self.target = world.responder if self.end is world.initiator else world.initiator
        sa = self.end.sa
        assert isinstance(sa, IsakmpSa)
        self.sa = sa
        self.security: Security = sa.established_security
        self._message_id = 0x5000_0000

    def fresh_message_id(self) -> int:
        """One that was not used."""
        self._message_id += 1
        return self._message_id

    def message(
        self,
        exchange_type: int,
        payloads: Sequence[AnyPayload],
        *,
        message_id: int | None = None,
        digest: bytes | None = None,
        octets: bytes | None = None,
        first: int = V1PayloadType.HASH,
    ) -> bytes:
        """An encrypted message with HASH(1).

        Args:
            exchange_type: Exchange Type.
            payloads: what stands behind HASH.
            message_id: M-ID; a fresh one by default.
            digest: what stands in HASH; the right value by default; empty for no HASH payload at all.
            octets: what stands behind HASH, in the place of payloads; the first octet is the type of the first payload.
            first: type of the first payload, for the header.
        """
        number = self.fresh_message_id() if message_id is None else message_id
        if octets is None:
            octets = bytes((payload_type_of(payloads[0]),)) + encode_payloads(payloads) if payloads else b"\0"
        following, rest = octets[0], octets[1:]
        security = self.security
        if digest is None:
            digest = message_hash(security.prf, security.family.skeyid_a, number, rest)
        body = bytes((following, 0)) + (4 + len(digest)).to_bytes(2) + digest + rest
        if digest == b"":
            first, body = following, rest
        body = security.phase.exchange(number).encrypt(body)
        return frame(self.sa.spi_i, self.sa.spi_r, first, exchange_type, Flag.ENCRYPTION, number, body)

    def send(self, exchange_type: int, payloads: Sequence[AnyPayload], **options: Any) -> list[bytes]:
        """Let the other end have a message; what it sends."""
        return self.world.feed(self.target, self.message(exchange_type, payloads, **options))

    def open(self, data: bytes, chain: IvChain | None = None) -> V1Message:
        """A message of the other end; of an exchange that it began, without a chain."""
        header = parse_header(data)
        chain = chain or self.security.phase.exchange(header.message_id)
        return decode_payloads(header, chain.decrypt(data[HEADER_BYTES:]), padded=True)

    def hash_payload(self, digest: bytes) -> OctetsPayload:
        """A HASH payload."""
        return OctetsPayload(V1PayloadType.HASH, digest)


Change = Callable[[bytes, int], tuple[bytes, int]]
"""From the octets inside and the type of the first payload to others."""


@contextmanager
def altered_contents(world: World, end: End, change: Change) -> Iterator[None]:
    """Everything that one end encrypts is changed before, so that it goes out changed and authentic.

    IKEv1 has no type of the first payload inside: there it is 0, and what comes back is not used.
    """
    seal_content, encrypt = IkeProtection.seal_content, IvChain.encrypt

    def seal(self: IkeProtection, header: IkeHeader, kind: int, first: int, numbers: bytes, content: bytes) -> bytes:
        if world.active is end:
            content, first = change(content, first)
        return seal_content(self, header, kind, first, numbers, content)

    def encrypt_v1(self: IvChain, payloads: bytes) -> bytes:
        if world.active is end:
            payloads, _ = change(payloads, 0)
        return encrypt(self, payloads)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IkeProtection, "seal_content", seal)
        patch.setattr(IvChain, "encrypt", encrypt_v1)
        yield


FROM_INITIATOR = Flags.INITIATOR
"""The flag of the original initiator."""
