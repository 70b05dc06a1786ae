"""Registry numbers and sizes that an explanation shows, against the collected facts.

``registry.csv`` is copied from those facts (November 2026): numbers and sizes as two implementations, strongSwan and
libreswan, and the documents have them. It is not made from the program's own tables.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ipsecbench.explain.explanation import Algorithm, explain
from ipsecbench.explain.names import find_subject
from ipsecbench.explain.policy_standing import policies

ROWS = list(csv.DictReader((Path(__file__).parent / "registry.csv").read_text(encoding="utf-8").splitlines()))
TYPES = {"ENCR": "type 1 (ENCR)", "PRF": "type 2 (PRF)", "INTEG": "type 3 (INTEG)", "KE": "type 4 (KE)"}
IKEV1 = {
    "ENCR": ("IKEv1 phase 1 encryption", "IKEv1 ESP transform"),
    "INTEG": ("IKEv1 phase 1 hash", "IKEv1 ESP authentication"),
}
UNNUMBERED = ("md5_128", "sha1_160", "gost256", "gost512")
"""Known to the audit by name alone: neither measured nor recommended."""
# Phase 1 has its hash by HMAC's name; the MACs made of AES have no hash number there.
KNOWN = [row for row in ROWS if row["token"] not in ("(omit)", "esn", "noesn") and row["token"] not in UNNUMBERED]


def _one(name: str) -> Algorithm:
    return next(each for each in explain(find_subject(name)).algorithms if each.name == name)


def test_the_table_is_whole() -> None:
    assert len(KNOWN) > 75


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row["token"])
def test_numbers_are_the_registries(row: dict[str, str]) -> None:
    said = _one(row["token"]).numbers
    number = f" {row['ikev2']}" if row["ikev2"] else ": none"
    assert f"IKEv2 transform {TYPES[row['type']]}{number}" in said
    if row["type"] in IKEV1:
        for label, value in zip(IKEV1[row["type"]], (row["ikev1_phase1"], row["ikev1_esp"]), strict=True):
            if value:
                assert f"{label} {value}" in said
            else:
                assert f"{label}: none" in said or any("private range" in one for one in said)


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: row["token"])
def test_sizes_are_those_of_the_documents(row: dict[str, str]) -> None:
    said = "; ".join(_one(row["token"]).sizes)
    if row["type"] == "ENCR" and int(row["key_bits"]):
        assert f"key {row['key_bits']} bits" in said
        icv = int(row["icv_bytes"])
        assert (f"ICV {icv} octets" if icv else "no ICV of its own") in said
    elif row["type"] == "KE":
        assert f"sends {row['initiator_bytes']} octets" in said
    elif row["type"] == "INTEG":
        assert f"ICV {row['icv_bytes']} of {row['output_bytes']} octets" in said
    elif row["type"] == "PRF":
        assert f"output {row['output_bytes']} octets" in said


def test_authentication_numbers() -> None:
    # RFC 2409 appendix A and RFC 4754; RFC 7296 section 3.8 and RFC 7427.
    assert _one("psk").numbers == ("IKEv2 Auth Method 2", "IKEv1 authentication 1")
    assert "IKEv1 authentication 3" in _one("rsa-3072").numbers
    assert "IKEv2 Auth Method 14 (10 without RFC 7427)" in _one("ecdsa-384").numbers


@pytest.mark.parametrize("name", ["aes256", "md5", "group2", "x25519", "aes128-sha256", "psk", "ikev1", "mlkem768"])
def test_every_policy_speaks_with_reasons(name: str) -> None:
    found = explain(find_subject(name)).standings
    assert {one.policy for one in found} == {policy.name for policy in policies()}
    assert all(one.reason.text for one in found)


def test_standing_is_what_the_policies_say() -> None:
    """Cells that the standards decide: RFC 9206 names its groups, the article sets group 2, BSI's tables are unread."""
    said = {one.policy: one.permission for one in explain(find_subject("group 2")).standings}
    assert said["article"] == "accepted"
    assert {said[name] for name in said if name != "article"} == {"refused"}
    said = {one.policy: one.permission for one in explain(find_subject("ecp384")).standings}
    assert {said[name] for name in ("nist", "cnsa1", "cnsa2", "bsi")} == {"allowed"}
    bsi = [one for one in explain(find_subject("aes128")).standings if one.policy == "bsi"]
    assert {one.verified for one in bsi} == {False}


def test_decisions() -> None:
    assert explain(find_subject("md5")).decision.startswith("do not use it: RFC 8221")
    assert explain(find_subject("des")).decision.startswith("do not use it")
    assert "no policy allows it" in explain(find_subject("group2")).decision
    assert explain(find_subject("twofish")).decision.startswith("do not use it")
    assert "aes256" in explain(find_subject("aes512")).decision
    assert explain(find_subject("ikev1")).decision.startswith("do not use it")
