"""The anti-replay window: as wide as packets of one SA may overtake each other here."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ipsecbench.recommend.keys.lifetimes import SaRate
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.records import Requirements

LEAST_PACKETS = 64
"""The default that RFC 4303 section 3.4.3 asks for."""
BATCH_PACKETS = 64
"""Packets that a Linux receive queue hands on in one poll (NAPI): by so many may one queue get ahead of another."""
WIDELY_HELD_PACKETS = 2040
"""What Linux and most BSDs hold at least (libreswan's ipsec.conf, ``replay-window``)."""


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """The anti-replay window and where it comes from."""

    packets: int
    """The window: a power of two."""
    path_packets: int
    """What the path's reordering needs at the most that one SA carries."""
    queue_packets: int
    """What several cores or receive queues of this box need."""
    memory_bytes: int
    """Of the bitmap of each inbound SA."""
    reasons: tuple[Reason, ...]
    """Why."""
    warnings: tuple[Reason, ...]
    """What some products do not hold."""


def choose_window(policy: Policy, wanted: Requirements, sa_rate: SaRate) -> WindowChoice:
    """The least power of two that holds what the policy, the path and the box's queues ask for."""
    path = ceil(sa_rate.packets_per_second * wanted.reordering_ms / 1e3)
    cores = wanted.cores or 1
    queues = BATCH_PACKETS * (cores - 1)
    setting = policy.settings["replay_window_packets"]
    needed = path + queues
    least = max(LEAST_PACKETS, int(setting.value), needed)
    packets = 1 << (least - 1).bit_length()
    return WindowChoice(
        packets=packets,
        path_packets=path,
        queue_packets=queues,
        memory_bytes=packets // 8,
        reasons=(setting.reason, _derived(packets, int(setting.value), path, queues, cores, wanted, sa_rate)),
        warnings=_too_wide(packets),
    )


def _derived(
    packets: int, policy_packets: int, path: int, queues: int, cores: int, wanted: Requirements, sa_rate: SaRate
) -> Reason:
    parts = [f"the default of {LEAST_PACKETS} that RFC 4303 asks for", f"the policy's {policy_packets}"]
    if path:
        parts.append(
            f"{path} packets that overtake one which is {wanted.reordering_ms:g} ms late at "
            f"{sa_rate.packets_per_second:.0f} packets a second"
        )
    if queues:
        parts.append(
            f"{queues} from {cores} cores, each of which takes {BATCH_PACKETS} packets at a time from its queue"
        )
    text = (
        f"A window of {packets} packets covers {', and '.join(parts)}. It costs {packets // 8} octets for each inbound "
        "SA; checking a packet takes the same time at any width."
    )
    return Reason(text, ("rfc4303", "lsw"))


def _too_wide(packets: int) -> tuple[Reason, ...]:
    if packets <= WIDELY_HELD_PACKETS:
        return ()
    text = (
        f"A window of {packets} packets is more than many products hold: Linux and most BSDs hold at least "
        f"{WIDELY_HELD_PACKETS}. Where it cannot be set, late packets are dropped as replays."
    )
    return (Reason(text, ("lsw",)),)
