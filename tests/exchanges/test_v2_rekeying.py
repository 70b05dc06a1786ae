"""CREATE_CHILD_SA and INFORMATIONAL of an IKE SA, one end at a time (RFC 7296 sections 1.3, 1.4, 2.4, 2.8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaFailed,
    ChildSaRekeyed,
    IkeSaDeleted,
    IkeSaRekeyed,
    PeerAlive,
)
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.ike.v2.identifiers import NotifyType
from tests.exchanges.network import Network, Node
from tests.exchanges.scenes import A, B, assert_agreement, both, child, connection, established, mirrored, pair

PFS = "aes128-sha256-x25519"
HYBRID = "aes128-sha256-x25519-ke1_mlkem512"


def rekey_child(network: Network, node: Node) -> bytes:
    """Order the rekeying of the only Child SA; its inbound SPI."""
    spi = node.child_sa.inbound_spi
    node.order(node.sa, lambda sa: sa.rekey_child_sa(spi, network.now))
    return spi


def rekey(network: Network, node: Node) -> None:
    node.order(node.sa, lambda sa: sa.rekey(network.now))


@pytest.mark.parametrize("who", ["A", "B"])
@pytest.mark.parametrize("proposals", ["aes128-sha256", PFS, "aes256gcm16-mlkem768", HYBRID])
def test_rekeying_a_child_sa(who: str, proposals: str) -> None:
    network, a, b = established(*both(children=(child(proposals=proposals),)))
    node, peer = (a, b) if who == "A" else (b, a)
    before = node.child_sa
    assert before.negotiated.key_exchange is None
    spi = rekey_child(network, node)
    names = set(network.deliver_all())
    # CREATE_CHILD_SA, with another key exchange IKE_FOLLOWUP_KE, and then the old one is deleted.
    assert len(names) == (6 if proposals == HYBRID else 4)
    assert_agreement(a, b)
    assert node.child_sa.inbound_spi != spi
    assert node.child_sa.inbound != before.inbound
    assert node.child_sa.is_initiator
    assert [event.old_inbound_spi for event in node.of(ChildSaRekeyed)] == [spi]
    assert [event.inbound_spi for event in node.of(ChildSaDeleted)] == [spi]
    assert len(peer.of(ChildSaRekeyed)) == len(peer.of(ChildSaDeleted)) == 1
    wanted = proposals.split("-")[-1] if "-" in proposals else None
    assert node.child_sa.negotiated.key_exchange == {
        "sha256": None,
        "x25519": "x25519",
        "mlkem768": "mlkem768",
        "ke1_mlkem512": "x25519",
    }.get(wanted or "")


def test_the_wrong_method_first_when_rekeying() -> None:
    mine = connection(A, B, child(proposals="aes128-sha256-modp2048-ecp256"))
    peers = connection(B, A, mirrored(child(proposals="aes128-sha256-ecp256")))
    network, a, b = established(mine, peers)
    rekey_child(network, a)
    # A -> B: modp2048. B -> A: INVALID_KE_PAYLOAD. A -> B: ecp256, then the rest.
    assert len(network.deliver_all()) == 6
    assert_agreement(a, b)
    assert a.child_sa.negotiated.key_exchange == "ecp256"


def test_perfect_forward_secrecy_that_one_end_does_not_want_shows_when_rekeying() -> None:
    mine, peers = both(children=(child(proposals=PFS),))
    network, a, b = established(mine, replace(peers, children=(mirrored(child()),)))
    rekey_child(network, a)
    network.deliver_all()
    assert [event.notify for event in a.of(ChildSaFailed)] == [NotifyType.NO_PROPOSAL_CHOSEN]
    # The Child SA stays as it is.
    assert_agreement(a, b)
    assert len(a.child_sas) == 1


@pytest.mark.parametrize("who", ["A", "B"])
@pytest.mark.parametrize(
    "proposals", ["aes128-sha256-x25519", "aes256gcm16-prfsha384-ecp384", "aes128-sha256-x25519-ke1_mlkem768"]
)
def test_rekeying_the_ike_sa(who: str, proposals: str) -> None:
    network, a, b = established(*both(proposals=proposals))
    node, peer = (a, b) if who == "A" else (b, a)
    old, child_before = node.sa, node.child_sa
    rekey(network, node)
    network.deliver_all()
    assert_agreement(a, b)
    assert node.sa is not old
    assert node.sa.is_initiator
    assert not peer.sa.is_initiator
    # The Child SA is the same and belongs to the new one.
    assert node.child_sa == replace(child_before, ike_unique_id=node.sa.unique_id)
    (event,) = node.of(IkeSaRekeyed)
    assert (event.old_unique_id, event.sa.unique_id) == (old.unique_id, node.sa.unique_id)
    assert not node.of(IkeSaDeleted)
    assert not node.of(ChildSaDeleted)
    # It works: its Message IDs begin with zero for both ends.
    peer.order(peer.sa, lambda sa: sa.check_liveness(network.now))
    assert network.deliver_all() == [
        f"{peer.name}: INFORMATIONAL request 0",
        f"{node.name}: INFORMATIONAL response 0",
    ]
    network.run(100.0)
    assert len(a.endpoint.associations()) == len(b.endpoint.associations()) == 1


def test_the_wrong_method_first_when_rekeying_the_ike_sa() -> None:
    mine = connection(A, B, child(), proposals="aes128-sha256-x25519-ecp256")
    peers = connection(B, A, mirrored(child()), proposals=["aes128-sha256-ecp256", "aes128-sha256-x25519"])
    network, a, b = pair(mine, peers)
    a.initiate()
    network.deliver_all()
    rekey(network, a)
    network.deliver_all()
    rekey(network, b)
    network.deliver_all()
    assert_agreement(a, b)
    assert len(a.of(IkeSaRekeyed)) == 2


def test_another_child_sa_from_either_end() -> None:
    children = (child(), child("10.1.0.0/16", "10.3.0.0/16", PFS, child_name="other"))
    network, a, b = pair(*both(children=children))
    a.initiate(children=["net"])
    network.deliver_all()
    b.order(b.sa, lambda sa: sa.create_child_sa("other", network.now))
    assert network.deliver_all() == ["B: CREATE_CHILD_SA request 0", "A: CREATE_CHILD_SA response 0"]
    assert_agreement(a, b)
    assert {info.name for info in a.child_sas} == {"net", "other"}
    # A name that is not configured is an order for nothing.
    a.order(a.sa, lambda sa: sa.create_child_sa("unknown", network.now))
    assert not network.under_way
    assert "order-refused" in a.causes()


def test_deletion_of_a_child_sa_and_of_the_ike_sa() -> None:
    network, a, b = established()
    spi = a.child_sa.inbound_spi
    a.order(a.sa, lambda sa: sa.delete_child_sa(spi, network.now))
    assert len(network.deliver_all()) == 2
    assert_agreement(a, b)
    assert not a.child_sas
    b.order(b.sa, lambda sa: sa.delete(network.now))
    # B -> A: Delete. A answers, and repeats the answer when it is asked again.
    network.deliver()
    assert not a.sas
    network.lose()
    network.pass_time(1.0)
    assert network.names() == ["B: INFORMATIONAL request 0"]
    network.deliver_all()
    assert not b.sas
    assert len(a.of(IkeSaDeleted)) == len(b.of(IkeSaDeleted)) == 1
    network.pass_time(60.0)
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


def test_a_peer_that_is_gone_is_found_out_by_silence() -> None:
    mine, peers = both()
    network, a, b = established(replace(mine, dpd_seconds=10.0), peers)
    network.run(11.0)
    # Silence, a question, an answer.
    assert len(a.of(PeerAlive)) == 1
    # Traffic of IKE is as good as an answer.
    network.run(8.0)
    b.order(b.sa, lambda sa: sa.check_liveness(network.now))
    network.run(8.0)
    assert len(a.of(PeerAlive)) == 1
    network.nodes.remove(b)
    network.set_conditions(loss=1.0)
    network.run(200.0)
    assert not a.endpoint.associations()
    (deleted,) = a.of(IkeSaDeleted)
    assert "does not answer" in deleted.reason
    assert len(a.of(ChildSaDeleted)) == 1


def test_lives_in_seconds() -> None:
    lifetime = Lifetime(seconds=Limit(rekey=100.0, life=130.0, rand=20.0))
    children = (child(lifetime=lifetime),)
    mine, peers = both(children=children)
    mine = replace(mine, lifetime=Lifetime(seconds=Limit(rekey=400.0, life=500.0, rand=50.0)))
    network, a, b = established(mine, peers)
    network.run(1000.0)
    assert_agreement(a, b)
    assert len(a.child_sas) == 1
    # Whoever's time is first rekeys, 8 to 12 times; with both ends' random parts they hardly meet.
    assert 10 <= len(a.of(ChildSaRekeyed)) <= 14
    assert 2 <= len(a.of(IkeSaRekeyed)) <= 3
    assert not a.of(ChildSaFailed)


def test_lives_in_octets_and_packets() -> None:
    lifetime = Lifetime(bytes=Limit(1000.0, 2000.0), packets=Limit(10.0, 20.0))
    network, a, b = established(*both(children=(child(lifetime=lifetime),)))
    for octets, packets, rekeyed in ((999, 9, 0), (1000, 9, 1), (999, 10, 2)):
        a.endpoint.report_traffic(a.child_sa.inbound_spi, octets, packets, network.now)
        network.settle(a)
        network.deliver_all()
        assert len(a.of(ChildSaRekeyed)) == rekeyed
        assert_agreement(a, b)
    # At the hard limit it is deleted, whatever else is going on.
    a.endpoint.report_traffic(a.child_sa.inbound_spi, 2000, 1, network.now)
    network.settle(a)
    network.deliver_all()
    assert_agreement(a, b)
    assert not a.child_sas


def test_a_child_sa_that_is_not_to_be_rekeyed_ends() -> None:
    lifetime = Lifetime(seconds=Limit(rekey=100.0, life=130.0))
    network, a, b = established(*both(children=(child(lifetime=lifetime, rekey=False),)))
    network.run(129.0)
    assert len(a.child_sas) == 1
    network.run(2.0)
    assert_agreement(a, b)
    assert not a.child_sas
    assert not a.of(ChildSaRekeyed)


def test_an_ike_sa_that_is_not_to_be_rekeyed_ends() -> None:
    settings = {"lifetime": Lifetime(seconds=Limit(rekey=100.0, life=130.0)), "rekey": False}
    network, a, b = established(*both(**settings))
    network.run(200.0)
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


def test_a_child_sa_that_the_peer_lost_is_made_anew() -> None:
    network, a, b = established()
    # B forgets its Child SA without a word.
    sa = b.sa
    for lost in list(sa.children):  # type: ignore[attr-defined]
        sa.children.remove(lost)  # type: ignore[attr-defined]
    rekey_child(network, a)
    # A -> B: rekey. B -> A: CHILD_SA_NOT_FOUND. A -> B: a new one.
    assert len(network.deliver_all()) == 4
    assert_agreement(a, b)
    assert len(a.of(ChildSaEstablished)) == 2
    assert len(a.child_sas) == 1
