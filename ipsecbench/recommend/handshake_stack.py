"""What a whole set-up costs beside its cryptography, from the rows of the tier ``handshake``.

They were measured with this program's own IKE stack, in Python. Messages, state machines and system calls hardly
depend on the transforms, so that the nearest set that was measured stands for the recommended one. No ranking rests on
these figures.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipsecbench.bench.handshake import PSK, STACK_PROVIDER, Part, Role, parse_set
from ipsecbench.bench.measurement import Estimate, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.arithmetic import inverse, scaled, total
from ipsecbench.recommend.formats import microseconds
from ipsecbench.recommend.handshake_cost import StackCost, StackPart
from ipsecbench.recommend.phase1 import Phase1Choice
from ipsecbench.recommend.reasons import Reason

_VERSION = 2
"""IKEv1 is never recommended, and its messages are others."""
_OTHER = (Part.PARSING, Part.PROTOCOL, Part.IO)
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


def stack_cost(dataset: Dataset, choice: Phase1Choice) -> StackCost | None:
    """The whole set-up that is nearest to a choice of phase 1; None where no IKEv2 set was measured at both ends."""
    names = {row.workload.algorithm for row in dataset.rows(tier=Tier.HANDSHAKE, provider=STACK_PROVIDER)}
    found: list[tuple[_Distance, str, _Times]] = []
    for name in names:
        distance, times = _distance(name, choice), _times(dataset, name)
        if distance is not None and all((part, role) in times for part in (Part.SETUP, *_OTHER) for role in Role):
            found.append((distance, name, times))
    if not found:
        return None
    distance, name, times = min(found, key=lambda row: row[:2])
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


def _times(dataset: Dataset, name: str) -> _Times:
    found = {}
    for part in Part:
        for role in Role:
            row = dataset.get(Workload(Tier.HANDSHAKE, STACK_PROVIDER, part.operation(role), name))
            if row is not None and row.ns_per_operation is not None:
                found[part, role] = scaled(row.ns_per_operation, 1e-3)
    return found


def _distance(name: str, choice: Phase1Choice) -> _Distance | None:
    """How far a set is from a choice, what changes the messages most first; None for a set that says nothing about it.

    A signature or a pre-shared key decides whether certificates are sent; the key exchange, how long the first two
    messages are; the rest changes next to nothing.
    """
    parsed = parse_set(name)
    if parsed is None or parsed[0] != _VERSION:
        return None
    _, proposal, authentication = parsed
    return (
        (authentication == PSK) != (choice.authentication == PSK),
        bool(proposal.additional_key_exchanges),
        proposal.key_exchange != (choice.key_exchange,),
        authentication != choice.authentication,
        proposal.encryption != (choice.encryption,),
        proposal.integrity != (() if choice.integrity is None else (choice.integrity,)),
        proposal.prf != (choice.prf,),
    )


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
