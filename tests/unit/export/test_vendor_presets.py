"""Targets against the peers' presets: another hand's transcription of what the same products can do."""

import pytest

from ipsecbench.export.connection import Connection
from ipsecbench.recommend.peer_presets import load_peer
from tests.unit.export.vendor_matrix import written

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
                assert peer.has(field, name) is not False, (label, field, name)
