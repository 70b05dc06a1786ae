"""What would change the answer: every threshold is tried by asking for a recommendation on both sides of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.alternatives import Change, Lever
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")


def answer(found: Recommendation) -> str:
    return f"ESP {found.phase2.suite}, IKE {found.phase1.proposal}"


def changes(found: Recommendation, lever: Lever) -> list[Change]:
    return [change for change in found.sensitivity if change.lever is lever]


def test_every_lever_is_spoken_of(make_dataset: MakeDataset) -> None:
    for wanted in (Requirements(), Requirements(goal_mbit_per_second=100, tunnels=4)):
        assert {change.lever for change in recommend(make_dataset(), MODERN, wanted).sensitivity} == set(Lever)


@pytest.mark.parametrize("objective", [Objective.BALANCED, Objective.SECURITY, Objective.CPU])
def test_the_line_rates_are_where_the_answer_changes(make_dataset: MakeDataset, objective: Objective) -> None:
    wanted = Requirements(objective=objective)
    found = changes(recommend(make_dataset(), MODERN, wanted), Lever.LINE_RATE)
    if objective is Objective.CPU:
        # The cheapest suite is also the fastest here, whatever the goal.
        assert [change.above for change in found] == [None]
        return
    assert found[0].above is not None
    for change in found:
        assert change.threshold is not None
        below, above = (
            recommend(make_dataset(), MODERN, replace(wanted, goal_mbit_per_second=change.threshold * factor))
            for factor in (1 - 1e-6, 1 + 1e-6)
        )
        assert (answer(below), answer(above)) == (change.below, change.above)


def test_the_packet_size_is_where_the_answer_changes(make_dataset: MakeDataset) -> None:
    """ChaCha20-Poly1305 is made cheaper for each packet and dearer for each octet than AES-GCM."""
    dataset = make_dataset()

    def changed(row: Measurement) -> Measurement:
        work, time = row.workload, row.ns_per_operation
        if work.tier is not Tier.PACKET_LOOP or work.algorithm != "chacha20poly1305" or time is None:
            return row
        size = work.mean_bytes
        if size is None:
            return row
        factor = (100 + 0.62 * size) / time.median
        scaled = replace(time, median=time.median * factor, lower=time.lower * factor, upper=time.upper * factor)
        return replace(row, samples=(), ns_per_operation=scaled)

    fits = tuple(
        replace(fit, fixed_ns=Estimate(100, 99, 101)) if fit.algorithm == "chacha20poly1305" else fit
        for fit in dataset.fits
    )
    dataset = replace(dataset, measurements=tuple(changed(row) for row in dataset.measurements), fits=fits)
    found = changes(recommend(dataset, MODERN), Lever.PACKET_SIZE)
    assert len(found) == 1
    change = found[0]
    assert change.threshold is not None
    # By hand, the 4% of inbound aside: 100 + 0.62 n = 230 + 0.22 n at n = 325. A tie goes to the stronger one, which
    # ChaCha20-Poly1305 is, so that the change lies above that, where AES-GCM is surely ahead.
    assert 325 < change.threshold < 1400
    size = int(change.threshold)
    below, above = (recommend(dataset, MODERN, Requirements(traffic=Traffic(size_bytes=n))) for n in (size, size + 8))
    assert (answer(below), answer(above)) == (change.below, change.above)
    assert "up to about" in change.text


def test_more_strength_is_tried_step_by_step(make_dataset: MakeDataset) -> None:
    found = changes(recommend(make_dataset(), MODERN), Lever.STRENGTH)
    assert [change.threshold for change in found] == [128, 224]
    for change in found:
        assert change.threshold is not None
        more = recommend(make_dataset(), MODERN, Requirements(min_strength_bits=int(change.threshold) + 1))
        assert answer(more) == change.above
    last = changes(recommend(make_dataset(without=["ecp521"]), MODERN), Lever.STRENGTH)[-1]
    assert last.above is None
    assert "nothing can be recommended" in last.text


def test_cores_matter_with_a_goal_and_several_sas_only(make_dataset: MakeDataset) -> None:
    alone = changes(recommend(make_dataset(), MODERN, Requirements(goal_mbit_per_second=100)), Lever.CORES)
    assert "one SA is one core's work" in alone[0].text
    box = make_dataset(environment={"hardware": {"cpu": {"cores": 4}}})
    several = Requirements(tunnels=4, cores=1, objective=Objective.SECURITY)
    top = changes(recommend(box, MODERN, several), Lever.LINE_RATE)[-1]
    assert top.threshold is not None
    # More than one core of the strongest suite is sure to carry, and far less than four.
    wanted = replace(several, goal_mbit_per_second=top.threshold * 1.1, cores=None)
    found = [change for change in changes(recommend(box, MODERN, wanted), Lever.CORES) if change.threshold is not None]
    assert found
    for change in found:
        few = int(change.threshold or 0)
        below, above = (recommend(box, MODERN, replace(wanted, cores=number)) for number in (few, few * 2))
        assert (answer(below), answer(above)) == (change.below, change.above)


def test_without_aes_instructions(make_dataset: MakeDataset) -> None:
    found = changes(recommend(make_dataset(), MODERN), Lever.AES_INSTRUCTIONS)[0]
    assert not found.known
    assert found.threshold is not None
    assert found.threshold > 1
    assert "--mask aes" in found.text
    slow = changes(recommend(make_dataset("arm-no-aes"), MODERN), Lever.AES_INSTRUCTIONS)[0]
    assert slow.known
    assert slow.above is None
    assert "uses no AES instructions" in slow.text
    masked = changes(recommend(make_dataset(settings={"mask": ["aes"]}), MODERN), Lever.AES_INSTRUCTIONS)[0]
    assert "Measured without AES instructions" in masked.text
