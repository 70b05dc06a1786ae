"""What else could have been chosen, as data: the second choices, the steps of a trade-off, what changes the answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The second choice in each phase; None where there is none."""

    suite: str | None
    """ESP suite, with everything else as it was chosen."""
    suite_chance: float | None
    """The chance that the chosen suite costs less by the objective; None where the two were not compared."""
    ike_proposal: str | None
    """IKE proposal with the next key exchange method, as strongSwan spells it."""
