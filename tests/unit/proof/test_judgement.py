"""What is held against what, and what comes of it: each parameter, each verdict, each exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.dataset.store import read_dataset
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.lab.trials.proof_bed import HeldSet
from ipsecbench.lab.trials.proof_trial import Carried
from ipsecbench.proof import judgement
from ipsecbench.proof.judgement import Comparison
from ipsecbench.proof.records import Difference, DirectionProof, Outcome, SetProof
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from tests.unit.export.connections import a_connection

ROOT = Path(__file__).resolve().parents[3]
CONNECTION = a_connection()
IKEV1 = a_connection(
    ike_version=1,
    ike=IkeAlgorithms("aes256", "sha1", "prfsha1", "modp1024"),
    esp=EspAlgorithms("aes128", "md5", None),
)


def held(**changes: Any) -> HeldSet:
    """What an end has that has exactly CONNECTION, from the local end, before any rekeying."""
    plain = HeldSet(
        end="local",
        ike_version=2,
        ike_proposal="aes256gcm16-prfsha384-ecp384",
        authentication="psk",
        remote_identity="198.51.100.1",
        encryption="aes256gcm16",
        integrity=None,
        esn=True,
        key_exchanges=(),
        mode="tunnel",
        layering="none",
        udp_encapsulation=False,
        replay_window_packets=128,
        ike_life=Lifetime(Limit(14400, 15840, 1440)),
        child_seconds_left=3959.2,
        child_seconds_between=500.0,
        child_hard_bytes=11e11,
        child_hard_packets=22e8,
    )
    return replace(plain, **changes)


def direction(measured: float, *, inside: bool | None = True, half: float = 5.0) -> DirectionProof:
    predicted = None if inside is None else Estimate(1000, 900, 1100)
    rate = Estimate(measured, measured - half, measured + half)
    return DirectionProof("outbound", predicted, rate, None if predicted is None else measured / 1000 - 1, inside, rate)


def a_set(name: str = "recommended", **changes: Any) -> SetProof:
    plain = SetProof(
        name, 2, "aes256gcm16-prfsha384-ecp384", "psk", "aes256gcm16", "aes256gcm16-ecp384-esn", "tunnel",
        skipped=None, directions=(direction(990), direction(1010)), encapsulation="udp", compared_encapsulation="udp",
        carried_mbit_per_second=990,
    )  # fmt: skip
    return replace(plain, **changes)


def test_an_end_that_holds_exactly_this_differs_in_nothing() -> None:
    assert judgement.differences(CONNECTION, held(), rekeyed=False) == ()
    again = held(key_exchanges=("ecp384",))
    assert judgement.differences(CONNECTION, again, rekeyed=True) == ()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"ike_version": 1}, "IKE version"),
        ({"ike_proposal": "aes256gcm16-prfsha384-ecp256"}, "IKE proposal"),
        ({"authentication": "pubkey"}, "authentication"),
        ({"remote_identity": "192.0.2.9"}, "identity of the other end"),
        ({"encryption": "aes128gcm16"}, "ESP encryption"),
        ({"integrity": "sha256"}, "ESP integrity"),
        ({"esn": False}, "extended sequence numbers"),
        ({"key_exchanges": ("ecp384",)}, "key exchange of the Child SA"),
        ({"mode": "transport"}, "mode"),
        ({"layering": "gre"}, "layering"),
        ({"udp_encapsulation": True}, "ESP in UDP"),
        ({"replay_window_packets": 64}, "anti-replay window"),
        ({"ike_life": Lifetime(Limit(14400, 14400))}, "IKE SA's life"),
        ({"ike_life": Lifetime()}, "IKE SA's life"),
        ({"child_hard_bytes": None}, "Child SA's last octet"),
        ({"child_hard_packets": 22e8 - 1}, "Child SA's last packet"),
        ({"child_seconds_left": 7000.0}, "Child SA's life"),
        ({"child_seconds_left": 3000.0}, "Child SA's life"),
        ({"child_seconds_left": None}, "Child SA's life"),
        # rekey 3600, end 3960, spread 360: 360 to 720 s before the end.
        ({"child_seconds_between": 359.0}, "Child SA's life"),
        ({"child_seconds_between": 721.0}, "Child SA's life"),
    ],
)
def test_each_parameter_that_an_end_has_otherwise_is_named(changes: dict[str, Any], what: str) -> None:
    (found,) = judgement.differences(CONNECTION, held(**changes), rekeyed=False)
    assert (found.end, found.what) == ("local", what)
    assert found.wanted != found.held


def test_a_rekeying_without_its_key_exchange_is_a_difference() -> None:
    (found,) = judgement.differences(CONNECTION, held(), rekeyed=True)
    assert found == Difference("local", "key exchange of the Child SA", "ecp384", "none")


@pytest.mark.parametrize("rekeyed", [False, True])
def test_ikev1_has_its_group_at_once_or_never(rekeyed: bool) -> None:
    ours = held(
        ike_version=1, ike_proposal="aes256-sha1-modp1024", encryption="aes128", integrity="md5", esn=False,
        # 11e11 octets are 1074218750 kilobytes, as IKEv1 counts them.
        child_hard_bytes=1074218750 * 1024,
    )  # fmt: skip
    assert judgement.differences(IKEV1, ours, rekeyed=rekeyed) == ()
    with_group = replace(IKEV1, esp=EspAlgorithms("aes128", "md5", "modp1024"))
    (found,) = judgement.differences(with_group, ours, rekeyed=rekeyed)
    assert found.wanted == "modp1024"


@pytest.mark.parametrize(
    ("connection", "exchanges", "words"),
    [
        (CONNECTION, ("ecp384",), "a key exchange of its own (ecp384): perfect forward secrecy"),
        (CONNECTION, ("x25519", "mlkem768"), "(x25519 and mlkem768)"),
        (IKEV1, (), "as recommended: no perfect forward secrecy"),
        (CONNECTION, (), "although it was asked for: no perfect forward secrecy"),
    ],
)
def test_what_a_rekeying_did_is_said(connection: Connection, exchanges: tuple[str, ...], words: str) -> None:
    assert words in judgement.pfs_text(connection, held(key_exchanges=exchanges))


@pytest.mark.parametrize(
    ("share", "carried"),
    # 400 out, 600 in: a core that does half of each needs 0.5/400 + 0.5/600 s for a megabit.
    [(None, 400.0), (0.5, 480.0), (1.0, 400.0), (0.0, 600.0)],
)
def test_what_the_goal_counts(share: float | None, carried: float) -> None:
    rates = {"outbound": Estimate(400, 390, 410), "inbound": Estimate(600, 590, 610)}
    found = judgement.carried_of_goal(Requirements(outbound_share=share), rates)
    assert found == pytest.approx(carried)


@pytest.mark.parametrize(
    ("sets", "outcome", "words"),
    [
        ([a_set()], Outcome.PROVEN, "PROVEN on this box"),
        ([a_set(), a_set("runner-up", skipped="no second choice")], Outcome.PROVEN, "PROVEN"),
        # 90% intervals: only those of the recommended set decide.
        ([a_set(), a_set("runner-up", directions=(direction(700, inside=False),))], Outcome.PROVEN, "PROVEN"),
        ([a_set(directions=(direction(880, inside=False),))], Outcome.UNSTABLE,
         "OUTSIDE THE STATED 90% INTERVAL: outbound 880 Mbit/s, predicted 1000 [900–1100]"),
        ([a_set(directions=(direction(1000, half=60),))], Outcome.UNSTABLE, "UNSTABLE: outbound"),
        ([a_set(directions=(direction(1000, inside=None),))], Outcome.PROVEN, "NEGOTIATED EXACTLY"),
        ([a_set(wanted_mbit_per_second=800)], Outcome.PROVEN, "carries what the goal asks"),
        ([a_set(wanted_mbit_per_second=991)], Outcome.NOT_MET, "GOAL MISSED: one core carries 990 of the 991"),
        # The goal goes before the interval, negotiation before both.
        ([a_set(wanted_mbit_per_second=991, directions=(direction(880, inside=False),))], Outcome.NOT_MET, "GOAL"),
        ([a_set(unmeasured="of 1536 packets 3 were lost", directions=())], Outcome.UNSTABLE,
         "NOT MEASURED: negotiated exactly, but its traffic was not: of 1536 packets 3 were lost"),
        ([a_set(failure="no proposal chosen", directions=())], Outcome.NOT_MET, "was not set up (no proposal chosen)"),
        ([a_set(differences=(Difference("peer", "mode", "tunnel", "transport"),))], Outcome.NOT_MET,
         "the recommended set differs: mode is transport at the peer end, not tunnel"),
        ([a_set(), a_set("runner-up", failure="timed out")], Outcome.NOT_MET, "the runner-up set was not set up"),
        ([a_set(skipped="no library has mlkem768", directions=(), carried_mbit_per_second=None)], Outcome.NOT_RUN,
         "NOT RUN: no library has mlkem768"),
    ],
)  # fmt: skip
def test_what_comes_of_the_sets(sets: list[SetProof], outcome: Outcome, words: str) -> None:
    found, verdict = judgement.judge(sets, goal_open=False)
    assert found is outcome
    assert words in verdict
    assert "\n" not in verdict


def test_a_rate_is_held_against_its_prediction_and_the_box_against_what_it_was() -> None:
    model = CostModel(read_dataset(ROOT / "datasets/lab.ipsecbench.json"))
    prediction = model.predict(esp_suites()["aes128gcm16"], Traffic(size_bytes=1400))
    assert prediction is not None
    low, high = prediction.outbound_mbit_per_second.lower * 0.99, prediction.inbound_mbit_per_second.upper * 0.99
    rates = {"outbound": Estimate(low, low, low), "inbound": Estimate(high, high, high)}
    loops = {"outbound": Estimate(220, 219, 221), "inbound": Estimate(200, 199, 201)}
    then = {"outbound": Estimate(200, 199, 201)}
    itself = {"outbound": Estimate(1, 1, 1), "inbound": Estimate(2, 2, 2)}
    outbound, inbound = judgement.directions(Comparison(prediction, Carried(rates, loops), then), itself)
    assert (outbound.inside, inbound.inside) == (False, True)
    assert outbound.predicted == prediction.outbound_mbit_per_second
    assert outbound.error == pytest.approx(low / prediction.outbound_mbit_per_second.median - 1)
    # 220 ns instead of 200: the box is a tenth slower in time, 1 - 200/220 in speed.
    assert outbound.box_change == pytest.approx(-1 / 11)
    assert inbound.box_change is None
    assert (outbound.as_negotiated, inbound.as_negotiated) == (itself["outbound"], itself["inbound"])
    _, verdict = judgement.judge([a_set(directions=(outbound, inbound))], goal_open=False)
    assert "(the same packet loop runs -9% against the dataset: the box is not as it was)" in verdict
    faster = replace(outbound, box_change=0.3)
    _, verdict = judgement.judge([a_set(directions=(faster, inbound))], goal_open=False)
    assert "packet loop" not in verdict
    (bare, _) = judgement.directions(Comparison(None, Carried(rates, {}), then), itself)
    assert (bare.predicted, bare.error, bare.inside, bare.box_change) == (None, None, None, None)


def test_a_goal_of_several_cores_stays_open() -> None:
    outcome, verdict = judgement.judge([a_set(wanted_mbit_per_second=500)], goal_open=True)
    assert outcome is Outcome.NOT_MET
    assert verdict.startswith("GOAL OPEN")


def test_the_exit_codes_are_the_documented_ones() -> None:
    assert {each.name: int(each) for each in Outcome} == {"PROVEN": 0, "NOT_RUN": 1, "NOT_MET": 3, "UNSTABLE": 4}
