"""The policies that come with the program, and files that are not policies."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from ipsecbench.algorithms.sources import sources
from ipsecbench.errors import UsageError
from ipsecbench.recommend.policies.policy import POLICIES, load_policy, parse_policy
from ipsecbench.recommend.reasons import Role

MODERN = files("ipsecbench.recommend").joinpath("policies", "modern.toml").read_text(encoding="utf-8")
LEGACY = files("ipsecbench.recommend").joinpath("policies", "legacy-interop.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", POLICIES)
def test_every_line_has_a_reason_and_sources_that_exist(name: str) -> None:
    policy = load_policy(name)
    reasons = [line.reason for lines in policy.lines.values() for line in lines]
    reasons += [setting.reason for setting in policy.settings.values()]
    reasons += [fallback.reason for fallback in (*policy.ike_fallbacks, *policy.esp_fallbacks)]
    reasons += [entry.reason for entry in policy.unlisted] + list(policy.notes)
    reasons += [each.reason for each in policy.acceptances]
    assert len(reasons) > 30
    assert all(reason.text and reason.sources and set(reason.sources) <= set(sources()) for reason in reasons)
    assert re.fullmatch(r"\d{4}\.\d+", policy.version)


def test_modern_is_combined_mode_with_at_least_128_bits() -> None:
    policy = load_policy("modern")
    assert {line.name for line in policy.lines[Role.ESP_SUITE]} == {"aes128gcm16", "aes256gcm16", "chacha20poly1305"}
    assert policy.number("minimum_strength_bits") == 128
    assert not policy.ike_fallbacks
    assert not policy.esp_fallbacks


def test_legacy_interop_starts_from_modern_and_warns_of_every_fallback() -> None:
    modern, legacy = load_policy("modern"), load_policy("legacy-interop")
    chosen = [role for role in modern.lines if role is not Role.IKE_VERSION]
    assert [legacy.lines[role] for role in chosen] == [modern.lines[role] for role in chosen]
    assert [line.name for line in legacy.ike_versions] == ["2", "1"]
    assert legacy.accepts(Role.IKE_VERSION, "1") is not None
    assert dict(legacy.settings) == dict(modern.settings)
    assert [f.text for f in legacy.esp_fallbacks] == [
        "aes256-sha256-modp2048",
        "aes128-sha1-modp2048",
        "3des-sha1-modp2048",
    ]
    assert all(f.warning is not None for f in (*legacy.ike_fallbacks, *legacy.esp_fallbacks))
    assert any("IKEv1" in note.text and "rfc9395" in note.sources for note in legacy.notes)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('version = "2026.2"', "version = 2026", "version"),
        ('name = "modern"', "", "name"),
        ("value = 128\n", 'value = "128"\n', "setting.minimum_strength_bits.value"),
        ("value = 128\n", "value = true\n", "setting.minimum_strength_bits.value"),
        ("value = 128\n", "value = 999\n", "setting.minimum_strength_bits.value"),
        ("[setting.ike_rekey_seconds]", "[setting.ike_rekey_minutes]", "ike_rekey_minutes"),
        ("value = 14400", "value = 90000", "ike_rekey_seconds"),
        ('value = "required"', 'value = "maybe"', "setting.perfect_forward_secrecy.value"),
        ('name = "x25519"', 'name = "x25518"', "key_exchange[0].name"),
        ('name = "ecp256"', 'name = "x25519"', "key_exchange[1].name"),
        ('name = "modp3072"', 'name = "modp768"', "MUST NOT"),
        ('name = "chacha20poly1305"\nreason = "RFC 8221', 'name = "des-md5"\nreason = "RFC 8221', "MUST NOT"),
        ('sources = ["rfc8247", "ss"]', 'sources = ["rfc9999"]', "rfc9999"),
        ('sources = ["rfc8247", "ss"]', "sources = []", "key_exchange[0].sources"),
        ('sources = ["rfc8247", "ss"]', "", "key_exchange[0].sources"),
        ('reason = "RFC 8247 says MUST."', 'reason = ""', "prf[0].reason"),
        ('reason = "RFC 8247 says MUST."', 'reason = "a"\ncolour = "b"', "prf[0].colour"),
        ('role = "key_exchange"', 'role = "ke"', "role"),
    ],
)
def test_a_damaged_policy_names_the_field(old: str, new: str, field: str) -> None:
    assert old in MODERN
    with pytest.raises(UsageError, match=re.escape(field)) as caught:
        parse_policy(MODERN.replace(old, new, 1), "mine.toml")
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('proposal = "aes256-sha256-modp2048"', 'proposal = "aes256-sha256"', "fallback.ike[0].proposal"),
        ('proposal = "3des-sha1-modp2048"', 'proposal = "des-sha1-modp2048"', "MUST NOT"),
        ('proposal = "aes256-sha256-modp2048"', "proposal = 7", "fallback.ike[0].proposal"),
        ("[[fallback.esp]]", "[[fallback.ah]]", "fallback.ah"),
    ],
)
def test_a_damaged_fallback_names_the_field(old: str, new: str, field: str) -> None:
    with pytest.raises(UsageError, match=re.escape(field)):
        parse_policy(LEGACY.replace(old, new, 1), "mine.toml")


def test_an_esp_fallback_without_integrity_is_refused() -> None:
    text = LEGACY.replace(
        '[[fallback.esp]]\nproposal = "aes256-sha256-modp2048"', '[[fallback.esp]]\nproposal = "aes256"'
    )
    with pytest.raises(UsageError, match="never acceptable: aes256 without an integrity transform"):
        parse_policy(text, "mine.toml")


@pytest.mark.parametrize("text", ["", "]", "name = 1", "[[setting]]", "key_exchange = 5", "\x00"])
def test_what_is_not_a_policy_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_policy(text, "mine.toml")
    assert "\n" not in str(caught.value)


def test_a_users_own_file_is_read_and_a_missing_or_binary_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MODERN.replace('name = "modern"', 'name = "mine"'), encoding="utf-8")
    assert load_policy(str(path)).name == "mine"
    path.write_bytes(b"\xff\xfe\x00")
    for bad in (str(path), str(tmp_path / "none.toml"), str(tmp_path), "moderm"):
        with pytest.raises(UsageError) as caught:
            load_policy(bad)
        assert "\n" not in str(caught.value)
