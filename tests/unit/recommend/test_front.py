"""The Pareto front, held against a search over every combination; and the price of its steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import pytest

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.keys.handshake import HandshakeModel
from ipsecbench.recommend.policies.policy import Policy, load_policy
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.reasons import Role
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]
Point = tuple[int, float, float]


def searched(dataset: Dataset, policy: Policy, least_bits: int) -> dict[tuple[str, str, str], Point]:
    """Every combination that nothing beats: (strength, -time of a packet, -cost of the set-up's asymmetric part)."""
    costs = CostModel(dataset)
    model = HandshakeModel(costs)
    wanted = Requirements()

    def names(role: Role) -> list[str]:
        return [line.name for line in policy.lines[role] if line.recommended]

    suites = {
        name: predicted.one_way_mbit_per_second.median
        for name in names(Role.ESP_SUITE)
        if (predicted := costs.predict(esp_suites()[name], wanted.traffic)) and predicted.tier is Tier.PACKET_LOOP
    }
    exchanges = {n: c.dearer_us.median for n in names(Role.KEY_EXCHANGE) if (c := model.key_exchange(n))}
    signatures = {
        n: sum(each.median for each in pair) for n in names(Role.AUTHENTICATION) if (pair := model.authentication_us(n))
    }
    points: dict[tuple[str, str, str], Point] = {}
    for suite, exchange, signature in product(suites, exchanges, signatures):
        bits = (
            esp_suites()[suite].strength_bits,
            KEY_EXCHANGE[exchange].strength_bits,
            AUTHENTICATION[signature].strength_bits or 0,
        )
        if min(bits) >= least_bits:
            points[suite, exchange, signature] = (
                min(bits),
                suites[suite],
                -exchanges[exchange] - signatures[signature],
            )

    def beaten(point: Point) -> bool:
        return any(
            all(b >= a for a, b in zip(point, other, strict=True)) and other != point for other in points.values()
        )

    return {names: point for names, point in points.items() if not beaten(point)}


@pytest.mark.parametrize("box", ["x86-aes", "arm-no-aes", "mips-no-aes"])
@pytest.mark.parametrize("policy", ["modern", "nist", "bsi"])
def test_it_is_what_a_search_over_all_combinations_finds(make_dataset: MakeDataset, box: str, policy: str) -> None:
    dataset, rules = make_dataset(box), load_policy(policy)
    found = recommend(dataset, rules)
    expected = searched(dataset, rules, found.target_strength_bits)
    front = {(p.suite, p.key_exchange, p.authentication): p.strength_bits for p in found.front}
    assert front == {names: point[0] for names, point in expected.items()}
    assert len(found.front) >= 2


def test_strength_rises_and_the_rest_falls_and_the_price_of_each_step_is_said(make_dataset: MakeDataset) -> None:
    front = recommend(make_dataset(), load_policy("modern")).front
    assert [point.chosen for point in front] == [True] + [False] * (len(front) - 1)
    assert front[0].traffic_lost_percent is None
    for before, after in pairwise(front):
        assert after.strength_bits > before.strength_bits
        assert after.mbit_per_second.median <= before.mbit_per_second.median
        assert after.setups_per_second.median <= before.setups_per_second.median
        assert after.setups_lost_percent is not None
        share = after.setups_per_second.median / before.setups_per_second.median
        assert after.setups_lost_percent.median == pytest.approx(100 * (1 - share))
        assert after.traffic_lost_percent is not None
        lost = after.traffic_lost_percent
        if after.suite == before.suite:
            assert lost.median == lost.lower == lost.upper == 0
        else:
            # What both share is not uncertain twice: the interval is far narrower than that of the rates themselves.
            assert lost.median == pytest.approx(
                100 * (1 - after.mbit_per_second.median / before.mbit_per_second.median), abs=1
            )
            assert lost.upper - lost.lower < 15
        assert "this step costs" in after.text


def test_what_was_asked_for_as_authentication_is_the_only_one(make_dataset: MakeDataset) -> None:
    policy = load_policy("modern")
    rsa = recommend(make_dataset(), policy, Requirements(authentication="rsa-3072")).front
    assert {point.authentication for point in rsa} == {"rsa-3072"}
    assert {point.strength_bits for point in rsa} == {128}
    psk = recommend(make_dataset(), policy, Requirements(authentication="psk")).front
    # A pre-shared key is as strong as its entropy, and bounds nothing: the key exchange does.
    assert [point.strength_bits for point in psk] == [128, 224, 256]
    assert {point.authentication for point in psk} == {"psk"}


def test_for_a_pair_it_is_of_the_end_that_does_less(make_dataset: MakeDataset) -> None:
    policy = load_policy("modern")
    fast, slow = make_dataset(), make_dataset("arm-no-aes")
    pair, alone = recommend(fast, policy, peer_dataset=slow).front, recommend(slow, policy).front
    assert [(p.suite, p.setups_per_second) for p in pair] == [(p.suite, p.setups_per_second) for p in alone]
