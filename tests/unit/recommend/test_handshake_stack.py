"""Whole set-ups beside the cryptography: which set stands for the answer, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.bench.handshake import SETS
from ipsecbench.bench.measurement import Status, Tier
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.keys.handshake_cost import StackCost
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]

PSK = "ikev2:aes128-sha256-x25519:psk"
SIGNED = "ikev2:aes128gcm16-prfsha256-ecp256:ecdsa-256"
OLD = "ikev1:aes256-sha1-modp1024:psk"


def stack_of(dataset: Dataset, requirements: Requirements | None = None) -> StackCost | None:
    return recommend(dataset, load_policy("modern"), requirements).phase1.handshake.stack


def test_a_dataset_without_set_ups_is_answered_as_before(make_dataset: MakeDataset) -> None:
    answer = recommend(make_dataset(), load_policy("modern"))
    assert answer.phase1.handshake.stack is None
    assert not any("tier handshake" in reason.text for reason in answer.phase1.reasons)


def test_set_ups_change_no_choice(make_dataset: MakeDataset) -> None:
    without = recommend(make_dataset(), load_policy("modern"))
    slow = recommend(make_dataset(stack={SIGNED: 1000.0}), load_policy("modern"))
    assert (slow.phase1.proposal, slow.phase2.proposal) == (without.phase1.proposal, without.phase2.proposal)
    assert replace(slow.phase1.handshake, stack=None) == without.phase1.handshake
    assert (slow.evidence.tier, slow.evidence.summary) == (without.evidence.tier, without.evidence.summary)


def test_the_parts_and_their_sum_are_those_of_the_rows(make_dataset: MakeDataset) -> None:
    cost = stack_of(make_dataset(stack={SIGNED: 1.0}))
    assert cost is not None
    assert cost.same_set
    assert cost.initiator_us.median == pytest.approx(90 + 60 + 180 + 40 + 600 + 50)
    assert cost.responder_us.median == pytest.approx(95 + 61 + 190 + 42 + 640 + 52)
    assert cost.initiator_other_us.median == pytest.approx(600 + 50)
    assert cost.responder_other_us.median == pytest.approx(640 + 52)
    assert cost.setups_per_second.median == pytest.approx(1e6 / cost.responder_us.median)
    whole = sum(part.initiator_us.median for part in cost.parts if part.initiator_us is not None)
    assert whole == pytest.approx(cost.initiator_us.median)


@pytest.mark.parametrize(
    ("measured", "authentication", "expected"),
    [
        ([PSK, SIGNED], None, SIGNED),
        ([PSK, SIGNED], "psk", PSK),
        ([PSK, OLD], None, PSK),
        # Certificates change the messages more than another group does.
        ([PSK, "ikev2:aes128-sha256-x25519:ecdsa-384"], None, "ikev2:aes128-sha256-x25519:ecdsa-384"),
        (["ikev2:aes128-sha256-x25519-ke1_mlkem768:psk", "ikev2:aes128-sha256-modp2048:psk"], "psk",
         "ikev2:aes128-sha256-modp2048:psk"),
    ],
)  # fmt: skip
def test_the_nearest_set_stands_for_the_recommended_one(
    make_dataset: MakeDataset, measured: list[str], authentication: str | None, expected: str
) -> None:
    dataset = make_dataset(stack=dict.fromkeys(measured, 1.0))
    cost = stack_of(dataset, Requirements(authentication=authentication))
    assert cost is not None
    assert cost.measured_set == expected
    assert cost.same_set == (expected == SIGNED)


def test_the_order_of_rows_does_not_matter(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(stack={row.name: 1.0 + 0.1 * number for number, row in enumerate(SETS)})
    turned = replace(dataset, measurements=tuple(reversed(dataset.measurements)))
    assert stack_of(dataset) == stack_of(turned)


@pytest.mark.parametrize("names", [[OLD], ["tls:aes128:psk"], ["ikev2:aes128-sha256-x25519"], ["ikev2:rot13:psk"]])
def test_what_says_nothing_about_the_answer_is_passed_over(make_dataset: MakeDataset, names: list[str]) -> None:
    assert stack_of(make_dataset(stack=dict.fromkeys(names, 1.0))) is None


def test_a_set_without_figures_at_both_ends_is_passed_over(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(stack={SIGNED: 1.0})
    rows = tuple(
        replace(row, status=Status.SKIPPED, samples=(), ns_per_operation=None)
        if row.workload.tier is Tier.HANDSHAKE and row.workload.operation == "io-responder"
        else row
        for row in dataset.measurements
    )
    assert stack_of(replace(dataset, measurements=rows)) is None


def test_the_reason_says_what_the_figure_is(make_dataset: MakeDataset) -> None:
    answer = recommend(make_dataset(stack={PSK: 1.0}), load_policy("modern"))
    (text,) = (reason.text for reason in answer.phase1.reasons if "tier handshake" in reason.text)
    assert PSK in text
    assert "nearest" in text
    assert "in Python and not a daemon in C" in text
    assert "78%" in text  # (640 + 52) of 61 + 95 + 42 + 640 + 52
    plain = answer.to_dict()["phase1"]["handshake"]["stack"]
    assert plain["measured_set"] == PSK
    assert plain["parts"][2]["initiator_us"] is None
