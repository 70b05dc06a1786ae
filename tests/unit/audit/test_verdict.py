"""The verdict on parameters that somebody else chose, against what the standards and docs/recommendation.md say."""

from __future__ import annotations

import pytest

from ipsecbench.audit.findings import Grade
from ipsecbench.audit.verdict import ConnectionVerdict, judge_proposals
from ipsecbench.errors import UsageError
from ipsecbench.recommend.policies.policy import load_policy

MODERN = load_policy("modern")


def subjects(verdict: ConnectionVerdict, grade: Grade) -> set[str]:
    return {finding.subject for finding in verdict.findings if finding.grade is grade}


def test_the_parameters_that_articles_of_old_recommend_fail() -> None:
    verdict = judge_proposals(
        "aes256-sha1-modp1024", "aes128-md5", MODERN, ike_seconds=86_400, child_seconds=43_200
    )  # fmt: skip
    assert verdict.grade is Grade.FAIL
    assert verdict.strength_bits == 80
    assert subjects(verdict, Grade.FAIL) == {"modp1024", "aes128-md5"}
    # To be replaced: HMAC-SHA1 as hash and PRF, CBC in a policy of combined modes; no PFS; the Child SA's life.
    assert subjects(verdict, Grade.WARN) == {"aes256", "sha1", "prfsha1", "Child SA"}
    cited = {source for finding in verdict.findings for reason in finding.reasons for source in reason.sources}
    assert {"logjam", "rfc8247", "rfc8221", "nist77", "nist57"} <= cited
    assert all(finding.reason.sources for finding in verdict.findings)
    # 24 hours is the longest life allowed for the IKE SA; 12 hours is too long for the Child SA.
    lives = {finding.subject: finding for finding in verdict.findings if finding.about == "life"}
    assert lives["IKE SA"].grade is Grade.OK
    assert lives["Child SA"].reason.text.startswith("43200 s is longer than the 28800 s")
    tunnel = next(finding for finding in verdict.findings if finding.about == "combination")
    assert "a tunnel of about 80 bits" in tunnel.reason.text


def test_what_the_program_recommends_is_accepted_without_a_word_against_it() -> None:
    verdict = judge_proposals(
        "aes128gcm16-prfsha256-ecp256", "aes128gcm16-ecp256-esn", MODERN, ike_seconds=15_840, child_seconds=3960
    )
    assert verdict.grade is Grade.OK
    assert {finding.grade for finding in verdict.findings} == {Grade.OK}
    assert verdict.strength_bits == 128


def test_encryption_without_integrity_fails() -> None:
    verdict = judge_proposals("aes128gcm16-prfsha256-ecp256", "aes256-ecp256", MODERN)
    assert subjects(verdict, Grade.FAIL) == {"aes256"}


@pytest.mark.parametrize(
    ("ike", "esp", "grade", "subject"),
    [
        ("aes256-sha256-modp2048", "aes256-sha256-modp2048", Grade.NOTE, "modp2048"),
        ("aes256-sha256-modp2048", "aes256-sha256-modp2048", Grade.WARN, "modp2048"),
        ("aes128gcm16-prfsha256-ecp384", "aes128gcm16-x25519", Grade.WARN, "x25519"),
        ("aes128gcm16-prfsha256-x25519", "3des-sha1-x25519", Grade.WARN, "3des"),
        ("aes128gcm16-prfsha256-x25519", "twofish128-sha256-x25519", Grade.FAIL, "twofish128-sha256"),
        ("3des-md5-modp768", "des-md5", Grade.FAIL, "prfmd5"),
        ("3des-md5-modp768", "des-md5", Grade.FAIL, "md5"),
        ("aes128gcm16-prfsha256-x25519", "null-sha256-x25519", Grade.FAIL, "null-sha256"),
        ("aes128gcm16-prfsha256-x25519", "camellia256ctr-sha256-x25519", Grade.FAIL, "camellia256ctr-sha256"),
        ("aes256-sha256_96-modp3072", "aes256-sha256_96", Grade.FAIL, "aes256-sha256_96"),
    ],
)
def test_weak_parts_are_named(ike: str, esp: str, grade: Grade, subject: str) -> None:
    assert subject in subjects(judge_proposals(ike, esp, MODERN), grade)


@pytest.mark.parametrize(
    ("ike", "esp", "said"),
    [
        ("rot13-md5-modp1024", "aes128-md5", "'rot13' is no transform known here"),
        ("aes512-sha1-modp1024", "aes128-md5", "AES has keys of 128, 192 and 256 bits only"),
        ("aes256-sha1", "aes128-md5", "no key exchange method"),
        ("aes256-modp2048", "aes128-md5", "no PRF"),
        ("aes256-aes128gcm16-sha256-modp2048", "aes128-md5", "cannot stand in one proposal"),
        ("aes256-sha256-modp2048", "sha256-modp2048", "no encryption transform"),
        ("aes256--sha1-modp1024", "aes128", "missing between two"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(ike: str, esp: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        judge_proposals(ike, esp, MODERN)


def test_every_transform_that_is_offered_counts_not_only_the_first() -> None:
    verdict = judge_proposals("aes256gcm16-prfsha384-ecp384-modp1024", "aes256gcm16-ecp384", MODERN)
    assert "modp1024" in subjects(verdict, Grade.FAIL)
    assert verdict.strength_bits == 80
