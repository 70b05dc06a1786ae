"""Every target under inputs that hypothesis makes: octets, and seeds with octets changed, cut, doubled and inserted."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.budget import LARGEST_INPUT, within_budget
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

EXAMPLES = int(os.environ.get("IPSECBENCH_FUZZ_EXAMPLES", "150"))
pytestmark = pytest.mark.fuzz

_INTERESTING = st.sampled_from(
    (b"\0", b"\xff", b"\x80", b"\0\0", b"\xff\xff", b"\0\4", b"\0\3", b"\x7f\xff", b"\0\0\0\0")
)


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A seed after a few changes."""
    octets = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 5))):
        position = draw(st.integers(0, len(octets)))
        change = draw(st.sampled_from(("overwrite", "insert", "cut", "double", "flip")))
        piece = draw(_INTERESTING | st.binary(min_size=1, max_size=8))
        if change == "overwrite":
            octets[position : position + len(piece)] = piece
        elif change == "insert":
            octets[position:position] = piece
        elif change == "cut":
            del octets[position : position + draw(st.integers(1, 64))]
        elif change == "double":
            octets += octets[position:]
        elif position < len(octets):
            octets[position] ^= 1 << draw(st.integers(0, 7))
    return bytes(octets[:LARGEST_INPUT])


def _bounded(target: Target) -> Callable[[bytes], None]:
    return lambda data: within_budget(target.run, data, target.limit_seconds)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_seeds_pass(target: Target) -> None:
    seeds = tuple(target.seeds())
    assert seeds
    for seed in seeds:
        _bounded(target)(seed)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_only_protocol_errors_escape(target: Target) -> None:
    run = _bounded(target)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES <= 1000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(tuple(target.seeds())) | st.binary(max_size=300))
    def feed(data: bytes) -> None:
        run(data)

    feed()
