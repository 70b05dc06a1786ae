"""Which payloads each exchange must have: with each mandatory one missing or doubled (CVE-2013-6467)."""

from __future__ import annotations

import pytest

from ipsecbench.errors import MalformedError
from ipsecbench.ike.v2 import payloads as p
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType, PayloadType
from ipsecbench.ike.v2.message import Message, build_message, new_header
from ipsecbench.ike.v2.transforms import Proposal, Transform
from ipsecbench.ike.v2.validation import ALLOWED, SHAPES, Shape, validate

SA = p.SecurityAssociation((Proposal(1, 3, b"spi!", (Transform(1, 20, 128),)),))
KE = p.KeyExchange(31, bytes(32))
NONCE = p.Nonce(bytes(32))
IDI, IDR = p.IdentificationInitiator(2, b"moon"), p.IdentificationResponder(2, b"sun")
AUTH = p.Authentication(2, bytes(32))
TSI, TSR = p.TrafficSelectorsInitiator(()), p.TrafficSelectorsResponder(())
REFUSAL = p.Notify(NotifyType.NO_PROPOSAL_CHOSEN)
STATUS = p.Notify(NotifyType.INITIAL_CONTACT)
INIT, AUTHENTICATE = ExchangeType.IKE_SA_INIT, ExchangeType.IKE_AUTH
CREATE, INFORM = ExchangeType.CREATE_CHILD_SA, ExchangeType.INFORMATIONAL
FOLLOW, INTER = ExchangeType.IKE_FOLLOWUP_KE, ExchangeType.IKE_INTERMEDIATE

COMPLETE: dict[Shape, tuple[ExchangeType, bool, tuple[p.Payload, ...]]] = {
    Shape.INIT_REQUEST: (INIT, False, (SA, KE, NONCE)),
    Shape.INIT_RESPONSE: (INIT, True, (SA, KE, NONCE)),
    Shape.INIT_REFUSAL: (INIT, True, (REFUSAL,)),
    Shape.AUTH_REQUEST: (AUTHENTICATE, False, (IDI, AUTH, SA, TSI, TSR)),
    Shape.AUTH_CHILDLESS_REQUEST: (AUTHENTICATE, False, (IDI, AUTH)),
    Shape.AUTH_EAP_REQUEST: (AUTHENTICATE, False, (IDI, SA, TSI, TSR)),
    Shape.AUTH_RESPONSE: (AUTHENTICATE, True, (IDR, AUTH, SA, TSI, TSR)),
    Shape.AUTH_CHILDLESS_RESPONSE: (AUTHENTICATE, True, (IDR, AUTH)),
    Shape.AUTH_REFUSAL: (AUTHENTICATE, True, (REFUSAL,)),
    Shape.CREATE_CHILD_REQUEST: (CREATE, False, (SA, NONCE, TSI, TSR)),
    Shape.CREATE_CHILD_RESPONSE: (CREATE, True, (SA, NONCE, TSI, TSR)),
    Shape.REKEY_IKE_REQUEST: (CREATE, False, (SA, NONCE, KE)),
    Shape.REKEY_IKE_RESPONSE: (CREATE, True, (SA, NONCE, KE)),
    Shape.CREATE_CHILD_REFUSAL: (CREATE, True, (REFUSAL,)),
    Shape.INFORMATIONAL: (INFORM, False, ()),
    Shape.INTERMEDIATE_REQUEST: (INTER, False, (KE,)),
    Shape.INTERMEDIATE_RESPONSE: (INTER, True, (KE,)),
    Shape.FOLLOWUP_KE_REQUEST: (FOLLOW, False, (KE,)),
    Shape.FOLLOWUP_KE_RESPONSE: (FOLLOW, True, (KE,)),
    Shape.FOLLOWUP_KE_REFUSAL: (FOLLOW, True, (REFUSAL,)),
}


def _message(exchange: int, response: bool, payloads: tuple[p.Payload, ...]) -> Message:
    header = new_header(exchange, 1, spi_i=bytes(8), spi_r=bytes(8), from_initiator=True, response=response)
    return build_message(header, payloads)


def _shape(exchange: int, response: bool, payloads: tuple[p.Payload, ...]) -> Shape | None:
    try:
        return validate(_message(exchange, response, payloads))
    except MalformedError as error:
        return None if error.notify == NotifyType.INVALID_SYNTAX else Shape.INFORMATIONAL


def test_every_shape_is_in_the_table_and_in_this_test() -> None:
    assert set(COMPLETE) == set(Shape) == set(SHAPES)
    assert {shape for shapes in ALLOWED.values() for shape in shapes} == set(Shape)


@pytest.mark.parametrize("shape", Shape)
def test_a_complete_message_has_its_shape_whatever_stands_beside(shape: Shape) -> None:
    exchange, response, payloads = COMPLETE[shape]
    assert _shape(exchange, response, payloads) is shape
    beside = (STATUS, p.VendorId(b"other"), p.UnknownPayload(200, b""))
    assert _shape(exchange, response, (*beside, *reversed(payloads))) is shape


@pytest.mark.parametrize("shape", Shape)
def test_a_message_without_a_mandatory_payload_or_with_two_never_keeps_its_shape(shape: Shape) -> None:
    exchange, response, payloads = COMPLETE[shape]
    for index, payload in enumerate(payloads):
        count = SHAPES[shape].get(PayloadType(payload.type))
        if count is None or count.least == 0:
            continue
        assert _shape(exchange, response, payloads[:index] + payloads[index + 1 :]) is not shape
        if count.most == 1:
            assert _shape(exchange, response, (*payloads, payload)) is not shape


@pytest.mark.parametrize("missing", range(5))
def test_half_a_child_sa_is_refused(missing: int) -> None:
    payloads = tuple(x for i, x in enumerate((IDI, AUTH, SA, TSI, TSR)) if i != missing)
    expected = Shape.AUTH_EAP_REQUEST if missing == 1 else None
    assert _shape(AUTHENTICATE, False, payloads) is expected


@pytest.mark.parametrize("exchange", [0, 1, 2, 4, 32, 33, 38, 42, 45, 240, 255])
@pytest.mark.parametrize("response", [False, True])
def test_an_unknown_exchange_is_refused(exchange: int, response: bool) -> None:
    assert _shape(exchange, response, (SA, KE, NONCE)) is None


@pytest.mark.parametrize(("octets", "allowed"), [(0, False), (15, False), (16, True), (256, True), (257, False)])
def test_nonces_have_16_to_256_octets(octets: int, allowed: bool) -> None:
    assert (_shape(INIT, False, (SA, KE, p.Nonce(bytes(octets)))) is not None) == allowed
