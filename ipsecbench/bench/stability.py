"""Doubts about rows and runs: what disturbed the measurement, in words that name what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from ipsecbench.bench.measurement import Sample, Workload
from ipsecbench.bench.statistics import FEWEST_FOR_INTERVAL

CPU_CLOCK_DISAGREES = "cpu-clock-disagrees"
"""Elapsed and processor time differ by more than 2% in the median sample: something else ran, or a device worked."""
INVOLUNTARY_SWITCHES = "involuntary-switches"
"""The scheduler took the processor away more than once in the median sample; once is common and costs microseconds."""
FEW_SAMPLES = "few-samples"
"""Fewer samples than an interval can be computed from: the interval is their range."""

_CLOCK_DISAGREEMENT = 0.02
_DRIFT = 0.03
_STEAL = 0.01


def row_flags(workload: Workload, samples: Sequence[Sample]) -> tuple[str, ...]:
    """Doubts about one row."""
    flags = []
    if median(abs(s.wall_ns * workload.cores - s.cpu_ns) / s.wall_ns / workload.cores for s in samples) > (
        _CLOCK_DISAGREEMENT
    ):
        flags.append(CPU_CLOCK_DISAGREES)
    if median(sample.involuntary_switches for sample in samples) > workload.cores:
        flags.append(INVOLUNTARY_SWITCHES)
    if len(samples) < FEWEST_FOR_INTERVAL:
        flags.append(FEW_SAMPLES)
    return tuple(flags)


def run_warnings(
    clock_before: Mapping[int, float],
    clock_after: Mapping[int, float],
    steal: float | None,
) -> list[tuple[str, str]]:
    """Doubts about a whole run, as (code, message); what the box itself gives cause for is in its hardware's warnings.

    Args:
        clock_before: measured rate in Hz by core, before the run.
        clock_after: the same after it.
        steal: share of processor time that the hypervisor took during the run; None where unknown.
    """
    found: list[tuple[str, str]] = []
    for core in sorted(clock_before.keys() & clock_after.keys()):
        change = clock_after[core] / clock_before[core] - 1
        if abs(change) > _DRIFT:
            found.append(
                (
                    "clock-drift",
                    f"core {core} ran at {clock_before[core] / 1e9:.2f} GHz before the run and at "
                    f"{clock_after[core] / 1e9:.2f} GHz after it ({change:+.0%}): "
                    "fix the clock (governor 'performance') or cool the box, and measure again",
                )
            )
    if steal is not None and steal > _STEAL:
        found.append(
            (
                "steal",
                f"the hypervisor took {steal:.1%} of the processor time: absolute figures are too low by about that",
            )
        )
    return found
