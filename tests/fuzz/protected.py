"""Fuzz targets behind the ICV of IKEv2: what a peer that has the keys can put into an Encrypted payload."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from ipsecbench.algorithms.proposals import parse_ike
from ipsecbench.errors import RejectedError
from ipsecbench.ike.v2 import keymat
from ipsecbench.ike.v2.fragmentation import MAX_FRAGMENTS, Reassembly
from ipsecbench.ike.v2.identifiers import ExchangeType, PayloadType
from ipsecbench.ike.v2.message import encode_chain, new_header, parse_message
from ipsecbench.ike.v2.negotiation import select_ike
from ipsecbench.ike.v2.payloads import Delete, Notify
from ipsecbench.ike.v2.proposals import ike_offer
from ipsecbench.ike.v2.protection import IkeProtection
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret
from tests.fuzz import seeds
from tests.fuzz.budget import PARSER_ERRORS
from tests.fuzz.target import Target, check

PROPOSALS = ("aes128-sha256-x25519", "aes128gcm16-prfsha256-x25519", "aes128ctr-sha256-x25519", "3des-md5-modp1024")
"""With separate transforms, a combined mode, a counter mode, and a block of 8 octets."""

_HEADER = new_header(
    ExchangeType.INFORMATIONAL, 1, spi_i=b"initiate", spi_r=b"responds", from_initiator=True, response=False
)


@functools.cache
def ends(proposal: str) -> tuple[IkeProtection, IkeProtection]:
    """The protection of an IKE SA as its initiator and as its responder sees it."""
    cryptography = ProviderSelection()
    own = (parse_ike(proposal),)
    suite = select_ike(own, ike_offer(own)).suite
    keys = keymat.ike_keys(cryptography, suite, Secret(b"k" * 32), b"n" * 32, b"m" * 32, b"initiate", b"responds")
    made = [
        IkeProtection(cryptography, suite, keys, is_initiator=first, random=lambda count: b"\x5a" * count)
        for first in (True, False)
    ]
    return made[0], made[1]


def sealed(data: bytes) -> None:
    """An authentic message: the first octets say which transforms, and the type of the first payload inside."""
    if len(data) < 2:
        return
    peer, own = ends(PROPOSALS[data[0] % len(PROPOSALS)])
    octets = peer.seal_content(_HEADER, PayloadType.SK, data[1], b"", data[2:])
    try:
        message = own.open(parse_message(octets))
    except RejectedError as error:
        raise AssertionError("an authentic message was taken for a forged one") from error
    except PARSER_ERRORS:
        return
    check(message.protected, "the message is not marked as protected")
    check(message.content == data[2:], "the content is not what was sealed")


def forged(data: bytes) -> None:
    """Octets in the place of what is sealed: none of them opens."""
    if not data:
        return
    _, own = ends(PROPOSALS[data[0] % len(PROPOSALS)])
    message = parse_message(ends(PROPOSALS[0])[0].seal_content(_HEADER, PayloadType.SK, 0, b"", b""))
    body = data[1:]
    octets = bytearray(message.octets[:32] + body)
    octets[24:28], octets[30:32] = len(octets).to_bytes(4), (4 + len(body)).to_bytes(2)
    try:
        own.open(parse_message(bytes(octets)))
    except RejectedError:
        return
    raise AssertionError("a forged message was opened")


def fragments(data: bytes) -> None:
    """A row of authentic fragments, each out of six octets of numbers and some of content."""
    peer, own = ends(PROPOSALS[1])
    reassembly = Reassembly()
    position = 0
    while position + 6 <= len(data):
        numbers, first, size = data[position : position + 4], data[position + 4], data[position + 5]
        content = data[position + 6 : position + 6 + size]
        position += 6 + size
        octets = peer.seal_content(_HEADER, PayloadType.SKF, first, numbers, content)
        try:
            message = reassembly.add(parse_message(octets), own)
        except RejectedError as error:
            raise AssertionError("an authentic fragment was taken for a forged one") from error
        except PARSER_ERRORS:
            continue
        check(reassembly.pending <= MAX_FRAGMENTS, "too many fragments are kept")
        if message is not None:
            check(message.protected and reassembly.pending == 0, "a whole message is still being collected")


def _contents() -> Iterator[bytes]:
    for number in range(len(PROPOSALS)):
        first, content, _ = encode_chain((Delete(3, 4, (b"spi1", b"spi2")), Notify(16384)))
        yield bytes((number, first)) + content
        yield bytes((number, 0))
    for message in seeds.ike_messages():
        if len(message) > 28:
            yield bytes((1, message[16])) + message[28:]


def _forgeries() -> Iterator[bytes]:
    for number, proposal in enumerate(PROPOSALS):
        octets = ends(proposal)[0].seal_content(_HEADER, PayloadType.SK, 0, b"", b"content")
        yield bytes((number,)) + octets[32:-1] + bytes((octets[-1] ^ 1,))
        yield bytes((number,)) + octets[32:34]


def _fragments() -> Iterator[bytes]:
    def one(number: int, total: int, first: int, content: bytes) -> bytes:
        return number.to_bytes(2) + total.to_bytes(2) + bytes((first, len(content))) + content

    first, content, _ = encode_chain((Delete(3, 4, (b"spi1", b"spi2")), Notify(16384)))
    half = len(content) // 2
    yield one(1, 2, first, content[:half]) + one(2, 2, 0, content[half:])
    yield one(2, 2, 0, content[half:]) + one(1, 2, first, content[:half])
    yield one(1, 1, first, content) + one(1, 1, first, content)
    yield one(0, 0, 0, b"") + one(3, 2, 0, b"x") + one(1, 65535, 0, b"") + one(1, 2, 0, b"") + one(1, 3, 0, b"")


PROTECTED: tuple[Target, ...] = (
    Target("v2-sealed", sealed, _contents),
    Target("v2-forged", forged, _forgeries),
    Target("v2-fragments", fragments, _fragments),
)
"""Everything behind the ICV."""
