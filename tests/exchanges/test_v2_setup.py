"""IKE_SA_INIT and IKE_AUTH between two endpoints, message by message (RFC 7296 sections 1.2, 2.6, 2.7, 2.21)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecbench.esp.mode import Mode
from ipsecbench.ike.configuration import Childless, PostquantumPsk, Unique
from ipsecbench.ike.events import (
    ChildSaEstablished,
    ChildSaFailed,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaFailed,
    IkeSaKeysDerived,
)
from ipsecbench.ike.header import HEADER_BYTES, parse_header
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.message import build_message, new_header, parse_message
from ipsecbench.ike.v2.payloads import KeyExchange, Notify
from ipsecbench.secret import Secret
from tests.exchanges.network import Flight, Network, Node
from tests.exchanges.scenes import (
    A,
    B,
    assert_agreement,
    both,
    child,
    connection,
    endpoint,
    established,
    mirrored,
    name,
    pair,
)


def test_four_messages_make_an_ike_sa_and_a_child_sa() -> None:
    network, a, b = pair()
    a.initiate()
    # A -> B: IKE_SA_INIT request. B answers and has keys, but nobody is authenticated.
    network.deliver()
    assert not b.sas
    assert [type(event) for event in b.events] == [IkeSaKeysDerived]
    # B -> A: IKE_SA_INIT response. A has the same keys and proves who it is.
    network.deliver()
    assert not a.sas
    (mine,), (peers,) = a.of(IkeSaKeysDerived), b.of(IkeSaKeysDerived)
    assert mine.sa.keys == peers.sa.keys
    # A -> B: IKE_AUTH request. B is satisfied; for B both SAs are there.
    network.deliver()
    assert len(b.of(IkeSaEstablished)) == len(b.of(ChildSaEstablished)) == 1
    assert not a.sas
    # B -> A: IKE_AUTH response.
    network.deliver()
    assert not network.under_way
    assert_agreement(a, b)
    assert a.child_sa.local_ts[0].text == "10.1.0.0/16"
    assert a.sa.info is not None
    assert a.sa.info.remote_identity == name("b")
    assert b.sa.info is not None
    assert b.sa.info.remote_identity == name("a")
    assert a.log == b.log == []


def test_what_is_lost_is_sent_again_and_answered_from_memory() -> None:
    network, a, b = pair()
    a.initiate()
    # The request is lost; A sends it again after a second, bit by bit the same.
    lost = network.lose()
    network.pass_time(1.0)
    assert network.names() == ["A: IKE_SA_INIT request 0"]
    assert network.deliver().data == lost.data
    # The response is lost; the repeated request is answered with the same octets, and there is one IKE SA only.
    response = network.lose()
    network.pass_time(1.5)
    network.deliver()
    assert network.under_way[0].data == response.data
    assert len(b.endpoint.associations()) == 1
    network.deliver()
    # The IKE_AUTH response is lost too.
    network.deliver()
    response = network.lose()
    network.pass_time(1.0)
    network.deliver()
    assert network.deliver().data == response.data
    assert_agreement(a, b)
    assert len(b.of(IkeSaEstablished)) == 1


def test_a_peer_that_never_answers_is_given_up() -> None:
    network, a, _ = pair()
    a.initiate()
    network.pass_time(1000.0)
    assert len(network.under_way) == 9
    (failed,) = a.of(IkeSaFailed)
    assert "does not answer" in failed.reason
    assert not a.endpoint.associations()
    assert a.endpoint.next_timeout() is None


def test_a_responder_forgets_a_peer_that_does_not_authenticate_itself() -> None:
    network, a, b = pair()
    a.initiate()
    network.deliver()
    network.under_way.clear()
    network.pass_time(29.0)
    assert b.endpoint.associations()
    network.pass_time(2.0)
    assert not b.endpoint.associations()
    # Nobody was there who could be named: a line in the log, and no event.
    assert not b.of(IkeSaFailed)
    assert b.causes() == ["half-open-expired"]


# COOKIE and INVALID_KE_PAYLOAD.


def test_cookies_are_asked_for_and_given() -> None:
    network, a, b = pair(b_settings={"cookie_threshold": 0})
    a.initiate()
    # A -> B: without a cookie. B answers with one and keeps nothing.
    network.deliver()
    assert not b.endpoint.associations()
    # B -> A: COOKIE. A repeats its request with the cookie as the first payload.
    network.deliver()
    request = parse_message(network.under_way[0].data)
    first = request.payloads[0]
    assert isinstance(first, Notify)
    assert first.message_type == NotifyType.COOKIE
    network.deliver_all()
    # AUTH covers the request with the cookie.
    assert_agreement(a, b)
    assert a.sas


def test_the_wrong_method_first_costs_a_round_trip() -> None:
    mine, peers = both()
    mine = connection(A, B, child(), proposals="aes128-sha256-modp2048-x25519")
    network, a, b = pair(mine, peers)
    a.initiate()
    # A -> B: with modp2048, which B does not have. B asks for X25519 and keeps nothing.
    network.deliver()
    assert not b.endpoint.associations()
    answer = parse_message(network.under_way[0].data).notify(NotifyType.INVALID_KE_PAYLOAD)
    assert answer is not None
    assert answer.data == (31).to_bytes(2)
    # B -> A: INVALID_KE_PAYLOAD. A begins anew with the same SPI.
    network.deliver()
    request = parse_message(network.under_way[0].data)
    assert request.header.spi_i == a.endpoint.associations()[0].spi_i
    assert request.one(KeyExchange).method == 31
    # The same answer once more changes nothing.
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sas
    assert a.sa.info is not None
    assert a.sa.info.negotiated.key_exchange == "x25519"


def test_a_cookie_stays_in_the_request_with_another_method() -> None:
    mine = connection(A, B, child(), proposals="aes128-sha256-modp2048-x25519")
    network, a, b = pair(mine, both()[1], b_settings={"cookie_threshold": 0})
    a.initiate()
    # COOKIE, then INVALID_KE_PAYLOAD, then the answer (RFC 7296 section 2.6.1, the shorter of both ways).
    assert network.deliver_all() == [
        "A: IKE_SA_INIT request 0",
        "B: IKE_SA_INIT response 0",
        "A: IKE_SA_INIT request 0",
        "B: IKE_SA_INIT response 0",
        "A: IKE_SA_INIT request 0",
        "B: IKE_SA_INIT response 0",
        "A: IKE_AUTH request 1",
        "B: IKE_AUTH response 1",
    ]
    assert_agreement(a, b)
    assert a.sas


def forged(a: Node, network: Network, *payloads: Notify) -> Flight:
    """A response that anybody could have sent."""
    request = network.under_way[0]
    header = new_header(
        ExchangeType.IKE_SA_INIT,
        0,
        spi_i=parse_header(request.data).spi_i,
        spi_r=bytes(8),
        from_initiator=False,
        response=True,
    )
    return Flight("M", request.destination, request.source, build_message(header, payloads).octets)


def test_an_error_that_nobody_vouches_for_does_not_end_an_attempt() -> None:
    network, a, b = pair()
    a.initiate()
    # Somebody answers first, with an error.
    network.deliver(forged(a, network, Notify(NotifyType.NO_PROPOSAL_CHOSEN)))
    assert not a.of(IkeSaFailed)
    # The right answer comes later.
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sas


def test_an_error_is_believed_when_nothing_better_comes() -> None:
    network, a, _ = pair()
    a.initiate()
    network.deliver(forged(a, network, Notify(NotifyType.NO_PROPOSAL_CHOSEN)))
    network.pass_time(3.0)
    (failed,) = a.of(IkeSaFailed)
    assert failed.notify == NotifyType.NO_PROPOSAL_CHOSEN
    assert not a.endpoint.associations()


def test_methods_and_cookies_are_not_followed_for_ever() -> None:
    network, a, _ = pair()
    a.initiate()
    # A method that was not offered is no reason to begin anew, nor is a cookie that is too long.
    for notify in (
        Notify(NotifyType.INVALID_KE_PAYLOAD, (14).to_bytes(2)),
        Notify(NotifyType.COOKIE, bytes(65)),
        Notify(NotifyType.COOKIE, b""),
    ):
        network.deliver(forged(a, network, notify))
        assert network.names() == ["A: IKE_SA_INIT request 0"]
    # Ever new cookies are followed a dozen times.
    for number in range(20):
        flight = forged(a, network, Notify(NotifyType.COOKIE, bytes([number + 1])))
        network.under_way.clear()
        network.deliver(flight)
        if not network.under_way:
            break
        assert len(network.under_way) == 1
    assert number == 12
    network.pass_time(3.0)
    assert len(a.of(IkeSaFailed)) == 1


def test_no_common_proposal() -> None:
    network, a, b = pair(connection(A, B, child(), proposals="aes256-sha384-ecp384"), both()[1])
    a.initiate()
    network.deliver_all()
    network.pass_time(3.0)
    (failed,) = a.of(IkeSaFailed)
    assert failed.notify == NotifyType.NO_PROPOSAL_CHOSEN
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


# Authentication.


def test_another_pre_shared_key() -> None:
    mine, peers = both()
    network, a, b = pair(replace(mine, psk=Secret(b"another")), peers)
    a.initiate()
    network.deliver_all()
    (failed,) = a.of(IkeSaFailed)
    assert failed.notify == NotifyType.AUTHENTICATION_FAILED
    (refused,) = b.of(IkeSaFailed)
    assert refused.notify == NotifyType.AUTHENTICATION_FAILED
    assert not a.endpoint.associations()
    assert not b.sas
    # B repeats its refusal for a while, and is clean then.
    network.pass_time(40.0)
    assert not b.endpoint.associations()


@pytest.mark.parametrize("what", ["identity of A", "identity of B", "no key"])
def test_every_refusal_of_a_responder_looks_the_same(what: str) -> None:
    mine, peers = both()
    if what == "identity of A":
        mine = replace(mine, local=replace(mine.local, identity=name("x")))
    elif what == "identity of B":
        mine = replace(mine, remote=replace(mine.remote, identity=name("x")))
    else:
        peers = replace(peers, psk=None)
    network, a, b = pair(mine, peers)
    a.initiate()
    network.deliver()
    network.deliver()
    network.deliver()
    # The refusal: one notification without data, sealed.
    refusal = network.under_way[0]
    network.deliver_all()
    assert len(refusal.data) == HEADER_BYTES + 4 + 16 + 16 + 16
    assert [event.notify for event in a.of(IkeSaFailed)] == [NotifyType.AUTHENTICATION_FAILED]
    assert not b.sas
    # A repetition of the request finds no half of a state, only the same answer.
    network.pass_time(100.0)
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


def test_an_initiator_that_does_not_believe_the_responder_says_so() -> None:
    mine, peers = both()
    # A names nobody in IDr, and B proves to be the wrong one with a key that A does not have for it.
    certain = replace(mine, remote=replace(mine.remote, identity=name("b")))
    network, a, b = pair(replace(mine, remote=replace(mine.remote, identity=None)), peers)
    a.initiate()
    network.deliver()
    network.deliver()
    network.deliver()
    assert b.sas
    object.__setattr__(a.endpoint.associations()[0], "connection", replace(certain, psk=Secret(b"another")))
    # B -> A: IKE_AUTH response, which A does not accept. A -> B: INFORMATIONAL with AUTHENTICATION_FAILED.
    assert network.deliver_all() == [
        "B: IKE_AUTH response 1",
        "A: INFORMATIONAL request 2",
        "B: INFORMATIONAL response 2",
    ]
    assert [event.notify for event in a.of(IkeSaFailed)] == [NotifyType.AUTHENTICATION_FAILED]
    assert not a.endpoint.associations()
    assert not b.sas
    assert not b.child_sas


def test_a_responder_chooses_the_connection_by_identity() -> None:
    _, peers = both()
    other = replace(peers, name="other", remote=replace(peers.remote, identity=name("x")), psk=Secret(b"x"))
    third = replace(peers, name="third", local=replace(peers.local, identity=name("y")))
    network = Network()
    a = network.add("A", endpoint(A, both()[0]))
    b = network.add("B", endpoint(B, other, third, peers))
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    assert b.sa.info is not None
    assert b.sa.info.connection == "c"


def test_initial_contact_replaces_what_is_left_from_before() -> None:
    network, a, b = established()
    # A loses its memory.
    again = Network()
    again.now = network.now
    fresh = network.add("A", a.endpoint.configuration)
    network.nodes.remove(a)
    fresh.initiate()
    network.deliver_all()
    assert_agreement(fresh, b)
    (deleted,) = b.of(IkeSaDeleted)
    assert "INITIAL_CONTACT" in deleted.reason


def test_initial_contact_is_not_heeded_where_all_are_to_be_kept() -> None:
    mine, peers = both(unique=Unique.KEEP)
    network, a, b = pair(mine, peers)
    a.initiate()
    network.deliver_all()
    a.initiate()
    network.deliver_all()
    assert len(a.sas) == len(b.sas) == 2
    assert_agreement(a, b)


# The first Child SA.


def test_a_refused_child_sa_leaves_the_ike_sa() -> None:
    network, a, b = pair(connection(A, B, child(proposals="aes256-sha512")), both()[1])
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    assert not a.child_sas
    assert [event.notify for event in a.of(ChildSaFailed)] == [NotifyType.NO_PROPOSAL_CHOSEN]
    assert len(a.of(IkeSaEstablished)) == 1


def test_traffic_selectors_without_a_common_part() -> None:
    network, a, b = pair(connection(A, B, child(remote="10.9.0.0/16")), both()[1])
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    assert [event.notify for event in a.of(ChildSaFailed)] == [NotifyType.TS_UNACCEPTABLE]
    assert a.sas


@pytest.mark.parametrize(
    ("offered", "policy", "agreed"),
    [
        (("10.1.0.0/16", "0.0.0.0/0"), ("10.2.0.0/16", "10.1.0.0/24"), ("10.1.0.0/24", "10.2.0.0/16")),
        (("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/80]"), ("10.2.0.0/16", "10.1.0.0/16"), None),
        (("10.1.0.0/16", "10.2.0.0/16"), ("10.2.0.0/24[udp/53]", "10.1.0.0/16[udp]"), None),
        (("fd00:1::/32", "::/0"), ("fd00:2::/64", "fd00::/16"), ("fd00:1::/32", "fd00:2::/64")),
        (("10.1.0.0/24,10.1.5.0/24", "10.2.0.0/16"), ("10.2.0.0/16", "10.1.5.0/24"), ("10.1.5.0/24", "10.2.0.0/16")),
    ],
)
def test_narrowing(offered: tuple[str, str], policy: tuple[str, str], agreed: tuple[str, str] | None) -> None:
    network, a, b = pair(connection(A, B, child(*offered)), connection(B, A, child(*policy)))
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    mine, peers = a.child_sa, b.child_sa
    assert (mine.local_ts, mine.remote_ts) == (peers.remote_ts, peers.local_ts)
    if agreed is not None:
        assert (mine.local_ts[0].text, mine.remote_ts[0].text) == agreed


def test_transport_mode() -> None:
    mine, peers = both(children=(child("", "", mode=Mode.TRANSPORT),))
    _, a, _ = established(mine, peers)
    assert a.child_sa.mode is Mode.TRANSPORT
    assert a.child_sa.remote_ts[0].text == f"{B}/32"


def test_tunnel_mode_instead_of_transport_mode_is_not_taken() -> None:
    mine = connection(A, B, child("", "", mode=Mode.TRANSPORT))
    network, a, b = pair(mine, connection(B, A, child("", "")))
    a.initiate()
    network.deliver_all()
    # A deletes what B has made.
    assert_agreement(a, b)
    assert not b.child_sas
    assert len(a.of(ChildSaFailed)) == 1


def test_extended_sequence_numbers_aead_and_ipv6() -> None:
    mine, peers = both(children=(child(proposals="aes256gcm16-noesn-esn"),), proposals="aes256gcm16-prfsha384-ecp384")
    peers = replace(peers, children=(mirrored(child(proposals="aes256gcm16-esn")),))
    network, a, b = pair(mine, peers)
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    assert a.child_sa.negotiated.esn


def test_childless_by_order_and_by_configuration() -> None:
    network, a, b = pair()
    a.initiate(children=())
    assert len(network.deliver_all()) == 4
    assert_agreement(a, b)
    assert not a.child_sas
    mine, peers = both(childless=Childless.FORCE)
    network, a, b = pair(mine, peers)
    a.initiate()
    # IKE_AUTH without a Child SA, which CREATE_CHILD_SA makes then.
    assert network.deliver_all()[4:] == ["A: CREATE_CHILD_SA request 2", "B: CREATE_CHILD_SA response 2"]
    assert_agreement(a, b)
    assert len(a.child_sas) == 1


def test_childless_that_is_not_wanted() -> None:
    mine, peers = both()
    network, a, b = pair(mine, replace(peers, childless=Childless.NEVER))
    a.initiate(children=())
    network.deliver_all()
    assert len(a.of(IkeSaFailed)) == 1
    network.pass_time(40.0)
    assert not b.endpoint.associations()
    # An initiator that sends one nevertheless is refused; and one that must not have a Child SA in IKE_AUTH refuses it.
    network, a, b = pair(mine, replace(peers, childless=Childless.FORCE))
    a.initiate()
    network.deliver_all()
    assert [event.notify for event in a.of(ChildSaFailed)] == [NotifyType.NO_ADDITIONAL_SAS]
    assert_agreement(a, b)


def test_several_child_sas_at_once() -> None:
    children = tuple(child(f"10.1.{number}.0/24", "10.2.0.0/16", child_name=f"n{number}") for number in range(4))
    _, a, _ = established(*both(children=children))
    assert sorted(info.name for info in a.child_sas) == ["n0", "n1", "n2", "n3"]
    assert len({info.inbound_spi for info in a.child_sas}) == 4


# Post-quantum.


def test_additional_key_exchanges() -> None:
    mine, peers = both(proposals="aes256-sha256-x25519-ke1_mlkem768-ke2_ecp256", fragmentation=True)
    network, a, b = pair(mine, peers)
    a.initiate()
    names = network.deliver_all()
    # ML-KEM's keys do not fit one packet: IKE_INTERMEDIATE is in fragments.
    assert names.count("A: IKE_INTERMEDIATE request 1") == 2
    assert names.count("A: IKE_INTERMEDIATE request 2") == 1
    assert names[-1] == "B: IKE_AUTH response 3"
    assert_agreement(a, b)
    assert a.sa.info is not None
    assert a.sa.info.negotiated.additional_key_exchanges == ("mlkem768", "ecp256")


@pytest.mark.parametrize("bits", [512, 768, 1024])
def test_a_key_encapsulation_as_the_first_key_exchange(bits: int) -> None:
    _, a, _ = established(*both(proposals=f"aes128-sha256-mlkem{bits}"))
    assert a.sas


def test_additional_key_exchanges_with_a_peer_that_has_none() -> None:
    mine, _ = both(proposals=["aes128-sha256-x25519-ke1_mlkem768", "aes128-sha256-x25519"])
    network, a, b = pair(mine, both()[1])
    a.initiate()
    assert len(network.deliver_all()) == 4
    assert_agreement(a, b)


@pytest.mark.parametrize(
    ("mine", "peers", "works"),
    [
        (("id", b"x", True), ("id", b"x", True), True),
        (("id", b"x", False), ("id", b"x", True), True),
        (("id", b"x", False), None, True),
        (None, ("id", b"x", False), True),
        (("id", b"x", True), None, False),
        (None, ("id", b"x", True), False),
        (("id", b"x", True), ("id", b"y", True), False),
        (("id", b"x", False), ("other", b"x", False), True),
        (("id", b"x", True), ("other", b"x", False), False),
    ],
)
def test_post_quantum_pre_shared_keys(
    mine: tuple[str, bytes, bool] | None, peers: tuple[str, bytes, bool] | None, works: bool
) -> None:
    def ppk(row: tuple[str, bytes, bool] | None) -> PostquantumPsk | None:
        return None if row is None else PostquantumPsk(row[0].encode(), Secret(row[1] * 32), row[2])

    first, second = both()
    network, a, b = pair(replace(first, ppk=ppk(mine)), replace(second, ppk=ppk(peers)))
    a.initiate()
    network.run(40.0)
    assert_agreement(a, b)
    assert bool(a.sas) is works
    assert len(a.endpoint.associations()) == len(b.endpoint.associations()) == works
