"""What the user may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from ipsecbench.errors import UsageError
from ipsecbench.recommend.requirements.records import Requirements, parse_rate
from ipsecbench.recommend.requirements.traffic import Traffic, parse_traffic


@pytest.mark.parametrize(
    ("text", "mbit"),
    [
        ("500M", 500), ("1G", 1000), ("2.5G", 2500), ("1.5 Gbit/s", 1500), ("100000000", 100), ("64k", 0.064),
        ("10Gbps", 10_000), (" 3 m ", 3),
    ],
)  # fmt: skip
def test_rates(text: str, mbit: float) -> None:
    assert parse_rate(text) == pytest.approx(mbit)


@pytest.mark.parametrize("text", ["", "fast", "-1G", "0", "1X", "nan", "inf", "1e400", "G", "1GG", "٣G٣"])
def test_nonsense_rates_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rate(text)
    assert "goal" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "traffic"),
    [
        ("imix", Traffic(mix="imix-simple")), ("IMIX-csit", Traffic(mix="imix-csit")), ("64", Traffic(size_bytes=64)),
    ],
)  # fmt: skip
def test_traffic(text: str, traffic: Traffic) -> None:
    assert parse_traffic(text) == traffic


@pytest.mark.parametrize("text", ["", "jumbo", "-5", "1.5", "99999999999", "²"])
def test_unknown_traffic_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="profile"):
        parse_traffic(text)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"goal_mbit_per_second": 0.0}, "goal"),
        ({"goal_mbit_per_second": float("nan")}, "goal"),
        ({"min_strength_bits": 0}, "strength"),
        ({"min_strength_bits": 512}, "strength"),
        ({"link_mtu_bytes": 0}, "MTU"),
        ({"link_mtu_bytes": 1000, "outer": "ipv6"}, "MTU"),
        ({"outer": "ipx"}, "outer"),
        ({"authentication": "xauth"}, "authentication"),
        ({"tunnels": 0}, "tunnels"),
    ],
)
def test_nonsense_requirements_are_refused(values: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        Requirements(**values)
    assert "\n" not in str(caught.value)


def test_the_mean_of_a_mix_is_that_of_its_packets() -> None:
    # 7 of 64, 4 of 570, 1 of 1518 octets.
    assert Traffic(mix="imix-simple").mean_bytes == pytest.approx((7 * 64 + 4 * 570 + 1518) / 12)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "traffic"),
        ({"size_bytes": 64, "mix": "imix-simple"}, "traffic"),
        ({"mix": "none"}, "profile"),
        ({"size_bytes": 5}, "profile"),
        ({"size_bytes": 70_000}, "profile"),
        ({"distribution": ((64, 1.0), (5, 1.0))}, "profile"),
    ],
)
def test_impossible_traffic_is_refused(fields: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Traffic(**fields)  # type: ignore[arg-type]


def test_a_distribution_is_weighted_by_packets() -> None:
    traffic = Traffic(distribution=((100, 3.0), (500, 1.0)), name="office")
    assert traffic.mean_bytes == pytest.approx(200)
    assert traffic.parts == ((100, 0.75), (500, 0.25))
    assert str(traffic) == "office"
