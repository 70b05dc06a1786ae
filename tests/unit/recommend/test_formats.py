"""Figures as text, in the units that people use."""

from __future__ import annotations

import pytest

from ipsecbench.recommend.formats import chance, rate


@pytest.mark.parametrize(
    ("mbit_per_second", "text"),
    [
        (1e-6, "1.00 bit/s"),
        (0.064, "64.0 kbit/s"),
        (0.5, "0.50 Mbit/s"),
        (688.4, "688 Mbit/s"),
        (3210, "3.21 Gbit/s"),
        (45_600, "45.6 Gbit/s"),
        (9e8, "900 Tbit/s"),
    ],
)
def test_a_rate_has_three_digits_and_its_unit(mbit_per_second: float, text: str) -> None:
    assert rate(mbit_per_second) == text


def test_chances_are_never_certain() -> None:
    assert [chance(share) for share in (0.0, 0.004, 0.5, 0.873, 0.993, 1.0)] == [
        "<1%", "<1%", "50%", "87%", "99%", ">99%",
    ]  # fmt: skip
