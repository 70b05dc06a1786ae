"""What the file of a policy says beyond lists: versions, acceptances, verification; every mistake in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

import pytest

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError, UsageError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.policies.policy import POLICIES, Permission, Policy, load_policy, parse_policy
from ipsecbench.recommend.reasons import Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.standing import forbidden, strength_bits

POLICY_FILES = files("ipsecbench.recommend").joinpath("policies")
MODERN = POLICY_FILES.joinpath("modern.toml").read_text(encoding="utf-8")
ARTICLE = POLICY_FILES.joinpath("article.toml").read_text(encoding="utf-8")
HYBRID = POLICY_FILES.joinpath("post-quantum.toml").read_text(encoding="utf-8")
WHY = 'reason = "Ours."\nsources = ["rfc8221"]\n'


def line(table: str, name: str, more: str = "") -> str:
    return f'\n[[{table}]]\nname = "{name}"\n{WHY}{more}'


def accept(role: str, name: str) -> str:
    return f'\n[[accept]]\nrole = "{role}"\nname = "{name}"\n{WHY}'


def setting(name: str, value: str) -> str:
    return f'\n[setting.{name}]\nvalue = "{value}"\n{WHY}'


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_policy(text, "mine.toml")
    message = str(caught.value)
    assert message.startswith("policy mine.toml: ")
    assert "\n" not in message
    return message


def test_a_file_that_says_nothing_of_versions_is_for_ikev2() -> None:
    text = re.sub(r"\n\[\[ike_version\]\]\n(?:.+\n)*", "\n", MODERN)
    assert "[[ike_version]]" not in text
    assert [each.name for each in parse_policy(text, "mine.toml").ike_versions] == ["2"]


def test_several_names_may_share_one_line() -> None:
    text = MODERN + '\n[[esp_suite]]\nnames = ["aes256-sha256", "aes256-sha512"]\n' + WHY
    found = parse_policy(text, "mine.toml")
    assert {each.name for each in found.lines[Role.ESP_SUITE]} >= {"aes256-sha256", "aes256-sha512"}


def test_what_is_forbidden_is_only_set_with_an_acceptance_by_name() -> None:
    message = refusal(MODERN + line("esp_suite", "aes128-md5"))
    assert "RFC 8221 (ESP) on md5: MUST NOT" in message
    assert '[[accept]] role = "esp_suite", name = "aes128-md5"' in message
    found = parse_policy(MODERN + line("esp_suite", "aes128-md5") + accept("esp_suite", "aes128-md5"), "mine.toml")
    assert found.permission(Role.ESP_SUITE, "aes128-md5") is Permission.ACCEPTED
    assert found.permission(Role.ESP_SUITE, "aes128gcm16") is Permission.ALLOWED
    assert found.permission(Role.ESP_SUITE, "aes256-md5") is Permission.REFUSED
    assert found.accepts(Role.ESP_SUITE, "aes256-md5") is None


@pytest.mark.parametrize(
    ("role", "name", "why"),
    [
        ("esp_suite", "aes128", "without an integrity transform"),
        ("esp_suite", "aes128-none", "without an integrity transform"),
        ("esp_suite", "3des", "without an integrity transform"),
        ("esp_suite", "null", "without an integrity transform"),
        ("esp_suite", "null-none", "without an integrity transform"),
        ("ike_encryption", "null", "hides nothing"),
        ("ike_encryption", "aes256gmac", "hides nothing"),
        ("ike_integrity", "none", "without an integrity transform"),
    ],
)
def test_some_things_are_acceptable_to_no_policy(role: str, name: str, why: str) -> None:
    for text in (
        MODERN + line(role, name),
        MODERN + accept(role, name),
        MODERN + line(role, name) + accept(role, name),
    ):
        message = refusal(text)
        assert f"{name!r} is never acceptable" in message
        assert why in message


def test_aggressive_mode_with_a_pre_shared_key_is_acceptable_to_no_policy() -> None:
    text = ARTICLE.replace('value = "main"', 'value = "aggressive"')
    assert "aggressive mode with a pre-shared key is never acceptable" in refusal(text)
    signed = re.sub(r'\n\[\[accept\]\]\nrole = "authentication"\n(?:.+\n)*', "\n", text)
    signed = signed.replace('[[authentication]]\nname = "psk"', '[[authentication]]\nname = "rsa-3072"')
    assert parse_policy(signed, "mine.toml").word("ikev1_exchange_mode") == "aggressive"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MODERN + accept("esp_suite", "des-md5"), "accept: it accepts 'des-md5', which neither a line nor a fallback"),
        (MODERN + accept("esp_suite", "desmd5"), "accept[0].name: 'desmd5' is not known for esp_suite"),
        (MODERN + accept("esp", "des-md5"), "accept[0].role: 'esp' is none of"),
        (ARTICLE + accept("prf", "prfsha1"), "accept[6].name: 'prfsha1' stands there twice"),
        (MODERN + line("ike_version", "3"), "ike_version[1].name: '3' is not known for ike_version"),
        (MODERN + line("ike_version", "1"), "RFC 9395 on IKEv1: deprecated"),
        (MODERN + line("esp_suite", "aes256ccm16", "verified = 1\n"), "esp_suite[3].verified: it is true or false"),
        (MODERN + line("esp_suite", "aes256ccm16", 'recommend = "no"\n'), "esp_suite[3].recommend: it is true or"),
        (
            MODERN + '\n[[esp_suite]]\nname = "aes256ccm16"\nreason = "R."\nsources = ["bsi"]\nverified = true\n',
            "esp_suite[3].verified: no text of bsi was read",
        ),
        (MODERN + '\n[[esp_suite]]\nname = "a"\nnames = ["b"]\n' + WHY, "esp_suite[3].names: give a name or names"),
        (MODERN + "\n[[esp_suite]]\nnames = []\n" + WHY, "esp_suite[3].names: it must be a list of names"),
        (MODERN + '\n[[esp_suite]]\nnames = ["aes256ccm16", "xyz"]\n' + WHY, "esp_suite[3].names: 'xyz' is not known"),
        (MODERN + line("additional_key_exchange", "mlkem768"), "say whether the lines are required, prefer or off"),
        (MODERN + setting("additional_key_exchange", "prefer"), "no [[additional_key_exchange]] is listed"),
        (MODERN + setting("additional_key_exchange", "yes"), "it is one of required, prefer, off"),
        (MODERN + setting("unlisted", "ignore"), "it is one of warn, fail"),
        (MODERN + "\n[setting.psk_minimum_bits]\nvalue = 8\n" + WHY, "it is a whole number from 64 to 512"),
        (MODERN + line("ike_encryption", "aes256"), "aes256 in ike_encryption needs one beside it"),
        (
            ARTICLE.replace('name = "aes256"', 'name = "aes256gcm16"'),
            "ike_encryption: IKEv1 has none of these in phase 1",
        ),
        (
            HYBRID.replace('[[ike_version]]\nname = "2"', '[[ike_version]]\nname = "1"') + accept("ike_version", "1"),
            "additional_key_exchange: IKEv1 has no additional key exchange",
        ),
        (
            re.sub(r"(\[\[esp_suite\]\]\n(?:.+\n)*)", r"\1recommend = false\n", MODERN),
            "esp_suite: it must allow something that may be recommended",
        ),
    ],
)
def test_every_mistake_is_one_line_that_names_the_field(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize("name", POLICIES)
def test_no_line_of_a_policy_is_weaker_than_its_own_minimum(name: str) -> None:
    policy = load_policy(name)
    least = policy.number("minimum_strength_bits")
    for role, lines in policy.lines.items():
        for each in lines:
            bits = strength_bits(role, each.name)
            assert bits is None or bits >= least, (role, each.name)


@pytest.mark.parametrize("name", POLICIES)
def test_what_a_standard_forbids_is_accepted_by_name_or_not_there(name: str) -> None:
    policy = load_policy(name)
    for role, lines in policy.lines.items():
        for each in lines:
            assert forbidden(role, each.name) is None or policy.accepts(role, each.name) is not None


@pytest.mark.parametrize("name", POLICIES)
def test_every_refusal_of_a_policy_has_a_reason_with_sources(name: str) -> None:
    """Either a standard forbids it, or the policy's [[unlisted]] says why it is not there."""
    policy = load_policy(name)
    known: dict[Role, Iterable[str]] = {
        Role.IKE_VERSION: ("1", "2"),
        Role.KEY_EXCHANGE: KEY_EXCHANGE,
        Role.ADDITIONAL_KEY_EXCHANGE: KEY_EXCHANGE,
        Role.PRF: PRF,
        Role.IKE_ENCRYPTION: ENCRYPTION,
        Role.IKE_INTEGRITY: INTEGRITY,
        Role.AUTHENTICATION: AUTHENTICATION,
        Role.ESP_SUITE: esp_suites(),
    }
    for role, names in known.items():
        for each in names:
            if policy.permission(role, each) is Permission.REFUSED and forbidden(role, each) is None:
                assert policy.why_not_listed(role, each).sources, (role, each)


def test_bsi_and_anssi_are_marked_where_their_source_was_not_read() -> None:
    for name in ("bsi", "anssi"):
        policy = load_policy(name)
        for role in (Role.KEY_EXCHANGE, Role.PRF, Role.IKE_ENCRYPTION, Role.AUTHENTICATION, Role.ESP_SUITE):
            assert not any(each.verified for each in policy.lines[role])
        assert not policy.settings["child_maximum_seconds"].verified
    for name in ("modern", "nist", "cnsa1", "cnsa2", "post-quantum", "legacy-interop", "article"):
        policy = load_policy(name)
        assert all(each.verified for lines in policy.lines.values() for each in lines)


def settings(policy: Policy, *names: str) -> tuple[int | str, ...]:
    return tuple(policy.settings[name].value for name in names)


def test_lives_are_those_of_the_documents() -> None:
    """Longest lives in seconds of the IKE SA and the Child SA: facts on standards, sections C1 to C4."""
    expected = {
        "modern": (86_400, 28_800),
        "nist": (86_400, 28_800),
        "cnsa1": (86_400, 28_800),
        "cnsa2": (86_400, 28_800),
        "bsi": (86_400, 14_400),
        "anssi": (21_600, 3_600),
        "post-quantum": (86_400, 28_800),
        "legacy-interop": (86_400, 28_800),
        "article": (86_400, 43_200),
    }
    assert set(expected) == set(POLICIES)
    for name, lives in expected.items():
        assert settings(load_policy(name), "ike_maximum_seconds", "child_maximum_seconds") == lives


def test_rules_that_are_no_lists_are_settings() -> None:
    assert load_policy("nist").word("life_in_octets") == "required"
    assert load_policy("nist").optional_number("psk_minimum_bits") == 112
    assert load_policy("cnsa1").word("child_key_exchange") == "same"
    assert load_policy("modern").word("child_key_exchange") == "at-least"
    assert load_policy("modern").optional_number("psk_minimum_bits") is None
    assert load_policy("post-quantum").word("additional_key_exchange") == "required"
    assert load_policy("modern").word("additional_key_exchange") == "off"
    assert load_policy("bsi").number("minimum_strength_bits") == 120
    assert {name for name in POLICIES if load_policy(name).word("unlisted") == "warn"} == {
        "modern",
        "legacy-interop",
        "article",
    }


OWN = Path(__file__).parents[3] / "docs" / "examples" / "own-policy.toml"


def test_a_file_on_a_base_says_only_what_is_different() -> None:
    own, nist = load_policy(str(OWN)), load_policy("nist")
    assert (own.name, own.label) == ("example-corp", "example-corp 2026.1")
    assert own.number("minimum_strength_bits") == 192
    assert own.settings["life_in_octets"] == nist.settings["life_in_octets"]
    assert [each.name for each in own.lines[Role.AUTHENTICATION]] == ["ecdsa-384", "ecdsa-521"]
    assert own.lines[Role.ESP_SUITE] == nist.lines[Role.ESP_SUITE]
    assert own.why_not_listed(Role.AUTHENTICATION, "psk").text.endswith("certificates only")
    assert own.why_not_listed(Role.KEY_EXCHANGE, "x25519").sources == ("nist77",)
    assert own.notes == nist.notes


def test_acceptances_of_a_base_go_with_their_lists() -> None:
    head = 'name = "mine"\nversion = "1"\ntitle = "Mine"\nbase = "article"\n'
    assert len(parse_policy(head, "mine.toml").acceptances) == 6
    found = parse_policy(head + line("esp_suite", "aes128gcm16"), "mine.toml")
    assert found.accepts(Role.ESP_SUITE, "aes128-md5") is None
    assert found.accepts(Role.KEY_EXCHANGE, "modp1024") is not None


@pytest.mark.parametrize("base", ['"moderm"', "7", '["nist"]', '"mine.toml"'])
def test_a_base_is_one_of_the_programs_policies(base: str) -> None:
    message = refusal(f'name = "mine"\nversion = "1"\ntitle = "Mine"\nbase = {base}\n')
    assert message.startswith("policy mine.toml: base: ")
    assert "modern" in message


def test_a_base_gives_no_name() -> None:
    assert "name: it must be there" in refusal('version = "1"\ntitle = "Mine"\nbase = "nist"\n')


def test_a_last_resort_is_only_for_a_peer_that_has_nothing_else(make_dataset: Callable[..., Dataset]) -> None:
    nist = load_policy("nist")
    assert nist.permission(Role.ESP_SUITE, "aes256-sha1") is Permission.FALLBACK
    alone = recommend(make_dataset(), nist)
    assert not alone.phase1.fallback_proposals
    assert not alone.phase2.fallback_proposals
    assert not alone.offered
    old = Peer("Old Box", esp_suites=frozenset({"aes256-sha1", "3des-sha1", "aes128-md5"}))
    answer = recommend(make_dataset(), nist, Requirements(peer=old))
    assert answer.phase2.suite == "aes256-sha1"
    assert any("HMAC-SHA-1 is legacy in SP 800-77r1" in warning.text for warning in answer.warnings)
    without = Peer("Older Box", esp_suites=frozenset({"3des-sha1", "aes128-md5"}))
    with pytest.raises(PolicyError, match="no ESP suite of policy nist"):
        recommend(make_dataset(), nist, Requirements(peer=without))


@pytest.mark.parametrize("name", ["article", "post-quantum"])
def test_no_damage_to_a_file_is_more_than_one_line(name: str) -> None:
    """Each line away, and each value of another kind: it is read, or it is one line that names the file."""
    lines = POLICY_FILES.joinpath(f"{name}.toml").read_text(encoding="utf-8").splitlines()
    messages = []
    for number, text in enumerate(lines):
        field, _, value = text.partition(" = ")
        damaged = [""] if not value else ["", *(f"{field} = {other}" for other in ("7", '""', "[]", "true", "{}"))]
        for other in damaged:
            try:
                parse_policy("\n".join((*lines[:number], other, *lines[number + 1 :])), "mine.toml")
            except UsageError as error:
                messages.append(str(error))
    assert len(messages) > 2 * len(lines)
    assert all(each.startswith("policy mine.toml: ") and "\n" not in each for each in messages)


def test_a_file_that_is_no_policy_file_is_one_line_and_not_read_without_end(tmp_path: Path) -> None:
    nested = tmp_path / "nested.toml"
    nested.write_text(f"name = {'[' * 50_000}")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path, words in (
        (Path("/dev/zero"), "larger than"),
        (nested, "not TOML"),
        (binary, "not UTF-8"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(UsageError, match=words) as refused:
            load_policy(str(path))
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
