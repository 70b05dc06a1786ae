"""Extended sequence numbers: whether they are needed at this box's rate, and whether they are used."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.errors import PolicyError
from ipsecbench.recommend.formats import seconds
from ipsecbench.recommend.keys.lifetimes import SaRate
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason

HALF_SPACE_PACKETS = 2**31
"""Half of the 32-bit sequence numbers: a life that may use more of them has no room left for a rekey that is late."""


@dataclass(frozen=True, slots=True)
class EsnChoice:
    """Whether sequence numbers have 64 bits, and why."""

    esn: bool
    """Whether they have."""
    needed: bool
    """Whether the traffic could use up half of the 32-bit numbers within the life that the policy gives."""
    packets_in_life: float
    """Packets of the wanted traffic that one SA can carry in that life."""
    reasons: tuple[Reason, ...]
    """Why."""
    warnings: tuple[Reason, ...]
    """What the choice has against it."""


def choose_esn(policy: Policy, peer: Peer | None, ike_version: int, sa_rate: SaRate, hard_seconds: int) -> EsnChoice:
    """Choose between 64-bit and 32-bit sequence numbers.

    Args:
        policy: requires them, prefers them, or has them off.
        peer: may not have them.
        ike_version: IKEv1 has an attribute for them (RFC 4304) that few know; it takes a peer of which it is known.
        sa_rate: the most that one SA carries.
        hard_seconds: the longest life that the policy would give without them.

    Raises:
        PolicyError: the policy requires what the peer does not have.
    """
    setting = policy.settings["extended_sequence_numbers"]
    packets = sa_rate.packets_per_second * hard_seconds
    worst = sa_rate.smallest_packets_per_second * hard_seconds
    needed = packets > HALF_SPACE_PACKETS
    has = None if peer is None else peer.esn
    name = "the other end" if peer is None else peer.name
    if setting.value == "required" and has is False:
        raise PolicyError(
            f"policy {policy.label} requires extended sequence numbers and {name} does not have them: use another "
            "policy or another peer"
        )
    offered = has is True or (has is None and ike_version == 2)
    esn = setting.value == "required" or (setting.value == "prefer" and offered)
    reasons = [setting.reason, _need(needed, packets, worst, hard_seconds)]
    if setting.value == "prefer" and not offered:
        reasons.append(_why_not(has, name))
    return EsnChoice(esn, needed, packets, tuple(reasons), () if esn or not needed else (_warning(sa_rate),))


def _need(needed: bool, packets: float, worst: float, hard_seconds: int) -> Reason:
    life = seconds(hard_seconds)
    share = packets / 2**32
    if needed:
        text = f"Needed: {life} at this box's rate are {share:.1f} times the 2^32 packets that 32-bit numbers count."
    elif worst > HALF_SPACE_PACKETS:
        text = (
            f"Not needed for this traffic, of which {life} use {share:.0%} of the 32-bit numbers; small packets alone "
            f"would use {worst / 2**32:.1f} times as many as there are."
        )
    else:
        text = (
            f"Not needed at this rate: {life} use {share:.1%} of the 32-bit numbers, and small packets alone no half."
        )
    return Reason(text, ("rfc4303",))


def _why_not(has: bool | None, name: str) -> Reason:
    if has is False:
        return Reason(f"{name} has no extended sequence numbers.")
    return Reason(
        "With IKEv1 extended sequence numbers need an attribute that few implementations know (RFC 4304); it is not "
        "known of this peer.",
        ("rfc4303",),
    )


def _warning(sa_rate: SaRate) -> Reason:
    lasts = seconds(HALF_SPACE_PACKETS / sa_rate.packets_per_second)
    text = (
        f"32-bit sequence numbers are half used up after {lasts} at this box's rate, and an SA that has used them all "
        "stops: the lives below keep to that, and a peer's longer ones do not."
    )
    return Reason(text, ("rfc4303",))
