"""Floods of first messages: bounded memory and work, cookies, and a place for those who mean it."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.ike.association import Association
from ipsecbench.ike.configuration import Unique
from ipsecbench.ike.events import IkeSaEstablished
from ipsecbench.ike.header import ZERO_SPI
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v1.authentication import quick_mode_hash_3
from ipsecbench.ike.v1.identifiers import ExchangeType, Flag
from ipsecbench.ike.v1.identifiers import NotifyType as V1NotifyType
from ipsecbench.ike.v1.message import encode_payloads, frame
from ipsecbench.ike.v1.payloads import IdPayload, NotificationPayload
from ipsecbench.ike.v1.proposals import SaPayload
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.message import build_message, parse_message
from ipsecbench.ike.v2.payloads import Nonce, Notify
from tests.attacks.aftermath import books, still_serves
from tests.attacks.hostile import HostileV1, HostileV2
from tests.attacks.test_known_attacks_v1 import SUBNET_R, attributes, initial, phase1_sa, quick_mode_payloads
from tests.attacks.world import RESPONDER, End, World, make_end
from tests.fuzz import seeds
from tests.fuzz.budget import LARGEST_INPUT

FLOOD = 4000
"""First messages of a flood."""


def sources(seed: int) -> Iterator[Path]:
    """Forged addresses, never the same twice."""
    source = random.Random(seed)
    while True:
        number = source.getrandbits(32)
        host = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
        yield Path(RESPONDER, Address(host, source.randrange(1024, 65536)))


def template(version: int, **options: Any) -> bytes:
    """The first message of an honest initiator, of which the flood is made."""
    world = World(version, **options)
    world.initiate()
    return world.initiator.sent[0].data


def flood(octets: bytes, count: int, seed: int = 5) -> Iterator[tuple[bytes, Path]]:
    """First messages with random SPIs from random sources."""
    source = random.Random(seed)
    where = sources(seed)
    for _ in range(count):
        yield source.randbytes(8) + octets[8:], next(where)


def take(end: End, data: bytes, path: Path, now: float) -> list[bytes]:
    """One datagram; the answers, which are not kept."""
    end.endpoint.receive_datagram(data, path, now)
    answers = [datagram.data for datagram in end.endpoint.datagrams_to_send()]
    while end.endpoint.next_event() is not None:
        pass
    end.lines.clear()
    return answers


def run_out(end: End, now: float) -> float:
    """Let all times come until nothing is left to wait for; the time of the last."""
    for _ in range(100_000):
        when = end.endpoint.next_timeout()
        if when is None:
            return now
        now = max(now, when)
        end.endpoint.handle_timeout(now)
        assert not list(end.endpoint.datagrams_to_send()), "something is sent to a stranger by timer"
    raise AssertionError("times do not come to an end")


def test_cookies_start_at_the_threshold_and_hold_the_flood_off() -> None:
    world = World(2)
    responder = world.responder
    threshold = responder.endpoint.configuration.cookie_threshold
    cookies = answered = 0
    for data, path in flood(template(2), FLOOD):
        answers = take(responder, data, path, world.now)
        assert len(answers) == 1
        message = parse_message(answers[0])
        if message.notify(NotifyType.COOKIE) is not None:
            cookies += 1
            assert message.header.spi_r == ZERO_SPI
            assert len(answers[0]) < len(data), "a demand for a cookie is not longer than what caused it"
        else:
            answered += 1
            assert cookies == 0
        world.now += 0.001
    assert answered == threshold
    assert cookies == FLOOD - threshold
    assert responder.count == threshold
    # An honest initiator gets through in the middle of it.
    world.initiate()
    world.run()
    assert len(world.initiator.endpoint.child_sas) == 1
    assert world.initiator.of(IkeSaEstablished)
    # The others expire, and then nobody has to show a cookie any more.
    now = world.now + responder.endpoint.configuration.half_open_seconds + 1
    responder.endpoint.handle_timeout(now)
    assert responder.count == 1
    assert responder.endpoint._admission.half_open == 0
    data, path = next(flood(template(2), 1, seed=9))
    (answer,) = take(responder, data, path, now)
    assert parse_message(answer).notify(NotifyType.COOKIE) is None


def test_memory_and_work_of_a_flood_do_not_grow_with_it() -> None:
    world = World(2)
    responder = world.responder
    octets = template(2)
    for data, path in flood(octets, 500, seed=1):
        take(responder, data, path, world.now)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    begin = time.thread_time()
    for data, path in flood(octets, FLOOD, seed=2):
        take(responder, data, path, world.now)
    spent = time.thread_time() - begin
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert responder.count == responder.endpoint.configuration.cookie_threshold
    assert grown < 64 << 10, f"{grown} octets more after {FLOOD} messages"
    assert spent / FLOOD < 0.010


def test_a_flood_that_returns_its_cookies_is_limited() -> None:
    """Whoever has many addresses can fill the places, which are counted, and only for a while."""
    world = World(2, limits={"half_open_limit": 200, "cookie_threshold": 10, "half_open_limit_per_address": 20})
    responder = world.responder
    octets = template(2)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    refused = 0
    for data, path in flood(octets, 600):
        message = parse_message(data)
        for _ in range(2):
            answers = take(responder, message.octets, path, world.now)
            assert len(answers) <= 1
            if not answers:
                refused += 1
                break
            cookie = parse_message(answers[0]).notify(NotifyType.COOKIE)
            if cookie is None:
                break
            message = build_message(message.header, [Notify(NotifyType.COOKIE, cookie.data), *message.payloads])
    assert responder.count == 200
    assert refused == 400
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] - before < 200 * (32 << 10), "an IKE SA takes less than 32 KiB"
    tracemalloc.stop()
    world.now = run_out(responder, world.now)
    assert responder.count == 0
    assert not books(responder)
    still_serves(world)


def test_a_flood_from_one_address_leaves_room_for_others() -> None:
    world = World(2, limits={"half_open_limit": 100, "cookie_threshold": 1000, "half_open_limit_per_address": 8})
    path = Path(RESPONDER, Address("203.0.113.9", 500))
    for data, _ in flood(template(2), 300):
        take(world.responder, data, path, world.now)
    assert world.responder.count == 8
    still_serves(world)


@pytest.mark.parametrize("aggressive", [False, True])
def test_a_flood_of_ikev1_is_limited(aggressive: bool) -> None:
    world = World(1, aggressive=aggressive, limits={"half_open_limit": 200})
    responder = world.responder
    octets = template(1, aggressive=aggressive)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    answered = 0
    for data, path in flood(octets, FLOOD // 4):
        answers = take(responder, data, path, world.now)
        assert len(answers) <= 1
        answered += len(answers)
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] - before < 100 * (32 << 10)
    tracemalloc.stop()
    assert answered == responder.count == 100, "IKEv1 has half of the places"
    world.now = run_out(responder, world.now)
    assert responder.count == 0
    still_serves(world)


def test_a_flood_of_ikev1_leaves_room_for_ikev2() -> None:
    old, new = World(1), World(2)
    configuration = new.responder.endpoint.configuration
    connections = configuration.connections + old.responder.endpoint.configuration.connections
    both = replace(configuration, connections=connections, half_open_limit=200, cookie_threshold=20)
    new.responder = make_end(both, 77)
    for data, path in flood(template(1), FLOOD // 4):
        take(new.responder, data, path, new.now)
    assert new.responder.count == 100
    new.initiate()
    new.run()
    assert len(new.initiator.endpoint.child_sas) == 1
    assert any(data[18] == 34 and b"\x40\x06" in data for data, back in new.passed if back), "a cookie was demanded"


FIRST: tuple[tuple[int, dict[str, Any], float], ...] = (
    (2, {}, 1.1),
    (2, {"method": "pubkey"}, 1.2),
    (2, {"ike": "aes128-sha256-modp4096"}, 1.1),
    (1, {}, 1.1),
    (1, {"aggressive": True}, 1.4),
    (1, {"method": "pubkey"}, 1.1),
    # Aggressive mode answers a stranger with certificates and a signature; it is off unless a connection wants it.
    (1, {"method": "pubkey", "aggressive": True}, 4.5),
)
"""Version, connection, and how many octets at most are answered to each octet."""


@pytest.mark.parametrize(("version", "options", "factor"), FIRST)
def test_a_first_message_has_one_answer_however_often_it_comes(
    version: int, options: dict[str, Any], factor: float
) -> None:
    world = World(version, **options)
    data = template(version, **options)
    path = next(sources(3))
    received = sent = 0
    answers: set[bytes] = set()
    for _ in range(50):
        got = take(world.responder, data, path, world.now)
        # One message; certificates may take it to a second fragment.
        assert len(got) <= (2 if factor > 2 else 1)
        answers.add(b"".join(got))
        received += len(data)
        sent += sum(map(len, got))
        world.now += 0.01
    assert world.responder.count == 1
    if factor <= 2:
        # Fragments of IKEv1 have a fresh number each time.
        assert len(answers) == 1, "the same answer each time"
    assert sent <= factor * received, f"{sent / received:.2f} octets for each"
    # From another address it is another newcomer, and nobody has the answer to somebody else's message.
    other = Path(RESPONDER, Address("203.0.113.77", 500))
    assert b"".join(take(world.responder, data, other, world.now)) not in answers
    world.now = run_out(world.responder, world.now)
    assert world.responder.count == 0


def test_the_shortest_first_message_of_main_mode() -> None:
    """The vendor IDs make the answer longer than a question that has none."""
    world = World(1)
    data = initial(ExchangeType.IDENTITY_PROTECTION, [phase1_sa(attributes())])
    (answer,) = take(world.responder, data, next(sources(8)), world.now)
    assert len(answer) <= 2.5 * len(data)


def test_no_datagram_of_a_stranger_has_more_than_one_answer() -> None:
    """Every seed, whole and cut, to both versions: one answer, and no long ones to short questions."""
    rows = list(seeds.ike_messages())
    rows += [row[:length] for row in rows[::4] for length in (28, 32, 60)]
    for version in (1, 2):
        for data in rows:
            if len(data) >= 28:
                data = data[:24] + len(data).to_bytes(4) + data[28:]
            for octets in (data, data[:8] + bytes(8) + data[16:]):
                world = World(version)
                answers = take(world.responder, octets, next(sources(4)), world.now)
                assert len(answers) <= 1
                # A status or error message of its own is 36 to 60 octets long, whatever caused it.
                assert sum(map(len, answers)) <= max(1.5 * len(octets), 64)
                run_out(world.responder, world.now)
                assert world.responder.count == 0


def test_datagrams_of_any_size_from_strangers_cost_little() -> None:
    world = World(2)
    source = random.Random(6)
    where = sources(6)
    octets = template(2)
    begin = time.thread_time()
    for number in range(300):
        size = (28, 1000, LARGEST_INPUT)[number % 3]
        body = source.randbytes(size - 28)
        data = octets[:24] + size.to_bytes(4) + body
        take(world.responder, data, next(where), world.now)
    assert (time.thread_time() - begin) / 300 < 0.010
    assert world.responder.count == 0
    # A request whose nonce fills the datagram is kept by nobody.
    message = parse_message(octets)
    big = [Nonce(bytes(60_000)) if isinstance(each, Nonce) else each for each in message.payloads]
    take(world.responder, build_message(message.header, big).octets, next(where), world.now)
    assert world.responder.count == 0


def test_messages_of_a_peer_do_not_fill_the_queue_of_timeouts() -> None:
    """Each of them moves the time at which the peer is asked whether it is there."""
    old = World(1, dpd_seconds=30.0).establish()
    peer = HostileV1(old)
    spi = peer.sa.spi_i + peer.sa.spi_r
    for number in range(500):
        old.now += 0.01
        alive = NotificationPayload(1, spi, V1NotifyType.R_U_THERE, (number + 1).to_bytes(4))
        assert peer.send(ExchangeType.INFORMATIONAL, [alive])
    new = World(2, dpd_seconds=30.0).establish()
    other = HostileV2(new)
    for _ in range(500):
        new.now += 0.01
        assert other.request(37)
    for world in (old, new):
        assert len(world.responder.endpoint._timeouts) < 10
        world.responder.sent.clear()
        # The time still comes: the silence is noticed.
        world.now += 31.0
        world.responder.endpoint.handle_timeout(world.now)
        world.responder.collect()
        assert world.responder.sent


def test_the_times_of_what_is_gone_are_forgotten() -> None:
    """A set-up IKE SA waits for its life's end, hours ahead; a deleted one does not, even behind one that lives."""
    base = World(2, unique=Unique.KEEP).establish()
    others = []
    for number in range(400):
        other = World(2, seed=number + 2, unique=Unique.KEEP)
        other.responder, other.now = base.responder, base.now
        other.initiate()
        others.append(other.run())
    base.sleep(40.0)
    end = base.responder
    assert end.count == 401
    for other in others:
        other.now = base.now
        other.order(other.initiator, _deleting(other.now))
        other.run()
    base.sleep(60.0)
    assert end.count == 1
    assert len(end.endpoint._timeouts) < 80
    assert not books(end)


def test_quick_modes_of_a_peer_are_limited() -> None:
    world = World(1).establish()
    peer = HostileV1(world)
    security = peer.security
    for number in range(1500):
        world.now += 1.0
        world.responder.endpoint.handle_timeout(world.now)
        host = IdPayload(1, bytes((10, 1, number >> 8, number & 255)))
        sa, *rest = quick_mode_payloads(world, host, SUBNET_R)
        assert isinstance(sa, SaPayload)
        sa = SaPayload((replace(sa.proposals[0], spi=(0x10000000 + number).to_bytes(4)),))
        message_id = peer.fresh_message_id()
        data = peer.message(ExchangeType.QUICK_MODE, [sa, *rest], message_id=message_id)
        answers = world.feed(world.responder, data)
        if answers:
            chain = security.phase.exchange(message_id)
            chain.accept(data[28:])
            nonce_r = next(each.body for each in peer.open(answers[-1], chain).payloads if each.payload_type == 10)
            chain.accept(answers[-1][28:])
            digest = quick_mode_hash_3(security.prf, security.family.skeyid_a, message_id, b"n" * 32, nonce_r)
            body = chain.encrypt(encode_payloads([peer.hash_payload(digest)]))
            last = frame(peer.sa.spi_i, peer.sa.spi_r, 8, ExchangeType.QUICK_MODE, Flag.ENCRYPTION, message_id, body)
            world.feed(world.responder, last)
        world.responder.sent.clear()
        world.responder.events.clear()
        world.responder.lines.clear()
    assert len(world.responder.endpoint.child_sas) == 512
    assert not books(world.responder)


def _rekeying(now: float) -> Callable[[Association], None]:
    return lambda sa: sa.rekey(now)


def _creating(now: float) -> Callable[[Association], None]:
    return lambda sa: sa.create_child_sa("net", now)


def _deleting(now: float) -> Callable[[Association], None]:
    return lambda sa: sa.delete(now)


def test_a_peer_that_puts_off_what_is_no_longer_wanted_keeps_no_processor_busy() -> None:
    """A deletion waits for the answer to a rekeying, and the answer is TEMPORARY_FAILURE (RFC 7296 section 2.25)."""
    for order in ("rekey", "create"):
        world = World(2).establish()
        peer = HostileV2(world)
        target = world.responder
        now = world.now
        world.order(target, _rekeying(now) if order == "rekey" else _creating(now))
        world.order(target, _deleting(now))
        busy = peer.message(36, [Notify(NotifyType.TEMPORARY_FAILURE)], message_id=0, response=True)
        assert world.feed(target, busy), "the deletion is sent"
        target.sent.clear()
        world.now += 60.0
        for _ in range(3):
            target.endpoint.handle_timeout(world.now)
            when = target.endpoint.next_timeout()
            assert when is not None
            assert when > world.now
        world.initiator.endpoint.shut_down(world.now)
        world.sleep(300.0)
        assert target.count == 0
