"""How many operations make one sample of the wanted length."""

from __future__ import annotations

from collections.abc import Callable

from ipsecbench.bench.runner import RawSample

_GROWTH = 64
_MOST_ITERATIONS = 10**9
_LONG_ENOUGH = 4
"""A trial of a quarter of the wanted length is extrapolated; the fixed cost of starting is small against it."""


def calibrate(take: Callable[[int], RawSample], target_ns: int, workers: int = 1) -> tuple[int, RawSample]:
    """Iterations whose sample lasts about as long as wanted.

    The first trial is one operation, which also pays for what is done once (known answers, page faults); the rest grow
    until the trial is long enough to extrapolate.

    Args:
        take: takes a sample of so many operations.
        target_ns: the wanted length of a sample.
        workers: processors that each perform so many; the trial's iterations are their sum. A trial may do fewer than
            it was asked for: then it is as long as the runner makes one.

    Returns:
        The number of iterations for each worker (at least 1), and the last trial.
    """
    iterations = 1
    take(iterations)
    while True:
        trial = take(iterations)
        # A mix of sizes rounds up to whole cycles, so what was done counts and not what was asked for.
        done = max(1, trial.iterations // workers)
        wanted = round(done * target_ns / trial.wall_ns)
        if trial.wall_ns * _LONG_ENOUGH >= target_ns or done >= _MOST_ITERATIONS:
            return max(1, min(_MOST_ITERATIONS, wanted)), trial
        if done < iterations:
            return done, trial
        # Never straight to the estimate: the first trials are dominated by their start.
        iterations = min(_MOST_ITERATIONS, max(done * 2, min(wanted // 2, done * _GROWTH)))
