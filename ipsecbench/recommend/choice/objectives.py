"""What is compared under each objective: one figure for an ESP suite, one for a key exchange, one for a signature.

Less is better everywhere. Where two boxes are chosen for, a figure is that of the worse end (max-min): what the slower
one cannot do, the pair cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from ipsecbench.algorithms.limits import SEQUENCE_NUMBER_PACKETS, packets_per_key
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws, larger
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.choice.ends import End, Ends, Pair
from ipsecbench.recommend.keys.lifetimes import payload_bytes
from ipsecbench.recommend.prediction.arithmetic import total
from ipsecbench.recommend.prediction.predictions import Prediction
from ipsecbench.recommend.reasons import Reason, Rule
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

_BOTH_ALIKE = 0.5


_SUFFICIENT = "Every part has at least the target strength, and IKE's cipher is no weaker than phase 2's"
_RULES = {
    Objective.BALANCED: Rule(
        Reason(
            f"Phase 1 for security: {_SUFFICIENT}. More bits buy nothing against an attacker who cannot break the "
            "target, so among what suffices the cheapest key exchange and signature are chosen: what a set-up costs "
            "is what a flood of them costs, and how long a reboot lasts.",
            ("nist57", "nist77"),
        ),
        Reason(
            "Phase 2 for speed: the suite that carries the most; with a goal, the strongest that is sure to reach it."
        ),
    ),
    Objective.THROUGHPUT: Rule(
        Reason("Phase 1 at the least cost that the policy allows: the cheapest key exchange and signature."),
        Reason("The suite that carries the most, whether or not a stronger one would reach the goal too."),
    ),
    Objective.CPU: Rule(
        Reason("The key exchange and signature that take the least processor time at the box's dearer role."),
        Reason(
            "The suite that takes the least processor time for the wanted traffic in both directions, the rekeys that "
            "its limits on octets and packets force included."
        ),
    ),
    Objective.LATENCY: Rule(
        Reason(
            "The key exchange and signature with the least time from the first message to the last, both ends summed."
        ),
        Reason("The suite with which one packet takes the least time, to be protected here and unprotected there."),
    ),
    Objective.SECURITY: Rule(
        Reason(
            "The strongest key exchange and signature that the policy allows and that were measured, the rest to match."
        ),
        Reason("The strongest suite; with a goal, the strongest one that is sure to reach it."),
    ),
}


def rule(objective: Objective) -> Rule:
    """What an objective chooses by, in words."""
    return _RULES[objective]


@dataclass(frozen=True, slots=True)
class Costed:
    """A figure to choose by, with what is shown of it."""

    draws: Draws
    """What is compared."""
    shown: Estimate
    """What is said."""
    end: End
    """The end that decides it: the worse one."""


def packet_cost(wanted: Requirements, ends: Ends, predictions: tuple[Prediction, ...], suite: str) -> Draws:
    """What a suite is compared by: nanoseconds for one packet of the wanted traffic.

    Args:
        wanted: objective and direction mix.
        ends: the boxes.
        predictions: what each of them carries with the suite.
        suite: the ESP suite.
    """
    pairs = [end.packet_ns(prediction, suite) for end, prediction in zip(ends, predictions, strict=True)]
    if wanted.objective is Objective.LATENCY:
        # A packet is protected at one end and unprotected at the other; the worse direction counts.
        first, last = pairs[0], pairs[-1]
        return larger(first[0] + last[1], last[0] + first[1])
    share = wanted.outbound_share
    if share is None and wanted.objective is Objective.CPU:
        share = _BOTH_ALIKE
    return reduce(
        larger, (_packet_at_one_end(pair, share, at_peer=end.remote) for pair, end in zip(pairs, ends, strict=True))
    )


def _packet_at_one_end(pair: Pair, outbound_share: float | None, *, at_peer: bool) -> Draws:
    """The slower direction, or both in their shares; what leaves here arrives there."""
    outbound, inbound = pair
    if outbound_share is None:
        return larger(outbound, inbound)
    share = 1 - outbound_share if at_peer else outbound_share
    return outbound * share + inbound * (1 - share)


def forced_rekeys_ns(
    suite: str, traffic: Traffic, exchange_us: float, *, esn: bool, outbound_share: float | None = None
) -> float:
    """What the rekeys that a suite's limits on octets and packets force add to a packet, in nanoseconds.

    Rekeys by time are as many for every suite, and decide nothing between two.

    Args:
        suite: the ESP suite.
        traffic: the packets.
        exchange_us: microseconds of a key exchange at the end that it is for.
        esn: whether sequence numbers have 64 bits; without, they run out after 2^32 packets.
        outbound_share: share of the traffic that leaves; None: half. The busier direction reaches its limit first, and
            one exchange renews the keys of both.
    """
    caps = [packets_per_key(esp_suites()[suite].encryption, payload_bytes(traffic))]
    caps += [] if esn else [SEQUENCE_NUMBER_PACKETS]
    packets = min((cap for cap in caps if cap is not None), default=None)
    share = _BOTH_ALIKE if outbound_share is None else outbound_share
    return 0.0 if packets is None else exchange_us * 1e3 * max(share, 1 - share) / packets


def exchange_cost(wanted: Requirements, ends: Ends, name: str) -> Costed | None:
    """Microseconds of a key exchange method; None where an end has no figure."""
    shown = exchange_shown(wanted, ends, name)
    if shown is None:
        return None
    each = [end.exchange_us(name) for end in ends]
    dearest = [larger(*pair) for pair in each]
    if wanted.objective is Objective.LATENCY:
        (initiator, responder), (other_initiator, other_responder) = each[0], each[-1]
        drawn = larger(initiator + other_responder, other_initiator + responder)
    else:
        drawn = reduce(larger, dearest)
    return Costed(drawn, shown, _dearer(ends, dearest))


def exchange_shown(wanted: Requirements, ends: Ends, name: str) -> Estimate | None:
    """The same figure as it is said, without draws."""
    known = [cost for end in ends if (cost := end.exchange(name)) is not None]
    if len(known) < len(ends):
        return None
    if wanted.objective is Objective.LATENCY:
        one = total((known[0].initiator_us, known[-1].responder_us))
        return max(one, total((known[-1].initiator_us, known[0].responder_us)), key=_median)
    return max((cost.dearer_us for cost in known), key=_median)


def signature_cost(wanted: Requirements, ends: Ends, name: str) -> Costed | None:
    """Microseconds to sign and to verify; None where an end has no figure."""
    shown = signature_shown(wanted, ends, name)
    if shown is None:
        return None
    each = [sign + verify for sign, verify in (end.signature_us(name) for end in ends)]
    # For latency one end signs and the other verifies, and then the other way round.
    drawn = each[0] + each[-1] if wanted.objective is Objective.LATENCY else reduce(larger, each)
    return Costed(drawn, shown, _dearer(ends, each))


def signature_shown(wanted: Requirements, ends: Ends, name: str) -> Estimate | None:
    """The same figure as it is said, without draws."""
    known = [cost for end in ends if (cost := end.signature(name)) is not None]
    if len(known) < len(ends):
        return None
    if wanted.objective is Objective.LATENCY:
        return total((known[0], known[-1]))
    return max(known, key=_median)


def _dearer(ends: Ends, costs: list[Draws]) -> End:
    return max(zip(ends, costs, strict=True), key=lambda pair: pair[1].value)[0]


def _median(value: Estimate) -> float:
    return value.median
