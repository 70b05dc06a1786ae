"""Phase 2 proposals: from a configuration to ESP transforms, and back from a peer's (RFC 2407 section 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.ikev1 import ESP_PRIVATE
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE, EspProposal
from ipsecbench.esp.mode import Mode
from ipsecbench.ike.v1.attributes import Attribute
from ipsecbench.ike.v1.identifiers import EncapsulationMode, LifeType, Phase2Attribute, Protocol
from ipsecbench.ike.v1.proposals import Proposal, SaPayload, Transform, make_transform
from ipsecbench.providers.selection import ProviderSelection

MAX_OFFERED = 255
"""Transforms that fit one proposal: their number is one octet."""

_FIXED_KEY = frozenset({"des", "3des", "null"})
_DEFAULT_KEY_BITS = {"cast128": 128, "blowfish128": 128, "aes128": 128, "twofish128": 128, "camellia128": 128}
_ENCRYPTION_NUMBERS = {
    name: row.ikev1_esp_id if row.ikev1_esp_id is not None else ESP_PRIVATE[name]
    for name, row in ENCRYPTION.items()
    if row.ikev1_esp_id is not None or name in ESP_PRIVATE
}
_ENCRYPTION_BY_NUMBER = {
    (number, None if name in _FIXED_KEY else ENCRYPTION[name].key_bits): name
    for name, number in _ENCRYPTION_NUMBERS.items()
}
_INTEGRITY_BY_NUMBER = {row.ikev1_esp_id: name for name, row in INTEGRITY.items() if row.ikev1_esp_id is not None}
_GROUP_BY_NUMBER = {row.ikev2_id: name for name, row in KEY_EXCHANGE.items() if not row.kem}
_KNOWN = frozenset(Phase2Attribute) - {Phase2Attribute.KEY_ROUNDS}

_ENCAPSULATION: dict[tuple[Mode, str | None], int] = {
    (Mode.TUNNEL, None): EncapsulationMode.TUNNEL,
    (Mode.TRANSPORT, None): EncapsulationMode.TRANSPORT,
    (Mode.TUNNEL, "rfc"): EncapsulationMode.UDP_ENCAPSULATED_TUNNEL,
    (Mode.TRANSPORT, "rfc"): EncapsulationMode.UDP_ENCAPSULATED_TRANSPORT,
    (Mode.TUNNEL, "draft"): EncapsulationMode.UDP_ENCAPSULATED_TUNNEL_DRAFT,
    (Mode.TRANSPORT, "draft"): EncapsulationMode.UDP_ENCAPSULATED_TRANSPORT_DRAFT,
}
_MODE_BY_ENCAPSULATION = {number: mode for (mode, _), number in _ENCAPSULATION.items()}


@dataclass(frozen=True, slots=True)
class Phase2Suite:
    """What an ESP transform asks for, lives and mode aside."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform; None beside a combined mode."""
    esn: bool
    """Extended sequence numbers."""
    key_exchange: str | None
    """Key exchange method for perfect forward secrecy; None without."""


@dataclass(frozen=True, slots=True)
class Phase2Lives:
    """Lives that a transform or a RESPONDER-LIFETIME names."""

    seconds: int | None = None
    """Life in seconds."""
    kilobytes: int | None = None
    """Life in kilobytes of 1024 octets."""


@dataclass(frozen=True, slots=True)
class Phase2Choice:
    """A transform that was agreed on."""

    suite: Phase2Suite
    """What it asks for."""
    mode: Mode
    """Mode."""
    lives: Phase2Lives
    """Lives that it names."""
    transform: Transform
    """The transform as received."""
    proposal: Proposal
    """The proposal that it stood in, with the peer's SPI."""

    def answer(self, spi: bytes) -> SaPayload:
        """The responder's SA payload: this transform, unchanged, with the responder's SPI."""
        return SaPayload((Proposal(self.proposal.number, self.proposal.protocol, spi, (self.transform,)),))


def encapsulation(mode: Mode, nat_traversal: str | None) -> int:
    """The Encapsulation Mode attribute.

    Args:
        mode: tunnel or transport.
        nat_traversal: None without a NAT; else ``rfc`` (RFC 3947) or ``draft``, whose numbers are used.
    """
    return _ENCAPSULATION[mode, nat_traversal]


def pfs_group(proposals: Sequence[EspProposal]) -> str | None:
    """The one key exchange method of an initiator's quick mode: the first of its first proposal; None without PFS."""
    groups = proposals[0].key_exchange if proposals else ()
    return groups[0] if groups and groups[0] != NO_KEY_EXCHANGE else None


def suites(
    proposals: Sequence[EspProposal], group: str | None, cryptography: ProviderSelection
) -> tuple[Phase2Suite, ...]:
    """Every suite that a configuration allows with a group (None: without one), the preferred first.

    Algorithms without a number in IKEv1 are left out, and groups that cannot be computed here. The ciphers of ESP are
    the data plane's affair.
    """
    found: dict[Phase2Suite, None] = {}
    if group is not None and (KEY_EXCHANGE[group].kem or not cryptography.supports(group)):
        return ()
    for proposal in proposals:
        allowed = proposal.key_exchange or (NO_KEY_EXCHANGE,)
        if (group or NO_KEY_EXCHANGE) not in allowed:
            continue
        for encryption, integrity, esn in _combinations(proposal):
            if encryption in _ENCRYPTION_NUMBERS and (integrity is None or integrity in _INTEGRITY_BY_NUMBER.values()):
                found[Phase2Suite(encryption, integrity, esn, group)] = None
    return tuple(found)[:MAX_OFFERED]


def _combinations(proposal: EspProposal) -> Iterator[tuple[str, str | None, bool]]:
    for encryption in proposal.encryption:
        for integrity in proposal.integrity or (None,):
            for esn in proposal.esn:
                yield encryption, integrity, esn


def offer(offered: Sequence[Phase2Suite], spi: bytes, encapsulation_mode: int, lives: Phase2Lives) -> SaPayload:
    """The initiator's SA payload: one ESP proposal with a transform for every suite."""
    transforms = tuple(
        make_transform(number, _ENCRYPTION_NUMBERS[suite.encryption], _attributes(suite, encapsulation_mode, lives))
        for number, suite in enumerate(offered, 1)
    )
    return SaPayload((Proposal(1, Protocol.PROTO_IPSEC_ESP, spi, transforms),))


def _attributes(suite: Phase2Suite, encapsulation_mode: int, lives: Phase2Lives) -> list[Attribute]:
    attributes: list[Attribute] = []
    if suite.encryption not in _FIXED_KEY:
        attributes.append(Attribute(Phase2Attribute.KEY_LENGTH, ENCRYPTION[suite.encryption].key_bits))
    if suite.integrity is not None:
        number = INTEGRITY[suite.integrity].ikev1_esp_id or 0
        attributes.append(Attribute(Phase2Attribute.AUTHENTICATION_ALGORITHM, number))
    if suite.key_exchange is not None:
        attributes.append(Attribute(Phase2Attribute.GROUP_DESCRIPTION, KEY_EXCHANGE[suite.key_exchange].ikev2_id))
    attributes.append(Attribute(Phase2Attribute.ENCAPSULATION_MODE, encapsulation_mode))
    attributes += lives_attributes(lives)
    if suite.esn:
        attributes.append(Attribute(Phase2Attribute.EXTENDED_SEQUENCE_NUMBER, 1))
    return attributes


def lives_attributes(lives: Phase2Lives) -> list[Attribute]:
    """Lives as attributes: each type before its duration."""
    attributes = []
    for kind, duration in ((LifeType.SECONDS, lives.seconds), (LifeType.KILOBYTES, lives.kilobytes)):
        if duration is not None:
            attributes.append(Attribute(Phase2Attribute.SA_LIFE_TYPE, kind))
            attributes.append(Attribute(Phase2Attribute.SA_LIFE_DURATION, duration))
    return attributes


def read_lives(attributes: Sequence[Attribute]) -> Phase2Lives:
    """The lives that attributes name; without one, seconds mean the default of 8 hours (RFC 2407 section 4.5)."""
    found: dict[int, int] = {}
    kind = None
    for each in attributes:
        if each.kind == Phase2Attribute.SA_LIFE_TYPE:
            kind = each.value
        elif each.kind == Phase2Attribute.SA_LIFE_DURATION and kind is not None and each.value:
            found.setdefault(kind, each.value)
    return Phase2Lives(found.get(LifeType.SECONDS), found.get(LifeType.KILOBYTES))


def read_suite(transform: Transform) -> Phase2Suite | None:
    """What a received ESP transform asks for; None where a part is unknown, or integrity is missing or twofold."""
    if any(each.kind not in _KNOWN for each in transform.attributes):
        return None
    encryption = encryption_of(transform.transform_id, transform.single(Phase2Attribute.KEY_LENGTH))
    if encryption is None:
        return None
    number = transform.single(Phase2Attribute.AUTHENTICATION_ALGORITHM)
    integrity = _INTEGRITY_BY_NUMBER.get(number or 0)
    # ESP without integrity, and integrity beside a combined mode, are no suites (RFC 8221 sections 4 and 5).
    if ENCRYPTION[encryption].aead != (integrity is None) or (number and integrity is None):
        return None
    group_number = transform.single(Phase2Attribute.GROUP_DESCRIPTION)
    group = None
    if group_number is not None:
        group = _GROUP_BY_NUMBER.get(group_number)
        if group is None:
            return None
    esn = transform.single(Phase2Attribute.EXTENDED_SEQUENCE_NUMBER)
    return Phase2Suite(encryption, integrity, esn == 1, group)


def encryption_of(number: int, key_bits: int | None) -> str | None:
    """The encryption transform of a Transform-Id and key length."""
    plain = _ENCRYPTION_BY_NUMBER.get((number, None))
    if plain is not None:
        return plain if key_bits in (None, 0, ENCRYPTION[plain].key_bits, ENCRYPTION[plain].keymat_bytes * 8) else None
    if key_bits is None:
        return next((name for name in _DEFAULT_KEY_BITS if _ENCRYPTION_NUMBERS[name] == number), None)
    return _ENCRYPTION_BY_NUMBER.get((number, key_bits))


def read_mode(transform: Transform, udp: bool) -> Mode | None:
    """The mode that a transform asks for; None where it is unknown or does not fit the presence of a NAT.

    Args:
        transform: as received.
        udp: whether ESP goes over UDP here; plain numbers are taken then too, as some peers send them.
    """
    number = transform.single(Phase2Attribute.ENCAPSULATION_MODE)
    # RFC 2407 leaves the default to the host; a missing attribute has always meant tunnel mode in practice.
    mode = _MODE_BY_ENCAPSULATION.get(EncapsulationMode.TUNNEL if number is None else number)
    if not udp and number is not None and number > EncapsulationMode.TRANSPORT:
        return None
    return mode


def choose(sa: SaPayload, own: Sequence[Phase2Suite], mode: Mode, udp: bool) -> Phase2Choice | None:
    """The first of the own suites that the peer offers in a mode; None where there is none."""
    offered: dict[Phase2Suite, tuple[Proposal, Transform]] = {}
    numbers = [proposal.number for proposal in sa.proposals]
    for proposal in sa.proposals:
        # A number that stands twice means ESP together with AH or IPComp, which is not done here.
        if (
            proposal.protocol != Protocol.PROTO_IPSEC_ESP
            or len(proposal.spi) != 4
            or numbers.count(proposal.number) > 1
        ):
            continue
        for transform in proposal.transforms:
            suite = read_suite(transform)
            if suite is not None and read_mode(transform, udp) == mode:
                offered.setdefault(suite, (proposal, transform))
    for suite in own:
        if suite in offered:
            proposal, transform = offered[suite]
            return Phase2Choice(suite, mode, read_lives(transform.attributes), transform, proposal)
    return None


def responder_suites(proposals: Sequence[EspProposal], cryptography: ProviderSelection) -> tuple[Phase2Suite, ...]:
    """Every suite that a responder accepts, with each of its groups, the preferred first."""
    found: dict[Phase2Suite, None] = {}
    for proposal in proposals:
        for name in proposal.key_exchange or (NO_KEY_EXCHANGE,):
            group = None if name == NO_KEY_EXCHANGE else name
            found.update(dict.fromkeys(suites([proposal], group, cryptography)))
    return tuple(found)
