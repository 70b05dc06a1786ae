"""Requirement levels and policies against the collected facts on standards (November 2026), copied here as they stand.

``standards_levels.csv`` has what was read in each document of every transform, ``profiles.json`` the profiles that were
made of it (section I of the facts). Neither is made from the program's own tables. "(M)" marks what was not read.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.requirement_levels import STANDARDS, standing
from ipsecbench.recommend.policies.policy import Permission, load_policy
from ipsecbench.recommend.reasons import Role

HERE = Path(__file__).parent
FACTS = list(csv.DictReader((HERE / "standards_levels.csv").read_text(encoding="utf-8").splitlines()))
TABLES = {"ENCR": ENCRYPTION, "PRF": PRF, "INTEG": INTEGRITY, "KE": KEY_EXCHANGE}
BY_TOKEN = {(row["type"], row["token"]): row for row in FACTS}
TOKENS = {row["id"]: row["token"] for row in FACTS}
PROFILES: dict[str, dict[str, Any]] = {
    profile["id"]: profile for profile in json.loads((HERE / "profiles.json").read_text(encoding="utf-8"))["profiles"]
}
MODERN, POST_QUANTUM = "modern", "pq-hybrid"


@pytest.mark.parametrize("transform", TABLES)
def test_every_level_is_what_was_read(transform: str) -> None:
    for name in TABLES[transform]:
        row, found = BY_TOKEN[transform, name], standing(transform, name)
        for key in STANDARDS:
            text = row[key]
            if not text:
                assert key not in found.levels, (name, key)
                continue
            level = found.levels[key]
            assert level.verified is not text.endswith("(M)"), (name, key)
            assert level.text == text.removesuffix("(M)").strip(), (name, key)
        assert found.iana_status == row["iana_status"], name


def test_every_column_of_the_facts_is_read() -> None:
    assert set(STANDARDS) == set(FACTS[0]) - {"type", "id", "token", "iana_status", "strength_bits"}


@pytest.mark.parametrize("transform", ["KE"])
def test_strengths_of_key_exchanges_are_those_of_the_facts(transform: str) -> None:
    for name, method in KEY_EXCHANGE.items():
        assert str(method.strength_bits) == BY_TOKEN[transform, name]["strength_bits"], name


PAIRS = {
    "pq-hybrid": "post-quantum",
    "modern": "modern",
    "nist-800-77r1": "nist",
    "cnsa1": "cnsa1",
    "cnsa2": "cnsa2",
    "bsi-tr-02102-3": "bsi",
}
"""Profile of the facts to the policy that is made of it."""
EXACT = ("pq-hybrid", "cnsa1", "cnsa2")
"""Profiles that a policy follows to the letter; the others are widened by what cells.csv has from the levels."""


def names(policy: str, role: Role) -> set[str]:
    return {line.name for line in load_policy(policy).lines[role]}


@pytest.mark.parametrize("profile", PAIRS)
def test_a_policy_has_what_its_profile_has(profile: str) -> None:
    facts, policy = PROFILES[profile], PAIRS[profile]
    parts = {
        Role.KEY_EXCHANGE: facts["ke"],
        Role.ADDITIONAL_KEY_EXCHANGE: facts["addke"],
        Role.PRF: facts["prf"],
        Role.IKE_ENCRYPTION: facts["ike_encr"],
        Role.IKE_INTEGRITY: [name for name in facts["integ"] if name != "none"],
    }
    for role, ids in parts.items():
        wanted, has = {TOKENS[each] for each in ids}, names(policy, role)
        assert wanted <= has, (role, wanted - has)
        if profile in EXACT:
            assert wanted == has, role
    assert [int(line.name) for line in load_policy(policy).ike_versions] == facts["ike_versions"]


@pytest.mark.parametrize("profile", PAIRS)
def test_the_esp_suites_of_a_profile_are_in_its_policy(profile: str) -> None:
    facts, policy = PROFILES[profile], PAIRS[profile]
    wanted = set()
    for cipher in (TOKENS[each] for each in facts["esp_encr"]):
        if ENCRYPTION[cipher].aead:
            wanted.add(cipher)
        else:
            wanted |= {f"{cipher}-{TOKENS[each]}" for each in facts["esp_integ"] if each != "none"}
    has = names(policy, Role.ESP_SUITE)
    assert wanted <= has, wanted - has
    assert profile not in EXACT or wanted == has


@pytest.mark.parametrize("profile", PAIRS)
def test_the_lives_of_a_profile_are_those_of_its_policy(profile: str) -> None:
    facts, policy = PROFILES[profile], load_policy(PAIRS[profile])
    for key, setting in (
        ("ike_rekey_s", "ike_rekey_seconds"),
        ("ike_max_s", "ike_maximum_seconds"),
        ("esp_rekey_s", "child_rekey_seconds"),
        ("esp_max_s", "child_maximum_seconds"),
    ):
        if facts.get(key) is not None:
            assert policy.number(setting) == facts[key], setting
    assert policy.word("perfect_forward_secrecy") == "required"


def test_what_the_facts_say_is_never_to_be_recommended_is_in_no_policy_but_the_article_and_a_last_resort() -> None:
    never = PROFILES["never"]
    ciphers = {token for each in never["encr"] if (token := TOKENS.get(each))}
    hashes = {token for each in never["integ"] if (token := TOKENS.get(each))}
    exchanges = {TOKENS[each] for each in never["ke"]}
    for name in ("modern", "nist", "cnsa1", "cnsa2", "bsi", "anssi", "post-quantum", "legacy-interop"):
        policy = load_policy(name)
        for role, refused in ((Role.IKE_ENCRYPTION, ciphers), (Role.KEY_EXCHANGE, exchanges)):
            bad = {each for each in refused if policy.permission(role, each) is not Permission.REFUSED}
            # legacy-interop ends with 3DES, SHOULD NOT in RFC 8221, with a warning of its own.
            assert bad <= ({"3des"} if name == "legacy-interop" else set()), (name, bad)
        for suite in names(name, Role.ESP_SUITE):
            cipher, _, integrity = suite.partition("-")
            assert cipher not in ciphers
            assert integrity not in hashes
