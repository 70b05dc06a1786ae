"""What a whole set-up costs beside its cryptography, from the rows of the tier ``handshake``.

They were measured with this program's own IKE stack, in Python. Messages, state machines and system calls hardly
depend on the transforms, so that the nearest set that was measured stands for the recommended one. No ranking rests on
these figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.algorithms.proposals import IkeProposal
from ipsecbench.bench.handshake import PSK, STACK_PROVIDER, Part, Role, parse_set
from ipsecbench.bench.measurement import Estimate, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.formats import microseconds
from ipsecbench.recommend.keys.handshake_cost import StackCost, StackPart
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.prediction.arithmetic import inverse, scaled, total
from ipsecbench.recommend.reasons import Reason

_OTHER = (Part.PARSING, Part.PROTOCOL, Part.IO)
_PROTOCOL = (Part.PROTECTION, *_OTHER)
"""What of a set-up is neither key exchange nor authentication nor PRF: messages, however they are protected."""
_MESSAGES = {1: 9, 2: 4}
"""Messages of a set-up by version: main mode and quick mode, or IKE_SA_INIT and IKE_AUTH."""
_MESSAGES_OF_ADDITIONAL = 2
"""IKE_INTERMEDIATE, for each additional key exchange (RFC 9242)."""
_TITLES: Mapping[Part, str] = {
    Part.KEY_EXCHANGE: "key exchange",
    Part.PRF: "PRF: keys, and authentication by pre-shared key",
    Part.AUTHENTICATION: "signatures and certificates",
    Part.PROTECTION: "encryption and integrity of the messages",
    Part.PARSING: "parsing of messages",
    Part.PROTOCOL: "building of messages, state machines",
    Part.IO: "datagrams through the kernel",
}

_Times = Mapping[tuple[Part, Role], Estimate]
"""Microseconds."""
_Distance = tuple[bool, bool, bool, bool, bool, bool, bool]


def stack_cost(dataset: Dataset, parameters: IkeParameters) -> StackCost | None:
    """The whole set-up that is nearest to a set of parameters; None where none of its version has both ends' rows."""
    nearest = _nearest(dataset, parameters, (Part.SETUP, *_OTHER))
    if nearest is None:
        return None
    distance, name, times = nearest
    return StackCost(
        measured_set=name,
        same_set=not any(distance),
        initiator_us=times[Part.SETUP, Role.INITIATOR],
        responder_us=times[Part.SETUP, Role.RESPONDER],
        initiator_other_us=total(times[part, Role.INITIATOR] for part in _OTHER),
        responder_other_us=total(times[part, Role.RESPONDER] for part in _OTHER),
        setups_per_second=inverse(times[Part.SETUP, Role.RESPONDER], 1e6),
        parts=tuple(
            StackPart(title, times.get((part, Role.INITIATOR)), times.get((part, Role.RESPONDER)))
            for part, title in _TITLES.items()
        ),
    )


@dataclass(frozen=True, slots=True)
class MessageCost:
    """What one message costs an end beside key exchange, authentication and PRF, with this program's own stack."""

    measured_set: str
    """The set that was measured."""
    initiator_us: Estimate
    """At the initiator, sent or received."""
    responder_us: Estimate
    """At the responder."""


def message_cost(dataset: Dataset, parameters: IkeParameters) -> MessageCost | None:
    """The cost of one message from the nearest whole set-up of the same version; None where none was measured."""
    nearest = _nearest(dataset, parameters, _PROTOCOL)
    if nearest is None:
        return None
    _, name, times = nearest
    parsed = parse_set(name)
    extra = 0 if parsed is None else len(parsed[1].additional_key_exchanges)
    messages = _MESSAGES[parameters.ike_version] + _MESSAGES_OF_ADDITIONAL * extra
    initiator, responder = (
        scaled(total(times[part, role] for part in _PROTOCOL), 1 / messages)
        for role in (Role.INITIATOR, Role.RESPONDER)
    )
    return MessageCost(name, initiator, responder)


def _nearest(
    dataset: Dataset, parameters: IkeParameters, parts: tuple[Part, ...]
) -> tuple[_Distance, str, _Times] | None:
    """The set nearest to the parameters that has figures for some parts at both ends."""
    names = {row.workload.algorithm for row in dataset.rows(tier=Tier.HANDSHAKE, provider=STACK_PROVIDER)}
    distances = ((_distance(name, parameters), name) for name in names)
    for distance, name in sorted((distance, name) for distance, name in distances if distance is not None):
        times = _times(dataset, name)
        if all((part, role) in times for part in parts for role in Role):
            return distance, name, times
    return None


def _times(dataset: Dataset, name: str) -> _Times:
    found = {}
    for part in Part:
        for role in Role:
            row = dataset.get(Workload(Tier.HANDSHAKE, STACK_PROVIDER, part.operation(role), name))
            if row is not None and row.ns_per_operation is not None:
                found[part, role] = scaled(row.ns_per_operation, 1e-3)
    return found


def _distance(name: str, choice: IkeParameters) -> _Distance | None:
    """How far a set is from a choice, what changes the messages most first; None for a set that says nothing about it.

    A signature or a pre-shared key decides whether certificates are sent; the key exchange, how long the first two
    messages are; the rest changes next to nothing.
    """
    parsed = parse_set(name)
    if parsed is None or parsed[0] != choice.ike_version:
        return None
    _, proposal, authentication = parsed
    return (
        (authentication == PSK) != (choice.authentication == PSK),
        _methods(proposal) != choice.additional_key_exchanges,
        proposal.key_exchange != (choice.key_exchange,),
        authentication != choice.authentication,
        proposal.encryption != (choice.encryption,),
        proposal.integrity != (() if choice.integrity is None else (choice.integrity,)),
        proposal.prf != (choice.prf,),
    )


def _methods(proposal: IkeProposal) -> tuple[str, ...]:
    return tuple(name for step in proposal.additional_key_exchanges for name in step[:1])


def stack_reason(cost: StackCost) -> Reason:
    """The figures in words, with what they are."""
    which = (
        "with the recommended parameters" if cost.same_set else f"with {cost.measured_set}, the nearest set measured"
    )
    share = cost.responder_other_us.median / cost.responder_us.median
    text = (
        f"A whole set-up took ipsecbench's own IKE stack {microseconds(cost.initiator_us)} at the initiator and "
        f"{microseconds(cost.responder_us)} at the responder, {which}; {share:.0%} of the responder's time went to "
        "messages, state machines and system calls (tier handshake). That stack is in Python and not a daemon in C: "
        "the figures show that cryptography is not all of a set-up, and bound it from above."
    )
    return Reason(text, ("rfc7296",))
