"""What an attacker sends to IKEv1: forged, damaged, repeated and misplaced messages. The rows are those of the list of
known failures of IKE daemons that this project keeps a test for each of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecbench.errors import MalformedError
from ipsecbench.ike.events import ChildSaDeleted, ChildSaFailed, IkeSaDeleted, IkeSaEstablished
from ipsecbench.ike.header import HEADER_BYTES, ZERO_SPI, parse_header
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.ike.v1.authentication import message_hash
from ipsecbench.ike.v1.identifiers import ExchangeType, Flag, NotifyType, PayloadType, Protocol
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa, respond
from ipsecbench.ike.v1.message import AnyPayload, encode_message, encode_payloads, frame
from ipsecbench.ike.v1.payloads import (
    DeletePayload,
    FragmentPayload,
    IdPayload,
    NotificationPayload,
    OctetsPayload,
    UnknownPayload,
)
from ipsecbench.ike.v1.proposals import Proposal, SaPayload, make_transform
from ipsecbench.ike.v1.transitions import (
    AGGRESSIVE_MODE,
    INFORMATIONAL,
    LIFE,
    MAIN_MODE,
    QUICK_MODE,
    ExchangeState,
    ExchangeTable,
    Notice,
    SaState,
    Sends,
    Trigger,
)
from tests.unit.ike.v1.pair import HostDouble, Pair, make_pair

TO_BOB = Path(Address("192.0.2.2", 500), Address("192.0.2.1", 500))


def forged(sa: IsakmpSa, payloads: list[AnyPayload], *, good: bool, exchange: int = 5, message_id: int = 77) -> bytes:
    """A message as its peer would send it: with the right keys, and with or without a right HASH(1)."""
    security = sa.established_security
    digest = message_hash(security.prf, security.family.skeyid_a, message_id, encode_payloads(payloads))
    if not good:
        digest = bytes([digest[0] ^ 1]) + digest[1:]
    everything = [OctetsPayload(PayloadType.HASH, digest), *payloads]
    return sa.sender.build(exchange, message_id, everything, security.phase.exchange(message_id))


@pytest.fixture
def pair() -> Pair:
    made = make_pair()
    made.establish()
    return made


def everything_of(sa: IsakmpSa, outbound: bytes) -> list[list[AnyPayload]]:
    """Payloads that would tear something down."""
    cookies = sa.spi_i + sa.spi_r
    return [
        [DeletePayload(Protocol.PROTO_ISAKMP, (cookies,))],
        [DeletePayload(Protocol.PROTO_IPSEC_ESP, (outbound,))],
        [NotificationPayload(Protocol.PROTO_ISAKMP, cookies, NotifyType.INITIAL_CONTACT)],
        [NotificationPayload(Protocol.PROTO_IPSEC_ESP, outbound, NotifyType.NO_PROPOSAL_CHOSEN)],
        [NotificationPayload(Protocol.PROTO_ISAKMP, cookies, NotifyType.AUTHENTICATION_FAILED)],
        [NotificationPayload(Protocol.PROTO_ISAKMP, cookies, NotifyType.R_U_THERE, bytes(4))],
    ]


class TestInformational:
    def test_a_wrong_hash_does_nothing(self, pair: Pair) -> None:
        """Row 10."""
        bob = pair.bob.only
        before = list(pair.bob.events)
        for number, payloads in enumerate(everything_of(bob, pair.bob.children[0].outbound_spi), 1):
            pair.bob.receive(forged(bob, payloads, good=False, message_id=number), TO_BOB, pair.now)
        assert pair.bob.events == before
        assert pair.bob.logged["bad-informational"] == 6
        assert not pair.bob.sent

    def test_a_missing_hash_does_nothing(self, pair: Pair) -> None:
        bob = pair.bob.only
        before = list(pair.bob.events)
        security = bob.established_security
        for number, payloads in enumerate(everything_of(bob, pair.bob.children[0].outbound_spi), 1):
            octets = bob.sender.build(5, number, payloads, security.phase.exchange(number))
            pair.bob.receive(octets, TO_BOB, pair.now)
        assert pair.bob.events == before
        assert not pair.bob.sent

    @pytest.mark.parametrize("authenticated_only", [False, True])
    def test_in_the_clear_nothing_is_done(self, pair: Pair, authenticated_only: bool) -> None:
        """Row 50."""
        bob = pair.bob.only
        before = list(pair.bob.events)
        flags = Flag.AUTHENTICATION_ONLY if authenticated_only else Flag(0)
        for number, payloads in enumerate(everything_of(bob, pair.bob.children[0].outbound_spi), 1):
            body = encode_payloads(payloads)
            first = payloads[0].payload_type if not isinstance(payloads[0], SaPayload) else 1
            pair.bob.receive(frame(bob.spi_i, bob.spi_r, first, 5, flags, number, body), TO_BOB, pair.now)
        assert pair.bob.events == before
        assert not pair.bob.sent

    def test_with_the_right_hash_it_is_done(self, pair: Pair) -> None:
        bob = pair.bob.only
        spi = pair.bob.children[0].outbound_spi
        pair.bob.receive(forged(bob, [DeletePayload(3, (spi,))], good=True), TO_BOB, pair.now)
        assert len(pair.bob.of(ChildSaDeleted)) == 1
        # The same message again is not processed again.
        pair.bob.receive(forged(bob, [DeletePayload(3, (spi,))], good=True), TO_BOB, pair.now)
        assert pair.bob.logged["repeated-message"] == 1

    def test_what_follows_a_delete_is_not_looked_at(self, pair: Pair) -> None:
        """Row 8: the SA deleted twice, and a notification about it behind."""
        bob = pair.bob.only
        cookies = bob.spi_i + bob.spi_r
        delete = DeletePayload(Protocol.PROTO_ISAKMP, (cookies,))
        ask = NotificationPayload(Protocol.PROTO_ISAKMP, cookies, NotifyType.R_U_THERE, bytes(4))
        pair.bob.receive(forged(bob, [delete, delete, ask, delete], good=True), TO_BOB, pair.now)
        assert len(pair.bob.of(IkeSaDeleted)) == 1
        assert not pair.bob.sas
        assert not pair.bob.sent

    @pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 255])
    @pytest.mark.parametrize("spi", [b"", bytes(3), bytes(4), bytes(8), bytes(16), bytes(255)])
    def test_odd_protocols_and_spis(self, pair: Pair, protocol: int, spi: bytes) -> None:
        """Row 28, for version 1."""
        bob = pair.bob.only
        before = list(pair.bob.events)
        payloads: list[AnyPayload] = [
            NotificationPayload(protocol, spi, number, data)
            for number in (NotifyType.R_U_THERE, NotifyType.R_U_THERE_ACK, NotifyType.INVALID_SPI, 40000, 0)
            for data in (b"", bytes(3), bytes(4), bytes(5))
        ]
        if spi:
            payloads.append(DeletePayload(protocol, (spi, spi)))
        pair.bob.receive(forged(bob, payloads, good=True), TO_BOB, pair.now)
        assert pair.bob.events == before
        assert pair.bob.sas

    def test_liveness_with_old_numbers_and_for_other_sas(self, pair: Pair) -> None:
        """Rows 2 and 3, with an SA there."""
        bob = pair.bob.only
        cookies = bob.spi_i + bob.spi_r

        def ask(sequence: int, spi: bytes, message_id: int) -> None:
            payload = NotificationPayload(1, spi, NotifyType.R_U_THERE, sequence.to_bytes(4))
            pair.bob.receive(forged(bob, [payload], good=True, message_id=message_id), TO_BOB, pair.now)

        ask(100, cookies, 1)
        assert len(pair.bob.sent) == 1
        ask(100, cookies, 2)
        ask(99, cookies, 3)
        ask(101, bytes(16), 4)
        assert len(pair.bob.sent) == 1
        assert pair.bob.logged["bad-liveness"] == 3
        answer = NotificationPayload(1, cookies, NotifyType.R_U_THERE_ACK, (5).to_bytes(4))
        pair.bob.receive(forged(bob, [answer], good=True, message_id=5), TO_BOB, pair.now)
        assert pair.bob.logged["bad-liveness"] == 4


class TestNewcomers:
    def respond(self, octets: bytes, host: HostDouble | None = None) -> tuple[IsakmpSa | None, HostDouble]:
        host = host or make_pair().bob
        return respond(host, parse_header(octets), octets, TO_BOB, 1000.0), host

    def test_what_cannot_begin_an_sa(self) -> None:
        """Rows 2, 3 and 4."""
        cookies = (b"A" * 8, ZERO_SPI)
        ask = NotificationPayload(1, bytes(16), NotifyType.R_U_THERE, bytes(4))
        messages = [
            encode_message(*cookies, exchange, message_id, [payload])
            for exchange in (*ExchangeType, 0, 1, 3, 34, 255)
            for message_id in (0, 7)
            for payload in (ask, DeletePayload(1, (bytes(16),)), UnknownPayload(77, b""), OctetsPayload(8, bytes(20)))
        ]
        for octets in messages:
            sa, host = self.respond(octets)
            assert sa is None
            assert len(host.sent) <= 1
            assert not host.events

    def test_a_first_message_that_stops_anywhere(self) -> None:
        pair = make_pair()
        pair.alice.initiate(pair.now)
        whole = pair.alice.sent[0].data
        for end in range(HEADER_BYTES, len(whole)):
            octets = whole[:24] + end.to_bytes(4) + whole[28:end]
            sa, host = self.respond(octets, pair.bob)
            assert sa is None
        assert not host.events
        sa, host = self.respond(whole, pair.bob)
        assert sa is not None

    @pytest.mark.parametrize("next_payload", [15, 20, 130, 131, 132, 133, 255])
    def test_first_payloads_of_unknown_and_legacy_types(self, next_payload: int) -> None:
        """Row 5."""
        for body in (b"", bytes(4), bytes(40)):
            octets = encode_message(b"A" * 8, ZERO_SPI, 2, 0, [UnknownPayload(next_payload, body)])
            sa, _ = self.respond(octets)
            assert sa is None

    def test_a_refused_aggressive_mode_leaves_nothing(self) -> None:
        """Row 6: nothing that the responder's cookie could find again."""
        pair = make_pair(lambda each: replace(each, aggressive=True))
        pair.alice.initiate(pair.now)
        octets = pair.alice.sent[0].data
        # Another group: 1025 instead of 19.
        changed = octets.replace(bytes.fromhex("80040013"), bytes.fromhex("80040401"))
        assert changed != octets
        pair.bob.receive(changed, TO_BOB, pair.now)
        assert not pair.bob.sas
        (answer,) = pair.bob.sent
        header = parse_header(answer.data)
        again = frame(header.spi_i, header.spi_r, 8, 4, Flag(0), 0, encode_payloads([OctetsPayload(8, bytes(32))]))
        pair.bob.receive(again, TO_BOB, pair.now)
        assert len(pair.bob.sent) == 1

    @pytest.mark.parametrize("public", [b"", bytes(64), b"\xff" * 64, b"\x04" * 63, b"\x01" * 1000])
    @pytest.mark.parametrize("aggressive", [False, True])
    def test_public_values_that_are_none(self, public: bytes, aggressive: bool) -> None:
        """Rows 20 and 21."""
        pair = make_pair(lambda each: replace(each, aggressive=aggressive))
        seen = 0

        def way(datagram: Datagram) -> list[Datagram]:
            nonlocal seen
            header = parse_header(datagram.data)
            if header.next_payload != (PayloadType.SA if aggressive else PayloadType.KE):
                return [datagram]
            seen += 1
            size = 4 + 64
            start = datagram.data.index((size).to_bytes(2), HEADER_BYTES) - 2
            body = datagram.data[:start] + datagram.data[start : start + 2] + (4 + len(public)).to_bytes(2)
            octets = body + public + datagram.data[start + size :]
            return [Datagram(datagram.path, octets[:24] + len(octets).to_bytes(4) + octets[28:])]

        pair.way = way
        pair.alice.initiate(pair.now)
        pair.run()
        assert seen == 1
        assert not pair.bob.of(IkeSaEstablished)
        assert pair.bob.logged["refused-message"] == 1

    def test_many_of_them_cost_little(self) -> None:
        host = make_pair().bob
        pair = make_pair()
        pair.alice.initiate(pair.now)
        octets = pair.alice.sent[0].data
        for number in range(200):
            changed = number.to_bytes(8) + octets[8:]
            sa, _ = self.respond(changed, host)
            assert sa is not None
            assert sa.security is None
        assert len(host.sent) == 200


class TestPhase1:
    def messages(self, aggressive: bool) -> Iterator[tuple[Pair, Datagram]]:
        """Each message of phase 1 just before it arrives."""
        for stop in range(3 if aggressive else 6):
            pair = make_pair(lambda each: replace(each, aggressive=aggressive))
            held: list[Datagram] = []
            count = -1

            def way(datagram: Datagram, held: list[Datagram] = held, stop: int = stop) -> list[Datagram]:
                nonlocal count
                count += 1
                if count == stop:
                    held.append(datagram)
                    return []
                return [datagram] if count < stop else []

            pair.way = way
            pair.alice.initiate(pair.now)
            pair.run()
            yield pair, held[0]

    @pytest.mark.parametrize("aggressive", [False, True])
    def test_a_damaged_message_does_not_stop_the_right_one(self, aggressive: bool) -> None:
        for pair, datagram in self.messages(aggressive):
            receiver = pair.bob if datagram.path.remote.host == "192.0.2.2" else pair.alice
            back = Path(datagram.path.remote, datagram.path.local)
            encrypted = bool(parse_header(datagram.data).flags & Flag.ENCRYPTION)
            rng = random.Random(5)
            for _ in range(12):
                octets = bytearray(datagram.data)
                # What stands behind the proof, NAT-D and notifications, no hash of phase 1 covers.
                end = HEADER_BYTES + 32 if encrypted else len(octets)
                octets[rng.randrange(HEADER_BYTES, end)] ^= 1 << rng.randrange(8)
                if receiver is pair.alice or parse_header(datagram.data).spi_r != ZERO_SPI:
                    receiver.receive(bytes(octets), back, pair.now)
            assert not (encrypted and receiver.of(IkeSaEstablished))
            pair.way = lambda datagram: [datagram]
            receiver.receive(datagram.data, back, pair.now)
            pair.run()
            pair.sleep(20)
            # A changed public value or nonce may have been taken for the right one: then nothing is set up.
            if encrypted:
                assert pair.established
                pair.check_keys()

    def test_errors_in_the_clear_are_hints(self) -> None:
        """Somebody who knows the cookies says that all is lost, and is wrong."""
        pair = make_pair()
        pair.way = lambda datagram: [] if datagram.path.local.host == "192.0.2.2" else [datagram]
        sa = pair.alice.initiate(pair.now)
        pair.run()
        for notify in (NotifyType.NO_PROPOSAL_CHOSEN, NotifyType.AUTHENTICATION_FAILED, NotifyType.INVALID_COOKIE):
            octets = encode_message(sa.spi_i, sa.spi_r, 5, 9, [NotificationPayload(1, b"", notify)])
            pair.alice.receive(octets, Path(TO_BOB.remote, TO_BOB.local), pair.now)
        assert pair.alice.sas
        pair.way = lambda datagram: [datagram]
        pair.sleep(5)
        assert pair.established

    def test_quick_mode_before_phase_1_is_complete(self) -> None:
        for pair, _ in self.messages(aggressive=False):
            for host in (pair.alice, pair.bob):
                for sa in host.sas.values():
                    octets = frame(sa.spi_i, sa.spi_r, 8, 32, Flag.ENCRYPTION, 9, bytes(64))
                    host.receive(octets, TO_BOB, pair.now)
                    assert not host.of(ChildSaFailed)

    def test_a_zero_cookie_of_the_responder(self) -> None:
        pair = make_pair()
        pair.way = lambda datagram: [Datagram(datagram.path, datagram.data[:8] + ZERO_SPI + datagram.data[16:])]
        pair.alice.initiate(pair.now)
        pair.run()
        assert pair.alice.logged["refused-message"] == 1
        assert not pair.bob.of(IkeSaEstablished)


class TestQuickMode:
    def quick(self, pair: Pair, payloads: list[AnyPayload], message_id: int = 99) -> None:
        octets = forged(pair.bob.only, payloads, good=True, exchange=32, message_id=message_id)
        pair.bob.receive(octets, TO_BOB, pair.now)

    def sa(self, **values: int) -> SaPayload:
        from ipsecbench.ike.v1.attributes import Attribute

        attributes = [Attribute(6, 128), Attribute(5, 5), Attribute(4, 1), Attribute(1, 1), Attribute(2, 3600)]
        return SaPayload((Proposal(1, 3, b"\x05\x05\x05\x05", (make_transform(1, 12, attributes),)),))

    NONCE = OctetsPayload(PayloadType.NONCE, bytes(range(32)))
    IDS = (IdPayload(4, bytes.fromhex("0a010000ffff0000")), IdPayload(4, bytes.fromhex("0a020000ffff0000")))

    def test_the_right_one_is_answered(self, pair: Pair) -> None:
        self.quick(pair, [self.sa(), self.NONCE, *self.IDS])
        assert len(pair.bob.sent) == 1
        assert not pair.bob.of(ChildSaFailed)

    @pytest.mark.parametrize("id_type", [*range(13), 255])
    @pytest.mark.parametrize("length", [0, 1, 4, 8, 16, 32, 33, 600])
    def test_ids_of_every_type_and_length(self, pair: Pair, id_type: int, length: int) -> None:
        """Rows 7, 30 to 32."""
        self.quick(pair, [self.sa(), self.NONCE, self.IDS[0], IdPayload(id_type, bytes(length))])
        assert len(pair.bob.children) == 1
        assert pair.bob.sas

    def test_missing_and_doubled_payloads(self, pair: Pair) -> None:
        full: list[AnyPayload] = [self.sa(), self.NONCE, *self.IDS]
        number = 100
        for index in range(len(full)):
            for payloads in (full[:index] + full[index + 1 :], full[: index + 1] + full[index:]):
                number += 1
                self.quick(pair, payloads, number)
        assert len(pair.bob.children) == 1
        assert len(pair.bob.child_spis) == 1

    @pytest.mark.parametrize("length", [0, 7, 257, 2000])
    def test_nonces_that_are_too_short_or_too_long(self, pair: Pair, length: int) -> None:
        self.quick(pair, [self.sa(), OctetsPayload(PayloadType.NONCE, bytes(length)), *self.IDS])
        assert len(pair.bob.child_spis) == 1

    def test_a_wrong_hash_leaves_no_exchange(self, pair: Pair) -> None:
        for number in range(1, 300):
            octets = forged(
                pair.bob.only, [self.sa(), self.NONCE, *self.IDS], good=False, exchange=32, message_id=number
            )
            pair.bob.receive(octets, TO_BOB, pair.now)
        assert len(pair.bob.only.phase2.exchanges) == 1
        assert not pair.bob.sent

    def test_exchanges_are_limited(self, pair: Pair) -> None:
        for number in range(1, 300):
            self.quick(pair, [self.sa(), self.NONCE, *self.IDS], number)
        assert len(pair.bob.only.phase2.exchanges) <= 128
        pair.bob.sent.clear()
        pair.way = lambda datagram: []
        pair.sleep(300)
        assert len(pair.bob.child_spis) == 1
        assert not pair.bob.only.phase2.exchanges

    def test_a_third_message_that_is_forged(self) -> None:
        pair = make_pair()
        stopped: list[Datagram] = []

        def way(datagram: Datagram) -> list[Datagram]:
            if len(pair.passed) == 8:
                stopped.append(datagram)
                return []
            return [datagram]

        pair.way = way
        pair.alice.initiate(pair.now)
        pair.run()
        right = stopped[0]
        wrong = right.data[:-1] + bytes([right.data[-1] ^ 1])
        pair.bob.receive(wrong, TO_BOB, pair.now)
        assert not pair.bob.children
        pair.bob.receive(right.data, TO_BOB, pair.now)
        pair.check_keys()
        assert len(pair.bob.children) == 1


class TestFragments:
    def send(self, pair: Pair, piece: FragmentPayload, *more: AnyPayload) -> None:
        sa = pair.bob.only
        pair.bob.receive(encode_message(sa.spi_i, sa.spi_r, 5, 0, [piece, *more]), TO_BOB, pair.now)

    def test_hostile_pieces(self, pair: Pair) -> None:
        """Rows 12 to 14."""
        before = list(pair.bob.events)
        for number in (0, 1, 2, 64, 65, 255):
            for data in (b"", b"x", bytes(28), bytes(1200)):
                for flags in (0, 1, 255):
                    self.send(pair, FragmentPayload(number, number, flags, data))
        self.send(pair, FragmentPayload(9, 1, 1, bytes(100)), UnknownPayload(77, b""))
        assert pair.bob.events == before
        assert pair.bob.logged["bad-fragment"]

    def test_a_whole_message_of_another_sa_inside(self, pair: Pair) -> None:
        octets = encode_message(bytes(8), bytes(8), 5, 1, [UnknownPayload(77, b"")])
        self.send(pair, FragmentPayload(1, 1, 1, octets))
        inner = encode_message(pair.bob.only.spi_i, pair.bob.only.spi_r, 5, 0, [FragmentPayload(1, 1, 1, octets)])
        self.send(pair, FragmentPayload(2, 1, 1, inner))
        assert pair.bob.logged["bad-fragment"] == 2

    def test_long_messages_go_in_pieces(self) -> None:
        pair = make_pair(lambda each: replace(each, fragment_bytes=150))
        pair.establish()
        pair.check_keys()
        # The first message goes whole, because nobody knows yet that the peer takes pieces.
        assert all(len(datagram.data) <= 150 - 28 for datagram in pair.passed[2:])
        kinds = {parse_header(datagram.data).next_payload for datagram in pair.passed}
        assert PayloadType.FRAGMENT in kinds


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_changed_messages_never_raise_and_never_tear_down(data: st.DataObject) -> None:
    pair = make_pair()
    pair.establish()
    datagram = data.draw(st.sampled_from(pair.passed))
    octets = bytearray(datagram.data)
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(16, len(octets) - 1))] = data.draw(st.integers(0, 255))
    whole = bytes(octets[:24]) + len(octets).to_bytes(4) + bytes(octets[28:])
    before = [len(host.events) for host in (pair.alice, pair.bob)]
    for host in (pair.alice, pair.bob):
        host.receive(whole, Path(datagram.path.remote, datagram.path.local), pair.now)
        assert len(host.children) == 1
    assert [len(host.events) for host in (pair.alice, pair.bob)] == before


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=400), st.integers(0, 2**32 - 1))
def test_any_octets_for_a_known_sa(exchange: int, first: int, flags: int, body: bytes, message_id: int) -> None:
    pair = make_pair()
    pair.establish()
    sa = pair.bob.only
    octets = frame(sa.spi_i, sa.spi_r, first, exchange, Flag(flags), message_id, body)
    pair.bob.receive(octets, TO_BOB, pair.now)
    assert pair.bob.sas
    assert len(pair.bob.children) == 1


def seeded_way(rng: random.Random) -> tuple[list[Datagram], Pair]:
    pair = make_pair(seed=rng.randrange(1 << 30))
    delayed: list[Datagram] = []

    def way(datagram: Datagram) -> list[Datagram]:
        """Some are lost, some come twice, some come late."""
        dice = rng.random()
        late = [delayed.pop(rng.randrange(len(delayed)))] if delayed and rng.random() < 0.3 else []
        if dice < 0.12:
            return late
        if dice < 0.24:
            return [datagram, datagram, *late]
        if dice < 0.36:
            delayed.append(datagram)
            return late
        return [datagram, *late]

    pair.way = way
    return delayed, pair


@pytest.mark.parametrize("seed", range(60))
def test_both_agree_or_both_are_clean_whatever_the_network_does(seed: int) -> None:
    rng = random.Random(seed)
    _, pair = seeded_way(rng)
    pair.alice.initiate(pair.now)
    if rng.random() < 0.3:
        pair.bob.initiate(pair.now)
    pair.run()
    pair.sleep(40)
    for _ in range(6):
        host = rng.choice((pair.alice, pair.bob))
        for sa in list(host.sas.values()):
            order = rng.randrange(5)
            if order == 0:
                sa.rekey(pair.now)
            elif order == 1 and sa.child_sas:
                sa.rekey_child_sa(rng.choice(sa.child_sas).inbound_spi, pair.now)
            elif order == 2 and sa.child_sas:
                sa.delete_child_sa(rng.choice(sa.child_sas).inbound_spi, pair.now)
            elif order == 3:
                sa.create_child_sa("net", pair.now)
            else:
                sa.check_liveness(pair.now)
        pair.run()
        pair.sleep(rng.choice((0, 1, 20)))
    pair.way = lambda datagram: [datagram]
    pair.sleep(1500)
    # Deleting has no acknowledgement in IKEv1: what one end missed ends with its life, or by its peer's silence.
    for host in (pair.alice, pair.bob):
        for sa in list(host.sas.values()):
            sa.delete(pair.now)
    pair.run()
    pair.sleep(16_000)
    for host in (pair.alice, pair.bob):
        assert not host.sas
        assert not host.child_spis
        assert len(host.of(IkeSaDeleted)) >= 1 or not host.of(IkeSaEstablished)


class TestTables:
    @pytest.mark.parametrize("table", [MAIN_MODE, AGGRESSIVE_MODE, QUICK_MODE])
    def test_every_action_exists_and_every_state_is_left(self, table: ExchangeTable) -> None:
        from ipsecbench.ike.v1.exchanges.aggressive_mode import AggressiveMode
        from ipsecbench.ike.v1.exchanges.main_mode import MainMode
        from ipsecbench.ike.v1.exchanges.quick_mode import QuickMode

        (owner,) = [each for each in (MainMode, AggressiveMode, QuickMode) if each.TABLE is table]
        for transition in table.values():
            assert callable(getattr(owner, transition.action))
            assert transition.sends is not Sends.NOTHING or transition.state is ExchangeState.DONE
        left = {state for state, _ in table}
        reached = {transition.state for transition in table.values()}
        assert reached - left == {ExchangeState.DONE}
        assert left - reached == {ExchangeState.START}
        # Nothing happens any more in the last states.
        assert not left & {ExchangeState.DONE, ExchangeState.FAILED}

    def test_only_a_waiting_initiator_or_an_authenticated_responder_sends_by_timer(self) -> None:
        for table in (MAIN_MODE, AGGRESSIVE_MODE):
            for (state, trigger), transition in table.items():
                answers = state is ExchangeState.START and trigger is not Trigger.INITIATE
                if transition.awaits:
                    assert not answers
                    assert transition.state in (ExchangeState.SA_SENT, ExchangeState.KE_SENT, ExchangeState.PROOF_SENT)

    def test_actions_of_informational_messages_exist(self) -> None:
        from ipsecbench.ike.v1.exchanges.informational import Informational

        for (state, notice), action in INFORMATIONAL.items():
            assert callable(getattr(Informational, action))
            assert state in set(SaState)
            assert notice in set(Notice)
        # Before the peer is authenticated it can only give hints.
        assert {action for (state, _), action in INFORMATIONAL.items() if state is SaState.NEGOTIATING} == {"hint"}

    def test_the_life_of_an_sa_ends(self) -> None:
        assert SaState.FINISHED not in {state for state, _ in LIFE}
        reached = {SaState.NEGOTIATING, *LIFE.values()}
        assert reached == set(SaState)


def test_the_codec_refuses_what_the_header_does_not_cover() -> None:
    with pytest.raises(MalformedError):
        parse_header(bytes(27))
