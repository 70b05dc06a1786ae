"""What each policy makes of the shipped dataset: a set that the policy permits, with every warning that it owes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.choice.policy_warnings import chosen_parts
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.policies.policy import POLICIES, Permission, load_policy
from ipsecbench.recommend.reasons import Role


@pytest.fixture(scope="module")
def answers() -> dict[str, Recommendation]:
    example: Dataset = read_dataset(Path(__file__).parents[3] / "datasets" / "example.ipsecbench.json")
    return {name: recommend(example, load_policy(name)) for name in POLICIES}


@pytest.mark.parametrize("name", POLICIES)
def test_everything_that_is_recommended_is_permitted(name: str, answers: dict[str, Recommendation]) -> None:
    policy, answer = load_policy(name), answers[name]
    for role, part in chosen_parts(answer.phase1, answer.phase2.suite):
        line = policy.line(role, part)
        assert line is not None, (role, part)
        assert line.recommended, (role, part)
    assert answer.phase1.lifetime.hard_seconds <= policy.number("ike_maximum_seconds")
    assert answer.phase2.lifetime.hard_seconds <= policy.number("child_maximum_seconds")
    assert (answer.phase2.key_exchange is not None) == (policy.word("perfect_forward_secrecy") == "required")


@pytest.mark.parametrize("name", POLICIES)
def test_every_accepted_and_every_unverified_part_is_warned_of(name: str, answers: dict[str, Recommendation]) -> None:
    policy, answer = load_policy(name), answers[name]
    texts = [warning.text for warning in answer.warnings]
    for role, part in chosen_parts(answer.phase1, answer.phase2.suite):
        accepted = policy.accepts(role, part)
        if accepted is not None:
            assert policy.permission(role, part) is Permission.ACCEPTED
            assert any(accepted.text in text for text in texts), part
        line = policy.line(role, part)
        if line is not None and not line.verified:
            assert any(text.startswith("Unverified") and part in text for text in texts), part
    for note in policy.notes:
        assert note in answer.warnings


AES_GCM = {("aes128gcm16", "prfsha256"), ("aes256gcm16", "prfsha384")}
AES_256 = {("aes256gcm16", "prfsha384")}
EXPECTED = {
    "modern": AES_GCM,
    "nist": AES_GCM,
    "cnsa1": AES_256,
    "cnsa2": AES_256,
    "bsi": AES_GCM,
    "anssi": AES_256,
    "post-quantum": AES_256,
    "legacy-interop": AES_GCM,
    "article": {("aes128-md5", "prfsha1")},
}
"""ESP suites with the PRF that goes with them: what a document leaves of them on a box with AES instructions."""


@pytest.mark.parametrize("name", POLICIES)
def test_each_policy_has_a_suite_that_its_document_leaves(name: str, answers: dict[str, Recommendation]) -> None:
    assert (answers[name].phase2.suite, answers[name].phase1.prf) in EXPECTED[name]


def test_the_article_gets_exactly_what_it_sets(answers: dict[str, Recommendation]) -> None:
    """Phase 1: main mode, PSK, HMAC-SHA1, AES-256, group 2, 86400 s. Phase 2: HMAC-MD5, AES-128, 43200 s, no PFS."""
    phase1, phase2 = answers["article"].phase1, answers["article"].phase2
    assert (phase1.ike_version, phase1.authentication) == (1, "psk")
    assert load_policy("article").word("ikev1_exchange_mode") == "main"
    assert (phase1.encryption, phase1.integrity, phase1.prf, phase1.key_exchange) == (
        "aes256",
        "sha1",
        "prfsha1",
        "modp1024",
    )
    assert phase1.proposal == "aes256-sha1-modp1024"
    assert (phase2.proposal, phase2.key_exchange, phase2.esn, phase2.mode) == ("aes128-md5", None, False, "tunnel")
    assert (phase1.lifetime.hard_seconds, phase2.lifetime.hard_seconds) == (86_400, 43_200)
    assert not phase1.fallback_proposals
    assert not phase2.fallback_proposals


def test_every_risk_of_the_article_is_warned_of(answers: dict[str, Recommendation]) -> None:
    texts = " ".join(warning.text for warning in answers["article"].warnings)
    for risk in ("IKEv1", "group 2 is SHOULD NOT", "Logjam", "MUST-", "HMAC-MD5 is MUST NOT", "published"):
        assert risk in texts, risk
    for risk in ("forward secrecy is off", "28800", "about 80 bits"):
        assert risk in texts, risk


def test_cnsa2_says_that_its_signature_is_missing(answers: dict[str, Recommendation]) -> None:
    answer = answers["cnsa2"]
    assert answer.phase1.authentication == "ecdsa-384"
    assert any("ML-DSA-87" in text and "does not comply" in text for text in (w.text for w in answer.warnings))


@pytest.mark.parametrize(
    ("name", "method"), [("post-quantum", "mlkem768"), ("cnsa2", "mlkem1024"), ("bsi", "mlkem768")]
)
def test_hybrids_have_their_additional_exchange(name: str, method: str, answers: dict[str, Recommendation]) -> None:
    phase1, phase2 = answers[name].phase1, answers[name].phase2
    assert phase1.additional_key_exchanges == (method,)
    assert phase2.additional_key_exchanges == (method,)
    assert phase1.proposal.endswith(f"-ke1_{method}")
    assert load_policy(name).line(Role.ADDITIONAL_KEY_EXCHANGE, method) is not None
