"""Phase 1 proposals: from a configuration to transforms, and from a peer's transform back (RFC 2409 appendix A)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.ikev1 import PHASE1_HASHES, Phase1Hash
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import IkeProposal
from ipsecbench.errors import NegotiationError
from ipsecbench.ike.v1.attributes import Attribute
from ipsecbench.ike.v1.identifiers import KEY_IKE, LifeType, NotifyType, Phase1Attribute, Protocol
from ipsecbench.ike.v1.proposals import Proposal, SaPayload, Transform, make_transform
from ipsecbench.providers.selection import ProviderSelection

MAX_OFFERED = 255
"""Transforms that fit one proposal: their number is one octet."""

_FIXED_KEY = frozenset({"des", "3des"})
_DEFAULT_KEY_BITS = {"cast128": 128, "blowfish128": 128, "aes128": 128, "camellia128": 128}
"""Key length that is meant where the attribute is missing (RFC 2451, RFC 3602)."""
_ENCRYPTION_BY_NUMBER = {
    (row.ikev1_phase1_id, None if name in _FIXED_KEY else row.key_bits): name
    for name, row in ENCRYPTION.items()
    if row.ikev1_phase1_id is not None
}
_HASH_BY_NUMBER = {row.number: row for row in PHASE1_HASHES.values()}
_GROUP_BY_NUMBER = {row.ikev2_id: name for name, row in KEY_EXCHANGE.items() if not row.kem}


@dataclass(frozen=True, slots=True)
class Phase1Suite:
    """What a phase 1 transform asks for."""

    encryption: str
    """Encryption transform."""
    hash: Phase1Hash
    """Hash; the PRF is its HMAC."""
    authentication: int
    """Authentication Method."""
    key_exchange: str
    """Key exchange method."""


@dataclass(frozen=True, slots=True)
class Phase1Choice:
    """A transform that was agreed on."""

    suite: Phase1Suite
    """What it asks for."""
    life_seconds: int | None
    """Life that the transform names."""
    transform: Transform
    """The transform as it was received."""
    proposal: Proposal
    """The proposal that it stood in."""

    def answer(self) -> SaPayload:
        """The responder's SA payload: this transform only, unchanged (RFC 2409 section 5)."""
        return SaPayload((Proposal(self.proposal.number, self.proposal.protocol, b"", (self.transform,)),))


def suites(
    proposals: Sequence[IkeProposal], authentication: int, cryptography: ProviderSelection
) -> tuple[Phase1Suite, ...]:
    """Every suite that a configuration allows and that can be carried out here, the preferred first.

    Combined modes, PRFs that are no HMAC of the hash, and ML-KEM have no numbers in IKEv1 and are left out.
    """
    found: dict[Phase1Suite, None] = {}
    for proposal in proposals:
        for encryption, integrity, key_exchange in _combinations(proposal):
            row = PHASE1_HASHES.get(integrity)
            if row is None or row.prf not in proposal.prf:
                continue
            if ENCRYPTION[encryption].ikev1_phase1_id is None or KEY_EXCHANGE[key_exchange].kem:
                continue
            if all(cryptography.supports(name) for name in (encryption, row.prf, key_exchange)):
                found[Phase1Suite(encryption, row, authentication, key_exchange)] = None
    return tuple(found)[:MAX_OFFERED]


def _combinations(proposal: IkeProposal) -> Iterator[tuple[str, str, str]]:
    for encryption in proposal.encryption:
        for integrity in proposal.integrity:
            for key_exchange in proposal.key_exchange:
                yield encryption, integrity, key_exchange


def offer(offered: Sequence[Phase1Suite], life_seconds: int | None) -> SaPayload:
    """The initiator's SA payload: one proposal with a transform for every suite."""
    transforms = tuple(
        make_transform(number, KEY_IKE, _attributes(suite, life_seconds)) for number, suite in enumerate(offered, 1)
    )
    return SaPayload((Proposal(1, Protocol.PROTO_ISAKMP, b"", transforms),))


def _attributes(suite: Phase1Suite, life_seconds: int | None) -> list[Attribute]:
    row = ENCRYPTION[suite.encryption]
    attributes = [Attribute(Phase1Attribute.ENCRYPTION_ALGORITHM, row.ikev1_phase1_id or 0)]
    if suite.encryption not in _FIXED_KEY:
        attributes.append(Attribute(Phase1Attribute.KEY_LENGTH, row.key_bits))
    attributes += [
        Attribute(Phase1Attribute.HASH_ALGORITHM, suite.hash.number),
        Attribute(Phase1Attribute.GROUP_DESCRIPTION, KEY_EXCHANGE[suite.key_exchange].ikev2_id),
        Attribute(Phase1Attribute.AUTHENTICATION_METHOD, suite.authentication),
    ]
    if life_seconds is not None:
        attributes += [
            Attribute(Phase1Attribute.LIFE_TYPE, LifeType.SECONDS),
            Attribute(Phase1Attribute.LIFE_DURATION, life_seconds),
        ]
    return attributes


def read_suite(transform: Transform) -> Phase1Suite | None:
    """What a received transform asks for; None where a part of it is not known here."""
    known = {*Phase1Attribute} - {Phase1Attribute.PRF}
    if transform.transform_id != KEY_IKE or any(each.kind not in known for each in transform.attributes):
        return None
    number = transform.single(Phase1Attribute.ENCRYPTION_ALGORITHM) or 0
    bits = transform.single(Phase1Attribute.KEY_LENGTH)
    encryption = encryption_of(number, bits)
    row = _HASH_BY_NUMBER.get(transform.single(Phase1Attribute.HASH_ALGORITHM) or 0)
    group = _GROUP_BY_NUMBER.get(transform.single(Phase1Attribute.GROUP_DESCRIPTION) or 0)
    authentication = transform.single(Phase1Attribute.AUTHENTICATION_METHOD)
    if encryption is None or row is None or group is None or authentication is None:
        return None
    return Phase1Suite(encryption, row, authentication, group)


def encryption_of(number: int, key_bits: int | None) -> str | None:
    """The encryption transform of a phase 1 number and key length; some peers give DES and 3DES a length too."""
    plain = _ENCRYPTION_BY_NUMBER.get((number, None))
    if plain is not None:
        return plain if key_bits in (None, 0, ENCRYPTION[plain].key_bits, ENCRYPTION[plain].keymat_bytes * 8) else None
    if key_bits is None:
        return next((name for name in _DEFAULT_KEY_BITS if ENCRYPTION[name].ikev1_phase1_id == number), None)
    return _ENCRYPTION_BY_NUMBER.get((number, key_bits))


def life_seconds(transform: Transform) -> int | None:
    """The life in seconds that a transform names; each type is followed by its duration (RFC 2409 appendix A)."""
    kind = None
    for each in transform.attributes:
        if each.kind == Phase1Attribute.LIFE_TYPE:
            kind = each.value
        elif each.kind == Phase1Attribute.LIFE_DURATION and kind == LifeType.SECONDS:
            return each.value or None
    return None


def choose(sa: SaPayload, own: Sequence[Phase1Suite]) -> Phase1Choice | None:
    """The responder's choice: the first of its own suites that the peer offers; None where there is none.

    As an initiator looks at an answer, the choice is the check that the peer chose from the offer.
    """
    offered: dict[Phase1Suite, tuple[Proposal, Transform]] = {}
    for proposal in sa.proposals:
        if proposal.protocol != Protocol.PROTO_ISAKMP:
            continue
        for transform in proposal.transforms:
            suite = read_suite(transform)
            if suite is not None:
                offered.setdefault(suite, (proposal, transform))
    for suite in own:
        if suite in offered:
            proposal, transform = offered[suite]
            return Phase1Choice(suite, life_seconds(transform), transform, proposal)
    return None


def check_answer(sa: SaPayload, offered: Sequence[Phase1Suite]) -> Phase1Choice:
    """The initiator's look at the responder's SA payload.

    Raises:
        NegotiationError: it is not exactly one transform out of the offer.
    """
    if len(sa.proposals) != 1 or len(sa.proposals[0].transforms) != 1:
        raise NegotiationError("the peer answered with more than one transform", NotifyType.BAD_PROPOSAL_SYNTAX)
    choice = choose(sa, offered)
    if choice is None:
        raise NegotiationError("the peer chose a transform that was not offered", NotifyType.NO_PROPOSAL_CHOSEN)
    return choice
