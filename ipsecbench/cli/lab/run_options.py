"""The options of ``ipsecbench lab run``, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipsecbench.bench.scheduler import Pace

QUICK_BUDGET_SECONDS = 35.0
DEFAULT_BUDGET_SECONDS = 200.0
_PRECISION = 0.02
_LOOP_SAMPLE_NS = 4_000_000
"""Of a packet loop: about as long as a burst, so that neither takes most of the time."""
_LONGEST_BUDGET_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options, as the user gave them."""

    quick: bool
    suites: tuple[str, ...]
    sizes: tuple[str, ...]
    library: str
    raw: bool
    budget: float | None
    seed: int
    label: str | None
    redact: bool
    output: Path | None
    force: bool
    quiet: bool
    known: Path | None
    strongswan: bool

    def pace(self) -> Pace:
        """How long and how precisely to measure.

        Raises:
            UsageError: the budget is out of range.
        """
        from ipsecbench.bench.scheduler import Pace
        from ipsecbench.errors import UsageError

        budget = (
            self.budget if self.budget is not None else QUICK_BUDGET_SECONDS if self.quick else DEFAULT_BUDGET_SECONDS
        )
        if not 1 <= budget <= _LONGEST_BUDGET_SECONDS:
            raise UsageError(f"--budget: {budget:g} is outside 1 to {_LONGEST_BUDGET_SECONDS:g} seconds")
        return Pace(
            _PRECISION,
            budget,
            minimum_rounds=5 if self.quick else 9,
            maximum_rounds=24,
            seed=self.seed,
            longest_sample_ns=_LOOP_SAMPLE_NS,
        )
