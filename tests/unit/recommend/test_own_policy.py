"""A user's own policy: ciphers with a MAC beside them, no perfect forward secrecy, no extended sequence numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError, UsageError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import Policy, parse_policy
from ipsecbench.recommend.reasons import ExclusionKind, Role
from ipsecbench.recommend.requirements.records import Requirements

MakeDataset = Callable[..., Dataset]
MODERN = files("ipsecbench.recommend").joinpath("policies", "modern.toml").read_text(encoding="utf-8")
LINE = '\n[[{table}]]\nname = "{name}"\nreason = "Ours."\nsources = ["rfc8221"]\n'


def own_policy(*, integrity: tuple[str, ...] = ("sha256",), **lists: tuple[str, ...]) -> Policy:
    """The policy modern with other lists, without PFS and ESN."""
    text = MODERN.replace('value = "required"', 'value = "off"').replace('value = "prefer"', 'value = "off"')
    for table, names in {**lists, "ike_integrity": integrity}.items():
        text = re.sub(rf"\n\[\[{table}\]\]\n(?:[^\[\n].*\n)*", "\n", text)
        text += "".join(LINE.format(table=table, name=name) for name in names)
    return parse_policy(text, "own.toml")


def test_a_cipher_with_a_mac_beside_it_is_spelt_as_strongswan_does(make_dataset: MakeDataset) -> None:
    policy = own_policy(ike_encryption=("aes128", "aes256"), esp_suite=("aes128-sha256", "aes256-sha256"))
    found = recommend(make_dataset(), policy)
    assert found.phase2.proposal == "aes128-sha256"
    assert found.phase2.key_exchange is None
    assert not found.phase2.esn
    assert found.phase2.lifetime.hard_packets == 2**32 - 1
    assert found.phase1.proposal == "aes128-sha256-ecp256"
    assert found.phase1.integrity == "sha256"


def test_the_integrity_transform_may_differ_from_the_prf(make_dataset: MakeDataset) -> None:
    policy = own_policy(ike_encryption=("aes256",), esp_suite=("aes256-sha256",), integrity=("sha256", "sha512"))
    found = recommend(make_dataset(), policy)
    # AES-256 goes with prfsha384; sha384 is not allowed, so the longest allowed integrity transform is taken.
    assert found.phase1.proposal == "aes256-sha512-prfsha384-ecp256"


def test_a_cipher_without_any_integrity_allowed_is_refused_when_the_file_is_read() -> None:
    with pytest.raises(UsageError, match="aes128 in ike_encryption needs one beside it"):
        own_policy(ike_encryption=("aes128",), integrity=())


def test_phase_1_is_as_strong_as_the_policy_lets_it_be(make_dataset: MakeDataset) -> None:
    policy = own_policy(ike_encryption=("aes128gcm16",), esp_suite=("aes256gcm16",))
    found = recommend(make_dataset(), policy)
    assert (found.phase1.encryption, found.phase2.suite) == ("aes128gcm16", "aes256gcm16")


def test_without_a_signature_and_without_a_pre_shared_key_there_is_nothing(make_dataset: MakeDataset) -> None:
    policy = own_policy(authentication=("ecdsa-256",))
    with pytest.raises(PolicyError, match="authentication"):
        recommend(make_dataset(without=["ecdsa-256"]), policy)
    with pytest.raises(PolicyError, match="psk"):
        recommend(make_dataset(), policy, Requirements(authentication="psk"))


def test_a_64_bit_block_is_excluded_even_if_it_is_listed_and_strong_enough(make_dataset: MakeDataset) -> None:
    text = MODERN.replace("value = 128\nreason", "value = 112\nreason", 1)
    text += LINE.format(table="esp_suite", name="3des-sha256")
    found = recommend(make_dataset(), parse_policy(text, "own.toml"))
    lost = next(e for e in found.excluded(Role.ESP_SUITE) if e.name == "3des-sha256")
    assert lost.kind is ExclusionKind.DATA_LIMIT


def test_where_no_prf_is_long_enough_the_longest_allowed_one_is_taken(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(), own_policy(prf=("prfsha256",)), Requirements(min_strength_bits=192))
    assert found.phase1.prf == "prfsha256"
