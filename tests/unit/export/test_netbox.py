"""NetBox's import forms: fields, required ones and values as in NetBox 4.6.8.

Copied as facts from ``netbox/vpn/forms/bulk_import.py`` (fields), ``netbox/vpn/choices.py`` (values) and
``netbox/vpn/models/crypto.py`` (rules and sizes) of github.com/netbox-community/netbox.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.export.target import find_target
from tests.unit.export.connections import a_connection
from tests.unit.export.many_connections import mixtures, one_at_a_time

TARGET = find_target("netbox")

FORMS: dict[str, tuple[set[str], set[str]]] = {
    # form: required fields, further fields that are written here
    "ike-proposals": (
        {"name", "authentication_method", "encryption_algorithm", "group"},
        {"authentication_algorithm", "sa_lifetime", "comments"},
    ),
    "ike-policies": ({"name", "version", "proposals"}, {"mode", "comments"}),
    "ipsec-proposals": (
        {"name"},
        {"encryption_algorithm", "authentication_algorithm", "sa_lifetime_seconds", "sa_lifetime_data", "comments"},
    ),
    "ipsec-policies": ({"name", "proposals"}, {"pfs_group", "comments"}),
    "ipsec-profiles": ({"name", "mode", "ike_policy", "ipsec_policy"}, {"comments"}),
    "tunnels": ({"name", "status", "encapsulation"}, {"ipsec_profile", "comments"}),
}
ENCRYPTION = {f"aes-{bits}-{mode}" for bits in (128, 192, 256) for mode in ("cbc", "gcm")} | {"3des-cbc", "des-cbc"}
AUTHENTICATION = {f"hmac-{name}" for name in ("sha1", "sha256", "sha384", "sha512", "md5")}
METHODS = {"preshared-keys", "certificates", "rsa-signatures", "dsa-signatures"}
GROUPS = {1, 2, 5, *range(14, 35)}
ENCAPSULATIONS = {"ipsec-transport", "ipsec-tunnel", "ip-ip", "gre", "wireguard", "openvpn", "l2tp", "pptp"}
VALUES: dict[str, set[Any]] = {
    "authentication_method": METHODS,
    "encryption_algorithm": ENCRYPTION,
    "authentication_algorithm": AUTHENTICATION,
    "group": GROUPS,
    "pfs_group": GROUPS,
    "version": {1, 2},
    "status": {"planned", "active", "disabled"},
    "encapsulation": ENCAPSULATIONS,
}


def lists(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """What is imported by form, in the order of the file names."""
    files = TARGET.files(connection, "4", accept_legacy=True)
    return {file.name.removesuffix(".json").partition("-")[2]: json.loads(file.text) for file in files}


@pytest.mark.parametrize("connection", [*one_at_a_time(), *mixtures(100)], ids=lambda _: "")
def test_fields_and_values_are_netboxs(connection: Connection) -> None:
    if TARGET.refusals(connection, "4", accept_legacy=True):
        return
    found = lists(connection)
    assert list(found) == list(FORMS)
    for form, rows in found.items():
        required, others = FORMS[form]
        for row in rows:
            assert required <= set(row) <= required | others
            assert 0 < len(row["name"]) <= 100
            for field, value in row.items():
                if field in VALUES and not (form == "ipsec-profiles" and field == "mode"):
                    assert value in VALUES[field], (form, field)
                if field.startswith("sa_lifetime"):
                    assert 0 < value <= 2147483647
    (policy,) = found["ike-policies"]
    assert ("mode" in policy) is (policy["version"] == 1)  # IKEPolicy.clean
    names = {form: {row["name"] for row in rows} for form, rows in found.items()}
    assert set(policy["proposals"]) == names["ike-proposals"]
    assert set(found["ipsec-policies"][0]["proposals"]) == names["ipsec-proposals"]
    (profile,) = found["ipsec-profiles"]
    assert profile["mode"] == "esp"
    assert {profile["ike_policy"]} == names["ike-policies"]
    assert {profile["ipsec_policy"]} == names["ipsec-policies"]
    assert {found["tunnels"][0]["ipsec_profile"]} == names["ipsec-profiles"]


def test_a_connection_in_netboxs_words() -> None:
    found = lists(
        a_connection(
            ike=IkeAlgorithms("aes256", "sha256", "prfsha256", "ecp384"),
            esp=EspAlgorithms("aes128gcm16", None, "ecp384"),
            child_life=Life(3600, 3960, 10**11, 2 * 10**11),
            mode="gre",
        )
    )
    (ike,) = found["ike-proposals"]
    assert (ike["encryption_algorithm"], ike["authentication_algorithm"], ike["group"]) == (
        "aes-256-cbc",
        "hmac-sha256",
        20,
    )
    assert ike["sa_lifetime"] == 15840
    (esp,) = found["ipsec-proposals"]
    assert esp["encryption_algorithm"] == "aes-128-gcm"
    assert "authentication_algorithm" not in esp
    assert (esp["sa_lifetime_seconds"], esp["sa_lifetime_data"]) == (3960, 200_000_000)
    assert found["tunnels"][0]["encapsulation"] == "gre"
    assert "PRF prfsha256" in ike["comments"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"esp": EspAlgorithms("chacha20poly1305", None, "ecp384")}, "NetBox has no ESP encryption chacha20poly1305"),
        (
            {"ike": IkeAlgorithms("aes256ctr", "sha256", "prfsha256", "ecp384")},
            "NetBox has no IKE encryption aes256ctr",
        ),
        ({"esp": EspAlgorithms("aes256", "aescmac", "ecp384")}, "NetBox has no ESP authentication aescmac"),
        ({"ike": IkeAlgorithms("aes256gcm16", None, "prfsha256", "mlkem768")}, "NetBox has no group mlkem768"),
    ],
)
def test_what_netbox_has_no_value_for_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason in TARGET.refusals(a_connection(**changes), "4")
