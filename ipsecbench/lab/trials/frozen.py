"""Stopping a process, letting it go on, and timing what it then does until it is idle again.

The processor clock of another process can be read at any moment (clock_getcpuclockid(3)): it tells from outside, and
without asking the process, how long it worked and when it stopped working.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ipsecbench.errors import AgentError, MeasurementError

_POLL_SECONDS = 300e-6
"""Seldom enough that looking costs a neighbouring processor nothing that the work would feel."""
_STOP_SECONDS = 2.0
_SCHEDULED_CLOCK = 2
"""CPUCLOCK_SCHED: exact to the nanosecond, unlike the clocks that count ticks."""


def cpu_clock(process_id: int) -> int:
    """The clock that counts the processor time of a process, as the C library's clock_getcpuclockid(3) makes it."""
    return (~process_id << 3) | _SCHEDULED_CLOCK


def cpu_ns(process_id: int) -> int:
    """Processor time that a process has used.

    Raises:
        AgentError: there is no such process any more.
    """
    try:
        return time.clock_gettime_ns(cpu_clock(process_id))
    except OSError as error:
        raise AgentError(f"process {process_id} is gone: {error.strerror}") from error


def freeze(process_id: int) -> None:
    """Stop a process, and wait until it stands.

    Raises:
        AgentError: it is gone.
        MeasurementError: it does not stop.
    """
    _signal(process_id, signal.SIGSTOP)
    deadline = time.monotonic() + _STOP_SECONDS
    while not _stands(process_id):
        if time.monotonic() > deadline:
            raise MeasurementError(f"process {process_id} cannot be stopped")
        time.sleep(_POLL_SECONDS)


def prefer(process_id: int, preferred: bool = True) -> bool:
    """Let a process go before all others, by a real-time priority for its threads (sched(7)), or no longer.

    What else runs on the box then takes nothing from the work that is timed. The kernel still keeps a share of each
    second for the others.

    Returns:
        False where this user may not do so.
    """
    policy, priority = (os.SCHED_FIFO, 1) if preferred else (os.SCHED_OTHER, 0)
    try:
        for task in Path(f"/proc/{process_id}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # a thread that ended meanwhile
                os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def thaw(process_id: int) -> None:
    """Let a process go on.

    Raises:
        AgentError: it is gone.
    """
    _signal(process_id, signal.SIGCONT)


def _signal(process_id: int, number: signal.Signals) -> None:
    try:
        os.kill(process_id, number)
    except ProcessLookupError as error:
        raise AgentError(f"process {process_id} is gone") from error


def _stands(process_id: int) -> bool:
    return all(state == "T" for state in thread_states(process_id))


def thread_states(process_id: int) -> list[str]:
    """State of every thread: ``R`` runs or waits for a processor, ``S`` sleeps, ``T`` is stopped (proc(5)).

    Raises:
        AgentError: there is no such process any more.
    """
    try:
        return [_state(task / "stat") for task in Path(f"/proc/{process_id}/task").iterdir()]
    except OSError as error:
        raise AgentError(f"process {process_id} is gone") from error


def _state(path: Path) -> str:
    # The name in brackets may contain anything.
    return path.read_text().rpartition(")")[2].split()[0]


@dataclass(frozen=True, slots=True)
class WorkDone:
    """What a process did between being let go and being idle."""

    wall_ns: int
    """From when it began to work to when it had done."""
    cpu_ns: int
    """Processor time within."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How a process is watched; tests inject their own."""

    wall_ns: Callable[[], int] = time.perf_counter_ns
    cpu_ns: Callable[[int], int] = cpu_ns
    states: Callable[[int], list[str]] = thread_states
    sleep: Callable[[float], None] = time.sleep


def work_until_idle(
    process_id: int, release: Callable[[], None], longest_seconds: float = 20.0, watch: Watch | None = None
) -> WorkDone:
    """Let a process work, and time it until all its threads sleep.

    Its processor clock is polled. Between two polls the work is taken to be without a pause, so that the times are
    exact although the polls are not: it began as long before the first poll that saw it work as its clock had run, and
    ended as long after the last one that saw it work as its clock still ran. A process whose processor was taken away
    does not sleep: it is waited for, and its elapsed time says so.

    Args:
        process_id: which process.
        release: lets it go.
        longest_seconds: give up then.
        watch: injected by tests.

    Raises:
        AgentError: it is gone.
        MeasurementError: it did not get done in time, or did nothing.
    """
    use = watch or Watch()
    idle_cpu = use.cpu_ns(process_id)
    released = use.wall_ns()
    deadline = released + round(longest_seconds * 1e9)
    release()
    began: int | None = None
    before, last = (released, idle_cpu), (released, idle_cpu)
    while True:
        now, cpu = use.wall_ns(), use.cpu_ns(process_id)
        if cpu != last[1]:
            if began is None:
                began = max(released, now - (cpu - idle_cpu))
            before, last = last, (now, cpu)
        elif "S" in (states := set(use.states(process_id))) and len(states) == 1 and use.cpu_ns(process_id) == cpu:
            break
        if now > deadline:
            raise MeasurementError(f"process {process_id} did not get done within {longest_seconds:g} s")
        use.sleep(_POLL_SECONDS)
    if began is None:
        raise MeasurementError(f"process {process_id} had nothing to do")
    work = last[1] - idle_cpu
    ended = min(last[0], before[0] + last[1] - before[1])
    return WorkDone(max(1, work, ended - began), max(1, work))
