"""A recommendation for a product: it can be written, or the policy is named; and it never falls below the policy.

The oracles are the targets' own refusals, the presets of peers (another hand's transcription) and the program's gate,
which reads configurations and knows nothing of recommendations.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.audit.findings import Grade
from ipsecbench.audit.recognition import read
from ipsecbench.audit.verdict import judge
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import PolicyError
from ipsecbench.export.abilities import abilities, both
from ipsecbench.export.connection import Connection
from ipsecbench.export.fitting import Again, Fitted, fit
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import Target, find_target, target_names
from ipsecbench.recommend import recommend
from ipsecbench.recommend.formats import rate
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.peer import LISTS, Peer
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import POLICIES, load_policy
from ipsecbench.recommend.policies.records import Permission
from ipsecbench.recommend.reasons import Role
from ipsecbench.recommend.requirements.records import Requirements
from tests.unit.export.test_vendor_presets import NEWER, PAIRS

DATASETS = Path(__file__).parents[3] / "datasets"
NOTHING_FITS = {
    "modern": {"iked@linux", "ios-ikev1", "routeros", "windows-netipsec", "windows-rras"},
    "nist": {"ios-ikev1"},
}
"""What cannot run what a policy allows: IKE's ciphers of `modern` are combined modes, and both policies want IKEv2."""


OTHER_SOURCES = NEWER | {
    *(("opnsense", field, "chacha20poly1305") for field in ("ike_encryption", "esp_suites")),
    *(("opnsense", "authentication", name) for name in ("ed25519", "ed448")),
}
"""Targets that were written from newer sources (docs/export-targets.md) than the preset."""


@cache
def _dataset(name: str) -> Dataset:
    return read_dataset(DATASETS / f"{name}.ipsecbench.json")


@cache
def _answer(name: str, policy: str, requirements: Requirements) -> Recommendation:
    return recommend(_dataset(name), load_policy(policy), requirements)


def _again(name: str, policy: str) -> Again:
    """Recommends; peers that differ in their name alone get the same answer, made once."""

    def answer(requirements: Requirements) -> Recommendation:
        peer = requirements.peer
        nameless = None if peer is None else replace(peer, name="the product")
        return _answer(name, policy, replace(requirements, peer=nameless))

    return Again(load_policy(policy), answer)


def _fit(target: Target, version: str, name: str, policy: str, wanted: Requirements | None = None) -> Fitted:
    without = _answer(name, policy, wanted or Requirements())
    return fit(target, version, without, _again(name, policy), connection_of)


@pytest.mark.parametrize("policy", NOTHING_FITS)
@pytest.mark.parametrize("name", ["example", "epyc-no-aes"])
@pytest.mark.parametrize("word", target_names())
def test_what_is_recommended_for_a_product_can_be_written_or_the_policy_is_named(
    word: str, name: str, policy: str
) -> None:
    target = find_target(word)
    for version in target.versions:
        if {word, f"{word}@{version}"} & NOTHING_FITS[policy]:
            with pytest.raises(PolicyError, match=policy):
                _fit(target, version, name, policy)
            continue
        fitted = _fit(target, version, name, policy)
        for view in (fitted.connection, fitted.connection.mirrored()):
            files = target.files(view, version)
            assert files
            if word != "json":
                for line in fitted.lines:
                    assert line.split()[0] in files[0].text
        _never_below_the_policy(fitted, policy)
        assert bool(fitted.differences) == bool(
            target.refuse(connection_of(_answer(name, policy, Requirements())), version)
        )


def _never_below_the_policy(fitted: Fitted, name: str) -> None:
    policy, answer, connection = load_policy(name), fitted.recommendation, fitted.connection
    parts = {
        Role.IKE_ENCRYPTION: connection.ike.encryption,
        Role.PRF: connection.ike.prf,
        Role.KEY_EXCHANGE: connection.ike.key_exchange,
        Role.AUTHENTICATION: connection.authentication,
        Role.ESP_SUITE: answer.phase2.suite,
    }
    for role, part in parts.items():
        assert policy.permission(role, part) is Permission.ALLOWED, part
    least = policy.number("minimum_strength_bits")
    assert min(answer.phase1.strength_bits, answer.phase2.strength_bits) >= least
    swanctl = find_target("swanctl")
    (text, *_) = (file.text for file in swanctl.files(connection, "5.9"))
    bad = [each for each in judge(read(text), policy).findings if each.grade in (Grade.WARN, Grade.FAIL)]
    assert not bad


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "article"])
@pytest.mark.parametrize(("word", "preset"), PAIRS.items())
def test_a_product_has_nothing_that_its_preset_has_not(word: str, preset: str, policy: str) -> None:
    name, _, wanted = word.partition("@")
    target, peer = find_target(name), load_peer(preset)
    for version in [wanted] if wanted else target.versions:
        found = abilities(target, version, load_policy(policy)).peer
        for field in LISTS:
            for each in getattr(found, field) or ():
                known = (preset, field, each) in OTHER_SOURCES or peer.has(field, each) is not False
                assert known or peer.is_uncertain(field, each), (word, version, field, each)
        assert not found.esn or peer.esn is not False or peer.is_uncertain("esn"), (word, version)


def test_what_nobody_has_a_word_for_is_named_and_priced() -> None:
    fitted = _fit(find_target("vyos"), "1.5", "example", "modern")
    (esn, life) = fitted.differences
    assert (esn.what, esn.without, esn.here) == ("extended sequence numbers", "on", "off")
    assert esn.reasons == find_target("vyos").refuse(connection_of(_answer("example", "modern", Requirements())), "1.5")
    assert life.reasons == ()
    assert "4294967295 packets" in life.here  # 2^32 - 1: all that 32-bit numbers count (RFC 4303 section 2.2)
    assert fitted.cost.startswith("What it costs: no strength (128 bits); no throughput (")


def test_what_it_costs_in_throughput_and_set_ups() -> None:
    """Without AES instructions ChaCha20-Poly1305 is fastest, and IOS-XE has none."""
    fitted = _fit(find_target("ios-xe"), "17.12", "epyc-no-aes", "modern")
    without = _answer("epyc-no-aes", "modern", Requirements())
    assert (without.phase2.suite, fitted.recommendation.phase2.suite) == ("chacha20poly1305", "aes128gcm16")
    here, there = (
        each.phase2.candidate.headline.one_way_mbit_per_second.median for each in (fitted.recommendation, without)
    )
    assert here < there
    assert f"one core carries {rate(here)} instead of {rate(there)}" in fitted.cost
    assert "set-up takes the responder" in fitted.cost
    text = find_target("ios-xe").files(fitted.connection, "17.12")[0].text
    assert text.isascii()
    assert " us instead of " in text


def test_what_only_goes_together_is_settled_together() -> None:
    """PAN-OS takes the PRF from the group: beside AES-256-GCM and group 19 it is HMAC-SHA-256."""
    fitted = _fit(find_target("panos"), "11.1", "epyc", "modern")
    ike = fitted.connection.ike
    assert (ike.encryption, ike.key_exchange, ike.prf) == ("aes256gcm16", "ecp256", "prfsha256")
    assert _answer("epyc", "modern", Requirements()).phase1.prf == "prfsha384"


def test_a_product_that_can_say_it_gets_the_very_recommendation() -> None:
    fitted = _fit(find_target("swanctl"), "5.9", "example", "modern")
    assert fitted.recommendation is _answer("example", "modern", Requirements())
    assert fitted.lines == ()
    assert fitted.connection.provenance.differences == ()


def test_the_product_and_the_other_end_both_count() -> None:
    wanted = Requirements(peer=Peer("an old one", key_exchange=frozenset({"ecp384", "x25519"})))
    fitted = _fit(find_target("asa"), "9.20", "example", "modern", wanted)
    assert fitted.connection.ike.key_exchange == "ecp384"


def test_what_two_have_in_common() -> None:
    first = Peer("one", prf=frozenset({"prfsha256", "prfsha384"}), esn=True, ike_versions=frozenset({1, 2}))
    second = Peer("two", prf=frozenset({"prfsha384"}), esn=None, child_seconds=600, key_exchange=frozenset({"ecp256"}))
    common = both(first, second)
    assert (common.prf, common.esn, common.ike_versions) == (frozenset({"prfsha384"}), True, frozenset({1, 2}))
    assert (common.key_exchange, common.child_seconds) == (frozenset({"ecp256"}), 600)
    assert both(first, replace(second, esn=False)).esn is False
    assert both(replace(first, esn=False), replace(second, esn=True)).esn is False


@pytest.mark.parametrize(
    ("requirements", "word", "reason"),
    [
        (Requirements(mode="gre"), "pfsense", "not in gre mode"),
        (Requirements(nat_traversal=True), "iked", "encapsulate"),
    ],
)
def test_what_is_no_matter_of_algorithms_stays_refused(requirements: Requirements, word: str, reason: str) -> None:
    target = find_target(word)
    version = target.versions[0]
    fitted = _fit(target, version, "example", "modern", requirements)
    refusals = target.refusals(fitted.connection, version)
    assert len([line for line in refusals if reason in line]) == 1 == len(refusals)
    assert not any(reason in line for line in fitted.lines)


def test_an_authentication_that_was_asked_for_is_not_exchanged() -> None:
    with pytest.raises(PolicyError, match="ecdsa-256"):
        _fit(find_target("routeros"), "7", "example", "nist", Requirements(authentication="ecdsa-256"))


def _only(first: Callable[[Connection], bool]) -> Target:
    """A target that writes what a predicate holds of."""
    return replace(
        find_target("swanctl"),
        refuse=lambda connection, version: () if first(connection) else ("it has no such thing",),
    )


def test_a_choice_that_leads_nowhere_is_given_up() -> None:
    """A product whose Child SAs need AES-256 unless they go without perfect forward secrecy, which the policy wants."""
    target = _only(lambda one: one.esp.encryption == "aes256gcm16" or one.esp.key_exchange is None)
    fitted = _fit(target, "5.9", "example", "modern")
    assert fitted.connection.esp.encryption == "aes256gcm16"
    assert fitted.connection.esp.key_exchange is not None


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_product_has_the_set_is_there_and_not_below_the_policy(seed: int) -> None:
    """Products with random parts of everything; AES-256 goes with some of its groups only."""
    choose = random.Random(seed)
    has = {name for table in (ENCRYPTION, INTEGRITY, PRF, KEY_EXCHANGE) for name in table if choose.random() < 0.6}
    has |= {"aes256", "sha256", "prfsha256", "modp2048"}  # so that there is a plain connection
    with_aes256 = {name for name in KEY_EXCHANGE if choose.random() < 0.6} | {"modp2048"}

    def writes(one: Connection) -> bool:
        exchanges = {one.ike.key_exchange, one.esp.key_exchange or one.ike.key_exchange}
        names = {one.ike.encryption, one.ike.prf, one.esp.encryption, *exchanges}
        names |= {name for name in (one.ike.integrity, one.esp.integrity) if name is not None}
        return names <= has and (one.ike.encryption != "aes256gcm16" or one.ike.key_exchange in with_aes256)

    fits = {abilities(_only(writes), "5.9", load_policy(policy)).ike != frozenset() for policy in NOTHING_FITS}
    for policy in NOTHING_FITS:
        with contextlib.suppress(PolicyError):
            fitted = _fit(_only(writes), "5.9", "example", policy)
            assert writes(fitted.connection)
            _never_below_the_policy(fitted, policy)
            fits.discard(True)
    assert True not in fits
