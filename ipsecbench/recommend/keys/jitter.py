"""How rekeying is spread over time, in the terms of strongSwan and of libreswan.

swanctl.conf: a rekey starts ``rekey_time`` less a random part of ``rand_time`` after the SA, and ``rand_time`` is
``life_time - rekey_time`` if nothing is said. ipsec.conf of strongSwan and of libreswan say the same from the other
end: ``lifetime - (margintime + random(0 … margintime · rekeyfuzz))``.
"""

from __future__ import annotations

from ipsecbench.recommend.formats import seconds
from ipsecbench.recommend.keys.lives import Jitter, LifeConditions
from ipsecbench.recommend.reasons import Reason

_FUZZ_PERCENT = 100
"""``rekeyfuzz`` of strongSwan and of libreswan if nothing is said."""


def jitter(
    soft_seconds: int,
    hard_seconds: int,
    conditions: LifeConditions,
    peer_seconds: int | None,
    *,
    octets: tuple[int | None, int | None] = (None, None),
    packets: tuple[int | None, int | None] = (None, None),
) -> Jitter:
    """The spread that goes with a life.

    Args:
        soft_seconds: latest moment of a rekey.
        hard_seconds: end of the SA.
        conditions: what else is known of both ends.
        peer_seconds: the peer's life, if it is known.
        octets: soft and hard limit on octets.
        packets: soft and hard limit on packets.
    """
    rand = min(hard_seconds - soft_seconds, soft_seconds - 1)
    earliest = soft_seconds - rand
    margin = hard_seconds - soft_seconds
    chance = both_at_once(rand, conditions.round_trip_ms / 1e3)
    reasons = [
        Reason(
            f"A rekey starts at a random moment between {earliest} and {soft_seconds} s: rekey_time {soft_seconds} s "
            f"with rand_time {rand} s, or lifetime {hard_seconds} s with a margin of {margin} s and a fuzz of "
            f"{_FUZZ_PERCENT}%. Give the other end another life or another spread, or both rekey the same SA at once, "
            f"in about one of {max(1, round(1 / chance)) if chance else 'many'} rekeys.",
            ("ssdoc", "rfc7296"),
        )
    ]
    if (
        peer_seconds is not None
        and conditions.peer is not None
        and conditions.ike_version == 2
        and peer_seconds < hard_seconds
    ):
        reasons.append(
            Reason(
                f"{conditions.peer.name} ends its keys after {seconds(peer_seconds)}, before this end does: it "
                "rekeys first, and this life is not reached.",
                ("rfc7296",),
            )
        )
    return Jitter(
        rand_seconds=rand,
        earliest_seconds=earliest,
        latest_seconds=soft_seconds,
        margin_seconds=margin,
        fuzz_percent=_FUZZ_PERCENT,
        rand_bytes=_difference(octets),
        rand_packets=_difference(packets),
        both_at_once=chance,
        reasons=tuple(reasons),
    )


def both_at_once(rand_seconds: float, round_trip_seconds: float) -> float:
    """Chance that two moments, each drawn evenly from a span, are less than one round trip apart."""
    if rand_seconds <= 0:
        return 1.0
    share = min(1.0, round_trip_seconds / rand_seconds)
    return 2 * share - share**2


def mean_rekey_seconds(spread: Jitter, ends: int = 1) -> float:
    """When a rekey starts on average: in the middle of the span, or earlier where the first of both ends starts it."""
    return spread.latest_seconds - spread.rand_seconds * ends / (ends + 1)


def _difference(limits: tuple[int | None, int | None]) -> int | None:
    soft, hard = limits
    return None if soft is None or hard is None else hard - soft
