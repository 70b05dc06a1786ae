"""The stated default against published tunnels of other boxes, predicted from the speed of their cryptography alone."""

from __future__ import annotations

import statistics

import pytest

from ipsecbench.recommend.prediction.stated_default import SMALL_KERNEL, X86_KERNEL, clock_hz, stated_default
from tests.bench.published_tunnels import Pair, pairs


@pytest.fixture(scope="module")
def published() -> list[Pair]:
    return pairs()


def test_the_interval_holds_what_was_published(published: list[Pair]) -> None:
    assert len(published) >= 20
    assert statistics.fmean(pair.inside for pair in published) >= 0.8
    # Many boxes of the table have the same processor: each of them counts once, and IPsec by itself.
    processors = {pair.processor for pair in published}
    shares = [statistics.fmean(pair.inside for pair in published if pair.processor == name) for name in processors]
    assert statistics.fmean(shares) >= 0.8
    assert statistics.fmean(pair.inside for pair in published if pair.kind == "ipsec") >= 0.8


def test_the_interval_is_no_excuse(published: list[Pair]) -> None:
    # Within about a factor of 1.7 to both sides; and its middle is not far off.
    assert statistics.median(pair.width_factor for pair in published) < 3.5
    assert max(pair.width_factor for pair in published) < 7
    assert statistics.median(abs(pair.predicted.median / pair.published - 1) for pair in published) < 0.3


def test_the_crypto_alone_would_not_do(published: list[Pair]) -> None:
    """A box with AES instructions: what its cryptography would carry is far outside of what it does carry."""
    router = next(pair for pair in published if pair.processor == "cortex-a53-ce")
    # 1400 octets at 1.19 and 0.45 GB/s take 4.3 µs and an outer hash: 2 Gbit/s and more.
    assert router.published < 300 < router.predicted.upper < 1500


@pytest.mark.parametrize(
    ("environment", "hz"),
    [
        ({"clock": {"before": [{"core": 0, "hz": 2.0e9}], "after": [{"core": 0, "hz": 2.2e9}]}}, 2.1e9),
        ({"hardware": {"clocks": [{"comparison": {"measured_hz": None, "claimed_hz": 880_000_000}}]}}, 0.88e9),
        ({"hardware": {"cpu": {"model": "Something @ 2.40GHz"}}}, 2.4e9),
        ({"hardware": {"cpu": {"model": "MIPS 1004Kc at 880 MHz"}}}, 0.88e9),
        ({}, None),
        ({"clock": None, "hardware": [1, 2]}, None),
    ],
)
def test_the_clock_is_measured_claimed_or_named(environment: dict[str, object], hz: float | None) -> None:
    assert clock_hz(environment) == (None if hz is None else pytest.approx(hz))


def test_the_default_follows_the_class_and_the_clock() -> None:
    x86 = stated_default({"hardware": {"cpu": {"architecture": "x86", "model": "Any @ 2.0GHz"}}})
    arm = stated_default({"hardware": {"cpu": {"architecture": "arm64", "model": "Any at 1.0 GHz"}}})
    assert x86.fixed_ns == pytest.approx(X86_KERNEL.cycles / 2.0)
    assert arm.fixed_ns == pytest.approx(SMALL_KERNEL.cycles)
    assert "not measured on this box" in x86.text
    assert "6,000 to 25,000 cycles" in x86.text
    # Without a clock the bounds are wider.
    assert stated_default({}).fixed_sigma > arm.fixed_sigma
    assert "unknown clock" in stated_default({}).text
