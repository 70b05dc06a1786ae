"""The connection as JSON: everything that it has, and nothing that a JSON parser must guess."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms
from ipsecbench.export.target import find_target
from tests.unit.export.connections import a_connection
from tests.unit.export.many_connections import mixtures, one_at_a_time

TARGET = find_target("json")


def read(connection: Connection) -> dict[str, Any]:
    (file,) = TARGET.files(connection, "1", accept_legacy=True)
    document: dict[str, Any] = json.loads(file.text, parse_constant=pytest.fail)
    return document


def test_numbers_are_those_of_the_iana_registries() -> None:
    document = read(
        a_connection(
            ike=IkeAlgorithms("aes256gcm16", None, "prfsha384", "x25519", ("mlkem768",)),
            esp=EspAlgorithms("aes256", "sha512", "x25519", ("mlkem768",), esn=True),
        )
    )
    (ike,), (esp,) = document["ike_proposals"], document["esp_proposals"]
    # IKEv2 parameters: ENCR_AES_GCM_16 20, PRF_HMAC_SHA2_384 6, Curve25519 31, ml-kem-768 36; ENCR_AES_CBC 12,
    # AUTH_HMAC_SHA2_512_256 14.
    assert (ike["encryption"]["ikev2_id"], ike["encryption"]["key_bits"], ike["prf"]["ikev2_id"]) == (20, 256, 6)
    assert ike["integrity"] is None
    assert [row["ikev2_id"] for row in (ike["key_exchange"], *ike["additional_key_exchanges"])] == [31, 36]
    assert (esp["encryption"]["ikev2_id"], esp["integrity"]["ikev2_id"]) == (12, 14)
    assert esp["extended_sequence_numbers"] is True


@pytest.mark.parametrize("connection", [*one_at_a_time(), *mixtures(60)], ids=lambda _: "")
def test_every_parameter_of_the_connection_is_in_it(connection: Connection) -> None:
    if TARGET.refusals(connection, "1", accept_legacy=True):
        return
    document = read(connection)
    for ike, row in zip(connection.ike_proposals, document["ike_proposals"], strict=True):
        read_ike = IkeAlgorithms(
            row["encryption"]["name"],
            None if row["integrity"] is None else row["integrity"]["name"],
            row["prf"]["name"],
            row["key_exchange"]["name"],
            tuple(each["name"] for each in row["additional_key_exchanges"]),
        )
        assert read_ike == ike
    for esp, row in zip(connection.esp_proposals, document["esp_proposals"], strict=True):
        read_esp = EspAlgorithms(
            row["encryption"]["name"],
            None if row["integrity"] is None else row["integrity"]["name"],
            None if row["key_exchange"] is None else row["key_exchange"]["name"],
            tuple(each["name"] for each in row["additional_key_exchanges"]),
            row["extended_sequence_numbers"],
        )
        assert read_esp == esp
    for name in (
        *("name", "ike_version", "authentication", "mode", "nat_traversal", "replay_window_packets", "link_mtu_bytes"),
        *("inner_mtu_bytes", "mss_ipv4_bytes", "mss_ipv6_bytes"),
    ):
        assert document[name] == getattr(connection, name)
    life = connection.child_life
    assert document["child_life"] == {
        "rekey_seconds": life.soft_seconds,
        "end_seconds": life.hard_seconds,
        "rekey_bytes": life.soft_bytes,
        "end_bytes": life.hard_bytes,
        "rekey_packets": life.soft_packets,
        "end_packets": life.hard_packets,
    }
    for side in ("local", "peer"):
        end = asdict(getattr(connection, side))
        assert document[side] == {**end, "networks": list(end["networks"])}
    assert document["provenance"] == {**asdict(connection.provenance), "differences": []}
