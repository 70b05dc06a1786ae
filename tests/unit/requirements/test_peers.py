"""What the other end can do: presets against what was read of them, proposals, files, and mistakes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.recommend.peers.peer import LISTS
from ipsecbench.recommend.peers.peer_file import parse_peer, write_peer
from ipsecbench.recommend.peers.presets import PEERS, load_peer

KNOWN = {
    "key_exchange": KEY_EXCHANGE,
    "additional_key_exchange": KEY_EXCHANGE,
    "child_key_exchange": KEY_EXCHANGE,
    "prf": PRF,
    "ike_encryption": ENCRYPTION,
    "ike_integrity": INTEGRITY,
    "authentication": AUTHENTICATION,
    "esp_suites": esp_suites(),
    "ike_versions": {1, 2},
}
# Key exchange methods by number of the IANA registry (IKEv2 transform type 4).
GROUPS = {
    1: "modp768", 2: "modp1024", 5: "modp1536", 14: "modp2048", 15: "modp3072", 16: "modp4096", 17: "modp6144",
    18: "modp8192", 19: "ecp256", 20: "ecp384", 21: "ecp521", 22: "modp1024s160", 23: "modp2048s224",
    24: "modp2048s256", 25: "ecp192", 26: "ecp224", 27: "ecp224bp", 28: "ecp256bp", 29: "ecp384bp", 30: "ecp512bp",
    31: "x25519", 32: "x448",
}  # fmt: skip


def test_every_file_is_a_preset_and_the_reverse() -> None:
    folder = files("ipsecbench.recommend").joinpath("peers")
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    assert found == sorted(f"{name}.toml" for name in PEERS)


@pytest.mark.parametrize("name", PEERS)
def test_every_name_is_known_and_every_source_is_listed(name: str) -> None:
    peer = load_peer(name)
    assert peer.spec == name
    assert peer.describes
    for field in LISTS:
        names = getattr(peer, field)
        assert names is None or names <= set(KNOWN[field]), field
        if names is not None:
            assert peer.sources_of(field), f"{field} has no source"
    for field, keys in peer.sources:
        assert keys, field
        assert set(keys) <= set(sources())
    for note in peer.notes:
        assert note.sources
        assert set(note.sources) <= set(sources())
    for doubt in peer.uncertain:
        field, _, about = doubt.partition(".")
        assert getattr(peer, field) is not None
        assert about in ("", "others") or peer.has(field, about), doubt
    # Every peer can make a tunnel: phase 1 and phase 2, in one IKE version at least.
    for field in ("ike_versions", "key_exchange", "prf", "ike_encryption", "ike_integrity", "esp_suites"):
        assert getattr(peer, field), field
    assert peer.authentication
    assert "psk" in peer.authentication


@pytest.mark.parametrize("name", PEERS)
def test_a_preset_is_read_back_from_what_is_written(name: str) -> None:
    peer = load_peer(name)
    assert parse_peer(write_peer(peer), Path("peer.toml"), name) == peer


# Group numbers that the vendors' documents list, written from those.
@pytest.mark.parametrize(
    ("name", "phase1", "phase2"),
    [
        ("aws", [2, *range(14, 25)], [2, 5, *range(14, 25)]),
        ("azure", [1, 2, 14, 19, 20, 24], [1, 2, 14, 19, 20, 24]),
        ("gcp", [2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 31], None),
        ("cisco-ios-xe", [1, 2, 14, 15, 16, 19, 20, 21, 24], None),
        ("fortios", [1, 2, 5, *range(14, 22), *range(27, 33)], None),
        ("panos", [1, 2, 5, 14, 15, 16, 19, 20, 21], None),
        ("routeros", [1, 2, 5, *range(14, 22), 31], [1, 2, 5, *range(14, 22)]),
        ("pfsense", [1, 2, 5, *range(14, 33)], None),
        ("libreswan-defaults", [14, 15, 16, 18, 19, 20, 21, 31], None),
        ("windows", [1, 2, 14, 19, 20, 24], [1, 2, 14, 19, 20, 24]),
        ("apple", [1, 2, 5, *range(14, 22), 31, 32], None),
    ],
)
def test_groups(name: str, phase1: list[int], phase2: list[int] | None) -> None:
    peer = load_peer(name)
    assert peer.key_exchange == frozenset({GROUPS[number] for number in phase1})
    assert peer.child_key_exchange == (None if phase2 is None else frozenset({GROUPS[number] for number in phase2}))


# Lives in seconds of phase 1 and phase 2.
@pytest.mark.parametrize(
    ("name", "phase1", "phase2"),
    [
        ("aws", 28800, 3600), ("azure", 28800, 27000), ("gcp", 36000, 10800), ("cisco-ios", 86400, 3600),
        ("cisco-asa", 86400, 28800), ("fortios", 86400, 43200), ("panos", 28800, 3600), ("routeros", 86400, 1800),
        ("pfsense", 28800, 3600), ("strongswan-defaults", 14400, 3600), ("libreswan-defaults", 28800, 28800),
        ("apple", 3600, 1800),
    ],
)  # fmt: skip
def test_lives(name: str, phase1: int, phase2: int) -> None:
    peer = load_peer(name)
    assert (peer.ike_seconds, peer.child_seconds) == (phase1, phase2)


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("aws", ["aes256gcm16", "aes128-sha1"], ["aes192gcm16", "chacha20poly1305", "aes128-md5"]),
        ("azure", ["aes192gcm16", "3des-md5"], ["aes256-sha384", "chacha20poly1305"]),
        ("gcp", ["aes192gcm16", "aes256-sha512", "aes128-sha1"], ["3des-sha1", "aes128-sha384", "aes128-md5"]),
        ("cisco-asa", ["aes256-sha1", "3des-md5"], ["aes128gcm16", "aes256-sha256"]),
        ("cisco-ios-xe", ["aes192gcm16", "aes256-sha256"], ["chacha20poly1305", "aes128ctr-sha256"]),
        ("fortios", ["aes128gcm16", "chacha20poly1305", "null-md5"], ["aes192gcm16", "aes128gcm8"]),
        ("routeros", ["aes256gcm16", "aes128ctr-sha256", "camellia256-sha512"], ["aes256-sha384", "aes128ccm16"]),
        ("pfsense", ["aes256gcm8", "aes128-aesxcbc"], ["3des-sha1", "aes128-md5"]),
        ("opnsense", ["aes256-sha1", "aes192gcm16"], ["aes192-sha1", "chacha20poly1305"]),
        ("strongswan-defaults", ["aes128-sha1", "aes256gcm16"], ["chacha20poly1305", "3des-sha1"]),
        ("libreswan-defaults", ["chacha20poly1305", "aes128-sha512"], ["aes128-sha1", "aes192gcm16"]),
        ("windows", ["aes192gcm16", "des-md5"], ["aes256-sha384"]),
        ("apple", ["chacha20poly1305", "aes256-sha384"], ["aes192-sha256", "aes192gcm16"]),
    ],
)
def test_esp_suites(name: str, has: list[str], has_not: list[str]) -> None:
    peer = load_peer(name)
    assert [suite for suite in has if not peer.has("esp_suites", suite)] == []
    assert [suite for suite in has_not if peer.has("esp_suites", suite)] == []


def test_other_facts() -> None:
    assert load_peer("cisco-ios").ike_versions == frozenset({1})
    assert load_peer("libreswan-defaults").ike_versions == frozenset({2})
    assert load_peer("strongswan-defaults").esn is False
    assert load_peer("libreswan-defaults").esn is True
    # Nobody documents that it has them; a proposal with nothing else would be refused.
    assert load_peer("aws").esn is False
    assert load_peer("aws").is_uncertain("esn")
    # RouterOS has combined modes for ESP, and none for IKE.
    assert not any(ENCRYPTION[name].aead for name in load_peer("routeros").ike_encryption or ())
    assert load_peer("fortios").additional_key_exchange == frozenset({"mlkem512", "mlkem768", "mlkem1024"})
    assert any("8 to 64" in note.text for note in load_peer("aws").notes)


def test_what_is_uncertain_is_said() -> None:
    asa = load_peer("cisco-asa")
    assert asa.has("key_exchange", "ecp256")
    assert asa.is_uncertain("key_exchange", "ecp256")
    assert not asa.is_uncertain("key_exchange", "modp1536")
    # That the list of suites is whole is not confirmed; what stands in it is.
    assert asa.has("esp_suites", "aes128gcm16") is False
    assert asa.is_uncertain("esp_suites", "aes128gcm16")
    assert not asa.is_uncertain("esp_suites", "aes256-sha1")
    # Perfect forward secrecy takes phase 1's methods where there is no list of its own.
    assert asa.is_uncertain("child_key_exchange", "ecp256")
    assert asa.has("child_key_exchange", "x25519") is False
    assert load_peer("aws").is_uncertain("prf")


def test_proposals_are_a_peer() -> None:
    peer = load_peer("aes256-sha256-modp2048, aes128gcm16-prfsha384-ecp384/aes128gcm16-modp2048-esn,3des-sha1")
    assert peer.ike_encryption == frozenset({"aes256", "aes128gcm16"})
    assert peer.ike_integrity == frozenset({"sha256"})
    assert peer.prf == frozenset({"prfsha256", "prfsha384"})
    assert peer.key_exchange == frozenset({"modp2048", "ecp384"})
    assert peer.additional_key_exchange == frozenset()
    assert peer.esp_suites == frozenset({"aes128gcm16", "3des-sha1"})
    assert peer.child_key_exchange == frozenset({"modp2048"})
    assert peer.esn is True
    assert peer.authentication is None
    assert peer.ike_versions is None


def test_one_side_may_be_left_out() -> None:
    peer = load_peer("/aes256-aes128-sha256-sha1")
    assert peer.esp_suites == frozenset({"aes256-sha256", "aes256-sha1", "aes128-sha256", "aes128-sha1"})
    assert peer.child_key_exchange == frozenset()
    assert peer.esn is False
    assert peer.key_exchange is None
    assert load_peer("aes256gcm16-prfsha384-ecp384-ke1_mlkem768/").additional_key_exchange == frozenset({"mlkem768"})
    assert load_peer("aes256gcm16-prfsha384-ecp384/").esp_suites is None


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "branch.toml"
    path.write_text('title = "Branch"\n[esp_encryption]\nhas = ["aes128"]\n[esp_integrity]\nhas = ["sha256"]\n')
    peer = load_peer(str(path))
    assert peer.name == "Branch"
    assert peer.esp_suites == frozenset({"aes128-sha256"})
    assert peer.key_exchange is None
    assert peer.spec is None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("cisco-aas", ("did you mean 'cisco-asa'",)),
        ("", ("there are aws",)),
        ("/", ("no proposal",)),
        ("a/b/c", ("one slash",)),
        ("aes256-modp2048/", ("integrity",)),
        ("/aes256", ("integrity",)),
        ("aes257-sha256-modp2048/", ("aes257",)),
        ("/nowhere/peer.toml", ("No such file",)),
    ],
)
def test_what_is_no_peer_is_one_line(spec: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        load_peer(spec)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ("'title' is missing",)),
        ("title = ''", ("peer.toml:1", "one line")),
        ("title = 'x'\nprff = 1", ("peer.toml:2", "did you mean 'prf'")),
        ("title = 'x'\n[prf]", ("peer.toml:2", "'has' is missing")),
        ("title = 'x'\n[prf]\nhas = 'prfsha256'", ("peer.toml:3", "list")),
        ("title = 'x'\n[prf]\nhas = ['sha256']", ("peer.toml:3", "prfsha256")),
        ("title = 'x'\n[prf]\nhas = []\nuncertain = ['prfsha256']", ("peer.toml:4", "not in 'has'")),
        ("title = 'x'\n[prf]\nhas = []\nuncertain = 'some'", ("peer.toml:4", "list")),
        ("title = 'x'\n[prf]\nhas = []\nsources = ['nobody']", ("peer.toml:4", "sources.csv")),
        ("title = 'x'\n[ike_versions]\nhas = [3]", ("peer.toml:3", "1 and 2")),
        ("title = 'x'\n[ike_versions]\nhas = [true]", ("peer.toml:3", "1 and 2")),
        ("title = 'x'\n[esn]\nhas = 1", ("peer.toml:3", "true or false")),
        ("title = 'x'\n[child_seconds]\nhas = 1", ("peer.toml:3", "whole number")),
        ("title = 'x'\n[esp_integrity]\nhas = ['sha256']", ("peer.toml:2", "esp_encryption")),
        ("title = 'x'\n[esp_encryption]\nhas = ['aes128']", ("peer.toml:2", "integrity transform is missing")),
        (
            "title = 'x'\n[esp_encryption]\nhas = ['aes128gcm16']\n[esp_suites]\nhas = ['aes128gcm16']",
            ("peer.toml:4", "esp_integrity"),
        ),
        ("title = 'x'\n[[note]]\nsources = []", ("peer.toml:2", "'text' is missing")),
        ("title = 'x'\nnote = 1", ("peer.toml:2", "array of tables")),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_its_place(content: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_peer(content, Path("peer.toml"))
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
