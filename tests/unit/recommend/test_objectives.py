"""What each objective chooses by, on boxes with known costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.choice.objectives import forced_rekeys_ns
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.reasons import ExclusionKind, Role
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")
GOAL = 100.0


def with_direction(dataset: Dataset, suite: str, outbound: float, inbound: float) -> Dataset:
    """The dataset with the packet-loop times of one suite multiplied, each direction by its own factor."""
    factors = {"outbound": outbound, "inbound": inbound}

    def changed(row: Measurement) -> Measurement:
        factor = factors.get(row.workload.operation)
        time = row.ns_per_operation
        if row.workload.algorithm != suite or row.workload.tier is not Tier.PACKET_LOOP or not factor or not time:
            return row
        scaled = Estimate(time.median * factor, time.lower * factor, time.upper * factor)
        return replace(row, samples=(), ns_per_operation=scaled)

    return replace(dataset, measurements=tuple(changed(row) for row in dataset.measurements))


@pytest.mark.parametrize(
    ("objective", "suite", "exchange", "authentication"),
    [
        (Objective.BALANCED, "aes256gcm16", "ecp256", "ecdsa-256"),
        (Objective.THROUGHPUT, "aes128gcm16", "ecp256", "ecdsa-256"),
        (Objective.CPU, "aes128gcm16", "ecp256", "ecdsa-256"),
        (Objective.LATENCY, "aes128gcm16", "ecp256", "ecdsa-256"),
        (Objective.SECURITY, "aes256gcm16", "ecp521", "ecdsa-521"),
    ],
)
def test_with_an_easy_goal(
    make_dataset: MakeDataset, objective: Objective, suite: str, exchange: str, authentication: str
) -> None:
    wanted = Requirements(goal_mbit_per_second=GOAL, objective=objective)
    found = recommend(make_dataset(), MODERN, wanted)
    assert (found.phase2.suite, found.phase1.key_exchange) == (suite, exchange)
    assert found.phase1.authentication == authentication
    assert found.chosen_by.phase1.text
    assert found.chosen_by.phase2.text


def test_security_takes_the_strongest_whatever_it_costs_but_keeps_to_the_goal(make_dataset: MakeDataset) -> None:
    wanted = Requirements(objective=Objective.SECURITY)
    free = recommend(make_dataset(), MODERN, wanted)
    assert free.phase2.suite == "aes256gcm16"
    # Everything in phase 1 is as strong as its key exchange of 256 bits.
    assert free.phase1.proposal == "aes256gcm16-prfsha512-ecp521"
    lost = {e.name: e for e in free.excluded(Role.KEY_EXCHANGE)}
    assert lost["x448"].kind is ExclusionKind.WEAKER
    assert "weaker than ecp521: 224 bits against 256" in lost["x448"].reason.text
    assert "ecp521 is the strongest key exchange" in free.phase1.reasons[0].text
    hard = recommend(make_dataset(), MODERN, replace(wanted, goal_mbit_per_second=8500))
    assert hard.phase2.suite == "aes128gcm16"


def test_one_direction_decides_for_throughput_and_their_sum_for_processor_time(make_dataset: MakeDataset) -> None:
    """aes256gcm16 is made very cheap outbound and dear inbound: the sum is less, the slower direction more."""
    dataset = with_direction(make_dataset(), "aes256gcm16", 0.3, 1.05)
    assert recommend(dataset, MODERN).phase2.suite == "aes128gcm16"
    cpu = recommend(dataset, MODERN, Requirements(objective=Objective.CPU))
    assert cpu.phase2.suite == "aes256gcm16"
    lost = next(e for e in cpu.excluded(Role.ESP_SUITE) if e.name == "aes128gcm16")
    assert lost.kind is ExclusionKind.SLOWER
    assert "takes more processor time than aes256gcm16" in lost.reason.text
    latency = recommend(dataset, MODERN, Requirements(objective=Objective.LATENCY))
    assert latency.phase2.suite == "aes256gcm16"
    assert "takes longer for a packet" in next(
        e.reason.text for e in latency.excluded(Role.ESP_SUITE) if e.name == "aes128gcm16"
    )


def test_the_direction_mix_decides_where_it_is_given(make_dataset: MakeDataset) -> None:
    dataset = with_direction(make_dataset(), "aes256gcm16", 0.3, 1.2)
    assert recommend(dataset, MODERN, Requirements(outbound_share=1.0)).phase2.suite == "aes256gcm16"
    assert recommend(dataset, MODERN, Requirements(outbound_share=0.0)).phase2.suite == "aes128gcm16"


def test_the_rule_of_phase_1_is_the_cheapest_of_sufficient_strength(make_dataset: MakeDataset) -> None:
    """Independently of the program: the cheapest of the policy's methods with at least the target, from the box."""
    costs = {"x25519": 64, "x448": 240, "ecp256": 57, "ecp384": 800, "ecp521": 320, "modp3072": 1530, "modp4096": 3010}
    bits = {"x25519": 128, "x448": 224, "ecp256": 128, "ecp384": 192, "ecp521": 256, "modp3072": 128, "modp4096": 152}
    for target in (128, 150, 192, 225, 256):
        enough = {name: cost for name, cost in costs.items() if bits[name] >= target}
        found = recommend(make_dataset(), MODERN, Requirements(min_strength_bits=target))
        assert found.phase1.key_exchange == min(enough, key=enough.__getitem__)


@pytest.mark.parametrize(
    ("suite", "size", "esn", "packets"),
    [
        # RFC 8221 and NIST SP 800-67r2: 2^20 blocks of 8 octets; a 1400-octet packet and its trailer fill 176 of them.
        ("3des-sha256", 1400, True, 2**20 * 8 / 1401),
        # RFC 4303 section 3.3.3: a 32-bit sequence number must not cycle.
        ("chacha20poly1305", 1400, False, 2**32),
    ],
)
def test_rekeys_that_a_limit_forces_are_processor_time(suite: str, size: int, esn: bool, packets: float) -> None:
    """A key exchange of 100 µs every so many packets of each of two directions: half of it for each packet."""
    found = forced_rekeys_ns(suite, Traffic(size_bytes=size), 100.0, esn=esn)
    assert found == pytest.approx(100e3 / 2 / packets, rel=0.02)
    # All traffic in one direction reaches the limit twice as fast.
    one_way = forced_rekeys_ns(suite, Traffic(size_bytes=size), 100.0, esn=esn, outbound_share=1.0)
    assert one_way == pytest.approx(2 * found)


def test_a_cipher_without_a_limit_forces_none() -> None:
    assert forced_rekeys_ns("chacha20poly1305", Traffic(size_bytes=1400), 100.0, esn=True) == 0
