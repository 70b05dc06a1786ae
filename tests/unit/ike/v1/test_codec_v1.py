"""Payloads and messages of IKEv1: both directions, and octets that must not parse."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import MalformedError, ProtocolError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader, parse_header
from ipsecbench.ike.v1 import payloads as p
from ipsecbench.ike.v1.attributes import Attribute, decode_attributes, encode_attributes, single
from ipsecbench.ike.v1.fragments import MAX_FRAGMENTS, Reassembly, split
from ipsecbench.ike.v1.identifiers import NotifyType, PayloadType, Vendor, vendor
from ipsecbench.ike.v1.message import AnyPayload, Message, body_of, decode_payloads, encode_message, encode_payloads
from ipsecbench.ike.v1.phase1_negotiation import Phase1Suite, read_suite
from ipsecbench.ike.v1.proposals import Proposal, SaPayload, decode_sa, make_transform

COOKIES = (bytes(range(8)), bytes(range(8, 16)))


def header(next_payload: int, length: int = 0) -> IkeHeader:
    return IkeHeader(*COOKIES, next_payload, 1, 0, 5, 0, 7, HEADER_BYTES + length)


def parse(next_payload: int, body: bytes, padded: bool = False) -> Message:
    return decode_payloads(header(next_payload, len(body)), body, padded)


SA = SaPayload(
    (
        Proposal(1, 3, b"\x01\x02\x03\x04", (make_transform(1, 12, [Attribute(6, 128), Attribute(2, 100_000)]),)),
        Proposal(2, 3, b"\x01\x02\x03\x04", (make_transform(1, 3, []), make_transform(2, 2, [Attribute(5, 2)]))),
    )
)
PAYLOADS: list[AnyPayload] = [
    SA,
    p.OctetsPayload(PayloadType.KE, b"public"),
    p.OctetsPayload(PayloadType.NONCE, b"nonce"),
    p.IdPayload(1, b"\x0a\x00\x00\x01", 17, 500),
    p.CertificatePayload(PayloadType.CERT, 4, b"certificate"),
    p.CertificatePayload(PayloadType.CR, 4, b""),
    p.NotificationPayload(1, bytes(16), NotifyType.R_U_THERE, b"\x00\x00\x00\x01"),
    p.DeletePayload(3, (b"\x01\x02\x03\x04", b"\x05\x06\x07\x08")),
    p.NatOaPayload(PayloadType.NAT_OA, 1, b"\x0a\x00\x00\x01"),
    p.NatOaPayload(PayloadType.NAT_OA_DRAFT, 5, bytes(16)),
    p.FragmentPayload(1, 1, 1, b"piece"),
    p.UnknownPayload(77, b"anything"),
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda each: type(each).__name__)
def test_what_is_written_is_read(payload: AnyPayload) -> None:
    octets = encode_message(*COOKIES, 5, 7, [payload])
    parsed = parse_header(octets)
    message = decode_payloads(parsed, body_of(octets), padded=False)
    assert [each.payload for each in message.payloads] == [payload]
    assert message.payloads[0].body == payload.encode()
    assert parsed.length == len(octets)


def test_a_chain_of_all_payloads() -> None:
    octets = encode_message(*COOKIES, 5, 7, PAYLOADS)
    message = decode_payloads(parse_header(octets), body_of(octets), padded=False)
    assert [each.payload for each in message.payloads] == PAYLOADS
    assert message.octets_after_first() == encode_payloads(PAYLOADS[1:])


def test_padding_is_left_out_of_what_is_hashed() -> None:
    body = encode_payloads(PAYLOADS)
    message = parse(PayloadType.SA, body + bytes(7), padded=True)
    assert message.octets_after_first() == encode_payloads(PAYLOADS[1:])
    with pytest.raises(MalformedError, match="7 octets too many"):
        parse(PayloadType.SA, body + bytes(7))


@pytest.mark.parametrize("length", range(4))
@pytest.mark.parametrize("position", range(len(PAYLOADS)))
def test_a_payload_shorter_than_its_header(position: int, length: int) -> None:
    """Row 51: in every position."""
    parts = []
    for index, payload in enumerate(PAYLOADS):
        following = 13 if index + 1 < len(PAYLOADS) else 0
        body = payload.encode()
        parts.append(struct.pack(">BBH", following, 0, length if index == position else 4 + len(body)) + body)
    with pytest.raises(ProtocolError):
        parse(13 if position else PayloadType.SA, b"".join(parts))


def test_a_payload_longer_than_the_message() -> None:
    for payload in PAYLOADS:
        body = payload.encode()
        octets = struct.pack(">BBH", 0, 0, 5 + len(body)) + body
        with pytest.raises(MalformedError):
            parse(13, octets)


def test_the_reserved_octet_must_be_zero() -> None:
    with pytest.raises(MalformedError, match="reserved"):
        parse(13, b"\x00\x01\x00\x08abcd")


def test_messages_without_a_payload_or_with_too_many() -> None:
    with pytest.raises(MalformedError, match="no payload"):
        parse(0, b"")
    with pytest.raises(MalformedError, match="more than 64"):
        parse(13, struct.pack(">BBH", 13, 0, 4) * 65)


@pytest.mark.parametrize(
    ("octets", "notify"),
    [
        ("ffffffff00000001", NotifyType.DOI_NOT_SUPPORTED),
        ("00000000ffffffff", NotifyType.DOI_NOT_SUPPORTED),
        ("00000001ffffffff", NotifyType.SITUATION_NOT_SUPPORTED),
        ("0000000100000000", NotifyType.SITUATION_NOT_SUPPORTED),
    ],
)
def test_other_domains_and_situations(octets: str, notify: int) -> None:
    """Row 5."""
    with pytest.raises(ProtocolError) as caught:
        decode_sa(bytes.fromhex(octets) + bytes(8))
    assert caught.value.notify == notify


def test_proposals_that_contradict_themselves() -> None:
    good = SA.encode()
    assert decode_sa(good) == SA
    # The count of transforms of the first proposal.
    for count in (0, 2, 255):
        with pytest.raises(MalformedError):
            decode_sa(good[:15] + bytes([count]) + good[16:])
    # Nothing but proposals may follow one another, and nothing is left over.
    with pytest.raises(MalformedError):
        decode_sa(good[:8] + b"\x01" + good[9:])
    with pytest.raises(MalformedError):
        decode_sa(good + b"\x00")
    for cut in range(8, len(good)):
        with pytest.raises(MalformedError):
            decode_sa(good[:cut])


def test_greedy_proposals_are_refused() -> None:
    transforms = tuple(make_transform(number, 1, []) for number in range(1, 130))
    with pytest.raises(MalformedError, match="256 transforms"):
        decode_sa(SaPayload(tuple(Proposal(number, 1, b"", transforms) for number in range(3))).encode())
    with pytest.raises(MalformedError, match="64 parts"):
        decode_sa(SaPayload(tuple(Proposal(number, 1, b"", transforms[:1]) for number in range(65))).encode())


def test_attributes_both_ways() -> None:
    attributes = [Attribute(1, 7), Attribute(14, 256), Attribute(12, 0x10000), Attribute(12, 0x100000000)]
    octets = encode_attributes(attributes)
    assert octets.hex() == "80010007800e0100000c000400010000000c00080000000100000000"
    assert list(decode_attributes(octets)) == attributes
    # RFC 2408: a number may come in the long form too.
    assert decode_attributes(bytes.fromhex("000100020007")) == (Attribute(1, 7),)
    assert decode_attributes(bytes.fromhex("000b0000")) == (Attribute(11, 0),)


@pytest.mark.parametrize("octets", ["80", "800100", "0001", "000100", "00010004000000", "0001ffff00"])
def test_attributes_that_do_not_fit(octets: str) -> None:
    """Row 52."""
    with pytest.raises(MalformedError):
        decode_attributes(bytes.fromhex(octets))


def test_too_many_attributes_and_contradictions() -> None:
    with pytest.raises(MalformedError, match="32 data attributes"):
        decode_attributes(Attribute(1, 7).encode() * 33)
    assert single([Attribute(1, 7), Attribute(1, 7)], 1) == 7
    assert single([Attribute(1, 7), Attribute(1, 5)], 1) is None
    assert single([], 1) is None


@pytest.mark.parametrize(
    "octets",
    [
        "000000010304ffff",
        "00000001030400020102030405060708ff",
        "0000000103000001",
        "000000010304000101020304ff",
        "00000001",
    ],
)
def test_deletes_whose_counts_are_wrong(octets: str) -> None:
    with pytest.raises(MalformedError):
        parse(PayloadType.DELETE, struct.pack(">BBH", 0, 0, 4 + len(octets) // 2) + bytes.fromhex(octets))


def test_vendor_ids_with_flags_and_versions() -> None:
    assert vendor(bytes.fromhex("4048b7d56ebce88525e7de7f00d6c2d380000000")) is Vendor.FRAGMENTATION
    assert vendor(bytes.fromhex("afcad71368a1f1c96b8696fc77570101")) is Vendor.DPD
    assert vendor(bytes.fromhex("afcad71368a1f1c96b8696fc775701")) is None
    assert vendor(b"") is None


@given(st.binary(max_size=300), st.integers(0, 255), st.booleans())
def test_only_protocol_errors_come_out_of_octets(octets: bytes, next_payload: int, padded: bool) -> None:
    try:
        message = parse(next_payload, octets, padded)
    except ProtocolError:
        return
    assert message.payloads
    message.octets_after_first()


class TestFragments:
    """Rows 12 to 14."""

    MESSAGE = bytes(range(256)) * 8

    def test_pieces_in_any_order_and_twice(self) -> None:
        pieces = split(self.MESSAGE, 500, 3)
        assert len(pieces) == 5
        assert [piece.last for piece in pieces] == [False] * 4 + [True]
        for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [4, 0, 0, 2, 2, 4, 1, 3]):
            reassembly = Reassembly()
            results = [reassembly.add(pieces[index]) for index in order]
            assert results[-1] == self.MESSAGE
            assert not any(results[:-1])

    def test_pieces_that_cannot_be(self) -> None:
        reassembly = Reassembly()
        for number, data in ((0, b"x"), (1, b""), (MAX_FRAGMENTS + 1, b"x"), (255, b"x")):
            with pytest.raises(MalformedError):
                reassembly.add(p.FragmentPayload(1, number, 0, data))
        # The last one first, then one beyond it.
        assert reassembly.add(p.FragmentPayload(2, 2, 1, b"b")) is None
        with pytest.raises(MalformedError):
            reassembly.add(p.FragmentPayload(2, 3, 0, b"c"))
        # What contradicted itself is forgotten.
        assert reassembly.add(p.FragmentPayload(2, 1, 0, b"a")) is None

    def test_memory_is_bounded(self) -> None:
        reassembly = Reassembly()
        for number in range(1, 33):
            assert reassembly.add(p.FragmentPayload(1, number, 0, bytes(2000))) is None
        with pytest.raises(MalformedError, match="too many"):
            reassembly.add(p.FragmentPayload(1, 33, 0, bytes(2000)))

    def test_another_message_begins(self) -> None:
        reassembly = Reassembly()
        assert reassembly.add(p.FragmentPayload(1, 1, 0, b"old")) is None
        assert reassembly.add(p.FragmentPayload(2, 2, 1, b"w")) is None
        assert reassembly.add(p.FragmentPayload(2, 1, 0, b"ne")) == b"new"

    @pytest.mark.parametrize("length", range(9))
    def test_a_fragment_payload_of_any_length(self, length: int) -> None:
        octets = (struct.pack(">BBH", 0, 0, length) + bytes(8))[: max(4, length)]
        try:
            message = parse(PayloadType.FRAGMENT, octets)
        except ProtocolError:
            return
        assert isinstance(message.payloads[0].payload, p.FragmentPayload)


CAPTURED = json.loads((Path(__file__).parents[3] / "vectors" / "tcpdump" / "isakmp_v1.json").read_text())["messages"]


@pytest.mark.parametrize("row", CAPTURED, ids=lambda row: f"{row['capture'].split('.')[0]}-{row['frame']}")
def test_captured_messages_as_tshark_reads_them(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["octets"])
    parsed = parse_header(octets)
    assert (parsed.exchange_type, parsed.flags, parsed.message_id) == (
        row["exchange_type"],
        row["flags"],
        row["message_id"],
    )
    if "payload_types" not in row:
        assert parsed.flags & 1
        return
    message = decode_payloads(parsed, body_of(octets), padded=False)
    # Type 15, NAT-D of the first drafts, tshark takes for another payload and stops: the second one it does not show.
    assert list(dict.fromkeys(message.types)) == list(dict.fromkeys(row["payload_types"]))
    assert len(message.types) == len(row["payload_types"]) + int(15 in message.types)
    suites = [
        read_suite(transform)
        for payload in message.all(SaPayload)
        for proposal in payload.proposals
        for transform in proposal.transforms
    ]
    assert [
        [ENCRYPTION[each.encryption].ikev1_phase1_id, each.hash.number, each.authentication, group_number(each)]
        for each in suites
        if each is not None
    ] == row.get("transforms", [])


def group_number(suite: Phase1Suite) -> int:
    return KEY_EXCHANGE[suite.key_exchange].ikev2_id
