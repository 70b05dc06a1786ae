"""Responders that answer what they must not, and what an initiator makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ipsecbench.ike.events import ChildSaDeleted, ChildSaFailed, IkeSaDeleted, IkeSaFailed, IkeSaRekeyed
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.message import Message, build_message, parse_message
from ipsecbench.ike.v2.payloads import (
    Authentication,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    TrafficSelectorsInitiator,
    UnknownPayload,
)
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector
from tests.exchanges.network import Flight, Network, Node
from tests.exchanges.scenes import assert_agreement, both, child, connection, established, pair
from tests.exchanges.test_v2_hostile import ike

PFS = "aes128-sha256-x25519"
HYBRID = "aes128-sha256-x25519-ke1_mlkem512"
Change = Callable[[list[Payload]], list[Payload]]


def answer_with(network: Network, b: Node, change: Change) -> None:
    """Deliver A's request to B, and let A have another answer than B's."""
    # With IKE_INTERMEDIATE the keys change once B has answered.
    protection = ike(b.endpoint.associations()[0]).channel.protection
    assert protection is not None
    network.deliver()
    flight = network.under_way.popleft()
    sealed = parse_message(flight.data)
    # What B has sent is opened with B's own keys for sending.
    protection.inbound, protection.outbound = protection.outbound, protection.inbound
    payloads = list(protection.open(sealed).payloads)
    protection.inbound, protection.outbound = protection.outbound, protection.inbound
    network.deliver(replace(flight, data=protection.seal(_plain(sealed.header), change(payloads)).octets))


def _plain(header: IkeHeader) -> IkeHeader:
    return header.completed(0, 0)


def without(kind: type[Payload]) -> Change:
    return lambda payloads: [payload for payload in payloads if not isinstance(payload, kind)]


def instead(payload: Payload) -> Change:
    """Another payload in the place of one of its kind."""
    return lambda payloads: [payload if isinstance(each, type(payload)) else each for each in payloads]


def only(*payloads: Payload) -> Change:
    return lambda _: list(payloads)


def order_rekey_child(network: Network, node: Node) -> None:
    spi = node.child_sa.inbound_spi
    node.order(node.sa, lambda sa: sa.rekey_child_sa(spi, network.now))


def order_rekey(network: Network, node: Node) -> None:
    node.order(node.sa, lambda sa: sa.rekey(network.now))


# A Child SA.


def another_cipher(payloads: list[Payload]) -> list[Payload]:
    """The responder chooses a key length that was not offered."""
    changed: list[Payload] = []
    for payload in payloads:
        if isinstance(payload, SecurityAssociation):
            (proposal,) = payload.proposals
            first = replace(proposal.transforms[0], key_length=256)
            payload = SecurityAssociation((replace(proposal, transforms=(first, *proposal.transforms[1:])),))
        changed.append(payload)
    return changed


WIDE = TrafficSelectorsInitiator((WireTrafficSelector(7, 0, 0, 65535, bytes(4), b"\xff" * 4),))


@pytest.mark.parametrize(
    "change",
    [another_cipher, instead(WIDE), lambda payloads: [*payloads, Notify(NotifyType.USE_TRANSPORT_MODE)]],
    ids=["cipher", "traffic selectors", "mode"],
)
@pytest.mark.parametrize("rekeyed", [False, True])
def test_a_child_sa_that_was_not_asked_for_is_deleted(change: Change, rekeyed: bool) -> None:
    network, a, b = established()
    if rekeyed:
        order_rekey_child(network, a)
    else:
        a.order(a.sa, lambda sa: sa.create_child_sa("net", network.now))
    answer_with(network, b, change)
    # A tells B that it does not have what B has made.
    assert network.deliver_all()[-2:] == ["A: INFORMATIONAL request 3", "B: INFORMATIONAL response 3"]
    assert_agreement(a, b)
    assert len(a.child_sas) == 1
    assert len(a.of(ChildSaFailed)) == 1


@pytest.mark.parametrize("change", [without(KeyExchange), instead(KeyExchange(31, bytes(32)))], ids=["none", "zero"])
def test_a_key_exchange_that_is_none(change: Change) -> None:
    network, a, b = established(*both(children=(child(proposals=PFS),)))
    order_rekey_child(network, a)
    answer_with(network, b, change)
    network.run(30.0)
    assert_agreement(a, b)
    assert len(a.of(ChildSaFailed)) == 1
    assert len(a.child_sas) == 1


def test_a_first_child_sa_that_was_not_asked_for_is_deleted() -> None:
    network, a, b = pair()
    a.initiate()
    network.deliver()
    network.deliver()
    answer_with(network, b, another_cipher)
    network.deliver_all()
    assert_agreement(a, b)
    assert not b.child_sas
    assert len(a.of(ChildSaFailed)) == 1


@pytest.mark.parametrize("notify", [NotifyType.TEMPORARY_FAILURE, NotifyType.STATE_NOT_FOUND])
def test_what_is_put_off_is_tried_again_some_times(notify: int) -> None:
    network, a, b = established()
    a.order(a.sa, lambda sa: sa.create_child_sa("net", network.now))
    tries = 0
    while not a.of(ChildSaFailed):
        # B makes none; its answer is another.
        before = len(b.child_sas)
        answer_with(network, b, only(Notify(notify)))
        spi = b.child_sas[before].inbound_spi
        sa = ike(b.sa)
        made = sa.children.by_inbound(spi)
        assert made is not None
        sa.children.remove(made)
        tries += 1
        network.pass_time(12.0)
        # Of the next request one copy is enough.
        while len(network.under_way) > 1:
            network.under_way.pop()
    assert tries == 9
    (failed,) = a.of(ChildSaFailed)
    assert failed.notify == notify
    assert_agreement(a, b)


@pytest.mark.parametrize("notify", [NotifyType.NO_ADDITIONAL_SAS, NotifyType.TS_UNACCEPTABLE, 8192])
def test_a_refusal_is_final(notify: int) -> None:
    network, a, b = established()
    order_rekey_child(network, a)
    answer_with(network, b, only(Notify(notify)))
    assert [event.notify for event in a.of(ChildSaFailed)] == [notify]
    # What was to be replaced stays in use.
    assert len(a.child_sas) == 1
    assert not network.under_way


def test_a_method_is_not_asked_for_again_and_again() -> None:
    network, a, b = established(*both(children=(child(proposals="aes128-sha256-x25519-ecp256"),)))
    order_rekey_child(network, a)
    for number in (19, 31, 19, 31):
        answer_with(network, b, only(Notify(NotifyType.INVALID_KE_PAYLOAD, number.to_bytes(2))))
    assert [event.notify for event in a.of(ChildSaFailed)] == [NotifyType.INVALID_KE_PAYLOAD]
    assert not network.under_way


def test_additional_key_exchanges_without_a_link() -> None:
    network, a, b = established(*both(children=(child(proposals=HYBRID),)))
    order_rekey_child(network, a)
    answer_with(network, b, without(Notify))
    network.run(60.0)
    assert_agreement(a, b)
    assert len(a.of(ChildSaFailed)) == 1
    assert "followup-missing" in b.causes()


def test_an_additional_key_exchange_that_the_peer_does_not_finish() -> None:
    network, a, b = established(*both(children=(child(proposals=HYBRID),), proposals=HYBRID))
    for order in (order_rekey_child, order_rekey):
        order(network, a)
        network.deliver()
        network.deliver()
        # A's IKE_FOLLOWUP_KE never comes; B forgets, A gives up some time, and starts from nothing.
        assert ike(b.sa).followup is not None
        network.under_way.clear()
        network.nodes.remove(a)
        network.pass_time(31.0)
        network.nodes.append(a)
        assert ike(b.sa).followup is None
        network.deliver_all()
        network.run(30.0)
        assert_agreement(a, b)
        assert len(a.child_sas) == 1
    assert b.causes().count("followup-missing") == 2


# The IKE SA.


def test_another_method_for_the_ike_sa() -> None:
    proposals = "aes128-sha256-x25519-ecp256"
    network, a, b = established(*both(proposals=proposals))
    order_rekey(network, a)
    answer_with(network, b, only(Notify(NotifyType.INVALID_KE_PAYLOAD, (19).to_bytes(2))))
    request = network.under_way[0]
    assert request.name == "A: CREATE_CHILD_SA request 3".partition(" ")[2]
    # What B made of the first request is of no use to anybody and goes by itself.
    network.under_way.clear()


@pytest.mark.parametrize("notify", [NotifyType.NO_PROPOSAL_CHOSEN, NotifyType.TEMPORARY_FAILURE])
def test_an_ike_sa_that_the_peer_does_not_rekey_stays(notify: int) -> None:
    mine, peers = both()
    network, a, b = established(mine, peers)
    ike(b.sa).connection = connection("192.0.2.2", "192.0.2.1", proposals="aes256-sha384-ecp384")
    order_rekey(network, a)
    if notify == NotifyType.TEMPORARY_FAILURE:
        b.order(b.sa, lambda sa: sa.create_child_sa("net", network.now))
    names = network.deliver_all()
    assert "A: CREATE_CHILD_SA request 2" in names
    assert a.sas
    assert not a.of(IkeSaRekeyed)
    assert {"rekey-refused", "put-off"} & set(a.causes())


@pytest.mark.parametrize(
    "change",
    [
        another_cipher,
        instead(KeyExchange(31, bytes(32))),
        instead(Nonce(bytes(8))),
        without(Nonce),
        only(UnknownPayload(200, b"", True)),
        only(),
    ],
    ids=["cipher", "public value", "short nonce", "no nonce", "critical", "empty"],
)
def test_an_answer_about_the_ike_sa_that_is_no_answer_ends_it(change: Change) -> None:
    network, a, b = established()
    order_rekey(network, a)
    answer_with(network, b, change)
    # B may have a new IKE SA that A does not have. A deletes the old one.
    network.run(200.0)
    assert not a.sas
    assert len(a.of(IkeSaDeleted)) == 1
    assert len(a.of(ChildSaDeleted)) == 1


# IKE_AUTH and IKE_INTERMEDIATE.


@pytest.mark.parametrize(
    "change",
    [
        only(),
        without(Authentication),
        only(Notify(NotifyType.AUTHENTICATION_FAILED)),
        only(Notify(NotifyType.INVALID_SYNTAX)),
        instead(Authentication(2, bytes(32))),
        instead(Authentication(1, b"")),
        lambda payloads: [*payloads, UnknownPayload(200, b"", True)],
    ],
    ids=["empty", "no AUTH", "refused", "not understood", "wrong AUTH", "empty signature", "critical"],
)
def test_ike_auth_answers_that_do_not_prove_anything(change: Change) -> None:
    network, a, b = pair()
    a.initiate()
    network.deliver()
    network.deliver()
    answer_with(network, b, change)
    network.deliver_all()
    assert not a.sas
    assert not a.child_sas
    assert len(a.of(IkeSaFailed)) == 1
    network.run(10.0)
    assert not a.endpoint.associations()


@pytest.mark.parametrize(
    "change",
    [
        only(),
        only(Notify(NotifyType.INVALID_SYNTAX)),
        instead(KeyExchange(35, b"")),
        instead(KeyExchange(36, bytes(768))),
    ],
    ids=["empty", "refused", "no ciphertext", "another method"],
)
def test_ike_intermediate_answers_that_are_none(change: Change) -> None:
    network, a, b = pair(*both(proposals=HYBRID))
    a.initiate()
    network.deliver()
    network.deliver()
    answer_with(network, b, change)
    assert len(a.of(IkeSaFailed)) == 1
    network.run(60.0)
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


# IKE_SA_INIT.


def init_answer(network: Network, change: Callable[[Message], Sequence[Payload]]) -> Flight:
    """Another answer to IKE_SA_INIT than B's, which is under way."""
    flight = network.under_way[0]
    message = parse_message(flight.data)
    return replace(flight, data=build_message(_plain(message.header), change(message)).octets)


@pytest.mark.parametrize(
    "change",
    [
        lambda message: another_cipher(list(message.payloads)),
        lambda message: instead(KeyExchange(31, bytes(32)))(list(message.payloads)),
        lambda message: instead(KeyExchange(19, bytes(64)))(list(message.payloads)),
        lambda message: without(Nonce)(list(message.payloads)),
        lambda message: [Notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED)],
        lambda message: [],
    ],
    ids=["cipher", "public value", "method", "no nonce", "no answer", "empty"],
)
def test_initial_answers_of_no_use_are_passed_over(change: Callable[[Message], Sequence[Payload]]) -> None:
    network, a, b = pair()
    a.initiate()
    network.deliver()
    network.deliver(init_answer(network, change))
    assert a.causes() == ["bad-init-response"]
    # The right one comes within two seconds.
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sas


def test_an_initial_answer_without_an_spi() -> None:
    network, a, b = pair()
    a.initiate()
    network.deliver()
    flight = network.under_way[0]
    message = parse_message(flight.data)
    header = replace(_plain(message.header), spi_r=bytes(8))
    network.deliver(replace(flight, data=build_message(header, message.payloads).octets))
    assert a.causes() == ["bad-init-response"]
    network.deliver_all()
    assert_agreement(a, b)


def test_proposals_that_no_library_here_can_carry_out() -> None:
    network, a, _ = pair()
    connections = a.endpoint.configuration.connections
    names = {"x25519"}
    supports = a.endpoint.environment.cryptography.supports

    class Without:
        """The same libraries without a method."""

        def __getattr__(self, attribute: str) -> object:
            return getattr(a_cryptography, attribute)

        def supports(self, algorithm: str) -> bool:
            return algorithm not in names and supports(algorithm)

    a_cryptography = a.endpoint.environment.cryptography
    a.endpoint.environment = replace(a.endpoint.environment, cryptography=Without())  # type: ignore[arg-type]
    assert connections
    a.endpoint.initiate("c", network.now)
    network.settle(a)
    assert not network.under_way
    (failed,) = a.of(IkeSaFailed)
    assert "libraries" in failed.reason


def test_everything_has_an_end() -> None:
    """An exchange type in which nothing is expected, with the right Message ID: dropped."""
    network, a, b = established()
    a.order(a.sa, lambda sa: sa.check_liveness(network.now))
    network.deliver()
    flight = network.under_way.popleft()
    sa = ike(b.sa)
    assert sa.channel.protection is not None
    header = replace(_plain(parse_message(flight.data).header), exchange_type=ExchangeType.IKE_AUTH)
    network.deliver(replace(flight, data=sa.channel.protection.seal(header, []).octets))
    assert a.causes() == ["unexpected-message"]
    network.deliver(flight)
    assert_agreement(a, b)
