"""What is compared with what, and what comes of it: pure functions of a recommendation and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipsecbench.bench.measurement import Estimate
from ipsecbench.export.connection import Connection, Life
from ipsecbench.ike.lifetime import Lifetime
from ipsecbench.lab.plane_cost import DIRECTIONS
from ipsecbench.lab.trials.proof_bed import HeldSet
from ipsecbench.lab.trials.proof_trial import Carried
from ipsecbench.proof.records import Difference, DirectionProof, Outcome, SetProof, SetUpProof
from ipsecbench.recommend.keys.handshake_cost import HandshakeCost
from ipsecbench.recommend.prediction.predictions import Prediction
from ipsecbench.recommend.requirements.records import Requirements

UNSTABLE_HALF_WIDTH = 0.05
"""Relative half width of a measured rate's 95% interval above which it proves nothing."""
NOTABLE_CHANGE = 0.05
"""Relative change of a packet loop's speed since the dataset from which on the box counts as another."""
_KILOBYTE = 1024
_SET_UP_SECONDS = 60.0
"""How old an SA may be when it is looked at."""

PROVES_NOT = (
    "the kernel's own IPsec or a product's data plane: the laboratory's is a program over a TUN device",
    "a network: both ends are on this box, with a virtual link between them and no card, switch or loss",
    "any other box, several cores, many flows or many tunnels at once, nor what happens when keys have lived for hours",
)


def differences(connection: Connection, held: HeldSet, *, rekeyed: bool) -> tuple[Difference, ...]:
    """What an end holds otherwise than the connection says.

    Args:
        connection: the recommended one, as that end sees it.
        held: what the end says.
        rekeyed: whether its Child SA has replaced another. The first one of IKEv2 takes its keys from the IKE SA's
            exchange and has none of its own (RFC 7296 section 1.2).
    """
    esp = connection.esp
    layering = connection.mode if connection.tunnel_protocol is not None else "none"
    own = () if esp.key_exchange is None else (esp.key_exchange, *esp.additional_key_exchanges)
    exchanges = own if rekeyed or connection.ike_version == 1 else ()
    pairs: list[tuple[str, object, object]] = [
        ("IKE version", connection.ike_version, held.ike_version),
        ("IKE proposal", connection.ike.proposal, held.ike_proposal),
        ("authentication", "psk" if connection.uses_psk else "pubkey", held.authentication),
        ("identity of the other end", connection.peer.identity, held.remote_identity),
        ("ESP encryption", esp.encryption, held.encryption),
        ("ESP integrity", esp.integrity, held.integrity),
        ("extended sequence numbers", esp.esn, held.esn),
        ("key exchange of the Child SA", "-".join(exchanges) or "none", "-".join(held.key_exchanges) or "none"),
        ("mode", connection.esp_mode, held.mode),
        ("layering", layering, held.layering),
        ("ESP in UDP", connection.nat_traversal, held.udp_encapsulation),
        ("anti-replay window", connection.replay_window_packets, held.replay_window_packets),
        ("IKE SA's life", _ike_life(connection.ike_life), _held_ike_life(held.ike_life)),
        ("Child SA's last octet", _last_octet(connection), _whole(held.child_hard_bytes)),
        ("Child SA's last packet", connection.child_life.hard_packets, _whole(held.child_hard_packets)),
    ]
    found = [Difference(held.end, what, str(one), str(other)) for what, one, other in pairs if one != other]
    return (*found, *_child_time(connection.child_life, held))


def _ike_life(life: Life) -> tuple[int, int]:
    return life.soft_seconds, life.hard_seconds


def _held_ike_life(lifetime: Lifetime) -> tuple[int, int] | None:
    limit = lifetime.seconds
    return None if limit is None else (round(limit.rekey), round(limit.life))


def _last_octet(connection: Connection) -> int | None:
    """IKEv1 negotiates lives in octets by the kilobyte of 1024 octets (RFC 2407 section 4.5)."""
    octets = connection.child_life.hard_bytes
    return octets if octets is None or connection.ike_version == 2 else octets // _KILOBYTE * _KILOBYTE


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _child_time(life: Life, held: HeldSet) -> tuple[Difference, ...]:
    """A rekeying comes at random within the life's spread, so that only its bounds can be held against it."""
    wanted = (
        f"rekeyed {life.hard_seconds - life.soft_seconds} to {_spread(life)} s before its end at {life.hard_seconds} s"
    )
    left, between = held.child_seconds_left, held.child_seconds_between
    if left is None or between is None:
        return (Difference(held.end, "Child SA's life", wanted, "no end"),)
    on_time = life.hard_seconds - _SET_UP_SECONDS <= left <= life.hard_seconds
    if on_time and life.hard_seconds - life.soft_seconds - 0.001 <= between <= _spread(life) + 0.001:
        return ()
    return (Difference(held.end, "Child SA's life", wanted, f"rekeyed {between:.0f} s before its end in {left:.0f} s"),)


def _spread(life: Life) -> int:
    return life.hard_seconds - life.soft_seconds + life.rand_seconds


def pfs_text(connection: Connection, held: HeldSet) -> str:
    """What the rekeying did about perfect forward secrecy, for people."""
    if held.key_exchanges:
        return f"rekeyed with a key exchange of its own ({' and '.join(held.key_exchanges)}): perfect forward secrecy"
    asked = "as recommended" if connection.esp.key_exchange is None else "although it was asked for"
    return f"rekeyed without a key exchange, {asked}: no perfect forward secrecy"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What predicted and measured are compared by."""

    prediction: Prediction | None
    """Of the laboratory's data plane; None where there is none."""
    compared: Carried
    """Measured with ESP travelling as in the evidence of the prediction."""
    loops_then: Mapping[str, Estimate]
    """Nanoseconds of the suite's packet loop in the dataset, by direction."""


def directions(comparison: Comparison, as_negotiated: Mapping[str, Estimate]) -> tuple[DirectionProof, ...]:
    """Each direction: predicted against measured.

    Args:
        comparison: by what.
        as_negotiated: Mbit/s by direction, with ESP travelling as the set says.
    """
    prediction, compared = comparison.prediction, comparison.compared
    found = []
    for direction in DIRECTIONS:
        rate = compared.rates[direction]
        predicted = None if prediction is None else _of(prediction, direction)
        error = None if predicted is None else rate.median / predicted.median - 1
        inside = None if predicted is None else predicted.lower <= rate.median <= predicted.upper
        now, then = compared.loops_ns.get(direction), comparison.loops_then.get(direction)
        change = None if now is None or then is None else then.median / now.median - 1
        found.append(DirectionProof(direction, predicted, rate, error, inside, as_negotiated[direction], change))
    return tuple(found)


def _of(prediction: Prediction, direction: str) -> Estimate:
    outbound = direction == "outbound"
    return prediction.outbound_mbit_per_second if outbound else prediction.inbound_mbit_per_second


def carried_of_goal(wanted: Requirements, rates: Mapping[str, Estimate]) -> float:
    """Mbit/s of what the goal counts: the slower direction, or where one core does both the sum in their parts."""
    outbound, inbound = (rates[direction].median for direction in DIRECTIONS)
    share = wanted.outbound_share
    if share is None:
        return min(outbound, inbound)
    return 1 / (share / outbound + (1 - share) / inbound)


def set_up(cost: HandshakeCost, measured_ms: Estimate) -> SetUpProof:
    """A whole set-up where one was measured with this program's own stack, its cryptography alone otherwise."""
    stack = cost.stack
    if stack is None:
        predicted = _sum_ms(cost.initiator_us, cost.responder_us)
        return SetUpProof(predicted, "cryptography of both ends alone, a lower bound", False, measured_ms)
    kind = "this set" if stack.same_set else f"the nearest that was measured, {stack.measured_set}"
    predicted = _sum_ms(stack.initiator_us, stack.responder_us)
    return SetUpProof(predicted, f"whole set-up, both ends: {kind}", True, measured_ms)


def _sum_ms(one: Estimate, other: Estimate) -> Estimate:
    return Estimate((one.median + other.median) / 1e3, (one.lower + other.lower) / 1e3, (one.upper + other.upper) / 1e3)


def judge(sets: Sequence[SetProof], *, goal_open: bool) -> tuple[Outcome, str]:
    """What comes of the sets, the recommended one first: the exit code and the verdict in one line.

    The recommended set alone is held to its interval and to the goal: of four intervals that hold 90% of cases each,
    one would be missed in a third of all runs although nothing is wrong.

    Args:
        sets: what was run.
        goal_open: whether there is a goal that one core's rate cannot settle and that is not sure to be met either.
    """
    first = sets[0]
    wrong = [each for each in sets if each.skipped is None and not each.exact]
    if wrong:
        parts = [f"the {each.name} set {_what_is_wrong(each)}" for each in wrong]
        return Outcome.NOT_MET, f"NOT PROVEN: {'; '.join(parts)}"
    if first.skipped is not None:
        return Outcome.NOT_RUN, f"NOT RUN: {first.skipped}"
    if first.unmeasured is not None:
        return Outcome.UNSTABLE, f"NOT MEASURED: negotiated exactly, but its traffic was not: {first.unmeasured}"
    if first.meets_goal is False:
        return Outcome.NOT_MET, (
            f"GOAL MISSED: one core carries {first.carried_mbit_per_second:.0f} of the "
            f"{first.wanted_mbit_per_second:.0f} Mbit/s that the goal asks of it"
        )
    if first.outside:
        words = "; ".join(_outside_words(each) for each in first.outside)
        return Outcome.UNSTABLE, f"OUTSIDE THE STATED 90% INTERVAL: {words}"
    noisy = [each.direction for each in first.directions if each.measured.relative_half_width > UNSTABLE_HALF_WIDTH]
    if noisy:
        return Outcome.UNSTABLE, (
            f"UNSTABLE: {' and '.join(noisy)} could not be measured to {UNSTABLE_HALF_WIDTH:.0%}; "
            "try again on a quiet box"
        )
    if goal_open:
        return Outcome.NOT_MET, (
            "GOAL OPEN: the set was negotiated exactly, and the goal needs several cores, which the laboratory does "
            "not load and the prediction is not sure of"
        )
    return Outcome.PROVEN, _proven(first)


def _what_is_wrong(each: SetProof) -> str:
    if each.failure is not None:
        return f"was not set up ({each.failure})"
    first = each.differences[0]
    more = f", and {len(each.differences) - 1} more" if len(each.differences) > 1 else ""
    return f"differs: {first.what} is {first.held} at the {first.end} end, not {first.wanted}{more}"


def _outside_words(each: DirectionProof) -> str:
    if each.predicted is None:
        return each.direction
    bound = each.predicted
    words = (
        f"{each.direction} {each.measured.median:.0f} Mbit/s, predicted {bound.median:.0f} "
        f"[{bound.lower:.0f}–{bound.upper:.0f}]"
    )
    change, error = each.box_change, each.error
    # One that goes the other way explains nothing.
    if change is None or error is None or abs(change) < NOTABLE_CHANGE or (change > 0) != (error > 0):
        return words
    return f"{words} (the same packet loop runs {change:+.0%} against the dataset: the box is not as it was)"


def _proven(first: SetProof) -> str:
    goal = "; one core carries what the goal asks of it" if first.meets_goal else ""
    if any(each.inside is None for each in first.directions):
        return (
            f"NEGOTIATED EXACTLY; its rate was measured, and no prediction of this data plane to compare it with{goal}"
        )
    errors = " and ".join(f"{each.direction} {each.error:+.1%}" for each in first.directions)
    return f"PROVEN on this box: negotiated exactly, and carried within the stated interval ({errors}){goal}"
