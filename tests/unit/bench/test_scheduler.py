"""Rounds, budget, interruption and failure, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ipsecbench.bench.calibration import calibrate
from ipsecbench.bench.measurement import Measurement, Status, Tier, Workload
from ipsecbench.bench.runner import Offer, RawSample
from ipsecbench.bench.scheduler import BUDGET_SPENT, FINISHED, INTERRUPTED, Pace, Progress, Scheduler
from ipsecbench.errors import AgentError, CorrectnessError, MeasurementError, UnsupportedError


def workload(algorithm: str, size: int = 64) -> Workload:
    return Workload(Tier.PRIMITIVE, "fake", "encrypt", algorithm, size)


class FakeBox:
    """A box whose algorithms take as long as told; time passes only while it works."""

    def __init__(self, cost_ns: dict[str, Callable[[int], float]]) -> None:
        self.cost_ns = cost_ns
        self.now = 0.0
        self.order: list[str] = []

    def offers(self) -> Sequence[Offer]:
        return ()

    def sample(self, workload: Workload, iterations: int) -> RawSample:
        cost = self.cost_ns[workload.algorithm](len(self.order))
        self.order.append(workload.algorithm)
        wall = max(1, round(cost * iterations + 500))
        self.now += wall / 1e9 + 1e-5
        return RawSample(iterations, wall, wall)


def constant(cost: float) -> Callable[[int], float]:
    return lambda _: cost


def noisy(cost: float) -> Callable[[int], float]:
    return lambda count: cost * (1 + (count * 7919 % 101) / 101)


def run(
    box: FakeBox, pace: Pace, names: Sequence[str], progress: Callable[[Progress], None] | None = None
) -> tuple[dict[str, Status], str, dict[str, int]]:
    rows, ended = Scheduler({"fake": box}, pace, progress, clock=lambda: box.now).measure([workload(n) for n in names])
    assert [row.workload.algorithm for row in rows] == list(names)
    return (
        {row.workload.algorithm: row.status for row in rows},
        ended,
        {row.workload.algorithm: len(row.samples) for row in rows},
    )


def test_quiet_rows_settle_after_the_minimum_of_rounds() -> None:
    box = FakeBox({"a": constant(100), "b": constant(2000)})
    statuses, ended, counts = run(box, Pace(minimum_rounds=7), ["a", "b"])
    assert ended == FINISHED
    assert statuses == {"a": Status.OK, "b": Status.OK}
    assert counts == {"a": 7, "b": 7}


def test_a_noisy_row_goes_on_until_the_budget_is_spent_and_the_quiet_one_does_not() -> None:
    box = FakeBox({"quiet": constant(100), "noisy": noisy(100)})
    statuses, ended, counts = run(box, Pace(budget_seconds=2.0, maximum_rounds=10**6), ["quiet", "noisy"])
    assert ended == BUDGET_SPENT
    assert statuses == {"quiet": Status.OK, "noisy": Status.UNSTABLE}
    assert counts["quiet"] == 7
    assert counts["noisy"] > 50
    assert box.now == pytest.approx(2.0, abs=0.05)


def test_time_that_is_left_goes_to_the_rows_that_decide() -> None:
    box = FakeBox({"decides": noisy(100), "other": noisy(100)})
    rows, _ = Scheduler({"fake": box}, Pace(budget_seconds=2.0, maximum_rounds=10**6), clock=lambda: box.now).measure(
        [workload("other"), workload("decides")], decisive={workload("decides")}
    )
    counts = {row.workload.algorithm: len(row.samples) for row in rows}
    assert counts["other"] == 7
    assert counts["decides"] > 100


def test_rounds_are_interleaved_and_shuffled() -> None:
    names = [f"a{number}" for number in range(8)]
    box = FakeBox({name: constant(100) for name in names})
    run(box, Pace(minimum_rounds=6), names)
    measured = box.order[-40:]  # the first round also calibrates
    rounds = [measured[start : start + 8] for start in range(0, 40, 8)]
    assert all(sorted(one) == sorted(names) for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1


def test_the_same_seed_gives_the_same_order() -> None:
    orders = []
    for _ in range(2):
        box = FakeBox({name: constant(100) for name in "abcdef"})
        run(box, Pace(seed=5), list("abcdef"))
        orders.append(box.order)
    assert orders[0] == orders[1]


def test_ctrl_c_keeps_what_was_measured() -> None:
    box = FakeBox({"a": constant(100), "b": constant(100)})

    def stop(progress: Progress) -> None:
        if progress.round == 3:
            raise KeyboardInterrupt

    statuses, ended, counts = run(box, Pace(), ["a", "b"], stop)
    assert ended == INTERRUPTED
    assert statuses == {"a": Status.UNSTABLE, "b": Status.UNSTABLE}
    assert counts == {"a": 3, "b": 3}


def test_ctrl_c_in_the_first_round_keeps_what_came_first_and_skips_the_rest() -> None:
    box = FakeBox({name: constant(100) for name in "abc"})

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    statuses, ended, counts = run(box, Pace(), ["a", "b", "c"], stop)
    assert ended == INTERRUPTED
    assert statuses == {"a": Status.UNSTABLE, "b": Status.UNSTABLE, "c": Status.SKIPPED}
    assert counts == {"a": 1, "b": 1, "c": 0}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnsupportedError("no such cipher"), Status.UNSUPPORTED),
        (CorrectnessError("known answer 1 is wrong"), Status.FAILED),
        (MeasurementError("operation 7 failed"), Status.FAILED),
    ],
)
def test_a_failing_row_is_reported_and_the_others_are_measured(error: Exception, status: Status) -> None:
    def fail(_: int) -> float:
        raise error

    box = FakeBox({"bad": fail, "good": constant(100)})
    rows, ended = Scheduler({"fake": box}, Pace(), clock=lambda: box.now).measure([workload("bad"), workload("good")])
    assert [row.status for row in rows] == [status, Status.OK]
    assert rows[0].message == str(error)
    assert rows[0].samples == ()
    assert ended == FINISHED


def test_an_operation_that_fails_later_takes_its_samples_with_it() -> None:
    def fails_in_the_end(count: int) -> float:
        if count > 15:
            raise MeasurementError("operation 3 failed")
        return 100.0

    box = FakeBox({"bad": fails_in_the_end})
    rows, _ = Scheduler({"fake": box}, Pace(minimum_rounds=50), clock=lambda: box.now).measure([workload("bad")])
    assert rows[0].status is Status.FAILED
    assert rows[0].samples == ()
    assert not rows[0].usable


def test_the_death_of_the_agent_is_not_a_row() -> None:
    def die(_: int) -> float:
        raise AgentError("the agent was ended by signal 11")

    with pytest.raises(AgentError, match="signal 11"):
        Scheduler({"fake": FakeBox({"a": die})}, Pace()).measure([workload("a")])


def test_a_slow_box_gets_shorter_samples() -> None:
    assert Pace(budget_seconds=240).sample_ns(10) == 10_000_000
    assert Pace(budget_seconds=240).sample_ns(10_000) == pytest.approx(1.44e6, rel=0.01)
    assert Pace(budget_seconds=1).sample_ns(10_000) == 1_000_000


@pytest.mark.parametrize("cost_ns", [0.5, 30.0, 1e3, 1e6, 5e7])
@pytest.mark.parametrize("workers", [1, 4])
def test_calibrated_samples_have_the_wanted_length(cost_ns: float, workers: int) -> None:
    def take(count: int) -> RawSample:
        wall = round(count * cost_ns + 2000)
        return RawSample(count * workers, wall, wall * workers)

    iterations, _ = calibrate(take, 5_000_000, workers)
    if cost_ns >= 5e6:
        assert iterations == 1
    else:
        assert 0.9 <= iterations * cost_ns / 5e6 <= 1.1


def test_calibration_counts_what_a_mix_rounds_up_to() -> None:
    def take(count: int) -> RawSample:
        done = -(-count // 48) * 48
        return RawSample(done, done * 1000, done * 1000)

    iterations, _ = calibrate(take, 5_000_000)
    assert iterations == 5000


def test_what_there_is_is_kept_after_every_round() -> None:
    kept: list[tuple[Measurement, ...]] = []
    work = [Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", name, 64) for name in ("aes128gcm16", "3des-sha1")]

    class Dying:
        """Dies in its third round."""

        calls = 0

        def offers(self) -> list[Offer]:
            return []

        def sample(self, workload: Workload, iterations: int) -> RawSample:
            self.calls += 1
            if len(kept) == 2:
                raise AgentError("the agent was ended by signal 9")
            return RawSample(1000, 5_000_000, 5_000_000)

    scheduler = Scheduler({"libcrypto": Dying()}, Pace(budget_seconds=60), checkpoint=kept.append)
    with pytest.raises(AgentError):
        scheduler.measure(work)
    assert [len(row.samples) for row in kept[1]] == [2, 2]
    assert all(row.usable for row in kept[1])


def test_what_was_measured_is_handed_over_when_the_agent_is_lost() -> None:
    def lost_later(count: int) -> float:
        if count > 300:
            raise AgentError("the agent ended with status 3")
        return noisy(100)(count)

    box = FakeBox({"first": lost_later, "second": lost_later})
    rescued: list[tuple[Measurement, ...]] = []
    scheduler = Scheduler({"fake": box}, Pace(), clock=lambda: box.now, rescue=rescued.append)
    with pytest.raises(AgentError, match="status 3"):
        scheduler.measure([workload("first"), workload("second")])
    (rows,) = rescued
    assert [row.workload.algorithm for row in rows] == ["first", "second"]
    # Every sample that was taken but those of the two calibrations.
    assert all(100 < len(row.samples) < 150 and row.ns_per_operation is not None for row in rows)
