"""Bad input that has broken IKE daemons before: IKEv2, from strangers and from a peer that has the keys.

Each test is named by its row in docs/ike-robustness.md and by the CVE.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.errors import ProviderError, UnsupportedError
from ipsecbench.ike.association import Association
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import ChildSaEstablished, IkeSaEstablished, IkeSaRekeyed
from ipsecbench.ike.v2.fragmentation import MAX_FRAGMENTS
from ipsecbench.ike.v2.identifiers import ExchangeType, Flags, NotifyType, PayloadType, ProtocolId, TransformType
from ipsecbench.ike.v2.ike_sa import IkeSa
from ipsecbench.ike.v2.message import Message, build_message, encode_chain, parse_chain, parse_message
from ipsecbench.ike.v2.payloads import (
    Delete,
    IdentificationInitiator,
    IdentificationResponder,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    UnknownPayload,
)
from ipsecbench.ike.v2.transforms import Proposal, Transform
from ipsecbench.ike.v2.transitions import State
from ipsecbench.providers.modp_groups import modp_group
from ipsecbench.providers.selection import ProviderSelection
from tests.attacks.aftermath import still_serves
from tests.attacks.hostile import HostileV2, altered_contents
from tests.attacks.world import End, Way, World, cryptography
from tests.fuzz.budget import LIMIT_BYTES, peak_bytes

PFS: dict[str, Any] = {"esp": "aes128-sha256-x25519"}
Payloads = Sequence[Payload]
Change = Callable[[list[Payload]], list[Payload]]
"""From the payloads of a message to others."""


def first_message(world: World) -> Message:
    """The honest IKE_SA_INIT request, which is not delivered."""
    world.initiate()
    return parse_message(world.initiator.sent.popleft().data)


def half_open(**options: Any) -> tuple[World, HostileV2]:
    """IKE_SA_INIT is over; the initiator has the keys and has not authenticated itself."""
    world = World(2, **options)
    world.initiate()
    world.step()
    world.initiator.sent.clear()
    return world, HostileV2(world)


def established(**options: Any) -> tuple[World, HostileV2]:
    """Everything is set up, and then the initiator turns hostile."""
    world = World(2, **options).establish()
    return world, HostileV2(world)


def init_variant(message: Message, change: Change) -> bytes:
    """An IKE_SA_INIT message with other payloads."""
    return build_message(message.header, change(list(message.payloads))).octets


def with_payload(kind: type[Payload], other: Callable[[Any], Payload]) -> Change:
    """Put something else in the place of the payloads of a kind."""
    return lambda payloads: [other(each) if isinstance(each, kind) else each for each in payloads]


def adding(payload: Payload) -> Change:
    """One payload more."""
    return lambda payloads: [*payloads, payload]


def instead_of_first(payload: Payload) -> Change:
    """Another payload in the place of the first."""
    return lambda payloads: [payload, *payloads[1:]]


def with_sa(sa: SecurityAssociation) -> Change:
    """Another SA payload."""
    return with_payload(SecurityAssociation, lambda _: sa)


def altered_payloads(world: World, end: End, change: Change) -> Any:
    """Everything that an end seals is changed, payload by payload, before."""

    def apply(content: bytes, first: int) -> tuple[bytes, int]:
        payloads, _ = parse_chain(first, content)
        kind, octets, _ = encode_chain(change(list(payloads)))
        return octets, int(kind)

    return altered_contents(world, end, apply)


def proposals(payloads: Payloads) -> tuple[Proposal, ...]:
    """Of the SA payload."""
    return next(each.proposals for each in payloads if isinstance(each, SecurityAssociation))


# Fragments.


def fragmenting() -> tuple[World, HostileV2]:
    """Both ends take fragments."""
    return established()


@pytest.mark.parametrize(
    "row",
    [
        [(0, 0)],
        [(0, 1)],
        [(1, 0)],
        [(2, 1)],
        [(65535, 65535), (1, 65535)],
        [(1, 2), (1, 2), (1, 2)],
        [(1, 2), (2, 3), (2, 2), (3, 3)],
        [(2, 2), (1, 2), (2, 2)],
        [(1, 3), (1, 2), (2, 2)],
        [(1, MAX_FRAGMENTS + 1)],
        [(number, 256) for number in range(256, 1, -1)],
    ],
    ids=str,
)
def test_row_15_cve_2016_1344_fragment_numbers_that_make_no_sense(row: list[tuple[int, int]]) -> None:
    world, peer = fragmenting()
    _, content, _ = encode_chain([Notify(NotifyType.INITIAL_CONTACT)])
    for number, total in row:
        for first in (PayloadType.N, 0, PayloadType.SK, PayloadType.SKF):
            message = peer.message(ExchangeType.INFORMATIONAL, content=(first, content), fragment=(number, total))
            assert len(world.feed(world.responder, message)) <= 1
    world.responder.sent.clear()
    still_serves(world)


def test_row_15_cve_2016_1344_fragments_before_authentication() -> None:
    world, peer = half_open()
    for number in range(1, 200):
        peer.deliver(peer.message(ExchangeType.IKE_AUTH, content=(35, bytes(1000)), fragment=(number, 200)))
    sa = world.responder.sa
    assert isinstance(sa, IkeSa)
    assert sa.channel._reassembly._octets <= 0xFFFF
    still_serves(world)


def test_row_16_cve_2026_12413_unknown_payloads_outside_of_every_fragment() -> None:
    world, peer = fragmenting()
    outside = bytes((200,)) + struct.pack(">BBH", 200, 0, 4) * 199 + struct.pack(">BBH", PayloadType.SKF, 0, 4)

    def flood(_: bytes) -> None:
        for number in range(1, MAX_FRAGMENTS):
            message = peer.message(
                ExchangeType.INFORMATIONAL, content=(0, b"x"), fragment=(number, MAX_FRAGMENTS), outside=outside
            )
            world.feed(world.responder, message)

    assert peak_bytes(flood, b"") < LIMIT_BYTES
    sa = world.responder.sa
    assert isinstance(sa, IkeSa)
    assert sa.channel._reassembly.pending == MAX_FRAGMENTS - 1
    message = peer.message(ExchangeType.INFORMATIONAL, outside=outside[:1] + outside[1:].replace(b"\x35", b"\x2e"))
    assert len(world.feed(world.responder, message)) == 1
    still_serves(world)


# Payloads missing, doubled, renumbered.


def variants(count: int) -> Iterator[tuple[str, Change]]:
    """Each payload removed, doubled, all reversed."""
    for index in range(count):
        yield f"without {index}", functools.partial(_without, index)
        yield f"twice {index}", functools.partial(_twice, index)
    yield "reversed", lambda payloads: payloads[::-1]
    yield "nothing", lambda payloads: []
    yield "all twice", lambda payloads: payloads * 2


def _without(index: int, payloads: list[Payload]) -> list[Payload]:
    return payloads[:index] + payloads[index + 1 :]


def _twice(index: int, payloads: list[Payload]) -> list[Payload]:
    return [*payloads, *payloads[index : index + 1]]


def test_row_17_cve_2013_6467_ike_sa_init_requests() -> None:
    world = World(2)
    honest = first_message(world)
    for _, change in variants(len(honest.payloads)):
        assert len(world.feed(world.responder, init_variant(honest, change))) <= 1
    still_serves(world)


@pytest.mark.parametrize("name", [name for name, _ in variants(8)])
def test_row_17_cve_2013_6467_ike_sa_init_responses(name: str) -> None:
    change = dict(variants(8))[name]
    world = World(2)
    world.initiate()
    world.step()
    # The step has delivered the answer already: take it to an initiator that has not seen it.
    answer = parse_message(world.passed[-1][0])
    other = World(2)
    other.initiate()
    forged = init_variant(replace(answer, header=replace(answer.header, spi_i=other.initiator.sa.spi_i)), change)
    other.feed(other.initiator, forged)
    still_serves(other)


@pytest.mark.parametrize("method", ["psk", "pubkey"])
@pytest.mark.parametrize("from_responder", [False, True])
def test_row_17_cve_2013_6467_ike_auth(method: str, from_responder: bool) -> None:
    for _, change in variants(10):
        world = World(2, method=method, fragmentation=False)
        hostile = world.responder if from_responder else world.initiator
        with altered_payloads(world, hostile, change):
            world.initiate()
            world.run()
            world.sleep(5.0)
        still_serves(world)


def ordered(what: str, child: bytes, now: float) -> Callable[[Association], None]:
    """An order to an IKE SA."""
    orders: dict[str, Callable[[Association], None]] = {
        "create": lambda sa: sa.create_child_sa("net", now),
        "rekey child": lambda sa: sa.rekey_child_sa(child, now),
        "rekey": lambda sa: sa.rekey(now),
        "delete child": lambda sa: sa.delete_child_sa(child, now),
        "liveness": lambda sa: sa.check_liveness(now),
        "delete": lambda sa: sa.delete(now),
    }
    return orders[what]


@pytest.mark.parametrize("from_responder", [False, True])
@pytest.mark.parametrize("what", ["create", "rekey child", "rekey", "delete child", "liveness", "delete"])
def test_row_17_cve_2013_6467_later_exchanges(what: str, from_responder: bool) -> None:
    for _, change in variants(6):
        world = World(2, **PFS).establish()
        child = world.initiator.endpoint.child_sas[0].inbound_spi
        with altered_payloads(world, world.responder if from_responder else world.initiator, change):
            world.order(world.initiator, ordered(what, child, world.now))
            world.run()
            world.sleep(300.0)
        still_serves(world)


def test_row_18_cve_2015_3991_payload_numbers_of_ikev1() -> None:
    numbers = (*range(1, 33), 49, 50, 51, 52, *range(54, 60), 127, 128, 130, 131, 132, 255)
    world = World(2)
    honest = first_message(world)
    for number in numbers:
        for body in (b"", bytes(4), honest.bodies[0]):
            data = init_variant(honest, adding(UnknownPayload(number, body)))
            assert len(world.feed(world.responder, data)) <= 1
            data = init_variant(honest, instead_of_first(UnknownPayload(number, body)))
            assert len(world.feed(world.responder, data)) <= 1
    still_serves(world)
    world, peer = established()
    for number in numbers:
        (answer,) = peer.request(ExchangeType.INFORMATIONAL, [UnknownPayload(number, bytes(12))])
        assert answer.error is None
    (answer,) = peer.request(ExchangeType.INFORMATIONAL, [UnknownPayload(13, bytes(12), is_critical=True)])
    assert answer.error is not None
    assert answer.error.message_type == NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD
    assert answer.error.data == b"\x0d"
    still_serves(world)


# Key exchange.

NO_GROUPS = (0, 3, 4, 6, 13, 33, 34, 38, 255, 1024, 1025, 1026, 32767, 32768, 65535)


@pytest.mark.parametrize("group", NO_GROUPS)
def test_row_19_cve_2014_9221_groups_that_are_none(group: int) -> None:
    world = World(2)
    honest = first_message(world)
    method = with_payload(KeyExchange, lambda each: KeyExchange(group, each.data))
    for data in (init_variant(honest, method), init_variant(honest, lambda each: method(_with_group(each, group)))):
        answers = [parse_message(answer) for answer in world.feed(world.responder, data)]
        assert len(answers) <= 1
        for answer in answers:
            assert answer.error is not None
        assert world.responder.count == 0
    still_serves(world)
    # The same from a responder that wants it instead of what was offered.
    world = World(2)
    world.initiate()
    header = replace(honest.header, spi_i=world.initiator.sa.spi_i, flags=int(Flags.RESPONSE))
    refusal = build_message(header, [Notify(NotifyType.INVALID_KE_PAYLOAD, group.to_bytes(2))]).octets
    for data in (refusal, build_message(header, [Notify(NotifyType.INVALID_KE_PAYLOAD, b"x" * 5)]).octets):
        assert world.feed(world.initiator, data) == []
    world.run()
    assert len(world.initiator.endpoint.child_sas) == 1


def _with_group(payloads: list[Payload], group: int) -> list[Payload]:
    def change(sa: SecurityAssociation) -> Payload:
        return SecurityAssociation(
            tuple(
                replace(
                    proposal,
                    transforms=tuple(
                        Transform(each.type, group) if each.type == TransformType.KE else each
                        for each in proposal.transforms
                    ),
                )
                for proposal in sa.proposals
            )
        )

    return with_payload(SecurityAssociation, change)(payloads)


def bad_public_values(token: str) -> Iterator[bytes]:
    """Public values that must be refused, and lengths that are wrong."""
    if token.startswith("modp"):
        octets = {"modp1024": 128, "modp2048": 256}[token]
        prime = modp_group(token).prime
        for value in (0, 1, prime - 1, prime):
            yield value.to_bytes(octets)
        if (prime + 1).bit_length() <= 8 * octets:
            yield (prime + 1).to_bytes(octets)
        yield from (bytes(octets - 1), bytes(octets + 1), b"\2", b"\xff" * octets)
    elif token == "x25519":
        yield bytes(32)
        yield b"\1" + bytes(31)
        yield from (bytes(31), bytes(33), b"\7" * 31)
    else:
        octets = {"ecp256": 64, "ecp521": 132}[token]
        yield bytes(octets)  # infinity has no form here
        yield b"\1" * octets
        yield b"\xff" * octets
        yield from (b"\4" + b"\1" * octets, b"\2" + b"\1" * (octets // 2), bytes(octets - 1))
    yield b""
    for length in (1000, 4096, 60_000):
        yield b"\7" * length


@pytest.mark.parametrize("token", ["modp1024", "modp2048", "x25519", "ecp256", "ecp521"])
def test_row_20_cve_2015_3240_and_row_21_cve_2023_41913_public_values(token: str) -> None:
    """Of the wrong size, out of range, off the curve, of small order: dropped in IKE_SA_INIT (RFC 6989)."""
    world = World(2, ike=f"aes128-sha256-{token}")
    honest = first_message(world)
    for value in bad_public_values(token):
        data = init_variant(honest, with_public(value))
        for answer in world.feed(world.responder, data):
            assert parse_message(answer).first(KeyExchange) is None
        assert world.responder.count == 0
        # The same in the answer: the initiator waits for a better one.
        other = World(2, ike=f"aes128-sha256-{token}")
        other.initiate()
        other.way = _answering_first_with(value)
        other.run()
        assert len(other.initiator.endpoint.child_sas) == 1
    still_serves(world)


def with_public(value: bytes) -> Change:
    """Other key exchange data of the same method."""
    return with_payload(KeyExchange, lambda each: KeyExchange(each.method, value))


def _answering_first_with(value: bytes) -> Way:
    def way(octets: bytes, from_responder: bool) -> tuple[bytes, ...]:
        return (_with_public(octets, value), octets) if from_responder and octets[18] == 34 else (octets,)

    return way


def _with_public(octets: bytes, value: bytes) -> bytes:
    message = parse_message(octets)
    return init_variant(message, with_public(value))


@pytest.mark.parametrize("token", ["modp2048", "x25519", "ecp256"])
def test_row_20_cve_2015_3240_public_values_in_create_child_sa(token: str) -> None:
    for value in bad_public_values(token):
        world = World(2, esp=f"aes128-sha256-{token}").establish()
        child = world.initiator.endpoint.child_sas[0].inbound_spi
        change = with_public(value)
        with altered_payloads(world, world.initiator, change):
            world.order(world.initiator, ordered("rekey child", child, world.now))
            world.run()
        assert not [event for event in world.responder.of(ChildSaEstablished)][1:]
        still_serves(world)


# Proposals.


def ike_proposal(*transforms: Transform, protocol: int = 1, spi: bytes = b"") -> SecurityAssociation:
    """One proposal."""
    return SecurityAssociation((Proposal(1, protocol, spi, transforms),))


ENCR, PRF, INTEG, KE, SN = (
    Transform(1, 12, 128),
    Transform(2, 5),
    Transform(3, 12),
    Transform(4, 31),
    Transform(5, 0),
)


@pytest.mark.parametrize("missing", range(5))
def test_row_22_cve_2016_5391_ike_proposals_without_a_transform(missing: int) -> None:
    world = World(2)
    honest = first_message(world)
    whole = [ENCR, PRF, INTEG, KE]
    rows = [whole[:missing] + whole[missing + 1 :]] if missing < 4 else [[], [SN], [KE], [ENCR], [ENCR, PRF, SN] * 80]
    rows += [[Transform(each.type, 0) if each is row[-1] else each for each in row] for row in rows if row]
    for row in rows:
        for protocol in (0, 1, 2, 3, 4, 255):
            for spi in (b"", bytes(8), bytes(3), bytes(255)):
                data = init_variant(honest, with_sa(ike_proposal(*row, protocol=protocol, spi=spi)))
                assert len(world.feed(world.responder, data)) <= 1
                assert world.responder.count == 0
    still_serves(world)


def test_row_22_cve_2016_5391_esp_proposals_without_a_transform() -> None:
    world, peer = established(**PFS)
    esp = [Transform(1, 12, 128), Transform(3, 12), Transform(4, 31), Transform(5, 0)]
    selectors = [each for each in _child_request(world) if each.type in (PayloadType.TSI, PayloadType.TSR)]
    for missing in range(5):
        row = esp[:missing] + esp[missing + 1 :] if missing < 4 else []
        for spi in (b"", b"abc", b"abcd", bytes(8)):
            sa = SecurityAssociation((Proposal(1, ProtocolId.ESP, spi, tuple(row)),))
            answers = peer.request(ExchangeType.CREATE_CHILD_SA, [sa, Nonce(b"n" * 32), *selectors])
            assert len(answers) == 1
            if missing != 2:
                assert answers[0].error is not None
    assert len(world.responder.endpoint.child_sas) <= 2
    still_serves(world)


def _child_request(world: World) -> list[Payload]:
    """The payloads of an honest CREATE_CHILD_SA request."""
    found: list[Payload] = []

    def note(payloads: list[Payload]) -> list[Payload]:
        found.extend(payloads)
        return payloads

    with altered_payloads(world, world.initiator, note):
        world.order(world.initiator, lambda sa: sa.create_child_sa("net", world.now))
    world.initiator.sent.clear()
    return found


@pytest.mark.parametrize(
    "transforms",
    [
        (Transform(1, 21, 128), Transform(5, 0)),  # ENCR_NULL_AUTH_AES_GMAC: KEYMAT without an encryption key
        (Transform(1, 21, 128), Transform(3, 12), Transform(5, 0)),
        (Transform(1, 11), Transform(5, 0)),  # NULL without integrity
        (Transform(1, 11), Transform(3, 0), Transform(5, 0)),
        (Transform(1, 20, 128), Transform(3, 12), Transform(5, 0)),  # AES-GCM with integrity beside it
        (Transform(1, 12, 128), Transform(5, 0)),
        (Transform(1, 12, 0), Transform(3, 12), Transform(5, 0)),
        (Transform(1, 12, 65535), Transform(3, 12), Transform(5, 0)),
        (Transform(1, 0), Transform(3, 12), Transform(5, 0)),
        (Transform(1, 12, 128), Transform(3, 12)),
        (Transform(1, 12, 128), Transform(3, 12), Transform(5, 7)),
    ],
    ids=str,
)
def test_row_09_cve_2024_3652_child_sas_with_no_keys_or_two(transforms: tuple[Transform, ...]) -> None:
    world, peer = established()
    request = _child_request(world)
    sa = SecurityAssociation((Proposal(1, ProtocolId.ESP, b"\xc0\xde\xca\xfe", transforms),))
    (answer,) = peer.request(
        ExchangeType.CREATE_CHILD_SA, [sa if isinstance(each, SecurityAssociation) else each for each in request]
    )
    assert answer.error is not None
    assert answer.error.message_type == NotifyType.NO_PROPOSAL_CHOSEN
    assert len(world.responder.endpoint.child_sas) == 1
    still_serves(world)


class Lacking:
    """The libraries, without some algorithm; or with one that says it is there and then fails."""

    def __init__(self, missing: str = "", failing: str = "") -> None:
        self._whole: ProviderSelection = cryptography()
        self._missing = missing
        self._failing = failing

    def supports(self, algorithm: str) -> bool:
        """As a selection does."""
        return algorithm != self._missing and self._whole.supports(algorithm)

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self._whole, name)

        def factory(algorithm: str, *rest: Any, **named: Any) -> Any:
            if algorithm == self._missing:
                raise UnsupportedError(f"{algorithm} is not here")
            if algorithm == self._failing:
                raise ProviderError(f"{algorithm} fails")
            return whole(algorithm, *rest, **named)

        return factory


def lacking(world: World, end: End, **options: str) -> None:
    """Take an algorithm away from one end."""
    environment: Environment = end.endpoint.environment
    other: Any = Lacking(**options)
    end.endpoint.environment = replace(environment, cryptography=other)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("missing", ["aes128", "hash", "x25519", "ecp256"])
def test_row_23_cve_2016_3071_only_what_runs_is_offered_and_chosen(version: int, missing: str) -> None:
    ike = "aes128-aes256-sha256-sha1-prfsha256-prfsha1-ecp256-modp1024"
    ike = ike.replace("ecp256", "x25519") if version == 2 and missing == "x25519" else ike
    if missing == "hash":
        # In IKEv1 a hash is needed as PRF only.
        missing = "sha256" if version == 2 else "prfsha256"
    for lacks_initiator in (True, False):
        world = World(version, ike=ike)
        lacking(world, world.initiator if lacks_initiator else world.responder, missing=missing)
        world.initiate()
        world.run()
        assert len(world.responder.endpoint.child_sas) == 1, world.responder.lines
        info = world.responder.sa.info
        assert info is not None
        assert missing not in (info.negotiated.encryption, info.negotiated.integrity, info.negotiated.key_exchange)
        assert info.negotiated.prf != missing


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("failing", ["prfsha256", "x25519", "ecp256", "aes128", "sha256"])
@pytest.mark.parametrize("at_responder", [False, True])
def test_row_24_cve_2018_10811_an_algorithm_that_fails_when_it_is_used(
    version: int, failing: str, at_responder: bool
) -> None:
    world = World(version)
    lacking(world, world.responder if at_responder else world.initiator, failing=failing)
    world.initiate()
    world.run()
    world.sleep(300.0)
    used = failing not in ("x25519", "ecp256") or (failing == "x25519") == (version == 2)
    if used and not (version == 1 and failing == "sha256"):
        assert not world.responder.of(ChildSaEstablished)
        assert world.initiator.count == world.responder.count == 0


# States.

EXCHANGES = (*range(34, 38), 38, 43, 44, 0, 33, 45, 240, 255)


@pytest.mark.parametrize("hostile_responder", [False, True])
def test_row_25_cve_2019_12312_every_exchange_type_before_authentication(hostile_responder: bool) -> None:
    for exchange_type in EXCHANGES:
        for response in (False, True):
            for payloads in (
                [],
                [Delete(ProtocolId.IKE)],
                [Notify(NotifyType.AUTHENTICATION_FAILED)],
                [Nonce(b"n" * 32), Notify(NotifyType.REKEY_SA, b"", 3, b"abcd")],
            ):
                world = World(2)
                world.initiate()
                world.step()
                if hostile_responder:
                    world.step()
                    sent = world.initiator.sent
                    sent.clear()
                    world.responder.sent.clear()
                peer = HostileV2(world, world.responder if hostile_responder else world.initiator)
                for message_id in (0, 1, 2):
                    peer.deliver(peer.message(exchange_type, payloads, message_id=message_id, response=response))
                # Whatever it was, nobody is authenticated by it.
                assert not peer.target.of(IkeSaEstablished) or hostile_responder
                assert not [sa for sa in world.responder.endpoint.associations() if sa.info is not None] or (
                    hostile_responder
                )


def test_row_25_cve_2019_12312_every_exchange_type_when_established() -> None:
    for exchange_type in EXCHANGES:
        for response in (False, True):
            for payloads in ([], [Nonce(b"n" * 32)], [KeyExchange(31, bytes(32))], [Notify(NotifyType.COOKIE, b"x")]):
                world, peer = established()
                for offset in (-1, 0, 1, 0x7FFFFFFF):
                    peer.deliver(
                        peer.message(
                            exchange_type,
                            payloads,
                            message_id=max(0, peer.message_id + offset),
                            response=response,
                        )
                    )
                world.responder.sent.clear()
                still_serves(world)


def rekey_ike(spi: bytes = b"new spi!") -> list[Payload]:
    """A CREATE_CHILD_SA request that rekeys the IKE SA."""
    sa = ike_proposal(ENCR, PRF, INTEG, KE, spi=spi)
    pair = cryptography().key_exchange("x25519").generate()
    return [sa, Nonce(b"n" * 32), KeyExchange(31, pair.public)]


def test_row_26_cve_2014_2338_rekeying_before_authentication_by_the_initiator() -> None:
    world, peer = half_open()
    for message_id in (0, 1, 2):
        answers = peer.deliver(peer.message(ExchangeType.CREATE_CHILD_SA, rekey_ike(), message_id=message_id))
        # Message ID 0 repeats the answer to IKE_SA_INIT, which the peer has already.
        assert not any(answer.header.exchange_type == ExchangeType.CREATE_CHILD_SA for answer in answers)
    (sa,) = world.responder.endpoint.associations()
    assert isinstance(sa, IkeSa)
    assert sa.state is State.INIT_ANSWERED
    assert not world.responder.of(IkeSaEstablished, IkeSaRekeyed)
    still_serves(world)


def test_row_26_cve_2014_2338_rekeying_before_authentication_by_the_responder() -> None:
    world = World(2)
    world.initiate()
    world.step()
    sent = list(world.initiator.sent)
    assert sent[0].data[18] == ExchangeType.IKE_AUTH
    world.initiator.sent.clear()
    peer = HostileV2(world, world.responder)
    for response in (False, True):
        for message_id in (0, 1):
            peer.deliver(
                peer.message(ExchangeType.CREATE_CHILD_SA, rekey_ike(), message_id=message_id, response=response)
            )
    assert not world.initiator.of(IkeSaEstablished, IkeSaRekeyed)
    sa = world.initiator.sa
    assert isinstance(sa, IkeSa)
    assert sa.state is State.AUTH_SENT
    world.initiator.sent.extend(sent)
    world.run()
    assert len(world.initiator.endpoint.child_sas) == 1
    still_serves(world)


# Traffic selectors, notifications, deletions.


def selector(ts_type: int, length: int, body: bytes) -> bytes:
    """A traffic selector with any length field."""
    return struct.pack(">BBH", ts_type, 0, length) + body


GOOD_TS = selector(7, 16, bytes.fromhex("0000ffff0a0100000a01ffff"))
BAD_TS = (
    b"",
    b"\0\0\0\0",
    b"\0\0\0\0" + GOOD_TS,
    b"\2\0\0\0" + GOOD_TS,
    b"\1\0\0\0" + GOOD_TS * 2,
    b"\xff\0\0\0" + GOOD_TS * 254,
    b"\1\0\0\0" + selector(7, 0, GOOD_TS[4:]),
    b"\1\0\0\0" + selector(7, 3, GOOD_TS[4:]),
    b"\1\0\0\0" + selector(7, 15, GOOD_TS[4:-1]),
    b"\1\0\0\0" + selector(7, 17, GOOD_TS[4:] + b"\0"),
    b"\1\0\0\0" + selector(7, 0xFFFF, GOOD_TS[4:]),
    b"\1\0\0\0" + selector(8, 16, GOOD_TS[4:]),
    b"\1\0\0\0" + selector(7, 40, bytes(36)),
    b"\1\0\0\0" + selector(9, 16, GOOD_TS[4:]),
    b"\1\0\0\0" + selector(0, 4, b""),
    b"\1\0\0\0" + selector(7, 16, bytes.fromhex("0000ffff0a01ffff0a010000")),  # ends before it begins
    b"\1\0\0\0" + selector(7, 16, bytes.fromhex("ffff00000a0100000a01ffff")),  # OPAQUE
    b"\1\0\0\0" + selector(7, 16, bytes.fromhex("ffff00010a0100000a01ffff")),
    b"\xff\0\0\0" + GOOD_TS * 255,
)


class RawPayload(UnknownPayload):
    """A payload of a known type with any body."""

    __slots__ = ()


@pytest.mark.parametrize("body", BAD_TS, ids=lambda body: body[:24].hex())
@pytest.mark.parametrize("kind", [PayloadType.TSI, PayloadType.TSR])
def test_row_27_cve_2023_23009_traffic_selectors(kind: int, body: bytes) -> None:
    def change(payloads: list[Payload]) -> list[Payload]:
        return [RawPayload(kind, body) if each.type == kind else each for each in payloads]

    for hostile_responder in (False, True):
        world = World(2)
        hostile = world.responder if hostile_responder else world.initiator
        with altered_payloads(world, hostile, change):
            world.initiate()
            world.run()
            world.sleep(300.0)
        for child in (*world.initiator.endpoint.child_sas, *world.responder.endpoint.child_sas):
            for one in (*child.local_ts, *child.remote_ts):
                assert one.start <= one.end
                assert one.start_port <= one.end_port
        still_serves(world)
    world, peer = established()
    request = change(_child_request(world))
    assert len(peer.request(ExchangeType.CREATE_CHILD_SA, request)) <= 1
    world.responder.sent.clear()
    still_serves(world)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 255])
@pytest.mark.parametrize("spi", [b"", b"abc", b"abcd", b"abcdefgh", b"x" * 255], ids=len)
def test_row_28_cve_2023_38710_protocols_and_spi_sizes(protocol: int, spi: bytes) -> None:
    world, peer = established(**PFS)
    request = _child_request(world)
    notify = Notify(NotifyType.REKEY_SA, b"", protocol, spi)
    (answer,) = peer.request(ExchangeType.CREATE_CHILD_SA, [notify, *request])
    # Whatever it names, it is no Child SA of ours.
    assert answer.error is not None, answer
    assert len(world.responder.endpoint.child_sas) == 1
    numbers = (NotifyType.INVALID_SPI, NotifyType.INVALID_SELECTORS, NotifyType.CHILD_SA_NOT_FOUND, 0, 65535)
    payloads: list[Payload] = [Notify(number, b"", protocol, spi) for number in numbers]
    if protocol != 1:
        payloads.append(Delete(protocol, len(spi), (spi,) * 3 if spi else ()))
    assert len(peer.request(ExchangeType.INFORMATIONAL, payloads)) == 1
    assert world.responder.sa.info is not None
    still_serves(world)


def test_row_28_cve_2023_38710_the_honest_request_of_these_tests_is_accepted() -> None:
    world, peer = established()
    (answer,) = peer.request(ExchangeType.CREATE_CHILD_SA, _child_request(world))
    assert answer.error is None


@pytest.mark.parametrize("identity", [b"stranger.example.net", b"", b"x" * 5000])
def test_row_29_cve_2024_2357_no_secret_for_the_peer_and_the_request_again(identity: bytes) -> None:
    world = World(2)

    def change(payloads: list[Payload]) -> list[Payload]:
        return with_payload(IdentificationInitiator, lambda each: IdentificationInitiator(2, identity))(payloads)

    with altered_payloads(world, world.initiator, change):
        world.initiate()
        world.step()
    request = world.initiator.sent.popleft()
    for _ in range(3):
        answers = world.feed(world.responder, request.data)
        assert len(answers) == 1
    assert len({answer.data for answer in world.responder.sent}) == 1
    (shown,) = {HostileV2(world).open(answer.data).error for answer in list(world.responder.sent)[-1:]}
    assert shown is not None
    assert shown.message_type == NotifyType.AUTHENTICATION_FAILED
    world.responder.sent.clear()
    still_serves(world)


def identities() -> Iterator[tuple[int, bytes]]:
    """Of every type and of lengths at which buffers end."""
    for id_type in (0, 1, 2, 3, 5, 9, 10, 11, 13, 201, 255):
        for length in (0, 1, 4, 16, 511, 513, 60_000):
            yield id_type, b"A" * length


def _other_identity(other: Payload, _: Payload) -> Payload:
    return other


@pytest.mark.parametrize("kind", [IdentificationInitiator, IdentificationResponder])
def test_row_30_cve_2025_9242_identities_of_any_length(
    kind: type[IdentificationInitiator] | type[IdentificationResponder],
) -> None:
    for method in ("psk", "pubkey"):
        for id_type, data in identities():
            for hostile_responder in (False, True):
                world = World(2, method=method, fragmentation=False)
                hostile = world.responder if hostile_responder else world.initiator
                change = with_payload(kind, functools.partial(_other_identity, kind(id_type, data)))
                with altered_payloads(world, hostile, change):
                    world.initiate()
                    world.run()
                end = world.initiator if hostile_responder else world.responder
                if (kind is IdentificationResponder) == hostile_responder:
                    assert not end.of(IkeSaEstablished)
                assert all(len(line) < 2000 and line.isprintable() for line in end.lines)


def test_row_01_cve_2013_4564_the_version_of_messages_of_an_sa() -> None:
    world, peer = established()
    honest = peer.message(ExchangeType.INFORMATIONAL)
    for version in (0x00, 0x10, 0x11, 0x30, 0xF0):
        world.feed(world.responder, honest[:17] + bytes((version,)) + honest[18:])
    world.responder.sent.clear()
    world.healthy()


def test_row_01_cve_2013_4564_flags() -> None:
    for flags in range(0, 256, 4):
        world, peer = established()
        world.feed(world.responder, peer.message(ExchangeType.INFORMATIONAL, flags=flags))
        world.responder.sent.clear()
        still_serves(world)


def test_known_algorithms_only() -> None:
    """The transforms of these tests are what they say."""
    assert ENCRYPTION["aes128"].ikev2_id == 12
