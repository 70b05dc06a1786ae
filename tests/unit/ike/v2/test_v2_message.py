"""Payloads and messages of IKEv2: both directions of the codec, bounds, and what hostile octets may cause."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import MalformedError, ProtocolError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader
from ipsecbench.ike.v2 import payloads as p
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType, PayloadType
from ipsecbench.ike.v2.message import (
    MAX_PAYLOADS,
    PAYLOAD_CLASSES,
    build_message,
    encode_chain,
    new_header,
    parse_chain,
    parse_message,
)
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector
from ipsecbench.ike.v2.transforms import MAX_PROPOSALS, Proposal, Transform, TransformAttribute

U8, U16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
SHORT = st.binary(max_size=40)
UNKNOWN_TYPES = st.sampled_from(sorted(set(range(1, 256)) - set(PAYLOAD_CLASSES) - {46, 53}))

ATTRIBUTES = st.builds(TransformAttribute, st.integers(0, 0x7FFF), SHORT) | st.builds(
    TransformAttribute,
    st.integers(0, 0x7FFF).filter(lambda n: n != 14),
    st.binary(min_size=2, max_size=2),
    st.just(True),
)
TRANSFORMS = st.builds(Transform, U8, U16, st.none() | U16, st.lists(ATTRIBUTES, max_size=3).map(tuple))
PROPOSALS = st.builds(Proposal, U8, U8, SHORT, st.lists(TRANSFORMS, max_size=6).map(tuple))


def _selectors(ts_type: int, width: int) -> st.SearchStrategy[WireTrafficSelector]:
    address = st.binary(min_size=width, max_size=width)
    return st.builds(WireTrafficSelector, st.just(ts_type), U8, U16, U16, address, address)


SELECTORS = st.lists(
    _selectors(7, 4)
    | _selectors(8, 16)
    | st.builds(WireTrafficSelector, st.sampled_from([0, 1, 6, 9, 10, 255]), U8, st.just(0), st.just(0), other=SHORT),
    max_size=5,
).map(tuple)


@st.composite
def _deletes(draw: st.DrawFn) -> p.Delete:
    width = draw(st.sampled_from([1, 4, 8, 255]))
    spis = draw(st.lists(st.binary(min_size=width, max_size=width), max_size=4))
    return p.Delete(draw(U8), width, tuple(spis))


PAYLOADS: st.SearchStrategy[p.Payload] = st.one_of(
    st.builds(p.SecurityAssociation, st.lists(PROPOSALS, min_size=1, max_size=4).map(tuple)),
    st.builds(p.KeyExchange, U16, SHORT),
    st.builds(p.IdentificationInitiator, U8, SHORT),
    st.builds(p.IdentificationResponder, U8, SHORT),
    st.builds(p.Certificate, U8, SHORT),
    st.builds(p.CertificateRequest, U8, SHORT),
    st.builds(p.Authentication, U8, SHORT),
    st.builds(p.Nonce, SHORT),
    st.builds(p.Notify, U16, SHORT, U8, SHORT),
    _deletes(),
    st.builds(p.Delete, U8),
    st.builds(p.VendorId, SHORT),
    st.builds(p.TrafficSelectorsInitiator, SELECTORS),
    st.builds(p.TrafficSelectorsResponder, SELECTORS),
    st.builds(
        p.Configuration,
        U8,
        st.lists(st.builds(p.ConfigurationAttribute, st.integers(0, 0x7FFF), SHORT), max_size=3).map(tuple),
    ),
    st.builds(p.Eap, SHORT),
    st.builds(p.UnknownPayload, UNKNOWN_TYPES, SHORT),
)
SEALED: st.SearchStrategy[list[p.Payload]] = st.one_of(
    st.just([]),
    st.lists(st.builds(p.Encrypted, U8, SHORT), min_size=1, max_size=1),
    st.lists(st.builds(p.EncryptedFragment, U8, U16, U16, SHORT), min_size=1, max_size=1),
)
CHAINS = st.builds(lambda plain, sealed: plain + sealed, st.lists(PAYLOADS, max_size=6), SEALED)


def _header(exchange: int = ExchangeType.IKE_SA_INIT, response: bool = False) -> IkeHeader:
    return new_header(exchange, 7, spi_i=b"initiate", spi_r=b"response", from_initiator=True, response=response)


@given(CHAINS)
def test_what_is_built_parses_to_the_same(chain: list[p.Payload]) -> None:
    built = build_message(_header(), chain)
    parsed = parse_message(built.octets)
    assert parsed == built
    assert parsed.payloads == tuple(chain)
    assert parsed.bodies == tuple(payload.encode() for payload in chain)


@given(CHAINS)
@settings(max_examples=25)
def test_every_truncation_is_refused_and_nothing_else_escapes(chain: list[p.Payload]) -> None:
    octets = build_message(_header(), chain).octets
    for cut in range(len(octets)):
        with pytest.raises(MalformedError):
            parse_message(octets[:cut])
        if cut >= HEADER_BYTES:
            # With the length field made right the chain ends early.
            with contextlib.suppress(ProtocolError):
                parse_message(octets[:24] + cut.to_bytes(4) + octets[28:cut])


@given(CHAINS, st.lists(st.tuples(st.integers(HEADER_BYTES, 4000), U8), min_size=1, max_size=5))
@settings(max_examples=300)
def test_changed_octets_cause_protocol_errors_only(chain: list[p.Payload], changes: list[tuple[int, int]]) -> None:
    octets = bytearray(build_message(_header(), chain).octets)
    for position, value in changes:
        octets[position % len(octets)] = value
    octets[24:28] = len(octets).to_bytes(4)
    try:
        message = parse_message(bytes(octets))
    except ProtocolError:
        return
    # What parses can be written, and is then read as the same.
    first, written, _ = encode_chain(message.payloads)
    assert parse_chain(first, written)[0] == message.payloads


@given(U8, st.binary(max_size=200))
@settings(max_examples=300)
def test_any_octets_cause_protocol_errors_only(first: int, octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        parse_chain(first, octets)


def test_an_unknown_critical_payload_refuses_the_message() -> None:
    built = build_message(_header(), [p.Nonce(bytes(16)), p.UnknownPayload(200, b"x", is_critical=True)])
    with pytest.raises(ProtocolError) as caught:
        parse_message(built.octets)
    assert caught.value.notify == NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD
    assert caught.value.data == bytes([200])


def test_a_known_payload_is_read_whatever_its_critical_bit() -> None:
    octets = bytearray(build_message(_header(), [p.Nonce(bytes(16))]).octets)
    octets[HEADER_BYTES + 1] = 0xFF
    assert parse_message(bytes(octets)).payloads == (p.Nonce(bytes(16)),)


@pytest.mark.parametrize("number", [*range(1, 14), 20, 21, 130, 131, 132])
def test_payload_numbers_of_version_1_are_unknown_payloads(number: int) -> None:
    """CVE-2015-3991: a number of the other version must not become a payload of this one."""
    built = build_message(_header(), [p.UnknownPayload(number, bytes(20))])
    (payload,) = parse_message(built.octets).payloads
    assert payload == p.UnknownPayload(number, bytes(20))


def test_reserved_octets_are_ignored_and_still_in_the_body_as_received() -> None:
    octets = bytearray(build_message(_header(), [p.IdentificationInitiator(2, b"moon")]).octets)
    octets[HEADER_BYTES + 5 : HEADER_BYTES + 8] = b"\x01\x02\x03"
    message = parse_message(bytes(octets))
    identity = message.one(p.IdentificationInitiator)
    assert identity == p.IdentificationInitiator(2, b"moon")
    assert message.body(identity) == b"\x02\x01\x02\x03moon"


@pytest.mark.parametrize("length", range(4))
def test_a_payload_shorter_than_its_header_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        parse_chain(PayloadType.V, bytes([PayloadType.V, 0, 0, length]) * 10)


def test_payloads_are_bounded() -> None:
    chain: list[p.Payload] = [p.VendorId(b"")] * (MAX_PAYLOADS + 1)
    first, octets, _ = encode_chain(chain)
    with pytest.raises(MalformedError, match="more than"):
        parse_chain(first, octets)


def test_proposals_and_transforms_are_bounded() -> None:
    offers = tuple(Proposal(1, 1, b"", ()) for _ in range(MAX_PROPOSALS + 1))
    with pytest.raises(MalformedError, match="too many"):
        p.SecurityAssociation.decode(p.SecurityAssociation(offers).encode())
    offers = tuple(Proposal(number, 1, b"", (Transform(1, 1),) * 255) for number in range(1, 6))
    with pytest.raises(MalformedError, match="too many"):
        p.SecurityAssociation.decode(p.SecurityAssociation(offers).encode())


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (p.SecurityAssociation, ""),
        (p.SecurityAssociation, "00000008 01010000 ff"),  # an octet too many
        (p.SecurityAssociation, "00000007 01010000"),  # shorter than its fixed part
        (p.SecurityAssociation, "00000009 01010000 00"),  # octets where no transform is
        (p.SecurityAssociation, "02000008 01010000"),  # another is said to follow
        (p.SecurityAssociation, "01000008 01010000"),  # Last Substruc of neither kind
        (p.SecurityAssociation, "00000008 01010001"),  # a transform without octets
        (p.SecurityAssociation, "00000008 01010400"),  # an SPI without octets
        (p.SecurityAssociation, "00000010 01010001 03000008 0100000c"),  # a further transform is said to follow
        (p.SecurityAssociation, "00000010 01010001 00000007 0100000c"),  # a transform too short
        (p.SecurityAssociation, "00000010 01010001 00000009 0100000c"),  # and too long
        (p.SecurityAssociation, "00000012 01010001 0000000a 0100000c 800e"),  # half an attribute
        (p.SecurityAssociation, "00000014 01010001 0000000c 0100000c 000e0002"),  # an attribute without its value
        (p.Delete, "0304ffff"),
        (p.Delete, "03040001 00000001 ff"),
        (p.Delete, "03000001 0000"),
        (p.Notify, "03ff4000"),
        (p.Configuration, "01000000 00010005 61"),
        (p.TrafficSelectorsInitiator, "010000"),
        (p.TrafficSelectorsInitiator, "01000000"),
        (p.TrafficSelectorsInitiator, "02000000 07000010 0000ffff 0a000001 0a0000ff"),
        (p.TrafficSelectorsInitiator, "00000000 07000010 0000ffff 0a000001 0a0000ff"),
        (p.TrafficSelectorsInitiator, "01000000 08000010 0000ffff 0a000001 0a0000ff"),
        (p.TrafficSelectorsInitiator, "01000000 07000000 0000ffff 0a000001 0a0000ff"),
        (p.TrafficSelectorsInitiator, "01000000 07000014 0000ffff 0a000001 0a0000ff 00000000"),
    ],
)
def test_substructures_with_contradicting_lengths_are_refused(kind: type[p.Payload], body: str) -> None:
    with pytest.raises(MalformedError):
        kind.decode(bytes.fromhex(body))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 255])
@pytest.mark.parametrize("width", [0, 3, 8, 255])
def test_notify_and_delete_of_any_protocol_and_spi_size_parse(protocol: int, width: int) -> None:
    """CVE-2023-38710: whether they make sense is judged later; here nothing may fail."""
    notify = p.Notify(NotifyType.REKEY_SA, b"", protocol, bytes(width))
    assert p.Notify.decode(notify.encode()) == notify
    delete = p.Delete.decode(bytes([protocol, width, 0, 2]) + bytes(2 * width))
    assert delete.spi_bytes == width
    assert delete.spis == ((bytes(width),) * 2 if width else ())


def test_a_second_key_length_is_an_attribute_that_is_not_understood() -> None:
    body = bytes.fromhex("00000018 01010001 00000010 0100000c 800e0080 800e0100")
    (proposal,) = p.SecurityAssociation.decode(body).proposals
    assert proposal.transforms == (Transform(1, 12, 128, (TransformAttribute(14, b"\x01\x00", True),)),)


def test_one_asks_for_exactly_one() -> None:
    message = build_message(_header(), [p.Nonce(b"a" * 16), p.Nonce(b"b" * 16), p.Notify(NotifyType.COOKIE, b"c")])
    kinds: list[type[p.Payload]] = [p.Nonce, p.KeyExchange]
    for kind in kinds:
        with pytest.raises(MalformedError) as caught:
            message.one(kind)
        assert caught.value.notify == NotifyType.INVALID_SYNTAX
    assert message.one(p.Notify).data == b"c"
    assert message.first(p.Nonce) == p.Nonce(b"a" * 16)
    assert message.first(p.KeyExchange) is None
    assert message.notify(NotifyType.COOKIE) == p.Notify(NotifyType.COOKIE, b"c")
    assert message.notify(NotifyType.REDIRECT) is None
    assert message.error is None
    assert message.name == "IKE_SA_INIT request 7"


def test_a_payload_that_is_too_long_is_not_written() -> None:
    with pytest.raises(MalformedError):
        build_message(_header(), [p.VendorId(bytes(65532))])
    with pytest.raises(MalformedError):
        p.Notify(70000).encode()
