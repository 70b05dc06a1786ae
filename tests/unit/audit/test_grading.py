"""Grades of whole connections, against what the standards say; each policy through the proposals it exists for."""

from __future__ import annotations

import pytest

from ipsecbench.audit.changes import changes, passing_pair
from ipsecbench.audit.configuration import Format
from ipsecbench.audit.findings import Grade
from ipsecbench.audit.recognition import read, recognise
from ipsecbench.audit.verdict import ConnectionVerdict, judge, judge_proposals
from ipsecbench.cli.policy_screens import render_verdict
from ipsecbench.recommend.policies.policy import POLICIES, load_policy

MODERN = load_policy("modern")


def swanctl(connection: str, child: str = "", policy: str = "modern") -> ConnectionVerdict:
    text = f"connections {{\n home {{\n{connection}\n children {{ net {{\n{child}\n }} }}\n }}\n}}\n"
    (verdict,) = judge(read(text), load_policy(policy)).connections
    return verdict


def grades(verdict: ConnectionVerdict, about: str) -> dict[str, Grade]:
    return {finding.subject: finding.grade for finding in verdict.findings if finding.about == about}


GOOD = "version = 2\n proposals = aes256gcm16-prfsha384-ecp384"
GOOD_CHILD = "esp_proposals = aes256gcm16-ecp384-esn"


def test_a_good_connection_passes() -> None:
    verdict = swanctl(GOOD, GOOD_CHILD)
    assert verdict.grade is Grade.OK
    assert verdict.strength_bits == 192
    assert changes(verdict, MODERN, Format.SWANCTL) == ()


@pytest.mark.parametrize(
    ("version", "grade"), [("version = 2", {"2": Grade.OK}), ("version = 1", {"1": Grade.FAIL}),
                           ("", {"2": Grade.OK, "1": Grade.WARN})]
)  # fmt: skip
def test_ikev1_is_deprecated_by_rfc_9395(version: str, grade: dict[str, Grade]) -> None:
    verdict = swanctl(f"{version}\n proposals = aes256gcm16-prfsha384-ecp384", GOOD_CHILD)
    assert grades(verdict, "ike-version") == grade
    assert all("rfc9395" in f.reason.sources for f in verdict.findings if f.about == "ike-version" and f.subject == "1")


def test_aggressive_mode_fails_with_a_pre_shared_key_and_warns_without() -> None:
    psk = "version = 1\n aggressive = yes\n local { auth = psk\n }\n remote { auth = psk\n }\n"
    assert grades(swanctl(psk), "exchange-mode") == {"aggressive": Grade.FAIL}
    assert grades(swanctl("version = 1\n aggressive = yes"), "exchange-mode") == {"aggressive": Grade.WARN}
    assert grades(swanctl("version = 1"), "exchange-mode") == {}


@pytest.mark.parametrize(
    ("method", "grade"),
    [
        ("psk", Grade.OK),
        ("rsa-1024", Grade.FAIL),
        ("rsa-2048", Grade.WARN),
        ("rsa-3072", Grade.OK),
        ("rsa-4096-sha256", Grade.OK),
        ("ecdsa-384", Grade.OK),
        ("ike:rsa/pss-3072-sha256", Grade.OK),
        ("pubkey", Grade.NOTE),
        ("eap-tls", Grade.NOTE),
        ("pubkey-sha1", Grade.FAIL),
        ("rsa-3072-sha1-sha256", Grade.WARN),
    ],
)
def test_authentication(method: str, grade: Grade) -> None:
    text = f"{GOOD}\n local {{ auth = {method}\n }}\n remote {{ auth = {method}\n }}\n"
    found = [finding.grade for finding in swanctl(text, GOOD_CHILD).findings if finding.about == "authentication"]
    wanted = {Grade.OK: (Grade.OK, Grade.NOTE)}.get(grade, (grade,))
    assert max(found, key=lambda each: each.rank) in wanted


def test_a_pre_shared_key_conforms_to_nist_and_not_to_cnsa() -> None:
    text = f"{GOOD}\n local {{ auth = psk\n }}\n remote {{ auth = psk\n }}\n"
    assert grades(swanctl(text, GOOD_CHILD, "nist"), "authentication")["psk"] is not Grade.FAIL
    verdict = swanctl(text, GOOD_CHILD, "cnsa1")
    assert any(f.subject == "psk" and f.grade is Grade.FAIL for f in verdict.findings)


def test_a_hash_that_the_policy_does_not_speak_of_is_not_judged() -> None:
    # RFC 9206 takes RSA from 3072 bits with SHA-384.
    text = f"{GOOD}\n local {{ auth = ike:rsa-3072-sha384\n }}\n remote {{ auth = ike:rsa-3072-sha256\n }}\n"
    found = [finding.grade for finding in swanctl(text, GOOD_CHILD, "cnsa1").findings if finding.subject == "rsa-3072"]
    assert sorted(found) == [Grade.FAIL, Grade.NOTE]


@pytest.mark.parametrize(
    ("child", "about", "grade"),
    [
        # RFC 4303 section 3.3.3: an SA ends before 2^32 packets.
        ("esp_proposals = aes256gcm16-ecp384\n life_packets = 5000000000", "sequence-numbers", Grade.WARN),
        ("esp_proposals = aes256gcm16-ecp384", "sequence-numbers", Grade.NOTE),
        # NIST SP 800-67r2: 2^20 blocks of 64 bits, 8 MiB.
        ("esp_proposals = 3des-sha256-ecp384-esn", "data-limit", Grade.FAIL),
        ("esp_proposals = 3des-sha256-ecp384-esn\n life_bytes = 9m", "data-limit", Grade.FAIL),
        ("esp_proposals = 3des-sha256-ecp384-esn\n life_bytes = 8m", "data-limit", Grade.WARN),
        # draft-irtf-cfrg-aead-limits: about 12 TB at an advantage of 2^-50.
        ("esp_proposals = aes256gcm16-ecp384-esn\n life_bytes = 13000g", "data-limit", Grade.WARN),
        ("esp_proposals = aes256gcm16-ecp384-esn", "data-limit", Grade.NOTE),
        # NIST SP 800-77r1: 8 hours; the same or a stronger group.
        ("esp_proposals = aes256gcm16-ecp384-esn\n life_time = 9h", "life", Grade.WARN),
        ("esp_proposals = aes256gcm16-ecp384-esn\n life_time = 8h", "life", Grade.OK),
        ("esp_proposals = aes256gcm16-x25519-esn", "perfect-forward-secrecy", Grade.WARN),
        ("esp_proposals = aes256gcm16-esn", "perfect-forward-secrecy", Grade.WARN),
        ("esp_proposals = aes256gcm16-ecp384-none-esn", "perfect-forward-secrecy", Grade.WARN),
        ("esp_proposals = aes256gcm16-ecp384-esn", "perfect-forward-secrecy", Grade.OK),
        # RFC 8221: encryption needs integrity; AH hides nothing.
        ("esp_proposals = aes256-ecp384-esn", "esp-suite", Grade.FAIL),
        ("esp_proposals = null-sha256-ecp384-esn", "esp-suite", Grade.FAIL),
        ("esp_proposals = aes256gcm16-ecp384-esn\n sha256_96 = yes", "esp-suite", Grade.WARN),
        ("ah_proposals = sha256-ecp384", "esp-suite", Grade.FAIL),
    ],
)
def test_child_sas(child: str, about: str, grade: Grade) -> None:
    found = grades(swanctl(GOOD, child), about)
    assert max(found.values(), key=lambda each: each.rank) is grade


def test_the_life_of_the_ike_sa() -> None:
    found = grades(swanctl(f"{GOOD}\n rekey_time = 24h", GOOD_CHILD), "life")
    assert found == {"IKE SA": Grade.WARN, "Child SA": Grade.OK}
    never = swanctl(f"{GOOD}\n rekey_time = 0", GOOD_CHILD)
    assert grades(never, "life")["IKE SA"] is Grade.WARN


@pytest.mark.parametrize(
    ("policy", "ike", "esp", "grade"),
    [
        # RFC 9206: AES-256-GCM, P-384, SHA-384, and the Child SA's exchange is the IKE SA's.
        ("cnsa1", "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384", Grade.OK),
        ("cnsa1", "aes256gcm16-prfsha512-modp3072", "aes256gcm16-modp3072", Grade.OK),
        ("cnsa1", "aes128gcm16-prfsha384-ecp384", "aes256gcm16-ecp384", Grade.FAIL),
        ("cnsa1", "aes256gcm16-prfsha256-ecp384", "aes256gcm16-ecp384", Grade.FAIL),
        ("cnsa1", "aes256gcm16-prfsha384-ecp384", "aes256gcm16-modp4096", Grade.FAIL),
        # SP 800-77r1: groups 14 to 21; ChaCha20 and Curve25519 are not approved.
        ("nist", "aes128-sha256-modp2048", "aes128-sha256-modp2048", Grade.OK),
        ("nist", "aes128-sha256-modp1024", "aes128-sha256-modp2048", Grade.FAIL),
        ("nist", "chacha20poly1305-prfsha256-ecp256", "aes128gcm16-ecp256", Grade.FAIL),
        ("nist", "aes128-md5-modp2048", "aes128-sha256-modp2048", Grade.FAIL),
        # Hybrids: ML-KEM beside a classical exchange.
        ("post-quantum", "aes256gcm16-prfsha384-x25519-ke1_mlkem768", "aes256gcm16-x25519-ke1_mlkem768", Grade.OK),
        ("post-quantum", "aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519", Grade.FAIL),
        ("post-quantum", "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke1_none", "aes256gcm16-x25519", Grade.FAIL),
        # TR-02102-3 has a minimum of 3000 bits for DH.
        ("bsi", "aes128gcm16-prfsha256-modp2048", "aes128gcm16-modp2048", Grade.FAIL),
        ("bsi", "aes128gcm16-prfsha256-modp3072", "aes128gcm16-modp3072", Grade.OK),
        # What the article sets, under its own policy: never more than a warning, never silent.
        ("article", "aes256-sha1-modp1024", "aes128-md5", Grade.WARN),
        ("legacy-interop", "aes256-sha256-modp2048", "aes256-sha256-modp2048", Grade.WARN),
        ("legacy-interop", "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519-esn", Grade.OK),
    ],
)
def test_policies_grade_what_they_are_for(policy: str, ike: str, esp: str, grade: Grade) -> None:
    verdict = judge_proposals(ike, esp, load_policy(policy))
    assert verdict.grade is grade, [(f.grade, f.about, f.subject, f.reason.text) for f in verdict.findings]


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_proposed_instead_passes(name: str) -> None:
    policy = load_policy(name)
    pair = passing_pair(policy)
    if name == "article":
        assert pair is None  # nothing that it sets is without a warning
        return
    assert pair is not None
    ike, _, esp = pair.partition("/")
    assert judge_proposals(ike, esp, policy).grade is Grade.OK


def test_defaults_that_strongswan_appends_are_judged_and_the_change_is_the_exclamation_mark() -> None:
    text = (
        "conn a\n keyexchange=ikev2\n ike=aes256gcm16-prfsha384-ecp384{0}\n esp=aes256gcm16-ecp384-esn{0}\n auto=add\n"
    )
    (strict,) = judge(read(text.format("!")), MODERN).connections
    (loose,) = judge(read(text.format("")), MODERN).connections
    assert strict.grade is Grade.OK
    assert grades(loose, "ike-encryption")["3des"] is Grade.WARN
    assert all(f.implied for f in loose.findings if f.subject in ("3des", "sha1", "prfsha1"))
    assert changes(loose, MODERN, Format.STRONGSWAN)[0].startswith("end ike= and esp= with '!'")


def test_libreswan_takes_the_ike_groups_for_perfect_forward_secrecy() -> None:
    text = "conn a\n ikev2=insist\n ike=aes_gcm256-sha2_384;dh20\n esp=aes_gcm256\n pfs={}\n auto=start\n"
    (with_pfs,) = judge(read(text.format("yes")), MODERN).connections
    (without,) = judge(read(text.format("no")), MODERN).connections
    assert grades(with_pfs, "perfect-forward-secrecy") == {"Child SA": Grade.OK}
    assert grades(without, "perfect-forward-secrecy") == {"Child SA": Grade.WARN}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("connections { a { } }", Format.SWANCTL),
        ("# c\nwith-psk {\n}\n", Format.SWANCTL),
        ("conn a\n ike=aes128-sha256-modp3072!\n", Format.STRONGSWAN),
        ("config setup\nconn a\n leftauth=psk\n", Format.STRONGSWAN),
        ("conn a\n ike=aes_gcm256-sha2;dh19\n", Format.LIBRESWAN),
        ("conn a\n\tikev2=insist\n", Format.LIBRESWAN),
        ("conn a\n authby=rsasig,ecdsa\n", Format.LIBRESWAN),
        ("192.0.2.1\tNotify message 14 (NO-PROPOSAL-CHOSEN)\n", Format.IKE_SCAN),
        ("aes256-sha1-modp1024/aes128-md5", None),
    ],
)
def test_texts_are_recognised_by_their_content(text: str, found: Format | None) -> None:
    assert recognise(text) is found


def test_connections_of_which_the_same_is_to_be_said_are_shown_once() -> None:
    conn = "conn {}\n keyexchange=ikev2\n ike=aes256-sha1-modp2048!\n esp=aes256gcm16-ecp384!\n auto=add\n"
    verdict = judge(read("".join(conn.format(name) for name in ("one", "two", "three"))), MODERN)
    screen = render_verdict("x", verdict, MODERN)
    assert screen.count("PRF: prfsha1") == 1
    assert "  the same for two (line 6), three (line 11)" in screen
    assert "CHANGE   in one, two, three:" in screen
