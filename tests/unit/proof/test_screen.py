"""The screen of a proof: every line within its width, nothing that matters left out; and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ipsecbench.bench.measurement import Estimate
from ipsecbench.cli.recommend_prove import render_proof
from ipsecbench.proof.judgement import PROVES_NOT, judge
from ipsecbench.proof.records import Difference, DirectionProof, Proof, SetProof, SetUpProof

OUTBOUND = DirectionProof(
    "outbound", Estimate(846, 769, 939), Estimate(804, 800, 808), 804 / 846 - 1, True, Estimate(743, 740, 746)
)
INBOUND = DirectionProof(
    "inbound",
    Estimate(1405, 1308, 1500),
    Estimate(1700, 1690, 1710),
    1700 / 1405 - 1,
    False,
    Estimate(1568, 1, 1600),
    box_change=0.22,
)
FIRST = SetProof(
    "recommended", 2, "aes256gcm16-prfsha384-x25519", "ecdsa-256", "aes256gcm16", "aes256gcm16-x25519-esn", "tunnel",
    skipped=None,
    pfs="rekeyed with a key exchange of its own (x25519): perfect forward secrecy",
    set_up=SetUpProof(Estimate(3.93, 3.8, 4.1), "whole set-up, both ends: this set", True, Estimate(4.5, 4.1, 5.2)),
    directions=(OUTBOUND, INBOUND),
    encapsulation="none",
    compared_encapsulation="udp",
    carried_mbit_per_second=743,
)  # fmt: skip


def a_proof(*sets: SetProof, **changes: Any) -> Proof:
    outcome, verdict = judge(sets, goal_open=False)
    plain = Proof("a processor", 1, "agent", "imix-simple", sets, outcome, verdict, None, (), PROVES_NOT)
    return replace(plain, **changes)


def words_of(proof: Proof) -> str:
    text = render_proof(proof)
    assert all(len(line) <= 100 for line in text.splitlines())
    return " ".join(text.split())


def test_predicted_and_measured_stand_side_by_side() -> None:
    words = words_of(a_proof(FIRST))
    assert "IKEv2 aes256gcm16-prfsha384-x25519, auth ecdsa-256; ESP aes256gcm16-x25519-esn, tunnel mode" in words
    assert "negotiated exactly, at both ends; rekeyed with a key exchange of its own (x25519)" in words
    assert "set-up predicted 3.93 ms (whole set-up, both ends: this set), measured 4.5 ms [4.1–5.2]" in words
    assert "outbound predicted 846 [90%: 769–939], measured 804, -5.0%: inside" in words
    assert "inbound predicted 1405 [90%: 1308–1500], measured 1700, +21.0%: OUTSIDE THE INTERVAL" in words
    assert "OUTSIDE THE INTERVAL; packet loop +22% against the dataset's" in words
    assert "itself outbound 743, inbound 1568 with ESP as IP protocol 50, as negotiated" in words
    assert "VERDICT OUTSIDE THE STATED 90% INTERVAL: inbound 1700 Mbit/s, predicted 1405 [1308–1500]" in words
    assert "Proves not the kernel's own IPsec" in words
    assert "a network:" in words
    assert "any other box" in words


def test_what_is_not_as_recommended_is_listed() -> None:
    wrong = (Difference("peer", "mode", "tunnel", "transport"), Difference("local", "ESP in UDP", "True", "False"))
    words = words_of(a_proof(replace(FIRST, differences=wrong)))
    assert "negotiated NO: mode is transport at the peer end, not tunnel" in words
    assert "negotiated NO: ESP in UDP is False at the local end, not True" in words
    assert "exactly, at both ends" not in words


def test_what_was_not_run_or_not_set_up_says_why() -> None:
    skipped = replace(FIRST, skipped="no library has mlkem768", directions=(), set_up=None)
    absent = SetProof("runner-up", 0, "", "", "", "", "", skipped="there is no second choice")
    failed = replace(skipped, skipped=None, failure="lab was not set up: no proposal chosen")
    words = words_of(a_proof(skipped, absent))
    assert "NOT RUN: no library has mlkem768" in words
    assert "Runner-up not run: there is no second choice" in words
    assert "NOT SET UP: lab was not set up: no proposal chosen" in words_of(a_proof(failed))


def test_a_rate_without_prediction_is_not_compared() -> None:
    bare = [replace(each, predicted=None, error=None, inside=None) for each in (OUTBOUND, INBOUND)]
    bound = SetUpProof(
        Estimate(0.5, 0.4, 0.6), "cryptography of both ends alone, a lower bound", False, Estimate(4, 3, 5)
    )
    proof = a_proof(
        replace(FIRST, directions=tuple(bare), set_up=bound), not_compared="another plane", doubts=("no priority",)
    )
    words = words_of(proof)
    assert "outbound measured 804, nothing to compare it with" in words
    assert "set-up at least 0.5 ms (cryptography of both ends alone, a lower bound), measured 4 ms" in words
    assert "Not compared another plane" in words
    assert "! no priority" in words
    assert "VERDICT NEGOTIATED EXACTLY" in words


def test_the_same_as_json() -> None:
    document = json.loads(json.dumps(a_proof(FIRST).to_dict(), allow_nan=False))
    assert (document["outcome"], document["exit_code"]) == ("unstable", 4)
    (first,) = document["sets"]
    assert first["negotiated_exactly"] is True
    assert first["meets_goal"] is None
    assert first["directions"][1]["inside"] is False
    assert first["directions"][0]["predicted"] == {"median": 846, "lower": 769, "upper": 939}
