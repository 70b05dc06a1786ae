"""Fuzz targets: the whole endpoint, in both roles and versions, under programs of hostile actions.

An input is a program. Its first octet chooses the scenario; then each action is one octet and what it needs. Whatever
the program did, nothing may come out of an endpoint, what is half-open must end, and an honest peer must be served.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.configuration import Childless, PostquantumPsk
from ipsecbench.ike.header import HEADER_BYTES, ZERO_SPI, parse_header
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa
from ipsecbench.ike.v2.ike_sa import IkeSa
from ipsecbench.secret import Secret
from tests.attacks.aftermath import still_serves
from tests.attacks.hostile import HostileV1, HostileV2, altered_contents
from tests.attacks.world import INITIATOR, RESPONDER, TO_INITIATOR, TO_RESPONDER, End, World, messages
from tests.fuzz import seeds
from tests.fuzz.budget import LIMIT_SECONDS, TooSlowError
from tests.fuzz.target import Target, check

SCENARIOS: tuple[dict[str, Any], ...] = (
    {"version": 2},
    {"version": 2, "ike": "aes128gcm16-prfsha256-x25519", "esp": "aes128gcm16-x25519-esn"},
    {"version": 2, "method": "pubkey"},
    {"version": 1},
    {"version": 1, "aggressive": True},
    {"version": 1, "method": "pubkey", "esp": "aes128-sha1-ecp256"},
    {"version": 2, "ike": "aes128-sha256-x25519-ke1_ecp256", "esp": "aes128-sha256-x25519-ke1_ecp256"},
    {
        "version": 2,
        "ppk": PostquantumPsk(b"ppk", Secret(b"post-quantum"), required=False),
        "childless": Childless.FORCE,
    },
)
"""What is set up."""
MOST_ACTIONS = 24
MOST_SAS = 80
"""IKE SAs that a program can leave at one end at once."""


class Program:
    """The octets of an input, taken one after the other; zero where they end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def left(self) -> int:
        """Octets that are left."""
        return len(self.data) - self.position

    def octets(self, count: int) -> bytes:
        """The next octets."""
        found = self.data[self.position : self.position + count]
        self.position += count
        return found

    def number(self, width: int = 1) -> int:
        """The next number."""
        return int.from_bytes(self.octets(width))


class Attack:
    """One program at work.

    Args:
        world: two endpoints.
        program: what is done to them.
        hostile: whether the attacker has the keys of the initiator.
        target: the endpoint that is attacked.
    """

    def __init__(self, world: World, program: Program, hostile: bool, target: End) -> None:
        self.world = world
        self.program = program
        self.hostile = hostile
        self.target = target
        self.other = world.initiator if target is world.responder else world.responder
        self.costs: list[float] = []

    def feed(self, data: bytes, path: Path | None = None) -> None:
        """A datagram, with its time."""
        begin = time.thread_time()
        self.world.feed(self.target, data, path)
        self.costs.append(time.thread_time() - begin)
        check(self.target.count <= MOST_SAS, "too many IKE SAs")

    def run(self) -> None:
        """All actions."""
        actions: tuple[Callable[[], None], ...] = (
            self.step,
            self.inject,
            self.mutate_next,
            self.sleep,
            self.replay,
            self.order,
            self.forge,
            self.splice,
        )
        for _ in range(MOST_ACTIONS):
            if self.program.left <= 0:
                return
            actions[self.program.number() % len(actions)]()

    def step(self) -> None:
        """Honest traffic."""
        for _ in range(self.program.number() % 4 + 1):
            self.world.step()

    def inject(self) -> None:
        """Octets from anywhere."""
        data = self.program.octets(self.program.number(2) % 2048)
        host = ("192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::7")[self.program.number() % 4]
        port = (500, 4500)[self.program.number() % 2]
        local = INITIATOR if self.target is self.world.initiator else RESPONDER
        self.feed(data, Path(Address(local.host, port), Address(host, 500)))

    def mutate_next(self) -> None:
        """The next datagram to the target with some octets changed."""
        if not self.other.sent:
            return
        data = bytearray(self.other.sent.popleft().data)
        for _ in range(self.program.number() % 3 + 1):
            position = self.program.number(2) % max(1, len(data))
            piece = self.program.octets(self.program.number() % 4 + 1)
            data[position : position + len(piece)] = piece
        if self.program.number() % 2 and len(data) >= HEADER_BYTES:
            data[24:28] = len(data).to_bytes(4)
        self.feed(bytes(data))

    def sleep(self) -> None:
        """Time passes."""
        self.world.sleep(self.program.number() / 4)

    def replay(self) -> None:
        """Something that arrived once arrives again, at either end."""
        if self.world.passed:
            data, _ = self.world.passed[self.program.number() % len(self.world.passed)]
            self.feed(data)

    def order(self) -> None:
        """The target does something of its own accord."""
        sas = self.target.endpoint.associations()
        if len(sas) != 1 or sas[0].info is None:
            return
        choice = self.program.number() % 5
        now, children = self.world.now, self.target.endpoint.child_sas
        if choice == 0:
            self.world.order(self.target, lambda sa: sa.rekey(now))
        elif choice == 1 and children:
            self.world.order(self.target, lambda sa: sa.rekey_child_sa(children[0].inbound_spi, now))
        elif choice == 2:
            self.world.order(self.target, lambda sa: sa.check_liveness(now))
        elif choice == 3:
            self.world.order(self.target, lambda sa: sa.create_child_sa("net", now))
        elif children:
            self.world.order(self.target, lambda sa: sa.delete_child_sa(children[0].inbound_spi, now))

    def forge(self) -> None:
        """An authentic message with contents of the attacker's choice."""
        kind, flags, first = self.program.number(), self.program.number(), self.program.number()
        content = self.program.octets(self.program.number(2) % 1024)
        sas = self.other.endpoint.associations()
        if not self.hostile or len(sas) != 1:
            return
        sa = sas[0]
        if isinstance(sa, IkeSa) and sa.channel.protection is not None:
            peer = HostileV2(self.world, self.other)
            expected = self._expected(sa)
            fragment = ((flags >> 4) % 4, (flags >> 6) + 1) if flags & 8 else None
            self.feed(
                peer.message(
                    34 + kind % 12,
                    message_id=expected if flags & 1 else flags >> 4,
                    response=bool(flags & 2),
                    content=(first, content),
                    fragment=fragment,
                )
            )
        elif isinstance(sa, IsakmpSa) and sa.security is not None:
            old = HostileV1(self.world, self.other)
            exchange_type = (5, 32, 2, 4, 6, 33)[kind % 6]
            number = 0 if flags & 2 else 0x77000000 | flags << 8 | kind
            digest = None if flags & 1 else b"h" * (flags >> 4)
            self.feed(
                old.message(exchange_type, (), octets=bytes((first,)) + content, message_id=number, digest=digest)
            )

    def _expected(self, sa: IkeSa) -> int:
        for one in self.target.endpoint.associations():
            if isinstance(one, IkeSa) and one.spi_i == sa.spi_i:
                return one.channel.responses.expected
        return 0

    def splice(self) -> None:
        """What the other end encrypts next is changed before it is."""
        position, piece = self.program.number(2), self.program.octets(self.program.number() % 8 + 1)
        first, cut = self.program.number(), self.program.number()
        if not self.hostile:
            return

        def change(content: bytes, kind: int) -> tuple[bytes, int]:
            where = position % (len(content) + 1)
            changed = content[:where] + piece + content[where + (len(piece) if cut & 1 else 0) :]
            if cut & 2:
                changed = changed[: len(changed) // 2]
            return changed, first if cut & 4 else kind

        with altered_contents(self.world, self.other, change):
            for _ in range(cut >> 4):
                self.world.step()


def _one(data: bytes, hostile: bool, roles: tuple[bool, ...]) -> list[float]:
    program = Program(data)
    choice = program.number()
    scenario = SCENARIOS[choice % len(SCENARIOS)]
    world = World(**scenario, limits={"half_open_limit": 40, "cookie_threshold": 20})
    target = world.initiator if roles[choice // len(SCENARIOS) % len(roles)] else world.responder
    attack = Attack(world, program, hostile, target)
    world.initiate()
    attack.run()
    still_serves(world)
    return attack.costs


def _bounded(data: bytes, hostile: bool, roles: tuple[bool, ...]) -> None:
    fastest = _one(data, hostile, roles)
    for _ in range(3):
        if all(cost <= LIMIT_SECONDS for cost in fastest):
            return
        fastest = [min(pair) for pair in zip(fastest, _one(data, hostile, roles), strict=False)]
    if any(cost > LIMIT_SECONDS for cost in fastest):
        raise TooSlowError(f"a datagram took {max(fastest) * 1000:.0f} ms")


def strangers(data: bytes) -> None:
    """Anybody on the way: injects, changes, drops, delays and repeats, at either end."""
    _bounded(data, False, (False, True))


def peers(data: bytes) -> None:
    """The peer itself, which has the keys."""
    _bounded(data, True, (False, True))


def newcomers(data: bytes) -> None:
    """One datagram to a responder that knows nobody: the first message of anything."""
    world = World(1 if data[:1] < b"\x80" else 2)
    world.responder.endpoint.receive_datagram(data[1:], TO_RESPONDER, world.now)
    check(world.responder.count <= 1, "more than one IKE SA from one datagram")
    answers = list(world.responder.endpoint.datagrams_to_send())
    check(len(answers) <= 1, "more than one answer to a stranger")
    world.responder.endpoint.receive_datagram(data[1:], TO_RESPONDER, world.now)
    check(world.responder.count <= 1, "a repeated datagram made another IKE SA")
    world.sleep(200.0)
    check(world.responder.count == 0, "a stranger's IKE SA stays")


def answers(data: bytes) -> None:
    """One datagram to an initiator that waits for its first answer."""
    world = World(1 if data[:1] < b"\x80" else 2)
    world.initiate()
    octets = bytearray(data[1:])
    if data[:1] and data[0] & 1 and len(octets) >= HEADER_BYTES:
        # What a stranger can see, it can copy: SPI, and the form of an answer.
        octets[:8] = world.initiator.sent[0].data[:8]
    world.feed(world.initiator, bytes(octets), TO_INITIATOR)
    check(world.initiator.count == 1, "one datagram ended the IKE SA of an initiator")
    if world.initiator.sa.spi_r != ZERO_SPI:
        # Who sees the SPI and answers faster than the peer is believed: RFC 7296 section 2.4 lets an initiator follow
        # several answers, which is not done here. It ends in any case.
        world.clean()
        return
    world.run()
    check(len(world.initiator.endpoint.child_sas) == 1, f"the right answer is not taken: {world.initiator.lines}")


def _programs() -> Iterator[bytes]:
    step = b"\0\3"
    delete_child, delete_two = "0000000c0304000101020304", "00000010000000010304000101020304"
    programs = (
        step * 6,
        step + b"\4\0" + step + b"\4\1\4\2\4\3" + step * 3,
        b"\2\0\0\x12\0\xff\1" + step * 5,
        step * 4 + b"\5\0" + step * 3 + b"\5\1" + step * 3 + b"\5\3" + step * 2,
        step * 4 + b"\6\3\1\x2a\0\x0c" + bytes.fromhex(delete_child) + step,
        step * 4 + b"\6\0\1\x0c\0\x10" + bytes.fromhex(delete_two),
        b"\7\0\4\0\xff\0\x41" + step * 4,
    )
    for scenario in range(2 * len(SCENARIOS)):
        for number, program in enumerate(programs):
            # Each scenario with a third of them: a fuzzer puts the others together by itself.
            if (scenario + number) % 3 == 0:
                yield bytes((scenario,)) + program


def _first_datagrams() -> Iterator[bytes]:
    for message in seeds.ike_messages():
        try:
            header = parse_header(message)
        except ProtocolError:
            header = None
        yield (b"\x80" if header is None or header.major == 2 else b"\0") + message
    for version, prefix in ((2, b"\x80"), (1, b"\0")):
        for data, from_responder in messages(version):
            if not from_responder:
                yield prefix + data


def _first_answers() -> Iterator[bytes]:
    for version, prefix in ((2, b"\x81"), (1, b"\x01")):
        for data, from_responder in messages(version):
            if from_responder:
                yield prefix + data
    refusal = bytes.fromhex("000000000000000000000000000000002920222000000000000000240000000800000011")
    yield b"\x81" + refusal


ENDPOINTS: tuple[Target, ...] = (
    Target("endpoint-strangers", strangers, _programs, limit_seconds=10.0),
    Target("endpoint-peers", peers, _programs, limit_seconds=10.0),
    Target("endpoint-newcomers", newcomers, _first_datagrams, limit_seconds=2.0),
    Target("endpoint-answers", answers, _first_answers, limit_seconds=2.0),
)
"""The whole endpoint. The limits are those of whole programs; each datagram has its own."""
