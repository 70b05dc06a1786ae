"""How many operations make one sample."""

from __future__ import annotations

from ipsecbench.bench.calibration import calibrate
from ipsecbench.bench.runner import RawSample


class Sampler:
    """Takes samples of operations that all last the same time, and remembers what it was asked for."""

    def __init__(self, ns_per_operation: int, most: int | None = None) -> None:
        self.ns, self.most = ns_per_operation, most
        self.asked: list[int] = []

    def __call__(self, iterations: int) -> RawSample:
        self.asked.append(iterations)
        done = iterations if self.most is None else min(iterations, self.most)
        return RawSample(done, done * self.ns, done * self.ns)


def test_the_number_makes_a_sample_of_the_wanted_length() -> None:
    for ns in (1, 37, 5_000, 900_000):
        iterations, _ = calibrate(Sampler(ns), 1_000_000)
        assert iterations == round(1_000_000 / ns)


def test_an_operation_longer_than_a_sample_is_taken_once() -> None:
    take = Sampler(5_000_000)
    assert calibrate(take, 1_000_000)[0] == 1
    assert take.asked == [1, 1]


def test_a_runner_with_samples_of_its_own_length_is_left_alone() -> None:
    take = Sampler(100, most=8)
    iterations, trial = calibrate(take, 1_000_000)
    assert (iterations, trial.iterations) == (8, 8)
    assert len(take.asked) <= 4
