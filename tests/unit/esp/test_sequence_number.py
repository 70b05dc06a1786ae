"""Sequence numbers and windows against naive models: a set of everything seen, and arithmetic without halves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.replay_window import LARGEST_WINDOW_PACKETS, ReplayWindow
from ipsecbench.esp.sequence_number import SequenceCounter, inferred_sequence, largest_sequence

WIDTHS = (1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 1000, 1024, 4096, 4097, 10_000)
AROUND = [0, 1, 2**31, 2**32 - 5000, 2**32, 2**32 + 5000, 3 * 2**32, 2**63, 2**64 - 5000]


def nearest(low: int, top: int, width: int) -> int:
    """Of all numbers with this low half, the one in the 2^32 that begin where the window does (appendix A2.1)."""
    begin = top - width + 1
    return (begin + (low - begin) % 2**32) % 2**64


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.sampled_from(WIDTHS))
def test_inference_finds_the_number_nearest_to_the_window(low: int, top: int, width: int) -> None:
    assert inferred_sequence(low, top, width) == nearest(low, top, width)


@given(st.sampled_from(AROUND), st.integers(-6000, 6000), st.integers(-6000, 6000), st.sampled_from(WIDTHS))
def test_inference_around_the_turn_of_the_low_half(base: int, first: int, second: int, width: int) -> None:
    top, number = base + first, base + second
    if 0 <= top < 2**64 and top - width < number < 2**64 and number >= 0:
        assert inferred_sequence(number % 2**32, top, width) == number


def test_examples_of_appendix_a() -> None:
    # Case A, window 64 in one subspace; case B, a window that begins in the subspace before.
    top = (5 << 32) | 1000
    assert inferred_sequence(1001, top, 64) == (5 << 32) | 1001
    assert inferred_sequence(937, top, 64) == (5 << 32) | 937
    assert inferred_sequence(936, top, 64) == (6 << 32) | 936
    top = (5 << 32) | 10
    assert inferred_sequence(0xFFFFFFFF, top, 64) == (4 << 32) | 0xFFFFFFFF
    assert inferred_sequence(11, top, 64) == (5 << 32) | 11
    # What would lie before the first number or after the last is far away: the ICV is wrong, or the window refuses it.
    assert inferred_sequence(0xFFFFFFFF, 10, 64) == 2**64 - 1
    assert inferred_sequence(5, 2**64 - 1, 64) == 5


class SetOfSeen:
    """The anti-replay service as a sentence: in the window, and not seen before."""

    def __init__(self, width: int) -> None:
        self.width, self.top, self.seen = width, 0, set[int]()

    def check(self, number: int) -> bool:
        return number > 0 and number > self.top - self.width and number not in self.seen

    def mark(self, number: int) -> None:
        self.seen.add(number)
        self.top = max(self.top, number)


@given(
    st.sampled_from(WIDTHS),
    st.sampled_from(AROUND),
    st.lists(st.tuples(st.integers(-5000, 5000), st.booleans()), max_size=200),
)
@settings(deadline=None)
def test_the_window_equals_a_set_of_everything_seen(width: int, base: int, steps: list[tuple[int, bool]]) -> None:
    window, model = ReplayWindow(width), SetOfSeen(width)
    number = base
    for step, authentic in steps:
        # Steps are from the last number or from the highest one, so that the whole window is walked over.
        number = (model.top if step % 2 else number) + step
        expected = model.check(number)
        assert window.check(number) is expected, (number, model.top)
        assert window.check(number) is expected  # to check changes nothing
        if expected and authentic:
            window.mark(number)
            model.mark(number)
            assert window.top == model.top
            assert not window.check(number)


@given(st.sampled_from([width for width in WIDTHS if width > 1]), st.sampled_from(AROUND), st.randoms())
@settings(deadline=None, max_examples=30)
def test_every_packet_once_in_any_order_within_the_window(width: int, base: int, source: object) -> None:
    numbers = [number for number in range(base + 1, base + min(width, 500) + 1) if 0 < number < 2**64]
    source.shuffle(numbers)  # type: ignore[attr-defined]
    window = ReplayWindow(width)
    for number in numbers:
        assert window.check(number)
        window.mark(number)
    assert not any(window.check(number) for number in numbers)


def test_a_jump_over_the_whole_window_forgets_what_is_left_of_it() -> None:
    for width in WIDTHS:
        window = ReplayWindow(width)
        for number in range(1, 200):
            if window.check(number):
                window.mark(number)
        far = 10**9
        window.mark(far)
        inside = [number for number in range(max(1, far - width - 70), far) if window.check(number)]
        assert inside == list(range(far - width + 1, far))


@pytest.mark.parametrize("width", [0, -1, LARGEST_WINDOW_PACKETS + 1, 2**31])
def test_widths_that_no_window_has(width: int) -> None:
    with pytest.raises(DataPlaneError, match=r"has from 1 to"):
        ReplayWindow(width)


@pytest.mark.parametrize("esn", [False, True])
def test_a_counter_stops_at_its_last_number(esn: bool) -> None:
    last = largest_sequence(esn)
    assert last == (2**64 - 1 if esn else 2**32 - 1)
    counter = SequenceCounter(esn, last - 2)
    assert [counter.take() for _ in range(4)] == [last - 1, last, None, None]
    assert counter.exhausted
    fresh = SequenceCounter(esn)
    assert fresh.take() == 1
    assert not fresh.exhausted
