"""The life of ISAKMP SAs: rekeying, deletion, liveness, NAT, lost and repeated messages, wrong secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ConnectionConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
    Retransmission,
    Unique,
)
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaFailed,
    ChildSaRekeyed,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaFailed,
    IkeSaRekeyed,
    PathChanged,
    PeerAlive,
)
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.ike.v1.identifiers import VENDOR_OCTETS, NotifyType, Vendor
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa
from ipsecbench.lab.certificates import authority
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.secret import Secret
from tests.unit.ike.v1.pair import Pair, make_pair, with_child

HOURS = 3600.0


def quick(each: ConnectionConfiguration) -> ConnectionConfiguration:
    """Short waits."""
    return replace(each, retransmission=Retransmission(0.5, 1.5, 3))


@pytest.mark.parametrize("aggressive", [False, True])
def test_every_single_loss_is_made_good(aggressive: bool) -> None:
    for lost in range(9):
        pair = make_pair(lambda each: quick(replace(each, aggressive=aggressive)), seed=lost)
        count = -1

        def way(datagram: Datagram, lost: int = lost) -> list[Datagram]:
            nonlocal count
            count += 1
            return [] if count == lost else [datagram]

        pair.way = way
        pair.alice.initiate(pair.now)
        pair.run()
        pair.sleep(10)
        assert pair.established, lost
        pair.check_keys()
        assert len(pair.alice.children) == 1


def test_every_datagram_twice() -> None:
    pair = make_pair()
    pair.way = lambda datagram: [datagram, datagram]
    pair.establish()
    pair.check_keys()
    for host in (pair.alice, pair.bob):
        assert len(host.of(IkeSaEstablished)) == len(host.of(ChildSaEstablished)) == 1


def test_a_responder_sends_nothing_by_timer_before_the_peer_is_authenticated() -> None:
    """Row 11: one answer for one message, however long one waits."""
    for aggressive in (False, True):
        pair = make_pair(lambda each, aggressive=aggressive: replace(each, aggressive=aggressive))  # type: ignore[misc]
        sent: list[Datagram] = []

        def way(datagram: Datagram, sent: list[Datagram] = sent) -> list[Datagram]:
            if datagram.path.local.host == "192.0.2.2":
                sent.append(datagram)
                return []
            return [datagram] if not sent else []

        pair.way = way
        pair.alice.initiate(pair.now)
        pair.run()
        assert len(sent) == 1
        first = pair.passed[0]
        pair.alice.sas.clear()
        pair.sleep(29)
        assert len(sent) == 1
        assert len(pair.bob.sas) == 1
        # The same message again: the same answer again.
        pair.bob.receive(first.data, Path(first.path.remote, first.path.local), pair.now)
        pair.run()
        assert [datagram.data for datagram in sent] == [sent[0].data] * 2
        # And nothing is left of it after a while, nor is it worth an event.
        pair.sleep(2)
        assert not pair.bob.sas
        assert not pair.bob.of(IkeSaFailed)
        assert not pair.bob.of(IkeSaEstablished)


def test_nobody_answers() -> None:
    pair = make_pair(quick)
    pair.way = lambda datagram: []
    pair.alice.initiate(pair.now)
    pair.run()
    pair.sleep(60)
    (failure,) = [event for event in pair.alice.events if isinstance(event, IkeSaFailed)]
    assert failure.reason == "no answer"
    assert not pair.alice.sas


class TestRekeying:
    @pytest.mark.parametrize("who", ["alice", "bob"])
    @pytest.mark.parametrize("pfs", ["", "-ecp256"])
    def test_of_phase_2(self, who: str, pfs: str) -> None:
        pair = make_pair(with_child(lambda child: replace(child, proposals=(parse_esp(f"aes128-sha1{pfs}"),))))
        pair.establish()
        host = pair.alice if who == "alice" else pair.bob
        (old,) = host.children
        pair.now += 1
        host.only.rekey_child_sa(old.inbound_spi, pair.now)
        pair.run()
        for each in (pair.alice, pair.bob):
            (rekeyed,) = [event for event in each.events if isinstance(event, ChildSaRekeyed)]
            assert rekeyed.sa.local_ts == old.local_ts or each is not host
            assert len(each.children) == 2
        pair.check_keys()
        pair.sleep(6)
        pair.check_keys()
        assert len(pair.alice.children) == 1
        assert pair.alice.child_spis == {pair.alice.children[0].inbound_spi}

    @pytest.mark.parametrize("who", ["alice", "bob"])
    def test_of_phase_1_keeps_phase_2(self, who: str) -> None:
        pair = make_pair()
        pair.establish()
        before = pair.alice.children[0]
        host = pair.alice if who == "alice" else pair.bob
        old = host.only
        pair.now += 1
        old.rekey(pair.now)
        pair.run()
        pair.sleep(20)
        for each in (pair.alice, pair.bob):
            assert len(each.of(IkeSaRekeyed)) == 1
            assert len(each.of(IkeSaDeleted)) == 1
            assert not each.of(ChildSaDeleted)
            assert each.children[0].ike_unique_id == each.only.unique_id
        assert pair.alice.children[0].inbound_spi == before.inbound_spi
        assert host.only is not old
        # Phase 2 goes on under the new one.
        pair.bob.only.rekey_child_sa(pair.bob.children[0].inbound_spi, pair.now)
        pair.run()
        pair.sleep(6)
        assert len(pair.alice.children) == 1
        pair.check_keys()

    def test_both_ends_at_the_same_time_again_and_again(self) -> None:
        lifetime = Lifetime(seconds=Limit(rekey=1000, life=1200))
        pair = make_pair(
            lambda each: replace(
                each,
                lifetime=Lifetime(seconds=Limit(rekey=3500, life=4000)),
                children=(replace(each.children[0], lifetime=lifetime),),
            )
        )
        pair.establish()
        for _ in range(40):
            pair.sleep(997)
            assert pair.alice.children
        pair.sleep(500)
        pair.check_keys()
        assert len(pair.alice.children) == 1
        assert pair.alice.only.spi_i == pair.bob.only.spi_i
        assert not pair.alice.of(ChildSaFailed)

    def test_a_new_phase_1_that_fails_is_tried_again(self) -> None:
        pair = make_pair(lambda each: quick(replace(each, lifetime=Lifetime(seconds=Limit(rekey=100, life=400)))))
        pair.establish()
        pair.bob.configuration = replace(
            pair.bob.configuration,
            connections=(
                replace(pair.bob.configuration.connections[0], proposals=(parse_ike("aes256-sha1-modp1024"),)),
            ),
        )
        pair.bob.only.deadlines.rekey_at = None
        pair.sleep(120)
        assert pair.alice.of(IkeSaFailed)
        assert len(pair.alice.children) == 1
        pair.bob.configuration = replace(
            pair.bob.configuration,
            connections=(
                replace(pair.bob.configuration.connections[0], proposals=(parse_ike("aes128-sha256-ecp256"),)),
            ),
        )
        pair.sleep(60)
        assert pair.alice.of(IkeSaRekeyed)
        assert len(pair.alice.children) == len(pair.bob.children) == 1

    def test_lives_in_octets_and_packets(self) -> None:
        lifetime = Lifetime(bytes=Limit(rekey=1e6, life=2e6), packets=Limit(rekey=1000, life=2000))
        pair = make_pair(with_child(lambda child: replace(child, lifetime=lifetime)))
        pair.establish()
        (old,) = pair.alice.children
        assert old.expiry.hard_bytes == 2e6 // 1024 * 1024
        pair.alice.only.report_traffic(old.inbound_spi, 999_000, 10, pair.now)
        assert not pair.alice.sent
        pair.alice.only.report_traffic(old.inbound_spi, 1_000_001, 10, pair.now)
        pair.alice.only.report_traffic(old.inbound_spi, 1_000_002, 10, pair.now)
        pair.run()
        assert len(pair.alice.of(ChildSaRekeyed)) == 1
        pair.alice.only.report_traffic(old.inbound_spi, 0, 2000, pair.now)
        pair.run()
        assert len(pair.alice.children) == len(pair.bob.children) == 1
        pair.check_keys()

    def test_the_responder_says_that_it_keeps_an_sa_for_less(self) -> None:
        pair = make_pair(
            bob_change=with_child(
                lambda child: replace(child, lifetime=Lifetime(seconds=Limit(500, 600), bytes=Limit(1e6, 2e6)))
            )
        )
        pair.establish()
        for host in (pair.alice, pair.bob):
            assert host.children[0].expiry.hard_at == pair.now + 600
            assert host.children[0].expiry.hard_bytes == 2e6 // 1024 * 1024

    def test_without_rekeying_an_sa_ends(self) -> None:
        pair = make_pair(
            with_child(lambda child: replace(child, rekey=False, lifetime=Lifetime(seconds=Limit(100, 200))))
        )
        pair.establish()
        pair.sleep(201)
        assert not pair.alice.children
        assert not pair.bob.children
        assert pair.alice.sas


class TestDeletion:
    @pytest.mark.parametrize("who", ["alice", "bob"])
    def test_of_everything(self, who: str) -> None:
        pair = make_pair()
        pair.establish()
        host = pair.alice if who == "alice" else pair.bob
        host.only.delete(pair.now)
        pair.run()
        pair.sleep(2)
        for each in (pair.alice, pair.bob):
            assert not each.sas
            assert not each.child_spis
            kinds = [type(event) for event in each.events]
            assert kinds[-2:] == [ChildSaDeleted, IkeSaDeleted]

    @pytest.mark.parametrize("who", ["alice", "bob"])
    def test_of_phase_2_only(self, who: str) -> None:
        pair = make_pair()
        pair.establish()
        host = pair.alice if who == "alice" else pair.bob
        host.only.delete_child_sa(host.children[0].inbound_spi, pair.now)
        pair.run()
        assert not pair.alice.children
        assert not pair.bob.children
        host.only.create_child_sa("net", pair.now)
        pair.run()
        pair.check_keys()
        assert len(pair.bob.children) == 1

    def test_a_lost_delete_is_repeated(self) -> None:
        pair = make_pair()
        pair.establish()
        pair.way = lambda datagram: []
        pair.alice.only.delete(pair.now)
        pair.run()
        pair.way = lambda datagram: [datagram]
        pair.sleep(1)
        assert not pair.bob.sas

    def test_a_peer_that_missed_every_delete_finds_out(self) -> None:
        pair = make_pair(lambda each: replace(each, dpd_seconds=10.0, dpd_timeout_seconds=30.0))
        pair.establish()
        pair.way = lambda datagram: []
        pair.alice.only.delete(pair.now)
        pair.sleep(100)
        assert not pair.bob.sas
        assert not pair.bob.children
        (gone,) = [event for event in pair.bob.events if isinstance(event, IkeSaDeleted)]
        assert "dead" in gone.reason

    def test_abandoning(self) -> None:
        pair = make_pair()
        pair.establish()
        pair.alice.only.abandon("the endpoint stops", pair.now)
        pair.alice.forget()
        assert not pair.alice.sent
        assert not pair.alice.sas
        assert [type(event) for event in pair.alice.events][-2:] == [ChildSaDeleted, IkeSaDeleted]


class TestLiveness:
    def test_on_request(self) -> None:
        pair = make_pair()
        pair.establish()
        for number in range(3):
            pair.now += 1
            pair.alice.only.check_liveness(pair.now)
            pair.run()
            assert len(pair.alice.of(PeerAlive)) == number + 1
        assert not pair.bob.logged

    def test_after_silence_and_not_before(self) -> None:
        pair = make_pair(lambda each: replace(each, dpd_seconds=30.0))
        pair.establish()
        pair.sleep(29)
        assert len(pair.passed) == 9
        pair.sleep(300)
        assert pair.alice.sas
        assert pair.alice.of(PeerAlive) or pair.bob.of(PeerAlive)

    def test_a_dead_peer(self) -> None:
        pair = make_pair(lambda each: replace(each, dpd_seconds=30.0, dpd_timeout_seconds=60.0))
        pair.establish()
        pair.bob.sas.clear()
        pair.sleep(95)
        assert not pair.alice.sas
        assert not pair.alice.children

    def test_a_peer_without_it_is_not_asked(self) -> None:
        pair = make_pair(lambda each: replace(each, dpd_seconds=30.0))
        pair.establish()
        pair.alice.only.peer.vendors.discard(Vendor.DPD)
        pair.bob.only.peer.vendors.discard(Vendor.DPD)
        pair.alice.only.check_liveness(pair.now)
        pair.sleep(1000)
        assert len(pair.passed) == 9
        assert pair.alice.logged["no-dead-peer-detection"] == 1


class TestNat:
    def behind(self, pair: Pair, ports: dict[int, int]) -> Callable[[Datagram], list[Datagram]]:
        """A NAT in front of Alice."""
        outside = "198.51.100.1"

        def way(datagram: Datagram) -> list[Datagram]:
            local, remote = datagram.path
            if local.host == "192.0.2.1":
                return [Datagram(Path(Address(outside, ports[local.port]), remote), datagram.data)]
            back = {there: here for here, there in ports.items()}
            if remote.port not in back:
                return []
            return [Datagram(Path(local, Address("192.0.2.1", back[remote.port])), datagram.data)]

        return way

    def natted(self, ports: dict[int, int], aggressive: bool = False, mode: Mode = Mode.TUNNEL) -> Pair:
        pair = make_pair(
            lambda each: replace(
                each,
                aggressive=aggressive,
                children=(
                    replace(each.children[0], mode=mode)
                    if mode is Mode.TUNNEL
                    else replace(each.children[0], mode=mode, local_ts=(), remote_ts=()),
                ),
            ),
            lambda each: replace(each, remote_addresses=("198.51.100.1",)),
        )
        pair.way = self.behind(pair, ports)
        return pair

    @pytest.mark.parametrize("aggressive", [False, True])
    def test_it_is_found_and_gone_around(self, aggressive: bool) -> None:
        pair = self.natted({500: 10500, 4500: 14500}, aggressive)
        pair.establish()
        pair.check_keys()
        assert pair.alice.only.path.local.port == 4500
        assert pair.bob.only.path.remote == Address("198.51.100.1", 14500)
        info = pair.alice.only.info
        assert info is not None
        assert (info.nat_local, info.nat_remote) == (True, False)
        other = pair.bob.only.info
        assert other is not None
        assert (other.nat_local, other.nat_remote) == (False, True)
        assert pair.alice.children[0].udp_encapsulation
        pair.sleep(100)
        assert len(pair.alice.keepalives) >= 4
        assert not pair.bob.keepalives

    def test_the_nat_forgets_and_gives_another_port(self) -> None:
        ports = {500: 10500, 4500: 14500}
        pair = self.natted(ports)
        pair.establish()
        ports[4500] = 24500
        pair.alice.only.check_liveness(pair.now)
        pair.run()
        assert pair.alice.of(PeerAlive)
        (changed,) = [event for event in pair.bob.events if isinstance(event, PathChanged)]
        assert changed.path.remote.port == 24500
        assert pair.bob.children[0].path.remote.port == 24500

    def test_a_repeated_message_from_elsewhere_moves_nothing(self) -> None:
        pair = self.natted({500: 10500, 4500: 14500})
        pair.establish()
        last = pair.passed[-1]
        evil = Path(last.path.remote, Address("203.0.113.66", 4500))
        for datagram in pair.passed:
            if datagram.path.remote.host == "192.0.2.2" and datagram.path.remote.port == 4500:
                pair.bob.receive(datagram.data, evil, pair.now)
        assert not pair.bob.of(PathChanged)

    def test_transport_mode(self) -> None:
        pair = self.natted({500: 10500, 4500: 14500}, mode=Mode.TRANSPORT)
        pair.establish()
        pair.check_keys()
        assert [str(each) for each in pair.alice.children[0].local_ts] == ["192.0.2.1/32"]
        assert [str(each) for each in pair.bob.children[0].remote_ts] == ["198.51.100.1/32"]

    def test_peers_of_the_drafts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = {octets: each for each, octets in VENDOR_OCTETS.items() if each is not Vendor.NAT_T}
        monkeypatch.setattr("ipsecbench.ike.v1.identifiers.VENDOR_IDS", known)
        pair = self.natted({500: 500, 4500: 4500}, mode=Mode.TRANSPORT)
        pair.establish()
        assert pair.alice.only.peer.nat_traversal == "draft"
        assert pair.alice.children[0].udp_encapsulation
        pair.check_keys()

    def test_peers_without_nat_traversal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ipsecbench.ike.v1.identifiers.VENDOR_IDS", {})
        pair = make_pair()
        pair.establish()
        assert not pair.alice.children[0].udp_encapsulation
        assert pair.alice.only.path.local.port == 500

    def test_the_new_phase_1_goes_the_same_way(self) -> None:
        pair = self.natted({500: 10500, 4500: 14500})
        pair.establish()
        pair.now += 1
        pair.bob.only.rekey(pair.now)
        pair.run()
        pair.sleep(20)
        assert pair.alice.only.path.local.port == 4500
        assert len(pair.alice.children) == 1


class TestTransportMode:
    def test_without_a_nat(self) -> None:
        pair = make_pair(
            with_child(lambda child: replace(child, mode=Mode.TRANSPORT, local_ts=(), remote_ts=())),
        )
        pair.establish()
        for host in (pair.alice, pair.bob):
            assert host.children[0].mode is Mode.TRANSPORT
            assert not host.children[0].udp_encapsulation

    def test_one_end_wants_tunnel_mode(self) -> None:
        pair = make_pair(
            with_child(lambda child: replace(child, mode=Mode.TRANSPORT)),
            with_child(lambda child: replace(child, mode=Mode.TUNNEL)),
        )
        pair.alice.initiate(pair.now)
        pair.run()
        assert not pair.alice.children
        (failure,) = [event for event in pair.alice.events if isinstance(event, ChildSaFailed)]
        assert failure.notify == NotifyType.NO_PROPOSAL_CHOSEN
        assert pair.alice.sas
        assert pair.bob.sas


class TestRefusals:
    def test_another_pre_shared_key(self) -> None:
        pair = make_pair(quick, lambda each: replace(each, psk=Secret(b"another")))
        pair.alice.initiate(pair.now)
        pair.run()
        pair.sleep(60)
        for host in (pair.alice, pair.bob):
            assert not host.sas
            assert not host.of(IkeSaEstablished)
            assert host.of(IkeSaFailed)
        (failure,) = [event for event in pair.bob.events if isinstance(event, IkeSaFailed)]
        assert "pre-shared key" in failure.reason

    def test_another_pre_shared_key_in_aggressive_mode(self) -> None:
        pair = make_pair(
            lambda each: quick(replace(each, aggressive=True)), lambda each: replace(each, psk=Secret(b"another"))
        )
        pair.alice.initiate(pair.now)
        pair.run()
        pair.sleep(60)
        (failure,) = [event for event in pair.alice.events if isinstance(event, IkeSaFailed)]
        assert "HASH does not match" in failure.reason
        assert not pair.alice.sas
        assert not pair.bob.sas

    @pytest.mark.parametrize("aggressive", [False, True])
    def test_an_identity_that_no_connection_is_for(self, aggressive: bool) -> None:
        eve = Identity(IdType.ID_FQDN, b"eve.example.org")
        pair = make_pair(
            lambda each: quick(replace(each, aggressive=aggressive)),
            lambda each: replace(each, remote=RemoteAuthentication(AuthMethod.PSK, eve)),
        )
        pair.alice.initiate(pair.now)
        pair.run()
        pair.sleep(60)
        assert not pair.bob.of(IkeSaEstablished)
        assert not pair.alice.of(IkeSaEstablished)
        assert not pair.bob.sas
        (failure,) = [event for event in pair.alice.events if isinstance(event, IkeSaFailed)]
        assert failure.notify == NotifyType.AUTHENTICATION_FAILED

    def test_no_common_proposal(self) -> None:
        for aggressive in (False, True):
            pair = make_pair(
                lambda each, aggressive=aggressive: quick(replace(each, aggressive=aggressive)),  # type: ignore[misc]
                lambda each: replace(each, proposals=(parse_ike("aes256-sha1-modp1024"),)),
            )
            pair.alice.initiate(pair.now)
            pair.run()
            assert not pair.bob.sas
            # It is not believed at once, because anybody could have said so.
            assert pair.alice.sas
            pair.sleep(30)
            (failure,) = [event for event in pair.alice.events if isinstance(event, IkeSaFailed)]
            assert failure.notify == NotifyType.NO_PROPOSAL_CHOSEN
            assert "NO_PROPOSAL_CHOSEN" in failure.reason

    def test_aggressive_mode_is_taken_only_where_it_is_configured(self) -> None:
        pair = make_pair(quick, lambda each: replace(each, aggressive=True))
        pair.alice.initiate(pair.now)
        pair.run()
        assert not pair.bob.sas
        pair = make_pair(lambda each: replace(each, aggressive=True), lambda each: replace(each, aggressive=False))
        pair.alice.initiate(pair.now)
        pair.run()
        assert not pair.bob.sas

    @pytest.mark.parametrize(
        ("proposal", "selector", "notify"),
        [
            ("aes256-sha512", "10.1.0.0/16", NotifyType.NO_PROPOSAL_CHOSEN),
            ("aes128-sha256-ecp256", "10.1.0.0/16", NotifyType.NO_PROPOSAL_CHOSEN),
            ("aes128-sha256", "10.77.0.0/16", NotifyType.INVALID_ID_INFORMATION),
        ],
    )
    def test_phase_2_alone_fails(self, proposal: str, selector: str, notify: int) -> None:
        pair = make_pair(
            bob_change=with_child(
                lambda child: replace(
                    child, proposals=(parse_esp(proposal),), remote_ts=(parse_traffic_selector(selector),)
                )
            )
        )
        pair.alice.initiate(pair.now)
        pair.run()
        for host in (pair.alice, pair.bob):
            (failure,) = [event for event in host.events if isinstance(event, ChildSaFailed)]
            assert failure.notify == notify
            assert host.sas
            assert not host.child_spis

    def test_nothing_that_ikev1_can_name(self) -> None:
        pair = make_pair(lambda each: replace(each, proposals=(parse_ike("aes128gcm16-prfsha256-ecp256"),)))
        pair.alice.initiate(pair.now)
        assert pair.alice.of(IkeSaFailed)
        assert not pair.alice.sent
        pair = make_pair(with_child(lambda child: replace(child, proposals=(parse_esp("chacha20poly1305"),))))
        pair.alice.initiate(pair.now)
        pair.run()
        assert pair.alice.of(ChildSaFailed)
        pair.alice.only.create_child_sa("nothing", pair.now)
        assert len(pair.alice.of(ChildSaFailed)) == 2

    def test_narrowing(self) -> None:
        pair = make_pair(
            bob_change=with_child(lambda child: replace(child, remote_ts=(parse_traffic_selector("10.1.7.0/24"),)))
        )
        pair.establish()
        assert [str(each) for each in pair.alice.children[0].local_ts] == ["10.1.7.0/24"]
        pair.check_keys()


class TestInitialContact:
    def test_a_peer_that_began_anew(self) -> None:
        pair = make_pair()
        pair.establish()
        pair.alice.sas.clear()
        pair.now += 10
        pair.alice.initiate(pair.now)
        pair.run()
        assert len(pair.bob.sas) == len(pair.bob.children) == 1
        assert len(pair.bob.of(ChildSaDeleted)) == 1
        pair.check_keys()

    def test_not_where_both_are_to_stay(self) -> None:
        pair = make_pair(lambda each: replace(each, unique=Unique.KEEP))
        pair.establish()
        pair.alice.sas.clear()
        pair.now += 10
        pair.alice.initiate(pair.now)
        pair.run()
        assert not pair.bob.of(ChildSaDeleted)

    def test_a_second_one_beside_the_first_where_both_are_to_stay(self) -> None:
        pair = make_pair(lambda each: replace(each, unique=Unique.KEEP))
        pair.establish()
        pair.now += 10
        pair.alice.initiate(pair.now)
        pair.run()
        for end in (pair.alice, pair.bob):
            assert sum(isinstance(sa, IsakmpSa) and sa.alive for sa in end.sas.values()) == 2
            assert len(end.children) == 2
            assert not end.of(IkeSaRekeyed)
        pair.check_keys()

    def test_both_begin_at_the_same_time(self) -> None:
        pair = make_pair()
        pair.alice.initiate(pair.now)
        pair.bob.initiate(pair.now)
        pair.run()
        pair.sleep(30)
        assert pair.alice.only.spi_i == pair.bob.only.spi_i
        assert pair.alice.children
        pair.check_keys()


CERTIFICATES = PycaPublicKeyInfrastructure()


def by_certificate(kind: str, name: str = "lab") -> Callable[[ConnectionConfiguration], ConnectionConfiguration]:
    """The ends prove themselves by certificates of an authority."""

    def change(each: ConnectionConfiguration) -> ConnectionConfiguration:
        local, remote = each.local.identity, each.remote.identity
        assert local is not None
        credential = authority(kind, name).issue(local.data.decode(), common_name="end")
        chain = (credential.certificate, *credential.intermediates)
        return replace(
            each,
            local=LocalAuthentication(
                AuthMethod.PUBKEY,
                local,
                tuple(CERTIFICATES.load_certificate(der) for der in chain),
                CERTIFICATES.load_private_key(credential.private_key),
            ),
            remote=RemoteAuthentication(
                AuthMethod.PUBKEY, remote, (CERTIFICATES.load_certificate(authority(kind, "lab").root),)
            ),
            psk=None,
        )

    return change


class TestSignatures:
    @pytest.fixture(autouse=True)
    def present(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The laboratory's certificates are valid around now."""
        import time

        monkeypatch.setattr("tests.unit.ike.v1.pair.UNIX_TIME", time.time())

    @pytest.mark.parametrize("aggressive", [False, True])
    @pytest.mark.parametrize("kind", ["rsa-2048", "ecdsa-256", "ecdsa-384", "ecdsa-521"])
    def test_both_modes(self, kind: str, aggressive: bool) -> None:
        pair = make_pair(lambda each: by_certificate(kind)(replace(each, aggressive=aggressive)))
        pair.establish()
        pair.check_keys()
        assert all(len(datagram.data) < 1280 for datagram in pair.passed)

    def test_a_certificate_of_an_authority_that_nobody_knows(self) -> None:
        pair = make_pair(lambda each: quick(by_certificate("ecdsa-256")(each)))
        first = pair.alice.configuration.connections[0]
        stranger = by_certificate("ecdsa-256", "stranger")(first).local
        pair.alice.configuration = replace(pair.alice.configuration, connections=(replace(first, local=stranger),))
        pair.alice.initiate(pair.now)
        pair.run()
        pair.sleep(60)
        assert not pair.bob.of(IkeSaEstablished)
        assert not pair.alice.of(IkeSaEstablished)
        (failure,) = [event for event in pair.alice.events if isinstance(event, IkeSaFailed)]
        assert failure.notify == NotifyType.AUTHENTICATION_FAILED

    def test_a_certificate_with_another_key(self) -> None:
        """Row 54."""
        pair = make_pair(lambda each: quick(by_certificate("ecdsa-256")(each)))
        first = pair.alice.configuration.connections[0]
        other = by_certificate("ecdsa-256")(first).local.private_key
        pair.alice.configuration = replace(
            pair.alice.configuration,
            connections=(replace(first, local=replace(first.local, private_key=other)),),
        )
        pair.alice.initiate(pair.now)
        pair.run()
        pair.sleep(60)
        assert not pair.bob.of(IkeSaEstablished)

    def test_a_key_that_ikev1_has_no_method_for(self) -> None:
        pair = make_pair(by_certificate("ed25519"))
        pair.alice.initiate(pair.now)
        assert pair.alice.of(IkeSaFailed)
        assert not pair.alice.sent

    def test_only_the_peers_own_certificate_is_trusted(self) -> None:
        def pinned(each: ConnectionConfiguration) -> ConnectionConfiguration:
            return replace(by_certificate("ecdsa-256")(each), send_certificate=False)

        pair = make_pair(pinned)
        alice, bob = pair.alice.configuration.connections[0], pair.bob.configuration.connections[0]
        pair.alice.configuration = replace(
            pair.alice.configuration,
            connections=(
                replace(alice, remote=replace(alice.remote, authorities=(), certificates=bob.local.certificates[:1])),
            ),
        )
        pair.bob.configuration = replace(
            pair.bob.configuration,
            connections=(
                replace(bob, remote=replace(bob.remote, authorities=(), certificates=alice.local.certificates[:1])),
            ),
        )
        pair.establish()


def test_a_quick_mode_that_overtakes_the_end_of_phase_1_comes_again_soon() -> None:
    pair = make_pair(lambda each: replace(each, aggressive=True))
    late: list[Datagram] = []

    def way(datagram: Datagram) -> list[Datagram]:
        if len(pair.passed) == 2 and not late:
            late.append(datagram)
            return []
        return [datagram, late.pop()] if len(late) == 1 and len(pair.passed) == 2 else [datagram]

    pair.way = way
    pair.alice.initiate(pair.now)
    pair.run()
    assert not pair.bob.children
    pair.sleep(0.2)
    assert pair.established
    pair.check_keys()
    assert len(pair.alice.children) == 1
