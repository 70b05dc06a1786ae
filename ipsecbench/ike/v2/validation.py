"""Which payloads each message must and may have (RFC 7296 sections 1.2 to 1.5 and appendix C), as a table.

A message has one of the shapes that its exchange and direction allow. An exchange that has the shape of a message
knows which payloads are there, and never has to ask for one that may be missing. Payloads that a shape does not
name are ignored, Notify, Vendor ID and unknown ones among them, as a receiver should.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from ipsecbench.errors import MalformedError
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType, PayloadType, name_of
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Nonce

MIN_NONCE_BYTES = 16
"""RFC 7296 section 3.9."""
MAX_NONCE_BYTES = 256
"""RFC 7296 section 3.9."""


class Shape(Enum):
    """What a message is, by its payloads."""

    INIT_REQUEST = "IKE_SA_INIT request"
    INIT_RESPONSE = "IKE_SA_INIT response"
    INIT_REFUSAL = "IKE_SA_INIT response that asks for another request or refuses"
    AUTH_REQUEST = "IKE_AUTH request with a Child SA"
    AUTH_CHILDLESS_REQUEST = "IKE_AUTH request without a Child SA"
    AUTH_EAP_REQUEST = "IKE_AUTH request without AUTH, which asks for EAP"
    AUTH_RESPONSE = "IKE_AUTH response with a Child SA"
    AUTH_CHILDLESS_RESPONSE = "IKE_AUTH response without a Child SA"
    AUTH_REFUSAL = "IKE_AUTH response that refuses"
    CREATE_CHILD_REQUEST = "CREATE_CHILD_SA request for a Child SA"
    CREATE_CHILD_RESPONSE = "CREATE_CHILD_SA response with a Child SA"
    REKEY_IKE_REQUEST = "CREATE_CHILD_SA request that rekeys the IKE SA"
    REKEY_IKE_RESPONSE = "CREATE_CHILD_SA response that rekeys the IKE SA"
    CREATE_CHILD_REFUSAL = "CREATE_CHILD_SA response that refuses"
    INFORMATIONAL = "INFORMATIONAL message"
    INTERMEDIATE_REQUEST = "IKE_INTERMEDIATE request"
    INTERMEDIATE_RESPONSE = "IKE_INTERMEDIATE response"
    FOLLOWUP_KE_REQUEST = "IKE_FOLLOWUP_KE request"
    FOLLOWUP_KE_RESPONSE = "IKE_FOLLOWUP_KE response"
    FOLLOWUP_KE_REFUSAL = "IKE_FOLLOWUP_KE response that refuses"


@dataclass(frozen=True, slots=True)
class Count:
    """How often a payload stands in a message."""

    least: int
    """Fewer are too few."""
    most: int
    """More are too many."""


ONE = Count(1, 1)
"""Exactly once."""
OPTIONAL = Count(0, 1)
"""At most once."""
NONE = Count(0, 0)
"""Never."""
SOME = Count(1, 64)
"""At least once."""

_SA, _KE, _NONCE, _AUTH = PayloadType.SA, PayloadType.KE, PayloadType.NONCE, PayloadType.AUTH
_IDI, _IDR, _TSI, _TSR = PayloadType.IDI, PayloadType.IDR, PayloadType.TSI, PayloadType.TSR
_NOTIFY, _CP = PayloadType.N, PayloadType.CP
_CHILD = {_SA: ONE, _TSI: ONE, _TSR: ONE}
_NO_CHILD = {_SA: NONE, _TSI: NONE, _TSR: NONE}

SHAPES: Mapping[Shape, Mapping[PayloadType, Count]] = MappingProxyType(
    {
        Shape.INIT_REQUEST: {_SA: ONE, _KE: ONE, _NONCE: ONE},
        Shape.INIT_RESPONSE: {_SA: ONE, _KE: ONE, _NONCE: ONE},
        Shape.INIT_REFUSAL: {_SA: NONE, _KE: NONE, _NOTIFY: SOME},
        Shape.AUTH_REQUEST: {_IDI: ONE, _IDR: OPTIONAL, _AUTH: ONE, _CP: OPTIONAL, **_CHILD},
        Shape.AUTH_CHILDLESS_REQUEST: {_IDI: ONE, _IDR: OPTIONAL, _AUTH: ONE, _CP: OPTIONAL, **_NO_CHILD},
        Shape.AUTH_EAP_REQUEST: {_IDI: ONE, _IDR: OPTIONAL, _AUTH: NONE},
        Shape.AUTH_RESPONSE: {_IDR: ONE, _AUTH: ONE, _CP: OPTIONAL, **_CHILD},
        Shape.AUTH_CHILDLESS_RESPONSE: {_IDR: ONE, _AUTH: ONE, **_NO_CHILD},
        Shape.AUTH_REFUSAL: {_AUTH: NONE, _NOTIFY: SOME},
        Shape.CREATE_CHILD_REQUEST: {_NONCE: ONE, _KE: OPTIONAL, _CP: OPTIONAL, **_CHILD},
        Shape.CREATE_CHILD_RESPONSE: {_NONCE: ONE, _KE: OPTIONAL, _CP: OPTIONAL, **_CHILD},
        Shape.REKEY_IKE_REQUEST: {_SA: ONE, _NONCE: ONE, _KE: ONE, _TSI: NONE, _TSR: NONE},
        Shape.REKEY_IKE_RESPONSE: {_SA: ONE, _NONCE: ONE, _KE: ONE, _TSI: NONE, _TSR: NONE},
        Shape.CREATE_CHILD_REFUSAL: {_SA: NONE, _NOTIFY: SOME},
        Shape.INFORMATIONAL: {_CP: OPTIONAL},
        Shape.INTERMEDIATE_REQUEST: {_KE: OPTIONAL},
        Shape.INTERMEDIATE_RESPONSE: {_KE: OPTIONAL},
        Shape.FOLLOWUP_KE_REQUEST: {_KE: ONE},
        Shape.FOLLOWUP_KE_RESPONSE: {_KE: ONE},
        # strongSwan 6 answers with nothing at all when it no longer waits, because its own exchange counts.
        Shape.FOLLOWUP_KE_REFUSAL: {_KE: NONE},
    }
)
"""How often the payloads that matter stand in a message of each shape."""

REQUEST, RESPONSE = False, True

ALLOWED: Mapping[tuple[int, bool], tuple[Shape, ...]] = MappingProxyType(
    {
        (ExchangeType.IKE_SA_INIT, REQUEST): (Shape.INIT_REQUEST,),
        (ExchangeType.IKE_SA_INIT, RESPONSE): (Shape.INIT_RESPONSE, Shape.INIT_REFUSAL),
        (ExchangeType.IKE_AUTH, REQUEST): (
            Shape.AUTH_REQUEST,
            Shape.AUTH_CHILDLESS_REQUEST,
            Shape.AUTH_EAP_REQUEST,
        ),
        (ExchangeType.IKE_AUTH, RESPONSE): (
            Shape.AUTH_RESPONSE,
            Shape.AUTH_CHILDLESS_RESPONSE,
            Shape.AUTH_REFUSAL,
        ),
        (ExchangeType.CREATE_CHILD_SA, REQUEST): (Shape.CREATE_CHILD_REQUEST, Shape.REKEY_IKE_REQUEST),
        (ExchangeType.CREATE_CHILD_SA, RESPONSE): (
            Shape.CREATE_CHILD_RESPONSE,
            Shape.REKEY_IKE_RESPONSE,
            Shape.CREATE_CHILD_REFUSAL,
        ),
        (ExchangeType.INFORMATIONAL, REQUEST): (Shape.INFORMATIONAL,),
        (ExchangeType.INFORMATIONAL, RESPONSE): (Shape.INFORMATIONAL,),
        (ExchangeType.IKE_INTERMEDIATE, REQUEST): (Shape.INTERMEDIATE_REQUEST,),
        (ExchangeType.IKE_INTERMEDIATE, RESPONSE): (Shape.INTERMEDIATE_RESPONSE,),
        (ExchangeType.IKE_FOLLOWUP_KE, REQUEST): (Shape.FOLLOWUP_KE_REQUEST,),
        (ExchangeType.IKE_FOLLOWUP_KE, RESPONSE): (Shape.FOLLOWUP_KE_RESPONSE, Shape.FOLLOWUP_KE_REFUSAL),
    }
)
"""The shapes that a message of an exchange and direction may have; the first that fits is the one."""

_CHECKS: Mapping[Shape, tuple[tuple[int, int, int], ...]] = {
    shape: tuple((int(kind), count.least, count.most) for kind, count in counts.items())
    for shape, counts in SHAPES.items()
}
"""The same as :data:`SHAPES`, quicker to go through."""


def validate(message: Message) -> Shape:
    """The shape of a message that is not, or no longer, encrypted.

    Raises:
        MalformedError: a mandatory payload is missing, one is there too often, the exchange is not known here, or a
            nonce has a length that it must not have. To be answered with INVALID_SYNTAX where the message was
            protected, and with silence where it was not.
    """
    exchange, response = message.header.exchange_type, message.is_response
    shapes = ALLOWED.get((exchange, response))
    if shapes is None:
        raise MalformedError(f"{message.name}: the exchange is not known here", NotifyType.INVALID_SYNTAX)
    counts: dict[int, int] = {}
    for payload in message.payloads:
        counts[payload.type] = counts.get(payload.type, 0) + 1
    for shape in shapes:
        for kind, least, most in _CHECKS[shape]:
            if not least <= counts.get(kind, 0) <= most:
                break
        else:
            _check_nonces(message)
            return shape
    kind, least, most = next(
        (kind, least, most) for kind, least, most in _CHECKS[shapes[0]] if not least <= counts.get(kind, 0) <= most
    )
    found = counts.get(kind, 0)
    raise MalformedError(
        f"{message.name}: {found} payloads of type {name_of(PayloadType, kind)}, "
        f"{least if found < least else most} wanted",
        NotifyType.INVALID_SYNTAX,
    )


def _check_nonces(message: Message) -> None:
    for nonce in message.all(Nonce):
        if not MIN_NONCE_BYTES <= len(nonce.data) <= MAX_NONCE_BYTES:
            raise MalformedError(f"{message.name}: a nonce of {len(nonce.data)} octets", NotifyType.INVALID_SYNTAX)
