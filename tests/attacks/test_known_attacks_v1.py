"""Bad input that has broken IKE daemons before: the header, IKEv1, and pieces of messages.

Each test is named by its row in docs/ike-robustness.md and by the CVE. The packets are made here from the description
of what went wrong elsewhere.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from ipsecbench.ike.events import ChildSaEstablished, IkeSaEstablished
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v1.attributes import Attribute, encode_attributes
from ipsecbench.ike.v1.identifiers import ExchangeType, NotifyType, PayloadType, Phase1Attribute, Protocol
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa
from ipsecbench.ike.v1.message import AnyPayload, encode_message, encode_payloads
from ipsecbench.ike.v1.payloads import DeletePayload, FragmentPayload, IdPayload, NotificationPayload, OctetsPayload
from ipsecbench.ike.v1.proposals import Proposal, SaPayload, Transform, decode_sa, make_transform
from ipsecbench.ike.v2.identifiers import Flags
from tests.attacks.aftermath import still_serves
from tests.attacks.hostile import HostileV1, altered_contents
from tests.attacks.world import RESPONDER, TO_INITIATOR, TO_RESPONDER, End, World

COOKIE_I, COOKIE_R = b"attacker", b"nobodys!"
MODES = (ExchangeType.IDENTITY_PROTECTION, ExchangeType.AGGRESSIVE)


def first_message(world: World) -> bytes:
    """The honest first message of an initiator, which is not delivered."""
    world.initiate()
    return world.initiator.sent.popleft().data


def chain_of(message: bytes) -> list[tuple[int, bytes]]:
    """Type and body of each payload of a message in the clear."""
    found = []
    kind, position = message[16], HEADER_BYTES
    while kind:
        length = int.from_bytes(message[position + 2 : position + 4])
        found.append((kind, message[position + 4 : position + length]))
        kind, position = message[position], position + length
    return found


def rebuilt(message: bytes, chain: Sequence[tuple[int, bytes]], *, rest: bytes = b"") -> bytes:
    """The message with other payloads."""
    parts = []
    for index, (_, body) in enumerate(chain):
        following = chain[index + 1][0] if index + 1 < len(chain) else 0
        parts.append(struct.pack(">BBH", following, 0, 4 + len(body)) + body)
    octets = b"".join(parts) + rest
    head = message[:16] + bytes((chain[0][0] if chain else 0,)) + message[17:24]
    return head + (HEADER_BYTES + len(octets)).to_bytes(4) + octets


def dropped(world: World, data: bytes, end: End | None = None, path: Path | None = None) -> None:
    """A datagram has no answer and leaves no IKE SA."""
    target = end or world.responder
    before = target.count
    assert world.feed(target, data, path) == []
    assert target.count == before


def phase1_sa(attributes: Sequence[Attribute], transform_id: int = 1) -> SaPayload:
    """An offer of one phase 1 transform."""
    return SaPayload((Proposal(1, Protocol.PROTO_ISAKMP, b"", (make_transform(1, transform_id, attributes),)),))


def attributes(**changes: int) -> list[Attribute]:
    """A phase 1 transform that the responder would accept, with changes."""
    values = {
        "ENCRYPTION_ALGORITHM": 7,
        "KEY_LENGTH": 128,
        "HASH_ALGORITHM": 4,
        "GROUP_DESCRIPTION": 19,
        "AUTHENTICATION_METHOD": 1,
        "LIFE_TYPE": 1,
        "LIFE_DURATION": 3600,
    } | changes
    return [Attribute(Phase1Attribute[name], value) for name, value in values.items()]


def initial(exchange_type: int, payloads: Sequence[AnyPayload], cookie: bytes = COOKIE_I) -> bytes:
    """A first message."""
    return encode_message(cookie, bytes(8), exchange_type, 0, payloads)


def aggressive_first(sa: SaPayload, public: bytes = bytes(64), nonce: bytes = b"n" * 16) -> bytes:
    """A first message of aggressive mode."""
    ke, ni = OctetsPayload(PayloadType.KE, public), OctetsPayload(PayloadType.NONCE, nonce)
    return initial(ExchangeType.AGGRESSIVE, [sa, ke, ni, IdPayload(11, b"somebody")])


# Rows 1 to 15.


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("port", [500, 4500])
def test_row_01_cve_2013_4564_short_and_lying_headers(version: int, port: int) -> None:
    world = World(version)
    honest = first_message(world)
    path = Path(Address(RESPONDER.host, port), Address("198.51.100.9", port))
    marker = bytes(4) if port == 4500 else b""
    for length in range(HEADER_BYTES):
        dropped(world, marker + honest[:length], path=path)
        dropped(world, marker + bytes(length), path=path)
    for length in (0, 1, 27, 28, len(honest) - 1, len(honest) + 1, 0x7FFFFFFF, 0xFFFFFFFF):
        dropped(world, marker + honest[:24] + length.to_bytes(4) + honest[28:], path=path)
    dropped(world, marker + honest + b"\0", path=path)
    for major in (0, *range(3, 16)):
        other = marker + honest[:17] + bytes((major << 4,)) + honest[18:]
        answers = world.feed(world.responder, other, path)
        # RFC 7296 section 2.5: a later version is told which one is spoken here, once, and not longer than it asked.
        assert len(answers) == (1 if major else 0)
        assert all(len(answer) <= len(other) for answer in answers)
        assert world.responder.count == 0
        reply = other[: 19 + len(marker)] + bytes((Flags.RESPONSE,)) + other[20 + len(marker) :]
        dropped(world, reply, path=path)
    still_serves(world)


@pytest.mark.parametrize("notify", [NotifyType.R_U_THERE, NotifyType.R_U_THERE_ACK])
def test_row_02_cve_2009_0790_liveness_without_an_sa(notify: int) -> None:
    world = World(1)
    payload = NotificationPayload(Protocol.PROTO_ISAKMP, COOKIE_I + COOKIE_R, notify, b"\0\0\xa6\x62")
    for cookies in ((COOKIE_I, COOKIE_R), (COOKIE_I, bytes(8)), (bytes(8), COOKIE_R), (bytes(8), bytes(8))):
        dropped(world, encode_message(*cookies, ExchangeType.INFORMATIONAL, 0, [payload]))
        dropped(world, encode_message(*cookies, ExchangeType.INFORMATIONAL, 77, [payload]))
    still_serves(world)


def test_row_03_cve_2020_1763_encrypted_informational_without_an_sa() -> None:
    world = World(1)
    first_message(world)
    world.responder.sent.clear()
    for cookies in ((COOKIE_I, COOKIE_R), (COOKIE_I, bytes(8)), (bytes(8), COOKIE_R)):
        for flags in (1, 3, 5, 7, 0xFF):
            for first in (PayloadType.HASH, PayloadType.SA, 0, 9, 255):
                head = IkeHeader(*cookies, first, 1, 0, ExchangeType.INFORMATIONAL, flags, 0, 28 + 64)
                dropped(world, head.encode() + b"\xa5" * 64)
    still_serves(world)


def test_row_03_cve_2020_1763_encrypted_informational_in_a_half_open_sa() -> None:
    world = World(1)
    first = first_message(world)
    world.feed(world.responder, first)
    sa = world.responder.sa
    for message_id in (0, 1, 0xFFFFFFFF):
        head = IkeHeader(sa.spi_i, sa.spi_r, 8, 1, 0, ExchangeType.INFORMATIONAL, 1, message_id, 28 + 64)
        assert world.feed(world.responder, head.encode() + b"\xa5" * 64) == []
    world.run()
    assert len(world.responder.endpoint.child_sas) == 1
    still_serves(world)


@pytest.mark.parametrize("exchange_type", MODES)
def test_row_04_cve_2022_23094_malformed_first_message(exchange_type: int) -> None:
    world = World(1, aggressive=exchange_type == ExchangeType.AGGRESSIVE)
    honest = initial(exchange_type, [phase1_sa(attributes())])
    two_headers = honest[:24] + (2 * len(honest)).to_bytes(4) + honest[28:] + honest
    vendor = OctetsPayload(PayloadType.VENDOR_ID, b"v" * 16)
    in_payload = rebuilt(honest, [*chain_of(honest), (PayloadType.VENDOR_ID, honest)])
    wrong_chain = rebuilt(honest, [(PayloadType.VENDOR_ID, vendor.data), *chain_of(honest)], rest=honest[:28])
    empty_sa = rebuilt(honest, [(PayloadType.SA, struct.pack(">II", 1, 1))])
    zero_transforms = rebuilt(honest, [(PayloadType.SA, struct.pack(">IIBBHBBBB", 1, 1, 0, 0, 8, 1, 1, 0, 0))])
    for data in (two_headers, wrong_chain, empty_sa, zero_transforms, rebuilt(honest, [], rest=b"\0")):
        answers = world.feed(world.responder, data)
        assert len(answers) <= 1
        assert world.responder.count == 0
    assert len(world.feed(world.responder, in_payload)) <= 1
    still_serves(world)


@pytest.mark.parametrize("doi", [0, 2, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("situation", [0, 2, 4, 7, 0xFFFFFFFF])
def test_row_05_cve_2015_3204_doi_and_situation(doi: int, situation: int) -> None:
    for aggressive in (False, True):
        world = World(1, aggressive=aggressive)
        honest = first_message(world)
        (kind, body), *others = chain_of(honest)
        assert kind == PayloadType.SA
        for pair in ((doi, 1), (1, situation), (doi, situation)):
            forged = rebuilt(honest, [(kind, struct.pack(">II", *pair) + body[8:]), *others])
            answers = world.feed(world.responder, forged)
            assert len(answers) <= 1
            assert world.responder.count == 0
        still_serves(world)


@pytest.mark.parametrize("aggressive", [False, True])
def test_row_05_cve_2015_3204_legacy_payload_numbers(aggressive: bool) -> None:
    for number in (14, 15, 16, 17, 18, 19, 22, 127, 128, 129, 130, 131, 133, 200, 255):
        world = World(1, aggressive=aggressive)
        honest = first_message(world)
        chain = chain_of(honest)
        for forged in (
            rebuilt(honest, [(number, chain[0][1]), *chain[1:]]),
            rebuilt(honest, [*chain, (number, b"")]),
            rebuilt(honest, [*chain, (number, b"\xff" * 20)]),
            honest[:16] + bytes((number,)) + honest[17:],
        ):
            assert len(world.feed(world.responder, forged)) <= 1
            assert world.responder.count <= 1
        still_serves(world)


def test_row_06_cve_2023_30570_aggressive_mode_after_a_refusal() -> None:
    world = World(1, aggressive=True)
    for change in ({"GROUP_DESCRIPTION": 1}, {"HASH_ALGORITHM": 99}, {"ENCRYPTION_ALGORITHM": 65001}):
        refused = aggressive_first(phase1_sa(attributes(**change)))
        answers = world.feed(world.responder, refused)
        assert world.responder.count == 0
        assert len(answers) <= 1
        for answer in answers:
            # The same peer goes on with whatever SPI of the responder it was told, and with others.
            for spi_r in (answer[8:16], COOKIE_R, bytes(8)):
                for payload in (OctetsPayload(PayloadType.HASH, b"h" * 32), phase1_sa(attributes())):
                    follow = encode_message(COOKIE_I, spi_r, ExchangeType.AGGRESSIVE, 0, [payload])
                    assert len(world.feed(world.responder, follow)) <= 1
    still_serves(world)


def quick_mode_payloads(world: World, *identities: IdPayload) -> list[AnyPayload]:
    """What an honest first message of quick mode has, with other identities."""
    esp = [Attribute(4, 1), Attribute(5, 5), Attribute(6, 128), Attribute(1, 1), Attribute(2, 3600)]
    sa = SaPayload((Proposal(1, Protocol.PROTO_IPSEC_ESP, b"\xc0\xde\xca\xfe", (make_transform(1, 12, esp),)),))
    return [sa, OctetsPayload(PayloadType.NONCE, b"n" * 32), *identities]


SUBNET_I = IdPayload(4, bytes((10, 1, 0, 0, 255, 255, 0, 0)))
SUBNET_R = IdPayload(4, bytes((10, 2, 0, 0, 255, 255, 0, 0)))


def test_row_07_cve_2023_38711_the_honest_quick_mode_of_these_tests_is_accepted() -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    assert peer.send(ExchangeType.QUICK_MODE, quick_mode_payloads(world, SUBNET_I, SUBNET_R))


@pytest.mark.parametrize("id_type", [*range(13), 200, 255])
def test_row_07_cve_2023_38711_quick_mode_identities(id_type: int) -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    before = {child.inbound_spi for child in world.responder.endpoint.child_sas}
    for length in (0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255):
        odd = IdPayload(id_type, b"\x0a" * length)
        for pair in ((odd, SUBNET_R), (SUBNET_I, odd), (odd, odd), (odd,), (odd, odd, odd)):
            peer.send(ExchangeType.QUICK_MODE, quick_mode_payloads(world, *pair))
    backwards = IdPayload(7, bytes((10, 1, 9, 0, 10, 1, 0, 0)))
    holes = IdPayload(4, bytes((10, 1, 0, 0, 255, 0, 255, 0)))
    for odd in (backwards, holes, IdPayload(8, b"\xff" * 16 + bytes(16)), IdPayload(6, bytes(16) + b"\x0f" * 16)):
        peer.send(ExchangeType.QUICK_MODE, quick_mode_payloads(world, odd, SUBNET_R))
    assert world.responder.sa.info is not None
    after = {child.inbound_spi for child in world.responder.endpoint.child_sas}
    assert after == before
    world.responder.sent.clear()
    still_serves(world)


def test_row_08_cve_2023_38712_delete_and_more_in_one_message() -> None:
    for more in (
        lambda spi: [DeletePayload(Protocol.PROTO_ISAKMP, (spi,))],
        lambda spi: [NotificationPayload(Protocol.PROTO_ISAKMP, spi, NotifyType.R_U_THERE, b"\0\0\0\1")],
        lambda spi: [NotificationPayload(Protocol.PROTO_ISAKMP, spi, NotifyType.INITIAL_CONTACT)],
        lambda spi: [DeletePayload(Protocol.PROTO_IPSEC_ESP, (b"\0\0\0\1",))] * 5,
        lambda spi: [NotificationPayload(Protocol.PROTO_ISAKMP, spi, NotifyType.INVALID_COOKIE)] * 5,
    ):
        for before in (False, True):
            world = World(1).establish()
            peer = HostileV1(world)
            spi = peer.sa.spi_i + peer.sa.spi_r
            delete: list[AnyPayload] = [DeletePayload(Protocol.PROTO_ISAKMP, (spi,))]
            others: list[AnyPayload] = list(more(spi))
            peer.send(ExchangeType.INFORMATIONAL, others + delete if before else delete + others)
            peer.send(ExchangeType.INFORMATIONAL, delete)
            world.sleep(5.0)
            assert all(sa.info is None for sa in world.responder.endpoint.associations())
            assert world.responder.endpoint.child_sas == ()
            still_serves(world)


@pytest.mark.parametrize(
    ("transform_id", "parts"),
    [
        (23, [(6, 128)]),  # AES-GMAC: no encryption, and an authentication that is no MAC of ESP in quick mode
        (23, [(6, 128), (5, 5)]),
        (23, []),
        (11, []),  # NULL without integrity
        (12, [(6, 128)]),  # AES-CBC without integrity
        (20, [(6, 128), (5, 5)]),  # AES-GCM with an integrity transform beside it
        (12, [(6, 0), (5, 5)]),
        (12, [(6, 65535), (5, 5)]),
        (12, [(6, 128), (5, 0)]),
        (12, [(6, 128), (5, 5), (5, 2)]),
        (0, [(5, 5)]),
        (255, [(5, 5)]),
    ],
)
def test_row_09_cve_2024_3652_quick_mode_with_no_keys_or_two(transform_id: int, parts: list[tuple[int, int]]) -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    wanted = [Attribute(4, 1), Attribute(1, 1), Attribute(2, 3600), *(Attribute(*part) for part in parts)]
    transform = make_transform(1, transform_id, wanted)
    sa = SaPayload((Proposal(1, Protocol.PROTO_IPSEC_ESP, b"\xc0\xde\xca\xfe", (transform,)),))
    peer.send(ExchangeType.QUICK_MODE, [sa, *quick_mode_payloads(world, SUBNET_I, SUBNET_R)[1:]])
    assert len(world.responder.endpoint.child_sas) == 1
    assert len(world.responder.of(ChildSaEstablished)) == 1
    world.responder.sent.clear()
    still_serves(world)


@pytest.mark.parametrize("digest", [b"", bytes(32), b"\xff" * 32, b"x", b"x" * 31, b"x" * 33, b"x" * 2000])
def test_row_10_cve_2019_10155_informational_with_a_wrong_hash(digest: bytes) -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    spi = peer.sa.spi_i + peer.sa.spi_r
    child = world.responder.endpoint.child_sas[0]
    for payload in (
        DeletePayload(Protocol.PROTO_ISAKMP, (spi,)),
        DeletePayload(Protocol.PROTO_IPSEC_ESP, (child.outbound_spi,)),
        NotificationPayload(Protocol.PROTO_ISAKMP, spi, NotifyType.INITIAL_CONTACT),
        NotificationPayload(Protocol.PROTO_ISAKMP, spi, NotifyType.R_U_THERE, b"\0\0\0\1"),
    ):
        assert peer.send(ExchangeType.INFORMATIONAL, [payload], digest=digest) == []
    world.healthy()
    assert len(world.responder.endpoint.child_sas) == 1


@pytest.mark.parametrize("aggressive", [False, True])
def test_row_11_cve_2016_5361_one_answer_to_a_first_message(aggressive: bool) -> None:
    world = World(1, aggressive=aggressive)
    honest = first_message(world)
    path = Path(RESPONDER, Address("203.0.113.5", 500))
    answers = world.feed(world.responder, honest, path)
    assert len(answers) == 1
    world.initiator.endpoint.shut_down(world.now)
    world.initiator.sent.clear()
    world.responder.sent.clear()
    for _ in range(200):
        when = world.responder.endpoint.next_timeout()
        if when is None:
            break
        world.responder.endpoint.handle_timeout(when)
        world.responder.collect()
    assert not world.responder.sent, "the responder repeats its answer by itself"
    assert world.responder.count == 0


def fragment_message(world: World, spis: tuple[bytes, bytes], body: bytes) -> bytes:
    """A message with a fragment payload of any content."""
    octets = struct.pack(">BBH", 0, 0, 4 + len(body)) + body
    head = IkeHeader(*spis, PayloadType.FRAGMENT, 1, 0, ExchangeType.IDENTITY_PROTECTION, 0, 0, 28 + len(octets))
    return head.encode() + octets


def fragment(fragment_id: int, number: int, last: bool, data: bytes) -> bytes:
    """The body of a fragment payload."""
    return FragmentPayload(fragment_id, number, int(last), data).encode()


def half_open_v1() -> tuple[World, tuple[bytes, bytes]]:
    """A responder that has answered a first message, and the cookies."""
    world = World(1)
    world.feed(world.responder, first_message(world))
    sa = world.responder.sa
    return world, (sa.spi_i, sa.spi_r)


def test_row_12_cve_2013_6076_fragments_that_make_no_sense() -> None:
    world, spis = half_open_v1()
    rows = [
        fragment(1, 1, False, b""),
        fragment(1, 0, True, b"x"),
        fragment(1, 0, False, b"x"),
        fragment(1, 1, True, b"not a message"),
        fragment(2, 2, True, b"x"),
        fragment(2, 3, False, b"after the last"),
        fragment(3, 255, True, b"x"),
        fragment(4, 1, False, b"x"),
        fragment(4, 1, False, b"y"),
        fragment(0, 1, True, b"z"),
        fragment(0xFFFF, 1, True, bytes(28)),
        fragment(5, 1, True, fragment_message(world, spis, fragment(5, 1, True, b"inside"))),
    ]
    for target, answer in ((world.responder, spis), (world.responder, (spis[0], bytes(8)))):
        for row in rows:
            assert world.feed(target, fragment_message(world, answer, row)) == []
    dropped(world, fragment_message(world, (COOKIE_I, COOKIE_R), rows[3]))
    dropped(world, fragment_message(world, (COOKIE_I, bytes(8)), rows[3]))
    world.run()
    assert len(world.responder.endpoint.child_sas) == 1
    still_serves(world)


def test_row_13_cve_2016_10396_many_fragments_in_the_worst_order() -> None:
    world, spis = half_open_v1()
    rows = [fragment(7, number, False, b"x" * 1000) for number in range(255, 0, -1)]
    rows += [fragment(number, 9, False, b"x" * 1000) for number in range(1, 2000)]
    rows += [fragment(3, number % 64 + 1, False, b"x" * 1200) for number in range(2000)]
    begin = time.thread_time()
    for row in rows:
        assert world.feed(world.responder, fragment_message(world, spis, row)) == []
    assert time.thread_time() - begin < 0.005 * len(rows)
    sa = world.responder.sa
    assert isinstance(sa, IsakmpSa)
    kept = sa.transport._reassembly
    assert len(kept._pieces) <= 64
    assert sum(map(len, kept._pieces.values())) <= 0xFFFF
    world.run()
    assert len(world.responder.endpoint.child_sas) == 1


@pytest.mark.parametrize("length", range(9))
def test_row_14_cve_2016_1287_fragment_payloads_shorter_than_their_header(length: int) -> None:
    world, spis = half_open_v1()
    for body in (b"", b"\0\1\1\1", b"\0\1\1\1" + b"x" * 40):
        octets = struct.pack(">BBH", 0, 0, length) + body
        head = IkeHeader(*spis, PayloadType.FRAGMENT, 1, 0, ExchangeType.IDENTITY_PROTECTION, 0, 0, 28 + len(octets))
        assert world.feed(world.responder, head.encode() + octets) == []
    for number in range(1, 65):
        world.feed(world.responder, fragment_message(world, spis, fragment(9, number, False, b"x" * 60_000)))
    world.run()
    assert len(world.responder.endpoint.child_sas) == 1
    still_serves(world)


# Rows 49 to 53.


@pytest.mark.parametrize("aggressive", [False, True])
def test_row_49_cve_2022_34721_payloads_shorter_than_their_fixed_part(aggressive: bool) -> None:
    world = World(1, aggressive=aggressive)
    honest = first_message(world)
    chain = chain_of(honest)
    for kind in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21, 130, 131, 132):
        for length in range(13):
            for forged in (
                rebuilt(honest, [(kind, bytes(length))]),
                rebuilt(honest, [*chain, (kind, bytes(length))]),
                rebuilt(honest, [chain[0], (kind, b"\xff" * length), *chain[1:]]),
            ):
                assert len(world.feed(world.responder, forged)) <= 1
    still_serves(world)


def test_row_49_cve_2022_34721_short_payloads_of_an_authenticated_peer() -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    for exchange_type in (ExchangeType.INFORMATIONAL, ExchangeType.QUICK_MODE):
        for kind in (1, 4, 5, 9, 10, 11, 12, 13, 21, 132):
            for length in range(13):
                octets = bytes((kind, 0, 0)) + (4 + length).to_bytes(2) + bytes(length)
                peer.send(exchange_type, (), octets=octets)
    assert world.responder.sa.info is not None
    world.responder.sent.clear()
    still_serves(world)


def test_row_50_cve_2004_0164_a_delete_that_nobody_vouches_for() -> None:
    world = World(1).establish()
    sa = world.responder.sa
    child = world.responder.endpoint.child_sas[0]
    for end in world.ends:
        for payload in (
            DeletePayload(Protocol.PROTO_ISAKMP, (sa.spi_i + sa.spi_r,)),
            DeletePayload(Protocol.PROTO_IPSEC_ESP, (child.inbound_spi, child.outbound_spi)),
            NotificationPayload(Protocol.PROTO_ISAKMP, sa.spi_i + sa.spi_r, NotifyType.INITIAL_CONTACT),
            NotificationPayload(Protocol.PROTO_ISAKMP, sa.spi_i + sa.spi_r, NotifyType.INVALID_COOKIE),
        ):
            for message_id in (0, 5):
                clear = encode_message(sa.spi_i, sa.spi_r, ExchangeType.INFORMATIONAL, message_id, [payload])
                assert world.feed(end, clear) == []
                with_hash = [OctetsPayload(PayloadType.HASH, bytes(32)), payload]
                clear = encode_message(sa.spi_i, sa.spi_r, ExchangeType.INFORMATIONAL, message_id, with_hash)
                assert world.feed(end, clear) == []
                assert world.feed(end, clear[:19] + b"\1" + clear[20:]) == []
    world.healthy()


@pytest.mark.parametrize("aggressive", [False, True])
def test_row_50_cve_2004_0155_a_signature_that_is_not_valid(aggressive: bool) -> None:
    for change in (
        lambda body: body[:-1] + bytes((body[-1] ^ 1,)),
        lambda body: bytes(len(body)),
        lambda body: b"",
        lambda body: body + b"\0",
    ):
        world = World(1, method="pubkey", aggressive=aggressive)
        with altered_contents(world, world.initiator, _with_signature(change)):
            world.initiate()
            world.run()
            world.sleep(120.0)
        assert any("signature" in line for line in world.responder.lines), world.responder.lines
        # In aggressive mode the initiator signs in the clear or not: there is no SA at the responder in either case.
        assert not world.responder.of(IkeSaEstablished)
        assert not world.responder.of(ChildSaEstablished)


def _with_signature(change: Callable[[bytes], bytes]) -> Callable[[bytes, int], tuple[bytes, int]]:
    """Replace the last payload, which is SIG in the proof of an initiator, in everything that has no HASH in front."""

    def apply(content: bytes, first: int) -> tuple[bytes, int]:
        chain, position = [], 0
        while position + 4 <= len(content):
            length = int.from_bytes(content[position + 2 : position + 4])
            if length < 4:
                break
            chain.append((content[position], content[position + 4 : position + length]))
            if content[position] == 0:
                break
            position += length
        # ID, CERT…, SIG and perhaps a notification: the type of each stands in the one before it.
        types = [PayloadType.ID, *(following for following, _ in chain[:-1])]
        if PayloadType.SIG not in types:
            return content, first
        bodies = [
            change(body) if kind == PayloadType.SIG else body for kind, (_, body) in zip(types, chain, strict=True)
        ]
        parts = []
        for index, body in enumerate(bodies):
            following = types[index + 1] if index + 1 < len(types) else 0
            parts.append(struct.pack(">BBH", following, 0, 4 + len(body)) + body)
        return b"".join(parts), first

    return apply


@pytest.mark.parametrize("length", [0, 28, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_row_50_cve_2004_0403_a_header_that_claims_gigabytes(length: int) -> None:
    world = World(1)
    honest = first_message(world)
    dropped(world, honest[:24] + length.to_bytes(4) + honest[28:])
    still_serves(world)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_row_51_cve_2004_0218_payload_lengths_below_four_in_every_position(version: int, length: int) -> None:
    world = World(version)
    honest = first_message(world)
    position, kind = HEADER_BYTES, honest[16]
    while kind:
        following = int.from_bytes(honest[position + 2 : position + 4])
        forged = honest[: position + 2] + length.to_bytes(2) + honest[position + 4 :]
        assert len(world.feed(world.responder, forged)) <= 1
        assert world.responder.count == 0
        kind, position = honest[position], position + following
    still_serves(world)


def test_row_51_cve_2004_0218_lengths_of_proposals_and_transforms() -> None:
    world = World(1)
    honest = first_message(world)
    (kind, body), *others = chain_of(honest)
    for offset in (10, 8 + 8 + 2):
        for length in (0, 1, 2, 3, 4, 7, 8, 9, 0xFFFF):
            forged = body[:offset] + length.to_bytes(2) + body[offset + 2 :]
            assert len(world.feed(world.responder, rebuilt(honest, [(kind, forged), *others]))) <= 1
            assert world.responder.count == 0
    still_serves(world)


def test_row_52_cve_2016_6415_an_answer_has_only_what_was_checked() -> None:
    world = World(1)
    good = encode_attributes(attributes())
    for odd in (
        b"\0\x0c\xff\xff",
        b"\0\x0c\0\x08abcd",
        b"\0\x0e\x20\0" + b"s" * 64,
        b"\0",
        b"\x80",
        b"\x80\x0b\0",
    ):
        transform = Transform(1, 1, good + odd)
        sa = SaPayload((Proposal(1, Protocol.PROTO_ISAKMP, b"", (transform,)),))
        for answer in world.feed(world.responder, initial(ExchangeType.IDENTITY_PROTECTION, [sa])):
            assert odd not in answer
            assert len(answer) <= 28 + 4 + 12 + 16
        assert world.responder.count == 0
    honest = initial(ExchangeType.IDENTITY_PROTECTION, [phase1_sa(attributes())], cookie=b"honestly")
    (answer,) = world.feed(world.responder, honest)
    chain = chain_of(answer)
    chosen = decode_sa(chain[0][1])
    assert [transform.attribute_octets for transform in chosen.proposals[0].transforms] == [good]


def test_row_53_cve_2018_5389_no_authentication_by_public_key_encryption() -> None:
    for method in (2, 4, 5, 6, 7, 8, 64221, 65001, 0):
        for certificates in ("psk", "pubkey"):
            world = World(1, method=certificates)
            data = initial(ExchangeType.IDENTITY_PROTECTION, [phase1_sa(attributes(AUTHENTICATION_METHOD=method))])
            for answer in world.feed(world.responder, data):
                assert all(kind != PayloadType.SA for kind, _ in chain_of(answer)), "it is accepted"
            assert world.responder.count == 0
    offered = World(1, method="pubkey")
    sa = decode_sa(chain_of(first_message(offered))[0][1])
    methods = {
        transform.single(Phase1Attribute.AUTHENTICATION_METHOD)
        for proposal in sa.proposals
        for transform in proposal.transforms
    }
    assert methods.isdisjoint({4, 5})


def test_row_53_cve_2018_5389_errors_do_not_tell_what_was_wrong() -> None:
    """Wrong padding, wrong type, wrong lengths: an encrypted message that does not make sense has no answer."""
    world = World(1)
    world.initiate()
    for _ in range(2):
        world.step()
    world.step()
    sa = world.responder.sa
    seen: set[tuple[int, ...]] = set()
    for content in (bytes(64), b"\xff" * 64, b"\x05\0\0\x08" + bytes(60), bytes(16), b"x" * 160):
        head = IkeHeader(sa.spi_i, sa.spi_r, 5, 1, 0, ExchangeType.IDENTITY_PROTECTION, 1, 0, 28 + len(content))
        seen.add(tuple(len(answer) for answer in world.feed(world.responder, head.encode() + content)))
    assert len(seen) == 1, seen


def every_first_message() -> Iterator[tuple[World, bytes]]:
    """Both modes."""
    for aggressive in (False, True):
        world = World(1, aggressive=aggressive)
        yield world, first_message(world)


def test_row_17_cve_2013_6467_ikev1_payloads_missing_doubled_or_in_another_order() -> None:
    for world, honest in every_first_message():
        chain = chain_of(honest)
        variants = [chain[:index] + chain[index + 1 :] for index in range(len(chain))]
        variants += [[*chain, each] for each in chain] + [chain[::-1], chain + chain]
        for variant in variants:
            if variant:
                assert len(world.feed(world.responder, rebuilt(honest, variant))) <= 1
        still_serves(world)


@pytest.mark.parametrize("options", [{}, {"aggressive": True}, {"method": "pubkey"}], ids=str)
def test_row_17_cve_2013_6467_ikev1_later_messages_without_a_payload(options: dict[str, Any]) -> None:
    """Every message of a setup in the clear, with each payload removed or doubled on its way."""
    for number in range(6):
        for what in range(8):
            world = World(1, **options)
            count = 0

            def way(data: bytes, from_responder: bool, number: int = number, what: int = what) -> Sequence[bytes]:
                nonlocal count
                count += 1
                if count - 1 != number or data[19] & 1:
                    return (data,)
                chain = chain_of(data)
                index = what // 2 % len(chain)
                changed = chain[:index] + chain[index + 1 :] if what % 2 else [*chain, chain[index]]
                return (rebuilt(data, changed),) if changed else ()

            world.way = way
            world.initiate()
            world.run()
            still_serves(world)


def test_row_18_cve_2015_3991_payload_numbers_of_ikev2() -> None:
    for world, honest in every_first_message():
        chain = chain_of(honest)
        for number in (*range(33, 55), 250):
            for forged in ([(number, body) for _, body in chain[:1]] + chain[1:], [*chain, (number, chain[0][1])]):
                assert len(world.feed(world.responder, rebuilt(honest, forged))) <= 1
        still_serves(world)
    world = World(1).establish()
    peer = HostileV1(world)
    for number in (*range(33, 55), 250):
        octets = bytes((number, 0, 0, 0, 12)) + bytes(8)
        peer.send(ExchangeType.INFORMATIONAL, (), octets=octets)
        peer.send(ExchangeType.QUICK_MODE, (), octets=octets)
    world.healthy()


def test_row_19_cve_2014_9221_ikev1_groups_that_are_none() -> None:
    for group in (0, 3, 4, 6, 13, 33, 34, 255, 1024, 1025, 1026, 32768, 65535):
        world = World(1, aggressive=True)
        world.feed(world.responder, aggressive_first(phase1_sa(attributes(GROUP_DESCRIPTION=group))))
        assert world.responder.count == 0
        still_serves(world)


def test_row_20_cve_2015_3240_ikev1_public_values_that_are_none() -> None:
    world = World(1, ike="aes128-sha256-modp2048", aggressive=True)
    offer = phase1_sa(attributes(GROUP_DESCRIPTION=14))
    for public in (bytes(256), bytes(255) + b"\1", b"\xff" * 256, b"", b"\2", bytes(255), bytes(257), b"\7" * 4000):
        for answer in world.feed(world.responder, aggressive_first(offer, public)):
            assert all(kind != PayloadType.KE for kind, _ in chain_of(answer))
        assert world.responder.count == 0
    still_serves(world)


def test_row_30_cve_2025_9242_ikev1_identities_of_any_length() -> None:
    for length in (0, 1, 511, 513, 60_000):
        for id_type in (0, 1, 2, 3, 4, 5, 9, 11, 255):
            world = World(1, aggressive=True)
            honest = first_message(world)
            chain = [
                (kind, bytes((id_type, 0, 0, 0)) + b"A" * length) if kind == PayloadType.ID else (kind, body)
                for kind, body in chain_of(honest)
            ]
            assert len(world.feed(world.responder, rebuilt(honest, chain))) <= 1
            world.initiator.sent.clear()
            still_serves(world)


def test_row_28_cve_2023_38710_ikev1_protocols_and_spi_sizes() -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    for protocol in (0, 1, 2, 3, 4, 255):
        for size in (0, 3, 4, 8, 15, 16, 17, 255):
            for notify in (NotifyType.INVALID_SPI, NotifyType.NO_PROPOSAL_CHOSEN, 24576, 24578, 36136, 36137, 0, 65535):
                payload = NotificationPayload(protocol, b"\1" * size, notify, b"\0\0\0\1")
                peer.send(ExchangeType.INFORMATIONAL, [payload])
            if size:
                peer.send(ExchangeType.INFORMATIONAL, [DeletePayload(protocol, (b"\1" * size,) * 3)])
    assert world.responder.sa.info is not None
    assert len(world.responder.endpoint.child_sas) == 1
    world.responder.sent.clear()
    still_serves(world)


def test_row_25_cve_2019_12312_every_exchange_type_in_every_state_of_ikev1() -> None:
    for steps in range(8):
        world = World(1)
        world.initiate()
        for _ in range(steps):
            world.step()
        for end in world.ends:
            for sa in end.endpoint.associations():
                for exchange_type in (0, 1, 2, 3, 4, 5, 6, 7, 31, 32, 33, 34, 35, 240, 255):
                    for flags, message_id in ((0, 0), (0, 9), (1, 0), (1, 9)):
                        body = encode_payloads([OctetsPayload(PayloadType.HASH, bytes(32))]) + bytes(12)
                        head = IkeHeader(sa.spi_i, sa.spi_r, 8, 1, 0, exchange_type, flags, message_id, 28 + len(body))
                        path = TO_RESPONDER if end is world.responder else TO_INITIATOR
                        world.feed(end, head.encode() + body, path)
        world.run()
        assert len(world.responder.endpoint.child_sas) == 1, steps
        still_serves(world)
