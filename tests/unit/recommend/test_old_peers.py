"""Peers that lack something: proposals for old peers in the first place, perfect forward secrecy, what is uncertain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.policies.records import Setting
from ipsecbench.recommend.reasons import ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")
LEGACY = load_policy("legacy-interop")

OLD = Peer(
    "old box",
    ike_versions=frozenset({1}),
    key_exchange=frozenset({"modp1024", "modp1536", "modp2048"}),
    prf=frozenset({"prfsha1"}),
    ike_encryption=frozenset({"3des", "aes128"}),
    ike_integrity=frozenset({"sha1"}),
    esp_suites=frozenset({"3des-sha1", "aes128-sha1"}),
    authentication=frozenset({"psk"}),
    esn=False,
)


def test_the_first_proposal_that_an_old_peer_has_takes_the_first_place(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), LEGACY, Requirements(peer=OLD))
    assert found.phase1.proposal == "aes128-sha1-modp2048"
    assert found.phase2.suite == "aes128-sha1"
    assert found.phase2.key_exchange == "modp2048"
    assert found.phase1.authentication == "psk"
    assert found.target_strength_bits == 112
    assert found.phase1.fallback_proposals == found.phase2.fallback_proposals == ("3des-sha1-modp2048",)
    said = [warning.text for warning in found.warnings]
    assert any(text.startswith("aes128-sha1: HMAC-SHA1 is not broken") for text in said)
    assert "old box can use nothing that policy" in found.phase1.reasons[0].text


def test_what_the_policy_lists_first_is_excluded_by_the_peer_and_not_by_the_policy(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), LEGACY, Requirements(peer=replace(OLD, ike_versions=None)))
    against = {(e.role, e.name): (e.kind, e.reason.text) for e in found.exclusions}
    for role, lines in LEGACY.lines.items():
        for line in lines:
            kind, text = against.get((role, line.name), (ExclusionKind.PEER, ""))
            assert kind is not ExclusionKind.NOT_IN_POLICY, (role, line.name, text)
    assert against[Role.ESP_SUITE, "aes128gcm16"] == (ExclusionKind.PEER, "old box does not have aes128gcm16")
    # What the policy does not list at all is still the policy's.
    assert against[Role.ESP_SUITE, "camellia128-sha256"][0] is ExclusionKind.NOT_IN_POLICY
    # A method that the peer has, of a first choice that it has not whole.
    peer = replace(OLD, ike_versions=None, key_exchange=frozenset({"modp2048", "ecp256"}))
    other = recommend(make_dataset(), LEGACY, Requirements(peer=peer))
    (ecp256,) = (e for e in other.exclusions if (e.role, e.name) == (Role.KEY_EXCHANGE, "ecp256"))
    assert (ecp256.kind, "is taken whole" in ecp256.reason.text) == (ExclusionKind.PEER, True)


def test_only_what_the_peer_lacks_is_replaced(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), LEGACY, Requirements(peer=replace(OLD, esp_suites=None, ike_versions=None)))
    assert found.phase1.proposal == "aes128-sha1-modp2048"
    assert found.phase2.suite == "aes128gcm16"
    last = recommend(make_dataset(), LEGACY, Requirements(peer=replace(OLD, esp_suites=frozenset({"3des-sha1"}))))
    # The last resort stands in spite of the limit of its 64-bit blocks, with its warning.
    assert last.phase2.suite == "3des-sha1"
    assert any("Sweet32" in warning.text for warning in last.warnings)


def test_a_policy_without_proposals_for_old_peers_says_what_is_missing(make_dataset: MakeDataset) -> None:
    with pytest.raises(PolicyError, match="old box does not have"):
        recommend(make_dataset(), MODERN, Requirements(peer=replace(OLD, ike_versions=None)))
    with pytest.raises(PolicyError, match="old box does not have"):
        recommend(make_dataset(), LEGACY, Requirements(peer=OLD, min_strength_bits=128))


def test_perfect_forward_secrecy_takes_what_the_peer_has_for_child_sas(make_dataset: MakeDataset) -> None:
    peer = Peer("other list", child_key_exchange=frozenset({"modp3072", "ecp384", "modp1024"}))
    found = recommend(make_dataset(), MODERN, Requirements(peer=peer))
    assert found.phase1.key_exchange == "ecp256"
    # 800 µs against 1530; modp1024 is weaker and no choice of the policy.
    assert found.phase2.key_exchange == "ecp384"
    assert found.phase2.proposal == "aes128gcm16-ecp384-esn"
    none = Requirements(peer=Peer("none", child_key_exchange=frozenset()))
    with pytest.raises(PolicyError, match=r"policy modern .* requires perfect forward secrecy"):
        recommend(make_dataset(), MODERN, none)
    preferred = Setting("prefer", Reason("As you like.", ("nist77",)))
    relaxed = replace(MODERN, settings=MappingProxyType({**MODERN.settings, "perfect_forward_secrecy": preferred}))
    without = recommend(make_dataset(), relaxed, none)
    assert without.phase2.key_exchange is None


def test_a_policy_that_wants_the_same_group_in_both_phases_takes_no_other(make_dataset: MakeDataset) -> None:
    same = Setting("same", Reason("CNSA 1.0 does.", ("rfc9206",)))
    strict = replace(MODERN, settings=MappingProxyType({**MODERN.settings, "child_key_exchange": same}))
    assert recommend(make_dataset(), strict).phase2.key_exchange == "ecp256"
    peer = Peer("other list", child_key_exchange=frozenset({"ecp384"}))
    with pytest.raises(PolicyError, match="wants phase 1's own method"):
        recommend(make_dataset(), strict, Requirements(peer=peer))


def test_what_is_not_certain_of_a_peer_is_said(make_dataset: MakeDataset) -> None:
    peer = Peer(
        "vague box",
        esp_suites=frozenset({"aes256gcm16", "aes128-sha1"}),
        key_exchange=frozenset({"x25519", "modp3072"}),
        uncertain=frozenset({"esp_suites", "key_exchange.x25519"}),
        notes=(Reason("It reboots at night.", ()),),
    )
    found = recommend(make_dataset(), MODERN, Requirements(peer=peer))
    assert (found.phase2.suite, found.phase1.key_exchange) == ("aes256gcm16", "x25519")
    said = [warning.text for warning in found.warnings]
    assert any("do not confirm that vague box has x25519, aes256gcm16" in text for text in said)
    assert "It reboots at night." in said
    lost = {e.name: e for e in found.excluded(Role.ESP_SUITE)}
    assert lost["aes128gcm16"].kind is ExclusionKind.PEER
    assert lost["aes128gcm16"].reason.text == "vague box is not known to have aes128gcm16"
    assert "vague box does not have ecp256" in next(
        e.reason.text for e in found.excluded(Role.KEY_EXCHANGE) if e.name == "ecp256"
    )
