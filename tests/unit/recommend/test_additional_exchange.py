"""The additional key exchange: required, preferred or off, measured or not, at the peer or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.bench.measurement import Status
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.choice.additional_exchange import choose_additional
from ipsecbench.recommend.choice.ends import End
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import Policy, load_policy
from ipsecbench.recommend.reasons import ExclusionKind
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.rules import Rules

MakeDataset = Callable[..., Dataset]
HYBRID = load_policy("post-quantum")


@pytest.fixture(scope="module")
def example() -> Dataset:
    """The shipped dataset, which has ML-KEM 768 and 1024 from the package cryptography."""
    return read_dataset(Path(__file__).parents[3] / "datasets" / "example.ipsecbench.json")


def rules(policy: Policy, requirements: Requirements | None = None) -> Rules:
    return Rules(policy, requirements or Requirements())


def test_where_it_was_measured_the_cheapest_is_chosen(example: Dataset) -> None:
    found = choose_additional(rules(HYBRID), (End("box", example),))
    # 768 does less work than 1024 on any machine, and the policy's minimum of 128 bits lets it.
    assert found.names == ("mlkem768",)
    assert [(each.name, each.kind) for each in found.exclusions] == [("mlkem1024", ExclusionKind.OTHER_WANTED)]
    assert found.exclusions[0].cost_us is not None
    assert "1184 and 1088 octets" in found.reasons[1].text, "draft-ietf-ipsecme-ikev2-mlkem: sizes of ML-KEM-768"
    assert not found.warnings


def test_more_strength_and_the_objective_of_security_take_the_stronger_one(example: Dataset) -> None:
    for wanted in (Requirements(min_strength_bits=256), Requirements(objective=Objective.SECURITY)):
        assert choose_additional(rules(HYBRID, wanted), (End("box", example),)).names == ("mlkem1024",)


def test_a_policy_that_requires_it_gets_it_without_a_figure_and_says_so(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(unsupported={"mlkem768": "OpenSSL 3.0 has no ML-KEM"})
    found = choose_additional(rules(HYBRID), (End("box", dataset),))
    assert found.names == ("mlkem768",), "the first of the policy's order"
    assert [(each.name, each.kind) for each in found.exclusions] == [("mlkem1024", ExclusionKind.NOT_MEASURED)]
    (warning,) = found.warnings
    assert "mlkem768 was not measured on this box (OpenSSL 3.0 has no ML-KEM)" in warning.text
    assert "ipsecbench bench --only mlkem768" in warning.text
    assert "cryptography" in warning.text


def test_cnsa2_takes_1024_whatever_was_measured(example: Dataset, make_dataset: MakeDataset) -> None:
    for dataset in (example, make_dataset()):
        assert choose_additional(rules(load_policy("cnsa2")), (End("box", dataset),)).names == ("mlkem1024",)


def test_a_policy_that_prefers_it_leaves_it_out_without_a_figure(example: Dataset, make_dataset: MakeDataset) -> None:
    bsi = rules(load_policy("bsi"))
    assert choose_additional(bsi, (End("box", example),)).names == ("mlkem768",)
    found = choose_additional(bsi, (End("box", make_dataset()),))
    assert found.names == ()
    assert {each.kind for each in found.exclusions} == {ExclusionKind.NOT_MEASURED}
    assert "though policy bsi" in found.reasons[0].text


def test_both_ends_have_to_have_it(example: Dataset, make_dataset: MakeDataset) -> None:
    ends = (End("box", example), End("the other box", make_dataset(), remote=True))
    assert choose_additional(rules(load_policy("bsi")), ends).names == ()
    required = choose_additional(rules(HYBRID), ends)
    assert required.names
    assert "not measured at the other box" in required.warnings[0].text


def test_a_peer_without_hybrids_leaves_nothing(example: Dataset) -> None:
    box = (End("box", example),)
    without = Requirements(peer=Peer("Old Box", additional_key_exchange=frozenset()))
    with pytest.raises(PolicyError, match=r"requires an additional key exchange .*Old Box does not have mlkem768"):
        choose_additional(rules(HYBRID, without), box)
    assert choose_additional(rules(load_policy("bsi"), without), box).names == ()
    strong_only = Requirements(peer=Peer("New Box", additional_key_exchange=frozenset({"mlkem1024"})))
    assert choose_additional(rules(HYBRID, strong_only), box).names == ("mlkem1024",)


def test_ikev1_has_none(example: Dataset) -> None:
    box = (End("box", example),)
    with pytest.raises(PolicyError, match="IKEv1 has no additional key exchange"):
        choose_additional(rules(HYBRID), box, ike_version=1)
    assert choose_additional(rules(load_policy("bsi")), box, ike_version=1).names == ()


def test_most_policies_want_none(example: Dataset) -> None:
    for name in ("modern", "nist", "cnsa1", "anssi", "legacy-interop", "article"):
        found = choose_additional(rules(load_policy(name)), (End("box", example),))
        assert (found.names, found.exclusions, found.reasons, found.warnings) == ((), (), (), ())


def test_an_implementation_that_failed_its_check_is_never_chosen(example: Dataset) -> None:
    rows = tuple(
        replace(row, status=Status.FAILED, ns_per_operation=None, message="a wrong shared secret")
        if row.workload.algorithm == "mlkem768"
        else row
        for row in example.measurements
    )
    found = choose_additional(rules(HYBRID), (End("box", replace(example, measurements=rows)),))
    assert found.names == ("mlkem1024",)
    assert [each.kind for each in found.exclusions] == [ExclusionKind.INCORRECT]


def test_the_answer_proposes_it_in_both_phases(example: Dataset) -> None:
    found = recommend(example, HYBRID)
    assert found.phase1.additional_key_exchanges == found.phase2.additional_key_exchanges == ("mlkem768",)
    assert found.phase1.proposal.endswith("-ke1_mlkem768")
    assert found.phase2.proposal.endswith("-ke1_mlkem768-esn")
    assert any("mlkem768 beside it" in reason.text for reason in found.phase1.reasons)
