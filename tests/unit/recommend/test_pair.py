"""Two boxes: what both can do, max-min over both ends, and which end decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ipsecbench.cli.app import app
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import write_dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import GoalVerdict, Recommendation
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.reasons import ExclusionKind, Role
from ipsecbench.recommend.requirements.records import Objective, Requirements

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")


def sets(found: Recommendation) -> tuple[str, ...]:
    return (found.phase1.proposal, found.phase1.authentication, found.phase2.proposal)


def test_the_suite_that_is_best_at_the_worse_end_is_chosen(make_dataset: MakeDataset) -> None:
    """By hand, inbound at 355 octets: x86 308 ns with AES-128-GCM and 632 with ChaCha20-Poly1305; the other box some
    thousands of ns with AES-GCM in software, and about half of that with ChaCha20-Poly1305."""
    fast, slow = make_dataset("x86-aes", label="fast"), make_dataset("arm-no-aes", label="slow")
    assert recommend(fast, MODERN).phase2.suite == "aes128gcm16"
    found = recommend(fast, MODERN, peer_dataset=slow)
    assert found.phase2.suite == "chacha20poly1305"
    assert found.pair is not None
    assert found.pair.box.startswith("slow")
    binding = {each.role: each for each in found.pair.bindings}
    assert binding[Role.ESP_SUITE].end == binding[Role.KEY_EXCHANGE].end == found.pair.goal_end == found.pair.box
    assert binding[Role.ESP_SUITE].there.median < binding[Role.ESP_SUITE].here.median
    # The key exchange takes eight times as long there, whichever it is.
    ratio = binding[Role.KEY_EXCHANGE].there.median / binding[Role.KEY_EXCHANGE].here.median
    assert ratio == pytest.approx(8)
    assert "the other end decides" in binding[Role.KEY_EXCHANGE].text
    # The headline is of the end that carries less.
    alone = recommend(slow, MODERN).phase2.candidate.headline
    assert found.phase2.candidate.headline == alone
    assert [reason.text for reason in found.pair.alone if "this box would take aes128gcm16" in reason.text]
    assert not any("measure it" in reason.text for reason in found.what_would_change_this)


@pytest.mark.parametrize("objective", list(Objective))
def test_both_ends_get_the_same_sets_whichever_asks(make_dataset: MakeDataset, objective: Objective) -> None:
    one, other = make_dataset("x86-aes"), make_dataset("arm-no-aes", without=["ecp256"])
    for wanted in (Requirements(objective=objective), Requirements(objective=objective, goal_mbit_per_second=200)):
        here, there = (
            recommend(one, MODERN, wanted, peer_dataset=other),
            recommend(other, MODERN, wanted, peer_dataset=one),
        )
        assert sets(here) == sets(there)
        assert here.pair is not None
        assert there.pair is not None
        assert here.pair.goal_end == there.box
        assert there.pair.goal_end == there.box


def test_a_box_and_its_twin_get_what_the_box_gets_alone(make_dataset: MakeDataset) -> None:
    box = make_dataset()
    found = recommend(box, MODERN, peer_dataset=box)
    assert sets(found) == sets(recommend(box, MODERN))
    assert found.pair is not None
    assert found.pair.alone == ()
    assert recommend(box, MODERN).pair is None


def test_what_the_other_end_cannot_do_is_out_and_the_reason_names_it(make_dataset: MakeDataset) -> None:
    box = make_dataset()
    missing = make_dataset(without=["ecp256"], unsupported={"aes128gcm16": "its library has no 'aes-128-gcm'"})
    found = recommend(box, MODERN, peer_dataset=replace(missing, label="remote"))
    assert (found.phase1.key_exchange, found.phase2.suite) == ("x25519", "aes256gcm16")
    lost = {e.name: e for e in found.exclusions if e.role in (Role.ESP_SUITE, Role.KEY_EXCHANGE)}
    assert lost["aes128gcm16"].kind is lost["ecp256"].kind is ExclusionKind.NOT_MEASURED
    assert lost["aes128gcm16"].reason.text.startswith("at the other end, remote")
    assert "its library has no" in lost["aes128gcm16"].reason.text
    failed = recommend(box, MODERN, peer_dataset=make_dataset(failed=["aes128gcm16"]))
    lost = {e.name: e for e in failed.excluded(Role.ESP_SUITE)}
    assert lost["aes128gcm16"].kind is ExclusionKind.INCORRECT
    assert "at the other end" in lost["aes128gcm16"].reason.text


def test_nothing_in_common_is_one_line(make_dataset: MakeDataset) -> None:
    other = make_dataset(without=["aes128gcm16", "aes256gcm16", "chacha20poly1305"])
    with pytest.raises(PolicyError, match="at the other end"):
        recommend(make_dataset(), MODERN, peer_dataset=other)


def test_the_goal_is_held_against_the_end_that_carries_less(make_dataset: MakeDataset) -> None:
    fast, slow = make_dataset(), make_dataset("arm-no-aes")
    most = recommend(slow, MODERN).phase2.candidate.headline.one_way_mbit_per_second
    least = recommend(fast, MODERN).phase2.candidate.headline.one_way_mbit_per_second
    assert most.upper < least.lower
    wanted = Requirements(goal_mbit_per_second=(most.upper + least.lower) / 2)
    alone, pair = recommend(fast, MODERN, wanted), recommend(fast, MODERN, wanted, peer_dataset=slow)
    assert alone.goal is not None
    assert pair.goal is not None
    assert (alone.goal.verdict, pair.goal.verdict) == (GoalVerdict.MET, GoalVerdict.MISSED)


def test_the_command_takes_the_other_ends_dataset(make_dataset: MakeDataset, tmp_path: Path) -> None:
    here, there = tmp_path / "here.ipsecbench.json", tmp_path / "there.ipsecbench.json"
    write_dataset(here, make_dataset())
    write_dataset(there, make_dataset("arm-no-aes"))
    result = CliRunner().invoke(app, ["recommend", str(here), "--peer-dataset", str(there)])
    assert result.exit_code == 0, result.output
    assert "ESP    chacha20poly1305-ecp256-esn" in result.output
