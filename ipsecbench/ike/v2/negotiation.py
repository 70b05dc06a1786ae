"""The choice of a proposal (RFC 7296 sections 2.7 and 3.3.6, RFC 5282 section 8, RFC 9370 section 2.2.1).

The responder chooses by its own order of preference; the initiator checks that what came back is one of the things
that it offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ipsecbench.algorithms.proposals import EspProposal, IkeProposal
from ipsecbench.errors import NegotiationError
from ipsecbench.ike.v2.identifiers import NotifyType, TransformType
from ipsecbench.ike.v2.proposals import (
    ADDITIONAL,
    ESP_SPI_BYTES,
    IKE_SPI_BYTES,
    MAY_BE_NONE,
    NONE,
    Choice,
    EspSuite,
    IkeSuite,
    esp_offer,
    esp_suite,
    ike_offer,
    ike_suite,
    wire_key,
)
from ipsecbench.ike.v2.transforms import Proposal, Transform


def select_ike(
    own: Sequence[IkeProposal],
    offered: Sequence[Proposal],
    *,
    rekey: bool = False,
    offered_method: int | None = None,
) -> Choice[IkeSuite]:
    """The responder's choice for an IKE SA: the first of its own proposals that one of the offered ones meets.

    Args:
        own: in the order of preference.
        offered: proposals of the peer.
        rekey: whether an IKE SA is rekeyed, and the proposals have an SPI.
        offered_method: method of the peer's KE payload, which is preferred to others of the same own proposal because
            it saves a round trip.

    Raises:
        NegotiationError: none is acceptable (NO_PROPOSAL_CHOSEN).
    """
    spi_bytes = IKE_SPI_BYTES if rekey else 0
    proposal = _select(ike_offer(own), offered, spi_bytes, offered_method, ignore_key_exchange=False)
    return Choice(proposal, ike_suite(proposal))


def select_esp(
    own: Sequence[EspProposal],
    offered: Sequence[Proposal],
    *,
    with_key_exchange: bool = True,
    offered_method: int | None = None,
) -> Choice[EspSuite]:
    """The responder's choice for a Child SA with ESP.

    Args:
        own: in the order of preference.
        offered: proposals of the peer; those for other protocols are passed over.
        with_key_exchange: False in IKE_AUTH; key exchange transforms that stand there nevertheless are ignored.
        offered_method: see :func:`select_ike`.

    Raises:
        NegotiationError: none is acceptable (NO_PROPOSAL_CHOSEN).
    """
    own_offers = esp_offer(own, with_key_exchange=with_key_exchange)
    proposal = _select(own_offers, offered, ESP_SPI_BYTES, offered_method, ignore_key_exchange=not with_key_exchange)
    return Choice(proposal, esp_suite(proposal))


def check_ike_answer(offer: Sequence[Proposal], answer: Sequence[Proposal]) -> Choice[IkeSuite]:
    """What the responder chose for an IKE SA.

    Args:
        offer: the proposals that were sent, which say whether there are SPIs.
        answer: the proposals of the response.

    Raises:
        NegotiationError: it is not exactly one choice out of what was offered.
    """
    proposal = _checked_answer(offer, answer)
    return Choice(proposal, ike_suite(proposal))


def check_esp_answer(offer: Sequence[Proposal], answer: Sequence[Proposal]) -> Choice[EspSuite]:
    """What the responder chose for a Child SA with ESP.

    Args:
        offer: the proposals that were sent.
        answer: the proposals of the response.

    Raises:
        NegotiationError: it is not exactly one choice out of what was offered.
    """
    proposal = _checked_answer(offer, answer)
    return Choice(proposal, esp_suite(proposal))


_Key = tuple[int, int | None]
_Alternatives = Mapping[int, Mapping[_Key, Transform]]
_NONE_KEY: _Key = (NONE, None)


def _by_type(transforms: Iterable[Transform]) -> _Alternatives:
    """Transform Type to what may be chosen of it, in the order of the proposal."""
    found: dict[int, dict[_Key, Transform]] = {}
    for transform in transforms:
        # A transform with an attribute that is not understood cannot be chosen, but its type still asks for a choice.
        row = found.setdefault(transform.type, {})
        if not transform.other_attributes:
            row.setdefault(wire_key(transform), transform)
    return found


def _select(
    own: Sequence[Proposal],
    offered: Sequence[Proposal],
    spi_bytes: int,
    offered_method: int | None,
    *,
    ignore_key_exchange: bool,
) -> Proposal:
    """The first own proposal that an offered one meets, as the offered one with one transform of each type."""
    candidates = [
        (proposal, _by_type(_without_key_exchange(proposal) if ignore_key_exchange else proposal.transforms))
        for proposal in offered
        if len(proposal.spi) == spi_bytes
    ]
    for wanted in own:
        types = _by_type(wanted.transforms)
        for proposal, offers in candidates:
            if proposal.protocol == wanted.protocol:
                chosen = _choose(types, offers, offered_method)
                if chosen is not None:
                    return replace(proposal, transforms=chosen)
    raise NegotiationError(
        f"none of {len(offered)} proposals is acceptable: {_shown(offered)}", NotifyType.NO_PROPOSAL_CHOSEN
    )


def _without_key_exchange(proposal: Proposal) -> tuple[Transform, ...]:
    dropped = (TransformType.KE, *ADDITIONAL)
    return tuple(
        transform for transform in proposal.transforms if transform.type not in dropped or transform.id == NONE
    )


def _choose(own: _Alternatives, offers: _Alternatives, offered_method: int | None) -> tuple[Transform, ...] | None:
    """One transform of each type that is offered; None where a type has none that both allow."""
    chosen: list[Transform] = []
    methods: set[int] = set()
    for transform_type in sorted(own.keys() | offers.keys()):
        wanted: Iterable[_Key] = own.get(transform_type, ())
        available = offers.get(transform_type)
        may_be_none = transform_type in MAY_BE_NONE
        if available is None:
            # Not offered: only where this end can do without it.
            if may_be_none and _NONE_KEY in wanted:
                continue
            return None
        if transform_type not in own:
            wanted = (_NONE_KEY,) if may_be_none else ()
        is_method = transform_type == TransformType.KE or transform_type in ADDITIONAL
        if transform_type == TransformType.KE and offered_method is not None:
            wanted = sorted(wanted, key=lambda key: key[0] != offered_method)
        # No method may be used twice in one IKE SA (RFC 9370 section 2.2.1).
        barred = methods if is_method else ()
        found = next((available[key] for key in wanted if key in available and key[0] not in barred), None)
        if found is None:
            return None
        if is_method and found.id != NONE:
            methods.add(found.id)
        chosen.append(found)
    return tuple(chosen)


def _checked_answer(offer: Sequence[Proposal], answer: Sequence[Proposal]) -> Proposal:
    if len(answer) != 1:
        raise _bad_answer(f"{len(answer)} proposals, not one")
    (got,) = answer
    offered = next((proposal for proposal in offer if proposal.number == got.number), None)
    if offered is None:
        raise _bad_answer(f"proposal number {got.number} was not offered")
    if got.protocol != offered.protocol or len(got.spi) != len(offered.spi):
        raise _bad_answer(f"protocol {got.protocol} with an SPI of {len(got.spi)} octets")
    offers = _by_type(offered.transforms)
    seen: set[int] = set()
    for transform in got.transforms:
        if transform.type in seen:
            raise _bad_answer(f"two transforms of type {transform.type}")
        seen.add(transform.type)
        if transform.other_attributes or wire_key(transform) not in offers.get(transform.type, {}):
            raise _bad_answer(f"transform {transform.id} of type {transform.type} was not offered")
    for transform_type, transforms in offers.items():
        may_be_none = transform_type in MAY_BE_NONE and _NONE_KEY in transforms
        if transform_type not in seen and not may_be_none:
            raise _bad_answer(f"no transform of type {transform_type}")
    return got


def _bad_answer(what: str) -> NegotiationError:
    return NegotiationError(
        f"the responder's choice is not one of those offered: {what}", NotifyType.NO_PROPOSAL_CHOSEN
    )


def _shown(proposals: Sequence[Proposal]) -> str:
    """The first few proposals for a log, by their numbers."""
    rows = []
    for proposal in proposals[:4]:
        numbers = (
            f"{transform.type}/{transform.id}" + (f":{transform.key_length}" if transform.key_length else "")
            for transform in proposal.transforms[:16]
        )
        rows.append(f"#{proposal.number} protocol {proposal.protocol} " + " ".join(numbers))
    return "; ".join(rows)
