"""What proposals mean (RFC 7296 section 3.3, RFC 5282 section 8, RFC 9370).

Both ways between the proposals of a configuration, which have strongSwan's tokens, and those of a Security Association
payload, which have numbers. The choice among them is made in ``negotiation``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from ipsecbench.algorithms.encryption import ENCRYPTION, Encryption
from ipsecbench.algorithms.integrity import INTEGRITY, Integrity
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE, KeyExchangeMethod
from ipsecbench.algorithms.prf import PRF, Prf
from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE, EspProposal, IkeProposal
from ipsecbench.errors import NegotiationError, UsageError
from ipsecbench.ike.v2.identifiers import (
    FIRST_ADDKE,
    LAST_ADDKE,
    NotifyType,
    ProtocolId,
    SequenceNumbers,
    TransformType,
)
from ipsecbench.ike.v2.transforms import Proposal, Transform

NONE = 0
"""Transform ID of INTEG, KE and ADDKE that stands for no transform."""
ESP_SPI_BYTES = 4
"""Octets of the SPI in a proposal for ESP."""
IKE_SPI_BYTES = 8
"""Octets of the SPI in a proposal that rekeys an IKE SA; the first IKE SA has its SPIs in the header."""
FIXED_KEY_LENGTH = frozenset({"des", "3des", "null", "chacha20poly1305"})
"""Encryption transforms that must not have a Key Length attribute (RFC 7296 section 3.3.5, RFC 7634 section 3)."""
DEFAULT_KEY_LENGTH: Mapping[int, int] = MappingProxyType({6: 128, 7: 128})
"""ENCR_CAST and ENCR_BLOWFISH have this key length where the attribute is missing (RFC 2451 section 2.1)."""

ADDITIONAL = range(FIRST_ADDKE, LAST_ADDKE + 1)
"""The transform types of additional key exchanges."""
MAY_BE_NONE = frozenset({TransformType.INTEG, TransformType.KE, *ADDITIONAL})
"""Transform types that have a transform ID for "none"."""


@dataclass(frozen=True, slots=True)
class IkeSuite:
    """The transforms that an IKE SA uses."""

    encryption: Encryption
    """ENCR."""
    integrity: Integrity | None
    """INTEG; None with a combined-mode ENCR."""
    prf: Prf
    """PRF."""
    key_exchange: KeyExchangeMethod
    """KE."""
    additional: tuple[KeyExchangeMethod, ...] = ()
    """Additional key exchanges that take place, in their order (RFC 9370)."""

    @property
    def text(self) -> str:
        """strongSwan's spelling."""
        integrity = () if self.integrity is None else (self.integrity.name,)
        additional = tuple((method.name,) for method in self.additional)
        names = (self.encryption.name,), integrity, (self.prf.name,), (self.key_exchange.name,)
        return IkeProposal(*names, additional).text


@dataclass(frozen=True, slots=True)
class EspSuite:
    """The transforms that a Child SA with ESP uses."""

    encryption: Encryption
    """ENCR."""
    integrity: Integrity | None
    """INTEG; None with a combined-mode ENCR."""
    key_exchange: KeyExchangeMethod | None
    """KE; None without perfect forward secrecy."""
    additional: tuple[KeyExchangeMethod, ...] = ()
    """Additional key exchanges that take place, in their order (RFC 9370)."""
    esn: bool = False
    """Extended sequence numbers."""

    @property
    def text(self) -> str:
        """strongSwan's spelling."""
        integrity = () if self.integrity is None else (self.integrity.name,)
        key_exchange = () if self.key_exchange is None else (self.key_exchange.name,)
        additional = tuple((method.name,) for method in self.additional)
        return EspProposal((self.encryption.name,), integrity, key_exchange, additional, (self.esn,)).text


S = TypeVar("S", IkeSuite, EspSuite)


@dataclass(frozen=True, slots=True)
class Choice(Generic[S]):
    """One proposal with one transform of each type: what a responder answers, and what an initiator was answered."""

    proposal: Proposal
    """As it stands in the message: with the SPI of the peer, and of the transforms the one of each type."""
    suite: S
    """What it means."""

    def answer(self, spi: bytes) -> tuple[Proposal, ...]:
        """The proposals of the responder's Security Association payload.

        Args:
            spi: SPI of the responder; empty for the first IKE SA.
        """
        return (replace(self.proposal, spi=spi),)


def encryption_transform(name: str) -> Transform:
    """The transform of an encryption algorithm.

    Raises:
        UsageError: the registry has no number for it.
    """
    algorithm = ENCRYPTION[name]
    if algorithm.ikev2_id is None:
        raise UsageError(f"{name} has no number in the IKEv2 registry and cannot be negotiated")
    return Transform(TransformType.ENCR, algorithm.ikev2_id, None if name in FIXED_KEY_LENGTH else algorithm.key_bits)


def wire_key(transform: Transform) -> tuple[int, int | None]:
    """What makes two transforms of one type the same: Transform ID and key length, a missing one being the default."""
    if transform.type == TransformType.ENCR and transform.key_length is None:
        return transform.id, DEFAULT_KEY_LENGTH.get(transform.id)
    return transform.id, transform.key_length


_ENCRYPTION = {
    wire_key(encryption_transform(name)): algorithm
    for name, algorithm in ENCRYPTION.items()
    if algorithm.ikev2_id is not None
}
_PRF = {algorithm.ikev2_id: algorithm for algorithm in PRF.values()}
_INTEGRITY = {algorithm.ikev2_id: algorithm for algorithm in INTEGRITY.values()}
_METHODS = {method.ikev2_id: method for method in KEY_EXCHANGE.values()}


def _method_transforms(transform_type: int, names: Iterable[str]) -> list[Transform]:
    numbers = (NONE if name == NO_KEY_EXCHANGE else KEY_EXCHANGE[name].ikev2_id for name in names)
    return [Transform(transform_type, number) for number in numbers]


def _key_exchanges(proposal: IkeProposal | EspProposal) -> list[Transform]:
    transforms = _method_transforms(TransformType.KE, proposal.key_exchange)
    for number, names in enumerate(proposal.additional_key_exchanges):
        transforms += _method_transforms(FIRST_ADDKE + number, names)
    return transforms


def _encryptions(proposal: IkeProposal | EspProposal) -> list[tuple[list[Transform], list[Transform]]]:
    """ENCR with its INTEG; combined-mode and other ENCR never stand in one proposal (RFC 7296 section 3.3)."""
    rows = []
    for aead in sorted((False, True), key=lambda aead: ENCRYPTION[proposal.encryption[0]].aead != aead):
        encryption = [encryption_transform(name) for name in proposal.encryption if ENCRYPTION[name].aead == aead]
        names = () if aead else proposal.integrity
        integrity = [Transform(TransformType.INTEG, INTEGRITY[name].ikev2_id) for name in names]
        if encryption and (aead or integrity):
            rows.append((encryption, integrity))
    return rows


def ike_offer(proposals: Sequence[IkeProposal], spi: bytes = b"") -> tuple[Proposal, ...]:
    """The proposals of a Security Association payload that asks for an IKE SA.

    Args:
        proposals: in the order of preference.
        spi: this end's new SPI when an IKE SA is rekeyed; empty for the first IKE SA.

    Raises:
        UsageError: an algorithm has no number.
    """
    rows = _ike_transforms(tuple(proposals))
    return tuple(Proposal(number, ProtocolId.IKE, spi, transforms) for number, transforms in enumerate(rows, 1))


@lru_cache(maxsize=256)
def _ike_transforms(proposals: tuple[IkeProposal, ...]) -> tuple[tuple[Transform, ...], ...]:
    """Of each proposal to send the transforms; the same for every peer, so that they are made once."""
    rows = []
    for proposal in proposals:
        prf = [Transform(TransformType.PRF, PRF[name].ikev2_id) for name in proposal.prf]
        for encryption, integrity in _encryptions(proposal):
            rows.append((*encryption, *integrity, *prf, *_key_exchanges(proposal)))
    return tuple(rows)


def esp_offer(
    proposals: Sequence[EspProposal], spi: bytes = b"", *, with_key_exchange: bool = True
) -> tuple[Proposal, ...]:
    """The proposals of a Security Association payload that asks for a Child SA with ESP.

    Args:
        proposals: in the order of preference.
        spi: SPI that this end wants to receive.
        with_key_exchange: False in IKE_AUTH, whose Child SA has no key exchange of its own (RFC 7296 section 1.2).

    Raises:
        UsageError: an algorithm has no number.
    """
    rows = _esp_transforms(tuple(proposals), with_key_exchange)
    return tuple(Proposal(number, ProtocolId.ESP, spi, transforms) for number, transforms in enumerate(rows, 1))


@lru_cache(maxsize=256)
def _esp_transforms(proposals: tuple[EspProposal, ...], with_key_exchange: bool) -> tuple[tuple[Transform, ...], ...]:
    """See :func:`_ike_transforms`; what is the same without key exchanges stands there once."""
    rows: list[tuple[Transform, ...]] = []
    for proposal in proposals:
        numbers = [SequenceNumbers.ESN if esn else SequenceNumbers.NO_ESN for esn in proposal.esn]
        sequence = [Transform(TransformType.SN, number) for number in numbers]
        methods = _key_exchanges(proposal) if with_key_exchange else []
        for encryption, integrity in _encryptions(proposal):
            row = (*encryption, *integrity, *methods, *sequence)
            if row not in rows:
                rows.append(row)
    return tuple(rows)


def _additional(transforms: Mapping[int, Transform]) -> tuple[KeyExchangeMethod, ...]:
    chosen = [transforms[number].id for number in ADDITIONAL if number in transforms]
    methods = tuple(_METHODS[number] for number in chosen if number != NONE)
    first = transforms.get(TransformType.KE)
    numbers = [method.ikev2_id for method in methods] + ([] if first is None or first.id == NONE else [first.id])
    if len(set(numbers)) != len(numbers):
        raise NegotiationError("a key exchange method stands there twice", NotifyType.NO_PROPOSAL_CHOSEN)
    if methods and (first is None or first.id == NONE):
        raise NegotiationError("additional key exchanges without a first one", NotifyType.NO_PROPOSAL_CHOSEN)
    return methods


def _protection(transforms: Mapping[int, Transform]) -> tuple[Encryption, Integrity | None]:
    encryption = _ENCRYPTION[wire_key(transforms[TransformType.ENCR])]
    chosen = transforms.get(TransformType.INTEG)
    integrity = None if chosen is None or chosen.id == NONE else _INTEGRITY[chosen.id]
    if encryption.aead == (integrity is not None):
        raise NegotiationError(
            f"{encryption.name} {'with' if integrity else 'without'} an integrity transform",
            NotifyType.NO_PROPOSAL_CHOSEN,
        )
    return encryption, integrity


def ike_suite(proposal: Proposal) -> IkeSuite:
    """What a proposal with one transform of each type means, all of them known here.

    Raises:
        NegotiationError: the transforms do not fit each other.
    """
    transforms = {transform.type: transform for transform in proposal.transforms}
    encryption, integrity = _protection(transforms)
    prf, method = _PRF[transforms[TransformType.PRF].id], _METHODS[transforms[TransformType.KE].id]
    return IkeSuite(encryption, integrity, prf, method, _additional(transforms))


def esp_suite(proposal: Proposal) -> EspSuite:
    """What a proposal with one transform of each type means, all of them known here.

    Raises:
        NegotiationError: the transforms do not fit each other.
    """
    transforms = {transform.type: transform for transform in proposal.transforms}
    encryption, integrity = _protection(transforms)
    chosen = transforms.get(TransformType.KE)
    method = None if chosen is None or chosen.id == NONE else _METHODS[chosen.id]
    esn = transforms[TransformType.SN].id == SequenceNumbers.ESN
    return EspSuite(encryption, integrity, method, _additional(transforms), esn)


Q = TypeVar("Q", IkeProposal, EspProposal)


def runnable(proposals: Sequence[Q], runs: Callable[[str, str], bool]) -> tuple[Q, ...]:
    """The proposals without the transforms that cannot run here, so that no other is ever advertised or chosen.

    Args:
        proposals: as configured.
        runs: whether a transform runs, by its kind (``encryption``, ``integrity``, ``prf``, ``key_exchange``) and name.

    Returns:
        The proposals that still have a transform of each type that they had.
    """
    found = []
    for proposal in proposals:
        kinds = [kind for kind in ("encryption", "integrity", "prf", "key_exchange") if hasattr(proposal, kind)]
        before: list[tuple[str, ...]] = [getattr(proposal, kind) for kind in kinds]
        kept: dict[str, Any] = {kind: _kept(kind, getattr(proposal, kind), runs) for kind in kinds}
        additional: list[tuple[str, ...]] = list(
            _kept("key_exchange", names, runs) for names in proposal.additional_key_exchanges
        )
        before += proposal.additional_key_exchanges
        after: list[tuple[str, ...]] = [*kept.values(), *additional]
        if [bool(names) for names in before] == [bool(names) for names in after]:
            found.append(replace(proposal, additional_key_exchanges=tuple(additional), **kept))
    return tuple(found)


def _kept(kind: str, names: Iterable[str], runs: Callable[[str, str], bool]) -> tuple[str, ...]:
    return tuple(name for name in names if name == NO_KEY_EXCHANGE or runs(kind, name))
