"""What else could have been chosen, as data: the second choices, the steps of a trade-off, what changes the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.bench.measurement import Estimate


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The second choice in each phase; None where there is none."""

    suite: str | None
    """ESP suite, with everything else as it was chosen."""
    suite_chance: float | None
    """The chance that the chosen suite costs less by the objective; None where the two were not compared."""
    ike_proposal: str | None
    """IKE proposal with the next key exchange method, as strongSwan spells it."""


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One step of the trade-off between strength, traffic and set-ups: nothing allowed is better in all three."""

    strength_bits: int
    """The weakest of suite, key exchange and authentication."""
    suite: str
    """ESP suite: the one that carries the most of those that are so strong."""
    key_exchange: str
    """Key exchange method: the cheapest of those that are so strong."""
    authentication: str
    """Authentication method, likewise."""
    mbit_per_second: Estimate
    """What the box carries with the tunnels that were asked for; of the end that carries less, where there are two."""
    setups_per_second: Estimate
    """Set-ups per second of one core of a responder, were there nothing but cryptography."""
    traffic_lost_percent: Estimate | None
    """What the step costs of the traffic of the step before; None for the first."""
    setups_lost_percent: Estimate | None
    """What the step costs of the set-ups of the step before; None for the first."""
    chosen: bool
    """Whether this is what is recommended."""
    text: str
    """For people."""


class Lever(StrEnum):
    """What could be otherwise."""

    LINE_RATE = "line rate"
    """The goal."""
    PACKET_SIZE = "packet size"
    """The traffic."""
    CORES = "cores"
    """How many processors carry the traffic."""
    STRENGTH = "strength"
    """What is asked of every part."""
    AES_INSTRUCTIONS = "AES instructions"
    """Whether the processor has them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changes the answer, and where: found by choosing again."""

    lever: Lever
    """What is changed."""
    threshold: float | None
    """The last value for which ``below`` holds; None where the answer never changes, or the value is not known."""
    unit: str
    """Of the threshold."""
    below: str
    """The answer up to the threshold: ESP suite and IKE proposal."""
    above: str | None
    """The answer beyond it; None where there is none, or nothing can be recommended."""
    known: bool
    """Whether it follows from what was measured; False where the text says what has to be measured."""
    text: str
    """For people."""
