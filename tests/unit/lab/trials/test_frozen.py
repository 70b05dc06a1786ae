"""Processes that are stopped, let go and timed: simulated ones with known times, and real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import AgentError, MeasurementError
from ipsecbench.lab.trials.frozen import Watch, cpu_ns, freeze, prefer, thaw, thread_states, work_until_idle


@dataclass
class Simulated:
    """A process that works in given stretches of time after it was let go."""

    stretches: list[tuple[int, int]]
    """Start and end of each, nanoseconds after the release; in between another process has its processor."""
    now_ns: int = 0
    released_ns: int | None = None
    idle_cpu_ns: int = 777
    states: list[str] = field(default_factory=lambda: ["S", "S"])

    def watch(self) -> Watch:
        return Watch(lambda: self.now_ns, lambda _: self._cpu(), lambda _: self._states(), self._sleep)

    def release(self) -> None:
        self.released_ns = self.now_ns

    def _cpu(self) -> int:
        self.now_ns += 700  # looking takes time
        if self.released_ns is None:
            return self.idle_cpu_ns
        passed = self.now_ns - self.released_ns
        return self.idle_cpu_ns + sum(max(0, min(passed, end) - start) for start, end in self.stretches)

    def _states(self) -> list[str]:
        passed = self.now_ns - (self.released_ns or 0)
        busy = self.released_ns is not None and passed < self.stretches[-1][1]
        return ["R", "S"] if busy else self.states

    def _sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@settings(max_examples=300, deadline=None)
@given(start=st.integers(0, 400_000), work=st.integers(1_000, 30_000_000))
def test_work_without_a_pause_is_timed_to_the_nanosecond(start: int, work: int) -> None:
    process = Simulated([(start, start + work)])
    found = work_until_idle(1, process.release, watch=process.watch())
    assert found.cpu_ns == work
    # Reading the two clocks one after the other is all that can be off.
    assert work <= found.wall_ns <= work + 1_500


def test_a_processor_that_was_taken_away_shows_in_the_elapsed_time() -> None:
    process = Simulated([(30_000, 4_000_000), (9_000_000, 10_000_000)])
    found = work_until_idle(1, process.release, watch=process.watch())
    assert found.cpu_ns == 4_970_000
    assert found.wall_ns == pytest.approx(9_970_000, abs=310_000)


def test_a_process_that_never_ends_its_work_is_given_up() -> None:
    process = Simulated([(0, 10**15)])
    with pytest.raises(MeasurementError, match="did not get done within"):
        work_until_idle(1, process.release, longest_seconds=0.5, watch=process.watch())


def test_a_process_without_work_is_no_sample() -> None:
    process = Simulated([(10**12, 10**12 + 1)])
    process.states = ["S"]
    watch = process.watch()
    asleep = Watch(watch.wall_ns, watch.cpu_ns, lambda _: ["S"], watch.sleep)
    with pytest.raises(MeasurementError, match="nothing to do"):
        work_until_idle(1, process.release, watch=asleep)


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that burns 20 ms of processor time for every line that it gets."""
    code = (
        "import sys, time\n"
        "for _ in sys.stdin:\n"
        "    end = time.process_time() + 0.02\n"
        "    while time.process_time() < end: pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_real_process_stops_and_goes_on(worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while thread_states(worker.pid) != ["S"] and time.monotonic() < deadline:
        time.sleep(0.01)
    freeze(worker.pid)
    assert set(thread_states(worker.pid)) == {"T"}
    assert worker.stdin is not None
    before = cpu_ns(worker.pid)
    worker.stdin.write(b"\n\n")
    worker.stdin.flush()
    time.sleep(0.05)
    assert cpu_ns(worker.pid) == before
    found = work_until_idle(worker.pid, lambda: thaw(worker.pid))
    assert found.cpu_ns == pytest.approx(40e6, rel=0.2)
    assert found.wall_ns >= found.cpu_ns


def test_a_process_can_be_given_the_right_of_way(worker: subprocess.Popen[bytes]) -> None:
    policy = os.sched_getscheduler(worker.pid)
    assert prefer(worker.pid) == (os.sched_getscheduler(worker.pid) == os.SCHED_FIFO)
    assert os.sched_getscheduler(worker.pid) in (policy, os.SCHED_FIFO)
    assert not prefer(0)


def test_a_process_that_is_gone_is_named(worker: subprocess.Popen[bytes]) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    for attempt in (freeze, thaw, cpu_ns, thread_states):
        with pytest.raises(AgentError, match=f"{worker.pid} is gone"):
            attempt(worker.pid)
