"""Thresholds that a change must not cross, such as that of a router's firmware: ``esp.aes128gcm16@imix:-5%``.

A gate fails by what was measured, never by noise: plainly written it fails where a loss of more than so much was
proven, that is, where the whole 95% interval of a ratio lies below. With ``!`` it is the other way round, and fails
unless it was proven that no more is lost. In both forms it fails where the box lost an algorithm that the baseline has,
and one that nothing can be held against is a mistake and never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipsecbench.bench.measurement import Measurement, Status, Workload
from ipsecbench.comparison.compare import SAME_SAMPLES
from ipsecbench.comparison.model import Box, BoxComparison, Ratio
from ipsecbench.comparison.selectors import GRAMMAR, Selector, parse_selector
from ipsecbench.errors import UsageError

_FORM = re.compile(r"(?P<selector>.+):(?P<loss>[-+−]?[0-9]{1,3}(?:\.[0-9]{1,4})?)%(?P<strict>!?)")
_LOST = (Status.UNSUPPORTED, Status.FAILED)
_OPTION = "--fail-if"


@dataclass(frozen=True, slots=True)
class Gate:
    """How much rows may lose."""

    text: str
    """As it was written."""
    selector: Selector
    """Which rows."""
    least: float
    """The smallest ratio of rates that is let pass: 0.95 for ``-5%``."""
    is_strict: bool
    """Whether a pass must be proven, and not a failure."""

    def fails(self, ratio: Ratio) -> bool:
        """Whether a ratio crosses the threshold."""
        return (ratio.speed.lower if self.is_strict else ratio.speed.upper) < self.least


@dataclass(frozen=True, slots=True)
class GateResult:
    """What became of a gate on one box."""

    gate: Gate
    """The gate."""
    box: Box
    """The box."""
    held: tuple[Ratio, ...]
    """Ratios that it was held against."""
    failing: tuple[Ratio, ...]
    """Those of them that crossed it, the worst first."""
    lost: tuple[Measurement, ...]
    """Rows of the box that say why it has no figure where the baseline has one."""
    missing: int
    """Rows of the baseline besides that have no counterpart: not planned, skipped, or refused."""

    @property
    def is_vacuous(self) -> bool:
        """Whether nothing was held against it, or a measurement against itself only, so that it says nothing."""
        return not self.lost and all(SAME_SAMPLES in ratio.doubts for ratio in self.held)

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return bool(self.failing or self.lost)


def parse_gate(text: str) -> Gate:
    """A gate as it is written on the command line.

    Raises:
        UsageError: it is none; the message says how one is written.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{_OPTION} {text!r}: not {GRAMMAR}:-N%[!], such as 'esp.aes128gcm16@imix:-5%' (fail if a loss of more "
            "than 5% is proven) or 'esp.*:-5%!' (fail unless it is proven that no more is lost)"
        )
    loss = found["loss"].replace("−", "-")
    if not loss.startswith("-") or float(loss) <= -100:
        raise UsageError(f"{_OPTION} {text!r}: write the loss that is still let pass as -N%, N below 100")
    return Gate(text, parse_selector(found["selector"], _OPTION), 1 + float(loss) / 100, bool(found["strict"]))


def judge(
    gate: Gate, base: Box, compared: BoxComparison, wanted: Callable[[Workload], bool] | None = None
) -> GateResult:
    """Hold a box against a gate.

    Args:
        gate: the gate.
        base: the baseline.
        compared: the box.
        wanted: which rows took part in the comparison; None for all.
    """
    held = tuple(ratio for ratio in compared.ratios if gate.selector.matches(ratio.workload))
    failing = sorted(filter(gate.fails, held), key=lambda ratio: ratio.speed.median)
    has_ratio = {ratio.workload for ratio in held}
    left = [work for work in _figures(base) if work not in has_ratio and gate.selector.matches(work)]
    left = left if wanted is None else list(filter(wanted, left))
    rows = [compared.box.dataset.get(work) for work in left]
    lost = tuple(row for row in rows if row is not None and row.status in _LOST)
    return GateResult(gate, compared.box, held, tuple(failing), lost, len(left) - len(lost))


def _figures(box: Box) -> Sequence[Workload]:
    return [row.workload for row in box.dataset.measurements if row.usable]


def refuse_vacuous(results: Sequence[GateResult]) -> None:
    """Tell of gates that say nothing.

    Raises:
        UsageError: nothing was held against one of them on one of the boxes.
    """
    for result in results:
        if result.is_vacuous:
            why = (
                f"{result.box.name} and the baseline are the same measurement"
                if result.held
                else f"{result.missing} rows of the baseline match, and "
                f"{result.box.name} has nothing to hold against them"
                if result.missing
                else "it matches no row of the baseline"
            )
            raise UsageError(f"{_OPTION} {result.gate.text!r}: {why}; a gate that nothing was held against is no pass")
