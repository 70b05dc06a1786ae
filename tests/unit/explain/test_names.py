"""What people call things resolves to what they mean.

``spellings.csv`` has how products write each algorithm, copied from the collected facts (November 2026; sources: the
products' own code and documentation), without lines that are no name: whole commands and key lengths in octets.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.audit.unassessed import UNASSESSED
from ipsecbench.errors import UsageError
from ipsecbench.explain.claims import all_claims, find_claim
from ipsecbench.explain.concepts import concepts, families, family_of
from ipsecbench.explain.explanation import explain
from ipsecbench.explain.figures import FIGURES
from ipsecbench.explain.names import MOST_CHARACTERS, all_subjects, find_subject, nearest
from ipsecbench.explain.policy_standing import policies
from ipsecbench.explain.subjects import Kind, member, table_members

SPELLINGS = list(csv.DictReader((Path(__file__).parent / "spellings.csv").read_text(encoding="utf-8").splitlines()))

# The issue's and the article's own words, each with what it means: a row of a table, or a concept.
SAID = {
    "group2": "modp1024", "modp1024": "modp1024", "dh14": "modp2048", "19": "ecp256", "group 19": "ecp256",
    "group 5": "modp1536", "aes512": "aes512", "AES512": "aes512", "aes256": "aes256", "AES128": "aes128",
    "aes128gcm16": "aes128gcm16", "gcm": "gcm", "cbc": "cbc", "3des": "3des", "triple DES": "3des", "DES": "des",
    "blowfish": "blowfish", "twofish": "twofish", "rc4": "rc4", "rsa": "rsa", "md5": "md5", "HMAC-MD5": "md5",
    "sha1": "sha1", "HMAC-SHA1": "sha1", "none": "none", "null": "null", "pfs": "pfs",
    "Perfect Forward Secrecy": "pfs", "esn": "esn", "replay window": "replay window", "lifetime": "lifetime",
    "key life": "lifetime", "24 hours": "24 hours", "86400 seconds": "24 hours", "nat-t": "nat-t", "mtu": "mtu",
    "mss": "mtu", "tunnel": "tunnel", "transport": "transport", "gre": "gre", "ipip": "ipip", "IP-in-IP": "ipip",
    "esp": "esp", "ah": "ah", "ike": "ike", "ikev1": "ikev1", "ikev2": "ikev2", "main mode": "main mode",
    "aggressive mode": "aggressive mode", "psk": "psk", "Pre-shared key": "psk", "rsa-2048": "rsa-2048",
    "ecdsa": "certificates", "mlkem768": "mlkem768", "ke1_mlkem768": "mlkem768", "ppk": "ppk",
    "aes128-sha256": "aes128-sha256", "modern": "modern", "post-quantum": "post-quantum",
    "ENCR_AES_GCM_16": "ENCR_AES_GCM_16", "ENCR_3DES": "3des", "AUTH_HMAC_SHA2_256_128": "sha256",
    "PRF_HMAC_SHA2_384": "prfsha384", "esp-gcm 256": "aes256gcm16", "GCMAES256": "aes256gcm16",
    "aes-256-cbc": "aes256", "aes_gcm256": "aes256gcm16", "Diffie-Hellman Group 14": "modp2048",
    "phase 1": "ike", "phase 2": "esp",
}  # fmt: skip


@pytest.mark.parametrize(("text", "name"), SAID.items())
def test_what_the_issue_and_the_article_say_is_known(text: str, name: str) -> None:
    assert find_subject(text).name == name


@pytest.mark.parametrize("row", SPELLINGS, ids=lambda row: f"{row['product']}: {row['spelling']}")
def test_products_spellings_are_known(row: dict[str, str]) -> None:
    assert row["token"] in [each.name for each in find_subject(row["spelling"]).members]


def test_everything_in_the_tables_is_known_by_its_name() -> None:
    for each in table_members():
        subject = find_subject(each.name)
        # A combined mode is a suite by itself, and the transform is what is explained.
        assert subject.concept is not None or each.name in [one.name for one in subject.members], each
    assert all(find_subject(name).name in (name, "idea", "rc4") for _, name in UNASSESSED if not name.startswith("prf"))
    assert all(find_subject(name).members[0].kind is Kind.ESP_SUITE for name in esp_suites() if "-" in name)


def test_every_algorithm_has_a_description_and_all_sources_are_known() -> None:
    for each in table_members():
        if each.kind not in (Kind.ESP_SUITE, Kind.UNASSESSED):
            assert family_of(each) is not None, each
    cited = {key for family in families() for key in family.sources}
    cited |= {key for concept in concepts().values() for key in concept.sources}
    cited |= {key for claim in all_claims() for key in claim.sources}
    assert cited <= set(sources())


def test_the_data_names_only_what_exists() -> None:
    known = {name for policy in policies() for name in policy.settings} | {"child_maximum_bytes"}
    for concept in concepts().values():
        assert concept.sources, concept.name
        assert set(concept.figures) <= set(FIGURES)
        assert set(concept.settings) <= known, concept.name
        assert all(member(reference).name for reference in concept.members)
        assert all(find_subject(name) for name in concept.see)
        assert find_subject(concept.name).concept == concept.name
    for claim in all_claims():
        assert claim.about
        assert all(find_subject(name).name == name for name in claim.about), claim.name


def test_no_name_is_given_to_two_things() -> None:
    named: dict[str, str] = {}
    for concept in concepts().values():
        for alias in (concept.name, *concept.aliases):
            assert find_subject(alias).concept == named.setdefault(alias.lower(), concept.name), alias
    for claim in all_claims():
        for said in (claim.text, *claim.aliases):
            assert find_claim(said) is claim
            with pytest.raises(UsageError):
                find_subject(said)


@pytest.mark.parametrize("text", ["aes256-sha1-modp1024", "aes256-sha1-modp1024/aes128-md5", "aes128gcm16-x25519"])
def test_a_whole_proposal_is_sent_to_its_judge(text: str) -> None:
    with pytest.raises(UsageError, match="policy check"):
        find_subject(text)


def test_an_unknown_name_offers_what_is_near() -> None:
    with pytest.raises(UsageError, match="blowfish"):
        find_subject("blowfsh")
    assert "modp1024" in nearest("modp1O24")
    assert nearest("§§§") == ()


@settings(deadline=None)
@given(st.text(max_size=2 * MOST_CHARACTERS))
def test_hostile_names_are_known_or_refused_in_one_line(text: str) -> None:
    try:
        assert find_subject(text).name
    except UsageError as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) < 600
    claim = find_claim(text)
    assert claim is None or claim in all_claims()


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(sorted(SAID)), st.sampled_from(" -_./,"), st.booleans())
def test_case_and_punctuation_do_not_matter(text: str, mark: str, upper: bool) -> None:
    changed = text.replace(" ", mark).replace("-", mark)
    assert find_subject(changed.upper() if upper else changed) == find_subject(text)


def test_everything_that_is_listed_can_be_explained() -> None:
    for subject in all_subjects():
        found = explain(subject)
        assert found.title, subject.name
        assert found.sources, subject.name
        assert found.text or subject.members[0].kind is Kind.POLICY, subject.name
