"""What a peer must not send: before it is authenticated, after, and as somebody else altogether.

A hostile peer has the keys of its IKE SA and sends what it likes. Nothing raises; what is not authentic changes
nothing; what is authentic and wrong is refused, or ends the IKE SA where RFC 7296 section 2.21.3 wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ipsecbench.ike.association import Association
from ipsecbench.ike.events import ChildSaEstablished, IkeSaEstablished, IkeSaFailed
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2.exchanges.child_negotiation import offer_child
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType, PayloadType, ProtocolId
from ipsecbench.ike.v2.ike_sa import IkeSa
from ipsecbench.ike.v2.message import Message, build_message, parse_message
from ipsecbench.ike.v2.payloads import (
    Authentication,
    Delete,
    IdentificationInitiator,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    TrafficSelectorsInitiator,
    TrafficSelectorsResponder,
    UnknownPayload,
)
from ipsecbench.ike.v2.protection import IkeProtection
from ipsecbench.ike.v2.transforms import Proposal
from ipsecbench.ike.v2.transitions import State
from tests.exchanges.network import Flight, Network, Node
from tests.exchanges.scenes import assert_agreement, both, child, established, pair

EXCHANGES = (34, 35, 36, 37, 38, 43, 44, 0, 33, 240, 255)


def ike(sa: Association) -> IkeSa:
    assert isinstance(sa, IkeSa)
    return sa


def sealed(sa: IkeSa, exchange: int, payloads: Sequence[Payload], message_id: int | None = None) -> bytes:
    """A request as this end would send it, with any payloads."""
    number = sa.channel.requests.next_message_id if message_id is None else message_id
    assert sa.channel.protection is not None
    return sa.channel.protection.seal(sa.channel.header(exchange, number, response=False), payloads).octets


def send(network: Network, node: Node, sa: IkeSa, octets: bytes) -> list[Flight]:
    """Send octets to the peer of an IKE SA; what is answered."""
    network.under_way.clear()
    network.deliver(Flight(node.name, sa.path.local, sa.path.remote, octets))
    answers = list(network.under_way)
    network.under_way.clear()
    return answers


def opened(sa: IkeSa, flight: Flight) -> Message:
    """What this end makes of an answer."""
    assert sa.channel.protection is not None
    return sa.channel.protection.open(parse_message(flight.data))


def half_way() -> tuple[Network, Node, Node, IkeSa]:
    """A has the response to IKE_SA_INIT, B waits for IKE_AUTH."""
    network, a, b = pair()
    a.initiate()
    network.deliver()
    network.deliver()
    network.under_way.clear()
    return network, a, b, ike(a.endpoint.associations()[0])


# Before authentication.


@pytest.mark.parametrize("exchange", [number for number in EXCHANGES if number != ExchangeType.IKE_AUTH])
def test_nothing_but_ike_auth_is_taken_from_a_peer_that_is_not_authenticated(exchange: int) -> None:
    network, a, b, sa = half_way()
    payloads = [
        SecurityAssociation(first_offer(sa)),
        Nonce(bytes(32)),
        KeyExchange(31, bytes(32)),
        Delete(ProtocolId.IKE),
    ]
    answers = send(network, a, sa, sealed(sa, exchange, payloads, 1))
    if exchange == ExchangeType.IKE_INTERMEDIATE:
        # It could be taken, but no additional key exchange was agreed on.
        error = opened(sa, answers[0]).error
        assert error is not None
        assert error.message_type == NotifyType.INVALID_SYNTAX
        assert [event.is_initiator for event in b.of(IkeSaFailed)] == [False]
        return
    assert answers == []
    (answered,) = b.endpoint.associations()
    assert ike(answered).state is State.INIT_ANSWERED
    assert answered.half_open
    assert not b.of(IkeSaEstablished)
    # It goes on where it was.
    network.pass_time(1.0)
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sas


def first_offer(sa: IkeSa) -> tuple[Proposal, ...]:
    assert sa.setup is not None
    return sa.setup.offer


@pytest.mark.parametrize("exchange", [36, 37, 44])
def test_an_initiator_takes_no_requests_before_it_knows_the_responder(exchange: int) -> None:
    network, a, b = pair()
    a.initiate()
    network.deliver()
    network.deliver()
    network.deliver()
    # B has authenticated A, and asks at once; its answer is still under way.
    answer = network.under_way.popleft()
    sa = ike(b.sa)
    assert send(network, b, sa, sealed(sa, exchange, [Delete(ProtocolId.IKE)])) == []
    network.deliver(answer)
    assert_agreement(a, b)


def auth_payloads(network: Network, a: Node, sa: IkeSa) -> list[Payload]:
    """What A has sent in IKE_AUTH."""
    network.pass_time(1.0)
    request = network.under_way[0]
    network.under_way.clear()
    # A's own keys open it from the other side.
    assert sa.suite is not None
    assert sa.keys is not None
    environment = a.endpoint.environment
    protection = IkeProtection(
        environment.cryptography, sa.suite, sa.keys, is_initiator=False, random=environment.random
    )
    return list(protection.open(parse_message(request.data)).payloads)


def without(kind: type[Payload]) -> Callable[[list[Payload]], list[Payload]]:
    return lambda payloads: [payload for payload in payloads if not isinstance(payload, kind)]


def twice(kind: type[Payload]) -> Callable[[list[Payload]], list[Payload]]:
    return lambda payloads: payloads + [payload for payload in payloads if isinstance(payload, kind)]


MANDATORY = (
    IdentificationInitiator,
    Authentication,
    SecurityAssociation,
    TrafficSelectorsInitiator,
    TrafficSelectorsResponder,
)
Change = Callable[[list[Payload]], list[Payload]]

CHANGES: dict[str, Change] = {
    **{f"no {kind.__name__}": without(kind) for kind in MANDATORY},
    **{f"two {kind.__name__}": twice(kind) for kind in MANDATORY},
    "nothing": lambda _: [],
    "backwards": lambda payloads: payloads[::-1],
    "another identity": lambda payloads: [
        IdentificationInitiator(2, b"x" * 65000),
        *without(IdentificationInitiator)(payloads),
    ],
    "no identity": lambda payloads: [IdentificationInitiator(11, b""), *without(IdentificationInitiator)(payloads)],
    "an empty signature": lambda payloads: [*without(Authentication)(payloads), Authentication(14, b"")],
    "a signature of nothing": lambda payloads: [*without(Authentication)(payloads), Authentication(14, bytes(64))],
    "an empty MAC": lambda payloads: [*without(Authentication)(payloads), Authentication(2, b"")],
    "NULL authentication": lambda payloads: [*without(Authentication)(payloads), Authentication(13, bytes(32))],
    "a critical payload": lambda payloads: [*payloads, UnknownPayload(200, b"x", True)],
}


@pytest.mark.parametrize("what", CHANGES)
def test_ike_auth_with_payloads_missing_repeated_or_wrong(what: str) -> None:
    network, a, b, sa = half_way()
    payloads = CHANGES[what](auth_payloads(network, a, sa))
    answers = send(network, a, sa, sealed(sa, ExchangeType.IKE_AUTH, payloads, 1))
    if what == "backwards":
        # The order of payloads does not matter (RFC 7296 section 2.5).
        assert len(b.of(ChildSaEstablished)) == 1
        return
    (answer,) = answers
    answer_message = opened(sa, answer)
    assert answer_message.error is not None
    assert answer_message.error.message_type in (
        NotifyType.AUTHENTICATION_FAILED,
        NotifyType.INVALID_SYNTAX,
        NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
    )
    assert not b.sas
    assert not b.child_sas
    assert len(b.of(IkeSaFailed)) == 1
    network.pass_time(40.0)
    assert not b.endpoint.associations()


def test_payloads_outside_of_the_encrypted_one_are_not_looked_at() -> None:
    network, a, b, sa = half_way()
    octets = sealed(sa, ExchangeType.IKE_AUTH, auth_payloads(network, a, sa), 1)
    # The same payloads in the clear.
    message = parse_message(octets)
    clear = build_message(message.header, [Notify(NotifyType.INITIAL_CONTACT)])
    assert send(network, a, sa, clear.octets) == []
    assert b.causes() == ["unprotected-message"]
    send(network, a, sa, octets)
    assert b.sas


# After authentication.


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("content", ["empty", "delete", "unknown", "critical", "junk"])
def test_any_exchange_of_an_authenticated_peer(exchange: int, content: str) -> None:
    network, a, b = established()
    sa = ike(a.sa)
    payloads: dict[str, list[Payload]] = {
        "empty": [],
        "delete": [Delete(ProtocolId.IKE)],
        "unknown": [UnknownPayload(200, b"x")],
        "critical": [UnknownPayload(200, b"x", True)],
        "junk": [Nonce(b""), KeyExchange(0, b""), KeyExchange(65535, bytes(3000))],
    }
    answers = send(network, a, sa, sealed(sa, exchange, payloads[content]))
    assert len(answers) <= 1
    known = exchange in (ExchangeType.CREATE_CHILD_SA, ExchangeType.INFORMATIONAL, ExchangeType.IKE_FOLLOWUP_KE)
    assert bool(answers) is known
    if content == "critical" and known:
        error = opened(sa, answers[0]).error
        assert error is not None
        assert (error.message_type, error.data) == (NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, b"\xc8")
    if exchange == ExchangeType.INFORMATIONAL and content in ("empty", "unknown"):
        assert b.sas


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 255])
@pytest.mark.parametrize("spi_bytes", [0, 3, 4, 8, 255])
def test_rekeying_and_deletion_of_odd_spis(protocol: int, spi_bytes: int) -> None:
    network, a, b = established()
    sa, spi = ike(a.sa), bytes(spi_bytes)
    if protocol != ProtocolId.IKE:
        deleted = send(
            network, a, sa, sealed(sa, ExchangeType.INFORMATIONAL, [Delete(protocol, spi_bytes, (spi, spi))])
        )
        assert opened(sa, deleted[0]).payloads == ()
        sa.channel.requests.next_message_id += 1
    request = [
        Notify(NotifyType.REKEY_SA, b"", protocol, spi),
        *child_request(sa),
    ]
    answers = send(network, a, sa, sealed(sa, ExchangeType.CREATE_CHILD_SA, request))
    error = opened(sa, answers[0]).error
    assert error is not None
    assert error.message_type == NotifyType.CHILD_SA_NOT_FOUND
    assert len(b.child_sas) == 1


def child_request(sa: IkeSa) -> list[Payload]:
    """What CREATE_CHILD_SA asks with."""
    head, tail = offer_child(sa, sa.connection.children[0], with_key_exchange=True).payloads()
    return [*head, Nonce(bytes(range(32))), *tail]


@pytest.mark.parametrize("kind", [SecurityAssociation, Nonce, TrafficSelectorsInitiator, TrafficSelectorsResponder])
@pytest.mark.parametrize("change", [without, twice])
def test_create_child_sa_with_a_payload_missing_or_repeated(
    kind: type[Payload], change: Callable[[type[Payload]], Callable[[list[Payload]], list[Payload]]]
) -> None:
    network, a, b = established()
    sa = ike(a.sa)
    answers = send(network, a, sa, sealed(sa, ExchangeType.CREATE_CHILD_SA, change(kind)(child_request(sa))))
    error = opened(sa, answers[0]).error
    assert error is not None
    # INVALID_SYNTAX ends the IKE SA at both ends without another word (RFC 7296 section 2.21.3).
    assert error.message_type == NotifyType.INVALID_SYNTAX
    assert not b.sas
    assert not b.child_sas


@pytest.mark.parametrize("data", [b"", bytes(32), bytes(31), bytes(33), b"\x01" + bytes(31), bytes(60000)])
def test_public_values_that_are_none(data: bytes) -> None:
    network, a, b = established(*both(children=(child(proposals="aes128-sha256-x25519"),)))
    sa = ike(a.sa)
    request = [*child_request(sa), KeyExchange(31, data)]
    answers = send(network, a, sa, sealed(sa, ExchangeType.CREATE_CHILD_SA, request))
    error = opened(sa, answers[0]).error
    assert error is not None
    assert error.message_type == NotifyType.INVALID_SYNTAX
    assert len(b.of(ChildSaEstablished)) == 1


@pytest.mark.parametrize("method", [0, 1, 1025, 65535])
def test_methods_that_nobody_offered(method: int) -> None:
    network, a, b = established(*both(children=(child(proposals="aes128-sha256-x25519"),)))
    sa = ike(a.sa)
    request = [*child_request(sa), KeyExchange(method, bytes(64))]
    answers = send(network, a, sa, sealed(sa, ExchangeType.CREATE_CHILD_SA, request))
    error = opened(sa, answers[0]).error
    assert error is not None
    assert (error.message_type, error.data) == (NotifyType.INVALID_KE_PAYLOAD, (31).to_bytes(2))
    assert b.sas


def test_an_additional_key_exchange_that_belongs_to_nothing() -> None:
    network, a, b = established()
    sa = ike(a.sa)
    request: list[Payload] = [KeyExchange(31, bytes(32)), Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, b"x")]
    answers = send(network, a, sa, sealed(sa, ExchangeType.IKE_FOLLOWUP_KE, request))
    error = opened(sa, answers[0]).error
    assert error is not None
    assert error.message_type == NotifyType.STATE_NOT_FOUND
    assert b.sas


def test_message_ids_outside_of_the_window_change_nothing() -> None:
    network, a, b = established()
    sa = ike(a.sa)
    for number in (0, 3, 100, 0xFFFFFFFF):
        assert send(network, a, sa, sealed(sa, ExchangeType.INFORMATIONAL, [Delete(ProtocolId.IKE)], number)) == []
    assert set(b.causes()) == {"outside-window"}
    assert_agreement(a, b)
    # Message ID 1 was IKE_AUTH: another message with the same number gets the old answer and nothing else.
    answers = send(network, a, sa, sealed(sa, ExchangeType.INFORMATIONAL, [Delete(ProtocolId.IKE)], 1))
    assert len(answers) == 1
    assert parse_message(answers[0].data).header.exchange_type == ExchangeType.IKE_AUTH
    assert_agreement(a, b)


# Somebody else.


def test_what_is_not_authentic_changes_nothing() -> None:
    network, a, b = established()
    sa = ike(a.sa)
    genuine = sealed(sa, ExchangeType.INFORMATIONAL, [Delete(ProtocolId.IKE)])
    for position in range(0, len(genuine)):
        if position == 17:
            continue  # The version: the endpoint answers that it speaks no later one than 2, which harms nobody.
        damaged = bytearray(genuine)
        damaged[position] ^= 0x40
        assert send(network, a, sa, bytes(damaged)) == []
    for length in range(0, len(genuine)):
        assert send(network, a, sa, genuine[:length]) == []
    assert_agreement(a, b)
    assert b.sas
    # In the clear, with any error: nothing.
    header = sa.channel.header(ExchangeType.INFORMATIONAL, sa.channel.requests.next_message_id, response=False)
    for notify in (NotifyType.AUTHENTICATION_FAILED, NotifyType.INVALID_IKE_SPI, NotifyType.INVALID_SYNTAX):
        assert send(network, a, sa, build_message(header, [Notify(notify)]).octets) == []
    assert_agreement(a, b)
    # The genuine one works.
    assert len(send(network, a, sa, genuine)) == 1
    assert not b.sas


def test_a_message_that_comes_back_to_its_sender() -> None:
    network, a, b = established()
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    flight = network.under_way.popleft()
    network.deliver(replace(flight, source=flight.destination, destination=flight.source))
    assert not network.under_way
    assert a.causes() == ["reflected-message"]
    assert b.sas


def test_unprotected_errors_do_not_end_an_ike_sa() -> None:
    network, a, b = established()
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    network.under_way.clear()
    sa = ike(b.sa)
    header = replace(sa.channel.header(ExchangeType.INFORMATIONAL, 2, response=True))
    for notify in (NotifyType.INVALID_IKE_SPI, NotifyType.INVALID_SYNTAX, NotifyType.AUTHENTICATION_FAILED):
        a.endpoint.receive_datagram(
            build_message(header, [Notify(notify)]).octets, Path(sa.path.remote, sa.path.local), network.now
        )
    network.settle(a)
    assert set(a.causes()) == {"unprotected-message"}
    network.run(10.0)
    assert_agreement(a, b)
    assert a.sas


def test_initial_requests_that_are_refused_leave_nothing() -> None:
    network, a, b = pair()
    a.initiate()
    first = network.under_way.popleft()
    message = parse_message(first.data)
    without_each = [
        [payload for payload in message.payloads if payload.type != kind]
        for kind in (PayloadType.SA, PayloadType.KE, PayloadType.NONCE)
    ]
    others: list[list[Payload]] = [
        [*message.payloads, UnknownPayload(200, b"", True)],
        [payload if payload.type != PayloadType.NONCE else Nonce(bytes(15)) for payload in message.payloads],
        [payload if payload.type != PayloadType.KE else KeyExchange(31, bytes(32)) for payload in message.payloads],
        [payload if payload.type != PayloadType.KE else KeyExchange(31, b"") for payload in message.payloads],
        [payload if payload.type != PayloadType.KE else KeyExchange(1025, bytes(8)) for payload in message.payloads],
        [*message.payloads, *message.all(SecurityAssociation)],
    ]
    for payloads in [*without_each, *others]:
        network.deliver(replace(first, data=build_message(message.header, payloads).octets))
        assert not b.endpoint.associations()
    # Two of them are answered, without state: the critical payload, and the method that was not offered.
    kinds = [notify.message_type for flight in network.under_way for notify in parse_message(flight.data).all(Notify)]
    assert kinds == [NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, NotifyType.INVALID_KE_PAYLOAD]
    network.under_way.clear()
    network.deliver(first)
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sas
