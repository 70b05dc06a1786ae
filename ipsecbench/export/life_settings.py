"""How long keys live, in the settings that a product has for it: its units, its ranges, its meaning of a life.

One rule for every product, in this order:

1. A setting is never longer than what was computed. Values are rounded down to the product's steps; where its largest
   value is below, the largest is taken (a shorter life is safe) and said so; where its smallest value is above, the
   connection is refused.
2. Octets or packets that the product has no setting for are left out only where something else ends the life first:
   the time, at the most that one SA carries here, or octets that are counted, since no packet has fewer than 20. Where
   nothing does, the time is shortened to that for products that count neither (the recommendation's "uncounted" lives,
   short enough for that rate). Where even that is too long, or no rate is known, the connection is refused.
3. Whatever was rounded by more than a step, shortened or left out is a note, which the targets write as a comment.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.export.connection import Life

KILOBYTE = 1024
"""Octets of a product's "kilobyte": where it means 1000, the life only becomes shorter."""
SMALLEST_PACKET_BYTES = 20
"""Octets of the smallest inner packet: an IPv4 header (RFC 791)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting for a limit."""

    minimum: int
    """Smallest value, in steps."""
    maximum: int
    """Largest value, in steps."""
    step: int = 1
    """Seconds, octets or packets in one step."""
    hard: bool = True
    """Whether the key ends at it (the product renews it before, by a margin of its own); it is renewed at it if not."""


@dataclass(frozen=True, slots=True)
class LifeSettings:
    """The settings of one product for one kind of SA."""

    product: str
    """For people, at the beginning of each line of refusal."""
    what: str
    """``IKE SA`` or ``Child SA``."""
    seconds: Setting
    """For time."""
    octets: Setting | None = None
    """For octets; None where there is none."""
    packets: Setting | None = None
    """For packets; None where there is none."""


@dataclass(frozen=True, slots=True)
class FittedLife:
    """A life as one product sets it."""

    seconds: int
    """Value of the setting for time, in its steps."""
    octets: int | None
    """Value of the setting for octets, in its steps; None where nothing is set."""
    packets: int | None
    """Value of the setting for packets, in its steps; None where nothing is set."""
    soft_seconds: int
    """When it is renewed at the latest, in seconds, for products that set both."""
    hard_seconds: int
    """When it ends, in seconds."""
    notes: tuple[str, ...]
    """What became shorter or was left out, for people."""
    refusals: tuple[str, ...]
    """Why it cannot be set; empty where it can."""


def fit_life(life: Life, settings: LifeSettings) -> FittedLife:
    """The values of a product's settings for a life; see the module's rule."""
    notes: list[str] = []
    refusals: list[str] = []
    soft, hard = _guard(life, settings, notes, refusals)
    wanted = hard if settings.seconds.hard else soft
    seconds = _value(wanted, settings.seconds, settings, "s", notes, refusals)
    soft = min(soft, seconds * settings.seconds.step)
    octets = packets = None
    if settings.octets is not None:
        limit = life.hard_bytes if settings.octets.hard else life.soft_bytes
        octets = None if limit is None else _value(limit, settings.octets, settings, "octets", notes, refusals)
    if settings.packets is not None:
        limit = life.hard_packets if settings.packets.hard else life.soft_packets
        packets = None if limit is None else _value(limit, settings.packets, settings, "packets", notes, refusals)
    return FittedLife(seconds, octets, packets, soft, hard, tuple(notes), tuple(refusals))


def _guard(life: Life, settings: LifeSettings, notes: list[str], refusals: list[str]) -> tuple[int, int]:
    """Soft and hard seconds, shortened where a limit without a setting would be passed before."""
    plain = life.soft_seconds, life.hard_seconds
    unset = _unset(life, settings)
    if not unset:
        return plain
    limits = " and ".join(f"{hard} {what}" for what, _, hard in unset)
    start = f"{settings.product} has no setting for the {settings.what}'s limit of {limits}"
    counted = life.hard_bytes if settings.octets is not None else None
    if counted is not None and all(counted <= SMALLEST_PACKET_BYTES * hard for _, _, hard in unset):
        notes.append(f"{start}: left out; the limit of {counted} octets ends the life before it")
        return plain
    if life.expected_seconds is None or life.uncounted_soft_seconds is None or life.uncounted_hard_seconds is None:
        refusals.append(f"{start}, and the predicted rate is not known, so that no time life stands in for it")
        return plain
    if life.expected_seconds >= life.soft_seconds:
        notes.append(f"{start}: left out; at the most that one SA carries here the time life ends before it")
        return plain
    reached = life.expected_seconds * min(hard / soft for _, soft, hard in unset)
    if life.uncounted_hard_seconds > reached + 1:
        refusals.append(
            f"{start}, which is reached in {reached:.3g} s at the most that one SA carries here; the policy's shortest "
            f"life is {life.uncounted_hard_seconds} s"
        )
        return plain
    notes.append(
        f"{start}: the time life is shortened from {life.hard_seconds} s to {life.uncounted_hard_seconds} s, which is "
        "too short for it at the most that one SA carries here"
    )
    return life.uncounted_soft_seconds, life.uncounted_hard_seconds


def _unset(life: Life, settings: LifeSettings) -> list[tuple[str, int, int]]:
    """The limits that there is no setting for: what they count, the soft and the hard one."""
    return [
        (what, soft, hard)
        for what, soft, hard, setting in (
            ("octets", life.soft_bytes, life.hard_bytes, settings.octets),
            ("packets", life.soft_packets, life.hard_packets, settings.packets),
        )
        if soft is not None and hard is not None and setting is None
    ]


def _value(
    wanted: int, setting: Setting, settings: LifeSettings, unit: str, notes: list[str], refusals: list[str]
) -> int:
    value = wanted // setting.step
    if value < setting.minimum:
        refusals.append(
            f"{settings.product} sets no life of the {settings.what} below {setting.minimum * setting.step} {unit}; "
            f"{wanted} {unit} are the most that is safe here"
        )
        return setting.minimum
    if value > setting.maximum:
        notes.append(
            f"{settings.product} sets no life of the {settings.what} above {setting.maximum * setting.step} {unit}: "
            f"that instead of {wanted} {unit}"
        )
        return setting.maximum
    return value
