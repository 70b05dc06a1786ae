"""Which of a run's suites and sizes get the longer trials, and what rates make of trials."""

from __future__ import annotations

import pytest

from ipsecbench.bench.measurement import SIMPLE_IMIX
from ipsecbench.lab.traffic_model import SinkReport, SourceReport, Trial
from ipsecbench.lab.trials.further import FurtherRequest
from ipsecbench.lab.trials.plan import parse_sizes
from ipsecbench.lab.trials.rates import RatePace, rate_trial

SUITES = ("null-sha256", "aes128gmac", "null-sha1", "aes128gcm16", "chacha20poly1305", "aes128-sha256", "3des-sha1")


def request(sizes: str, quick: bool = False) -> FurtherRequest:
    return FurtherRequest(SUITES, parse_sizes(sizes.split(",")), 1, "libcrypto", quick=quick)


def test_the_one_without_encryption_comes_first() -> None:
    found = request("64")
    assert found.tried_suites() == ("null-sha256", "aes128gcm16", "chacha20poly1305", "aes128-sha256")
    assert request("64", quick=True).tried_suites() == ("null-sha256", "aes128gcm16")


@pytest.mark.parametrize(
    ("sizes", "quick", "tried"),
    [
        ("64,128,1400,imix-simple", False, "64,imix-simple,1400"),
        ("64,128,1400,imix-simple", True, "imix-simple"),
        ("64,1400", True, "64"),
        ("1400", False, "1400"),
        ("30,1400", False, "1400"),
        ("30", False, ""),
    ],
)
def test_the_smallest_a_mix_and_the_largest_size_are_tried(sizes: str, quick: bool, tried: str) -> None:
    expected = parse_sizes(tried.split(",")) if tried else ()
    assert request(sizes, quick).tried_sizes() == expected
    assert SIMPLE_IMIX == "imix-simple"


def trial(sent: int, received: int, refused: int = 0) -> Trial:
    source = SourceReport(sent, sent * 64, refused, 10**8, 10**7, 0, None)
    sink = SinkReport(received, received * 64, 0, 0, 0, 0, 0, 0, 10**8, 10**7, None)
    return Trial(source, sink)


def test_what_the_kernel_refused_is_lost_and_not_unsent() -> None:
    found = rate_trial(10_000, 0.1, trial(1000, 900, refused=100))
    assert found.loss_ratio == pytest.approx(0.1)
    assert found.unsent_ratio == 0
    slow = rate_trial(10_000, 0.1, trial(700, 700))
    assert slow.loss_ratio == 0
    assert slow.unsent_ratio == pytest.approx(0.3)
    # More than was sent cannot arrive; a sink that says so has counted another stream.
    assert rate_trial(10_000, 0.1, trial(1000, 1001)).received == 1000


def test_goals_take_the_pace() -> None:
    ndr, pdr = RatePace(relative_width=0.04, trials=5).goals()
    assert (ndr.loss_ratio, pdr.loss_ratio) == (0.0, 0.005)
    assert ndr.relative_width == pdr.relative_width == 0.04
    assert ndr.trials == pdr.trials == 5
