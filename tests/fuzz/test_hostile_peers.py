"""A peer that is authenticated and then says anything that parses: well-formed payloads in every combination.

Where octets that were changed at random mostly fail to parse, these get as far as the exchanges themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecbench.ike.association import Association
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.v1.attributes import Attribute
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa
from ipsecbench.ike.v1.message import AnyPayload
from ipsecbench.ike.v1.payloads import (
    CertificatePayload,
    DeletePayload,
    IdPayload,
    NotificationPayload,
    OctetsPayload,
)
from ipsecbench.ike.v1.payloads import UnknownPayload as V1UnknownPayload
from ipsecbench.ike.v1.proposals import Proposal as V1Proposal
from ipsecbench.ike.v1.proposals import SaPayload, make_transform
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.ike_sa import IkeSa
from ipsecbench.ike.v2.payloads import (
    Authentication,
    Certificate,
    Configuration,
    Delete,
    Eap,
    IdentificationInitiator,
    IdentificationResponder,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    TrafficSelectorsInitiator,
    TrafficSelectorsResponder,
    UnknownPayload,
    VendorId,
)
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector
from ipsecbench.ike.v2.transforms import Proposal, Transform
from tests.attacks.aftermath import still_serves
from tests.attacks.hostile import HostileV1, HostileV2
from tests.attacks.world import End, World, cryptography

EXAMPLES = int(os.environ.get("IPSECBENCH_FUZZ_EXAMPLES", "150"))
pytestmark = [pytest.mark.fuzz, pytest.mark.slow]

SPI_OF_TARGET, SPI_OF_PEER, SPI_OF_NOBODY, NO_SPI = b"\1TGT", b"\1PER", b"\1NOB", b""
"""Stand for the SPIs of the first Child SA until the world is known."""
_SPIS = st.sampled_from((SPI_OF_TARGET, SPI_OF_PEER, SPI_OF_NOBODY, NO_SPI, b"12345678"))
_PROTOCOLS = st.sampled_from((0, 1, 2, 3, 4))

_ENCR, _GCM, _INTEG, _PRF, _KE, _SN, _ADDKE = (
    Transform(1, 12, 128),
    Transform(1, 20, 128),
    Transform(3, 12),
    Transform(2, 5),
    Transform(4, 31),
    Transform(5, 0),
    Transform(6, 19),
)
_TRANSFORMS = st.lists(
    st.sampled_from((_ENCR, _GCM, _INTEG, _PRF, _KE, _SN, _ADDKE, Transform(4, 14), Transform(4, 0), Transform(9, 1))),
    max_size=7,
    unique=True,
)
_GOOD_PROPOSALS = st.sampled_from(
    (
        Proposal(1, 1, b"12345678", (_ENCR, _INTEG, _PRF, _KE)),
        Proposal(1, 1, b"", (_ENCR, _INTEG, _PRF, _KE)),
        Proposal(1, 1, b"87654321", (_ENCR, _INTEG, _PRF, _KE, _ADDKE)),
        Proposal(1, 3, SPI_OF_PEER, (_ENCR, _INTEG, _SN)),
        Proposal(1, 3, SPI_OF_NOBODY, (_ENCR, _INTEG, _KE, _SN)),
        Proposal(1, 3, SPI_OF_NOBODY, (_ENCR, _INTEG, _KE, _ADDKE, _SN)),
        Proposal(1, 3, SPI_OF_TARGET, (_ENCR, _INTEG, _SN)),
    )
)
_PROPOSALS = st.lists(
    _GOOD_PROPOSALS
    | st.builds(lambda protocol, spi, rows: Proposal(1, protocol, spi, tuple(rows)), _PROTOCOLS, _SPIS, _TRANSFORMS),
    min_size=1,
    max_size=3,
)
_PUBLIC = cryptography().key_exchange("x25519").generate().public
_NIST = cryptography().key_exchange("ecp256").generate().public


def _selector(first: int, last: int, protocol: int = 0, port: int = 0xFFFF) -> WireTrafficSelector:
    return WireTrafficSelector(7, protocol, 0, port, first.to_bytes(4), last.to_bytes(4))


_SELECTORS = st.lists(
    st.sampled_from(
        (
            _selector(0x0A010000, 0x0A01FFFF),
            _selector(0x0A020000, 0x0A02FFFF),
            _selector(0, 0xFFFFFFFF),
            _selector(0x0A010001, 0x0A010001, 6, 23),
            _selector(5, 4),
            WireTrafficSelector(8, 0, 0, 0xFFFF, bytes(16), b"\xff" * 16),
            WireTrafficSelector(9, 0, other=b"x" * 12),
        )
    ),
    max_size=4,
).map(tuple)
_NOTIFY_TYPES = st.sampled_from([int(each) for each in NotifyType] + [0, 8191, 16383, 40000, 65535])
_DATA = st.sampled_from((b"", b"\0", b"\0\x1f", b"\0\x0e", b"\4\1", b"x" * 8, b"x" * 64)) | st.binary(max_size=40)

V2_PAYLOADS: st.SearchStrategy[Payload] = st.one_of(
    st.builds(lambda rows: SecurityAssociation(tuple(rows)), _PROPOSALS),
    st.sampled_from(
        (KeyExchange(31, _PUBLIC), KeyExchange(19, _NIST), KeyExchange(14, bytes(256)), KeyExchange(0, b""))
    ),
    st.builds(KeyExchange, st.sampled_from((0, 14, 19, 31, 35, 1025)), _DATA),
    st.sampled_from((16, 32, 256, 0, 15, 257)).map(lambda count: Nonce(bytes(count))),
    st.builds(TrafficSelectorsInitiator, _SELECTORS),
    st.builds(TrafficSelectorsResponder, _SELECTORS),
    st.builds(Notify, _NOTIFY_TYPES, _DATA, _PROTOCOLS, _SPIS),
    st.builds(lambda spi: Notify(NotifyType.REKEY_SA, b"", 3, spi), _SPIS),
    st.builds(
        lambda protocol, spis: Delete(protocol, 4, tuple(spis)),
        _PROTOCOLS,
        st.lists(_SPIS.filter(lambda spi: len(spi) == 4), max_size=4),
    ),
    st.just(Delete(1)),
    st.builds(IdentificationInitiator, st.integers(0, 12), _DATA),
    st.builds(IdentificationResponder, st.integers(0, 12), _DATA),
    st.builds(Authentication, st.integers(0, 15), _DATA),
    st.builds(Certificate, st.integers(0, 15), _DATA),
    st.just(Configuration(1)),
    st.builds(Eap, _DATA),
    st.builds(VendorId, _DATA),
    st.builds(UnknownPayload, st.integers(54, 255), _DATA, st.booleans()),
)
_ESP_REQUEST: list[Payload] = [
    SecurityAssociation((Proposal(1, 3, SPI_OF_NOBODY, (_ENCR, _INTEG, _KE, _SN)),)),
    Nonce(b"n" * 32),
    KeyExchange(31, _PUBLIC),
    TrafficSelectorsInitiator((_selector(0x0A010000, 0x0A01FFFF),)),
    TrafficSelectorsResponder((_selector(0x0A020000, 0x0A02FFFF),)),
]
_IKE_REQUEST: list[Payload] = [
    SecurityAssociation((Proposal(1, 1, b"12345678", (_ENCR, _INTEG, _PRF, _KE)),)),
    Nonce(b"n" * 32),
    KeyExchange(31, _PUBLIC),
]
_BEGINNINGS: st.SearchStrategy[list[Payload]] = st.sampled_from(
    (
        [],
        _ESP_REQUEST,
        [Notify(NotifyType.REKEY_SA, b"", 3, SPI_OF_PEER), *_ESP_REQUEST],
        _IKE_REQUEST,
        [Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, b"x"), KeyExchange(19, _NIST)],
    )
)
V2_CONTENTS = st.builds(
    lambda first, more, cut: [*first, *more][: cut or None],
    _BEGINNINGS,
    st.lists(V2_PAYLOADS, max_size=4),
    st.sampled_from((0, 0, 0, 1, 2, 3)),
)

V1_ID = st.builds(
    IdPayload,
    st.sampled_from((1, 2, 4, 4, 4, 5, 6, 7, 9, 11)),
    st.sampled_from((b"", bytes((10, 1, 0, 0, 255, 255, 0, 0)), bytes((10, 2, 0, 0, 255, 255, 0, 0)), b"\x0a\1\0\1")),
)
_V1_ATTRIBUTES = st.lists(
    st.builds(
        Attribute, st.sampled_from((1, 2, 3, 4, 5, 6, 11)), st.sampled_from((0, 1, 2, 3, 5, 14, 19, 128, 3600, 1 << 20))
    ),
    max_size=8,
)
_V1_GOOD = [Attribute(4, 1), Attribute(5, 5), Attribute(6, 128), Attribute(1, 1), Attribute(2, 3600)]


def _v1_sa(protocol: int, spi: bytes, number: int, rows: list[Attribute]) -> AnyPayload:
    return SaPayload((V1Proposal(1, protocol, spi, (make_transform(1, number, rows),)),))


V1_PAYLOADS: st.SearchStrategy[AnyPayload] = st.one_of(
    st.builds(_v1_sa, _PROTOCOLS, _SPIS, st.sampled_from((3, 11, 12, 12, 20)), st.just(_V1_GOOD) | _V1_ATTRIBUTES),
    V1_ID,
    st.builds(OctetsPayload, st.sampled_from((4, 8, 9, 10, 10, 13, 20)), _DATA),
    st.builds(CertificatePayload, st.sampled_from((6, 7)), st.integers(0, 10), _DATA),
    st.builds(
        lambda protocol, spi, kind, data: NotificationPayload(protocol, spi, kind, data),
        _PROTOCOLS,
        _SPIS,
        st.sampled_from((0, 7, 14, 16, 18, 23, 24, 24576, 24577, 24578, 36136, 36137, 65535)),
        _DATA,
    ),
    st.builds(lambda protocol, spi: DeletePayload(protocol, (spi,) * 2), _PROTOCOLS, _SPIS.filter(bool)),
    st.builds(V1UnknownPayload, st.integers(133, 255), _DATA),
)
_V1_QUICK: list[AnyPayload] = [
    _v1_sa(3, SPI_OF_NOBODY, 12, _V1_GOOD),
    OctetsPayload(10, b"n" * 32),
    IdPayload(4, bytes((10, 1, 0, 0, 255, 255, 0, 0))),
    IdPayload(4, bytes((10, 2, 0, 0, 255, 255, 0, 0))),
]
V1_CONTENTS = st.builds(
    lambda first, more, cut: [*first, *more][: cut or None],
    st.sampled_from(([], _V1_QUICK)),
    st.lists(V1_PAYLOADS, min_size=1, max_size=4),
    st.sampled_from((0, 0, 1, 2, 3)),
)

ORDERS: tuple[Callable[[Association, float], Any], ...] = (
    lambda sa, now: sa.rekey(now),
    lambda sa, now: sa.create_child_sa("net", now),
    lambda sa, now: sa.check_liveness(now),
    lambda sa, now: _first(sa, sa.rekey_child_sa, now),
    lambda sa, now: _first(sa, sa.delete_child_sa, now),
    lambda sa, now: sa.delete(now),
)
"""What the target may be doing meanwhile."""


def _first(sa: Association, action: Callable[[bytes, float], None], now: float) -> None:
    for child in sa.child_sas[:1]:
        action(child.inbound_spi, now)


def _ordering(number: int, order: int, now: float) -> Callable[[Endpoint], None]:
    return lambda endpoint: endpoint.order(number, lambda sa: ORDERS[order](sa, now))


def _with_spis(payloads: list[Any], world: World, target: End) -> list[Any]:
    """The payloads with the SPIs of this world."""
    children = target.endpoint.child_sas
    if not children:
        return payloads
    names = {SPI_OF_TARGET: children[0].inbound_spi, SPI_OF_PEER: children[0].outbound_spi}
    found: list[Any] = []
    for each in payloads:
        if isinstance(each, Delete):
            each = Delete(each.protocol, each.spi_bytes, tuple(names.get(spi, spi) for spi in each.spis))
        elif isinstance(each, DeletePayload):
            each = DeletePayload(each.protocol, tuple(names.get(spi, spi) for spi in each.spis))
        elif isinstance(each, Notify):
            each = Notify(each.message_type, each.data, each.protocol, names.get(each.spi, each.spi))
        found.append(each)
    return found


_SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 1000,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_V2_MOVES = st.lists(
    st.tuples(
        st.sampled_from(("request", "request", "answer", "order", "sleep")),
        st.sampled_from((36, 36, 36, 37, 37, 35, 43, 44)),
        V2_CONTENTS,
        st.integers(0, len(ORDERS) - 1),
        st.integers(-1, 1),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("hostile_responder", [False, True])
def test_ikev2(hostile_responder: bool) -> None:
    @_SETTINGS
    @given(_V2_MOVES)
    def attack(moves: list[Any]) -> None:
        world = World(2, esp="aes128-sha256-x25519-none").establish()
        peer = HostileV2(world, world.responder if hostile_responder else world.initiator)
        target = peer.target
        for what, exchange_type, contents, order, offset in moves:
            payloads = _with_spis(contents, world, target)
            sas = [sa for sa in target.endpoint.associations() if isinstance(sa, IkeSa) and sa.spi_i == peer.sa.spi_i]
            if what == "sleep":
                world.now += 3.0
                world._at(target, lambda endpoint: endpoint.handle_timeout(world.now))
            elif not sas:
                continue
            elif what == "order":
                number = sas[0].unique_id
                world._at(target, _ordering(number, order, world.now))
            elif what == "request":
                expected = max(0, sas[0].channel.responses.expected + (offset if order == 0 else 0))
                world.feed(target, peer.message(exchange_type, payloads, message_id=expected))
            else:
                outstanding = sas[0].channel.requests.outstanding
                if outstanding is not None:
                    kind = outstanding.exchange_type if order else exchange_type
                    world.feed(target, peer.message(kind, payloads, message_id=outstanding.message_id, response=True))
            target.sent.clear()
        peer.end.endpoint.shut_down(world.now)
        peer.end.collect()
        peer.end.sent.clear()
        _aftermath(world, hostile_responder)

    attack()


_V1_MOVES = st.lists(
    st.tuples(
        st.sampled_from(("message", "message", "message", "order", "sleep")),
        st.sampled_from((5, 5, 32, 32, 32, 2, 4, 6)),
        V1_CONTENTS,
        st.integers(0, len(ORDERS) - 1),
        st.sampled_from((None, None, None, 0, 7, 7, 8)),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("hostile_responder", [False, True])
def test_ikev1(hostile_responder: bool) -> None:
    @_SETTINGS
    @given(_V1_MOVES)
    def attack(moves: list[Any]) -> None:
        world = World(1).establish()
        peer = HostileV1(world, world.responder if hostile_responder else world.initiator)
        target = peer.target
        for what, exchange_type, contents, order, message_id in moves:
            payloads = _with_spis(contents, world, target)
            sas = [
                sa for sa in target.endpoint.associations() if isinstance(sa, IsakmpSa) and sa.spi_i == peer.sa.spi_i
            ]
            if what == "sleep":
                world.now += 3.0
                world._at(target, lambda endpoint: endpoint.handle_timeout(world.now))
            elif not sas:
                continue
            elif what == "order":
                number = sas[0].unique_id
                world._at(target, _ordering(number, order, world.now))
            elif payloads:
                peer.send(exchange_type, payloads, message_id=message_id)
            target.sent.clear()
        peer.end.endpoint.shut_down(world.now)
        peer.end.collect()
        peer.end.sent.clear()
        _aftermath(world, hostile_responder)

    attack()


def _aftermath(world: World, hostile_responder: bool) -> None:
    """The peer is gone; after all lives have ended, nothing of it is left. A hostile responder serves nobody."""
    if not hostile_responder:
        still_serves(world)
        return
    other = World(world.version, seed=7, **world.options)
    other.initiator, other.now = world.initiator, world.now
    still_serves(other)
