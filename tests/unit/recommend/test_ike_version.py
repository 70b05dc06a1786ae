"""IKEv1: when it is chosen, what it cannot name (from the closed registries), and the article's very parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.ike_version import not_in_ikev1
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.policies.records import Setting
from ipsecbench.recommend.reasons import ExclusionKind, Role
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")
LEGACY = load_policy("legacy-interop")
ARTICLE = load_policy("article")


@pytest.mark.parametrize(
    ("role", "name", "there"),
    [
        # RFC 2409 appendix A and the IANA registry "IPSEC Encryption Algorithm": CBC only.
        (Role.IKE_ENCRYPTION, "aes256", True),
        (Role.IKE_ENCRYPTION, "3des", True),
        (Role.IKE_ENCRYPTION, "aes128gcm16", False),
        (Role.IKE_ENCRYPTION, "chacha20poly1305", False),
        # RFC 2409 section 6, RFC 3526, RFC 5903, RFC 6932; RFC 8031 and later are IKEv2's alone.
        (Role.KEY_EXCHANGE, "modp1024", True),
        (Role.KEY_EXCHANGE, "modp8192", True),
        (Role.KEY_EXCHANGE, "ecp521", True),
        (Role.KEY_EXCHANGE, "ecp512bp", True),
        (Role.KEY_EXCHANGE, "x25519", False),
        (Role.KEY_EXCHANGE, "x448", False),
        (Role.KEY_EXCHANGE, "mlkem768", False),
        # RFC 2409 appendix A, RFC 4868 section 4.
        (Role.PRF, "prfsha1", True),
        (Role.PRF, "prfsha512", True),
        (Role.PRF, "prfaesxcbc", False),
        (Role.IKE_INTEGRITY, "sha384", True),
        (Role.IKE_INTEGRITY, "aesxcbc", False),
        # RFC 2409, RFC 4754; Ed25519 and Ed448 need RFC 7427, which IKEv1 does not have.
        (Role.AUTHENTICATION, "psk", True),
        (Role.AUTHENTICATION, "rsa-3072", True),
        (Role.AUTHENTICATION, "ecdsa-384", True),
        (Role.AUTHENTICATION, "ed25519", False),
        # RFC 2407 section 4.4.4 and the registry "IPSEC ESP Transform Identifiers": RFC 4106 and 4309 have numbers.
        (Role.ESP_SUITE, "aes128gcm16", True),
        (Role.ESP_SUITE, "aes256ccm16", True),
        (Role.ESP_SUITE, "aes256-sha512", True),
        (Role.ESP_SUITE, "aes128-aescmac", False),
        (Role.ESP_SUITE, "chacha20poly1305", False),
        (Role.ADDITIONAL_KEY_EXCHANGE, "mlkem768", False),
    ],
)
def test_what_ikev1_has_a_number_for(role: Role, name: str, there: bool) -> None:
    reason = not_in_ikev1(role, name)
    assert (reason is None) == there
    assert reason is None or reason.sources == ("rfc9395",)


def test_the_article_gives_exactly_what_the_article_sets(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), ARTICLE)
    assert (found.phase1.ike_version, found.phase1.exchange_mode) == (1, "main")
    assert (found.phase1.proposal, found.phase1.authentication) == ("aes256-sha1-modp1024", "psk")
    assert found.phase1.lifetime.hard_seconds == 86400
    assert (found.phase2.proposal, found.phase2.mode) == ("aes128-md5", "tunnel")
    assert (found.phase2.key_exchange, found.phase2.esn) == (None, False)
    said = " ".join(warning.text for warning in found.warnings)
    for word in (
        "IKEv1: deprecated",
        "modp1024: group 2",
        "aes128-md5: HMAC-MD5 is MUST NOT",
        "Perfect forward secrecy",
    ):
        assert word in said


def test_ikev2_is_taken_where_the_peer_has_both_and_ikev1_with_a_warning_where_it_has_nothing_else(
    make_dataset: MakeDataset,
) -> None:
    both = recommend(make_dataset(), LEGACY, Requirements(peer=Peer("both", ike_versions=frozenset({1, 2}))))
    assert (both.phase1.ike_version, both.phase1.exchange_mode) == (2, None)
    assert not any(warning.text.startswith("IKEv1: deprecated") for warning in both.warnings)
    only = recommend(make_dataset(), LEGACY, Requirements(peer=Peer("only", ike_versions=frozenset({1}))))
    assert (only.phase1.ike_version, only.phase1.exchange_mode) == (1, "main")
    assert only.warnings[0].text.startswith("IKEv1: deprecated")
    asked = recommend(make_dataset(), LEGACY, Requirements(ike_version=1))
    assert asked.phase1.ike_version == 1


def test_phase_1_of_ikev1_has_no_combined_mode_and_its_prf_is_that_of_the_hash(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), LEGACY, Requirements(ike_version=1))
    assert found.phase1.proposal == "aes256-sha256-modp2048"
    assert (found.phase1.integrity, found.phase1.prf) == ("sha256", "prfsha256")
    lost = {e.name: e for e in found.excluded(Role.IKE_ENCRYPTION)}
    assert lost["aes128gcm16"].kind is ExclusionKind.NO_NUMBER
    assert "no combined modes" in lost["aes128gcm16"].reason.text
    # What was promoted is not offered a second time.
    assert found.phase1.fallback_proposals == ("aes128-sha1-modp2048", "3des-sha1-modp2048")
    assert "lists first for IKE" in found.phase1.reasons[0].text
    # Phase 2 keeps its combined mode, which has a number in IKEv1 too.
    assert found.phase2.suite == "aes128gcm16"


def test_a_version_that_the_policy_does_not_list_is_refused_with_what_to_do(make_dataset: MakeDataset) -> None:
    with pytest.raises(PolicyError, match=r"IKEv1: not in policy modern.*legacy-interop"):
        recommend(make_dataset(), MODERN, Requirements(ike_version=1))
    with pytest.raises(PolicyError, match=r"IKEv2: .*main mode"):
        recommend(make_dataset(), ARTICLE, Requirements(ike_version=2))
    with pytest.raises(PolicyError, match="old box does not have IKEv2"):
        recommend(make_dataset(), MODERN, Requirements(peer=Peer("old box", ike_versions=frozenset({1}))))
    with pytest.raises(PolicyError, match="old box does not have IKEv2"):
        recommend(
            make_dataset(), LEGACY, Requirements(ike_version=2, peer=Peer("old box", ike_versions=frozenset({1})))
        )


def test_aggressive_mode_with_a_pre_shared_key_is_never_recommended(make_dataset: MakeDataset) -> None:
    mode = Setting("aggressive", ARTICLE.settings["ikev1_exchange_mode"].reason)
    settings = MappingProxyType({**ARTICLE.settings, "ikev1_exchange_mode": mode})
    with pytest.raises(PolicyError, match="offline"):
        recommend(make_dataset(), replace(ARTICLE, settings=settings))
