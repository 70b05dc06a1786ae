"""The verdict on parameters that somebody else chose."""

from __future__ import annotations

import pytest

from ipsecbench.errors import UsageError
from ipsecbench.recommend.policy import load_policy
from ipsecbench.recommend.verdict import Severity, Verdict, judge

MODERN = load_policy("modern")


def subjects(verdict: Verdict, severity: Severity) -> set[str]:
    return {finding.subject for finding in verdict.findings if finding.severity is severity}


def test_the_parameters_that_articles_of_old_recommend_are_refused() -> None:
    verdict = judge("aes256-sha1-modp1024", "aes128-md5", MODERN, ike_seconds=86_400, child_seconds=43_200)
    assert not verdict.acceptable
    assert verdict.strength_bits == 80
    assert subjects(verdict, Severity.REFUSE) == {"modp1024", "aes128-md5"}
    assert subjects(verdict, Severity.WARN) == {"prfsha1", "modp1024", "pfs", "lifetime"}
    cited = {source for finding in verdict.findings for source in finding.reason.sources}
    assert {"logjam", "rfc8247", "rfc8221", "nist77"} <= cited
    assert all(finding.reason.sources for finding in verdict.findings)
    # 24 hours is the longest life allowed for the IKE SA; 12 hours is too long for the Child SA.
    lives = [f.reason.text for f in verdict.findings if f.subject == "lifetime" and f.severity is Severity.WARN]
    assert len(lives) == 1
    assert lives[0].startswith("43200 s is longer than the 28800 s")


def test_what_the_program_recommends_is_accepted_without_a_word_against_it() -> None:
    verdict = judge(
        "aes128gcm16-prfsha256-ecp256", "aes128gcm16-ecp256-esn", MODERN, ike_seconds=15_840, child_seconds=3960
    )
    assert verdict.acceptable
    assert verdict.findings == ()
    assert verdict.strength_bits == 128


def test_encryption_without_integrity_is_refused() -> None:
    verdict = judge("aes128gcm16-prfsha256-ecp256", "aes256-ecp256", MODERN)
    assert subjects(verdict, Severity.REFUSE) == {"aes256"}


@pytest.mark.parametrize(
    ("ike", "esp", "severity", "subject"),
    [
        ("aes256-sha256-modp2048", "aes256-sha256-modp2048", Severity.NOTE, "modp2048"),
        ("aes256-sha256-modp2048", "aes256-sha256-modp2048", Severity.WARN, "modp2048"),
        ("aes128gcm16-prfsha256-ecp384", "aes128gcm16-x25519", Severity.WARN, "x25519"),
        ("aes128gcm16-prfsha256-x25519", "3des-sha1-x25519", Severity.WARN, "3des"),
        ("aes128gcm16-prfsha256-x25519", "twofish128-sha256-x25519", Severity.REFUSE, "twofish128-sha256"),
        ("3des-md5-modp768", "des-md5", Severity.REFUSE, "prfmd5"),
        ("aes128gcm16-prfsha256-x25519", "null-sha256-x25519", Severity.REFUSE, "null-sha256"),
    ],
)
def test_weak_parts_are_named(ike: str, esp: str, severity: Severity, subject: str) -> None:
    assert subject in subjects(judge(ike, esp, MODERN), severity)


def test_what_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="rc4"):
        judge("rc4-md5-modp1024", "aes128-md5", MODERN)
