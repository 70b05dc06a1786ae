"""Targets against the peers' presets: another hand's transcription of what the same products can do."""

import re

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.export.connection import Connection
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import find_target
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.recommendation import recommend
from ipsecbench.recommend.requirements.records import Requirements
from tests.unit.export.grammar import faults
from tests.unit.export.vendor_matrix import VENDORS, written

PAIRS = {
    "asa@9.20": "cisco-asa-x",
    "fortios@": "fortios",
    "panos@": "panos",
    "pfsense@": "pfsense",
    "opnsense@": "opnsense",
    "routeros@": "routeros",
    "ios-xe@": "cisco-ios-xe",
    "windows-vpn-client@": "windows",
}
"""Targets at versions, all of them or one, and the presets that describe the same."""
NEWER = {("opnsense", "esp_suites", "aes192-sha1")}
"""In the list of August 2026 (f95e8151), not in older ones that the preset is from."""


def _used(connection: Connection) -> dict[str, list[str | int]]:
    ike, esp = connection.ike, connection.esp
    suite = esp.suite
    used: dict[str, list[str | int]] = {
        "ike_versions": [connection.ike_version],
        "ike_encryption": [ike.encryption],
        "ike_integrity": [] if ike.integrity is None else [ike.integrity],
        "prf": [ike.prf],
        "key_exchange": [ike.key_exchange],
        "additional_key_exchange": [*ike.additional_key_exchanges],
        "esp_suites": [] if suite is None else [suite.name],
        "child_key_exchange": [] if esp.key_exchange is None else [esp.key_exchange],
    }
    return used


@pytest.mark.parametrize(("target", "preset"), PAIRS.items())
def test_a_target_writes_nothing_that_the_preset_of_the_same_product_does_not_have(target: str, preset: str) -> None:
    peer = load_peer(preset)
    texts = [each for each in written(target.partition("@")[0]) if each[0].startswith(target)]
    assert texts
    for label, connection, _ in texts:
        for field, names in _used(connection).items():
            for name in names:
                known = (preset, field, name) in NEWER or peer.has(field, name) is not False
                assert known, (label, field, name)


@pytest.mark.parametrize(
    ("target", "preset", "policy", "authentication"),
    [
        ("panos", "panos", "modern", "psk"),
        ("ios-ikev1", "cisco-ios", "legacy-interop", "psk"),
        ("fortios", "fortios", "post-quantum", "psk"),
        ("windows-vpn-client", "windows", "modern", "ecdsa-256"),
    ],
)
def test_what_is_recommended_for_a_peer_is_written_for_it(
    target: str, preset: str, policy: str, authentication: str, example_dataset: Dataset
) -> None:
    requirements = Requirements(peer=load_peer(preset), authentication=authentication)
    recommendation = recommend(example_dataset, load_policy(policy), requirements)
    connection = connection_of(recommendation)
    found = find_target(target)
    for seen in (connection, connection.mirrored()):
        for version in found.versions[:1]:
            text = found.files(seen, version)[0].text
            assert faults(target, text) == []
            assert f"{recommendation.policy} {recommendation.policy_version}" in text


@pytest.mark.parametrize("target", VENDORS)
def test_the_other_end_s_table_has_the_values_of_the_mirrored_connection(target: str) -> None:
    label, connection, _ = written(target)[0]
    found = find_target(target)
    version = label.split()[0].partition("@")[2]
    table = found.files(connection, version, accept_legacy=True)[1]
    assert table.name.endswith("-other-end.txt")
    rows = dict(re.split(r"  +", line, maxsplit=1) for line in table.text.splitlines() if re.match(r"\w.*  ", line))
    assert rows["own address"] == connection.peer.address
    assert rows["remote networks"] == ", ".join(connection.local.networks)
    assert rows["IKE encryption"] == connection.ike.encryption
    assert rows["ESP encryption"] == connection.esp.encryption
    assert rows["IKE PRF"] == connection.ike.prf
